//! Tables in an object store, in SlateDB: a log-structured merge tree whose files are objects.
//!
//! One key space, with the number of the table in front of each key. A batch is one write, whole or
//! not there. `commit` returns when the batch is in memory; what was committed is durable some
//! tenths of a second later, and `when_durable` tells: nothing is published before that. A second
//! writer makes this one's writes and reads fail (fencing), and the error says who it is.

mod blocking;
mod cache;
mod gate;
mod holder;
mod read;
mod reader;
mod stores;

use super::location::Bucket;
use super::{Batch, DiskOptions, Engine, Snapshot, StoreError, TAKEN, WhenDurable};
use blocking::OwnRuntime;
use bytes::Bytes;
use cache::BlockCache;
use holder::Holder;
use object_store::ObjectStore;
use object_store::path::Path;
use read::{Pinned, Unreadable};
pub use reader::ObjectReader;
use slatedb::config::{CompressionCodec, Settings};
use slatedb::{CloseReason, Db, ErrorKind, WriteBatch, WriteHandle};
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Between two writes of what was committed: what a commit waits at most until it is on its way.
const FLUSH: Duration = Duration::from_millis(50);
/// Bytes in memory before they become an object of the tree.
const TABLE: usize = 16 << 20;
/// Bytes that may wait for the object store: more makes commits wait.
const UNFLUSHED: usize = 64 << 20;
/// How often a request is tried again, up to a second apart: longer outages are errors.
const TRIES: u32 = 20;
/// What waits to be durable at most: more makes commits wait.
const WAITING: usize = 256;
/// How long an engine waits that is dropped until the store knows that it has gone.
const FAREWELL: Duration = Duration::from_secs(3);

/// The store that an engine and its snapshots share.
struct Shared {
    db: Db,
    access: Arc<Access>,
}

/// What reading and writing need.
struct Access {
    runtime: OwnRuntime,
    objects: Arc<dyn ObjectStore>,
    path: Path,
    /// What this opening is called.
    opened: String,
    /// Why it is of no use any more.
    lost: OnceLock<StoreError>,
}

/// What is done when everything before it is durable.
type Durable = (WriteHandle, WhenDurable);

/// Tables in an object store.
pub struct ObjectEngine {
    shared: Arc<Shared>,
    /// Of the last batch.
    last: Option<WriteHandle>,
    waiting: mpsc::Sender<Durable>,
    beating: Option<JoinHandle<()>>,
}

impl fmt::Debug for ObjectEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ObjectEngine")
    }
}

/// The words for an error of the library.
fn failed(error: &slatedb::Error) -> StoreError {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    StoreError(format!("object store: {text}"))
}

impl Access {
    /// The same, and who has it where another has taken it.
    async fn failed(&self, error: &slatedb::Error) -> StoreError {
        if !matches!(error.kind(), ErrorKind::Closed(CloseReason::Fenced)) {
            return failed(error);
        }
        if let Some(known) = self.lost.get() {
            return known.clone();
        }
        // The one that took it says so in its first batch, which may be on its way.
        let mut named = None;
        for _ in 0..10 {
            match holder::current(&self.objects, &self.path).await {
                Ok(Some(found)) if !found.opening().eq(self.opened.as_str()) => {
                    named = Some(found.named());
                    break;
                }
                Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
        let named = named.unwrap_or_else(|| "it does not say who".to_owned());
        self.lost.get_or_init(|| StoreError(format!("{TAKEN}: {named}"))).clone()
    }
}

fn settings() -> Settings {
    Settings {
        flush_interval: Some(FLUSH),
        l0_sst_size_bytes: TABLE,
        max_unflushed_bytes: UNFLUSHED,
        compression_codec: Some(CompressionCodec::Snappy),
        object_store_max_retries: Some(TRIES),
        ..Settings::default()
    }
}

impl ObjectEngine {
    /// Opens the tables below a prefix of a bucket. Blocks, some seconds where another process
    /// wrote to them last.
    ///
    /// # Errors
    /// Another process writes to them, or the object store fails.
    pub fn open(bucket: &Bucket, options: DiskOptions) -> Result<Self, StoreError> {
        let (objects, path) = stores::of(bucket)?;
        Self::upon(objects, path, options)
    }

    /// In an object store of this process.
    #[cfg(test)]
    pub(super) fn in_memory() -> Self {
        let objects = Arc::new(object_store::memory::InMemory::new());
        Self::upon(objects, Path::from("history"), DiskOptions::default()).unwrap()
    }

    /// The same in any object store.
    pub(super) fn upon(
        objects: Arc<dyn ObjectStore>,
        path: Path,
        options: DiskOptions,
    ) -> Result<Self, StoreError> {
        let runtime = OwnRuntime::start().map_err(|e| StoreError(format!("no threads for it: {e}")))?;
        let holder = Holder::this();
        let opened = runtime.wait(async {
            holder::free(&objects, &path).await?;
            let cache = Arc::new(BlockCache::of(options.cache));
            let db = Db::builder(path.clone(), Arc::clone(&objects))
                .with_settings(settings())
                .with_db_cache(cache, 0)
                .build()
                .await
                .map_err(|e| failed(&e))?;
            let handle = db.put(holder::KEY, holder.text()).await.map_err(|e| failed(&e))?;
            handle.await_durable().await.map_err(|e| failed(&e))?;
            Ok(db)
        });
        let opened_as = holder.opening().to_owned();
        let access = Access { runtime, objects, path, lost: OnceLock::new(), opened: opened_as };
        let shared = Arc::new(Shared { db: opened?, access: Arc::new(access) });
        let (waiting, queue) = mpsc::channel(WAITING);
        let handle = shared.access.runtime.handle();
        let beating = handle.map(|runtime| runtime.spawn(holder::beat(Arc::downgrade(&shared), holder)));
        if let Some(runtime) = handle {
            runtime.spawn(announce(Arc::downgrade(&shared), queue));
        }
        Ok(Self { shared, last: None, waiting, beating })
    }
}

/// Tells of each batch that it is durable, in their order.
async fn announce(shared: Weak<Shared>, mut queue: mpsc::Receiver<Durable>) {
    while let Some((handle, then)) = queue.recv().await {
        let outcome = match handle.await_durable().await {
            Ok(()) => Ok(()),
            Err(error) => Err(match shared.upgrade() {
                Some(shared) => shared.access.failed(&error).await,
                None => failed(&error),
            }),
        };
        then(outcome);
    }
}

/// A batch as the library wants it: keys and values are parts of one block of memory.
fn write_of(batch: &Batch) -> WriteBatch {
    let mut bytes = Vec::with_capacity(batch.size() + batch.len());
    for (table, key, value) in batch.operations() {
        bytes.push(table as u8);
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value.unwrap_or_default());
    }
    let bytes = Bytes::from(bytes);
    let mut write = WriteBatch::new();
    let mut at = 0;
    for (_, key, value) in batch.operations() {
        let end = at + 1 + key.len();
        let whole = bytes.slice(at..end);
        at = end + value.map_or(0, <[u8]>::len);
        match value {
            Some(_) => write.put_bytes(whole, bytes.slice(end..at)),
            None => write.delete(whole),
        }
    }
    write
}

impl Engine for ObjectEngine {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let shared = &self.shared;
        let handle = shared.access.runtime.wait(async {
            match shared.db.write(write_of(batch)).await {
                Ok(handle) => Ok(handle),
                Err(error) => Err(shared.access.failed(&error).await),
            }
        })?;
        self.last = Some(handle);
        Ok(())
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        let access = &self.shared.access;
        match self.shared.db.snapshot() {
            Ok(state) => {
                Arc::new(Pinned { state, access: Arc::clone(access), _keeps: Some(Arc::clone(&self.shared)) })
            }
            Err(error) => Arc::new(Unreadable(access.runtime.wait(access.failed(&error)))),
        }
    }

    fn sync(&self) -> Result<(), StoreError> {
        // In the queue, so that all is published that was to be when it is durable.
        let (said, answer) = oneshot::channel();
        self.when_durable(Box::new(move |outcome| _ = said.send(outcome)));
        let answer = self.shared.access.runtime.wait(answer);
        answer.unwrap_or_else(|_| Err(StoreError("object store: its threads have ended".to_owned())))
    }

    fn when_durable(&self, then: WhenDurable) {
        let Some(last) = self.last.clone() else { return then(Ok(())) };
        // It fails only when nobody is there any more to be told.
        let _ = self.shared.access.runtime.wait(self.waiting.send((last, then)));
    }

    fn check(&self) -> Result<(), StoreError> {
        self.shared.access.lost.get().map_or(Ok(()), |lost| Err(lost.clone()))
    }

    fn bytes(&self) -> u64 {
        let manifest = self.shared.db.manifest();
        manifest.all_sst_views().map(|view| view.sst.estimate_size()).sum()
    }
}

impl Drop for ObjectEngine {
    fn drop(&mut self) {
        let Some(beating) = self.beating.take() else { return };
        beating.abort();
        let shared = &self.shared;
        let farewell = async {
            let _ = beating.await;
            if let Ok(handle) = shared.db.delete(holder::KEY).await {
                let _ = handle.await_durable().await;
            }
        };
        // Answers under way go on with their snapshots.
        let _ = shared.access.runtime.wait(async { tokio::time::timeout(FAREWELL, farewell).await });
    }
}

#[cfg(test)]
mod tests;
