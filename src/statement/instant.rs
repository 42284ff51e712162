//! Instants as they are written.

use super::cursor::Cursor;
use super::{InstantExpr, IntervalUnit, Refused};
use sqlparser::tokenizer::Token;

/// Intervals behind one instant: each is a level of a tree.
const MOST_INTERVALS: usize = 100;

/// `'...'`, NOW(), ... and intervals behind it.
pub(super) fn instant(c: &mut Cursor<'_>) -> Result<InstantExpr, Refused> {
    let mut expression = base(c)?;
    for _ in 0..=MOST_INTERVALS {
        let negative = if c.token(&Token::Minus) {
            false
        } else if c.token(&Token::Plus) {
            true
        } else {
            return Ok(expression);
        };
        if !c.words(&["INTERVAL"]) {
            return Err(c.unexpected("INTERVAL n unit"));
        }
        let minus = c.token(&Token::Minus);
        if let Some(number) = c.parameter() {
            // Without it the instant is not known.
            unit(c)?;
            expression = InstantExpr::Parameter(number);
            continue;
        }
        let amount =
            c.number().map(plain).or_else(|| c.text()).ok_or_else(|| c.unexpected("a number of units"))?;
        let unit = unit(c)?;
        let amount = match amount.strip_prefix('-') {
            _ if negative == minus => amount,
            Some(positive) => positive.to_owned(),
            None => format!("-{amount}"),
        };
        expression = InstantExpr::Minus { base: Box::new(expression), amount, unit };
    }
    Err(c.unexpected(&format!("an instant with at most {MOST_INTERVALS} intervals")))
}

/// A number without an exponent: drivers send whole numbers as DOUBLE. The digits are those that the number is written with.
fn plain(number: String) -> String {
    if !number.contains(['e', 'E']) {
        return number;
    }
    number.parse::<f64>().ok().filter(|n| n.abs() < 1e15).map_or(number, |n| n.to_string())
}

fn unit(c: &mut Cursor<'_>) -> Result<IntervalUnit, Refused> {
    use IntervalUnit::{Day, Hour, Microsecond, Minute, Month, Quarter, Second, Week, Year};
    const UNITS: [(&str, IntervalUnit); 9] = [
        ("MICROSECOND", Microsecond),
        ("SECOND", Second),
        ("MINUTE", Minute),
        ("HOUR", Hour),
        ("DAY", Day),
        ("WEEK", Week),
        ("MONTH", Month),
        ("QUARTER", Quarter),
        ("YEAR", Year),
    ];
    UNITS
        .iter()
        .find(|(word, _)| c.words(&[word]))
        .map(|(_, unit)| *unit)
        .ok_or_else(|| c.unexpected("a unit (SECOND, MINUTE, HOUR, DAY, ...)"))
}

fn base(c: &mut Cursor<'_>) -> Result<InstantExpr, Refused> {
    // The keyword of the clause, and that of a typed literal behind it.
    if !c.words(&["TIMESTAMP", "TIMESTAMP"]) && !c.words(&["TIMESTAMP", "DATE"]) {
        c.one_of(&["TIMESTAMP", "DATE"]);
    }
    if let Some(text) = c.text() {
        return Ok(InstantExpr::Literal(text));
    }
    if c.one_of(&["NOW", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "SYSDATE"]).is_some() {
        return Ok(InstantExpr::Now { fsp: fsp(c)? });
    }
    if c.words(&["UTC_TIMESTAMP"]) {
        return Ok(InstantExpr::UtcTimestamp { fsp: fsp(c)? });
    }
    if c.words(&["FROM_UNIXTIME"]) {
        let wrong = c.unexpected("FROM_UNIXTIME(seconds)");
        if !c.token(&Token::LParen) {
            return Err(wrong);
        }
        let seconds = match c.parameter() {
            Some(number) => InstantExpr::Parameter(number),
            None => InstantExpr::Unix(c.number().map(plain).ok_or(wrong)?),
        };
        if !c.token(&Token::RParen) {
            return Err(c.unexpected(")"));
        }
        return Ok(seconds);
    }
    if let Some(number) = c.parameter() {
        return Ok(InstantExpr::Parameter(number));
    }
    Err(c.unexpected("an instant such as '2026-04-27 09:00:00' (in quotes) or NOW() - INTERVAL 1 HOUR"))
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
    if !c.token(&Token::RParen) {
        return Err(c.unexpected(")"));
    }
    Ok(digits)
}
