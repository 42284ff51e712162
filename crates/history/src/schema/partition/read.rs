//! Rules of partitions as they are written.

use super::dates::{days, seconds_from_zero};
use super::expression::PartitionExpression;
use super::hasher::Hasher;
use super::{Bound, By, Limit, Partition, PartitionMethod, Partitions, Shape, Through};
use crate::log::ServerVersion;
use crate::schema::token::{Tokens, Unread};
use crate::schema::unread::Malformed;

/// What follows PARTITION BY, to the end of the statement. What is not understood is not known.
pub(in crate::schema) fn read(tokens: &mut Tokens, server: ServerVersion) -> Partitions {
    let read = rule(tokens, server).and_then(|rule| {
        let count = tokens.words(&["PARTITIONS"]).then(|| tokens.number()).flatten();
        if tokens.words(&["SUBPARTITION", "BY"]) {
            while tokens.peek().is_some() && !tokens.is_at('(') {
                tokens.next();
            }
            tokens.group()?;
            if tokens.words(&["SUBPARTITIONS"]) {
                tokens.number();
            }
        }
        let hash = rule.is_hash();
        let mut partitions = Partitions { rule, list: Vec::new() };
        if tokens.is_at('(') {
            partitions.list = definitions(&tokens.group()?, &partitions.rule)?;
        } else if hash {
            let count = count
                .map_or(Ok(1), |n| n.parse().map_err(|_| Unread::Malformed(Malformed::PartitionCount)))?;
            partitions.slots(count);
        }
        Ok(partitions)
    });
    while tokens.next().is_some() {}
    read.unwrap_or(Partitions { rule: PartitionMethod::Unknown, list: Vec::new() })
}

fn rule(tokens: &mut Tokens, server: ServerVersion) -> Result<PartitionMethod, Unread> {
    let linear = tokens.words(&["LINEAR"]);
    match tokens.one_of(&["RANGE", "LIST", "HASH", "KEY", "SYSTEM_TIME"]) {
        Some(kind @ ("RANGE" | "LIST")) => {
            let shape = if kind == "RANGE" { Shape::Range } else { Shape::List };
            if !tokens.words(&["COLUMNS"]) {
                return by(tokens.group()?, shape);
            }
            let mut names = names(&mut tokens.group()?)?;
            if names.len() > 1 {
                return Ok(PartitionMethod::Columns(shape, names));
            }
            let column = names.pop().ok_or(Unread::Malformed(Malformed::PartitionColumn))?;
            let by = By { column, through: Through::Value };
            Ok(if shape == Shape::Range { PartitionMethod::Range(by) } else { PartitionMethod::List(by) })
        }
        Some("HASH") => by(tokens.group()?, if linear { Shape::LinearHash } else { Shape::Hash }),
        Some("KEY") => {
            let algorithm = if tokens.words(&["ALGORITHM"]) {
                tokens.symbol('=');
                tokens.number()
            } else {
                None
            };
            let hasher = match (algorithm.as_deref(), server.mariadb) {
                (None | Some("2"), false) => Hasher::MySql,
                (None | Some("2"), true) => Hasher::MariaDb,
                (Some("1"), false) => Hasher::MySql51,
                _ => return Err(Unread::Malformed(Malformed::KeyAlgorithm)),
            };
            let group = tokens.group()?;
            let columns = if group.is_at_end() { Vec::new() } else { names(&mut group.clone())? };
            Ok(PartitionMethod::Key { columns, linear, hasher })
        }
        _ => Err(Unread::Malformed(Malformed::PartitionRule)),
    }
}

fn by(group: Tokens, shape: Shape) -> Result<PartitionMethod, Unread> {
    let Some(by) = of_one_column(group.clone()) else {
        return PartitionExpression::read(group)
            .map(|expression| PartitionMethod::Computed(shape, expression));
    };
    Ok(match shape {
        Shape::Range => PartitionMethod::Range(by),
        Shape::List => PartitionMethod::List(by),
        Shape::Hash => PartitionMethod::Hash(by),
        Shape::LinearHash => PartitionMethod::LinearHash(by),
    })
}

/// A column, or one of the usual functions of it.
fn of_one_column(mut group: Tokens) -> Option<By> {
    let first = group.name().ok()?;
    if group.is_at_end() {
        return Some(By { column: first, through: Through::Integer });
    }
    let through = match first.to_ascii_uppercase().as_str() {
        "TO_DAYS" => Through::ToDays,
        "YEAR" => Through::Year,
        "UNIX_TIMESTAMP" => Through::UnixTimestamp,
        _ => return None,
    };
    let mut inside = group.group().ok()?;
    let column = inside.name().ok()?;
    (inside.is_at_end() && group.is_at_end()).then_some(By { column, through })
}

/// The names after a statement on partitions.
pub(in crate::schema) fn names(tokens: &mut Tokens) -> Result<Vec<String>, Unread> {
    let mut names = vec![tokens.name()?];
    while tokens.symbol(',') {
        names.push(tokens.name()?);
    }
    Ok(names)
}

pub(super) fn definitions(group: &Tokens, rule: &PartitionMethod) -> Result<Vec<Partition>, Unread> {
    group.split().into_iter().map(|part| definition(part, rule)).collect()
}

pub(super) fn definition(mut tokens: Tokens, rule: &PartitionMethod) -> Result<Partition, Unread> {
    if !tokens.words(&["PARTITION"]) {
        return Err(Unread::Missing("PARTITION"));
    }
    let name = tokens.name()?;
    let bound = if let PartitionMethod::Columns(shape, _) = rule {
        bound_of_columns(&mut tokens, *shape).unwrap_or(Bound::Unknown)
    } else if tokens.words(&["VALUES", "LESS", "THAN"]) {
        less(&mut tokens).map_or(Bound::Unknown, Bound::Less)
    } else if tokens.words(&["VALUES", "IN"]) {
        let values = tokens.group()?.split().into_iter().map(|mut one| limit(&mut one));
        values.collect::<Result<Vec<_>, Unread>>().map_or(Bound::Unknown, Bound::In)
    } else if tokens.words(&["DEFAULT"]) {
        Bound::Default
    } else if rule.is_hash() {
        Bound::Slot
    } else {
        Bound::Unknown
    };
    Ok(Partition { name, bound })
}

/// What a partition by several columns takes.
fn bound_of_columns(tokens: &mut Tokens, shape: Shape) -> Result<Bound, Unread> {
    let values = |group: Tokens, shape| -> Result<Vec<Option<Limit>>, Unread> {
        let one = |mut one: Tokens| match shape {
            Shape::Range if one.words(&["MAXVALUE"]) => Ok(None),
            Shape::Range => limit(&mut one)?.map(Some).ok_or(Unread::Malformed(Malformed::NullLimit)),
            Shape::List | Shape::Hash | Shape::LinearHash => limit(&mut one),
        };
        group.split().into_iter().map(one).collect()
    };
    if shape == Shape::Range && tokens.words(&["VALUES", "LESS", "THAN"]) {
        return Ok(Bound::Below(values(tokens.group()?, shape)?));
    }
    if tokens.words(&["VALUES", "IN"]) {
        let all = tokens.group()?.split().into_iter().map(|mut one| values(one.group()?, shape));
        return Ok(Bound::Among(all.collect::<Result<Vec<_>, Unread>>()?));
    }
    if tokens.words(&["DEFAULT"]) {
        Ok(Bound::Default)
    } else {
        Err(Unread::Malformed(Malformed::PartitionValues))
    }
}

/// The limit of a RANGE partition; `None`: there is none.
fn less(tokens: &mut Tokens) -> Result<Option<Limit>, Unread> {
    if tokens.words(&["MAXVALUE"]) {
        return Ok(None);
    }
    let mut group = tokens.group()?;
    if group.words(&["MAXVALUE"]) && group.is_at_end() {
        return Ok(None);
    }
    limit(&mut group)?.map(Some).ok_or(Unread::Malformed(Malformed::NullLimit))
}

/// A literal, or TO_DAYS of one; `None`: NULL.
fn limit(tokens: &mut Tokens) -> Result<Option<Limit>, Unread> {
    let malformed = || Unread::Malformed(Malformed::PartitionValue);
    let read = if tokens.words(&["NULL"]) {
        None
    } else if let Some(text) = tokens.text() {
        Some(Limit::Text(text))
    } else if tokens.words(&["TO_DAYS"]) {
        let day = tokens.group()?.text().and_then(|text| days(&text));
        Some(Limit::Integer(day.ok_or_else(malformed)?))
    } else if tokens.words(&["TO_SECONDS"]) {
        let second = tokens.group()?.text().and_then(|text| seconds_from_zero(&text));
        Some(Limit::Integer(second.ok_or_else(malformed)?))
    } else if tokens.words(&["YEAR"]) {
        let text = tokens.group()?.text().filter(|text| days(text).is_some());
        let year = text.and_then(|text| text.get(..4)?.parse().ok());
        Some(Limit::Integer(year.ok_or_else(malformed)?))
    } else {
        let sign = if tokens.symbol('-') { -1 } else { 1 };
        let number: Option<i128> = tokens.number().and_then(|n| n.parse().ok());
        Some(Limit::Integer(number.ok_or_else(malformed)? * sign))
    };
    if tokens.is_at_end() { Ok(read) } else { Err(malformed()) }
}
