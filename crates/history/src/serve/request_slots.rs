//! How many requests are answered at a time.

use super::answer;
use crate::query::Refusal;
use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::http::header::RETRY_AFTER;
use axum::response::Response;
use dbtrail_types::agent_api::code;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// The slots, and how often there was none.
#[derive(Debug)]
pub(super) struct RequestSlots {
    free: Arc<Semaphore>,
    all: usize,
    /// Those of answers that are being sent.
    held: Mutex<Vec<Weak<AnswerSlot>>>,
    turned_away: AtomicU64,
}

impl RequestSlots {
    pub(super) fn new(all: usize) -> Self {
        let all = all.clamp(1, Semaphore::MAX_PERMITS);
        let (free, held) = (Arc::new(Semaphore::new(all)), Mutex::default());
        Self { free, all, held, turned_away: AtomicU64::new(0) }
    }

    /// Requests that are being answered.
    pub(super) fn taken(&self) -> usize {
        self.all - self.free.available_permits().min(self.all)
    }

    pub(super) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }
}

/// An answer that nobody reads on for so long gives its slot to others. It goes on when it is read.
const UNREAD: Duration = Duration::from_secs(30);

/// The slot of an answer, and when the answer was read last.
#[derive(Debug)]
struct AnswerSlot(Mutex<(Instant, Option<OwnedSemaphorePermit>)>);

impl AnswerSlot {
    fn state(&self) -> MutexGuard<'_, (Instant, Option<OwnedSemaphorePermit>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The slot of a request that reads the history.
pub(super) struct RequestSlot<'a>(&'a RequestSlots, OwnedSemaphorePermit);

impl RequestSlot<'_> {
    /// The slot is free again when the answer is sent, or nobody wants it any more.
    pub(super) fn held(self, answer: Response) -> Response {
        let slot = Arc::new(AnswerSlot(Mutex::new((Instant::now(), Some(self.1)))));
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= 2 * self.0.all {
            held.retain(|slot| slot.strong_count() > 0);
        }
        held.push(Arc::downgrade(&slot));
        answer.map(|body| Body::new(AnswerBody { body, slot }))
    }
}

impl RequestSlots {
    /// A slot, or the answer to who gets none.
    pub(super) fn take(&self) -> Result<RequestSlot<'_>, Box<Response>> {
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(RequestSlot(self, permit));
        }
        self.take_back();
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(RequestSlot(self, permit));
        }
        let before = self.turned_away.fetch_add(1, Ordering::Relaxed);
        if before.is_power_of_two() || before == 0 {
            tracing::warn!(
                limit = self.all,
                turned_away = before + 1,
                "more requests at a time than limits.max_requests: turned away with 503"
            );
        }
        let why = format!("this agent answers {} requests at a time: ask again in a second", self.all);
        let mut response = answer::refusal(&Refusal::new(503, code::OVERLOADED, why));
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        Err(Box::new(response))
    }
}

impl RequestSlots {
    /// Frees the slots of answers that nobody reads.
    fn take_back(&self) {
        let now = Instant::now();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|slot| {
            let Some(slot) = slot.upgrade() else { return false };
            let mut state = slot.state();
            if now.saturating_duration_since(state.0) >= UNREAD {
                state.1 = None;
            }
            state.1.is_some()
        });
    }
}

/// A body, and the slot of its request.
struct AnswerBody {
    body: Body,
    slot: Arc<AnswerSlot>,
}

impl hyper::body::Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.slot.state().0 = Instant::now();
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ok_an_answer_that_nobody_reads_gives_its_slot_away() {
        let slots = RequestSlots::new(1);
        let mut first = slots.take().ok().unwrap().held(Response::new(Body::from("rows")));
        assert!(slots.take().is_err());
        tokio::time::advance(UNREAD / 2).await;
        let frame = std::future::poll_fn(|context| {
            hyper::body::Body::poll_frame(Pin::new(first.body_mut()), context)
        });
        assert!(frame.await.is_some());
        tokio::time::advance(UNREAD / 2).await;
        assert!(slots.take().is_err(), "it was read meanwhile");
        tokio::time::advance(UNREAD).await;
        let second = slots.take().ok().unwrap();
        assert_eq!(slots.taken(), 1);
        drop(first);
        assert!(slots.take().is_err(), "the slot is the other's now");
        drop(second);
        assert!(slots.take().is_ok());
    }
}
