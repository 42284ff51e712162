//! What a statement shows: its columns, their order, and the groups of its rows.

use super::charsets::Charsets;
use super::columns::{Output, order, output};
use super::group::{Aggregates, Grouping, valid};
use crate::failure::Failure;
use crate::statement::Draft;
use dbtrail_types::column::Column;
use dbtrail_types::zone::Zone;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selected {
    /// The columns to show.
    pub output: Vec<Output>,
    /// Positions of those to order by, descending or not.
    pub order: Vec<(usize, bool)>,
    /// How rows are grouped; `None`: they are not.
    pub grouping: Option<Grouping>,
}

impl Selected {
    /// Whether one of the last so many columns of a source of so many is needed.
    #[must_use]
    pub fn needs_last(&self, count: usize, width: usize) -> bool {
        let grouped = self.grouping.iter().flat_map(Grouping::needed);
        let named = self.output.iter().map(|o| o.source).chain(self.order.iter().map(|(at, _)| *at));
        named.chain(grouped).any(|at| (width.saturating_sub(count)..width).contains(&at))
    }
}

/// The columns to show and those to order and to group by, of a statement on rows with these
/// columns. `charsets`: those in which literals are read; `None`: parameters have no values yet.
///
/// # Errors
/// [`Failure::UnknownColumn`], [`Failure::Unsupported`].
pub fn selected(
    draft: &Draft,
    source: &[Column],
    zone: &Zone,
    charsets: Option<Charsets>,
) -> Result<Selected, Failure> {
    let aggregates = Aggregates::of(draft)?;
    let output = output(&draft.projection, source, &aggregates)?;
    let order = draft
        .order_by
        .iter()
        .map(|(item, descending)| order(item, &output, source, &aggregates).map(|at| (at, *descending)));
    let order = order.collect::<Result<Vec<_>, _>>()?;
    let grouping = aggregates.grouping(draft, source, zone, charsets)?;
    for (at, _) in &order {
        let computed =
            grouping.as_ref().and_then(|grouping| grouping.aggregates.get(at.checked_sub(source.len())?));
        if let Some(computed) = computed {
            super::columns::ordered(&computed.declared)?;
        }
    }
    valid(grouping.as_ref(), output.iter().map(|o| o.source), &order, source)?;
    Ok(Selected { output, order, grouping })
}
