//! Literals as the text of the key column that they are compared with, exactly as MySQL compares
//! them; or a refusal.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "pairs of a type and a literal are many; the ones that are not named are refused"
)]

mod numbers;
mod strings;
mod temporal;

use super::charsets::{Charset, Charsets};
use super::literal::{Literal, LiteralKind, literal, position_of, refuse, shortened};
use super::timestamp::date_of;
use crate::failure::Failure;
use dbtrail_types::column::Column;
use dbtrail_types::column::ColumnType;
use dbtrail_types::zone::Zone;
use numbers::{decimal, int, integer, without_exponent};
use sqlparser::ast::Expr;
pub(super) use strings::characters;
use strings::{address, label, octets};
pub(super) use temporal::{clock, datetime, shown};

/// What a literal is read by.
#[derive(Clone, Copy, Debug)]
pub(super) struct LiteralReader<'a> {
    pub(super) zone: &'a Zone,
    pub(super) charsets: Charsets,
}

/// In which condition a literal is: mysqld converts the only literal of an equality by rules of its
/// own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// `k = v`, `k IN (v)`.
    Equality,
    /// One of several values.
    List,
    /// An end of BETWEEN.
    Range,
}

/// A literal as a value of its column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct KeyValue {
    /// Text-protocol text, or bytes.
    pub(super) bytes: Vec<u8>,
    /// The kind of literal that it was written as.
    pub(super) kind: LiteralKind,
}

impl LiteralReader<'_> {
    /// The text (or bytes) of a key value.
    pub(super) fn value(
        &self,
        expression: &Expr,
        column: &Column,
        condition: Condition,
    ) -> Result<KeyValue, Failure> {
        let read = literal(expression, column, self.charsets).and_then(|literal| {
            let kind = literal.kind();
            self.of(literal, column, condition).map(|bytes| KeyValue { bytes, kind })
        });
        read.map_err(|failure| match failure {
            Failure::Unsupported(what) => {
                Failure::Unsupported(format!("{what} (at {})", position_of(expression)))
            }
            other => other,
        })
    }

    fn of(&self, literal: Literal, column: &Column, condition: Condition) -> Result<Vec<u8>, Failure> {
        let literal = match literal {
            Literal::Double(n) => Literal::Number(without_exponent(&n, column)?),
            other => other,
        };
        match (&column.ty, literal) {
            (ColumnType::Int { .. }, Literal::Number(n)) => int(&n, column),
            (ColumnType::Int { .. }, Literal::Text(n, _)) => {
                // The end of a range as a string is compared as a signed BIGINT, or as floating
                // point.
                if condition == Condition::Range && integer(&n).is_some_and(|n| n > i128::from(i64::MAX)) {
                    return Err(refuse(column, "write the ends of a range without quotes"));
                }
                int(&n, column)
            }
            (ColumnType::Year, Literal::Number(n)) => year(&n, false, column, condition),
            (ColumnType::Year, Literal::Text(n, _)) => year(&n, true, column, condition),
            (
                ColumnType::Decimal { scale, zerofill: false, .. },
                Literal::Number(n) | Literal::Text(n, _),
            ) => decimal(&n, usize::from(*scale)).map(String::into_bytes).ok_or_else(|| {
                refuse(column, &format!("'{}' has more decimals, or is no number", shortened(&n)))
            }),
            (
                ColumnType::Char { .. } | ColumnType::VarChar { .. } | ColumnType::Text { .. },
                Literal::Text(text, charset),
            ) => characters(text, charset, column, condition).map(String::into_bytes),
            (
                ColumnType::Char { .. } | ColumnType::VarChar { .. } | ColumnType::Text { .. },
                Literal::Number(n),
            ) => {
                let why = format!("MySQL compares text with a number as floating point; write '{n}'");
                Err(refuse(column, &why))
            }
            (ColumnType::Enum { labels }, Literal::Text(text, charset)) => {
                let text = characters(text, charset, column, condition)?;
                label(&text, labels, column, condition)
            }
            (ColumnType::Binary { .. } | ColumnType::VarBinary { .. }, Literal::Text(text, charset)) => {
                let bytes = charset.bytes(&text).ok_or_else(|| {
                    refuse(column, "which bytes this text has is not known: write bytes, x'...'")
                })?;
                octets(bytes, column)
            }
            (ColumnType::Binary { .. } | ColumnType::VarBinary { .. }, Literal::Bytes(bytes)) => {
                octets(bytes, column)
            }
            (ColumnType::Uuid | ColumnType::Inet4 | ColumnType::Inet6, Literal::Text(text, charset))
                if charset != Charset::Binary =>
            {
                address(&text, column)
            }
            (_, literal) => self.temporal(literal, column),
        }
    }

    /// Dates and times.
    fn temporal(&self, literal: Literal, column: &Column) -> Result<Vec<u8>, Failure> {
        let form = || refuse(column, hint(&column.ty));
        match (&column.ty, literal) {
            (ColumnType::Date, Literal::Text(text, _)) => {
                date_of(&text).map(|d| d.to_string().into_bytes()).ok_or_else(form)
            }
            (ColumnType::Date, Literal::DateTime(text)) => datetime(&text)
                .filter(|t| t.time() == jiff::civil::Time::midnight())
                .map(|t| t.date().to_string().into_bytes())
                .ok_or_else(|| refuse(column, "no DATE equals an instant that is not midnight")),
            (ColumnType::Time { fsp }, Literal::Text(text, _)) => clock(&text, *fsp).ok_or_else(form),
            (ColumnType::DateTime { fsp }, Literal::Text(text, _) | Literal::DateTime(text)) => {
                datetime(&text).and_then(|t| shown(t, *fsp)).map(String::into_bytes).ok_or_else(form)
            }
            (ColumnType::Timestamp { fsp }, Literal::Text(text, _) | Literal::DateTime(text)) => {
                let local = datetime(&text).ok_or_else(form)?;
                let instant = self.zone.to_timestamp(local).map_err(|_| {
                    let zone = self.zone.name();
                    refuse(column, &format!("'{text}' is no single instant in time zone {zone}"))
                })?;
                let utc = Zone::utc().local(instant);
                utc.and_then(|t| shown(t, *fsp))
                    .map(String::into_bytes)
                    .ok_or_else(|| refuse(column, "more decimals than the column has"))
            }
            _ => Err(form()),
        }
    }
}

/// Refuses literals of several kinds where mysqld or MariaDB compares them otherwise than each
/// alone.
pub(super) fn one_kind(values: &[&KeyValue], column: &Column, condition: Condition) -> Result<(), Failure> {
    let Some((first, rest)) = values.split_first() else { return Ok(()) };
    let mixed = rest.iter().any(|v| v.kind != first.kind);
    let refused = match column.ty {
        // Each whole number of a list is compared as such, whatever it is written as.
        ColumnType::Int { .. } | ColumnType::Year => mixed && condition == Condition::Range,
        // Up to 15 digits a number is one DOUBLE; beyond, MariaDB compares a list with strings as
        // DOUBLE.
        ColumnType::Decimal { precision, .. } => {
            precision > 15 && (mixed || (first.kind != LiteralKind::Number && !rest.is_empty()))
        }
        _ => mixed,
    };
    if !refused {
        return Ok(());
    }
    Err(refuse(
        column,
        "numbers, strings, typed literals and strings of other character sets in one list or range are not compared as each of them alone is, and not \
         alike in MySQL and MariaDB: write all in one form",
    ))
}

/// How a value of this type is written, where a literal was none.
fn hint(ty: &ColumnType) -> &'static str {
    match ty {
        ColumnType::Int { .. } | ColumnType::Year => "write a whole number, without quotes",
        ColumnType::Decimal { zerofill: true, .. } => {
            "keys of DECIMAL ZEROFILL cannot be asked for: how a literal compares with them is not known"
        }
        ColumnType::Decimal { .. } => "write a number with a point, without quotes",
        ColumnType::Char { .. } | ColumnType::VarChar { .. } | ColumnType::Text { .. } => {
            "write a string in quotes; bytes (x'...', _binary'...') are compared in another way than text is"
        }
        ColumnType::Enum { .. } => "write one of its labels, in quotes",
        ColumnType::Binary { .. } | ColumnType::VarBinary { .. } => "write bytes, x'...'",
        ColumnType::Date => "write 'YYYY-MM-DD'",
        ColumnType::Time { .. } => "write 'HH:MM:SS', with no more decimals than the column has",
        ColumnType::DateTime { .. } | ColumnType::Timestamp { .. } => {
            "write 'YYYY-MM-DD HH:MM:SS', with no more decimals than the column has"
        }
        ColumnType::Uuid => {
            "write a UUID as MariaDB shows it, in quotes: '6ccd780c-baba-1026-9564-5b8c656024db'"
        }
        ColumnType::Inet4 => "write an IPv4 address in quotes: '192.0.2.1'",
        ColumnType::Inet6 => "write an IPv6 address in quotes: '2001:db8::1'",
        ColumnType::Float { .. } | ColumnType::Double { .. } => {
            "floating-point keys cannot be asked for: a literal is seldom the very number that is stored"
        }
        ColumnType::Bit { .. }
        | ColumnType::Blob { .. }
        | ColumnType::Set { .. }
        | ColumnType::Json
        | ColumnType::Geometry { .. }
        | ColumnType::Vector { .. } => {
            "keys of this type cannot be asked for: how a literal compares with them is not known"
        }
    }
}

/// A year. Alone, one of two digits is of 1970 to 2069, a number 0 the year 0000, and a string of
/// zeros 2000 if it has less than four (manual: [2-Digit Years in
/// Dates](https://dev.mysql.com/doc/refman/9.7/en/two-digit-years.html)); in a list MySQL compares
/// the number itself, and MariaDB does not.
fn year(n: &str, quoted: bool, column: &Column, condition: Condition) -> Result<Vec<u8>, Failure> {
    let number = integer(n)
        .filter(|_| n.len() <= 4 || !quoted)
        .ok_or_else(|| refuse(column, &format!("'{}' is no year; write four digits", shortened(n))))?;
    let plain_digits = n.bytes().all(|b| b.is_ascii_digit());
    let year = match number {
        1901..=2155 => number,
        _ if condition != Condition::Equality => {
            return Err(refuse(
                column,
                "a year below 1901 is read in different ways in a list or a range: write four digits, or one = each",
            ));
        }
        0 if quoted && plain_digits && n.len() < 4 => 2000,
        0 if plain_digits => 0,
        1..=69 => 2000 + number,
        70..=99 => 1900 + number,
        _ => return Err(refuse(column, &format!("{number} is no year: they go from 1901 to 2155"))),
    };
    Ok(format!("{year:04}").into_bytes())
}
