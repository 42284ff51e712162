//! Every way in which rows of a table change, come or go and no row event of the log says so.
//!
//! This is the one list: what follows the log takes its words from here, `docs/agent.md` has a line
//! for each (tests/it/silent_changes.rs holds the two to one another), and
//! [`SilentChange::handled`] says where it is dealt with. A new way is a new variant, and the
//! compiler asks for the rest.

/// A way in which rows change without a row event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SilentChange {
    /// ON DELETE and ON UPDATE with CASCADE or SET NULL, of keys that are known.
    ForeignKeys,
    /// The same of keys that the record does not hold.
    UnknownForeignKeys,
    /// TRUNCATE PARTITION and DROP PARTITION.
    EmptiedPartitions,
    /// Statements that lay rows into other partitions.
    RearrangedPartitions,
    /// EXCHANGE PARTITION.
    ExchangedPartition,
    /// CONVERT PARTITION and CONVERT TABLE (MariaDB).
    ConvertedPartition,
    /// ALTER IGNORE TABLE (MariaDB).
    Ignore,
    /// INSERTs whose rows MariaDB gathers.
    BulkInsert,
    /// A column of the key becomes AUTO_INCREMENT.
    Numbered,
    /// REPAIR TABLE and REPAIR PARTITION.
    Repair,
    /// DISCARD TABLESPACE and IMPORT TABLESPACE.
    Tablespace,
    /// Tables that are the rows of others.
    Merge,
    /// Tables that keep no rows.
    Blackhole,
    /// Tables whose rows are on another server, or in files of others.
    Elsewhere,
    /// Tables in memory, when the server starts again.
    Memory,
    /// System-versioned tables, whose rows of the past are rows too (MariaDB).
    Versioned,
    /// A session that does not log.
    Unlogged,
    /// A statement in text form.
    Statement,
}

impl SilentChange {
    /// All of them, in the order of the table in `docs/agent.md`.
    pub const ALL: [Self; 18] = [
        Self::ForeignKeys,
        Self::UnknownForeignKeys,
        Self::EmptiedPartitions,
        Self::RearrangedPartitions,
        Self::ExchangedPartition,
        Self::ConvertedPartition,
        Self::Ignore,
        Self::BulkInsert,
        Self::Numbered,
        Self::Repair,
        Self::Tablespace,
        Self::Merge,
        Self::Blackhole,
        Self::Elsewhere,
        Self::Memory,
        Self::Versioned,
        Self::Unlogged,
        Self::Statement,
    ];

    /// What `docs/agent.md` calls it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::ForeignKeys => "foreign keys: CASCADE, SET NULL",
            Self::UnknownForeignKeys => {
                "foreign keys that the log files do not hold (the tables were made before them)"
            }
            Self::EmptiedPartitions => "TRUNCATE PARTITION, DROP PARTITION",
            Self::RearrangedPartitions => {
                "ADD, REORGANIZE, COALESCE, REBUILD, ANALYZE, CHECK, OPTIMIZE PARTITION; REMOVE PARTITIONING"
            }
            Self::ExchangedPartition => "EXCHANGE PARTITION",
            Self::ConvertedPartition => "CONVERT PARTITION, CONVERT TABLE (MariaDB)",
            Self::Ignore => "ALTER IGNORE (MariaDB)",
            Self::BulkInsert => "rows that go into an empty table all at once (MariaDB)",
            Self::Numbered => "a column of the key becomes AUTO_INCREMENT",
            Self::Repair => "REPAIR TABLE, REPAIR PARTITION",
            Self::Tablespace => "DISCARD and IMPORT TABLESPACE",
            Self::Merge => "ENGINE=MERGE",
            Self::Blackhole => "ENGINE=BLACKHOLE",
            Self::Elsewhere => "ENGINE=FEDERATED, CONNECT, SPIDER, S3",
            Self::Memory => "ENGINE=MEMORY, after a restart of the server",
            Self::Versioned => "system-versioned tables (MariaDB)",
            Self::Unlogged => "`sql_log_bin=0`",
            Self::Statement => "a statement logged as text (`binlog_format` of a session)",
        }
    }

    /// Why rows are not known where it cannot be followed, as messages say it before they name the
    /// statement.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::ForeignKeys | Self::UnknownForeignKeys => "a foreign key changed rows that are not logged",
            Self::EmptiedPartitions => "in which partitions its rows lie is not known",
            Self::RearrangedPartitions => "its partitions were laid out again",
            Self::ExchangedPartition => "rows of the two tables are exchanged",
            Self::ConvertedPartition => "rows of a table and of a partition of another are exchanged",
            Self::Ignore => "under IGNORE rows vanish without a word",
            Self::BulkInsert => {
                "MariaDB inserted rows into the empty table all at once, and may have kept fewer of them than it logged"
            }
            Self::Numbered => {
                "a column of its primary key became AUTO_INCREMENT, which gives rows with 0 in it other numbers"
            }
            Self::Repair => "it drops rows that it cannot read",
            Self::Tablespace => "the rows of the table are those of a file that is put in or taken away",
            Self::Merge => "its rows are those of the tables in its UNION",
            Self::Blackhole => "it keeps no rows",
            Self::Elsewhere => "its rows can change without this server's log",
            Self::Memory => "it is empty when the server starts again",
            Self::Versioned => "which of its rows are rows of now is not known",
            Self::Unlogged => "a row was changed without the log",
            Self::Statement => "rows were changed by a statement",
        }
    }

    /// The module that deals with it.
    #[must_use]
    pub fn handled(self) -> &'static str {
        match self {
            Self::ForeignKeys => "ingest::cascade, ingest::references",
            Self::UnknownForeignKeys => "ingest::cascade",
            Self::EmptiedPartitions | Self::ExchangedPartition | Self::ConvertedPartition => {
                "schema::ddl, schema::partition, ingest::partitions"
            }
            Self::RearrangedPartitions => "schema::ddl, schema::partition",
            Self::Ignore | Self::Repair | Self::Tablespace | Self::Memory => "schema::ddl",
            Self::BulkInsert => "ingest::bulk_insert",
            Self::Numbered => "ingest::numbered",
            Self::Merge => "schema::engines, ingest::cascade",
            Self::Blackhole | Self::Elsewhere => "schema::engines",
            Self::Versioned => "schema::versioned, ingest::rows",
            Self::Unlogged => "ingest::rows",
            Self::Statement => "schema::reach, schema::links",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Catalog, Effect};
    use super::SilentChange;
    use crate::log::{LoggedStatement, ServerVersion};
    use dbtrail_types::timestamp::Timestamp;

    fn run(catalog: &mut Catalog, sql: &str) -> Vec<Effect> {
        let server = ServerVersion { mariadb: true, number: (11, 8), patch: 9 };
        let plain = LoggedStatement::plain(sql, server, Timestamp::from_micros(0));
        catalog.apply(&LoggedStatement { schema: Some("s".to_owned()), sql_mode: Some(0), ..plain })
    }

    /// The ways of which no recorded log tells: what a statement makes of a table with rows.
    #[test]
    fn statements_put_rows_in_doubt_with_their_reason() {
        for (sql, change) in [
            ("ALTER TABLE t IMPORT TABLESPACE", SilentChange::Tablespace),
            ("ALTER TABLE t DISCARD TABLESPACE", SilentChange::Tablespace),
            ("ALTER TABLE t DISCARD PARTITION p0 TABLESPACE", SilentChange::Tablespace),
            ("ALTER TABLE t IMPORT PARTITION p0 TABLESPACE", SilentChange::Tablespace),
            ("ALTER TABLE t REPAIR PARTITION ALL", SilentChange::Repair),
            ("REPAIR TABLE t", SilentChange::Repair),
            ("ALTER IGNORE TABLE t ADD UNIQUE (v)", SilentChange::Ignore),
            ("ALTER TABLE t TRUNCATE PARTITION nowhere", SilentChange::EmptiedPartitions),
            ("ALTER TABLE t EXCHANGE PARTITION nowhere WITH TABLE u", SilentChange::ExchangedPartition),
            ("ALTER TABLE t CONVERT PARTITION nowhere TO TABLE u", SilentChange::ConvertedPartition),
        ] {
            let mut catalog = Catalog::default();
            run(
                &mut catalog,
                "CREATE TABLE t (id INT PRIMARY KEY, v INT) PARTITION BY HASH (id) PARTITIONS 2",
            );
            let effects = run(&mut catalog, sql);
            let reported = effects.iter().any(|e| {
                matches!(e, Effect::RowsUnknown(name, why) if name.table == "t" && why.to_string() == format!("{}: {sql}", change.reason()))
            });
            assert!(reported, "{sql}: {effects:?}");
        }
    }

    #[test]
    fn tables_whose_rows_are_elsewhere_are_refused() {
        for (engine, change) in [
            ("FEDERATED CONNECTION='mysql://x@h/s/t'", SilentChange::Elsewhere),
            ("CONNECT TABLE_TYPE=CSV", SilentChange::Elsewhere),
            ("SPIDER", SilentChange::Elsewhere),
            ("S3", SilentChange::Elsewhere),
            ("BLACKHOLE", SilentChange::Blackhole),
            ("MERGE UNION=(a, b)", SilentChange::Merge),
        ] {
            let effects =
                run(&mut Catalog::default(), &format!("CREATE TABLE t (id INT PRIMARY KEY) ENGINE={engine}"));
            let refused = effects.iter().any(
                |e| matches!(e, Effect::Unreadable(_, why) if why.to_string().contains(change.reason())),
            );
            assert!(refused, "{engine}: {effects:?}");
        }
    }

    /// What MariaDB 11.8 and MySQL 9.7 log at the first access to a MEMORY table after a restart.
    #[test]
    fn a_memory_table_is_empty_after_a_restart() {
        for sql in [
            "TRUNCATE TABLE `s`.`t` /* generated by server, implicitly emptying in-memory table */",
            "DELETE FROM `s`.`t` /* generated by server */",
        ] {
            let mut catalog = Catalog::default();
            run(&mut catalog, "CREATE TABLE t (id INT PRIMARY KEY) ENGINE=MEMORY");
            let effects = run(&mut catalog, sql);
            assert!(
                matches!(effects.as_slice(), [Effect::Truncated(name)] if name.table == "t"),
                "{effects:?}"
            );
        }
    }

    #[test]
    fn the_list_has_each_way_once() {
        for (at, change) in SilentChange::ALL.iter().enumerate() {
            assert!(
                !SilentChange::ALL.iter().skip(at + 1).any(|w| w == change || w.title() == change.title()),
                "{change:?}"
            );
            assert!(!change.reason().is_empty() && change.handled().contains("::"), "{change:?}");
        }
    }
}
