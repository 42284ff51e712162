//! Literals of key predicates, their SQL form taken off: what kind of value they are and what text
//! or bytes they mean to mysqld.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions are many; the ones that are not named are refused"
)]

use super::charsets::{Charset, Charsets};
use super::function::{Computed, computed};
use super::timestamp::date_of;
use crate::failure::Failure;
use dbtrail_types::column::{Column, ColumnType, Family};
use sqlparser::ast::{DataType, Expr, Spanned, UnaryOperator, Value};

/// A literal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    /// Digits with a sign and a point: an exact number.
    Number(String),
    /// With an exponent: mysqld takes it for a DOUBLE.
    Double(String),
    /// A string, and the character set in which it is compared.
    Text(String, Charset),
    /// A string of bytes.
    Bytes(Vec<u8>),
    /// `DATE '...'`, `TIMESTAMP '...'`: compared as a point in time whatever the column is.
    DateTime(String),
}

/// What literals of one list must have in common, since a list of several kinds is compared in
/// another way than each of them alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LiteralKind {
    Number,
    Double,
    Text(Charset),
    Bytes,
    DateTime,
}

impl Literal {
    pub(super) fn kind(&self) -> LiteralKind {
        match self {
            Self::Number(_) => LiteralKind::Number,
            Self::Double(_) => LiteralKind::Double,
            Self::Text(_, charset) => LiteralKind::Text(*charset),
            Self::Bytes(_) => LiteralKind::Bytes,
            Self::DateTime(_) => LiteralKind::DateTime,
        }
    }
}

pub(super) fn refuse(column: &Column, why: &str) -> Failure {
    Failure::Unsupported(format!("column {} ({}): {why}", column.name, short(&column.ty)))
}

/// A type for a message: labels may be thousands.
fn short(ty: &ColumnType) -> String {
    match ty {
        ColumnType::Enum { .. } => "enum".to_owned(),
        ColumnType::Set { .. } => "set".to_owned(),
        other => other.to_string(),
    }
}

/// Reads a literal that is compared with this column.
pub(super) fn literal(expression: &Expr, column: &Column, charsets: Charsets) -> Result<Literal, Failure> {
    let other = || refuse(column, &format!("'{expression}' is no literal; compare the key with literals"));
    match expression {
        Expr::Nested(inside) => literal(inside, column, charsets),
        Expr::UnaryOp { op: op @ (UnaryOperator::Minus | UnaryOperator::Plus), expr } => {
            let minus = *op == UnaryOperator::Minus;
            match literal(expr, column, charsets)? {
                Literal::Number(n) if minus && !n.starts_with('-') => Ok(Literal::Number(format!("-{n}"))),
                Literal::Double(n) if minus && !n.starts_with('-') => Ok(Literal::Double(format!("-{n}"))),
                number @ (Literal::Number(_) | Literal::Double(_)) if !minus => Ok(number),
                _ => Err(other()),
            }
        }
        Expr::Value(value) => match &value.value {
            Value::Number(n, _) if n.contains(['e', 'E']) => Ok(Literal::Double(n.clone())),
            Value::Number(n, _) => Ok(Literal::Number(n.clone())),
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => {
                plain(text, column, charsets)
            }
            // The same as after the introducer _utf8.
            Value::NationalStringLiteral(text) => sent("N", "utf8", text, column, charsets),
            Value::HexStringLiteral(h) => hex::decode(h)
                .map(|bytes| octets_or_letters(bytes, column))
                .map_err(|_| refuse(column, "x'...' needs an even number of hexadecimal digits")),
            Value::Boolean(b) => Ok(Literal::Number(u8::from(*b).to_string())),
            Value::Null => Err(refuse(column, "nothing equals NULL; name a key")),
            _ => Err(other()),
        },
        Expr::Prefixed { prefix, value } => introduced(&prefix.value, value, column, charsets),
        Expr::TypedString(typed) => match (&typed.data_type, &typed.value.value) {
            (DataType::Date, Value::SingleQuotedString(text)) if date_of(text).is_some() => {
                Ok(Literal::DateTime(format!("{text} 00:00:00")))
            }
            // One without a time of the day is an error in MySQL.
            (DataType::Timestamp(None, _) | DataType::Datetime(None), Value::SingleQuotedString(text))
                if text.contains([' ', 'T']) =>
            {
                Ok(Literal::DateTime(text.clone()))
            }
            _ => Err(other()),
        },
        Expr::Function(_) | Expr::Cast { .. } => match computed(expression) {
            Some(Computed::Number(number)) => Ok(Literal::Number(number)),
            Some(Computed::Bytes(bytes)) => Ok(Literal::Bytes(bytes)),
            Some(Computed::DateTime(text)) => Ok(Literal::DateTime(text)),
            None => Err(other()),
        },
        _ => Err(other()),
    }
}

/// A string without an introducer.
fn plain(text: &str, column: &Column, charsets: Charsets) -> Result<Literal, Failure> {
    let connection = charsets.connection;
    if connection == Charset::Binary {
        // Not converted: the bytes that were sent.
        let known = charsets.sent(text).is_some_and(|bytes| bytes == text.as_bytes());
        return if known {
            Ok(Literal::Text(text.to_owned(), connection))
        } else {
            Err(refuse(column, "which bytes this is under character_set_connection=binary is not known here"))
        };
    }
    if connection.holds(text) {
        return Ok(Literal::Text(text.to_owned(), connection));
    }
    Err(refuse(
        column,
        &format!(
            "'{}' has a character that character_set_connection cannot hold, or that is not known in it, so that MySQL would compare another \
             text: SET NAMES utf8mb4 first",
            shortened(text)
        ),
    ))
}

/// Bytes of ASCII beside a column of text are compared in the collation of the column, as MySQL and
/// MariaDB do it (seen on 9.7, 10.11 and 11.8).
fn octets_or_letters(bytes: Vec<u8>, column: &Column) -> Literal {
    let is_text = matches!(column.ty.family(), Family::Text | Family::Enum);
    let has_letters_of_a_byte = column.collation.as_deref().is_some_and(|collation| {
        ["utf8", "latin1_", "ascii_"].iter().any(|charset| collation.starts_with(charset))
    });
    match String::from_utf8(bytes) {
        Ok(text) if is_text && has_letters_of_a_byte && text.is_ascii() => {
            Literal::Text(text, Charset::Utf8mb4)
        }
        Ok(text) => Literal::Bytes(text.into_bytes()),
        Err(e) => Literal::Bytes(e.into_bytes()),
    }
}

/// `_binary '...'` is the string that it is, also beside a number or a time: Perl's DBD::mysql
/// sends each text of a prepared statement as a BLOB.
fn string_of_bytes(text: &str, column: &Column) -> Option<Literal> {
    let ty = &column.ty;
    let is_compared_so = ty.is_number() || ty.is_temporal() || ty.family() == Family::Year;
    (is_compared_so && text.is_ascii()).then(|| Literal::Text(text.to_owned(), Charset::Utf8mb4))
}

/// `_charset'...'` or `_charset x'...'`.
fn introduced(
    introducer: &str,
    value: &Expr,
    column: &Column,
    charsets: Charsets,
) -> Result<Literal, Failure> {
    let charset = introducer.trim_start_matches('_').to_lowercase();
    match value {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => {
                let string = (charset == "binary").then(|| string_of_bytes(text, column)).flatten();
                string.map_or_else(|| sent(introducer, &charset, text, column, charsets), Ok)
            }
            Value::HexStringLiteral(digits) => {
                let bytes = hex::decode(digits)
                    .map_err(|_| refuse(column, "x'...' needs an even number of hexadecimal digits"))?;
                taken(introducer, &charset, bytes, column)
            }
            _ => Err(unclear(introducer, column)),
        },
        _ => Err(unclear(introducer, column)),
    }
}

/// A string whose bytes, as they were sent, are of this set. A string that was written in several
/// parts cannot be distinguished from one here, and of these mysqld converts all but the first: the
/// same only where client and connection have one set.
fn sent(
    introducer: &str,
    charset: &str,
    text: &str,
    column: &Column,
    charsets: Charsets,
) -> Result<Literal, Failure> {
    let bytes = (text.is_ascii() || charsets.client == charsets.connection).then(|| charsets.sent(text));
    let bytes = bytes.flatten().ok_or_else(|| unclear(introducer, column))?;
    taken(introducer, charset, bytes, column)
}

fn taken(introducer: &str, charset: &str, bytes: Vec<u8>, column: &Column) -> Result<Literal, Failure> {
    if charset == "binary" {
        return Ok(octets_or_letters(bytes, column));
    }
    let named = Charset::named(charset);
    // Beside others in a list, MariaDB finds no row by a string of two bytes a character.
    let known = !matches!(named, Charset::Wide | Charset::Other);
    let text = known.then(|| Charsets::introduced(charset, &bytes)).flatten();
    text.map(|text| Literal::Text(text, named)).ok_or_else(|| unclear(introducer, column))
}

fn unclear(introducer: &str, column: &Column) -> Failure {
    refuse(
        column,
        &format!(
            "which text the bytes after {introducer} are is not known here: write the string without it, under SET NAMES utf8mb4"
        ),
    )
}

/// The beginning of a text, for a message.
pub(super) fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}

/// Where an expression begins in the statement.
pub(super) fn position_of(expression: &Expr) -> String {
    let start = expression.span().start;
    if start.line == 0 {
        "a position in WHERE".to_owned()
    } else {
        format!("line {}, column {}", start.line, start.column)
    }
}
