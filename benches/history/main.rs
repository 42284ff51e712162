//! The store of the agent: how fast it takes a binary log in, how much room that takes, and how
//! fast it answers meanwhile.
//!
//! ```text
//! cargo bench --bench history -- ingest          a log of TPC-C's tables: row events a second, beside `mariadb-binlog -vv`; bytes on disk
//! cargo bench --bench history -- ingest FILE     the same of one binary log file
//! cargo bench --bench history -- scattered       updates of random keys over a table of 2, 5 and 10 million rows that was captured whole, beside the same
//! cargo bench --bench history -- lookup          10 million versions of 1 million rows: look-ups while the agent captures; its memory and start
//! cargo bench --bench history -- as_of           look-ups through shim and agent, and in a system-versioned table of MariaDB's
//! cargo bench --bench history -- window          all changes of a window of 10 thousand out of 10 million versions, beside `mariadb-binlog -vv`
//! cargo bench --bench history -- whole           a whole table of 1 million rows at an instant, beside a system-versioned table of MariaDB's
//! ```
//! They need `mariadbd`, `mariadb-binlog` and `taskset`: each makes a server of its own on
//! loopback, and ends it. Agent and shim are the real executable, over HTTPS; for `as_of` first as
//! one process. What takes minutes to make (`lookup`, `as_of`) stays below `target/bench-history`
//! for the next run. Figures are printed, never asserted: machines differ.
#![expect(clippy::print_stdout, reason = "the figures are its output")]

mod as_of;
#[expect(dead_code, reason = "what the benchmarks of the throughput alone use")]
#[path = "../compared/chain.rs"]
mod chain;
mod ingest;
mod lookup;
#[expect(dead_code, reason = "what the benchmarks of the throughput alone use")]
#[path = "../compared/mariadb.rs"]
mod mariadb;
mod past;
mod scans;
mod scattered;
mod take_in;
mod tpcc;
mod up;

use std::error::Error;
use std::path::{Path, PathBuf};

/// As the real executable has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let words: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match words[..] {
        // A process of its own, whose processor time can be measured.
        [take_in::WORD, file, folder] => {
            return runtime.block_on(take_in::alone(Path::new(file), Path::new(folder)));
        }
        [take_in::MORE, file, folder] => {
            return runtime.block_on(take_in::more(Path::new(file), Path::new(folder)));
        }
        ["scattered", ref rows @ ..] => {
            let rows: Result<Vec<u64>, _> = rows.iter().map(|rows| rows.parse()).collect();
            return scattered::run(&runtime, &rows?);
        }
        ["ingest", file] => return ingest::of(&PathBuf::from(file)),
        _ => {}
    }
    if words.is_empty() || words.contains(&"ingest") {
        ingest::run(&runtime)?;
    }
    if words.is_empty() {
        scattered::run(&runtime, &[])?;
    }
    if words.is_empty() || words.contains(&"lookup") {
        lookup::run(&runtime)?;
    }
    if words.is_empty() || words.contains(&"as_of") {
        runtime.block_on(as_of::run())?;
    }
    if words.is_empty() || words.contains(&"window") {
        runtime.block_on(scans::window())?;
    }
    if words.is_empty() || words.contains(&"whole") {
        runtime.block_on(scans::full_table())?;
    }
    Ok(())
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

/// The middle one.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn figure(n: u64) -> f64 {
    n as f64
}
