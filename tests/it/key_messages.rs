//! What is said of a key that cannot be asked for: what is at fault, and what to write instead.

use dbtrail_history::key;
use dbtrail_history::query::Reading;
use dbtrail_types::agent_api::{KeyChoice, KeyRange, Keys, Octets, RowsRequest};
use dbtrail_types::column::{Column, ColumnKey};
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::AsOf;

fn column(ty: &str, collation: Option<&str>) -> Column {
    Column {
        key: ColumnKey::Primary,
        has_default: false,
        ..Column::new("k".to_owned(), ty.parse().expect("a type"), collation.map(str::to_owned), false)
    }
}

/// It is the character set that is not known, and not the value that is wrong.
#[test]
fn an_unknown_character_set_is_named() {
    for (collation, value) in [("swe9_swedish_ci", "abc"), ("big6_chinese_ci", "\u{e9}")] {
        let reported = key::encode(&column("varchar(9)", Some(collation)), value.as_bytes(), &mut Vec::new());
        let reported = reported.expect_err("it is not known").to_string();
        assert!(reported.contains(collation), "{reported}");
        assert!(!reported.contains("is not a value"), "{reported}");
    }
}

/// Of a range of text it is not known how many keys it can hold: those that the record knows count,
/// rows that are gone among them.
#[test]
fn a_range_of_text_counts_the_keys_that_are_known() {
    let history = crate::truth_agent::history("mysql-9.7");
    let answer = |max_keys| {
        let text = |t: &str| Octets(t.as_bytes().to_vec());
        let range =
            KeyRange { prefix: Vec::new(), from: text("a"), to: text("zzzz"), max_keys: Some(max_keys) };
        let request = RowsRequest {
            server_id: ServerId("truth".to_owned()),
            schema: "tt".to_owned(),
            table: "products".to_owned(),
            keys: Keys { columns: vec!["sku".to_owned()], choice: KeyChoice::Range(range) },
            at: AsOf::Time(history.coverage().newest),
            filter: None,
            limit: None,
        };
        history.rows(&request, Reading::Flashback).map(|_| ()).map_err(|refused| refused.code)
    };
    assert_eq!(answer(1), Err("too_many_keys"));
    assert_eq!(answer(10_000), Ok(()));
}
