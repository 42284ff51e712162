//! The store of the agent: how fast it takes a binary log in, how much room that takes, and how fast it answers meanwhile.
//!
//! ```text
//! cargo bench --bench history -- ingest FILE      row events a second of one binary log file; what is on disk then
//! ```
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark tells its figures, and ends where it cannot run"
)]

use dbtrail_shim::history::Published;
use dbtrail_shim::history::capture::{Beside, Input, Start, Writer};
use dbtrail_shim::history::engine::DiskOptions;
use dbtrail_shim::history::place::{FilePlace, Identity, Place};
use dbtrail_shim::history::recorder::{Recorder, RecorderOptions};
use dbtrail_shim::ident::ServerId;
use dbtrail_shim::instant::Instant;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant as Timer;
use tokio::sync::mpsc;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|a| a != "--bench");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("ingest"), Some(file)) => runtime.block_on(ingest(&PathBuf::from(file))),
        // `cargo bench` without more runs every benchmark: this one needs a file.
        _ => println!("history: say `ingest FILE`"),
    }
}

fn identity() -> Identity {
    Identity { mariadb: true, uuid: None, server_id: 1, version: "10.11.14-MariaDB".to_owned() }
}

async fn ingest(file: &Path) {
    let bytes = std::fs::read(file).expect("the file can be read");
    let folder = tempfile::tempdir().expect("a folder");
    let published = Arc::new(Published::live(ServerId("bench".to_owned()), Instant::from_micros(0)));
    let options = RecorderOptions {
        selection: Box::new(|_| true),
        baseline: false,
        keep: None,
        disk: DiskOptions::default(),
    };
    let recorder =
        Recorder::open(folder.path(), ServerId("bench".to_owned()), options, Arc::clone(&published))
            .expect("the store opens");
    let (writer, inputs) = Writer::channel(256);
    let (to, _wishes) = mpsc::channel(64);
    let runtime = tokio::runtime::Handle::current();
    let writing = tokio::task::spawn_blocking(move || recorder.run(&runtime, inputs, &to));
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let place = |offset| FilePlace { file: name.clone(), offset };
    let start = Start {
        place: Place { at: place(4), gtids: String::new(), server: identity() },
        at: Instant::from_micros(0),
        tables: Vec::new(),
    };
    let began = Timer::now();
    let send = |input| async { writer.send(input).await.expect("it writes") };
    send(Input::Begin(start)).await;
    send(Input::Follow(place(4), identity())).await;
    let mut at = 4;
    let mut events = Vec::new();
    while at < bytes.len() {
        let length = bytes[at + 9..at + 13].try_into().map_or(0, u32::from_le_bytes) as usize;
        events.push(bytes[at..at + length].to_vec());
        at += length;
        // As they come out of a connection's buffer.
        if events.len() == 128 || at == bytes.len() {
            send(Input::Events(std::mem::take(&mut events))).await;
        }
    }
    let newest = Instant::from_micros(4_000_000_000_000_000);
    let _ = Beside { after: place(0), what: newest };
    drop(writer);
    writing.await.expect("no panic").expect("the store works");
    let seconds = began.elapsed().as_secs_f64();
    let history = published.current().expect("a history");
    let changes = history.changes();
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = changes as f64 / seconds;
    println!("ingest: {changes} row events in {seconds:.2} s: {rate:.0} a second");
    let on_disk = published.liveness().map_or(0, |l| l.bytes_on_disk);
    println!(
        "log {} bytes, on disk {} bytes while running, {} now",
        bytes.len(),
        on_disk,
        size(folder.path())
    );
}

/// Bytes of all files in a folder.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|e| match e.metadata() {
            Ok(m) if m.is_dir() => size(&e.path()),
            Ok(m) => m.len(),
            Err(_) => 0,
        })
        .sum()
}
