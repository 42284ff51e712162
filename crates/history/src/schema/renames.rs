//! RENAME TABLE of MariaDB, which logs that of a session's temporary table without a mark: what it
//! may have done to the tables.
//!
//! Each pair of names is of a base table or of a temporary one, and not all choices are possible: a
//! temporary table hides the base table of its name, and neither kind takes a name that one of its
//! kind has. The choices that are left are the outcomes between which what comes later decides.

use crate::store::ChangeSequence;
use dbtrail_types::names::TableName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Pairs that hang together; more are not followed.
const MOST: usize = 10;

/// What names mean after the statement: each the table that had this other name before it, or none.
pub type Outcome = BTreeMap<TableName, Option<TableName>>;

/// A statement, or as much of it as hangs together, of which it is not known what it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rename {
    /// Old and new names, in their order.
    pub pairs: Vec<(TableName, TableName)>,
    /// The number of the change at which it was logged.
    pub at: ChangeSequence,
    /// What it may have done. The first is what it is taken to have done.
    #[serde(with = "as_lists")]
    pub outcomes: Vec<Outcome>,
    /// Names that mean something else since.
    pub past: Vec<TableName>,
}

/// Maps whose keys are no text, as JSON.
mod as_lists {
    use super::{Outcome, TableName};
    use serde::{Deserialize, Deserializer, Serializer};

    type List = Vec<(TableName, Option<TableName>)>;

    pub(super) fn serialize<S: Serializer>(outcomes: &[Outcome], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(outcomes.iter().map(|outcome| outcome.iter().collect::<Vec<_>>()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Outcome>, D::Error> {
        let lists = Vec::<List>::deserialize(from)?;
        Ok(lists.into_iter().map(|list| list.into_iter().collect()).collect())
    }
}

impl Rename {
    /// Whether it is not known what the name means after it.
    #[must_use]
    pub fn leaves_open(&self, name: &TableName) -> bool {
        let mut meanings = self.outcomes.iter().map(|outcome| outcome.get(name));
        let first = meanings.next();
        meanings.any(|other| Some(other) != first)
    }

    /// Whether it speaks of the name.
    #[must_use]
    pub fn speaks_of(&self, name: &TableName) -> bool {
        self.pairs.iter().any(|(from, to)| from == name || to == name)
    }
}

/// Pairs that may have been of base tables, with what they may have done.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) pairs: Vec<(TableName, TableName)>,
    /// For each outcome, which pairs were of base tables.
    pub(super) outcomes: Vec<(Vec<bool>, Outcome)>,
}

/// Whether a base table of a name was there before the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    There,
    Not,
    /// The record does not speak of it: it is taken to be as the statement needs it.
    Unsaid,
    /// An earlier statement leaves it open; whether it is taken to be there.
    Open(bool),
}

/// What the pairs of a statement may have done. The first outcome has base tables where it can.
/// `None`: too many pairs hang together, or nothing that the statement can have done fits.
pub(super) fn parts(
    pairs: &[(TableName, TableName)],
    before: &dyn Fn(&TableName) -> Before,
) -> Option<Vec<Part>> {
    let mut parts: Vec<Vec<(TableName, TableName)>> = Vec::new();
    for pair in pairs {
        let shares = |part: &Vec<(TableName, TableName)>| {
            let names = part.iter().flat_map(|(from, to)| [from, to]);
            names.into_iter().any(|name| *name == pair.0 || *name == pair.1)
        };
        let (touching, mut apart): (Vec<_>, Vec<_>) = parts.into_iter().partition(shares);
        let mut one: Vec<_> = touching.into_iter().flatten().collect();
        one.push(pair.clone());
        apart.push(one);
        parts = apart;
    }
    let order = |pair: &(TableName, TableName)| pairs.iter().position(|p| p == pair);
    let mut reported = Vec::new();
    for mut part in parts {
        if part.len() > MOST {
            return None;
        }
        part.sort_by_key(order);
        let mut outcomes: Vec<(Vec<bool>, Outcome)> = Vec::new();
        let names = Names { before, base: BTreeMap::new(), temporary: BTreeMap::new() };
        names.go_on(&part, Vec::new(), &mut outcomes);
        if outcomes.is_empty() {
            return None;
        }
        reported.push(Part { pairs: part, outcomes });
    }
    Some(reported)
}

/// What names mean in the middle of the statement.
#[derive(Clone)]
struct Names<'a> {
    before: &'a dyn Fn(&TableName) -> Before,
    /// Of base tables: what was found out or done.
    base: Outcome,
    /// Whether there is a temporary table of a name, where that follows.
    temporary: BTreeMap<TableName, bool>,
}

impl Names<'_> {
    /// Tries both kinds of the next pair.
    fn go_on(
        self,
        pairs: &[(TableName, TableName)],
        kinds: Vec<bool>,
        outcomes: &mut Vec<(Vec<bool>, Outcome)>,
    ) {
        let Some(((from, to), rest)) = pairs.split_first() else {
            if !outcomes.iter().any(|(_, outcome)| *outcome == self.base) {
                outcomes.push((kinds, self.base));
            }
            return;
        };
        let open = |name: &TableName| match (self.before)(name) {
            Before::Open(taken) if !self.base.contains_key(name) => Some((name.clone(), taken)),
            Before::Open(_) | Before::There | Before::Not | Before::Unsaid => None,
        };
        if let Some((name, taken)) = open(from).or_else(|| open(to)) {
            // What the record has comes first: this statement goes on from it.
            for there in [taken, !taken] {
                let mut next = self.clone();
                next.base.insert(name.clone(), there.then(|| name.clone()));
                next.go_on(pairs, kinds.clone(), outcomes);
            }
            return;
        }
        for base in [true, false] {
            let mut next = self.clone();
            let possible = if base { next.base_table(from, to) } else { next.temporary_table(from, to) };
            if possible {
                let kinds = kinds.iter().copied().chain([base]).collect();
                next.go_on(rest, kinds, outcomes);
            }
        }
    }

    /// What a name of a base table means; one of which nothing is known is taken to be free or not,
    /// as is needed.
    fn meaning(&mut self, name: &TableName, needed: bool) -> Option<TableName> {
        if let Some(known) = self.base.get(name) {
            return known.clone();
        }
        let there = match (self.before)(name) {
            Before::There => true,
            Before::Not => false,
            Before::Unsaid | Before::Open(_) => needed,
        };
        there.then(|| name.clone())
    }

    fn base_table(&mut self, from: &TableName, to: &TableName) -> bool {
        // A temporary table hides it.
        if self.temporary.get(from) == Some(&true) {
            return false;
        }
        let (Some(table), None) = (self.meaning(from, true), self.meaning(to, false)) else { return false };
        self.temporary.insert(from.clone(), false);
        self.base.insert(from.clone(), None);
        self.base.insert(to.clone(), Some(table));
        true
    }

    fn temporary_table(&mut self, from: &TableName, to: &TableName) -> bool {
        if self.temporary.get(from) == Some(&false) || self.temporary.get(to) == Some(&true) {
            return false;
        }
        self.temporary.insert(from.clone(), false);
        self.temporary.insert(to.clone(), true);
        for (name, needed) in [(from, true), (to, false)] {
            let is = self.meaning(name, needed);
            self.base.entry(name.clone()).or_insert(is);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(table: &str) -> TableName {
        TableName { schema: "s".into(), table: table.into() }
    }

    /// Each outcome as `name=table`, of a statement `a>b c>d` where these tables are there, and no
    /// others.
    fn outcomes(statement: &str, there: &[&str]) -> Vec<String> {
        let pair = |pair: &str| pair.split_once('>').map(|(a, b)| (name(a), name(b))).unwrap();
        let pairs: Vec<_> = statement.split(' ').map(pair).collect();
        let is = |n: &TableName| match n.table.as_str() {
            "open" => Before::Open(true),
            "gone" => Before::Open(false),
            other if there.contains(&other) => Before::There,
            _ => Before::Not,
        };
        let reported = parts(&pairs, &is).unwrap();
        let shown = |outcome: &Outcome| -> String {
            let names =
                outcome.iter().filter_map(|(n, t)| Some(format!("{}={}", n.table, t.as_ref()?.table)));
            names.collect::<Vec<_>>().join(" ")
        };
        reported.iter().flat_map(|part| part.outcomes.iter().map(|(_, o)| shown(o))).collect()
    }

    /// MariaDB 11.8.9 and 10.11.19 do each of these, and log the statement alike.
    #[test]
    fn a_statement_may_have_been_of_base_tables_of_temporary_ones_or_of_both() {
        for (statement, there, want) in [
            ("t>u", &["t"][..], &["u=t", "t=t"][..]),
            // Neither kind takes a name that is taken.
            ("t>u", &["t", "u"], &["t=t u=u"]),
            ("t>u", &[], &[""]),
            // The swap: of base tables; of n alone a temporary one, which then hides nothing; of
            // two temporary ones.
            ("t>o n>t", &["t", "n"], &["o=t t=n", "n=n o=t", "n=n t=t"]),
            ("t>x n>t x>n", &["t", "n"], &["n=t t=n", "t=n x=t", "n=n x=t", "n=n t=t"]),
            ("open>u", &[], &["u=open", "open=open", ""]),
            // The way back, after `gone>open`: as the record has it first.
            ("open>gone", &[], &["gone=open", "open=open", "gone=gone open=open", "", "gone=gone"]),
            // What does not hang together is decided apart.
            ("t>u a>b", &["t", "a"], &["u=t", "t=t", "b=a", "a=a"]),
        ] {
            assert_eq!(outcomes(statement, there), want, "{statement}");
        }
    }

    #[test]
    fn a_name_is_open_where_the_outcomes_differ() {
        let pairs = vec![(name("t"), name("o")), (name("n"), name("t"))];
        let part =
            parts(&pairs, &|n| if n.table == "o" { Before::Not } else { Before::There }).unwrap().remove(0);
        let outcomes: Vec<Outcome> = part.outcomes.into_iter().map(|(_, o)| o).collect();
        let mut rename = Rename { pairs, at: ChangeSequence(3), outcomes, past: Vec::new() };
        assert!(
            ["t", "o", "n"].iter().all(|n| rename.leaves_open(&name(n))) && !rename.leaves_open(&name("x"))
        );
        let text = serde_json::to_string(&rename).unwrap();
        assert_eq!(serde_json::from_str::<Rename>(&text).unwrap(), rename);
        // With o there, what became of t is known, and of n not.
        rename.outcomes.pop();
        assert_eq!(["t", "o", "n"].map(|n| rename.leaves_open(&name(n))), [true, false, true]);
    }
}
