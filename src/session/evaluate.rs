//! Expressions without a table: exact, or refused.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions are many; the ones that are not named are refused"
)]

mod functions;
mod operators;
mod typed;

use super::like::{self, Letters, Unmatched};
use super::variables::{self, Kind, Scope};
use super::{Change, Session, text};
use crate::failure::Failure;
use dbtrail_types::column::ColumnType;
use dbtrail_types::instant::Instant;
use dbtrail_types::real;
use operators::{Order, Outcome};
use sqlparser::ast::{
    BinaryOperator, CastKind, CharacterLength, DataType, Expr, FunctionArg, FunctionArgExpr,
    FunctionArguments, InTarget, ObjectName, Query, SelectItem, SetExpr, UnaryOperator, Value as Literal,
};
pub(super) use typed::{Typed, Value};

fn not_computed(expression: &Expr) -> Failure {
    Failure::Unsupported(format!("the expression '{expression}' is not computed by this server"))
}

impl Session {
    pub(super) fn evaluate(&self, expression: &Expr, now: Instant) -> Result<Value, Failure> {
        self.typed(expression, now).map(|t| t.value)
    }

    /// An item of a select list, which may be an assignment: `@a := 1`.
    pub(super) fn assigned(&mut self, expression: &Expr, now: Instant) -> Result<Typed, Failure> {
        let Expr::BinaryOp { left, op: BinaryOperator::Assignment, right } = expression else {
            return self.typed(expression, now);
        };
        let Expr::Identifier(name) = &**left else { return Err(not_computed(expression)) };
        let user = name.value.strip_prefix('@').filter(|n| !n.starts_with('@'));
        let name = user.ok_or_else(|| not_computed(expression))?.to_lowercase();
        let value = self.typed(right, now)?;
        self.assign_user(&name, value.value.clone())?;
        self.note_change(Change::State);
        Ok(value)
    }

    /// What an item of a select list is declared as before it is executed; nothing is assigned.
    pub(super) fn declared(&self, expression: &Expr, now: Instant) -> Result<Typed, Failure> {
        match expression {
            Expr::BinaryOp { op: BinaryOperator::Assignment, right, .. } => self.typed(right, now),
            other => self.typed(other, now),
        }
    }

    fn typed(&self, expression: &Expr, now: Instant) -> Result<Typed, Failure> {
        let refused = || not_computed(expression);
        match expression {
            Expr::Nested(inside) => self.typed(inside, now),
            // `SET sql_mode = (SELECT CONCAT(@@sql_mode, '...'))`, as sqlx has it.
            Expr::Subquery(query) => self.typed(scalar(query).ok_or_else(refused)?, now),
            Expr::Value(value) => literal(&value.value).ok_or_else(refused),
            Expr::Prefixed { prefix, value } => {
                let set = prefix.value.to_lowercase();
                let value = self.typed(value, now)?;
                let text = value.value.text().unwrap_or_default();
                let known = matches!(set.as_str(), "_utf8mb4")
                    || (set == "n" || set.starts_with("_utf8")) && text.is_ascii();
                if known { Ok(value) } else { Err(refused()) }
            }
            Expr::TypedString(typed) => match &typed.value.value {
                Literal::SingleQuotedString(text) => moment(&typed.data_type, text).ok_or_else(refused),
                _ => Err(refused()),
            },
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => negative(&self.typed(expr, now)?, expression),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => {
                let value = self.typed(expr, now)?;
                let truth = operators::truth(&value.value).ok_or_else(refused)?;
                Ok(Typed::truth(truth.map(|t| !t), value.nullable))
            }
            Expr::Identifier(name) if name.quote_style.is_none() && name.value.starts_with("@@") => {
                self.system(&name.value[2..].to_lowercase(), "")
            }
            Expr::Identifier(name) if name.quote_style.is_none() && name.value.starts_with('@') => {
                Ok(Typed::user(self.user_variable(&name.value[1..].to_lowercase())))
            }
            Expr::Identifier(name) => {
                let upper = name.value.to_uppercase();
                let bare = name.quote_style.is_none() && functions::BARE.contains(&upper.as_str());
                let found = if bare { self.function(&upper, &[], now) } else { None };
                found.unwrap_or_else(|| Err(Failure::UnknownColumn(name.value.clone(), "field list")))
            }
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [scope, name] if scope.value.starts_with("@@") => {
                    self.system(&name.value.to_lowercase(), &scope.value[2..].to_lowercase())
                }
                _ => Err(refused()),
            },
            Expr::BinaryOp { left, op, right } => {
                let (left, right) = (self.typed(left, now)?, self.typed(right, now)?);
                let signed = self.has_mode("NO_UNSIGNED_SUBTRACTION");
                match operators::binary(&left, op, &right, self.order(), signed) {
                    Outcome::Is(typed) => Ok(typed),
                    Outcome::OutOfRange => Err(Failure::OutOfRange(format!("({expression})"))),
                    Outcome::Refused => Err(refused()),
                }
            }
            Expr::IsNull(inside) => Ok(Typed::truth(Some(self.evaluate(inside, now)? == Value::Null), false)),
            Expr::IsNotNull(inside) => {
                Ok(Typed::truth(Some(self.evaluate(inside, now)? != Value::Null), false))
            }
            Expr::In { expr, target: InTarget::List(list), negated, global: false } => {
                self.one_of(expr, list, *negated, now)?.ok_or_else(refused)
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char: None } => {
                self.like(expr, pattern, *negated, now)?.ok_or_else(refused)
            }
            Expr::Collate { expr, collation } => {
                let value = self.typed(expr, now)?;
                let name = collation.to_string().to_lowercase();
                let (charset, ..) =
                    text::by_name(&name).ok_or_else(|| Failure::UnknownCollation(name.clone()))?;
                match &value.value {
                    Value::Text(_) if charset == "utf8mb4" => Ok(Typed { nullable: true, ..value }),
                    _ => Err(refused()),
                }
            }
            Expr::Cast { kind: CastKind::Cast, expr, data_type, format: None } => {
                cast(&self.typed(expr, now)?, data_type).ok_or_else(refused)
            }
            Expr::Convert { is_try: false, expr, data_type, charset, target_before_value: false, .. } => {
                let value = self.typed(expr, now)?;
                match (data_type, charset) {
                    (Some(data_type), None) => cast(&value, data_type).ok_or_else(refused),
                    (None, Some(charset)) => using(&value, charset).ok_or_else(refused),
                    _ => Err(refused()),
                }
            }
            Expr::Function(function) => {
                let mut values = Vec::new();
                if let FunctionArguments::List(list) = &function.args {
                    for argument in &list.args {
                        let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = argument else {
                            return Err(refused());
                        };
                        values.push(self.typed(expr, now)?);
                    }
                }
                let name = function.name.to_string().to_uppercase();
                self.function(&name, &values, now).ok_or_else(refused)?
            }
            _ => Err(refused()),
        }
    }

    fn order(&self) -> Order {
        Order::of(&self.variable("collation_connection").ok().flatten().unwrap_or_default())
    }

    fn one_of(
        &self,
        value: &Expr,
        list: &[Expr],
        negated: bool,
        now: Instant,
    ) -> Result<Option<Typed>, Failure> {
        let value = self.typed(value, now)?;
        let (mut found, mut nullable) = (Some(false), value.nullable);
        for item in list {
            let item = self.typed(item, now)?;
            nullable |= item.nullable;
            match operators::equal(&value, &item, self.order()) {
                None => return Ok(None),
                Some(Some(true)) => found = Some(true),
                Some(None) if found == Some(false) => found = None,
                Some(None | Some(false)) => {}
            }
        }
        Ok(Some(Typed::truth(found.map(|f| f != negated), nullable)))
    }

    fn like(
        &self,
        value: &Expr,
        pattern: &Expr,
        negated: bool,
        now: Instant,
    ) -> Result<Option<Typed>, Failure> {
        let (value, pattern) = (self.typed(value, now)?, self.typed(pattern, now)?);
        let nullable = value.nullable || pattern.nullable;
        let holds = match (&value.value, &pattern.value) {
            (Value::Null, _) | (_, Value::Null) => None,
            (Value::Text(text), Value::Text(pattern)) => {
                let collation = self.variable("collation_connection")?.unwrap_or_default();
                let Some(letters) = Letters::of(&collation) else { return Ok(None) };
                match like::like(text, pattern, letters, self.escape()) {
                    Ok(held) => Some(held != negated),
                    Err(Unmatched::Uncertain) => return Ok(None),
                    Err(Unmatched::TooLong) => return Err(super::filter::like_too_long()),
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(Typed::truth(holds, nullable)))
    }

    /// `@@name`, `@@scope.name`.
    fn system(&self, name: &str, scope: &str) -> Result<Typed, Failure> {
        let variable = variables::find(name).ok_or_else(|| Failure::UnknownVariable(name.to_owned()))?;
        let value = match (scope, variable.scope) {
            ("global", Scope::Session) => return Err(Failure::SessionVariable(name.to_owned())),
            ("session" | "local", Scope::Global) => return Err(Failure::NoSessionValue(name.to_owned())),
            ("global", Scope::Global | Scope::Both) => self.default_of(variable),
            ("" | "session" | "local", _) => self.session_value(variable),
            _ => return Err(Failure::UnknownVariable(format!("{scope}.{name}"))),
        };
        let number =
            |value: Option<String>| value.and_then(|v| v.parse().ok()).map_or(Value::Null, Value::Int);
        Ok(match variable.kind {
            Kind::Switch => {
                Typed { nullable: true, ..Typed::int(i128::from(value.as_deref() == Some("ON")), 1, false) }
            }
            Kind::Integer(..) => Typed { nullable: true, value: number(value), ..Typed::int(0, 21, true) },
            Kind::Real => {
                let ty = ColumnType::Double { digits: Some((23, 6)), unsigned: false, zerofill: false };
                Typed { nullable: true, value: value.map_or(Value::Null, Value::Double), ty }
            }
            Kind::Choice(_) | Kind::Text => Typed::variable(value),
        })
    }
}

/// The expression of `SELECT expression`, with nothing else in it.
fn scalar(query: &Query) -> Option<&Expr> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let [SelectItem::UnnamedExpr(expression)] = select.projection.as_slice() else { return None };
    // Whatever clause there is, it would be printed.
    (query.to_string() == format!("SELECT {expression}")).then_some(expression)
}

fn literal(value: &Literal) -> Option<Typed> {
    Some(match value {
        // The token of a parameter has its sign in it.
        Literal::Number(n, long) if n.starts_with(['-', '+']) => {
            let positive = literal(&Literal::Number(n[1..].to_owned(), *long))?;
            if n.starts_with('+') {
                return Some(positive);
            }
            return negative(&positive, &Expr::value(value.clone())).ok();
        }
        Literal::Number(n, _) => {
            let plain = n.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            match n.parse::<u64>() {
                Ok(number) => Typed::literal(Value::Int(i128::from(number))),
                Err(_) if n.contains(['e', 'E']) => {
                    let value: f64 = n.parse().ok().filter(|v: &f64| v.is_finite())?;
                    Typed::literal(Value::Double(real::double_text(value)))
                }
                Err(_) if plain && (1..=65).contains(&n.len()) => Typed::literal(Value::Number(decimal(n))),
                Err(_) => return None,
            }
        }
        Literal::SingleQuotedString(s)
        | Literal::DoubleQuotedString(s)
        | Literal::NationalStringLiteral(s) => Typed::literal(Value::Text(s.clone())),
        Literal::Boolean(b) => Typed::int(i128::from(*b), 1, false),
        Literal::Null => Typed::literal(Value::Null),
        _ => return None,
    })
}

/// A decimal as mysqld writes it: with one zero, and no more, before a point that stands first.
fn decimal(text: &str) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

/// `DATE '...'`, `TIME '...'`, `TIMESTAMP '...'`, where the text is what mysqld would show of it.
fn moment(data_type: &DataType, text: &str) -> Option<Typed> {
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
        ColumnType::Time { .. } => return is_time(text).then(|| Typed::time(text.to_owned(), ty)),
        _ => {
            let at: jiff::civil::DateTime = text.parse().ok()?;
            let digits = format!("{:06}", at.subsec_nanosecond() / 1000);
            let whole = at.strftime("%Y-%m-%d %H:%M:%S").to_string();
            if fsp == 0 { whole } else { format!("{whole}.{}", &digits[..usize::from(fsp)]) }
        }
    };
    (shown == text).then(|| Typed::time(shown, ty))
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

fn negative(value: &Typed, expression: &Expr) -> Result<Typed, Failure> {
    match &value.value {
        Value::Null => Ok(value.clone()),
        Value::Int(n) if -n >= i128::from(i64::MIN) => {
            let literal = Typed::literal(Value::Int(-n));
            Ok(Typed { nullable: value.nullable, ..literal })
        }
        Value::Number(n) if !n.starts_with('-') => {
            Ok(Typed { value: Value::Number(format!("-{n}")), ..value.clone() })
        }
        Value::Double(n) => {
            let text = n.strip_prefix('-').map_or_else(|| format!("-{n}"), str::to_owned);
            Ok(Typed { value: Value::Double(text), ..value.clone() })
        }
        Value::Int(_) | Value::Number(_) | Value::Text(_) => Err(not_computed(expression)),
    }
}

/// CAST where nothing is cut, rounded or guessed.
fn cast(value: &Typed, to: &DataType) -> Option<Typed> {
    let nullable = value.nullable;
    if !value.is_plain() && !matches!(to, DataType::Char(None)) {
        return None;
    }
    let whole = || match &value.value {
        Value::Int(n) => Some(*n),
        Value::Text(t) => t.parse::<i64>().ok().map(i128::from),
        Value::Null | Value::Number(_) | Value::Double(_) => None,
    };
    Some(match to {
        DataType::Char(length) => {
            let chars = match length {
                None => value.chars(),
                Some(CharacterLength::IntegerLength { length, unit: None }) => u32::try_from(*length).ok()?,
                Some(_) => return None,
            };
            let text = value.value.text();
            if text.as_ref().is_some_and(|t| t.chars().count() > usize::try_from(chars).unwrap_or(usize::MAX))
            {
                return None;
            }
            Typed::text(text, chars)
        }
        DataType::Signed | DataType::SignedInteger | DataType::Unsigned | DataType::UnsignedInteger => {
            let unsigned = matches!(to, DataType::Unsigned | DataType::UnsignedInteger);
            if value.value == Value::Null {
                return Some(Typed { value: Value::Null, nullable: true, ..Typed::int(0, 21, unsigned) });
            }
            let number = whole()?;
            let fits = if unsigned { u64::try_from(number).is_ok() } else { i64::try_from(number).is_ok() };
            if !fits {
                return None;
            }
            Typed { nullable, ..Typed::int(number, 21, unsigned) }
        }
        _ => return None,
    })
}

/// CONVERT(... USING charset): the result goes out in the session's character set again.
fn using(value: &Typed, charset: &ObjectName) -> Option<Typed> {
    let text = value.value.text();
    let ascii = text.as_ref().is_none_or(|t| t.is_ascii());
    let exact = match charset.to_string().to_lowercase().as_str() {
        "utf8mb4" => true,
        "utf8" | "utf8mb3" | "latin1" | "ascii" => ascii,
        _ => false,
    };
    (exact && value.is_plain()).then(|| Typed::text(text, value.chars()))
}
