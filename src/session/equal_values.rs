//! Which values of a column are equal, and in which order they are.

use crate::failure::Failure;
use dbtrail_types::collation;
use dbtrail_types::column::Column;

/// What is the same in values that are equal, of text in their order. `what` looks at them.
pub(super) fn weights(what: &str, column: &Column, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    if !column.ty.is_text() {
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

/// The last letter of Latin Extended-B: up to it every version of Unicode has the same order.
const LAST_LATIN: char = '\u{24f}';

/// The same for what asks which of two values is greater. MariaDB has `utf8mb4_0900_ai_ci` too,
/// with the weights of a newer Unicode, and an answer does not say which server it is of.
pub(super) fn ordered_weights(what: &str, column: &Column, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let varies = column.collation.as_deref() == Some("utf8mb4_0900_ai_ci");
    if let Some(letter) = text.chars().find(|letter| varies && column.ty.is_text() && *letter > LAST_LATIN) {
        return Err(Failure::Unsupported(format!(
            "{what} {}: MySQL and MariaDB may order '{letter}' otherwise in utf8mb4_0900_ai_ci",
            column.name
        )));
    }
    weights(what, column, bytes)
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

#[cfg(test)]
mod tests {
    use super::*;
    use dbtrail_types::column::ColumnType;

    #[test]
    fn characters_that_servers_may_order_otherwise_are_refused() {
        let column = |collation: &str| {
            Column::new("c".to_owned(), ColumnType::VarChar { chars: 9 }, Some(collation.to_owned()), true)
        };
        for (collation, text, known) in [
            ("utf8mb4_0900_ai_ci", "\u{e4}pfel", true),
            ("utf8mb4_0900_ai_ci", "\u{20bf}", false),
            ("utf8mb4_0900_ai_ci", "\u{1f970}", false),
            ("utf8mb4_bin", "\u{1f970}", true),
        ] {
            let column = column(collation);
            assert_eq!(ordered_weights("MIN", &column, text.as_bytes()).is_ok(), known, "{collation} {text}");
            assert!(weights("MIN", &column, text.as_bytes()).is_ok(), "equal is equal: {collation} {text}");
        }
    }
}
