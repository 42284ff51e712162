//! `_history.ddl`: each statement that changed a definition, or may have: of a table that cannot be
//! read, what it was and what it became is not known.

use super::super::lines::{Cells, stamp};
use super::super::refusal::Refusal;
use super::super::visible::Visible;
use crate::commits::{self, Near, Spoken};
use crate::names::{TableState, UnreadableReason};
use crate::record::History;
use crate::store::ChangeSequence;
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

impl History {
    pub(super) fn definitions(
        &self,
        (from, to, window): (ChangeSequence, ChangeSequence, Option<(Timestamp, Timestamp)>),
        visible: &Visible,
        ready: &mut VecDeque<Cells>,
    ) -> Result<(), Refusal> {
        let definition = |table_state: Option<&TableState>| match table_state {
            Some(TableState::Table(_, id)) => self.catalog.definition(*id),
            Some(TableState::Absent | TableState::Unknown { .. } | TableState::Unreadable(_)) | None => None,
        };
        let mut found = Vec::new();
        for (name, table_states) in self.names.iter().filter(|(name, _)| visible.sees(&name.schema)) {
            for (i, (at, after)) in table_states.iter().enumerate() {
                let before =
                    i.checked_sub(1).and_then(|i| table_states.get(i)).map(|(_, table_state)| table_state);
                let (before, after) = (definition(before), definition(Some(after)));
                if (from..to).contains(at) && before != after {
                    found.push((*at, name, before, after));
                }
            }
        }
        let followed: BTreeSet<_> = found.iter().map(|(at, name, ..)| (*at, (*name).clone())).collect();
        let lost = self.unfollowed((from, to), &|schema| visible.sees(schema))?;
        for (at, name) in lost.iter().filter(|lost| !followed.contains(*lost)) {
            found.push((*at, name, None, None));
        }
        found.sort_by_key(|(at, name, ..)| (*at, *name));
        let mut near = Near::default();
        for (at, name, before, after) in found {
            let Some(commit) = commits::of(&*self.snapshot, at, &mut near)? else { continue };
            // What was learned of a table by its rows is no statement's.
            let Some(statement) = commit.statements.iter().find(|s| s.from == at && s.logged) else {
                continue;
            };
            let Some(commit_entry) = self.commit_index().of(at)? else { continue };
            if window.is_some_and(|(since, until)| !(since..=until).contains(&commit_entry.committed)) {
                continue;
            }
            let text = statement.text.as_deref().filter(|text| visible.reads(commit, [*text]));
            let reported = |definition: Option<_>| {
                let text = definition.map(|d: &Arc<_>| serde_json::to_string(&**d)).transpose();
                text.map_err(|e| Refusal::internal(format!("a definition could not be written: {e}")))
            };
            ready.push_back(vec![
                Some(stamp(commit_entry.committed)),
                commit_entry.gtid.as_ref().map(ToString::to_string),
                Some(name.schema.clone()),
                Some(name.table.clone()),
                text.map(str::to_owned),
                reported(before)?,
                reported(after)?,
            ]);
        }
        Ok(())
    }

    /// Statements about tables of which it is not known what they were before them, or after.
    pub(in crate::query) fn unfollowed(
        &self,
        (from, to): (ChangeSequence, ChangeSequence),
        sees: &dyn Fn(&str) -> bool,
    ) -> Result<BTreeSet<(ChangeSequence, TableName)>, Refusal> {
        let is_lost = |state: &TableState| {
            matches!(state, TableState::Unknown { .. } | TableState::Unreadable(UnreadableReason::Because(_)))
        };
        let mut found = BTreeSet::new();
        let mut states = self.names.iter().filter(|(name, _)| sees(&name.schema));
        if !states.any(|(_, states)| states.iter().any(|(_, state)| is_lost(state))) {
            // Most records: no transaction has to be read for it.
            return Ok(found);
        }
        let is_unknown =
            |name: &TableName, cut| self.names.at(name, cut).is_some_and(|(_, state)| is_lost(state));
        commits::between(&*self.snapshot, from, to, &mut |commit| {
            for statement in commit.statements.iter().filter(|statement| may_define(statement)) {
                let at = statement.from;
                let tables = commit.tables.iter().map(|table| &*table.name);
                let tables = tables.filter(|name| sees(&name.schema));
                let unknown = tables.filter(|name| is_unknown(name, at) || is_unknown(name, at.next()));
                found.extend(unknown.map(|name| (at, name.clone())));
            }
            Ok(true)
        })?;
        found.retain(|(at, _)| (from..to).contains(at));
        Ok(found)
    }
}

/// Whether a statement can change a definition: one that was logged as a statement, and not one
/// that changes rows alone.
fn may_define(statement: &Spoken) -> bool {
    const OF_ROWS: [&str; 6] = ["INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "TRUNCATE"];
    let first = statement.text.as_deref().and_then(|text| text.split_ascii_whitespace().next());
    let of_rows = first.is_some_and(|first| OF_ROWS.iter().any(|word| word.eq_ignore_ascii_case(first)));
    statement.logged && !of_rows
}
