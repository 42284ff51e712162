//! An ordinary connection: set up so that text comes in one form whatever the server's defaults
//! are, and so that nothing can be written.

use super::SourceError;
use super::client::{Client, ClientError};
use super::config::SourceConfig;
use super::facts::Facts;
use super::running::Running;
use crate::binlog_position::BinlogPosition;
use crate::capture::Declared;
use crate::schema::NO_TRIGGERS;
use crate::source_error::{NetworkFault, ProtocolFault};
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What every server takes. A long read may be held up by the writing half for as long as it takes.
const SETUP: [&str; 4] = [
    "SET NAMES utf8mb4",
    "SET SESSION time_zone = '+00:00', sql_mode = '', sql_quote_show_create = 1, autocommit = 1, lock_wait_timeout = 10, \
     wait_timeout = 86400, net_write_timeout = 86400, sql_big_selects = 1",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET SESSION TRANSACTION READ ONLY",
];
/// What only some have, or only from some version on.
const WHERE_THERE: [&str; 4] = [
    "SET SESSION show_create_table_verbosity = 1",
    "SET SESSION show_gipk_in_create_table_and_information_schema = ON",
    "SET SESSION max_execution_time = 0",
    "SET SESSION max_statement_time = 0",
];
/// ER_UNKNOWN_SYSTEM_VARIABLE.
const UNKNOWN_VARIABLE: u16 = 1193;
/// ER_NO_SUCH_TABLE, ER_BAD_DB_ERROR.
const NO_TABLE: [u16; 2] = [1146, 1049];

/// A connection for statements, to the server that the facts are of.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) facts: Facts,
    /// What its lists of processes have shown.
    pub(super) running: Running,
}

impl Session {
    /// Connects, sets the session up and learns who answers.
    pub(super) async fn open(config: &SourceConfig) -> Result<Self, ClientError> {
        let mut client = Client::connect(config).await?;
        for statement in SETUP {
            client.execute(statement).await?;
        }
        for statement in WHERE_THERE {
            match client.execute(statement).await {
                Err(e) if e.code() == Some(UNKNOWN_VARIABLE) => {}
                other => other?,
            }
        }
        let facts = Facts::ask(&mut client).await?;
        Ok(Self { client, facts, running: Running::default() })
    }

    /// The same, and fails if it is another server than `expected`: after one address there may be
    /// several.
    pub(super) async fn open_same(config: &SourceConfig, expected: &Facts) -> Result<Self, ClientError> {
        let session = Self::open(config).await?;
        if session.facts.is_of_same_server(expected) {
            return Ok(session);
        }
        Err(NetworkFault::OtherServer {
            address: config.address(),
            found: session.facts.who(),
            expected: expected.who(),
        }
        .into())
    }

    /// Whether a table of the server is one of the capture.
    pub(super) fn captures(&self, config: &SourceConfig, name: &TableName) -> bool {
        if self.facts.lower_case_table_names().is_some_and(|setting| setting != 0) {
            config.tables.to_lowercase().includes(&name.to_lowercase())
        } else {
            config.tables.includes(name)
        }
    }

    /// The server's clock.
    pub(super) async fn now(&mut self) -> Result<Timestamp, ClientError> {
        let text = self.client.one("SELECT UTC_TIMESTAMP(6)").await?.unwrap_or_default();
        timestamp(&text).ok_or_else(|| ProtocolFault::Clock(text).into())
    }

    /// The end of the log.
    pub(super) async fn log_end(&mut self) -> Result<BinlogPosition, ClientError> {
        // SHOW MASTER STATUS went with MySQL 8.4, and its successor came with 8.2.
        let sql =
            if self.facts.has_binary_log_status() { "SHOW BINARY LOG STATUS" } else { "SHOW MASTER STATUS" };
        let row = self.client.texts(sql).await?.unwrap_or_default();
        let position = |row: &[Option<String>]| {
            let (file, offset) = (row.first()?.clone()?, row.get(1)?.as_deref()?.parse().ok()?);
            Some(BinlogPosition { file, offset })
        };
        position(&row).ok_or_else(|| ProtocolFault::NoPosition(sql).into())
    }

    /// How many RESET statements it has carried out since it was started: of its log, of others.
    pub(super) async fn resets(&mut self) -> Result<u64, ClientError> {
        let row = self.client.texts("SHOW GLOBAL STATUS LIKE 'Com\\_reset'").await?.unwrap_or_default();
        Ok(row.get(1).and_then(|count| count.as_deref()?.parse().ok()).unwrap_or(0))
    }

    /// SHOW CREATE TABLE, and after it whether the server says that the table has no triggers;
    /// `None`: there is no such table, or it is a view or a sequence.
    pub(super) async fn declared(&mut self, name: &TableName) -> Result<Option<String>, ClientError> {
        let sql = format!("SHOW CREATE TABLE {}", quoted_table(name));
        let create = match self.client.texts(&sql).await {
            // A view gives four columns, its own statement in the second.
            Ok(row) => {
                row.and_then(|r| r.into_iter().nth(1)).flatten().filter(|t| t.starts_with("CREATE TABLE "))
            }
            Err(e) if e.code().is_some_and(|c| NO_TABLE.contains(&c)) => None,
            Err(e) => return Err(e),
        };
        let Some(mut create) = create else { return Ok(None) };
        if self.has_no_triggers(name).await? {
            create.push_str(NO_TRIGGERS);
        }
        Ok(Some(create))
    }

    /// Whether it is known that a table has no triggers: a list without any counts only where the
    /// account sees those of all tables.
    async fn has_no_triggers(&mut self, name: &TableName) -> Result<bool, ClientError> {
        let hex = |text: &str| hex::encode(text.as_bytes());
        let sql = format!(
            "SELECT (SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = 'TRIGGER' \
             AND GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')), \
             (SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = _utf8mb4 x'{}' AND EVENT_OBJECT_TABLE = _utf8mb4 x'{}')",
            hex(&name.schema),
            hex(&name.table)
        );
        match self.client.texts(&sql).await {
            Ok(Some(row)) => {
                let number =
                    |i: usize| row.get(i).and_then(Option::as_deref).and_then(|t| t.parse::<u64>().ok());
                let none = number(0).is_some_and(|seen| seen > 0) && number(1) == Some(0);
                Ok(none && self.privileges_are_complete().await?)
            }
            Ok(None) => Ok(false),
            Err(e) if e.is_of_statement() => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Whether a privilege on everything holds for every schema: MySQL can take it away from some
    /// (partial_revokes).
    async fn privileges_are_complete(&mut self) -> Result<bool, ClientError> {
        match self.client.texts("SELECT @@global.partial_revokes").await {
            Ok(row) => Ok(row.and_then(|r| r.into_iter().next()).flatten().as_deref() == Some("0")),
            Err(e) => match e.code() {
                Some(UNKNOWN_VARIABLE) => Ok(true),
                Some(_) => Ok(false),
                None => Err(e),
            },
        }
    }

    /// The base tables of the capture, and others that foreign keys tie to any table, with what
    /// changes when they are made again.
    async fn tables(&mut self, config: &SourceConfig) -> Result<Vec<(TableName, String)>, ClientError> {
        let tied = if config.tables.is_everything() { BTreeSet::new() } else { self.tied().await? };
        // TABLE_TYPE is VIEW, SYSTEM VIEW or SEQUENCE for others. MariaDB's system-versioned tables
        // hold rows of the past besides.
        let sql = "SELECT TABLE_SCHEMA, TABLE_NAME, CONCAT_WS('/', TABLE_TYPE, ENGINE, CREATE_TIME) FROM information_schema.TABLES \
                   WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') \
                   AND TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema') \
                   ORDER BY TABLE_SCHEMA, TABLE_NAME";
        let rows = self.client.query(sql).await?;
        let named = rows.into_iter().filter_map(|row| {
            let mut cells = row.into_iter().map(super::client::text);
            let (schema, table, made) = (cells.next()??, cells.next()??, cells.next()??);
            Some((TableName { schema, table }, made))
        });
        Ok(named.filter(|(name, _)| self.captures(config, name) || tied.contains(name)).collect())
    }

    /// The tables that have foreign keys, and those that foreign keys refer to. Asked where any
    /// account may look: which rules a foreign key has is shown only to those that may do more than
    /// read (REFERENTIAL_CONSTRAINTS on MariaDB).
    async fn tied(&mut self) -> Result<BTreeSet<TableName>, ClientError> {
        let sql = "SELECT TABLE_SCHEMA, TABLE_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE \
                   WHERE REFERENCED_TABLE_NAME IS NOT NULL";
        let mut tied = BTreeSet::new();
        for row in self.client.query(sql).await? {
            let cells: Vec<String> = row.into_iter().map_while(super::client::text).collect();
            for pair in cells.chunks_exact(2) {
                if let [schema, table] = pair {
                    tied.insert(TableName { schema: schema.clone(), table: table.clone() });
                }
            }
        }
        Ok(tied)
    }

    /// Each schema with its default collation.
    pub(super) async fn collations(&mut self) -> Result<BTreeMap<String, String>, ClientError> {
        let sql = "SELECT SCHEMA_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA";
        let rows = self.client.query(sql).await?;
        let pairs = rows.into_iter().filter_map(|row| {
            let mut cells = row.into_iter().map(super::client::text);
            Some((cells.next()??, cells.next()??))
        });
        Ok(pairs.collect())
    }

    /// The definitions of these tables, with what [`Self::tables`] tells of them.
    pub(super) async fn definitions(
        &mut self,
        config: &SourceConfig,
    ) -> Result<Vec<(Declared, String)>, SourceError> {
        let mut all = Vec::new();
        for (name, made) in self.tables(config).await? {
            match self.declared(&name).await {
                Ok(Some(create)) => all.push((Declared { name, create }, made)),
                // One that is gone meanwhile is seen when the list is read again.
                Ok(None) => {}
                // What is left out of the capture may be closed to the account, too. Then it is not
                // known what goes on through it.
                Err(error) if error.is_of_statement() && !self.captures(config, &name) => {
                    tracing::info!(table = %name, "its foreign keys cannot be read: {error}");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(all)
    }
}

/// `2026-04-27 09:00:00.123456` in UTC.
pub(super) fn timestamp(text: &str) -> Option<Timestamp> {
    format!("{}Z", text.replace(' ', "T")).parse().ok()
}

/// An identifier in backticks.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Schema and table in backticks.
pub(super) fn quoted_table(name: &TableName) -> String {
    format!("{}.{}", quoted(&name.schema), quoted(&name.table))
}
