//! Tables in an object store, in SlateDB: a log-structured merge tree whose files are objects.
//!
//! One key space, with the number of the table in front of each key. A batch is one write, whole or
//! not there. `commit` returns when the batch is in memory; what was committed is durable some
//! tenths of a second later, and `when_durable` tells: nothing is published before that. A second
//! writer makes this one's writes and reads fail (fencing), and the error says who it is.

mod access;
mod blocking;
mod cache;
mod copy;
mod failure;
mod gate;
mod holder;
mod local;
mod log;
mod look;
mod mark;
mod read;
mod reader;
mod stores;

use super::bucket::{CopyOrigin, Filling, Watched};
use super::location::Bucket;
use super::{Batch, DiskOptions, Engine, Snapshot, StoreError, StoreFault, WhenDurable};
use access::Access;
use blocking::OwnRuntime;
use bytes::Bytes;
use cache::BlockCache;
pub(super) use copy::{Copying, keep};
use failure::{failed, not_opened};
use holder::Holder;
use log::Log;
use object_store::ObjectStore;
use object_store::path::Path;
use read::{Pinned, Unreadable};
pub(crate) use reader::ObjectReader;
use slatedb::config::{CompressionCodec, Settings};
use slatedb::{Db, WriteBatch, WriteHandle};
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
    log: Log,
}

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    /// To go on with a history.
    History,
    /// To be filled with one.
    Copy,
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
    /// Opens the tables below a prefix of a bucket; `folder`: of this machine, for the cache on its
    /// disk. Blocks, some seconds where another process wrote to them last.
    ///
    /// # Errors
    /// Another process writes to them, they are a copy that is not whole, or the object store
    /// fails.
    pub fn open(bucket: &Bucket, folder: &std::path::Path, options: DiskOptions) -> Result<Self, StoreError> {
        let (objects, path) = stores::of(bucket)?;
        Self::opened(objects, path, options, Some(folder), Opening::History)
    }

    /// In an object store of this process.
    #[cfg(test)]
    pub(super) fn in_memory() -> Self {
        let objects = Arc::new(object_store::memory::InMemory::new());
        Self::upon(objects, Path::from("history"), DiskOptions::default()).unwrap()
    }

    /// The same in any object store.
    #[cfg(test)]
    pub(super) fn upon(
        objects: Arc<dyn ObjectStore>,
        path: Path,
        options: DiskOptions,
    ) -> Result<Self, StoreError> {
        Self::opened(objects, path, options, None, Opening::History)
    }

    fn opened(
        objects: Arc<dyn ObjectStore>,
        path: Path,
        options: DiskOptions,
        folder: Option<&std::path::Path>,
        opening: Opening,
    ) -> Result<Self, StoreError> {
        let runtime = OwnRuntime::start()?;
        let holder = Holder::this();
        let (objects, local) = runtime.wait(local::cached(objects, folder, options.disk_cache))?;
        let opened = runtime.wait(async {
            holder::free(&objects, &path, options).await?;
            let cache = Arc::new(BlockCache::of(options.cache));
            let db = Db::builder(path.clone(), Arc::clone(&objects))
                .with_settings(settings())
                .with_db_cache(cache, 0)
                .build()
                .await
                .map_err(|e| not_opened(&e))?;
            let mut first = WriteBatch::new();
            first.put(holder::KEY, holder.text());
            match opening {
                Opening::History => {
                    if mark::is_begun(&db).await? {
                        let _ = db.close().await;
                        return Err(StoreError(StoreFault::UnfinishedCopy));
                    }
                    // From here on it is not what was copied.
                    first.delete(mark::KEY);
                }
                Opening::Copy => first.put(mark::KEY, []),
            }
            let handle = db.write(first).await.map_err(|e| not_opened(&e))?;
            handle.await_durable().await.map_err(|e| not_opened(&e))?;
            Ok(db)
        });
        let opened_as = holder.opening().to_owned();
        let access =
            Access { runtime, objects, path, lost: OnceLock::new(), opened: opened_as, _local: local };
        let shared = Arc::new(Shared { db: opened?, access: Arc::new(access), log: Log::default() });
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
        let key = bytes.slice(at..end);
        at = end + value.map_or(0, <[u8]>::len);
        match value {
            Some(_) => write.put_bytes(key, bytes.slice(end..at)),
            None => write.delete(key),
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
        shared.log.wrote();
        self.last = Some(handle);
        Ok(())
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        let access = &self.shared.access;
        match self.shared.db.snapshot() {
            Ok(state) => {
                let keeps: Arc<dyn Send + Sync> = Arc::<Shared>::clone(&self.shared);
                Arc::new(Pinned { state, access: Arc::clone(access), _keeps: Some(keeps) })
            }
            Err(error) => Arc::new(Unreadable(access.runtime.wait(access.failed(&error)))),
        }
    }

    fn sync(&self) -> Result<(), StoreError> {
        // In the queue, so that all is published that was to be when it is durable.
        let (said, answer) = oneshot::channel();
        self.when_durable(Box::new(move |outcome| _ = said.send(outcome)));
        let answer = self.shared.access.runtime.wait(answer);
        answer.unwrap_or_else(|_| Err(StoreFault::ThreadsEnded.into()))
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
