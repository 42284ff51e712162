//! A history on its way into a bucket, or out of one.
//!
//! A bucket cannot be given its name when all is in it, as a folder is: so a key says that it is
//! being filled, and who finds that takes it for nothing.

use super::gate::GatedClock;
use super::read::Pinned;
use super::{
    Access, CopyOrigin, DiskOptions, Filling, ObjectEngine, ObjectReader, Opening, OwnRuntime, failed, look,
    mark, stores,
};
use crate::engine::location::Bucket;
use crate::engine::{Engine, Snapshot, StoreError, StoreFault};
use futures_util::StreamExt;
use object_store::ObjectStore;
use object_store::path::Path;
use slatedb::config::DbReaderOptions;
use slatedb::{DbReader, DbReaderMode};
use slatedb_common::clock::SystemClock;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// For how long the collector keeps the state that is read, should its reader be killed.
const KEPT: Duration = Duration::from_secs(48 * 3600);

/// The tables of a bucket that is being filled.
#[derive(Debug)]
pub(crate) struct Copying {
    pub(super) engine: ObjectEngine,
    objects: Arc<dyn ObjectStore>,
    path: Path,
}

impl Copying {
    /// Begins to fill; `None`: there is something already.
    pub(in crate::engine) fn begin(bucket: &Bucket) -> Result<Option<Self>, StoreError> {
        let (objects, path) = stores::of(bucket)?;
        Self::upon(objects, path)
    }

    /// The same in any object store.
    pub(super) fn upon(objects: Arc<dyn ObjectStore>, path: Path) -> Result<Option<Self>, StoreError> {
        let runtime = OwnRuntime::start()?;
        let found = runtime.wait(async { objects.list(Some(&path)).next().await.transpose() });
        if found.map_err(|e| StoreFault::ObjectStore(e.to_string()))?.is_some() {
            return Ok(None);
        }
        let (store, at) = (Arc::clone(&objects), path.clone());
        let engine = ObjectEngine::opened(store, at, DiskOptions::default(), None, Opening::Copy)?;
        Ok(Some(Self { engine, objects, path }))
    }
}

impl Filling for Copying {
    fn engine(&mut self) -> &mut dyn Engine {
        &mut self.engine
    }

    fn written(&self) -> Result<Arc<dyn Snapshot>, StoreError> {
        let reader =
            ObjectReader::upon(Arc::clone(&self.objects), self.path.clone(), DiskOptions::default(), None)?;
        reader.of_a_copy().refresh()
    }

    fn finish(self: Box<Self>, copied: &[u8]) -> Result<(), StoreError> {
        let shared = &self.engine.shared;
        let noted = shared.access.runtime.wait(async {
            let handle = shared.db.put(mark::KEY, copied).await?;
            handle.await_durable().await
        });
        noted.map_err(|e| failed(&e))
    }
}

/// Keeps the state of a bucket as it is now, whoever writes to it.
///
/// # Errors
/// There is none, it is a copy that is not whole, or the object store fails. It is noted in the
/// bucket, for the collector: whoever may only read cannot.
pub(in crate::engine) fn keep(bucket: &Bucket) -> Result<CopyOrigin, StoreError> {
    let (objects, path) = stores::of(bucket)?;
    keep_of(objects, path)
}

/// The same of any object store.
pub(super) fn keep_of(objects: Arc<dyn ObjectStore>, path: Path) -> Result<CopyOrigin, StoreError> {
    let runtime = OwnRuntime::start()?;
    let opened = runtime.wait(async {
        if !look::is_there(&objects, &path).await? {
            return Err(StoreError(StoreFault::NothingToCopy));
        }
        let clock = GatedClock::closed();
        let gated: Arc<dyn SystemClock> = clock;
        let options = DbReaderOptions { checkpoint_lifetime: KEPT, ..look::options() };
        let kept = DbReader::builder(path.clone(), Arc::clone(&objects))
            .with_reader_mode(DbReaderMode::ManagedCheckpoint)
            .with_options(options)
            .with_db_cache_disabled()
            .with_system_clock(gated)
            .build()
            .await
            .map_err(|e| failed(&e))?;
        let noted = kept.get(mark::KEY).await.map_err(|e| failed(&e))?;
        Ok((kept, noted))
    });
    let (kept, noted) = opened?;
    if noted.as_ref().is_some_and(bytes::Bytes::is_empty) {
        runtime.wait(kept.close()).map_err(|e| failed(&e))?;
        return Err(StoreFault::UnfinishedCopy.into());
    }
    let access =
        Access { runtime, objects, path, opened: String::new(), lost: OnceLock::new(), _local: None };
    let (state, access) = (Arc::new(kept), Arc::new(access));
    let lets_go = LetsGo { state: Arc::clone(&state), access: Arc::clone(&access) };
    let pinned = Pinned { state, access, _keeps: Some(Arc::new(lets_go)) };
    Ok((Arc::new(pinned), noted.map(|noted| noted.to_vec())))
}

/// Takes the note back from the bucket when the copy has ended.
struct LetsGo {
    state: Arc<DbReader>,
    access: Arc<Access>,
}

impl Drop for LetsGo {
    fn drop(&mut self) {
        let closing = async { tokio::time::timeout(super::FAREWELL, self.state.close()).await };
        let _ = self.access.runtime.wait(closing);
    }
}
