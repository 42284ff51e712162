//! The files of a copy, written into it: whoever opens the copy first reads them again.

use super::{Copied, STORE};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::Xxh3;

/// The file in the data folder of a copy.
const NAME: &str = "backup.json";
/// Bytes that are read at once.
const PIECE: usize = 1 << 20;

/// Why a data folder that is a copy is not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackupFault {
    /// Its files cannot be read.
    #[error("{}: {error}", folder.display())]
    Unreadable {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        error: String,
    },
    /// It is not what was copied.
    #[error(
        "{} is a backup that was damaged, or copied in part, after it was made: use another backup, or copy it again whole",
        .0.display()
    )]
    Damaged(PathBuf),
}

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    copied: Copied,
    /// Length in bytes and XXH3 of each file of the store, by its path in the data folder.
    files: BTreeMap<PathBuf, (u64, u64)>,
}

/// Writes it, for its owner alone, before the copy gets its name and after its store was closed.
pub(super) fn write(folder: &Path, copied: Copied) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let manifest = Manifest { copied, files: files(folder)? };
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(NAME))?;
    serde_json::to_writer(&mut file, &manifest)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::File::open(folder)?.sync_all()
}

/// Compares a data folder that is a copy with what was copied, before its store is opened, which
/// writes to it; once. A data folder that is no copy passes.
///
/// # Errors
/// The copy was damaged or carried over in part since it was made, or cannot be read.
pub(crate) fn check(folder: &Path) -> Result<(), BackupFault> {
    let path = folder.join(NAME);
    let failed =
        |error: io::Error| BackupFault::Unreadable { folder: folder.to_owned(), error: error.to_string() };
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    tracing::info!("{} is a backup: its files are compared with what was copied", folder.display());
    let damaged = |_| BackupFault::Damaged(folder.to_owned());
    let manifest: Manifest = serde_json::from_slice(&text).map_err(damaged)?;
    if files(folder).map_err(failed)? != manifest.files {
        return Err(BackupFault::Damaged(folder.to_owned()));
    }
    std::fs::remove_file(&path).map_err(failed)
}

/// The files of the store.
fn files(folder: &Path) -> io::Result<BTreeMap<PathBuf, (u64, u64)>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![PathBuf::from(STORE)];
    let mut piece = vec![0; PIECE];
    while let Some(inner) = folders.pop() {
        for entry in std::fs::read_dir(folder.join(&inner))? {
            let entry = entry?;
            let name = inner.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(name);
                continue;
            }
            let (mut file, mut length, mut digest) = (std::fs::File::open(entry.path())?, 0, Xxh3::new());
            loop {
                let read = file.read(&mut piece)?;
                if read == 0 {
                    break;
                }
                length += read as u64;
                digest.update(&piece[..read]);
            }
            found.insert(name, (length, digest.digest()));
        }
    }
    Ok(found)
}
