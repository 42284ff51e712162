//! Metrics as they are sent: OpenMetrics to who asks for it, else the text format of Prometheus.

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use prometheus_client::encoding::EncodeMetric;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use std::fmt::Write;

const OPEN_METRICS: &str = "application/openmetrics-text";

/// Metrics that are put together when they are asked for.
#[derive(Debug)]
pub struct Exposition(Registry);

impl Exposition {
    /// Of metrics whose names begin so.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self(Registry::with_prefix(prefix))
    }

    /// A whole number that goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.0.register(name, help, ConstGauge::new(value));
    }

    /// The same with a unit, which becomes the end of its name.
    pub fn gauge_of(&mut self, name: &str, unit: Unit, help: &str, value: f64) {
        self.0.register_with_unit(name, help, unit, ConstGauge::new(value));
    }

    /// A number that only goes up.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.0.register(name, help, ConstCounter::new(value));
    }

    /// A metric of its own kind.
    pub fn metric<M>(&mut self, name: &str, help: &str, metric: M)
    where
        M: EncodeMetric + std::fmt::Debug + Send + Sync + 'static,
    {
        self.0.register(name, help, metric);
    }

    /// The same with a unit.
    pub fn metric_of<M>(&mut self, name: &str, unit: Unit, help: &str, metric: M)
    where
        M: EncodeMetric + std::fmt::Debug + Send + Sync + 'static,
    {
        self.0.register_with_unit(name, help, unit, metric);
    }

    /// In OpenMetrics, without its end: others may follow.
    pub fn write(&self, into: &mut String) {
        // Writing to a String does not fail.
        let _ = encode_registry(into, &self.0);
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
}
