//! Which table a name meant, and under which definition, at each place in the log.
//!
//! TRUNCATE and CREATE begin another incarnation, RENAME takes one to another name. Knows no rows.

use super::schema::DefinitionId;
use super::store::{Sequence, SpaceId};
use dbtrail_types::ident::TableName;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a name meant from some place on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// There was no such table.
    Absent,
    /// The record says nothing of its columns (yet). `empty`: that it began without rows here is in the record.
    Unknown {
        /// Whether it was empty where this standing begins.
        empty: bool,
    },
    /// A table that can be read.
    Table(SpaceId, DefinitionId),
    /// It cannot be read: why.
    Unreadable(String),
}

/// What befell whole schemas (none named: all), also tables that had not been mentioned by then.
pub type Sweep = (Sequence, Vec<String>, Standing);

/// Every name of the record and its standings, in the order of the log.
#[derive(Clone, Debug, Default)]
pub struct Names {
    standings: BTreeMap<TableName, Vec<(Sequence, Standing)>>,
    sweeping: Vec<Sweep>,
    /// Names whose standings are not written down yet.
    changed: BTreeSet<TableName>,
    /// The mentioned names, by what they are in lower case.
    spellings: HashMap<TableName, Vec<TableName>>,
}

const UNMENTIONED: Standing = Standing::Unknown { empty: false };

impl Names {
    /// What the name means at the end of what was read so far.
    #[must_use]
    pub fn current(&self, name: &TableName) -> Standing {
        let mentioned = self.standings.get(name).and_then(|list| list.last()).map(|(_, s)| s);
        mentioned.or_else(|| self.swept(name).last().map(|(_, s)| s)).cloned().unwrap_or(UNMENTIONED)
    }

    /// What befell the whole schema of a name.
    fn swept(&self, name: &TableName) -> impl DoubleEndedIterator<Item = (Sequence, &Standing)> {
        let hits = |schemas: &[String]| schemas.is_empty() || schemas.contains(&name.schema);
        self.sweeping.iter().filter(move |(_, schemas, _)| hits(schemas)).map(|(at, _, s)| (*at, s))
    }

    /// Everything as it was written down.
    #[must_use]
    pub fn restored(standings: BTreeMap<TableName, Vec<(Sequence, Standing)>>, sweeping: Vec<Sweep>) -> Self {
        let mut spellings: HashMap<TableName, Vec<TableName>> = HashMap::new();
        for name in standings.keys() {
            spellings.entry(name.to_lowercase()).or_default().push(name.clone());
        }
        Self { standings, sweeping, changed: BTreeSet::new(), spellings }
    }

    /// What befell whole schemas.
    #[must_use]
    pub fn sweeps(&self) -> &[Sweep] {
        &self.sweeping
    }

    /// The names whose standings have changed since this was last asked.
    pub fn take_changed(&mut self) -> BTreeSet<TableName> {
        std::mem::take(&mut self.changed)
    }

    /// Whether anything has changed since [`Self::take_changed`].
    #[must_use]
    pub fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The record begins with this table: it was there before.
    pub fn begin(&mut self, name: &TableName, standing: Standing) {
        *self.history_mut(name) = vec![(Sequence(0), standing)];
    }

    /// From `at` on, every table of these schemas (none named: of all) stands so, mentioned or not; but not those that are spared, which are all mentioned.
    pub fn sweep(&mut self, schemas: &[String], spared: &[TableName], at: Sequence, standing: &Standing) {
        for name in spared {
            // What is mentioned now is not swept when it is mentioned later.
            if !self.standings.contains_key(name) {
                self.history_mut(name);
            }
        }
        for name in self.living(schemas).into_iter().filter(|name| !spared.contains(name)) {
            self.set(&name, at, standing.clone());
        }
        // A server that logs statements would add one with each of them.
        let same = self.sweeping.last().is_some_and(|(_, swept, last)| {
            swept == schemas && matches!((last, standing), (Standing::Unreadable(_), Standing::Unreadable(_)))
        });
        if !same {
            self.sweeping.push((at, schemas.to_vec(), standing.clone()));
        }
    }

    /// From `at` on, the name means this.
    pub fn set(&mut self, name: &TableName, at: Sequence, standing: Standing) {
        let known = self.history_mut(name);
        match known.last_mut() {
            Some((_, current)) if *current == standing => {}
            Some((from, current)) if *from == at => *current = standing,
            _ => known.push((at, standing)),
        }
    }

    /// From `at` on the name means this, which begins anew there, whatever it meant before.
    pub fn set_anew(&mut self, name: &TableName, at: Sequence, standing: Standing) {
        let known = self.history_mut(name);
        let unknown = |s: Option<&(Sequence, Standing)>| matches!(s, Some((_, Standing::Unknown { .. })));
        let still_unknown =
            unknown(known.last()) && unknown(known.iter().rev().nth(1)) && matches!(standing, UNMENTIONED);
        match known.last_mut() {
            Some((from, current)) if *from == at => *current = standing,
            // What was never learnt is not worth a place of its own.
            Some((from, _)) if still_unknown => *from = at,
            _ => known.push((at, standing)),
        }
    }

    /// What the name means now is another incarnation, from where that standing began.
    pub fn replace_last(&mut self, name: &TableName, standing: Standing) {
        if let Some((_, current)) = self.history_mut(name).last_mut() {
            *current = standing;
        }
    }

    /// Of names that were not mentioned before `at` nothing is known from before it.
    pub fn sweep_unmentioned(&mut self, at: Sequence) {
        match self.sweeping.last_mut() {
            Some((from, schemas, UNMENTIONED)) if schemas.is_empty() => *from = at,
            _ => self.sweeping.push((at, Vec::new(), UNMENTIONED)),
        }
    }

    /// What the name meant from `from` on is taken back, and it means this instead. Gives the incarnations that it meant there, each with the place
    /// from which it did.
    pub fn retract(
        &mut self,
        name: &TableName,
        from: Sequence,
        standing: Standing,
    ) -> Vec<(Sequence, SpaceId)> {
        let known = self.history_mut(name);
        let mut taken = Vec::new();
        let keep = known.partition_point(|(at, _)| *at < from);
        if let Some((_, Standing::Table(space, _))) = keep.checked_sub(1).and_then(|last| known.get(last)) {
            taken.push((from, *space));
        }
        for (at, before) in known.drain(keep..) {
            if let Standing::Table(space, _) = before {
                taken.push((at, space));
            }
        }
        known.push((from, standing));
        taken
    }

    /// The columns of a name that stood [`Standing::Unknown`] have become known: they were the same since that began.
    pub fn learn(&mut self, name: &TableName, space: SpaceId, definition: DefinitionId) {
        if let Some(last) = self.history_mut(name).last_mut() {
            last.1 = Standing::Table(space, definition);
        }
    }

    /// From `since` on the name is in doubt, whatever was noted of it there and behind.
    pub fn doubt(&mut self, name: &TableName, since: Sequence, reason: &str) {
        let list = self.history_mut(name);
        list.retain(|(at, _)| *at < since);
        list.push((since, Standing::Unreadable(reason.to_owned())));
    }

    /// The tables there are now whose names differ from this one in upper and lower case alone.
    #[must_use]
    pub fn spelled_otherwise(&self, name: &TableName) -> Vec<TableName> {
        let all = self.spellings.get(&name.to_lowercase()).map_or(&[][..], Vec::as_slice);
        let there = |other: &&TableName| *other != name && matches!(self.current(other), Standing::Table(..));
        all.iter().filter(there).cloned().collect()
    }

    /// The name is made now (CREATE, RENAME): if the record never mentioned it, there was no such table before.
    pub fn appear(&mut self, name: &TableName, at: Sequence, standing: Standing) {
        let list = self.history_mut(name);
        if let [(_, only @ UNMENTIONED)] = list.as_mut_slice() {
            *only = Standing::Absent;
        }
        self.set(name, at, standing);
    }

    fn history_mut(&mut self, name: &TableName) -> &mut Vec<(Sequence, Standing)> {
        self.changed.insert(name.clone());
        if !self.standings.contains_key(name) {
            let swept = self.swept(name).map(|(at, standing)| (at, standing.clone()));
            let list = std::iter::once((Sequence(0), UNMENTIONED)).chain(swept).collect();
            self.spellings.entry(name.to_lowercase()).or_default().push(name.clone());
            self.standings.insert(name.clone(), list);
        }
        self.standings.entry(name.clone()).or_default()
    }

    /// All standings of a name: each with the place from which it holds, the first from the start of the record. Empty for a name never mentioned.
    #[must_use]
    pub fn history(&self, name: &TableName) -> &[(Sequence, Standing)] {
        self.standings.get(name).map_or(&[], Vec::as_slice)
    }

    /// What the name meant before the change `cut`.
    #[must_use]
    pub fn at(&self, name: &TableName, cut: Sequence) -> Option<&(Sequence, Standing)> {
        let list = self.history(name);
        let behind = list.partition_point(|(from, _)| *from < cut);
        list.get(behind.saturating_sub(1))
    }

    /// The incarnation that the name meant last.
    #[must_use]
    pub fn last_table(&self, name: &TableName) -> Option<SpaceId> {
        self.history(name).iter().rev().find_map(|(_, standing)| match standing {
            Standing::Table(space, _) => Some(*space),
            Standing::Absent | Standing::Unknown { .. } | Standing::Unreadable(_) => None,
        })
    }

    /// All names with their standings.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&TableName, &[(Sequence, Standing)])> {
        self.standings.iter().map(|(n, s)| (n, s.as_slice()))
    }

    /// Names that mean a table now or may mean one, in these schemas (empty: in all).
    #[must_use]
    pub fn living(&self, schemas: &[String]) -> Vec<TableName> {
        self.standings
            .iter()
            .filter(|(n, _)| schemas.is_empty() || schemas.contains(&n.schema))
            .filter(|(_, s)| s.last().is_none_or(|(_, s)| *s != Standing::Absent))
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
        assert!(names.at(&name, Sequence(5)).is_none());
        assert_eq!(names.current(&name), UNMENTIONED);
        let table = Standing::Table(SpaceId(0), DefinitionId(0));
        names.set(&name, Sequence(3), Standing::Absent);
        names.set(&name, Sequence(5), Standing::Unknown { empty: true });
        names.learn(&name, SpaceId(0), DefinitionId(0));
        names.sweep(&[], &[], Sequence(7), &Standing::Unreadable("why".into()));
        let late = TableName { schema: "s".into(), table: "late".into() };
        assert_eq!(
            names.current(&late),
            Standing::Unreadable("why".into()),
            "mentioned only behind the sweep"
        );
        let at = |s| names.at(&name, Sequence(s)).unwrap().1.clone();
        assert_eq!(
            [at(0), at(3), at(4), at(5), at(6)],
            [UNMENTIONED, UNMENTIONED, Standing::Absent, Standing::Absent, table]
        );
    }
}
