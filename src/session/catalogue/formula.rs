//! Expressions over a row whose columns have been found.

use super::datum::{Datum, Order};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// `<=>`
    NullSafe,
}

/// Functions of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Upper,
    Lower,
    Concat,
    /// `LOCATE(part, text)`
    Locate(Order),
    Length,
    CharLength,
    Left,
    Right,
    /// `SUBSTRING(text, from [, length])`
    Substring,
    SubstringIndex,
    Replace,
    /// CAST(... AS CHAR)
    Text,
    Add,
    Subtract,
}

/// Functions of a group of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregate {
    /// COUNT(*)
    Rows,
    Count,
    CountDistinct,
    Min,
    Max,
}

/// An expression over a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Formula {
    Column(usize),
    Constant(Datum),
    Compare(Comparison, Order, Box<Formula>, Box<Formula>),
    Like(Order, Box<Formula>, Box<Formula>),
    IsNull(Box<Formula>),
    Not(Box<Formula>),
    All(Vec<Formula>),
    Any(Vec<Formula>),
    Case(Vec<(Formula, Formula)>, Box<Formula>),
    Call(Function, Vec<Formula>),
    Aggregate(Aggregate, Order, Option<Box<Formula>>),
}

impl Formula {
    /// The value for a row; `group`: all rows that an aggregate is taken over.
    pub(super) fn value(&self, row: &[Datum], group: &[&[Datum]]) -> Datum {
        match self {
            Self::Column(at) => row.get(*at).cloned().unwrap_or(Datum::Null),
            Self::Constant(value) => value.clone(),
            Self::Compare(comparison, order, a, b) => {
                compared(*comparison, *order, &a.value(row, group), &b.value(row, group))
            }
            Self::Like(order, text, pattern) => {
                match (text.value(row, group).text(), pattern.value(row, group).text()) {
                    (Some(text), Some(pattern)) => Datum::from_truth(Some(order.like(&text, &pattern))),
                    _ => Datum::Null,
                }
            }
            Self::IsNull(inside) => Datum::from_truth(Some(inside.value(row, group) == Datum::Null)),
            Self::Not(inside) => Datum::from_truth(inside.value(row, group).truth().map(|t| !t)),
            Self::All(parts) => Datum::from_truth(joined(parts, row, group, false)),
            Self::Any(parts) => Datum::from_truth(joined(parts, row, group, true)),
            Self::Case(branches, otherwise) => branches
                .iter()
                .find(|(condition, _)| condition.holds(row, group))
                .map_or(otherwise.as_ref(), |(_, then)| then)
                .value(row, group),
            Self::Call(function, arguments) => {
                let values: Vec<Datum> = arguments.iter().map(|a| a.value(row, group)).collect();
                called(*function, &values)
            }
            Self::Aggregate(aggregate, order, of) => aggregated(*aggregate, *order, of.as_deref(), group),
        }
    }

    /// Whether a condition is true, and neither false nor unknown.
    pub(super) fn holds(&self, row: &[Datum], group: &[&[Datum]]) -> bool {
        self.value(row, group).truth() == Some(true)
    }

    /// The columns that the value depends on.
    pub(super) fn columns(&self) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        self.visit(&mut |formula| {
            if let Self::Column(at) = formula {
                found.insert(*at);
            }
        });
        found
    }

    /// Whether it has a value for every row: then it is declared NOT NULL.
    pub(super) fn is_never_null(&self) -> bool {
        match self {
            Self::Constant(value) => *value != Datum::Null,
            Self::IsNull(_)
            | Self::Compare(Comparison::NullSafe, ..)
            | Self::Aggregate(Aggregate::Rows | Aggregate::Count | Aggregate::CountDistinct, ..) => true,
            Self::Case(branches, otherwise) => {
                otherwise.is_never_null() && branches.iter().all(|(_, then)| then.is_never_null())
            }
            Self::Column(_)
            | Self::Compare(..)
            | Self::Like(..)
            | Self::Not(_)
            | Self::All(_)
            | Self::Any(_)
            | Self::Call(..)
            | Self::Aggregate(Aggregate::Min | Aggregate::Max, ..) => false,
        }
    }

    /// Whether it is taken over a group of rows.
    pub(super) fn has_aggregate(&self) -> bool {
        let mut found = false;
        self.visit(&mut |formula| found |= matches!(formula, Self::Aggregate(..)));
        found
    }

    /// A column that is neither one of `keys` nor inside of an aggregate.
    pub(super) fn ungrouped(&self, keys: &[Formula]) -> Option<usize> {
        if keys.contains(self) {
            return None;
        }
        if let Self::Column(at) = self {
            return Some(*at);
        }
        if let Self::Aggregate(..) = self {
            return None;
        }
        self.parts().into_iter().find_map(|p| p.ungrouped(keys))
    }

    /// The same over other columns.
    pub(super) fn moved(&self, to: &dyn Fn(usize) -> usize) -> Self {
        let one = |f: &Self| Box::new(f.moved(to));
        let all = |list: &[Self]| list.iter().map(|f| f.moved(to)).collect();
        match self {
            Self::Column(at) => Self::Column(to(*at)),
            Self::Constant(value) => Self::Constant(value.clone()),
            Self::Compare(c, order, a, b) => Self::Compare(*c, *order, one(a), one(b)),
            Self::Like(order, a, b) => Self::Like(*order, one(a), one(b)),
            Self::IsNull(a) => Self::IsNull(one(a)),
            Self::Not(a) => Self::Not(one(a)),
            Self::All(list) => Self::All(all(list)),
            Self::Any(list) => Self::Any(all(list)),
            Self::Case(branches, otherwise) => {
                Self::Case(branches.iter().map(|(a, b)| (a.moved(to), b.moved(to))).collect(), one(otherwise))
            }
            Self::Call(function, list) => Self::Call(*function, all(list)),
            Self::Aggregate(a, order, of) => Self::Aggregate(*a, *order, of.as_ref().map(|f| one(f))),
        }
    }

    /// The conditions that must all hold for this one to hold.
    pub(super) fn conjuncts(self) -> Vec<Self> {
        if let Self::All(parts) = self {
            return parts.into_iter().flat_map(Self::conjuncts).collect();
        }
        vec![self]
    }

    fn visit(&self, see: &mut dyn FnMut(&Self)) {
        see(self);
        for part in self.parts() {
            part.visit(see);
        }
    }

    fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Column(_) | Self::Constant(_) => Vec::new(),
            Self::Compare(_, _, a, b) | Self::Like(_, a, b) => vec![a, b],
            Self::IsNull(a) | Self::Not(a) => vec![a],
            Self::All(list) | Self::Any(list) | Self::Call(_, list) => list.iter().collect(),
            Self::Case(branches, otherwise) => {
                let both = branches.iter().flat_map(|(a, b)| [a, b]);
                both.chain(std::iter::once(otherwise.as_ref())).collect()
            }
            Self::Aggregate(_, _, of) => of.iter().map(Box::as_ref).collect(),
        }
    }
}

fn compared(comparison: Comparison, order: Order, a: &Datum, b: &Datum) -> Datum {
    if comparison == Comparison::NullSafe {
        return Datum::from_truth(Some(order.compare(a, b) == Ordering::Equal));
    }
    if *a == Datum::Null || *b == Datum::Null {
        return Datum::Null;
    }
    let ordering = order.compare(a, b);
    Datum::from_truth(Some(match comparison {
        Comparison::Equal | Comparison::NullSafe => ordering == Ordering::Equal,
        Comparison::NotEqual => ordering != Ordering::Equal,
        Comparison::Less => ordering == Ordering::Less,
        Comparison::LessOrEqual => ordering != Ordering::Greater,
        Comparison::Greater => ordering == Ordering::Greater,
        Comparison::GreaterOrEqual => ordering != Ordering::Less,
    }))
}

/// OR (`decisive`) and AND: one decisive part decides, an unknown one leaves it unknown.
fn joined(parts: &[Formula], row: &[Datum], group: &[&[Datum]], decisive: bool) -> Option<bool> {
    let mut unknown = false;
    for part in parts {
        match part.value(row, group).truth() {
            Some(truth) if truth == decisive => return Some(decisive),
            Some(_) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(!decisive)
}

/// UPPER and LOWER of letters that have one counterpart, as mysqld's tables have them.
fn cased(text: &str, order: Order) -> Datum {
    Datum::from(order.letters(text).into_iter().collect::<String>())
}

fn called(function: Function, values: &[Datum]) -> Datum {
    // Each of them is NULL where an argument is.
    let Some(texts) = values.iter().map(Datum::text).collect::<Option<Vec<_>>>() else { return Datum::Null };
    let number = |at: usize| match values.get(at) {
        Some(Datum::Int(n)) => *n,
        _ => 0,
    };
    let count = |n: usize| Datum::Int(n as i128);
    let letters = |text: &str| text.chars().collect::<Vec<char>>();
    let length = |n: i128| usize::try_from(n.max(0)).unwrap_or(usize::MAX);
    match (function, texts.as_slice()) {
        (Function::Upper, [text]) => cased(text, Order::Upper),
        (Function::Lower, [text]) => cased(text, Order::Lower),
        (Function::Concat, texts) => Datum::from(texts.concat()),
        (Function::Locate(order), [part, text]) => {
            let (part, text) = (order.letters(part), order.letters(text));
            let found = (0..=text.len()).find(|at| text[*at..].starts_with(&part));
            count(found.map_or(0, |at| at + 1))
        }
        (Function::Length, [text]) => count(text.len()),
        (Function::CharLength, [text]) => count(text.chars().count()),
        (Function::Left, [text, _]) => Datum::from(text.chars().take(length(number(1))).collect::<String>()),
        (Function::Right, [text, _]) => {
            let all = letters(text);
            Datum::from(all[all.len().saturating_sub(length(number(1)))..].iter().collect::<String>())
        }
        (Function::Substring, [text, _, ..]) => {
            let (all, from) = (letters(text), number(1));
            let start = if from > 0 { from - 1 } else { all.len() as i128 + from };
            if from == 0 || start < 0 {
                return Datum::from("");
            }
            let take = if values.len() > 2 { length(number(2)) } else { usize::MAX };
            Datum::from(all.iter().skip(length(start)).take(take).collect::<String>())
        }
        (Function::SubstringIndex, [text, mark, _]) => substring_index(text, mark, number(2)),
        (Function::Replace, [text, from, _]) if from.is_empty() => Datum::from(text.to_string()),
        (Function::Replace, [text, from, to]) => Datum::from(text.replace(from.as_ref(), to)),
        (Function::Text, [text]) => Datum::from(text.to_string()),
        (Function::Add, [_, _]) => Datum::Int(number(0) + number(1)),
        (Function::Subtract, [_, _]) => Datum::Int(number(0) - number(1)),
        _ => Datum::Null,
    }
}

fn substring_index(text: &str, mark: &str, count: i128) -> Datum {
    let most = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if most == 0 || mark.is_empty() {
        return Datum::from("");
    }
    let at = if count > 0 {
        text.match_indices(mark).nth(most - 1).map(|(at, _)| 0..at)
    } else {
        text.rmatch_indices(mark).nth(most - 1).map(|(at, _)| at + mark.len()..text.len())
    };
    Datum::from(at.and_then(|range| text.get(range)).unwrap_or(text).to_owned())
}

fn aggregated(aggregate: Aggregate, order: Order, of: Option<&Formula>, group: &[&[Datum]]) -> Datum {
    let values = || {
        let of = of.into_iter();
        of.flat_map(|of| group.iter().map(|row| of.value(row, &[]))).filter(|v| *v != Datum::Null)
    };
    let count = |n: usize| Datum::Int(n as i128);
    match aggregate {
        Aggregate::Rows => count(group.len()),
        Aggregate::Count => count(values().count()),
        Aggregate::CountDistinct => {
            count(values().map(|v| order.folded(&v)).collect::<std::collections::HashSet<_>>().len())
        }
        Aggregate::Min => values().min_by(|a, b| order.compare(a, b)).unwrap_or(Datum::Null),
        Aggregate::Max => values().max_by(|a, b| order.compare(a, b)).unwrap_or(Datum::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each value is what MySQL 9.7 gave.
    #[test]
    fn ok_functions_as_mysqld_has_them() {
        let text = |t: &'static str| Datum::from(t);
        for (function, values, want) in [
            (Function::Locate(Order::Upper), vec![text("B"), text("abc")], Datum::Int(2)),
            (Function::Locate(Order::Binary), vec![text("B"), text("abc")], Datum::Int(0)),
            (Function::Locate(Order::Upper), vec![text(""), text("abc")], Datum::Int(1)),
            (Function::Substring, vec![text("abcd"), Datum::Int(2)], text("bcd")),
            (Function::Substring, vec![text("abcd"), Datum::Int(-3), Datum::Int(2)], text("bc")),
            (Function::Substring, vec![text("abcd"), Datum::Int(0)], text("")),
            (Function::SubstringIndex, vec![text("a_b_c"), text("_"), Datum::Int(2)], text("a_b")),
            (Function::SubstringIndex, vec![text("a_b_c"), text("_"), Datum::Int(-1)], text("c")),
            (Function::SubstringIndex, vec![text("abc"), text("_"), Datum::Int(1)], text("abc")),
            (Function::Left, vec![text("abc"), Datum::Int(2)], text("ab")),
            (Function::Right, vec![text("abc"), Datum::Int(2)], text("bc")),
            (Function::Upper, vec![text("straße")], text("STRAßE")),
            (Function::Length, vec![text("é")], Datum::Int(2)),
            (Function::CharLength, vec![text("é")], Datum::Int(1)),
            (Function::Concat, vec![text("a"), Datum::Null], Datum::Null),
            (Function::Replace, vec![text("aXa"), text("X"), text("y")], text("aya")),
        ] {
            assert_eq!(called(function, &values), want, "{function:?} {values:?}");
        }
    }

    #[test]
    fn ok_unknown_is_neither_true_nor_false() {
        let (yes, no, unknown) = (
            Formula::Constant(Datum::Int(1)),
            Formula::Constant(Datum::Int(0)),
            Formula::Constant(Datum::Null),
        );
        for (formula, want) in [
            (Formula::All(vec![yes.clone(), unknown.clone()]), Datum::Null),
            (Formula::All(vec![no.clone(), unknown.clone()]), Datum::Int(0)),
            (Formula::Any(vec![yes, unknown.clone()]), Datum::Int(1)),
            (Formula::Any(vec![no, unknown.clone()]), Datum::Null),
            (Formula::Not(Box::new(unknown)), Datum::Null),
        ] {
            assert_eq!(formula.value(&[], &[]), want, "{formula:?}");
        }
    }
}
