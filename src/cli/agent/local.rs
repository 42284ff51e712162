//! `agent.json` in the data folder: where the agent that has the store open can be asked how it is,
//! and for a backup, by whoever may read that file.

use super::{CannotStart, NO_FOLDER, UNAVAILABLE};
use crate::cli::private_file;
use dbtrail_history::HistoryHandle;
use dbtrail_history::engine::Location;
use dbtrail_history::serve::serve_operator;
use dbtrail_types::secret::Secret;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const NAME: &str = "agent.json";

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Whereabouts {
    /// Loopback, whatever the agent's own address is: what is asked there needs no certificate
    /// there.
    pub(super) address: SocketAddr,
    pub(super) scheme: String,
    pub(super) pid: u32,
    /// Opens the status and the backup, and nothing else. Good as long as the process lives.
    pub(super) key: String,
}

/// The file, as long as the agent runs.
#[derive(Debug)]
pub(in crate::cli) struct Local {
    path: PathBuf,
    text: String,
}

impl Local {
    /// Serves the status and backups on a loopback port of its own until `stop`, and writes down
    /// where.
    pub(in crate::cli) async fn open(
        data: &Path,
        history_handle: &Arc<HistoryHandle>,
        stop: &CancellationToken,
    ) -> Result<Self, CannotStart> {
        let cannot = |e: std::io::Error| CannotStart(format!("cannot listen on loopback: {e}"), UNAVAILABLE);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let key = random().map_err(|why| CannotStart(why, UNAVAILABLE))?;
        let (pid, scheme) = (std::process::id(), "http".to_owned());
        let text = serde_json::to_string(&Whereabouts { address, scheme, pid, key: key.clone() })
            .map_err(|e| CannotStart(e.to_string(), UNAVAILABLE))?;
        let path = data.join(NAME);
        private_file::write(&path, &text)
            .map_err(|e| CannotStart(format!("cannot write {}: {e}", path.display()), NO_FOLDER))?;
        tokio::spawn(serve_operator(listener, Arc::clone(history_handle), Secret::new(key), stop.clone()));
        Ok(Self { path, text })
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // Only one's own: a file of another process is not this one's to take away.
        if std::fs::read_to_string(&self.path).is_ok_and(|text| text == self.text) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Makes the data folder, for its owner alone, if it is not there; of a bucket, the folder for what
/// is of this machine.
pub(in crate::cli) fn folder(data: &Location) -> Result<(), CannotStart> {
    let folder = &data.folder;
    let cannot = |why: String| CannotStart(why, NO_FOLDER);
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|e| cannot(format!("the data folder {} cannot be made: {e}", folder.display())))?;
    if data.bucket.is_none() {
        return Ok(());
    }
    // Its name can be guessed, and others may write beside it.
    let of = |path: &Path| {
        std::fs::symlink_metadata(path).map(|about| (about.uid(), about.mode(), about.is_dir()))
    };
    let own = std::fs::metadata("/proc/self").map(|about| about.uid());
    match (of(folder), own) {
        (Ok((uid, mode, true)), Ok(own)) if uid == own && mode & 0o777 == 0o700 => Ok(()),
        _ => Err(cannot(format!("{} is not a folder of this user's alone: remove it", folder.display()))),
    }
}

/// What the folder says of its agent; `None`: nothing.
pub(super) fn address(data: &Path) -> Result<Option<Whereabouts>, String> {
    let path = data.join(NAME);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(format!("cannot read {}: {e}", path.display())),
    };
    let read: Whereabouts = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(Some(read))
}

/// 128 random bits.
pub(in crate::cli) fn random() -> Result<String, String> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| "the system gives no random bytes".to_owned())?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbtrail_types::names::ServerId;
    use dbtrail_types::timestamp::Timestamp;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_folder_is_made() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("a/b");
        for _ in 0..2 {
            folder(&Location::folder(path.clone())).unwrap();
        }
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        std::fs::write(path.join("file"), "").unwrap();
        let why = folder(&Location::folder(path.join("file/c"))).unwrap_err();
        assert!(why.0.starts_with("the data folder ") && why.1 == NO_FOLDER, "{why:?}");
    }

    #[tokio::test]
    async fn the_file_lives_as_long_as_the_agent() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(address(folder.path()), Ok(None));
        let history_handle = Arc::new(HistoryHandle::live(ServerId("s".to_owned()), Timestamp::now()));
        let stop = CancellationToken::new();
        std::fs::write(folder.path().join(NAME), "left by a crash").unwrap();
        let local = Local::open(folder.path(), &history_handle, &stop).await.unwrap();
        let read = address(folder.path()).unwrap().unwrap();
        assert!(read.address.ip().is_loopback() && read.key.len() == 32 && read.pid == std::process::id());
        let mode = std::fs::metadata(folder.path().join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        drop(local);
        assert_eq!(address(folder.path()), Ok(None));
        let local = Local::open(folder.path(), &history_handle, &stop).await.unwrap();
        std::fs::write(folder.path().join(NAME), "of another").unwrap();
        drop(local);
        assert!(address(folder.path()).unwrap_err().contains("agent.json: "));
        stop.cancel();
    }
}
