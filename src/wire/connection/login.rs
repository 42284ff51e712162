//! From the greeting to the OK of a login, and the exchange that verifies a password (["Connection
//! Phase"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html)).

use super::{Connection, Tls};
use crate::failure::Failure;
use crate::session::{Cipher, Credential, Identity, Link, LoginSlot, Network, Role, Session};
use crate::telemetry::figures;
use crate::wire::gone::Gone;
use crate::wire::status::limits;
use dbtrail_mysql_wire::auth::{self, CACHING_SHA2, Fast, NATIVE, Scramble, caching_sha2};
use dbtrail_mysql_wire::compress::Algorithm;
use dbtrail_mysql_wire::constants::{CapabilityFlags, header};
use dbtrail_mysql_wire::handshake::{self, Login};
use dbtrail_mysql_wire::packets::Packets;
use dbtrail_types::names::RequestId;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio_rustls::TlsAcceptor;

/// What ProxySQL calls itself where it logs in to kill a statement, and what `doctor` calls itself.
/// Either is right only with a tenant's password.
const CARETAKERS: [&str; 2] = ["proxysql_killer", "dbtrail-shim doctor"];
/// Bytes of a packet before login.
const LOGIN_PACKET: usize = 64 * 1024;
/// For the agent to say whether the schema of a login exists.
const SCHEMA_TIME: Duration = Duration::from_millis(500);

impl Connection {
    /// `None`: refused, and the client was answered so.
    pub(super) async fn login(&mut self) -> Result<Option<Session>, Gone> {
        let tls = !matches!(self.shared.tls, Tls::Off);
        let version = self.shared.session.server_version.clone();
        self.packets.write(&handshake::greeting(&version, self.context.id, &self.scramble, tls)).await?;
        self.packets.flush().await?;
        let mut payload = self.packets.read(LOGIN_PACKET).await?;
        self.context.handle.spoke.store(true, Ordering::Relaxed);
        if tls && handshake::wants_tls(&payload) {
            self.encrypt().await?;
            payload = self.packets.read(LOGIN_PACKET).await?;
        }
        let login =
            handshake::response(&payload, handshake::offered(tls)).map_err(|e| Gone::Refused(e.into()))?;
        self.capabilities = login.capabilities;
        // A client that takes both is given the one that mysqld lists first.
        self.compression = if login.capabilities.contains(CapabilityFlags::CLIENT_COMPRESS) {
            Some(Algorithm::Zlib)
        } else {
            login
                .capabilities
                .contains(CapabilityFlags::CLIENT_ZSTD_COMPRESSION_ALGORITHM)
                .then_some(Algorithm::Zstd(login.zstd_level))
        };
        login.user.clone_into(&mut self.asked);
        if matches!(self.shared.tls, Tls::Required(_)) && self.encrypted.is_none() {
            return Err(Gone::Refused(Failure::InsecureTransport));
        }
        let session = self.enter(&login).await?;
        let Some(session) = self.in_schema(session, login.schema.as_deref()).await? else { return Ok(None) };
        // Before the client knows: figures that it asks for have its login.
        figures::let_in(&session.identity().user);
        self.welcome(session).await.map(Some)
    }

    /// The schema of a login; `None`: the client knows why it cannot have it.
    pub(super) async fn in_schema(
        &mut self,
        mut session: Session,
        schema: Option<&str>,
    ) -> Result<Option<Session>, Gone> {
        if let Some(schema) = schema {
            let request = RequestId::next(self.context.id);
            let asked = tokio::time::timeout(SCHEMA_TIME, session.use_schema(schema, &request)).await;
            match asked {
                Ok(Ok(())) => {}
                // ProxySQL shuns a server whose logins fail with 2002 or 1317, and waits a second
                // for one: an agent that is down must not look like a shim that is. The statements
                // to come will say it, each for itself.
                Ok(Err(
                    Failure::AgentUnreachable(_) | Failure::AgentFailed { .. } | Failure::AgentNonsense(_),
                ))
                | Err(_) => session.assume_schema(schema),
                Ok(Err(failure)) => {
                    self.refused_login(&failure);
                    self.fail(&failure, Some(&request)).await?;
                    self.packets.flush().await?;
                    return Ok(None);
                }
            }
        }
        Ok(Some(session))
    }

    /// The OK of a login.
    pub(super) async fn welcome(&mut self, mut session: Session) -> Result<Session, Gone> {
        session.set_multi_statements(self.capabilities.contains(CapabilityFlags::CLIENT_MULTI_STATEMENTS));
        self.send_ok(&mut session).await?;
        self.packets.flush().await?;
        Ok(session)
    }

    async fn encrypt(&mut self) -> Result<(), Gone> {
        let (Tls::Offered(config) | Tls::Required(config)) = self.shared.tls.clone() else {
            return Err(Gone::Closed);
        };
        let (placeholder, _) = tokio::io::duplex(1);
        let limits = limits(Network::default());
        let plain = std::mem::replace(&mut self.packets, Packets::new(Box::new(placeholder), 0, limits));
        let (stream, sequence) = plain.into_stream();
        let stream = TlsAcceptor::from(config).accept(stream).await?;
        self.encrypted = Some(cipher(stream.get_ref().1));
        self.packets = Packets::new(Box::new(stream), sequence, limits);
        Ok(())
    }

    /// Verifies a password: at login, and in COM_CHANGE_USER. Who is not known runs through the
    /// same exchange.
    pub(super) async fn enter(&mut self, login: &Login) -> Result<Session, Gone> {
        login.user.clone_into(&mut self.asked);
        // A password that was changed since the greeting counts.
        self.shared = self.live.load();
        self.pooled = login.attribute("program_name").is_some_and(|p| p.starts_with("proxysql"));
        self.cannot_carry_2002 = self.pooled || login.attribute("_client_name") == Some("libmariadb");
        let tenant = self.shared.tenants.get(&login.user).cloned();
        let monitor = self.shared.monitor.as_ref().filter(|(user, _)| *user == login.user);
        let (credential, role) = match (tenant, monitor) {
            (Some(tenant), _) => (tenant.credential.clone(), Some(Role::Tenant(tenant))),
            (None, Some((_, password))) => (Credential::Password(password.clone()), Some(Role::Monitor)),
            (None, None) => {
                let nobody = Scramble::new().map_err(|e| Gone::Refused(Failure::Internal(e.to_string())))?;
                (Credential::NativeHash(nobody.0), None)
            }
        };
        let (verified, using_password) = self.verify(login, &credential).await?;
        let Some(role) = role else { return Err(Gone::Refused(Failure::UnknownTenant(login.user.clone()))) };
        if !verified {
            let (user, host) = (login.user.clone(), self.context.host.clone());
            return Err(Gone::Refused(Failure::AccessDenied { user, host, using_password }));
        }
        let user = login.user.clone();
        let caretaker = matches!(role, Role::Monitor)
            || login.attribute("program_name").is_some_and(|program| CARETAKERS.contains(&program));
        let context = if caretaker { LoginSlot::Caretaker } else { LoginSlot::Client };
        self.context.connections.enter(self.context.id, &user, context).map_err(Gone::Refused)?;
        user.clone_into(&mut self.context.handle.user.lock().unwrap_or_else(PoisonError::into_inner));
        let identity = Arc::new(Identity {
            role,
            user,
            host: self.context.host.clone(),
            connection_id: self.context.id,
            link: Link {
                tls_offered: !matches!(self.shared.tls, Tls::Off),
                cipher: self.encrypted.clone(),
                compression: self.compression.map(Algorithm::name),
                port: self.port,
            },
        });
        self.context.handle.identify(&identity);
        let (settings, others) = (Arc::clone(&self.shared.session), Arc::clone(&self.context.connections));
        let memory = self.live.memory_of(&identity.user);
        self.packets.share(Arc::clone(&memory));
        Ok(Session::new(identity, settings, others, login.collation).sharing(memory))
    }

    /// Whether the password is right, and whether there was one.
    async fn verify(&mut self, login: &Login, credential: &Credential) -> Result<(bool, bool), Gone> {
        let plugin = login.plugin.as_deref().unwrap_or(NATIVE);
        let known = plugin == NATIVE || plugin == CACHING_SHA2;
        // COM_CHANGE_USER of libmysqlclient comes without a response and waits to be asked.
        if known && !login.response.is_empty() {
            return self.check(plugin, &login.response, credential).await;
        }
        let plugin = if known { plugin } else { CACHING_SHA2 };
        let mut switch = vec![header::AUTH_SWITCH_REQUEST];
        switch.extend_from_slice(plugin.as_bytes());
        switch.push(0);
        switch.extend_from_slice(&self.scramble.0);
        switch.push(0);
        self.packets.write(&switch).await?;
        self.packets.flush().await?;
        let response = self.packets.read(LOGIN_PACKET).await?;
        self.check(plugin, &response, credential).await
    }

    /// One response to the scramble. A wrong one of caching_sha2_password leads into the full
    /// exchange, as in mysqld: sqlx 0.8 makes it in an order of its own.
    async fn check(
        &mut self,
        plugin: &str,
        response: &[u8],
        credential: &Credential,
    ) -> Result<(bool, bool), Gone> {
        let scramble = self.scramble.clone();
        let using_password = !(response.is_empty() || response == [0]);
        if plugin == NATIVE {
            return Ok((auth::native(response, &scramble, credential), using_password));
        }
        match auth::fast(response, &scramble, credential) {
            Fast::Right => {
                self.packets.write(&[header::AUTH_MORE_DATA, caching_sha2::FAST_AUTH_SUCCESS]).await?;
                Ok((true, true))
            }
            Fast::Wrong | Fast::Unknown if !using_password => Ok((false, false)),
            Fast::Wrong | Fast::Unknown => self.full(&scramble, credential).await.map(|right| (right, true)),
        }
    }

    /// The full exchange of caching_sha2_password: the password itself, inside TLS or encrypted
    /// with RSA.
    async fn full(&mut self, scramble: &Scramble, credential: &Credential) -> Result<bool, Gone> {
        self.packets.write(&[header::AUTH_MORE_DATA, caching_sha2::PERFORM_FULL_AUTHENTICATION]).await?;
        self.packets.flush().await?;
        let mut send_rows = self.packets.read(LOGIN_PACKET).await?;
        if self.encrypted.is_some() {
            return Ok(send_rows.pop() == Some(0) && auth::clear(&send_rows, credential));
        }
        if send_rows == [caching_sha2::REQUEST_PUBLIC_KEY] {
            let key = auth::public_key()
                .ok_or_else(|| Gone::Refused(Failure::Internal("there is no RSA key".to_owned())))?;
            let mut payload = vec![header::AUTH_MORE_DATA];
            payload.extend_from_slice(key.as_bytes());
            self.packets.write(&payload).await?;
            self.packets.flush().await?;
            send_rows = self.packets.read(LOGIN_PACKET).await?;
        }
        Ok(auth::decrypt(&send_rows, scramble).is_some_and(|password| auth::clear(&password, credential)))
    }
}

/// Version and cipher of TLS, as OpenSSL and so mysqld name them.
fn cipher(tls: &rustls::ServerConnection) -> Cipher {
    let version = match tls.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
        Some(_) | None => "TLSv1.2",
    };
    let suite = tls.negotiated_cipher_suite().map(|s| s.suite().as_str().unwrap_or_default());
    let suite = suite.unwrap_or_default();
    let name = suite.strip_prefix("TLS13_").map_or_else(
        || {
            suite
                .trim_start_matches("TLS_")
                .replace("WITH_", "")
                .replace("AES_", "AES")
                .replace('_', "-")
                .replace("-POLY1305-SHA256", "-POLY1305")
        },
        |rest| format!("TLS_{rest}"),
    );
    Cipher { version, name }
}
