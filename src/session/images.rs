//! Rows of a diff as JSON, in the form in which mysqld casts and prints them.

use super::local_time::shown_in;
use crate::failure::Failure;
use base64::Engine;
use dbtrail_types::agent_api::{Octets, RowCell, RowLine};
use dbtrail_types::column::{Column, ColumnType, Family, TableDefinition};
use dbtrail_types::float_text;
use dbtrail_types::json_text::push_quoted;
use dbtrail_types::zone::Zone;
use std::fmt::Write;

/// A row image as a JSON object, keys in column order.
pub(super) fn object(image: &RowLine, definition: &TableDefinition, zone: &Zone) -> Result<Vec<u8>, Failure> {
    let mut out = String::from("{");
    for (i, (cell, column)) in image.iter().zip(&definition.columns).enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        push_quoted(&mut out, &column.name);
        out.push_str(": ");
        match cell {
            RowCell::Null => out.push_str("null"),
            RowCell::Value(Octets(bytes)) => value(bytes, column, zone, &mut out)?,
            RowCell::Unknown(why) => unknown(why, &mut out),
        }
    }
    out.push('}');
    Ok(out.into_bytes())
}

/// What is instead of what is not known: an object that no value of a column is taken for.
fn unknown(what: &str, out: &mut String) {
    out.push_str("{\"dbtrail_unknown\": ");
    push_quoted(out, what);
    out.push('}');
}

/// The names of the columns whose cells differ, as a JSON array. Of a column whose cells are not
/// both known the name is in an object.
pub(super) fn changed(before: &RowLine, after: &RowLine, definition: &TableDefinition) -> Vec<u8> {
    let mut out = String::from("[");
    for (i, column) in definition.columns.iter().enumerate() {
        let is_unknown = |cell: Option<&RowCell>| matches!(cell, Some(RowCell::Unknown(_)));
        let (was, is) = (before.get(i), after.get(i));
        let is_unknown = is_unknown(was) || is_unknown(is);
        if was == is && !is_unknown {
            continue;
        }
        if out.len() > 1 {
            out.push_str(", ");
        }
        if is_unknown {
            unknown(&column.name, &mut out);
        } else {
            push_quoted(&mut out, &column.name);
        }
    }
    out.push(']');
    out.into_bytes()
}

fn value(bytes: &[u8], column: &Column, zone: &Zone, out: &mut String) -> Result<(), Failure> {
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
        Family::Integer | Family::Decimal if zerofill => push_quoted(out, text()?),
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
                out.push_str(json);
            } else {
                // A scalar as its own text: JSON's null must not read as SQL's NULL.
                push_quoted(out, json);
            }
        }
        Family::Bit => binary(16, bytes, out),
        Family::Bytes if matches!(ty, ColumnType::Binary { .. }) => binary(254, bytes, out),
        Family::Bytes if !ty.is_lob() => binary(15, bytes, out),
        Family::Bytes | Family::Geometry | Family::Vector => binary(252, bytes, out),
        Family::Timestamp => {
            let local = shown_in(zone, bytes, &column.ty)?;
            push_quoted(out, &String::from_utf8_lossy(&local));
        }
        // Times keep the decimals that their column has: `row_after` reads like the row.
        Family::Date
        | Family::DateTime
        | Family::Time
        | Family::Text
        | Family::Enum
        | Family::Set
        | Family::Address => push_quoted(out, text()?),
    }
    Ok(())
}

/// JSON numbers have no leading zeros (YEAR 0000).
fn number(text: &str, column: &Column, out: &mut String) -> Result<(), Failure> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |d| ("-", d));
    let mut digits = digits.trim_start_matches('0');
    if digits.starts_with(|c: char| c.is_ascii_digit()) {
        out.push_str(sign);
    } else {
        digits = &text[text.len() - digits.len()..];
        out.push_str(sign);
        out.push('0');
    }
    if digits.bytes().any(|b| !(b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'-' | b'+'))) {
        return Err(Failure::AgentNonsense(format!("column {} ({}) holds '{text}'", column.name, column.ty)));
    }
    out.push_str(digits);
    Ok(())
}

fn binary(kind: u8, bytes: &[u8], out: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(out, "\"base64:type{kind}:");
    base64::engine::general_purpose::STANDARD.encode_string(bytes, out);
    out.push('"');
}
