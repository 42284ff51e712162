//! An agent and a shim in front of it, in one process: what `demo` and `up` have in common.

use crate::agent_client::{self, AgentClient, Caller, Inside, InsideBody};
use crate::history::{Published, serve as agent};
use crate::ident::ServerId;
use crate::plan::guard;
use crate::secret::Secret;
use crate::server;
use crate::session::{self, Credential, Tenant};
use crate::wire::connection::{Shared, Tls};
use crate::wire::error::{self, Unreachable};
use crate::zone::Zone;
use bytes::Bytes;
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

/// Serves what is published on a loopback port of its own, with a certificate that is made now, until `stop`. Gives a client that trusts this
/// certificate alone.
pub(super) async fn start_agent(
    published: Arc<Published>,
    token: &Secret,
    stop: &CancellationToken,
) -> Result<AgentClient, Box<dyn Error>> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let base_url = format!("https://localhost:{}", listener.local_addr()?.port());
    let options = agent::ServeOptions {
        tls: Some(agent::tls_config(certificate.as_bytes(), key.as_bytes())?),
        tokens: vec![token.clone()].into(),
        grace: Duration::from_secs(1),
        ..agent::ServeOptions::default()
    };
    tokio::spawn(agent::serve(listener, published, options, stop.clone()));
    let settings =
        agent_client::Settings { base_url, ca_pem: Some(certificate.into_bytes()), identity_pem: None };
    Ok(AgentClient::new(&settings)?)
}

/// A client of an agent that serves what is published without a connection, to this process alone.
pub(super) fn agent_inside(published: Arc<Published>, token: &Secret) -> Result<AgentClient, Box<dyn Error>> {
    let options =
        agent::ServeOptions { tokens: vec![token.clone()].into(), ..agent::ServeOptions::default() };
    Ok(AgentClient::inside(Arc::new(Within(agent::Local::new(published, &options))))?)
}

/// See [`agent_inside`].
#[derive(Debug)]
struct Within(agent::Local);

impl Inside for Within {
    fn answer(&self, request: Request<Bytes>) -> BoxFuture<'static, Response<InsideBody>> {
        let agent = self.0.clone();
        async move { agent.answer(request).await.map(|body| body.map_err(Into::into).boxed()) }.boxed()
    }
}

/// A shim for this one user.
pub(super) fn shim(login: Login, server_id: ServerId, agent: AgentClient, token: Secret) -> server::Settings {
    let tenant = Tenant {
        mysql_user: login.user.clone(),
        credential: Credential::Password(login.password),
        server_id,
        agent,
        caller: Caller { tenant: login.user.clone(), token: Some(token) },
        default_schema: login.default_schema,
        allowed_schemas: None,
        time_zone: Zone::utc(),
    };
    let session = session::Settings {
        server_version: "8.0.36-dbtrail".to_owned(),
        max_diff_window: Duration::from_secs(86_400),
        guard: guard::Settings { max_keys: 1000 },
        orm_forms: false,
        max_packet: 64 << 20,
        max_connections: 100,
        max_prepared_statements: 1000,
    };
    let shared = Shared {
        tenants: HashMap::from([(login.user, Arc::new(tenant))]),
        monitor: None,
        tls: Tls::Off,
        session: Arc::new(session),
        errors: error::Settings { plain_1064: false, unreachable: Unreachable::Auto },
    };
    server::Settings { shared: Arc::new(shared), shutdown_grace: Duration::from_secs(2) }
}
