//! What to know before capturing: settings, privileges and tables of the server that are in the
//! way, and what to type to fix it.

mod judge;
mod shortfall;

use super::SourceError;
use super::client::{Client, ClientError, text};
use super::config::SourceConfig;
use super::facts::Facts;
use super::session::{Session, quoted_table};
use crate::log::{ServerVersion, SourceTime};
use dbtrail_types::names::TableName;
use std::time::Duration;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Something is not captured, or not for ever.
    Warn,
    /// Nothing can be captured like this.
    Refuse,
}

/// One line of a preflight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// A sentence that says what was found.
    pub what: String,
    /// What to type or do; empty where there is nothing to do.
    pub fix: String,
}

/// Errors that say that a privilege is missing: access denied to a schema, for a user, to a table
/// or column, or for want of one by name.
const DENIED: [u16; 5] = [1044, 1045, 1142, 1143, 1227];

/// What was asked of the server.
#[derive(Clone, Debug)]
struct Survey {
    facts: Facts,
    /// CURRENT_USER().
    account: String,
    server_id: u32,
    encrypted: bool,
    local: bool,
    may_follow: bool,
    may_see_log: bool,
    may_see_processes: bool,
    /// Captured tables that may not be read.
    closed: Vec<TableName>,
    tables: Vec<Table>,
    /// server_id of the replicas that are connected.
    replicas: Vec<u32>,
    /// binlog_do_db and binlog_ignore_db.
    filters: (String, String),
    /// Whether it applies transactions of another server.
    applies: bool,
    /// Which time of what it applied counts.
    time: SourceTime,
    /// How much history is wanted.
    keep: Option<Duration>,
}

/// A captured table.
#[derive(Clone, Debug)]
struct Table {
    name: TableName,
    /// What of it is not captured.
    shortfalls: Vec<shortfall::Shortfall>,
}

/// Looks at the server. What weighs most comes first.
///
/// # Errors
/// It cannot be asked at all.
pub async fn preflight(config: &SourceConfig, keep: Option<Duration>) -> Result<Vec<Finding>, SourceError> {
    let mut session = Session::open(config).await?;
    let survey = survey(config, &mut session, keep).await?;
    let mut findings = judge::findings(&survey);
    findings.sort_by_key(|f| std::cmp::Reverse(f.severity));
    Ok(findings)
}

async fn survey(
    config: &SourceConfig,
    session: &mut Session,
    keep: Option<Duration>,
) -> Result<Survey, SourceError> {
    let tables = tables(config, session).await?;
    let mut closed = Vec::new();
    for table in &tables {
        let sql = format!("SELECT * FROM {} LIMIT 0", quoted_table(&table.name));
        if !may(session.client.execute(&sql).await)? {
            closed.push(table.name.clone());
        }
    }
    let status =
        if session.facts.has_binary_log_status() { "SHOW BINARY LOG STATUS" } else { "SHOW MASTER STATUS" };
    let (may_see_log, filters) = match session.client.texts(status).await {
        Ok(row) => {
            let mut cells = row.unwrap_or_default().into_iter().skip(2).map(Option::unwrap_or_default);
            (true, (cells.next().unwrap_or_default(), cells.next().unwrap_or_default()))
        }
        Err(e) => (may(Err(e))?, (String::new(), String::new())),
    };
    let processes = may_see_processes(session).await?;
    // Before this program registers under its number itself: the server forgets that some time
    // after the connection is gone.
    let replicas = replicas(session).await?;
    Ok(Survey {
        account: session.client.one("SELECT CURRENT_USER()").await?.unwrap_or_default(),
        server_id: config.server_id,
        encrypted: config.tls != super::Tls::Off,
        local: matches!(config.host.as_str(), "localhost" | "::1") || config.host.starts_with("127."),
        may_follow: may_follow(config).await?,
        may_see_log,
        may_see_processes: processes,
        closed,
        tables,
        replicas,
        filters,
        applies: processes && applies(session).await?,
        facts: session.facts.clone(),
        time: config.source_time,
        keep,
    })
}

/// Whether a statement went through; an error other than a missing privilege is one.
fn may(result: Result<(), ClientError>) -> Result<bool, ClientError> {
    match result {
        Ok(()) => Ok(true),
        Err(e) if e.code().is_some_and(|c| DENIED.contains(&c)) => Ok(false),
        Err(e) => Err(e),
    }
}

/// Whether the account sees the statements of others: this table is shown to those only who do (on
/// both families), if a row is asked for.
pub(super) async fn may_see_processes(session: &mut Session) -> Result<bool, ClientError> {
    may(session.client.execute("SELECT 1 FROM information_schema.INNODB_TRX LIMIT 1").await)
}

/// Registers as a replica would, on a connection of its own.
async fn may_follow(config: &SourceConfig) -> Result<bool, ClientError> {
    let mut client = Client::connect(config).await?;
    may(client.register(config.server_id).await)
}

async fn tables(config: &SourceConfig, session: &mut Session) -> Result<Vec<Table>, SourceError> {
    let all = "SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE FROM information_schema.TABLES \
               WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY TABLE_SCHEMA, TABLE_NAME";
    let rows = session.client.query(all).await?;
    let identity = &session.facts.identity;
    let server = ServerVersion { mariadb: identity.mariadb, ..ServerVersion::read(&identity.version) };
    let mut tables = Vec::new();
    for (name, engine) in rows.into_iter().filter_map(named) {
        if !session.captures(config, &name) {
            continue;
        }
        let declared = match session.declared(&name).await {
            Ok(declared) => declared,
            // It is among those that may not be read, which says enough.
            Err(e) => may(Err(e)).map(|_| None)?,
        };
        let shortfalls =
            declared.map(|create| shortfall::of(&name, &create, &engine, server)).unwrap_or_default();
        tables.push(Table { name, shortfalls });
    }
    Ok(tables)
}

/// Schema, table, and what follows them.
fn named(row: dbtrail_types::result_set::Row) -> Option<(TableName, String)> {
    let mut cells = row.into_iter().map(text);
    let (schema, table) = (cells.next()??, cells.next()??);
    Some((TableName { schema, table }, cells.next().flatten().unwrap_or_default()))
}

/// The numbers of connected replicas; none where that may not be asked.
async fn replicas(session: &mut Session) -> Result<Vec<u32>, ClientError> {
    let old = session.facts.mariadb() || session.facts.number < (8, 0, 22);
    let sql = if old { "SHOW SLAVE HOSTS" } else { "SHOW REPLICAS" };
    match session.client.query(sql).await {
        Ok(rows) => {
            let number = |row: dbtrail_types::result_set::Row| text(row.into_iter().next()?)?.parse().ok();
            Ok(rows.into_iter().filter_map(number).collect())
        }
        Err(e) => may(Err(e)).map(|_| Vec::new()),
    }
}

async fn applies(session: &mut Session) -> Result<bool, ClientError> {
    let sql = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'system user' AND COMMAND <> 'Daemon'";
    let running = session.client.one(sql).await?.is_some_and(|n| n != "0");
    Ok(running || super::replica::is_one(session).await?)
}
