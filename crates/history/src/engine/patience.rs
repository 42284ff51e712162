//! How long what is read for an answer is waited for, where it is on another machine.
//!
//! Whoever makes an answer says so for its thread; the engine reads in that thread. What else reads
//! (capturing, retention) waits as long as the engine does by itself.

use std::cell::RefCell;
use std::future::Future;
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

/// For one read of an answer: longer than one request to an object store may take, so that there is
/// time for another try.
pub(crate) const READ: Duration = Duration::from_secs(30);

thread_local! {
    static OF_THIS_THREAD: RefCell<Option<Patience>> = const { RefCell::new(None) };
}

/// How long reads are waited for. When it has come to an end it has for all of them.
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    each: Duration,
    over: CancellationToken,
}

impl Patience {
    /// So long for each read, and no longer than the guard is there.
    pub(crate) fn new(each: Duration) -> (Self, DropGuard) {
        let over = CancellationToken::new();
        (Self { each, over: over.clone() }, over.drop_guard())
    }

    /// Does something that reads with this patience.
    pub(crate) fn with<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = OF_THIS_THREAD.replace(Some(self.clone()));
        let _after = Before(before);
        work()
    }
}

/// Puts back what was there.
struct Before(Option<Patience>);

impl Drop for Before {
    fn drop(&mut self) {
        OF_THIS_THREAD.set(self.0.take());
    }
}

/// A read with the patience of this thread; `None`: it did not come. To be made in the thread that
/// waits for it.
#[cfg_attr(
    not(any(test, feature = "object-store")),
    expect(dead_code, reason = "nothing is on another machine")
)]
pub(super) fn patiently<T>(read: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
    let patience = OF_THIS_THREAD.with_borrow(Clone::clone);
    async move {
        let Some(Patience { each, over }) = patience else { return Some(read.await) };
        tokio::select! {
            biased;
            done = read => Some(done),
            () = over.cancelled() => None,
            () = sleep(each) => {
                over.cancel();
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn a_read_of_an_answer_is_waited_for_so_long_and_the_next_ones_no_more() {
        let begun = Instant::now();
        let (patience, _wanted) = Patience::new(READ);
        let [first, second] = patience.with(|| [patiently(pending::<()>()), patiently(pending::<()>())]);
        assert_eq!((first.await, begun.elapsed()), (None, READ));
        assert_eq!((second.await, begun.elapsed()), (None, READ));
        let later = patience.with(|| patiently(async { 1 }));
        assert_eq!(later.await, Some(1), "what is there already");
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_wants_any_more_is_not_waited_for() {
        let begun = Instant::now();
        let (patience, wanted) = Patience::new(READ);
        let read = patience.with(|| patiently(pending::<()>()));
        drop(wanted);
        assert_eq!((read.await, begun.elapsed()), (None, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_read_for_no_answer_has_no_end_here() {
        let (patience, _wanted) = Patience::new(READ);
        patience.with(|| ());
        let read = patiently(pending::<()>());
        assert!(tokio::time::timeout(READ * 100, read).await.is_err());
    }
}
