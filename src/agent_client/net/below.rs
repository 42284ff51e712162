//! Of the rows that changed below others by foreign keys, those that belong to rows that are taken
//! back.

use super::{NetTable, NetTables};
use dbtrail_types::agent_api::{NetChange, NetHeader, Octets, RowCell, RowLine};
use std::collections::HashSet;

impl NetTables {
    /// Of the tables after the first so many, keeps the rows that referred to a row of another one
    /// that is kept.
    pub(super) fn keep_below(&mut self, named: usize) {
        let mut waiting: Vec<(NetTable, Vec<NetChange>)> = self
            .tables
            .split_off(named)
            .into_iter()
            .map(|mut table| {
                let changes = std::mem::take(&mut table.changes);
                (table, changes)
            })
            .collect();
        loop {
            let mut found = false;
            for i in 0..waiting.len() {
                let Some((kept, _)) = waiting.get(i) else { continue };
                let tables = self.tables.iter().chain(waiting.iter().map(|(kept, _)| kept));
                let parents = Parents::of(kept, &tables.collect::<Vec<_>>());
                let Some((kept, left)) = waiting.get_mut(i) else { continue };
                let (mut more, rest) =
                    std::mem::take(left).into_iter().partition(|change| parents.had(kept, change));
                *left = rest;
                found |= !more.is_empty();
                kept.changes.append(&mut more);
            }
            if !found {
                break;
            }
        }
        self.tables.extend(waiting.into_iter().map(|(kept, _)| kept).filter(|t| !t.changes.is_empty()));
    }
}

/// What rows of other tables that changed had in the columns to which one table refers.
struct Parents {
    /// For each foreign key of the table: its columns, and the values of the rows.
    keys: Vec<(Vec<String>, HashSet<Vec<String>>)>,
    /// Some value is text outside of ASCII, of which only the collation says what equals it.
    undecided: bool,
}

impl Parents {
    fn of(child: &NetTable, tables: &[&NetTable]) -> Self {
        let mut all = Self { keys: Vec::new(), undecided: false };
        for reference in child.header.references.iter().flatten().filter(|r| r.child == child.name) {
            let of = tables.iter().filter(|t| t.name == reference.parent && t.name != child.name);
            let rows = of.flat_map(|t| t.changes.iter().map(move |change| (t, change)));
            let rows =
                rows.flat_map(|(t, c)| [&c.before, &c.end].into_iter().flatten().map(move |row| (t, row)));
            let had: HashSet<Vec<String>> =
                rows.filter_map(|(t, row)| values(&t.header, row, &reference.referenced)).collect();
            all.undecided |= had.iter().flatten().any(|value| !value.is_ascii());
            all.keys.push((reference.columns.clone(), had));
        }
        all
    }

    /// Whether a row of the table, as it was before, referred to one of them. It may have where
    /// that is not known: a statement that brings back a row asks for its parent by itself.
    fn had(&self, child: &NetTable, change: &NetChange) -> bool {
        let Some(row) = &change.before else { return true };
        self.keys.iter().any(|(columns, had)| {
            values(&child.header, row, columns).is_some_and(|wanted| {
                let ascii = !self.undecided && wanted.iter().all(|value| value.is_ascii());
                had.contains(&wanted) || (!ascii && !had.is_empty())
            })
        })
    }
}

/// The values of some columns, without regard to what collations do not regard; `None`: one is NULL
/// or not known.
fn values(header: &NetHeader, row: &RowLine, columns: &[String]) -> Option<Vec<String>> {
    let cell = |name: &String| match row.get(header.definition.position(name)?)? {
        RowCell::Value(Octets(bytes)) => Some(String::from_utf8_lossy(bytes).trim_end().to_lowercase()),
        RowCell::Null | RowCell::Unknown(_) => None,
    };
    columns.iter().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbtrail_types::names::TableName;
    use serde_json::json;

    /// `name (id, up)`, whose `up` refers to `id` of `parent`; of each row `[id, up]` before, and
    /// none at the end.
    fn table(name: &str, parent: &str, rows: &[[&str; 2]]) -> NetTable {
        let column = |name: &str| json!({"name": name, "type": "varchar(9)", "nullable": true});
        let named = |table: &str| json!({"schema": "s", "table": table});
        let header = json!({
            "success": true,
            "columns": [column("id"), column("up")],
            "primary_key": ["id"],
            "newest": "2026-01-01T00:00:00Z",
            "references": [{
                "child": named(name),
                "columns": ["up"],
                "parent": named(parent),
                "referenced": ["id"],
                "changes_rows": true,
            }],
        });
        let change = |row: &[&str; 2]| json!({"key": [row[0]], "before": row, "end": null});
        NetTable {
            name: TableName { schema: "s".to_owned(), table: name.to_owned() },
            header: serde_json::from_value(header).unwrap(),
            changes: rows.iter().map(|row| serde_json::from_value(change(row)).unwrap()).collect(),
        }
    }

    /// The keys that are kept of `c` and of `g` below it, under the rows of `p`.
    fn kept(p: &[[&str; 2]], c: &[[&str; 2]], g: &[[&str; 2]]) -> Vec<(String, Vec<String>)> {
        let tables = vec![table("p", "none", p), table("g", "c", g), table("c", "p", c)];
        let mut all = NetTables { tables, incomplete: Vec::new() };
        all.keep_below(1);
        let key = |change: &NetChange| String::from_utf8(change.key[0].0.clone()).unwrap();
        let below = all.tables.iter().skip(1);
        below.map(|t| (t.name.table.clone(), t.changes.iter().map(key).collect())).collect()
    }

    #[test]
    fn ok_rows_below_are_those_of_the_rows_above() {
        let found = kept(&[["1", "x"]], &[["10", "1"], ["11", "2"]], &[["20", "10"], ["21", "11"]]);
        assert_eq!(found, [("g".to_owned(), vec!["20".to_owned()]), ("c".to_owned(), vec!["10".to_owned()])]);
        assert_eq!(kept(&[["1", "x"]], &[["10", "2"]], &[["20", "10"]]), []);
    }

    #[test]
    fn ok_what_a_collation_decides_is_kept() {
        let both = [("c".to_owned(), vec!["10".to_owned(), "11".to_owned()])];
        assert_eq!(kept(&[["é", "x"]], &[["10", "e"], ["11", "f"]], &[]), both);
        assert_eq!(kept(&[["E", "x"]], &[["10", "é"], ["11", "e"]], &[]), both);
    }

    /// A hundred thousand rows below as many: each is looked up, not compared with all.
    #[test]
    fn ok_many_rows_are_looked_up() {
        let ids: Vec<String> = (0..100_000).map(|i| i.to_string()).collect();
        let above: Vec<[&str; 2]> = ids.iter().map(|id| [id.as_str(), "x"]).collect();
        let below: Vec<[&str; 2]> = ids.iter().map(|id| [id.as_str(), id.as_str()]).collect();
        assert_eq!(kept(&above, &below, &[])[0].1.len(), ids.len());
    }
}
