//! DDL statements against what `information_schema.COLUMNS` of real servers said of the table after
//! each (recorded by tests/real/ddl.py).

#![expect(clippy::wildcard_enum_match_arm, reason = "the effects that are not asked for")]

use dbtrail_history::History;
use dbtrail_history::log::{LoggedStatement, ServerVersion};
use dbtrail_history::query::Reading;
use dbtrail_history::schema::{Catalog, DefinitionId, Effect};
use dbtrail_types::agent_api::{KeyChoice, Keys, Octets, RowsRequest};
use dbtrail_types::column::{ColumnKey, ColumnType};
use dbtrail_types::names::{ServerId, TableName};
use dbtrail_types::timestamp::{AsOf, Timestamp};
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;

const PLAIN: &str = "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a INT, b VARCHAR(20), c CHAR(5), d DECIMAL(10,4), w DATETIME(6), \
    e ENUM('x','y','z'), s SET('p','q'), x TEXT, y BLOB, n SMALLINT UNSIGNED NOT NULL DEFAULT 7)";
const GENERATED: &str = "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a INT, b VARCHAR(20), c CHAR(5), d DECIMAL(10,4), w DATETIME(6), \
    e ENUM('x','y','z'), s SET('p','q'), x TEXT, y BLOB, n SMALLINT UNSIGNED NOT NULL DEFAULT 7, \
    g INT AS (a * 2) VIRTUAL, h VARCHAR(60) AS (CONCAT(d, '|', b)) STORED)";

/// Statements that make the table unreadable, because what they do to rows is not in the log.
const REFUSED: &[&str] = &[];

#[derive(Deserialize)]
struct Recorded {
    base: String,
    schema: String,
    statement: String,
    /// Name, type, collation, nullable, key, extra, default.
    columns: Vec<[Option<String>; 7]>,
}

struct Server {
    version: ServerVersion,
    catalog: Catalog,
    schema: String,
}

impl Server {
    fn new(mariadb: bool, schema: &str) -> Self {
        let number = if mariadb { (10, 11) } else { (9, 7) };
        Self {
            version: ServerVersion { mariadb, number, patch: 0 },
            catalog: Catalog::default(),
            schema: schema.to_owned(),
        }
    }

    fn run(&mut self, sql: &str) -> Vec<Effect> {
        self.catalog.apply(&LoggedStatement {
            schema: Some(self.schema.clone()),
            sql_mode: Some(0),
            charsets: Some((45, 45, 45)),
            default_utf8mb4: (!self.version.mariadb).then_some(255),
            explicit_timestamps: (!self.version.mariadb).then_some(true),
            ..LoggedStatement::plain(sql, self.version, Timestamp::from_micros(1_767_225_600_000_000))
        })
    }

    fn table(&self) -> TableName {
        TableName { schema: self.schema.clone(), table: "t".to_owned() }
    }

    fn definition(&self, effects: &[Effect]) -> Option<DefinitionId> {
        effects.iter().rev().find_map(|effect| match effect {
            Effect::Created(name, id) | Effect::Altered(name, id) if *name == self.table() => Some(*id),
            Effect::Created(..)
            | Effect::Altered(..)
            | Effect::Dropped(_)
            | Effect::Truncated(_)
            | Effect::Renamed { .. }
            | Effect::RowsUnknown(..)
            | Effect::PartitionsEmptied(..)
            | Effect::RowsMoved(_)
            | Effect::Unreadable(..)
            | Effect::SchemaDropped(_)
            | Effect::UnreadableAll { .. } => None,
        })
    }
}

/// What differs between the definition that was followed and the server's own; empty: nothing.
fn differences(server: &Server, id: DefinitionId, recorded: &Recorded) -> Vec<String> {
    let definition = server.catalog.definition(id).expect("it was just made");
    let names: Vec<&str> = recorded.columns.iter().map(|c| c[0].as_deref().unwrap_or("")).collect();
    let followed: Vec<&str> = definition.columns.iter().map(|c| c.name.as_str()).collect();
    if names != followed {
        return vec![format!("columns {followed:?}, and the server has {names:?}")];
    }
    let mut found = Vec::new();
    for ([_, ty, collation, nullable, key, extra, default], column) in
        recorded.columns.iter().zip(&definition.columns)
    {
        let (extra, nullable) = (extra.as_deref().unwrap_or(""), nullable.as_deref() == Some("YES"));
        let ty: ColumnType = ty.as_deref().unwrap_or("").parse().expect("a type of the server");
        let key = match key.as_deref() {
            Some("PRI") => ColumnKey::Primary,
            Some("UNI") => ColumnKey::Unique,
            Some("MUL") => ColumnKey::Multiple,
            _ => ColumnKey::None,
        };
        // MariaDB writes the NULL that is the default, MySQL leaves it out.
        let has_default = nullable || default.is_some() || extra.contains("auto_increment");
        let generated = extra.contains("GENERATED") && !extra.contains("DEFAULT_GENERATED");
        let mut check = |same: bool, what: &str, ours: String, theirs: String| {
            if !same {
                found.push(format!("{} of {}: {ours}, and the server has {theirs}", what, column.name));
            }
        };
        check(ty == column.ty, "type", column.ty.to_string(), ty.to_string());
        check(
            *collation == column.collation,
            "collation",
            format!("{:?}", column.collation),
            format!("{collation:?}"),
        );
        check(nullable == column.nullable, "NULL", column.nullable.to_string(), nullable.to_string());
        check(key == column.key, "key", format!("{:?}", column.key), format!("{key:?}"));
        if !generated {
            check(
                has_default == column.has_default,
                "default",
                column.has_default.to_string(),
                has_default.to_string(),
            );
        }
        let auto = extra.contains("auto_increment");
        check(
            auto == column.auto_increment,
            "AUTO_INCREMENT",
            column.auto_increment.to_string(),
            auto.to_string(),
        );
        let invisible = extra.contains("INVISIBLE");
        check(
            invisible == column.invisible,
            "INVISIBLE",
            column.invisible.to_string(),
            invisible.to_string(),
        );
        let on_update = extra.to_lowercase().contains("on update");
        check(
            on_update == column.on_update_now,
            "ON UPDATE",
            column.on_update_now.to_string(),
            on_update.to_string(),
        );
    }
    found
}

fn replay(file: &str, mariadb: bool) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ddl").join(file);
    let text = std::fs::read_to_string(path).expect("the recording");
    let mut wrong = Vec::new();
    let mut followed = 0;
    for line in text.lines() {
        let recorded: Recorded = serde_json::from_str(line).expect("a line of the recording");
        let mut server = Server::new(mariadb, &recorded.schema);
        server.run(&format!("CREATE DATABASE {} CHARACTER SET utf8mb4", recorded.schema));
        let base = server.run(if recorded.base == "plain" { PLAIN } else { GENERATED });
        let base = server.definition(&base).expect("the table is made");
        let effects = server.run(&recorded.statement);
        let table = server.table();
        let unreadable = effects.iter().any(|e| match e {
            Effect::Unreadable(name, _) => *name == table,
            Effect::UnreadableAll { .. } => true,
            _ => false,
        });
        let statement = &recorded.statement;
        if unreadable != REFUSED.contains(&statement.as_str()) {
            wrong.push(format!("{statement}\n    {effects:?}"));
        } else if recorded.columns.is_empty() {
            let gone = effects.iter().any(|e| match e {
                Effect::Dropped(name) | Effect::Renamed { from: name, .. } => *name == table,
                _ => false,
            });
            if !gone {
                wrong.push(format!("{statement}\n    the table is gone, and {effects:?}"));
            }
        } else if !unreadable {
            let id = server.definition(&effects).unwrap_or(base);
            let found = differences(&server, id, &recorded);
            if !found.is_empty() {
                wrong.push(format!("{statement}\n    {}", found.join("\n    ")));
            }
        }
        followed += 1;
    }
    assert!(wrong.is_empty(), "{} of {followed} statements:\n{}", wrong.len(), wrong.join("\n"));
    assert!(followed >= 150, "only {followed} statements were recorded");
}

#[test]
fn mysql_definitions_after_ddl() {
    replay("mysql-9.7.jsonl", false);
}

#[test]
fn mariadb_definitions_after_ddl() {
    replay("mariadb-10.11.jsonl", true);
}

/// MariaDB 11.8.9: a failed `CREATE OR REPLACE TABLE t ... SELECT` of t at 16725, after t and u
/// were filled, and of u at 16727.
#[test]
fn a_create_or_replace_that_failed_has_dropped_the_table() {
    let log = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ddl/failed-replace-mariadb-11.8.binlog");
    let server = ServerId("x".to_owned());
    let history = Arc::new(History::read(server.clone(), &[log]).expect("a record"));
    let ask = |table: &str, number: u32| {
        let one = vec![Octets(b"1".to_vec())];
        let request = RowsRequest {
            server_id: server.clone(),
            schema: "cor".to_owned(),
            table: table.to_owned(),
            keys: Keys { columns: vec!["id".to_owned()], choice: KeyChoice::Values(vec![one]) },
            at: AsOf::Gtid(format!("0-34002-{number}")),
            filter: None,
            limit: None,
        };
        let answer = history.rows(&request, Reading::Snapshot).map_err(|refusal| refusal.message)?;
        let text: Vec<u8> = answer.flat_map(|lines| lines.expect("lines")).collect();
        Ok::<String, String>(String::from_utf8_lossy(&text).into_owned())
    };
    assert!(ask("t", 16_724).expect("the row").contains("[\"1\",\"1\"]"));
    assert!(ask("t", 16_725).expect_err("t is gone").contains("does not exist"));
    assert!(ask("u", 16_725).is_ok() && ask("u", 16_726).is_ok());
    assert!(ask("u", 16_727).expect_err("u is gone").contains("does not exist"));
}
