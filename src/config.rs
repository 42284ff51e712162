//! shim.yaml to the settings that the other modules own. Every mistake that can be seen is reported, with the path of its key.

mod file;

use crate::agent_client::{self, AgentClient, Caller};
use crate::ident::ServerId;
use crate::plan::guard;
use crate::secret::Secret;
use crate::server;
use crate::session::{self, Credential, Tenant};
use crate::telemetry;
use crate::wire::connection::{Shared, Tls};
use crate::wire::error::{self, Unreachable};
use crate::zone::Zone;
use file::File;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A configuration that is good.
#[derive(Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// For the server.
    pub server: server::Settings,
    /// Level and form of the log.
    pub log: (String, telemetry::Format),
    /// What is allowed and unwise.
    pub warnings: Vec<String>,
}

/// Reads a file. The error holds all mistakes, one a line of the list.
///
/// # Errors
/// The mistakes, each with the path of its key (those of YAML itself with line and column).
pub fn load(path: &Path) -> Result<Config, Vec<String>> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| vec![format!("{}: cannot be read: {e}", path.display())])?;
    let text = filled(&text)?;
    let file: File = serde_saphyr::from_str(&text).map_err(|e| vec![format!("{}: {e}", path.display())])?;
    let mut resolver = Resolver::default();
    let config = resolver.config(&file);
    if let Some(warning) = readable_by_others(path, &file) {
        resolver.warnings.push(warning);
    }
    match config {
        Some(mut config) if resolver.mistakes.is_empty() => {
            config.warnings = resolver.warnings;
            Ok(config)
        }
        _ => Err(resolver.mistakes),
    }
}

/// `${VAR}` from the environment; `$$` is a dollar sign. Lines that are comments are left alone.
fn filled(text: &str) -> Result<String, Vec<String>> {
    let mut mistakes = Vec::new();
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.lines().enumerate() {
        let mut rest = line;
        while let Some(at) = rest.find('$').filter(|_| !line.trim_start().starts_with('#')) {
            out.push_str(&rest[..at]);
            let behind = &rest[at + 1..];
            if let Some(more) = behind.strip_prefix('$') {
                out.push('$');
                rest = more;
            } else if let Some((name, more)) = behind.strip_prefix('{').and_then(|b| b.split_once('}')) {
                match std::env::var(name) {
                    Ok(value) if value.contains(['\n', '\r']) => {
                        mistakes.push(format!(
                            "line {}: the environment variable {name} has line breaks",
                            number + 1
                        ));
                    }
                    // As a quoted scalar, so that no character of it means anything to YAML.
                    Ok(value) => out.extend(["'", &value.replace('\'', "''"), "'"]),
                    Err(_) => mistakes
                        .push(format!("line {}: the environment variable {name} is not set", number + 1)),
                }
                rest = more;
            } else {
                out.push('$');
                rest = behind;
            }
        }
        out.push_str(rest);
        out.push('\n');
    }
    if mistakes.is_empty() { Ok(out) } else { Err(mistakes) }
}

fn readable_by_others(path: &Path, file: &File) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let secrets = file.monitor.is_some()
        || file.tenants.iter().any(|t| t.mysql_password.is_some() || t.agent_token.is_some());
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (secrets && mode & 0o077 != 0).then(|| {
        format!(
            "{} holds secrets and others can read it (mode {:o}): chmod 600 {}",
            path.display(),
            mode & 0o777,
            path.display()
        )
    })
}

/// Durations such as `24h`, `30s`, `500ms`, `7d`.
fn duration(text: &str) -> Option<Duration> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..at].parse().ok()?;
    Some(match &text[at..] {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        "h" => Duration::from_secs(number.checked_mul(3600)?),
        "d" => Duration::from_secs(number.checked_mul(86_400)?),
        _ => return None,
    })
}

/// Sizes such as `64MiB`, `65536`.
fn size(text: &str) -> Option<usize> {
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: usize = text[..at].parse().ok()?;
    let unit = match text[at..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(unit)
}

#[derive(Default)]
struct Resolver {
    mistakes: Vec<String>,
    warnings: Vec<String>,
}

impl Resolver {
    fn mistake<T>(&mut self, what: String) -> Option<T> {
        self.mistakes.push(what);
        None
    }

    fn read(&mut self, key: &str, path: &str) -> Option<Vec<u8>> {
        match std::fs::read(path) {
            Ok(bytes) => Some(bytes),
            Err(e) => self.mistake(format!("{key}: {path} cannot be read: {e}")),
        }
    }

    fn read_secret(&mut self, key: &str, path: &str) -> Option<Secret> {
        let bytes = self.read(key, path)?;
        match String::from_utf8(bytes) {
            Ok(text) => Some(Secret::new(text.trim_end_matches(['\n', '\r']).to_owned())),
            Err(_) => self.mistake(format!("{key}: {path} is not text")),
        }
    }

    fn one_of<T: Copy>(&mut self, key: &str, value: Option<&str>, choices: &[(&str, T)], default: T) -> T {
        let Some(value) = value else { return default };
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == value) {
            return *choice;
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        self.mistakes.push(format!("{key}: '{value}' is none of {}", names.join(", ")));
        default
    }

    fn parsed<T>(
        &mut self,
        key: &str,
        value: Option<&str>,
        parse: impl Fn(&str) -> Option<T>,
        default: T,
        form: &str,
    ) -> T {
        match value {
            None => default,
            Some(text) => parse(text).unwrap_or_else(|| {
                self.mistakes.push(format!("{key}: '{text}' is not {form}"));
                default
            }),
        }
    }

    fn config(&mut self, file: &File) -> Option<Config> {
        let listen = file.listen.as_deref().unwrap_or("127.0.0.1:3308");
        let address = match listen.parse::<SocketAddr>() {
            Ok(address) => Some(address),
            Err(_) => {
                self.mistake(format!("listen: '{listen}' is no address with a port, such as 127.0.0.1:3308"))
            }
        };
        let tls = self.tls(file);
        if let (Some(address), Some(Tls::Off)) = (address, &tls)
            && !address.ip().is_loopback()
        {
            self.warnings.push(format!("listen: {address} can be reached from outside and tls is off: passwords and rows go unencrypted"));
        }
        let limits = &file.limits;
        let window = self.parsed(
            "limits.max_diff_window",
            limits.max_diff_window.as_deref(),
            duration,
            Duration::from_secs(86_400),
            "a duration such as 24h",
        );
        let max_packet = self.parsed(
            "limits.max_packet",
            limits.max_packet.as_deref(),
            size,
            64 << 20,
            "a size such as 64MiB",
        );
        let grace = self.parsed(
            "shutdown_grace",
            file.shutdown_grace.as_deref(),
            duration,
            Duration::from_secs(30),
            "a duration such as 30s",
        );
        let unreachable = self.one_of(
            "proxysql.unreachable_code",
            file.proxysql.unreachable_code.as_deref(),
            &[("auto", Unreachable::Auto), ("2002", Unreachable::Code2002), ("1429", Unreachable::Code1429)],
            Unreachable::Auto,
        );
        let plain_1064 = self.one_of(
            "errors.sqlstate_1064",
            file.errors.sqlstate_1064.as_deref(),
            &[("documented", false), ("mysql", true)],
            false,
        );
        let levels = [("error", "error"), ("warn", "warn"), ("info", "info"), ("debug", "debug")];
        let level = self.one_of("log.level", file.log.level.as_deref(), &levels, "info");
        let forms = [("text", telemetry::Format::Text), ("json", telemetry::Format::Json)];
        let format = self.one_of("log.format", file.log.format.as_deref(), &forms, telemetry::Format::Text);
        let tenants = self.tenants(file);
        let monitor = self.monitor(file);
        let session = session::Settings {
            server_version: file.server_version.clone().unwrap_or_else(|| "8.0.36-dbtrail".to_owned()),
            max_diff_window: window,
            guard: guard::Settings { max_keys: limits.max_keys.unwrap_or(1000).max(1) },
            max_packet,
            max_connections: limits.max_connections.unwrap_or(1000).max(1),
        };
        let shared = Shared {
            tenants,
            monitor,
            tls: tls?,
            session: Arc::new(session),
            errors: error::Settings { plain_1064, unreachable },
        };
        Some(Config {
            listen: address?,
            server: server::Settings { shared: Arc::new(shared), shutdown_grace: grace },
            log: (level.to_owned(), format),
            warnings: Vec::new(),
        })
    }

    fn tls(&mut self, file: &File) -> Option<Tls> {
        let mode = self.one_of(
            "tls.mode",
            file.tls.mode.as_deref(),
            &[("off", 0), ("offered", 1), ("required", 2)],
            0,
        );
        if mode == 0 {
            return Some(Tls::Off);
        }
        let (Some(cert), Some(key)) = (&file.tls.cert_file, &file.tls.key_file) else {
            return self.mistake("tls: cert_file and key_file are needed unless mode is off".to_owned());
        };
        let (cert, key) = (self.read("tls.cert_file", cert)?, self.read("tls.key_file", key)?);
        match tls_config(&cert, &key) {
            Ok(config) => Some(if mode == 1 { Tls::Offered(config) } else { Tls::Required(config) }),
            Err(e) => self.mistake(format!("tls: {e}")),
        }
    }

    fn monitor(&mut self, file: &File) -> Option<(String, Secret)> {
        let monitor = file.monitor.as_ref()?;
        if monitor.password.is_empty() {
            return self.mistake("monitor.password: it is empty".to_owned());
        }
        if file.tenants.iter().any(|t| t.mysql_user == monitor.user) {
            return self.mistake(format!("monitor.user: '{}' is a tenant's user too", monitor.user));
        }
        Some((monitor.user.clone(), Secret::new(monitor.password.clone())))
    }

    fn tenants(&mut self, file: &File) -> HashMap<String, Arc<Tenant>> {
        if file.tenants.is_empty() {
            self.mistakes.push("tenants: there is none, so nobody could log in".to_owned());
        }
        let mut agents: HashMap<String, AgentClient> = HashMap::new();
        let mut tenants = HashMap::new();
        for (i, tenant) in file.tenants.iter().enumerate() {
            let at = format!("tenants[{i}]");
            let made = self.tenant(&at, tenant, file, &mut agents);
            if let Some(made) = made
                && tenants.insert(tenant.mysql_user.clone(), Arc::new(made)).is_some()
            {
                self.mistakes.push(format!("{at}.mysql_user: '{}' stands twice", tenant.mysql_user));
            }
        }
        tenants
    }

    fn tenant(
        &mut self,
        at: &str,
        tenant: &file::Tenant,
        file: &File,
        agents: &mut HashMap<String, AgentClient>,
    ) -> Option<Tenant> {
        let credential = self.credential(at, tenant);
        let url = tenant.agent_url.as_ref().or(file.agent_url.as_ref());
        let agent = match url {
            None => self.mistake(format!("{at}.agent_url: neither the tenant nor the file names an agent")),
            Some(url) => self.agent(at, url, file, agents),
        };
        let token = match (&tenant.agent_token, &tenant.agent_token_file) {
            (Some(_), Some(_)) => {
                self.mistake(format!("{at}: agent_token and agent_token_file exclude each other"))
            }
            (Some(token), None) => Some(Secret::new(token.clone())),
            (None, Some(path)) => self.read_secret(&format!("{at}.agent_token_file"), path),
            (None, None) => None,
        };
        let zone = self.parsed(
            &format!("{at}.time_zone"),
            tenant.time_zone.as_deref(),
            Zone::parse,
            Zone::utc(),
            "a time zone such as Europe/Berlin or +02:00",
        );
        if tenant.mysql_user.is_empty() {
            self.mistakes.push(format!("{at}.mysql_user: it is empty"));
        }
        Some(Tenant {
            mysql_user: tenant.mysql_user.clone(),
            credential: credential?,
            server_id: ServerId(tenant.server_id.clone()),
            agent: agent?,
            caller: Caller { tenant: tenant.mysql_user.clone(), token },
            default_schema: tenant.default_schema.clone(),
            allowed_schemas: tenant.allowed_schemas.clone(),
            time_zone: zone,
        })
    }

    fn credential(&mut self, at: &str, tenant: &file::Tenant) -> Option<Credential> {
        let password = |this: &mut Self, secret: Secret| {
            if secret.expose().is_empty() {
                this.mistake(format!("{at}: the password is empty"))
            } else {
                Some(Credential::Password(secret))
            }
        };
        match (&tenant.mysql_password, &tenant.mysql_password_file, &tenant.mysql_pass_sha1) {
            (Some(text), None, None) => password(self, Secret::new(text.clone())),
            (None, Some(path), None) => {
                let secret = self.read_secret(&format!("{at}.mysql_password_file"), path)?;
                password(self, secret)
            }
            (None, None, Some(hash)) => {
                let bytes = hash
                    .strip_prefix('*')
                    .and_then(crate::agent_api::hex_bytes)
                    .and_then(|b| <[u8; 20]>::try_from(b).ok());
                match bytes {
                    Some(bytes) => Some(Credential::NativeHash(bytes)),
                    None => self.mistake(format!(
                        "{at}.mysql_pass_sha1: it is not * and 40 hexadecimal digits, as in mysql.user"
                    )),
                }
            }
            _ => self.mistake(format!(
                "{at}: exactly one of mysql_password, mysql_password_file and mysql_pass_sha1 is needed"
            )),
        }
    }

    fn agent(
        &mut self,
        at: &str,
        url: &str,
        file: &File,
        agents: &mut HashMap<String, AgentClient>,
    ) -> Option<AgentClient> {
        if let Some(known) = agents.get(url) {
            return Some(known.clone());
        }
        let host = url
            .strip_prefix("https://")
            .map(|h| (h, true))
            .or_else(|| url.strip_prefix("http://").map(|h| (h, false)));
        let Some((host, encrypted)) =
            host.filter(|(h, _)| !h.is_empty() && !h.trim_end_matches('/').contains(['/', '?', '@', '#']))
        else {
            return self.mistake(format!("{at}.agent_url: '{url}' is not https://host:port"));
        };
        let local = ["127.", "localhost", "[::1]"].iter().any(|l| host.starts_with(l));
        if !encrypted && !local {
            self.warnings.push(format!(
                "{at}.agent_url: {url} is not encrypted: tokens and rows can be read on the way"
            ));
        }
        let ca_pem = match &file.agent_tls.ca_file {
            Some(path) => Some(self.read("agent_tls.ca_file", path)?),
            None => None,
        };
        let identity_pem = match (&file.agent_tls.cert_file, &file.agent_tls.key_file) {
            (Some(cert), Some(key)) => {
                Some((self.read("agent_tls.cert_file", cert)?, self.read_secret("agent_tls.key_file", key)?))
            }
            (None, None) => None,
            _ => return self.mistake("agent_tls: cert_file and key_file come together".to_owned()),
        };
        match AgentClient::new(&agent_client::Settings { base_url: url.to_owned(), ca_pem, identity_pem }) {
            Ok(agent) => {
                agents.insert(url.to_owned(), agent.clone());
                Some(agent)
            }
            Err(e) => self.mistake(e.to_string()),
        }
    }
}

/// A server's certificate chain and key, both PEM.
fn tls_config(cert: &[u8], key: &[u8]) -> Result<Arc<rustls::ServerConfig>, String> {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(cert).collect();
    let chain = chain.map_err(|e| format!("cert_file: {e}"))?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|e| format!("key_file: {e}"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| e.to_string())?;
    builder.with_no_client_auth().with_single_cert(chain, key).map(Arc::new).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(text: &str) -> Result<Config, Vec<String>> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        load(file.path())
    }

    const TENANT: &str = "agent_url: https://localhost:8600\ntenants:\n  - mysql_user: app\n    mysql_password: secret\n    server_id: s\n";

    #[test]
    fn ok_a_small_file() {
        let config = read(TENANT).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:3308");
        assert_eq!(config.warnings, Vec::<String>::new());
    }

    #[test]
    fn err_each_mistake_is_named_and_all_at_once() {
        for (text, path) in [
            ("listen: nowhere\n", "listen:"),
            ("tls: {mode: maybe}\n", "tls.mode:"),
            ("limits: {max_diff_window: long}\n", "limits.max_diff_window:"),
            ("monitor: {user: app, password: x}\n", "monitor.user:"),
            ("colour: blue\n", "colour"),
        ] {
            let mistakes = read(&format!("{TENANT}{text}")).unwrap_err();
            assert!(mistakes.iter().any(|m| m.contains(path)), "{text}: {mistakes:?}");
        }
        let two = "agent_url: ftp://x\nlisten: y\ntenants:\n  - mysql_user: a\n    server_id: s\n    mysql_password: ''\n";
        assert_eq!(read(two).unwrap_err().len(), 3);
        let twice = format!("{TENANT}  - mysql_user: app\n    mysql_password: other\n    server_id: s\n");
        assert!(read(&twice).unwrap_err()[0].contains("stands twice"));
        assert!(read("tenants:\n  - mysql_user: ${NOT_SET_ANYWHERE}\n").unwrap_err()[0].contains("line 2"));
    }

    #[test]
    fn ok_the_example_is_good_but_for_its_files() {
        let example = include_str!("../shim.example.yaml");
        let config: File = serde_saphyr::from_str(example).unwrap();
        assert!(!config.tenants.is_empty());
    }
}
