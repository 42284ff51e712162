//! How many requests are answered at a time.

use super::answer;
use super::routes::Agent;
use crate::query::Refusal;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::RETRY_AFTER;
use axum::middleware::Next;
use axum::response::Response;
use dbtrail_types::agent_api::code;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places, and how often there was none.
#[derive(Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    all: usize,
    turned_away: AtomicU64,
}

impl Places {
    pub(super) fn new(all: usize) -> Self {
        let all = all.clamp(1, Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(all)), all, turned_away: AtomicU64::new(0) }
    }

    /// Requests that are being answered.
    pub(super) fn taken(&self) -> usize {
        self.all - self.free.available_permits().min(self.all)
    }

    pub(super) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }
}

/// Around every request that reads the history.
pub(super) async fn limited(State(agent): State<Agent>, request: Request, next: Next) -> Response {
    match agent.places.take() {
        Ok(place) => place.held(next.run(request).await),
        Err(refused) => *refused,
    }
}

/// The place of a request that reads the history.
pub(super) struct Place(OwnedSemaphorePermit);

impl Place {
    /// The place is free again when the answer is sent, or nobody wants it any more.
    pub(super) fn held(self, answer: Response) -> Response {
        answer.map(|body| Body::new(Held { body, _place: self.0 }))
    }
}

impl Places {
    /// A place, or the answer to who gets none.
    pub(super) fn take(&self) -> Result<Place, Box<Response>> {
        if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(Place(place));
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

/// A body, and the place of its request.
struct Held {
    body: Body,
    _place: OwnedSemaphorePermit,
}

impl hyper::body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
