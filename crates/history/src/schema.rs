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
mod declared;
mod engines;
mod foreign;
mod generated;
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
mod renames;
mod same_key;
mod silent_changes;
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
use dbtrail_types::agent_api::Reference;
use dbtrail_types::column::TableDefinition;
use dbtrail_types::names::TableName;
use dbtrail_types::result_set::Cell;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, OnceLock};
use table::Full;

use super::image::{Content, Image};
use super::log::LoggedStatement;
use super::log::MappedTable;
use super::store::ChangeSequence;
pub use carry::Carried;
pub(crate) use ddl::excerpt;
pub use declared::DeclarationError;
pub use foreign::{Action, ForeignKey};
pub use partition::Emptied;
pub use renames::{Outcome, Rename};
pub use silent_changes::SilentChange;
pub use table_map_error::{Attribute, NotInferred, TableMapError};
pub use touched::{Touched, touched};
pub use versioned::END_OF_TIME;

/// One definition of one table: an index into the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DefinitionId(pub u32);

pub(crate) use links::NO_TRIGGERS;
pub use lost_cell::CannotCarry;

/// What a statement of the log did to tables, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The table exists from here on, empty. (CREATE TABLE, also CREATE TABLE ... LIKE; rows of ...
    /// SELECT follow as row events.)
    Created(TableName, DefinitionId),
    /// The table is gone.
    Dropped(TableName),
    /// The table is empty from here on.
    Truncated(TableName),
    /// Same rows, another definition.
    Altered(TableName, DefinitionId),
    /// Same rows under another name (RENAME TABLE, ALTER TABLE ... RENAME, swaps in one statement:
    /// apply in order).
    Renamed {
        /// Old name.
        from: TableName,
        /// New name.
        to: TableName,
        /// False: it may have been of a session's temporary table.
        certain: bool,
    },
    /// Same definition; rows may have changed, gone or come, and which is not known: why, with the
    /// statement.
    RowsUnknown(TableName, String),
    /// The rows in some of its partitions are gone.
    PartitionsEmptied(TableName, Emptied),
    /// Rows of one table are those of another one from here on.
    RowsMoved(Box<Moved>),
    /// From here on the table cannot be read: why, with the statement.
    Unreadable(TableName, String),
    /// A whole schema is gone (DROP DATABASE).
    SchemaDropped(String),
    /// A statement that may change rows of tables unknown (DML logged as text, an unparseable
    /// statement): all tables of these schemas (empty: of all) are unreadable from here on.
    UnreadableAll {
        /// Schemas hit; empty: all.
        schemas: Vec<String>,
        /// Tables that are known to be untouched.
        spared: Vec<TableName>,
        /// Why, with the statement.
        reason: String,
    },
}

/// Rows that go from one table to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The table in which they were.
    pub from: TableName,
    /// The partitions that they lay in; `None`: all rows.
    pub partitions: Option<Emptied>,
    /// Where they are now.
    pub to: TableName,
    /// All rows that were there are in the first table now (EXCHANGE PARTITION).
    pub back: bool,
    /// The statement.
    pub statement: String,
}

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
    whole: HashSet<String>,
    /// Tables that are there, and whose definition was lost.
    lost: HashSet<TableName>,
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

/// One definition.
#[derive(Debug)]
struct StoredDefinition {
    public: Arc<TableDefinition>,
    full: Full,
    /// Positions of the generated columns.
    generated: Vec<usize>,
    step: Option<Step>,
    /// How the generated ones are computed, by their positions.
    computations: OnceLock<HashMap<usize, compute::Computation>>,
    /// See [`Catalog::memo`].
    memo: OnceLock<Vec<u8>>,
}

impl StoredDefinition {
    fn new(full: Full, step: Option<Step>) -> Self {
        let generated = (0..).zip(&full.columns).filter(|(_, c)| c.generated.is_some());
        let generated = generated.map(|(i, _)| i).collect();
        let public = Arc::new(full.public());
        Self { public, full, generated, step, computations: OnceLock::new(), memo: OnceLock::new() }
    }

    /// A generated cell of a row of which the others are given; `None`: what it holds is not known.
    fn computed<'a>(&'a self, at: usize, cell: impl Fn(usize) -> Option<Option<&'a [u8]>>) -> Option<Cell> {
        let all = self.computations.get_or_init(|| {
            let each = self.generated.iter();
            each.filter_map(|at| Some((*at, compute::of(&self.full, *at)?))).collect()
        });
        let columns = &self.full.columns;
        let cell = |at: usize| Some((&columns.get(at)?.column, cell(at)?));
        all.get(&at)?.value(cell, &columns.get(at)?.column)
    }
}

/// How a definition came from the one before it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Step {
    before: DefinitionId,
    /// For each column: the one before it came from.
    from: Vec<Option<usize>>,
    statement: String,
    /// Who changed the values.
    #[serde(default)]
    by: By,
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
    pub fn would_observe(
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

    /// A packed row of this definition; of a cell that is not known: why.
    #[must_use]
    pub fn unpack(&self, id: DefinitionId, image: &Image) -> Carried {
        let cells = image.cells().enumerate();
        cells
            .map(|(i, cell)| match cell {
                Content::Null => Ok(None),
                Content::Bytes(bytes) => Ok(Some(bytes.to_vec())),
                Content::Unknown => self.computed(id, i, image),
            })
            .collect()
    }

    /// A cell that a row of this definition leaves out, where it is computed from the others;
    /// `Err`: why it is not known.
    ///
    /// # Errors
    /// It is not.
    pub fn computed(&self, id: DefinitionId, column: usize, image: &Image) -> Result<Cell, String> {
        let reported = |at: usize| match image.cells().nth(at)? {
            Content::Null => Some(None),
            Content::Bytes(bytes) => Some(Some(bytes)),
            Content::Unknown => None,
        };
        let computed = self.known(id).and_then(|known| known.computed(column, reported));
        computed.ok_or_else(|| self.why_unknown(id, column))
    }

    /// Why a cell of this column is not known in a row that was recorded under this definition.
    #[must_use]
    pub fn why_unknown(&self, id: DefinitionId, column: usize) -> String {
        generated::why_unknown(self.full(id), column)
    }

    /// Whether its key is a primary key, and no unique index instead of one.
    #[must_use]
    pub fn has_primary(&self, id: DefinitionId) -> bool {
        !self.full(id).primary_key.is_empty()
    }

    /// Positions of the generated columns of a definition, rising: not all servers log them with
    /// each row.
    #[must_use]
    pub fn generated(&self, id: DefinitionId) -> &[usize] {
        self.known(id).map_or(&[], |k| &k.generated)
    }

    /// Positions of the columns of which the log does not say how their values are shown.
    #[must_use]
    pub fn untold(&self, id: DefinitionId) -> Vec<usize> {
        let columns = &self.full(id).columns;
        let untold =
            |at: &usize| columns.get(*at).is_some_and(|c| c.generated.as_deref() == Some(generated::NO_TYPE));
        self.generated(id).iter().copied().filter(untold).collect()
    }

    /// Whether it has a generated column whose value is not computed here.
    #[must_use]
    pub fn has_uncomputed(&self, id: DefinitionId) -> bool {
        let full = self.full(id);
        self.generated(id).iter().any(|at| compute::of(full, *at).is_none())
    }

    /// The row with those unknown generated cells that another row of the same definition tells: a
    /// generated column has the same value where all columns that its expression names have.
    #[must_use]
    pub fn filled(&self, id: DefinitionId, row: &Image, other: &Image) -> Option<Image> {
        generated::filled(self.known(id)?, row, other)
    }

    /// A definition in which these columns are known to be generated, whatever their expressions:
    /// rows of the log leave them out. Only where the definition was learned from table maps alone.
    pub fn leave_out(&mut self, name: &TableName, columns: &[usize]) -> Option<DefinitionId> {
        let id = *self.tables.get(name)?;
        let full = generated::left_out(self.full(id), columns)?;
        let from = (0..full.columns.len()).map(Some).collect();
        let id = self.follow_up(id, full, from, ("rows of the log leave columns out", By::Nobody));
        self.tables.insert(name.clone(), id);
        Some(id)
    }

    /// The foreign keys that refer to a table and change rows of others when rows of it change,
    /// with their tables.
    #[must_use]
    pub fn children(&self, parent: &TableName) -> Vec<(TableName, ForeignKey)> {
        let to = self.foreign.to(parent).filter(|(_, key)| key.changes_rows());
        to.map(|(child, key)| (child.clone(), key.clone())).collect()
    }

    /// The tables to which foreign keys refer that change rows, and whose own foreign keys are not
    /// known.
    pub fn unknown_parents(&self) -> impl Iterator<Item = &TableName> {
        self.foreign.parents().filter(|name| !self.is_declared(name))
    }

    /// The foreign keys of a table by which its own rows change.
    #[must_use]
    pub fn followed_keys(&self, child: &TableName) -> Vec<ForeignKey> {
        self.foreign.of(child).iter().filter(|k| k.changes_rows()).cloned().collect()
    }

    /// Where the end of a row's time is among the columns of a system-versioned table: its rows of
    /// now have [`END_OF_TIME`] there, others are of the past.
    #[must_use]
    pub fn row_end(&self, id: DefinitionId) -> Option<usize> {
        let full = &self.known(id)?.full;
        full.versioned.then(|| full.position(versioned::ROW_END)).flatten()
    }

    /// The tables whose rows a MERGE table shows: a change of a row of it is one of a row of
    /// theirs.
    #[must_use]
    pub fn united(&self, name: &TableName) -> &[TableName] {
        self.united.get(name).map_or(&[], Vec::as_slice)
    }

    /// All tables whose rows may change when rows of this one do, by foreign keys alone.
    #[must_use]
    pub fn below(&self, table: &TableName) -> BTreeSet<TableName> {
        self.foreign.below(table)
    }

    /// The generated columns that may be computed from some columns: those whose expressions have a
    /// word of such a name.
    #[must_use]
    pub fn dependents(&self, id: DefinitionId, columns: &[&str]) -> Vec<usize> {
        let Some(known) = self.known(id) else { return Vec::new() };
        let uses = |expression: &String| {
            let expression = expression.to_lowercase();
            // More than words: a name with other characters in it is no one word.
            columns.iter().any(|column| expression.contains(&column.to_lowercase()))
        };
        let columns = known.full.columns.iter().enumerate();
        columns.filter(|(_, c)| c.generated.as_ref().is_some_and(uses)).map(|(at, _)| at).collect()
    }

    /// The columns of each unique index beside the primary key; `None`: the record does not tell
    /// the indexes.
    #[must_use]
    pub fn unique(&self, id: DefinitionId) -> Option<Vec<Vec<String>>> {
        let full = &self.known(id)?.full;
        let unique = full.indexes.iter().filter(|index| index.unique).map(|index| index.columns.clone());
        (!full.inferred).then(|| unique.collect())
    }

    /// The foreign keys of a table, and those to it; `None`: the record does not tell them.
    #[must_use]
    pub fn references(&self, name: &TableName) -> Option<Vec<Reference>> {
        if !self.is_declared(name) {
            return None;
        }
        let own = self.foreign.of(name).iter().map(|key| (name, key));
        let to = self.foreign.to(name).filter(|(child, _)| *child != name);
        let reference = |(child, key): (&TableName, &ForeignKey)| {
            let parent = self.current(&key.parent).and_then(|id| self.definition(id));
            let referenced = if key.referenced.is_empty() {
                parent.map(|p| p.primary_key.clone()).unwrap_or_default()
            } else {
                key.referenced.clone()
            };
            Reference {
                child: child.clone(),
                columns: key.columns.clone(),
                parent: key.parent.clone(),
                referenced,
                changes_rows: key.changes_rows(),
            }
        };
        Some(own.chain(to).map(reference).collect())
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
            collation_certain: false,
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
