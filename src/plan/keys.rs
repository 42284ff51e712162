//! Key predicates to keys.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions and the types without a key order are many; the ones that are not named are refused"
)]

use super::change_columns::CHANGE_COLUMNS;
use super::function;
use super::key_value::{Condition, KeyValue, LiteralReader, one_kind};
use super::literal::position_of;
use crate::failure::Failure;
use crate::statement::VirtualSchema;
use bound::Bound;
use dbtrail_types::agent_api::{KeyChoice, KeyRange, Keys, Octets};
use dbtrail_types::column::{Column, ColumnType, TableDefinition, same_name};
use sqlparser::ast::{BinaryOperator, Expr, Value};
use std::cell::RefCell;
use std::collections::HashSet;

/// What reads a predicate.
#[derive(Clone, Copy)]
pub(super) struct Predicate<'a> {
    pub(super) definition: &'a TableDefinition,
    /// Names by which a column may be qualified: alias or table.
    pub(super) qualifiers: &'a [String],
    /// How literals are read.
    pub(super) reader: LiteralReader<'a>,
    pub(super) max_keys: u64,
    /// `_flashback.orders AS OF ...`, for the example in the message.
    pub(super) table: &'a str,
    /// For a statement that is prepared and not yet executed: takes down which parameter is
    /// compared with which column. The keys that come of such a predicate are none.
    pub(super) open: Option<&'a RefCell<Vec<(usize, Column)>>>,
}

impl Predicate<'_> {
    pub(super) fn key(&self) -> Vec<&Column> {
        self.definition.key_columns()
    }

    pub(super) fn is_diff(&self) -> bool {
        self.table.starts_with(VirtualSchema::Diff.name())
    }

    /// A literal as the text of a key column; a refusal has an example.
    pub(super) fn value(
        &self,
        literal: &Expr,
        column: &Column,
        condition: Condition,
    ) -> Result<Option<KeyValue>, Failure> {
        if let (Some(open), Some(number)) = (self.open, parameter(literal)) {
            open.borrow_mut().push((number, column.clone()));
            return Ok(None);
        }
        if let (Some(open), Some((_, arguments))) = (self.open, function::call(literal))
            && let Some(number) = arguments.first().and_then(|first| parameter(first))
        {
            let text = ColumnType::VarChar { chars: 255 };
            let collation = Some("utf8mb4_bin".to_owned());
            open.borrow_mut().push((number, Column { ty: text, collation, ..column.clone() }));
            return Ok(None);
        }
        let value = self.reader.value(literal, column, condition);
        value.map(Some).map_err(|failure| self.with_example(failure))
    }

    /// The values of one column in a list, which are compared together.
    fn listed(
        &self,
        values: Vec<Option<KeyValue>>,
        column: &Column,
        condition: Condition,
    ) -> Result<Vec<Octets>, Failure> {
        let known: Vec<&KeyValue> = values.iter().flatten().collect();
        one_kind(&known, column, condition).map_err(|failure| self.with_example(failure))?;
        // A parameter that has no value yet stands for no key.
        Ok(values.into_iter().map(|v| Octets(v.map(|v| v.bytes).unwrap_or_default())).collect())
    }

    /// The keys that a predicate names.
    pub(super) fn keys(&self, filter: Option<&Expr>) -> Result<Keys, Failure> {
        let columns: Vec<String> = self.key().iter().map(|c| c.name.clone()).collect();
        let filter = filter.ok_or_else(|| self.rule("there is no WHERE"))?;
        if columns.is_empty() {
            return Err(self.rule("there is none"));
        }
        let mut parts = Vec::new();
        conjuncts(filter, &mut parts);
        let mut bounds = Vec::new();
        let mut stray = None;
        for part in parts {
            match self.bound(part)? {
                Ok(bound) => bounds.push(bound),
                Err(other) => stray = Some((other, position_of(part))),
            }
        }
        let bound: Vec<usize> = bounds.iter().flat_map(Bound::columns).collect();
        let distinct: HashSet<usize> = bound.iter().copied().collect();
        if distinct.len() != columns.len() {
            let missing = columns.iter().enumerate().find(|(i, _)| !distinct.contains(i));
            let missing = missing.map(|(_, name)| name.as_str()).unwrap_or_default();
            return Err(self.rule(&match stray {
                Some((column, position)) if distinct.is_empty() => {
                    format!("{column} at {position} is not of the key")
                }
                _ => format!("{missing} of the key is not bound in WHERE"),
            }));
        }
        if bound.len() != distinct.len() {
            let twice = (0..columns.len()).find(|i| bound.iter().filter(|b| *b == i).count() > 1);
            let twice = twice.and_then(|i| columns.get(i)).map(String::as_str).unwrap_or_default();
            let what = format!(
                "{twice} of the key is bound twice in WHERE: bind it once, with IN for several values"
            );
            return Err(self.with_example(Failure::Unsupported(what)));
        }
        if let Some((column, position)) = stray {
            return Err(Failure::Unsupported(format!(
                "a condition on {column} at {position} besides the key: ask by key alone and look at {column} in the answer"
            )));
        }
        self.choice(bounds, columns)
    }

    pub(super) fn choice(&self, bounds: Vec<Bound>, columns: Vec<String>) -> Result<Keys, Failure> {
        let width = columns.len();
        let mut tuples: Vec<Vec<Option<Octets>>> = vec![vec![None; width]];
        let mut range = None;
        for bound in bounds {
            match bound {
                Bound::Range(column, from, to) => range = Some((column, from, to)),
                Bound::Values(positions, values) => {
                    if (tuples.len() as u64).saturating_mul(values.len() as u64) > self.max_keys {
                        return Err(self.too_many());
                    }
                    let mut wider = Vec::new();
                    for tuple in &tuples {
                        for value in &values {
                            let mut next = tuple.clone();
                            for (position, v) in positions.iter().zip(value) {
                                next[*position] = Some(v.clone());
                            }
                            wider.push(next);
                        }
                    }
                    tuples = wider;
                }
            }
        }
        if let Some((column, from, to)) = range {
            let prefix: Option<Vec<Octets>> = match tuples.as_slice() {
                [one] if column == width - 1 => one[..column].iter().cloned().collect(),
                _ => None,
            };
            let prefix = prefix.ok_or_else(|| {
                let last = self.key().last().map(|c| c.name.clone()).unwrap_or_default();
                self.with_example(Failure::Unsupported(format!(
                    "BETWEEN in WHERE works on the last column of the key, {last}, with = on all before it"
                )))
            })?;
            let range = KeyRange { prefix, from, to, max_keys: Some(self.max_keys) };
            return Ok(Keys { columns, choice: KeyChoice::Range(range) });
        }
        let mut seen = HashSet::new();
        let values: Option<Vec<Vec<Octets>>> = tuples.into_iter().map(|t| t.into_iter().collect()).collect();
        let mut values = values.ok_or_else(|| self.rule("a part of the key is not bound"))?;
        if values.len() > 1 {
            values.retain(|v| seen.insert(v.clone()));
        }
        Ok(Keys { columns, choice: KeyChoice::Values(values) })
    }

    /// The position of a key column; `Err`: another column's name.
    pub(super) fn column(&self, expression: &Expr) -> Result<Option<Result<usize, String>>, Failure> {
        let name = match expression {
            Expr::Nested(inside) => return self.column(inside),
            Expr::Identifier(name) => name.value.clone(),
            Expr::CompoundIdentifier(parts) => {
                let Some((last, before)) = parts.split_last() else { return Ok(None) };
                let path: Vec<&str> = before.iter().map(|p| p.value.as_str()).collect();
                let path = path.join(".");
                if !self.qualifiers.iter().any(|q| same_name(q, &path)) {
                    return Err(Failure::UnknownColumn(format!("{path}.{}", last.value), "where clause"));
                }
                last.value.clone()
            }
            _ => return Ok(None),
        };
        if name.starts_with('@') {
            return Ok(None);
        }
        let Some(at) = self.definition.position(&name) else {
            // A column that _diff shows and the table has not.
            let shown = CHANGE_COLUMNS.iter().find(|c| self.is_diff() && same_name(c, &name));
            let unknown = Failure::UnknownColumn(name.clone(), "where clause");
            return shown.map(|column| Some(Err((*column).to_owned()))).ok_or(unknown);
        };
        let own = &self.definition.columns[at].name;
        Ok(Some(self.key().iter().position(|c| c.name == *own).ok_or_else(|| own.clone())))
    }
}

/// The number of a parameter that has no value yet.
fn parameter(expression: &Expr) -> Option<usize> {
    match expression {
        Expr::Nested(inside) => parameter(inside),
        Expr::Value(value) => match &value.value {
            Value::Placeholder(name) => name.strip_prefix('?')?.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// The parts of a conjunction, parentheses taken off.
pub(super) fn conjuncts<'a>(filter: &'a Expr, parts: &mut Vec<&'a Expr>) {
    match filter {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            conjuncts(left, parts);
            conjuncts(right, parts);
        }
        Expr::Nested(inside) => conjuncts(inside, parts),
        other => parts.push(other),
    }
}

mod bound;
mod refusals;
#[cfg(test)]
mod tests;
