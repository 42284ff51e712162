//! A type out of its text.

use super::super::{ColumnType, IntSize, LobSize};
use super::NotAType;
use std::str::FromStr;

/// The parts of a type's text.
struct Parts {
    /// Words before the parentheses, in lower case, with single spaces.
    name: String,
    /// What is in the parentheses.
    arguments: Vec<Argument>,
    unsigned: bool,
    zerofill: bool,
}

enum Argument {
    Number(u32),
    Label(String),
}

impl FromStr for ColumnType {
    type Err = NotAType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parts(text).and_then(|p| of_parts(&p)).ok_or_else(|| NotAType(text.to_owned()))
    }
}

fn parts(text: &str) -> Option<Parts> {
    let text = text.trim();
    let (name, rest) = match text.find('(') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, ""),
    };
    let mut words: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
    let (arguments, following) = if text.contains('(') { arguments(rest)? } else { (Vec::new(), "") };
    words.extend(following.split_whitespace().map(str::to_lowercase));
    let (mut unsigned, mut zerofill) = (false, false);
    words.retain(|w| match w.as_str() {
        "unsigned" => {
            unsigned = true;
            false
        }
        "zerofill" => {
            zerofill = true;
            false
        }
        "signed" => false,
        _ => true,
    });
    // ZEROFILL makes a number unsigned.
    Some(Parts { name: words.join(" "), arguments, unsigned: unsigned || zerofill, zerofill })
}

/// Numbers or quoted labels up to the closing parenthesis, and the text after it.
fn arguments(text: &str) -> Option<(Vec<Argument>, &str)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    loop {
        if let Some(quoted) = rest.strip_prefix('\'') {
            let (label, following) = label(quoted)?;
            found.push(Argument::Label(label));
            rest = following.trim_start();
        } else {
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            found.push(Argument::Number(rest[..end].parse().ok()?));
            rest = rest[end..].trim_start();
        }
        match rest.as_bytes().first()? {
            b',' => rest = rest[1..].trim_start(),
            b')' => return Some((found, &rest[1..])),
            _ => return None,
        }
    }
}

/// A label up to its closing quote; `''` is a quote in it.
fn label(text: &str) -> Option<(String, &str)> {
    let mut label = String::new();
    let mut rest = text;
    loop {
        let at = rest.find('\'')?;
        label.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix('\'') {
            Some(more) => {
                label.push('\'');
                rest = more;
            }
            None => return Some((label, rest)),
        }
    }
}

fn of_parts(parts: &Parts) -> Option<ColumnType> {
    let numbers: Vec<u32> = parts
        .arguments
        .iter()
        .filter_map(|a| match a {
            Argument::Number(n) => Some(*n),
            Argument::Label(_) => None,
        })
        .collect();
    let is_labelled = matches!(parts.name.as_str(), "enum" | "set");
    if (numbers.len() != parts.arguments.len()) != is_labelled {
        return None;
    }
    let numeric = matches!(
        parts.name.as_str(),
        "tinyint"
            | "int1"
            | "smallint"
            | "int2"
            | "mediumint"
            | "int3"
            | "middleint"
            | "int"
            | "integer"
            | "int4"
            | "bigint"
            | "int8"
            | "decimal"
            | "dec"
            | "numeric"
            | "fixed"
            | "float"
            | "float4"
            | "double"
            | "double precision"
            | "real"
            | "float8"
    );
    if (parts.unsigned || parts.zerofill) && !numeric {
        return None;
    }
    if numeric { number(parts, &numbers) } else { other(parts, &numbers) }
}

fn number(parts: &Parts, numbers: &[u32]) -> Option<ColumnType> {
    let (unsigned, zerofill) = (parts.unsigned, parts.zerofill);
    let int = |size, default_width: u8| {
        let width = match numbers {
            [] => None,
            [w] => Some(u8::try_from(*w).ok()?),
            _ => return None,
        };
        // The width matters for ZEROFILL alone (and TINYINT(1), which clients read as BOOLEAN).
        let display_width = match width {
            Some(w) if zerofill || (size == IntSize::Tiny && w == 1) => Some(w),
            None if zerofill => Some(default_width),
            _ => None,
        };
        Some(ColumnType::Int { size, unsigned, zerofill, display_width })
    };
    match parts.name.as_str() {
        "tinyint" | "int1" => int(IntSize::Tiny, 3),
        "smallint" | "int2" => int(IntSize::Small, 5),
        "mediumint" | "int3" | "middleint" => int(IntSize::Medium, 8),
        "int" | "integer" | "int4" => int(IntSize::Int, 10),
        "bigint" | "int8" => int(IntSize::Big, 20),
        "decimal" | "dec" | "numeric" | "fixed" => {
            let (precision, scale) = match numbers {
                [] => (10, 0),
                [p] => (*p, 0),
                [p, s] => (*p, *s),
                _ => return None,
            };
            let precision = if precision == 0 { 10 } else { precision };
            if precision > 65 || scale > 38 || scale > precision {
                return None;
            }
            Some(ColumnType::Decimal {
                precision: u8::try_from(precision).ok()?,
                scale: u8::try_from(scale).ok()?,
                unsigned,
                zerofill,
            })
        }
        name => {
            let digits = match numbers {
                [p, s] if *p <= 255 && *s <= 30 && s <= p => {
                    Some((u8::try_from(*p).ok()?, u8::try_from(*s).ok()?))
                }
                [] | [_] => None,
                _ => return None,
            };
            match (name, numbers) {
                // FLOAT(p) with more than 24 bits is DOUBLE.
                ("float", [bits]) if *bits > 53 => None,
                ("float", [bits]) if *bits > 24 => {
                    Some(ColumnType::Double { digits: None, unsigned, zerofill })
                }
                ("float" | "float4", _) => Some(ColumnType::Float { digits, unsigned, zerofill }),
                (_, [_]) => None,
                _ => Some(ColumnType::Double { digits, unsigned, zerofill }),
            }
        }
    }
}

fn other(parts: &Parts, numbers: &[u32]) -> Option<ColumnType> {
    let one = |default: u32| match numbers {
        [] => Some(default),
        [n] => Some(*n),
        _ => None,
    };
    let fsp = || one(0).filter(|n| *n <= 6).and_then(|n| u8::try_from(n).ok());
    let none = |ty: ColumnType| numbers.is_empty().then_some(ty);
    match parts.name.as_str() {
        "bool" | "boolean" => none(ColumnType::Int {
            size: IntSize::Tiny,
            unsigned: false,
            zerofill: false,
            display_width: Some(1),
        }),
        "bit" => one(1)
            .filter(|n| (1..=64).contains(n))
            .and_then(|n| Some(ColumnType::Bit { bits: u8::try_from(n).ok()? })),
        "year" => one(4).filter(|n| *n == 4).map(|_| ColumnType::Year),
        "date" => none(ColumnType::Date),
        "time" => fsp().map(|fsp| ColumnType::Time { fsp }),
        "datetime" => fsp().map(|fsp| ColumnType::DateTime { fsp }),
        "timestamp" => fsp().map(|fsp| ColumnType::Timestamp { fsp }),
        "char" | "character" | "nchar" | "national char" | "national character" => {
            one(1).filter(|n| *n <= 255).map(|chars| ColumnType::Char { chars })
        }
        "varchar" | "character varying" | "char varying" | "nvarchar" | "national varchar" => match numbers {
            [chars] if *chars <= 65_535 => Some(ColumnType::VarChar { chars: *chars }),
            _ => None,
        },
        "binary" => one(1).filter(|n| *n <= 255).map(|bytes| ColumnType::Binary { bytes }),
        "varbinary" => match numbers {
            [bytes] if *bytes <= 65_535 => Some(ColumnType::VarBinary { bytes: *bytes }),
            _ => None,
        },
        "tinytext" => none(ColumnType::Text { size: LobSize::Tiny }),
        "mediumtext" | "long varchar" | "long" => none(ColumnType::Text { size: LobSize::Medium }),
        "longtext" => none(ColumnType::Text { size: LobSize::Long }),
        "tinyblob" => none(ColumnType::Blob { size: LobSize::Tiny }),
        "mediumblob" | "long varbinary" => none(ColumnType::Blob { size: LobSize::Medium }),
        "longblob" => none(ColumnType::Blob { size: LobSize::Long }),
        // TEXT(n) depends on the character set's bytes a character: not known here.
        "text" => none(ColumnType::Text { size: LobSize::Normal }),
        "blob" => match numbers {
            [] => Some(ColumnType::Blob { size: LobSize::Normal }),
            [n] => Some(ColumnType::Blob { size: LobSize::holding(u64::from(*n)) }),
            _ => None,
        },
        "enum" | "set" => {
            let labels: Vec<String> = parts
                .arguments
                .iter()
                .filter_map(|a| match a {
                    // Spaces at the end of a label are cut off when the table is created.
                    Argument::Label(l) => Some(l.trim_end_matches(' ').to_owned()),
                    Argument::Number(_) => None,
                })
                .collect();
            if labels.is_empty() {
                return None;
            }
            Some(if parts.name == "enum" { ColumnType::Enum { labels } } else { ColumnType::Set { labels } })
        }
        "json" => none(ColumnType::Json),
        kind @ ("geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
        | "multipolygon") => none(ColumnType::Geometry { kind: kind.to_owned() }),
        // As MySQL 8 shows it.
        "geometrycollection" | "geomcollection" => {
            none(ColumnType::Geometry { kind: "geomcollection".to_owned() })
        }
        "vector" => match numbers {
            [dimensions] => Some(ColumnType::Vector { dimensions: *dimensions }),
            [] => Some(ColumnType::Vector { dimensions: 2048 }),
            _ => None,
        },
        "uuid" => none(ColumnType::Uuid),
        "inet4" => none(ColumnType::Inet4),
        "inet6" => none(ColumnType::Inet6),
        _ => None,
    }
}
