//! Literals of conditions as constants of the column that they are compared with.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "pairs of a type and a literal are many; the ones that are not named are refused"
)]

use super::key_value::Condition;
use super::keys::Predicate;
use super::literal::{Kind, Literal, literal, refuse};
use crate::failure::Failure;
use dbtrail_types::agent_api::Octets;
use dbtrail_types::column::{Column, ColumnType};
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
                    if condition != Condition::Equality && is_of_other_sign(column, &number) =>
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
                Ok(Literal::Text(text, _)) if !is_certain_as_text(column, &text) => {
                    return Err(refuse(
                        column,
                        "MySQL compares it with a string as floating point: write a number",
                    ));
                }
                _ => {}
            }
        }
        let value = self.value(written, column, condition)?;
        let text = value.as_ref().is_some_and(|v| matches!(v.kind, Kind::Text(_)));
        Ok(Constant::Value(Octets(value.map(|v| v.bytes).unwrap_or_default()), text))
    }
}

/// Whether MySQL and MariaDB find the same, however they compare a number with a string: as numbers
/// of the column's type, or as DOUBLE.
fn is_certain_as_text(column: &Column, text: &str) -> bool {
    match column.ty {
        ColumnType::Int { .. } => text.parse::<i64>().is_ok_and(|n| n.unsigned_abs() < 1 << 53),
        ColumnType::Decimal { precision, .. } => precision <= 15,
        _ => false,
    }
}

/// Whether a number is one that the sign of the column's type does not allow, so that some servers
/// read its bits as another number.
fn is_of_other_sign(column: &Column, number: &str) -> bool {
    let ColumnType::Int { unsigned, .. } = column.ty else { return false };
    let whole = number.split('.').next().unwrap_or_default();
    if unsigned { number.starts_with('-') } else { !whole.is_empty() && whole.parse::<i64>().is_err() }
}

pub(super) fn is_null(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inside) => is_null(inside),
        Expr::Value(value) => matches!(value.value, Value::Null),
        _ => false,
    }
}
