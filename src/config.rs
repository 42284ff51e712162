//! shim.yaml and agent.yaml to the settings that the other modules own. Every mistake that can be
//! seen is reported, with line and path of its key.

pub mod agent;
mod file;
mod files;
pub mod log_files;
mod observed;
mod sessions;
mod tenants;
mod tls;
mod tree;
mod values;

use crate::agent_client::AgentPool;
use crate::server;
use crate::telemetry::{self, audit};
use crate::wire::connection::{Shared, Tls};
use crate::wire::error::{self, Unreachable};
use dbtrail_types::secret::Secret;
#[cfg(test)]
use file::Layout;
use file::{File, SHIM};
pub use files::{Files, Watch};
use reading::resolve;
pub(crate) use sessions::session_defaults;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
pub use tls::tls_config;
pub use values::HourlyShare;
pub(crate) use values::{HOURLY_SHARE_FORM, Verify, duration, verify};

/// A configuration that is good.
#[derive(Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Whether another process may listen there too, and where health and metrics are shown.
    pub port: server::Port,
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
    load_with(path, None, Vec::new())
}

/// Reads a file again while what it said before is in use. `text`: what it said, where only the
/// files that it names are to be read again; `pools`: agents in use, which stay where nothing has
/// changed for them, with their connections.
///
/// # Errors
/// As for [`load`].
pub fn load_with(path: &Path, text: Option<&Secret>, pools: Vec<AgentPool>) -> Result<Config, Vec<String>> {
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
            resolver.pools = pools;
            resolver.config()
        },
        secrets,
    )?;
    let config = Config { warnings: read.warnings, text: read.text, files: read.files, ..read.made };
    Ok(config)
}

/// What is decided without the file's tree.
struct Resolver {
    file: File,
    warnings: Vec<String>,
    /// Agents that are in use already.
    pools: Vec<AgentPool>,
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
        let shared = [("off", server::Port::Exclusive), ("on", server::Port::Shared)];
        let port = self.one_of("reuse_port", &shared);
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
            port: port?,
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
                        Takes::Text(None) | Takes::Needed | Takes::Texts | Takes::OneOrMore => {
                            assert!(comment.contains('#'), "{path} has no comment");
                        }
                    }
                }
                None => assert!(example.contains(&format!("{key}: ")), "{path} is not in the example"),
            }
        }
    }
}

mod reading;
#[cfg(test)]
mod tests;
