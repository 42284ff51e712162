//! Rows that go into an empty table of MariaDB all at once.

use super::recorded_steps::recorded;

/// MariaDB logs rows of which it keeps none, or not all.
#[test]
fn rows_that_are_inserted_all_at_once_are_not_certain() {
    for kind in ["mariadb-10.11", "mariadb-11.8"] {
        let recorded = recorded(kind, "bulk_insert").expect("it is recorded");
        let (right, refused) = recorded.answers();
        assert!(right > 30, "{kind}: {right} right");
        assert!(refused.iter().all(|(name, _)| name == "made"), "{kind}: {refused:#?}");
        let last = recorded.steps.last().expect("steps");
        for (table, key) in [("t", "1"), ("t", "2"), ("ignored", "1"), ("made", "1"), ("made", "2")] {
            let why = recorded.row(last, table, &[key.to_owned()]).expect_err("it is not known");
            assert!(why.contains("all at once"), "{kind}, {table}: {why}");
        }
        // What comes after it is known.
        let (_, rows) = recorded.row(last, "t", &["5".to_owned()]).expect("an answer");
        assert_eq!(rows, [serde_json::json!(["5", "6"])], "{kind}");
    }
}
