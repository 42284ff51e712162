//! Instants as they are written.

mod mistaken;

use super::cursor::Cursor;
use super::{IntervalUnit, RecordEnd, Refused, TimestampExpr};
use mistaken::not_a_timestamp;
use sqlparser::tokenizer::Token;

/// Intervals after one instant: each is a level of a tree.
const MOST_INTERVALS: usize = 100;

/// `'...'`, NOW(), ... and intervals after it.
pub(super) fn timestamp(c: &mut Cursor<'_>) -> Result<TimestampExpr, Refused> {
    let mut expression = base(c)?;
    for _ in 0..=MOST_INTERVALS {
        let add = if c.token(&Token::Minus) {
            false
        } else if c.token(&Token::Plus) {
            true
        } else {
            return Ok(expression);
        };
        if !c.words(&["INTERVAL"]) {
            return Err(c.unexpected("INTERVAL and a unit, as in NOW() - INTERVAL 1 HOUR,"));
        }
        let (amount, unit) = match interval(c, add)? {
            Ok(interval) => interval,
            // Without its value the instant is not known.
            Err(parameter) => {
                expression = TimestampExpr::Parameter(parameter);
                continue;
            }
        };
        expression = TimestampExpr::Minus { base: Box::new(expression), amount, unit };
    }
    Err(c.unexpected(&format!("an instant with at most {MOST_INTERVALS} intervals")))
}

/// `n unit` after INTERVAL, as units to go back. `Err`: n is this parameter, which has no value
/// yet.
fn interval(c: &mut Cursor<'_>, add: bool) -> Result<Result<(String, IntervalUnit), usize>, Refused> {
    let minus = c.token(&Token::Minus);
    if let Some(parameter) = c.parameter() {
        unit(c)?;
        return Ok(Err(parameter));
    }
    let amount = c
        .number()
        .map(plain)
        .or_else(|| c.text_or_bytes())
        .ok_or_else(|| c.unexpected("a number of units after INTERVAL"))?;
    let unit = unit(c)?;
    let amount = match amount.strip_prefix('-') {
        _ if add == minus => amount,
        Some(positive) => positive.to_owned(),
        None => format!("-{amount}"),
    };
    Ok(Ok((amount, unit)))
}

const UNITS: [(&str, IntervalUnit); 9] = [
    ("MICROSECOND", IntervalUnit::Microsecond),
    ("SECOND", IntervalUnit::Second),
    ("MINUTE", IntervalUnit::Minute),
    ("HOUR", IntervalUnit::Hour),
    ("DAY", IntervalUnit::Day),
    ("WEEK", IntervalUnit::Week),
    ("MONTH", IntervalUnit::Month),
    ("QUARTER", IntervalUnit::Quarter),
    ("YEAR", IntervalUnit::Year),
];

/// A number without an exponent: drivers send whole numbers as DOUBLE. The digits are those that
/// the number is written with.
fn plain(number: String) -> String {
    if !number.contains(['e', 'E']) {
        return number;
    }
    number.parse::<f64>().ok().filter(|n| n.abs() < 1e15).map_or(number, |n| n.to_string())
}

fn unit(c: &mut Cursor<'_>) -> Result<IntervalUnit, Refused> {
    if let Some((_, unit)) = UNITS.iter().find(|(word, _)| c.words(&[word])) {
        return Ok(*unit);
    }
    let plural = UNITS.iter().find(|(word, _)| c.clone().words(&[&format!("{word}S")]));
    Err(match plural {
        Some((word, _)) => c.unexpected(&format!("the unit {word}, without an S,")),
        None => c.unexpected("a unit (SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, YEAR; as in INTERVAL 1 HOUR)"),
    })
}

fn closed<T>(c: &mut Cursor<'_>, inside: T) -> Result<T, Refused> {
    if c.token(&Token::RParen) { Ok(inside) } else { Err(c.unexpected(")")) }
}

fn base(c: &mut Cursor<'_>) -> Result<TimestampExpr, Refused> {
    // Their depth is bounded by that of parentheses in a statement.
    if c.token(&Token::LParen) {
        let inside = timestamp(c)?;
        return closed(c, inside);
    }
    if let Some(function) = date_arithmetic(c)? {
        return Ok(function);
    }
    let position = c.index();
    // `TIMESTAMP('...')`: the function. `TIMESTAMP '...'` and `DATE '...'`: literals.
    if c.words(&["TIMESTAMP"]) && c.token(&Token::LParen) {
        let parameter = c.parameter().map(TimestampExpr::Parameter);
        let text = || c.text_or_bytes().map(TimestampExpr::Literal);
        let inside = parameter.or_else(text).ok_or_else(|| not_a_timestamp(c))?;
        return closed(c, inside);
    }
    c.go(position);
    // `AS OF TIMESTAMP TIMESTAMP '...'`: the keyword of the clause, and that of a typed literal
    // after it.
    if !c.words(&["TIMESTAMP", "TIMESTAMP"]) && !c.words(&["TIMESTAMP", "DATE"]) {
        c.one_of(&["TIMESTAMP", "DATE"]);
    }
    if let Some(text) = c.text_or_bytes() {
        return Ok(TimestampExpr::Literal(text));
    }
    for (word, end) in [("LATEST", RecordEnd::Latest), ("EARLIEST", RecordEnd::Earliest)] {
        if c.words(&[word]) {
            return Ok(TimestampExpr::End(end));
        }
    }
    if c.one_of(&["NOW", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "SYSDATE"]).is_some() {
        return Ok(TimestampExpr::Now { fsp: fsp(c)? });
    }
    if c.one_of(&["CURDATE", "CURRENT_DATE"]).is_some() {
        return if c.token(&Token::LParen) {
            closed(c, TimestampExpr::Today)
        } else {
            Ok(TimestampExpr::Today)
        };
    }
    if c.words(&["UTC_TIMESTAMP"]) {
        return Ok(TimestampExpr::UtcTimestamp { fsp: fsp(c)? });
    }
    if c.words(&["FROM_UNIXTIME"]) {
        let wrong = c.unexpected("FROM_UNIXTIME(seconds)");
        if !c.token(&Token::LParen) {
            return Err(wrong);
        }
        let seconds = match c.parameter() {
            Some(number) => TimestampExpr::Parameter(number),
            None => TimestampExpr::Unix(c.number().map(plain).ok_or(wrong)?),
        };
        return closed(c, seconds);
    }
    if let Some(number) = c.parameter() {
        return Ok(TimestampExpr::Parameter(number));
    }
    Err(not_a_timestamp(c))
}

/// `DATE_SUB(timestamp, INTERVAL n unit)` and its kin; `SUBDATE(timestamp, days)`.
fn date_arithmetic(c: &mut Cursor<'_>) -> Result<Option<TimestampExpr>, Refused> {
    let position = c.index();
    let Some(function) = c.one_of(&["DATE_SUB", "SUBDATE", "DATE_ADD", "ADDDATE"]) else { return Ok(None) };
    if !c.token(&Token::LParen) {
        c.go(position);
        return Ok(None);
    }
    let base = Box::new(timestamp(c)?);
    if !c.token(&Token::Comma) {
        return Err(c.unexpected(&format!("the second argument of {function}, INTERVAL n unit,")));
    }
    let add = matches!(function, "DATE_ADD" | "ADDDATE");
    let (amount, unit) = if c.words(&["INTERVAL"]) {
        match interval(c, add)? {
            Ok(interval) => interval,
            Err(parameter) => return closed(c, Some(TimestampExpr::Parameter(parameter))),
        }
    } else if let Some(days) = c.number().filter(|_| matches!(function, "SUBDATE" | "ADDDATE")) {
        (if add { format!("-{days}") } else { days }, IntervalUnit::Day)
    } else {
        return Err(c.unexpected("INTERVAL n unit"));
    };
    closed(c, Some(TimestampExpr::Minus { base, amount, unit }))
}

/// `()`, `(n)` or nothing.
fn fsp(c: &mut Cursor<'_>) -> Result<u8, Refused> {
    if !c.token(&Token::LParen) {
        return Ok(0);
    }
    let digits = match c.number() {
        None => 0,
        Some(n) => n.parse().ok().filter(|n| *n <= 6).ok_or_else(|| c.unexpected("0 to 6 decimals"))?,
    };
    closed(c, digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::ParseSettings;

    fn read(text: &str) -> Result<TimestampExpr, Refused> {
        let mut c = Cursor::new(text, ParseSettings::default()).unwrap();
        let read = timestamp(&mut c)?;
        if c.is_at_end() { Ok(read) } else { Err(c.unexpected("the end")) }
    }

    fn minus(base: TimestampExpr, amount: &str, unit: IntervalUnit) -> TimestampExpr {
        TimestampExpr::Minus { base: Box::new(base), amount: amount.to_owned(), unit }
    }

    #[test]
    fn ok_expressions() {
        let literal = || TimestampExpr::Literal("2026-04-27 09:00".to_owned());
        let now = || TimestampExpr::Now { fsp: 0 };
        for (text, wanted) in [
            ("'2026-04-27 09:00'", literal()),
            ("'2026-04-27' ' 09:00'", literal()),
            ("_binary '2026-04-27 09:00'", literal()),
            ("TIMESTAMP'2026-04-27 09:00'", literal()),
            ("timestamp ('2026-04-27 09:00')", literal()),
            ("(('2026-04-27 09:00'))", literal()),
            ("DATE '2026-04-27 09:00'", literal()),
            ("CURRENT_TIMESTAMP(6)", TimestampExpr::Now { fsp: 6 }),
            ("CURDATE() - INTERVAL 1 DAY", minus(TimestampExpr::Today, "1", IntervalUnit::Day)),
            ("NOW() - INTERVAL '1' HOUR", minus(now(), "1", IntervalUnit::Hour)),
            ("TIMESTAMP NOW() - INTERVAL -1 DAY", minus(now(), "-1", IntervalUnit::Day)),
            ("(NOW() + INTERVAL -5 MINUTE)", minus(now(), "5", IntervalUnit::Minute)),
            ("DATE_SUB(NOW(), INTERVAL 1 HOUR)", minus(now(), "1", IntervalUnit::Hour)),
            ("DATE_ADD(NOW(), INTERVAL -2 DAY)", minus(now(), "2", IntervalUnit::Day)),
            ("SUBDATE(NOW(), 31)", minus(now(), "31", IntervalUnit::Day)),
            (
                "DATE_SUB('2026-04-27 09:00', INTERVAL 1 MONTH) - INTERVAL 2 SECOND",
                minus(minus(literal(), "1", IntervalUnit::Month), "2", IntervalUnit::Second),
            ),
            ("LATEST", TimestampExpr::End(RecordEnd::Latest)),
            ("earliest", TimestampExpr::End(RecordEnd::Earliest)),
            ("FROM_UNIXTIME(1777280400.5)", TimestampExpr::Unix("1777280400.5".to_owned())),
        ] {
            assert_eq!(read(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn err_expressions() {
        for text in [
            "",
            "2026-04-27",
            "NOW(7)",
            "NOW() - 1",
            "NOW() - INTERVAL 1 HOURS",
            "NOW() - INTERVAL '1 hour'",
            "NOW() - INTERVAL '1:30' HOUR_MINUTE",
            "DATE_SUB(NOW(), 1)",
            "DATE_SUB(NOW(), INTERVAL 1 HOUR",
            "TIMESTAMP('2026-04-27', '09:00')",
            "(NOW()",
            "@then",
            "'2026-04-27'::timestamp",
        ] {
            assert!(matches!(read(text), Err(Refused::Syntax { .. })), "{text}");
        }
    }
}
