//! Rows of a diff as JSON, in the form in which mysqld casts and prints them.

use super::local_time::put_shown_in;
use crate::failure::Failure;
use base64::Engine;
use dbtrail_types::agent_api::frames::{CellRef, RowRef};
use dbtrail_types::column::{Column, ColumnType, Family};
use dbtrail_types::float_text;
use dbtrail_types::json_text::put_quoted;
use dbtrail_types::zone::Zone;

/// Columns with their names as JSON has them, in front of their values: each row has them again.
pub(super) fn named<'a>(columns: impl IntoIterator<Item = &'a Column>) -> Vec<(Vec<u8>, &'a Column)> {
    let named = |(i, column): (usize, &'a Column)| {
        let mut name = if i > 0 { b", ".to_vec() } else { Vec::new() };
        put_quoted(&mut name, &column.name);
        name.extend_from_slice(b": ");
        (name, column)
    };
    columns.into_iter().enumerate().map(named).collect()
}

/// Appends cells as a JSON object, keys in the order of the columns.
pub(super) fn put_object<'a>(
    out: &mut Vec<u8>,
    cells: impl Iterator<Item = CellRef<'a>>,
    columns: &[(Vec<u8>, &Column)],
    zone: &Zone,
) -> Result<(), Failure> {
    out.push(b'{');
    for (cell, (name, column)) in cells.zip(columns) {
        out.extend_from_slice(name);
        match cell {
            CellRef::Null => out.extend_from_slice(b"null"),
            CellRef::Value(bytes) => value(bytes, column, zone, out)?,
            CellRef::Unknown(why) => unknown(why, out),
        }
    }
    out.push(b'}');
    Ok(())
}

/// What is instead of what is not known: an object that no value of a column is taken for.
fn unknown(what: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"dbtrail_unknown\": ");
    put_quoted(out, what);
    out.push(b'}');
}

/// Appends the names of the columns whose cells differ, as a JSON array. Of a column whose cells
/// are not both known the name is in an object.
pub(super) fn put_changed(out: &mut Vec<u8>, before: RowRef<'_>, after: RowRef<'_>, columns: &[Column]) {
    out.push(b'[');
    let start = out.len();
    for ((was, is), column) in before.cells().zip(after.cells()).zip(columns) {
        let is_unknown = [was, is].iter().any(|cell| matches!(cell, CellRef::Unknown(_)));
        if was == is && !is_unknown {
            continue;
        }
        if out.len() > start {
            out.extend_from_slice(b", ");
        }
        if is_unknown {
            unknown(&column.name, out);
        } else {
            put_quoted(out, &column.name);
        }
    }
    out.push(b']');
}

fn value(bytes: &[u8], column: &Column, zone: &Zone, out: &mut Vec<u8>) -> Result<(), Failure> {
    let text = || {
        std::str::from_utf8(bytes).map_err(|_| {
            Failure::AgentNonsense(format!(
                "column {} ({}) holds bytes that are no text",
                column.name, column.ty
            ))
        })
    };
    let ty = &column.ty;
    let zerofill =
        matches!(ty, ColumnType::Int { zerofill: true, .. } | ColumnType::Decimal { zerofill: true, .. });
    match ty.family() {
        // Leading zeros are part of what the row shows, and no JSON number can have them.
        Family::Integer | Family::Decimal if zerofill => put_quoted(out, text()?),
        Family::FloatingPoint if matches!(ty, ColumnType::Float { digits: None, .. }) => {
            number(&String::from_utf8_lossy(&float_text::shown_float(bytes)), column, out)?;
        }
        Family::Integer | Family::Decimal | Family::FloatingPoint | Family::Year => {
            number(text()?, column, out)?;
        }
        Family::Json => {
            let json = text()?;
            if serde_json::from_str::<serde::de::IgnoredAny>(json).is_err() {
                return Err(Failure::AgentNonsense(format!(
                    "column {} holds text that is no JSON",
                    column.name
                )));
            }
            if json.starts_with(['{', '[']) {
                out.extend_from_slice(json.as_bytes());
            } else {
                // A scalar as its own text: JSON's null must not read as SQL's NULL.
                put_quoted(out, json);
            }
        }
        Family::Bit => binary(16, bytes, out),
        Family::Bytes if matches!(ty, ColumnType::Binary { .. }) => binary(254, bytes, out),
        Family::Bytes if !ty.is_lob() => binary(15, bytes, out),
        Family::Bytes | Family::Geometry | Family::Vector => binary(252, bytes, out),
        Family::Timestamp => {
            let mut local = Vec::new();
            put_shown_in(&mut local, zone, bytes, ty)?;
            put_quoted(out, &String::from_utf8_lossy(&local));
        }
        // Times keep the decimals that their column has: `row_after` reads like the row.
        Family::Date
        | Family::DateTime
        | Family::Time
        | Family::Text
        | Family::Enum
        | Family::Set
        | Family::Address => put_quoted(out, text()?),
    }
    Ok(())
}

/// JSON numbers have no leading zeros (YEAR 0000).
fn number(text: &str, column: &Column, out: &mut Vec<u8>) -> Result<(), Failure> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |d| ("-", d));
    let mut digits = digits.trim_start_matches('0');
    out.extend_from_slice(sign.as_bytes());
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        digits = &text[text.len() - digits.len()..];
        out.push(b'0');
    }
    if digits.bytes().any(|b| !(b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'-' | b'+'))) {
        return Err(Failure::AgentNonsense(format!("column {} ({}) holds '{text}'", column.name, column.ty)));
    }
    out.extend_from_slice(digits.as_bytes());
    Ok(())
}

fn binary(kind: u8, bytes: &[u8], out: &mut Vec<u8>) {
    let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
    out.extend_from_slice(format!("\"base64:type{kind}:{encoded}\"").as_bytes());
}
