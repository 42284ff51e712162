use super::*;
use crate::engine::MemoryEngine;

fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn fill(engine: &mut dyn Engine) {
    let mut batch = Batch::default();
    for key in ["b", "a", "d", "c"] {
        batch.put(Table::Versions, key.as_bytes(), key.repeat(2).as_bytes());
    }
    batch.put(Table::Meta, b"a", b"other table");
    batch.remove(Table::Versions, b"c");
    engine.commit(&batch).unwrap();
}

fn holds(snapshot: &dyn Snapshot) {
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

#[test]
fn both_engines_keep_what_they_are_given() {
    let folder = tempfile::tempdir().unwrap();
    let mut memory = MemoryEngine::default();
    let mut disk = DiskEngine::open(folder.path(), DiskOptions::default()).unwrap();
    for engine in [&mut memory as &mut dyn Engine, &mut disk] {
        fill(engine);
        let before = engine.snapshot();
        let mut more = Batch::default();
        more.put(Table::Versions, b"bb", b"new");
        more.remove(Table::Versions, b"a");
        engine.commit(&more).unwrap();
        holds(&*before);
        assert_eq!(engine.snapshot().get(Table::Versions, b"a").unwrap(), None);
        engine.sync().unwrap();
    }
    assert!(
        DiskEngine::open(folder.path(), DiskOptions::default()).unwrap_err().0.contains("another process")
    );
    drop(disk);
    let again = DiskEngine::open(folder.path(), DiskOptions::default()).unwrap();
    assert_eq!(again.snapshot().get(Table::Versions, b"bb").unwrap(), Some(bytes("new")));
}
