//! What sessions can and may do: one that is not strict, and tables that nobody may name.

use super::literal::Unwritable;
use dbtrail_types::names::TableName;

/// The same without strictness, for the one value that no strict session takes.
const RELAXED: &str = "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION";

/// What makes one statement run in a session that is not strict: MariaDB's way, which MySQL takes
/// for a comment, and MySQL's, which MariaDB does.
pub(super) fn relaxation(relaxed: bool) -> (String, String) {
    if relaxed {
        (
            format!("/*M! SET STATEMENT sql_mode='{RELAXED}' FOR */ "),
            format!("/*+ SET_VAR(sql_mode='{RELAXED}') */ "),
        )
    } else {
        (String::new(), String::new())
    }
}

/// A table that the asker may not see has no name here.
pub(super) fn is_hidden(table: &TableName) -> bool {
    table.table.is_empty()
}

pub(super) fn hidden() -> Unwritable {
    Unwritable(
        "a foreign key joins it to rows of a schema that may not be read here, so that nobody can see whether they are in the way: take it back by hand"
            .to_owned(),
    )
}
