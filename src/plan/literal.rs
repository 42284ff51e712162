//! Literals of key predicates as the text of the key column, exactly as MySQL compares them; or a refusal.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions are many; the ones that are not named are refused"
)]

use super::moment::{date_of, time_of};
use crate::failure::Failure;
use dbtrail_types::column::{Column, ColumnType, IntSize};
use dbtrail_types::zone::Zone;
use sqlparser::ast::{DataType, Expr, Spanned, UnaryOperator, Value};

/// A literal, its SQL form taken off.
enum Literal {
    Number(String),
    Text(String),
    Bytes(Vec<u8>),
    /// `DATE '...'`, `TIMESTAMP '...'`: compared as a point in time whatever the column is.
    Moment(String),
}

fn refuse(column: &Column, why: &str) -> Failure {
    Failure::Unsupported(format!("key column {} ({}): {why}", column.name, column.ty))
}

fn literal(expression: &Expr, column: &Column) -> Result<Literal, Failure> {
    let other = || refuse(column, &format!("'{expression}' is no literal; compare the key with literals"));
    match expression {
        Expr::Nested(inside) => literal(inside, column),
        Expr::UnaryOp { op: op @ (UnaryOperator::Minus | UnaryOperator::Plus), expr } => {
            match literal(expr, column)? {
                Literal::Number(n) if *op == UnaryOperator::Minus && !n.starts_with('-') => {
                    Ok(Literal::Number(format!("-{n}")))
                }
                Literal::Number(n) if *op == UnaryOperator::Plus => Ok(Literal::Number(n)),
                _ => Err(other()),
            }
        }
        Expr::Value(value) => match &value.value {
            Value::Number(n, _) => Ok(Literal::Number(n.clone())),
            Value::SingleQuotedString(s) | Value::DoubleQuotedString(s) | Value::NationalStringLiteral(s) => {
                Ok(Literal::Text(s.clone()))
            }
            Value::HexStringLiteral(h) => dbtrail_types::agent_api::hex_bytes(h)
                .map(Literal::Bytes)
                .ok_or_else(|| refuse(column, "x'...' needs an even number of hexadecimal digits")),
            Value::Boolean(b) => Ok(Literal::Number(u8::from(*b).to_string())),
            Value::Null => Err(refuse(column, "nothing equals NULL; name a key")),
            _ => Err(other()),
        },
        Expr::Prefixed { prefix, value } => {
            introduced(&prefix.value, literal(value, column)?).ok_or_else(|| {
                refuse(column, &format!("{}'...' is read for plain characters only", prefix.value))
            })
        }
        Expr::TypedString(typed) => match (&typed.data_type, &typed.value.value) {
            (
                DataType::Date | DataType::Timestamp(None, _) | DataType::Datetime(None),
                Value::SingleQuotedString(text),
            ) => {
                let at_midnight = || format!("{text} 00:00:00");
                Ok(Literal::Moment(date_of(text).map_or_else(|| text.clone(), |_| at_midnight())))
            }
            _ => Err(other()),
        },
        _ => Err(other()),
    }
}

/// A string behind a character set introducer. The bytes are those of the connection's character set, which is not known here: only where
/// all of them agree is the text certain.
fn introduced(introducer: &str, literal: Literal) -> Option<Literal> {
    match (introducer.to_lowercase().as_str(), literal) {
        ("_utf8mb4", literal) => Some(literal),
        ("_utf8" | "_utf8mb3", Literal::Text(text)) if text.chars().all(|c| u32::from(c) < 0x1_0000) => {
            Some(Literal::Text(text))
        }
        ("_latin1" | "_ascii", Literal::Text(text)) if text.is_ascii() => Some(Literal::Text(text)),
        // Compared byte by byte, which is not how a text column compares.
        ("_binary", Literal::Text(text)) if text.is_ascii() => Some(Literal::Bytes(text.into_bytes())),
        ("_binary", Literal::Bytes(bytes)) => Some(Literal::Bytes(bytes)),
        _ => None,
    }
}

/// Where an expression begins in the statement.
pub(super) fn place(expression: &Expr) -> String {
    let start = expression.span().start;
    if start.line == 0 {
        "a place in WHERE".to_owned()
    } else {
        format!("line {}, column {}", start.line, start.column)
    }
}

/// A DOUBLE literal as the number that alone equals it in a column of this type. MySQL compares both as DOUBLE, and beyond 15 digits
/// several numbers are one DOUBLE.
fn without_exponent(number: &str, column: &Column) -> Result<String, Failure> {
    let refused = || refuse(column, &format!("how MySQL compares it with {number} is not certain enough"));
    let value: f64 = number.parse().map_err(|_| refused())?;
    let few_digits = match column.ty {
        ColumnType::Int { .. } | ColumnType::Year => true,
        ColumnType::Decimal { precision, .. } => precision <= 15,
        _ => false,
    };
    if !few_digits || value.abs() > 9_007_199_254_740_991.0 {
        return Err(refused());
    }
    // The shortest digits that mean this DOUBLE.
    let text = value.to_string();
    Ok(if text == "-0" { "0".to_owned() } else { text })
}

/// The text (or bytes) of a key value.
pub(super) fn key_value(expression: &Expr, column: &Column, zone: &Zone) -> Result<Vec<u8>, Failure> {
    value(expression, column, zone).map_err(|failure| match failure {
        Failure::Unsupported(what) => Failure::Unsupported(format!("{what} (at {})", place(expression))),
        other => other,
    })
}

fn value(expression: &Expr, column: &Column, zone: &Zone) -> Result<Vec<u8>, Failure> {
    let literal = match literal(expression, column)? {
        Literal::Number(n) if n.contains(['e', 'E']) => Literal::Number(without_exponent(&n, column)?),
        other => other,
    };
    match (&column.ty, literal) {
        (
            ColumnType::Int { size, unsigned, zerofill, display_width },
            Literal::Number(n) | Literal::Text(n),
        ) => {
            let value = integer(&n).ok_or_else(|| refuse(column, &format!("'{n}' is no whole number")))?;
            let (low, high) = range(*size, *unsigned);
            if !(low..=high).contains(&value) {
                return Err(refuse(column, &format!("{value} is outside of its range, {low} to {high}")));
            }
            let width = if *zerofill { display_width.map_or(0, usize::from) } else { 0 };
            Ok(format!("{value:0>width$}").into_bytes())
        }
        (
            ColumnType::Char { .. } | ColumnType::VarChar { .. } | ColumnType::Text { .. },
            Literal::Text(text),
        ) => Ok(text.into_bytes()),
        (
            ColumnType::Char { .. } | ColumnType::VarChar { .. } | ColumnType::Text { .. },
            Literal::Number(n),
        ) => {
            Err(refuse(column, &format!("MySQL compares text with a number as floating point; write '{n}'")))
        }
        (ColumnType::Binary { bytes: width }, Literal::Bytes(_) | Literal::Text(_)) => {
            let bytes = bytes(literal_again(expression, column)?);
            if bytes.len() == usize::try_from(*width).unwrap_or(usize::MAX) {
                Ok(bytes)
            } else {
                Err(refuse(
                    column,
                    &format!("the value has {} bytes; the column compares all {width}", bytes.len()),
                ))
            }
        }
        (ColumnType::VarBinary { .. }, Literal::Bytes(_) | Literal::Text(_)) => {
            Ok(bytes(literal_again(expression, column)?))
        }
        (ColumnType::Enum { labels }, Literal::Text(text)) => {
            let label = labels.iter().find(|l| **l == text);
            label
                .map(|l| l.clone().into_bytes())
                .ok_or_else(|| refuse(column, &format!("'{text}' is none of its labels")))
        }
        (ColumnType::Year, Literal::Number(n) | Literal::Text(n))
            if n.len() == 4 && integer(&n).is_some() =>
        {
            Ok(n.into_bytes())
        }
        (ColumnType::Decimal { scale, zerofill: false, .. }, Literal::Number(n) | Literal::Text(n)) => {
            decimal(&n, usize::from(*scale))
                .map(String::into_bytes)
                .ok_or_else(|| refuse(column, &format!("'{n}' has more decimals, or is no number")))
        }
        (ColumnType::Date, Literal::Text(text)) => date_of(&text)
            .map(|d| d.to_string().into_bytes())
            .ok_or_else(|| refuse(column, "write 'YYYY-MM-DD'")),
        (ColumnType::Date, Literal::Moment(text)) => moment(&text)
            .filter(|t| t.time() == jiff::civil::Time::midnight())
            .map(|t| t.date().to_string().into_bytes())
            .ok_or_else(|| refuse(column, "no DATE equals an instant that is not midnight")),
        (ColumnType::DateTime { fsp }, Literal::Text(text) | Literal::Moment(text)) => {
            moment(&text).and_then(|t| shown(t, *fsp)).map(String::into_bytes).ok_or_else(|| {
                refuse(column, "write 'YYYY-MM-DD HH:MM:SS', with no more decimals than the column has")
            })
        }
        (ColumnType::Timestamp { fsp }, Literal::Text(text) | Literal::Moment(text)) => {
            let local = moment(&text).ok_or_else(|| refuse(column, "write 'YYYY-MM-DD HH:MM:SS'"))?;
            let instant = zone.to_instant(local).map_err(|_| {
                refuse(column, &format!("'{text}' is no single instant in time zone {}", zone.name()))
            })?;
            Zone::utc()
                .local(instant)
                .and_then(|t| shown(t, *fsp))
                .map(String::into_bytes)
                .ok_or_else(|| refuse(column, "more decimals than the column has"))
        }
        _ => Err(refuse(
            column,
            &format!(
                "whether {expression} is a number or a string here differs between MySQL and MariaDB, or it cannot be compared \
                      exactly: write the value as the column shows it"
            ),
        )),
    }
}

fn literal_again(expression: &Expr, column: &Column) -> Result<Literal, Failure> {
    literal(expression, column)
}

fn bytes(literal: Literal) -> Vec<u8> {
    match literal {
        Literal::Bytes(b) => b,
        Literal::Text(t) | Literal::Number(t) | Literal::Moment(t) => t.into_bytes(),
    }
}

/// A whole number, also written `042`, `+42` or `42.0`.
fn integer(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || fraction.bytes().any(|b| b != b'0') || whole.len() > 40 {
        return None;
    }
    whole.parse().ok()
}

fn range(size: IntSize, unsigned: bool) -> (i128, i128) {
    let bits = match size {
        IntSize::Tiny => 8,
        IntSize::Small => 16,
        IntSize::Medium => 24,
        IntSize::Int => 32,
        IntSize::Big => 64,
    };
    if unsigned { (0, (1 << bits) - 1) } else { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) }
}

fn decimal(text: &str, scale: usize) -> Option<String> {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |r| ("-", r));
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (kept, cut) = fraction.split_at(scale.min(fraction.len()));
    if whole.is_empty() || !plain(whole) || !plain(fraction) || cut.bytes().any(|b| b != b'0') {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if whole == "0" && kept.bytes().all(|b| b == b'0') { "" } else { sign };
    Some(if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{kept:0<scale$}") })
}

fn moment(text: &str) -> Option<jiff::civil::DateTime> {
    let (date, time) = text.split_once([' ', 'T'])?;
    Some(date_of(date)?.to_datetime(time_of(time)?))
}

/// A local time with `fsp` decimals; `None`: it has more.
fn shown(t: jiff::civil::DateTime, fsp: u8) -> Option<String> {
    let micros = t.subsec_nanosecond() / 1000;
    let unit = 10_i32.pow(6 - u32::from(fsp.min(6)));
    if micros % unit != 0 {
        return None;
    }
    let whole = t.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let digits = format!("{micros:06}");
    Some(if fsp == 0 { whole } else { format!("{whole}.{}", &digits[..usize::from(fsp)]) })
}
