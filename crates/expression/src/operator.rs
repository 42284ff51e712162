//! Arithmetic: MySQL's types (["Arithmetic
//! Operators"](https://dev.mysql.com/doc/refman/9.7/en/arithmetic-functions.html)), and its errors
//! where a type does not hold the result.

#![expect(clippy::wildcard_enum_match_arm, reason = "signs that a domain does not have do not get there")]

use crate::decimal::Decimal;
use crate::error::Error;
use crate::types::{ExprType, INT_WIDTH, Type};
use crate::value::{Double, Value};
use std::sync::Arc;

/// Arithmetic with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`
    Divided,
    /// `DIV`
    IntegerDivision,
    /// `%`
    Remainder,
    /// `&`
    And,
    /// `|`
    Or,
    /// `^`
    Xor,
    /// `<<`
    Left,
    /// `>>`
    Right,
}

/// Arithmetic in a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operator {
    /// The operation.
    pub sign: Sign,
    /// The type that both operands are converted to.
    pub domain: Domain,
}

/// The type that is computed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// BIGINT
    Signed,
    /// BIGINT UNSIGNED
    Unsigned,
    /// DECIMAL, with so many digits after the point.
    Decimal(u8),
    /// DOUBLE
    Real,
}

/// `div_precision_increment`
const MORE_DIGITS: u8 = 4;
/// Digits that DIV is declared with at most.
const MOST_QUOTIENT: u32 = 21;
/// Digits of a DECIMAL at most.
const MOST_DIGITS: u32 = 65;

/// The type of the result, and the one that is computed in; `None`: not known. `signed`:
/// `NO_UNSIGNED_SUBTRACTION`.
pub(crate) fn typed(sign: Sign, a: &Type, b: &Type, signed: bool) -> Option<(Operator, Type)> {
    if a.kind.is_special() || b.kind.is_special() {
        return None;
    }
    let nullable = a.nullable || b.nullable;
    let bits = matches!(sign, Sign::And | Sign::Or | Sign::Xor | Sign::Left | Sign::Right);
    if bits {
        // Of text they are taken byte by byte, or as numbers.
        if a.kind.is_text() || b.kind.is_text() {
            return None;
        }
        let kind = ExprType::Int { width: 21, unsigned: true };
        return Some((Operator { sign, domain: Domain::Unsigned }, Type::new(kind, nullable)));
    }
    if a.kind == ExprType::Null || b.kind == ExprType::Null {
        return None;
    }
    let divides = matches!(sign, Sign::Divided | Sign::IntegerDivision | Sign::Remainder);
    let nullable = nullable || divides;
    // mysqld declares a quotient of two numbers without a sign as DECIMAL UNSIGNED.
    if sign == Sign::Divided && a.kind.is_unsigned() && b.kind.is_unsigned() {
        return None;
    }
    let (Some((x, s)), Some((y, t))) = (a.kind.digits(), b.kind.digits()) else {
        // Text that is no number is found out when it is computed.
        if matches!(sign, Sign::IntegerDivision | Sign::Remainder) {
            return None;
        }
        let kind = ExprType::REAL;
        return Some((Operator { sign, domain: Domain::Real }, Type::new(kind, nullable)));
    };
    let integer = matches!((&a.kind, &b.kind), (ExprType::Int { .. }, ExprType::Int { .. }));
    let either = a.kind.is_unsigned() || b.kind.is_unsigned();
    let (x_integer, y_integer) = (x.saturating_sub(s.into()), y.saturating_sub(t.into()));
    let scale = s.max(t);
    let (digits, scale) = match sign {
        Sign::Plus | Sign::Minus => (x_integer.max(y_integer) + 1 + u32::from(scale), scale),
        Sign::Times => (x + y, s + t),
        Sign::Divided => (x + u32::from(t) + u32::from(MORE_DIGITS), s + MORE_DIGITS),
        Sign::IntegerDivision => ((x_integer + u32::from(t)).min(MOST_QUOTIENT), 0),
        _ => (x.max(y), scale),
    };
    if digits > MOST_DIGITS || scale > Decimal::MOST_SCALE {
        return None;
    }
    let exact = |unsigned: bool| {
        let domain = if unsigned { Domain::Unsigned } else { Domain::Signed };
        let kind = ExprType::int_of(digits, unsigned);
        // A BIGINT that would be taken for an INT UNSIGNED where it meets a signed number.
        let unambiguous = !unsigned || kind.chars() != INT_WIDTH;
        unambiguous.then(|| (Operator { sign, domain }, Type::new(kind, nullable)))
    };
    match sign {
        Sign::IntegerDivision => exact(either),
        Sign::Remainder if integer => {
            let unsigned = a.kind.is_unsigned();
            let domain = if unsigned { Domain::Unsigned } else { Domain::Signed };
            let kind = ExprType::Int { width: digits + 1, unsigned };
            Some((Operator { sign, domain }, Type::new(kind, nullable)))
        }
        Sign::Minus if integer && either && signed => {
            // The width is still that of a number without a sign.
            let kind = ExprType::Int { width: digits, unsigned: false };
            Some((Operator { sign, domain: Domain::Signed }, Type::new(kind, nullable)))
        }
        Sign::Minus | Sign::Plus | Sign::Times if integer => exact(either),
        // It would be declared as a DECIMAL UNSIGNED.
        Sign::Remainder if a.kind.is_unsigned() => None,
        _ => {
            let kind = ExprType::Decimal { precision: digits, scale };
            Some((Operator { sign, domain: Domain::Decimal(scale) }, Type::new(kind, nullable)))
        }
    }
}

fn too_many_digits() -> Error {
    Error::Unsupported("arithmetic with more digits than this server computes with".to_owned())
}

fn decimal(value: &Value) -> Result<Decimal, Error> {
    match value {
        Value::Int(n) => Ok(Decimal::from(*n)),
        Value::Decimal(n) => Ok(*n),
        Value::Null | Value::Double(_) | Value::Text(_) => Err(too_many_digits()),
    }
}

/// The result.
pub(crate) fn value(operator: Operator, a: &Value, b: &Value, shown: &Arc<str>) -> Result<Value, Error> {
    if a.is_null() || b.is_null() {
        return Ok(Value::Null);
    }
    let out_of_range = |kind| Error::OutOfRange(kind, shown.to_string());
    let sign = operator.sign;
    match operator.domain {
        Domain::Unsigned if matches!(sign, Sign::And | Sign::Or | Sign::Xor | Sign::Left | Sign::Right) => {
            bits(sign, a, b)
        }
        Domain::Signed | Domain::Unsigned => {
            let result = if let (Value::Int(a), Value::Int(b)) = (a, b) {
                match sign {
                    Sign::Plus => a.checked_add(*b),
                    Sign::Minus => a.checked_sub(*b),
                    Sign::Times => a.checked_mul(*b),
                    _ if *b == 0 => return Ok(Value::Null),
                    Sign::Remainder => a.checked_rem(*b),
                    _ => a.checked_div(*b),
                }
            } else {
                let (a, b) = (decimal(a)?, decimal(b)?);
                if b.unscaled == 0 {
                    return Ok(Value::Null);
                }
                Some(a.integer_quotient(b).ok_or_else(too_many_digits)?)
            };
            let unsigned = operator.domain == Domain::Unsigned;
            let fits =
                |n: &i128| if unsigned { u64::try_from(*n).is_ok() } else { i64::try_from(*n).is_ok() };
            let kind = if unsigned { "BIGINT UNSIGNED" } else { "BIGINT" };
            result.filter(fits).map(Value::Int).ok_or_else(|| out_of_range(kind))
        }
        Domain::Decimal(scale) => {
            let (a, b) = (decimal(a)?, decimal(b)?);
            if b.unscaled == 0 && matches!(sign, Sign::Divided | Sign::Remainder) {
                return Ok(Value::Null);
            }
            let result = match sign {
                Sign::Plus => a.plus(b),
                Sign::Minus => a.minus(b),
                Sign::Times => a.times(b),
                Sign::Divided => quotient(a, b, scale),
                _ => a.remainder(b),
            };
            result.and_then(|r| r.rescaled(scale)).map(Value::Decimal).ok_or_else(too_many_digits)
        }
        Domain::Real => {
            let (Some(x), Some(y)) = (a.real(), b.real()) else {
                return Err(Error::Unsupported(
                    "arithmetic with text that is no number: MySQL takes the digits at its beginning, with a warning"
                        .to_owned(),
                ));
            };
            let result = match sign {
                Sign::Plus => x + y,
                Sign::Minus => x - y,
                Sign::Times => x * y,
                _ if y == 0.0 => return Ok(Value::Null),
                _ => x / y,
            };
            if result.is_finite() { Ok(Value::Double(Double(result))) } else { Err(out_of_range("DOUBLE")) }
        }
    }
}

/// A quotient as mysqld's `decimal_div` makes it: cut to whole groups of nine digits, and rounded
/// then.
fn quotient(a: Decimal, b: Decimal, scale: u8) -> Option<Decimal> {
    let groups = |digits: u32| digits.div_ceil(9) * 9;
    let (s, t) = (u32::from(a.scale), u32::from(b.scale));
    let spare = groups(s) - s + groups(t) - t;
    let digits = groups(groups(s) + groups(t) + u32::from(MORE_DIGITS).saturating_sub(spare));
    let cut = a
        .unscaled
        .checked_mul(10_i128.checked_pow(digits + t - s.min(digits + t))?)?
        .checked_div(b.unscaled)?;
    if digits <= u32::from(scale) {
        return Decimal { unscaled: cut, scale: u8::try_from(digits).ok()? }.rescaled(scale);
    }
    let one = 10_i128.checked_pow(digits - u32::from(scale))?;
    let away = if cut < 0 { -(one / 2) } else { one / 2 };
    Some(Decimal { unscaled: (cut + away) / one, scale })
}

/// The 64 bits of a number, rounded to a whole one.
fn word(value: &Value) -> Result<u64, Error> {
    let n = match value {
        Value::Int(n) => Some(*n),
        Value::Decimal(n) => n.rounded(),
        Value::Null | Value::Double(_) | Value::Text(_) => None,
    };
    let fits = n.filter(|n| u64::try_from(*n).is_ok() || i64::try_from(*n).is_ok());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a negative number's bits")]
    fits.map(|n| n as u64).ok_or_else(|| {
        Error::Unsupported("bit operations of anything but whole numbers of 64 bits".to_owned())
    })
}

fn bits(sign: Sign, a: &Value, b: &Value) -> Result<Value, Error> {
    let (a, b) = (word(a)?, word(b)?);
    let shift = u32::try_from(b).ok();
    let result = match sign {
        Sign::And => a & b,
        Sign::Or => a | b,
        Sign::Xor => a ^ b,
        Sign::Left => shift.and_then(|s| a.checked_shl(s)).unwrap_or(0),
        _ => shift.and_then(|s| a.checked_shr(s)).unwrap_or(0),
    };
    Ok(Value::Int(result.into()))
}

/// `~value`
pub(crate) fn complement(value: &Value) -> Result<Value, Error> {
    if value.is_null() { Ok(Value::Null) } else { word(value).map(|w| Value::Int((!w).into())) }
}

/// `-value`
pub(crate) fn negated(value: &Value, shown: &Arc<str>) -> Result<Value, Error> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::Int(n) if i64::try_from(-n).is_ok() => Ok(Value::Int(-n)),
        Value::Int(_) => Err(Error::OutOfRange("BIGINT", shown.to_string())),
        Value::Decimal(n) => Ok(Value::Decimal(Decimal { unscaled: -n.unscaled, ..*n })),
        Value::Double(_) | Value::Text(_) => match value.real() {
            Some(n) => Ok(Value::Double(Double(-n))),
            None => Err(Error::Unsupported("the negative of text that is no number".to_owned())),
        },
    }
}

/// The least or the greatest of whole numbers.
pub(crate) fn extreme(least: bool, values: &[Value]) -> Result<Value, Error> {
    let numbers = values.iter().map(|v| if let Value::Int(n) = v { Some(*n) } else { None });
    let numbers: Option<Vec<i128>> = numbers.collect();
    let found = numbers.and_then(|all| if least { all.into_iter().min() } else { all.into_iter().max() });
    let refused = || Error::Unsupported("LEAST or GREATEST of other than whole numbers".to_owned());
    found.map(Value::Int).ok_or_else(refused)
}
