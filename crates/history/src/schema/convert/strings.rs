//! Values that become text or bytes.

use super::super::converted::convertible;
use super::OldValue;
use dbtrail_types::charset;
use dbtrail_types::column::{Column, ColumnType};
use dbtrail_types::float_text::{double_text, float_text};

/// The text of a value that becomes text, by its old type.
fn as_text(source: &OldValue<'_>, from: &Column) -> Option<String> {
    Some(match source {
        OldValue::Exact(exact) => exact.written.clone(),
        OldValue::Float(v) => float_text(*v),
        OldValue::Double(v) => double_text(*v),
        OldValue::Text(text, _) => (*text).to_owned(),
        // A TIMESTAMP is written in the session's time zone.
        OldValue::Temporal(_) if matches!(from.ty, ColumnType::Timestamp { .. }) => return None,
        OldValue::Temporal(t) => t.written.clone(),
        OldValue::Bytes(_) => return None,
    })
}

pub(super) fn text(source: &OldValue<'_>, from: &Column, to: &Column) -> Option<Vec<u8>> {
    let set = to.charset()?;
    let mut text = match source {
        // The bytes are taken for text of the new character set.
        OldValue::Bytes(bytes) => charset::decode(set, bytes).ok()?.into_owned(),
        _ => as_text(source, from)?,
    };
    if !convertible(&text, set) {
        return None;
    }
    match &to.ty {
        ColumnType::Char { chars } => {
            text.truncate(text.trim_end_matches(' ').len());
            fits(&text, *chars).then(|| text.into_bytes())
        }
        ColumnType::VarChar { chars } => {
            if !fits(&text, *chars) {
                // Spaces at the end that have no room are cut off, whatever the mode.
                let room = usize::try_from(*chars).ok()?;
                let end = text.char_indices().nth(room).map_or(text.len(), |(i, _)| i);
                if text.get(end..)?.bytes().any(|b| b != b' ') {
                    return None;
                }
                text.truncate(end);
            }
            Some(text.into_bytes())
        }
        ColumnType::Text { size } => {
            let stored = charset::encode(set, text.as_bytes()).len();
            (stored <= usize::try_from(size.most_bytes()).ok()?).then(|| text.into_bytes())
        }
        _ => None,
    }
}

fn fits(text: &str, chars: u32) -> bool {
    text.chars().count() <= usize::try_from(chars).unwrap_or(usize::MAX)
}

pub(super) fn binary(source: &OldValue<'_>, from: &Column, to: &Column) -> Option<Vec<u8>> {
    let mut bytes = match source {
        OldValue::Bytes(bytes) => bytes.to_vec(),
        OldValue::Text(text, _) => match from.charset() {
            // The bytes as they are stored.
            Some(set) if convertible(text, set) && !matches!(set, "utf16" | "utf32") => {
                charset::encode(set, text.as_bytes()).into_owned()
            }
            _ => return None,
        },
        _ => as_text(source, from)?.into_bytes(),
    };
    let room = to.ty.is_bytes().then(|| to.ty.most_bytes()).flatten()?;
    let room = usize::try_from(room).ok()?;
    if bytes.len() > room {
        return None;
    }
    if matches!(to.ty, ColumnType::Binary { .. }) {
        bytes.resize(room, 0);
    }
    Some(bytes)
}
