//! States of generated logs against a plain map.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What happens to one of eight keys, or to all.
#[derive(Clone, Debug)]
enum Step {
    Put(i32, u8),
    Delete(i32),
    Move(i32, i32),
    Empty,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..8_i32, any::<u8>()).prop_map(|(k, v)| Step::Put(k, v)),
        3 => (0..8_i32).prop_map(Step::Delete),
        3 => (0..8_i32, 0..8_i32).prop_map(|(a, b)| Step::Move(a, b)),
        1 => Just(Step::Empty),
    ]
}

/// Carries out steps on a plain map, and says what the log would hold.
fn carry_out(state: &mut BTreeMap<i32, String>, steps: &[Step]) -> Vec<Change> {
    let mut changes = Vec::new();
    for step in steps {
        match step {
            Step::Put(k, v) => {
                let old = state.insert(*k, v.to_string());
                changes.push(row("t", old.as_deref().map(|o| (*k, o)), Some((*k, &v.to_string()))));
            }
            Step::Delete(k) => {
                if let Some(old) = state.remove(k) {
                    changes.push(row("t", Some((*k, &old)), None));
                }
            }
            Step::Move(a, b) => {
                if state.contains_key(b) {
                    continue;
                }
                if let Some(v) = state.remove(a) {
                    changes.push(row("t", Some((*a, &v)), Some((*b, &v))));
                    state.insert(*b, v);
                }
            }
            Step::Empty => {}
        }
    }
    changes
}

proptest! {
    #[test]
    fn states_are_those_of_a_plain_map(entries in prop::collection::vec(prop::collection::vec(step(), 1..6), 1..20), created: bool,
        memory in prop::sample::select(put_off::MEMORIES.to_vec())) {
        let mut state = BTreeMap::new();
        let mut log = Vec::new();
        if created {
            log.push((0, vec![sql(CREATE)]));
        }
        let mut states = vec![state.clone()];
        for (at, steps) in (1_i64..).zip(&entries) {
            if matches!(steps.as_slice(), [Step::Empty, ..]) {
                state.clear();
                log.push((at, vec![sql("TRUNCATE TABLE t")]));
            } else {
                log.push((at, carry_out(&mut state, steps)));
            }
            states.push(state.clone());
        }
        let h = taken_in(log, memory);
        let ids: Vec<String> = (0..8).map(|k| k.to_string()).collect();
        for (second, state) in (0_i64..).zip(&states) {
            for id in &ids {
                let number: i32 = id.parse().unwrap();
                let want: Vec<Value> = state.get(&number).map(|v| json!([id, v])).into_iter().collect();
                let got = rows(&h, second, &[id]);
                // Without the CREATE a key may be unknown, but never wrong.
                if created || got.is_ok() {
                    prop_assert_eq!(got, Ok(Value::Array(want)), "key {} at {}", id, second);
                }
            }
        }
    }
}
