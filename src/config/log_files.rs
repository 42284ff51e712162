//! Which log files are read, and what of them.

use super::Resolver;
use crate::plan;
use dbtrail_history::log::SourceTime;
use dbtrail_history::patterns::Patterns;
use dbtrail_history::source::Backfill;
use dbtrail_types::timestamp::Timestamp;
use dbtrail_types::zone::Zone;
use std::path::PathBuf;

/// Log files that are read once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFiles {
    /// The files, in any order.
    pub files: Vec<PathBuf>,
    /// Which time of each transaction counts.
    pub time: SourceTime,
    /// The tables to read, by include and exclude patterns.
    pub tables: Patterns,
    /// The first instant of the record, if not that of the files.
    pub from: Option<Timestamp>,
    /// The last instant of the record.
    pub to: Option<Timestamp>,
    /// A dump of definitions (`mysqldump --no-data`).
    pub schema: Option<PathBuf>,
}

/// What [`timestamp`] reads.
pub const TIMESTAMP_FORM: &str = "an instant of the past such as '2026-04-27 09:00:00' (UTC)";

/// Reads an instant, of UTC where it does not say otherwise.
#[must_use]
pub fn timestamp(text: &str) -> Option<Timestamp> {
    plan::timestamp(text, &Zone::utc(), Timestamp::now()).ok()
}

/// What [`backfill`] reads.
pub const BACKFILL_FORM: &str = "none, oldest, or an instant of the past such as '2026-04-27 09:00:00' (UTC)";

/// Reads how far back a new record begins.
#[must_use]
pub fn backfill(text: &str) -> Option<Backfill> {
    match text {
        "none" => Some(Backfill::None),
        "oldest" => Some(Backfill::Oldest),
        _ => timestamp(text).map(Backfill::Since),
    }
}

/// What is wrong with two ends of a record.
#[must_use]
pub fn reversed(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<String> {
    let (from, to) = (from?, to?);
    (from > to).then(|| format!("it ends at {to} and begins at {from}: write the earlier instant first"))
}

impl Resolver {
    /// Whether anything is said of log files.
    pub(super) fn of_log_files(&self) -> bool {
        let texts = ["from", "to", "schema"].map(|key| self.text(&format!("log_files.{key}")));
        let lists = ["include", "exclude"].map(|key| self.file.list(&format!("log_files.{key}")));
        texts.into_iter().flatten().any(|text| !text.is_empty())
            || lists.into_iter().flatten().any(|list| !list.is_empty())
    }

    /// The settings of log files.
    pub(super) fn log_files(&mut self, files: Vec<PathBuf>, time: Option<SourceTime>) -> Option<LogFiles> {
        if files.is_empty() {
            self.file.mistake("binlog", "the list is empty".to_owned());
        }
        for key in ["data", "keep", "cache", "disk_reserve", "baseline", "capture.backfill"] {
            if self.file.is_given(key) {
                let what = "it is for a source; log files are read once, at each start";
                self.file.mistake(key, what.to_owned());
            }
        }
        let mut end = |key: &str| {
            let given = self.text(key).is_some_and(|text| !text.is_empty());
            given.then(|| self.parsed(key, timestamp, TIMESTAMP_FORM))
        };
        let (from, to) = (end("log_files.from"), end("log_files.to"));
        if let Some(what) = reversed(from.flatten(), to.flatten()) {
            self.file.mistake("log_files.to", what);
        }
        let patterns = |key: &str| self.file.list(key).map(<[String]>::to_vec).unwrap_or_default();
        let (include, exclude) = (patterns("log_files.include"), patterns("log_files.exclude"));
        let mut wrong = Vec::new();
        for (key, patterns) in [("log_files.include", &include), ("log_files.exclude", &exclude)] {
            let bad = patterns.iter().filter_map(|p| Patterns::new(std::slice::from_ref(p), &[]).err());
            wrong.extend(bad.map(|e| (key, e.to_string())));
        }
        for (key, what) in wrong {
            self.file.mistake(key, what);
        }
        let tables = Patterns::new(&include, &exclude).ok()?;
        let schema = self.text("log_files.schema").filter(|path| !path.is_empty()).map(PathBuf::from);
        Some(LogFiles { files, time: time?, tables, from: from.flatten(), to: to.flatten(), schema })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_a_record_are_timestamps() {
        let at = |text: &str| timestamp(text).map(|at| at.to_string());
        assert_eq!(at("2026-04-27 09:00:00").as_deref(), Some("2026-04-27T09:00:00.000000Z"));
        assert_eq!(at("2026-04-27T09:00:00+02:00").as_deref(), Some("2026-04-27T07:00:00.000000Z"));
        assert_eq!((at("soon"), at("2999-01-01 00:00:00")), (None, None));
        let why = reversed(timestamp("2026-04-27 09:00:00"), timestamp("2026-04-26 09:00:00")).unwrap();
        assert!(why.contains("write the earlier instant first"), "{why}");
        assert_eq!(reversed(timestamp("2026-04-27 09:00:00"), None), None);
    }
}
