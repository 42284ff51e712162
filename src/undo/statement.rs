//! The statements that take a row back, each of which changes nothing if the row is not what it is
//! thought to be.

use super::cell::{known, of};
use super::literal::{self, Text, Unwritable, name};
use super::session::{hidden, is_hidden, relaxation};
use dbtrail_types::agent_api::{NetHeader, Octets, Reference, RowCell, RowLine};
use dbtrail_types::column::{Column, ColumnType, TableDefinition, same_name};
use dbtrail_types::names::TableName;

/// The time zone in which TIMESTAMP values are written.
pub const TIME_ZONE: &str = "+00:00";
/// What a session's sql_mode needs: with it, 0 in an AUTO_INCREMENT column and dates that no
/// calendar has stay what they are.
pub const SQL_MODE: &str =
    "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION";

/// In a session that checks foreign keys, a row that goes would take others with it.
const UNCHECKED: &str = "@@session.foreign_key_checks = 0";

/// A table, and what the agent says of it.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// Its name.
    pub name: &'a TableName,
    /// Definition, generated columns, foreign keys.
    pub header: &'a NetHeader,
    /// How text is written.
    pub text: Text,
}

/// Why a DELETE of a row is not the end of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal<'a> {
    /// The row goes.
    Final {
        /// Rows of the same table that refer to it, and are taken back themselves.
        taken_back: &'a [&'a RowLine],
    },
    /// It comes back with other values, by an INSERT that follows.
    Moved,
}

impl Table<'_> {
    fn definition(&self) -> &TableDefinition {
        &self.header.definition
    }

    fn is_generated(&self, column: &Column) -> bool {
        self.header.generated.iter().any(|g| same_name(g, &column.name))
    }

    /// The columns that statements name, with their places.
    fn columns(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.definition().columns.iter().enumerate().filter(|(_, c)| !self.is_generated(c))
    }

    fn is_key(&self, column: &Column) -> bool {
        self.definition().primary_key.iter().any(|k| same_name(k, &column.name))
    }

    /// The table as statements name it.
    #[must_use]
    pub fn sql_name(&self) -> String {
        sql_name(self.name)
    }

    /// INSERT of a row.
    ///
    /// # Errors
    /// A cell is not known, or cannot be written exactly.
    pub fn insert(&self, row: &RowLine) -> Result<String, Unwritable> {
        let (mut columns, mut values, mut relaxed) = (Vec::new(), Vec::new(), false);
        for (at, column) in self.columns() {
            let value =
                literal::value(known(row, at, column)?, column, self.text).map_err(|e| of(column, &e))?;
            relaxed |= value.relaxed;
            columns.push(name(&column.name));
            values.push(value.sql);
        }
        let mut conditions = self.session(row);
        for reference in self.references().filter(|r| r.child == *self.name) {
            conditions.extend(self.parent_there(reference, row)?);
        }
        let (before, hint) = relaxation(relaxed);
        let head = format!("{before}INSERT {hint}INTO {} ({})", self.sql_name(), columns.join(", "));
        Ok(if conditions.is_empty() {
            format!("{head} VALUES ({})", values.join(", "))
        } else {
            format!("{head} SELECT {} FROM DUAL WHERE {}", values.join(", "), conditions.join(" AND "))
        })
    }

    /// DELETE of a row.
    ///
    /// # Errors
    /// As for [`Self::insert`].
    pub fn delete(&self, row: &RowLine, removal: Removal<'_>) -> Result<String, Unwritable> {
        let mut conditions = self.guard(row)?;
        match removal {
            Removal::Final { taken_back } => {
                for reference in self.references().filter(|r| r.parent == *self.name) {
                    conditions.extend(if reference.child == *self.name {
                        self.no_other_of_its_own(reference, row, taken_back)?
                    } else {
                        self.no_child(reference, row)?
                    });
                }
            }
            Removal::Moved => conditions.push(UNCHECKED.to_owned()),
        }
        Ok(format!("DELETE FROM {} WHERE {}", self.sql_name(), conditions.join(" AND ")))
    }

    /// UPDATE of a row from one state to another, the key being the same. `None`: nothing that a
    /// statement can set differs.
    ///
    /// # Errors
    /// As for [`Self::insert`].
    pub fn update(&self, from: &RowLine, to: &RowLine) -> Result<Option<String>, Unwritable> {
        let (mut set, mut relaxed, mut differs) = (Vec::new(), false, false);
        for (at, column) in self.columns() {
            let (was, will) = (known(from, at, column)?, known(to, at, column)?);
            differs |= was != will;
            // A column that the server sets by itself stays what it is only where it is set.
            if was == will && !column.on_update_now {
                continue;
            }
            let value = literal::value(will, column, self.text).map_err(|e| of(column, &e))?;
            relaxed |= value.relaxed;
            set.push(format!("{} = {}", name(&column.name), value.sql));
        }
        if !differs {
            return Ok(None);
        }
        self.hidden_in_the_way(from, to)?;
        let conditions = self.guard(from)?;
        let (before, hint) = relaxation(relaxed);
        Ok(Some(format!(
            "{before}UPDATE {hint}{} SET {} WHERE {}",
            self.sql_name(),
            set.join(", "),
            conditions.join(" AND ")
        )))
    }

    /// Conditions that are true of this row alone: its key first, by the index, then every other
    /// column that is no generated one.
    fn guard(&self, row: &RowLine) -> Result<Vec<String>, Unwritable> {
        let (mut keys, mut others) = (Vec::new(), Vec::new());
        for (at, column) in self.columns() {
            let cell = known(row, at, column)?;
            let is_key = self.is_key(column);
            let make = if is_key { literal::key_condition } else { literal::condition };
            let made = make(cell, column, self.text).map_err(|e| of(column, &e))?;
            if is_key { keys.push(made) } else { others.push(made) }
        }
        if keys.is_empty() {
            return Err(Unwritable("its key is made of generated columns".to_owned()));
        }
        keys.extend(others);
        keys.extend(self.session(row));
        Ok(keys)
    }

    /// What the session has to be for the values to mean what they say.
    fn session(&self, row: &RowLine) -> Vec<String> {
        let mut conditions = Vec::new();
        if self.columns().any(|(_, c)| matches!(c.ty, ColumnType::Timestamp { .. })) {
            conditions.push(format!("@@session.time_zone = '{TIME_ZONE}'"));
        }
        let zero = |(at, column): (usize, &Column)| {
            let value = row.get(at).and_then(|cell| match cell {
                RowCell::Value(Octets(bytes)) => std::str::from_utf8(bytes).ok()?.parse::<f64>().ok(),
                RowCell::Null | RowCell::Unknown(_) => None,
            });
            column.auto_increment && value == Some(0.0)
        };
        if self.columns().any(zero) {
            conditions.push("FIND_IN_SET('NO_AUTO_VALUE_ON_ZERO', @@session.sql_mode) > 0".to_owned());
        }
        conditions
    }

    fn references(&self) -> impl Iterator<Item = &Reference> {
        self.header.references.iter().flatten()
    }

    /// A change of what a foreign key of, or to, a table that may not be named here leads to.
    fn hidden_in_the_way(&self, from: &RowLine, to: &RowLine) -> Result<(), Unwritable> {
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
    fn no_child(&self, reference: &Reference, row: &RowLine) -> Result<Option<String>, Unwritable> {
        if is_hidden(&reference.child) {
            return Err(hidden());
        }
        let conditions = self.matching(&reference.referenced, &reference.columns, row)?;
        let child = sql_name(&reference.child);
        Ok(conditions.map(|c| format!("NOT EXISTS (SELECT 1 FROM {child} AS r WHERE {c})")))
    }

    /// The same of a foreign key within the table: but for rows that are taken back as well, and
    /// the row itself.
    fn no_other_of_its_own(
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
    fn parent_there(&self, reference: &Reference, row: &RowLine) -> Result<Option<String>, Unwritable> {
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
    fn is_self(&self, reference: &Reference, row: &RowLine) -> bool {
        let cell = |column: &String| self.definition().position(column).and_then(|at| row.get(at));
        reference
            .columns
            .iter()
            .zip(&reference.referenced)
            .all(|(a, b)| cell(a).is_some() && cell(a) == cell(b))
    }

    /// Columns of another table that have the values of some of this row's. `None`: one of them is
    /// NULL, and refers to nothing.
    fn matching(
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

/// `schema`.`table`
#[must_use]
pub fn sql_name(table: &TableName) -> String {
    format!("{}.{}", name(&table.schema), name(&table.table))
}
