//! An agent and a shim in front of it, in one process: what `demo` and `up` have in common.

use crate::agent_client::{self, AgentClient, Caller, InProcessAgent, InProcessBody};
use crate::config;
use crate::plan::{TableScan, guard};
use crate::server;
use crate::session::{self, Credential, Tenant};
use crate::wire::connection::{Shared, Tls};
use crate::wire::error::{self, Unreachable};
use bytes::Bytes;
use dbtrail_history::{HistoryHandle, serve as agent};
use dbtrail_types::names::ServerId;
use dbtrail_types::secret::Secret;
use dbtrail_types::zone::Zone;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use hyper::{Request, Response};
use std::collections::HashMap;
use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The one who may log in.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: Secret,
    pub(super) default_schema: Option<String>,
}

/// Serves what is published on a loopback port of its own, with a certificate that is made now,
/// until `stop`. Gives a client that trusts this certificate alone.
pub(super) async fn start_agent(
    history_handle: Arc<HistoryHandle>,
    token: &Secret,
    stop: &CancellationToken,
) -> Result<AgentClient, Box<dyn Error>> {
    let (certificate, key) = certificate()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let base_url = format!("https://localhost:{}", listener.local_addr()?.port());
    let options = agent::ServeOptions {
        tls: Some(agent::tls_config(certificate.as_bytes(), key.as_bytes())?.into()),
        tokens: vec![token.clone()].into(),
        grace: Duration::from_secs(1),
        ..agent::ServeOptions::default()
    };
    tokio::spawn(agent::serve(listener, history_handle, options, stop.clone()));
    let settings =
        agent_client::AgentSettings { base_url, ca_pem: Some(certificate.into_bytes()), identity_pem: None };
    Ok(AgentClient::new(&settings)?)
}

/// A certificate for this machine that is made now, and its key, in PEM.
fn certificate() -> Result<(String, String), rcgen::Error> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    Ok((made.cert.pem(), made.signing_key.serialize_pem()))
}

/// A client of an agent that serves what is published without a connection, to this process alone;
/// and that agent.
pub(super) fn agent_inside(
    history_handle: Arc<HistoryHandle>,
    token: &Secret,
) -> Result<(AgentClient, agent::Local), Box<dyn Error>> {
    let tokens: agent::Tokens = vec![token.clone()].into();
    // Nobody outside of this process has it.
    let doubt_tokens = Some(tokens.clone());
    let options = agent::ServeOptions { tokens, doubt_tokens, ..agent::ServeOptions::default() };
    let local = agent::Local::new(history_handle, &options);
    Ok((AgentClient::in_process(Arc::new(Within(local.clone())))?, local))
}

/// See [`agent_inside`].
#[derive(Debug)]
struct Within(agent::Local);

impl InProcessAgent for Within {
    fn answer(&self, request: Request<Bytes>) -> BoxFuture<'static, Response<InProcessBody>> {
        let agent = self.0.clone();
        async move { agent.answer(request).await.map(|body| body.map_err(Into::into).boxed()) }.boxed()
    }
}

/// A shim for this one user, and for a monitor's probes. It offers TLS: MariaDB's client of version
/// 11.4 and newer insists on it, and takes a certificate that nobody has signed where it comes from
/// a loopback address.
///
/// # Errors
/// The certificate could not be made.
pub(super) fn shim(
    login: Login,
    server_id: ServerId,
    agent: AgentClient,
    token: Secret,
    monitor: Option<(String, Secret)>,
) -> Result<server::ServerSettings, Box<dyn Error>> {
    let (certificate, key) = certificate()?;
    let tls = Tls::Offered(config::tls_config(certificate.as_bytes(), key.as_bytes())?);
    let threads = if agent.is_inside() { server::Threads::Dedicated } else { server::Threads::Shared };
    let tenant = Tenant {
        mysql_user: login.user.clone(),
        credential: Credential::Password(login.password),
        server_id,
        agent: agent.into(),
        caller: Caller { tenant: login.user.clone(), token: Some(token) },
        default_schema: login.default_schema,
        allowed_schemas: None,
        time_zone: Zone::utc(),
    };
    let defaults = config::session_defaults().ok_or("the defaults of the configuration are no settings")?;
    let session = session::SessionSettings {
        guard: guard::PlanSettings { table_scan: TableScan::Allow, ..defaults.guard },
        max_connections: 100,
        ..defaults
    };
    let shared = Shared {
        tenants: HashMap::from([(login.user, Arc::new(tenant))]),
        monitor,
        tls,
        session: Arc::new(session),
        errors: error::ErrorSettings { plain_1064: false, unreachable: Unreachable::Auto },
    };
    Ok(server::ServerSettings { shared: Arc::new(shared), shutdown_grace: Duration::from_secs(2), threads })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;
    use dbtrail_history::History;
    use dbtrail_types::names::RequestId;
    use mysql_async::prelude::Queryable;
    use mysql_async::{Conn, OptsBuilder, Row, SslOpts, Value};

    /// The demo's recording: its statements, and some that are refused.
    const STATEMENTS: [&str; 9] = [
        "SELECT * FROM _flashback.shop.orders AS OF '2026-11-23 22:05:56' WHERE id = 42",
        "SELECT * FROM _flashback.shop.orders AS OF '2026-11-23 22:05:56' WHERE id IN (1, 42, 43, 99)",
        "SELECT * FROM _diff.shop.orders BETWEEN '2026-11-23 22:05:53' AND '2026-11-23 22:06:03' WHERE id = 42",
        "SELECT * FROM _snapshot.shop.order_items AT GTID 'd0a3c9ca-e789-11f1-b800-02fc00000001:7' WHERE order_id = 42 AND line IN (1, 2)",
        "SHOW TABLES FROM shop",
        "SELECT * FROM _flashback.shop.orders AS OF '2026-11-23 22:05:56' WHERE id BETWEEN 1 AND 100000",
        "SELECT * FROM _flashback.shop.orders AS OF '2026-11-23 22:05:56' WHERE customer = 'x'",
        "SELECT * FROM _flashback.shop.nothing AS OF '2026-11-23 22:05:56' WHERE id = 42",
        "SELECT * FROM _flashback.shop.orders AS OF '2020-01-01 00:00:00' WHERE id = 42",
    ];

    fn history_handle() -> Arc<HistoryHandle> {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/demo/binlog.000003");
        Arc::new(HistoryHandle::fixed(Arc::new(History::read(server(), &[file.into()]).unwrap())))
    }

    fn server() -> ServerId {
        ServerId("demo".to_owned())
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    /// Rows, or number and sentence of the error, of each statement through a shim in front of this
    /// agent.
    async fn answers(
        agent: AgentClient,
        token: Secret,
        tls: bool,
    ) -> Vec<Result<Vec<Vec<Value>>, (u16, String)>> {
        let login = Login { user: "u".to_owned(), password: secret("p"), default_schema: None };
        let settings = shim(login, server(), agent, token, None).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = CancellationToken::new();
        let running = tokio::spawn(server::serve(listener, Arc::new(settings), stop.clone()));
        let options = OptsBuilder::default().ip_or_hostname("127.0.0.1").tcp_port(port);
        let ssl = tls.then(|| {
            let any = SslOpts::default().with_danger_accept_invalid_certs(true);
            any.with_danger_skip_domain_validation(true)
        });
        let options = options.user(Some("u")).pass(Some("p")).prefer_socket(false).ssl_opts(ssl);
        let mut conn = Conn::new(options).await.unwrap();
        let status: Option<(String, String)> =
            conn.query_first("SHOW STATUS LIKE 'Ssl_version'").await.unwrap();
        assert_eq!(status.unwrap().1, if tls { "TLSv1.3" } else { "" });
        let mut all = Vec::new();
        for statement in STATEMENTS {
            all.push(match conn.query::<Row, _>(statement).await {
                Ok(rows) => Ok(rows.into_iter().map(Row::unwrap).collect()),
                // Without the number of the request, of which each has its own.
                Err(mysql_async::Error::Server(e)) => {
                    let sentence = e.message.split_once(" (request ").map_or(&*e.message, |(s, _)| s);
                    Err((e.code, sentence.to_owned()))
                }
                Err(other) => panic!("{statement}: {other}"),
            });
        }
        conn.disconnect().await.unwrap();
        stop.cancel();
        running.await.unwrap();
        all
    }

    #[tokio::test]
    async fn an_agent_inside_answers_as_one_over_https() {
        let (stop, token) = (CancellationToken::new(), secret("t"));
        let outside = start_agent(history_handle(), &token, &stop).await.unwrap();
        let url = outside.base_url().to_owned();
        let over_https = answers(outside, token.clone(), false).await;
        let (inside, _) = agent_inside(history_handle(), &token).unwrap();
        let named = inside.base_url().to_owned();
        let within = answers(inside, token, true).await;
        stop.cancel();
        for (i, (statement, answer)) in STATEMENTS.iter().zip(&within).enumerate() {
            assert_eq!(answer.is_ok(), i < 7, "{statement}: {answer:?}");
        }
        for ((statement, inside), outside) in STATEMENTS.iter().zip(within).zip(over_https) {
            let outside = outside.map_err(|(number, e)| (number, e.replace(&url, &named)));
            assert_eq!(inside, outside, "{statement}");
        }
    }

    #[tokio::test]
    async fn an_agent_inside_wants_its_token() {
        let (agent, _) = agent_inside(history_handle(), &secret("t")).unwrap();
        let asked = |token: &str| {
            let caller = Caller { tenant: "u".to_owned(), token: Some(secret(token)) };
            let agent = agent.clone();
            async move { agent.schemas(&caller, &server(), &RequestId::next(1)).await }
        };
        assert_eq!(asked("t").await.unwrap(), ["shop"]);
        let refused = asked("other").await.unwrap_err();
        assert!(matches!(refused, Failure::AgentRejected { status: 401, .. }), "{refused:?}");
        let refused = answers(agent, secret("other"), false).await;
        let reported = |answer: &Result<Vec<Vec<Value>>, (u16, String)>| match answer {
            Ok(rows) => panic!("{rows:?}"),
            Err((_, message)) => message.contains("token"),
        };
        assert!(refused[..4].iter().all(reported), "{refused:?}");
    }
}
