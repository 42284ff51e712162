//! The file that keeps how far a run has come, and when each table was true last.

use dbtrail_types::agent_api::Octets;
use dbtrail_types::names::{ServerId, TableName};
use dbtrail_types::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct StateFile {
    server_id: String,
    /// By `schema.table`.
    tables: BTreeMap<String, Table>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Table {
    /// When it was begun the last time that all of it was true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verified: Option<Timestamp>,
    /// When this run began it: what is done before an interruption is true as of then, and not as
    /// of when the run went on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begun: Option<Timestamp>,
    /// This run has done it.
    #[serde(default)]
    done: bool,
    /// How far this run is: the last value of the first key column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<Octets>,
}

/// The file; without one nothing is kept.
#[derive(Debug)]
pub(super) struct State {
    path: Option<PathBuf>,
    kept: StateFile,
}

impl State {
    pub(super) fn open(path: Option<&Path>, server: &ServerId) -> Result<Self, String> {
        let fresh = || StateFile { server_id: server.0.clone(), tables: BTreeMap::new() };
        let Some(path) = path else { return Ok(Self { path: None, kept: fresh() }) };
        let kept = match std::fs::read_to_string(path) {
            Ok(text) => {
                let mut kept: StateFile =
                    serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
                if kept.server_id != server.0 {
                    let (other, shown) = (kept.server_id, path.display());
                    return Err(format!("{shown} is of server '{other}', and this is '{server}'"));
                }
                // An earlier build kept no beginning: such a run starts over.
                let unknown = kept.tables.values_mut().filter(|table| table.begun.is_none());
                unknown.for_each(|table| (table.done, table.after) = (false, None));
                kept
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => fresh(),
            Err(e) => return Err(format!("cannot read {}: {e}", path.display())),
        };
        Ok(Self { path: Some(path.to_owned()), kept })
    }

    fn table(&self, name: &TableName) -> Option<&Table> {
        self.kept.tables.get(&name.to_string())
    }

    pub(super) fn is_done(&self, name: &TableName) -> bool {
        self.table(name).is_some_and(|table| table.done)
    }

    pub(super) fn after(&self, name: &TableName) -> Option<Vec<u8>> {
        self.table(name)?.after.clone().map(|value| value.0)
    }

    pub(super) fn verified(&self, name: &TableName) -> Option<Timestamp> {
        self.table(name)?.verified
    }

    /// A run begins a table, or goes on with it.
    pub(super) fn begin(&mut self, name: &TableName, now: Timestamp) {
        self.kept.tables.entry(name.to_string()).or_default().begun.get_or_insert(now);
    }

    /// When the run began the first of its tables.
    pub(super) fn began(&self) -> Option<Timestamp> {
        self.kept.tables.values().filter_map(|table| table.begun).min()
    }

    pub(super) fn reached(&mut self, name: &TableName, value: &[u8]) -> Result<(), String> {
        self.kept.tables.entry(name.to_string()).or_default().after = Some(Octets(value.to_vec()));
        self.write()
    }

    /// `is_true`: all of it is as the history says.
    pub(super) fn finished(&mut self, name: &TableName, is_true: bool) -> Result<(), String> {
        let table = self.kept.tables.entry(name.to_string()).or_default();
        let verified = table.begun.filter(|_| is_true).or(table.verified);
        *table = Table { verified, done: true, after: None, begun: table.begun };
        self.write()
    }

    /// The run has come to its end: the next one starts over.
    pub(super) fn finish_run(&mut self) -> Result<(), String> {
        for table in self.kept.tables.values_mut() {
            *table = Table { verified: table.verified, ..Table::default() };
        }
        self.write()
    }

    fn write(&self) -> Result<(), String> {
        let Some(path) = &self.path else { return Ok(()) };
        let cannot = |e: &dyn std::fmt::Display| format!("cannot write {}: {e}", path.display());
        let text = serde_json::to_string(&self.kept).map_err(|e| cannot(&e))?;
        // As a whole, or not at all.
        let replacement = path.with_extension("new");
        std::fs::write(&replacement, text).map_err(|e| cannot(&e))?;
        std::fs::rename(&replacement, path).map_err(|e| cannot(&e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_goes_on_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let server = ServerId("s".to_owned());
        let open = || State::open(Some(&path), &server).unwrap();
        let name = |table: &str| TableName { schema: "a".to_owned(), table: table.to_owned() };
        let mut state = open();
        let at = Timestamp::from_micros;
        state.begin(&name("t"), at(7));
        state.finished(&name("t"), true).unwrap();
        state.begin(&name("u"), at(8));
        state.reached(&name("u"), &[0xff, 1]).unwrap();
        let mut again = open();
        assert!(again.is_done(&name("t")) && !again.is_done(&name("u")));
        assert_eq!(again.after(&name("u")), Some(vec![0xff, 1]));
        // Its first rows were true at 8: what differs after that and before 9 is not found out.
        again.begin(&name("u"), at(9));
        assert_eq!(again.began(), Some(at(7)));
        again.finished(&name("u"), true).unwrap();
        again.finish_run().unwrap();
        let mut next = open();
        assert!(!next.is_done(&name("t")) && next.after(&name("u")).is_none());
        assert_eq!(["t", "u"].map(|table| next.verified(&name(table))), [Some(at(7)), Some(at(8))]);
        next.begin(&name("t"), at(10));
        next.finished(&name("t"), false).unwrap();
        assert_eq!((next.began(), next.verified(&name("t"))), (Some(at(10)), Some(at(7))));
        let other = State::open(Some(&path), &ServerId("other".to_owned()));
        assert!(other.unwrap_err().contains("is of server 's'"));
    }

    #[test]
    fn a_run_of_an_earlier_build_starts_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let text = r#"{"server_id": "s", "tables": {"a.t": {"done": true}, "a.u": {"verified": "2026-04-27T09:00:00.000000Z", "done": false, "after": "7"}}}"#;
        std::fs::write(&path, text).unwrap();
        let state = State::open(Some(&path), &ServerId("s".to_owned())).unwrap();
        let name = |table: &str| TableName { schema: "a".to_owned(), table: table.to_owned() };
        assert!(!state.is_done(&name("t")) && state.after(&name("u")).is_none());
        assert_eq!(state.verified(&name("u")), Some("2026-04-27T09:00:00.000000Z".parse().unwrap()));
    }
}
