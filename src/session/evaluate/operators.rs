//! Operators: `None` where what mysqld would answer is not certain.

use super::typed::{Typed, Value, integer};
use sqlparser::ast::BinaryOperator;
use std::cmp::Ordering;

/// What an operator comes to.
pub(super) enum Outcome {
    Is(Typed),
    /// mysqld says 1690.
    OutOfRange,
    /// It is not computed here.
    Refused,
}

/// How text compares in this session: the end of the name of `collation_connection` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// `_bin` and binary: by bytes.
    Bytes,
    /// `_ci`: ASCII without regard to case.
    Letters,
    /// Others.
    Unknown,
}

impl Order {
    pub(super) fn of(collation: &str) -> Self {
        if collation.ends_with("_bin") || collation == "binary" {
            Self::Bytes
        } else if collation.ends_with("_ci") {
            Self::Letters
        } else {
            Self::Unknown
        }
    }
}

fn printable(text: &str) -> bool {
    text.bytes().all(|b| (b' '..=b'~').contains(&b))
}

/// Whether two texts are equal.
pub(super) fn same(a: &str, b: &str, order: Order) -> Option<bool> {
    if a == b {
        return Some(true);
    }
    // Whether blanks at the end count is told by the collation's padding.
    if a.trim_end_matches(' ') == b.trim_end_matches(' ') || !printable(a) || !printable(b) {
        return None;
    }
    match order {
        Order::Bytes => Some(false),
        Order::Letters => {
            let equal = a.eq_ignore_ascii_case(b);
            let but_for_blanks = a.trim_end_matches(' ').eq_ignore_ascii_case(b.trim_end_matches(' '));
            (equal == but_for_blanks).then_some(equal)
        }
        Order::Unknown => (!a.eq_ignore_ascii_case(b)).then_some(false),
    }
}

/// The order of two values that are not NULL.
fn compare(a: &Typed, b: &Typed, order: Order) -> Option<Compared> {
    if !a.is_plain() || !b.is_plain() {
        return None;
    }
    match (&a.value, &b.value) {
        (Value::Int(a), Value::Int(b)) => Some(Compared::Ordered(a.cmp(b))),
        (Value::Text(a), Value::Text(b)) => same(a, b, order).map(Compared::Equal),
        (Value::Int(number), Value::Text(text)) => {
            small(text).filter(|_| exact(*number)).map(|t| Compared::Ordered(number.cmp(&t)))
        }
        (Value::Text(text), Value::Int(number)) => {
            small(text).filter(|_| exact(*number)).map(|t| Compared::Ordered(t.cmp(number)))
        }
        _ => None,
    }
}

/// What is known of two values.
enum Compared {
    Ordered(Ordering),
    Equal(bool),
}

/// Text that is wholly an integer: mysqld compares it as a floating-point number, which up to 15 digits is the same.
fn small(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn exact(number: i128) -> bool {
    number.unsigned_abs() < 1_000_000_000_000_000
}

/// `a = b` as SQL sees it: `None` inside is NULL.
#[expect(clippy::option_option, reason = "not certain; NULL; a truth")]
pub(super) fn equal(a: &Typed, b: &Typed, order: Order) -> Option<Option<bool>> {
    if a.value == Value::Null || b.value == Value::Null {
        return Some(None);
    }
    compare(a, b, order).map(|c| match c {
        Compared::Ordered(o) => Some(o.is_eq()),
        Compared::Equal(e) => Some(e),
    })
}

/// A value as a condition.
#[expect(clippy::option_option, reason = "not certain; NULL; a truth")]
pub(super) fn truth(value: &Value) -> Option<Option<bool>> {
    match value {
        Value::Null => Some(None),
        Value::Int(n) => Some(Some(*n != 0)),
        Value::Text(text) => small(text).map(|n| Some(n != 0)),
        Value::Number(_) | Value::Double(_) => None,
    }
}

pub(super) fn binary(a: &Typed, op: &BinaryOperator, b: &Typed, order: Order, signed: bool) -> Outcome {
    let nullable = a.nullable || b.nullable;
    let is = |truth: Option<Option<bool>>| {
        truth.map_or(Outcome::Refused, |t| Outcome::Is(Typed::truth(t, nullable)))
    };
    let ordered = |wanted: fn(Ordering) -> bool| {
        if a.value == Value::Null || b.value == Value::Null {
            return Outcome::Is(Typed::truth(None, true));
        }
        match compare(a, b, order) {
            Some(Compared::Ordered(o)) => Outcome::Is(Typed::truth(Some(wanted(o)), nullable)),
            // Two texts: in which order they stand is the collation's to say, unless they are the same.
            Some(Compared::Equal(true)) => Outcome::Is(Typed::truth(Some(wanted(Ordering::Equal)), nullable)),
            Some(Compared::Equal(false)) | None => Outcome::Refused,
        }
    };
    match op {
        BinaryOperator::Eq => is(equal(a, b, order)),
        BinaryOperator::NotEq => is(equal(a, b, order).map(|e| e.map(|e| !e))),
        BinaryOperator::Spaceship => {
            let both = (a.value == Value::Null, b.value == Value::Null);
            let same = if both.0 || both.1 { Some(Some(both.0 && both.1)) } else { equal(a, b, order) };
            same.map_or(Outcome::Refused, |t| Outcome::Is(Typed::truth(t, false)))
        }
        BinaryOperator::Lt => ordered(Ordering::is_lt),
        BinaryOperator::LtEq => ordered(Ordering::is_le),
        BinaryOperator::Gt => ordered(Ordering::is_gt),
        BinaryOperator::GtEq => ordered(Ordering::is_ge),
        BinaryOperator::And | BinaryOperator::Or => match (truth(&a.value), truth(&b.value)) {
            (Some(a), Some(b)) => {
                let deciding = *op == BinaryOperator::Or;
                let truth = if a == Some(deciding) || b == Some(deciding) {
                    Some(deciding)
                } else {
                    a.and(b).map(|_| !deciding)
                };
                Outcome::Is(Typed::truth(truth, nullable))
            }
            _ => Outcome::Refused,
        },
        BinaryOperator::Plus
        | BinaryOperator::Minus
        | BinaryOperator::Multiply
        | BinaryOperator::Modulo
        | BinaryOperator::MyIntegerDivide => arithmetic(a, op, b, signed),
        _ => Outcome::Refused,
    }
}

/// Integers alone; `signed`: NO_UNSIGNED_SUBTRACTION.
fn arithmetic(a: &Typed, op: &BinaryOperator, b: &Typed, signed: bool) -> Outcome {
    let (Value::Int(x), Value::Int(y)) = (&a.value, &b.value) else { return Outcome::Refused };
    let (Ok(left), Ok(right)) = (u8::try_from(a.chars()), u8::try_from(b.chars())) else {
        return Outcome::Refused;
    };
    let wider = left.max(right);
    let (result, width) = match op {
        BinaryOperator::Plus => (x.checked_add(*y), wider.saturating_add(1)),
        BinaryOperator::Minus => (x.checked_sub(*y), wider.saturating_add(1)),
        BinaryOperator::Multiply => (x.checked_mul(*y), left.saturating_add(right).saturating_sub(1)),
        BinaryOperator::Modulo => (x.checked_rem(*y), wider),
        _ => (x.checked_div(*y), left),
    };
    let divides = matches!(op, BinaryOperator::Modulo | BinaryOperator::MyIntegerDivide);
    let unsigned = match op {
        BinaryOperator::Minus => (a.is_unsigned() || b.is_unsigned()) && !signed,
        BinaryOperator::Modulo => a.is_unsigned(),
        _ => a.is_unsigned() || b.is_unsigned(),
    };
    let ty = integer(width.min(22), unsigned);
    let nullable = divides || a.nullable || b.nullable;
    match result {
        // By zero.
        None if divides => Outcome::Is(Typed { value: Value::Null, ty, nullable }),
        Some(n) => {
            let fits = if unsigned { u64::try_from(n).is_ok() } else { i64::try_from(n).is_ok() };
            if fits { Outcome::Is(Typed { value: Value::Int(n), ty, nullable }) } else { Outcome::OutOfRange }
        }
        None => Outcome::OutOfRange,
    }
}
