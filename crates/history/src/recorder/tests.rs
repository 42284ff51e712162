use super::*;
use crate::engine::testing::TestEngine;
use crate::log::Change;
use bytes::Bytes;
use std::path::Path;

/// Every table, and no reading of tables.
fn options() -> RecorderOptions {
    RecorderOptions {
        tables: Patterns::default(),
        baseline: false,
        keep: None,
        statements: true,
        connections: true,
        source_time: SourceTime::Local,
        disk: DiskOptions::default(),
    }
}

/// Rows of a table that is left out take no memory, however many there are: the reader knows of it
/// before the first event.
#[test]
fn rows_of_tables_that_are_left_out_are_not_kept() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/mysql-9.7/binlog.000003");
    let log = Bytes::from(std::fs::read(path).unwrap());
    let tables = Patterns::new(&[], &["tt.orders".to_owned()]).unwrap();
    let options = RecorderOptions { tables, ..options() };
    let server = ServerId("x".to_owned());
    let handle = Arc::new(HistoryHandle::live(server.clone(), Timestamp::from_micros(0)));
    let ingest = Ingest::upon(Box::new(TestEngine::default()));
    let mut reader = Recorder::upon(ingest, server, options, handle).reader;
    reader.follow(BinlogPosition { file: "binlog.000003".to_owned(), offset: 4 }, false);
    let (mut at, mut left_out, mut kept) = (4, 0, 0);
    while let Some(length) = log.get(at + 9..at + 13) {
        let end = at + u32::from_le_bytes(length.try_into().unwrap()) as usize;
        reader.take(log.slice(at..end)).unwrap();
        at = end;
        for entry in std::iter::from_fn(|| reader.entry()) {
            for change in entry.changes.in_memory() {
                let Change::Rows(rows) = change else { continue };
                assert_eq!(rows.is_without_rows(), rows.table.name.table == "orders");
                if rows.is_without_rows() { left_out += 1 } else { kept += 1 }
            }
        }
    }
    assert!(left_out > 50 && kept > 50, "{left_out} {kept}");
}
mod answered;
mod doubts;
mod looks;
mod prepared;
