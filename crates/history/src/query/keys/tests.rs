//! Keys of requests.

use super::*;
use dbtrail_types::column::{ColumnKey, ColumnType};

#[test]
fn err_a_key_that_is_longer_than_any() {
    let column = Column {
        key: ColumnKey::Primary,
        has_default: false,
        ..Column::new(
            "c".to_owned(),
            ColumnType::VarChar { chars: 255 },
            Some("utf8mb4_bin".to_owned()),
            false,
        )
    };
    let two = [&column, &column];
    let text = |length: usize| Octets(vec![b'x'; length]);
    assert!(encode(&two, &[text(3000), text(3000)]).is_ok());
    for values in [
        [text(LONGEST + 1), text(1)],
        [text(1), text(70_000)],
        [text(40_000), text(40_000)],
        [text(10 << 20), text(1)],
    ] {
        let refused = encode(&two, &values).unwrap_err();
        assert_eq!((refused.status, refused.code), (422, code::UNSUPPORTED_KEY));
        assert!(refused.message.contains("`c`"), "{}", refused.message);
    }
}

#[test]
fn err_a_key_by_which_no_row_is_found_is_named_before_there_is_a_row() {
    for (ty, collation, why) in [
        ("int", None, None),
        ("varchar(9)", Some("utf8mb4_0900_ai_ci"), None),
        ("date", None, None),
        ("double", None, Some("`k` is double")),
        ("vector(3)", None, Some("`k` is vector")),
        ("varchar(9)", Some("big5_chinese_ci"), Some("how collation big5_chinese_ci compares")),
    ] {
        let column = Column::new("k".to_owned(), ty.parse().unwrap(), collation.map(str::to_owned), false);
        let definition = TableDefinition { columns: vec![column], primary_key: vec!["k".to_owned()] };
        let found = unfindable(&definition);
        assert_eq!(found.is_some(), why.is_some(), "{ty}: {found:?}");
        assert!(why.is_none_or(|why| found.as_ref().is_some_and(|f| f.contains(why))), "{ty}: {found:?}");
    }
}

/// Its collations of MySQL's name are its own.
#[test]
fn err_a_range_of_text_in_a_collation_that_mariadb_orders_otherwise() {
    for (collation, mariadb, ordered) in [
        ("utf8mb4_0900_ai_ci", true, false),
        ("utf8mb4_0900_ai_ci", false, true),
        ("utf8mb4_uca1400_ai_ci", true, true),
        ("utf8mb4_general_ci", true, true),
    ] {
        let column = Column {
            key: ColumnKey::Primary,
            ..Column::new(
                "c".to_owned(),
                ColumnType::VarChar { chars: 20 },
                Some(collation.to_owned()),
                false,
            )
        };
        let definition = TableDefinition { columns: vec![column], primary_key: vec!["c".to_owned()] };
        let table = TableName { schema: "s".to_owned(), table: "t".to_owned() };
        let octets = |text: &str| Octets(text.as_bytes().to_vec());
        let read = |choice| {
            let keys = Keys { columns: vec!["c".to_owned()], choice };
            Wanted::read(&keys, &definition, &table, mariadb).map(drop).map_err(|refused| refused.code)
        };
        let range = KeyRange { prefix: vec![], from: octets("a"), to: octets("z"), max_keys: None };
        let want = if ordered { Ok(()) } else { Err(code::UNSUPPORTED_KEY) };
        assert_eq!(read(KeyChoice::Range(range)), want, "{collation}");
        let lower = KeyBound { value: octets("a"), inclusive: true };
        let scan = KeyScan { lower: Some(lower), ..KeyScan::default() };
        assert_eq!(read(KeyChoice::Scan(scan)), want, "{collation}");
        // Equal is equal, and all is all.
        assert_eq!(read(KeyChoice::Values(vec![vec![octets("a")]])), Ok(()), "{collation}");
        assert_eq!(read(KeyChoice::Scan(KeyScan::default())), Ok(()), "{collation}");
    }
}
