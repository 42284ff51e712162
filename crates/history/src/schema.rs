//! The history of table definitions: which columns and key a table had from which point of the log
//! on.
//!
//! Fed with the DDL statements of the log and with what its table maps say. Where neither tells, a
//! table is unreadable, with the reason; nothing is guessed. Also carries a row over from the
//! definition it was written under to the definition at the instant asked for.

mod alter;
mod carry;
mod columns;
mod compute;
mod convert;
mod converted;
mod ddl;
mod declaration_error;
mod declared;
mod difference;
mod effect;
mod engines;
mod foreign;
mod generated;
mod generated_cells;
mod harmless;
mod implicit_default;
mod impossible_table;
mod key_parts;
mod links;
mod lost_cell;
mod number;
mod partition;
mod reach;
mod reconcile_table_map;
mod relations;
mod renames;
mod same_key;
mod silent_changes;
mod stored_definition;
mod table;
mod table_map_error;
mod temporal;
#[cfg(test)]
mod tests;
mod token;
mod touched;
mod unread;
mod versioned;
mod written;

use convert::By;
use dbtrail_types::column::TableDefinition;
use dbtrail_types::names::TableName;
pub use effect::{Effect, EffectReason, Moved, StatementFault};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use stored_definition::{Step, StoredDefinition};
use table::Full;

use super::log::LoggedStatement;
use super::log::MappedTable;
use super::store::ChangeSequence;
pub use carry::Carried;
pub(crate) use ddl::excerpt;
pub use declaration_error::DeclarationError;
pub use difference::{ColumnDifference, Difference};
pub use foreign::{Action, ForeignKey};
pub use partition::Emptied;
pub use renames::{Outcome, Rename};
pub use silent_changes::SilentChange;
pub use table_map_error::{Attribute, NotInferred, TableMapError};
pub use touched::{Touched, touched};
pub use versioned::ends_of_time;

/// One definition of one table: an index into the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DefinitionId(pub u32);

pub(crate) use links::NO_TRIGGERS;
pub use lost_cell::{CannotCarry, ColumnChange, LostCell, UnknownCell};

/// All definitions of all tables. A copy shares the definitions.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    definitions: Vec<Arc<StoredDefinition>>,
    tables: HashMap<TableName, DefinitionId>,
    /// Default collations of schemas, and whether they are known.
    schemas: HashMap<String, (Option<String>, bool)>,
    /// Whether those are all schemas that there are.
    all_schemas: bool,
    /// Schemas that were made in the record: what is not known of them is not there.
    complete: HashSet<String>,
    /// Tables that are there, and whose definition was lost.
    lost: HashSet<TableName>,
    /// Views that were made in the record: their names are taken.
    views: HashSet<TableName>,
    /// Names that sessions gave to temporary tables.
    temporary: HashSet<TableName>,
    /// Which tables change with others.
    links: links::Links,
    foreign: foreign::ForeignKeys,
    /// MERGE tables, with the tables whose rows are theirs. One that is dropped is kept: no harm
    /// comes of it.
    united: HashMap<TableName, Vec<TableName>>,
    /// Whether the server takes names of tables that differ in case alone for one
    /// (lower_case_table_names); `None`: not known.
    folds: Option<bool>,
    /// RENAMEs that may have been of a temporary table.
    renames: Vec<Rename>,
    /// Those of the last statement, whose position is not known here.
    renaming: Vec<Rename>,
}

impl Catalog {
    /// Follows one statement.
    pub fn apply(&mut self, statement: &LoggedStatement) -> Vec<Effect> {
        let effects = ddl::follow(self, statement);
        self.links.note(statement, &effects);
        effects
    }

    /// Takes the server's `lower_case_table_names`: with 1 and 2, names of tables and schemas count
    /// in lower case from here on.
    pub fn set_lower_case_table_names(&mut self, setting: u8) {
        self.folds = Some(setting != 0);
    }

    /// Takes all schemas that there are, each with its default collation.
    pub fn set_schemas(&mut self, collations: BTreeMap<String, String>) {
        let fold = |name: String| if self.folds == Some(true) { name.to_lowercase() } else { name };
        let known = collations.into_iter().map(|(name, collation)| (fold(name), (Some(collation), true)));
        self.schemas = known.collect();
        self.all_schemas = true;
    }

    /// Whether the server takes names of tables that differ in case alone for one; `None`: not
    /// known.
    #[must_use]
    pub fn folds(&self) -> Option<bool> {
        self.folds
    }

    /// A name as it counts on the server.
    #[must_use]
    pub fn folded(&self, name: TableName) -> TableName {
        if self.folds == Some(true) { name.to_lowercase() } else { name }
    }

    /// RENAMEs that may have been of a temporary table, in the order of the log.
    #[must_use]
    pub fn renames(&self) -> &[Rename] {
        &self.renames
    }

    /// Notes the position of a statement that was followed just now: of its RENAMEs that may have
    /// been of temporary tables.
    pub fn note_renames(&mut self, at: ChangeSequence) {
        let new = std::mem::take(&mut self.renaming);
        self.renames.extend(new.into_iter().map(|rename| Rename { at, ..rename }));
    }

    /// The same, to settle one.
    pub fn renames_mut(&mut self) -> &mut Vec<Rename> {
        &mut self.renames
    }

    /// The definition under which a row event was written: known from DDL and checked against the
    /// map, or learned from the map's own metadata.
    ///
    /// # Errors
    /// Neither tells, or they contradict each other: the reason why the table is unreadable from
    /// here on.
    pub fn reconcile_table_map(&mut self, table: &MappedTable) -> Result<DefinitionId, TableMapError> {
        reconcile_table_map::reconcile_table_map(self, table)
    }

    /// The same, if the table had this definition so far.
    ///
    /// # Errors
    /// They contradict each other.
    pub fn would_reconcile(
        &mut self,
        definition: DefinitionId,
        table: &MappedTable,
    ) -> Result<DefinitionId, TableMapError> {
        self.tables.insert(table.name.clone(), definition);
        reconcile_table_map::reconcile_table_map(self, table)
    }

    /// The definition that a table has at the end of what was followed; `None`: it is not known.
    #[must_use]
    pub fn current(&self, name: &TableName) -> Option<DefinitionId> {
        self.tables.get(name).copied()
    }

    /// The definition itself.
    #[must_use]
    pub fn definition(&self, id: DefinitionId) -> Option<&Arc<TableDefinition>> {
        self.known(id).map(|k| &k.public)
    }

    /// Shows a row under definition `to` of the same table, forwards or backwards through its
    /// ALTERs. A cell that a step between the two does not leave exact becomes one that is not
    /// known (`Err`: why), and the others stay.
    ///
    /// # Errors
    /// The two are not of one table.
    pub fn carry(&self, from: DefinitionId, to: DefinitionId, row: Carried) -> Result<Carried, CannotCarry> {
        carry::carry(self, from, to, row)
    }

    /// Whether its key is a primary key, and no unique index instead of one.
    #[must_use]
    pub fn has_primary(&self, id: DefinitionId) -> bool {
        !self.full(id).primary_key.is_empty()
    }

    /// Where the end of a row's time is among the columns of a system-versioned table: its rows of
    /// now have one of [`ends_of_time`] there, others are of the past.
    #[must_use]
    pub fn row_end(&self, id: DefinitionId) -> Option<usize> {
        let full = &self.known(id)?.full;
        full.versioned.then(|| full.position(versioned::ROW_END)).flatten()
    }

    /// The columns of each unique index beside the primary key; `None`: the record does not tell
    /// the indexes.
    #[must_use]
    pub fn unique(&self, id: DefinitionId) -> Option<Vec<Vec<String>>> {
        let full = &self.known(id)?.full;
        let unique = full.indexes.iter().filter(|index| index.unique).map(|index| index.columns.clone());
        (!full.inferred).then(|| unique.collect())
    }

    /// Whether all of a table is known, its foreign keys too: not where its columns are known from
    /// a table map alone.
    #[must_use]
    pub fn is_declared(&self, name: &TableName) -> bool {
        self.tables.get(name).and_then(|id| self.known(*id)).is_some_and(|known| !known.full.inferred)
    }

    /// Bytes that follow from a definition alone, made once: every answer begins with them.
    pub fn memo(&self, id: DefinitionId, make: impl FnOnce(&TableDefinition) -> Vec<u8>) -> Option<&[u8]> {
        let known = self.known(id)?;
        Some(known.memo.get_or_init(|| make(&known.public)))
    }

    fn known(&self, id: DefinitionId) -> Option<&StoredDefinition> {
        self.definitions.get(usize::try_from(id.0).ok()?).map(|k| &**k)
    }

    fn full(&self, id: DefinitionId) -> &Full {
        static NONE: Full = Full {
            columns: Vec::new(),
            primary_key: Vec::new(),
            indexes: Vec::new(),
            collation: None,
            collation_known: false,
            inferred: false,
            engine: None,
            versioned: false,
            partitions: None,
            foreign_keys: Vec::new(),
            lengths: Vec::new(),
        };
        self.known(id).map_or(&NONE, |k| &k.full)
    }

    /// The table is there, and its definition is not known any more.
    fn forget(&mut self, name: &TableName) {
        self.tables.remove(name);
        self.lost.insert(name.clone());
    }

    fn push(&mut self, full: Full, step: Option<Step>) -> DefinitionId {
        let id = DefinitionId(u32::try_from(self.definitions.len()).unwrap_or(u32::MAX));
        self.definitions.push(Arc::new(StoredDefinition::new(full, step)));
        id
    }

    fn add(&mut self, full: Full) -> DefinitionId {
        self.push(full, None)
    }

    fn follow_up(
        &mut self,
        before: DefinitionId,
        full: Full,
        from: Vec<Option<usize>>,
        (sql, by): (&str, By),
    ) -> DefinitionId {
        self.push(full, Some(Step { before, from, statement: ddl::excerpt(sql), by }))
    }
}
