//! `agent status` reads the folder of an agent that does not run: neither of the two may end
//! because of the other.

use dbtrail_history::HistoryHandle;
use dbtrail_history::engine::DiskOptions;
use dbtrail_history::log::SourceTime;
use dbtrail_history::patterns::Patterns;
use dbtrail_history::recorder::{OpenError, Recorder, RecorderOptions, read_status};
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

fn started(folder: &Path) -> Result<Recorder, OpenError> {
    let id = ServerId("s".to_owned());
    let options = RecorderOptions {
        tables: Patterns::default(),
        baseline: true,
        keep: None,
        statements: true,
        connections: true,
        source_time: SourceTime::Local,
        disk: DiskOptions::default(),
    };
    let handle = Arc::new(HistoryHandle::live(id.clone(), Timestamp::from_micros(0)));
    Recorder::open(folder, id, options, handle)
}

fn status(folder: &Path) -> Result<(), String> {
    read_status(folder, None, Timestamp::from_micros(0)).map(drop).map_err(|e| e.to_string())
}

#[test]
fn an_agent_starts_while_its_folder_is_looked_at() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(started(folder.path()).expect("opens"));
    let (ends, looks) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ends.load(Ordering::Relaxed) {
                let _ = status(folder.path());
                looks.fetch_add(1, Ordering::Relaxed);
                // A script that asks without end still leaves the folder alone now and then.
                std::thread::sleep(Duration::from_millis(150));
            }
        });
        let mut starts = 0;
        while starts < 10 || looks.load(Ordering::Relaxed) < 10 {
            let opened = started(folder.path()).map(drop);
            ends.store(opened.is_err(), Ordering::Relaxed);
            assert!(opened.is_ok(), "start {starts}: {opened:?}");
            starts += 1;
        }
        ends.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_look_at_the_folder_of_a_running_agent_says_so_and_leaves_it_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = started(folder.path()).expect("opens");
    let reported = status(folder.path()).unwrap_err();
    assert!(reported.contains("another process has this data folder open"), "{reported}");
    drop(running);
    // Nothing was begun in it, which is another sentence.
    assert!(status(folder.path()).unwrap_err().contains("nothing is recorded in this folder yet"));
    assert!(started(folder.path()).is_ok());
}
