//! A source, before anything of it was checked.

use dbtrail_history::log::SourceTime;
use dbtrail_history::patterns::Patterns;
use dbtrail_history::source::{Backfill, SourceConfig};
use dbtrail_types::secret::Secret;

/// A source as arguments or a file name it.
#[derive(Clone, Debug)]
pub struct NamedSource {
    /// Its address; it may hold the password.
    pub url: Secret,
    /// The password, where it is not in the address.
    pub password: Option<Secret>,
    /// The number under which the agent follows the log; `None`: a random one.
    pub replica_id: Option<u32>,
    /// Patterns of tables to capture; none: all.
    pub include: Vec<String>,
    /// Patterns of tables not to capture.
    pub exclude: Vec<String>,
    /// Rows a second that are read from tables at most; 0: as many as come.
    pub rows_per_second: u32,
    /// Which time of a transaction counts that a replica applied.
    pub source_time: SourceTime,
    /// How far back a new record begins.
    pub backfill: Backfill,
    /// Whether it is asked whose connections make transactions.
    pub connections: bool,
}

impl NamedSource {
    /// The source's own settings. The error holds all mistakes, each with the key that it is of;
    /// never a password.
    ///
    /// # Errors
    /// The mistakes.
    pub fn settings(self) -> Result<SourceConfig, Vec<(&'static str, String)>> {
        let mut mistakes = Vec::new();
        for (key, patterns) in [("include", &self.include), ("exclude", &self.exclude)] {
            let wrong = patterns.iter().filter_map(|p| Patterns::new(std::slice::from_ref(p), &[]).err());
            mistakes.extend(wrong.map(|e| (key, e.to_string())));
        }
        let read = SourceConfig::from_url(self.url.expose());
        let mut source = match (read, Patterns::new(&self.include, &self.exclude)) {
            (Ok(source), Ok(tables)) => SourceConfig { tables, ..source },
            (read, _) => {
                mistakes.extend(read.err().map(|e| ("url", e.to_string())));
                return Err(mistakes);
            }
        };
        if let Some(password) = self.password {
            if !source.password.expose().is_empty() {
                return Err(vec![("url", "it holds a password, and another is given besides it".to_owned())]);
            }
            source.password = password;
        }
        source.server_id = self.replica_id.unwrap_or(source.server_id);
        source.rows_per_second = self.rows_per_second;
        source.source_time = self.source_time;
        source.backfill = self.backfill;
        source.connections = self.connections;
        Ok(source)
    }
}

pub(super) fn names_a_password(url: &str) -> bool {
    let position = url.split_once("://").map_or(url, |(_, rest)| rest);
    position.rsplit_once('@').is_some_and(|(account, _)| account.contains(':'))
}
