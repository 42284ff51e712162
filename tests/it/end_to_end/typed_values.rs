//! Typed values of prepared statements.

use super::{chain, connect};
use dbtrail_types::float_text::float_text;
use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::prelude::Queryable;
use mysql_async::{Column, Value};
use std::path::Path;

/// A typed value as the text that the record has; `want` is that text, for numbers that have
/// several.
fn text_of(value: Value, column: &Column, want: &str) -> Vec<u8> {
    let digits = |micros: u32| match usize::from(column.decimals()) {
        0 => String::new(),
        n => format!(".{}", &format!("{micros:06}")[..n]),
    };
    let padded = |number: String| {
        let zerofill = column.flags().contains(ColumnFlags::ZEROFILL_FLAG);
        let width = if zerofill { usize::try_from(column.column_length()).expect("a width") } else { 0 };
        format!("{number:0>width$}")
    };
    let text = match value {
        Value::Bytes(bytes) => return bytes,
        Value::Int(n) => padded(n.to_string()),
        Value::UInt(n) => padded(n.to_string()),
        // The record has the six digits that mysqld prints.
        Value::Float(n) => float_text(n),
        // The same number, however it is written.
        Value::Double(n) if want.parse() == Ok(n) => want.to_owned(),
        Value::Date(y, m, d, ..) if column.column_type() == ColumnType::MYSQL_TYPE_DATE => {
            format!("{y:04}-{m:02}-{d:02}")
        }
        Value::Date(y, m, d, h, mi, s, micros) => {
            format!("{y:04}-{m:02}-{d:02} {h:02}:{mi:02}:{s:02}{}", digits(micros))
        }
        Value::Time(negative, days, h, m, s, micros) => {
            let sign = if negative { "-" } else { "" };
            format!("{sign}{:02}:{m:02}:{s:02}{}", days * 24 + u32::from(h), digits(micros))
        }
        other => panic!("{other:?} for {want}"),
    };
    text.into_bytes()
}

/// A cell of the record: text, bytes or NULL.
fn recorded(cell: &serde_json::Value) -> Option<Vec<u8>> {
    match cell {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone().into_bytes()),
        other => {
            let hex = other["hex"].as_str().expect("bytes in hexadecimal digits");
            let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("a byte");
            Some((0..hex.len()).step_by(2).map(byte).collect())
        }
    }
}

/// Every row of every table of every tick by a prepared statement, with instant and key as
/// parameters: typed values, cell by cell.
async fn typed(fixture: &str) {
    let chain = chain(fixture).await;
    let mut conn = connect(&chain, "app").await;
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(fixture).join("truth.jsonl"),
    );
    let (mut compared, mut refused) = (0, Vec::new());
    for tick in text.expect("a record").lines() {
        let tick: serde_json::Value = serde_json::from_str(tick).expect("JSON");
        let as_of = Value::from(tick["as_of"].as_str().expect("text"));
        for (table, state) in tick["tables"].as_object().expect("tables") {
            let names: Vec<String> = serde_json::from_value(state["columns"].clone()).expect("names");
            let key: Vec<String> = serde_json::from_value(state["pk"].clone()).expect("names");
            let bound: Vec<String> = key.iter().map(|name| format!("`{name}` = ?")).collect();
            let sql = format!("SELECT * FROM _flashback.`{table}` AS OF ? WHERE {}", bound.join(" AND "));
            let statement = match conn.prep(&sql).await {
                Ok(statement) => statement,
                Err(e) => {
                    refused.push(format!("{sql}: {e}"));
                    continue;
                }
            };
            assert_eq!(usize::from(statement.num_params()), key.len() + 1, "{sql}");
            for row in state["rows"].as_array().expect("rows") {
                let mut values = vec![as_of.clone()];
                for name in &key {
                    let cell = &row[names.iter().position(|n| n == name).expect("a key column")];
                    let numeric = statement
                        .columns()
                        .iter()
                        .any(|c| c.name_str() == *name && c.column_type().is_numeric_type());
                    let cell = recorded(cell).expect("a key");
                    let number = std::str::from_utf8(&cell).ok().and_then(|t| t.parse::<i128>().ok());
                    values.push(match number.filter(|_| numeric) {
                        Some(n) if n < 0 => Value::Int(i64::try_from(n).expect("an integer")),
                        Some(n) => Value::UInt(u64::try_from(n).expect("an integer")),
                        None => Value::Bytes(cell),
                    });
                }
                let got: Vec<mysql_async::Row> = match conn.exec(&statement, values.clone()).await {
                    Ok(got) => got,
                    Err(mysql_async::Error::Server(e)) => {
                        refused.push(format!("{sql} {values:?}: {e}"));
                        continue;
                    }
                    Err(e) => panic!("{sql} {values:?}: {e}"),
                };
                assert_eq!(got.len(), 1, "{sql} {values:?}");
                let columns = got[0].columns();
                let wanted: Vec<Option<Vec<u8>>> =
                    row.as_array().expect("cells").iter().map(recorded).collect();
                assert_eq!(columns.len(), wanted.len(), "{sql}");
                let cells = got.into_iter().flat_map(mysql_async::Row::unwrap);
                for ((value, column), want) in cells.zip(columns.iter()).zip(wanted) {
                    let shown = String::from_utf8_lossy(want.as_deref().unwrap_or_default()).into_owned();
                    let got = (value != Value::NULL).then(|| text_of(value, column, &shown));
                    assert_eq!(got, want, "{sql} {values:?}: {}", column.name_str());
                    compared += 1;
                }
            }
        }
    }
    assert!(refused.is_empty(), "{} refused: {:#?}", refused.len(), &refused[..refused.len().min(5)]);
    assert!(compared > 1000, "only {compared} cells compared");
}

#[tokio::test]
async fn a_prepared_statement_sees_what_mysql_said() {
    typed("mysql-9.7").await;
}

#[tokio::test]
async fn a_prepared_statement_sees_what_mariadb_said() {
    typed("mariadb-10.11").await;
}
