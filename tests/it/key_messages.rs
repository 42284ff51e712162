//! What is said of a key that cannot be asked for: what is at fault, and what to write instead.

use dbtrail_history::key;
use dbtrail_types::column::{Column, ColumnKey};

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
        let told = key::encode(&column("varchar(9)", Some(collation)), value.as_bytes(), &mut Vec::new());
        let told = told.expect_err("it is not known").to_string();
        assert!(told.contains(collation), "{told}");
        assert!(!told.contains("is not a value"), "{told}");
    }
}
