//! What is written is found again, and few bytes are needed for it.

use super::*;
use crate::engine::{Engine, InMemory as TestEngine};
use proptest::prelude::*;

type Owned = (u64, u32, Option<Vec<u8>>);

fn written(changes: &[Owned], commit_every: usize) -> TestEngine {
    let (mut engine, mut batch, mut writer) =
        (TestEngine::default(), Batch::default(), ChangeIndexWriter::default());
    for (i, (sequence, generation, key)) in changes.iter().enumerate() {
        let change = Change {
            sequence: ChangeSequence(*sequence),
            generation: GenerationId(*generation),
            key: key.as_deref(),
        };
        writer.note(&mut batch, change);
        if i % commit_every == 0 {
            writer.flush(&mut batch);
            engine.commit(&batch).unwrap();
            batch.clear();
        }
    }
    writer.flush(&mut batch);
    engine.commit(&batch).unwrap();
    engine
}

fn found(engine: &TestEngine, from: u64, to: u64) -> Vec<Owned> {
    let mut all = Vec::new();
    between(&*engine.snapshot(), ChangeSequence(from), ChangeSequence(to), &mut |c| {
        all.push((c.sequence.0, c.generation.0, c.key.map(<[u8]>::to_vec)));
        Ok(true)
    })
    .unwrap();
    all
}

proptest! {
    /// Steps of 0 are of a row that changed its key, or of rows that one statement removed.
    #[test]
    fn what_was_noted_is_found(
        changes in prop::collection::vec(
            (0_u64..4, 0_u32..3, prop::option::weighted(0.95, prop::collection::vec(0_u8..3, 0..40))), 1..400),
        commit_every in 1_usize..50,
        window in (0_u64..800, 0_u64..800),
    ) {
        let mut at = 1;
        let changes: Vec<Owned> = changes.into_iter().map(|(step, generation, key)| { at += step; (at, generation * 1000, key) }).collect();
        let engine = written(&changes, commit_every);
        let (from, to) = window;
        let wanted: Vec<Owned> = changes.iter().filter(|c| (from..to).contains(&c.0)).cloned().collect();
        prop_assert_eq!(&found(&engine, from, to), &wanted);
        let snapshot = engine.snapshot();
        let mut walk = Walk::new(&*snapshot, ChangeSequence(from), ChangeSequence(to)).unwrap();
        let mut walked: Vec<Owned> = Vec::new();
        while let Some(some) = walk.next(&*snapshot).unwrap() {
            walked.extend(some.into_iter().map(|c| (c.sequence.0, c.generation.0, c.key.map(|k| k.to_vec()))));
        }
        prop_assert_eq!(walked, wanted);
    }

    #[test]
    fn damaged_blocks_are_errors(key in prop::collection::vec(any::<u8>(), 0..10), block in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = read(&key, &block, ChangeSequence(0), ChangeSequence::END, &mut |_| Ok(true));
    }
}

/// Of the reader, too: it stops where it is told to.
#[test]
fn it_stops_when_enough_is_found() {
    let changes: Vec<Owned> = (1..5000_u64).map(|i| (i, 1, Some(i.to_be_bytes().to_vec()))).collect();
    let engine = written(&changes, 7);
    let mut seen = 0;
    between(&*engine.snapshot(), ChangeSequence(900), ChangeSequence::END, &mut |_| {
        seen += 1;
        Ok(seen < 10)
    })
    .unwrap();
    assert_eq!(seen, 10);
}

/// One statement can remove more rows than a block has room for.
#[test]
fn changes_of_one_number_fill_many_blocks() {
    let mut changes: Vec<Owned> = (0..5000_u64).map(|i| (7, 1, Some(i.to_be_bytes().to_vec()))).collect();
    changes.push((8, 1, None));
    let engine = written(&changes, 999);
    assert_eq!(found(&engine, 7, 9), changes);
    assert_eq!(found(&engine, 8, 9), [(8, 1, None)]);
    assert!(found(&engine, 0, 7).is_empty());
}

#[test]
fn a_change_takes_few_bytes() {
    // Keys of three tables, BIGINTs anywhere in a million rows, in turn.
    let mut number = 1_u64;
    let changes: Vec<Owned> = (1..30_000)
        .map(|i| {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let row = ((number >> 33) % 1_000_000) | (1 << 63);
            (i, u32::try_from(i % 3).unwrap(), Some(row.to_be_bytes().to_vec()))
        })
        .collect();
    let engine = written(&changes, 1000);
    let pairs = engine.snapshot().scan(Table::Changes, &[], &[0xff; 9], usize::MAX).unwrap();
    let bytes: usize = pairs.iter().map(|(key, value)| key.len() + value.len()).sum();
    assert!(bytes < changes.len() * 6, "{bytes} bytes for {} changes", changes.len());
}
