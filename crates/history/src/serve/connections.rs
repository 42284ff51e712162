//! Which connections are open, and which of them have asked something: one that has not gives way
//! where there are too many.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// All open connections, by the order in which they came.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    open: Mutex<Open>,
}

/// The open connections by their numbers, and the last number.
#[derive(Debug, Default)]
struct Open {
    last: u64,
    slots: BTreeMap<u64, (HasRequested, CancellationToken)>,
}

/// Whether a connection has asked something.
#[derive(Clone, Debug, Default)]
pub(super) struct HasRequested(Arc<AtomicBool>);

impl HasRequested {
    /// It has.
    pub(super) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The slot of an open connection, free again when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    all: Arc<Connections>,
    number: u64,
    asked: HasRequested,
    end: CancellationToken,
}

impl Connections {
    pub(super) fn new(most: usize) -> Self {
        Self { most, open: Mutex::default() }
    }

    /// A place for one more; `None`: all are taken by connections that have asked something.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Seat> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Open { last, slots } = &mut *open;
        if slots.len() >= self.most {
            let silent = slots.iter().find(|(_, (asked, _))| !asked.0.load(Ordering::Relaxed));
            let Some(oldest) = silent.map(|(number, _)| *number) else {
                tracing::warn!(
                    limit = self.most,
                    "more connections than limits.max_connections: one is closed"
                );
                return None;
            };
            if let Some((_, end)) = slots.remove(&oldest) {
                end.cancel();
            }
        }
        *last += 1;
        let (asked, end) = (HasRequested::default(), CancellationToken::new());
        slots.insert(*last, (asked.clone(), end.clone()));
        Some(Seat { all: Arc::clone(self), number: *last, asked, end })
    }
}

impl Seat {
    pub(super) fn asked(&self) -> HasRequested {
        self.asked.clone()
    }

    /// Ends when the slot was given to another connection.
    pub(super) async fn gave_way(&self) {
        self.end.cancelled().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.all.open.lock().unwrap_or_else(PoisonError::into_inner).slots.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_the_oldest_silent_one_gives_way() {
        let all = Arc::new(Connections::new(3));
        let seats: Vec<Seat> = (0..3).map(|_| all.enter().unwrap()).collect();
        seats[0].asked.0.store(true, Ordering::Relaxed);
        let another = all.enter().unwrap();
        let gave_way: Vec<bool> = seats.iter().map(|s| s.end.is_cancelled()).collect();
        assert_eq!(gave_way, [false, true, false]);
        seats[2].asked.0.store(true, Ordering::Relaxed);
        another.asked.0.store(true, Ordering::Relaxed);
        assert!(all.enter().is_none(), "all of them are at work");
        drop(seats);
        assert!(all.enter().is_some());
    }
}
