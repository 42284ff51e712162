//! The default of a column, and what rows that were there before get in an added one.

#![expect(clippy::wildcard_enum_match_arm, reason = "the types that are not named do not take the attribute")]

use super::bits::{bit_cell, bits_of, bits_of_text, is_raw};
use super::is_timestamp;
use super::number_literal::{decimal, number_for};
use crate::schema::compute;
use crate::schema::converted::convertible;
use crate::schema::implicit_default::{ImplicitDefault, extends_ascii};
use crate::schema::table::BackfilledValue;
use crate::schema::temporal::Temporal;
use crate::schema::token::{Tokens, Unread, show};
use crate::schema::unread::Malformed;
use dbtrail_sql_text::Token;
use dbtrail_types::column::{Column, ColumnType};
use dbtrail_types::float_text::{double_text, exact_float_text};

pub(super) enum ColumnDefault {
    Null,
    Text(String),
    Number(String),
    Bytes(Vec<u8>),
    Bits(u64),
    /// CURRENT_TIMESTAMP and its other names, with so many decimals.
    Now(u8),
    Expression(String),
    Other(String),
}

pub(super) fn default(tokens: &mut Tokens) -> Result<ColumnDefault, Unread> {
    if tokens.empty_null() {
        return Ok(ColumnDefault::Null);
    }
    if let Some(text) = tokens.text() {
        return Ok(ColumnDefault::Text(text));
    }
    let negative = tokens.symbol('-');
    if !negative {
        tokens.symbol('+');
    }
    let sign = if negative { "-" } else { "" };
    if let Some(number) = tokens.number() {
        return Ok(ColumnDefault::Number(format!("{sign}{number}")));
    }
    if tokens.symbol('.') {
        // What follows a point is a name to the lexer.
        let fraction = tokens.name()?;
        return Ok(if fraction.bytes().all(|b| b.is_ascii_digit()) {
            ColumnDefault::Number(format!("{sign}.{fraction}"))
        } else {
            ColumnDefault::Other(format!("{sign}.{fraction}"))
        });
    }
    if tokens.is_at('(') {
        return Ok(ColumnDefault::Expression(tokens.group()?.words_of()));
    }
    Ok(match tokens.next() {
        Some(Token::Hex(bytes)) => ColumnDefault::Bytes(bytes),
        Some(Token::Bits(bits)) => {
            bits_of(&bits).map(ColumnDefault::Bits).ok_or(Unread::Malformed(Malformed::BitDefault))?
        }
        Some(Token::Word(w)) => match w.to_uppercase().as_str() {
            "NULL" => ColumnDefault::Null,
            "TRUE" => ColumnDefault::Number("1".to_owned()),
            "FALSE" => ColumnDefault::Number("0".to_owned()),
            // A character set before a text.
            set if set.starts_with('_') => match tokens.text() {
                Some(text) if text.is_ascii() && extends_ascii(Some(&set[1..].to_lowercase())) => {
                    ColumnDefault::Text(text)
                }
                _ => ColumnDefault::Other(format!("a literal in {set}")),
            },
            other => {
                let what = other.to_owned();
                let mut decimals = None;
                if tokens.is_at('(') {
                    decimals = tokens.group()?.number();
                }
                let now = ["CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"].contains(&other);
                match decimals.map_or(Ok(0), |d| d.parse()) {
                    Ok(decimals) if now => ColumnDefault::Now(decimals),
                    _ => ColumnDefault::Other(what),
                }
            }
        },
        other => return Err(Unread::Unexpected { expected: "a default value", found: show(other.as_ref()) }),
    })
}

/// What rows that were before get when this column is added to them.
pub(super) fn filled(
    column: &Column,
    default: Option<&ColumnDefault>,
    silent: ImplicitDefault,
) -> BackfilledValue {
    let unknown =
        |what: &str| BackfilledValue::Unknown(format!("the default of column {} is {what}", column.name));
    let written = matches!(
        default,
        Some(ColumnDefault::Text(_) | ColumnDefault::Number(_) | ColumnDefault::Expression(_))
    );
    if written && !silent.ascii_literals && is_raw(&column.ty) {
        return unknown("a text of a character_set_connection that has other bytes than ASCII");
    }
    let text = match default {
        Some(ColumnDefault::Null) => return BackfilledValue::With(None),
        None if column.nullable => return BackfilledValue::With(None),
        None if column.auto_increment => return unknown("AUTO_INCREMENT"),
        // Without explicit_defaults_for_timestamp it has a default of its own.
        None if is_timestamp(&column.ty) && silent.bare_timestamp_is_nullable() != Some(true) => {
            return unknown("not known: explicit_defaults_for_timestamp is not in the log");
        }
        None => return implicit(column),
        Some(ColumnDefault::Other(what)) => return unknown(what),
        Some(ColumnDefault::Expression(text)) => {
            return match compute::constant(text, column) {
                Some(cell) => BackfilledValue::With(cell),
                None => unknown("an expression"),
            };
        }
        Some(ColumnDefault::Bytes(bytes)) => match &column.ty {
            ColumnType::VarBinary { .. } => return BackfilledValue::With(Some(bytes.clone())),
            _ => return unknown("a hexadecimal literal"),
        },
        Some(ColumnDefault::Bits(bits)) => match &column.ty {
            ColumnType::Bit { bits: width } => return BackfilledValue::With(Some(bit_cell(*bits, *width))),
            _ => return unknown("a bit literal"),
        },
        // The statement's own second, which the log tells; fractions are not always logged.
        Some(ColumnDefault::Now(decimals)) => {
            let now = match (decimals, &column.ty) {
                (0, ColumnType::Timestamp { fsp: 0 }) => silent.now(),
                (0, ColumnType::DateTime { fsp: 0 }) => silent.local_now(),
                _ => None,
            };
            let known = now.map(|text| BackfilledValue::With(Some(text.into_bytes())));
            return known.unwrap_or_else(|| unknown("the time of the statement in the session's time zone"));
        }
        Some(ColumnDefault::Text(text)) => {
            // The bits of the text, and not its number.
            if let ColumnType::Bit { bits } = column.ty {
                return bits_of_text(text, bits)
                    .map_or_else(|| unknown("a text"), |cell| BackfilledValue::With(Some(cell)));
            }
            text
        }
        Some(ColumnDefault::Number(text)) => text,
    };
    let is_number = matches!(default, Some(ColumnDefault::Number(_)));
    let cell = match column.ty {
        ColumnType::Timestamp { fsp } => timestamp(column, fsp, text, silent),
        _ if is_number => number_for(column, text).and_then(|number| literal(column, &number)),
        _ => literal(column, text),
    };
    match cell {
        Some(cell) => BackfilledValue::With(Some(cell)),
        None => unknown(&format!("{text}, whose form in type {} is not known", column.ty)),
    }
}

/// A literal of a TIMESTAMP, which means a time of the session's time zone.
fn timestamp(column: &Column, fsp: u8, text: &str, silent: ImplicitDefault) -> Option<Vec<u8>> {
    let local = literal(&Column { ty: ColumnType::DateTime { fsp }, ..column.clone() }, text)?;
    silent.in_utc(std::str::from_utf8(&local).ok()?).map(String::into_bytes)
}

pub(super) fn holds(column: &Column, text: &str) -> bool {
    column.charset().map_or(text.is_ascii(), |set| convertible(text, set))
}

/// A literal as the cell of a column; `None`: not known.
pub(super) fn literal(column: &Column, text: &str) -> Option<Vec<u8>> {
    let integer = || text.parse::<i128>().ok();
    let shown = match &column.ty {
        ColumnType::Int { size, unsigned, zerofill, display_width } => {
            let (low, high) = size.range(*unsigned);
            let value = integer().filter(|v| (low..=high).contains(v))?;
            let width = display_width.filter(|_| *zerofill).map_or(0, usize::from);
            format!("{value:0width$}")
        }
        ColumnType::Decimal { scale, zerofill: false, .. } => decimal(text, usize::from(*scale))?,
        ColumnType::Float { digits: None, zerofill: false, .. } => exact_float_text(text.parse().ok()?),
        ColumnType::Double { digits: None, zerofill: false, .. } => double_text(text.parse().ok()?),
        ColumnType::Bit { bits } => {
            let value = u64::try_from(integer()?).ok().filter(|v| *bits >= 64 || v >> *bits == 0)?;
            return Some(bit_cell(value, *bits));
        }
        ColumnType::VarChar { chars } | ColumnType::Char { chars } => {
            let fits = text.chars().count() <= usize::try_from(*chars).ok()?;
            if !fits || text.ends_with(' ') || !holds(column, text) {
                return None;
            }
            text.to_owned()
        }
        // MariaDB alone lets these have a default.
        ColumnType::Text { .. } if text.len() < 64 && !text.ends_with(' ') && holds(column, text) => {
            text.to_owned()
        }
        ColumnType::Blob { .. } if text.len() < 64 && text.is_ascii() => text.to_owned(),
        ColumnType::VarBinary { bytes } | ColumnType::Binary { bytes } => {
            let room = usize::try_from(*bytes).ok()?;
            let mut cell = text.as_bytes().to_vec();
            if !text.is_ascii() || cell.len() > room {
                return None;
            }
            if matches!(column.ty, ColumnType::Binary { .. }) {
                cell.resize(room, 0);
            }
            return Some(cell);
        }
        ColumnType::Enum { labels } => labels.iter().find(|l| *l == text)?.clone(),
        ColumnType::Set { labels } if text.is_empty() || labels.iter().any(|l| l == text) => text.to_owned(),
        ColumnType::Year => match integer()? {
            year @ 1901..=2155 if text.len() == 4 => year.to_string(),
            short @ 1..=69 if text.len() <= 2 => (2000 + short).to_string(),
            short @ 70..=99 if text.len() == 2 => (1900 + short).to_string(),
            _ => return None,
        },
        // Seconds, as numbers of up to two digits are.
        ColumnType::Time { fsp } if text.len() <= 2 => {
            let seconds = integer().filter(|s| (0..60).contains(s))?;
            return Temporal::read(&format!("00:00:{seconds:02}"))?.converted(
                None,
                &ColumnType::Time { fsp: *fsp },
                true,
            );
        }
        ty @ (ColumnType::Date | ColumnType::DateTime { .. } | ColumnType::Time { .. }) => {
            // Whether decimals that do not fit are rounded or cut is another question.
            let value = Temporal::read(text)?;
            let rounded = value.converted(None, ty, true)?;
            return (value.converted(None, ty, false).as_ref() == Some(&rounded)).then_some(rounded);
        }
        _ => return None,
    };
    Some(shown.into_bytes())
}

/// What a NULL becomes in a column that takes none any more, where the mode lets it; `None`: not
/// known.
pub(in crate::schema) fn zero(column: &Column) -> Option<Vec<u8>> {
    match &column.ty {
        // The time of the statement.
        ColumnType::Timestamp { .. } | ColumnType::Json => None,
        // The value of no label.
        ColumnType::Enum { .. } => Some(Vec::new()),
        _ => match implicit(column) {
            BackfilledValue::With(cell) => cell,
            BackfilledValue::Unknown(_) => None,
        },
    }
}

/// The implicit default of a NOT NULL column (manual: [Data Type Default
/// Values](https://dev.mysql.com/doc/refman/9.7/en/data-type-defaults.html)).
pub(super) fn implicit(column: &Column) -> BackfilledValue {
    let zero_fraction =
        |fsp: u8| if fsp == 0 { String::new() } else { format!(".{}", "0".repeat(usize::from(fsp))) };
    let text = match &column.ty {
        ColumnType::Decimal { scale, zerofill: false, .. } => {
            decimal("0", usize::from(*scale)).unwrap_or_default()
        }
        ColumnType::Int { zerofill, display_width, .. } => {
            let width = display_width.filter(|_| *zerofill).map_or(0, usize::from);
            format!("{:0width$}", 0)
        }
        ColumnType::Float { digits: None, zerofill: false, .. }
        | ColumnType::Double { digits: None, zerofill: false, .. } => "0".to_owned(),
        ColumnType::Char { .. }
        | ColumnType::VarChar { .. }
        | ColumnType::VarBinary { .. }
        | ColumnType::Text { .. }
        | ColumnType::Blob { .. }
        | ColumnType::Set { .. } => String::new(),
        ColumnType::Enum { labels } => labels.first().cloned().unwrap_or_default(),
        ColumnType::Year => "0000".to_owned(),
        ColumnType::Date => "0000-00-00".to_owned(),
        ColumnType::DateTime { fsp } | ColumnType::Timestamp { fsp } => {
            format!("0000-00-00 00:00:00{}", zero_fraction(*fsp))
        }
        ColumnType::Time { fsp } => format!("00:00:00{}", zero_fraction(*fsp)),
        ColumnType::Bit { bits } => return BackfilledValue::With(Some(bit_cell(0, *bits))),
        ColumnType::Binary { bytes } => "\0".repeat(usize::try_from(*bytes).unwrap_or(0)),
        _ => {
            return BackfilledValue::Unknown(format!(
                "the implicit default of column {} is not known",
                column.name
            ));
        }
    };
    BackfilledValue::With(Some(text.into_bytes()))
}
