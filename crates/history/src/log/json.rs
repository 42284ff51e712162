//! MySQL's binary JSON to the text that mysqld prints (MySQL source documentation,
//! "json_binary.h").

use super::bytes::Bytes;
use super::decimal::Digits;
use super::packed_time::packed64;
use super::{LogFault, Raw, type_code as code};
use crate::value::temporal_text;
use base64::Engine;
use dbtrail_types::float_text::double_text;
use dbtrail_types::json_text::push_quoted;
use std::fmt::Write;

/// MySQL refuses deeper documents.
const DEEPEST: usize = 101;

/// The text of a whole document. No bytes at all are SQL's NULL inside a column that may not be
/// NULL: JSON null.
pub(super) fn text(document: &[u8]) -> Result<String, LogFault> {
    let Some((kind, data)) = document.split_first() else { return Ok("null".to_owned()) };
    let mut out = String::with_capacity(document.len());
    value(*kind, data, 0, &mut out)?;
    Ok(out)
}

fn value(kind: u8, data: &[u8], depth: usize, out: &mut String) -> Result<(), LogFault> {
    if depth > DEEPEST {
        return Err(LogFault::JsonTooDeep);
    }
    let mut input = Bytes(data);
    match kind {
        0 | 1 => container(data, kind == 1, true, depth, out)?,
        2 | 3 => container(data, kind == 3, false, depth, out)?,
        4 => literal(input.u8()?, out)?,
        5 => push(out, input.u16()?.cast_signed()),
        6 => push(out, input.u16()?),
        7 => push(out, input.u32()?.cast_signed()),
        8 => push(out, input.u32()?),
        9 => push(out, input.u64()?.cast_signed()),
        10 => push(out, input.u64()?),
        11 => {
            let text = double_text(f64::from_bits(input.u64()?));
            out.push_str(&text);
            // A number that is a DOUBLE stays visibly one.
            if !text.contains(['.', 'e']) {
                out.push_str(".0");
            }
        }
        12 => {
            let length = variable_length(&mut input)?;
            quoted(input.take(length)?, out)?;
        }
        15 => opaque(&mut input, out)?,
        other => return Err(LogFault::JsonKind(other)),
    }
    Ok(())
}

fn push(out: &mut String, number: impl std::fmt::Display) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{number}");
}

fn literal(which: u8, out: &mut String) -> Result<(), LogFault> {
    out.push_str(match which {
        0 => "null",
        1 => "true",
        2 => "false",
        other => return Err(LogFault::JsonLiteral(other)),
    });
    Ok(())
}

/// Seven bits a byte, lowest first, at most five bytes.
fn variable_length(input: &mut Bytes<'_>) -> Result<usize, LogFault> {
    let mut length = 0_usize;
    for shift in (0..35).step_by(7) {
        let b = input.u8()?;
        length |= usize::from(b & 0x7f) << shift;
        if b & 0x80 == 0 {
            return Ok(length);
        }
    }
    Err(LogFault::JsonLength)
}

fn container(data: &[u8], large: bool, object: bool, depth: usize, out: &mut String) -> Result<(), LogFault> {
    let width = if large { 4 } else { 2 };
    let mut head = Bytes(data);
    let count = head.length(width)?;
    let _size = head.length(width)?;
    let keys = head.take(if object { count.saturating_mul(width + 2) } else { 0 })?;
    let entries = head.take(count.saturating_mul(1 + width))?;
    let at = |offset: usize| data.get(offset..).ok_or(LogFault::JsonOffset);
    out.push(if object { '{' } else { '[' });
    let mut keys = Bytes(keys);
    let mut entries = Bytes(entries);
    for i in 0..count {
        if i > 0 {
            out.push_str(", ");
        }
        if object {
            let offset = keys.length(width)?;
            let length = keys.length(2)?;
            quoted(Bytes(at(offset)?).take(length)?, out)?;
            out.push_str(": ");
        }
        let kind = entries.u8()?;
        let inline = entries.take(width)?;
        match kind {
            4..=6 => value(kind, inline, depth + 1, out)?,
            7 | 8 if large => value(kind, inline, depth + 1, out)?,
            other => value(other, at(Bytes(inline).length(width)?)?, depth + 1, out)?,
        }
    }
    out.push(if object { '}' } else { ']' });
    Ok(())
}

/// Text in double quotes, escaped as mysqld escapes it.
fn quoted(bytes: &[u8], out: &mut String) -> Result<(), LogFault> {
    let text = std::str::from_utf8(bytes).map_err(|_| LogFault::JsonNotUtf8)?;
    push_quoted(out, text);
    Ok(())
}

/// A value of an SQL type that JSON does not have.
fn opaque(input: &mut Bytes<'_>, out: &mut String) -> Result<(), LogFault> {
    let kind = input.u8()?;
    let length = variable_length(input)?;
    let data = input.take(length)?;
    match (kind, data) {
        (code::NEWDECIMAL, [precision, scale, digits @ ..]) => {
            let mut text = Vec::new();
            Digits::take_json(&mut Bytes(digits), *precision, *scale)?.write(&mut text)?;
            out.push_str(&String::from_utf8_lossy(&text));
        }
        (code::DATE | code::NEWDATE, [_, _, _, _, _, _, _, _]) => {
            if let Raw::DateTime(year, month, day, ..) = packed64(data, false) {
                let _ = write!(out, "\"{year:04}-{month:02}-{day:02}\"");
            }
        }
        (code::TIME | code::DATETIME | code::TIMESTAMP, [_, _, _, _, _, _, _, _]) => {
            let raw = packed64(data, kind == code::TIME);
            let text = temporal_text(&raw, 6).ok_or(LogFault::JsonTime)?;
            let _ = write!(out, "\"{text}\"");
        }
        _ => {
            let encoded = base64::engine::general_purpose::STANDARD.encode(data);
            let _ = write!(out, "\"base64:type{kind}:{encoded}\"");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Products of DECIMALs as MySQL 9.7 wrote them into a JSON column, and as it shows them.
    #[test]
    fn decimals_have_more_digits_than_a_column_can_have() {
        for (bytes, shown) in [
            (
                "0ff6265100\
                 800000093b9ac99b3b9ac9ff3b9ac9ff3b9ac9ff3b9ac9ff3b9ac9ff3b9ac9ff35a4e901",
                "9999999899999999999999999999999999999999999999999999999999999999900000001",
            ),
            (
                "0202002f000f0a000f0f00f603010080f61e3f1b85f5e0ff3b9ac9ff3b9ac9fe3b9ac9ff35a4e9000000000000000001",
                "[0, 99999999999999999999999998999999999.900000000000000000000000001]",
            ),
        ] {
            let bytes = hex::decode(bytes).unwrap();
            assert_eq!(text(&bytes), Ok(shown.to_owned()));
        }
    }
}
