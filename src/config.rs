//! shim.yaml and agent.yaml to the settings that the other modules own. Every mistake that can be
//! seen is reported, with line and path of its key.

pub mod agent;
mod file;
mod files;
pub mod log_files;
mod observed;
mod sessions;
mod tree;

use crate::agent_client::{self, AgentClient, Caller};
use crate::server;
use crate::session::{Credential, Tenant};
use crate::telemetry::{self, audit};
use crate::wire::connection::{Shared, Tls};
use crate::wire::error::{self, Unreachable};
use dbtrail_types::names::ServerId;
use dbtrail_types::secret::Secret;
use dbtrail_types::zone::Zone;
use file::{File, Layout, SHIM};
pub use files::{Files, Watch};
pub(crate) use sessions::session_defaults;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A configuration that is good.
#[derive(Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// For the server.
    pub server: server::ServerSettings,
    /// Level and form of the log.
    pub log: (String, telemetry::Format),
    /// Where health and metrics are shown, if anywhere.
    pub http: Option<SocketAddr>,
    /// Where time-travel statements are written down, if anywhere.
    pub audit: Option<audit::AuditSettings>,
    /// What is allowed and unwise.
    pub warnings: Vec<String>,
    /// What the file said. It may hold secrets.
    pub text: Secret,
    /// The files that it names, as they were when they were read.
    pub files: Files,
}

/// Reads a file. The error holds all mistakes, in the order of the file.
///
/// # Errors
/// The mistakes, each as `path of the file:line: path of the key: what`.
pub fn load(path: &Path) -> Result<Config, Vec<String>> {
    load_besides(path, None, Vec::new())
}

/// Reads a file again while what it said before is in use. `text`: what it said, where only the
/// files that it names are to be read again; `agents`: clients in use, which stay where nothing has
/// changed for them, with their connections.
///
/// # Errors
/// As for [`load`].
pub fn load_besides(
    path: &Path,
    text: Option<&Secret>,
    agents: Vec<AgentClient>,
) -> Result<Config, Vec<String>> {
    let secrets = |file: &File| {
        let held = |tenant: &String| {
            ["mysql_password", "mysql_pass_sha1", "agent_token"]
                .iter()
                .any(|key| file.text(&format!("{tenant}.{key}")).is_some())
        };
        file.has("monitor") || file.entries.iter().any(held)
    };
    let read = resolve(
        path,
        text,
        &SHIM,
        |resolver| {
            resolver.agents = agents;
            resolver.config()
        },
        secrets,
    )?;
    let config = Config { warnings: read.warnings, text: read.text, files: read.files, ..read.made };
    Ok(config)
}

/// What came of a file.
struct Read<T> {
    made: T,
    warnings: Vec<String>,
    text: Secret,
    files: Files,
}

/// Reads a file of this layout (or the text that it had) and makes settings of it; `secrets` tells
/// whether it holds any.
fn resolve<T>(
    path: &Path,
    text: Option<&Secret>,
    layout: &Layout,
    settings: impl FnOnce(&mut Resolver) -> Option<T>,
    secrets: impl FnOnce(&File) -> bool,
) -> Result<Read<T>, Vec<String>> {
    let name = path.display();
    let text = match text {
        Some(text) => text.clone(),
        None => Secret::new(
            std::fs::read_to_string(path)
                .map_err(|e| vec![format!("{name}: the file cannot be read: {e}")])?,
        ),
    };
    let environment = |variable: &str| std::env::var(variable).ok();
    let root = tree::read(text.expose()).map_err(|mistake| messages(path, vec![mistake]))?;
    let file = File::new(&root, layout, environment);
    let mut resolver = Resolver { file, warnings: Vec::new(), agents: Vec::new(), files: Vec::new() };
    let made = settings(&mut resolver);
    if secrets(&resolver.file) {
        resolver.warnings.extend(readable_by_others(path));
    }
    match made {
        Some(made) if resolver.file.mistakes.is_empty() => {
            let files = Files::seen(resolver.files);
            Ok(Read { made, warnings: resolver.warnings, text, files })
        }
        _ => Err(messages(path, resolver.file.mistakes)),
    }
}

/// Mistakes as lines, in the order of the file.
fn messages(path: &Path, mut mistakes: Vec<tree::Mistake>) -> Vec<String> {
    let name = path.display();
    mistakes.sort();
    mistakes.dedup();
    let line = |m: tree::Mistake| match m.path.as_str() {
        "" => format!("{name}:{}: {}", m.line, m.what),
        path => format!("{name}:{}: {path}: {}", m.line, m.what),
    };
    mistakes.into_iter().map(line).collect()
}

fn readable_by_others(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| {
        format!(
            "{} holds secrets and others can read it (mode {:o}): chmod 600 {}",
            path.display(),
            mode & 0o777,
            path.display()
        )
    })
}

/// Durations such as `24h`, `30s`, `500ms`, `7d`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
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

/// Clients read numbers out of the version before they know what they talk to.
fn version(text: &str) -> Option<String> {
    let numbers = text.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    let good = numbers.split('.').count() == 3 && numbers.split('.').all(|n| n.parse::<u16>().is_ok());
    (good && text.len() <= 60 && text.chars().all(|c| c.is_ascii_graphic())).then(|| text.to_owned())
}

/// What is decided without the file's tree.
struct Resolver {
    file: File,
    warnings: Vec<String>,
    /// Clients of agents that are in use already.
    agents: Vec<AgentClient>,
    /// The files that were read, each as it was just before.
    files: Vec<files::FileStamp>,
}

impl Resolver {
    fn mistake<T>(&mut self, path: &str, what: String) -> Option<T> {
        self.file.mistake(path, what);
        None
    }

    fn text(&self, path: &str) -> Option<String> {
        self.file.text(path).map(str::to_owned)
    }

    /// The bytes of the file that a key names.
    fn bytes(&mut self, path: &str) -> Option<Vec<u8>> {
        let name = self.text(path)?;
        self.files.push(files::seen(PathBuf::from(&name)));
        match std::fs::read(&name) {
            Ok(bytes) => Some(bytes),
            Err(e) => self.mistake(path, format!("{name} cannot be read: {e}")),
        }
    }

    fn secret_in(&mut self, path: &str) -> Option<Secret> {
        let bytes = self.bytes(path)?;
        match String::from_utf8(bytes) {
            Ok(text) => Some(Secret::new(text.trim_end_matches(['\n', '\r']).to_owned())),
            Err(_) => self.mistake(path, "the file that it names is not text".to_owned()),
        }
    }

    fn one_of<T: Copy>(&mut self, path: &str, choices: &[(&str, T)]) -> Option<T> {
        let value = self.text(path)?;
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == value) {
            return Some(*choice);
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        self.mistake(path, format!("'{value}' is none of {}", names.join(", ")))
    }

    fn parsed<T>(&mut self, path: &str, parse: impl Fn(&str) -> Option<T>, form: &str) -> Option<T> {
        let text = self.text(path)?;
        parse(&text).or_else(|| self.mistake(path, format!("'{text}' is not {form}")))
    }

    fn config(&mut self) -> Option<Config> {
        let listen =
            self.parsed("listen", |t| t.parse().ok(), "an address with a port, such as 127.0.0.1:3308");
        let tls = self.tls();
        let sure: Option<SocketAddr> = listen;
        if let (Some(address), Some(Tls::Off)) = (sure, &tls)
            && !address.ip().is_loopback()
        {
            self.warnings.push(format!(
                "listen: {address} can be reached from outside and tls is off: passwords and rows go unencrypted"
            ));
        }
        let session = self.session();
        let grace = self.parsed("shutdown_grace", duration, "a duration such as 30s");
        let unreachable = self.one_of(
            "proxysql.unreachable_code",
            &[("auto", Unreachable::Auto), ("2002", Unreachable::Code2002), ("1429", Unreachable::Code1429)],
        );
        let plain_1064 = self.one_of("errors.sqlstate_1064", &[("documented", false), ("mysql", true)]);
        let log = self.log();
        let (http, audit) = (self.http(), self.audit());
        let tenants = self.tenants();
        let monitor = self.monitor();
        let shared = Shared {
            tenants,
            monitor,
            tls: tls?,
            session: Arc::new(session?),
            errors: error::ErrorSettings { plain_1064: plain_1064?, unreachable: unreachable? },
        };
        Some(Config {
            listen: listen?,
            server: server::ServerSettings {
                shared: Arc::new(shared),
                shutdown_grace: grace?,
                threads: server::Threads::Shared,
            },
            log: log?,
            http,
            audit,
            warnings: Vec::new(),
            text: Secret::new(String::new()),
            files: Files::default(),
        })
    }

    fn log(&mut self) -> Option<(String, telemetry::Format)> {
        let levels = [("error", "error"), ("warn", "warn"), ("info", "info"), ("debug", "debug")];
        let level = self.one_of("log.level", &levels);
        let forms = [("text", telemetry::Format::Text), ("json", telemetry::Format::Json)];
        let format = self.one_of("log.format", &forms);
        Some((level?.to_owned(), format?))
    }

    fn tls(&mut self) -> Option<Tls> {
        let mode = self.one_of("tls.mode", &[("off", 0), ("offered", 1), ("required", 2)])?;
        if mode == 0 {
            return Some(Tls::Off);
        }
        if self.file.text("tls.cert_file").is_none() || self.file.text("tls.key_file").is_none() {
            return self.mistake("tls", "cert_file and key_file are needed unless mode is off".to_owned());
        }
        let (cert, key) = (self.bytes("tls.cert_file"), self.bytes("tls.key_file"));
        match tls_config(&cert?, &key?) {
            Ok(config) => Some(if mode == 1 { Tls::Offered(config) } else { Tls::Required(config) }),
            Err(e) => self.mistake("tls", e),
        }
    }

    fn monitor(&mut self) -> Option<(String, Secret)> {
        let (user, password) = (self.text("monitor.user")?, self.text("monitor.password")?);
        if user.is_empty() {
            self.mistake("monitor.user", "it is empty".to_owned())?;
        }
        if self.file.entries.iter().any(|t| self.file.text(&format!("{t}.mysql_user")) == Some(&user)) {
            self.mistake("monitor.user", format!("'{user}' is a tenant's user too"))?;
        }
        if password.is_empty() {
            return self.mistake("monitor.password", "it is empty".to_owned());
        }
        Some((user, Secret::new(password)))
    }

    fn tenants(&mut self) -> HashMap<String, Arc<Tenant>> {
        if self.file.entries.is_empty() && !self.file.mistakes.iter().any(|m| m.path.starts_with("tenants")) {
            self.file.mistake("tenants", "there is none, so nobody could log in".to_owned());
        }
        let mut agents: HashMap<String, Option<AgentClient>> = HashMap::new();
        let (mut tenants, mut first) = (HashMap::new(), HashMap::new());
        for at in self.file.entries.clone() {
            if let Some(user) = self.text(&format!("{at}.mysql_user"))
                && let Some(before) = first.insert(user.clone(), at.clone())
            {
                let what = format!("'{user}' is the user of {before} already");
                self.file.mistake(&format!("{at}.mysql_user"), what);
            }
            if let Some(made) = self.tenant(&at, &mut agents) {
                tenants.insert(made.mysql_user.clone(), Arc::new(made));
            }
        }
        tenants
    }

    fn tenant(&mut self, at: &str, agents: &mut HashMap<String, Option<AgentClient>>) -> Option<Tenant> {
        let key = |name: &str| format!("{at}.{name}");
        for name in ["mysql_user", "server_id", "agent_token", "default_schema"] {
            if self.file.text(&key(name)) == Some("") {
                self.file.mistake(&key(name), "it is empty".to_owned());
            }
        }
        let credential = self.credential(at);
        let agent = if let Some(url) = self.text(&key("agent_url")) {
            self.agent(&key("agent_url"), &url, agents)
        } else if let Some(url) = self.text("agent_url") {
            self.agent("agent_url", &url, agents)
        } else {
            self.mistake(&key("agent_url"), "neither the tenant nor the file names an agent".to_owned())
        };
        let token = match (self.text(&key("agent_token")), self.file.text(&key("agent_token_file"))) {
            (Some(_), Some(_)) => {
                self.mistake(at, "agent_token and agent_token_file exclude each other".to_owned())
            }
            (Some(token), None) => Some(Secret::new(token)),
            (None, Some(_)) => self.secret_in(&key("agent_token_file")),
            (None, None) => None,
        };
        let zone = self.parsed(&key("time_zone"), Zone::parse, "a time zone such as Europe/Berlin or +02:00");
        let (allowed, default) = (
            self.file.list(&key("allowed_schemas")).map(<[String]>::to_vec),
            self.text(&key("default_schema")),
        );
        if let (Some(allowed), Some(default)) = (&allowed, &default)
            && !allowed.contains(default)
        {
            self.file.mistake(&key("default_schema"), format!("'{default}' is not in allowed_schemas"));
        }
        let mysql_user = self.text(&key("mysql_user"))?;
        Some(Tenant {
            caller: Caller { tenant: mysql_user.clone(), token },
            mysql_user,
            credential: credential?,
            server_id: ServerId(self.text(&key("server_id"))?),
            agent: agent?,
            default_schema: default,
            allowed_schemas: allowed,
            time_zone: zone?,
        })
    }

    fn credential(&mut self, at: &str) -> Option<Credential> {
        let names = ["mysql_password", "mysql_password_file", "mysql_pass_sha1"];
        let given = names.map(|name| self.file.text(&format!("{at}.{name}")).is_some());
        let (name, secret) = match given {
            [true, false, false] => (names[0], self.text(&format!("{at}.{}", names[0])).map(Secret::new)),
            [false, true, false] => (names[1], self.secret_in(&format!("{at}.{}", names[1]))),
            [false, false, true] => {
                let path = format!("{at}.{}", names[2]);
                let bytes = self
                    .file
                    .text(&path)
                    .and_then(|t| t.strip_prefix('*'))
                    .and_then(dbtrail_types::agent_api::hex_bytes);
                return bytes.and_then(|b| <[u8; 20]>::try_from(b).ok()).map(Credential::NativeHash).or_else(
                    || {
                        self.mistake(
                            &path,
                            "it is not * and 40 hexadecimal digits, as in mysql.user".to_owned(),
                        )
                    },
                );
            }
            _ => {
                return self.mistake(
                    at,
                    "exactly one of mysql_password, mysql_password_file and mysql_pass_sha1 is needed"
                        .to_owned(),
                );
            }
        };
        let secret = secret?;
        if secret.expose().is_empty() {
            return self.mistake(&format!("{at}.{name}"), "the password is empty".to_owned());
        }
        Some(Credential::Password(secret))
    }

    /// The client of one agent; `path` is the key that names it. One client a URL.
    fn agent(
        &mut self,
        path: &str,
        url: &str,
        agents: &mut HashMap<String, Option<AgentClient>>,
    ) -> Option<AgentClient> {
        if let Some(known) = agents.get(url) {
            return known.clone();
        }
        let made = self.new_agent(path, url);
        agents.insert(url.to_owned(), made.clone());
        made
    }

    fn new_agent(&mut self, path: &str, url: &str) -> Option<AgentClient> {
        let host = url
            .strip_prefix("https://")
            .map(|h| (h, true))
            .or_else(|| url.strip_prefix("http://").map(|h| (h, false)));
        let Some((host, encrypted)) =
            host.filter(|(h, _)| !h.is_empty() && !h.trim_end_matches('/').contains(['/', '?', '#', '@']))
        else {
            // Somebody may have put a password into it.
            let shown = url.split_once('@').map_or(url, |(_, following)| following);
            return self.mistake(path, format!("'{shown}' is not https://host:port"));
        };
        if !encrypted && !is_local(host) {
            self.warnings
                .push(format!("{path}: {url} is not encrypted: tokens and rows can be read on the way"));
        }
        let ca_pem = match self.file.text("agent_tls.ca_file") {
            Some(_) => Some(self.bytes("agent_tls.ca_file")?),
            None => None,
        };
        let pair = ["agent_tls.cert_file", "agent_tls.key_file"];
        let identity_pem = match pair.map(|p| self.file.text(p).is_some()) {
            [true, true] => {
                let (cert, key) = (self.bytes(pair[0]), self.secret_in(pair[1]));
                Some((cert?, key?))
            }
            [false, false] => None,
            _ => return self.mistake("agent_tls", "cert_file and key_file come together".to_owned()),
        };
        let settings = agent_client::AgentSettings { base_url: url.to_owned(), ca_pem, identity_pem };
        if let Some(agent) = self.agents.iter().find(|agent| agent.is_of(&settings)) {
            return Some(agent.clone());
        }
        match AgentClient::new(&settings) {
            Ok(agent) => Some(agent),
            Err(e) => self.mistake(path, e.to_string()),
        }
    }
}

/// Whether the host of a URL, with its port, is this machine.
fn is_local(host: &str) -> bool {
    let name = host.trim_end_matches('/');
    let name = name.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(name, |(n, _)| n);
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    name == "localhost" || address.is_ok_and(|a| a.is_loopback())
}

/// A server's certificate chain and key, both PEM.
/// The TLS of the protocol's port, of a certificate chain and its key in PEM.
///
/// # Errors
/// Either cannot be read, or they do not belong together.
pub fn tls_config(cert: &[u8], key: &[u8]) -> Result<Arc<rustls::ServerConfig>, String> {
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

/// Whether an example names every key, each with a comment above it, and with its default in both.
#[cfg(test)]
fn holds_every_key(example: &str, file: &File, layout: &Layout) {
    use file::Takes;
    let lines: Vec<&str> = example.lines().collect();
    let list = layout.list.map(|(name, keys)| (format!("{name}[0]"), keys));
    let sections = layout.sections.iter().map(|(name, keys)| ((*name).to_owned(), *keys));
    for (section, keys) in sections.chain([(String::new(), layout.top)]).chain(list) {
        assert!(section.is_empty() || section.ends_with(']') || file.has(&section), "{section}");
        for (key, takes) in keys {
            let path = if section.is_empty() { (*key).to_owned() } else { format!("{section}.{key}") };
            if let Takes::Text(Some(default)) = takes {
                assert_eq!(
                    file.text(&path),
                    Some(*default),
                    "the example differs from the default of {path}"
                );
            }
            // The comment above the key says the default, and shows the other ways to give a
            // password or a token.
            let written =
                |line: &&str| line.trim_start().trim_start_matches("- ").starts_with(&format!("{key}:"));
            match lines.iter().position(written) {
                Some(at) => {
                    let above: Vec<&str> = lines[..at].iter().rev().copied().take(3).collect();
                    let comment = above.join(" ");
                    match takes {
                        Takes::Text(Some(default)) => {
                            let said =
                                comment.contains(default) && comment.to_lowercase().contains("default");
                            assert!(said, "no default of {path} in {comment}");
                        }
                        Takes::Text(None) | Takes::Needed | Takes::Texts => {
                            assert!(comment.contains('#'), "{path} has no comment");
                        }
                    }
                }
                None => assert!(example.contains(&format!("{key}: ")), "{path} is not in the example"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(text: &str) -> Result<Config, Vec<String>> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let name = format!("{}:", file.path().display());
        load(file.path())
            .map_err(|mistakes| mistakes.iter().map(|m| m.strip_prefix(&name).unwrap().to_owned()).collect())
    }

    /// Five lines.
    const TENANT_LINES: &str = "agent_url: https://localhost:8600\ntenants:\n  - mysql_user: app\n    mysql_password: secret\n    server_id: s\n";

    #[test]
    fn ok_a_small_file_has_the_defaults() {
        let config = read(TENANT_LINES).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:3308");
        assert_eq!(config.warnings, Vec::<String>::new());
        assert_eq!(config.server.shutdown_grace, Duration::from_secs(30));
        assert_eq!(config.log, ("info".to_owned(), telemetry::Format::Text));
        let session = &config.server.shared.session;
        assert_eq!(session.server_version, "8.0.36-dbtrail");
        let defaults = session_defaults().unwrap();
        assert_eq!(format!("{session:?}"), format!("{:?}", Arc::new(defaults)), "what no file says");
        assert_eq!((session.max_packet, session.max_connections), (64 << 20, 1000));
        assert_eq!(session.max_prepared_statements, 1000);
        assert_eq!((session.guard.max_keys, session.max_diff_window), (1000, Duration::from_secs(86_400)));
        assert_eq!(config.server.shared.tenants["app"].time_zone.name(), "+00:00");
    }

    #[test]
    fn err_each_mistake_has_line_and_path() {
        for (text, mistake) in [
            ("listen: nowhere\n", "6: listen: 'nowhere' is not an address with a port"),
            ("server_version: eight\n", "6: server_version: 'eight' is not a version"),
            ("tls: {mode: maybe}\n", "6: tls.mode: 'maybe' is none of off, offered, required"),
            ("tls:\n  mode: required\n", "6: tls: cert_file and key_file are needed"),
            (
                "limits:\n  max_keys: 5\n  max_diff_window: long\n",
                "8: limits.max_diff_window: 'long' is not a duration",
            ),
            (
                "limits: {max_keys: 0}\n",
                "6: limits.max_keys: '0' is not a number from 1 to 10000, the most that an agent answers",
            ),
            ("limits: {max_connections: many}\n", "6: limits.max_connections: 'many' is not a number"),
            ("limits: {max_packet: 2GiB}\n", "6: limits.max_packet: '2GiB' is not a size from 1KiB to 1GiB"),
            ("limits: 5\n", "6: limits: keys with values are needed, and this is a single value"),
            (
                "limits: {max_keys: 1000000}\n",
                "6: limits.max_keys: '1000000' is not a number from 1 to 10000, the most that an agent answers",
            ),
            ("limits: {max_keys: [5]}\n", "6: limits.max_keys: a single value is needed, and this is a list"),
            ("monitor: {user: app, password: x}\n", "6: monitor.user: 'app' is a tenant's user too"),
            ("monitor: {user: m, password: ''}\n", "6: monitor.password: it is empty"),
            ("monitor: {user: m}\n", "6: monitor.password: it is missing"),
            ("\ncolour: blue\n", "7: colour: there is no such key; those known here are listen, "),
            (
                "log: {colour: blue}\n",
                "6: log.colour: there is no such key; those known here are level, format",
            ),
            ("agent_url: https://b\n", "6: agent_url: it is there twice, first in line 1"),
            (
                "agent_tls: {ca_file: /nonexistent/ca}\n",
                "6: agent_tls.ca_file: /nonexistent/ca cannot be read: ",
            ),
            ("agent_tls: {key_file: k}\n", "6: agent_tls: cert_file and key_file come together"),
            (
                "    allowed_schemas: shop\n",
                "6: tenants[0].allowed_schemas: a list is needed, and this is a single value",
            ),
            (
                "    time_zone: Nowhere/At_All\n",
                "6: tenants[0].time_zone: 'Nowhere/At_All' is not a time zone",
            ),
            ("    agent_token: ''\n", "6: tenants[0].agent_token: it is empty"),
            (
                "    agent_token: a\n    agent_token_file: b\n",
                "3: tenants[0]: agent_token and agent_token_file exclude",
            ),
            ("    mysql_pass_sha1: x\n", "3: tenants[0]: exactly one of mysql_password, "),
            (
                "    default_schema: a\n    allowed_schemas: [b]\n",
                "6: tenants[0].default_schema: 'a' is not in allowed_schemas",
            ),
            (
                "    agent_url: ${NOT_SET_ANYWHERE}\n",
                "6: tenants[0].agent_url: the environment variable NOT_SET_ANYWHERE is not set",
            ),
            (
                "    agent_url: https://user:hidden@host\n",
                "6: tenants[0].agent_url: 'host' is not https://host:port",
            ),
            (
                "  - {mysql_user: app, mysql_password: b, server_id: s}\n",
                "6: tenants[1].mysql_user: 'app' is the user of tenants[0] already",
            ),
            (
                "  - {mysql_user: b, mysql_pass_sha1: '*12', server_id: s}\n",
                "6: tenants[1].mysql_pass_sha1: it is not * and 40 hexadecimal digits",
            ),
            ("  - {mysql_password: b, server_id: s}\n", "6: tenants[1].mysql_user: it is missing"),
            ("  - nobody\n", "6: tenants[1]: keys with values are needed, and this is a single value"),
            ("log: {level: info\n", "6: this is not YAML: unclosed bracket "),
        ] {
            let mistakes = read(&format!("{TENANT_LINES}{text}")).unwrap_err();
            assert!(mistakes[0].starts_with(mistake), "{text}: {mistakes:?}");
            assert!(mistakes.len() == 1 && !mistakes.concat().contains("hidden"), "{text}: {mistakes:?}");
        }
    }

    #[test]
    fn err_all_mistakes_at_once_in_the_order_of_the_file() {
        let text = "agent_url: ftp://x\nlisten: y\ncolour: blue\ntenants:\n  - mysql_user: a\n    serverid: s\n    mysql_password: ''\nlog: {level: loud}\n";
        assert_eq!(
            read(text).unwrap_err(),
            [
                "1: agent_url: 'ftp://x' is not https://host:port",
                "2: listen: 'y' is not an address with a port, such as 127.0.0.1:3308",
                "3: colour: there is no such key; those known here are listen, server_version, agent_url, shutdown_grace, agent_tls, tls, monitor, limits, statements, proxysql, errors, http, audit, log, tenants",
                "5: tenants[0].server_id: it is missing",
                "6: tenants[0].serverid: there is no such key; those known here are mysql_user, mysql_password, mysql_password_file, mysql_pass_sha1, server_id, agent_url, agent_token, agent_token_file, default_schema, allowed_schemas, time_zone",
                "7: tenants[0].mysql_password: the password is empty",
                "8: log.level: 'loud' is none of error, warn, info, debug",
            ]
        );
        assert_eq!(read("").unwrap_err(), ["1: tenants: there is none, so nobody could log in"]);
    }

    #[test]
    fn ok_variables_of_the_environment_are_values_and_never_yaml() {
        let root = tree::read("a: ignored\nlisten: 'x${V}y$$z$'\nagent_url: ${V}\n").unwrap();
        let file = File::new(&root, &SHIM, |name| (name == "V").then(|| "'\" # : [\n".to_owned()));
        assert_eq!(file.text("listen"), Some("x'\" # : [\ny$z$"));
        assert_eq!(file.text("agent_url"), Some("'\" # : [\n"));
    }

    #[test]
    fn ok_hosts_that_are_this_machine() {
        for (host, local) in [
            ("localhost", true),
            ("localhost:8600/", true),
            ("127.0.0.1:8600", true),
            ("[::1]:8600", true),
            ("127.0.0.1.example.com", false),
            ("localhost.example.com:8600", false),
            ("10.0.0.1:8600", false),
        ] {
            assert_eq!(is_local(host), local, "{host}");
        }
    }

    /// shim.example.yaml names every key, each with its default, and is good but for the files that
    /// it names.
    #[test]
    fn ok_the_example_holds_every_key_with_its_default() {
        let example = include_str!("../shim.example.yaml");
        let file = File::new(&tree::read(example).unwrap(), &SHIM, |_| None);
        assert_eq!(file.mistakes, []);
        holds_every_key(example, &file, &SHIM);
    }
}
