//! A cache on the disk of this machine for what was read of the tree's objects, up to a size.
//!
//! Objects of the tree never change and no two have one name, so what is there may stay over a
//! restart. What a crash damaged of it is noticed by the checksums of blocks, and fetched again.
//! Each process has a folder of its own.

use crate::engine::{StoreError, StoreFault};
use object_store::ObjectStore;
#[expect(deprecated, reason = "what is to replace it mirrors whole objects, and has no size")]
use slatedb::cached_object_store::CachedObjectStore;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes that are fetched and kept at once.
const PART: usize = 256 << 10;
/// Processes of one user that read one bucket on one machine, each with a cache.
const FOLDERS: usize = 64;

/// A folder that no other process uses, as long as this lives.
#[derive(Debug)]
pub(super) struct Taken {
    folder: PathBuf,
    _lock: File,
}

impl Taken {
    /// The first folder below this one that nobody has.
    fn below(folder: &Path) -> std::io::Result<Self> {
        for number in 0..FOLDERS {
            let folder = folder.join(format!("cache-{number}"));
            std::fs::create_dir_all(&folder)?;
            let lock = File::create(folder.join("lock"))?;
            match lock.try_lock() {
                Ok(()) => return Ok(Self { folder: folder.join("objects"), _lock: lock }),
                Err(std::fs::TryLockError::WouldBlock) => {}
                Err(std::fs::TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(std::io::Error::other(format!("{FOLDERS} processes have a cache there already")))
    }
}

/// The object store behind a cache of so many bytes; 0, or no folder: without one.
pub(super) async fn cached(
    objects: Arc<dyn ObjectStore>,
    folder: Option<&Path>,
    bytes: u64,
) -> Result<(Arc<dyn ObjectStore>, Option<Taken>), StoreError> {
    let Some(folder) = folder.filter(|_| bytes > 0) else { return Ok((objects, None)) };
    let cannot = |error: String| StoreFault::Cache { folder: folder.to_owned(), error };
    let taken = Taken::below(folder).map_err(|e| cannot(e.to_string()))?;
    std::fs::create_dir_all(&taken.folder).map_err(|e| cannot(e.to_string()))?;
    #[expect(deprecated, reason = "see above")]
    let cache = CachedObjectStore::builder(taken.folder.clone(), objects)
        .with_max_cache_size_bytes(Some(usize::try_from(bytes).unwrap_or(usize::MAX)))
        .with_part_size_bytes(PART)
        .with_cache_on_flush(true)
        .build()
        .await
        .map_err(|e| cannot(e.to_string()))?;
    Ok((cache, Some(taken)))
}
