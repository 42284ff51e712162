//! The span of a capture: one connection to the server, from connecting to its end.

use super::Ended;
use dbtrail_types::trace::{self, Span, TraceContext};
use std::time::Instant;

/// Recorded when it is dropped: also a capture that is stopped has one.
pub(super) struct CaptureSpan {
    began: Instant,
    address: String,
    ended: &'static str,
}

impl CaptureSpan {
    pub(super) fn begin(address: String) -> Self {
        Self { began: Instant::now(), address, ended: "stopped" }
    }

    pub(super) fn ends(&mut self, how: &Ended) {
        self.ended = match how {
            Ended::Closed => "stopped",
            Ended::Failed(_) => "failed",
            Ended::Damaged(..) => "damaged event",
            Ended::Refused(_) => "log refused",
            Ended::Resnapshot(_) => "begins again",
        };
    }
}

impl Drop for CaptureSpan {
    fn drop(&mut self) {
        trace::record(|| {
            let span = Span::new("capture".to_owned(), TraceContext::begin(), self.began.elapsed())
                .text("server.address", self.address.as_str())
                .text("dbtrail.ended", self.ended);
            let error = (self.ended != "stopped").then(|| self.ended.to_owned());
            Span { error, ..span }
        });
    }
}
