//! How many requests are answered at a time, and how many of them come with one token.

use super::answer;
use super::tokens::TokenHash;
use crate::query::Refusal;
use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::http::header::RETRY_AFTER;
use axum::response::Response;
use dbtrail_types::agent_api::code;
use hyper::body::{Frame, SizeHint};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Slots that are taken, by the token that their requests came with.
type TakenByToken = Arc<Mutex<HashMap<TokenHash, usize>>>;

/// The slots, and how often there was none.
#[derive(Debug)]
pub(super) struct RequestSlots {
    free: Arc<Semaphore>,
    all: usize,
    /// By the token that they came with, where there are several.
    by_token: TakenByToken,
    /// Those of answers that are being sent.
    held: Mutex<Vec<Weak<AnswerSlot>>>,
    turned_away: AtomicU64,
}

impl RequestSlots {
    pub(super) fn new(all: usize) -> Self {
        let all = all.clamp(1, Semaphore::MAX_PERMITS);
        let (free, by_token, held) = (Arc::new(Semaphore::new(all)), Arc::default(), Mutex::default());
        Self { free, all, by_token, held, turned_away: AtomicU64::new(0) }
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

/// A slot that is taken, until it is dropped.
#[derive(Debug)]
struct Permit {
    _of_all: OwnedSemaphorePermit,
    of_token: Option<(TokenHash, TakenByToken)>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some((token, by_token)) = self.of_token.take() else { return };
        let mut by_token = by_token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = by_token.get_mut(&token) {
            *taken -= 1;
            if *taken == 0 {
                by_token.remove(&token);
            }
        }
    }
}

/// The slot of an answer, and when the answer was read last.
#[derive(Debug)]
struct AnswerSlot(Mutex<(Instant, Option<Permit>)>);

impl AnswerSlot {
    fn state(&self) -> MutexGuard<'_, (Instant, Option<Permit>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The slot of a request that reads the history.
pub(super) struct RequestSlot<'a>(&'a RequestSlots, Permit);

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
    /// A slot, or the answer to who gets none. `token`: what the request came with, where others
    /// come with another.
    pub(super) fn take(&self, token: Option<TokenHash>) -> Result<RequestSlot<'_>, Box<Response>> {
        for again in [false, true] {
            if again {
                self.take_back();
            }
            if let Some(permit) = self.permit(token) {
                return Ok(RequestSlot(self, permit));
            }
        }
        let before = self.turned_away.fetch_add(1, Ordering::Relaxed);
        if before.is_power_of_two() || before == 0 {
            tracing::warn!(
                limit = self.all,
                turned_away = before + 1,
                "more requests at a time than limits.max_requests: turned away with 503"
            );
        }
        let why = if self.free.available_permits() == 0 {
            format!("this agent answers {} requests at a time: ask again in a second", self.all)
        } else {
            format!(
                "{} requests of this token are being answered, and the rest of the {} of this agent is kept for its \
                 other tokens: ask again in a second",
                self.most_of_a_token(),
                self.all
            )
        };
        let mut response = answer::refusal(&Refusal::new(503, code::OVERLOADED, why));
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        Err(Box::new(response))
    }
}

impl RequestSlots {
    /// Where there are several tokens: one leaves a quarter to the others, whatever it asks.
    fn most_of_a_token(&self) -> usize {
        (self.all - self.all.div_ceil(4)).max(1)
    }

    fn permit(&self, token: Option<TokenHash>) -> Option<Permit> {
        let Some(token) = token else {
            let of_all = Arc::clone(&self.free).try_acquire_owned().ok()?;
            return Some(Permit { _of_all: of_all, of_token: None });
        };
        let mut by_token = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        if by_token.get(&token).is_some_and(|taken| *taken >= self.most_of_a_token()) {
            return None;
        }
        let of_all = Arc::clone(&self.free).try_acquire_owned().ok()?;
        *by_token.entry(token).or_default() += 1;
        Some(Permit { _of_all: of_all, of_token: Some((token, Arc::clone(&self.by_token))) })
    }

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
    use super::super::tokens::Tokens;
    use super::*;
    use axum::http::HeaderMap;
    use axum::http::header::AUTHORIZATION;
    use dbtrail_types::secret::Secret;

    #[tokio::test(start_paused = true)]
    async fn ok_an_answer_that_nobody_reads_gives_its_slot_away() {
        let slots = RequestSlots::new(1);
        let mut first = slots.take(None).ok().unwrap().held(Response::new(Body::from("rows")));
        assert!(slots.take(None).is_err());
        tokio::time::advance(UNREAD / 2).await;
        let frame = std::future::poll_fn(|context| {
            hyper::body::Body::poll_frame(Pin::new(first.body_mut()), context)
        });
        assert!(frame.await.is_some());
        tokio::time::advance(UNREAD / 2).await;
        assert!(slots.take(None).is_err(), "it was read meanwhile");
        tokio::time::advance(UNREAD).await;
        let second = slots.take(None).ok().unwrap();
        assert_eq!(slots.taken(), 1);
        drop(first);
        assert!(slots.take(None).is_err(), "the slot is the other's now");
        drop(second);
        assert!(slots.take(None).is_ok());
    }
    #[tokio::test(start_paused = true)]
    async fn one_token_leaves_slots_to_the_others() {
        let tokens = Tokens::from(vec![Secret::new("one".to_owned()), Secret::new("two".to_owned())]);
        let of = |token: &str| {
            let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
            tokens.admit(&HeaderMap::from_iter([(AUTHORIZATION, value)])).unwrap()
        };
        let (one, two) = (of("one"), of("two"));
        assert!(one.is_some() && two.is_some() && one != two && one == of("one"));
        let slots = RequestSlots::new(8);
        let mut held: Vec<Response> = Vec::new();
        while let Ok(slot) = slots.take(one) {
            held.push(slot.held(Response::new(Body::from("rows"))));
        }
        assert_eq!((held.len(), slots.taken()), (6, 6));
        let others: Vec<_> = (0..2).map(|_| slots.take(two).ok().unwrap()).collect();
        assert!(slots.take(two).is_err() && slots.take(None).is_err(), "none is left");
        drop(others);
        // What nobody reads, or is over, can be had again.
        tokio::time::advance(UNREAD).await;
        let again = slots.take(one).ok().unwrap();
        assert_eq!(slots.taken(), 1);
        drop((again, held));
        assert_eq!(slots.taken(), 0);
        assert!(slots.by_token.lock().unwrap().is_empty());
        // A single token has all of them, and a single slot is anyone's.
        let alone = Tokens::from(vec![Secret::new("one".to_owned())]);
        let value = HeaderValue::from_static("Bearer one");
        assert_eq!(alone.admit(&HeaderMap::from_iter([(AUTHORIZATION, value)])), Ok(None));
        assert!(RequestSlots::new(1).take(one).is_ok());
    }
}
