//! `http` and `audit` of shim.yaml.

use super::Resolver;
use super::values::size;
use crate::telemetry::audit;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The smallest file of an audit log.
const SMALLEST: u64 = 4 << 10;

impl Resolver {
    /// Where health and metrics are shown; `None`: nowhere, or the file has a mistake.
    pub(super) fn http(&mut self) -> Option<SocketAddr> {
        let form = "an address with a port, such as 127.0.0.1:3309";
        let listen: SocketAddr = self.parsed("http.listen", |t| t.parse().ok(), form)?;
        if !listen.ip().is_loopback() {
            self.warnings.push(format!(
                "http.listen: who reaches {listen} can read how many statements there are of which class, without a password"
            ));
        }
        Some(listen)
    }

    /// Where statements are written down; `None`: nowhere, or the file has a mistake.
    pub(super) fn audit(&mut self) -> Option<audit::AuditSettings> {
        let bytes = |t: &str| size(t).and_then(|n| u64::try_from(n).ok()).filter(|n| *n >= SMALLEST);
        let max_size = self.parsed("audit.max_size", bytes, "a size from 4KiB on, such as 100MiB");
        let keep =
            self.parsed("audit.keep", |t| t.parse().ok().filter(|n| *n <= 1000), "a number up to 1000");
        let refuse = self.one_of("audit.on_failure", &[("go_on", false), ("refuse", true)]);
        let (max_size, keep, refuse) = (max_size?, keep?, refuse?);
        let destination = match (self.text("audit.file"), self.text("audit.syslog")) {
            (None, None) => return None,
            (Some(_), Some(_)) => {
                return self
                    .mistake("audit.syslog", "there is audit.file too: lines go to one of them".to_owned());
            }
            (Some(path), None) | (None, Some(path)) if path.is_empty() => {
                return self.mistake("audit", "the name of its file or socket is empty".to_owned());
            }
            (Some(file), None) => {
                audit::Destination::File(audit::FileSettings { file: PathBuf::from(file), max_size, keep })
            }
            (None, Some(socket)) => audit::Destination::Syslog(PathBuf::from(socket)),
        };
        Some(audit::AuditSettings { destination, refuse })
    }
}
