//! Conditions on information_schema that are looked at before the agent is asked for more.

use super::scope::Shared;
use super::tables::Table;
use dbtrail_expression::{Node, Value};

/// The conditions that can be decided when no more of a row is known than the names of its schema
/// and its table.
pub(super) struct Early<'a> {
    width: usize,
    schema: Vec<usize>,
    table: Vec<usize>,
    conditions: Vec<&'a Node>,
    budget: Shared,
}

impl<'a> Early<'a> {
    pub(super) fn new(of: &Table, keep: &'a [Node], schema: &[&str], table: &[&str], budget: Shared) -> Self {
        let shown_schemas =
            |names: &[&str]| names.iter().filter_map(|n| of.position(n)).collect::<Vec<usize>>();
        let (schema, table) = (shown_schemas(schema), shown_schemas(table));
        let known = |at: &usize| schema.contains(at) || table.contains(at);
        let conditions = keep.iter().filter(|f| f.columns().iter().all(known)).collect();
        Self { width: of.fields.len(), conditions, schema, table, budget }
    }

    pub(super) fn holds(&self, schema: &str, table: &str) -> bool {
        let mut row = vec![Value::Null; self.width];
        for (shown_schemas, name) in [(&self.schema, schema), (&self.table, table)] {
            for at in shown_schemas {
                row[*at] = Value::from(name.to_owned());
            }
        }
        self.budget.may_hold(self.conditions.iter().copied(), &row)
    }
}
