//! The type of a column as it is written.

#![expect(clippy::wildcard_enum_match_arm, reason = "the types that are not named do not take the attribute")]

use super::Attributes;
use crate::schema::implicit_default::{ImplicitDefault, longest_character};
use crate::schema::table::FullColumn;
use crate::schema::token::{Tokens, Unread, show};
use crate::schema::unread::{Ambiguity, Malformed};
use dbtrail_types::column::{ColumnType, LobSize};

/// How MariaDB shows a type, where MySQL shows it otherwise (most without the display width).
/// `written`: the words of the type, and what follows them.
pub(super) fn shown_type(ty: &ColumnType, mut written: Tokens) -> Option<String> {
    let ColumnType::Int { size, unsigned, zerofill: false, display_width: None } = ty else {
        return match ty {
            ColumnType::Year => Some("year(4)".to_owned()),
            ColumnType::Geometry { kind } if kind == "geomcollection" => {
                Some("geometrycollection".to_owned())
            }
            _ => None,
        };
    };
    let usual = u32::from(size.display_width(*unsigned));
    written.next();
    let said = if written.is_at('(') { written.group().ok()?.number() } else { None };
    let width = said.and_then(|width| width.parse().ok()).filter(|width: &u32| *width > 0).unwrap_or(usual);
    let full = ty.to_string();
    let (name, rest) = full.split_at(full.find(' ').unwrap_or(full.len()));
    Some(format!("{name}({width}){rest}"))
}

/// The words of a type, up to the first that is none of its own.
pub(super) fn type_of(
    tokens: &mut Tokens,
    state: &mut Attributes,
    silent: ImplicitDefault,
) -> Result<ColumnType, Unread> {
    let mut text = tokens.name()?.to_lowercase();
    if text == "real" && silent.real_as_float {
        "float".clone_into(&mut text);
    }
    if matches!(text.as_str(), "nchar" | "nvarchar" | "national") {
        state.charset = Some("utf8mb3".to_owned());
    }
    match text.as_str() {
        "double" if tokens.words(&["PRECISION"]) => text.push_str(" precision"),
        "national" => text = tokens.name()?.to_lowercase(),
        "nchar" if tokens.one_of(&["VARCHAR", "VARCHARACTER"]).is_some() => "varchar".clone_into(&mut text),
        "nchar" => "char".clone_into(&mut text),
        "nvarchar" => "varchar".clone_into(&mut text),
        "long" => match tokens.one_of(&["VARCHAR", "VARCHARACTER", "VARBINARY", "CHAR", "CHARACTER"]) {
            Some("VARBINARY") => "mediumblob".clone_into(&mut text),
            Some("CHAR" | "CHARACTER") if !tokens.words(&["VARYING"]) => {
                return Err(Unread::NotUnderstood(show(tokens.peek())));
            }
            _ => {}
        },
        _ => {}
    }
    match text.as_str() {
        "char" | "character" if tokens.words(&["VARYING"]) => "varchar".clone_into(&mut text),
        "varcharacter" => "varchar".clone_into(&mut text),
        _ => {}
    }
    if matches!(text.as_str(), "text" | "blob") && tokens.is_at('(') {
        let mut group = tokens.group()?;
        let length = group.number().and_then(|n| n.parse().ok());
        state.lob_length =
            Some(length.filter(|_| group.is_at_end()).ok_or(Unread::Malformed(Malformed::BlobLength))?);
    } else if tokens.is_at('(') {
        text.push_str(&arguments(tokens.group()?)?);
    }
    while let Some(word) = tokens.one_of(&["UNSIGNED", "SIGNED", "ZEROFILL"]) {
        text.push(' ');
        text.push_str(&word.to_lowercase());
    }
    let ty: ColumnType = text.parse()?;
    Ok(ty)
}

pub(super) fn arguments(mut group: Tokens) -> Result<String, Unread> {
    let mut parts = Vec::new();
    loop {
        if let Some(label) = group.text() {
            parts.push(format!("'{}'", label.replace('\'', "''")));
        } else if let Some(number) = group.number() {
            parts.push(number);
        } else {
            return Err(Unread::Unexpected { expected: "a number or a label", found: show(group.peek()) });
        }
        if !group.symbol(',') {
            return if group.is_at_end() {
                Ok(format!("({})", parts.join(",")))
            } else {
                Err(Unread::Malformed(Malformed::Type))
            };
        }
    }
}

/// TEXT(n) and BLOB(n): the smallest type with room for n characters or bytes.
pub(super) fn sized(full: &mut FullColumn, length: u64) -> Result<(), Unread> {
    let room = match &full.column.ty {
        ColumnType::Text { .. } => {
            let width = full.column.charset().filter(|_| full.collation_known).and_then(longest_character);
            length.saturating_mul(u64::from(width.ok_or(Unread::Ambiguous(Ambiguity::TextLength))?))
        }
        _ => length,
    };
    let size = LobSize::holding(room);
    match &mut full.column.ty {
        ColumnType::Text { size: s } | ColumnType::Blob { size: s } => *s = size,
        _ => return Err(Unread::Malformed(Malformed::Length)),
    }
    Ok(())
}

/// Text types with the character set `binary` are the binary types.
pub(super) fn binary(full: &mut FullColumn) -> Result<(), Unread> {
    full.column.ty = match full.column.ty {
        ColumnType::Char { chars } => ColumnType::Binary { bytes: chars },
        ColumnType::VarChar { chars } => ColumnType::VarBinary { bytes: chars },
        ColumnType::Text { size } => ColumnType::Blob { size },
        _ => return Err(Unread::Ambiguous(Ambiguity::BinaryEnum)),
    };
    full.column.collation = None;
    Ok(())
}
