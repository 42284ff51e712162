//! `_history`: transactions, statements that changed definitions, gaps, tables. Nothing of a schema
//! that the asker may not see.

use super::origin::Schemas;
use super::{History, Refusal, lines};
use crate::commits::{self, Commit, Near};
use crate::names::TableState;
use crate::store::ChangeSequence;
use dbtrail_types::happened::{HistoryRequest, HistoryTable};
use dbtrail_types::instant::Instant;
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// Transactions read at a time.
const AT_ONCE: usize = 64;
/// Texts of one transaction that are shown at most, and their bytes.
const MOST_TEXTS: usize = 1000;
const MOST_BYTES: usize = 1 << 20;

/// Cells of a row.
type Cells = Vec<Option<String>>;

/// The lines of an answer, in chunks.
#[derive(Debug)]
pub struct HistoryAnswer {
    history: Arc<History>,
    sight: Sight,
    head: Option<Vec<u8>>,
    ready: VecDeque<Cells>,
    /// Where the next transactions are read, and up to where.
    next: Option<(ChangeSequence, ChangeSequence, (Instant, Instant))>,
    count: u64,
    done: bool,
}

/// What the asker may see.
#[derive(Debug)]
struct Sight {
    allowed: Option<BTreeSet<String>>,
    known: Schemas,
}

impl Sight {
    fn sees(&self, schema: &str) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(schema))
    }

    /// Whether texts of a transaction may be shown.
    fn reads<'a>(&'a self, commit: &'a Commit, texts: impl IntoIterator<Item = &'a str>) -> bool {
        self.allowed.is_none() || self.known.touched(commit, texts).into_iter().all(|s| self.sees(s))
    }
}

impl History {
    /// A table of `_history`.
    ///
    /// # Errors
    /// Every reason not to answer.
    pub fn happened(self: &Arc<Self>, request: &HistoryRequest) -> Result<HistoryAnswer, Refusal> {
        self.check_server(&request.server_id)?;
        let table = request.table;
        let sight = Sight {
            allowed: request.schemas.as_ref().map(|schemas| schemas.iter().cloned().collect()),
            known: Schemas::of(self),
        };
        let window = match (request.window, table.has_window()) {
            (Some((since, until)), true) if since > until => {
                return Err(Refusal::malformed("the window ends before it begins".to_owned()));
            }
            (Some((since, until)), true) => {
                self.covered(since)?;
                self.covered(until)?;
                self.whole(since, until)?;
                let (from, to) = self.commit_index().stretch(since, until)?;
                Some((from, to, (since, until)))
            }
            (None, false) => None,
            (Some(_), false) => {
                return Err(Refusal::malformed(format!("{} has no window", table.name())));
            }
            (None, true) => return Err(Refusal::malformed(format!("{} needs a window", table.name()))),
        };
        let mut ready = VecDeque::new();
        match (table, window) {
            (HistoryTable::Ddl, Some(window)) => self.definitions(window, &sight, &mut ready)?,
            (HistoryTable::Gaps, _) => ready.extend(
                self.gaps()
                    .map(|gap| vec![Some(stamp(gap.from)), Some(stamp(gap.to)), Some(gap.reason.clone())]),
            ),
            (HistoryTable::Tables, _) => self.known_tables(&sight, &mut ready)?,
            (HistoryTable::Transactions | HistoryTable::Ddl, _) => {}
        }
        let mut head = serde_json::to_value(table.definition())
            .map_err(|e| Refusal::internal(format!("an answer could not be written: {e}")))?;
        head["success"] = Value::Bool(true);
        let mut line = Vec::new();
        lines::json(&head, &mut line)?;
        line.push(b'\n');
        Ok(HistoryAnswer {
            history: Arc::clone(self),
            sight,
            head: Some(line),
            ready,
            next: window.filter(|_| table == HistoryTable::Transactions),
            count: 0,
            done: false,
        })
    }

    fn known_tables(&self, sight: &Sight, ready: &mut VecDeque<Cells>) -> Result<(), Refusal> {
        for schema in self.schemas().schemas.into_iter().filter(|schema| sight.sees(schema)) {
            let tables = self.tables(&schema)?;
            let refused = |name: &str| tables.refused.iter().find(|t| t.table == name);
            for table in &tables.tables {
                let why = refused(&table.table);
                let dropped = table.dropped.then(|| "it was dropped or renamed".to_owned());
                ready.push_back(vec![
                    Some(schema.clone()),
                    Some(table.table.clone()),
                    Some(if why.is_some() || table.dropped { "NO" } else { "YES" }.to_owned()),
                    Some(stamp(table.oldest)),
                    Some(stamp(table.newest)),
                    why.map(|t| t.reason.clone()).or(dropped),
                ]);
            }
            for table in &tables.refused {
                if !tables.tables.iter().any(|t| t.table == table.table) {
                    let (name, reason) = (table.table.clone(), table.reason.clone());
                    let no = Some("NO".to_owned());
                    ready.push_back(vec![Some(schema.clone()), Some(name), no, None, None, Some(reason)]);
                }
            }
        }
        Ok(())
    }

    fn definitions(
        &self,
        (from, to, window): (ChangeSequence, ChangeSequence, (Instant, Instant)),
        sight: &Sight,
        ready: &mut VecDeque<Cells>,
    ) -> Result<(), Refusal> {
        let definition = |table_state: Option<&TableState>| match table_state {
            Some(TableState::Table(_, id)) => self.catalog.definition(*id),
            Some(TableState::Absent | TableState::Unknown { .. } | TableState::Unreadable(_)) | None => None,
        };
        let mut found = Vec::new();
        for (name, table_states) in self.names.iter().filter(|(name, _)| sight.sees(&name.schema)) {
            for (i, (at, after)) in table_states.iter().enumerate() {
                let before =
                    i.checked_sub(1).and_then(|i| table_states.get(i)).map(|(_, table_state)| table_state);
                let (before, after) = (definition(before), definition(Some(after)));
                if (from..to).contains(at) && before != after {
                    found.push((*at, name, before, after));
                }
            }
        }
        found.sort_by_key(|(at, name, ..)| (*at, *name));
        let mut near = Near::default();
        for (at, name, before, after) in found {
            let Some(commit) = commits::of(&*self.snapshot, at, &mut near)? else { continue };
            // What was learnt of a table by its rows is no statement's.
            let Some(statement) = commit.statements.iter().find(|s| s.from == at && s.logged) else {
                continue;
            };
            let Some(moment) = self.commit_index().of(at)? else { continue };
            if moment.committed < window.0 || moment.committed > window.1 {
                continue;
            }
            let text = statement.text.as_deref().filter(|text| sight.reads(commit, [*text]));
            let told = |definition: Option<_>| {
                let text = definition.map(|d: &Arc<_>| serde_json::to_string(&**d)).transpose();
                text.map_err(|e| Refusal::internal(format!("a definition could not be written: {e}")))
            };
            ready.push_back(vec![
                Some(stamp(moment.committed)),
                moment.gtid.as_ref().map(ToString::to_string),
                Some(name.schema.clone()),
                Some(name.table.clone()),
                text.map(str::to_owned),
                told(before)?,
                told(after)?,
            ]);
        }
        Ok(())
    }

    /// A transaction as the asker sees it; `None`: nothing of it.
    fn transaction_row(
        &self,
        commit: &Commit,
        window: (Instant, Instant),
        sight: &Sight,
    ) -> Result<Option<Cells>, Refusal> {
        let moment = self.commit_index().of(commit.first)?;
        let moment = moment.ok_or_else(|| Refusal::internal("a transaction without a time".to_owned()))?;
        let tables: Vec<_> = commit.tables.iter().filter(|t| sight.sees(&t.name.schema)).collect();
        if tables.is_empty() || moment.committed < window.0 || moment.committed > window.1 {
            return Ok(None);
        }
        let sum = |count: fn(&commits::Touched) -> u64| {
            Some(tables.iter().map(|t| count(t)).fold(0_u64, u64::saturating_add).to_string())
        };
        let texts: Vec<&str> = commit.statements.iter().filter_map(|s| s.text.as_deref()).collect();
        let shown = !texts.is_empty() && sight.reads(commit, texts.iter().copied());
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
        Ok(Some(vec![
            Some(stamp(moment.committed)),
            moment.gtid.as_ref().map(ToString::to_string),
            Some(commit.file.to_string()),
            Some(commit.offset.to_string()),
            Some(commit.server.to_string()),
            commit.connection.map(|id| id.to_string()),
            sum(|t| t.inserted),
            sum(|t| t.updated),
            sum(|t| t.deleted),
            Some(Value::Object(counts).to_string()),
            shown.then(|| Value::from(few(&texts)).to_string()),
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

/// An instant as a TIMESTAMP(6) cell travels: UTC.
pub(super) fn stamp(at: Instant) -> String {
    let text = at.to_string();
    let whole = text.trim_end_matches('Z').replace('T', " ");
    match whole.split_once('.') {
        Some((seconds, fraction)) => format!("{seconds}.{fraction:0<6}"),
        None => format!("{whole}.000000"),
    }
}

impl HistoryAnswer {
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        while out.len() < lines::CHUNK {
            if let Some(cells) = self.ready.pop_front() {
                let known = |cell: &'_ Option<String>| cell.clone();
                let cells: Vec<Option<String>> = cells.iter().map(known).collect();
                let bytes = cells.iter().map(|cell| Ok::<_, &str>(cell.as_deref().map(str::as_bytes)));
                lines::row(bytes, out);
                out.push(b'\n');
                self.count += 1;
                continue;
            }
            let Some((from, to, window)) = self.next.take() else {
                self.done = true;
                return lines::trailer(self.count, &[], out);
            };
            let mut found = Vec::new();
            commits::between(&*self.history.snapshot, from, to, &mut |commit| {
                found.push(commit);
                Ok(found.len() < AT_ONCE)
            })?;
            if found.len() == AT_ONCE
                && let Some(last) = found.last()
            {
                self.next = Some((last.behind, to, window));
            }
            for commit in &found {
                self.ready.extend(self.history.transaction_row(commit, window, &self.sight)?);
            }
        }
        Ok(())
    }
}

impl Iterator for HistoryAnswer {
    type Item = Result<Vec<u8>, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let mut out = self.head.take().unwrap_or_default();
        let filled = self.fill(&mut out);
        self.done |= filled.is_err();
        Some(filled.map(|()| out))
    }
}
