//! What happened in this process, counted: connections, logins, statements, requests to agents,
//! limits, reloads. Never what was in a statement.

mod code;
mod state;

pub use code::Code;
pub use state::State;

use super::audit;
use prometheus_client::encoding::EncodeMetric;
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::LazyLock;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

type One = [(&'static str, &'static str); 1];
/// Class of a statement, and the number of its error.
type Two = (One, [(&'static str, Code); 1]);

/// The figures of this process.
#[derive(Debug)]
pub struct Metrics {
    connections: Counter,
    open: Gauge,
    logins: Family<Two, Counter>,
    statements: Family<Two, Counter>,
    durations: Family<One, Histogram, fn() -> Histogram>,
    first_rows: Histogram,
    rows: Counter,
    bytes: Counter,
    agent_requests: Family<One, Counter>,
    agent_durations: Histogram,
    limits: Family<One, Counter>,
    reloads: Family<One, Counter>,
    reload_good: Gauge,
    reloaded_at: Gauge<f64, AtomicU64>,
}

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// The figures of this process.
#[must_use]
pub fn metrics() -> &'static Metrics {
    &METRICS
}

/// The limits that are told apart.
pub const LIMITS: [&str; 8] = [
    "max_rows",
    "max_diff_window",
    "max_prepared_statements",
    "max_packet",
    "max_connections",
    "max_execution_time",
    "compute",
    "memory",
];

/// From 50 µs to 79 s.
fn histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.000_05, 3.0, 14))
}

/// Seconds of Unix time.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

impl Metrics {
    fn new() -> Self {
        let reload_good = Gauge::default();
        reload_good.set(1);
        // What has not happened yet is 0, and not missing.
        let (agent_requests, limits, reloads) =
            <(Family<One, Counter>, Family<One, Counter>, Family<One, Counter>)>::default();
        for (family, label, values) in [
            (&agent_requests, "outcome", &["answered", "refused", "failed", "unreachable"][..]),
            (&limits, "limit", &LIMITS),
            (&reloads, "outcome", &["taken", "refused"]),
        ] {
            for value in values {
                drop(family.get_or_create(&[(label, *value)]));
            }
        }
        let (logins, statements) = <(Family<Two, Counter>, Family<Two, Counter>)>::default();
        drop(logins.get_or_create(&([("outcome", "let_in")], [("code", Code::Ended(0))])));
        drop(statements.get_or_create(&([("class", "_flashback")], [("code", Code::Ended(0))])));
        let durations: Family<One, Histogram, fn() -> Histogram> = Family::new_with_constructor(histogram);
        drop(durations.get_or_create(&[("class", "_flashback")]));
        let reloaded_at = Gauge::<f64, AtomicU64>::default();
        reloaded_at.set(now());
        Self {
            connections: Counter::default(),
            open: Gauge::default(),
            logins,
            statements,
            durations,
            first_rows: histogram(),
            rows: Counter::default(),
            bytes: Counter::default(),
            agent_requests,
            agent_durations: histogram(),
            limits,
            reloads,
            reload_good,
            reloaded_at,
        }
    }

    /// A connection came; it is gone when what this gives is dropped.
    #[must_use]
    pub fn connected(&self) -> Connected {
        self.connections.inc();
        self.open.inc();
        Connected
    }

    /// A login ended: let in, `refused` with a number, or `abandoned` by the client.
    pub fn login(&self, outcome: &'static str, code: Code) {
        self.logins.get_or_create(&([("outcome", outcome)], [("code", code)])).inc();
    }

    /// A statement ended. `first`: when its first row had come.
    pub fn statement(&self, statement: &Ended) {
        let Ended { class, code, took, first, rows, bytes } = *statement;
        self.statements.get_or_create(&([("class", class)], [("code", code)])).inc();
        self.durations.get_or_create(&[("class", class)]).observe(took.as_secs_f64());
        if let Some(first) = first {
            self.first_rows.observe(first.as_secs_f64());
        }
        self.rows.inc_by(rows);
        self.bytes.inc_by(bytes);
    }

    /// An agent answered (`answered`, `refused` with 4xx, `failed` with 5xx), or was `unreachable`.
    pub fn agent(&self, outcome: &'static str, took: Duration) {
        self.agent_requests.get_or_create(&[("outcome", outcome)]).inc();
        self.agent_durations.observe(took.as_secs_f64());
    }

    /// A limit ended or refused something: its name in the configuration.
    pub fn limit(&self, name: &'static str) {
        self.limits.get_or_create(&[("limit", name)]).inc();
    }

    /// The configuration was read again: taken, or refused.
    pub fn reload(&self, taken: bool) {
        self.reloads.get_or_create(&[("outcome", if taken { "taken" } else { "refused" })]).inc();
        self.reload_good.set(i64::from(taken));
        if taken {
            self.reloaded_at.set(now());
        }
    }

    /// Appends them, in OpenMetrics without its end.
    pub fn write(&self, version: &str, into: &mut String) {
        let mut all = Registry::with_prefix("dbtrail_shim");
        let mut of =
            |name: &str, help: &str, metric: Box<dyn Metric>| all.register(name, help, BoxedMetric(metric));
        of("build", "This program", Box::new(Info::new(vec![("version", version.to_owned())])));
        of("connections_opened", "Connections that were accepted", Box::new(self.connections.clone()));
        of("connections", "Connections that are open, logged in or not", Box::new(self.open.clone()));
        of("logins", "Logins by outcome and error number (0: none)", Box::new(self.logins.clone()));
        let help =
            "Statements by class and error number (0: none; cancelled: the client went away or was killed)";
        of("statements", help, Box::new(self.statements.clone()));
        of("rows", "Rows sent to clients", Box::new(self.rows.clone()));
        of("agent_requests", "Requests to agents by outcome", Box::new(self.agent_requests.clone()));
        let help = "What limits of the configuration ended or refused, by their names";
        of("limits_reached", help, Box::new(self.limits.clone()));
        of(
            "reloads",
            "Readings of the configuration after the first one, by outcome",
            Box::new(self.reloads.clone()),
        );
        of(
            "reload_good",
            "1: the last reading of the configuration was taken",
            Box::new(self.reload_good.clone()),
        );
        let (records, failures, writable) = audit::figures();
        of("audit_records", "Lines of the audit log", Box::new(ConstCounter::new(records)));
        of("audit_failures", "Lines that the audit log did not take", Box::new(ConstCounter::new(failures)));
        let help = "1: the audit log is off, or took its last line";
        of("audit_writable", help, Box::new(ConstGauge::new(i64::from(writable))));
        let mut with = |name: &str, unit: Unit, help: &str, metric: Box<dyn Metric>| {
            all.register_with_unit(name, help, unit, BoxedMetric(metric));
        };
        let help = "Time from a statement to the end of its answer, by class";
        with("statement_duration", Unit::Seconds, help, Box::new(self.durations.clone()));
        let help = "Time from a statement to its first row";
        with("first_row_duration", Unit::Seconds, help, Box::new(self.first_rows.clone()));
        let help = "Time from a request to the head of an agent's answer";
        with("agent_request_duration", Unit::Seconds, help, Box::new(self.agent_durations.clone()));
        with("row", Unit::Bytes, "Bytes of rows sent to clients", Box::new(self.bytes.clone()));
        let help = "When the configuration was last taken, in Unix time";
        with("reload_timestamp", Unit::Seconds, help, Box::new(self.reloaded_at.clone()));
        // Writing to a String does not fail.
        let _ = encode_registry(into, &all);
    }
}

/// Any of them.
trait Metric: EncodeMetric + fmt::Debug + Send + Sync {}
impl<M: EncodeMetric + fmt::Debug + Send + Sync> Metric for M {}

#[derive(Debug)]
struct BoxedMetric(Box<dyn Metric>);

impl EncodeMetric for BoxedMetric {
    fn encode(&self, encoder: prometheus_client::encoding::MetricEncoder<'_>) -> fmt::Result {
        self.0.encode(encoder)
    }

    fn metric_type(&self) -> prometheus_client::metrics::MetricType {
        self.0.metric_type()
    }
}

/// A statement that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// `_flashback`, `set`, `show`...
    pub class: &'static str,
    /// The outcome: ok, or the error number.
    pub code: Code,
    /// In all.
    pub took: Duration,
    /// Until its first row.
    pub first: Option<Duration>,
    /// Rows sent.
    pub rows: u64,
    /// The bytes of the rows that were sent.
    pub bytes: u64,
}

/// An open connection.
#[derive(Debug)]
pub struct Connected;

impl Drop for Connected {
    fn drop(&mut self) {
        METRICS.open.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_reported_with_help_and_unit() {
        let metrics = Metrics::new();
        metrics.login("refused", Code::Ended(1045));
        let ended = Ended {
            class: "_diff",
            code: Code::Ended(1064),
            took: Duration::from_millis(2),
            first: None,
            rows: 3,
            bytes: 40,
        };
        metrics.statement(&ended);
        metrics.statement(&Ended { code: Code::Cancelled, ..ended });
        metrics.agent("failed", Duration::from_millis(1));
        metrics.limit("max_rows");
        metrics.reload(false);
        let mut text = String::new();
        metrics.write("1.2.3", &mut text);
        for line in [
            "dbtrail_shim_build_info{version=\"1.2.3\"} 1",
            "dbtrail_shim_logins_total{outcome=\"refused\",code=\"1045\"} 1",
            "dbtrail_shim_statements_total{class=\"_diff\",code=\"1064\"} 1",
            "dbtrail_shim_statements_total{class=\"_diff\",code=\"cancelled\"} 1",
            "dbtrail_shim_statement_duration_seconds_count{class=\"_diff\"} 2",
            "dbtrail_shim_rows_total 6",
            "dbtrail_shim_row_bytes_total 80",
            "dbtrail_shim_agent_requests_total{outcome=\"failed\"} 1",
            "dbtrail_shim_limits_reached_total{limit=\"max_rows\"} 1",
            "dbtrail_shim_reloads_total{outcome=\"refused\"} 1",
            "dbtrail_shim_reload_good 0",
            "dbtrail_shim_audit_writable 1",
        ] {
            assert!(text.contains(&format!("{line}\n")), "{line} in {text}");
        }
        let declared = text.lines().filter(|l| l.starts_with("# TYPE ")).count();
        assert_eq!(text.lines().filter(|l| l.starts_with("# HELP ")).count(), declared);
    }
}
