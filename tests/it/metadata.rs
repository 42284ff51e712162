//! Column definitions against those of real servers (recorded by tests/real/metadata_record.py):
//! the DDL goes through the agent's catalog, its definition through the agent API to a shim, and
//! every field of every packet is compared.

mod column_packets;

use crate::support::{Agent, Outcome, Plan, Raw, Reply, certificates, every};
use column_packets::{definitions, of_prepared, of_query};
use dbtrail_history::log::{LoggedStatement, ServerVersion};
use dbtrail_history::schema::{Catalog, Effect};
use dbtrail_types::column::{Column, ColumnType, TableDefinition};
use dbtrail_types::timestamp::Timestamp;
use serde::Deserialize;
use std::path::Path;

/// Flags that are named below.
const UNSIGNED: u16 = 32;
const ON_UPDATE_NOW: u16 = 8192;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Definition {
    name: String,
    org_name: String,
    charset: u16,
    length: u32,
    kind: u8,
    flags: u16,
    decimals: u8,
}

/// A table under one character set of a client. `prepare` and `execute` are there where they differ
/// from `text`.
#[derive(Debug, Deserialize)]
struct Recorded {
    session: String,
    handshake: u8,
    says: Vec<String>,
    catalog: String,
    table: String,
    org_table: String,
    ddl: Option<String>,
    text: Vec<Definition>,
    prepare: Option<Vec<Definition>>,
    execute: Option<Vec<Definition>>,
}

fn recorded(server: &str) -> Vec<Recorded> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/metadata/{server}.jsonl"));
    let text = std::fs::read_to_string(path).expect("the recording");
    text.lines().map(|l| serde_json::from_str(l).expect("a line of the recording")).collect()
}

/// The definition that the agent tells of a table made by this statement.
fn followed(ddl: &str, mariadb: bool) -> TableDefinition {
    let mut catalog = Catalog::default();
    let mut run = |sql: &str| {
        catalog.apply(&LoggedStatement {
            schema: Some("tt".to_owned()),
            sql_mode: Some(0),
            charsets: Some((45, 45, 45)),
            default_utf8mb4: (!mariadb).then_some(255),
            explicit_timestamps: Some(true),
            ..LoggedStatement::plain(
                sql,
                ServerVersion { mariadb, number: if mariadb { (10, 11) } else { (9, 7) }, patch: 0 },
                Timestamp::from_micros(1_767_225_600_000_000),
            )
        })
    };
    run("CREATE DATABASE tt CHARACTER SET utf8mb4");
    let effects = run(ddl);
    let [Effect::Created(_, id)] = effects[..] else { panic!("{ddl}: {effects:?}") };
    TableDefinition::clone(catalog.definition(id).expect("it was just made"))
}

/// What is expected where a definition may differ from the recorded one, each difference with its
/// reason.
fn allowed(mariadb: bool, line: &Recorded, column: &Column, want: &Definition) -> Definition {
    let mut changed = want.clone();
    // An integer's display width without ZEROFILL changes no cell, MySQL 8.0.19 and later print
    // none, and definitions keep none.
    let is_width =
        |name: &str| line.org_table == "numbers" && matches!(name, "w1" | "w2" | "w3" | "w4" | "w6");
    if is_width(&column.name) {
        changed.length = match column.name.as_str() {
            "w1" | "w6" => 11,
            "w2" => 20,
            "w3" => 4,
            _ => 5,
        };
    }
    if !mariadb {
        return changed;
    }
    // The shim is a MySQL 8 to its clients: utf8mb4 without a collation is utf8mb4_0900_ai_ci
    // (255), which MariaDB does not have.
    if line.session == "utf8mb4" && changed.charset == 45 {
        changed.charset = 255;
    }
    match column.ty {
        // MariaDB declares a TIMESTAMP as UNSIGNED; a definition does not tell whose server it was.
        ColumnType::Timestamp { .. } => changed.flags &= !UNSIGNED,
        // MySQL says of a TIMESTAMP alone that it has ON UPDATE CURRENT_TIMESTAMP, MariaDB of a
        // DATETIME too.
        ColumnType::DateTime { .. } => changed.flags &= !ON_UPDATE_NOW,
        _ => {}
    }
    changed
}

/// A condition on a column that a statement about the table may name as its key.
fn condition(definition: &TableDefinition) -> Option<(String, String)> {
    definition.columns.iter().find_map(|c| {
        let literal = match c.ty {
            ColumnType::Int { .. } => "1",
            ColumnType::VarChar { .. } if c.collation.as_deref() == Some("utf8mb4_bin") => "_utf8mb4'a'",
            ColumnType::VarBinary { .. } => "x'61'",
            ColumnType::Date => "'2000-01-01'",
            _ => return None,
        };
        Some((c.name.clone(), format!("`{}` = {literal}", c.name)))
    })
}

struct Checked {
    failures: Vec<String>,
    columns: usize,
}

impl Checked {
    fn compare(
        &mut self,
        (mariadb, line, way): (bool, &Recorded, &str),
        definition: &TableDefinition,
        got: &[([String; 4], Definition)],
        want: &[Definition],
    ) {
        let position = format!("{way} of {} under {}", line.table, line.session);
        if got.len() != want.len() {
            self.failures.push(format!(
                "{position}: {} columns, and {} were recorded",
                got.len(),
                want.len()
            ));
        }
        for ((around, got), want) in got.iter().zip(want) {
            self.columns += 1;
            let schema = if way == "COM_FIELD_LIST" { "tt" } else { "_flashback" };
            let expected = [line.catalog.as_str(), schema, &line.table, &line.org_table];
            if *around != expected {
                self.failures.push(format!("{position}: {around:?}, and {expected:?} was expected"));
            }
            let column = &definition.columns[definition.position(&want.org_name).expect("a column")];
            let want = allowed(mariadb, line, column, want);
            if *got != want {
                self.failures.push(format!("{position}\n     got {got:?}\n    want {want:?}"));
            }
        }
    }
}

async fn against(server: &str, least: usize) {
    let mariadb = server.starts_with("mariadb");
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan::before(&agent, &made).start().await;
    let mut checked = Checked { failures: Vec::new(), columns: 0 };
    let (mut session, mut raw) = (String::new(), None);
    let mut queried = 0;
    // Sessions have an even number of tables each: by an odd step all of them are met.
    let step = every() | 1;
    for line in recorded(server).into_iter().step_by(step) {
        if raw.is_none() || session != line.session {
            let mut fresh = Raw::connect(shim.port).await;
            fresh.collation = line.handshake;
            assert_eq!(fresh.login("a", "secret-a", None).await.first(), Some(&0));
            for sql in &line.says {
                assert_eq!(fresh.query(sql).await, Outcome::Done(0), "{sql}");
            }
            session.clone_from(&line.session);
            raw = Some(fresh);
        }
        let raw = raw.as_mut().expect("a connection");
        // The line without DDL is an aliased select list of order_items.
        let aliased = line.ddl.is_none();
        let ddl = line.ddl.as_deref().unwrap_or(
            "CREATE TABLE order_items (order_id bigint unsigned NOT NULL, line smallint NOT NULL, \
             sku varchar(20) NOT NULL, qty int NOT NULL, PRIMARY KEY (order_id, line))",
        );
        let definition = followed(ddl, mariadb);
        let key = condition(&definition);
        let reported = TableDefinition {
            primary_key: key.iter().map(|(name, _)| name.clone()).collect(),
            ..definition.clone()
        };
        let reported = serde_json::to_string(&reported).expect("JSON");
        let inside = reported.strip_prefix('{').and_then(|t| t.strip_suffix('}')).expect("an object");
        let schemas = Reply::json(200, r#"{"success":true,"schemas":["tt"]}"#);
        let entry = format!(
            r#"{{"table":"{}","oldest":"2020-01-01T00:00:00.000000Z","newest":"2020-01-02T00:00:00.000000Z","dropped":false}}"#,
            line.table
        );
        let tables = Reply::json(200, &format!(r#"{{"success":true,"tables":[{entry}]}}"#));
        let table = Reply::json(
            200,
            &format!(
                r#"{{"success":true,"server_id":"server-a","schema":"tt","table":"{}",{inside}}}"#,
                line.table
            ),
        );
        agent.world(move |path| {
            let path = path.split('?').next().unwrap_or_default();
            let all = [("/schemas", &schemas), ("/tables", &tables)];
            all.iter()
                .find(|(end, _)| path.ends_with(end))
                .map_or_else(|| table.clone(), |(_, r)| (*r).clone())
        });
        agent.always(Reply::ndjson(&format!(
            "{{\"success\":true,{inside}}}\n{{\"end\":{{\"rows\":0,\"notes\":[]}}}}\n"
        )));
        if !aliased {
            raw.command(4, format!("{}\0", line.table).as_bytes()).await;
            let got = definitions(raw, "COM_FIELD_LIST").await;
            checked.compare((mariadb, &line, "COM_FIELD_LIST"), &definition, &got, &line.text);
        }
        let Some((_, condition)) = key else { continue };
        let (list, alias) =
            if aliased { ("b.sku AS what, order_id, `line` AS ``", " AS b") } else { ("*", "") };
        let sql = format!(
            "SELECT {list} FROM tt._flashback.{}{alias} AS OF '2020-01-01' WHERE {condition}",
            line.org_table
        );
        let sql = sql.replace("tt._flashback.", "_flashback.tt.");
        let got = of_query(raw, &sql).await;
        checked.compare((mariadb, &line, "COM_QUERY"), &definition, &got, &line.text);
        queried += 1;
        let [at_prepare, at_execute] = of_prepared(raw, &sql).await;
        let want = line.prepare.as_ref().unwrap_or(&line.text);
        checked.compare((mariadb, &line, "COM_STMT_PREPARE"), &definition, &at_prepare, want);
        let want = line.execute.as_ref().unwrap_or(&line.text);
        checked.compare((mariadb, &line, "COM_STMT_EXECUTE"), &definition, &at_execute, want);
    }
    let shown: Vec<&str> = checked.failures.iter().take(20).map(String::as_str).collect();
    assert!(shown.is_empty(), "{} differences, the first:\n{}", checked.failures.len(), shown.join("\n"));
    let enough = checked.columns >= least / (2 * step - 1) && queried >= 200 / (2 * step - 1);
    assert!(enough, "{} columns, {queried} queries", checked.columns);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ok_definitions_are_those_of_mysql_9_7() {
    against("mysql-9.7", 15_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ok_definitions_are_those_of_mariadb_10_11() {
    against("mariadb-10.11", 14_000).await;
}
