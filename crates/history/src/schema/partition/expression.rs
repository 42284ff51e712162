//! Expressions by which servers divide the rows of a table (manual: ["Partitioning Limitations
//! Relating to
//! Functions"](https://dev.mysql.com/doc/refman/9.7/en/partitioning-limitations-functions.html)):
//! whole numbers of columns and of dates, and what is computed of them.
//!
//! All of it is exact: what servers would refuse, round or take a time zone for is not known.

use super::dates::{days, seconds_from_zero};
use crate::schema::token::{Tokens, Unread, show};
use crate::schema::unread::Malformed;
use dbtrail_types::column::{ColumnType, TableDefinition};
use serde::{Deserialize, Serialize};

/// Parts of an expression within each other, at most.
const DEEPEST: u32 = 32;

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum PartitionExpression {
    /// The whole number in a column.
    Column(String),
    Number(i128),
    /// A part of the date, or of the date and time, in a column.
    Part(Part, String),
    Two(Operation, Box<(Self, Self)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Part {
    ToDays,
    ToSeconds,
    Year,
    Quarter,
    Month,
    Day,
    DayOfYear,
    /// From 1, Sunday.
    DayOfWeek,
    /// From 0, Monday.
    Weekday,
    Hour,
    Minute,
    Second,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Operation {
    Plus,
    Minus,
    Times,
    Div,
    Mod,
}

fn part(name: &str) -> Option<Part> {
    Some(match name.to_ascii_uppercase().as_str() {
        "TO_DAYS" => Part::ToDays,
        "TO_SECONDS" => Part::ToSeconds,
        "YEAR" => Part::Year,
        "QUARTER" => Part::Quarter,
        "MONTH" => Part::Month,
        "DAY" | "DAYOFMONTH" => Part::Day,
        "DAYOFYEAR" => Part::DayOfYear,
        "DAYOFWEEK" => Part::DayOfWeek,
        "WEEKDAY" => Part::Weekday,
        "HOUR" => Part::Hour,
        "MINUTE" => Part::Minute,
        "SECOND" => Part::Second,
        _ => return None,
    })
}

impl PartitionExpression {
    /// Reads all of these tokens.
    pub(super) fn read(mut tokens: Tokens) -> Result<Self, Unread> {
        let expression = sum(&mut tokens, 0)?;
        if tokens.is_at_end() { Ok(expression) } else { Err(Unread::NotFollowed(show(tokens.peek()))) }
    }

    /// Its value of a row; the outer `None`: that is not known, the inner one: NULL.
    #[expect(clippy::option_option, reason = "a value may be NULL, and it may not be certain")]
    pub(super) fn of(&self, definition: &TableDefinition, cells: &[Option<&[u8]>]) -> Option<Option<i128>> {
        let found = |name: &String| -> Option<(&ColumnType, Option<&str>)> {
            let at = definition.position(name)?;
            let text = match *cells.get(at)? {
                Some(cell) => Some(std::str::from_utf8(cell).ok()?),
                None => None,
            };
            Some((&definition.columns.get(at)?.ty, text))
        };
        let value = match self {
            Self::Number(n) => Some(*n),
            Self::Column(name) => match found(name)? {
                // What a difference of UNSIGNED numbers is depends on sql_mode.
                (ColumnType::Int { unsigned: false, .. } | ColumnType::Year, Some(text)) => {
                    Some(text.parse().ok()?)
                }
                (ColumnType::Int { unsigned: true, .. }, Some(text)) => {
                    Some(text.parse().ok().filter(|n| i64::try_from(*n).is_ok())?)
                }
                (_, None) => None,
                _ => return None,
            },
            Self::Part(part, name) => match found(name)? {
                (ColumnType::Date | ColumnType::DateTime { .. }, Some(text)) => Some(part.of(text)?),
                (_, None) => None,
                _ => return None,
            },
            Self::Two(operation, both) => {
                match (both.0.of(definition, cells)?, both.1.of(definition, cells)?) {
                    (Some(a), Some(b)) => operation.of(a, b)?,
                    _ => None,
                }
            }
        };
        // Servers compute with 64 bits.
        value.map_or(Some(None), |n| i64::try_from(n).is_ok().then_some(Some(n)))
    }
}

impl Part {
    fn of(self, text: &str) -> Option<i128> {
        let days = days(text)?;
        let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i128>().ok();
        let clock = |at: usize| if text.len() == 10 { Some(0) } else { number(at..at + 2) };
        let day = |date: jiff::civil::Date| i128::from(date.day_of_year());
        match self {
            Self::ToDays => Some(days),
            Self::ToSeconds => seconds_from_zero(text),
            Self::Year => number(0..4),
            Self::Quarter => Some((number(5..7)? + 2) / 3),
            Self::Month => number(5..7),
            Self::Day => number(8..10),
            Self::DayOfYear => text.get(..10)?.parse().ok().map(day),
            // Day 1 was a Sunday, as both servers count.
            Self::DayOfWeek => Some((days - 1).rem_euclid(7) + 1),
            Self::Weekday => Some((days - 2).rem_euclid(7)),
            Self::Hour => clock(11),
            Self::Minute => clock(14),
            Self::Second => clock(17),
        }
    }
}

impl Operation {
    /// The outer `None`: that is not known, the inner one: NULL.
    #[expect(clippy::option_option, reason = "a value may be NULL, and it may not be certain")]
    fn of(self, a: i128, b: i128) -> Option<Option<i128>> {
        match self {
            Self::Plus => a.checked_add(b).map(Some),
            Self::Minus => a.checked_sub(b).map(Some),
            Self::Times => a.checked_mul(b).map(Some),
            Self::Div | Self::Mod if b == 0 => Some(None),
            Self::Div => a.checked_div(b).map(Some),
            Self::Mod => a.checked_rem(b).map(Some),
        }
    }
}

fn two(operation: Operation, a: PartitionExpression, b: PartitionExpression) -> PartitionExpression {
    PartitionExpression::Two(operation, Box::new((a, b)))
}

fn sum(tokens: &mut Tokens, depth: u32) -> Result<PartitionExpression, Unread> {
    let mut left = product(tokens, depth)?;
    loop {
        let operation = if tokens.symbol('+') {
            Operation::Plus
        } else if tokens.symbol('-') {
            Operation::Minus
        } else {
            return Ok(left);
        };
        left = two(operation, left, product(tokens, depth)?);
    }
}

fn product(tokens: &mut Tokens, depth: u32) -> Result<PartitionExpression, Unread> {
    let mut left = one(tokens, depth)?;
    loop {
        let operation = if tokens.symbol('*') {
            Operation::Times
        } else if tokens.symbol('%') || tokens.words(&["MOD"]) {
            Operation::Mod
        } else if tokens.words(&["DIV"]) {
            Operation::Div
        } else {
            return Ok(left);
        };
        left = two(operation, left, one(tokens, depth)?);
    }
}

fn one(tokens: &mut Tokens, depth: u32) -> Result<PartitionExpression, Unread> {
    if depth >= DEEPEST {
        return Err(Unread::Malformed(Malformed::DeepExpression));
    }
    if tokens.is_at('(') {
        let mut inside = tokens.group()?;
        let expression = sum(&mut inside, depth + 1)?;
        return if inside.is_at_end() {
            Ok(expression)
        } else {
            Err(Unread::Malformed(Malformed::Expression))
        };
    }
    if tokens.symbol('-') {
        let negated = one(tokens, depth + 1)?;
        return Ok(two(Operation::Minus, PartitionExpression::Number(0), negated));
    }
    if let Some(number) = tokens.number() {
        return number
            .parse()
            .map(PartitionExpression::Number)
            .map_err(|_| Unread::Malformed(Malformed::Number));
    }
    let name = tokens.name()?;
    if !tokens.is_at('(') {
        return Ok(PartitionExpression::Column(name));
    }
    let mut inside = tokens.group()?;
    if name.eq_ignore_ascii_case("MOD") {
        let a = sum(&mut inside, depth + 1)?;
        if !inside.symbol(',') {
            return Err(Unread::Malformed(Malformed::ModOfTwo));
        }
        let b = sum(&mut inside, depth + 1)?;
        return if inside.is_at_end() {
            Ok(two(Operation::Mod, a, b))
        } else {
            Err(Unread::Malformed(Malformed::Mod))
        };
    }
    let part = part(&name).ok_or_else(|| Unread::NotFollowed(format!("{name}()")))?;
    let column = inside.name()?;
    if inside.is_at_end() {
        Ok(PartitionExpression::Part(part, column))
    } else {
        Err(Unread::Malformed(Malformed::Expression))
    }
}
