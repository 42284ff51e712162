//! Foreign keys in statements: no row is left without the one to which it refers.

use super::cell::{known, of};
use super::literal::{self, Unwritable, name};
use super::session::{hidden, is_hidden};
use super::statement::{Table, UNCHECKED, sql_name};
use dbtrail_types::agent_api::{Reference, RowCell, RowLine};

impl Table<'_> {
    /// A change of what a foreign key of, or to, a table that may not be named here leads to.
    pub(super) fn hidden_in_the_way(&self, from: &RowLine, to: &RowLine) -> Result<(), Unwritable> {
        let cell = |row: &'_ RowLine, column: &String| {
            self.definition().position(column).and_then(|at| row.get(at).cloned())
        };
        for reference in self.references().filter(|r| is_hidden(&r.child) || is_hidden(&r.parent)) {
            let own = if is_hidden(&reference.child) { &reference.referenced } else { &reference.columns };
            if own.iter().any(|column| cell(from, column) != cell(to, column)) {
                return Err(hidden());
            }
        }
        Ok(())
    }

    /// No row refers to this one: with it, nothing else would go, and nothing would be left without
    /// its parent.
    pub(super) fn no_child(
        &self,
        reference: &Reference,
        row: &RowLine,
    ) -> Result<Option<String>, Unwritable> {
        if is_hidden(&reference.child) {
            return Err(hidden());
        }
        let conditions = self.matching(&reference.referenced, &reference.columns, row)?;
        let child = sql_name(&reference.child);
        Ok(conditions.map(|c| format!("NOT EXISTS (SELECT 1 FROM {child} AS r WHERE {c})")))
    }

    /// The same of a foreign key within the table: but for rows that are taken back as well, and
    /// the row itself.
    pub(super) fn no_other_of_its_own(
        &self,
        reference: &Reference,
        row: &RowLine,
        taken_back: &[&RowLine],
    ) -> Result<Option<String>, Unwritable> {
        let Some(mut conditions) = self.matching(&reference.referenced, &reference.columns, row)? else {
            return Ok(None);
        };
        let own = self.is_self(reference, row).then_some(row);
        let spared: Vec<&RowLine> = taken_back.iter().copied().chain(own).collect();
        for other in &spared {
            let key = self.definition().primary_key.clone();
            if let Some(same) = self.matching(&key, &key, other)? {
                conditions.extend([" AND NOT (", &same, ")"]);
            }
        }
        // The table of the statement itself may only be asked for in a derived table.
        let child = self.sql_name();
        let alone = format!(
            "NOT EXISTS (SELECT 1 FROM (SELECT 1 FROM {child} AS r WHERE {conditions} LIMIT 1) AS others)"
        );
        Ok(Some(if spared.is_empty() { alone } else { format!("{alone} AND {UNCHECKED}") }))
    }

    /// The row to which this one refers is there.
    pub(super) fn parent_there(
        &self,
        reference: &Reference,
        row: &RowLine,
    ) -> Result<Option<String>, Unwritable> {
        if reference.parent == *self.name && self.is_self(reference, row) {
            return Ok(None);
        }
        if is_hidden(&reference.parent) {
            let cell = |column| self.definition().position(column).and_then(|at| row.get(at));
            let null = reference.columns.iter().any(|column| cell(column) == Some(&RowCell::Null));
            return if null { Ok(None) } else { Err(hidden()) };
        }
        let conditions = self.matching(&reference.columns, &reference.referenced, row)?;
        let parent = sql_name(&reference.parent);
        Ok(conditions.map(|c| format!("EXISTS (SELECT 1 FROM {parent} AS r WHERE {c})")))
    }

    /// Whether a row refers to itself.
    pub(super) fn is_self(&self, reference: &Reference, row: &RowLine) -> bool {
        let cell = |column: &String| self.definition().position(column).and_then(|at| row.get(at));
        reference
            .columns
            .iter()
            .zip(&reference.referenced)
            .all(|(a, b)| cell(a).is_some() && cell(a) == cell(b))
    }

    /// Columns of another table that have the values of some of this row's. `None`: one of them is
    /// NULL, and refers to nothing.
    pub(super) fn matching(
        &self,
        own: &[String],
        others: &[String],
        row: &RowLine,
    ) -> Result<Option<String>, Unwritable> {
        let mut conditions = Vec::new();
        for (own, other) in own.iter().zip(others) {
            let at = self.definition().position(own);
            let Some((at, column)) = at.and_then(|at| Some((at, self.definition().columns.get(at)?))) else {
                return Err(Unwritable(format!(
                    "a foreign key names the column {own}, which it does not have"
                )));
            };
            let Some(cell) = known(row, at, column)? else { return Ok(None) };
            // As the server compares them: by the collation.
            let value = literal::value(Some(cell), column, self.text).map_err(|e| of(column, &e))?.sql;
            conditions.push(format!("r.{} = {value}", name(other)));
        }
        Ok((!conditions.is_empty()).then(|| conditions.join(" AND ")))
    }
}
