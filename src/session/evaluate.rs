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
use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator, Value as Literal,
};

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Int(i128),
    Text(String),
}

impl Value {
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Int(n) => Some(n.to_string()),
            Self::Text(t) => Some(t.clone()),
        }
    }

    /// The declaration of a result column with this value.
    pub(super) fn column(&self, name: &str) -> Column {
        let (ty, text) = match self {
            Self::Int(_) => (
                ColumnType::Int { size: IntSize::Big, unsigned: false, zerofill: false, display_width: None },
                false,
            ),
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

impl Session {
    pub(super) fn evaluate(&self, expression: &Expr, now: Instant) -> Result<Value, Failure> {
        let unknown =
            || Failure::Unsupported(format!("the expression '{expression}' is not computed by this server"));
        match expression {
            Expr::Nested(inside) => self.evaluate(inside, now),
            Expr::Value(value) => match &value.value {
                Literal::Number(n, _) => Ok(n.parse().map_or_else(|_| Value::Text(n.clone()), Value::Int)),
                Literal::SingleQuotedString(s)
                | Literal::DoubleQuotedString(s)
                | Literal::NationalStringLiteral(s) => Ok(Value::Text(s.clone())),
                Literal::Boolean(b) => Ok(Value::Int(i128::from(*b))),
                Literal::Null => Ok(Value::Null),
                _ => Err(unknown()),
            },
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match self.evaluate(expr, now)? {
                Value::Int(n) => Ok(Value::Int(-n)),
                Value::Null | Value::Text(_) => Err(unknown()),
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
