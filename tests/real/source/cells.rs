//! Cells that are read from tables are those that the log has of the same rows.

use super::harness::{Captured, config, entries, mariadb, sql};
use dbtrail_history::capture::{BaselineJob, CaptureCommand};
use dbtrail_history::log::Change;
use dbtrail_history::schema::{Catalog, DefinitionId, Effect};
use dbtrail_history::store::GenerationId;
use dbtrail_history::value;
use dbtrail_types::column::TableDefinition;
use dbtrail_types::names::TableName;
use dbtrail_types::result_set::{Cell, Row};
use std::sync::Arc;

/// The definition of a table, and its rows as the log has them, in the order in which they were
/// inserted.
pub(super) async fn logged(name: &TableName) -> (Arc<TableDefinition>, Vec<Row>) {
    let mut catalog = Catalog::default();
    let mut definition = None;
    let mut rows = Vec::new();
    for change in entries().await.iter().flat_map(|e| e.changes.in_memory()) {
        match change {
            Change::Statement(statement) => {
                // Of an earlier table of this name.
                let made = |e: &Effect| matches!(e, Effect::Created(n, _) if n == name);
                if catalog.apply(statement).iter().any(made) {
                    rows.clear();
                }
            }
            Change::Rows(event) if event.table.name == *name => {
                let id = catalog.reconcile_table_map(&event.table).expect("a definition");
                let known = Arc::clone(catalog.definition(id).expect("it is known"));
                let mut images = event.rows();
                while images.step().expect("an image that can be read") {
                    let image = images.after().expect("only inserted");
                    let cells = image.iter().zip(&known.columns).map(|(raw, column)| {
                        let raw = raw.as_ref().expect("the full image");
                        value::cell(raw, column).unwrap_or_else(|e| panic!("{name}: {e}"))
                    });
                    rows.push(cells.collect());
                }
                definition = Some(known);
            }
            Change::Rows(_) | Change::Unfollowable { .. } => {}
        }
    }
    (definition.expect("rows were inserted"), rows)
}

/// The rows as the source reads them, and in how many messages. A chunk begins with the row at
/// which the one before it ended; that row is given once.
pub(super) async fn read(
    name: &TableName,
    definition: &Arc<TableDefinition>,
    chunk: u32,
) -> (Vec<Row>, usize) {
    let mut config = config();
    config.chunk = chunk;
    let mut captured = Captured::new(config, None);
    captured.started().await;
    captured.jobs.push_back(BaselineJob {
        primary: true,
        name: name.clone(),
        generation: GenerationId(5),
        definition: DefinitionId(7),
        columns: Arc::clone(definition),
        last_key: None,
        held: false,
    });
    captured.commands.send(CaptureCommand::Baseline).await.unwrap();
    captured.until(|c| c.jobs.is_empty()).await;
    let messages = std::mem::take(&mut captured.baseline);
    captured.stop().await;
    let count = messages.len();
    let mut rows: Vec<Row> = Vec::new();
    for message in messages {
        let again = usize::from(rows.last().is_some_and(|last| message.what.rows.first() == Some(last)));
        rows.extend(message.what.rows.into_iter().skip(again));
    }
    (rows, count)
}

fn shown(cell: &Cell) -> String {
    cell.as_ref().map_or_else(|| "NULL".to_owned(), |c| String::from_utf8_lossy(c).into_owned())
}

/// Columns, each with values that have bitten somebody.
const BOTH: &[(&str, &[&str])] = &[
    ("TINYINT", &["-128", "127", "NULL"]),
    ("BIGINT UNSIGNED", &["18446744073709551615", "9007199254740993"]),
    ("BIGINT", &["-9223372036854775808", "9223372036854775807"]),
    ("INT(6) ZEROFILL", &["42", "1234567"]),
    ("MEDIUMINT UNSIGNED", &["16777215", "0"]),
    (
        "DECIMAL(65,30)",
        &[
            "12345678901234567890123456789012345.123456789012345678901234567890",
            "-0.000000000000000000000000000001",
            "0",
        ],
    ),
    ("DECIMAL(10,2) ZEROFILL", &["3.1", "0"]),
    ("FLOAT", &["0.1", "1234567.8", "3.4028235e38", "1.4e-45", "-0.0", "16777217", "1e-7", "33554432.5"]),
    ("FLOAT(10,3)", &["0.1", "1234567.8", "-0.0004", "16777217"]),
    (
        "DOUBLE",
        &[
            "0.1",
            "1.7976931348623157e308",
            "5e-324",
            "-0.0",
            "1e15",
            "1e16",
            "123456789012345680",
            "0.30000000000000004",
        ],
    ),
    ("DOUBLE(20,4)", &["0.1", "123456789012.34567", "-0.00001"]),
    ("BIT(1)", &["b'0'", "b'1'"]),
    ("BIT(17)", &["b'10000000000000001'", "0"]),
    ("BIT(64)", &["18446744073709551615", "NULL"]),
    ("YEAR", &["2026", "'0000'", "1901", "2155"]),
    ("DATE", &["'2026-04-27'", "'0000-00-00'", "'9999-12-31'", "'1000-01-01'", "'2026-00-00'"]),
    ("TIME", &["'-838:59:59'", "'838:59:59'", "'00:00:00'", "'-00:00:01'"]),
    ("TIME(6)", &["'-00:00:00.000001'", "'12:34:56.789'", "'838:59:58.999999'"]),
    ("TIME(1)", &["'-01:02:03.4'"]),
    ("DATETIME", &["'2026-04-27 09:00:00'", "'0000-00-00 00:00:00'"]),
    ("DATETIME(3)", &["'2026-04-27 09:00:00.12'", "'9999-12-31 23:59:59.999'"]),
    ("TIMESTAMP NULL", &["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'0000-00-00 00:00:00'", "NULL"]),
    ("TIMESTAMP(6) NULL", &["'2026-10-25 01:30:00.000001'"]),
    ("CHAR(5)", &["'ab  '", "''", "'äöü€x'", "'  a'"]),
    ("CHAR(5) CHARACTER SET latin1", &["'äöü€'", "'a '"]),
    ("VARCHAR(20)", &["'ab  '", "''", "'😀'", "'a\\0b'", "'NULL'", "NULL"]),
    ("VARCHAR(20) CHARACTER SET utf16", &["'a😀b'"]),
    ("VARCHAR(5000)", &["REPEAT('é', 2000)"]),
    ("TINYTEXT", &["'x '"]),
    ("LONGTEXT", &["REPEAT('ab', 70000)", "''"]),
    ("BINARY(4)", &["'ab'", "X'00ff0000'", "''", "X'61626320'"]),
    ("VARBINARY(20)", &["X'00ff00'", "'ab  '", "''"]),
    ("BLOB", &["X'fffefd'", "REPEAT(X'00', 300)"]),
    ("ENUM('a','b c','','é')", &["'é'", "1", "''", "NULL"]),
    ("SET('x','y','ü')", &["'x,ü'", "''", "7"]),
    (
        "GEOMETRY",
        &["ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('POLYGON((0 0,0 1,1 1,0 0))', 4326)", "NULL"],
    ),
    ("POINT", &["ST_GeomFromText('POINT(-1.5 2e10)')"]),
    ("JSON", &["'{\"b\": 1, \"a\": [1.0, true, null, \"é\"]}'", "'[]'", "NULL", "'1e2'"]),
];

const MARIADB: &[(&str, &[&str])] = &[
    ("UUID", &["'0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b'", "NULL"]),
    ("INET4", &["'1.2.3.4'", "'0.0.0.0'"]),
    ("INET6", &["'::1'", "'ec14::a11d:0:1ef2:552b:f927'", "'::ffff:1.2.3.4'"]),
];

const MYSQL: &[(&str, &[&str])] = &[
    ("VECTOR(3)", &["STRING_TO_VECTOR('[1,-2.5,3e10]')"]),
    (
        "JSON",
        &[
            "JSON_OBJECT('d', CAST(1.50 AS DECIMAL(5,2)), 't', CAST('2026-04-27 09:00:00' AS DATETIME(6)), 'b', X'00ff')",
        ],
    ),
];

#[tokio::test]
async fn cells_are_those_of_the_log() {
    let own = if mariadb().await { MARIADB } else { MYSQL };
    let columns: Vec<_> = BOTH.iter().chain(own).collect();
    let declared: Vec<String> = columns.iter().enumerate().map(|(i, (ty, _))| format!("c{i} {ty}")).collect();
    sql(&[
        "DROP DATABASE IF EXISTS cells",
        "CREATE DATABASE cells DEFAULT CHARACTER SET utf8mb4",
        &format!("CREATE TABLE cells.t (id INT PRIMARY KEY, {}) ROW_FORMAT=DYNAMIC", declared.join(", ")),
    ])
    .await;
    let mut inserts =
        vec!["SET NAMES utf8mb4".to_owned(), "SET sql_mode = '', time_zone = '+00:00'".to_owned()];
    let most = columns.iter().map(|(_, values)| values.len()).max().unwrap();
    for i in 0..most {
        let values: Vec<&str> = columns.iter().map(|(_, values)| values[i % values.len()]).collect();
        inserts.push(format!("INSERT INTO cells.t VALUES ({i}, {})", values.join(", ")));
    }
    sql(&inserts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let name = TableName { schema: "cells".into(), table: "t".into() };
    let (definition, logged) = logged(&name).await;
    assert_eq!(logged.len(), most);
    let (read, messages) = read(&name, &definition, 3).await;
    assert!(messages > 2, "{messages}");
    assert_eq!(read.len(), logged.len());
    let mut wrong = Vec::new();
    for (reported, log) in read.iter().zip(&logged) {
        for ((column, a), b) in definition.columns.iter().zip(reported).zip(log) {
            if a != b {
                wrong.push(format!("{} {}: read {}, logged {}", column.name, column.ty, shown(a), shown(b)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
