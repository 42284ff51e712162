//! Changes taken back one by one, the newest first.
//!
//! What foreign keys changed goes with the change that caused it: the statements of the two stand
//! in the order in which parents and children give way to each other.

use super::changed::{Changed, shown_key};
use super::literal::Text;
use super::obstacles::{self, Left};
use super::{Made, Undone, ordered};
use dbtrail_types::agent_api::{NetChange, Octets};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// What takes changes back one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// The statements in their order.
    pub statements: Vec<String>,
    /// What each table needs of them, and what of it is not taken back.
    pub tables: Vec<Undone>,
}

/// The changes of one key.
struct Row<'a> {
    key: &'a [Octets],
    /// By their numbers.
    changes: Vec<&'a NetChange>,
}

/// What takes all changes of some tables back, each by itself; `order`: the numbers of the tables,
/// parents before children. A key of which one change cannot be taken back keeps all of them.
#[must_use]
pub fn steps(tables: &[Changed<'_>], later: &[Changed<'_>], order: &[usize], text: Text) -> Steps {
    let rows: Vec<Vec<Row<'_>>> = tables.iter().map(|t| by_key(t.changes)).collect();
    let left = left(tables, later, &rows, text);
    let mut undone = Steps { statements: Vec::new(), tables: vec![Undone::default(); tables.len()] };
    let roots = Roots::of(tables);
    let mut groups: BTreeMap<Reverse<u64>, BTreeMap<usize, Vec<NetChange>>> = BTreeMap::new();
    for (number, (table, rows)) in tables.iter().zip(&rows).enumerate() {
        let Some(own) = undone.tables.get_mut(number) else { continue };
        for (i, row) in rows.iter().enumerate() {
            if let Some(why) = left.get(&(number, i)) {
                own.conflicts.push(format!("{} {}: {why}", table.name, shown_key(table.header, row.key)));
                continue;
            }
            own.rows += 1;
            for change in &row.changes {
                let group = groups.entry(Reverse(roots.of_change(change))).or_default();
                group.entry(number).or_default().push((*change).clone());
            }
        }
    }
    for group in groups.into_values() {
        let mut made: BTreeMap<usize, Undone> = BTreeMap::new();
        for (number, changes) in &group {
            let Some(table) = tables.get(*number) else { continue };
            let one = Changed { changes, ..*table };
            let statements = changes.iter().map(|c| Made::of(&table.statements(text), c));
            // Each was written before.
            let statements = statements.map(|made| made.unwrap_or(Made::Nothing)).collect();
            made.insert(*number, ordered(&one, statements, text, &|_| None));
        }
        let places = || order.iter().filter_map(|number| Some((*number, made.get(number)?)));
        for (_, one) in places().rev() {
            undone.statements.extend(one.deletes.iter().chain(&one.updates).cloned());
        }
        for (_, one) in places() {
            undone.statements.extend(one.inserts.iter().cloned());
        }
        for (number, mut one) in made {
            let Some(own) = undone.tables.get_mut(number) else { continue };
            own.deletes.append(&mut one.deletes);
            own.updates.append(&mut one.updates);
            own.inserts.append(&mut one.inserts);
        }
    }
    undone
}

/// The keys that keep their changes, and why: a table and a row of it.
fn left(tables: &[Changed<'_>], later: &[Changed<'_>], rows: &[Vec<Row<'_>>], text: Text) -> Left {
    let mut kept = Left::new();
    for (number, (table, rows)) in tables.iter().zip(rows).enumerate() {
        for (i, row) in rows.iter().enumerate() {
            let made = |change: &&NetChange| Made::of(&table.statements(text), change).err();
            if let Some(why) = row.changes.iter().find_map(made) {
                kept.insert((number, i), why);
            }
        }
    }
    // Each of its changes has to find its place, also where a row only passes through.
    let flat = |rows: &Vec<Row<'_>>| -> Vec<(usize, NetChange)> {
        let each = rows.iter().enumerate();
        each.flat_map(|(i, row)| row.changes.iter().map(move |c| (i, (*c).clone()))).collect()
    };
    let (places, changes): (Vec<Vec<usize>>, Vec<Vec<NetChange>>) =
        rows.iter().map(|rows| flat(rows).into_iter().unzip()).unzip();
    let all = tables.iter().zip(&changes).map(|(table, changes)| Changed { changes, ..*table });
    let all: Vec<Changed<'_>> = all.collect();
    loop {
        let mut left = Left::new();
        for (number, places) in places.iter().enumerate() {
            for (change, row) in places.iter().enumerate() {
                if let Some(why) = kept.get(&(number, *row)) {
                    left.insert((number, change), why.clone());
                }
            }
        }
        obstacles::find(&all, later, &mut left);
        let before = kept.len();
        for ((number, change), why) in left {
            if let Some(row) = places.get(number).and_then(|places| places.get(change)) {
                kept.entry((number, *row)).or_insert(why);
            }
        }
        if kept.len() == before {
            return kept;
        }
    }
}

fn by_key(changes: &[NetChange]) -> Vec<Row<'_>> {
    let mut places: HashMap<&[Octets], usize> = HashMap::new();
    let mut rows: Vec<Row<'_>> = Vec::new();
    for change in changes {
        let place = *places.entry(&change.key).or_insert(rows.len());
        match rows.get_mut(place) {
            Some(row) => row.changes.push(change),
            None => rows.push(Row { key: &change.key, changes: vec![change] }),
        }
    }
    for row in &mut rows {
        row.changes.sort_by_key(|change| change.change);
    }
    rows
}

/// Which change caused which.
struct Roots(HashMap<u64, u64>);

impl Roots {
    fn of(tables: &[Changed<'_>]) -> Self {
        let all = tables.iter().flat_map(|t| t.changes);
        Self(all.filter_map(|c| Some((c.change?, c.cause?))).collect())
    }

    /// The change with which one goes: that which caused it, and so on up. A cause comes before
    /// what it causes, so that this ends.
    fn of_change(&self, change: &NetChange) -> u64 {
        let mut at = change.cause.or(change.change).unwrap_or_default();
        while let Some(cause) = self.0.get(&at).filter(|cause| **cause < at) {
            at = *cause;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbtrail_types::agent_api::NetHeader;
    use dbtrail_types::names::TableName;
    use serde_json::{Value as Json, json};

    fn named(table: &str) -> TableName {
        TableName { schema: "s".to_owned(), table: table.to_owned() }
    }

    /// `p (id, up)` and `c (id, up)`, whose `up` refers to `p.id`.
    fn header() -> NetHeader {
        let column = |name: &str| json!({"name": name, "type": "int", "nullable": true});
        let reference = json!({
            "child": {"schema": "s", "table": "c"}, "columns": ["up"], "parent": {"schema": "s", "table": "p"},
            "referenced": ["id"], "changes_rows": true,
        });
        let header = json!({
            "success": true, "columns": [column("id"), column("up")], "primary_key": ["id"],
            "newest": "2026-01-01T00:00:00Z", "references": [reference], "unique": [],
        });
        serde_json::from_value(header).unwrap()
    }

    /// `[number, before, end]` or `[number, before, end, cause]`.
    fn changes(all: &Json) -> Vec<NetChange> {
        let one = |c: &Json| {
            let key = if c[1].is_null() { &c[2][0] } else { &c[1][0] };
            let mut net = json!({"key": [key], "before": c[1], "end": c[2], "change": c[0]});
            if !c[3].is_null() {
                net["cause"] = c[3].clone();
            }
            serde_json::from_value(net).unwrap()
        };
        all.as_array().unwrap().iter().map(one).collect()
    }

    fn taken(p: &Json, c: &Json) -> Steps {
        let (names, header) = ([named("p"), named("c")], header());
        let (p, c) = (changes(p), changes(c));
        let of = |name, changes| Changed { name, header: &header, changes };
        steps(&[of(&names[0], &p), of(&names[1], &c)], &[], &[0, 1], Text::Utf8)
    }

    fn short(steps: &Steps) -> Vec<String> {
        let short = |sql: &String| {
            let sql = sql.replace("`s`.", "").replace('`', "");
            sql.split(" AND ").next().unwrap().split(" FROM DUAL").next().unwrap().to_owned()
        };
        steps.statements.iter().map(short).collect()
    }

    #[test]
    fn ok_each_change_is_taken_back_the_newest_first() {
        let all = taken(
            &json!([[5, ["1", "7"], ["1", "8"]], [9, ["1", "8"], ["1", "9"]], [7, null, ["2", null]]]),
            &json!([]),
        );
        assert_eq!(
            short(&all),
            [
                "UPDATE p SET up = 8 WHERE id = 1",
                "DELETE FROM p WHERE id = 2",
                "UPDATE p SET up = 7 WHERE id = 1"
            ]
        );
        assert_eq!((all.tables[0].rows, all.tables[0].conflicts.len()), (2, 0));
    }

    /// The rows below went with the one above them, and are told behind it: it comes back first.
    #[test]
    fn ok_what_a_foreign_key_did_goes_with_its_cause() {
        let all = taken(
            &json!([[5, ["1", null], null]]),
            &json!([
                [3, ["10", "1"], ["10", "1"]],
                [6, ["10", "1"], null, 5],
                [7, ["11", "1"], ["11", null], 6]
            ]),
        );
        assert_eq!(
            short(&all),
            [
                "UPDATE c SET up = 1 WHERE id = 11",
                "INSERT INTO p (id, up) VALUES (1, NULL)",
                "INSERT INTO c (id, up) SELECT 10, 1"
            ]
        );
    }

    /// Half of what happened to a row is not taken back.
    #[test]
    fn ok_a_key_that_somebody_changed_since_keeps_all_of_its_changes() {
        let mut p = changes(&json!([[5, ["1", "7"], ["1", "8"]], [9, ["1", "8"], ["1", "9"]]]));
        for change in &mut p {
            change.since = true;
        }
        let (name, header) = (named("p"), header());
        let all = steps(&[Changed { name: &name, header: &header, changes: &p }], &[], &[0], Text::Utf8);
        assert_eq!((all.statements.len(), all.tables[0].conflicts.len()), (0, 1));
    }
}
