//! Numbers as mysqld prints them in the columns of a key.

use super::super::literal::{refuse, shortened};
use crate::failure::Failure;
use dbtrail_types::column::{Column, ColumnType};

/// A DOUBLE literal as the number that alone equals it in a column of this type. MySQL compares
/// both as DOUBLE, and beyond 15 digits several numbers are one DOUBLE.
pub(super) fn without_exponent(number: &str, column: &Column) -> Result<String, Failure> {
    let refused = || refuse(column, &format!("how MySQL compares it with {number} is not known well enough"));
    let value: f64 = number.parse().map_err(|_| refused())?;
    let few_digits = match column.ty {
        ColumnType::Int { .. } | ColumnType::Year => true,
        ColumnType::Decimal { precision, .. } => precision <= 15,
        _ => false,
    };
    if !few_digits || value.abs() > 9_007_199_254_740_991.0 {
        return Err(refused());
    }
    // The shortest digits that mean this DOUBLE.
    let text = value.to_string();
    Ok(if text == "-0" { "0".to_owned() } else { text })
}

pub(super) fn int(n: &str, column: &Column) -> Result<Vec<u8>, Failure> {
    let ColumnType::Int { size, unsigned, zerofill, display_width } = &column.ty else {
        return Err(refuse(column, "it is no integer"));
    };
    let value =
        integer(n).ok_or_else(|| refuse(column, &format!("'{}' is no whole number", shortened(n))))?;
    let (low, high) = size.range(*unsigned);
    if !(low..=high).contains(&value) {
        return Err(refuse(column, &format!("{value} is outside of its range, {low} to {high}")));
    }
    let width = if *zerofill { display_width.map_or(0, usize::from) } else { 0 };
    Ok(format!("{value:0>width$}").into_bytes())
}

/// A whole number, also written `042`, `+42` or `42.0`.
pub(super) fn integer(text: &str) -> Option<i128> {
    let (integer, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || fraction.bytes().any(|b| b != b'0') || integer.len() > 40 {
        return None;
    }
    integer.parse().ok()
}

pub(super) fn decimal(text: &str, scale: usize) -> Option<String> {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |r| ("-", r));
    let (integer, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (kept, cut) = fraction.split_at(scale.min(fraction.len()));
    if integer.is_empty() || !plain(integer) || !plain(fraction) || cut.bytes().any(|b| b != b'0') {
        return None;
    }
    let integer = integer.trim_start_matches('0');
    let integer = if integer.is_empty() { "0" } else { integer };
    let sign = if integer == "0" && kept.bytes().all(|b| b == b'0') { "" } else { sign };
    Some(if scale == 0 { format!("{sign}{integer}") } else { format!("{sign}{integer}.{kept:0<scale$}") })
}
