//! Which values of a column are equal, and in which order they are.

use crate::failure::Failure;
use dbtrail_types::collation;
use dbtrail_types::column::{Column, ColumnType};

pub(super) fn is_text(column: &Column) -> bool {
    matches!(column.ty, ColumnType::Char { .. } | ColumnType::VarChar { .. } | ColumnType::Text { .. })
}

/// What is the same in values that are equal, of text in their order. `what` looks at them.
pub(super) fn weights(what: &str, column: &Column, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    if !is_text(column) {
        return Ok(bytes.to_vec());
    }
    let unclear = |why: String| {
        Failure::Unsupported(format!(
            "{what} {}: which of its values are equal is not known here ({why})",
            column.name
        ))
    };
    let text = std::str::from_utf8(bytes).map_err(|_| unclear("its text is not UTF-8".to_owned()))?;
    let mut weights = Vec::new();
    let name = column.collation.as_deref().unwrap_or_default();
    collation::sort_key(name, text, &mut weights).map_err(|why| unclear(why.to_string()))?;
    Ok(weights)
}

/// The refusal of values that are equal and not the same.
pub(super) fn spelt(what: &str, column: &Column, one: &[u8], other: &[u8]) -> Failure {
    Failure::Unsupported(format!(
        "{what} {}: '{}' and '{}' are equal in collation {}, and a server shows either",
        column.name,
        String::from_utf8_lossy(one),
        String::from_utf8_lossy(other),
        column.collation.as_deref().unwrap_or("(none)")
    ))
}
