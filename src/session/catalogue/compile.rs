//! From an expression as written to a formula over the columns of a row: exact, or refused.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions are many; the ones that are not named are refused"
)]

use super::datum::{Datum, Order};
use super::formula::{Aggregate, Comparison, Formula, Function};
use super::functions;
use crate::failure::Failure;
use crate::session::evaluate::Value;
use dbtrail_types::column::same_name;
use sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, DataType, Expr, InTarget, UnaryOperator, Value as Literal,
};

/// What a formula gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Int,
    Text(Order),
}

/// A formula, what it gives, and how many characters at most.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Typed {
    pub(super) formula: Formula,
    pub(super) kind: Kind,
    pub(super) chars: u32,
}

/// A column that an expression can name.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The alias of its table, or the table's name.
    pub(super) qualifier: String,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) chars: u32,
    /// Behind USING: found by its qualifier alone.
    pub(super) hidden: bool,
}

/// What an expression can name, and where it stands.
pub(super) struct Scope<'a> {
    pub(super) columns: &'a [Known],
    /// Names of the select list, which HAVING and ORDER BY see first.
    pub(super) outputs: &'a [(String, Typed)],
    /// For 1054: `where clause`, `field list`...
    pub(super) clause: &'static str,
    /// Variables and functions of the session.
    pub(super) session: &'a dyn Fn(&Expr) -> Result<Value, Failure>,
}

/// Deeper than any client asks.
const DEEPEST: usize = 100;

impl Typed {
    pub(super) fn constant(value: Datum) -> Self {
        let (kind, chars) = match &value {
            Datum::Null => (Kind::Null, 0),
            Datum::Int(n) => (Kind::Int, 1 + characters(&n.unsigned_abs().to_string())),
            Datum::Text(t) => (Kind::Text(Order::Literal), characters(t)),
        };
        Self { formula: Formula::Constant(value), kind, chars }
    }

    pub(super) fn truth(formula: Formula) -> Self {
        Self { formula, kind: Kind::Int, chars: 1 }
    }

    pub(super) fn order(&self) -> Order {
        match self.kind {
            Kind::Null | Kind::Int => Order::Literal,
            Kind::Text(order) => order,
        }
    }
}

fn characters(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

impl Scope<'_> {
    /// A condition: WHERE, ON, HAVING.
    pub(super) fn condition(&self, expression: &Expr) -> Result<Formula, Failure> {
        self.truth(expression, DEEPEST)
    }

    /// Any expression.
    pub(super) fn typed(&self, expression: &Expr) -> Result<Typed, Failure> {
        self.at(expression, DEEPEST)
    }

    fn truth(&self, expression: &Expr, depth: usize) -> Result<Formula, Failure> {
        let typed = self.at(expression, depth)?;
        match typed.kind {
            Kind::Null | Kind::Int => Ok(typed.formula),
            Kind::Text(_) => Err(unsupported(expression, "is text where a condition is needed")),
        }
    }

    pub(super) fn at(&self, expression: &Expr, depth: usize) -> Result<Typed, Failure> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Failure::Unsupported(format!("more than {DEEPEST} levels in an expression")));
        };
        match expression {
            Expr::Nested(inside) => self.at(inside, depth),
            Expr::Value(value) => literal(&value.value).ok_or_else(|| unknown(expression)),
            Expr::Identifier(name) if name.value.starts_with('@') => self.of_session(expression),
            Expr::Identifier(name) => self.column(None, &name.value),
            Expr::CompoundIdentifier(parts) if parts.first().is_some_and(|p| p.value.starts_with("@@")) => {
                self.of_session(expression)
            }
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [table, name] => self.column(Some(&table.value), &name.value),
                [schema, table, name] if schema.value.eq_ignore_ascii_case("information_schema") => {
                    self.column(Some(&table.value), &name.value)
                }
                _ => Err(Failure::UnknownColumn(expression.to_string(), self.clause)),
            },
            Expr::UnaryOp { op: UnaryOperator::Not | UnaryOperator::BangNot, expr } => {
                Ok(Typed::truth(Formula::Not(Box::new(self.truth(expr, depth)?))))
            }
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match self.at(expr, depth)? {
                Typed { formula: Formula::Constant(Datum::Int(n)), .. } => {
                    Ok(Typed::constant(Datum::Int(-n)))
                }
                _ => Err(unknown(expression)),
            },
            Expr::UnaryOp { op: UnaryOperator::Plus, expr } => self.at(expr, depth),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, depth),
            Expr::IsNull(inside) => self.is_null(inside, depth),
            Expr::IsNotNull(inside) => Ok(negated(self.is_null(inside, depth)?, true)),
            Expr::IsTrue(inside) => {
                let (yes, no) = (Typed::constant(Datum::Int(1)), Typed::constant(Datum::Int(0)));
                Ok(chosen(vec![(self.truth(inside, depth)?, yes)], no))
            }
            Expr::Between { expr, negated: not, low, high } => {
                let (value, low, high) = (self.at(expr, depth)?, self.at(low, depth)?, self.at(high, depth)?);
                let above = compared(Comparison::GreaterOrEqual, value.clone(), low, expression)?;
                let below = compared(Comparison::LessOrEqual, value, high, expression)?;
                Ok(negated(Typed::truth(Formula::All(vec![above.formula, below.formula])), *not))
            }
            Expr::In { expr, target: InTarget::List(list), negated: not, global: false } => {
                let found = list.iter().map(|item| self.same(expr, item, depth)).collect::<Result<_, _>>()?;
                Ok(negated(Typed::truth(Formula::Any(found)), *not))
            }
            Expr::Like { negated: not, any: false, expr, pattern, escape_char: None } => {
                let (text, pattern) = (self.at(expr, depth)?, self.at(pattern, depth)?);
                let order = common(&text, &pattern, expression)?;
                let like = Formula::Like(order, Box::new(text.formula), Box::new(pattern.formula));
                Ok(negated(Typed::truth(like), *not))
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), depth)
            }
            Expr::Collate { expr, collation } => {
                let typed = self.at(expr, depth)?;
                let name = collation.to_string().to_lowercase();
                let order = if name.ends_with("_bin") { Order::Binary } else { Order::Upper };
                let known =
                    ["_bin", "general_ci", "0900_ai_ci", "unicode_ci"].iter().any(|e| name.ends_with(e));
                match typed.kind {
                    Kind::Text(_) if known => Ok(Typed { kind: Kind::Text(order), ..typed }),
                    _ => Err(unknown(expression)),
                }
            }
            Expr::Cast { kind: CastKind::Cast, expr, data_type, .. } => self.cast(expr, data_type, depth),
            Expr::Convert { expr, charset: Some(_), .. } => self.cast(expr, &DataType::Text, depth),
            Expr::Substring { expr, substring_from: Some(from), substring_for, .. } => {
                let mut arguments = vec![self.at(expr, depth)?, self.at(from, depth)?];
                if let Some(length) = substring_for {
                    arguments.push(self.at(length, depth)?);
                }
                functions::call(Function::Substring, arguments).ok_or_else(|| unknown(expression))
            }
            Expr::Function(function) => match functions::typed(self, function, depth)? {
                Some(typed) => Ok(typed),
                None => self.of_session(expression).map_err(|failure| match failure {
                    Failure::Unsupported(_) => unknown(expression),
                    other => other,
                }),
            },
            _ => Err(unknown(expression)),
        }
    }

    /// What the session knows without any table: `DATABASE()`, `@@version`, `@mine`.
    fn of_session(&self, expression: &Expr) -> Result<Typed, Failure> {
        let value = (self.session)(expression)?;
        if let Value::Int(n) = value {
            return Ok(Typed::constant(Datum::Int(n)));
        }
        Ok(Typed::constant(value.text().map_or(Datum::Null, Datum::from)))
    }

    fn column(&self, qualifier: Option<&str>, name: &str) -> Result<Typed, Failure> {
        let output = self.outputs.iter().find(|(n, _)| qualifier.is_none() && same_name(n, name));
        if let Some((_, typed)) = output {
            return Ok(typed.clone());
        }
        let shown = || qualifier.map_or_else(|| name.to_owned(), |q| format!("{q}.{name}"));
        let mut found = self.columns.iter().enumerate().filter(|(_, c)| {
            same_name(&c.name, name) && qualifier.map_or(!c.hidden, |q| q.eq_ignore_ascii_case(&c.qualifier))
        });
        match (found.next(), found.next()) {
            (Some((at, column)), None) => {
                Ok(Typed { formula: Formula::Column(at), kind: column.kind, chars: column.chars })
            }
            (Some(_), Some(_)) => Err(Failure::AmbiguousColumn(shown(), self.clause)),
            (None, _) => Err(Failure::UnknownColumn(shown(), self.clause)),
        }
    }

    fn binary(&self, left: &Expr, op: &BinaryOperator, right: &Expr, depth: usize) -> Result<Typed, Failure> {
        let comparison = match op {
            BinaryOperator::And => {
                return Ok(Typed::truth(Formula::All(vec![
                    self.truth(left, depth)?,
                    self.truth(right, depth)?,
                ])));
            }
            BinaryOperator::Or | BinaryOperator::StringConcat => {
                return Ok(Typed::truth(Formula::Any(vec![
                    self.truth(left, depth)?,
                    self.truth(right, depth)?,
                ])));
            }
            BinaryOperator::Plus | BinaryOperator::Minus => {
                let function = if *op == BinaryOperator::Plus { Function::Add } else { Function::Subtract };
                let (left_shown, right_shown) = (left, right);
                let (left, right) = (self.at(left, depth)?, self.at(right, depth)?);
                let whole = |t: &Typed| matches!(t.kind, Kind::Int | Kind::Null);
                if !(whole(&left) && whole(&right)) {
                    return Err(Failure::Unsupported(format!("'{op}' of text: numbers are added here")));
                }
                // A difference of unsigned numbers below 0 is an error of mysqld. A position is 1 at least.
                let is_position = |at: usize| {
                    self.columns
                        .get(at)
                        .is_some_and(|c| matches!(c.name.as_str(), "ORDINAL_POSITION" | "SEQ_IN_INDEX"))
                };
                let in_range = match (&left.formula, &right.formula) {
                    (Formula::Constant(_), Formula::Constant(_)) => true,
                    (Formula::Column(at), Formula::Constant(Datum::Int(0 | 1))) => is_position(*at),
                    _ => false,
                };
                if *op == BinaryOperator::Minus && !in_range {
                    return Err(Failure::Unsupported(format!(
                        "the difference of {left_shown} and {right_shown}"
                    )));
                }
                let chars = left.chars.max(right.chars).saturating_add(1);
                let formula = Formula::Call(function, vec![left.formula, right.formula]);
                return Ok(Typed { formula, kind: Kind::Int, chars });
            }
            BinaryOperator::Eq => return self.same(left, right, depth).map(Typed::truth),
            BinaryOperator::NotEq => Comparison::NotEqual,
            BinaryOperator::Lt => Comparison::Less,
            BinaryOperator::LtEq => Comparison::LessOrEqual,
            BinaryOperator::Gt => Comparison::Greater,
            BinaryOperator::GtEq => Comparison::GreaterOrEqual,
            BinaryOperator::Spaceship => Comparison::NullSafe,
            other => {
                return Err(Failure::Unsupported(format!(
                    "the operator {other} in a SELECT on information_schema"
                )));
            }
        };
        compared(comparison, self.at(left, depth)?, self.at(right, depth)?, right)
    }

    /// Equality, also of tuples.
    fn same(&self, left: &Expr, right: &Expr, depth: usize) -> Result<Formula, Failure> {
        match (left, right) {
            (Expr::Tuple(a), Expr::Tuple(b)) if a.len() == b.len() && depth > 0 => {
                let pairs = a.iter().zip(b).map(|(a, b)| self.same(a, b, depth - 1));
                Ok(Formula::All(pairs.collect::<Result<_, _>>()?))
            }
            _ => compared(Comparison::Equal, self.at(left, depth)?, self.at(right, depth)?, right)
                .map(|t| t.formula),
        }
    }

    fn is_null(&self, inside: &Expr, depth: usize) -> Result<Typed, Failure> {
        Ok(Typed::truth(Formula::IsNull(Box::new(self.at(inside, depth)?.formula))))
    }

    fn case(
        &self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
        depth: usize,
    ) -> Result<Typed, Failure> {
        let mut branches = Vec::new();
        for CaseWhen { condition, result } in conditions {
            let condition = match operand {
                Some(operand) => self.same(operand, condition, depth)?,
                None => self.truth(condition, depth)?,
            };
            branches.push((condition, self.at(result, depth)?));
        }
        let otherwise = otherwise.map_or_else(|| Ok(Typed::constant(Datum::Null)), |e| self.at(e, depth))?;
        Ok(chosen(branches, otherwise))
    }

    fn cast(&self, expr: &Expr, to: &DataType, depth: usize) -> Result<Typed, Failure> {
        let typed = self.at(expr, depth)?;
        match (to, typed.kind) {
            (DataType::Char(None) | DataType::Text, kind) => {
                let order = if let Kind::Text(order) = kind { order } else { Order::Literal };
                let formula = Formula::Call(Function::Text, vec![typed.formula]);
                Ok(Typed { formula, kind: Kind::Text(order), chars: typed.chars })
            }
            (DataType::Binary(None), Kind::Text(_)) => Ok(Typed { kind: Kind::Text(Order::Binary), ..typed }),
            (
                DataType::Signed | DataType::Unsigned | DataType::SignedInteger | DataType::UnsignedInteger,
                Kind::Int,
            ) => Ok(typed),
            _ => Err(unknown(expr)),
        }
    }
}

/// A value that one of several branches gives.
pub(super) fn chosen(branches: Vec<(Formula, Typed)>, otherwise: Typed) -> Typed {
    let mut kind = otherwise.kind;
    let mut chars = otherwise.chars;
    for (_, then) in &branches {
        chars = chars.max(then.chars);
        kind = match (kind, then.kind) {
            (Kind::Null, other) | (other, Kind::Null) => other,
            (Kind::Int, Kind::Int) => Kind::Int,
            (Kind::Text(a), Kind::Text(b)) => Kind::Text(a.max(b)),
            (Kind::Text(a), Kind::Int) | (Kind::Int, Kind::Text(a)) => Kind::Text(a),
        };
    }
    // A number among texts is text.
    let same = |t: Typed| match (kind, t.kind) {
        (Kind::Text(_), Kind::Int) => Formula::Call(Function::Text, vec![t.formula]),
        _ => t.formula,
    };
    let branches = branches.into_iter().map(|(condition, then)| (condition, same(then))).collect();
    Typed { formula: Formula::Case(branches, Box::new(same(otherwise))), kind, chars }
}

pub(super) fn negated(typed: Typed, not: bool) -> Typed {
    if not { Typed::truth(Formula::Not(Box::new(typed.formula))) } else { typed }
}

/// Compares as mysqld does, or refuses: text with a number would be compared as floating-point numbers.
pub(super) fn compared(comparison: Comparison, a: Typed, b: Typed, at: &Expr) -> Result<Typed, Failure> {
    let (a, b) = (numbered(a, &b), b);
    let b = numbered(b, &a);
    let order = match (a.kind, b.kind) {
        (Kind::Int, Kind::Text(_)) | (Kind::Text(_), Kind::Int) => {
            return Err(unsupported(at, "compares text with a number"));
        }
        (Kind::Null, _) | (_, Kind::Null) | (Kind::Int, Kind::Int) => Order::Literal,
        (Kind::Text(_), Kind::Text(_)) => common(&a, &b, at)?,
    };
    Ok(Typed::truth(Formula::Compare(comparison, order, Box::new(a.formula), Box::new(b.formula))))
}

/// A literal of text that is a whole number, beside a number.
fn numbered(typed: Typed, other: &Typed) -> Typed {
    match (&typed.formula, other.kind) {
        (Formula::Constant(Datum::Text(text)), Kind::Int) => match text.parse::<i64>() {
            Ok(n) => Typed::constant(Datum::Int(n.into())),
            Err(_) => typed,
        },
        _ => typed,
    }
}

/// The order in which two texts compare. Letters outside of ASCII have neighbours in general_ci that are not told here.
pub(super) fn common(a: &Typed, b: &Typed, at: &Expr) -> Result<Order, Failure> {
    let order = a.order().max(b.order());
    let plain = |t: &Typed| !matches!(&t.formula, Formula::Constant(Datum::Text(text)) if !text.is_ascii());
    if matches!(order, Order::Literal | Order::Upper) && !(plain(a) && plain(b)) {
        return Err(unsupported(
            at,
            "has letters outside of ASCII, whose place in general_ci is not certain here",
        ));
    }
    Ok(order)
}

fn literal(value: &Literal) -> Option<Typed> {
    Some(Typed::constant(match value {
        Literal::Number(n, _) => Datum::Int(n.parse::<u64>().ok()?.into()),
        Literal::SingleQuotedString(s)
        | Literal::DoubleQuotedString(s)
        | Literal::NationalStringLiteral(s) => Datum::from(s.clone()),
        Literal::Boolean(b) => Datum::Int(i128::from(*b)),
        Literal::Null => Datum::Null,
        _ => return None,
    }))
}

pub(super) fn unsupported(expression: &Expr, why: &str) -> Failure {
    let shown: String = expression.to_string().chars().take(120).collect();
    Failure::Unsupported(format!("'{shown}' {why}"))
}

pub(super) fn unknown(expression: &Expr) -> Failure {
    unsupported(expression, "in a SELECT on information_schema")
}

impl Aggregate {
    pub(super) fn kind(self, of: Kind) -> Kind {
        match self {
            Self::Rows | Self::Count | Self::CountDistinct => Kind::Int,
            Self::Min | Self::Max => of,
        }
    }
}
