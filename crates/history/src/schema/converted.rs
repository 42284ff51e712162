//! CONVERT TO CHARACTER SET: what it makes of the types of columns, as MySQL 9.7 and MariaDB 11.8
//! were seen to.

use super::implicit_default::{extends_ascii, longest_character};
use super::token::Unread;
use dbtrail_types::charset;
use dbtrail_types::column::{Column, ColumnType, LobSize};

/// Bytes of the longest character of a collation's character set.
fn width(column: &str, collation: Option<&str>) -> Result<u64, Unread> {
    let set = collation.and_then(|c| c.split('_').next());
    let width = set.and_then(longest_character).map(u64::from);
    width.ok_or_else(|| Unread::UnknownCharset(column.to_owned()))
}

fn bytes(size: LobSize) -> u64 {
    u64::from(size.most_bytes())
}

/// A TEXT that keeps its definition keeps room for as many characters as fitted before.
pub(super) fn unchanged_size(before: &Column, ty: &mut ColumnType, collation: &str) -> Result<(), Unread> {
    let ColumnType::Text { size } = ty else { return Ok(()) };
    let (old, new) =
        (width(&before.name, before.collation.as_deref())?, width(&before.name, Some(collation))?);
    if old != new && *size != LobSize::Long {
        *size = LobSize::holding(bytes(*size).div_ceil(old) * new);
    }
    Ok(())
}

/// A TEXT or BLOB that MySQL defines again in the same statement: whatever size the statement
/// names, it takes the characters of the old column for the length, and divides them by the width
/// of its character set.
pub(super) fn redefined_size(before: &Column, ty: &mut ColumnType, collation: &str) -> Result<(), Unread> {
    let (ColumnType::Text { .. } | ColumnType::Blob { .. }) = ty else { return Ok(()) };
    let wide = |chars: u64| width(&before.name, before.collation.as_deref()).map(|w| chars / w);
    let characters = |label: &String| u64::try_from(label.chars().count()).unwrap_or(u64::MAX);
    let chars = match &before.ty {
        ColumnType::Text { size: LobSize::Long }
        | ColumnType::Blob { size: LobSize::Long }
        | ColumnType::Json
        | ColumnType::Geometry { .. } => bytes(LobSize::Long),
        ColumnType::Text { size } => wide(bytes(*size))?,
        ColumnType::Blob { size } => bytes(*size),
        ColumnType::Char { chars } | ColumnType::VarChar { chars } => wide(u64::from(*chars))?,
        ColumnType::Binary { bytes } | ColumnType::VarBinary { bytes } => u64::from(*bytes),
        ColumnType::Enum { labels } => wide(labels.iter().map(characters).max().unwrap_or(0))?,
        ColumnType::Set { labels } => {
            let commas = u64::try_from(labels.len()).unwrap_or(u64::MAX).saturating_sub(1);
            wide(labels.iter().map(characters).sum::<u64>() + commas)?
        }
        ColumnType::Decimal { precision, scale, unsigned, .. } => {
            u64::from(*precision) + u64::from(*scale > 0) + u64::from(!unsigned)
        }
        ColumnType::Bit { bits } => u64::from(*bits),
        ColumnType::Int { display_width, .. } => u64::from(display_width.unwrap_or(20)),
        ColumnType::Float { digits, .. } | ColumnType::Double { digits, .. } => {
            digits.map_or(22, |(digits, _)| u64::from(digits))
        }
        ColumnType::Year
        | ColumnType::Date
        | ColumnType::Time { .. }
        | ColumnType::DateTime { .. }
        | ColumnType::Timestamp { .. } => 26,
        ColumnType::Vector { .. } | ColumnType::Uuid | ColumnType::Inet4 | ColumnType::Inet6 => {
            return Err(Unread::UnknownSize(before.name.clone()));
        }
    };
    if let ColumnType::Text { size } = ty {
        *size = LobSize::holding(chars.saturating_mul(width(&before.name, Some(collation))?));
    } else if let ColumnType::Blob { size } = ty {
        *size = LobSize::holding(chars);
    }
    Ok(())
}

/// TEXT(n) in a character set.
pub(super) fn sized_for(length: u64, collation: &str) -> Result<LobSize, Unread> {
    Ok(LobSize::holding(length.saturating_mul(width("of TEXT(n)", Some(collation))?)))
}

/// Refuses a VARCHAR that is longer than a row in the new character set: where the mode lets it, it
/// becomes a TEXT.
pub(super) fn fits_row(column: &Column, collation: &str) -> Result<(), Unread> {
    let ColumnType::VarChar { chars } = column.ty else { return Ok(()) };
    if u64::from(chars) * width(&column.name, Some(collation))? > 65_535 {
        return Err(Unread::LongerThanRow(column.name.clone()));
    }
    Ok(())
}

/// The bytes of labels stay under CONVERT TO, whatever they mean in the new character set (seen:
/// enum('é') becomes enum('Ã©') in latin1, and enum('new') becomes enum('湥') in ucs2).
pub(super) fn keeps_labels(column: &Column, collation: &str) -> Result<(), Unread> {
    let (ColumnType::Enum { labels } | ColumnType::Set { labels }) = &column.ty else { return Ok(()) };
    let utf8 = |set: Option<&str>| matches!(set, Some("utf8mb4" | "utf8mb3" | "utf8"));
    let set = collation.split('_').next();
    let as_ascii = extends_ascii(column.charset()) && extends_ascii(set);
    if labels.iter().all(|l| l.is_empty() || (as_ascii && l.is_ascii()))
        || column.charset() == set
        || (utf8(column.charset()) && utf8(set))
    {
        return Ok(());
    }
    Err(Unread::DamagedLabels(column.name.clone()))
}

/// Whether the text can be held in a character set as it is.
pub(super) fn convertible(text: &str, set: &str) -> bool {
    match set {
        "utf8mb4" => true,
        "utf8mb3" | "utf8" | "ucs2" => text.chars().all(|c| u32::from(c) < 0x1_0000),
        // What is ASCII is the same in all others, or is converted without loss.
        _ if text.is_ascii() => true,
        _ => {
            let stored = charset::encode(set, text.as_bytes());
            charset::decode(set, &stored).is_ok_and(|back| back == text)
        }
    }
}
