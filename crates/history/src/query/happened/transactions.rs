//! `_history.transactions`: who made them, and what they changed.

use super::super::lines::{Cells, stamp};
use super::super::refusal::Refusal;
use super::super::visible::Visible;
use crate::commits::{Commit, Touched};
use crate::record::History;
use crate::sessions;
use dbtrail_types::timestamp::Timestamp;
use serde_json::{Map, Value, json};

/// Texts of one transaction that are shown at most, and their bytes.
const MOST_TEXTS: usize = 1000;
const MOST_BYTES: usize = 1 << 20;

impl History {
    /// A transaction as the asker sees it; `None`: nothing of it.
    pub(super) fn transaction_row(
        &self,
        commit: &Commit,
        window: Option<(Timestamp, Timestamp)>,
        visible: &Visible,
        near: &mut sessions::Near,
    ) -> Result<Option<Cells>, Refusal> {
        let commit_entry = self.commit_index().of(commit.first)?;
        let commit_entry =
            commit_entry.ok_or_else(|| Refusal::internal("a transaction without a time".to_owned()))?;
        let tables: Vec<_> = commit.tables.iter().filter(|t| visible.sees(&t.name.schema)).collect();
        if tables.is_empty()
            || window.is_some_and(|(since, until)| !(since..=until).contains(&commit_entry.committed))
        {
            return Ok(None);
        }
        let sum = |count: fn(&Touched) -> u64| {
            Some(tables.iter().map(|t| count(t)).fold(0_u64, u64::saturating_add).to_string())
        };
        let texts: Vec<&str> = commit.statements.iter().filter_map(|s| s.text.as_deref()).collect();
        let shown = !texts.is_empty() && visible.reads(commit, texts.iter().copied());
        let counts: Map<String, Value> = tables
            .iter()
            .map(|t| {
                let mut counts = json!({"inserted": t.inserted, "updated": t.updated, "deleted": t.deleted});
                if t.emptied {
                    counts["all_rows_removed"] = Value::Bool(true);
                }
                (t.name.to_string(), counts)
            })
            .collect();
        let session = sessions::of(&*self.snapshot, commit.first, near)?.map(|known| &known.info);
        Ok(Some(vec![
            Some(stamp(commit_entry.committed)),
            commit_entry.gtid.as_ref().map(ToString::to_string),
            Some(commit.file.to_string()),
            Some(commit.offset.to_string()),
            Some(commit.server.to_string()),
            commit.connection.map(|id| id.to_string()),
            sum(|t| t.inserted),
            sum(|t| t.updated),
            sum(|t| t.deleted),
            Some(Value::Object(counts).to_string()),
            shown.then(|| Value::from(few(&texts)).to_string()),
            session.map(|session| session.user.clone()),
            session.and_then(|session| session.host.clone()),
            session.and_then(|session| session.program.clone()),
        ]))
    }
}

/// The texts, and how many more there are than are shown.
fn few(texts: &[&str]) -> Vec<String> {
    let mut bytes = 0_usize;
    let fits = |text: &&&str| {
        bytes = bytes.saturating_add(text.len());
        bytes <= MOST_BYTES
    };
    let mut shown: Vec<String> =
        texts.iter().take(MOST_TEXTS).take_while(fits).map(|text| (*text).to_owned()).collect();
    let left = texts.len() - shown.len();
    if left > 0 {
        shown.push(format!("... /* {left} more statements */"));
    }
    shown
}
