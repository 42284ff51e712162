//! Which server is read, as whom, and which of its tables.

use super::bad_source::{BadSource, SourceFault};
use crate::log::SourceTime;
use crate::patterns::Patterns;
use dbtrail_types::secret::Secret;
use dbtrail_types::timestamp::Timestamp;
use std::path::PathBuf;
use std::time::Duration;

/// Rows of one chunk of a table, unless the settings say otherwise.
const CHUNK: u32 = 2_000;

/// How the connections to the server are encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not at all (`ssl-mode=disabled`).
    Off,
    /// Encrypted, and whoever answers is believed (`ssl-mode=required`).
    Encrypted,
    /// The certificate must be signed by one of this file's (`ssl-mode=required` with `ssl-ca`,
    /// `verify-ca`), and bear the host's name too (`verify-identity`).
    Verified {
        /// PEM file of certificates that are believed.
        ca: PathBuf,
        /// Whether the certificate must be for this host.
        name: bool,
    },
}

/// How far back a new record begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backfill {
    /// Now.
    None,
    /// With the oldest log file that the server still has.
    #[default]
    Oldest,
    /// With the last file that was begun before this instant.
    Since(Timestamp),
}

/// The server to read from, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceConfig {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Account.
    pub user: String,
    /// The password of the account.
    pub password: Secret,
    /// Encryption.
    pub tls: Tls,
    /// The number under which the agent follows the log: no other replica of the server, and not
    /// the server itself, may have it.
    pub server_id: u32,
    /// The tables that are captured.
    pub tables: Patterns,
    /// Which time of a transaction counts, where it is a replica whose log has two.
    pub source_time: SourceTime,
    /// Rows a second that are read from tables at most; 0: as many as come.
    pub rows_per_second: u32,
    /// Rows read with one statement at most.
    pub chunk: u32,
    /// How far back a new record begins.
    pub backfill: Backfill,
    /// Whether it is asked whose connections make transactions.
    pub connections: bool,
    /// How often the server says that it is still there when nothing happens.
    pub heartbeat: Duration,
}

impl SourceConfig {
    /// Reads `mysql://user:password@host:3306[?ssl-mode=required&ssl-ca=FILE]`.
    ///
    /// # Errors
    /// The text is no such address.
    pub fn from_url(url: &str) -> Result<Self, BadSource> {
        let rest = ["mysql://", "mariadb://"].iter().find_map(|s| url.strip_prefix(s));
        let rest = rest.ok_or(BadSource(SourceFault::Scheme))?;
        let (position, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (account, host) = position.rsplit_once('@').ok_or(BadSource(SourceFault::NoAccount))?;
        let (user, password) = account.split_once(':').unwrap_or((account, ""));
        let user = percent_decoded(user).ok_or(BadSource(SourceFault::PercentInUser))?;
        let password = percent_decoded(password).ok_or(BadSource(SourceFault::PercentInPassword))?;
        if user.is_empty() {
            return Err(BadSource(SourceFault::NoUser));
        }
        if let Some((_, database)) = host.split_once('/')
            && !database.is_empty()
        {
            return Err(BadSource(SourceFault::Database));
        }
        let (host, port) = host_and_port(host.split('/').next().unwrap_or_default())?;
        Ok(Self {
            host,
            port,
            user,
            password: Secret::new(password),
            tls: tls(query)?,
            server_id: random_server_id(),
            tables: Patterns::default(),
            source_time: SourceTime::Local,
            rows_per_second: 0,
            chunk: CHUNK,
            backfill: Backfill::None,
            connections: true,
            heartbeat: Duration::from_secs(5),
        })
    }

    /// The server, for messages.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

fn host_and_port(text: &str) -> Result<(String, u16), BadSource> {
    let (host, port) = match text.strip_prefix('[').and_then(|t| t.split_once(']')) {
        Some((address, "")) => (address, None),
        Some((address, rest)) => (address, rest.strip_prefix(':').or(Some(""))),
        None => text.split_once(':').map_or((text, None), |(h, p)| (h, Some(p))),
    };
    let port = match port {
        None => 3306,
        Some(port) => port.parse().ok().filter(|p| *p != 0).ok_or(BadSource(SourceFault::Port))?,
    };
    if host.is_empty() {
        return Err(BadSource(SourceFault::NoHost));
    }
    Ok((host.to_owned(), port))
}

fn tls(query: &str) -> Result<Tls, BadSource> {
    let (mut mode, mut ca) = (None, None);
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decoded(value)
            .ok_or_else(|| BadSource(SourceFault::PercentInValue { parameter: name.to_owned() }))?;
        match name {
            "ssl-mode" | "ssl_mode" => mode = Some(value.to_ascii_lowercase().replace('_', "-")),
            "ssl-ca" | "ssl_ca" => ca = Some(PathBuf::from(value)),
            other => {
                return Err(BadSource(SourceFault::UnknownParameter { parameter: other.to_owned() }));
            }
        }
    }
    match (mode.as_deref(), ca) {
        (None | Some("disabled"), None) => Ok(Tls::Off),
        (Some("disabled"), Some(_)) => Err(BadSource(SourceFault::UnusedAuthority)),
        (Some("required"), None) => Ok(Tls::Encrypted),
        (None | Some("required" | "verify-ca"), Some(ca)) => Ok(Tls::Verified { ca, name: false }),
        (Some("verify-identity"), Some(ca)) => Ok(Tls::Verified { ca, name: true }),
        (Some("verify-ca" | "verify-identity"), None) => Err(BadSource(SourceFault::NoAuthority)),
        (Some(_), _) => Err(BadSource(SourceFault::SslMode)),
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, following @ ..] = rest {
        rest = following;
        if *first == b'%' {
            let digits = std::str::from_utf8(following.get(..2)?).ok()?;
            if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                return None;
            }
            out.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &following[2..];
        } else {
            out.push(*first);
        }
    }
    String::from_utf8(out).ok()
}

/// The first number of a replica that is random: from the upper half, where people put no servers.
pub const RANDOM_FROM: u32 = 0x8000_0000;

fn random_server_id() -> u32 {
    let mut bytes = [0; 4];
    // Without random bytes the process number must do: preflight reports a clash.
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        bytes = std::process::id().to_le_bytes();
    }
    RANDOM_FROM | (u32::from_le_bytes(bytes) >> 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_addresses() {
        let read = |url: &str| SourceConfig::from_url(url).unwrap();
        let c = read("mysql://cap:p%40ss%3Aw%2Ford%25@db.example:3307");
        assert_eq!((c.host.as_str(), c.port, c.user.as_str()), ("db.example", 3307, "cap"));
        assert_eq!(c.password.expose(), "p@ss:w/ord%");
        assert_eq!(c.tls, Tls::Off);
        assert!(c.server_id >= 0x8000_0000);
        // An @ or : in the password is clear from where it is.
        assert_eq!(read("mysql://cap:a@b:c@h").password.expose(), "a@b:c");
        assert_eq!((read("mysql://cap@h/").port, read("mysql://cap@h").password.expose()), (3306, ""));
        let six = read("mysql://cap@[::1]:4000");
        assert_eq!((six.host.as_str(), six.port), ("::1", 4000));
        let verified = |name| Tls::Verified { ca: PathBuf::from("/etc/ca.pem"), name };
        for (query, want) in [
            ("ssl-mode=REQUIRED", Tls::Encrypted),
            ("ssl-mode=disabled", Tls::Off),
            ("ssl-mode=required&ssl-ca=/etc/ca.pem", verified(false)),
            ("ssl-mode=VERIFY_CA&ssl-ca=%2Fetc%2Fca.pem", verified(false)),
            ("ssl-mode=verify-identity&ssl-ca=/etc/ca.pem", verified(true)),
        ] {
            assert_eq!(read(&format!("mysql://cap@h?{query}")).tls, want, "{query}");
        }
    }

    #[test]
    fn err_what_is_no_address_never_printing_the_password() {
        for (url, part) in [
            ("postgres://u:geheim@h", "does not begin with mysql://"),
            ("mysql://h:3306", "names no user"),
            ("mysql://:geheim@h", "names no user"),
            ("mysql://u:geheim%4@h", "no two hex digits"),
            ("mysql://u:geheim@", "names no host"),
            ("mysql://u:geheim@h:0", "port"),
            ("mysql://u:geheim@h:99999", "port"),
            ("mysql://u:geheim@h/shop", "names a database"),
            ("mysql://u:geheim@h?tls=1", "parameter tls"),
            ("mysql://u:geheim@h?ssl-mode=perhaps", "ssl-mode"),
            ("mysql://u:geheim@h?ssl-mode=verify-ca", "no ssl-ca"),
            ("mysql://u:geheim@h?ssl-mode=disabled&ssl-ca=x", "disabled"),
        ] {
            let error = SourceConfig::from_url(url).unwrap_err().to_string();
            assert!(error.contains(part), "{url}: {error}");
            assert!(!error.contains("geheim"), "{error}");
        }
    }
}
