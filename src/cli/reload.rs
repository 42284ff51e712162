//! Reading the configuration again while the shim runs: at SIGHUP the file and all that it names;
//! by itself, the files that it names when they change. All or nothing: a mistake is reported in
//! the log, and what was read before stays.

use crate::config::{self, Config, Files, Watch};
use crate::server::Port;
use crate::telemetry::metrics::metrics;
use crate::telemetry::{self, audit};
use crate::wire::connection::Live;
use dbtrail_types::secret::Secret;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// How often files are looked at.
pub(super) const PERIOD: Duration = Duration::from_secs(2);

/// What of shim.yaml holds from the start on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct StartupOnly {
    listen: SocketAddr,
    port: Port,
    format: telemetry::Format,
    grace: Duration,
    http: Option<SocketAddr>,
}

impl StartupOnly {
    fn of(config: &Config) -> Self {
        let grace = config.server.shutdown_grace;
        Self { listen: config.listen, port: config.port, format: config.log.1, grace, http: config.http }
    }

    /// What differs and cannot follow; `None`: nothing.
    fn refuses(&self, other: &Self) -> Option<&'static str> {
        if self.listen != other.listen {
            return Some("listen");
        }
        if self.port != other.port {
            return Some("reuse_port");
        }
        if self.format != other.format {
            return Some("log.format");
        }
        if self.http != other.http {
            return Some("http.listen");
        }
        (self.grace != other.grace).then_some("shutdown_grace")
    }
}

/// The configuration of a shim that runs.
#[derive(Debug)]
pub(super) struct Reload {
    path: PathBuf,
    fixed: StartupOnly,
    text: Secret,
    watch: Watch,
    live: Arc<Live>,
    /// The last complaint of a file that changed by itself: it is not logged again and again.
    complained: Option<Vec<String>>,
}

/// What a reading came to.
enum Outcome {
    Taken,
    Refused(Vec<String>),
}

impl Reload {
    pub(super) fn new(path: &Path, config: &Config, live: Arc<Live>) -> Self {
        Self {
            path: path.to_owned(),
            fixed: StartupOnly::of(config),
            text: config.text.clone(),
            watch: Watch::new(config.files.clone()),
            live,
            complained: None,
        }
    }

    /// SIGHUP: everything again.
    pub(super) async fn all(&mut self) {
        match self.read(None).await {
            Outcome::Taken => {
                metrics().reload(true);
                self.complained = None;
                tracing::info!(
                    tenants = self.live.load().tenants.len(),
                    "{} and the files that it names are read again",
                    self.path.display()
                );
            }
            Outcome::Refused(mistakes) => {
                metrics().reload(false);
                refuse("SIGHUP: nothing is taken, what was read before stays", &mistakes);
            }
        }
    }

    /// Looks at the files that shim.yaml names, and reads them again if one has changed. shim.yaml
    /// itself counts as it was: it is read at SIGHUP alone.
    pub(super) async fn changed(&mut self) {
        if !self.watch.look() {
            return;
        }
        match self.read(Some(self.text.clone())).await {
            Outcome::Taken => {
                metrics().reload(true);
                self.complained = None;
                tracing::info!("files that {} names have changed and are read again", self.path.display());
            }
            Outcome::Refused(mistakes) => {
                if self.complained.as_ref() != Some(&mistakes) {
                    metrics().reload(false);
                    refuse("files have changed and are not taken, what was read before stays", &mistakes);
                }
                self.complained = Some(mistakes);
            }
        }
    }

    async fn read(&mut self, text: Option<Secret>) -> Outcome {
        let shared = self.live.load();
        let agents = shared.tenants.values().map(|tenant| tenant.agent.clone()).collect();
        let path = self.path.clone();
        let read = spawn_blocking(move || config::load_with(&path, text.as_ref(), agents)).await;
        let config = match read {
            Ok(Ok(config)) => config,
            Ok(Err(mistakes)) => return Outcome::Refused(mistakes),
            Err(error) => return Outcome::Refused(vec![format!("a bug: {error}")]),
        };
        if let Some(key) = self.fixed.refuses(&StartupOnly::of(&config)) {
            let what = format!("{}: {key} changes only with a restart", self.path.display());
            return Outcome::Refused(vec![what]);
        }
        if let Err(error) = audit::set(config.audit.as_ref()) {
            let to = config.audit.map(|a| a.destination.to_string()).unwrap_or_default();
            return Outcome::Refused(vec![format!("audit: {to} cannot be written: {error}")]);
        }
        telemetry::set_level(&config.log.0);
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        self.text = config.text;
        self.watch = Watch::new(config.files);
        self.live.replace(config.server.shared);
        Outcome::Taken
    }
}

fn refuse(what: &str, mistakes: &[String]) {
    for mistake in mistakes {
        tracing::error!("{what}: {mistake}");
    }
}

/// Certificate and key of an agent, which are read again when they change.
#[derive(Debug)]
pub(super) struct Pair {
    watch: Watch,
    complained: Option<String>,
}

impl Pair {
    pub(super) fn new(files: Files) -> Self {
        Self { watch: Watch::new(files), complained: None }
    }

    /// Looks; `read` reads them where they have changed.
    pub(super) fn changed(&mut self, read: impl FnOnce() -> Result<(), String>) {
        if !self.watch.look() {
            return;
        }
        match read() {
            Ok(()) => {
                self.complained = None;
                tracing::info!("certificate and key have changed and are read again");
            }
            Err(why) => {
                if self.complained.as_ref() != Some(&why) {
                    tracing::error!(
                        "certificate and key have changed and are not taken, those read before stay: {why}"
                    );
                }
                self.complained = Some(why);
            }
        }
    }
}
