//! Comparisons, and as what two values compare.

use crate::budget::Budget;
use crate::collation::{self, Collated};
use crate::error::Error;
use crate::settings::EvaluationSettings;
use crate::types::{ExprType, Type};
use crate::value::Value;
use std::cmp::Ordering;

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<=>`
    NullSafe,
}

impl Comparison {
    pub(crate) fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal | Self::NullSafe => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// As what two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As exact numbers.
    Exact,
    /// As floating-point numbers.
    Real,
    /// As text of a collation.
    Text(&'static str),
}

/// The collation of all these as text; numbers have that of the connection. `None`: not known.
pub(crate) fn collated(types: &[&Type], settings: &EvaluationSettings) -> Option<Collated> {
    let mut all: Option<Collated> = None;
    for ty in types {
        let one = match &ty.kind {
            ExprType::Null => continue,
            ExprType::Text { collated, .. } => *collated,
            ExprType::Int { .. }
            | ExprType::Decimal { .. }
            | ExprType::Double { .. }
            | ExprType::Date
            | ExprType::Time { .. }
            | ExprType::DateTime { .. } => settings.of_numbers(),
        };
        all = Some(match all {
            None => one,
            Some(before) => collation::joined(before, one)?,
        });
    }
    all.or_else(|| Some(settings.of_numbers()))
}

/// As what these values compare with each other; `None`: not known.
pub(crate) fn mode(types: &[&Type], settings: &EvaluationSettings) -> Option<Mode> {
    let some: Vec<&Type> = types.iter().copied().filter(|t| t.kind != ExprType::Null).collect();
    // A time and a text, or a number, compare as times or as numbers by rules of their own.
    if some.iter().any(|t| t.kind.is_special()) && some.len() > 1 {
        return None;
    }
    if some.iter().all(|t| t.kind.digits().is_some()) {
        return Some(Mode::Exact);
    }
    if some.iter().all(|t| t.kind.is_text() || t.kind.is_special()) {
        return collated(&some, settings).map(|c| Mode::Text(c.name));
    }
    Some(Mode::Real)
}

/// The order of two values; `None`: one of them is NULL.
pub(crate) fn order(
    mode: Mode,
    a: &Value,
    b: &Value,
    budget: &mut Budget,
) -> Result<Option<Ordering>, Error> {
    budget.steps(1)?;
    if a.is_null() || b.is_null() {
        return Ok(None);
    }
    let ordering = match (mode, a, b) {
        (Mode::Exact, Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Mode::Exact, Value::Int(a), Value::Decimal(b)) => crate::Decimal::from(*a).compare(*b),
        (Mode::Exact, Value::Decimal(a), Value::Int(b)) => a.compare(crate::Decimal::from(*b)),
        (Mode::Exact, Value::Decimal(a), Value::Decimal(b)) => a.compare(*b),
        (Mode::Text(collation), Value::Text(a), Value::Text(b)) => {
            return collation::compare(collation, a, b, budget).map(Some);
        }
        (Mode::Real, a, b) => match (a.real(), b.real()) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ => None,
        },
        _ => None,
    };
    ordering.map(Some).ok_or_else(undecided)
}

fn undecided() -> Error {
    Error::Unsupported(
        "a comparison of a number with text that is no number: MySQL compares the digits at its beginning, with a warning"
            .to_owned(),
    )
}
