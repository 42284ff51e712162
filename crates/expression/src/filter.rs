//! Conditions on stored rows: each column compared with constants of its own kind, as the server
//! compares them, or refused by the column's name.
//!
//! What a condition needs is found once ([`RowFilter::new`]); a row is then a few comparisons. A
//! cell of which the comparison is not known (or that is not known) refuses the row only where the
//! truth of the whole condition hangs on it.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "types are many; the ones that are not named are refused"
)]

mod digits;
mod prepare;

use crate::budget::{Budget, Limits};
use crate::like::{Letters, like};
use dbtrail_types::agent_api::Filter;
use dbtrail_types::agent_api::Relation;
use dbtrail_types::collation;
use dbtrail_types::column::Column;
use dbtrail_types::column::ColumnType;
use digits::Digits;
use digits::micros;
use prepare::{DEEPEST, node};
use std::borrow::Cow;
use std::cmp::Ordering;

/// A cell of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowValue<'a> {
    /// NULL.
    Null,
    /// Its text-protocol text or bytes (UTC for TIMESTAMP, UTF-8 for text).
    Bytes(&'a [u8]),
    /// It is not known.
    Unknown,
}

/// A condition that is not carried out, or not on this row: a sentence that names the column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Undecided(pub String);

/// A condition, ready for rows with these columns.
#[derive(Clone, Debug)]
pub struct RowFilter {
    root: Node,
    names: Vec<String>,
}

#[derive(Clone, Debug)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Truth(Option<bool>),
    IsNull(usize),
    Compare {
        at: usize,
        is: Relation,
        with: Operand,
    },
    In {
        at: usize,
        values: Vec<Operand>,
    },
    /// `bytes`: each byte is a letter.
    Like {
        at: usize,
        letters: Letters,
        bytes: bool,
        pattern: String,
        escape: Option<char>,
    },
}

/// A constant, by how cells are compared with it.
#[derive(Clone, Debug)]
enum Operand {
    /// An exact number.
    Number(Digits),
    /// BIT.
    Bits(Digits),
    /// DOUBLE.
    Double(f64),
    /// FLOAT, as DOUBLE.
    Float(f64),
    /// TIME, in microseconds.
    Time(i64),
    /// The bytes themselves: dates, ENUM, UUID.
    Same(Vec<u8>),
    /// Bytes; cells are as wide as that.
    Bytes(Vec<u8>, usize),
    /// Text: its weights.
    Text(String, Vec<u8>, String),
}

fn refused(column: &Column, why: &str) -> Undecided {
    let ty = match &column.ty {
        ColumnType::Enum { .. } => "enum".to_owned(),
        ColumnType::Set { .. } => "set".to_owned(),
        other => other.to_string(),
    };
    Undecided(format!("a condition on column {} ({ty}): {why}", column.name))
}

impl RowFilter {
    /// A condition for rows with these columns.
    ///
    /// # Errors
    /// A column is not there, or how it compares is not known.
    pub fn new(filter: &Filter, columns: &[Column]) -> Result<Self, Undecided> {
        let names = columns.iter().map(|c| c.name.clone()).collect();
        Ok(Self { root: node(filter, columns, DEEPEST)?, names })
    }

    /// Whether the condition is true for a row.
    ///
    /// # Errors
    /// That hangs on a cell that is not known, or of which it is not known how it compares.
    pub fn holds(&self, row: &[RowValue<'_>]) -> Result<bool, Undecided> {
        self.truth(&self.root, row).map(|truth| truth == Some(true))
    }

    fn truth(&self, node: &Node, row: &[RowValue<'_>]) -> Result<Option<bool>, Undecided> {
        match node {
            Node::All(parts) => self.joined(parts, row, false),
            Node::Any(parts) => self.joined(parts, row, true),
            Node::Not(inside) => Ok(self.truth(inside, row)?.map(|truth| !truth)),
            Node::Truth(truth) => Ok(*truth),
            Node::IsNull(at) => Ok(Some(self.cell(*at, row)?.is_none())),
            Node::Compare { at, is, with } => {
                let Some(cell) = self.cell(*at, row)? else {
                    return Ok((*is == Relation::Same).then_some(false));
                };
                Ok(Some(is.holds(self.order(*at, with, cell)?)))
            }
            Node::In { at, values } => {
                let Some(cell) = self.cell(*at, row)? else { return Ok(None) };
                let mut undecided = None;
                for value in values {
                    match self.order(*at, value, cell) {
                        Ok(Ordering::Equal) => return Ok(Some(true)),
                        Ok(_) => {}
                        Err(error) => undecided = Some(error),
                    }
                }
                undecided.map_or(Ok(Some(false)), Err)
            }
            Node::Like { at, letters, bytes, pattern, escape } => {
                let Some(cell) = self.cell(*at, row)? else { return Ok(None) };
                let text = if *bytes {
                    Cow::Owned(cell.iter().copied().map(char::from).collect::<String>())
                } else {
                    let text = std::str::from_utf8(cell);
                    Cow::Borrowed(text.map_err(|_| self.odd(*at, "its text is not UTF-8"))?)
                };
                let mut budget = Budget::new(Limits::default());
                let found = like(&text, pattern, *letters, *escape, &mut budget);
                found.map(Some).map_err(|why| self.odd(*at, &why.to_string()))
            }
        }
    }

    /// AND, where `decisive` is false, or OR: one part of that truth decides, whatever the others
    /// are.
    fn joined(
        &self,
        parts: &[Node],
        row: &[RowValue<'_>],
        decisive: bool,
    ) -> Result<Option<bool>, Undecided> {
        let (mut truth, mut undecided) = (Some(!decisive), None);
        for part in parts {
            match self.truth(part, row) {
                Ok(Some(truth)) if truth == decisive => return Ok(Some(decisive)),
                Ok(Some(_)) => {}
                Ok(None) => truth = None,
                Err(error) => undecided = Some(error),
            }
        }
        undecided.map_or(Ok(truth), Err)
    }

    fn odd(&self, at: usize, why: &str) -> Undecided {
        let name = self.names.get(at).map_or("", String::as_str);
        Undecided(format!("whether the condition on column {name} is true for a row is not known: {why}"))
    }

    fn cell<'r>(&self, at: usize, row: &[RowValue<'r>]) -> Result<Option<&'r [u8]>, Undecided> {
        match row.get(at) {
            Some(RowValue::Bytes(bytes)) => Ok(Some(bytes)),
            Some(RowValue::Null) => Ok(None),
            Some(RowValue::Unknown) | None => Err(self.odd(at, "what it held is not known")),
        }
    }

    /// How a cell is to a constant.
    fn order(&self, at: usize, with: &Operand, cell: &[u8]) -> Result<Ordering, Undecided> {
        let unread = || self.odd(at, "its value is not in the form of its type");
        let real = |cell: &[u8]| std::str::from_utf8(cell).ok().and_then(|text| text.parse::<f64>().ok());
        Ok(match with {
            Operand::Number(number) => Digits::read(cell).ok_or_else(unread)?.order(number),
            Operand::Bits(number) => Digits::of_bits(cell).ok_or_else(unread)?.order(number),
            Operand::Double(number) => {
                real(cell).and_then(|cell| cell.partial_cmp(number)).ok_or_else(unread)?
            }
            Operand::Float(number) => {
                let cell = std::str::from_utf8(cell).ok().and_then(|text| text.parse::<f32>().ok());
                cell.and_then(|cell| f64::from(cell).partial_cmp(number)).ok_or_else(unread)?
            }
            Operand::Time(time) => micros(cell).ok_or_else(unread)?.cmp(time),
            Operand::Same(bytes) => cell.cmp(bytes.as_slice()),
            Operand::Bytes(bytes, width) => {
                let zeros = width.saturating_sub(cell.len());
                cell.iter().copied().chain(std::iter::repeat_n(0, zeros)).cmp(bytes.iter().copied())
            }
            Operand::Text(collation, weights, text) => {
                // The same text is the same in every collation.
                if cell == text.as_bytes() {
                    return Ok(Ordering::Equal);
                }
                let cell = std::str::from_utf8(cell).map_err(|_| self.odd(at, "its text is not UTF-8"))?;
                let mut own = Vec::with_capacity(cell.len() + 1);
                collation::sort_key(collation, cell, &mut own)
                    .map_err(|why| self.odd(at, &why.to_string()))?;
                own.cmp(weights)
            }
        })
    }
}

#[cfg(test)]
mod tests;
