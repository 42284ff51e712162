//! Rows that are left without the row to which they refer: counted when all statements have run.

use super::changed::Changed;
use super::literal::{Text, name};
use super::obstacles::{Left, references};
use super::statement::{Links, sql_name};
use dbtrail_types::agent_api::{NetChange, Reference, RowLine};
use std::collections::BTreeSet;

/// Values asked for with one query.
const TOGETHER: usize = 200;

/// Queries for how many rows there are without a parent that had one, of the values that rows get
/// or lose by what is taken back. `nets`: a change a key.
pub(super) fn counts(nets: &[Changed<'_>], left: &Left, text: Text) -> Vec<String> {
    let mut seen: Vec<&Reference> = Vec::new();
    let mut queries = Vec::new();
    for reference in nets.iter().flat_map(references) {
        if seen.contains(&reference) {
            continue;
        }
        seen.push(reference);
        let mut values = BTreeSet::new();
        for (number, table) in nets.iter().enumerate() {
            let taken = table.changes.iter().enumerate().filter(|(i, _)| !left.contains_key(&(number, *i)));
            for (_, change) in taken {
                values.extend(condition(reference, table, change, text));
            }
        }
        let values: Vec<String> = values.into_iter().collect();
        queries.extend(values.chunks(TOGETHER).map(|values| query(reference, values)));
    }
    queries
}

/// The conditions for the values that a change brings or takes away.
fn condition(reference: &Reference, table: &Changed<'_>, change: &NetChange, text: Text) -> Vec<String> {
    let writer = table.statements(text, Links::End);
    let of = |row: &Option<RowLine>, own: &[String]| {
        // Values that cannot be written are in no statement.
        row.as_ref().and_then(|row| writer.matching(own, &reference.columns, row).ok().flatten())
    };
    let mut found = Vec::new();
    if reference.child == *table.name {
        let (back, was) = (of(&change.before, &reference.columns), of(&change.end, &reference.columns));
        found.extend(back.filter(|back| was.as_ref() != Some(back)));
    }
    if reference.parent == *table.name {
        let (back, was) = (of(&change.before, &reference.referenced), of(&change.end, &reference.referenced));
        found.extend(was.filter(|was| back.as_ref() != Some(was)));
    }
    found
}

fn query(reference: &Reference, values: &[String]) -> String {
    let pairs = reference.columns.iter().zip(&reference.referenced);
    let same: Vec<String> = pairs.map(|(own, up)| format!("p.{} = r.{}", name(up), name(own))).collect();
    format!(
        "SELECT COUNT(*) FROM {} AS r WHERE ({}) AND NOT EXISTS (SELECT 1 FROM {} AS p WHERE {})",
        sql_name(&reference.child),
        values.join(" OR "),
        sql_name(&reference.parent),
        same.join(" AND ")
    )
}
