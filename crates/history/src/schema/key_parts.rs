//! The columns in the parentheses of a key.

use super::token::{Tokens, Unread};

/// `(a, b(10) DESC)`: the names, and whether none stands for a part of a column or for an
/// expression.
pub(super) fn key_parts(tokens: &mut Tokens) -> Result<(Vec<String>, bool), Unread> {
    let mut full_columns = true;
    let names: Result<Vec<String>, Unread> = tokens
        .group()?
        .split()
        .into_iter()
        .map(|mut part| {
            // A functional key part has no column.
            if part.is_at('(') {
                full_columns = false;
                return Ok("(expression)".to_owned());
            }
            let name = part.name()?;
            full_columns &= !part.is_at('(');
            Ok(name)
        })
        .collect();
    Ok((names?, full_columns))
}
