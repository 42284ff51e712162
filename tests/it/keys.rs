//! Conditions on keys as real servers carry them out: the rows that they find are those found here,
//! or the condition is refused.
//!
//! `tests/real/keys_record.py` has recorded them, tables and answers, on each server.

use dbtrail_history::key;
use dbtrail_shim::plan::charsets::{Charset, Charsets};
use dbtrail_shim::plan::{self, Context, guard};
use dbtrail_shim::statement::{ParseSettings, Statement, parse};
use dbtrail_types::agent_api::{KeyChoice, Keys, Octets};
use dbtrail_types::charset;
use dbtrail_types::column::{Column, ColumnKey, TableDefinition};
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;
use dbtrail_types::zone::Zone;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[derive(Deserialize)]
struct Table {
    #[serde(rename = "table")]
    name: String,
    key: Vec<String>,
    k: Typed,
    rows: Vec<String>,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    ty: String,
    collation: Option<String>,
}

#[derive(Deserialize)]
struct Case {
    t: String,
    s: Vec<String>,
    w: String,
    r: Option<Vec<usize>>,
}

fn column(name: &str, ty: &str, collation: Option<String>) -> Column {
    Column {
        key: ColumnKey::Primary,
        has_default: false,
        ..Column::new(name.to_owned(), ty.parse().expect("a type"), collation, false)
    }
}

fn definition(table: &Table) -> TableDefinition {
    let mut columns = Vec::new();
    for name in &table.key {
        columns.push(match name.as_str() {
            "p" => column("p", "int", None),
            _ => column("k", &table.k.ty, table.k.collation.clone()),
        });
    }
    TableDefinition { columns, primary_key: table.key.clone() }
}

/// What the SETs of a case have made of a session.
fn session(sets: &[String]) -> (&str, Charsets, Zone, ParseSettings) {
    let (mut client, mut connection) = ("utf8mb4", "utf8mb4");
    let (mut zone, mut reading) = (Zone::utc(), ParseSettings::default());
    for set in sets {
        if let Some(name) = set.strip_prefix("SET NAMES ") {
            (client, connection) = (name, name);
        } else if let Some(name) = set.strip_prefix("SET character_set_connection = ") {
            connection = name;
        } else if set.contains("time_zone") {
            zone = Zone::parse("+02:00").expect("a zone");
        } else {
            reading.ansi_quotes = set.contains("ANSI_QUOTES");
            reading.no_backslash_escapes = set.contains("NO_BACKSLASH_ESCAPES");
        }
    }
    (
        client,
        Charsets { client: Charset::named(client), connection: Charset::named(connection) },
        zone,
        reading,
    )
}

/// The keys that a condition asks for; an error: why it is refused.
fn keys(case: &Case, definition: &Arc<TableDefinition>) -> Result<Keys, String> {
    let (client, charsets, zone, reading) = session(&case.s);
    let sent: Vec<u8> = case.w.chars().map(|c| u8::try_from(u32::from(c)).expect("a byte")).collect();
    let client = if client == "binary" || sent.is_ascii() { "utf8mb4" } else { client };
    let condition = charset::decode(client, &sent).map_err(|e| e.to_string())?;
    let text = format!("SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE {condition}");
    let draft = match parse(&text, reading) {
        Statement::TimeTravel(draft) => *draft,
        other => return Err(format!("{other:?}")),
    };
    let context = Context {
        user: "app",
        host: "10.0.0.9",
        server_id: &ServerId("s".to_owned()),
        current_schema: Some("s"),
        allowed_schemas: None,
        zone: &zone,
        charsets,
        max_diff_window: Duration::from_secs(1),
        allow_wide_diff: false,
        allow_table_scan: false,
    };
    let resolved = plan::resolve(draft, &context, Timestamp::now()).map_err(|f| format!("{f:?}"))?;
    let admitted = guard::admit(&Arc::new(resolved), definition, guard::PlanSettings::of_keys(1 << 40));
    admitted.map(|a| a.keys().clone()).map_err(|f| format!("{f:?}"))
}

fn encoded(columns: &[&Column], values: &[Octets]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for (column, value) in columns.iter().zip(values) {
        key::encode(column, &value.0, &mut bytes).map_err(|e| e.to_string())?;
    }
    Ok(bytes)
}

/// The rows that the agent finds by these keys.
fn found(keys: &Keys, definition: &TableDefinition, rows: &[String]) -> Result<Vec<usize>, String> {
    let columns = definition.key_columns();
    let mut found = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let cell = Octets(row.clone().into_bytes());
        let cells = if columns.len() == 2 { vec![Octets(b"1".to_vec()), cell] } else { vec![cell] };
        let own = encoded(&columns, &cells)?;
        let wanted = match &keys.choice {
            KeyChoice::Values(values) => {
                values.iter().map(|v| encoded(&columns, v)).collect::<Result<Vec<_>, _>>()?.contains(&own)
            }
            KeyChoice::Scan(_) => return Err("a whole table was asked for".to_owned()),
            KeyChoice::Range(range) => {
                let end = |value: &Octets| {
                    encoded(
                        &columns,
                        &range.prefix.iter().cloned().chain([value.clone()]).collect::<Vec<_>>(),
                    )
                };
                let last = columns.last().expect("a key");
                if !key::is_ordered(&last.ty) {
                    return Err("no ranges".to_owned());
                }
                (end(&range.from)?..=end(&range.to)?).contains(&own)
            }
        };
        if wanted {
            found.push(at);
        }
    }
    Ok(found)
}

/// Refused, of so many; none may be wrong.
fn held_to(file: &str) -> (usize, usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys").join(file);
    let path = std::env::var("DBTRAIL_KEYS").map_or(path, |other| Path::new(&other).join(file));
    let text = std::fs::read_to_string(path).expect("recorded conditions");
    let mut tables: HashMap<String, (Table, Arc<TableDefinition>)> = HashMap::new();
    let (mut all, mut refused, mut wrong) = (0, BTreeMap::new(), Vec::new());
    for line in text.lines().skip(1) {
        if line.starts_with("{\"table\"") {
            let table: Table = serde_json::from_str(line).expect("a table");
            let definition = Arc::new(definition(&table));
            tables.insert(table.name.clone(), (table, definition));
            continue;
        }
        let case: Case = serde_json::from_str(line).expect("a condition");
        let (table, definition) = &tables[&case.t];
        all += 1;
        // Refused when the value is read, or by the agent for its collation.
        match keys(&case, definition).and_then(|keys| found(&keys, definition, &table.rows)) {
            Err(_) => *refused.entry(table.k.ty.clone()).or_insert(0) += 1,
            // Where the server has an error, no row is as good.
            Ok(rows) if case.r.as_ref().map_or(rows.is_empty(), |r| *r == rows) => {}
            Ok(rows) => {
                wrong.push(format!("{} {:?} {}: {:?}, here {rows:?}", table.k.ty, case.s, case.w, case.r));
            }
        }
    }
    assert!(wrong.is_empty(), "{file}: {} wrong, refused: {refused:?}\n{}", wrong.len(), wrong.join("\n"));
    (refused.values().sum(), all)
}

#[test]
fn keys_find_what_mysql_finds() {
    let (refused, all) = held_to("mysql-9.7.jsonl");
    assert!(refused * 100 < all * 66, "{refused} of {all} refused");
}

#[test]
fn keys_find_what_mariadb_finds() {
    let (refused, all) = held_to("mariadb-11.8.jsonl");
    assert!(refused * 100 < all * 66, "{refused} of {all} refused");
}
