//! Recorded scenarios, step by step.

use dbtrail_history::History;
use dbtrail_history::query::Reading;
use dbtrail_types::agent_api::{DiffRequest, KeyChoice, Keys, Octets, RowsRequest};
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::AsOf;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

pub(super) const KINDS: [&str; 4] = ["mysql-9.7", "mysql-9.7-native", "mariadb-11.8", "mariadb-10.11"];

#[derive(Deserialize)]
pub(super) struct Step {
    pub(super) statement: String,
    pub(super) gtid: String,
    pub(super) tables: BTreeMap<String, Table>,
}

#[derive(Deserialize)]
pub(super) struct Table {
    pub(super) columns: Vec<String>,
    pub(super) primary_key: Vec<String>,
    pub(super) rows: Vec<Vec<Option<String>>>,
}

impl Table {
    pub(super) fn keys(&self) -> impl Iterator<Item = Vec<String>> {
        let positions: Vec<usize> =
            self.primary_key.iter().filter_map(|k| self.columns.iter().position(|c| c == k)).collect();
        self.rows
            .iter()
            .map(move |row| positions.iter().map(|i| row[*i].clone().unwrap_or_default()).collect())
    }
}

pub(super) struct Recorded {
    kind: &'static str,
    history: Arc<History>,
    pub(super) steps: Vec<Step>,
}

pub(super) fn recorded(kind: &'static str, scenario: &str) -> Option<Recorded> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/silent").join(kind);
    let text = std::fs::read_to_string(folder.join(format!("{scenario}.json"))).ok()?;
    let log = folder.join(format!("{scenario}.binlog"));
    let history = History::read(ServerId("x".into()), &[log]).expect("the log is read");
    Some(Recorded {
        kind,
        history: Arc::new(history),
        steps: serde_json::from_str(&text).expect("what was recorded"),
    })
}

pub(super) fn lines(
    answer: impl Iterator<Item = Result<Vec<u8>, dbtrail_history::query::Refusal>>,
) -> Vec<Value> {
    let bytes: Vec<u8> = answer.flat_map(|chunk| chunk.expect("an answer that began ends")).collect();
    let text = String::from_utf8(bytes).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("a line")).collect()
}

fn keys_of(columns: &[String], key: &[String]) -> Keys {
    let values = vec![key.iter().map(|part| Octets(part.as_bytes().to_vec())).collect()];
    Keys { columns: columns.to_vec(), choice: KeyChoice::Values(values) }
}

impl Recorded {
    /// Columns and rows under one key after a step.
    pub(super) fn row(
        &self,
        step: &Step,
        table: &str,
        key: &[String],
    ) -> Result<(Value, Vec<Value>), String> {
        let request = RowsRequest {
            server_id: ServerId("x".into()),
            schema: "silent".into(),
            table: table.into(),
            keys: keys_of(&step.tables[table].primary_key, key),
            at: AsOf::Gtid(step.gtid.clone()),
            filter: None,
            limit: None,
        };
        let answer = self.history.rows(&request, Reading::Snapshot).map_err(|refused| refused.message)?;
        let mut lines = lines(answer);
        let head = lines.remove(0);
        lines.pop();
        // What `SELECT *` shows.
        let columns = head["columns"].as_array().expect("columns");
        let shown = |i: &usize| columns[*i]["invisible"] != Value::Bool(true);
        let positions: Vec<usize> = (0..columns.len()).filter(shown).collect();
        let names = positions.iter().map(|i| columns[*i]["name"].clone()).collect();
        let cells = |line: Value| Value::Array(positions.iter().map(|i| line[*i].clone()).collect());
        Ok((Value::Array(names), lines.into_iter().map(cells).collect()))
    }

    /// Asks every key that a table ever had, after every statement. Gives how many answers were
    /// right, and the refusals with table, key and statement; a wrong answer fails.
    pub(super) fn answers(&self) -> (usize, Vec<(String, String)>) {
        let mut ever: BTreeMap<&str, BTreeSet<Vec<String>>> = BTreeMap::new();
        for (name, table) in self.steps.iter().flat_map(|s| &s.tables) {
            ever.entry(name).or_default().extend(table.keys());
        }
        let (mut right, mut refused) = (0, Vec::new());
        for step in &self.steps {
            for (name, table) in &step.tables {
                if table.primary_key.is_empty() {
                    continue;
                }
                for key in &ever[name.as_str()] {
                    let wanted: Vec<Value> = table
                        .rows
                        .iter()
                        .zip(table.keys())
                        .filter(|(_, k)| k == key)
                        .map(|(row, _)| serde_json::json!(row))
                        .collect();
                    let at = format!("{}: {name} {key:?} after {}", self.kind, step.statement);
                    match self.row(step, name, key) {
                        Ok((columns, rows)) => {
                            assert_eq!(rows, wanted, "{at}");
                            assert!(
                                rows.is_empty() || columns == serde_json::json!(table.columns),
                                "{at}: {columns}"
                            );
                            right += 1;
                        }
                        Err(why) => refused.push((name.clone(), format!("{at}: {why}"))),
                    }
                }
            }
        }
        (right, refused)
    }

    /// Whole life of a row: type, whether derived, before and after.
    pub(super) fn changes(&self, table: &str, key: &[&str]) -> Vec<Value> {
        let key: Vec<String> = key.iter().map(ToString::to_string).collect();
        let named = self.steps.iter().rev().find_map(|s| s.tables.get(table)).expect("it is there");
        let coverage = self.history.coverage();
        let request = DiffRequest {
            server_id: ServerId("x".into()),
            schema: "silent".into(),
            table: table.into(),
            keys: keys_of(&named.primary_key, &key),
            since: Some(coverage.oldest),
            until: Some(coverage.newest),
            transaction: None,
            filter: None,
            limit: None,
            connection_names: false,
        };
        let mut lines = lines(self.history.diff(&request).expect("an answer"));
        lines.pop();
        let events = lines.iter().map(|l| &l["event"]).filter(|e| e.is_object());
        let shown = |e: &Value| serde_json::json!([e["event_type"], e["derived"], e["before"], e["after"]]);
        events.map(shown).collect()
    }
}
