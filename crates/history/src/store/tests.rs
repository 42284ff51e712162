use super::form::read_version;
use super::*;
use crate::engine::{Batch, Engine, InMemory as TestEngine, Snapshot, Table};
use proptest::prelude::*;
use std::sync::Arc;

/// Cells with bars between them.
fn image(text: &str) -> Image {
    Image::pack(&text.split('|').map(|cell| Some(cell.as_bytes().to_vec())).collect::<Vec<_>>())
}

pub(super) fn version(sequence: u64, before: Option<&str>, after: Option<&str>) -> Version {
    Version {
        sequence: ChangeSequence(sequence),
        definition: DefinitionId(300),
        kind: match (before, after) {
            (None, _) => EventType::Insert,
            (_, None) => EventType::Delete,
            _ => EventType::Update,
        },
        key_move: KeyMove::Same,
        cause: None,
        before: before.map(image),
        after: after.map(image),
    }
}

pub(super) fn kept(versions: &[(&[u8], Version)]) -> Arc<dyn Snapshot> {
    let mut engine = TestEngine::default();
    for (key, version) in versions {
        let snapshot = engine.snapshot();
        let last = Versions(&*snapshot).newest_before(GenerationId(2), key, ChangeSequence::END).unwrap();
        let mut batch = Batch::default();
        let there = last.filter(|l| l.row.as_ref() == version.row_before()).map(|l| l.depth);
        put_version(&mut batch, (GenerationId(2), key), version, there);
        drop(snapshot);
        engine.commit(&batch).unwrap();
    }
    engine.snapshot()
}

#[test]
fn versions_are_found_by_their_position() {
    let k = &b"k"[..];
    let history = [
        (k, version(2, None, Some("a"))),
        (k, version(5, Some("a"), Some("b"))),
        (k, version(9, Some("b"), None)),
        (&b"m"[..], version(7, Some("old"), Some("new"))),
    ];
    let snapshot = kept(&history);
    let versions = Versions(&*snapshot);
    let newest =
        |cut| versions.newest_before(GenerationId(2), k, ChangeSequence(cut)).unwrap().map(|h| h.sequence.0);
    assert_eq!(
        [newest(2), newest(3), newest(5), newest(6), newest(99)],
        [None, Some(2), Some(2), Some(5), Some(9)]
    );
    let first = |from| {
        versions
            .first(GenerationId(2), k, (ChangeSequence(from), ChangeSequence::END))
            .unwrap()
            .map(|v| v.sequence.0)
    };
    assert_eq!([first(0), first(2), first(3), first(10)], [Some(2), Some(2), Some(5), None]);
    let all = versions.between(GenerationId(2), k, (ChangeSequence(0), ChangeSequence::END), 9).unwrap();
    assert_eq!(all, [&history[0].1, &history[1].1, &history[2].1].map(Clone::clone));
    let late = versions.between(GenerationId(2), k, (ChangeSequence(5), ChangeSequence(9)), 9).unwrap();
    assert_eq!(late, [history[1].1.clone()], "its row before is in the version before");
    let window = (ChangeSequence(5), ChangeSequence(9));
    let reported = versions.between_after(GenerationId(2), k, window, 9, Some(&image("told"))).unwrap();
    assert_eq!(reported[0].before, Some(image("told")), "what is known is not read again");
    let keys = |from: &[u8], to: &[u8], cut| {
        versions.keys(GenerationId(2), (from, to), ChangeSequence(cut), 9).unwrap().len()
    };
    assert_eq!([keys(b"a", b"m", 99), keys(b"a", b"m", 6), keys(b"m", b"a", 99)], [2, 1, 0]);
    assert!(versions.newest_before(GenerationId(0), k, ChangeSequence::END).unwrap().is_none());
}

proptest! {
    /// Rows of three cells, of which one is long, under one key: every state and every change
    /// comes back, and is never far from a whole row.
    #[test]
    fn what_is_written_as_a_change_comes_back(rows in prop::collection::vec(prop::option::weighted(0.9, (0_u8..4, 0_u8..4)), 1..80)) {
        let image = |(a, b): (u8, u8)| Image::pack(&[Some(vec![a]), Some(vec![9; 50]), Some(vec![b])]);
        let (mut all, mut now): (Vec<Version>, Option<Image>) = (Vec::new(), None);
        for (sequence, row) in (1_u64..).zip(&rows) {
            let next = row.map(image);
            let kind = match (&now, &next) {
                (None, None) => continue,
                (None, Some(_)) => EventType::Insert,
                (Some(_), Some(_)) => EventType::Update,
                (Some(_), None) => EventType::Delete,
            };
            let (before, after) = (std::mem::replace(&mut now, next.clone()), next);
            all.push(Version { sequence: ChangeSequence(sequence), definition: DefinitionId(3), kind, key_move: KeyMove::Same, cause: (sequence % 3 == 0).then_some(ChangeSequence(sequence / 2)), before, after });
        }
        let snapshot = kept(&all.iter().map(|v| (&b"k"[..], v.clone())).collect::<Vec<_>>());
        let versions = Versions(&*snapshot);
        prop_assert_eq!(&versions.between(GenerationId(2), b"k", (ChangeSequence(0), ChangeSequence::END), 99).unwrap(), &all);
        for version in &all {
            let ChangeSequence(n) = version.sequence;
            let held = versions.newest_before(GenerationId(2), b"k", ChangeSequence(n + 1)).unwrap().unwrap();
            prop_assert_eq!((held.sequence, held.row.as_ref()), (version.sequence, version.row_after()));
            prop_assert!(held.depth <= DEPTH);
            let one = versions.first(GenerationId(2), b"k", (ChangeSequence(n), ChangeSequence::END)).unwrap();
            prop_assert_eq!(one.as_ref(), Some(version));
        }
    }
}

#[test]
fn only_what_changed_is_written() {
    let row = |n: u8| Image::pack(&[Some(vec![n]), Some(vec![9; 500])]);
    let update = |n: u8| Version {
        before: Some(row(n)),
        after: Some(row(n + 1)),
        ..version(u64::from(n) + 2, Some("a"), Some("b"))
    };
    let first = Version { after: Some(row(0)), ..version(1, None, Some("a")) };
    let versions: Vec<(&[u8], Version)> =
        std::iter::once(first).chain((0..20).map(update)).map(|v| (&b"k"[..], v)).collect();
    let snapshot = kept(&versions);
    let pairs = snapshot.scan(Table::Versions, &[0], &[9], 99).unwrap();
    let full_rows: Vec<usize> =
        pairs.iter().enumerate().filter(|(_, (_, value))| value.len() > 500).map(|(i, _)| i).collect();
    assert_eq!(full_rows, [0, 16], "and the rest is small");
    let lost = Versions(&*snapshot).newest_before(GenerationId(2), b"k", ChangeSequence(9)).unwrap().unwrap();
    assert_eq!((lost.row, lost.depth), (Some(row(7)), 7));
}

#[test]
fn a_change_of_a_row_that_is_gone_is_no_row() {
    let mut engine = TestEngine::default();
    let mut batch = Batch::default();
    let long = |n| format!("{}{n}", "x".repeat(90));
    let image = |n| Image::pack(&[Some(b"k".to_vec()), Some(long(0).into_bytes()), Some(vec![n])]);
    let update = Version { before: Some(image(1)), after: Some(image(2)), ..version(5, Some(""), Some("")) };
    assert_eq!(put_version(&mut batch, (GenerationId(2), b"k"), &update, Some(3)), 4);
    engine.commit(&batch).unwrap();
    let snapshot = engine.snapshot();
    let versions = Versions(&*snapshot);
    assert!(
        versions
            .newest_before(GenerationId(2), b"k", ChangeSequence::END)
            .unwrap_err()
            .to_string()
            .contains("damaged")
    );
    assert!(versions.first(GenerationId(2), b"k", (ChangeSequence(0), ChangeSequence::END)).is_err());
}

#[test]
fn a_known_row_is_written_once() {
    let long = "x".repeat(1000);
    let snapshot =
        kept(&[(b"k", version(1, None, Some(&long))), (b"k", version(2, Some(&long), Some("short")))]);
    let pairs = snapshot.scan(Table::Versions, &[0], &[9], 9).unwrap();
    assert!(pairs[1].1.len() < 20, "{} bytes", pairs[1].1.len());
}

#[test]
fn a_key_change_is_seen_from_both_sides() {
    let mut v = version(1, Some("a"), Some("b"));
    for key_move in [KeyMove::Left, KeyMove::Arrived] {
        v.key_move = key_move;
        let snapshot = kept(&[(b"k", v.clone())]);
        let read = Versions(&*snapshot)
            .between(GenerationId(2), b"k", (ChangeSequence(0), ChangeSequence(9)), 9)
            .unwrap();
        assert_eq!(read, [v.clone()]);
        assert_eq!(
            (v.row_after().is_some(), v.row_before().is_some()),
            (key_move == KeyMove::Arrived, key_move == KeyMove::Left)
        );
    }
}

#[test]
fn rows_of_the_baseline_come_back() {
    let mut engine = TestEngine::default();
    let mut batch = Batch::default();
    let base = BaseRow { definition: DefinitionId(7), row: image("r") };
    for key in [&b"a"[..], b"b", b"c"] {
        put_base(&mut batch, GenerationId(1), key, &base);
    }
    engine.commit(&batch).unwrap();
    let snapshot = engine.snapshot();
    let versions = Versions(&*snapshot);
    assert_eq!(versions.base(GenerationId(1), b"b").unwrap(), Some(base));
    assert_eq!(versions.base(GenerationId(2), b"b").unwrap(), None);
    assert_eq!(versions.base_keys(GenerationId(1), (b"b", b"c"), 9).unwrap().len(), 2);
}

#[test]
fn damaged_bytes_are_an_error() {
    for value in [&[][..], &[3], &[0x0f, 0], &[0x10, 0, 200, 1], &[0x0c, 0], &[0, 0x80]] {
        assert!(read_version(ChangeSequence(1), value).is_none(), "{value:?}");
    }
}
