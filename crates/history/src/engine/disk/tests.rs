use super::*;
use crate::engine::MemoryEngine;
use crate::engine::testing::{bytes, fill, holds};

/// A folder of a version that had no such table.
#[test]
fn a_folder_without_a_table_is_given_it() {
    let folder = tempfile::tempdir().unwrap();
    {
        let mut engine = DiskEngine::open(folder.path(), DiskOptions::default()).unwrap();
        fill(&mut engine);
        engine.sync().unwrap();
        let lacking = engine.keyspaces[index_of(Table::Sessions)].clone();
        engine.database.delete_keyspace(lacking).unwrap();
    }
    let names = |database: &Database| database.list_keyspace_names().len();
    {
        let database = opened(folder.path(), DiskOptions::default()).unwrap();
        assert_eq!(names(&database), Table::ALL.len() - 1);
    }
    for again in [false, true] {
        let mut engine = DiskEngine::open(folder.path(), DiskOptions::default()).unwrap();
        assert_eq!(names(&engine.database), Table::ALL.len());
        holds(&*engine.snapshot());
        let named = engine.snapshot().get(Table::Sessions, b"a").unwrap();
        assert_eq!(named, again.then(|| bytes("somebody")));
        let mut batch = Batch::default();
        batch.put(Table::Sessions, b"a", b"somebody");
        engine.commit(&batch).unwrap();
        engine.sync().unwrap();
    }
}

/// Whatever became of the files of a folder, opening it is an error or a state that was committed.
#[test]
fn a_damaged_folder_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("made");
    {
        let mut engine = DiskEngine::open(&made, DiskOptions::default()).unwrap();
        fill(&mut engine);
        engine.sync().unwrap();
    }
    let mut files = Vec::new();
    let mut folders = vec![made.clone()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            // Of the tables, which are alike, two.
            let is_one_of_many =
                path.file_name().is_some_and(|n| n.to_string_lossy().parse::<u32>().is_ok_and(|n| n > 2));
            if !path.is_dir() {
                files.push(path);
            } else if !is_one_of_many {
                folders.push(path);
            }
        }
    }
    assert!(files.len() > 5, "{files:?}");
    let (mut refused, mut opened) = (0, 0);
    for (number, file) in files.iter().enumerate() {
        let length = std::fs::metadata(file).unwrap().len();
        for begin in [0, length / 2] {
            let copy = folder.path().join(format!("copy-{number}-{begin}"));
            copied(&made, &copy);
            let path = copy.join(file.strip_prefix(&made).unwrap());
            let mut bytes = std::fs::read(&path).unwrap();
            let end = bytes.len();
            for byte in bytes.iter_mut().skip(usize::try_from(begin).unwrap()).take(8.min(end)) {
                *byte ^= 0x5a;
            }
            std::fs::write(&path, bytes).unwrap();
            match DiskEngine::open(&copy, DiskOptions::default()) {
                Ok(engine) => {
                    let all = engine.snapshot().scan(Table::Versions, b"a", b"z", 9);
                    assert!(
                        all.as_ref().is_ok_and(|all| all.is_empty() || all.len() == 3),
                        "{path:?}: {all:?}"
                    );
                    opened += 1;
                }
                Err(error) => {
                    assert!(!error.to_string().contains("another process"), "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 5 && opened > 0, "{refused} refused, {opened} opened");
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() { copied(&from, &to) } else { std::fs::copy(from, to).map(drop).unwrap() }
    }
}

/// What is loaded is what is committed, upon what was there before, for later snapshots alone, and
/// after the folder is opened again.
#[test]
fn what_is_loaded_is_there_as_if_it_were_committed() {
    let folder = tempfile::tempdir().unwrap();
    let mut memory = MemoryEngine::default();
    let mut disk = DiskEngine::open(folder.path(), DiskOptions::default()).unwrap();
    let mut batch = Batch::default();
    batch.put(Table::Versions, b"bb", b"twice");
    batch.put(Table::Meta, b"a", b"new");
    batch.put(Table::Versions, b"bb", b"the last counts");
    batch.remove(Table::Versions, b"a");
    batch.put(Table::Baseline, b"b", b"base");
    // So much that it is worth a file.
    batch.put(Table::Versions, b"e", &vec![7; 2 << 20]);
    let content = |engine: &dyn Engine| -> Vec<_> {
        let tables = [Table::Versions, Table::Meta, Table::Baseline];
        tables.map(|table| engine.snapshot().scan(table, b"", b"z", 99).unwrap()).concat()
    };
    for engine in [&mut memory as &mut dyn Engine, &mut disk] {
        fill(engine);
        let before = engine.snapshot();
        engine.load(&batch).unwrap();
        holds(&*before);
        let mut after = Batch::default();
        after.put(Table::Versions, b"d", b"over what was loaded");
        engine.commit(&after).unwrap();
        engine.load(&Batch::default()).unwrap();
    }
    let wanted = content(&memory);
    assert_eq!(wanted.len(), 6);
    assert_eq!(content(&disk), wanted);
    drop(disk);
    assert_eq!(content(&DiskEngine::open(folder.path(), DiskOptions::default()).unwrap()), wanted);
}
