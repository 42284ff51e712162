use super::super::tests::{kept, version};
use super::*;
use proptest::prelude::*;

const GENERATION: GenerationId = GenerationId(2);

fn wanted(changes: &[(Vec<u8>, u64)]) -> Vec<ChangeOf<'_>> {
    changes.iter().map(|(key, sequence)| (GENERATION, &**key, ChangeSequence(*sequence))).collect()
}

proptest! {
    /// However many changes of however many keys, near to each other and far apart: as one by one.
    #[test]
    fn each_is_what_a_look_up_finds(
        steps in prop::collection::vec((0_u8..12, 0_u8..5), 1..300),
        (keys, apart) in (1_u8..12, prop::sample::select(vec![1_u8, 3, 7, 20])),
        every in 1_usize..4,
        begin in 0_usize..100,
    ) {
        let mut rows: std::collections::HashMap<u8, String> = std::collections::HashMap::new();
        let mut history = Vec::new();
        for (number, (key, what)) in steps.iter().enumerate() {
            let key = &(key % keys * apart);
            let before = rows.get(key).cloned();
            // Short changes of a long row are kept as differences.
            let after = (*what > 0 || before.is_none()).then(|| format!("{}|{what}|{number}", "x".repeat(40)));
            match &after {
                Some(row) => rows.insert(*key, row.clone()),
                None => rows.remove(key),
            };
            let version = version(number as u64 + 1, before.as_deref(), after.as_deref());
            history.push((vec![7, *key], version));
        }
        let pairs: Vec<(&[u8], Version)> = history.iter().map(|(k, v)| (&**k, v.clone())).collect();
        let snapshot = kept(&pairs);
        let asked: Vec<(Vec<u8>, u64)> =
            history.iter().skip(begin).step_by(every).map(|(k, v)| (k.clone(), v.sequence.0)).collect();
        let found = Versions(&*snapshot).of_changes(&wanted(&asked), usize::MAX).unwrap().unwrap();
        let right: Vec<Version> = history.iter().skip(begin).step_by(every).map(|(_, v)| v.clone()).collect();
        prop_assert_eq!(found, right);
    }
}

#[test]
fn what_takes_too_much_is_not_read_to_its_end() {
    let long = "x".repeat(1000);
    let history: Vec<(Vec<u8>, Version)> =
        (1..40).map(|n| (vec![n], version(u64::from(n), None, Some(&long)))).collect();
    let pairs: Vec<(&[u8], Version)> = history.iter().map(|(k, v)| (&**k, v.clone())).collect();
    let snapshot = kept(&pairs);
    let asked: Vec<(Vec<u8>, u64)> = history.iter().map(|(k, v)| (k.clone(), v.sequence.0)).collect();
    let of = |count: usize, budget| Versions(&*snapshot).of_changes(&wanted(&asked[..count]), budget);
    assert_eq!(of(39, 5_000).unwrap(), None);
    assert_eq!(of(1, 10).unwrap().map(|found| found.len()), Some(1), "one is read whatever it takes");
    assert_eq!(of(39, 1 << 20).unwrap().map(|found| found.len()), Some(39));
    assert_eq!(of(0, 0).unwrap(), Some(Vec::new()));
}

#[test]
fn what_is_not_there_is_an_error() {
    let snapshot = kept(&[
        (b"a", version(1, None, Some("1"))),
        (b"k", version(2, None, Some("2"))),
        (b"k", version(9, Some("2"), Some("3"))),
    ]);
    let versions = Versions(&*snapshot);
    for (key, sequence) in [(&b"k"[..], 3), (b"b", 1), (b"0", 1), (b"z", 9), (b"a", 2)] {
        let wanted =
            [(GENERATION, key, ChangeSequence(sequence)), (GENERATION, &b"k"[..], ChangeSequence(9))];
        assert!(versions.of_changes(&wanted, usize::MAX).is_err(), "{key:?} {sequence}");
    }
}

/// Rows that are read in one go: each wanted version is there, or it is an error.
#[test]
fn what_is_not_there_is_an_error_among_near_rows_too() {
    let mut history = Vec::new();
    for key in 0..10_u8 {
        history.push((vec![key], version(u64::from(key) + 1, None, Some("1"))));
        // So much after it that it is not passed over.
        let newer = if key == 5 { 100 } else { 3 };
        for number in 0..newer {
            let sequence = 1000 * (u64::from(key) + 1) + number;
            history.push((vec![key], version(sequence, Some("1"), Some("1"))));
        }
    }
    let pairs: Vec<(&[u8], Version)> = history.iter().map(|(k, v)| (&**k, v.clone())).collect();
    let snapshot = kept(&pairs);
    let versions = Versions(&*snapshot);
    let all: Vec<(Vec<u8>, u64)> = (0..10).map(|key| (vec![key], u64::from(key) + 1)).collect();
    let found = versions.of_changes(&wanted(&all), usize::MAX).unwrap().unwrap();
    assert_eq!(found.iter().map(|v| v.sequence.0).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
    for missing in 0..10 {
        let mut asked = all.clone();
        asked[missing].1 += 100;
        assert!(versions.of_changes(&wanted(&asked), usize::MAX).is_err(), "{missing}");
    }
}

#[test]
fn near_keys_are_told_by_their_last_bytes() {
    for (lower, upper, near) in [
        (&b"\0\0\0\x02\x05"[..], &b"\0\0\0\x02\x09"[..], true),
        (b"\0\0\0\x02\x05", b"\0\0\0\x02\x0a", false),
        (b"\0\0\0\x02\x05", b"\0\0\0\x02\x05\x01", false),
        (b"\0\0\0\x02\0\0\0\0\0\0\0\xff", b"\0\0\0\x02\0\0\0\0\0\0\x01\x01", true),
        (b"\0\0\0\x02\x01\0\0\0\0\0\0\x01", b"\0\0\0\x02\x02\0\0\0\0\0\0\x01", false),
        (b"\0\0\0\x02\xff\xff\xff\xff\xff\xff\xff\xff", b"\0\0\0\x03\0\0\0\0\0\0\0\0", false),
    ] {
        assert_eq!(is_near(lower, upper), near, "{lower:?} {upper:?}");
    }
}
