//! Any text as shim.yaml: settings, or at least one mistake to tell.
#![no_main]

use dbtrail_shim::config::load;
use libfuzzer_sys::fuzz_target;
use std::path::PathBuf;
use std::sync::OnceLock;

static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();

fuzz_target!(|text: &str| {
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().expect("a temporary folder"));
    let path: PathBuf = folder.path().join("shim.yaml");
    std::fs::write(&path, text).expect("the file can be written");
    if let Err(mistakes) = load(&path) {
        assert!(!mistakes.is_empty(), "refused without a word");
    }
});
