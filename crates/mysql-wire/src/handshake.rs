//! The server's half of a login: greeting, handshake response and COM_CHANGE_USER
//! ([manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html)).

use crate::auth::{NATIVE, Scramble};
use crate::constants::{CapabilityFlags, StatusFlags};
use crate::reader::{Malformed, PayloadReader};

/// The version of the protocol, in the first byte of the greeting.
const PROTOCOL_VERSION: u8 = 10;
/// What the greeting gives as the server's collation: a client looks at the low byte alone, and
/// this one is utf8mb4_0900_ai_ci.
const COLLATION: u8 = 255;
/// Bytes of the scramble, with the zero that ends it.
const SCRAMBLE_LENGTH: u8 = 21;

/// What is offered; clients send bits beyond it, which are masked away.
#[must_use]
pub fn offered(tls: bool) -> CapabilityFlags {
    use CapabilityFlags as C;
    let base = C::CLIENT_LONG_PASSWORD
        | C::CLIENT_FOUND_ROWS
        | C::CLIENT_LONG_FLAG
        | C::CLIENT_CONNECT_WITH_DB
        | C::CLIENT_PROTOCOL_41
        | C::CLIENT_INTERACTIVE
        | C::CLIENT_TRANSACTIONS
        | C::CLIENT_SECURE_CONNECTION
        | C::CLIENT_MULTI_STATEMENTS
        | C::CLIENT_MULTI_RESULTS
        | C::CLIENT_PLUGIN_AUTH
        | C::CLIENT_CONNECT_ATTRS
        | C::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
        | C::CLIENT_COMPRESS
        | C::CLIENT_SESSION_TRACK
        | C::CLIENT_DEPRECATE_EOF
        | C::CLIENT_ZSTD_COMPRESSION_ALGORITHM;
    if tls { base | C::CLIENT_SSL } else { base }
}

/// [Protocol::HandshakeV10](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html).
#[must_use]
pub fn greeting(version: &str, id: u32, scramble: &Scramble, tls: bool) -> Vec<u8> {
    let capabilities = offered(tls).bits().to_le_bytes();
    let mut out = vec![PROTOCOL_VERSION];
    out.extend_from_slice(version.as_bytes());
    out.push(0);
    out.extend_from_slice(&id.to_le_bytes());
    out.extend_from_slice(&scramble.0[..8]);
    out.push(0);
    out.extend_from_slice(&capabilities[..2]);
    out.push(COLLATION);
    out.extend_from_slice(&StatusFlags::SERVER_STATUS_AUTOCOMMIT.bits().to_le_bytes());
    out.extend_from_slice(&capabilities[2..]);
    out.push(SCRAMBLE_LENGTH);
    out.extend_from_slice(&[0; 10]);
    out.extend_from_slice(&scramble.0[8..]);
    out.push(0);
    out.extend_from_slice(NATIVE.as_bytes());
    out.push(0);
    out
}

/// What a client says of itself when it logs in, or changes its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// What both sides can do.
    pub capabilities: CapabilityFlags,
    /// The id of the collation of its connection.
    pub collation: u16,
    /// The user name.
    pub user: String,
    /// What proves its password.
    pub response: Vec<u8>,
    /// The database that is to be the current one.
    pub schema: Option<String>,
    /// How its response was made.
    pub plugin: Option<String>,
    /// Connection attributes (`program_name`, ...).
    pub attributes: Vec<(String, String)>,
    /// The level that the client wants zstd at.
    pub zstd_level: u8,
}

impl Login {
    /// The value of a connection attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// Whether a payload is an "SSLRequest": the first 32 bytes of a response, with the SSL bit.
#[must_use]
pub fn wants_tls(payload: &[u8]) -> bool {
    let asks = |flags: u32| CapabilityFlags::from_bits_retain(flags).contains(CapabilityFlags::CLIENT_SSL);
    payload.len() == 32 && PayloadReader(payload).u32().is_ok_and(asks)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// [Protocol::HandshakeResponse41](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_response.html).
///
/// # Errors
/// It is cut short, or of a protocol older than MySQL 4.1.
pub fn response(payload: &[u8], offered: CapabilityFlags) -> Result<Login, Malformed> {
    let mut input = PayloadReader(payload);
    let sent = CapabilityFlags::from_bits_retain(input.u32()?);
    let needed = CapabilityFlags::CLIENT_PROTOCOL_41 | CapabilityFlags::CLIENT_SECURE_CONNECTION;
    if !sent.contains(needed) {
        return Err(Malformed("the client speaks a protocol older than MySQL 4.1".to_owned()));
    }
    let capabilities = sent & offered;
    let _largest = input.u32()?;
    let collation = u16::from(input.u8()?);
    input.take(23)?;
    let user = text(input.until_zero());
    let response = if capabilities.contains(CapabilityFlags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA) {
        input.lenenc_bytes()?
    } else {
        let length = usize::from(input.u8()?);
        input.take(length)?
    };
    let mut login = Login {
        capabilities,
        collation,
        user,
        response: response.to_vec(),
        schema: None,
        plugin: None,
        attributes: Vec::new(),
        zstd_level: 0,
    };
    if capabilities.contains(CapabilityFlags::CLIENT_CONNECT_WITH_DB) {
        login.schema = Some(text(input.until_zero())).filter(|s| !s.is_empty());
    }
    rest(&mut input, &mut login)?;
    Ok(login)
}

fn rest(input: &mut PayloadReader<'_>, login: &mut Login) -> Result<(), Malformed> {
    if login.capabilities.contains(CapabilityFlags::CLIENT_PLUGIN_AUTH) && !input.0.is_empty() {
        login.plugin = Some(text(input.until_zero()));
    }
    if login.capabilities.contains(CapabilityFlags::CLIENT_CONNECT_ATTRS) && !input.0.is_empty() {
        let mut list = PayloadReader(input.lenenc_bytes()?);
        while !list.0.is_empty() {
            let (name, value) = (list.lenenc_bytes()?, list.lenenc_bytes()?);
            login.attributes.push((text(name), text(value)));
        }
    }
    // COM_CHANGE_USER has no such byte: the connection is compressed by then, or it is not.
    if login.capabilities.contains(CapabilityFlags::CLIENT_ZSTD_COMPRESSION_ALGORITHM) && !input.0.is_empty()
    {
        login.zstd_level = input.u8()?;
    }
    Ok(())
}

/// "COM_CHANGE_USER": the fields of a login in another order; the capabilities are those of the
/// connection.
///
/// # Errors
/// It is cut short.
pub fn change_user(payload: &[u8], capabilities: CapabilityFlags) -> Result<Login, Malformed> {
    let mut input = PayloadReader(payload);
    let user = text(input.until_zero());
    let length = usize::from(input.u8()?);
    let response = input.take(length)?.to_vec();
    let schema = Some(text(input.until_zero())).filter(|s| !s.is_empty());
    let mut login = Login {
        capabilities,
        collation: u16::from(COLLATION),
        user,
        response,
        schema,
        plugin: None,
        attributes: Vec::new(),
        zstd_level: 0,
    };
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
        #![proptest_config(ProptestConfig { cases: 400 * ProptestConfig::default().cases, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = response(&bytes, CapabilityFlags::all());
            let _ = change_user(&bytes, CapabilityFlags::all());
            let _ = wants_tls(&bytes);
        }
    }
}
