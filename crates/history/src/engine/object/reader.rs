//! Reading of a store that another process writes.
//!
//! A question keeps to one state, and the library's reader has none that stays: so a reader moves
//! only while no question has it, and there are some of them, that take turns.

use super::gate::GatedClock;
use super::read::Pinned;
use super::{
    Access, BlockCache, DiskOptions, OwnRuntime, Watched, failed, holder, local, look, mark, stores,
};
use crate::engine::location::Bucket;
use crate::engine::{Snapshot, StoreError, StoreFault};
use object_store::ObjectStore;
use object_store::path::Path;
use slatedb::db_cache::DbCache;
use slatedb::{DbReader, DbReaderMode};
use slatedb_common::clock::SystemClock;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// States that are read at the same time at most; each has what is not in the tree yet in memory.
const STATES: usize = 3;
/// A look of which a part takes longer is an outage.
const PATIENCE: Duration = Duration::from_secs(60);

/// One of those that take turns.
struct State {
    /// Snapshots have it too.
    reader: Arc<DbReader>,
    clock: Arc<GatedClock>,
}

/// Tables in an object store that another process writes. Writes nothing: who may only read the
/// bucket can read so.
pub(crate) struct ObjectReader {
    access: Arc<Access>,
    cache: Arc<BlockCache>,
    states: Vec<State>,
    /// Reads a copy that is not whole.
    of_a_copy: bool,
}

impl fmt::Debug for ObjectReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ObjectReader")
    }
}

impl ObjectReader {
    /// Reads the tables below a prefix of a bucket; `folder`: of this machine, for the cache on its
    /// disk.
    ///
    /// # Errors
    /// The address is of no use, or there can be no cache on the disk.
    pub(in crate::engine) fn open(
        bucket: &Bucket,
        folder: &std::path::Path,
        options: DiskOptions,
    ) -> Result<Self, StoreError> {
        let (objects, path) = stores::of(bucket)?;
        Self::upon(objects, path, options, Some(folder))
    }

    /// The same in any object store.
    pub(super) fn upon(
        objects: Arc<dyn ObjectStore>,
        path: Path,
        options: DiskOptions,
        folder: Option<&std::path::Path>,
    ) -> Result<Self, StoreError> {
        let runtime = OwnRuntime::start()?;
        let (objects, local) = runtime.wait(local::cached(objects, folder, options.disk_cache))?;
        let (opened, lost) = (String::new(), OnceLock::new());
        let access = Arc::new(Access { runtime, objects, path, opened, lost, _local: local });
        let cache = Arc::new(BlockCache::of(options.cache));
        Ok(Self { access, cache, states: Vec::new(), of_a_copy: false })
    }

    /// Reads it also where it is a copy that is not whole.
    pub(super) fn of_a_copy(self) -> Self {
        Self { of_a_copy: true, ..self }
    }

    /// The tables as they are now, or, where the object store did not answer, as they were before.
    /// It does not move. Blocks.
    ///
    /// # Errors
    /// There are none, the object store fails, or too many earlier states are still being read.
    pub(crate) fn refresh(&mut self) -> Result<Arc<dyn Snapshot>, StoreError> {
        let reader = self.moved_on()??;
        Ok(self.pinned(reader))
    }

    /// The same, and what it says of its writer; `None`: there is nothing, or too many earlier
    /// states are still being read.
    ///
    /// # Errors
    /// The object store fails.
    pub(crate) fn refresh_and_watch(&mut self) -> Result<(Option<Arc<dyn Snapshot>>, Watched), StoreError> {
        let access = Arc::clone(&self.access);
        if self.states.is_empty()
            && !access.runtime.wait(in_time(look::is_there(&access.objects, &access.path)))?
        {
            return Ok((None, Watched::Nobody));
        }
        let watched = |said: Option<holder::Holder>| said.map_or(Watched::Nobody, |holder| holder.watched());
        if let Ok(reader) = self.moved_on()? {
            let said = access.runtime.wait(in_time(holder::of(&reader)))?;
            Ok((Some(self.pinned(reader)), watched(said)))
        } else {
            let said = access.runtime.wait(in_time(holder::current(&access.objects, &access.path)))?;
            Ok((None, watched(said)))
        }
    }

    fn pinned(&self, state: Arc<DbReader>) -> Arc<dyn Snapshot> {
        Arc::new(Pinned { state, access: Arc::clone(&self.access), _keeps: None })
    }

    /// A state that nobody has, as new as it can be. The inner error: others have all of them.
    fn moved_on(&mut self) -> Result<Result<Arc<DbReader>, StoreError>, StoreError> {
        let access = Arc::clone(&self.access);
        // Only this one hands them out: what nobody has, nobody gets meanwhile.
        let free = self.states.iter().position(|state| Arc::strong_count(&state.reader) == 1);
        match free {
            Some(at) => {
                let state = &self.states[at];
                let looked = access.runtime.wait(moved(state));
                if let Err(error) = looked {
                    drop(self.states.remove(at));
                    return Err(error);
                }
                Ok(Ok(Arc::clone(&state.reader)))
            }
            None if self.states.len() >= STATES => Ok(Err(StoreFault::StatesInUse(STATES).into())),
            None => {
                let state = access.runtime.wait(in_time(self.another()))?;
                let reader = Arc::clone(&state.reader);
                self.states.push(state);
                Ok(Ok(reader))
            }
        }
    }

    async fn another(&self) -> Result<State, StoreError> {
        let (objects, path) = (&self.access.objects, &self.access.path);
        if !look::is_there(objects, path).await? {
            return Err(StoreFault::NothingRecorded.into());
        }
        let clock = GatedClock::closed();
        let cache: Arc<dyn DbCache> = Arc::<BlockCache>::clone(&self.cache);
        let gated: Arc<dyn SystemClock> = Arc::<GatedClock>::clone(&clock);
        let reader = DbReader::builder(path.clone(), Arc::clone(objects))
            .with_reader_mode(DbReaderMode::FollowLatest)
            .with_options(look::options())
            .with_db_cache(cache, 0)
            .with_system_clock(gated)
            .build()
            .await
            .map_err(|e| failed(&e))?;
        clock.reached().await;
        if !self.of_a_copy {
            let noted = reader.get(mark::KEY).await.map_err(|e| failed(&e))?;
            if noted.is_some_and(|noted| noted.is_empty()) {
                return Err(StoreFault::UnfinishedCopy.into());
            }
        }
        Ok(State { reader: Arc::new(reader), clock })
    }
}

/// Lets a reader that nobody has look for what is new.
async fn moved(state: &State) -> Result<(), StoreError> {
    in_time(async {
        state.clock.look().await;
        Ok(())
    })
    .await
}

/// A part of a look, if it does not take too long.
async fn in_time<T>(part: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let late = |_| Err(StoreFault::NoAnswer(PATIENCE.as_secs()).into());
    tokio::time::timeout(PATIENCE, part).await.unwrap_or_else(late)
}
