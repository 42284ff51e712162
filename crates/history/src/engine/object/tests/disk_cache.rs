//! The cache on the disk: reads come from it, it has a size, and what is wrong in it does no harm.

use super::*;
use std::path::PathBuf;

fn files(folder: &std::path::Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(inner) = folders.pop() {
        for entry in std::fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

/// More than one object of the tree, so that some of it lies there.
fn filled(objects: &Arc<dyn ObjectStore>) {
    let mut engine = opened(objects).unwrap();
    for part in 0..24_u8 {
        let mut batch = Batch::default();
        for row in 0..250_u8 {
            let mut noise = u64::from(part) * 1009 + u64::from(row) + 1;
            let value = std::iter::repeat_with(|| {
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                noise.to_be_bytes()[0]
            });
            batch.put(Table::Versions, &[part, row], &value.take(4000).collect::<Vec<u8>>());
        }
        engine.commit(&batch).unwrap();
    }
    engine.sync().unwrap();
    // What is in the log of writes alone is not kept.
    let options = slatedb::config::FlushOptions { flush_type: slatedb::config::FlushType::MemTable };
    engine.shared.access.runtime.wait(engine.shared.db.flush_with_options(options)).unwrap();
}

fn reader(objects: &Arc<dyn ObjectStore>, folder: &std::path::Path, bytes: u64) -> ObjectReader {
    let options = DiskOptions { disk_cache: bytes, cache: 1 << 20, ..DiskOptions::default() };
    ObjectReader::upon(Arc::clone(objects), Path::from("a/history"), options, Some(folder)).unwrap()
}

fn all(reader: &mut ObjectReader) -> Vec<crate::engine::Pair> {
    reader.refresh().unwrap().scan(Table::Versions, &[0], &[255], usize::MAX).unwrap()
}

#[test]
fn what_was_read_is_on_the_disk_within_its_size_and_damage_there_is_noticed() {
    let (objects, folder) = (memory(), tempfile::tempdir().unwrap());
    filled(&objects);
    let parts = |number: usize| files(&folder.path().join(format!("cache-{number}/objects")));
    let want = {
        let mut first = reader(&objects, folder.path(), 64 << 20);
        let want = all(&mut first);
        assert_eq!(want.len(), 24 * 250);
        assert!(!parts(0).is_empty(), "something was kept");
        // A second process of this machine has one of its own.
        let mut second = reader(&objects, folder.path(), 64 << 20);
        assert_eq!(all(&mut second), want);
        assert!(!parts(1).is_empty());
        want
    };
    // As a crash of the machine leaves them: other bytes, less, and nothing.
    for (number, part) in parts(0).iter().enumerate() {
        let mut bytes = std::fs::read(part).unwrap();
        if bytes.is_empty() || part.to_string_lossy().contains("_head") {
            continue;
        }
        match number % 3 {
            0 => bytes.clear(),
            1 => bytes.truncate(bytes.len() / 2),
            _ => bytes.iter_mut().step_by(100).for_each(|byte| *byte ^= 0x40),
        }
        std::fs::write(part, bytes).unwrap();
    }
    let mut again = reader(&objects, folder.path(), 64 << 20);
    assert_eq!(all(&mut again), want);
}

#[test]
fn a_cache_stays_within_its_size() {
    let (objects, folder) = (memory(), tempfile::tempdir().unwrap());
    filled(&objects);
    let mut small = reader(&objects, folder.path(), 4 << 20);
    for _ in 0..3 {
        assert_eq!(all(&mut small).len(), 24 * 250);
    }
    let end = std::time::Instant::now() + Duration::from_secs(10);
    loop {
        let bytes: u64 = files(folder.path()).iter().filter_map(|f| Some(f.metadata().ok()?.len())).sum();
        // What is on its way out when it is counted, and one part that comes.
        if bytes <= 5 << 20 {
            break;
        }
        assert!(std::time::Instant::now() < end, "{bytes} bytes");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_writer_has_one_too() {
    let (objects, folder) = (memory(), tempfile::tempdir().unwrap());
    let options = DiskOptions { disk_cache: 16 << 20, ..DiskOptions::default() };
    let path = Path::from("a/history");
    let opening = Opening::History;
    let mut engine =
        ObjectEngine::opened(Arc::clone(&objects), path, options, Some(folder.path()), opening).unwrap();
    put(&mut engine, b"a", b"1").unwrap();
    engine.sync().unwrap();
    assert_eq!(value(&*engine.snapshot(), b"a"), Some(b"1".to_vec()));
    assert!(folder.path().join("cache-0/lock").exists());
}
