//! Questions to `_history`: which columns are shown, and which condition the rows are held against.

use super::charsets::Charsets;
use super::group;
use super::guard::{self, Output};
use super::key_value::LiteralReader;
use super::keys::{Predicate, conjuncts};
use crate::failure::Failure;
use crate::statement::{Draft, HISTORY};
use dbtrail_types::agent_api::Filter;
use dbtrail_types::column::TableDefinition;
use dbtrail_types::zone::Zone;

/// What a statement shows.
#[derive(Clone, Debug, Default)]
pub struct Selected {
    /// The columns to show.
    pub output: Vec<Output>,
    /// Positions of those to order by, descending or not.
    pub order: Vec<(usize, bool)>,
    /// GROUP BY: positions; `None`: rows are not counted.
    pub groups: Option<Vec<usize>>,
}

/// The columns to show and those to order and to group by, of a statement on rows with these
/// columns.
///
/// # Errors
/// [`Failure::UnknownColumn`], [`Failure::Unsupported`].
pub fn selected(draft: &Draft, definition: &TableDefinition, zone: &Zone) -> Result<Selected, Failure> {
    let source = &definition.columns;
    let output = guard::output(&draft.projection, source)?;
    let order =
        draft.order_by.iter().map(|(name, descending)| guard::order(name, *descending, &output, source));
    let order = order.collect::<Result<Vec<_>, _>>()?;
    let groups = group::groups(draft, source, zone)?;
    group::valid(groups.as_deref(), output.iter().map(|o| o.source), &order, source)?;
    Ok(Selected { output, order, groups })
}

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
