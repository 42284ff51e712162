//! Metrics as they are sent: OpenMetrics to who asks for it, else the text format of Prometheus.

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use prometheus_client::encoding::EncodeMetric;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::atomic::AtomicU64;

const OPEN_METRICS: &str = "application/openmetrics-text";

/// The labels of a sample.
type Labels = Vec<(&'static str, String)>;

/// A metric with the samples of all that it is told of.
#[derive(Clone, Debug)]
enum Samples {
    Integer(Family<Labels, Gauge<u64, AtomicU64>>),
    Real(Family<Labels, Gauge<f64, AtomicU64>>),
    Counter(Family<Labels, Counter>),
}

/// Metrics that are put together when they are asked for.
#[derive(Debug)]
pub struct Exposition {
    registry: Registry,
    /// By name: a metric stands in one place, whatever it is told of.
    samples: HashMap<String, Samples>,
    /// What the numbers are of.
    of: Labels,
}

impl Exposition {
    /// Of metrics whose names begin so.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self { registry: Registry::with_prefix(prefix), samples: HashMap::new(), of: Vec::new() }
    }

    /// The numbers from here on are of this server.
    pub(super) fn of_server(&mut self, server: &str) {
        self.of = vec![("server_id", server.to_owned())];
    }

    /// A whole number that goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.gauge_with(name, None, help, None, value);
    }

    /// The same of one of several states.
    pub(super) fn gauge_by(&mut self, name: &str, help: &str, by: (&'static str, &str), value: u64) {
        self.gauge_with(name, None, help, Some(by), value);
    }

    /// The same with a unit, which becomes the end of its name.
    pub(super) fn gauge_in(&mut self, name: &str, unit: Unit, help: &str, value: u64) {
        self.gauge_with(name, Some(unit), help, None, value);
    }

    fn gauge_with(
        &mut self,
        name: &str,
        unit: Option<Unit>,
        help: &str,
        by: Option<(&'static str, &str)>,
        value: u64,
    ) {
        let mut labels = self.of.clone();
        labels.extend(by.map(|(key, word)| (key, word.to_owned())));
        if let Samples::Integer(gauges) =
            self.samples_of(name, unit, help, || Samples::Integer(Family::default()))
        {
            gauges.get_or_create(&labels).set(value);
        }
    }

    /// A number with a unit, which becomes the end of its name.
    pub fn gauge_of(&mut self, name: &str, unit: Unit, help: &str, value: f64) {
        let labels = self.of.clone();
        if let Samples::Real(gauges) =
            self.samples_of(name, Some(unit), help, || Samples::Real(Family::default()))
        {
            gauges.get_or_create(&labels).set(value);
        }
    }

    /// A number that only goes up.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) {
        let labels = self.of.clone();
        if let Samples::Counter(counters) =
            self.samples_of(name, None, help, || Samples::Counter(Family::default()))
        {
            counters.get_or_create(&labels).inc_by(value);
        }
    }

    /// What is kept of a metric, which is declared with its first number.
    fn samples_of(
        &mut self,
        name: &str,
        unit: Option<Unit>,
        help: &str,
        new: impl Fn() -> Samples,
    ) -> Samples {
        if let Some(samples) = self.samples.get(name) {
            return samples.clone();
        }
        let samples = new();
        match samples.clone() {
            Samples::Integer(gauges) => self.declare(name, unit, help, gauges),
            Samples::Real(gauges) => self.declare(name, unit, help, gauges),
            Samples::Counter(counters) => self.declare(name, unit, help, counters),
        }
        self.samples.insert(name.to_owned(), samples.clone());
        samples
    }

    fn declare<M>(&mut self, name: &str, unit: Option<Unit>, help: &str, metric: M)
    where
        M: EncodeMetric + std::fmt::Debug + Send + Sync + 'static,
    {
        match unit {
            Some(unit) => self.registry.register_with_unit(name, help, unit, metric),
            None => self.registry.register(name, help, metric),
        }
    }

    /// A metric of its own kind.
    pub fn metric<M>(&mut self, name: &str, help: &str, metric: M)
    where
        M: EncodeMetric + std::fmt::Debug + Send + Sync + 'static,
    {
        self.declare(name, None, help, metric);
    }

    /// The same with a unit.
    pub fn metric_of<M>(&mut self, name: &str, unit: Unit, help: &str, metric: M)
    where
        M: EncodeMetric + std::fmt::Debug + Send + Sync + 'static,
    {
        self.declare(name, Some(unit), help, metric);
    }

    /// In OpenMetrics, without its end: others may follow.
    pub fn write(&self, into: &mut String) {
        // Writing to a String does not fail.
        let _ = encode_registry(into, &self.registry);
    }
}

/// The answer that holds them, in the form that the request asks for.
pub(super) fn response(mut open_metrics: String, headers: &HeaderMap) -> Response {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|v| v.to_str().ok());
    let (kind, body) = if accepted.into_iter().any(|v| v.contains(OPEN_METRICS)) {
        let _ = encode_eof(&mut open_metrics);
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", open_metrics)
    } else {
        ("text/plain; version=0.0.4; charset=utf-8", classic(&open_metrics))
    };
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// The text format of Prometheus (0.0.4): a counter is declared by the name of its samples, an info
/// is a gauge, and there are no units.
fn classic(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = None;
    for line in open_metrics.lines() {
        if line.starts_with("# HELP ") {
            help = Some(line);
        } else if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').unwrap_or((declared, "untyped"));
            let (ending, kind) = match kind {
                "counter" => ("_total", kind),
                "info" => ("_info", "gauge"),
                _ => ("", kind),
            };
            if let Some(words) = help.take().and_then(|h| h.strip_prefix("# HELP ")?.strip_prefix(name)) {
                let _ = writeln!(text, "# HELP {name}{ending}{words}");
            }
            let _ = writeln!(text, "# TYPE {name}{ending} {kind}");
        } else if !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let mut all = Exposition::new("x");
        all.counter("events", "Events", 3);
        all.gauge_of("age", Unit::Seconds, "Age", 1.5);
        let mut text = String::new();
        all.write(&mut text);
        let open = "# HELP x_events Events.\n# TYPE x_events counter\nx_events_total 3\n\
                    # HELP x_age_seconds Age.\n# TYPE x_age_seconds gauge\n# UNIT x_age_seconds seconds\nx_age_seconds 1.5\n";
        assert_eq!(text, open);
        assert_eq!(
            classic(&text),
            "# HELP x_events_total Events.\n# TYPE x_events_total counter\nx_events_total 3\n\
             # HELP x_age_seconds Age.\n# TYPE x_age_seconds gauge\nx_age_seconds 1.5\n"
        );
    }

    #[test]
    fn numbers_of_several_servers_stand_below_one_declaration() {
        let mut all = Exposition::new("x");
        for (server, value) in [("a", 1), ("b\"", 2)] {
            all.of_server(server);
            all.counter("events", "Events", value);
            all.gauge_by("tables", "Tables", ("state", "ill"), value);
        }
        let mut text = String::new();
        all.write(&mut text);
        let mut lines: Vec<&str> = text.lines().collect();
        lines[2..4].sort_unstable();
        lines[6..8].sort_unstable();
        assert_eq!(
            lines,
            [
                "# HELP x_events Events.",
                "# TYPE x_events counter",
                "x_events_total{server_id=\"a\"} 1",
                "x_events_total{server_id=\"b\\\"\"} 2",
                "# HELP x_tables Tables.",
                "# TYPE x_tables gauge",
                "x_tables{server_id=\"a\",state=\"ill\"} 1",
                "x_tables{server_id=\"b\\\"\",state=\"ill\"} 2",
            ]
        );
    }
}
