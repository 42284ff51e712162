//! Tables of engines without transactions.

use super::*;

/// Seen on MySQL 9.7.4: with default_storage_engine=BLACKHOLE the log has the CREATE TABLE and the
/// INSERTs as of any other engine, COMMIT in place of Xid, and no UPDATE or DELETE.
#[test]
fn err_rows_of_an_engine_that_nothing_names() {
    for (create, want) in [
        (CREATE.to_owned(), Err("unreadable_table")),
        (format!("{CREATE} ENGINE=MyISAM"), Ok(json!([["1", "a"]]))),
    ] {
        let log = || vec![(1, vec![sql(&create)]), (2, vec![row("t", None, Some((1, "a")))])];
        let of = |stamp| rows(&stamped(log(), Memory::Keeps, stamp), 4, &["1"]);
        assert_eq!(of(Stamp::Span(1)), want, "{create}");
        assert_eq!(of(Stamp::Commit), Ok(json!([["1", "a"]])), "{create}");
    }
}
