//! Tables on disk for as long as somebody reads them: in a folder of their own among the temporary
//! files, which goes with the last snapshot. What a killed process left behind is taken away when
//! the next folder is made.

use super::{Batch, DiskEngine, DiskOptions, Each, Engine, Pair, Snapshot, StoreError, StoreFault, Table};
use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the folders' names begin with.
const PREFIX: &str = "dbtrail-shim-history-";
/// The file that a living process holds locked.
const LOCK: &str = "lock";
/// Temporary files that may be large: unlike /tmp this is on a disk on every system (Filesystem
/// Hierarchy Standard, 5.15).
const LARGE: &str = "/var/tmp";

/// A folder that is removed with its content.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// Locked for as long as it is open.
    _lock: File,
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!("the temporary folder {} cannot be removed: {error}", self.path.display());
        }
    }
}

impl Folder {
    fn make(parent: &Path) -> io::Result<Self> {
        let mut random = [0; 8];
        aws_lc_rs::rand::fill(&mut random)
            .map_err(|_| io::Error::other("the system gives no random bytes"))?;
        let path = parent.join(format!("{PREFIX}{}", hex::encode(random)));
        DirBuilder::new().mode(0o700).create(&path)?;
        let lock = File::create_new(path.join(LOCK))?;
        lock.lock()?;
        Ok(Self { path, _lock: lock })
    }

    /// Takes away what processes of this user left behind that are no more.
    fn remove_others(&self) -> io::Result<()> {
        let own = std::fs::metadata(&self.path)?.uid();
        let Some(parent) = self.path.parent() else { return Ok(()) };
        for entry in std::fs::read_dir(parent)? {
            let path = entry?.path();
            let named = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(PREFIX));
            let Ok(about) = std::fs::symlink_metadata(&path) else { continue };
            if !named || path == self.path || !about.is_dir() || about.uid() != own {
                continue;
            }
            // Without the file it is one that is being made at this moment, or removed.
            let Ok(lock) = File::open(path.join(LOCK)) else { continue };
            if !matches!(lock.try_lock(), Err(TryLockError::WouldBlock))
                && std::fs::remove_dir_all(&path).is_ok()
            {
                tracing::info!("removed {}, which an agent left behind that was killed", path.display());
            }
        }
        Ok(())
    }
}

/// See the head of this file.
#[derive(Debug)]
pub struct TemporaryEngine {
    // In this order: the tables are closed before their folder goes.
    disk: Arc<DiskEngine>,
    folder: Arc<Folder>,
}

/// A snapshot, and what it needs to be read.
#[derive(Debug)]
struct TemporarySnapshot {
    snapshot: Arc<dyn Snapshot>,
    _disk: Arc<DiskEngine>,
    _folder: Arc<Folder>,
}

/// Where the folders are made: what TMPDIR says, else /var/tmp.
#[must_use]
pub fn temporary_folder() -> PathBuf {
    let large = PathBuf::from(LARGE);
    if std::env::var_os("TMPDIR").is_none() && large.is_dir() { large } else { std::env::temp_dir() }
}

impl TemporaryEngine {
    /// Empty tables in a new folder of this one.
    ///
    /// # Errors
    /// It cannot be made there.
    pub fn make(parent: &Path, options: DiskOptions) -> Result<Self, StoreError> {
        let failed =
            |e: io::Error| StoreFault::TemporaryFolder { parent: parent.to_owned(), error: e.to_string() };
        let folder = Folder::make(parent).map_err(failed)?;
        if let Err(error) = folder.remove_others() {
            tracing::info!("{} cannot be looked through: {error}", parent.display());
        }
        let disk = DiskEngine::open(&folder.path.join("tables"), options)?;
        Ok(Self { disk: Arc::new(disk), folder: Arc::new(folder) })
    }
}

impl Engine for TemporaryEngine {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.disk.write(batch)
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(TemporarySnapshot {
            snapshot: self.disk.snapshot(),
            _disk: Arc::clone(&self.disk),
            _folder: Arc::clone(&self.folder),
        })
    }

    fn sync(&self) -> Result<(), StoreError> {
        // It is gone after a loss of power anyway.
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.disk.bytes()
    }
}

impl Snapshot for TemporarySnapshot {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.snapshot.get(table, key)
    }

    fn back(&self, table: Table, from: &[u8], to: &[u8], each: &mut Each<'_>) -> Result<(), StoreError> {
        self.snapshot.back(table, from, to, each)
    }

    fn forward(&self, table: Table, from: &[u8], to: &[u8], each: &mut Each<'_>) -> Result<(), StoreError> {
        self.snapshot.forward(table, from, to, each)
    }

    fn scan(&self, table: Table, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError> {
        self.snapshot.scan(table, from, to, limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(parent: &Path) -> usize {
        std::fs::read_dir(parent).unwrap().count()
    }

    #[test]
    fn the_folder_goes_with_the_last_snapshot() {
        let parent = tempfile::tempdir().unwrap();
        let mut engine = TemporaryEngine::make(parent.path(), DiskOptions::default()).unwrap();
        let mut batch = Batch::default();
        batch.put(Table::Meta, b"a", b"b");
        engine.commit(&batch).unwrap();
        let snapshot = engine.snapshot();
        drop(engine);
        assert_eq!(folders(parent.path()), 1);
        assert_eq!(snapshot.get(Table::Meta, b"a").unwrap().as_deref(), Some(&b"b"[..]));
        drop(snapshot);
        assert_eq!(folders(parent.path()), 0);
    }

    #[test]
    fn what_a_killed_process_left_goes_and_what_a_living_one_has_stays() {
        let parent = tempfile::tempdir().unwrap();
        let at = |name: &str| parent.path().join(name);
        let left = at(&format!("{PREFIX}left"));
        std::fs::create_dir_all(left.join("tables")).unwrap();
        std::fs::write(left.join(LOCK), "").unwrap();
        std::fs::create_dir(at("of-others")).unwrap();
        std::os::unix::fs::symlink(at("of-others"), at(&format!("{PREFIX}link"))).unwrap();
        let living = TemporaryEngine::make(parent.path(), DiskOptions::default()).unwrap();
        assert!(!left.exists() && at("of-others").exists());
        let other = TemporaryEngine::make(parent.path(), DiskOptions::default()).unwrap();
        assert_eq!(folders(parent.path()), 4);
        drop((living, other));
        assert_eq!(folders(parent.path()), 2);
        let nowhere = TemporaryEngine::make(&at("nowhere"), DiskOptions::default()).unwrap_err();
        assert!(nowhere.to_string().contains("nowhere (TMPDIR): "), "{nowhere}");
    }
}
