//! Spans: what took how long, and under which request of whom ([W3C Trace
//! Context](https://www.w3.org/TR/trace-context/)).
//!
//! Who exports them gives a sink; without one nothing is made. No span has a value of a row, a key
//! or a literal in it.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// The header that carries a [`TraceContext`].
pub const TRACEPARENT: &str = "traceparent";

/// A trace, and a span of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace: u128,
    /// The span.
    pub span: u64,
    /// Whether who began the trace exports it.
    pub sampled: bool,
}

/// A number that nobody else has: of this process, by what it stands for.
fn number(of: &str, part: u8) -> u64 {
    static SEED: OnceLock<RandomState> = OnceLock::new();
    // All zeros are no id.
    SEED.get_or_init(RandomState::new).hash_one((of, part)).max(1)
}

fn fresh() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    number("", 0) ^ number(&COUNT.fetch_add(1, Ordering::Relaxed).to_string(), 1)
}

impl TraceContext {
    /// The trace that is of this and of nothing else in this process, and its first span: each time
    /// the same for the same name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let trace = u128::from(number(name, 2)) << 64 | u128::from(number(name, 3));
        Self { trace, span: number(name, 4), sampled: is_on() }
    }

    /// A span in the same trace.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { span: fresh().max(1), ..*self }
    }

    /// A trace that nobody began elsewhere.
    #[must_use]
    pub fn begin() -> Self {
        Self {
            trace: u128::from(fresh()) << 64 | u128::from(fresh()),
            span: fresh().max(1),
            sampled: is_on(),
        }
    }

    /// What [`TRACEPARENT`] says; `None`: nothing that is understood.
    #[must_use]
    pub fn read(header: &str) -> Option<Self> {
        let lower = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let mut parts = header.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let sizes = [version, trace, span, flags].map(str::len) == [2, 32, 16, 2];
        // Later versions may have more after it, and begin alike.
        let known = version != "ff" && (version != "00" || parts.next().is_none());
        if !sizes || !known || ![version, trace, span, flags].into_iter().all(lower) {
            return None;
        }
        let trace = u128::from_str_radix(trace, 16).ok().filter(|trace| *trace != 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|span| *span != 0)?;
        let sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
        Some(Self { trace, span, sampled })
    }
}

/// As [`TRACEPARENT`] has it.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

/// What a span says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// A name.
    Text(String),
    /// A count.
    Number(u64),
}

/// Something that began and ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What kind of thing it is.
    pub name: String,
    /// Itself.
    pub context: TraceContext,
    /// The span that it is a part of.
    pub parent: Option<u64>,
    /// A span that it has to do with, in another trace.
    pub link: Option<TraceContext>,
    /// How long it took, up to now.
    pub took: Duration,
    /// Names and counts.
    pub attributes: Vec<(&'static str, Attribute)>,
    /// Why it failed; `None`: it did not.
    pub error: Option<String>,
}

impl Span {
    /// One that ends now.
    #[must_use]
    pub fn new(name: String, context: TraceContext, took: Duration) -> Self {
        Self { name, context, parent: None, link: None, took, attributes: Vec::new(), error: None }
    }

    /// The same with a name.
    #[must_use]
    pub fn text(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, Attribute::Text(value.into())));
        self
    }

    /// The same with a count.
    #[must_use]
    pub fn number(mut self, name: &'static str, value: u64) -> Self {
        self.attributes.push((name, Attribute::Number(value)));
        self
    }
}

/// Takes spans when they have ended, and the time at which they did.
pub type Sink = Box<dyn Fn(Span, SystemTime) + Send + Sync>;

static SINK: OnceLock<Sink> = OnceLock::new();

/// From now on spans go there. A second call changes nothing.
pub fn export_to(sink: Sink) {
    let _ = SINK.set(sink);
}

/// Whether anybody takes spans.
#[must_use]
pub fn is_on() -> bool {
    SINK.get().is_some()
}

/// Makes a span that ends now, where anybody takes it.
pub fn record(span: impl FnOnce() -> Span) {
    if let Some(sink) = SINK.get() {
        sink(span(), SystemTime::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_is_written() {
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = TraceContext::read(header).unwrap();
        assert_eq!((context.span, context.sampled), (0x00f0_67aa_0ba9_02b7, true));
        assert_eq!(context.to_string(), header);
        for more in [
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::read(more), Some(context), "{more}");
        }
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn ids_are_those_of_one_thing_alone() {
        let (one, other) = (TraceContext::of("7-1"), TraceContext::of("7-2"));
        assert_eq!(one, TraceContext::of("7-1"));
        assert!(one.trace != other.trace && one.span != other.span);
        let (first, second) = (one.child(), one.child());
        assert_eq!((first.trace, second.trace), (one.trace, one.trace));
        assert!(first.span != second.span && first.span != one.span);
        assert_ne!(TraceContext::begin().trace, TraceContext::begin().trace);
        assert!(!one.sampled, "nobody takes spans here");
    }
}
