//! Counters, in the Prometheus text form.

use crate::history::History;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// What was asked since the start.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    answered: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
}

impl Metrics {
    pub(super) fn count(&self, status: u16) {
        let counter = match status {
            ..400 => &self.answered,
            400..500 => &self.refused,
            500.. => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn text(&self, history: &History) -> String {
        let mut text = String::from("# TYPE dbtrail_agent_requests_total counter\n");
        for (outcome, counter) in
            [("answered", &self.answered), ("refused", &self.refused), ("failed", &self.failed)]
        {
            let n = counter.load(Ordering::Relaxed);
            // Writing to a String does not fail.
            let _ = writeln!(text, "dbtrail_agent_requests_total{{outcome=\"{outcome}\"}} {n}");
        }
        let coverage = history.coverage();
        for (name, value) in [
            ("tables", history.table_count().to_string()),
            ("unreadable_tables", history.unreadable().len().to_string()),
            ("entries", history.entries().to_string()),
            ("row_changes", history.changes().to_string()),
            ("oldest_timestamp_seconds", seconds(coverage.oldest.micros())),
            ("newest_timestamp_seconds", seconds(coverage.newest.micros())),
        ] {
            let _ = writeln!(text, "# TYPE dbtrail_agent_{name} gauge\ndbtrail_agent_{name} {value}");
        }
        text
    }
}

fn seconds(micros: i64) -> String {
    format!("{}.{:06}", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000))
}
