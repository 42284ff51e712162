//! Whether a change of a column's type loses nothing: then the way back is known, too.

use super::By;
use dbtrail_types::column::{Column, ColumnType};

/// Whether no two values of the first type become the same, and every value fits: then the way back
/// is known, too.
pub(in crate::schema) fn is_lossless(from: &Column, to: &Column) -> bool {
    match (&from.ty, &to.ty) {
        (
            ColumnType::Int { size, unsigned, zerofill: false, .. },
            ColumnType::Int { size: s, unsigned: u, zerofill: false, .. },
        ) => {
            let ((low, high), (l, h)) = (size.range(*unsigned), s.range(*u));
            l <= low && high <= h
        }
        (
            ColumnType::Decimal { precision, scale, unsigned, zerofill: false },
            ColumnType::Decimal { precision: p, scale: s, unsigned: u, zerofill: false },
        ) => scale <= s && precision - scale <= p - s && unsigned == u,
        (ColumnType::VarChar { chars } | ColumnType::Char { chars }, ColumnType::VarChar { chars: c })
        | (ColumnType::Char { chars }, ColumnType::Char { chars: c }) => chars <= c && wider(from, to),
        (ColumnType::Text { size }, ColumnType::Text { size: s }) => {
            size <= s && from.charset() == to.charset()
        }
        (ColumnType::VarBinary { bytes }, ColumnType::VarBinary { bytes: b }) => bytes <= b,
        (ColumnType::Blob { size }, ColumnType::Blob { size: s }) => size <= s,
        (ColumnType::Enum { labels }, ColumnType::Enum { labels: l })
        | (ColumnType::Set { labels }, ColumnType::Set { labels: l }) => {
            labels.iter().all(|label| l.contains(label)) && wider(from, to)
        }
        (ColumnType::Time { fsp }, ColumnType::Time { fsp: f })
        | (ColumnType::DateTime { fsp }, ColumnType::DateTime { fsp: f })
        | (ColumnType::Timestamp { fsp }, ColumnType::Timestamp { fsp: f }) => fsp <= f,
        (ColumnType::Date, ColumnType::DateTime { .. }) => true,
        _ => false,
    }
}

/// Whether keys of the first type are the same bytes under the second (`key::encode_stored`), so
/// that rows are found as before.
pub(in crate::schema) fn keeps_keys(from: &Column, to: &Column, by: By) -> bool {
    if from.collation != to.collation {
        return false;
    }
    match (&from.ty, &to.ty) {
        (a, b) if a == b => true,
        // Integers of all widths share one form; what does not fit makes a strict session fail.
        (ColumnType::Int { .. }, ColumnType::Int { .. }) => is_lossless(from, to) || by.is_strict(),
        (ColumnType::Decimal { scale, .. }, ColumnType::Decimal { scale: s, .. }) => {
            scale == s && is_lossless(from, to)
        }
        (ColumnType::Enum { labels }, ColumnType::Enum { labels: l })
        | (ColumnType::Set { labels }, ColumnType::Set { labels: l }) => l.starts_with(labels),
        (ColumnType::Char { .. } | ColumnType::VarChar { .. }, ColumnType::VarChar { .. })
        | (ColumnType::Char { .. }, ColumnType::Char { .. })
        | (ColumnType::VarBinary { .. }, ColumnType::VarBinary { .. }) => is_lossless(from, to),
        _ => false,
    }
}

/// Whether a character set holds every character of another.
fn wider(from: &Column, to: &Column) -> bool {
    match (from.charset(), to.charset()) {
        (Some(a), Some(b)) => {
            a == b
                || matches!(
                    (a, b),
                    ("utf8mb3" | "utf8" | "latin1" | "ascii" | "ucs2", "utf8mb4")
                        | ("ascii", "utf8mb3" | "latin1")
                )
        }
        _ => false,
    }
}
