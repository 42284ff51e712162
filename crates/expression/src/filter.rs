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

use crate::budget::{Budget, Limits};
use crate::like::{Letters, like};
use dbtrail_types::agent_api::{Filter, Octets, Relation};
use dbtrail_types::collation;
use dbtrail_types::column::{Column, ColumnType, same_name};
use std::borrow::Cow;
use std::cmp::Ordering;

mod digits;

use digits::{Digits, micros};

/// Digits of a constant, at most: those of the longest DECIMAL.
const MOST_DIGITS: usize = 65;

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
pub struct Uncertain(pub String);

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

fn refused(column: &Column, why: &str) -> Uncertain {
    let ty = match &column.ty {
        ColumnType::Enum { .. } => "enum".to_owned(),
        ColumnType::Set { .. } => "set".to_owned(),
        other => other.to_string(),
    };
    Uncertain(format!("a condition on column {} ({ty}): {why}", column.name))
}

impl RowFilter {
    /// A condition for rows with these columns.
    ///
    /// # Errors
    /// A column is not there, or how it compares is not known.
    pub fn new(filter: &Filter, columns: &[Column]) -> Result<Self, Uncertain> {
        let names = columns.iter().map(|c| c.name.clone()).collect();
        Ok(Self { root: node(filter, columns, DEEPEST)?, names })
    }

    /// Whether the condition is true for a row.
    ///
    /// # Errors
    /// That hangs on a cell that is not known, or of which it is not known how it compares.
    pub fn holds(&self, row: &[RowValue<'_>]) -> Result<bool, Uncertain> {
        self.truth(&self.root, row).map(|truth| truth == Some(true))
    }

    fn truth(&self, node: &Node, row: &[RowValue<'_>]) -> Result<Option<bool>, Uncertain> {
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
                let mut uncertain = None;
                for value in values {
                    match self.order(*at, value, cell) {
                        Ok(Ordering::Equal) => return Ok(Some(true)),
                        Ok(_) => {}
                        Err(error) => uncertain = Some(error),
                    }
                }
                uncertain.map_or(Ok(Some(false)), Err)
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
    ) -> Result<Option<bool>, Uncertain> {
        let (mut whole, mut uncertain) = (Some(!decisive), None);
        for part in parts {
            match self.truth(part, row) {
                Ok(Some(truth)) if truth == decisive => return Ok(Some(decisive)),
                Ok(Some(_)) => {}
                Ok(None) => whole = None,
                Err(error) => uncertain = Some(error),
            }
        }
        uncertain.map_or(Ok(whole), Err)
    }

    fn odd(&self, at: usize, why: &str) -> Uncertain {
        let name = self.names.get(at).map_or("", String::as_str);
        Uncertain(format!("whether the condition on column {name} is true for a row is not known: {why}"))
    }

    fn cell<'r>(&self, at: usize, row: &[RowValue<'r>]) -> Result<Option<&'r [u8]>, Uncertain> {
        match row.get(at) {
            Some(RowValue::Bytes(bytes)) => Ok(Some(bytes)),
            Some(RowValue::Null) => Ok(None),
            Some(RowValue::Unknown) | None => Err(self.odd(at, "what it held is not known")),
        }
    }

    /// How a cell is to a constant.
    fn order(&self, at: usize, with: &Operand, cell: &[u8]) -> Result<Ordering, Uncertain> {
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

/// Levels of a condition.
const DEEPEST: usize = 200;

fn node(filter: &Filter, columns: &[Column], depth: usize) -> Result<Node, Uncertain> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Uncertain(format!("a condition of more than {DEEPEST} levels")));
    };
    let several =
        |parts: &[Filter]| parts.iter().map(|part| node(part, columns, depth)).collect::<Result<Vec<_>, _>>();
    let found = |name: &str| {
        let at = columns.iter().position(|c| same_name(&c.name, name));
        at.and_then(|at| Some((at, columns.get(at)?))).ok_or_else(|| {
            Uncertain(format!("a condition on column {name}, which the table has not at that instant"))
        })
    };
    Ok(match filter {
        Filter::And(parts) => Node::All(several(parts)?),
        Filter::Or(parts) => Node::Any(several(parts)?),
        Filter::Not(inside) => Node::Not(Box::new(node(inside, columns, depth)?)),
        Filter::Truth(truth) => Node::Truth(*truth),
        Filter::IsNull(name) => Node::IsNull(found(name)?.0),
        Filter::Compare(comparison) => {
            let (at, column) = found(&comparison.column)?;
            let ordered = !comparison.is.is_of_equality();
            Node::Compare { at, is: comparison.is, with: operand(column, &comparison.value, ordered)? }
        }
        Filter::In { column, values } => {
            let (at, column) = found(column)?;
            let values = values.iter().map(|value| operand(column, value, false));
            Node::In { at, values: values.collect::<Result<_, _>>()? }
        }
        Filter::Like { column, pattern, escape } => {
            let (at, column) = found(column)?;
            let bytes = matches!(
                column.ty,
                ColumnType::Binary { .. } | ColumnType::VarBinary { .. } | ColumnType::Blob { .. }
            );
            if bytes && !pattern.is_ascii() {
                return Err(refused(column, "LIKE takes a pattern in ASCII for bytes"));
            }
            let letters = match column.ty {
                // Numbers and times as they are shown, and bytes: there is one way to write each.
                ColumnType::Binary { .. }
                | ColumnType::VarBinary { .. }
                | ColumnType::Blob { .. }
                | ColumnType::Int { .. }
                | ColumnType::Decimal { .. }
                | ColumnType::Year
                | ColumnType::Date
                | ColumnType::DateTime { .. }
                | ColumnType::Time { .. } => Some(Letters::Exact),
                ColumnType::Char { .. } | ColumnType::VarChar { .. } | ColumnType::Text { .. } => {
                    column.collation.as_deref().and_then(Letters::of)
                }
                _ => return Err(refused(column, "LIKE is carried out on text")),
            };
            let collation = column.collation.as_deref().unwrap_or("(unknown)");
            let letters = letters.ok_or_else(|| {
                refused(column, &format!("which letters are alike in {collation} is not known for LIKE"))
            })?;
            Node::Like { at, letters, bytes, pattern: pattern.clone(), escape: *escape }
        }
    })
}

/// A constant that a column is compared with.
fn operand(column: &Column, value: &Octets, ordered: bool) -> Result<Operand, Uncertain> {
    let bytes = value.0.as_slice();
    let malformed =
        || refused(column, &format!("'{}' is no value of its kind", String::from_utf8_lossy(bytes)));
    let number = || {
        let digits = Digits::read(bytes).ok_or_else(malformed)?;
        let count = digits.whole.len() + digits.fraction.len();
        if count > MOST_DIGITS {
            return Err(refused(column, "a number of more than 65 digits is compared as floating point"));
        }
        Ok(digits)
    };
    let real = || {
        let text = std::str::from_utf8(bytes).ok();
        text.and_then(|text| text.parse::<f64>().ok()).filter(|n| n.is_finite()).ok_or_else(malformed)
    };
    let equality = |operand: Operand| {
        if ordered {
            Err(refused(column, "its order is not known here; = and IN are carried out"))
        } else {
            Ok(operand)
        }
    };
    match &column.ty {
        ColumnType::Int { .. } | ColumnType::Year | ColumnType::Decimal { zerofill: false, .. } => {
            number().map(Operand::Number)
        }
        ColumnType::Bit { .. } => number().map(Operand::Bits),
        ColumnType::Double { digits: None, .. } => real().map(Operand::Double),
        ColumnType::Float { digits: None, .. } => real().map(Operand::Float),
        ColumnType::Time { .. } => micros(bytes).map(Operand::Time).ok_or_else(malformed),
        // Text of one length and form, whose order is that of the instants.
        ColumnType::Date | ColumnType::DateTime { .. } | ColumnType::Timestamp { .. } => {
            Ok(Operand::Same(bytes.to_vec()))
        }
        ColumnType::Binary { bytes: width } => {
            Ok(Operand::Bytes(bytes.to_vec(), usize::try_from(*width).unwrap_or(usize::MAX)))
        }
        ColumnType::VarBinary { .. } | ColumnType::Blob { .. } => Ok(Operand::Bytes(bytes.to_vec(), 0)),
        ColumnType::Char { .. } | ColumnType::VarChar { .. } | ColumnType::Text { .. } => {
            let name = column.collation.as_deref().unwrap_or_default();
            let text = std::str::from_utf8(bytes).map_err(|_| malformed())?;
            let mut weights = Vec::new();
            collation::sort_key(name, text, &mut weights).map_err(|why| refused(column, &why.to_string()))?;
            Ok(Operand::Text(name.to_owned(), weights, text.to_owned()))
        }
        ColumnType::Enum { .. } | ColumnType::Uuid | ColumnType::Inet4 | ColumnType::Inet6 => {
            equality(Operand::Same(bytes.to_vec()))
        }
        ColumnType::Decimal { .. }
        | ColumnType::Double { .. }
        | ColumnType::Float { .. }
        | ColumnType::Set { .. }
        | ColumnType::Json
        | ColumnType::Geometry { .. }
        | ColumnType::Vector { .. } => {
            Err(refused(column, "how it compares with a constant is not known here"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbtrail_types::agent_api::Comparison;

    fn column(ty: &str, collation: Option<&str>) -> Column {
        Column {
            has_default: false,
            ..Column::new("c".to_owned(), ty.parse().unwrap(), collation.map(str::to_owned), true)
        }
    }

    fn compare(is: Relation, value: &str) -> Filter {
        let value = Octets(value.as_bytes().to_vec());
        Filter::Compare(Comparison { column: "C".to_owned(), is, value })
    }

    fn holds(column: &Column, filter: &Filter, cell: RowValue<'_>) -> Result<bool, Uncertain> {
        RowFilter::new(filter, std::slice::from_ref(column))?.holds(&[cell])
    }

    /// By the rules of the manual; `tests/real/conditions.py` holds them to a server.
    #[test]
    fn values_compare_as_their_types_do() {
        use Relation::{Equal, Greater, Less, Same};
        for (ty, collation, cell, is, value, want) in [
            ("int", None, "9", Less, "10", true),
            ("int", None, "-2", Less, "-1.5", true),
            ("int", None, "42", Equal, "42.000", true),
            ("bigint unsigned", None, "18446744073709551615", Greater, "18446744073709551614.9", true),
            ("decimal(10,2)", None, "-0.10", Equal, "-.1", true),
            ("double", None, "0.1", Equal, "0.1", true),
            ("float", None, "0.1", Equal, "0.1", false),
            ("time(1)", None, "-01:00:00.0", Less, "00:00:00.0", true),
            ("time", None, "100:00:00", Greater, "99:00:00", true),
            ("binary(3)", None, "a", Equal, "a\0\0", true),
            ("varbinary(3)", None, "a", Less, "a\0", true),
            ("varchar(9)", Some("utf8mb4_general_ci"), "A ", Equal, "a", true),
            ("varchar(9)", Some("utf8mb4_0900_ai_ci"), "A ", Equal, "a", false),
            ("varchar(9)", Some("utf8mb4_bin"), "A", Same, "a", false),
            ("date", None, "2026-01-02", Greater, "2026-01-01", true),
            ("date", None, "2026-01-02", Less, "2026-01-02 10:00:00", true),
            ("datetime", None, "2026-01-02 10:00:00", Less, "2026-01-02 10:00:00.5", true),
        ] {
            let reported =
                holds(&column(ty, collation), &compare(is, value), RowValue::Bytes(cell.as_bytes()));
            assert_eq!(reported, Ok(want), "{ty} {cell} {is:?} {value}");
        }
        let bits = column("bit(10)", None);
        assert_eq!(holds(&bits, &compare(Equal, "513"), RowValue::Bytes(&[2, 1])), Ok(true));
    }

    #[test]
    fn truth_has_three_values() {
        let int = column("int", None);
        let equal = || compare(Relation::Equal, "1");
        let not = |inside| Filter::Not(Box::new(inside));
        for (filter, cell, want) in [
            (equal(), RowValue::Null, false),
            (not(equal()), RowValue::Null, false),
            (compare(Relation::Same, "1"), RowValue::Null, false),
            (not(compare(Relation::Same, "1")), RowValue::Null, true),
            (Filter::IsNull("c".to_owned()), RowValue::Null, true),
            (Filter::Or(vec![equal(), Filter::Truth(Some(true))]), RowValue::Null, true),
            (not(Filter::And(vec![equal(), Filter::Truth(Some(false))])), RowValue::Null, true),
            // What is not known matters only where the truth hangs on it.
            (Filter::Or(vec![equal(), Filter::Truth(Some(true))]), RowValue::Unknown, true),
            (Filter::And(vec![equal(), Filter::Truth(Some(false))]), RowValue::Unknown, false),
        ] {
            assert_eq!(holds(&int, &filter, cell), Ok(want), "{filter:?}");
        }
        assert!(holds(&int, &equal(), RowValue::Unknown).is_err());
    }

    #[test]
    fn what_is_not_certain_is_refused_by_name() {
        for (ty, collation, filter) in [
            ("json", None, compare(Relation::Equal, "1")),
            ("float(7,2)", None, compare(Relation::Equal, "1")),
            ("enum('a','b')", Some("utf8mb4_bin"), compare(Relation::Less, "b")),
            ("varchar(9)", Some("utf8mb4_tr_0900_ai_ci"), compare(Relation::Equal, "i")),
            ("int", None, compare(Relation::Equal, "one")),
        ] {
            let column = column(ty, collation);
            let reported = RowFilter::new(&filter, std::slice::from_ref(&column)).map(|_| ()).unwrap_err();
            assert!(reported.to_string().contains("column c"), "{reported}");
        }
    }
}
