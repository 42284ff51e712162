//! Lines in a file, which is turned over when it is full.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// `audit.file` and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSettings {
    /// The file; others get a number after its name when they are full.
    pub file: PathBuf,
    /// Bytes of one file.
    pub max_size: u64,
    /// Full files that are kept.
    pub keep: u32,
}

/// An open file.
#[derive(Debug)]
pub(super) struct LogFile {
    settings: FileSettings,
    file: File,
    size: u64,
}

impl LogFile {
    pub(super) fn open(settings: FileSettings) -> io::Result<Self> {
        let file = opened(&settings.file)?;
        let size = file.metadata()?.len();
        Ok(Self { settings, file, size })
    }

    /// A whole line, or nothing of it.
    pub(super) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.size > 0 && self.size + line.len() as u64 > self.settings.max_size {
            self.turn()?;
        }
        if let Err(error) = self.file.write_all(line) {
            // Half a line would spoil the next one.
            let _ = self.file.set_len(self.size);
            return Err(error);
        }
        self.size += line.len() as u64;
        Ok(())
    }

    /// Begins another file: `audit.log` becomes `audit.log.1`, that becomes `.2`, and the last one
    /// goes.
    fn turn(&mut self) -> io::Result<()> {
        let numbered = |n: u32| {
            let mut name = self.settings.file.clone().into_os_string();
            name.push(format!(".{n}"));
            PathBuf::from(name)
        };
        let gone = |done: io::Result<()>| match done {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        if self.settings.keep == 0 {
            gone(std::fs::remove_file(&self.settings.file))?;
        } else {
            for n in (1..self.settings.keep).rev() {
                gone(std::fs::rename(numbered(n), numbered(n + 1)))?;
            }
            gone(std::fs::rename(&self.settings.file, numbered(1)))?;
        }
        *self = Self::open(self.settings.clone())?;
        Ok(())
    }

    /// Whether there is room: a byte is written and taken back.
    pub(super) fn try_again(&mut self) -> io::Result<()> {
        let mut file = opened(&self.settings.file)?;
        let size = file.metadata()?.len();
        let tried = file.write_all(b"\n");
        file.set_len(size)?;
        tried?;
        (self.file, self.size) = (file, size);
        Ok(())
    }
}

/// For its owner alone: it names keys.
fn opened(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_files_are_turned_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("audit.log");
        let mut log = LogFile::open(FileSettings { file: file.clone(), max_size: 10, keep: 2 }).unwrap();
        for line in ["a234567\n", "b234567\n", "c234567\n", "d234567\n", "longer than a file\n"] {
            log.write(line.as_bytes()).unwrap();
        }
        let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(text("audit.log"), "longer than a file\n");
        assert_eq!((text("audit.log.1"), text("audit.log.2")), ("d234567\n".into(), "c234567\n".into()));
        assert!(!folder.path().join("audit.log.3").exists());
        // One that was moved away is let go, and what is there is gone on with.
        std::fs::rename(&file, folder.path().join("moved")).unwrap();
        log.try_again().unwrap();
        log.write(b"e\n").unwrap();
        assert_eq!(text("audit.log"), "e\n");
        let mut again = LogFile::open(FileSettings { max_size: 100, ..log.settings.clone() }).unwrap();
        again.write(b"f\n").unwrap();
        assert_eq!(text("audit.log"), "e\nf\n");
    }

    #[test]
    fn a_full_disk_leaves_no_half_line() {
        let settings = FileSettings { file: "/dev/full".into(), max_size: 1000, keep: 1 };
        let mut log = LogFile { file: opened(&settings.file).unwrap(), settings, size: 0 };
        assert_eq!(log.write(b"x\n").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(log.try_again().is_err());
    }
}
