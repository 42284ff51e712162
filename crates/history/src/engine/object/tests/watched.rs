//! What somebody who stands by sees of the one that writes.

use super::*;
use crate::engine::bucket::Watched;

fn reader(objects: &Arc<dyn ObjectStore>) -> ObjectReader {
    let path = Path::from("a/history");
    ObjectReader::upon(Arc::clone(objects), path, DiskOptions::default(), None).unwrap()
}

fn seen(reader: &mut ObjectReader) -> Watched {
    reader.refresh_and_watch().unwrap().1
}

#[test]
fn signs_of_life_are_seen_also_while_all_states_are_being_read() {
    let objects = memory();
    let mut reader = reader(&objects);
    assert_eq!(seen(&mut reader), Watched::Nobody, "there is nothing");
    let mut first = opened(&objects).unwrap();
    put(&mut first, b"a", b"1").unwrap();
    first.sync().unwrap();
    elsewhere(&mut first);
    let begin = seen(&mut reader);
    assert!(
        matches!(&begin, Watched::Somebody { is_over: false, named, .. } if named.contains("host elsewhere"))
    );
    std::thread::sleep(holder::BEAT + Duration::from_millis(900));
    let next = seen(&mut reader);
    assert_ne!(begin, next, "it lives");
    let held: Vec<_> = (0..3).map(|_| reader.refresh_and_watch().unwrap().0.unwrap()).collect();
    std::thread::sleep(holder::BEAT + Duration::from_millis(900));
    let (state, later) = reader.refresh_and_watch().unwrap();
    assert!(state.is_none());
    assert_ne!(next, later);
    drop(held);
    drop(first);
    assert_eq!(seen(&mut reader), Watched::Nobody, "it said that it goes");
}

#[test]
fn who_has_been_silent_for_long_enough_is_taken_over_from_and_who_was_not_is_left_alone() {
    let objects = memory();
    let mut first = opened(&objects).unwrap();
    elsewhere(&mut first);
    let silence = DiskOptions { silence: Duration::from_secs(4), ..DiskOptions::default() };
    let open = || ObjectEngine::upon(Arc::clone(&objects), Path::from("a/history"), silence);
    assert!(open().unwrap_err().is_written());
    // As after a kill: no sign of life, and no farewell.
    first.beating.take().unwrap().abort();
    let begun = std::time::Instant::now();
    let second = open().unwrap();
    let took = begun.elapsed();
    assert!(took >= silence.silence && took < silence.silence + Duration::from_secs(3), "{took:?}");
    drop(second);
    let mut batch = Batch::default();
    batch.put(Table::Versions, b"a", b"of the first");
    let lost = first.commit(&batch).and_then(|()| first.sync()).unwrap_err();
    assert!(lost.is_taken(), "{lost}");
}

/// Several that stand by see at the same moment that the one that wrote is gone. It may be that
/// none of them has it then, since each took it from the one before; but never two.
#[test]
fn of_those_that_open_it_at_the_same_moment_one_has_it_at_most_and_the_others_know() {
    let objects = memory();
    let mut first = opened(&objects).unwrap();
    elsewhere(&mut first);
    first.beating.take().unwrap().abort();
    let free = DiskOptions { is_free: true, ..DiskOptions::default() };
    for number in 0..10_u8 {
        let opening: Vec<_> = (0..3)
            .map(|_| {
                let objects = Arc::clone(&objects);
                std::thread::spawn(move || ObjectEngine::upon(objects, Path::from("a/history"), free))
            })
            .collect();
        let opened = opening.into_iter().filter_map(|thread| match thread.join().unwrap() {
            Ok(engine) => Some(engine),
            Err(error) => {
                assert!(error.is_written(), "{error}");
                None
            }
        });
        let mut has = 0;
        let mut engines: Vec<_> = opened.collect();
        for engine in &mut engines {
            match put(engine, &[number], b"x").and_then(|()| engine.sync()) {
                Ok(()) => has += 1,
                Err(error) => assert!(error.is_taken(), "{error}"),
            }
        }
        assert!(has <= 1, "round {number}");
        let mut alone = ObjectEngine::upon(Arc::clone(&objects), Path::from("a/history"), free).unwrap();
        put(&mut alone, &[number], b"y").and_then(|()| alone.sync()).unwrap();
        assert!(
            engines.iter_mut().all(|engine| put(engine, b"z", b"z").and_then(|()| engine.sync()).is_err())
        );
    }
}
