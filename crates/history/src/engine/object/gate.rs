//! The clock of a reader that looks for what is new only when it is told to.
//!
//! The library's readers move by themselves, between two reads of one question. What moves them is
//! a ticker of their clock: here it waits for a permit, and who gives one knows when the move is
//! over, since the ticker is then waited for again.

use chrono::{DateTime, Utc};
use slatedb_common::clock::{SystemClock, SystemClockTicker};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{Semaphore, watch};

/// See the head of this file.
#[derive(Debug)]
pub(super) struct GatedClock {
    gate: Gate,
}

struct Gate {
    permits: Semaphore,
    /// How often the ticker was waited for.
    waits: watch::Sender<u64>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

fn now() -> DateTime<Utc> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    DateTime::from_timestamp(seconds, since.subsec_nanos()).unwrap_or_default()
}

impl GatedClock {
    pub(super) fn closed() -> Arc<Self> {
        Arc::new(Self { gate: Gate { permits: Semaphore::new(0), waits: watch::Sender::new(0) } })
    }

    /// Waits until the reader waits for its first permit.
    pub(super) async fn reached(&self) {
        let _ = self.gate.waits.subscribe().wait_for(|waits| *waits > 0).await;
    }

    /// Lets the reader look once, and waits until it has.
    pub(super) async fn look(&self) {
        let mut waits = self.gate.waits.subscribe();
        let before = *waits.borrow();
        self.gate.permits.add_permits(1);
        let _ = waits.wait_for(|now| *now > before).await;
    }
}

impl SystemClock for GatedClock {
    fn now(&self) -> DateTime<Utc> {
        now()
    }

    fn sleep<'a>(&'a self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn ticker(&self, duration: Duration) -> SystemClockTicker<'_> {
        SystemClockTicker::new(&self.gate, duration)
    }
}

/// The clock of the ticker alone.
impl SystemClock for Gate {
    fn now(&self) -> DateTime<Utc> {
        now()
    }

    fn sleep<'a>(&'a self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async {
            self.waits.send_modify(|waits| *waits += 1);
            if let Ok(permit) = self.permits.acquire().await {
                permit.forget();
            }
        })
    }

    fn ticker(&self, duration: Duration) -> SystemClockTicker<'_> {
        SystemClockTicker::new(self, duration)
    }
}
