//! Where rows lie, by hand.

use super::*;
use crate::schema::token::Tokens;

fn table(ty: &str) -> TableDefinition {
    let text = format!(
        r#"{{"columns": [{{"name": "k", "type": "{ty}", "nullable": true, "collation": null}}], "primary_key": ["k"]}}"#
    );
    serde_json::from_str(&text).unwrap()
}

fn partitions(text: &str) -> Partitions {
    let mut tokens = Tokens::new(text, None, crate::log::ServerVersion::default(), false).unwrap();
    assert!(tokens.words(&["PARTITION", "BY"]));
    read(&mut tokens, crate::log::ServerVersion::default())
}

/// In which partition MySQL 9.7 and MariaDB 11.8 put these values (`SELECT ... PARTITION (p)`).
#[test]
fn rows_lie_where_the_server_puts_them() {
    let range = "RANGE (k) (PARTITION a VALUES LESS THAN (-5), PARTITION b VALUES LESS THAN (10), PARTITION c VALUES LESS THAN MAXVALUE)";
    let days = "RANGE (TO_DAYS(k)) (PARTITION a VALUES LESS THAN (TO_DAYS('2026-01-01')), PARTITION b VALUES LESS THAN (740000))";
    for (ty, by, value, position) in [
        ("int", range, Some("-6"), Some(0)),
        ("int", range, Some("-5"), Some(1)),
        ("int", range, Some("10"), Some(2)),
        ("int", range, None, Some(0)),
        ("date", days, Some("2025-12-31"), Some(0)),
        ("datetime", days, Some("2026-01-01 00:00:00"), Some(1)),
        ("datetime", days, Some("2026-02-01 00:00:00"), None),
        ("date", days, Some("0000-00-00"), None),
        ("int", "HASH (k) PARTITIONS 4", Some("-7"), Some(3)),
        ("int", "HASH (k) PARTITIONS 4", None, Some(0)),
        ("int", "LINEAR HASH (k) PARTITIONS 6", Some("-2147483648"), Some(0)),
        ("int", "LINEAR HASH (k) PARTITIONS 6", Some("-1"), Some(3)),
        ("int", "LINEAR HASH (k) PARTITIONS 6", Some("13"), Some(5)),
        ("varchar(9)", "KEY (k) PARTITIONS 4", Some("1"), None),
        ("int", "KEY ALGORITHM=3 (k) PARTITIONS 4", Some("1"), None),
        (
            "int",
            "LIST (k) (PARTITION a VALUES IN (1, NULL), PARTITION b VALUES IN (-2))",
            Some("-2"),
            Some(1),
        ),
        ("int", "LIST (k) (PARTITION a VALUES IN (1, NULL), PARTITION b VALUES IN (-2))", None, Some(0)),
        ("int", "LIST (k) (PARTITION a VALUES IN (1), PARTITION b DEFAULT)", Some("9"), Some(1)),
        (
            "datetime",
            "RANGE COLUMNS (k) (PARTITION a VALUES LESS THAN ('2026-01-01'), PARTITION b VALUES LESS THAN (MAXVALUE))",
            Some("2026-01-01 00:00:00"),
            Some(1),
        ),
        ("int", "RANGE (k * 2) (PARTITION a VALUES LESS THAN (3))", Some("1"), Some(0)),
        ("int", "RANGE (ABS(k)) (PARTITION a VALUES LESS THAN (3))", Some("1"), None),
    ] {
        let cells = [value.map(str::as_bytes)];
        let found = partitions(&format!("PARTITION BY {by}")).partition_of(&table(ty), &cells);
        assert_eq!(found, position, "{by}: {value:?} in {ty}");
    }
}

#[test]
fn partitions_follow_their_statements() {
    let mut all = partitions(
        "PARTITION BY RANGE (k) (PARTITION a VALUES LESS THAN (10), PARTITION b VALUES LESS THAN (20))",
    );
    let tokens = |text| Tokens::new(text, None, crate::log::ServerVersion::default(), false).unwrap();
    let position = |all: &Partitions, k: &str| all.partition_of(&table("int"), &[Some(k.as_bytes())]);
    all.add(&mut tokens("(PARTITION c VALUES LESS THAN (30) ENGINE = InnoDB)"));
    assert_eq!((position(&all, "25"), position(&all, "30")), (Some(2), None));
    all.reorganize(&mut tokens(
        "a, b INTO (PARTITION x VALUES LESS THAN (5), PARTITION y VALUES LESS THAN (20))",
    ));
    assert_eq!((position(&all, "5"), position(&all, "25")), (Some(1), Some(2)));
    let emptied = all.emptied(&["Y".to_owned()]).unwrap();
    assert_eq!(emptied.keeps(&table("int"), &[Some(b"7")]), Some(true));
    assert!(all.emptied(&["nope".to_owned()]).is_none());
    all.remove(&["x".to_owned()]);
    assert_eq!(position(&all, "1"), Some(0), "what is less than the first goes to the one after it");
}
