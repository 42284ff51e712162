use super::*;
use crate::engine::testing::TestEngine;
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;

/// A store with something in each table, more than one batch of it.
fn store() -> TestEngine {
    let mut engine = TestEngine::default();
    let mut batch = Batch::default();
    for table in Table::ALL {
        for n in 0..40_u32 {
            batch.put(table, &n.to_be_bytes(), &vec![u8::try_from(n).unwrap(); 20_000]);
        }
        batch.put(table, &[0xff; 48], b"the last");
    }
    engine.commit(&batch).unwrap();
    engine
}

#[test]
fn a_copy_has_every_pair() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("copy");
    let from = store().snapshot();
    let copied = copied(&*from, &to, &|| false).unwrap();
    assert_eq!(copied.pairs, Table::ALL.len() as u64 * 41);
    assert_eq!(copied, total(&*from, &|| false).unwrap());
    assert!(!folder.path().join("copy.unfinished").exists());
    // And again of what it became, as the data folder of an agent that does not run.
    let again = of_folder(&to, &folder.path().join("again")).unwrap();
    assert_eq!(again, copied);
    let engine = DiskEngine::open(&to.join(STORE), DiskOptions::default()).unwrap();
    assert_eq!(engine.snapshot().get(Table::Meta, &7_u32.to_be_bytes()).unwrap(), Some(vec![7; 20_000]));
}

#[test]
fn a_pair_that_is_another_makes_another_total() {
    let mut engine = store();
    let before = total(&*engine.snapshot(), &|| false).unwrap();
    let mut batch = Batch::default();
    batch.put(Table::Changes, &3_u32.to_be_bytes(), &vec![4; 20_000]);
    engine.commit(&batch).unwrap();
    let after = total(&*engine.snapshot(), &|| false).unwrap();
    assert_eq!((before.pairs, before.bytes), (after.pairs, after.bytes));
    assert_ne!(before.digest, after.digest);
}

#[test]
fn what_is_there_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("copy");
    std::fs::create_dir(&to).unwrap();
    let from = store().snapshot();
    assert!(matches!(copied(&*from, &to, &|| false), Err(BackupError::Exists(found)) if found == to));
    std::fs::remove_dir(&to).unwrap();
    // A copy that is given up leaves its folder, under another name.
    assert!(matches!(copied(&*from, &to, &|| true), Err(BackupError::Stopped)));
    assert!(!to.exists());
    let left = copied(&*from, &to, &|| false);
    assert!(
        matches!(left, Err(BackupError::Exists(found)) if found == folder.path().join("copy.unfinished"))
    );
}

#[test]
fn one_at_a_time_and_only_of_what_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("copy");
    let handle = HistoryHandle::live(ServerId("s".to_owned()), Timestamp::from_micros(0));
    assert!(matches!(of_running(&handle, &to, &|| false), Err(BackupError::NotBegun)));
    assert!(!handle.backup_runs());
    let first = handle.begin_backup().unwrap();
    assert!(handle.backup_runs());
    assert!(matches!(of_running(&handle, &to, &|| false), Err(BackupError::Busy)));
    drop(first);
    assert!(!handle.backup_runs());
    assert!(matches!(of_folder(folder.path(), &to), Err(BackupError::Nothing(_))));
    assert!(!to.exists());
}

/// The longest file of a store.
fn longest(folder: &Path) -> PathBuf {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(inner) = folders.pop() {
        for entry in std::fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.into_iter().max_by_key(|file| file.metadata().unwrap().len()).unwrap()
}

#[test]
fn a_damaged_copy_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (to, third) = (folder.path().join("copy"), folder.path().join("third"));
    copied(&*store().snapshot(), &to, &|| false).unwrap();
    let (file, list) = (longest(&to.join(STORE)), to.join("backup.json"));
    let (bytes, manifest) = (std::fs::read(&file).unwrap(), std::fs::read(&list).unwrap());
    let is_refused = || {
        assert!(
            matches!(of_folder(&to, &third), Err(BackupError::Origin(BackupFault::Damaged(found))) if found == to)
        );
        assert!(list.exists() && !third.exists());
    };
    // One bit, of anything that is in it; a file in part; a file that did not come; a list in part.
    for at in [0, 9, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        std::fs::write(&file, damaged).unwrap();
        is_refused();
    }
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    is_refused();
    std::fs::remove_file(&file).unwrap();
    is_refused();
    std::fs::write(&file, &bytes).unwrap();
    std::fs::write(&list, &manifest[..manifest.len() / 2]).unwrap();
    is_refused();
    std::fs::write(&list, manifest).unwrap();
    of_folder(&to, &third).unwrap();
    assert!(!list.exists());
}
