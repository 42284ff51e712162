//! The files that a configuration names: whether one of them is another than when it was read.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// Files, each as it was when it was looked at last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(Vec<FileStamp>);

/// A file as it was found; `None`: there was none.
pub(super) type FileStamp = (PathBuf, Option<Stamp>);

/// Changes whenever the file does, or another one takes its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// A file as it is now.
pub(super) fn seen(path: PathBuf) -> FileStamp {
    let stamp = std::fs::metadata(&path).ok().map(|found| Stamp {
        device: found.dev(),
        inode: found.ino(),
        size: found.size(),
        modified: (found.mtime(), found.mtime_nsec()),
        changed: (found.ctime(), found.ctime_nsec()),
    });
    (path, stamp)
}

impl Files {
    /// These files as they are now.
    #[must_use]
    pub fn of(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self(paths.into_iter().map(seen).collect())
    }

    /// Files that were looked at one by one.
    pub(super) fn seen(files: Vec<FileStamp>) -> Self {
        Self(files)
    }

    /// The same files as they are now.
    #[must_use]
    pub fn now(&self) -> Self {
        Self::of(self.0.iter().map(|(path, _)| path.clone()))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Tells when files have changed and come to rest: one that is still being written, or of which the
/// other half of a pair is still to come, is left alone until it is found unchanged once more.
#[derive(Debug)]
pub struct Watch {
    /// As they were read.
    read: Files,
    /// As they were found last.
    found: Files,
}

impl Watch {
    /// Watches from here on.
    #[must_use]
    pub fn new(read: Files) -> Self {
        Self { found: read.clone(), read }
    }

    /// Looks; `true`: they are others than those that were read, and the same as at the last look.
    /// They count as read then.
    pub fn look(&mut self) -> bool {
        let now = self.read.now();
        let rests = now == self.found;
        self.found = now;
        let changed = rests && self.found != self.read;
        if changed {
            self.read = self.found.clone();
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_changed_when_it_is_another_and_rests() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&first, "1").unwrap();
        let mut watch = Watch::new(Files::of([first.clone(), second.clone()]));
        assert!(!watch.look());
        std::fs::write(&first, "12").unwrap();
        assert!(!watch.look(), "it may still be written");
        std::fs::write(&first, "123").unwrap();
        assert!(!watch.look(), "and it was");
        assert!(watch.look());
        assert!(!watch.look(), "told once");
        // One that comes, one that goes, and one that takes the other's name.
        std::fs::write(&second, "1").unwrap();
        assert_eq!([watch.look(), watch.look(), watch.look()], [false, true, false]);
        std::fs::rename(&second, &first).unwrap();
        assert_eq!([watch.look(), watch.look(), watch.look()], [false, true, false]);
    }
}
