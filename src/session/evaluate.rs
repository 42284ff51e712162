//! Expressions without a table: exact, or refused.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions are many; the ones that are not named are refused"
)]

use super::Session;
use super::variables;
use crate::column::{Column, ColumnKey, ColumnType, Indexes, IntSize};
use crate::failure::Failure;
use crate::instant::Instant;
use crate::statement::Parameter;
use sqlparser::ast::{
    DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Query, SelectItem, SetExpr,
    UnaryOperator, Value as Literal,
};

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Int(i128),
    Text(String),
    /// The text of a number or a time, and its type.
    Typed(ColumnType, String),
}

impl Value {
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Int(n) => Some(n.to_string()),
            Self::Text(t) | Self::Typed(_, t) => Some(t.clone()),
        }
    }

    /// The value as a parameter of EXECUTE.
    pub(super) fn parameter(&self) -> Parameter {
        match self {
            Self::Null => Parameter::Null,
            Self::Int(n) => Parameter::Int(*n),
            Self::Text(text) => Parameter::Text(text.clone()),
            Self::Typed(ColumnType::Double { .. }, text) => {
                Parameter::Double(text.parse().unwrap_or(f64::NAN))
            }
            Self::Typed(ColumnType::Decimal { .. }, text) => Parameter::Decimal(text.clone()),
            // A user variable keeps times as text.
            Self::Typed(_, text) => Parameter::Text(text.clone()),
        }
    }

    /// The declaration of a result column with this value.
    pub(super) fn column(&self, name: &str) -> Column {
        let big =
            |unsigned| ColumnType::Int { size: IntSize::Big, unsigned, zerofill: false, display_width: None };
        let (ty, text) = match self {
            Self::Int(n) if i64::try_from(*n).is_ok() => (big(false), false),
            Self::Int(n) if u64::try_from(*n).is_ok() => (big(true), false),
            Self::Int(n) => (decimal_type(&n.to_string()), false),
            Self::Typed(ty, _) => (ty.clone(), false),
            Self::Text(t) => {
                (ColumnType::VarChar { chars: u32::try_from(t.chars().count()).unwrap_or(u32::MAX) }, true)
            }
            Self::Null => (ColumnType::VarChar { chars: 0 }, true),
        };
        Column {
            name: name.to_owned(),
            ty,
            collation: text.then(|| "utf8mb4_0900_ai_ci".to_owned()),
            nullable: true,
            key: ColumnKey::None,
            indexes: Indexes::default(),
            auto_increment: false,
            on_update_now: false,
            has_default: true,
            default_now: false,
        }
    }
}

/// The type of a decimal number as it is written.
fn decimal_type(text: &str) -> ColumnType {
    let digits = |t: &str| u8::try_from(t.bytes().filter(u8::is_ascii_digit).count()).unwrap_or(u8::MAX);
    let scale = text.split_once('.').map_or(0, |(_, fraction)| digits(fraction));
    ColumnType::Decimal { precision: digits(text).max(1), scale, unsigned: false, zerofill: false }
}

/// A number as it is written: an integer, a DECIMAL, or with an exponent a DOUBLE.
fn number(text: &str) -> Option<Value> {
    if text.contains(['e', 'E']) {
        let value: f64 = text.parse().ok().filter(|v: &f64| v.is_finite())?;
        // mysqld writes an exponent outside of 15 places before and after the point.
        let plain = value == 0.0 || (1e-15..1e15).contains(&value.abs());
        let text = if plain { value.to_string() } else { format!("{value:e}") };
        return Some(Value::Typed(
            ColumnType::Double { digits: None, unsigned: false, zerofill: false },
            text,
        ));
    }
    if let Ok(n) = text.parse() {
        return Some(Value::Int(n));
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let digits = digits.strip_suffix('.').unwrap_or(digits);
    let zero = if digits.starts_with('.') { "0" } else { "" };
    let text = format!("{sign}{zero}{digits}");
    let ty = decimal_type(&text);
    let fits = matches!(ty, ColumnType::Decimal { precision, scale, .. } if precision <= 65 && scale <= 30);
    fits.then_some(Value::Typed(ty, text))
}

/// `DATE '...'`, `TIME '...'`, `TIMESTAMP '...'`, where the text is what mysqld would show of it.
fn moment(data_type: &DataType, text: &str) -> Option<Value> {
    let fsp =
        text.split_once('.').map_or(Some(0), |(_, f)| u8::try_from(f.len()).ok().filter(|n| *n <= 6))?;
    let ty = match data_type {
        DataType::Date => ColumnType::Date,
        DataType::Time(None, _) => ColumnType::Time { fsp },
        DataType::Timestamp(None, _) | DataType::Datetime(None) => ColumnType::DateTime { fsp },
        _ => return None,
    };
    let shown = match &ty {
        ColumnType::Date => text.parse::<jiff::civil::Date>().ok()?.to_string(),
        ColumnType::Time { .. } => return is_time(text).then(|| Value::Typed(ty, text.to_owned())),
        _ => {
            let at: jiff::civil::DateTime = text.parse().ok()?;
            let digits = format!("{:06}", at.subsec_nanosecond() / 1000);
            let whole = at.strftime("%Y-%m-%d %H:%M:%S").to_string();
            if fsp == 0 { whole } else { format!("{whole}.{}", &digits[..usize::from(fsp)]) }
        }
    };
    (shown == text).then(|| Value::Typed(ty, shown))
}

/// `[-]HH:MM:SS[.ffffff]` up to 838:59:59.
fn is_time(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let parts: Vec<u16> =
        whole.split(':').filter(|p| (2..=3).contains(&p.len())).filter_map(|p| p.parse().ok()).collect();
    whole.matches(':').count() == 2
        && matches!(parts[..], [h, m, s] if h <= 838 && m < 60 && s < 60)
        && !fraction.is_empty()
        && fraction.bytes().all(|b| b.is_ascii_digit())
}

/// The expression of `SELECT expression`, with nothing else in it.
fn scalar(query: &Query) -> Option<&Expr> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let [SelectItem::UnnamedExpr(expression)] = select.projection.as_slice() else { return None };
    // Whatever clause there is, it would be printed.
    (query.to_string() == format!("SELECT {expression}")).then_some(expression)
}

impl Session {
    pub(super) fn evaluate(&self, expression: &Expr, now: Instant) -> Result<Value, Failure> {
        let unknown =
            || Failure::Unsupported(format!("the expression '{expression}' is not computed by this server"));
        match expression {
            Expr::Nested(inside) => self.evaluate(inside, now),
            // `SET sql_mode = (SELECT CONCAT(@@sql_mode, '...'))`, as sqlx has it.
            Expr::Subquery(query) => self.evaluate(scalar(query).ok_or_else(unknown)?, now),
            Expr::Value(value) => match &value.value {
                Literal::Number(n, _) => number(n).ok_or_else(unknown),
                Literal::SingleQuotedString(s)
                | Literal::DoubleQuotedString(s)
                | Literal::NationalStringLiteral(s) => Ok(Value::Text(s.clone())),
                Literal::Boolean(b) => Ok(Value::Int(i128::from(*b))),
                Literal::Null => Ok(Value::Null),
                _ => Err(unknown()),
            },
            Expr::TypedString(typed) => match &typed.value.value {
                Literal::SingleQuotedString(text) => moment(&typed.data_type, text).ok_or_else(unknown),
                _ => Err(unknown()),
            },
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match self.evaluate(expr, now)? {
                Value::Int(n) => Ok(Value::Int(-n)),
                Value::Typed(ty @ (ColumnType::Double { .. } | ColumnType::Decimal { .. }), text) => {
                    Ok(Value::Typed(ty, text.strip_prefix('-').map_or(format!("-{text}"), str::to_owned)))
                }
                Value::Null | Value::Text(_) | Value::Typed(..) => Err(unknown()),
            },
            Expr::Identifier(name) if name.value.starts_with("@@") => {
                self.system(&name.value[2..].to_lowercase())
            }
            Expr::Identifier(name) if name.value.starts_with('@') => {
                Ok(self.user_variable(&name.value[1..].to_lowercase()))
            }
            Expr::Identifier(name) => {
                self.function(&name.value.to_uppercase(), &[], now).ok_or_else(unknown)?
            }
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [scope, name]
                    if ["@@session", "@@global", "@@local"]
                        .iter()
                        .any(|s| scope.value.eq_ignore_ascii_case(s)) =>
                {
                    self.system(&name.value.to_lowercase())
                }
                _ => Err(unknown()),
            },
            Expr::Function(function) => {
                let mut values = Vec::new();
                if let FunctionArguments::List(list) = &function.args {
                    for argument in &list.args {
                        let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = argument else {
                            return Err(unknown());
                        };
                        values.push(self.evaluate(expr, now)?);
                    }
                }
                let name = function.name.to_string().to_uppercase();
                self.function(&name, &values, now).unwrap_or(Err(Failure::UnknownFunction(name)))
            }
            _ => Err(unknown()),
        }
    }

    fn system(&self, name: &str) -> Result<Value, Failure> {
        let value = self.variable(name)?;
        if variables::is_switch(name) {
            return Ok(Value::Int(i128::from(value.as_deref() == Some("ON"))));
        }
        Ok(match value {
            None => Value::Null,
            Some(text) => text.parse().map_or(Value::Text(text), Value::Int),
        })
    }

    /// `None`: no function of this name is known here.
    fn function(&self, name: &str, values: &[Value], now: Instant) -> Option<Result<Value, Failure>> {
        let local = |instant: Option<jiff::civil::DateTime>| {
            instant.map_or(Value::Null, |t| Value::Text(t.strftime("%Y-%m-%d %H:%M:%S").to_string()))
        };
        Some(Ok(match (name, values) {
            ("VERSION", []) => Value::Text(self.settings.server_version.clone()),
            ("DATABASE" | "SCHEMA", []) => self.schema.clone().map_or(Value::Null, Value::Text),
            ("USER" | "CURRENT_USER" | "SESSION_USER" | "SYSTEM_USER", []) => {
                Value::Text(format!("{}@{}", self.identity.user, self.identity.host))
            }
            ("CONNECTION_ID", []) => Value::Int(i128::from(self.identity.connection_id)),
            ("LAST_INSERT_ID", []) => Value::Int(0),
            ("NOW" | "CURRENT_TIMESTAMP" | "LOCALTIME" | "LOCALTIMESTAMP" | "SYSDATE", []) => {
                local(self.zone.local(now))
            }
            ("UTC_TIMESTAMP", []) => local(crate::zone::Zone::utc().local(now)),
            ("UNIX_TIMESTAMP", []) => Value::Int(i128::from(now.micros().div_euclid(1_000_000))),
            ("CONCAT", values) => {
                let texts: Option<Vec<String>> = values.iter().map(Value::text).collect();
                let text = texts.map(|t| t.concat());
                // mysqld gives NULL and a warning; a NULL that stands for a long text is too easily taken for none.
                if text.as_ref().is_some_and(|t| t.len() > self.settings.max_packet) {
                    return Some(Err(Failure::Unsupported(
                        "a result of CONCAT() that is longer than max_allowed_packet".to_owned(),
                    )));
                }
                text.map_or(Value::Null, Value::Text)
            }
            ("LOWER", [Value::Text(t)]) => Value::Text(t.to_lowercase()),
            ("UPPER", [Value::Text(t)]) => Value::Text(t.to_uppercase()),
            ("IFNULL" | "COALESCE", [a, b]) => {
                if *a == Value::Null {
                    b.clone()
                } else {
                    a.clone()
                }
            }
            _ => return None,
        }))
    }
}
