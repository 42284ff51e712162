//! Questions to `_history`: which condition the rows are held against.

use super::charsets::Charsets;
use super::key_value::LiteralReader;
use super::keys::{Predicate, conjuncts};
use crate::failure::Failure;
use crate::statement::{Draft, HISTORY};
use dbtrail_types::agent_api::Filter;
use dbtrail_types::column::TableDefinition;
use dbtrail_types::zone::Zone;

/// The condition of a statement on rows with these columns, where it is one of columns and
/// constants; `None`: it has none.
///
/// # Errors
/// [`Failure::UnknownColumn`], [`Failure::Unsupported`]: each names the column.
pub fn condition(
    draft: &Draft,
    definition: &TableDefinition,
    (zone, charsets): (&Zone, Charsets),
) -> Result<Option<Filter>, Failure> {
    let Some(filter) = &draft.filter else { return Ok(None) };
    let full = format!("{HISTORY}.{}", draft.table);
    let qualifiers = match &draft.alias {
        Some(alias) => vec![alias.clone()],
        None => vec![draft.table.clone(), full.clone()],
    };
    let predicate = Predicate {
        definition,
        qualifiers: &qualifiers,
        reader: LiteralReader { zone, charsets },
        max_keys: 0,
        table: &full,
        open: None,
    };
    let mut parts = Vec::new();
    conjuncts(filter, &mut parts);
    predicate.condition(&parts)
}
