//! What the agent tells of itself in numbers.

use super::exposition::Exposition;
use super::served::ServedHistory;
use crate::History;
use crate::history_handle::{CaptureStatus, Connection};
use crate::query::TableHealth;
use dbtrail_types::agent_api::path;
use dbtrail_types::change_counts;
use dbtrail_types::timestamp::Timestamp;
use dbtrail_types::undo_script;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Unit;
use std::sync::Arc;
use std::time::Duration;

/// One label.
type Label = [(&'static str, &'static str); 1];

/// What was asked since the start.
#[derive(Debug)]
pub(super) struct Metrics {
    requests: Family<Label, Counter>,
    durations: Family<Label, Histogram, fn() -> Histogram>,
}

impl Default for Metrics {
    fn default() -> Self {
        let requests = Family::default();
        for outcome in OUTCOMES {
            drop(requests.get_or_create(&[("outcome", outcome)]));
        }
        let times: Family<Label, Histogram, fn() -> Histogram> = Family::new_with_constructor(durations);
        for route in ROUTES {
            drop(times.get_or_create(&[("route", route)]));
        }
        Self { requests, durations: times }
    }
}

const OUTCOMES: [&str; 3] = ["answered", "refused", "failed"];

/// From 50 µs to 26 s.
fn durations() -> Histogram {
    Histogram::new(exponential_buckets(0.000_05, 3.0, 13))
}

/// The paths that are told apart.
const ROUTES: [&str; 8] = [
    path::FLASHBACK,
    path::SNAPSHOT,
    path::DIFF,
    path::NET_CHANGES,
    path::HISTORY,
    path::STATUS,
    change_counts::PATH,
    undo_script::PATH,
];

impl Metrics {
    pub(super) fn count(&self, asked: &str, status: u16, took: Duration) {
        let outcome = match status {
            ..400 => "answered",
            400..500 => "refused",
            500.. => "failed",
        };
        self.requests.get_or_create(&[("outcome", outcome)]).inc();
        let route = ROUTES.into_iter().find(|route| *route == asked).unwrap_or("other");
        self.durations.get_or_create(&[("route", route)]).observe(took.as_secs_f64());
    }

    /// With the numbers of these histories, each with its name where there may be several; in
    /// OpenMetrics, without its end.
    pub(super) fn write<'h>(
        &self,
        histories: impl Iterator<Item = &'h Arc<ServedHistory>>,
        named: bool,
        now: Timestamp,
        into: &mut String,
    ) {
        let mut all = Exposition::new("dbtrail_agent");
        all.metric("requests", "Requests by outcome (4xx is refused, 5xx is failed)", self.requests.clone());
        all.metric_of(
            "request_duration",
            Unit::Seconds,
            "Time from a request to the head of its answer, by path",
            self.durations.clone(),
        );
        for served in histories {
            let handle = &served.history_handle;
            if named {
                all.of_server(&handle.server_id().0);
            }
            let (taken, turned_away) = (served.slots.taken() as u64, served.slots.turned_away());
            all.gauge("requests_in_flight", "Requests that are being answered", taken);
            let help = "Requests beyond limits.max_requests or the share of their token";
            all.counter("requests_turned_away", help, turned_away);
            if let Some(history) = handle.current() {
                record(&mut all, &history);
            }
            if let Some(live) = handle.capture_status() {
                capture(&mut all, &live, now);
            }
        }
        all.write(into);
    }
}

/// What the record holds.
fn record(all: &mut Exposition, history: &History) {
    let coverage = history.coverage();
    all.gauge("tables", "Tables that can be read at some time", history.table_count() as u64);
    all.gauge(
        "unreadable_tables",
        "Spans of time in which a table cannot be read",
        history.unreadable().len() as u64,
    );
    let health = history.table_health();
    for state in TableHealth::ALL {
        let count = health.iter().filter(|(_, h)| *h == state).count() as u64;
        let help = "Tables by how they are at the end of the record";
        all.gauge_by("table_states", help, ("state", state.word()), count);
    }
    all.gauge("transactions", "Transactions and DDL statements in the record", history.entries());
    all.gauge("row_changes", "Row changes in the record", history.changes());
    let second = |at: Timestamp| seconds(at.micros());
    let help = "The first instant whose states are known, in Unix time";
    all.gauge_of("oldest_timestamp", Unit::Seconds, help, second(coverage.oldest));
    if let Some(newest) = coverage.known() {
        let help = "The last instant whose states are known, in Unix time";
        all.gauge_of("newest_timestamp", Unit::Seconds, help, second(newest));
    }
}

/// How capturing goes.
fn capture(all: &mut Exposition, live: &CaptureStatus, now: Timestamp) {
    let written = live.failed.is_none() && live.shortage.is_none();
    let connected = live.connection == Connection::Up && written;
    all.gauge("connected", "1: the server's log arrives and is written", u64::from(connected));
    if let Some(lag) = live.lag_seconds(now) {
        all.gauge_of("lag", Unit::Seconds, "From the newest instant whose state is known to now", lag);
    }
    all.gauge("gaps", "Parts of the log that were never read", live.gaps.len() as u64);
    all.counter("log_events", "Events of the log taken in since the start", live.events);
    all.counter("log_bytes", "Bytes of the log taken in since the start", live.bytes);
    all.gauge("baseline_tables_done", "Tables of the first reading that are read", live.baseline.done);
    all.gauge("baseline_tables", "Tables of the first reading", live.baseline.total);
    all.gauge("baseline_rows", "Rows that the first reading has read", live.baseline.rows);
    let help = "1: capturing waits for room on the disk, or the store failed";
    all.gauge("not_written", help, u64::from(!written));
    if let Some(verification) = &live.verification {
        all.counter(
            "verified_rows",
            "Rows compared with those of the server since the start",
            verification.rows,
        );
        let help = "Tables whose rows were not those of the server in the last round over all of them";
        all.gauge("differing_tables", help, verification.differing.len() as u64);
        let help = "When that round began, in Unix time; 0: none has come to its end";
        let began = verification.proven.map_or(0.0, |at| seconds(at.micros()));
        all.gauge_of("verified_timestamp", Unit::Seconds, help, began);
    }
    if let Some(free) = live.disk_free {
        all.gauge_in("disk_free", Unit::Bytes, "Free on the disk of the store", free);
    }
    all.gauge_in("store", Unit::Bytes, "Disk that the store takes", live.bytes_on_disk);
    all.gauge("versions", "Versions of rows that are kept", live.versions);
    all.counter("purged_versions", "Versions that retention has dropped", live.purged);
}

#[expect(clippy::cast_precision_loss, reason = "a microsecond in 285 years is not missed")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HistoryHandle;
    use crate::capture::Gap;
    use crate::history_handle::BaselineProgress;
    use crate::serve::ServeOptions;
    use crate::serve::served::Served;
    use dbtrail_types::names::ServerId;

    #[test]
    fn a_capture_is_reported_in_numbers() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let history_handle = Arc::new(HistoryHandle::live(ServerId("s".to_owned()), at(0)));
        let handle = Arc::clone(&history_handle);
        let served = Served { history_handle: handle, tokens: None, doubt_tokens: None, undo: None };
        let served = Arc::new(ServedHistory::new(served, &ServeOptions::default()));
        let metrics = Metrics::default();
        let text_of = |named: bool| {
            let mut text = String::new();
            metrics.write([&served].into_iter(), named, at(10), &mut text);
            text
        };
        let text = || text_of(false);
        assert!(text().contains("dbtrail_agent_connected 0\n"));
        assert!(!text().contains("lag_seconds"), "what is not known has no number");
        history_handle.update(|l| {
            l.connected(Ok(()), at(1));
            l.clock = Some(at(8));
            l.gaps = vec![Gap { from: at(1), to: at(2), reason: String::new() }];
            l.baseline = BaselineProgress { done: 1, total: 2, rows: 30 };
            (l.events, l.bytes, l.bytes_on_disk, l.versions, l.purged) = (4, 5, 6, 7, 8);
        });
        metrics.count("/v1/flashback", 200, Duration::from_millis(1));
        metrics.count("/v1/nowhere", 404, Duration::from_millis(1));
        let text = text();
        for line in [
            "# TYPE dbtrail_agent_connected gauge\ndbtrail_agent_connected 1",
            "# UNIT dbtrail_agent_lag_seconds seconds\ndbtrail_agent_lag_seconds 2.0",
            "dbtrail_agent_gaps 1",
            "# TYPE dbtrail_agent_log_events counter\ndbtrail_agent_log_events_total 4",
            "dbtrail_agent_log_bytes_total 5",
            "dbtrail_agent_baseline_tables_done 1",
            "dbtrail_agent_baseline_tables 2",
            "dbtrail_agent_baseline_rows 30",
            "dbtrail_agent_store_bytes 6",
            "dbtrail_agent_versions 7",
            "dbtrail_agent_purged_versions_total 8",
            "dbtrail_agent_requests_in_flight 0",
            "dbtrail_agent_requests_total{outcome=\"answered\"} 1",
            "dbtrail_agent_requests_total{outcome=\"failed\"} 0",
            "dbtrail_agent_request_duration_seconds_count{route=\"/v1/flashback\"} 1",
            "dbtrail_agent_request_duration_seconds_count{route=\"other\"} 1",
        ] {
            assert!(text.contains(&format!("{line}\n")), "{line} in {text}");
        }
        assert!(!text.contains("dbtrail_agent_tables "), "there is no record yet");
        let named = text_of(true);
        for line in [
            "dbtrail_agent_gaps{server_id=\"s\"} 1",
            "dbtrail_agent_log_events_total{server_id=\"s\"} 4",
            "dbtrail_agent_requests_total{outcome=\"answered\"} 1",
        ] {
            assert!(named.contains(&format!("{line}\n")), "{line} in {named}");
        }
    }
}
