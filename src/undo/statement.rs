//! The statements that take a row back, each of which changes nothing if the row is not what it is
//! thought to be.

use super::cell::{known, of};
use super::literal::{self, Text, Unwritable, name};
use super::session::relaxation;
use dbtrail_types::agent_api::{NetHeader, Octets, Reference, RowCell, RowLine};
use dbtrail_types::column::{Column, ColumnType, Family, TableDefinition, same_name};
use dbtrail_types::names::TableName;

/// The time zone in which TIMESTAMP values are written.
pub const TIME_ZONE: &str = "+00:00";
/// What a session's sql_mode needs: with it, 0 in an AUTO_INCREMENT column and dates that no
/// calendar has stay what they are.
pub const SQL_MODE: &str =
    "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION";

/// In a session that checks foreign keys, a row that goes would take others with it.
pub(super) const UNCHECKED: &str = "@@session.foreign_key_checks = 0";

/// A table, and what the agent says of it.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// The name of the table.
    pub name: &'a TableName,
    /// Definition, generated columns, foreign keys.
    pub header: &'a NetHeader,
    /// How text is written.
    pub text: Text,
    /// Who sees to foreign keys.
    pub links: Links,
}

/// Who sees to it that no row is left without the one to which it refers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Each statement, which changes nothing otherwise.
    Each,
    /// What follows the statements (see `orphans`): on the way, rows may be without their parents.
    End,
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
    pub(super) fn definition(&self) -> &TableDefinition {
        &self.header.definition
    }

    fn is_generated(&self, column: &Column) -> bool {
        self.header.generated.iter().any(|g| same_name(g, &column.name))
    }

    /// The columns that statements name, with their positions.
    fn columns(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.definition().columns.iter().enumerate().filter(|(_, c)| !self.is_generated(c))
    }

    /// Whether a server may set a column in each UPDATE that does not name it, so that it stays
    /// what it is only where it is named. A bare TIMESTAMP may be one without a word of it (without
    /// `explicit_defaults_for_timestamp`), and nothing tells where the record has no declaration.
    fn may_set_itself(&self, column: &Column) -> bool {
        let undeclared = column.ty.family() == Family::DateTime && !self.is_declared();
        column.on_update_now || column.ty.family() == Family::Timestamp || undeclared
    }

    /// Whether the record has a declaration of the table: of attributes that no table map tells,
    /// nothing is known otherwise.
    fn is_declared(&self) -> bool {
        self.header.unique.is_some()
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
        let mut links = Vec::new();
        for reference in self.references().filter(|r| r.child == *self.name) {
            links.extend(self.parent_there(reference, row)?);
        }
        conditions.extend(self.linked(links));
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
                let mut links = Vec::new();
                for reference in self.references().filter(|r| r.parent == *self.name) {
                    links.extend(if reference.child == *self.name {
                        self.no_other_of_its_own(reference, row, taken_back)?
                    } else {
                        self.no_child(reference, row)?
                    });
                }
                conditions.extend(self.linked(links));
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
            if was == will && !self.may_set_itself(column) {
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
            let undeclared = column.ty.is_integer() && !self.is_declared();
            (column.auto_increment || undeclared) && value == Some(0.0)
        };
        if self.columns().any(zero) {
            conditions.push("FIND_IN_SET('NO_AUTO_VALUE_ON_ZERO', @@session.sql_mode) > 0".to_owned());
        }
        conditions
    }

    /// Conditions of a statement that are checked instead of its foreign keys.
    fn linked(&self, links: Vec<String>) -> Vec<String> {
        match self.links {
            Links::Each => links,
            Links::End if links.is_empty() => links,
            Links::End => vec![UNCHECKED.to_owned()],
        }
    }

    pub(super) fn references(&self) -> impl Iterator<Item = &Reference> {
        self.header.references.iter().flatten()
    }
}

/// `schema`.`table`
#[must_use]
pub fn sql_name(table: &TableName) -> String {
    format!("{}.{}", name(&table.schema), name(&table.table))
}
