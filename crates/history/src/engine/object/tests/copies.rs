//! A bucket that is being filled, one that was, and what is kept for whoever copies.

use super::*;
use crate::engine::bucket::Filling;
use object_store::ObjectStoreExt;

fn path() -> Path {
    Path::from("a/history")
}

fn begun(objects: &Arc<dyn ObjectStore>) -> Copying {
    Copying::upon(Arc::clone(objects), path()).unwrap().unwrap()
}

#[test]
fn nobody_takes_a_copy_that_is_not_whole_for_a_history() {
    let objects = memory();
    let mut filling = Box::new(begun(&objects));
    let mut batch = Batch::default();
    batch.put(Table::Meta, b"a", b"1");
    filling.engine().commit(&batch).unwrap();
    filling.engine().sync().unwrap();
    assert_eq!(filling.written().unwrap().get(Table::Meta, b"a").unwrap(), Some(b"1".to_vec()));
    // As after a kill: another process, which finds what there is.
    let cut_off = copied(&filling.engine);
    let reader = || ObjectReader::upon(Arc::clone(&cut_off), path(), DiskOptions::default(), None).unwrap();
    for why in [
        reader().refresh().unwrap_err(),
        reader().refresh_and_watch().unwrap_err(),
        keep_of(&cut_off).unwrap_err(),
        opened(&cut_off).unwrap_err(),
    ] {
        assert!(
            why.to_string().contains("is not finished") && why.to_string().contains("remove all objects"),
            "{why}"
        );
    }
    assert!(Copying::upon(Arc::clone(&cut_off), path()).unwrap().is_none(), "not empty");
    let named = b"what was copied";
    filling.finish(named).unwrap();
    let (state, noted) = keep_of(&objects).unwrap();
    assert_eq!(noted.as_deref(), Some(&named[..]));
    assert_eq!(state.get(Table::Meta, b"a").unwrap(), Some(b"1".to_vec()));
    assert!(Copying::upon(Arc::clone(&objects), path()).unwrap().is_none(), "not empty");
    drop(state);
    // Who goes on with it makes another history of it.
    let engine = opened(&objects).unwrap();
    assert_eq!(engine.snapshot().get(Table::Meta, b"a").unwrap(), Some(b"1".to_vec()));
    drop(engine);
    assert_eq!(keep_of(&objects).unwrap().1, None);
}

fn keep_of(objects: &Arc<dyn ObjectStore>) -> Result<CopyOrigin, StoreError> {
    copy::keep_of(Arc::clone(objects), path())
}

#[test]
fn what_is_kept_does_not_move_and_is_noted_for_the_collector_as_long() {
    use futures_util::TryStreamExt;
    let objects = memory();
    let mut engine = opened(&objects).unwrap();
    put(&mut engine, b"a", b"1").unwrap();
    engine.sync().unwrap();
    let (state, noted) = keep_of(&objects).unwrap();
    assert_eq!(noted, None);
    for number in 0..30_u8 {
        put(&mut engine, b"a", &[number]).unwrap();
        put(&mut engine, &[number], b"x").unwrap();
    }
    engine.sync().unwrap();
    assert_eq!(value(&*state, b"a"), Some(b"1".to_vec()));
    assert_eq!(state.scan(Table::Versions, &[], &[255], usize::MAX).unwrap().len(), 1);
    let manifests = || {
        let found = objects.list(Some(&path().join("manifest")));
        engine.shared.access.runtime.wait(found.try_collect::<Vec<_>>()).unwrap().len()
    };
    let before = manifests();
    drop(state);
    assert!(manifests() > before, "the note was taken back");
}

/// A bit of what a copy is made of: it is noticed, or it makes no difference.
#[test]
fn a_damaged_copy_is_refused_or_read_as_it_was() {
    use crate::backup::{BackupError, copy};
    use crate::engine::Location;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let bucket = |name: &str| Location::parse(&format!("file://{}", at(name).display())).unwrap();
    let never = || false;
    let from = at("from");
    let mut engine = crate::engine::DiskEngine::open(&from.join("history"), DiskOptions::default()).unwrap();
    let mut batch = Batch::default();
    for table in Table::ALL {
        for n in 0..200_u32 {
            batch.put(table, &n.to_be_bytes(), &vec![u8::try_from(n).unwrap(); 700]);
        }
    }
    engine.commit(&batch).unwrap();
    let in_use = copy(&Location::folder(from.clone()), &bucket("copy"), &never);
    assert!(
        matches!(&in_use, Err(BackupError::InUse(found)) if *found == from.display().to_string()),
        "{in_use:?}"
    );
    drop(engine);
    let copied = copy(&Location::folder(from.clone()), &bucket("copy"), &never).unwrap();
    assert_eq!(copied.pairs, Table::ALL.len() as u64 * 200);
    assert!(matches!(copy(&Location::folder(from), &bucket("copy"), &never), Err(BackupError::NotEmpty(_))));
    assert_eq!(copy(&bucket("copy"), &Location::folder(at("back")), &never).unwrap(), copied);
    let back = crate::engine::DiskEngine::open(&at("back").join("history"), DiskOptions::default()).unwrap();
    assert_eq!(back.snapshot().get(Table::Gtids, &7_u32.to_be_bytes()).unwrap(), Some(vec![7; 700]));
    assert_eq!(copy(&bucket("copy"), &bucket("another"), &never).unwrap(), copied);
    let mut files = Vec::new();
    let mut folders = vec![at("copy").join("history")];
    while let Some(inner) = folders.pop() {
        for entry in std::fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            let list = if path.is_dir() { &mut folders } else { &mut files };
            list.push(path);
        }
    }
    files.sort();
    let (mut refused, mut as_it_was) = (0, 0);
    for (number, file) in
        files.iter().enumerate().filter(|(_, file)| file.extension().is_some_and(|e| e == "sst"))
    {
        let bytes = std::fs::read(file).unwrap();
        for at in [0, bytes.len() / 3, bytes.len() / 2, bytes.len().saturating_sub(9)]
            .into_iter()
            .filter(|at| *at < bytes.len())
        {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            std::fs::write(file, damaged).unwrap();
            let to = folder.path().join(format!("to-{number}-{at}"));
            if let Ok(again) = copy(&bucket("copy"), &Location::folder(to.clone()), &never) {
                assert_eq!(again, copied);
                as_it_was += 1;
            } else {
                assert!(!to.exists());
                refused += 1;
            }
        }
        std::fs::write(file, bytes).unwrap();
    }
    assert!(refused > 0, "{refused} {as_it_was}");
}

/// A copy of which the store itself finds nothing wrong, and which is another.
#[test]
fn a_copy_that_another_program_wrote_to_is_refused() {
    use crate::backup::{BackupError, copy};
    use crate::engine::Location;
    let folder = tempfile::tempdir().unwrap();
    let bucket = Location::parse(&format!("file://{}", folder.path().join("b").display())).unwrap();
    let objects: Arc<dyn ObjectStore> = {
        std::fs::create_dir_all(folder.path().join("b")).unwrap();
        Arc::new(LocalFileSystem::new_with_prefix(folder.path().join("b")).unwrap())
    };
    let mut filling = Box::new(Copying::upon(objects, Path::from("history")).unwrap().unwrap());
    let mut batch = Batch::default();
    batch.put(Table::Meta, b"a", b"1");
    filling.engine().commit(&batch).unwrap();
    filling.finish(br#"{"pairs":1,"bytes":2,"digest":3}"#).unwrap();
    let to = folder.path().join("to");
    let refused = copy(&bucket, &Location::folder(to.clone()), &|| false);
    assert!(
        matches!(&refused, Err(BackupError::NotAsCopied(found)) if found.starts_with("file://")),
        "{refused:?}"
    );
    assert!(!to.exists());
}

#[test]
fn an_object_below_the_prefix_is_something() {
    let objects = memory();
    let other = Path::from("a/history/left-over");
    let runtime = OwnRuntime::start().unwrap();
    runtime.wait(objects.put(&other, b"x".to_vec().into())).unwrap();
    assert!(Copying::upon(Arc::clone(&objects), path()).unwrap().is_none());
    runtime.wait(objects.delete(&other)).unwrap();
    assert!(Copying::upon(objects, path()).unwrap().is_some());
}
