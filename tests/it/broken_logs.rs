//! Binary logs that are cut, damaged, or written by someone who wishes us harm: an error or a
//! shorter record, never a panic and never other rows.

use crate::support::{every, rounds};
use dbtrail_history::History;
use dbtrail_history::log::LogReader;
use dbtrail_types::names::ServerId;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Numbers for the damages, the same in every run (xorshift64).
struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (n.max(1) as u64)).expect("it is below n")
    }
}

fn source() -> Xorshift {
    Xorshift(0x9e37_79b9_7f4a_7c15)
}

fn recording(fixture: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(fixture).join("binlog.000003");
    std::fs::read(path).expect("the recording")
}

/// Where each event begins and ends: the length is at byte 9 of the header.
fn events(log: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 4;
    while let Some(length) = log.get(at + 9..at + 13) {
        let length = u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
        found.push((at, at + length));
        at += length;
    }
    found
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, log: &[u8]) -> PathBuf {
        let path = self.0.path().join("binlog.000003");
        std::fs::write(&path, log).expect("a file");
        path
    }

    /// Every entry as text; what ended the reading, if it was an error.
    fn entries(&self, log: &[u8]) -> (Vec<String>, Option<String>) {
        let mut reader = match LogReader::open(&[self.file(log)]) {
            Ok(reader) => reader,
            Err(e) => return (Vec::new(), Some(e.to_string())),
        };
        let mut entries = Vec::new();
        loop {
            match reader.next() {
                Some(Ok(entry)) => {
                    let mut text = format!("{:?} {:?}", entry.gtid, entry.committed);
                    let _ = write!(text, " {:?}", entry.changes);
                    entries.push(text);
                }
                None => return (entries, None),
                Some(Err(e)) => return (entries, Some(e.to_string())),
            }
        }
    }

    fn history(&self, log: &[u8]) -> Result<History, String> {
        History::read(ServerId("x".to_owned()), &[self.file(log)]).map_err(|e| e.to_string())
    }
}

/// The first bytes of a log, up to the end of an event.
fn head(log: &[u8], bytes: usize) -> Vec<u8> {
    let end = events(log).into_iter().map(|(_, end)| end).take_while(|end| *end <= bytes).last();
    log[..end.expect("an event")].to_vec()
}

fn cut_anywhere(fixture: &str) {
    let log = head(&recording(fixture), 24_000);
    let folder = Folder::new();
    let (all, none) = folder.entries(&log);
    assert_eq!(none, None);
    assert!(all.len() > 10, "{} entries", all.len());
    for length in (0..log.len()).step_by(7 * every()).chain(events(&log).into_iter().map(|(start, _)| start))
    {
        let (entries, _) = folder.entries(&log[..length]);
        assert!(entries.len() <= all.len() && entries == all[..entries.len()], "cut at byte {length}");
    }
}

#[test]
fn a_cut_log_is_a_shorter_record_mysql() {
    cut_anywhere("mysql-9.7");
}

#[test]
fn a_cut_log_is_a_shorter_record_mariadb() {
    cut_anywhere("mariadb-10.11");
}

/// One byte of an event changes. With its checksum as it was, no entry after the damage is read and
/// none before it changes.
fn damaged(fixture: &str) {
    let log = head(&recording(fixture), 24_000);
    let folder = Folder::new();
    let (all, _) = folder.entries(&log);
    let mut source = source();
    let mut noticed = 0;
    let all_damages = rounds(300);
    for _ in 0..all_damages {
        let mut broken = log.clone();
        let at = 4 + source.below(log.len() - 4);
        broken[at] ^= 1 << source.below(8);
        let (entries, error) = folder.entries(&broken);
        assert!(entries.len() <= all.len() && entries == all[..entries.len()], "byte {at}");
        noticed += usize::from(error.is_some());
        if error.is_none() {
            assert!(entries.len() < all.len() || entries == all, "byte {at}");
        }
    }
    // What is not an error is a length that reaches beyond the end, which looks like a log that was
    // cut.
    assert!(noticed * 3 > all_damages * 2, "{noticed} of {all_damages}");
}

#[test]
fn a_damaged_log_is_noticed_mysql() {
    damaged("mysql-9.7");
}

#[test]
fn a_damaged_log_is_noticed_mariadb() {
    damaged("mariadb-10.11");
}

/// Bytes of events change and the checksum fits again: what a hostile server could send. No panic,
/// no endless work.
fn forged(fixture: &str) {
    let log = head(&recording(fixture), 16_000);
    let positions = events(&log);
    let folder = Folder::new();
    let mut source = source();
    let mut read = 0;
    for _ in 0..rounds(400) {
        let mut broken = log.clone();
        for _ in 0..=source.below(3) {
            let (start, end) = positions[source.below(positions.len())];
            let body = start + 19..end - 4;
            let at = body.start + source.below(body.len());
            match source.below(4) {
                0 => broken[at] = 0xff,
                1 => broken[at] = 0,
                2 => broken[at] = broken[at].wrapping_add(1),
                _ => broken[at] = u8::try_from(source.below(256)).expect("a byte"),
            }
            let checksum = crc32fast::hash(&broken[start..end - 4]);
            broken[end - 4..end].copy_from_slice(&checksum.to_le_bytes());
        }
        read += usize::from(folder.history(&broken).is_ok());
    }
    assert!(read > 0, "not one record could be made");
}

#[test]
fn a_forged_log_does_no_harm_mysql() {
    forged("mysql-9.7");
}

#[test]
fn a_forged_log_does_no_harm_mariadb() {
    forged("mariadb-10.11");
}

#[test]
fn what_is_no_log_is_refused() {
    let folder = Folder::new();
    for (bytes, wanted) in [
        (&b""[..], "binlog.000003"),
        (b"\xfebin", "binlog.000003"),
        (b"SELECT 1; this is no log at all", "binlog.000003"),
        (
            b"\xfebin\x00\x00\x00\x00\x0f\x00\x00\x00\x00\xff\xff\xff\x7f\x00\x00\x00\x00\x00\x00",
            "binlog.000003",
        ),
    ] {
        let error = folder.history(bytes).map(|_| ()).expect_err("no log");
        assert!(error.contains(wanted), "{error}");
    }
}
