#!/usr/bin/env bash
# fjall 3.1.13 (lsm-tree 3.1.10, crates.io): while a snapshot is open, every memtable that has been flushed to disk since it was taken
# stays in memory too, so that the process grows by all that is written, however small `max_memtable_size` and the cache are. Without an
# open snapshot the same writes stay within some tens of MiB. A reader that keeps one snapshot for long costs the writer its memory.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
cat >"$work/Cargo.toml" <<'TOML'
[package]
name = "snapshot"
version = "0.0.0"
edition = "2024"

[dependencies]
fjall = { version = "=3.1.13", default-features = false }
lsm-tree = { version = "=3.1.10", default-features = false }

[profile.dev]
opt-level = 1
TOML
cat >"$work/src/main.rs" <<'RS'
use fjall::{Database, KeyspaceCreateOptions};

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let database = Database::builder(&arguments[1]).cache_size(8 << 20).open().unwrap();
    let table = database.keyspace("t", || KeyspaceCreateOptions::default().max_memtable_size(8 << 20)).unwrap();
    table.insert("first", "1").unwrap();
    let snapshot = (arguments[2] == "open").then(|| database.snapshot());
    // 512 MiB in 64 parts, each of which is on disk before the next one begins.
    for part in 0..64_u64 {
        for row in 0..8_192_u64 {
            let key = (part * 8_192 + row).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
            table.insert(key, [row as u8; 1024]).unwrap();
        }
        table.rotate_memtable_and_wait().unwrap();
    }
    println!("{}", resident());
    drop(snapshot);
}
RS
cargo build -q --manifest-path "$work/Cargo.toml"
none=$("$work/target/debug/snapshot" "$work/none" none)
open=$("$work/target/debug/snapshot" "$work/open" open)
echo "fjall 3.1.13, 512 MiB written and flushed: $none MiB resident without a snapshot, $open MiB with one that is open"
((none < 200)) || { echo "changed: it was below 200 MiB without a snapshot" >&2; exit 1; }
((open > 512)) || { echo "changed: it was above 512 MiB with one" >&2; exit 1; }
