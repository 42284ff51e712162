//! The PK rule: every statement binds the table's whole primary key, or is refused.

use super::Resolved;
use super::change_columns::{AFTER_KEY, BEFORE_KEY, CONNECTION_NAMES};
use super::charsets::Charsets;
pub use super::columns::{Output, SelectableColumns, source};
use super::group::Grouping;
use super::key_value::LiteralReader;
use super::keys::Predicate;
use super::scan::{TableScan, not_asked};
use super::selected::{Selected, selected};
use crate::failure::Failure;
use crate::statement::Draft;
use crate::statement::Limit;
use crate::statement::TimeClause;
use crate::statement::VirtualSchema;
use dbtrail_types::agent_api::{Filter, KeyChoice, KeyScan, Keys, change_columns};
use dbtrail_types::column::Column;
use dbtrail_types::column::TableDefinition;
use dbtrail_types::names::TableName;
use dbtrail_types::zone::Zone;
use std::cell::RefCell;
use std::sync::Arc;

/// A request that passed every rule. Only [`admit`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Admitted {
    resolved: Arc<Resolved>,
    definition: Arc<TableDefinition>,
    keys: Keys,
    filter: Option<Filter>,
    selected: Selected,
    limit: Option<Limit>,
    max_rows: Option<u64>,
}

/// What the configuration says about statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanSettings {
    /// `limits.max_keys`
    pub max_keys: u64,
    /// `limits.table_scan`
    pub table_scan: TableScan,
    /// `limits.max_rows`: an answer of more rows is an error.
    pub max_rows: Option<u64>,
}

impl PlanSettings {
    /// With so many keys at most, and the other limits as they are by default.
    #[must_use]
    pub fn of_keys(max_keys: u64) -> Self {
        Self { max_keys, table_scan: TableScan::default(), max_rows: None }
    }
}

impl Admitted {
    /// Table and instants.
    #[must_use]
    pub fn resolved(&self) -> &Resolved {
        &self.resolved
    }

    /// The definition that the rules were checked against: an answer with another one is not an
    /// answer to this.
    #[must_use]
    pub fn definition(&self) -> &Arc<TableDefinition> {
        &self.definition
    }

    /// The keys to ask for.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Which of their rows are wanted; `None`: all.
    #[must_use]
    pub fn filter(&self) -> Option<&Filter> {
        self.filter.as_ref()
    }

    /// What is shown, in which order (none: key order, or event order of a diff), in which groups.
    #[must_use]
    pub fn selected(&self) -> &Selected {
        &self.selected
    }

    /// The columns to show.
    #[must_use]
    pub fn output(&self) -> &[Output] {
        &self.selected.output
    }

    /// How rows are grouped; `None`: they are not.
    #[must_use]
    pub fn grouping(&self) -> Option<&Grouping> {
        self.selected.grouping.as_ref()
    }

    /// Whether changes are wanted with user, host and program of their connections.
    #[must_use]
    pub fn connection_names(&self) -> bool {
        let width = BEFORE_KEY + self.definition.primary_key.len() + AFTER_KEY;
        self.resolved.draft.virtual_schema == VirtualSchema::Diff
            && self.selected.needs_last(CONNECTION_NAMES, width)
    }

    /// The most lines that the agent need send: those that LIMIT leaves of an order that is the
    /// agent's own.
    #[must_use]
    pub fn most(&self) -> Option<u64> {
        let limit =
            self.limit.filter(|_| self.selected.order.is_empty() && self.selected.grouping.is_none())?;
        Some(limit.offset.saturating_add(limit.count))
    }

    /// `limits.max_rows`
    #[must_use]
    pub fn max_rows(&self) -> Option<u64> {
        self.max_rows
    }

    /// LIMIT, also that of `sql_select_limit`.
    #[must_use]
    pub fn limit(&self) -> Option<Limit> {
        self.limit
    }
}

/// Holds a resolved draft against the definition of its table.
///
/// # Errors
/// [`Failure::KeyRule`], [`Failure::UnknownColumn`], [`Failure::Unsupported`]: each names the
/// column and the form that works.
pub fn admit(
    resolved: &Arc<Resolved>,
    definition: &Arc<TableDefinition>,
    settings: PlanSettings,
) -> Result<Admitted, Failure> {
    let asked = PreparedDraft {
        draft: &resolved.draft,
        table: &resolved.table,
        zone: &resolved.zone,
        charsets: resolved.charsets,
        allow_scan: resolved.allow_scan,
    };
    let Checked { keys: (keys, filter), selected } = checked(asked, definition, settings, None)?;
    let limit = resolved.draft.limit;
    Ok(Admitted {
        keys,
        filter,
        selected,
        limit,
        max_rows: settings.max_rows,
        definition: Arc::clone(definition),
        resolved: Arc::clone(resolved),
    })
}

/// What can be said of a statement whose parameters have no values yet: nothing that could be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlined {
    /// The columns to show.
    pub output: Vec<Output>,
    /// How rows are grouped; `None`: they are not.
    pub grouping: Option<Grouping>,
    /// Parameters that are compared with a key column.
    pub parameters: Vec<(usize, Column)>,
}

/// A draft whose keys may be parameters, and what it is read by.
#[derive(Clone, Copy, Debug)]
pub struct PreparedDraft<'a> {
    /// The statement as written.
    pub draft: &'a Draft,
    /// The real table.
    pub table: &'a TableName,
    /// The session's zone.
    pub zone: &'a Zone,
    /// The session's character sets.
    pub charsets: Charsets,
    /// The statement, or the session, asks for rows without their keys.
    pub allow_scan: bool,
}

/// Holds a statement that is being prepared against a definition of its table: what is refused here
/// would be refused with any value.
///
/// # Errors
/// As for [`admit`].
pub fn outline(
    asked: PreparedDraft<'_>,
    definition: &Arc<TableDefinition>,
    settings: PlanSettings,
) -> Result<Outlined, Failure> {
    let open = RefCell::new(Vec::new());
    let Selected { output, grouping, .. } = checked(asked, definition, settings, Some(&open))?.selected;
    Ok(Outlined { output, grouping, parameters: open.into_inner() })
}

struct Checked {
    keys: (Keys, Option<Filter>),
    selected: Selected,
}

fn checked(
    asked: PreparedDraft<'_>,
    definition: &Arc<TableDefinition>,
    settings: PlanSettings,
    open: Option<&RefCell<Vec<(usize, Column)>>>,
) -> Result<Checked, Failure> {
    let PreparedDraft { draft, table, zone, charsets, allow_scan } = asked;
    let virtual_name = draft.virtual_schema.name();
    let full = format!("{virtual_name}.{}", draft.table);
    let qualifiers = match &draft.alias {
        Some(alias) => vec![alias.clone()],
        None => vec![
            draft.table.clone(),
            full.clone(),
            format!("{virtual_name}.{}.{}", table.schema, draft.table),
            format!("{}.{}", table.schema, draft.table),
        ],
    };
    let predicate = Predicate {
        definition,
        qualifiers: &qualifiers,
        reader: LiteralReader { zone, charsets },
        max_keys: settings.max_keys,
        table: &full,
        open,
    };
    // One transaction costs what it changed.
    let is_transaction = draft.virtual_schema.is_of_changes() && matches!(draft.time, TimeClause::Gtid(_));
    let permitted = settings.table_scan.permits(allow_scan || is_transaction);
    let keys = keys(&predicate, draft, permitted).map_err(|e| {
        if permitted || predicate.key().is_empty() { e } else { not_asked(e, settings.table_scan) }
    })?;
    let source = source(draft.virtual_schema, definition);
    // The values of HAVING are known when the statement is executed.
    let selected = selected(draft, &source, zone, open.is_none().then_some(charsets))?;
    Ok(Checked { keys, selected })
}

/// The keys that a statement names; where it may, the range of keys in which all that it means
/// lie.
fn keys(
    predicate: &Predicate<'_>,
    draft: &Draft,
    permitted: bool,
) -> Result<(Keys, Option<Filter>), Failure> {
    let filter = draft.filter.as_ref();
    if draft.virtual_schema == VirtualSchema::Undo && filter.is_none() && !predicate.key().is_empty() {
        // All that the window changed, which is what it costs.
        let columns = predicate.definition.primary_key.clone();
        return Ok((Keys { columns, choice: KeyChoice::Scan(KeyScan::default()) }, None));
    }
    let refusal = match predicate.keys(filter) {
        Ok(keys) => return Ok((keys, None)),
        Err(refusal) => refusal,
    };
    if draft.virtual_schema == VirtualSchema::Undo || predicate.key().is_empty() {
        return Err(refusal);
    }
    let extended = (draft.virtual_schema == VirtualSchema::Diff).then(|| {
        let mut definition = predicate.definition.clone();
        definition.columns.extend(change_columns());
        definition
    });
    let predicate = Predicate { definition: extended.as_ref().unwrap_or(predicate.definition), ..*predicate };
    if let Some(filter) = filter
        && let Some((keys, left)) = predicate.narrowed(filter)
    {
        if let Some(open) = predicate.open {
            open.borrow_mut().clear();
            let (keys, left) = predicate.narrowed(filter).unwrap_or((keys, left));
            return Ok((keys, predicate.condition(&left)?));
        }
        return Ok((keys, predicate.condition(&left)?));
    }
    if !permitted {
        return Err(refusal);
    }
    if let Some(open) = predicate.open {
        open.borrow_mut().clear();
    }
    let (keys, left) = predicate.scan(filter);
    Ok((keys, predicate.condition(&left)?))
}
