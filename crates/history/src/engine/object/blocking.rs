//! Futures of the object store, waited for in threads that know nothing of them.

use crate::engine::{StoreError, StoreFault};
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use tokio::runtime::{Builder, Handle, Runtime};

/// Threads that fetch, upload and compact.
const THREADS: usize = 2;

/// The runtime of a store. What waits for it blocks: such threads are those of `spawn_blocking`.
pub(super) struct OwnRuntime(Option<Runtime>);

impl fmt::Debug for OwnRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnRuntime")
    }
}

impl OwnRuntime {
    pub(super) fn start() -> Result<Self, StoreError> {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(THREADS).thread_name("objects").enable_all().build();
        runtime.map(|r| Self(Some(r))).map_err(|e| StoreFault::NoThreads(e.to_string()).into())
    }

    /// Waits for a future in this thread. Unlike `Handle::block_on` it does not end the thread
    /// where that is one of another runtime.
    pub(super) fn wait<F: Future>(&self, future: F) -> F::Output {
        let inside = self.0.as_ref().map(Runtime::enter);
        // The budget of a task of tokio, if this is in one, would never be renewed here.
        let mut future = pin!(tokio::task::unconstrained(future));
        let woken = Arc::new(Woken { thread: thread::current(), is: AtomicBool::new(false) });
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        let done = loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(done) => break done,
                Poll::Pending => {
                    // The permit of `park` alone would not do: what is waited for inside of a poll
                    // takes it.
                    while !woken.is.swap(false, Ordering::AcqRel) {
                        thread::park();
                    }
                }
            }
        };
        drop(inside);
        done
    }

    pub(super) fn handle(&self) -> Option<&Handle> {
        self.0.as_ref().map(Runtime::handle)
    }
}

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        // The last owner may be a thread of another runtime, which may not wait.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

struct Woken {
    thread: Thread,
    is: AtomicBool,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.is.store(true, Ordering::Release);
        self.thread.unpark();
    }
}
