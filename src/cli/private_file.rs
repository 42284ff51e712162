//! Files that are there whole or not at all, and files with a secret in them.

use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The name of a file beside another, which is to take its place once it is whole. It is no other's
/// and no earlier one's: a process that was killed leaves its file, and in a container each has the
/// same number.
///
/// # Errors
/// The system gives no random bytes.
pub(super) fn temporary_path(path: &Path) -> io::Result<PathBuf> {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| io::Error::other("there are no random bytes"))?;
    let mut name = path.file_name().map(std::ffi::OsStr::to_os_string).unwrap_or_default();
    name.push(format!(".{}", hex::encode(bytes)));
    Ok(path.with_file_name(name))
}

/// A file that is there whole or not at all, and that nobody else can read, whatever was there
/// before.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let temporary = temporary_path(path)?;
    let write = || {
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    };
    let written = write();
    if written.is_err() {
        // It may not be there; the error that counts is the one above.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}
