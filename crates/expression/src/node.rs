//! Compiled expressions, and their values over a row.

mod walk;

use crate::budget::Budget;
use crate::call::{self, Function};
use crate::cast::{self, Cast};
use crate::collation::Key;
use crate::compare::{self, Comparison, Mode};
use crate::error::Error;
use crate::like::{self, Letters};
use crate::operator::{self, Operator};
use crate::stack::{RED_ZONE, STACK};
use crate::value::Value;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

/// Functions of a group of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// `COUNT(*)`
    Rows,
    /// `COUNT(value)`
    Count,
    /// `COUNT(DISTINCT value)`
    CountDistinct,
    /// `MIN(value)`
    Min,
    /// `MAX(value)`
    Max,
}

/// A compiled expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A column of the row, by its number.
    Column(usize),
    /// A value.
    Constant(Value),
    /// A whole number that is the same as a text, as an integer and as a DOUBLE; another value is
    /// refused.
    Integer(Box<Node>),
    /// A comparison of two values.
    Compare(Comparison, Mode, Box<(Node, Node)>),
    /// `BETWEEN`; all three compare alike.
    Between(Mode, Box<(Node, Node, Node)>),
    /// `IN`; each of the list compares with the value by a mode of its own.
    In(Box<Node>, Vec<(Mode, Node)>),
    /// `LIKE` with its escape character.
    Like(Letters, Option<char>, Box<(Node, Node)>),
    /// `IS NULL`
    IsNull(Box<Node>),
    /// `IS TRUE` and `IS FALSE`
    Is(bool, Box<Node>),
    /// `NOT`
    Not(Box<Node>),
    /// `AND`
    All(Vec<Node>),
    /// `OR`
    Any(Vec<Node>),
    /// `XOR`
    Xor(Box<(Node, Node)>),
    /// `CASE`, `IF`: the first branch whose condition holds.
    Case(Vec<(Node, Node)>, Box<Node>),
    /// `CASE value WHEN`: the value is taken once.
    Switch(Box<Node>, Vec<(Mode, Node, Node)>, Box<Node>),
    /// `COALESCE`, `IFNULL`
    Coalesce(Vec<Node>),
    /// `NULLIF`
    NullIf(Mode, Box<(Node, Node)>),
    /// Arithmetic, with the expression as a message shows it.
    Operator(Operator, Arc<str>, Box<(Node, Node)>),
    /// `-value`, with the expression as a message shows it.
    Negated(Arc<str>, Box<Node>),
    /// `CAST`, and what a type that holds several values makes of one.
    Cast(Cast, Box<Node>),
    /// A function of values.
    Call(Function, Vec<Node>),
    /// A function of a group of rows, in a collation where values are text.
    Aggregate(Aggregate, &'static str, Option<Box<Node>>),
}

impl Node {
    /// The value for a row; `group`: all rows that an aggregate is taken over.
    ///
    /// # Errors
    /// What MySQL would answer is not known, or is an error there; the budget is used up.
    pub fn value(&self, row: &[Value], group: &[&[Value]], budget: &mut Budget) -> Result<Value, Error> {
        stacker::maybe_grow(RED_ZONE, STACK, || self.computed(row, group, budget))
    }

    #[expect(clippy::too_many_lines, reason = "one short arm for each form of an expression")]
    fn computed(&self, row: &[Value], group: &[&[Value]], budget: &mut Budget) -> Result<Value, Error> {
        budget.steps(1)?;
        match self {
            Self::Column(at) => Ok(row.get(*at).cloned().unwrap_or(Value::Null)),
            Self::Constant(value) => Ok(value.clone()),
            Self::Integer(inside) => integer(&inside.value(row, group, budget)?),
            Self::Compare(comparison, mode, both) => {
                let (a, b) = (both.0.value(row, group, budget)?, both.1.value(row, group, budget)?);
                if *comparison == Comparison::NullSafe && (a.is_null() || b.is_null()) {
                    return Ok(Value::of_truth(Some(a.is_null() && b.is_null())));
                }
                let order = compare::order(*mode, &a, &b, budget)?;
                Ok(Value::of_truth(order.map(|o| comparison.holds(o))))
            }
            Self::Between(mode, all) => {
                let value = all.0.value(row, group, budget)?;
                let (low, high) = (all.1.value(row, group, budget)?, all.2.value(row, group, budget)?);
                let above = compare::order(*mode, &value, &low, budget)?.map(Ordering::is_ge);
                let below = compare::order(*mode, &value, &high, budget)?.map(Ordering::is_le);
                Ok(Value::of_truth(both(above, below)))
            }
            Self::In(value, list) => {
                let value = value.value(row, group, budget)?;
                let mut found = Some(false);
                for (mode, item) in list {
                    let item = item.value(row, group, budget)?;
                    match compare::order(*mode, &value, &item, budget)? {
                        Some(Ordering::Equal) => return Ok(Value::of_truth(Some(true))),
                        Some(_) => {}
                        None => found = None,
                    }
                }
                Ok(Value::of_truth(found))
            }
            Self::Like(letters, escape, both) => {
                let (text, pattern) = (both.0.value(row, group, budget)?, both.1.value(row, group, budget)?);
                match (text.text(), pattern.text()) {
                    (Some(text), Some(pattern)) => like::like(&text, &pattern, *letters, *escape, budget)
                        .map(|l| Value::of_truth(Some(l))),
                    _ => Ok(Value::Null),
                }
            }
            Self::IsNull(inside) => Ok(Value::of_truth(Some(inside.value(row, group, budget)?.is_null()))),
            Self::Is(wanted, inside) => {
                Ok(Value::of_truth(Some(inside.truth(row, group, budget)? == Some(*wanted))))
            }
            Self::Not(inside) => Ok(Value::of_truth(inside.truth(row, group, budget)?.map(|t| !t))),
            Self::All(parts) => self::joined(parts, row, group, budget, false),
            Self::Any(parts) => self::joined(parts, row, group, budget, true),
            Self::Xor(both) => {
                let (a, b) = (both.0.truth(row, group, budget)?, both.1.truth(row, group, budget)?);
                Ok(Value::of_truth(a.zip(b).map(|(a, b)| a != b)))
            }
            Self::Case(branches, otherwise) => {
                for (condition, then) in branches {
                    if condition.holds(row, group, budget)? {
                        return then.value(row, group, budget);
                    }
                }
                otherwise.value(row, group, budget)
            }
            Self::Switch(value, branches, otherwise) => {
                let value = value.value(row, group, budget)?;
                for (mode, label, then) in branches {
                    let label = label.value(row, group, budget)?;
                    if compare::order(*mode, &value, &label, budget)? == Some(Ordering::Equal) {
                        return then.value(row, group, budget);
                    }
                }
                otherwise.value(row, group, budget)
            }
            Self::Coalesce(list) => {
                for item in list {
                    let value = item.value(row, group, budget)?;
                    if !value.is_null() {
                        return Ok(value);
                    }
                }
                Ok(Value::Null)
            }
            Self::NullIf(mode, both) => {
                let (a, b) = (both.0.value(row, group, budget)?, both.1.value(row, group, budget)?);
                let same = compare::order(*mode, &a, &b, budget)? == Some(Ordering::Equal);
                Ok(if same { Value::Null } else { a })
            }
            Self::Operator(operator, shown, both) => {
                let (a, b) = (both.0.value(row, group, budget)?, both.1.value(row, group, budget)?);
                operator::value(*operator, &a, &b, shown)
            }
            Self::Negated(shown, inside) => operator::negated(&inside.value(row, group, budget)?, shown),
            Self::Cast(cast, inside) => cast::value(*cast, &inside.value(row, group, budget)?, budget),
            Self::Call(function, arguments) => {
                let mut values = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    values.push(argument.value(row, group, budget)?);
                }
                call::value(*function, &values, budget)
            }
            Self::Aggregate(aggregate, collation, of) => {
                aggregated(*aggregate, collation, of.as_deref(), group, budget)
            }
        }
    }

    /// The value as a condition; `None` is NULL.
    fn truth(&self, row: &[Value], group: &[&[Value]], budget: &mut Budget) -> Result<Option<bool>, Error> {
        self.value(row, group, budget)?.truth().map_err(|()| {
            Error::Unsupported(
                "text that is no number as a condition: MySQL warns and takes its first digits".to_owned(),
            )
        })
    }

    /// Whether a condition is true, and neither false nor unknown.
    ///
    /// # Errors
    /// As [`Node::value`].
    pub fn holds(&self, row: &[Value], group: &[&[Value]], budget: &mut Budget) -> Result<bool, Error> {
        Ok(self.truth(row, group, budget)? == Some(true))
    }
}

/// Numbers below this are the same in each type, and as text.
const SMALL: i128 = 1_000_000_000_000_000;

fn integer(value: &Value) -> Result<Value, Error> {
    let number = match value {
        Value::Null => return Ok(Value::Null),
        Value::Int(n) => Some(*n),
        Value::Decimal(n) => {
            n.rounded().filter(|integer| crate::Decimal::from(*integer).rescaled(n.scale) == Some(*n))
        }
        Value::Double(_) | Value::Text(_) => None,
    };
    number.filter(|n| n.abs() < SMALL).map(Value::Int).ok_or_else(|| {
        Error::Unsupported("a variable that a row assigned, and that is no small whole number".to_owned())
    })
}

fn both(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// OR (`decisive`) and AND: one decisive part decides, an unknown one leaves it unknown.
fn joined(
    parts: &[Node],
    row: &[Value],
    group: &[&[Value]],
    budget: &mut Budget,
    decisive: bool,
) -> Result<Value, Error> {
    let mut unknown = false;
    for part in parts {
        match part.truth(row, group, budget)? {
            Some(truth) if truth == decisive => return Ok(Value::of_truth(Some(decisive))),
            Some(_) => {}
            None => unknown = true,
        }
    }
    Ok(Value::of_truth((!unknown).then_some(!decisive)))
}

fn aggregated(
    aggregate: Aggregate,
    collation: &str,
    of: Option<&Node>,
    group: &[&[Value]],
    budget: &mut Budget,
) -> Result<Value, Error> {
    let Some(of) = of else { return Ok(Value::of_count(group.len())) };
    let mut values = Vec::new();
    for row in group {
        let value = of.value(row, &[], budget)?;
        if !value.is_null() {
            values.push(value);
        }
    }
    if aggregate == Aggregate::Count {
        return Ok(Value::of_count(values.len()));
    }
    let mut keyed = Vec::with_capacity(values.len());
    for value in values {
        keyed.push((Key::of(&value, collation, budget)?, value));
    }
    if aggregate == Aggregate::CountDistinct {
        return Ok(Value::of_count(keyed.into_iter().map(|(key, _)| key).collect::<HashSet<_>>().len()));
    }
    // Of several that are equal, the first.
    let mut best: Option<(Key, Value)> = None;
    for (key, value) in keyed {
        let largest = aggregate == Aggregate::Max;
        let better = best.as_ref().is_none_or(|(b, _)| if largest { key > *b } else { key < *b });
        if better {
            best = Some((key, value));
        }
    }
    Ok(best.map_or(Value::Null, |(_, value)| value))
}
