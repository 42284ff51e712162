//! Where definitions changed last in a part of the log that has not been taken in yet: from there
//! to its end a table is as it is now.

use super::log::{Change, CommittedTransaction};
use super::schema::{self, Touched};
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;
use std::collections::HashMap;

const SECOND: i64 = 1_000_000;

/// The last statement that can have changed a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastStatement<P> {
    /// How many were noted before it.
    order: u64,
    /// After it.
    pub position: P,
    /// When it was committed.
    pub at: Timestamp,
    /// Its text, or why it is not known what happened.
    pub what: String,
}

/// The last statement about each table; `P`: a position in the log.
#[derive(Clone, Debug)]
pub struct LastStatements<P> {
    /// Names in lower case: servers can take two that differ in case alone for one.
    tables: HashMap<TableName, LastStatement<P>>,
    schemas: HashMap<String, LastStatement<P>>,
    any: Option<LastStatement<P>>,
    noted: u64,
}

impl<P> Default for LastStatements<P> {
    fn default() -> Self {
        Self { tables: HashMap::new(), schemas: HashMap::new(), any: None, noted: 0 }
    }
}

impl<P: Clone> LastStatements<P> {
    /// Takes the statements of a transaction in, which ends at this position.
    pub fn note(&mut self, entry: CommittedTransaction, position: &P) {
        for change in entry.changes {
            let (touched, what) = match change {
                Err(error) => return self.unknown(position, &error.to_string()),
                Ok(Change::Rows(_)) => continue,
                Ok(Change::Statement(statement)) => (schema::touched(&statement), statement.sql),
                Ok(Change::Unfollowable { tables, reason }) => {
                    let any = tables.is_empty();
                    (Touched { tables, schemas: Vec::new(), any }, reason)
                }
            };
            let Touched { tables, schemas, any } = touched;
            if tables.is_empty() && schemas.is_empty() && !any {
                continue;
            }
            let what = schema::excerpt(&what);
            self.noted += 1;
            let last =
                LastStatement { order: self.noted, position: position.clone(), at: entry.committed, what };
            for table in tables {
                self.tables.insert(table.to_lowercase(), last.clone());
            }
            for schema in schemas {
                self.schemas.insert(schema.to_lowercase(), last.clone());
            }
            if any {
                self.any = Some(last);
            }
        }
    }

    /// What is from here on cannot be read, and may be about any table, at any time.
    pub fn unknown(&mut self, position: &P, why: &str) {
        self.noted += 1;
        let at = Timestamp::from_micros(i64::MAX);
        self.any =
            Some(LastStatement { order: self.noted, position: position.clone(), at, what: why.to_owned() });
    }

    /// The last statement that can have changed the definition of this table; `None`: there is
    /// none, and it is the same throughout.
    #[must_use]
    pub fn of(&self, name: &TableName) -> Option<&LastStatement<P>> {
        let name = name.to_lowercase();
        let all = [self.tables.get(&name), self.schemas.get(&name.schema), self.any.as_ref()];
        all.into_iter().flatten().max_by_key(|last| last.order)
    }
}

/// Why a table is not known before a statement that is further on in the log: a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownBefore<P> {
    /// What is given as its definition is from after that statement.
    #[error(
        "what its definition was before a statement of {} is not known, and its record begins after that: {}",
        .0.at, .0.what
    )]
    Statement(LastStatement<P>),
    /// What is given as its definition may be from before it.
    #[error("whether the dump given by --schema is older than a statement of {} is not known: {}", .0.at, .0.what)]
    OldDump(LastStatement<P>),
}

impl<P> LastStatement<P> {
    /// It was carried out by then: some servers stamp it in whole seconds.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        Timestamp::from_micros(self.at.micros().saturating_add(SECOND))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{BinlogPosition, LoggedStatement, Origin, ServerVersion, Stamp};

    fn statement(sql: &str) -> CommittedTransaction {
        let at = Timestamp::from_micros(1_000_000);
        let plain = LoggedStatement::plain(sql, ServerVersion::default(), at);
        CommittedTransaction {
            gtid: None,
            committed: at,
            stamp: Stamp::Commit,
            position: BinlogPosition { file: "b.000001".into(), offset: 4 },
            origin: Origin::default(),
            changes: vec![Change::Statement(LoggedStatement { schema: Some("s".into()), ..plain })].into(),
        }
    }

    #[test]
    fn the_last_statement_counts() {
        let mut last = LastStatements::default();
        for (position, sql) in [
            (1, "ALTER TABLE t ADD a INT"),
            (2, "ALTER TABLE T ADD b INT"),
            (3, "DROP DATABASE x"),
            (4, "ALTER TABLE u ADD a INT"),
        ] {
            last.note(statement(sql), &position);
        }
        let name = |schema: &str, table: &str| TableName { schema: schema.into(), table: table.into() };
        let position = |schema, table| last.of(&name(schema, table)).map(|l| l.position);
        assert_eq!([position("s", "t"), position("s", "u"), position("x", "y")], [Some(2), Some(4), Some(3)]);
        assert_eq!(position("s", "v"), None);
        let why = UnknownBefore::Statement(last.of(&name("s", "t")).unwrap().clone()).to_string();
        assert!(why.ends_with("begins after that: ALTER TABLE T ADD b INT"), "{why}");
        last.note(statement("NO SUCH STATEMENT"), &9);
        assert_eq!(last.of(&name("s", "v")).map(|l| l.position), Some(9));
    }
}
