//! A history that is served, and who may ask for it.

use super::ServeOptions;
use super::request_slots::RequestSlots;
use super::tokens::{TokenHash, Tokens, Unauthorized};
use super::undo::{Undo, WritesUndo};
use crate::engine::patience::{Patience, READ};
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

    /// What is made of the history as it is now. Where reading may wait for another machine, on a
    /// thread of its own, and for no longer than the answer is wanted: the threads of the server
    /// serve all connections.
    pub(super) async fn made<A: Send + 'static>(
        &self,
        make: impl FnOnce(Arc<History>) -> Result<A, Refusal> + Send + 'static,
    ) -> Result<A, Refusal> {
        let history = self.history()?;
        if !history.may_wait() {
            return make(history);
        }
        let (patience, _wanted) = Patience::new(READ);
        let made = tokio::task::spawn_blocking(move || patience.with(|| make(history)));
        match made.await {
            Ok(made) => made,
            Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
            Err(_) => Err(Refusal::new(503, code::NOT_READY, "the agent is ending".to_owned())),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Each, Pair, Snapshot, StoreError, Table};
    use crate::ingest::Ingest;
    use crate::record::Coverage;
    use crate::serve::agent::Agent;
    use dbtrail_types::names::ServerId;
    use dbtrail_types::timestamp::Timestamp;

    /// Another machine has it.
    #[derive(Debug)]
    struct Away;

    impl Snapshot for Away {
        fn get(&self, _: Table, _: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            Ok(None)
        }

        fn back(&self, _: Table, _: &[u8], _: &[u8], _: &mut Each<'_>) -> Result<(), StoreError> {
            Ok(())
        }

        fn forward(&self, _: Table, _: &[u8], _: &[u8], _: &mut Each<'_>) -> Result<(), StoreError> {
            Ok(())
        }

        fn scan(&self, _: Table, _: &[u8], _: &[u8], _: usize) -> Result<Vec<Pair>, StoreError> {
            Ok(Vec::new())
        }

        fn may_wait(&self) -> bool {
            true
        }
    }

    /// There is one thread: where an answer waited in it, nothing would end that.
    #[tokio::test]
    async fn an_answer_that_waits_for_another_machine_holds_up_nobody() {
        let at = Timestamp::from_micros(1);
        let history =
            Ingest::default().history(ServerId("s".to_owned()), Coverage { oldest: at, newest: at });
        let history = Arc::new(History { snapshot: Arc::new(Away), ..history });
        let agent = Agent::new(Arc::new(HistoryHandle::fixed(history)), &ServeOptions::default());
        let (say, said) = std::sync::mpsc::channel();
        let waits = tokio::spawn(async move {
            let wait = move |_| Ok(said.recv_timeout(Duration::from_secs(60)).unwrap_or("nobody came"));
            agent.histories[0].made(wait).await
        });
        // The other one has had its turn.
        tokio::task::yield_now().await;
        say.send("another request").unwrap();
        assert_eq!(waits.await.unwrap(), Ok("another request"));
    }
}
