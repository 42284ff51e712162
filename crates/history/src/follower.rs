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

/// Without a new sign of life for so long, whoever captures may be gone: it gives one each second.
/// It is then looked for more often.
const SUSPICIOUS: Duration = Duration::from_secs(2);
/// Between two looks then.
const CLOSER: Duration = Duration::from_millis(250);
/// For how long there must not have been one when the bucket is opened: three of them are missing.
const SILENCE: Duration = Duration::from_secs(4);

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
    gone: Option<Gone>,
}

/// The last sign of life of one that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone(u64);

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
            gone: None,
        })
    }

    /// Whoever gave that sign is known to be gone, as long as there is no later one.
    #[must_use]
    pub fn after(self, gone: Option<Gone>) -> Self {
        Self { gone, ..self }
    }

    /// Looks for what is new at this pace, until `stop`.
    pub async fn run(self, poll: Duration, stop: CancellationToken) {
        self.follow(poll, stop, false).await;
    }

    /// The same until whoever captures seems to be gone, or nobody does; `None`: the stop came. The
    /// bucket is then to be opened with these options. Where that comes to nothing, since others
    /// did the same, it need not be waited for once more that the same one is gone.
    pub async fn run_standby(
        self,
        poll: Duration,
        stop: CancellationToken,
    ) -> Option<(DiskOptions, Option<Gone>)> {
        let options = DiskOptions { is_free: true, ..self.options };
        let silence = self.follow(poll, stop, true).await?;
        Some((options, silence.sign()))
    }

    async fn follow(mut self, poll: Duration, stop: CancellationToken, on_standby: bool) -> Option<Silence> {
        let mut said = None;
        let mut silence = Silence { gone: self.gone, ..Silence::default() };
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
            if on_standby && silence.is_over(watched, began, Instant::now()) {
                return Some(silence);
            }
            self.report(looked.err(), &mut said);
            let pace = if silence.is_suspicious { poll.min(CLOSER) } else { poll };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pace.saturating_sub(began.elapsed())) => {}
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
struct Silence {
    last: Option<(Watched, Instant)>,
    is_suspicious: bool,
    gone: Option<Gone>,
}

impl Silence {
    /// The last sign of life.
    fn sign(&self) -> Option<Gone> {
        match self.last {
            Some((Watched::Somebody { sign, .. }, _)) => Some(Gone(sign)),
            Some((Watched::Nobody, _)) | None => None,
        }
    }

    /// Whether it seems to be gone, by what a look gave, which began and ended then. What was not
    /// seen is no silence.
    fn is_over(&mut self, watched: Option<Watched>, began: Instant, ended: Instant) -> bool {
        let Some(watched) = watched else {
            (self.last, self.is_suspicious) = (None, false);
            return false;
        };
        let last = self.last.take().filter(|(before, _)| *before == watched);
        // A sign may have been given until the look ended.
        let since = last.map_or(ended, |(_, since)| since);
        let silent = began.saturating_duration_since(since);
        let was_suspicious = std::mem::replace(&mut self.is_suspicious, silent >= SUSPICIOUS);
        let is_over = match &watched {
            Watched::Nobody => true,
            Watched::Somebody { is_over, named, sign } => {
                if self.is_suspicious && !was_suspicious {
                    tracing::warn!("{named} gives no sign of life: looking closer");
                }
                let is_over = *is_over || silent >= SILENCE || self.gone == Some(Gone(*sign));
                if is_over {
                    tracing::warn!("{named} has gone: this process takes its store over");
                }
                is_over
            }
        };
        self.last = Some((watched, since));
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_silence_that_was_seen_counts() {
        let seen = |sign, is_over| Some(Watched::Somebody { sign, is_over, named: "x".to_owned() });
        let mut silence = Silence::default();
        let begin = Instant::now();
        // Each look takes a tenth of a second.
        let mut at = |millis: u64, watched| {
            let began = begin + Duration::from_millis(millis);
            let is_over = silence.is_over(watched, began, began + Duration::from_millis(100));
            (is_over, silence.is_suspicious)
        };
        assert_eq!(at(0, seen(1, false)), (false, false));
        assert_eq!(at(2099, seen(1, false)), (false, false), "from the end of the look on");
        assert_eq!(at(2100, seen(1, false)), (false, true), "it is looked for more often");
        assert_eq!(at(4099, seen(1, false)), (false, true));
        assert_eq!(at(5100, seen(2, false)), (false, false), "a new sign");
        assert_eq!(at(9000, seen(2, false)), (false, true));
        // An outage: it could not give a sign either.
        assert_eq!(at(9500, None), (false, false));
        assert_eq!(at(14_000, seen(2, false)), (false, false));
        assert_eq!(at(18_099, seen(2, false)), (false, true));
        assert_eq!(at(18_100, seen(2, false)), (true, true));
        assert_eq!(at(20_200, seen(3, true)), (true, false), "a process of this machine that is gone");
        assert_eq!(at(20_300, Some(Watched::Nobody)), (true, false));
        assert_eq!(silence.sign(), None);
    }

    #[test]
    fn one_that_is_known_to_be_gone_is_so_until_somebody_gives_a_sign() {
        let seen = |sign| Some(Watched::Somebody { sign, is_over: false, named: "x".to_owned() });
        let now = Instant::now();
        let after = |gone| Silence { gone: Some(Gone(gone)), ..Silence::default() };
        let mut silence = after(7);
        assert!(!silence.is_over(None, now, now), "nothing was seen");
        assert!(silence.is_over(seen(7), now, now));
        assert_eq!(silence.sign(), Some(Gone(7)));
        assert!(!after(7).is_over(seen(8), now, now));
    }
}
