//! `_history.ddl`.

use super::*;
use dbtrail_types::happened::{HistoryRequest, HistoryTable};

/// Table, statement, and whether its definition is known before and after it.
fn ddl(history: &Arc<History>, schema: &str) -> Vec<(String, String, bool, bool)> {
    let request = HistoryRequest {
        server_id: ServerId("x".into()),
        table: HistoryTable::Ddl,
        schemas: Some(vec![schema.to_owned()]),
        window: Some((t(0), t(100))),
        transaction: None,
        filter: None,
        limit: None,
        connection_names: false,
    };
    let mut lines = collect(history.happened(&request).unwrap());
    lines.pop();
    let text = |cell: &Value| cell.as_str().unwrap_or_default().to_owned();
    let known = |cell: &Value| !cell.is_null();
    lines.iter().skip(1).map(|l| (text(&l[3]), text(&l[4]), known(&l[5]), known(&l[6]))).collect()
}

/// Of a table that cannot be read it is not known what a statement made of it: the statement is
/// shown all the same, and without definitions.
#[test]
fn statements_about_tables_that_cannot_be_read_are_listed() {
    let lost = TableName { schema: "s".into(), table: "t".into() };
    let odd = "CREATE TABLE odd (id INT PRIMARY KEY, v WHATEVER)";
    let history = history(vec![
        (1, vec![sql(CREATE)]),
        (2, vec![sql("ALTER TABLE t ADD a INT")]),
        (3, vec![Change::Unfollowable { tables: vec![lost], reason: "lost".into() }]),
        (4, vec![sql("ALTER TABLE t DROP COLUMN v")]),
        (5, vec![sql("UPDATE t SET a = 1")]),
        (6, vec![sql("DROP TABLE t")]),
        (7, vec![sql("DROP TABLE IF EXISTS t")]),
        (8, vec![sql(odd)]),
        (9, vec![sql("ALTER TABLE never_made ADD a INT")]),
    ]);
    let line = |table: &str, text: &str, before, after| (table.to_owned(), text.to_owned(), before, after);
    let want = [
        line("t", CREATE, false, true),
        line("t", "ALTER TABLE t ADD a INT", true, true),
        line("t", "ALTER TABLE t DROP COLUMN v", false, false),
        line("t", "DROP TABLE t", false, false),
        line("odd", odd, false, false),
        line("never_made", "ALTER TABLE never_made ADD a INT", false, false),
    ];
    assert_eq!(ddl(&history, "s"), want);
    assert_eq!(ddl(&history, "other"), []);
}
