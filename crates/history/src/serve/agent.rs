//! What the handlers share.

use super::ServeOptions;
use super::metrics::Metrics;
use super::request_slots::RequestSlots;
use super::tokens::{TokenHash, Tokens, Unauthorized};
use super::undo::Undo;
use crate::query::Refusal;
use crate::{History, HistoryHandle};
use axum::http::HeaderMap;
use dbtrail_types::agent_api::code;
use dbtrail_types::timestamp::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// What the handlers share.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    pub(super) history_handle: Arc<HistoryHandle>,
    pub(super) tokens: Tokens,
    pub(super) doubt_tokens: Option<Tokens>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) slots: Arc<RequestSlots>,
    pub(super) max_lag: Duration,
    pub(super) patience: Duration,
    pub(super) catch_up_wait: Duration,
    pub(super) undo: Undo,
}

impl Agent {
    /// The history as it is now; one request keeps to one.
    pub(super) fn history(&self) -> Result<Arc<History>, Refusal> {
        self.history_handle.current().ok_or_else(|| {
            Refusal::new(
                503,
                code::NOT_READY,
                "the record has not begun yet: GET /readyz says why".to_owned(),
            )
        })
    }
}

impl Agent {
    /// Lets a request in, or not; with its token, where there are several.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<Option<TokenHash>, Unauthorized> {
        let refused = match self.tokens.admit(headers) {
            Ok(token) => return Ok(token),
            Err(refused) => refused,
        };
        self.doubt_tokens.as_ref().ok_or(refused).and_then(|tokens| tokens.admit(headers))
    }

    /// Whether a request may put a table in doubt.
    pub(super) fn may_doubt(&self, headers: &HeaderMap) -> bool {
        self.doubt_tokens.as_ref().is_some_and(|tokens| tokens.admit(headers).is_ok())
    }

    /// Appends the metrics, in OpenMetrics without its end.
    pub(super) fn write_metrics(&self, into: &mut String) {
        self.metrics.write(&self.history_handle, &self.slots, Timestamp::now(), into);
    }

    pub(super) fn new(history_handle: Arc<HistoryHandle>, options: &ServeOptions) -> Self {
        Self {
            history_handle,
            tokens: options.tokens.clone(),
            doubt_tokens: options.doubt_tokens.clone(),
            metrics: Arc::new(Metrics::default()),
            slots: Arc::new(RequestSlots::new(options.max_requests)),
            max_lag: options.max_lag,
            patience: options.patience,
            catch_up_wait: options.catch_up_wait,
            undo: Undo::new(options.undo.clone()),
        }
    }
}
