use super::*;
use crate::engine::Table;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use std::sync::Mutex;

fn memory() -> Arc<dyn ObjectStore> {
    Arc::new(InMemory::new())
}

fn opened(objects: &Arc<dyn ObjectStore>) -> Result<ObjectEngine, StoreError> {
    ObjectEngine::upon(Arc::clone(objects), Path::from("a/history"), DiskOptions::default())
}

fn put(engine: &mut ObjectEngine, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    batch.put(Table::Versions, key, value);
    engine.commit(&batch)
}

fn value(snapshot: &dyn Snapshot, key: &[u8]) -> Option<Vec<u8>> {
    snapshot.get(Table::Versions, key).unwrap()
}

/// Copies of what an object store holds at this moment: what another process would find there.
fn copied(engine: &ObjectEngine) -> Arc<dyn ObjectStore> {
    use futures_util::TryStreamExt;
    use object_store::ObjectStoreExt;
    let to: Arc<dyn ObjectStore> = memory();
    engine.shared.access.runtime.wait(async {
        let all: Vec<_> = engine.shared.access.objects.list(None).try_collect().await.unwrap();
        for object in all {
            // What the collector removes meanwhile is not needed.
            let Ok(found) = engine.shared.access.objects.get(&object.location).await else { continue };
            to.put(&object.location, found.bytes().await.unwrap().into()).await.unwrap();
        }
    });
    to
}

#[test]
fn what_is_told_to_be_durable_is_in_the_object_store_and_in_order() {
    let objects = memory();
    let mut engine = opened(&objects).unwrap();
    let answer = Arc::new(Mutex::new(Vec::new()));
    for number in 0..20_u8 {
        put(&mut engine, &[number], b"x").unwrap();
        let answer = Arc::clone(&answer);
        engine.when_durable(Box::new(move |outcome| answer.lock().unwrap().push((number, outcome))));
    }
    while answer.lock().unwrap().len() < 7 {
        std::thread::yield_now();
    }
    let known: Vec<u8> = answer.lock().unwrap().iter().map(|(number, _)| *number).collect();
    assert!(answer.lock().unwrap().iter().all(|(_, outcome)| outcome.is_ok()));
    let known_to = u8::try_from(known.len()).unwrap();
    assert_eq!(known, (0..known_to).collect::<Vec<u8>>());
    // As after a kill: nothing was closed.
    let again = opened(&copied(&engine)).unwrap();
    let snapshot = again.snapshot();
    assert!(known.iter().all(|number| value(&*snapshot, &[*number]).is_some()), "{known:?}");
}

/// A batch is there as a whole or not at all, whenever the process was killed.
#[test]
fn a_store_as_it_is_at_any_moment_holds_whole_batches() {
    let mut engine = opened(&memory()).unwrap();
    for number in 0..30_u8 {
        let mut batch = Batch::default();
        for row in 0..50_u8 {
            batch.put(Table::Versions, &[number, row], &[number; 100]);
        }
        batch.put(Table::Meta, b"position", &[number]);
        engine.commit(&batch).unwrap();
        if number % 6 != 5 {
            continue;
        }
        let again = opened(&copied(&engine)).unwrap();
        let snapshot = again.snapshot();
        let position = snapshot.get(Table::Meta, b"position").unwrap().map_or(0, |at| usize::from(at[0]) + 1);
        assert_eq!(snapshot.scan(Table::Versions, &[0], &[255], usize::MAX).unwrap().len(), position * 50);
    }
}

#[test]
fn a_second_writer_is_refused_while_the_first_lives_and_named() {
    let objects = memory();
    let mut first = opened(&objects).unwrap();
    put(&mut first, b"a", b"1").unwrap();
    first.sync().unwrap();
    // As on another machine: it cannot look whether the process is there.
    elsewhere(&mut first);
    let why = opened(&objects).unwrap_err();
    assert!(why.to_string().contains("another agent writes to it: process 1 of host elsewhere"), "{why}");
    put(&mut first, b"b", b"2").unwrap();
    first.sync().unwrap();
    drop(first);
    // It said that it goes.
    let second = opened(&objects).unwrap();
    assert_eq!(value(&*second.snapshot(), b"b"), Some(b"2".to_vec()));
}

/// Lets the engine say of itself that it is elsewhere, and go on giving signs of life.
fn elsewhere(engine: &mut ObjectEngine) {
    engine.beating.take().unwrap().abort();
    let mut holder: serde_json::Value = serde_json::from_slice(&Holder::this().text()).unwrap();
    holder["host"] = "elsewhere".into();
    holder["process"] = 1.into();
    holder["run"] = "another".into();
    let holder: Holder = serde_json::from_value(holder).unwrap();
    let shared = &engine.shared;
    shared.access.runtime.wait(async {
        shared.db.put(holder::KEY, holder.text()).await.unwrap().await_durable().await.unwrap();
    });
    let beating = holder::beat(Arc::downgrade(shared), holder);
    engine.beating = shared.access.runtime.handle().map(|runtime| runtime.spawn(beating));
}

#[test]
fn a_writer_that_lost_its_store_learns_whose_it_is_and_answers_no_more() {
    let objects = memory();
    let mut first = opened(&objects).unwrap();
    put(&mut first, b"a", b"1").unwrap();
    first.sync().unwrap();
    let before = first.snapshot();
    // The same process: it is taken to have begun again.
    let mut second = opened(&objects).unwrap();
    put(&mut second, b"b", b"of the second").unwrap();
    second.sync().unwrap();
    // The first write may still be taken; what tells is whether it becomes durable.
    let lost = put(&mut first, b"c", b"of the first").and_then(|()| first.sync()).unwrap_err();
    assert!(
        lost.is_taken() && lost.to_string().contains(&format!("process {}", std::process::id())),
        "{lost}"
    );
    assert!(before.get(Table::Versions, b"a").unwrap_err().is_taken());
    assert!(first.snapshot().get(Table::Versions, b"a").unwrap_err().is_taken());
    let (said, answer) = std::sync::mpsc::channel();
    first.when_durable(Box::new(move |outcome| _ = said.send(outcome)));
    assert!(answer.recv().is_ok_and(|outcome| outcome.is_err()), "it is not reported as durable");
    drop(first);
    put(&mut second, b"d", b"4").unwrap();
    second.sync().unwrap();
    let now = second.snapshot();
    assert_eq!((value(&*now, b"c"), value(&*now, b"d")), (None, Some(b"4".to_vec())));
    drop((now, second));
    let third = opened(&objects).unwrap();
    assert_eq!(value(&*third.snapshot(), b"a"), Some(b"1".to_vec()));
    assert_eq!(value(&*third.snapshot(), b"c"), None);
}

#[test]
fn a_folder_can_be_the_object_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = || -> Arc<dyn ObjectStore> {
        Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap().with_fsync(true))
    };
    let mut engine = opened(&store()).unwrap();
    put(&mut engine, b"a", b"1").unwrap();
    engine.sync().unwrap();
    drop(engine);
    assert_eq!(value(&*opened(&store()).unwrap().snapshot(), b"a"), Some(b"1".to_vec()));
}

/// The last owner of a snapshot may be a request that ends in a thread of the server.
#[tokio::test]
async fn a_snapshot_may_be_the_last_to_go_and_be_read_anywhere() {
    let mut engine = ObjectEngine::in_memory();
    put(&mut engine, b"a", b"1").unwrap();
    let snapshot = engine.snapshot();
    drop(engine);
    assert_eq!(value(&*snapshot, b"a"), Some(b"1".to_vec()));
    drop(snapshot);
}

#[test]
fn a_newer_form_is_refused() {
    let objects = memory();
    let engine = opened(&objects).unwrap();
    let mut holder: serde_json::Value = serde_json::from_slice(&Holder::this().text()).unwrap();
    holder["form"] = 99.into();
    let text = serde_json::to_vec(&holder).unwrap();
    let shared = &engine.shared;
    let copy = shared.access.runtime.wait(async {
        shared.db.put(holder::KEY, text).await.unwrap().await_durable().await.unwrap();
        copied(&engine)
    });
    assert!(opened(&copy).unwrap_err().to_string().contains("form 99"));
}

/// Two reads of one question, and between them the writer writes, a look for what is new is made,
/// and more of them than there are states.
#[test]
fn what_a_reader_shows_does_not_move_between_two_reads() {
    let objects = memory();
    let mut writer = opened(&objects).unwrap();
    let mut write = |number: u8| {
        let mut batch = Batch::default();
        batch.put(Table::Versions, b"a", &[number]);
        batch.put(Table::Versions, b"b", &[number]);
        writer.commit(&batch).unwrap();
        writer.sync().unwrap();
    };
    let mut reader =
        ObjectReader::upon(Arc::clone(&objects), Path::from("a/history"), DiskOptions::default(), None)
            .unwrap();
    write(1);
    let first = reader.refresh().unwrap();
    assert_eq!(value(&*first, b"a"), Some(vec![1]));
    write(2);
    let second = reader.refresh().unwrap();
    assert_eq!(value(&*first, b"b"), Some(vec![1]), "of the state in which a was read");
    assert_eq!((value(&*second, b"a"), value(&*second, b"b")), (Some(vec![2]), Some(vec![2])));
    write(3);
    let third = reader.refresh().unwrap();
    write(4);
    let full = reader.refresh().unwrap_err();
    assert!(full.to_string().contains("3 earlier states are still being read"), "{full}");
    for (snapshot, number) in [(&first, 1), (&second, 2), (&third, 3)] {
        assert_eq!(
            (value(&**snapshot, b"a"), value(&**snapshot, b"b")),
            (Some(vec![number]), Some(vec![number]))
        );
    }
    drop(second);
    let fourth = reader.refresh().unwrap();
    assert_eq!(value(&*fourth, b"b"), Some(vec![4]));
    assert_eq!(value(&*first, b"b"), Some(vec![1]));
    drop((first, third, fourth));
    for number in 5..25 {
        write(number);
        let now = reader.refresh().unwrap();
        assert_eq!((value(&*now, b"a"), value(&*now, b"b")), (Some(vec![number]), Some(vec![number])));
    }
}

#[test]
fn a_reader_says_that_there_is_nothing_and_finds_what_comes() {
    let objects = memory();
    let mut reader =
        ObjectReader::upon(Arc::clone(&objects), Path::from("a/history"), DiskOptions::default(), None)
            .unwrap();
    assert!(reader.refresh().unwrap_err().to_string().contains("nothing is recorded there yet"));
    let mut writer = opened(&objects).unwrap();
    put(&mut writer, b"a", b"1").unwrap();
    writer.sync().unwrap();
    assert_eq!(value(&*reader.refresh().unwrap(), b"a"), Some(b"1".to_vec()));
}

/// Whoever opens the store reads each write that is not in the tree yet.
#[test]
fn small_writes_come_into_the_tree_too() {
    let objects = memory();
    let mut engine = opened(&objects).unwrap();
    for number in 0..log::LOG {
        put(&mut engine, &number.to_be_bytes(), b"x").unwrap();
        engine.sync().unwrap();
    }
    let end = std::time::Instant::now() + Duration::from_secs(30);
    while engine.bytes() == 0 {
        put(&mut engine, b"more", b"x").unwrap();
        engine.sync().unwrap();
        assert!(std::time::Instant::now() < end, "there are no objects of the tree");
    }
}

mod copies;
mod disk_cache;
mod side_by_side;
mod watched;
