//! Room on the disk of a data folder: what is free, and what a folder takes of it.

use rustix::fs::statvfs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bytes that are free for this process on the disk of a folder.
///
/// # Errors
/// The folder cannot be asked.
pub(super) fn free(folder: &Path) -> io::Result<u64> {
    let disk = statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Bytes that the files below a folder take on the disk, as `du` counts them. Files that go away
/// meanwhile count as nothing.
pub(super) fn taken(folder: &Path) -> u64 {
    /// What st_blocks counts (stat(2)).
    const BLOCK: u64 = 512;
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let each = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => metadata.blocks() * BLOCK + taken(&entry.path()),
        Ok(metadata) => metadata.blocks() * BLOCK,
        Err(_) => 0,
    });
    each.sum()
}

/// Less is free than is to stay so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the disk of {} has {} MiB left, and {} MiB are to stay free: capturing waits for room, and goes on by itself",
    folder.display(), free >> 20, reserve >> 20
)]
pub struct DiskShortage {
    /// A folder on that disk.
    pub folder: PathBuf,
    /// Bytes that are free.
    pub free: u64,
    /// Bytes that are to stay free.
    pub reserve: u64,
}

/// Why nothing may be written now, so that so many bytes stay free; `None`: there is room, or
/// nobody can tell.
pub(super) fn shortage(folder: &Path, reserve: u64) -> Option<DiskShortage> {
    let free = free(folder).ok()?;
    (free < reserve).then(|| DiskShortage { folder: folder.to_owned(), free, reserve })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_takes_what_du_says() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("a")).unwrap();
        std::fs::write(folder.path().join("a/b"), vec![1; 100_000]).unwrap();
        // A hole takes nothing.
        std::fs::File::create(folder.path().join("hole")).unwrap().set_len(64 << 20).unwrap();
        let du = std::process::Command::new("du").args(["-s", "-B1"]).arg(folder.path()).output().unwrap();
        let du = String::from_utf8(du.stdout).unwrap();
        let du: u64 = du.split_whitespace().next().unwrap().parse().unwrap();
        let own = std::fs::metadata(folder.path()).unwrap().blocks() * 512;
        assert_eq!(taken(folder.path()) + own, du);
        assert!(taken(folder.path()) >= 100_000 && taken(folder.path()) < 1 << 20);
    }

    #[test]
    fn a_reserve_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(shortage(folder.path(), 0), None);
        assert!(shortage(folder.path(), u64::MAX).unwrap().to_string().contains("waits for room"));
    }
}
