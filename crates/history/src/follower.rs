//! A reader: serves a history that another process captures into a bucket. It has no source and no
//! state, and there may be as many as wanted.
//!
//! Each look at the bucket gives a state that does not move, and a history that is bounded by the
//! last batch in it: a question keeps to one of them, however long it takes.

use super::capture::Disconnected;
use super::engine::{Location, ObjectReader, StoreError, read_bucket};
use super::history_handle::HistoryHandle;
use super::recorder::publish_state;
use dbtrail_types::timestamp::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// See the head of this file.
#[derive(Debug)]
pub struct Follower {
    data: Location,
    cache: u64,
    history_handle: Arc<HistoryHandle>,
    /// `None`: it is opened at the next look.
    reader: Option<ObjectReader>,
}

/// A history that is shared by many agents is in a bucket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{data} is a folder: a reader needs a bucket, such as s3://BUCKET/PREFIX")]
pub struct NoBucket {
    /// What was given instead.
    pub data: String,
}

impl Follower {
    /// Follows what is captured into a bucket; `cache`: bytes of memory for what was read.
    ///
    /// # Errors
    /// It is no bucket.
    pub fn new(data: Location, cache: u64, history_handle: &Arc<HistoryHandle>) -> Result<Self, NoBucket> {
        if data.bucket.is_none() {
            return Err(NoBucket { data: data.to_string() });
        }
        history_handle.update(|l| l.reads = true);
        Ok(Self { data, cache, history_handle: Arc::clone(history_handle), reader: None })
    }

    /// Looks for what is new at this pace, until `stop`.
    pub async fn run(mut self, poll: Duration, stop: CancellationToken) {
        let mut said = None;
        while !stop.is_cancelled() {
            let began = Instant::now();
            let looked = tokio::task::spawn_blocking(move || {
                let looked = self.look();
                (self, looked)
            });
            let Ok((back, looked)) = looked.await else {
                tracing::error!("a bug: looking at the bucket panicked");
                return;
            };
            self = back;
            self.report(looked.err(), &mut said);
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(poll.saturating_sub(began.elapsed())) => {}
            }
        }
    }

    /// Looks once; what is new and whole is served from then on. Blocks.
    ///
    /// # Errors
    /// The bucket cannot be read, or holds another server's history.
    pub fn look(&mut self) -> Result<(), StoreError> {
        if self.reader.is_none()
            && let Some(bucket) = &self.data.bucket
        {
            self.reader = Some(read_bucket(bucket, self.cache)?);
        }
        let Some(reader) = &mut self.reader else { return Ok(()) };
        publish_state(reader.refresh()?, &self.history_handle).map(drop)
    }

    fn report(&self, failed: Option<StoreError>, said: &mut Option<StoreError>) {
        let state = match &failed {
            None => Ok(()),
            Some(error) => Err(Disconnected::Store { data: self.data.to_string(), error: error.clone() }),
        };
        if let Err(why) = &state
            && failed != *said
        {
            tracing::warn!("{why}");
        }
        *said = failed;
        self.history_handle.update(|l| l.connected(state, Timestamp::now()));
    }
}
