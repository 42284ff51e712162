//! Numbers that are written as the default of a column.

#![expect(clippy::wildcard_enum_match_arm, reason = "the types that are not named take the number as a text")]

use crate::number::is_zero;
use dbtrail_types::column::{Column, ColumnType};

/// How a number is written that becomes the cell of a column; `None`: not known.
pub(super) fn number_for(column: &Column, number: &str) -> Option<String> {
    match column.ty {
        ColumnType::Char { .. }
        | ColumnType::VarChar { .. }
        | ColumnType::Text { .. }
        | ColumnType::Binary { .. }
        | ColumnType::VarBinary { .. }
        | ColumnType::Blob { .. } => shown(number),
        // The number of a label.
        ColumnType::Enum { .. } | ColumnType::Set { .. } => None,
        // Servers differ in the sign of zero.
        ColumnType::Float { .. } | ColumnType::Double { .. }
            if number.starts_with('-') && number.parse() == Ok(0.0_f64) =>
        {
            None
        }
        _ => Some(number.to_owned()),
    }
}

/// A decimal number as written, without zeros in front.
struct Parts<'a> {
    sign: &'a str,
    integer: &'a str,
    fraction: &'a str,
    is_zero: bool,
}

/// `None`: it is none.
fn parts(number: &str) -> Option<Parts<'_>> {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |d| ("-", d));
    let (integer, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if !plain(integer) || !plain(fraction) || digits.is_empty() {
        return None;
    }
    let integer = integer.trim_start_matches('0');
    let integer = if integer.is_empty() { "0" } else { integer };
    Some(Parts { sign, integer, fraction, is_zero: is_zero(digits.as_bytes()) })
}

/// The text that a number becomes: `7` of `007`, `0.5` of `.5`, `5` of `5.`; `None`: not known.
fn shown(number: &str) -> Option<String> {
    let Parts { sign, integer, fraction, is_zero } = parts(number)?;
    if fraction.len() > 30 || number.len() > 65 {
        return None;
    }
    match (is_zero, fraction) {
        (true, "") => Some("0".to_owned()),
        (true, _) if sign == "-" => None,
        (_, "") => Some(format!("{sign}{integer}")),
        _ => Some(format!("{sign}{integer}.{fraction}")),
    }
}

/// A decimal number with exactly `scale` decimals; `None` when it has more, or is none.
pub(super) fn decimal(text: &str, scale: usize) -> Option<String> {
    let Parts { sign, integer, fraction, is_zero } = parts(text)?;
    if fraction.len() > scale {
        return None;
    }
    let sign = if is_zero { "" } else { sign };
    Some(if scale == 0 { format!("{sign}{integer}") } else { format!("{sign}{integer}.{fraction:0<scale$}") })
}
