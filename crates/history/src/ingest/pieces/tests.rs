use super::*;
use crate::engine::{MemoryEngine, Pair};
use crate::log::{CommittedTransaction, LogReader, SpillOptions};
use crate::record::FIRST;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Everything in the store.
fn dump(engine: &MemoryEngine) -> BTreeMap<Table, Vec<Pair>> {
    let snapshot = engine.snapshot();
    let all = |table| snapshot.scan(table, &[], &[0xff; 300], usize::MAX).unwrap();
    Table::ALL.into_iter().map(|table| (table, all(table))).filter(|(_, pairs)| !pairs.is_empty()).collect()
}

#[derive(Debug, Default)]
struct StoreContents {
    engine: MemoryEngine,
    /// What was there, and after which change, when the last whole batch was written.
    complete: (BTreeMap<Table, Vec<Pair>>, ChangeSequence),
    commits: usize,
    /// How many pieces were looked at.
    pieces: usize,
    /// The next batch is a whole one.
    ends: bool,
}

/// An engine after each of whose batches a process may be killed.
#[derive(Debug, Clone, Default)]
struct Watched(Arc<Mutex<StoreContents>>);

impl Engine for Watched {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let mut kept = self.0.lock().unwrap();
        kept.engine.commit(batch)?;
        kept.commits += 1;
        // A batch that ends a transaction is whole by itself.
        if kept.commits.is_multiple_of(3) && !kept.ends {
            kept.pieces += 1;
            let mut killed = kept.engine.clone();
            take_back(&mut killed, kept.complete.1)?;
            assert!(dump(&killed) == kept.complete.0, "something is left of piece {}", kept.commits);
        }
        Ok(())
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        self.0.lock().unwrap().engine.snapshot()
    }

    fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn bytes(&self) -> u64 {
        0
    }
}

fn entries(file: &Path, memory: usize) -> impl Iterator<Item = CommittedTransaction> {
    let spill = SpillOptions { folder: None, memory };
    let reader = LogReader::open(&[file.to_owned()]).unwrap().spill(spill);
    reader.map(|entry| entry.unwrap())
}

/// Versions, and what refers to what, of a log that is taken in whole.
fn in_one(file: &Path) -> BTreeMap<Table, Vec<Pair>> {
    let kept = Watched::default();
    kept.0.lock().unwrap().ends = true;
    let mut ingest = Ingest::upon(Box::new(kept.clone()));
    for entry in entries(file, usize::MAX) {
        if Ingest::leans_on_store(&entry) {
            ingest.commit(&Batch::default()).unwrap();
        }
        ingest.entry(entry).unwrap();
        if ingest.wants_commit() {
            ingest.commit(&Batch::default()).unwrap();
        }
    }
    ingest.commit(&Batch::default()).unwrap();
    let kept = kept.0.lock().unwrap();
    dump(&kept.engine)
}

/// Takes a log in, in pieces of so many bytes; gives how often it might have been killed inside of
/// a transaction.
fn run(file: &Path, piece: usize) -> usize {
    let kept = Watched::default();
    let mut ingest = Ingest::upon(Box::new(kept.clone()));
    ingest.take_back(FIRST).unwrap();
    ingest.write_pieces_of(piece);
    kept.0.lock().unwrap().complete.1 = FIRST;
    let commit = |ingest: &mut Ingest| {
        kept.0.lock().unwrap().ends = true;
        ingest.commit(&Batch::default()).unwrap();
        let mut kept = kept.0.lock().unwrap();
        kept.ends = false;
        kept.complete = (dump(&kept.engine), ingest.next);
        assert!(!kept.complete.0.contains_key(&Table::Meta), "nothing is left of the notes");
    };
    for (i, entry) in entries(file, piece * 8).enumerate() {
        if Ingest::leans_on_store(&entry) {
            commit(&mut ingest);
        }
        ingest.entry(entry).unwrap();
        if i.is_multiple_of(3) || ingest.wants_commit() {
            commit(&mut ingest);
        }
    }
    commit(&mut ingest);
    let kept = kept.0.lock().unwrap();
    let (found, wanted) = (dump(&kept.engine), in_one(file));
    for table in [Table::Versions, Table::References, Table::Gtids] {
        assert!(found.get(&table) == wanted.get(&table), "{table:?} of {}", file.display());
    }
    kept.pieces
}

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(path)
}

#[test]
fn a_process_that_is_killed_between_pieces_leaves_nothing() {
    for (file, piece) in [("mysql-9.7/binlog.000003", 60), ("mariadb-10.11/binlog.000003", 1)] {
        let pieces = run(&data(file), piece);
        assert!(pieces > 50, "{file}: {pieces}");
    }
}

/// With rows that foreign keys change, which the log does not tell of.
#[test]
fn what_foreign_keys_do_is_taken_back_too() {
    let folder = data("silent/mariadb-11.8");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let logs: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "binlog")).collect();
    assert!(logs.len() > 3);
    let pieces: usize = logs.iter().map(|log| run(log, 1)).sum();
    assert!(pieces > 20, "{pieces}");
}
