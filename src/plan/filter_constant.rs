//! Literals of conditions as constants of the column that they are compared with.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "pairs of a type and a literal are many; the ones that are not named are refused"
)]

use super::key_value::Condition;
use super::keys::Predicate;
use super::literal::{Literal, LiteralKind, literal, refuse};
use crate::failure::Failure;
use dbtrail_types::agent_api::Octets;
use dbtrail_types::column::{Column, ColumnType, IntSize};
use sqlparser::ast::{Expr, Value};

/// What a column is compared with.
pub(super) enum Constant {
    Null,
    /// The value, and whether it was written as a string.
    Value(Octets, bool),
}

impl Predicate<'_> {
    /// A literal as a value of a column.
    pub(super) fn constant(
        &self,
        written: &Expr,
        column: &Column,
        condition: Condition,
    ) -> Result<Constant, Failure> {
        if is_null(written) {
            return Ok(Constant::Null);
        }
        // As bytes that are as long as they are: the reader knows keys, and no key is a BLOB of any
        // length.
        let blob = matches!(column.ty, ColumnType::Blob { .. })
            .then(|| Column { ty: ColumnType::VarBinary { bytes: u32::MAX }, ..column.clone() });
        let column = blob.as_ref().unwrap_or(column);
        let is_number = matches!(
            column.ty,
            ColumnType::Int { .. } | ColumnType::Decimal { zerofill: false, .. } | ColumnType::Bit { .. }
        );
        let is_real = matches!(
            column.ty,
            ColumnType::Float { digits: None, .. } | ColumnType::Double { digits: None, .. }
        );
        if self.open.is_none() && (is_number || is_real) {
            match literal(written, column, self.reader.charsets) {
                // Exact numbers are compared exactly, whatever the column can hold.
                Ok(Literal::Number(number))
                    if (condition != Condition::Equality || matches!(column.ty, ColumnType::Bit { .. }))
                        && is_of_other_sign(column, &number) =>
                {
                    return Err(refuse(
                        column,
                        "MySQL takes 18446744073709551615 for -1 in some lists and ranges: write a number that the column can hold",
                    ));
                }
                Ok(Literal::Number(number)) => {
                    return Ok(Constant::Value(
                        Octets(number.trim_start_matches('+').as_bytes().to_vec()),
                        false,
                    ));
                }
                Ok(Literal::Double(number)) if is_real => {
                    return Ok(Constant::Value(Octets(number.into_bytes()), false));
                }
                Ok(Literal::Double(number)) if is_exact(column) => {
                    if let Some(number) = few_digits(&number) {
                        return Ok(Constant::Value(Octets(number.into_bytes()), false));
                    }
                }
                Ok(Literal::Text(text, _)) if is_real && is_plain(&text) => {
                    return Ok(Constant::Value(Octets(text.into_bytes()), true));
                }
                Ok(Literal::Text(text, _))
                    if condition != Condition::List
                        && is_exact(column)
                        && matches!(column.ty, ColumnType::Int { .. })
                        && is_plain(&text)
                        && few_digits(&text).is_some() =>
                {
                    return Ok(Constant::Value(Octets(text.into_bytes()), true));
                }
                Ok(Literal::Text(text, _)) if !compares_as_text(column, &text) => {
                    return Err(refuse(
                        column,
                        "MySQL compares it with a string as floating point: write a number",
                    ));
                }
                _ => {}
            }
        }
        if self.open.is_none() {
            let read = literal(written, column, self.reader.charsets);
            match (&column.ty, &read) {
                (ColumnType::Binary { .. }, Ok(Literal::Bytes(bytes))) => {
                    return Ok(Constant::Value(Octets(bytes.clone()), false));
                }
                (ColumnType::Binary { .. }, Ok(Literal::Text(text, charset))) => {
                    if let Some(bytes) = charset.bytes(text) {
                        return Ok(Constant::Value(Octets(bytes), true));
                    }
                }
                (_, Ok(literal)) => {
                    if let Some(value) = self.reader.finer(literal, column, condition) {
                        return Ok(Constant::Value(Octets(value), matches!(literal, Literal::Text(..))));
                    }
                }
                (ColumnType::Bit { .. }, Err(_)) => {
                    if let Some(number) = bits(written) {
                        return Ok(Constant::Value(Octets(number.to_string().into_bytes()), false));
                    }
                }
                _ => {}
            }
        }
        // The ends of a range are years as a single one is.
        let condition = match (&column.ty, condition) {
            (ColumnType::Year, Condition::Range) => Condition::Equality,
            (_, condition) => condition,
        };
        let value = self.value(written, column, condition)?;
        let text = value.as_ref().is_some_and(|v| matches!(v.kind, LiteralKind::Text(_)));
        Ok(Constant::Value(Octets(value.map(|v| v.bytes).unwrap_or_default()), text))
    }
}

/// Whether each value of a column, and each number of so few digits, is one DOUBLE of its own, so
/// that it is the same whether they are compared as DOUBLE or exactly.
fn is_exact(column: &Column) -> bool {
    match column.ty {
        ColumnType::Int { size, .. } => size != IntSize::Big,
        ColumnType::Decimal { precision, zerofill: false, .. } => precision <= 15,
        _ => false,
    }
}

/// A number in digits, if they are 15 at most; `None`: they are more.
fn few_digits(number: &str) -> Option<String> {
    let value: f64 = number.parse().ok()?;
    let text = value.to_string();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (value.is_finite() && digits <= 15).then_some(if text == "-0" { "0".to_owned() } else { text })
}

/// Digits, with a sign and a point at most: 15 of them, and no other form of a number.
fn is_plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (integer, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    number(integer) && number(fraction) && digits.len() <= 15
}

/// `b'101'`
fn bits(written: &Expr) -> Option<u64> {
    match written {
        Expr::Nested(inside) => bits(inside),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedByteStringLiteral(digits) if digits.len() <= 64 => {
                u64::from_str_radix(digits, 2).ok()
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether MySQL and MariaDB find the same, however they compare a number with a string: as numbers
/// of the column's type, or as DOUBLE.
fn compares_as_text(column: &Column, text: &str) -> bool {
    match column.ty {
        ColumnType::Int { .. } => text.parse::<i64>().is_ok_and(|n| n.unsigned_abs() < 1 << 53),
        ColumnType::Decimal { precision, .. } => precision <= 15,
        _ => false,
    }
}

/// Whether a number is one that the sign of the column's type does not allow, so that some servers
/// read its bits as another number.
fn is_of_other_sign(column: &Column, number: &str) -> bool {
    let unsigned = match column.ty {
        ColumnType::Int { unsigned, .. } => unsigned,
        ColumnType::Bit { .. } => true,
        _ => return false,
    };
    let integer = number.split('.').next().unwrap_or_default();
    if unsigned { number.starts_with('-') } else { !integer.is_empty() && integer.parse::<i64>().is_err() }
}

pub(super) fn is_null(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inside) => is_null(inside),
        Expr::Value(value) => matches!(value.value, Value::Null),
        _ => false,
    }
}
