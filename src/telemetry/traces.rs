//! Spans to a collector, as OpenTelemetry's protocol has them ([OTLP over
//! HTTP](https://opentelemetry.io/docs/specs/otlp/#otlphttp), in JSON).
//!
//! Where to is said as for every other program: `OTEL_EXPORTER_OTLP_ENDPOINT` and its relatives.
//! A collector that is slow or gone costs spans, and nothing else.

use dbtrail_types::trace::{self, Attribute, Span};
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Spans that wait at most; those beyond are dropped.
const WAITING: usize = 4096;
/// Spans of one request.
const BATCH: usize = 512;
/// How long a span waits for others.
const LINGER: Duration = Duration::from_secs(1);
/// For one request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the end of the process waits for the last spans.
const LAST: Duration = Duration::from_secs(2);

/// A span, and when it ended.
type Ended = (Span, SystemTime);

/// Where spans go.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Collector {
    url: String,
    service: String,
    headers: Vec<(String, String)>,
}

/// What is to be stopped at the end.
struct Exporter {
    spans: SyncSender<Ended>,
    thread: JoinHandle<()>,
}

static EXPORTER: Mutex<Option<Exporter>> = Mutex::new(None);
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// The collector that the environment names; `None`: no spans are wanted.
fn collector(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Collector>, String> {
    let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let off = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || variable("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
    let base = variable("OTEL_EXPORTER_OTLP_ENDPOINT")
        .map(|base| format!("{}/v1/traces", base.trim_end_matches('/')));
    let Some(url) = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or(base).filter(|_| !off) else {
        return Ok(None);
    };
    let spoken = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
    if let Some(protocol) = spoken.iter().find_map(|name| variable(name))
        && protocol != "http/json"
    {
        return Err(format!("OTEL_EXPORTER_OTLP_PROTOCOL is {protocol}, and spans go out as http/json"));
    }
    let named = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
    let headers = named.iter().find_map(|name| variable(name)).unwrap_or_default();
    let headers = headers
        .split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
    let service = variable("OTEL_SERVICE_NAME").unwrap_or_else(|| "dbtrail".to_owned());
    Ok(Some(Collector { url, service, headers: headers.collect() }))
}

/// Begins to export spans, where the environment says where to.
pub(super) fn start() {
    let collector = match collector(|name| std::env::var(name).ok()) {
        Ok(Some(collector)) => collector,
        Ok(None) => return,
        Err(why) => return tracing::error!("no spans are exported: {why}"),
    };
    let mut exporter = EXPORTER.lock().unwrap_or_else(PoisonError::into_inner);
    if exporter.is_some() {
        return;
    }
    let (spans, received) = sync_channel(WAITING);
    let url = collector.url.clone();
    let thread =
        std::thread::Builder::new().name("spans".to_owned()).spawn(move || export(&collector, &received));
    match thread {
        Ok(thread) => *exporter = Some(Exporter { spans: spans.clone(), thread }),
        Err(error) => return tracing::error!(%error, "no spans are exported: no thread for it"),
    }
    trace::export_to(Box::new(move |span, ended| {
        if spans.try_send((span, ended)).is_err() {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }));
    tracing::info!(collector = url, "spans are exported");
}

/// Waits a little until the last spans are out.
pub fn finish() {
    let exporter = EXPORTER.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(Exporter { spans, thread }) = exporter else { return };
    // An empty name is nobody's: it ends the thread.
    let end = Span::new(String::new(), trace::TraceContext::begin(), Duration::ZERO);
    let _ = spans.try_send((end, UNIX_EPOCH));
    let begun = Instant::now();
    while !thread.is_finished() && begun.elapsed() < LAST {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sends spans until the last one.
fn export(collector: &Collector, spans: &Receiver<Ended>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let client = reqwest::Client::builder().timeout(PATIENCE).build();
    let (runtime, client) = match (runtime, client) {
        (Ok(runtime), Ok(client)) => (runtime, client),
        (runtime, client) => {
            let why = (runtime.err().map(|e| e.to_string()), client.err().map(|e| e.to_string()));
            return tracing::error!(?why, "no spans are exported");
        }
    };
    let mut failing = false;
    loop {
        let (batch, over) = batch(spans);
        if !batch.is_empty() {
            let sent = runtime.block_on(send(&client, collector, &batch));
            match (&sent, failing) {
                (Err(why), false) => {
                    tracing::warn!(collector = collector.url, "spans are not taken, and are dropped: {why}");
                }
                (Ok(()), true) => {
                    let dropped = DROPPED.load(Ordering::Relaxed);
                    tracing::info!(collector = collector.url, dropped, "spans are taken again");
                }
                (Ok(()), false) | (Err(_), true) => {}
            }
            failing = sent.is_err();
            if failing {
                DROPPED.fetch_add(batch.len() as u64, Ordering::Relaxed);
            }
        }
        if over {
            return;
        }
    }
}

/// The next spans, and whether there will be no more.
fn batch(spans: &Receiver<Ended>) -> (Vec<Ended>, bool) {
    let mut batch = Vec::new();
    let Ok(first) = spans.recv() else { return (batch, true) };
    let until = Instant::now() + LINGER;
    let mut next = Some(first);
    loop {
        match next {
            Some((span, _)) if span.name.is_empty() => return (batch, true),
            Some(ended) => batch.push(ended),
            None => return (batch, false),
        }
        if batch.len() == BATCH {
            return (batch, false);
        }
        next = match spans.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(ended) => Some(ended),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return (batch, true),
        };
    }
}

async fn send(client: &reqwest::Client, collector: &Collector, batch: &[Ended]) -> Result<(), String> {
    let mut request = client.post(&collector.url).header("content-type", "application/json");
    for (name, value) in &collector.headers {
        request = request.header(name, value);
    }
    let body = written(&collector.service, batch).to_string();
    let response = request.body(body).send().await.map_err(|error| error.to_string())?;
    if response.status().is_success() { Ok(()) } else { Err(format!("it answers {}", response.status())) }
}

/// An ExportTraceServiceRequest.
fn written(service: &str, batch: &[Ended]) -> Value {
    let spans: Vec<Value> = batch.iter().map(one).collect();
    let resource = [
        ("service.name", Attribute::Text(service.to_owned())),
        ("service.version", Attribute::Text(env!("CARGO_PKG_VERSION").to_owned())),
        ("process.pid", Attribute::Number(u64::from(std::process::id()))),
    ];
    json!({"resourceSpans": [{
        "resource": {"attributes": resource.iter().map(attribute).collect::<Vec<_>>()},
        "scopeSpans": [{"scope": {"name": "dbtrail"}, "spans": spans}],
    }]})
}

fn attribute((name, value): &(&'static str, Attribute)) -> Value {
    let value = match value {
        Attribute::Text(text) => json!({"stringValue": text}),
        // 64-bit numbers are texts in protobuf's JSON.
        Attribute::Number(number) => json!({"intValue": number.to_string()}),
    };
    json!({"key": name, "value": value})
}

fn one((span, ended): &Ended) -> Value {
    /// SPAN_KIND_SERVER, STATUS_CODE_ERROR.
    const SERVER: u8 = 2;
    const ERROR: u8 = 2;
    let nanos = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string();
    let began = ended.checked_sub(span.took).unwrap_or(UNIX_EPOCH);
    let mut written = json!({
        "traceId": format!("{:032x}", span.context.trace),
        "spanId": format!("{:016x}", span.context.span),
        "name": span.name,
        "kind": SERVER,
        "startTimeUnixNano": nanos(began),
        "endTimeUnixNano": nanos(*ended),
        "attributes": span.attributes.iter().map(attribute).collect::<Vec<_>>(),
    });
    if let Some(parent) = span.parent {
        written["parentSpanId"] = json!(format!("{parent:016x}"));
    }
    if let Some(link) = &span.link {
        written["links"] =
            json!([{"traceId": format!("{:032x}", link.trace), "spanId": format!("{:016x}", link.span)}]);
    }
    if let Some(error) = &span.error {
        written["status"] = json!({"code": ERROR, "message": error});
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<Collector>, String> {
        let get = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        collector(get)
    }

    #[test]
    fn the_environment_says_where_spans_go() {
        assert_eq!(of(&[]), Ok(None));
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/");
        let collector = of(&[base, ("OTEL_EXPORTER_OTLP_HEADERS", "a=b, c = d")]).unwrap().unwrap();
        assert_eq!(
            (collector.url.as_str(), collector.service.as_str()),
            ("http://c:4318/v1/traces", "dbtrail")
        );
        assert_eq!(collector.headers, [("a", "b"), ("c", "d")].map(|(a, b)| (a.to_owned(), b.to_owned())));
        let endpoint = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://c/x");
        let collector = of(&[base, endpoint, ("OTEL_SERVICE_NAME", "shim-1")]).unwrap().unwrap();
        assert_eq!((collector.url.as_str(), collector.service.as_str()), ("https://c/x", "shim-1"));
        for off in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
            assert_eq!(of(&[base, off]), Ok(None));
        }
        assert!(of(&[base, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).unwrap_err().contains("http/json"));
    }
}
