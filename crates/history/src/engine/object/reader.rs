//! Reading of a store that another process writes.
//!
//! A question keeps to one state, and the library's reader has none that stays: so a reader moves
//! only while no question has it, and there are some of them, that take turns.

use super::gate::GatedClock;
use super::read::Pinned;
use super::{Access, BlockCache, OwnRuntime, failed, stores};
use crate::engine::location::Bucket;
use crate::engine::{Snapshot, StoreError};
use futures_util::StreamExt;
use object_store::ObjectStore;
use object_store::path::Path;
use slatedb::config::DbReaderOptions;
use slatedb::db_cache::DbCache;
use slatedb::{DbReader, DbReaderMode};
use slatedb_common::clock::SystemClock;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What the library is told: the gate decides.
const SELDOM: Duration = Duration::from_secs(3600);
/// States that are read at the same time at most; each has what is not in the tree yet in memory.
const STATES: usize = 3;
/// A look that takes longer is an outage.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether there is a store.
pub(super) async fn is_there(store: &Arc<dyn ObjectStore>, path: &Path) -> Result<bool, StoreError> {
    let manifests = path.clone().join("manifest");
    match store.list(Some(&manifests)).next().await {
        None => Ok(false),
        Some(Ok(_)) => Ok(true),
        Some(Err(error)) => Err(StoreError(format!("object store: {error}"))),
    }
}

fn options() -> DbReaderOptions {
    DbReaderOptions {
        manifest_poll_interval: SELDOM,
        object_store_max_retries: Some(super::TRIES),
        max_memtable_bytes: super::TABLE as u64,
        ..DbReaderOptions::default()
    }
}

/// The store as it is now, without leaving a trace in it.
pub(super) async fn look(store: &Arc<dyn ObjectStore>, path: &Path) -> Result<DbReader, StoreError> {
    DbReader::builder(path.clone(), Arc::clone(store))
        .with_reader_mode(DbReaderMode::FollowLatest)
        .with_options(options())
        .with_db_cache_disabled()
        .build()
        .await
        .map_err(|e| failed(&e))
}

/// One of those that take turns.
struct State {
    /// Snapshots have it too.
    reader: Arc<DbReader>,
    clock: Arc<GatedClock>,
}

/// Tables in an object store that another process writes. Writes nothing: who may only read the
/// bucket can read so.
pub struct ObjectReader {
    access: Arc<Access>,
    cache: Arc<BlockCache>,
    states: Vec<State>,
}

impl fmt::Debug for ObjectReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ObjectReader")
    }
}

impl ObjectReader {
    /// Reads the tables below a prefix of a bucket; `cache`: bytes of memory for what was read.
    ///
    /// # Errors
    /// The address is of no use.
    pub fn open(bucket: &Bucket, cache: u64) -> Result<Self, StoreError> {
        let (objects, path) = stores::of(bucket)?;
        Self::upon(objects, path, cache)
    }

    /// The same in any object store.
    pub(super) fn upon(objects: Arc<dyn ObjectStore>, path: Path, cache: u64) -> Result<Self, StoreError> {
        let runtime = OwnRuntime::start().map_err(|e| StoreError(format!("no threads for it: {e}")))?;
        let access = Access { runtime, objects, path, opened: String::new(), lost: OnceLock::new() };
        Ok(Self { access: Arc::new(access), cache: Arc::new(BlockCache::of(cache)), states: Vec::new() })
    }

    /// The tables as they are now, or, where the object store did not answer, as they were before.
    /// It does not move. Blocks.
    ///
    /// # Errors
    /// There are none, the object store fails, or too many earlier states are still being read.
    pub fn refresh(&mut self) -> Result<Arc<dyn Snapshot>, StoreError> {
        let access = Arc::clone(&self.access);
        // Only this one hands them out: what nobody has, nobody gets meanwhile.
        let free = self.states.iter().position(|state| Arc::strong_count(&state.reader) == 1);
        let reader = match free {
            Some(at) => {
                let state = &self.states[at];
                let looked = access.runtime.wait(moved(state));
                if let Err(error) = looked {
                    drop(self.states.remove(at));
                    return Err(error);
                }
                Arc::clone(&state.reader)
            }
            None if self.states.len() >= STATES => {
                return Err(StoreError(format!(
                    "{STATES} earlier states are still being read: what is new is shown when one of those answers has ended"
                )));
            }
            None => {
                let state = access.runtime.wait(self.another())?;
                let reader = Arc::clone(&state.reader);
                self.states.push(state);
                reader
            }
        };
        Ok(Arc::new(Pinned { state: reader, access, _keeps: None }))
    }

    async fn another(&self) -> Result<State, StoreError> {
        let (objects, path) = (&self.access.objects, &self.access.path);
        if !is_there(objects, path).await? {
            return Err(StoreError("nothing is recorded there yet".to_owned()));
        }
        let clock = GatedClock::closed();
        let cache: Arc<dyn DbCache> = Arc::<BlockCache>::clone(&self.cache);
        let gated: Arc<dyn SystemClock> = Arc::<GatedClock>::clone(&clock);
        let reader = DbReader::builder(path.clone(), Arc::clone(objects))
            .with_reader_mode(DbReaderMode::FollowLatest)
            .with_options(options())
            .with_db_cache(cache, 0)
            .with_system_clock(gated)
            .build()
            .await
            .map_err(|e| failed(&e))?;
        clock.reached().await;
        Ok(State { reader: Arc::new(reader), clock })
    }
}

/// Lets a reader that nobody has look for what is new.
async fn moved(state: &State) -> Result<(), StoreError> {
    match tokio::time::timeout(PATIENCE, state.clock.look()).await {
        Ok(()) => Ok(()),
        Err(_) => Err(StoreError("object store: no answer for a minute".to_owned())),
    }
}
