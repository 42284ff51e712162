//! CAST, and what a result that may be of several types makes of a value.

use crate::budget::Budget;
use crate::error::Error;
use crate::value::{Double, Value};

/// A conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cast {
    /// To text, as mysqld writes the value.
    Text,
    /// To text of so many characters at most: mysqld cuts with a warning.
    Chars(u32),
    /// `SIGNED`
    Signed,
    /// `UNSIGNED`
    Unsigned,
    /// To a DECIMAL with so many digits after the point.
    Decimal(u8),
    /// To a DOUBLE.
    Real,
    /// The bits, turned over.
    Complement,
}

fn cut() -> Error {
    Error::Unsupported("a CAST that cuts, or that MySQL warns of".to_owned())
}

/// The value converted.
pub(crate) fn value(cast: Cast, value: &Value, budget: &mut Budget) -> Result<Value, Error> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    match cast {
        Cast::Text | Cast::Chars(_) => {
            let text = value.text().unwrap_or_default();
            budget.steps(text.len())?;
            if let Cast::Chars(most) = cast
                && text.chars().count() > usize::try_from(most).unwrap_or(usize::MAX)
            {
                return Err(cut());
            }
            Ok(Value::Text(text))
        }
        Cast::Signed | Cast::Unsigned => {
            integer(value, cast == Cast::Unsigned).map(Value::Int).ok_or_else(cut)
        }
        Cast::Decimal(scale) => {
            let n = match value {
                Value::Int(n) => Some((*n).into()),
                Value::Decimal(n) => Some(*n),
                Value::Null | Value::Double(_) | Value::Text(_) => None,
            };
            n.and_then(|n: crate::Decimal| n.rescaled(scale.max(n.scale))).map(Value::Decimal).ok_or_else(cut)
        }
        Cast::Real => value.real().map(|n| Value::Double(Double(n))).ok_or_else(cut),
        Cast::Complement => crate::operator::complement(value),
    }
}

/// A whole number of 64 bits; one that only the other sign holds keeps its bits.
fn integer(value: &Value, unsigned: bool) -> Option<i128> {
    let wrapped = |n: i128| {
        let (least, most) = (i128::from(i64::MIN), i128::from(u64::MAX));
        if n < least || n > most {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the bits of the other sign"
        )]
        Some(if unsigned { i128::from(n as u64) } else { i128::from(n as i64) })
    };
    match value {
        Value::Null => None,
        Value::Int(n) => wrapped(*n),
        // Of a number that does not fit, mysqld takes the largest, and warns.
        Value::Decimal(n) => n.rounded().filter(|n| i64::try_from(*n).is_ok()).and_then(wrapped),
        Value::Double(n) => {
            // mysqld rounds some, and cuts those of user variables.
            let small = n.0.fract() == 0.0 && n.0.abs() < 9e15 && !(unsigned && n.0 < 0.0);
            #[expect(clippy::cast_possible_truncation, reason = "it is small, and whole")]
            small.then_some(n.0 as i128)
        }
        Value::Text(text) => {
            let n: i128 = text.parse().ok().filter(|_| !text.starts_with('+'))?;
            let fits = if unsigned { u64::try_from(n).is_ok() } else { i64::try_from(n).is_ok() };
            fits.then_some(n)
        }
    }
}
