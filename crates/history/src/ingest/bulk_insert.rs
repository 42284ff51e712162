//! Rows that MariaDB logs and does not keep.
//!
//! With unique_checks and foreign_key_checks off, which is how dumps are loaded, MariaDB (10.6 and
//! newer) gathers the rows of an INSERT into an empty InnoDB table, and writes them when the
//! transaction ends. Seen on 10.11 and 11.8: where a later statement of the transaction fails, all
//! of them are gone, while the log has them; where rows are duplicates and INSERT IGNORE passes
//! over them, all or some. CREATE TABLE ... IGNORE SELECT does so with both checks on.
//!
//! A statement that failed is in no log, so none of these rows is certain: of a server that is
//! captured, the table is read again, and from log files its rows are known when they change.

use super::Ingest;
use crate::engine::{StoreError, Table};
use crate::log::RowsEvent;
use crate::names::TableState;
use crate::record::Baseline;
use crate::schema::SilentChange;
use crate::store::{GenerationId, prefix_end};
use dbtrail_types::agent_api::EventType;
use dbtrail_types::names::TableName;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is known of such rows.
#[derive(Debug, Default)]
pub(super) struct BulkInserts {
    /// Tables into which the entry may have inserted fewer rows than its log has.
    tables: Vec<TableName>,
    /// Generations into which rows were inserted since the start.
    filled: BTreeSet<GenerationId>,
    /// The statement that was looked at last, which may have many events, and what it says.
    statement: Option<(Arc<str>, Words)>,
}

/// Words that a statement has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Words {
    create: bool,
    ignore: bool,
}

impl BulkInserts {
    fn words(&mut self, statement: Option<&Arc<str>>) -> Words {
        let Some(statement) = statement else { return Words::default() };
        match &self.statement {
            Some((last, words)) if Arc::ptr_eq(last, statement) => *words,
            Some(_) | None => {
                let words = Words::of(statement);
                self.statement = Some((Arc::clone(statement), words));
                words
            }
        }
    }
}

impl Ingest {
    /// Rows of an event are about to come: notes its table where the server may not have kept them.
    pub(super) fn inserts_in_bulk(&mut self, event: &RowsEvent) -> Result<(), StoreError> {
        let name = &event.table.name;
        if event.kind != EventType::Insert || !event.table.server.mariadb {
            return Ok(());
        }
        let TableState::Table(generation, _) = self.names.current(name) else { return Ok(()) };
        let unchecked = !event.statement.checks && !event.statement.unique_checks;
        let is_new = !self.bulk_inserts.filled.contains(&generation);
        if (is_new || unchecked) && !self.bulk_inserts.tables.contains(name) {
            let Words { create, ignore } = self.bulk_inserts.words(event.text.as_ref());
            if ignore && (create || unchecked) || unchecked && self.is_known_to_be_empty(generation)? {
                self.bulk_inserts.tables.push(name.clone());
            }
        }
        self.bulk_inserts.filled.insert(generation);
        Ok(())
    }

    fn is_known_to_be_empty(&mut self, generation: GenerationId) -> Result<bool, StoreError> {
        let known = self.generations.get(generation.0 as usize);
        let is_whole = known.is_some_and(|g| g.complete || g.baseline == Baseline::Complete);
        if !is_whole || self.bulk_inserts.filled.contains(&generation) {
            return Ok(false);
        }
        let (from, snapshot) = (generation.0.to_be_bytes(), self.committed());
        let to = prefix_end(&from);
        for table in [Table::Versions, Table::Baseline] {
            if !snapshot.scan(table, &from, &to, 1)?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The entry has come in: what is in these tables is not known.
    pub(super) fn bulk_inserts_end(&mut self) {
        for name in std::mem::take(&mut self.bulk_inserts.tables) {
            let at = self.take_number();
            self.rows_unknown(&name, at, SilentChange::BulkInsert.reason());
            self.unknown_below(&name, at);
        }
    }
}

impl Words {
    /// Wherever they are in a statement, since one too many only makes a table begin again.
    fn of(statement: &str) -> Self {
        let words = statement.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let has = |wanted: &str| words.clone().any(|word| word.eq_ignore_ascii_case(wanted));
        Self { create: has("CREATE"), ignore: has("IGNORE") }
    }
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn what_a_statement_says_of_duplicates() {
        for (statement, (create, ignore)) in [
            ("INSERT INTO t VALUES (1)", (false, false)),
            ("insert\nignore into t values (1)", (false, true)),
            ("LOAD DATA INFILE 'x' IGNORE INTO TABLE t", (false, true)),
            ("/* a */ CREATE TABLE t (PRIMARY KEY (id)) IGNORE SELECT 1 AS id", (true, true)),
            ("CREATE TABLE t IGNORE SELECT 1 AS id", (true, true)),
            ("CREATE TABLE t SELECT 1 AS ignored", (true, false)),
        ] {
            assert_eq!(Words::of(statement), Words { create, ignore }, "{statement}");
        }
    }
}
