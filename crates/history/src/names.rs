//! Which table a name meant, and under which definition, at each position in the log.
//!
//! TRUNCATE and CREATE begin another generation, RENAME takes one to another name. Knows no rows.

mod table_state;

use super::schema::DefinitionId;
use super::store::{ChangeSequence, GenerationId};
use dbtrail_types::names::TableName;
use std::collections::{BTreeMap, BTreeSet, HashMap};
pub use table_state::{TableState, UnreadableReason};

/// What befell whole schemas (none named: all), also tables that had not been mentioned by then.
pub type Sweep = (ChangeSequence, Vec<String>, TableState);

/// Every name of the record and its states, in the order of the log.
#[derive(Clone, Debug, Default)]
pub struct Names {
    table_states: BTreeMap<TableName, Vec<(ChangeSequence, TableState)>>,
    sweeping: Vec<Sweep>,
    /// Names whose states are not written down yet.
    changed: BTreeSet<TableName>,
    /// The mentioned names, by what they are in lower case.
    spellings: HashMap<TableName, Vec<TableName>>,
}

const UNMENTIONED: TableState = TableState::Unknown { empty: false };

impl Names {
    /// What the name means at the end of what was read so far.
    #[must_use]
    pub fn current(&self, name: &TableName) -> TableState {
        let mentioned = self.table_states.get(name).and_then(|list| list.last()).map(|(_, s)| s);
        mentioned.or_else(|| self.swept(name).last().map(|(_, s)| s)).cloned().unwrap_or(UNMENTIONED)
    }

    /// What befell the whole schema of a name.
    fn swept(&self, name: &TableName) -> impl DoubleEndedIterator<Item = (ChangeSequence, &TableState)> {
        let hits = |schemas: &[String]| schemas.is_empty() || schemas.contains(&name.schema);
        self.sweeping.iter().filter(move |(_, schemas, _)| hits(schemas)).map(|(at, _, s)| (*at, s))
    }

    /// Everything as it was written down.
    #[must_use]
    pub fn restored(
        table_states: BTreeMap<TableName, Vec<(ChangeSequence, TableState)>>,
        sweeping: Vec<Sweep>,
    ) -> Self {
        let mut spellings: HashMap<TableName, Vec<TableName>> = HashMap::new();
        for name in table_states.keys() {
            spellings.entry(name.to_lowercase()).or_default().push(name.clone());
        }
        Self { table_states, sweeping, changed: BTreeSet::new(), spellings }
    }

    /// What befell whole schemas.
    #[must_use]
    pub fn sweeps(&self) -> &[Sweep] {
        &self.sweeping
    }

    /// The names whose states have changed since this was last asked.
    pub fn take_changed(&mut self) -> BTreeSet<TableName> {
        std::mem::take(&mut self.changed)
    }

    /// Whether anything has changed since [`Self::take_changed`].
    #[must_use]
    pub fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The record begins with this table: it was there before.
    pub fn begin(&mut self, name: &TableName, table_state: TableState) {
        *self.history_mut(name) = vec![(ChangeSequence(0), table_state)];
    }

    /// From `at` on, every table of these schemas (none named: of all) is so, mentioned or not; but
    /// not those that are spared, which are all mentioned.
    pub fn sweep(
        &mut self,
        schemas: &[String],
        spared: &[TableName],
        at: ChangeSequence,
        table_state: &TableState,
    ) {
        for name in spared {
            // What is mentioned now is not swept when it is mentioned later.
            if !self.table_states.contains_key(name) {
                self.history_mut(name);
            }
        }
        for name in self.living(schemas).into_iter().filter(|name| !spared.contains(name)) {
            self.set(&name, at, table_state.clone());
        }
        // A server that logs statements would add one with each of them.
        let same = self.sweeping.last().is_some_and(|(_, swept, last)| {
            swept == schemas
                && matches!((last, table_state), (TableState::Unreadable(_), TableState::Unreadable(_)))
        });
        if !same {
            self.sweeping.push((at, schemas.to_vec(), table_state.clone()));
        }
    }

    /// From `at` on, the name means this.
    pub fn set(&mut self, name: &TableName, at: ChangeSequence, table_state: TableState) {
        let known = self.history_mut(name);
        match known.last_mut() {
            Some((_, current)) if *current == table_state => {}
            Some((from, current)) if *from == at => *current = table_state,
            _ => known.push((at, table_state)),
        }
    }

    /// From `at` on the name means this, which begins again there, whatever it meant before.
    pub fn set_again(&mut self, name: &TableName, at: ChangeSequence, table_state: TableState) {
        let known = self.history_mut(name);
        let unknown =
            |s: Option<&(ChangeSequence, TableState)>| matches!(s, Some((_, TableState::Unknown { .. })));
        let still_unknown =
            unknown(known.last()) && unknown(known.iter().rev().nth(1)) && matches!(table_state, UNMENTIONED);
        match known.last_mut() {
            Some((from, current)) if *from == at => *current = table_state,
            // What was never learned is not worth a place of its own.
            Some((from, _)) if still_unknown => *from = at,
            _ => known.push((at, table_state)),
        }
    }

    /// What the name means now is another generation, from where that state began.
    pub fn replace_last(&mut self, name: &TableName, table_state: TableState) {
        if let Some((_, current)) = self.history_mut(name).last_mut() {
            *current = table_state;
        }
    }

    /// Of names that were not mentioned before `at` nothing is known from before it.
    pub fn sweep_unmentioned(&mut self, at: ChangeSequence) {
        match self.sweeping.last_mut() {
            Some((from, schemas, UNMENTIONED)) if schemas.is_empty() => *from = at,
            _ => self.sweeping.push((at, Vec::new(), UNMENTIONED)),
        }
    }

    /// What the name meant from `from` on is taken back, and it means this instead. Gives the
    /// generations that it meant there, each with the position from which it did.
    pub fn retract(
        &mut self,
        name: &TableName,
        from: ChangeSequence,
        table_state: TableState,
    ) -> Vec<(ChangeSequence, GenerationId)> {
        let known = self.history_mut(name);
        let mut taken = Vec::new();
        let keep = known.partition_point(|(at, _)| *at < from);
        if let Some((_, TableState::Table(generation, _))) =
            keep.checked_sub(1).and_then(|last| known.get(last))
        {
            taken.push((from, *generation));
        }
        for (at, before) in known.drain(keep..) {
            if let TableState::Table(generation, _) = before {
                taken.push((at, generation));
            }
        }
        known.push((from, table_state));
        taken
    }

    /// The columns of a name that was [`TableState::Unknown`] have become known: they were the same
    /// since that began.
    pub fn infer(&mut self, name: &TableName, generation: GenerationId, definition: DefinitionId) {
        if let Some(last) = self.history_mut(name).last_mut() {
            last.1 = TableState::Table(generation, definition);
        }
    }

    /// From `since` on the name is in doubt, whatever was noted of it there and later.
    pub fn doubt(&mut self, name: &TableName, since: ChangeSequence, reason: &str) {
        let list = self.history_mut(name);
        list.retain(|(at, _)| *at < since);
        list.push((since, TableState::unreadable(reason.to_owned())));
    }

    /// The tables there are now whose names differ from this one in upper and lower case alone.
    #[must_use]
    pub fn spelled_otherwise(&self, name: &TableName) -> Vec<TableName> {
        let all = self.spellings.get(&name.to_lowercase()).map_or(&[][..], Vec::as_slice);
        let there =
            |other: &&TableName| *other != name && matches!(self.current(other), TableState::Table(..));
        all.iter().filter(there).cloned().collect()
    }

    /// The name is made now (CREATE, RENAME): if the record never mentioned it, there was no such
    /// table before.
    pub fn appear(&mut self, name: &TableName, at: ChangeSequence, table_state: TableState) {
        let list = self.history_mut(name);
        if let [(_, only @ UNMENTIONED)] = list.as_mut_slice() {
            *only = TableState::Absent;
        }
        self.set(name, at, table_state);
    }

    fn history_mut(&mut self, name: &TableName) -> &mut Vec<(ChangeSequence, TableState)> {
        self.changed.insert(name.clone());
        if !self.table_states.contains_key(name) {
            let swept = self.swept(name).map(|(at, table_state)| (at, table_state.clone()));
            let list = std::iter::once((ChangeSequence(0), UNMENTIONED)).chain(swept).collect();
            self.spellings.entry(name.to_lowercase()).or_default().push(name.clone());
            self.table_states.insert(name.clone(), list);
        }
        self.table_states.entry(name.clone()).or_default()
    }

    /// All states of a name: each with the position from which it holds, the first from the
    /// start of the record. Empty for a name never mentioned.
    #[must_use]
    pub fn history(&self, name: &TableName) -> &[(ChangeSequence, TableState)] {
        self.table_states.get(name).map_or(&[], Vec::as_slice)
    }

    /// What the name meant before the change `cut`.
    #[must_use]
    pub fn at(&self, name: &TableName, cut: ChangeSequence) -> Option<&(ChangeSequence, TableState)> {
        let list = self.history(name);
        let following = list.partition_point(|(from, _)| *from < cut);
        list.get(following.saturating_sub(1))
    }

    /// The generation that the name meant last.
    #[must_use]
    pub fn last_table(&self, name: &TableName) -> Option<GenerationId> {
        self.history(name).iter().rev().find_map(|(_, table_state)| match table_state {
            TableState::Table(generation, _) => Some(*generation),
            TableState::Absent | TableState::Unknown { .. } | TableState::Unreadable(_) => None,
        })
    }

    /// All names with their states.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&TableName, &[(ChangeSequence, TableState)])> {
        self.table_states.iter().map(|(n, s)| (n, s.as_slice()))
    }

    /// Names that mean a table now or may mean one, in these schemas (empty: in all).
    #[must_use]
    pub fn living(&self, schemas: &[String]) -> Vec<TableName> {
        self.table_states
            .iter()
            .filter(|(n, _)| schemas.is_empty() || schemas.contains(&n.schema))
            .filter(|(_, s)| s.last().is_none_or(|(_, s)| *s != TableState::Absent))
            .map(|(n, _)| n.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_what_the_log_said_last() {
        let name = TableName { schema: "s".into(), table: "t".into() };
        let mut names = Names::default();
        assert!(names.at(&name, ChangeSequence(5)).is_none());
        assert_eq!(names.current(&name), UNMENTIONED);
        let table = TableState::Table(GenerationId(0), DefinitionId(0));
        names.set(&name, ChangeSequence(3), TableState::Absent);
        names.set(&name, ChangeSequence(5), TableState::Unknown { empty: true });
        names.infer(&name, GenerationId(0), DefinitionId(0));
        names.sweep(&[], &[], ChangeSequence(7), &TableState::unreadable("why".into()));
        let late = TableName { schema: "s".into(), table: "late".into() };
        assert_eq!(
            names.current(&late),
            TableState::unreadable("why".into()),
            "mentioned only after the sweep"
        );
        let at = |s| names.at(&name, ChangeSequence(s)).unwrap().1.clone();
        assert_eq!(
            [at(0), at(3), at(4), at(5), at(6)],
            [UNMENTIONED, UNMENTIONED, TableState::Absent, TableState::Absent, table]
        );
    }
}
