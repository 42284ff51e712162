//! Look-ups of which each waits for the object store.

use super::*;
use crate::engine::Lookup;
use crate::engine::patience::Patience;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use slatedb::config::{FlushOptions, FlushType};
use std::time::Instant;

const KEYS: u32 = 96;
const AWAY: Duration = Duration::from_millis(20);

/// A key with a value that fills a block and cannot be made smaller.
fn written(number: u32) -> (Vec<u8>, Vec<u8>) {
    let mut value = vec![0; 5000];
    let mut random = number.wrapping_mul(2_654_435_761) | 1;
    for byte in &mut value {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = random.to_be_bytes()[0];
    }
    (number.to_be_bytes().to_vec(), value)
}

/// What the look-ups give, and how long they take.
fn looked_up(snapshot: &dyn Snapshot, lookups: &[Lookup]) -> (Vec<Option<Vec<u8>>>, Duration) {
    let begun = Instant::now();
    let one = |l: &Lookup| snapshot.last(l.table, &l.from, &l.to).unwrap().map(|(_, value)| value);
    (lookups.iter().map(one).collect(), begun.elapsed())
}

#[test]
fn what_is_looked_up_next_is_fetched_side_by_side() {
    let objects = memory();
    let mut engine = opened(&objects).unwrap();
    for number in 0..KEYS {
        let (key, value) = written(number);
        put(&mut engine, &key, &value).unwrap();
    }
    engine.sync().unwrap();
    let options = FlushOptions { flush_type: FlushType::MemTable };
    engine.shared.access.runtime.wait(engine.shared.db.flush_with_options(options)).unwrap();
    let lookups: Vec<Lookup> = (0..KEYS)
        .map(|number| {
            let from = written(number).0;
            let to = [&*from, &[0]].concat();
            Lookup { table: Table::Versions, from, to, last: true }
        })
        .collect();
    let there: Vec<_> = (0..KEYS).map(|number| Some(written(number).1)).collect();
    let cold = || {
        let config = ThrottleConfig { wait_get_per_call: AWAY, ..ThrottleConfig::default() };
        let away = Arc::new(ThrottledStore::new(Arc::clone(&objects), config));
        let (path, options) = (Path::from("a/history"), DiskOptions::default());
        let mut reader = ObjectReader::upon(Arc::<_>::clone(&away) as _, path, options, None).unwrap();
        let snapshot = reader.refresh().unwrap();
        (reader, snapshot, away)
    };
    let (_one, snapshot, _away) = cold();
    let (found, one_by_one) = looked_up(&*snapshot, &lookups);
    assert!(found == there && one_by_one >= AWAY * KEYS, "each waits: {one_by_one:?}");
    let (_other, snapshot, away) = cold();
    let begun = Instant::now();
    snapshot.prefetch(&lookups);
    let took = begun.elapsed();
    assert!(took < one_by_one / 2, "{took:?}, one by one {one_by_one:?}");
    // From here on each request takes longer than all of the look-ups may.
    away.config_mut(|config| config.wait_get_per_call = Duration::from_secs(2));
    let (found, warm) = looked_up(&*snapshot, &lookups);
    assert!(found == there && warm < Duration::from_secs(2), "nothing is left to be fetched: {warm:?}");
}

/// The object store takes a request, and does not answer.
#[test]
fn an_answer_does_not_wait_for_a_read_that_does_not_come() {
    let objects = memory();
    let mut engine = opened(&objects).unwrap();
    for number in 0..8 {
        let (key, value) = written(number);
        put(&mut engine, &key, &value).unwrap();
    }
    engine.sync().unwrap();
    let options = FlushOptions { flush_type: FlushType::MemTable };
    engine.shared.access.runtime.wait(engine.shared.db.flush_with_options(options)).unwrap();
    let away = Arc::new(ThrottledStore::new(Arc::clone(&objects), ThrottleConfig::default()));
    let (path, options) = (Path::from("a/history"), DiskOptions::default());
    let mut reader = ObjectReader::upon(Arc::<_>::clone(&away) as _, path, options, None).unwrap();
    let snapshot = reader.refresh().unwrap();
    assert!(snapshot.may_wait());
    away.config_mut(|config| config.wait_get_per_call = Duration::from_secs(3600));
    let begun = Instant::now();
    let (patience, _wanted) = Patience::new(Duration::from_millis(50));
    let (from, to) = (written(4).0, written(6).0);
    let lookup = Lookup { table: Table::Versions, from: from.clone(), to: to.clone(), last: true };
    patience.with(|| snapshot.prefetch(&[lookup.clone(), lookup]));
    let late: StoreError = StoreFault::NoAnswer(30).into();
    assert_eq!(patience.with(|| snapshot.get(Table::Versions, &from)), Err(late.clone()));
    assert_eq!(patience.with(|| snapshot.scan(Table::Versions, &from, &to, 9)), Err(late));
    assert!(begun.elapsed() < Duration::from_secs(60));
}
