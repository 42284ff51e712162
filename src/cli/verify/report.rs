//! What `verify` tells: lines for people, or one JSON object.

use super::compare::Difference;
use dbtrail_types::names::{ServerId, TableName};
use dbtrail_types::timestamp::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

/// Differences of a table that are given.
const LISTED: usize = 50;
/// Those that are named in the reason for which the table is refused from then on.
const NAMED: usize = 3;

/// What came of a table.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub(super) enum Verdict {
    /// It is as the history says.
    Same {
        /// Rows that were compared.
        rows: u64,
    },
    /// It is not.
    Differs {
        /// Rows that were compared.
        rows: u64,
        /// How many are other ones.
        differing: usize,
        /// The first of them.
        differences: Vec<Difference>,
    },
    /// The run before, which was interrupted, has done it.
    Before,
    /// The server has it, and the history knows nothing of it.
    Unknown,
    /// It was not compared, and why.
    NotCompared {
        /// A sentence for the report.
        reason: String,
    },
}

impl Verdict {
    /// It was not compared, and why.
    pub(super) fn not(reason: String) -> Self {
        Self::NotCompared { reason }
    }

    /// It is not as the history says.
    pub(super) fn differs(rows: u64, mut differences: Vec<Difference>) -> Self {
        let differing = differences.len();
        differences.truncate(LISTED);
        Self::Differs { rows, differing, differences }
    }
}

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    server_id: ServerId,
    #[serde(serialize_with = "by_name")]
    tables: BTreeMap<TableName, Verdict>,
    /// Tables that are in doubt from now on, and since when.
    #[serde(serialize_with = "by_name")]
    in_doubt_since: BTreeMap<TableName, Timestamp>,
    notes: Vec<String>,
    /// How versions were compared otherwise than asked for.
    windows: Vec<String>,
}

fn by_name<T: Serialize, S: serde::Serializer>(
    map: &BTreeMap<TableName, T>,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_map(map.iter().map(|(name, value)| (name.to_string(), value)))
}

impl Report {
    pub(super) fn new(server_id: ServerId) -> Self {
        Self {
            server_id,
            tables: BTreeMap::new(),
            in_doubt_since: BTreeMap::new(),
            notes: Vec::new(),
            windows: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, name: TableName, reported: Verdict) {
        self.tables.insert(name, reported);
    }

    pub(super) fn has(&self, name: &TableName) -> bool {
        self.tables.contains_key(name)
    }

    pub(super) fn doubted(&mut self, name: &TableName, since: Timestamp) {
        self.in_doubt_since.insert(name.clone(), since);
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(super) fn other_window(&mut self, note: Option<String>) {
        self.windows.extend(note);
    }

    /// The tables whose rows are not those of the history.
    pub(super) fn differing(&self) -> Vec<String> {
        let differ = |(_, verdict): &(&TableName, &Verdict)| matches!(verdict, Verdict::Differs { .. });
        self.tables.iter().filter(differ).map(|(name, _)| name.to_string()).collect()
    }

    /// Lines for people about them, and about what went wrong.
    pub(super) fn differences(&self) -> Vec<String> {
        let lines = self.tables.iter().filter_map(|(name, verdict)| match verdict {
            Verdict::Differs { rows, differing, differences } => Some(format!(
                "{name}: {differing} of {rows} rows are not those of the history, {} among them; it is in doubt from now on",
                differences.first().map(|d| d.key.clone()).unwrap_or_default()
            )),
            Verdict::Same { .. } | Verdict::Before | Verdict::Unknown | Verdict::NotCompared { .. } => None,
        });
        lines.chain(self.notes.iter().cloned()).collect()
    }

    /// 0: all is as the history says. 1: something is not. 2: something was not compared.
    pub(super) fn exit_code(&self) -> u8 {
        let any = |wanted: fn(&Verdict) -> bool| self.tables.values().any(wanted);
        if any(|reported| matches!(reported, Verdict::Differs { .. } | Verdict::Unknown)) {
            1
        } else if any(|reported| matches!(reported, Verdict::NotCompared { .. })) || !self.notes.is_empty() {
            2
        } else {
            0
        }
    }

    /// To standard output.
    pub(super) fn write(&self, json: bool) -> std::io::Result<()> {
        let mut out = std::io::stdout();
        if json {
            return writeln!(out, "{}", serde_json::to_string(self)?);
        }
        for line in self.lines() {
            let clean: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            writeln!(out, "{clean}")?;
        }
        Ok(())
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, reported) in &self.tables {
            match reported {
                Verdict::Same { rows } => lines.push(format!("ok          {name}: {rows} rows")),
                Verdict::Before => lines.push(format!("ok          {name}: by the run before")),
                Verdict::Unknown => lines.push(format!(
                    "DIFFERENCE  {name}: the server has this table, and the history knows nothing of it"
                )),
                Verdict::NotCompared { reason } => lines.push(format!("NOT         {name}: {reason}")),
                Verdict::Differs { rows, differing, differences } => {
                    lines.push(format!("DIFFERENCE  {name}: {differing} of {rows} rows"));
                    lines.extend(differences.iter().map(|d| format!("            {}: {}", d.key, d.what)));
                    if let Some(since) = self.in_doubt_since.get(name) {
                        lines.push(format!(
                            "            it is in doubt from {since} up to now; its record begins again"
                        ));
                    }
                }
            }
        }
        lines.extend(self.windows.iter().chain(&self.notes).map(|note| format!("NOTE        {note}")));
        lines
    }
}

/// For whoever asks for the table from then on.
pub(super) fn reason(differences: &[Difference]) -> String {
    let named = differences.iter().take(NAMED).map(|d| format!("{}: {}", d.key, d.what));
    let named = named.collect::<Vec<_>>().join("; ");
    let more = differences.len().saturating_sub(NAMED);
    let more = if more > 0 { format!("; and {more} rows more") } else { String::new() };
    let text = format!("`verify` found that the server's rows are not those of the history: {named}{more}");
    text.chars().take(dbtrail_types::doubt::MOST_REASON).collect()
}
