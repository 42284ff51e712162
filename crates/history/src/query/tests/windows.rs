//! Changes in a window.

use super::*;

#[test]
fn a_diff_holds_every_change_of_the_window() {
    let h = lived();
    let first = json!(["INSERT", "1", null, "a"]);
    let second = vec![json!(["UPDATE", "1", "a", "c"]), json!(["UPDATE", "1", "c", "d"])];
    assert_eq!(
        diff(&h, 2, 4, keys(&["1"])),
        Ok([vec![first], second.clone()].concat()),
        "both ends are inclusive"
    );
    assert_eq!(diff(&h, 3, 7, keys(&["1"])), Ok(second));
    let moved = json!(["UPDATE", "1", "d", "d"]);
    let arrived = json!(["UPDATE", "7", "d", "d"]);
    assert_eq!(diff(&h, 5, 9, keys(&["1"])), Ok(vec![moved.clone()]));
    assert_eq!(diff(&h, 5, 9, keys(&["7"])), Ok(vec![arrived.clone()]));
    assert_eq!(diff(&h, 7, 9, keys(&["7", "1"])), Ok(vec![moved, arrived]), "the old key first");
    assert_eq!(diff(&h, 9, 8, keys(&["1"])), Err("malformed_request"));
    assert_eq!(diff(&h, 5, 101, keys(&["1"])), Err("out_of_range"));
    assert_eq!(diff(&h, -1, 5, keys(&["1"])), Err("out_of_range"));
}

#[test]
fn changes_of_one_key_follow_each_other_beyond_what_is_read_at_once() {
    let text = |n: i64| format!("a value of some length, number {n}");
    let mut log = vec![(0, vec![sql(CREATE), row("t", None, Some((1, &text(0))))])];
    log.extend((1..60).map(|n| (n, vec![row("t", Some((1, &text(n - 1))), Some((1, &text(n))))])));
    let h = history(log);
    let want: Vec<Value> = (5..=50).map(|n| json!(["UPDATE", "1", text(n - 1), text(n)])).collect();
    assert_eq!(diff(&h, 5, 50, keys(&["1"])), Ok(want));
    assert_eq!(rows(&h, 33, &["1"]), Ok(json!([["1", text(33)]])));
}

#[test]
fn long_answers_come_in_chunks() {
    let mut log = vec![(1, vec![sql(CREATE)])];
    log.push((2, (0..3000).map(|i| row("t", None, Some((i, "a value")))).collect()));
    log.push((3, (0..3000).map(|i| row("t", Some((i, "a value")), Some((i, "another")))).collect()));
    let h = history(log);
    let ids: Vec<String> = (0..3000).rev().map(|i| i.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let request = window(2, 3, keys(&ids));
    let chunks: Vec<Vec<u8>> = h.diff(&request).unwrap().map(Result::unwrap).collect();
    assert!(
        chunks.len() > 10 && chunks.iter().all(|c| c.len() < lines::CHUNK + 1024),
        "{} chunks",
        chunks.len()
    );
    let events = diff(&h, 2, 3, request.keys).unwrap();
    assert_eq!(events.len(), 6000);
    assert_eq!(events[0], json!(["INSERT", "0", null, "a value"]));
    assert_eq!(events[5999], json!(["UPDATE", "2999", "a value", "another"]));
    assert_eq!(rows(&h, 3, &ids).unwrap().as_array().unwrap().len(), 3000);
}
