//! A reader: serves a history that another process captures into a bucket. It has no source and no
//! state, and there may be as many as wanted.
//!
//! Each look at the bucket gives a state that does not move, and a history that is bounded by the
//! last batch in it: a question keeps to one of them, however long it takes.
//!
//! An agent that stands by does the same until whoever captures seems to be gone. Then it opens the
//! bucket to write, which looks closer.

use super::capture::Disconnected;
use super::checkpoint::TableCache;
use super::engine::{
    DiskOptions, Location, ObjectReader, Snapshot, StoreError, StoreFault, Watched, read_bucket,
};
use super::history_handle::HistoryHandle;
use super::recorder::publish_state;
use dbtrail_types::timestamp::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tracing::Span;

/// Without a new sign of life for so long, whoever captures may be gone: it gives one every 2 s.
/// Suspecting it costs a closer look.
const SUSPICIOUS: Duration = Duration::from_millis(2500);
/// For how long there must not have been one when the bucket is opened then.
const SILENCE: Duration = Duration::from_secs(6);

/// See the head of this file.
#[derive(Debug)]
pub struct Follower {
    data: Location,
    options: DiskOptions,
    history_handle: Arc<HistoryHandle>,
    /// `None`: it is opened at the next look.
    reader: Option<ObjectReader>,
    /// What the last look read of tables.
    known: TableCache,
}

/// A history that is shared by many agents is in a bucket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{data} is a folder: a reader needs a bucket, such as s3://BUCKET/PREFIX")]
pub struct NoBucket {
    /// What was given instead.
    pub data: String,
}

impl Follower {
    /// Follows what is captured into a bucket. Of the options, those of the caches count.
    ///
    /// # Errors
    /// It is no bucket.
    pub fn new(
        data: Location,
        options: DiskOptions,
        history_handle: &Arc<HistoryHandle>,
    ) -> Result<Self, NoBucket> {
        if data.bucket.is_none() {
            return Err(NoBucket { data: data.to_string() });
        }
        history_handle.update(|l| l.reads = true);
        Ok(Self {
            data,
            options,
            history_handle: Arc::clone(history_handle),
            reader: None,
            known: TableCache::default(),
        })
    }

    /// Looks for what is new at this pace, until `stop`.
    pub async fn run(self, poll: Duration, stop: CancellationToken) {
        self.follow(poll, stop, false).await;
    }

    /// The same until whoever captures seems to be gone, or nobody does; `None`: the stop came. The
    /// bucket is then to be opened with these options.
    pub async fn run_standby(self, poll: Duration, stop: CancellationToken) -> Option<DiskOptions> {
        let options = DiskOptions { silence: SILENCE, ..self.options };
        let silence = self.follow(poll, stop, true).await?;
        Some(DiskOptions { seen: silence.seen(), ..options })
    }

    async fn follow(mut self, poll: Duration, stop: CancellationToken, on_standby: bool) -> Option<Silence> {
        let mut said = None;
        let mut silence = Silence::default();
        while !stop.is_cancelled() {
            let began = Instant::now();
            let span = Span::current();
            let looked = tokio::task::spawn_blocking(move || {
                let _of_it = span.entered();
                let looked = if on_standby { self.watch() } else { (None, self.look()) };
                (self, looked)
            });
            let Ok((back, (watched, looked))) = looked.await else {
                tracing::error!("a bug: looking at the bucket panicked");
                return None;
            };
            self = back;
            if on_standby && silence.is_suspicious(watched, Instant::now()) {
                return Some(silence);
            }
            self.report(looked.err(), &mut said);
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(poll.saturating_sub(began.elapsed())) => {}
            }
        }
        None
    }

    fn reader(&mut self) -> Result<&mut ObjectReader, StoreError> {
        let Some(bucket) = &self.data.bucket else {
            return Err(StoreFault::NoBucket(self.data.to_string()).into());
        };
        match &mut self.reader {
            Some(reader) => Ok(reader),
            none => Ok(none.insert(read_bucket(bucket, &self.data.folder, self.options)?)),
        }
    }

    /// Looks once; what is new and whole is served from then on. Blocks.
    ///
    /// # Errors
    /// The bucket cannot be read, or holds another server's history.
    pub fn look(&mut self) -> Result<(), StoreError> {
        let state = self.reader()?.refresh()?;
        self.publish(state)
    }

    /// The same, and what the bucket says of its writer; `None`: that is not known.
    fn watch(&mut self) -> (Option<Watched>, Result<(), StoreError>) {
        match self.reader().and_then(ObjectReader::refresh_and_watch) {
            Ok((state, watched)) => (Some(watched), state.map_or(Ok(()), |state| self.publish(state))),
            Err(error) => (None, Err(error)),
        }
    }

    fn publish(&mut self, state: Arc<dyn Snapshot>) -> Result<(), StoreError> {
        publish_state(state, &mut self.known, &self.history_handle).map(drop)
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
        self.history_handle.update(|l| {
            // Of when this one wrote.
            (l.failed, l.shortage) = (None, None);
            l.connected(state, Timestamp::now());
        });
    }
}

/// How long whoever captures has given no sign of life.
#[derive(Debug, Default)]
struct Silence(Option<(Watched, Instant)>);

impl Silence {
    /// The last sign of life, and since when.
    fn seen(&self) -> Option<(u64, Instant)> {
        match &self.0 {
            Some((Watched::Somebody { sign, .. }, since)) => Some((*sign, *since)),
            Some((Watched::Nobody, _)) | None => None,
        }
    }

    /// Whether it may be gone, by what a look gave. What was not seen is no silence.
    fn is_suspicious(&mut self, watched: Option<Watched>, now: Instant) -> bool {
        let Some(watched) = watched else {
            self.0 = None;
            return false;
        };
        let since = self.0.take().filter(|(before, _)| *before == watched).map_or(now, |(_, since)| since);
        let silent = now.saturating_duration_since(since);
        let suspicious = match &watched {
            Watched::Nobody => true,
            Watched::Somebody { is_over, named, .. } => {
                let suspicious = *is_over || silent >= SUSPICIOUS;
                if suspicious {
                    tracing::warn!("{named} gives no sign of life: looking closer");
                }
                suspicious
            }
        };
        self.0 = Some((watched, since));
        suspicious
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_silence_that_was_seen_is_suspicious() {
        let seen = |sign, is_over| Some(Watched::Somebody { sign, is_over, named: "x".to_owned() });
        let begin = Instant::now();
        let mut silence = Silence::default();
        let mut at = |millis, watched| silence.is_suspicious(watched, begin + Duration::from_millis(millis));
        assert!(!at(0, seen(1, false)));
        assert!(!at(2499, seen(1, false)));
        assert!(at(2500, seen(1, false)));
        assert!(!at(2600, seen(2, false)), "a new sign");
        // An outage: it could not give a sign either.
        assert!(!at(3000, None));
        assert!(!at(9000, seen(2, false)));
        assert!(!at(11_000, seen(2, false)));
        assert!(at(11_500, seen(2, false)));
        assert!(at(11_600, seen(3, true)), "a process of this machine that is gone");
        assert!(at(11_700, Some(Watched::Nobody)));
    }
}
