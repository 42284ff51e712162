//! WHERE to the condition that the agent carries out on each row: every literal becomes a value of
//! the column that it is compared with, where MySQL certainly compares the two so; the rest is
//! refused by the column's name.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions and pairs of a type and a literal are many; the ones that are not named are refused"
)]

use super::key_value::Condition;
use super::keys::Predicate;
use super::literal::{Literal, literal, place, refuse};
use super::scan::relation;
use crate::failure::Failure;
use dbtrail_expression::RowFilter;
use dbtrail_types::agent_api::{Comparison, Filter, Octets, Relation};
use dbtrail_types::column::{Column, ColumnType};
use sqlparser::ast::{BinaryOperator, Expr, InTarget, UnaryOperator, Value};

/// Levels of a condition.
const DEEPEST: usize = 100;

impl Predicate<'_> {
    /// The condition that these parts are together; `None`: there are none.
    pub(super) fn condition(&self, parts: &[&Expr]) -> Result<Option<Filter>, Failure> {
        let mut all: Vec<Filter> =
            parts.iter().map(|part| self.one(part, DEEPEST)).collect::<Result<_, _>>()?;
        let filter = if all.len() > 1 { Some(Filter::And(all)) } else { all.pop() };
        if let Some(filter) = &filter {
            RowFilter::new(filter, &self.definition.columns)
                .map_err(|why| Failure::Unsupported(why.to_string()))?;
        }
        Ok(filter)
    }

    fn one(&self, part: &Expr, depth: usize) -> Result<Filter, Failure> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Failure::Unsupported(format!("a WHERE of more than {DEEPEST} levels")));
        };
        match part {
            Expr::Nested(inside) => self.one(inside, depth),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                Ok(Filter::And(vec![self.one(left, depth)?, self.one(right, depth)?]))
            }
            Expr::BinaryOp { op: BinaryOperator::Or, .. } => {
                let mut parts = Vec::new();
                alternatives(part, &mut parts);
                parts.iter().map(|p| self.one(p, depth)).collect::<Result<_, _>>().map(Filter::Or)
            }
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => Ok(not(self.one(expr, depth)?)),
            Expr::IsNull(column) => self.is_null(column, part),
            Expr::IsNotNull(column) => self.is_null(column, part).map(not),
            Expr::Between { expr, negated, low, high } => {
                let column = self.named(expr, part)?;
                let low = self.constant(low, column, Condition::Range)?;
                let high = self.constant(high, column, Condition::Range)?;
                let compared = |is, value: Constant| compared(column, is, value);
                let both = Filter::And(vec![
                    compared(Relation::GreaterOrEqual, low),
                    compared(Relation::LessOrEqual, high),
                ]);
                Ok(if *negated { not(both) } else { both })
            }
            Expr::In { expr, target: InTarget::List(list), negated, global: false } => {
                let column = self.named(expr, part)?;
                let condition = if list.len() == 1 { Condition::Equality } else { Condition::List };
                let (mut values, mut kinds, mut null) = (Vec::new(), Vec::new(), false);
                for literal in list {
                    match self.constant(literal, column, condition)? {
                        Constant::Null => null = true,
                        Constant::Value(value, text) => {
                            values.push(value);
                            kinds.push(text);
                        }
                    }
                }
                if kinds.windows(2).any(|pair| pair[0] != pair[1]) {
                    return Err(refuse(
                        column,
                        "literals of several kinds in one list: write all in one form",
                    ));
                }
                let among = Filter::In { column: column.name.clone(), values };
                let among = if null { Filter::Or(vec![among, Filter::Truth(None)]) } else { among };
                Ok(if *negated { not(among) } else { among })
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                let column = self.named(expr, part)?;
                let escape = match escape_char {
                    None => Some('\\'),
                    Some(written) => escape(written)
                        .ok_or_else(|| refuse(column, "ESCAPE takes one character of ASCII, or none"))?,
                };
                let text = match self.constant(pattern, column, Condition::Equality)? {
                    Constant::Null => return Ok(Filter::Truth(None)),
                    Constant::Value(Octets(bytes), _) => {
                        String::from_utf8(bytes).map_err(|_| refuse(column, "LIKE is carried out on text"))?
                    }
                };
                // Under NO_BACKSLASH_ESCAPES, and in MariaDB, it is read in other ways.
                if escape_char.is_none() && text.contains('\\') {
                    return Err(refuse(
                        column,
                        "a pattern with a backslash: say ESCAPE with another character",
                    ));
                }
                let like = Filter::Like { column: column.name.clone(), pattern: text, escape };
                Ok(if *negated { not(like) } else { like })
            }
            Expr::BinaryOp { left, op, right } => {
                let Some(is) = relation(op) else { return Err(unclear(part)) };
                let (column, literal, is) = match (self.any_column(left)?, self.any_column(right)?) {
                    (Some(column), None) => (column, right, is),
                    (None, Some(column)) => (column, left, is.turned()),
                    _ => return Err(unclear(part)),
                };
                let condition = if is.is_of_equality() { Condition::Equality } else { Condition::Range };
                Ok(compared(column, is, self.constant(literal, column, condition)?))
            }
            Expr::Value(value) => match &value.value {
                Value::Boolean(truth) => Ok(Filter::Truth(Some(*truth))),
                Value::Null => Ok(Filter::Truth(None)),
                Value::Number(number, _) if number == "1" || number == "0" => {
                    Ok(Filter::Truth(Some(number == "1")))
                }
                _ => Err(unclear(part)),
            },
            _ => Err(unclear(part)),
        }
    }

    fn is_null(&self, column: &Expr, part: &Expr) -> Result<Filter, Failure> {
        let column = self.named(column, part)?;
        let time = matches!(
            column.ty,
            ColumnType::Date | ColumnType::DateTime { .. } | ColumnType::Timestamp { .. }
        );
        if time && !column.nullable {
            return Err(refuse(
                column,
                "IS NULL of a NOT NULL date is true for '0000-00-00' in MySQL: leave it out",
            ));
        }
        Ok(Filter::IsNull(column.name.clone()))
    }

    /// The column that a part speaks of.
    fn named(&self, expression: &Expr, part: &Expr) -> Result<&Column, Failure> {
        self.any_column(expression)?.ok_or_else(|| unclear(part))
    }

    /// A column of the table; `None`: the expression is something else.
    fn any_column(&self, expression: &Expr) -> Result<Option<&Column>, Failure> {
        let name = match self.column(expression)? {
            None => return Ok(None),
            Some(Ok(place)) => self.key().get(place).map(|c| c.name.clone()).unwrap_or_default(),
            Some(Err(name)) => name,
        };
        let at = self.definition.position(&name);
        at.and_then(|at| self.definition.columns.get(at))
            .map(Some)
            .ok_or_else(|| Failure::Unsupported(format!("a condition on {name}")))
    }

    /// A literal as a value of a column.
    fn constant(&self, written: &Expr, column: &Column, condition: Condition) -> Result<Constant, Failure> {
        if is_null(written) {
            return Ok(Constant::Null);
        }
        // As bytes that are as long as they are: the reader knows keys, and no key is a BLOB of any
        // length.
        let blob = matches!(column.ty, ColumnType::Blob { .. })
            .then(|| Column { ty: ColumnType::VarBinary { bytes: u32::MAX }, ..column.clone() });
        let column = blob.as_ref().unwrap_or(column);
        let is_number = matches!(
            column.ty,
            ColumnType::Int { .. } | ColumnType::Decimal { zerofill: false, .. } | ColumnType::Bit { .. }
        );
        let is_real = matches!(
            column.ty,
            ColumnType::Float { digits: None, .. } | ColumnType::Double { digits: None, .. }
        );
        if self.open.is_none() && (is_number || is_real) {
            match literal(written, column, self.reader.charsets) {
                // Exact numbers are compared exactly, whatever the column can hold.
                Ok(Literal::Number(number))
                    if condition != Condition::Equality && is_of_other_sign(column, &number) =>
                {
                    return Err(refuse(
                        column,
                        "MySQL takes 18446744073709551615 for -1 in some lists and ranges: write a number that the column can hold",
                    ));
                }
                Ok(Literal::Number(number)) => {
                    return Ok(Constant::Value(
                        Octets(number.trim_start_matches('+').as_bytes().to_vec()),
                        false,
                    ));
                }
                Ok(Literal::Double(number)) if is_real => {
                    return Ok(Constant::Value(Octets(number.into_bytes()), false));
                }
                Ok(Literal::Text(text, _)) if !is_certain_as_text(column, &text) => {
                    return Err(refuse(
                        column,
                        "MySQL compares it with a string as floating point: write a number",
                    ));
                }
                _ => {}
            }
        }
        let value = self.value(written, column, condition)?;
        let text = value.as_ref().is_some_and(|v| matches!(v.kind, super::literal::Kind::Text(_)));
        Ok(Constant::Value(Octets(value.map(|v| v.bytes).unwrap_or_default()), text))
    }
}

/// Whether MySQL and MariaDB find the same, however they compare a number with a string: as numbers
/// of the column's type, or as DOUBLE.
fn is_certain_as_text(column: &Column, text: &str) -> bool {
    match column.ty {
        ColumnType::Int { .. } => text.parse::<i64>().is_ok_and(|n| n.unsigned_abs() < 1 << 53),
        ColumnType::Decimal { precision, .. } => precision <= 15,
        _ => false,
    }
}

/// Whether a number is one that the sign of the column's type does not allow, so that some servers
/// read its bits as another number.
fn is_of_other_sign(column: &Column, number: &str) -> bool {
    let ColumnType::Int { unsigned, .. } = column.ty else { return false };
    let whole = number.split('.').next().unwrap_or_default();
    if unsigned { number.starts_with('-') } else { !whole.is_empty() && whole.parse::<i64>().is_err() }
}

/// What a column is compared with.
enum Constant {
    Null,
    /// The value, and whether it was written as a string.
    Value(Octets, bool),
}

fn compared(column: &Column, is: Relation, constant: Constant) -> Filter {
    match (constant, is) {
        (Constant::Null, Relation::Same) => Filter::IsNull(column.name.clone()),
        (Constant::Null, _) => Filter::Truth(None),
        (Constant::Value(value, _), is) => {
            Filter::Compare(Comparison { column: column.name.clone(), is, value })
        }
    }
}

fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

/// The parts of a disjunction, however long it is.
fn alternatives<'e>(part: &'e Expr, parts: &mut Vec<&'e Expr>) {
    let mut left = part;
    let mut behind = Vec::new();
    while let Expr::BinaryOp { left: first, op: BinaryOperator::Or, right } = left {
        behind.push(right.as_ref());
        left = first;
    }
    parts.push(left);
    parts.extend(behind.into_iter().rev());
}

fn is_null(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inside) => is_null(inside),
        Expr::Value(value) => matches!(value.value, Value::Null),
        _ => false,
    }
}

/// ESCAPE: one character, or none.
#[expect(clippy::option_option, reason = "not certain; no escape character; one")]
fn escape(value: &Expr) -> Option<Option<char>> {
    let Expr::Value(value) = value else { return None };
    let Value::SingleQuotedString(text) = &value.value else { return None };
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (None, _) => Some(None),
        (Some(one), None) if one.is_ascii() => Some(Some(one)),
        _ => None,
    }
}

/// A condition that is not carried out.
fn unclear(part: &Expr) -> Failure {
    Failure::Unsupported(format!(
        "the condition at {} in WHERE: a column is compared with a literal (=, <>, <, >, <=, >=, <=>, IN, BETWEEN, LIKE, IS NULL; AND, OR and \
         NOT between them)",
        place(part)
    ))
}
