//! The PK rule: every statement binds the table's whole primary key, or is refused.

use super::Resolved;
use crate::agent_api::Keys;
use crate::column::TableDefinition;
use crate::failure::Failure;
use crate::statement::Limit;
use std::sync::Arc;

/// A request that passed every rule. Only [`admit`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Admitted {
    resolved: Resolved,
    definition: Arc<TableDefinition>,
    keys: Keys,
    output: Vec<Output>,
    order: Vec<(usize, bool)>,
    limit: Option<Limit>,
}

/// A column of the result: which column of the source, and the name to show. For rows the source is the table's
/// columns; for a diff it is `event_id, event_timestamp, event_type, gtid, <key columns>, changed_columns, row_before, row_after`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Position in the source.
    pub source: usize,
    /// The alias, or the column's own name.
    pub name: String,
}

/// What the configuration says about statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `limits.max_keys`
    pub max_keys: u64,
}

impl Admitted {
    /// Table and instants.
    #[must_use]
    pub fn resolved(&self) -> &Resolved {
        &self.resolved
    }

    /// The definition that the rules were checked against: an answer with another one is not an answer to this.
    #[must_use]
    pub fn definition(&self) -> &Arc<TableDefinition> {
        &self.definition
    }

    /// The keys to ask for.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The columns to show.
    #[must_use]
    pub fn output(&self) -> &[Output] {
        &self.output
    }

    /// ORDER BY: position in the source, descending. Empty: key order (rows) or event order (diff).
    #[must_use]
    pub fn order(&self) -> &[(usize, bool)] {
        &self.order
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
/// [`Failure::KeyRule`], [`Failure::UnknownColumn`], [`Failure::Unsupported`]: each names the column and the form that works.
pub fn admit(
    resolved: Resolved,
    definition: Arc<TableDefinition>,
    settings: Settings,
) -> Result<Admitted, Failure> {
    let _ = (resolved, definition, settings);
    Err(Failure::Internal("the guard is not built yet".to_owned()))
}
