//! The engine that tests of what is above it run on: tables in memory; with
//! `DBTRAIL_TEST_ENGINE=disk` or `=object`, the other two.

use super::{Batch, DiskEngine, DiskOptions, Engine, MemoryEngine, Snapshot, StoreError, Table, WhenDurable};
use std::sync::Arc;

/// See the head of this file.
#[derive(Debug)]
pub(crate) struct TestEngine {
    engine: Box<dyn Engine>,
    _folder: Option<tempfile::TempDir>,
}

impl Default for TestEngine {
    fn default() -> Self {
        let asked = std::env::var("DBTRAIL_TEST_ENGINE").unwrap_or_default();
        let (engine, folder): (Box<dyn Engine>, _) = match asked.as_str() {
            "" | "memory" => (Box::new(MemoryEngine::default()), None),
            "disk" => {
                let folder = tempfile::tempdir().unwrap();
                (Box::new(DiskEngine::open(folder.path(), DiskOptions::default()).unwrap()), Some(folder))
            }
            #[cfg(feature = "object-store")]
            "object" => (Box::new(super::object::ObjectEngine::in_memory()), None),
            other => panic!("DBTRAIL_TEST_ENGINE={other}"),
        };
        Self { engine, _folder: folder }
    }
}

impl Engine for TestEngine {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.engine.commit(batch)
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        self.engine.snapshot()
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.engine.sync()
    }

    fn when_durable(&self, then: WhenDurable) {
        self.engine.when_durable(then);
    }

    fn bytes(&self) -> u64 {
        self.engine.bytes()
    }
}

pub(crate) fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

pub(crate) fn fill(engine: &mut dyn Engine) {
    let mut batch = Batch::default();
    for key in ["b", "a", "d", "c"] {
        batch.put(Table::Versions, key.as_bytes(), key.repeat(2).as_bytes());
    }
    batch.put(Table::Meta, b"a", b"other table");
    batch.remove(Table::Versions, b"c");
    engine.commit(&batch).unwrap();
}

pub(crate) fn holds(snapshot: &dyn Snapshot) {
    let keys = |from: &str, to: &str, limit| -> Vec<String> {
        let pairs = snapshot.scan(Table::Versions, from.as_bytes(), to.as_bytes(), limit).unwrap();
        pairs.into_iter().map(|(k, _)| String::from_utf8(k).unwrap()).collect()
    };
    let last = |from: &str, to: &str| snapshot.last(Table::Versions, from.as_bytes(), to.as_bytes()).unwrap();
    assert_eq!(keys("a", "z", 9), ["a", "b", "d"], "the removal came last");
    assert_eq!(keys("a", "z", 2), ["a", "b"]);
    assert_eq!(keys("b", "d", 9), ["b"], "the end is not in");
    assert!(keys("z", "a", 9).is_empty());
    assert_eq!(last("a", "d"), Some((bytes("b"), bytes("bb"))));
    assert_eq!((last("e", "z"), last("z", "e")), (None, None));
    let mut seen = Vec::new();
    let mut two = |key: &[u8], _: &[u8]| {
        seen.push(key.to_vec());
        Ok(seen.len() < 2)
    };
    snapshot.back(Table::Versions, b"a", b"z", &mut two).unwrap();
    assert_eq!(seen, [b"d", b"b"]);
    let mut seen = Vec::new();
    let mut two = |key: &[u8], _: &[u8]| {
        seen.push(key.to_vec());
        Ok(seen.len() < 2)
    };
    snapshot.forward(Table::Versions, b"a", b"z", &mut two).unwrap();
    snapshot.forward(Table::Versions, b"z", b"a", &mut |_, _| unreachable!()).unwrap();
    assert_eq!(seen, [b"a", b"b"]);
    assert_eq!(snapshot.get(Table::Meta, b"a").unwrap(), Some(bytes("other table")));
    assert_eq!(snapshot.get(Table::Baseline, b"a").unwrap(), None);
}

/// What every engine does.
fn keeps_what_it_is_given(engine: &mut dyn Engine) {
    fill(engine);
    let before = engine.snapshot();
    let mut more = Batch::default();
    more.put(Table::Versions, b"bb", b"new");
    more.remove(Table::Versions, b"a");
    engine.commit(&more).unwrap();
    engine.commit(&Batch::default()).unwrap();
    holds(&*before);
    assert_eq!(engine.snapshot().get(Table::Versions, b"a").unwrap(), None);
    engine.sync().unwrap();
    engine.check().unwrap();
    holds(&*before);
    let (said, answer) = std::sync::mpsc::channel();
    engine.when_durable(Box::new(move |outcome| _ = said.send(outcome)));
    assert_eq!(answer.recv(), Ok(Ok(())));
}

#[test]
fn every_engine_keeps_what_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    keeps_what_it_is_given(&mut MemoryEngine::default());
    #[cfg(feature = "object-store")]
    keeps_what_it_is_given(&mut super::object::ObjectEngine::in_memory());
    let mut disk = DiskEngine::open(folder.path(), DiskOptions::default()).unwrap();
    keeps_what_it_is_given(&mut disk);
    let locked = DiskEngine::open(folder.path(), DiskOptions::default()).unwrap_err();
    assert!(locked.to_string().contains("another process"));
    drop(disk);
    let again = DiskEngine::open(folder.path(), DiskOptions::default()).unwrap();
    assert_eq!(again.snapshot().get(Table::Versions, b"bb").unwrap(), Some(bytes("new")));
}
