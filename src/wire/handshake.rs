//! Greeting, handshake response and COM_CHANGE_USER ("Connection Phase").

use super::auth::{NATIVE, Scramble};
use super::bytes::Bytes;
use crate::failure::Failure;

/// Capability flags ("Capabilities Flags").
pub(super) mod capability {
    pub(crate) const LONG_PASSWORD: u32 = 1;
    pub(crate) const FOUND_ROWS: u32 = 2;
    pub(crate) const LONG_FLAG: u32 = 4;
    pub(crate) const CONNECT_WITH_DB: u32 = 8;
    pub(crate) const COMPRESS: u32 = 1 << 5;
    pub(crate) const PROTOCOL_41: u32 = 1 << 9;
    pub(crate) const INTERACTIVE: u32 = 1 << 10;
    pub(crate) const SSL: u32 = 1 << 11;
    pub(crate) const TRANSACTIONS: u32 = 1 << 13;
    pub(crate) const SECURE_CONNECTION: u32 = 1 << 15;
    pub(crate) const MULTI_STATEMENTS: u32 = 1 << 16;
    pub(crate) const MULTI_RESULTS: u32 = 1 << 17;
    pub(crate) const PLUGIN_AUTH: u32 = 1 << 19;
    pub(crate) const CONNECT_ATTRS: u32 = 1 << 20;
    pub(crate) const PLUGIN_AUTH_LENENC: u32 = 1 << 21;
    pub(crate) const SESSION_TRACK: u32 = 1 << 23;
    pub(crate) const DEPRECATE_EOF: u32 = 1 << 24;
    pub(crate) const ZSTD: u32 = 1 << 26;
}

/// SERVER_STATUS_AUTOCOMMIT.
pub(super) const AUTOCOMMIT: u16 = 2;

/// What is offered; clients send bits beyond it, which are masked away.
pub(super) fn offered(tls: bool) -> u32 {
    use capability as c;
    let base = c::LONG_PASSWORD
        | c::FOUND_ROWS
        | c::LONG_FLAG
        | c::CONNECT_WITH_DB
        | c::PROTOCOL_41
        | c::INTERACTIVE
        | c::TRANSACTIONS
        | c::SECURE_CONNECTION
        | c::MULTI_STATEMENTS
        | c::MULTI_RESULTS
        | c::PLUGIN_AUTH
        | c::CONNECT_ATTRS
        | c::PLUGIN_AUTH_LENENC
        | c::COMPRESS
        | c::SESSION_TRACK
        | c::DEPRECATE_EOF
        | c::ZSTD;
    if tls { base | c::SSL } else { base }
}

/// "Protocol::HandshakeV10".
pub(super) fn greeting(version: &str, id: u32, scramble: &Scramble, tls: bool) -> Vec<u8> {
    let capabilities = offered(tls).to_le_bytes();
    let mut out = vec![10];
    out.extend_from_slice(version.as_bytes());
    out.push(0);
    out.extend_from_slice(&id.to_le_bytes());
    out.extend_from_slice(&scramble.0[..8]);
    out.push(0);
    out.extend_from_slice(&capabilities[..2]);
    out.push(255);
    out.extend_from_slice(&AUTOCOMMIT.to_le_bytes());
    out.extend_from_slice(&capabilities[2..]);
    out.push(21);
    out.extend_from_slice(&[0; 10]);
    out.extend_from_slice(&scramble.0[8..]);
    out.push(0);
    out.extend_from_slice(NATIVE.as_bytes());
    out.push(0);
    out
}

/// What a client says of itself when it logs in, or changes its user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) capabilities: u32,
    pub(super) collation: u16,
    pub(super) user: String,
    pub(super) response: Vec<u8>,
    pub(super) schema: Option<String>,
    pub(super) plugin: Option<String>,
    pub(super) attributes: Vec<(String, String)>,
    /// The level that the client wants zstd at.
    pub(super) zstd_level: u8,
}

impl Login {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// Whether a payload is an "SSLRequest": the first 32 bytes of a response, with the SSL bit.
pub(super) fn wants_tls(payload: &[u8]) -> bool {
    payload.len() == 32 && Bytes(payload).u32().is_ok_and(|c| c & capability::SSL != 0)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// "Protocol::HandshakeResponse41".
pub(super) fn response(payload: &[u8], offered: u32) -> Result<Login, Failure> {
    let mut input = Bytes(payload);
    let sent = input.u32()?;
    if sent & capability::PROTOCOL_41 == 0 || sent & capability::SECURE_CONNECTION == 0 {
        return Err(Failure::MalformedPacket("the client speaks a protocol older than MySQL 4.1".to_owned()));
    }
    let capabilities = sent & offered;
    let _largest = input.u32()?;
    let collation = u16::from(input.u8()?);
    input.take(23)?;
    let user = text(input.until_zero());
    let response = if capabilities & capability::PLUGIN_AUTH_LENENC != 0 {
        input.lenenc_bytes()?
    } else {
        let length = usize::from(input.u8()?);
        input.take(length)?
    };
    let mut login = Login { capabilities, collation, user, response: response.to_vec(), ..Login::default() };
    if capabilities & capability::CONNECT_WITH_DB != 0 {
        login.schema = Some(text(input.until_zero())).filter(|s| !s.is_empty());
    }
    rest(&mut input, &mut login)?;
    Ok(login)
}

fn rest(input: &mut Bytes<'_>, login: &mut Login) -> Result<(), Failure> {
    if login.capabilities & capability::PLUGIN_AUTH != 0 && !input.0.is_empty() {
        login.plugin = Some(text(input.until_zero()));
    }
    if login.capabilities & capability::CONNECT_ATTRS != 0 && !input.0.is_empty() {
        let mut list = Bytes(input.lenenc_bytes()?);
        while !list.0.is_empty() {
            let (name, value) = (list.lenenc_bytes()?, list.lenenc_bytes()?);
            login.attributes.push((text(name), text(value)));
        }
    }
    // COM_CHANGE_USER has no such byte: the connection is compressed by then, or it is not.
    if login.capabilities & capability::ZSTD != 0 && !input.0.is_empty() {
        login.zstd_level = input.u8()?;
    }
    Ok(())
}

/// "COM_CHANGE_USER": the fields of a login in another order; the capabilities are those of the connection.
pub(super) fn change_user(payload: &[u8], capabilities: u32) -> Result<Login, Failure> {
    let mut input = Bytes(payload);
    let user = text(input.until_zero());
    let length = usize::from(input.u8()?);
    let response = input.take(length)?.to_vec();
    let schema = Some(text(input.until_zero())).filter(|s| !s.is_empty());
    let mut login = Login { capabilities, collation: 255, user, response, schema, ..Login::default() };
    if input.0.len() >= 2 {
        login.collation = input.u16()?;
    }
    rest(&mut input, &mut login)?;
    Ok(login)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = response(&bytes, u32::MAX);
            let _ = change_user(&bytes, u32::MAX);
            let _ = wants_tls(&bytes);
        }
    }
}
