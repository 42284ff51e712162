//! The server whose history is checked: its rows, its position in the log, its clock. It is only
//! read.

#![expect(clippy::wildcard_enum_match_arm, reason = "the text protocol has strings and NULL alone")]

use super::key::{Wanted, quoted};
use dbtrail_history::source::{SourceConfig, Tls};
use dbtrail_types::column::{Column, ColumnType, TableDefinition};
use dbtrail_types::names::TableName;
use dbtrail_types::secret::Secret;
use dbtrail_types::timestamp::{AsOf, Timestamp};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, SslOpts, Value};
use std::collections::BTreeSet;

/// Schemas of the server's own.
const OWN: [&str; 4] = ["mysql", "information_schema", "performance_schema", "sys"];
/// ER_NO_SUCH_TABLE, ER_BAD_DB_ERROR.
const NO_TABLE: [u16; 2] = [1146, 1049];

/// What a session begins with.
const SESSION: [&str; 2] =
    ["SET NAMES utf8mb4, time_zone = '+00:00', sql_mode = ''", "SET SESSION TRANSACTION READ ONLY"];

/// Bytes of rows that are held at a time.
const HELD_BYTES: usize = 64 << 20;

/// Cells of a row.
pub(super) type Row = Vec<Option<Vec<u8>>>;

/// A connection.
#[derive(Debug)]
pub(super) struct ServerReader {
    conn: Conn,
    mariadb: bool,
}

/// What the server has of a table.
#[derive(Debug)]
pub(super) enum Read {
    /// Rows.
    Rows(Vec<Row>),
    /// There is no such table.
    Absent,
    /// More than may be held.
    TooMany,
}

fn bare_float(column: &Column) -> bool {
    matches!(column.ty, ColumnType::Float { digits: None, zerofill: false, .. })
}

impl ServerReader {
    pub(super) async fn open(url: &str, password: Option<&Secret>) -> Result<Self, String> {
        let options = Opts::from_url(url).map_err(|e| format!("--source: {e}"))?;
        let mut options = OptsBuilder::from_opts(options).prefer_socket(false);
        if let Some(password) = password {
            options = options.pass(Some(password.expose()));
        }
        Self::begin(options).await
    }

    /// The server that an agent captures from, by the agent's account.
    pub(super) async fn of(source: &SourceConfig) -> Result<Self, String> {
        let tls = match &source.tls {
            Tls::Off => None,
            Tls::Encrypted => Some(
                SslOpts::default()
                    .with_danger_accept_invalid_certs(true)
                    .with_danger_skip_domain_validation(true),
            ),
            Tls::Verified { ca, name } => Some(
                SslOpts::default()
                    .with_root_certs(vec![ca.clone().into()])
                    .with_disable_built_in_roots(true)
                    .with_danger_skip_domain_validation(!name),
            ),
        };
        let options = OptsBuilder::default()
            .ip_or_hostname(source.host.clone())
            .tcp_port(source.port)
            .user(Some(source.user.clone()))
            .pass(Some(source.password.expose()))
            .ssl_opts(tls)
            .prefer_socket(false);
        Self::begin(options).await
    }

    /// Rows of all tables, as the server estimates them.
    pub(super) async fn estimate(&mut self) -> Result<u64, String> {
        let own = OWN.map(|schema| format!("'{schema}'")).join(", ");
        let asked = format!(
            "SELECT CAST(COALESCE(SUM(TABLE_ROWS), 0) AS UNSIGNED) FROM information_schema.TABLES WHERE TABLE_SCHEMA NOT IN ({own})"
        );
        let rows: Option<u64> = self.conn.query_first(asked).await.map_err(|e| reported(&e))?;
        Ok(rows.unwrap_or(0))
    }

    async fn begin(options: OptsBuilder) -> Result<Self, String> {
        let mut conn = Conn::new(options).await.map_err(|e| reported(&e))?;
        for statement in SESSION {
            conn.query_drop(statement).await.map_err(|e| reported(&e))?;
        }
        let version: Option<String> = conn.query_first("SELECT VERSION()").await.map_err(|e| reported(&e))?;
        let mariadb = version.is_some_and(|v| v.contains("MariaDB"));
        Ok(Self { conn, mariadb })
    }

    /// How far a commit may be stamped from where its rows were seen, in microseconds: MariaDB
    /// stamps whole seconds.
    pub(super) fn slack(&self) -> i64 {
        if self.mariadb { 2_000_000 } else { 700_000 }
    }

    /// The transactions that are in the log, as GTIDs.
    pub(super) async fn position(&mut self) -> Result<AsOf, String> {
        let variable = if self.mariadb { "gtid_binlog_pos" } else { "gtid_executed" };
        let asked = format!("SELECT @@GLOBAL.{variable}");
        let text: Option<String> = self.conn.query_first(asked).await.map_err(|e| reported(&e))?;
        let text = text.unwrap_or_default().replace(['\n', ' '], "");
        if text.is_empty() {
            return Err(format!(
                "the server logs no GTIDs (@@{variable} is empty): by them rows and history are compared at one position of the log"
            ));
        }
        Ok(AsOf::Gtid(text))
    }

    /// The clock of the server, to the microsecond.
    pub(super) async fn clock(&mut self) -> Result<Timestamp, String> {
        let asked = "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)";
        let micros: Option<i64> = self.conn.query_first(asked).await.map_err(|e| reported(&e))?;
        micros.map(Timestamp::from_micros).ok_or_else(|| "the server tells no time".to_owned())
    }

    /// Its tables, without its own and without views.
    pub(super) async fn tables(&mut self) -> Result<BTreeSet<TableName>, String> {
        let asked =
            "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE'";
        let found: Vec<(String, String)> = self.conn.query(asked).await.map_err(|e| reported(&e))?;
        let found = found.into_iter().map(|(schema, table)| TableName { schema, table });
        Ok(found.filter(|t| !OWN.contains(&t.schema.to_lowercase().as_str())).collect())
    }

    /// The names of a table's columns, in their order; none: there is no such table.
    pub(super) async fn columns(&mut self, table: &TableName) -> Result<Vec<String>, String> {
        let asked = "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION";
        let named = (table.schema.as_str(), table.table.as_str());
        self.conn.exec(asked, named).await.map_err(|e| reported(&e))
    }

    /// The value of the key column that ends a piece of so many rows; `None`: the table ends there.
    pub(super) async fn boundary(
        &mut self,
        table: &TableName,
        column: &Column,
        after: Option<&str>,
        rows: u32,
    ) -> Result<Option<Vec<u8>>, String> {
        let name = quoted(&column.name);
        let after = after.map(|literal| format!(" WHERE {name} > {literal}")).unwrap_or_default();
        let from = position(table);
        let offset = rows.saturating_sub(1);
        let asked = format!("SELECT {name} FROM {from}{after} ORDER BY {name} LIMIT 1 OFFSET {offset}");
        match self.read(&asked, 1).await? {
            Read::Rows(rows) => Ok(rows.into_iter().next().and_then(|row| row.into_iter().next().flatten())),
            Read::Absent | Read::TooMany => Ok(None),
        }
    }

    /// Rows as one statement sees them: `columns` of the definition, in its order. `most`: rows.
    pub(super) async fn rows(
        &mut self,
        table: &TableName,
        definition: &TableDefinition,
        wanted: &Wanted,
        most: usize,
    ) -> Result<Read, String> {
        // The text of a FLOAT has six digits; that of a DOUBLE has all.
        let shown = definition.columns.iter().map(|column| {
            let name = quoted(&column.name);
            if bare_float(column) { format!("{name} * 1e0") } else { name }
        });
        let columns = shown.collect::<Vec<_>>().join(", ");
        let limit = most.saturating_add(1);
        let asked = format!("SELECT {columns} FROM {}{} LIMIT {limit}", position(table), wanted.condition());
        self.read(&asked, most).await
    }

    async fn read(&mut self, asked: &str, most: usize) -> Result<Read, String> {
        let mut answer = match self.conn.query_iter(asked).await {
            Ok(answer) => answer,
            Err(mysql_async::Error::Server(e)) if NO_TABLE.contains(&e.code) => return Ok(Read::Absent),
            Err(e) => return Err(reported(&e)),
        };
        let cell = |value| match value {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        };
        let (mut rows, mut bytes) = (Vec::new(), 0_usize);
        while let Some(row) = answer.next().await.map_err(|e| reported(&e))? {
            let row: Row = row.unwrap().into_iter().map(cell).collect();
            bytes += row.iter().flatten().map(Vec::len).sum::<usize>() + size_of_val(row.as_slice());
            rows.push(row);
            if rows.len() > most || bytes > HELD_BYTES {
                answer.drop_result().await.map_err(|e| reported(&e))?;
                return Ok(Read::TooMany);
            }
        }
        Ok(Read::Rows(rows))
    }
}

fn position(table: &TableName) -> String {
    format!("{}.{}", quoted(&table.schema), quoted(&table.table))
}

fn reported(error: &mysql_async::Error) -> String {
    format!("the source: {error}")
}
