//! What a pass drops, and what it leaves.

use super::*;
use crate::changes;
use crate::engine::{Engine, InMemory as TestEngine};
use crate::image::Image;
use crate::schema::DefinitionId;
use crate::store::{BaseRow, CurrentRow, GenerationId, KeyMove, Version, Versions, put_base, put_version};
use dbtrail_types::agent_api::EventType;
use proptest::prelude::*;
use std::collections::BTreeMap;

const TABLE: GenerationId = GenerationId(0);

/// One change a sequence number: of this key, to this row (`None`: it is deleted, if there is
/// one).
fn recorded(changes: &[(u8, Option<u8>)]) -> TestEngine {
    let (mut engine, mut batch) = (TestEngine::default(), Batch::default());
    let image = |v: u8| Image::pack(&[Some(vec![v]), Some(vec![0; 20])]);
    let mut now: BTreeMap<u8, u8> = BTreeMap::new();
    let mut depths: BTreeMap<u8, u8> = BTreeMap::new();
    for key in 0..4 {
        put_base(&mut batch, TABLE, &[key], &BaseRow { definition: DefinitionId(0), row: image(99) });
    }
    for ((key, row), sequence) in changes.iter().zip(1..) {
        let before = now.get(key).copied();
        let kind = match (before, row) {
            (None, None) => continue,
            (None, Some(_)) => EventType::Insert,
            (Some(_), Some(_)) => EventType::Update,
            (Some(_), None) => EventType::Delete,
        };
        let version = Version {
            sequence: ChangeSequence(sequence),
            definition: DefinitionId(0),
            kind,
            key_move: KeyMove::Same,
            cause: None,
            before: before.map(image),
            after: row.map(image),
        };
        depths.insert(
            *key,
            put_version(&mut batch, (TABLE, &[*key]), &version, before.and(depths.get(key)).copied()),
        );
        match row {
            Some(row) => now.insert(*key, *row),
            None => now.remove(key),
        };
    }
    engine.commit(&batch).unwrap();
    engine
}

fn swept(engine: &mut TestEngine, horizon: u64, retention_action: RetentionAction, limit: usize) -> u64 {
    let mut sweeper = Sweeper::new(ChangeSequence(horizon), Timestamp::from_micros(0));
    let mut dropped = 0;
    while !sweeper.is_done() {
        let mut batch = Batch::default();
        dropped += sweeper.step(&*engine.snapshot(), &[retention_action], limit, &mut batch).unwrap();
        engine.commit(&batch).unwrap();
    }
    dropped
}

proptest! {
    #[test]
    fn states_and_changes_after_the_retention_horizon_stay(
        changes in prop::collection::vec((0_u8..4, prop::option::of(0_u8..9)), 0..60),
        horizon in 0_u64..60,
        limit in 2_usize..9,
        complete in any::<bool>(),
    ) {
        let mut engine = recorded(&changes);
        let before = engine.snapshot();
        let retention_action = if complete { RetentionAction::Complete } else { RetentionAction::Partial };
        swept(&mut engine, horizon, retention_action, limit);
        let after = engine.snapshot();
        for key in 0..4_u8 {
            let all = |s| Versions(s).between(TABLE, &[key], (ChangeSequence(horizon), ChangeSequence::END), 99).unwrap();
            prop_assert_eq!(all(&*after), all(&*before), "changes of {}", key);
            for cut in horizon..62 {
                // How far back the whole row lies may change.
                let at = |s| {
                    let held = Versions(s).newest_before(TABLE, &[key], ChangeSequence(cut)).unwrap();
                    held.map(|held| CurrentRow { depth: 0, ..held })
                };
                let (was, is) = (at(&*before), at(&*after));
                let gone = was.as_ref().is_some_and(|h| h.row.is_none());
                prop_assert!(is == was || complete && gone && is.is_none(), "{key} at {cut}: {is:?}, not {was:?}");
                // Where nothing is recorded any more, the row of the baseline must not come
                // back.
                let base = Versions(&*after).base(TABLE, &[key]).unwrap();
                prop_assert!(was.is_none() || is.is_some() || base.is_none());
            }
        }
    }
}

/// Of the index of changes everything after the horizon stays, and no more than a block of what
/// lies before it.
#[test]
fn the_index_of_changes_goes_with_the_versions() {
    let all = |engine: &TestEngine, from| {
        let mut found = Vec::new();
        changes::between(&*engine.snapshot(), ChangeSequence(from), ChangeSequence::END, &mut |c| {
            found.push((c.sequence.0, c.key.map(<[u8]>::to_vec)));
            Ok(true)
        })
        .unwrap();
        found
    };
    let (mut engine, mut batch) = (TestEngine::default(), Batch::default());
    let mut writer = changes::ChangeIndexWriter::default();
    for sequence in 1..10_000_u64 {
        let key = sequence.to_be_bytes();
        let change =
            changes::Change { sequence: ChangeSequence(sequence), generation: TABLE, key: Some(&key) };
        writer.note(&mut batch, change);
    }
    writer.flush(&mut batch);
    engine.commit(&batch).unwrap();
    let complete = all(&engine, 9000);
    assert_eq!(complete.len(), 1000);
    swept(&mut engine, 9000, RetentionAction::Complete, 5);
    assert_eq!(all(&engine, 9000), complete);
    assert!(all(&engine, 0).len() < 2000);
}

#[test]
fn what_is_old_goes() {
    let changes: Vec<(u8, Option<u8>)> = (0..100).map(|i| (i % 2, Some(i % 9))).collect();
    let mut engine = recorded(&changes);
    assert_eq!(
        swept(&mut engine, 91, RetentionAction::Complete, 10),
        88,
        "of each key the last one before stays"
    );
    let mut engine = recorded(&changes);
    assert_eq!(swept(&mut engine, 91, RetentionAction::Gone, 10), 100);
    assert!(engine.snapshot().scan(Table::Baseline, &[], &END, 9).unwrap().is_empty());
}
