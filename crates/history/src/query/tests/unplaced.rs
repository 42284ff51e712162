//! Text keys of which some hold a character that cannot be compared.

use super::*;

const TEXTS: &str = "CREATE TABLE t (id INT NOT NULL, v VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY) DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_bin";

fn change(before: Option<&str>, after: Option<&str>) -> Change {
    let kind = match (before, after) {
        (None, _) => EventType::Insert,
        (_, None) => EventType::Delete,
        _ => EventType::Update,
    };
    let mut table = MappedTable::clone(&mapped("t"));
    table.columns[1].collation = Some(45);
    table.columns[1].nullable = false;
    table.primary_key = Some(vec![1]);
    let images: Vec<u8> = [before, after].into_iter().flatten().flat_map(|v| image(1, v)).collect();
    let bitmaps = if kind == EventType::Update { vec![0b11; 2] } else { vec![0b11] };
    let body = [&[7, 0, 0, 0, 0, 0, 1, 0, 2, 0, 2][..], &bitmaps, &images].concat();
    Change::Rows(RowsEvent::of_body(&body.into(), kind, &Arc::new(table)).unwrap())
}

fn of(values: &[&str]) -> Keys {
    Keys { columns: vec!["v".into()], ..keys(values) }
}

fn reported(history: &Arc<History>, second: i64, wanted: Keys) -> Result<usize, &'static str> {
    at(history, AsOf::Time(t(second)), wanted).map(|(rows, _)| rows.as_array().unwrap().len())
}

#[test]
fn keys_that_begin_otherwise_are_answered() {
    let h = history(vec![
        (1, vec![sql(TEXTS)]),
        (2, vec![change(None, Some("apple")), change(None, Some("zebra"))]),
        (3, vec![change(None, Some("ab\tc"))]),
        (4, vec![change(Some("zebra"), Some("ab\u{1}"))]),
        (5, vec![change(Some("ab\u{1}"), Some("dog"))]),
        (6, vec![change(Some("ab\tc"), None)]),
    ]);
    for (second, key, want) in [
        (2, "APPLE", Ok(1)),
        (5, "apple", Ok(1)),
        (3, "zebra", Ok(1)),
        (4, "zebra", Ok(0)),
        (4, "dog", Ok(0)),
        (6, "Dog", Ok(1)),
        (6, "other", Ok(0)),
        (6, "AB", Err("unsupported_key")),
        (6, "abc", Err("unsupported_key")),
        (1, "abcd", Err("unsupported_key")),
        (3, "ab\tc", Err("unsupported_key")),
    ] {
        assert_eq!(reported(&h, second, of(&[key])), want, "{key:?} at {second}");
    }
    assert_eq!(reported(&h, 6, of(&["apple", "abx"])), Err("unsupported_key"));
    let between = |from: &str, to: &str| Keys { columns: vec!["v".into()], ..range(from, to) };
    assert_eq!(reported(&h, 6, between("b", "e")), Ok(1));
    assert_eq!(reported(&h, 6, between("apple", "e")), Ok(2));
    assert_eq!(reported(&h, 6, between("a", "e")), Err("unsupported_key"));
    assert_eq!(reported(&h, 6, between("aba", "abz")), Err("unsupported_key"));
    assert_eq!(diff(&h, 1, 7, of(&["zebra"])).map(|events| events.len()), Ok(2));
    assert_eq!(diff(&h, 1, 7, of(&["abc"])), Err("unsupported_key"));
}
