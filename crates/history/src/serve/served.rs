//! A history that is served, and who may ask for it.

use super::ServeOptions;
use super::request_slots::RequestSlots;
use super::tokens::{TokenHash, Tokens, Unauthorized};
use super::undo::{Undo, WritesUndo};
use crate::query::Refusal;
use crate::{History, HistoryHandle};
use axum::http::HeaderMap;
use dbtrail_types::agent_api::code;
use std::sync::Arc;
use std::time::Duration;

/// A history, and who may ask for it beside those who may ask for all of the agent's.
#[derive(Clone, Debug)]
pub struct Served {
    /// The history as it is now.
    pub history_handle: Arc<HistoryHandle>,
    /// Any of these opens this history; `None`: those of the agent alone do.
    pub tokens: Option<Tokens>,
    /// Any of these opens it too, and may put tables of it in doubt.
    pub doubt_tokens: Option<Tokens>,
    /// Who writes SQL that takes its changes back; `None`: nobody.
    pub undo: Option<Arc<dyn WritesUndo>>,
}

/// The same with what its requests take. One history that is slow, or asked for too much, takes
/// nothing of the others.
#[derive(Debug)]
pub(super) struct ServedHistory {
    pub(super) history_handle: Arc<HistoryHandle>,
    pub(super) slots: RequestSlots,
    pub(super) catch_up_wait: Duration,
    pub(super) undo: Undo,
    tokens: Option<Tokens>,
    doubt_tokens: Option<Tokens>,
}

impl ServedHistory {
    pub(super) fn new(served: Served, options: &ServeOptions) -> Self {
        Self {
            history_handle: served.history_handle,
            slots: RequestSlots::new(options.max_requests),
            catch_up_wait: options.catch_up_wait,
            undo: Undo::new(served.undo),
            tokens: served.tokens,
            doubt_tokens: served.doubt_tokens,
        }
    }

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

    /// Whether anybody may ask for it where nobody needs a token of the agent.
    pub(super) fn has_no_tokens(&self) -> bool {
        self.tokens.is_none()
    }

    /// Lets a request in that came with a token of its own; with that, where there are several.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<Option<TokenHash>, Unauthorized> {
        let all = [&self.tokens, &self.doubt_tokens].into_iter().flatten();
        all.map(|tokens| tokens.admit(headers)).find(Result::is_ok).unwrap_or(Err(Unauthorized))
    }

    /// Whether a request came with a token of its own that may put tables in doubt.
    pub(super) fn may_doubt(&self, headers: &HeaderMap) -> bool {
        self.doubt_tokens.as_ref().is_some_and(|tokens| tokens.allow(headers))
    }
}
