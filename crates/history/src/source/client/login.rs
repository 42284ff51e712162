//! The first packets of a connection (manual: ["Connection
//! Phase"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html)).

use super::{AHEAD, ClientError, PATIENCE, limits, refusal, send, tls};
use crate::source::config::{SourceConfig, Tls};
use crate::source_error::{LoginFault, NetworkFault, ProtocolFault, TlsFault};
use dbtrail_mysql_wire::auth::{self, caching_sha2};
use dbtrail_mysql_wire::constants::header::{AUTH_MORE_DATA, AUTH_SWITCH_REQUEST, ERR, OK};
use dbtrail_mysql_wire::constants::{CapabilityFlags, UTF8MB4_GENERAL_CI};
use dbtrail_mysql_wire::packets::Packets;
use mysql_common::io::ParseBuf;
use mysql_common::packets::{AuthPlugin, AuthSwitchRequest, HandshakePacket, HandshakeResponse, SslRequest};
use mysql_common::proto::MySerialize;
use std::collections::HashMap;
use tokio::net::TcpStream;
use zeroize::Zeroizing;

/// Packets of up to 1 GiB come in.
const LARGEST: u32 = 1 << 30;
/// Bytes of a packet before the login is over.
const LOGIN_PACKET: usize = 1 << 16;

/// A connection that is logged in, and its number.
pub(super) async fn connect(config: &SourceConfig) -> Result<(Packets, u32), ClientError> {
    let address = config.address();
    let stream = TcpStream::connect((config.host.as_str(), config.port))
        .await
        .map_err(|e| NetworkFault::Unreachable { address, error: e.to_string() })?;
    // Small statements must not wait for more of them.
    stream.set_nodelay(true).map_err(|e| ClientError::io(&e))?;
    let mut packets = Packets::new(Box::new(stream), 0, limits(PATIENCE)).read_ahead(AHEAD);
    let greeting = packets.read(LOGIN_PACKET).await?;
    if greeting.first() == Some(&ERR) {
        return Err(refusal(&greeting));
    }
    let greeting: HandshakePacket<'_> = ParseBuf(&greeting).parse(()).map_err(|e| not_understood(&e))?;
    let capabilities = capabilities(&greeting, config)?;
    let encrypted = config.tls != Tls::Off;
    if encrypted {
        packets = secure(packets, capabilities, config).await?;
    }
    let mut nonce = greeting.scramble_1_ref().to_vec();
    nonce.extend_from_slice(greeting.scramble_2_ref().unwrap_or_default());
    nonce.resize(20, 0);
    let plugin = match greeting.auth_plugin() {
        Some(AuthPlugin::CachingSha2Password) => AuthPlugin::CachingSha2Password,
        // The server asks for another one in its next packet if the account has it.
        _ => AuthPlugin::MysqlNativePassword,
    };
    let mut login = Login { packets, config, encrypted, nonce, plugin };
    login.respond(capabilities).await?;
    login.conclude().await?;
    Ok((login.packets, greeting.connection_id()))
}

fn not_understood(error: &std::io::Error) -> ClientError {
    ProtocolFault::Greeting(error.to_string()).into()
}

fn capabilities(
    greeting: &HandshakePacket<'_>,
    config: &SourceConfig,
) -> Result<CapabilityFlags, ClientError> {
    let wanted = CapabilityFlags::CLIENT_PROTOCOL_41
        | CapabilityFlags::CLIENT_SECURE_CONNECTION
        | CapabilityFlags::CLIENT_LONG_PASSWORD
        | CapabilityFlags::CLIENT_LONG_FLAG
        | CapabilityFlags::CLIENT_TRANSACTIONS
        | CapabilityFlags::CLIENT_PLUGIN_AUTH
        | CapabilityFlags::CLIENT_CONNECT_ATTRS
        | CapabilityFlags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA;
    let offered = greeting.capabilities();
    if !offered.contains(CapabilityFlags::CLIENT_PROTOCOL_41) {
        return Err(ProtocolFault::TooOld.into());
    }
    // MariaDB leaves this bit out to say that it has capabilities of its own, which are not asked
    // for here.
    let mut both = wanted & (offered | CapabilityFlags::CLIENT_LONG_PASSWORD);
    if config.tls != Tls::Off {
        if !offered.contains(CapabilityFlags::CLIENT_SSL) {
            return Err(TlsFault::NotOffered.into());
        }
        both |= CapabilityFlags::CLIENT_SSL;
    }
    Ok(both)
}

async fn secure(
    mut packets: Packets,
    capabilities: CapabilityFlags,
    config: &SourceConfig,
) -> Result<Packets, ClientError> {
    let mut payload = Vec::new();
    let collation = UTF8MB4_GENERAL_CI.to_le_bytes()[0];
    SslRequest::new(capabilities, LARGEST, collation).serialize(&mut payload);
    send(&mut packets, &payload).await?;
    // It would be read as if it had come encrypted.
    if packets.has_unread() {
        return Err(ProtocolFault::DataBeforeTls.into());
    }
    let (stream, sequence) = packets.into_stream();
    let stream = tls::encrypt(stream, &config.host, &config.tls).await?;
    Ok(Packets::new(stream, sequence, limits(PATIENCE)).read_ahead(AHEAD))
}

/// The exchange of passwords.
struct Login<'a> {
    packets: Packets,
    config: &'a SourceConfig,
    encrypted: bool,
    nonce: Vec<u8>,
    plugin: AuthPlugin<'static>,
}

impl Login<'_> {
    fn password(&self) -> Option<&str> {
        Some(self.config.password.expose()).filter(|p| !p.is_empty())
    }

    /// What proves the password under the plugin.
    fn proof(&self) -> Result<Vec<u8>, ClientError> {
        match &self.plugin {
            AuthPlugin::CachingSha2Password | AuthPlugin::MysqlNativePassword => {
                Ok(self.plugin.gen_data(self.password(), &self.nonce).map(|d| d.to_vec()).unwrap_or_default())
            }
            AuthPlugin::MysqlClearPassword if self.encrypted => Ok(self.with_zero().to_vec()),
            AuthPlugin::MysqlClearPassword => Err(LoginFault::ClearPassword(self.config.user.clone()).into()),
            AuthPlugin::MysqlOldPassword
            | AuthPlugin::Ed25519
            | AuthPlugin::MariadbParsec { .. }
            | AuthPlugin::Other(_) => Err(LoginFault::Plugin {
                user: self.config.user.clone(),
                plugin: String::from_utf8_lossy(self.plugin.as_bytes()).into_owned(),
            }
            .into()),
        }
    }

    fn with_zero(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(self.password().unwrap_or_default().as_bytes().to_vec());
        bytes.push(0);
        bytes
    }

    async fn respond(&mut self, capabilities: CapabilityFlags) -> Result<(), ClientError> {
        let attributes = HashMap::from([
            ("program_name".to_owned(), "dbtrail-shim".to_owned()),
            ("_client_name".to_owned(), "dbtrail-shim".to_owned()),
            ("_client_version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ]);
        let attributes = capabilities.contains(CapabilityFlags::CLIENT_CONNECT_ATTRS).then_some(attributes);
        let mut payload = Vec::new();
        HandshakeResponse::new(
            Some(self.proof()?),
            (5, 7, 0),
            Some(self.config.user.as_bytes()),
            None::<&[u8]>,
            Some(self.plugin.borrow()),
            capabilities,
            attributes,
            LARGEST,
        )
        .serialize(&mut payload);
        send(&mut self.packets, &payload).await
    }

    /// Answers what the server asks until it says yes or no.
    async fn conclude(&mut self) -> Result<(), ClientError> {
        let mut switched = false;
        loop {
            let packet = self.packets.read(LOGIN_PACKET).await?;
            match packet.as_slice() {
                [OK, ..] => return Ok(()),
                [ERR, ..] => return Err(refusal(&packet)),
                [AUTH_SWITCH_REQUEST] => {
                    return Err(LoginFault::OldPassword.into());
                }
                [AUTH_SWITCH_REQUEST, ..] if !switched => {
                    switched = true;
                    self.switch(&packet).await?;
                }
                [AUTH_MORE_DATA, caching_sha2::FAST_AUTH_SUCCESS] => {}
                [AUTH_MORE_DATA, caching_sha2::PERFORM_FULL_AUTHENTICATION] => self.send_password().await?,
                _ => return Err(ProtocolFault::LoginPacket.into()),
            }
        }
    }

    async fn switch(&mut self, packet: &[u8]) -> Result<(), ClientError> {
        let request: AuthSwitchRequest<'_> = ParseBuf(packet).parse(()).map_err(|e| not_understood(&e))?;
        self.plugin = request.auth_plugin().into_owned();
        self.nonce = request.plugin_data().to_vec();
        // A zero ends it.
        self.nonce.truncate(20);
        let proof = self.proof()?;
        send(&mut self.packets, &proof).await
    }

    /// The server does not have the password's hash at hand: it goes over whole, under TLS or
    /// encrypted for the server's RSA key.
    async fn send_password(&mut self) -> Result<(), ClientError> {
        if self.encrypted {
            let password = self.with_zero();
            return send(&mut self.packets, &password).await;
        }
        send(&mut self.packets, &[caching_sha2::REQUEST_PUBLIC_KEY]).await?;
        let packet = self.packets.read(LOGIN_PACKET).await?;
        let [AUTH_MORE_DATA, pem @ ..] = packet.as_slice() else {
            return Err(if packet.first() == Some(&ERR) { refusal(&packet) } else { no_key() });
        };
        let password = auth::encrypt(pem, &self.with_zero(), &self.nonce).ok_or_else(no_key)?;
        send(&mut self.packets, &password).await
    }
}

fn no_key() -> ClientError {
    LoginFault::NoRsaKey.into()
}
