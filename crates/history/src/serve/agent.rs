//! What the handlers share.

use super::ServeOptions;
use super::metrics::Metrics;
use super::served::{Served, ServedHistory};
use super::tokens::{TokenHash, Tokens};
use crate::HistoryHandle;
use crate::query::Refusal;
use axum::http::HeaderMap;
use dbtrail_types::agent_api::code;
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// What the handlers share.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    /// One at the least.
    pub(super) histories: Arc<[Arc<ServedHistory>]>,
    /// Whether there may be several, so that what is told of one names it.
    pub(super) names_them: bool,
    tokens: Tokens,
    doubt_tokens: Option<Tokens>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) max_lag: Duration,
    pub(super) patience: Duration,
}

/// The histories that a request may ask for, each with its token, where there are several.
#[derive(Clone, Debug)]
pub(super) struct Admitted(Vec<(Arc<ServedHistory>, Option<TokenHash>)>);

impl Admitted {
    pub(super) fn histories(&self) -> impl Iterator<Item = &Arc<ServedHistory>> {
        self.0.iter().map(|(history, _)| history)
    }
}

impl Agent {
    /// With one history: what is told of it needs no name.
    pub(super) fn new(history_handle: Arc<HistoryHandle>, options: &ServeOptions) -> Self {
        let undo = options.undo.clone();
        let served = Served { history_handle, tokens: None, doubt_tokens: None, undo };
        Self { names_them: false, ..Self::of_all(vec![served], options) }
    }

    /// With these, of which each has a name of its own.
    pub(super) fn of_all(served: Vec<Served>, options: &ServeOptions) -> Self {
        let histories = served.into_iter().map(|one| Arc::new(ServedHistory::new(one, options)));
        Self {
            histories: histories.collect(),
            names_them: true,
            tokens: options.tokens.clone(),
            doubt_tokens: options.doubt_tokens.clone(),
            metrics: Arc::new(Metrics::default()),
            max_lag: options.max_lag,
            patience: options.patience,
        }
    }

    /// What a request may ask for; `None`: nothing.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Option<Admitted> {
        let tokens = (!self.tokens.is_open()).then_some(&self.tokens);
        let mut general = [tokens, self.doubt_tokens.as_ref()].into_iter().flatten();
        let general = general.find_map(|tokens| tokens.admit(headers).ok());
        let of = |history: &Arc<ServedHistory>| {
            let open = || (self.tokens.is_open() && history.has_no_tokens()).then_some(None);
            let token = history.admit(headers).ok().or(general).or_else(open)?;
            Some((Arc::clone(history), token))
        };
        let admitted: Vec<_> = self.histories.iter().filter_map(of).collect();
        (!admitted.is_empty()).then_some(Admitted(admitted))
    }

    /// The history that a request is for, by the server that it names. One that names none is
    /// refused by whoever reads it; so is one for another server than that of a single history.
    pub(super) fn chosen(
        &self,
        admitted: Admitted,
        named: Option<&str>,
    ) -> Result<(Arc<ServedHistory>, Option<TokenHash>), Refusal> {
        let of = |history: &ServedHistory, name: &str| history.history_handle.server_id().0 == name;
        let mut all = admitted.0.into_iter();
        let found = match named {
            Some(name) if self.names_them => all.find(|(history, _)| of(history, name)),
            _ => all.next(),
        };
        found.ok_or_else(|| unknown(named.unwrap_or_default()))
    }

    /// Whether a request may put tables of this history in doubt.
    pub(super) fn may_doubt(&self, history: &ServedHistory, headers: &HeaderMap) -> bool {
        history.may_doubt(headers) || self.doubt_tokens.as_ref().is_some_and(|tokens| tokens.allow(headers))
    }

    /// Appends the metrics of these histories, in OpenMetrics without its end.
    pub(super) fn write_metrics<'h>(
        &self,
        histories: impl Iterator<Item = &'h Arc<ServedHistory>>,
        into: &mut String,
    ) {
        self.metrics.write(histories, self.names_them, Timestamp::now(), into);
    }
}

/// The refusal of a question for a server of which nothing is told to who asks.
pub(super) fn unknown(server: &str) -> Refusal {
    let server = ServerId(server.to_owned());
    Refusal::new(
        404,
        code::UNKNOWN_SERVER,
        format!("this agent has no history of server '{server}', or none that this token opens"),
    )
}
