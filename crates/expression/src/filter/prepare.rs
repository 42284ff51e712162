//! A condition, prepared for the columns of a table.

use super::digits::{Digits, MOST_DIGITS, micros};
use super::{Node, Operand, Undecided, refused};
use crate::like::Letters;
use dbtrail_types::agent_api::{Filter, Octets};
use dbtrail_types::collation;
use dbtrail_types::column::{Column, ColumnType, Family, same_name};

/// Levels of a condition.
pub(super) const DEEPEST: usize = 200;

pub(super) fn node(filter: &Filter, columns: &[Column], depth: usize) -> Result<Node, Undecided> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Undecided(format!("a condition of more than {DEEPEST} levels")));
    };
    let several =
        |parts: &[Filter]| parts.iter().map(|part| node(part, columns, depth)).collect::<Result<Vec<_>, _>>();
    let found = |name: &str| {
        let at = columns.iter().position(|c| same_name(&c.name, name));
        at.and_then(|at| Some((at, columns.get(at)?))).ok_or_else(|| {
            Undecided(format!("a condition on column {name}, which the table has not at that instant"))
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
            let bytes = column.ty.is_bytes();
            if bytes && !pattern.is_ascii() {
                return Err(refused(column, "LIKE takes a pattern in ASCII for bytes"));
            }
            let letters = match column.ty.family() {
                // Numbers and times as they are shown, and bytes: there is one way to write each.
                Family::Bytes
                | Family::Integer
                | Family::Decimal
                | Family::Year
                | Family::Date
                | Family::DateTime
                | Family::Time => Some(Letters::Exact),
                Family::Text => column.collation.as_deref().and_then(Letters::of),
                Family::FloatingPoint
                | Family::Bit
                | Family::Timestamp
                | Family::Enum
                | Family::Set
                | Family::Json
                | Family::Geometry
                | Family::Vector
                | Family::Address => return Err(refused(column, "LIKE is carried out on text")),
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
fn operand(column: &Column, value: &Octets, ordered: bool) -> Result<Operand, Undecided> {
    let bytes = value.0.as_slice();
    let malformed =
        || refused(column, &format!("'{}' is no value of its kind", String::from_utf8_lossy(bytes)));
    let number = || {
        let digits = Digits::read(bytes).ok_or_else(malformed)?;
        let count = digits.integer.len() + digits.fraction.len();
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
