//! Counters, in the Prometheus text form.

use super::places::Places;
use crate::History;
use crate::history_handle::{CaptureStatus, Connection, HistoryHandle};
use dbtrail_types::instant::Instant;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// What was asked since the start.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    answered: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
}

/// Lines under way.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn of(&mut self, kind: &str, name: &str, value: &str) {
        // Writing to a String does not fail.
        let _ = writeln!(self.0, "# TYPE dbtrail_agent_{name} {kind}\ndbtrail_agent_{name} {value}");
    }

    fn gauge(&mut self, name: &str, value: &str) {
        self.of("gauge", name, value);
    }

    fn counter(&mut self, name: &str, value: u64) {
        self.of("counter", name, &value.to_string());
    }
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

    pub(super) fn text(&self, history_handle: &HistoryHandle, places: &Places, now: Instant) -> String {
        let mut lines = Lines::default();
        lines.0.push_str("# TYPE dbtrail_agent_requests_total counter\n");
        for (outcome, counter) in
            [("answered", &self.answered), ("refused", &self.refused), ("failed", &self.failed)]
        {
            let n = counter.load(Ordering::Relaxed);
            let _ = writeln!(lines.0, "dbtrail_agent_requests_total{{outcome=\"{outcome}\"}} {n}");
        }
        lines.gauge("requests_in_flight", &places.taken().to_string());
        lines.counter("requests_turned_away_total", places.turned_away());
        if let Some(history) = history_handle.current() {
            record(&mut lines, &history);
        }
        if let Some(live) = history_handle.liveness() {
            capture(&mut lines, &live, now);
        }
        lines.0
    }
}

/// What the record holds.
fn record(lines: &mut Lines, history: &History) {
    let coverage = history.coverage();
    for (name, value) in [
        ("tables", history.table_count().to_string()),
        ("unreadable_tables", history.unreadable().len().to_string()),
        ("transactions", history.entries().to_string()),
        ("row_changes", history.changes().to_string()),
        ("oldest_timestamp_seconds", seconds(coverage.oldest.micros())),
        ("newest_timestamp_seconds", seconds(coverage.newest.micros())),
    ] {
        lines.gauge(name, &value);
    }
}

/// How capturing goes.
fn capture(lines: &mut Lines, live: &CaptureStatus, now: Instant) {
    let connected = live.connection == Connection::Up && live.failed.is_none();
    lines.gauge("connected", if connected { "1" } else { "0" });
    if let Some(lag) = live.lag_seconds(now) {
        lines.gauge("lag_seconds", &format!("{lag:.6}"));
    }
    lines.gauge("gaps", &live.gaps.len().to_string());
    lines.counter("log_events_total", live.events);
    lines.counter("log_bytes_total", live.bytes);
    lines.gauge("baseline_tables_done", &live.baseline.done.to_string());
    lines.gauge("baseline_tables", &live.baseline.total.to_string());
    lines.gauge("baseline_rows", &live.baseline.rows.to_string());
    lines.gauge("store_bytes", &live.bytes_on_disk.to_string());
    lines.gauge("versions", &live.versions.to_string());
    lines.counter("purged_versions_total", live.purged);
}

fn seconds(micros: i64) -> String {
    format!("{}.{:06}", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Gap;
    use crate::history_handle::BaselineProgress;
    use dbtrail_types::names::ServerId;

    #[test]
    fn a_capture_is_told_in_numbers() {
        let at = |seconds: i64| Instant::from_micros(seconds * 1_000_000);
        let history_handle = HistoryHandle::live(ServerId("s".to_owned()), at(0));
        let text = || Metrics::default().text(&history_handle, &Places::new(3), at(10));
        assert!(text().contains("dbtrail_agent_connected 0\n"));
        assert!(!text().contains("lag_seconds"), "what is not known has no number");
        history_handle.update(|l| {
            l.connected(Ok(()), at(1));
            l.clock = Some(at(8));
            l.gaps = vec![Gap { from: at(1), to: at(2), reason: String::new() }];
            l.baseline = BaselineProgress { done: 1, total: 2, rows: 30 };
            (l.events, l.bytes, l.bytes_on_disk, l.versions, l.purged) = (4, 5, 6, 7, 8);
        });
        let text = text();
        for line in [
            "# TYPE dbtrail_agent_connected gauge\ndbtrail_agent_connected 1",
            "dbtrail_agent_lag_seconds 2.000000",
            "dbtrail_agent_gaps 1",
            "# TYPE dbtrail_agent_log_events_total counter\ndbtrail_agent_log_events_total 4",
            "dbtrail_agent_log_bytes_total 5",
            "dbtrail_agent_baseline_tables_done 1",
            "dbtrail_agent_baseline_tables 2",
            "dbtrail_agent_baseline_rows 30",
            "dbtrail_agent_store_bytes 6",
            "dbtrail_agent_versions 7",
            "dbtrail_agent_purged_versions_total 8",
            "dbtrail_agent_requests_in_flight 0",
        ] {
            assert!(text.contains(&format!("{line}\n")), "{line} in {text}");
        }
        assert!(!text.contains("dbtrail_agent_tables "), "there is no record yet");
    }
}
