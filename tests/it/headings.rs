//! Columns of a result are kept from one statement to the next: each statement gets its own
//! nevertheless.

use super::support::{Outcome, Raw, pair};

/// Schema, table, its own name, column, its own name, and the collation id.
type ColumnHeading = (String, String, String, String, String, u16);

/// A column definition, taken apart.
fn column_heading(packet: &[u8]) -> ColumnHeading {
    let mut rest = packet;
    let mut texts: Vec<String> = Vec::new();
    for _ in 0..6 {
        let (text, following) = rest[1..].split_at(usize::from(rest[0]));
        texts.push(String::from_utf8(text.to_vec()).expect("UTF-8"));
        rest = following;
    }
    let collation = u16::from_le_bytes([rest[1], rest[2]]);
    let mut texts = texts.into_iter().skip(1);
    let mut next = || texts.next().expect("a text");
    (next(), next(), next(), next(), next(), collation)
}

/// The columns of a statement, whose rows are read too.
async fn heading(client: &mut Raw, sql: &str) -> Vec<ColumnHeading> {
    client.send(sql).await;
    let count = client.read().await.expect("a count")[0];
    let mut columns = Vec::new();
    for _ in 0..count {
        columns.push(column_heading(&client.read().await.expect("a column")));
    }
    // The end of the columns, rows, the end of the rows.
    client.read().await.expect("an end");
    while client.read().await.expect("a row or the end").first() != Some(&0xfe) {}
    columns
}

#[tokio::test]
async fn a_statement_is_reported_its_own_columns_whatever_came_before() {
    let (_agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let all = "SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id IN (1, 2, 3)";
    let column = |schema: &str, table: &str, name: &str, own: &str, collation| {
        let [schema, table, name, own] = [schema, table, name, own].map(str::to_owned);
        (schema, table, "t".to_owned(), name, own, collation)
    };
    let plain = vec![column("_flashback", "t", "id", "id", 63), column("_flashback", "t", "v", "v", 45)];
    let latin = vec![column("_flashback", "t", "id", "id", 63), column("_flashback", "t", "v", "v", 8)];
    for (sql, want) in [
        (all, plain.clone()),
        (all, plain.clone()),
        (
            "SELECT * FROM _flashback.t AS OF '2020-01-01' x WHERE id IN (1, 2, 3)",
            vec![column("_flashback", "x", "id", "id", 63), column("_flashback", "x", "v", "v", 45)],
        ),
        (
            "SELECT * FROM _snapshot.t AS OF '2020-01-01' WHERE id IN (1, 2, 3)",
            vec![column("_snapshot", "t", "id", "id", 63), column("_snapshot", "t", "v", "v", 45)],
        ),
        (
            "SELECT v AS w, id FROM _flashback.t AS OF '2020-01-01' WHERE id IN (1, 2, 3)",
            vec![column("_flashback", "t", "w", "v", 45), column("_flashback", "t", "id", "id", 63)],
        ),
        (
            "SELECT v, id FROM _flashback.t AS OF '2020-01-01' WHERE id IN (1, 2, 3)",
            vec![column("_flashback", "t", "v", "v", 45), column("_flashback", "t", "id", "id", 63)],
        ),
        (all, plain.clone()),
    ] {
        assert_eq!(heading(&mut client, sql).await, want, "{sql}");
    }
    // The same columns in another character set.
    assert!(matches!(client.query("SET NAMES latin1").await, Outcome::Done(0)));
    assert_eq!(heading(&mut client, all).await, latin);
    assert!(matches!(client.query("SET NAMES utf8mb4 COLLATE utf8mb4_general_ci").await, Outcome::Done(0)));
    assert_eq!(heading(&mut client, all).await, plain);
}
