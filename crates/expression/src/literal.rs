//! Literals.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's literals and types are many; the ones that are not named are refused"
)]

use crate::collation::{Coercibility, Collated, charset_of};
use crate::decimal::Decimal;
use crate::settings::EvaluationSettings;
use crate::typed::Typed;
use crate::types::{ANY_DECIMALS, ExprType, REAL_WIDTH, Type};
use crate::value::{Double, Value};
use sqlparser::ast::{DataType, Value as Literal};

/// A literal as mysqld declares it; `None`: it is not computed here.
pub(crate) fn literal(value: &Literal, settings: &EvaluationSettings) -> Option<Typed> {
    Some(match value {
        // The token of a parameter has its sign in it.
        Literal::Number(n, long) if n.starts_with('+') => {
            return literal(&Literal::Number(n[1..].to_owned(), *long), settings);
        }
        Literal::Number(n, _) => return number(n),
        Literal::SingleQuotedString(text) | Literal::DoubleQuotedString(text) => {
            return of_text(text, settings.literals(), settings);
        }
        // N'...' is utf8mb3.
        Literal::NationalStringLiteral(text) if text.is_ascii() => {
            let name = "utf8mb3_general_ci";
            return of_text(text, Collated { name, coercibility: Coercibility::Literal }, settings);
        }
        Literal::Boolean(b) => Typed::constant(Value::Int(i128::from(*b)), Type::new(ExprType::TRUTH, false)),
        Literal::Null => Typed::null(),
        _ => return None,
    })
}

/// A text in a character set, which must hold it: mysqld writes `?` for a character that it does
/// not have.
pub(crate) fn of_text(text: &str, collated: Collated, _settings: &EvaluationSettings) -> Option<Typed> {
    let holds = match charset_of(collated.name) {
        "utf8mb4" => true,
        "utf8mb3" => text.chars().all(|c| u32::from(c) <= 0xffff),
        "latin1" => text.chars().all(|c| c.is_ascii() || ('\u{a0}'..='\u{ff}').contains(&c)),
        _ => text.is_ascii(),
    };
    let chars = u32::try_from(text.chars().count()).ok()?;
    let ty = Type::new(ExprType::Text { chars, collated }, false);
    holds.then(|| Typed::constant(Value::from(text), ty))
}

/// A literal of a whole number, as mysqld declares it: a number that only BIGINT UNSIGNED holds has
/// no room for a sign.
pub(crate) fn integer(n: i128) -> Typed {
    let unsigned = n > i128::from(i64::MAX);
    let digits = u32::try_from(n.unsigned_abs().to_string().len()).unwrap_or(u32::MAX);
    Typed::constant(Value::Int(n), Type::new(ExprType::int_of(digits, unsigned), false))
}

fn number(text: &str) -> Option<Typed> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    if digits.contains(['e', 'E']) {
        let value: f64 = text.parse().ok().filter(|v: &f64| v.is_finite())?;
        let width = if negative { REAL_WIDTH } else { u32::try_from(digits.len()).ok()? };
        let decimals = ANY_DECIMALS;
        return Some(Typed::constant(
            Value::Double(Double(value)),
            Type::new(ExprType::Double { width, decimals }, false),
        ));
    }
    if let Ok(n) = digits.parse::<u64>() {
        let n = i128::from(n);
        match negative {
            false => return Some(integer(n)),
            true if -n >= i128::from(i64::MIN) => return Some(integer(-n)),
            true => {}
        }
    }
    let value: Decimal = text.parse().ok()?;
    let precision = digits.bytes().filter(u8::is_ascii_digit).count();
    let kind = ExprType::Decimal { precision: u32::try_from(precision).ok()?, scale: value.scale };
    Some(Typed::constant(Value::Decimal(value), Type::new(kind, false)))
}

/// `DATE '...'`, `TIME '...'`, `TIMESTAMP '...'`, where the text is what mysqld would show of it.
pub(crate) fn time(data_type: &DataType, text: &str) -> Option<Typed> {
    let bytes = text.as_bytes();
    let (seconds_part, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fsp = u8::try_from(fraction.len()).ok().filter(|n| *n <= 6)?;
    if !fraction.bytes().all(|b| b.is_ascii_digit()) || text.ends_with('.') {
        return None;
    }
    let part = |from: usize, to: usize| -> Option<u32> {
        let digits = bytes.get(from..to)?;
        if digits.iter().all(u8::is_ascii_digit) {
            std::str::from_utf8(digits).ok()?.parse().ok()
        } else {
            None
        }
    };
    let is = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
    let date = || -> Option<()> {
        let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let longest = match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        (year > 0 && (1..=longest).contains(&day) && is(4, b'-') && is(7, b'-')).then_some(())
    };
    // A day has 24 hours, a TIME up to 838.
    let clock = |from: usize, digits: usize, most: u32| -> Option<()> {
        let at = from + digits;
        let (hours, minutes, seconds) = (part(from, at)?, part(at + 1, at + 3)?, part(at + 4, at + 6)?);
        let fits = hours <= most && minutes < 60 && seconds < 60 && is(at, b':') && is(at + 3, b':');
        (fits && seconds_part.len() == at + 6).then_some(())
    };
    let kind = match data_type {
        DataType::Date if text.len() == 10 => {
            date()?;
            ExprType::Date
        }
        DataType::Time(None, _) => {
            // A third digit is shown only where it counts, and there is nothing beyond 838:59:59.
            // There is no -00:00:00.
            let from = usize::from(text.starts_with('-'));
            let (hours, rest) = (seconds_part.get(from..)?, text.get(from..)?);
            if from > 0 && !rest.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
                return None;
            }
            let long = hours.len() == 9 && !hours.starts_with('0');
            if long && (hours < "838:59:59" || rest == "838:59:59") {
                clock(from, 3, 838)?;
            } else {
                clock(from, 2, 99)?;
            }
            ExprType::Time { fsp }
        }
        DataType::Timestamp(None, _) | DataType::Datetime(None) => {
            date()?;
            clock(11, 2, 23)?;
            if !is(10, b' ') {
                return None;
            }
            ExprType::DateTime { fsp }
        }
        _ => return None,
    };
    Some(Typed::constant(Value::from(text), Type::new(kind, false)))
}
