//! Who made a change, and what else its transaction did: logs of real servers
//! (tests/data/statements) through agent and shim, for a tenant that sees all and for one that sees
//! one schema.
//!
//! Each log was written by: `CREATE DATABASE s; CREATE DATABASE hidden; CREATE TABLE s.t ...;
//! CREATE TABLE hidden.h ...` of one connection, then of five others, a second apart: an INSERT of
//! rows 1 to 3 and an UPDATE of row 1 in one transaction; a DELETE of row 2; an INSERT into
//! `hidden.h` and an UPDATE of row 3 in one, and another INSERT into `hidden.h`; an ALTER TABLE; a
//! TRUNCATE. 10.11 tells no connection of a transaction.

use super::support::session_settings;
use dbtrail_history::{History, HistoryHandle, serve as agent};
use dbtrail_shim::agent_client::{self, AgentClient, Caller};
use dbtrail_shim::server;
use dbtrail_shim::session::{Credential, Tenant};
use dbtrail_shim::wire::connection::{Shared, Tls};
use dbtrail_shim::wire::error::{self, Unreachable};
use dbtrail_types::names::ServerId;
use dbtrail_types::secret::Secret;
use dbtrail_types::zone::Zone;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, Value};
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

pub(super) const KINDS: [&str; 3] = ["mysql-9.7", "mariadb-11.8", "mariadb-10.11"];

pub(super) struct Chain {
    pub(super) port: u16,
    _stop: [DropGuard; 2],
}

pub(super) fn history(kind: &str, statements: bool) -> Arc<History> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/statements");
    let log = folder.join(format!("{kind}.binlog"));
    Arc::new(
        History::read_with(
            ServerId("s".to_owned()),
            &[log],
            &dbtrail_history::ReadOptions { without_statements: !statements, ..Default::default() },
        )
        .expect("the log is read"),
    )
}

pub(super) async fn chain(history: Arc<History>) -> Chain {
    chain_of(history, "s").await
}

/// The same, of the history of this server.
pub(super) async fn chain_of(history: Arc<History>, server: &str) -> Chain {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let base_url = format!("https://localhost:{}", listener.local_addr().expect("bound").port());
    let tls = agent::tls_config(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes());
    let options = agent::ServeOptions {
        tls: Some(tls.expect("TLS").into()),
        tokens: vec![Secret::new("token".to_owned())].into(),
        grace: Duration::from_millis(10),
        ..agent::ServeOptions::default()
    };
    let stop = CancellationToken::new();
    tokio::spawn(agent::serve(listener, Arc::new(HistoryHandle::fixed(history)), options, stop.clone()));
    let settings = agent_client::AgentSettings {
        base_url,
        ca_pem: Some(made.cert.pem().into_bytes()),
        identity_pem: None,
    };
    let client = AgentClient::new(&settings).expect("a client");
    let tenant = |user: &str, server: &str, allowed: Option<&[&str]>| {
        let tenant = Tenant {
            mysql_user: user.to_owned(),
            credential: Credential::Password(Secret::new("secret".to_owned())),
            server_id: ServerId(server.to_owned()),
            agent: client.clone().into(),
            caller: Caller { tenant: user.to_owned(), token: Some(Secret::new("token".to_owned())) },
            default_schema: None,
            allowed_schemas: allowed.map(|names| names.iter().map(|n| (*n).to_owned()).collect()),
            time_zone: Zone::utc(),
        };
        (user.to_owned(), Arc::new(tenant))
    };
    let shared = Shared {
        tenants: HashMap::from([
            tenant("all", server, None),
            tenant("narrow", server, Some(&["s"])),
            tenant("none", server, Some(&["another"])),
            tenant("stranger", "other-server", None),
        ]),
        monitor: None,
        tls: Tls::Off,
        session: Arc::new(session_settings()),
        errors: error::ErrorSettings { plain_1064: false, unreachable: Unreachable::Auto },
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let shim = CancellationToken::new();
    let settings = server::ServerSettings {
        shared: Arc::new(shared),
        shutdown_grace: Duration::from_millis(10),
        threads: server::Threads::Shared,
    };
    tokio::spawn(server::serve(listener, Arc::new(settings), shim.clone()));
    Chain { port, _stop: [stop.drop_guard(), shim.drop_guard()] }
}

impl Chain {
    pub(super) async fn client(&self, user: &str) -> Conn {
        let options = OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(self.port)
            .user(Some(user))
            .pass(Some("secret"))
            .prefer_socket(false);
        Conn::new(options).await.expect("a login")
    }
}

/// Cells as text, NULL as `NULL`, with `|` in between.
pub(super) async fn rows(client: &mut Conn, sql: &str) -> Vec<String> {
    let got: Vec<mysql_async::Row> = client.query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    let text = |value: Value| match value {
        Value::NULL => "NULL".to_owned(),
        Value::Bytes(bytes) => String::from_utf8(bytes).expect("UTF-8"),
        other @ (Value::Int(_)
        | Value::UInt(_)
        | Value::Float(_)
        | Value::Double(_)
        | Value::Date(..)
        | Value::Time(..)) => panic!("{other:?}"),
    };
    got.into_iter().map(|row| row.unwrap().into_iter().map(text).collect::<Vec<String>>().join("|")).collect()
}

const WINDOW: &str = "BETWEEN EARLIEST AND LATEST";

#[tokio::test]
async fn a_diff_tells_by_whom() {
    for kind in KINDS {
        let chain = chain(history(kind, true)).await;
        let mut client = chain.client("all").await;
        let sql = |id: u32| {
            format!(
                "SELECT event_type, connection_id, server_id, binlog_file, binlog_position, statement, cause FROM _diff.s.t {WINDOW} WHERE id = {id}"
            )
        };
        let one = rows(&mut client, &sql(1)).await;
        let who = ["INSERT", "UPDATE", "DELETE"];
        assert_eq!(one.len(), 3, "{kind}: {one:?}");
        for (row, kind) in one.iter().zip(who) {
            assert!(row.starts_with(kind), "{one:?}");
        }
        let cells = |row: &str| row.split('|').map(str::to_owned).collect::<Vec<String>>();
        let (inserted, updated, truncated) = (cells(&one[0]), cells(&one[1]), cells(&one[2]));
        assert_eq!(inserted[5], "insert into t values (1,'a'),(2,'b'),(3,'c')", "{kind}");
        assert_eq!(updated[5], "update t set v='ü' where id=1", "{kind}");
        assert_eq!(truncated[5].to_lowercase(), "truncate table t", "{kind}");
        assert_eq!(inserted[1..5], updated[1..5], "{kind}: one transaction");
        assert_ne!(inserted[4], truncated[4]);
        assert_eq!(inserted[3], format!("{kind}.binlog"));
        assert_ne!(truncated[1], "NULL", "{kind}: every server tells the connection of a DDL statement");
        assert_eq!(inserted[1] == "NULL", kind == "mariadb-10.11", "{inserted:?}");
        assert_ne!(inserted[1], truncated[1]);
        assert!(one.iter().all(|row| row.ends_with("|NULL")), "{one:?}");
        // The transaction changed a table of another schema, and the statement does not say so.
        let three = rows(&mut client, &sql(3)).await;
        assert_eq!(cells(&three[1])[5], "update t set v='x' where id=3", "{kind}: {three:?}");
        let mut narrow = chain.client("narrow").await;
        let seen = rows(&mut narrow, &sql(3)).await;
        assert_eq!(cells(&seen[1])[5], "NULL", "{kind}: {seen:?}");
        assert_eq!(cells(&seen[1])[..5], cells(&three[1])[..5]);
        assert_eq!(rows(&mut narrow, &sql(1)).await, one, "{kind}");
    }
}

#[tokio::test]
async fn statements_that_are_not_to_be_kept_are_not() {
    for kind in KINDS {
        let chain = chain(history(kind, false)).await;
        let mut client = chain.client("all").await;
        let sql = format!("SELECT statement, server_id FROM _diff.s.t {WINDOW} WHERE id = 1");
        let got = rows(&mut client, &sql).await;
        assert!(got.len() == 3 && got.iter().all(|row| row.starts_with("NULL|2130")), "{kind}: {got:?}");
    }
}

/// One column of rows with cells as text.
fn column(rows: &[String], at: usize) -> Vec<&str> {
    rows.iter().map(|row| row.split('|').nth(at).expect("a cell")).collect()
}

#[tokio::test]
async fn transactions_tell_what_happened_and_by_whom() {
    for kind in KINDS {
        let chain = chain(history(kind, true)).await;
        let sql = format!(
            "SELECT rows_inserted, rows_updated, rows_deleted, tables, statements, connection_id, server_id, binlog_file FROM _history.transactions {WINDOW}"
        );
        let mut client = chain.client("all").await;
        let all = rows(&mut client, &sql).await;
        // Two CREATE TABLE, four transactions with rows, ALTER, TRUNCATE, CREATE TABLE; those of no
        // table do not count.
        assert_eq!(column(&all, 0), ["0", "0", "3", "0", "1", "1", "0", "0", "0"], "{kind}: {all:?}");
        assert_eq!(column(&all, 1), ["0", "0", "1", "0", "1", "0", "0", "0", "0"], "{kind}");
        assert_eq!(column(&all, 2), ["0", "0", "0", "1", "0", "0", "0", "0", "0"], "{kind}");
        let both = column(&all, 3)[4];
        assert!(both.contains("\"hidden.h\":{") && both.contains("\"s.t\":{"), "{both}");
        assert!(column(&all, 3)[7].contains("\"all_rows_removed\":true"), "{all:?}");
        let texts: Vec<String> = serde_json::from_str(column(&all, 4)[2]).expect("texts");
        assert_eq!(
            texts,
            ["insert into t values (1,'a'),(2,'b'),(3,'c')", "update t set v='ü' where id=1"],
            "{kind}"
        );
        let unknown = column(&all, 5).into_iter().filter(|c| *c == "NULL").count();
        assert_eq!(unknown, if kind == "mariadb-10.11" { 4 } else { 0 }, "{kind}: {all:?}");
        // One schema: its tables and counts alone, and no text of a transaction that touched or
        // names another.
        let mut narrow = chain.client("narrow").await;
        let seen = rows(&mut narrow, &sql).await;
        assert_eq!(column(&seen, 0), ["0", "3", "0", "0", "0", "0"], "{kind}: {seen:?}");
        assert_eq!(column(&seen, 1), ["0", "1", "0", "1", "0", "0"], "{kind}");
        assert!(!seen.concat().contains("hidden") && !seen.concat().contains("secret"), "{seen:?}");
        assert_eq!(column(&seen, 4)[3], "NULL");
        assert_ne!(column(&seen, 4)[2], "NULL");
        let mut none = chain.client("none").await;
        assert_eq!(rows(&mut none, &sql).await, Vec::<String>::new());
        // Conditions, order, limit.
        let counted = |tail: &str| format!("SELECT rows_inserted FROM _history.transactions {WINDOW} {tail}");
        assert_eq!(
            rows(&mut client, &counted("WHERE rows_inserted > 0 ORDER BY rows_inserted DESC LIMIT 1, 1"))
                .await,
            ["1"]
        );
        assert_eq!(rows(&mut client, &counted("WHERE gtid IS NULL")).await, Vec::<String>::new());
        assert_eq!(
            rows(&mut client, &counted("WHERE rows_deleted = 1 AND binlog_file LIKE '%binlog'")).await,
            ["0"]
        );
        let later = counted("WHERE commit_time > '2020-01-01 10:00:00' AND rows_inserted > 1");
        assert_eq!(rows(&mut client, &later).await, ["3"]);
        for refused in [
            counted("WHERE tables = '{}'"),
            "SELECT * FROM _history.nothing".to_owned(),
            "SELECT * FROM _history.transactions".to_owned(),
        ] {
            assert!(client.query_drop(&refused).await.is_err(), "{refused}");
        }
        let mut stranger = chain.client("stranger").await;
        assert!(stranger.query_drop(&sql).await.is_err(), "another server");
    }
}

#[tokio::test]
async fn definitions_gaps_and_tables_are_listed() {
    for kind in KINDS {
        let chain = chain(history(kind, true)).await;
        let mut client = chain.client("all").await;
        let sql = format!(
            "SELECT `schema`, `table`, statement, definition_before, definition_after FROM _history.ddl {WINDOW}"
        );
        let all = rows(&mut client, &sql).await;
        assert_eq!(column(&all, 1), ["t", "h", "t", "last"], "{kind}: {all:?}");
        assert_eq!(column(&all, 2)[2], "alter table t add column w int", "{kind}");
        let (before, after) = (column(&all, 3)[2], column(&all, 4)[2]);
        assert!(
            !before.contains("\"w\"") && after.contains("\"w\"") && before.contains("\"v\""),
            "{before} {after}"
        );
        assert_eq!(column(&all, 3)[0], "NULL");
        let mut narrow = chain.client("narrow").await;
        let seen = rows(&mut narrow, &sql).await;
        assert_eq!(column(&seen, 1), ["t", "t"], "{kind}: {seen:?}");
        assert!(!seen.concat().contains("hidden"), "{seen:?}");
        assert_eq!(rows(&mut client, "SELECT * FROM _history.gaps").await, Vec::<String>::new());
        let tables = "SELECT `schema`, `table`, readable, reason FROM _history.tables";
        assert_eq!(
            rows(&mut client, tables).await,
            ["hidden|h|YES|NULL", "hidden|last|YES|NULL", "s|t|YES|NULL"],
            "{kind}"
        );
        assert_eq!(rows(&mut narrow, tables).await, ["s|t|YES|NULL"], "{kind}");
    }
}
