//! Chunks of an answer that are made before they are taken.

use crate::engine::patience::{Patience, READ};
use crate::query::Refusal;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::DropGuard;

/// Bytes that wait to be taken, after which no further chunk is made: so few that they cost little
/// where a client is slow, and so many that whoever makes chunks and whoever sends them seldom wait
/// for each other.
const ENOUGH: usize = 128 * 1024;
/// Bytes that still wait when making goes on.
const FEW: usize = 48 * 1024;

/// Lines, or why they end.
pub(super) type Chunk = Result<Vec<u8>, Refusal>;

/// Chunks, the next of which are made while the last ones are sent, as long as they are wanted. A
/// thread makes them until enough of them wait, and then is free for others: a client that takes
/// nothing holds none.
pub(super) struct Ahead<I> {
    waiting: UnboundedReceiver<Chunk>,
    bytes: Arc<AtomicUsize>,
    making: Option<Making<I>>,
    /// Why the rest was not made.
    broken: Option<Refusal>,
}

/// What is being made; it gives back what makes the chunks after it, if there can be any.
struct Making<I> {
    rest: JoinHandle<Option<Maker<I>>>,
    _wanted: DropGuard,
}

struct Maker<I> {
    chunks: I,
    made: UnboundedSender<Chunk>,
    bytes: Arc<AtomicUsize>,
}

impl<I> Maker<I>
where
    I: Iterator<Item = Chunk> + Send + 'static,
{
    fn begin(self) -> Making<I> {
        let (patience, wanted) = Patience::new(READ);
        let rest = tokio::task::spawn_blocking(move || patience.with(|| self.make()));
        Making { rest, _wanted: wanted }
    }

    fn make(mut self) -> Option<Self> {
        while self.bytes.load(Ordering::Relaxed) < ENOUGH {
            let chunk = self.chunks.next()?;
            let (is_last, length) = (chunk.is_err(), chunk.as_ref().map_or(0, Vec::len));
            self.bytes.fetch_add(length, Ordering::Relaxed);
            // One without a line stands for time that went by: nobody waits for it, but whether
            // anybody still waits is looked at.
            let wanted = match chunk {
                Ok(chunk) if chunk.is_empty() => !self.made.is_closed(),
                chunk => self.made.send(chunk).is_ok(),
            };
            if !wanted || is_last {
                return None;
            }
        }
        Some(self)
    }
}

impl<I> Ahead<I>
where
    I: Iterator<Item = Chunk> + Send + 'static,
{
    pub(super) fn of(chunks: I) -> Self {
        let (made, waiting) = mpsc::unbounded_channel();
        let bytes = Arc::<AtomicUsize>::default();
        let maker = Maker { chunks, made, bytes: Arc::clone(&bytes) };
        Self { waiting, bytes, making: Some(maker.begin()), broken: None }
    }

    /// The next chunk. After an error there is none.
    pub(super) async fn next(&mut self) -> Option<Chunk> {
        loop {
            let chunk = match &mut self.making {
                Some(making) if self.bytes.load(Ordering::Relaxed) <= FEW => tokio::select! {
                    biased;
                    rest = &mut making.rest => {
                        self.go_on(rest);
                        continue;
                    }
                    // None is left where all that were made were taken.
                    Some(chunk) = self.waiting.recv() => chunk,
                },
                Some(_) | None => match self.waiting.recv().await {
                    Some(chunk) => chunk,
                    None => return self.broken.take().map(Err),
                },
            };
            self.bytes.fetch_sub(chunk.as_ref().map_or(0, Vec::len), Ordering::Relaxed);
            return Some(chunk);
        }
    }

    /// What was being made has paused, has come to its end, or broke.
    fn go_on(&mut self, rest: Result<Option<Maker<I>>, JoinError>) {
        self.making = match rest {
            Ok(rest) => rest.map(Maker::begin),
            Err(why) => {
                self.broken = Some(Refusal::internal(format!("a chunk was not made: {why}")));
                None
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const LENGTH: usize = 30_000;

    /// Numbered chunks, and how many were made.
    fn numbered(
        count: u8,
        then: fn() -> Option<Chunk>,
    ) -> (Ahead<impl Iterator<Item = Chunk>>, Arc<AtomicUsize>) {
        let made = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&made);
        let chunks = (0..count).map(move |number| {
            counter.fetch_add(1, Ordering::Relaxed);
            // Every third one is time that went by.
            Ok(vec![number; if number % 3 == 2 { 0 } else { LENGTH }])
        });
        (Ahead::of(chunks.chain(std::iter::from_fn(then).take(1))), made)
    }

    async fn all(
        mut ahead: Ahead<impl Iterator<Item = Chunk> + Send + 'static>,
    ) -> (Vec<u8>, Option<String>) {
        let mut numbers = Vec::new();
        loop {
            match ahead.next().await {
                Some(Ok(chunk)) => {
                    assert_eq!(chunk.len(), LENGTH);
                    numbers.push(chunk[0]);
                }
                Some(Err(why)) => {
                    assert!(ahead.next().await.is_none());
                    return (numbers, Some(why.to_string()));
                }
                None => return (numbers, None),
            }
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn all_chunks_come_in_their_order_and_then_why_they_end() {
        let want: Vec<u8> = (0..200).filter(|number| number % 3 != 2).collect();
        for _ in 0..20 {
            assert_eq!(all(numbered(200, || None).0).await, (want.clone(), None));
            let refused = || Some(Err(Refusal::internal("there is a gap".to_owned())));
            let (numbers, why) = all(numbered(200, refused).0).await;
            assert_eq!(numbers, want);
            assert!(why.is_some_and(|why| why.contains("there is a gap")));
            let (numbers, why) = all(numbered(200, || panic!("as a bug would")).0).await;
            assert_eq!(numbers, want);
            assert!(why.is_some_and(|why| why.contains("was not made")), "a cut answer looks complete");
        }
    }

    #[tokio::test]
    async fn little_is_made_for_who_takes_nothing_and_nothing_for_who_is_gone() {
        let (mut ahead, made) = numbered(200, || None);
        let enough = loop {
            let before = made.load(Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(50)).await;
            if before > 0 && made.load(Ordering::Relaxed) == before {
                break before;
            }
        };
        assert!(enough <= 1 + ENOUGH.div_ceil(LENGTH) * 3 / 2 + 1, "{enough} chunks were made");
        assert!(ahead.next().await.is_some());
        drop(ahead);
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(made.load(Ordering::Relaxed) <= enough + 3);
    }
}
