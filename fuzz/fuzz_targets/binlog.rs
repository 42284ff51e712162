//! Any bytes after the magic number of a binary log: a history or an error, and no panic.
//!
//! Good seeds: the files in tests/data, without their first four bytes.
#![no_main]

use dbtrail_history::History;
use dbtrail_types::names::ServerId;
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| {
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().expect("a temporary folder"));
    let path = folder.path().join("binlog.000001");
    std::fs::write(&path, [b"\xfebin", bytes].concat()).expect("the file can be written");
    let _ = History::read(ServerId("fuzz".to_owned()), &[path]);
});
