//! A real client against the shim, the agent after it over HTTPS, and what the real server said at
//! the time.

#![expect(clippy::wildcard_enum_match_arm, reason = "the text protocol has strings alone")]

mod record_ends;
mod typed_values;

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
use mysql_async::Conn;
use mysql_async::OptsBuilder;
use mysql_async::prelude::Queryable;
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub struct Chain {
    port: u16,
    agent: CancellationToken,
    _shim: CancellationToken,
}

pub async fn chain(fixture: &str) -> Chain {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(fixture);
    let history = History::read(ServerId("s".to_owned()), &[folder.join("binlog.000003")]).expect("a record");
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let base_url = format!("https://localhost:{}", listener.local_addr().expect("bound").port());
    let tls = agent::tls_config(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes())
        .expect("TLS");
    let options = agent::ServeOptions {
        tls: Some(tls.into()),
        tokens: vec![Secret::new("token".to_owned())].into(),
        grace: Duration::from_millis(10),
        ..agent::ServeOptions::default()
    };
    let stop = CancellationToken::new();
    tokio::spawn(agent::serve(
        listener,
        Arc::new(HistoryHandle::fixed(Arc::new(history))),
        options,
        stop.clone(),
    ));
    let settings = agent_client::AgentSettings {
        base_url,
        ca_pem: Some(made.cert.pem().into_bytes()),
        identity_pem: None,
    };
    let client = AgentClient::new(&settings).expect("a client");
    let tenant = |user: &str, token: &str| {
        let tenant = Tenant {
            mysql_user: user.to_owned(),
            credential: Credential::Password(Secret::new("secret".to_owned())),
            server_id: ServerId("s".to_owned()),
            agent: client.clone().into(),
            caller: Caller { tenant: user.to_owned(), token: Some(Secret::new(token.to_owned())) },
            default_schema: None,
            allowed_schemas: None,
            time_zone: Zone::utc(),
        };
        (user.to_owned(), Arc::new(tenant))
    };
    let shared = Shared {
        tenants: HashMap::from([tenant("app", "token"), tenant("stranger", "another")]),
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
    Chain { port, agent: stop, _shim: shim }
}

fn options(chain: &Chain, user: &str, password: &str) -> OptsBuilder {
    OptsBuilder::default()
        .ip_or_hostname("127.0.0.1")
        .tcp_port(chain.port)
        .user(Some(user))
        .pass(Some(password))
        .prefer_socket(false)
}

pub async fn connect(chain: &Chain, user: &str) -> Conn {
    Conn::new(options(chain, user, "secret").db_name((user == "app").then_some("tt"))).await.expect("a login")
}

/// Number, SQLSTATE and text of the error of a statement.
pub async fn refused(conn: &mut Conn, sql: &str) -> (u16, String, String) {
    match conn.query_drop(sql).await {
        Err(mysql_async::Error::Server(e)) => (e.code, e.state, e.message),
        other => panic!("{sql}: {other:?}"),
    }
}

/// Every order of every tick, cell by cell.
async fn truth(fixture: &str) {
    let chain = chain(fixture).await;
    let mut conn = connect(&chain, "app").await;
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(fixture).join("truth.jsonl"),
    );
    let mut compared = 0;
    for tick in text.expect("a record").lines() {
        let tick: serde_json::Value = serde_json::from_str(tick).expect("JSON");
        for row in tick["tables"]["orders"]["rows"].as_array().expect("rows") {
            let sql = format!(
                "SELECT * FROM _flashback.orders AS OF '{}' WHERE id = {}",
                tick["as_of"].as_str().expect("text"),
                row[0].as_str().expect("text")
            );
            let got: Vec<mysql_async::Row> = conn.query(&sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
            assert_eq!(got.len(), 1, "{sql}");
            let cells: Vec<Option<String>> = got
                .into_iter()
                .flat_map(mysql_async::Row::unwrap)
                .map(|v| match v {
                    mysql_async::Value::NULL => None,
                    mysql_async::Value::Bytes(b) => Some(String::from_utf8(b).expect("UTF-8")),
                    other => panic!("{other:?}"),
                })
                .collect();
            let want: Vec<Option<String>> = serde_json::from_value(row.clone()).expect("cells");
            assert_eq!(cells, want, "{sql}");
            compared += 1;
        }
    }
    assert!(compared > 100, "only {compared} rows compared");
}

#[tokio::test]
async fn a_client_sees_what_mysql_said() {
    truth("mysql-9.7").await;
}

#[tokio::test]
async fn a_client_sees_what_mariadb_said() {
    truth("mariadb-10.11").await;
}

#[tokio::test]
async fn refusals_have_their_numbers_and_the_session_goes_on() {
    let chain = chain("mysql-9.7").await;
    let mut conn = connect(&chain, "app").await;
    let at = "AS OF '2026-11-23 07:12:39'";
    for (sql, code, state, text) in [
        (
            format!("SELECT * FROM _flashback.orders {at}"),
            1064,
            "HY000",
            "dbtrail-shim: time-travel queries require a PK predicate",
        ),
        (
            format!("SELECT * FROM _flashback.orders {at} JOIN users WHERE id = 1"),
            1064,
            "HY000",
            "dbtrail-shim: cannot join virtual schema _flashback.orders with a real table users",
        ),
        (
            "SELECT * FROM _diff.orders BETWEEN '2026-11-22' AND '2026-11-23' WHERE id = 1".to_owned(),
            1064,
            "HY000",
            "dbtrail-shim: _diff window exceeds limit",
        ),
        (
            format!("SELECT nothing FROM _flashback.orders {at} WHERE id = 1"),
            1054,
            "42S22",
            "Unknown column 'nothing'",
        ),
        (
            format!("SELECT * FROM _flashback.nothing {at} WHERE id = 1"),
            1064,
            "HY000",
            "dbtrail backend rejected request (HTTP 404)",
        ),
        (
            "SELECT * FROM _flashback.orders AS OF '2020-01-01' WHERE id = 1".to_owned(),
            1064,
            "HY000",
            "dbtrail backend rejected request (HTTP 422)",
        ),
        ("SELECT * FROM orders".to_owned(), 1235, "42000", "dbtrail-shim: "),
        ("SELECT @@nothing_like_this".to_owned(), 1193, "HY000", "Unknown system variable"),
        ("SELEC 1".to_owned(), 1235, "42000", "dbtrail-shim: "),
    ] {
        let (got_code, got_state, message) = refused(&mut conn, &sql).await;
        assert_eq!((got_code, got_state.as_str()), (code, state), "{sql}: {message}");
        assert!(message.starts_with(text) && message.contains("(request "), "{sql}: {message}");
        let shown: Option<(String, u16, String)> =
            conn.query_first("SHOW WARNINGS").await.expect("the session goes on");
        assert_eq!(shown, Some(("Error".to_owned(), code, message)), "{sql}");
    }
}

#[tokio::test]
async fn logins_and_an_agent_that_is_gone() {
    let chain = chain("mysql-9.7").await;
    for (user, password, text) in [
        ("app", "wrong", "Access denied for user 'app'@'127.0.0.1' (using password: YES)"),
        ("nobody", "x", "unknown tenant for MySQL user \"nobody\""),
    ] {
        match Conn::new(options(&chain, user, password)).await {
            Err(mysql_async::Error::Server(e)) => {
                assert_eq!((e.code, e.state.as_str(), e.message.as_str()), (1045, "28000", text));
            }
            other => panic!("{user}: {other:?}"),
        }
    }
    let mut stranger = connect(&chain, "stranger").await;
    let sql = "SELECT * FROM _flashback.tt.orders AS OF '2026-11-23 07:12:39' WHERE id = 8";
    let (code, _, message) = refused(&mut stranger, sql).await;
    assert_eq!(
        (code, message.starts_with("dbtrail backend rejected request (HTTP 401)")),
        (1064, true),
        "{message}"
    );
    let mut conn = connect(&chain, "app").await;
    let row: Option<mysql_async::Row> = conn.query_first(sql).await.expect("a row");
    assert!(row.is_some());
    chain.agent.cancel();
    let mut last = None;
    // The agent lets go of its connections within its own grace period.
    for _ in 0..200 {
        match conn.query_drop(sql).await {
            Ok(()) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(mysql_async::Error::Server(e)) => {
                last = Some((e.code, e.message));
                break;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    let (code, message) = last.expect("the agent is gone");
    assert_eq!((code, message.starts_with("Can't connect to dbtrail backend")), (2002, true), "{message}");
    let one: Option<u8> = conn.query_first("SELECT 1").await.expect("the session goes on");
    assert_eq!(one, Some(1));
}
