//! WHERE to the condition that the agent carries out on each row: every literal becomes a value of
//! the column that it is compared with, where MySQL certainly compares the two so; the rest is
//! refused by the column's name.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions and pairs of a type and a literal are many; the ones that are not named are refused"
)]

use super::between;
use super::filter_constant::{Constant, is_null};
use super::filter_labels::labels_like;
use super::key_value::Condition;
use super::keys::Predicate;
use super::literal::{Literal, literal, position_of, refuse};
use super::scan::relation;
use crate::failure::Failure;
use dbtrail_expression::RowFilter;
use dbtrail_types::agent_api::{Comparison, Filter, Octets, Relation};
use dbtrail_types::column::{Column, Family, same_name};
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
                if let (Some(low), Some(high)) = (
                    self.labels(column, Relation::GreaterOrEqual, low)?,
                    self.labels(column, Relation::LessOrEqual, high)?,
                ) {
                    let both = Filter::And(vec![low, high]);
                    return Ok(if *negated { not(both) } else { both });
                }
                let low = self.constant(low, column, Condition::Range)?;
                let high = self.constant(high, column, Condition::Range)?;
                if let (Constant::Value(low, _), Constant::Value(high, _)) = (&low, &high) {
                    between::check(column, low, high)?;
                }
                let compared = |is, value: Constant| compared(column, is, value);
                let both = Filter::And(vec![
                    compared(Relation::GreaterOrEqual, low),
                    compared(Relation::LessOrEqual, high),
                ]);
                Ok(if *negated { not(both) } else { both })
            }
            Expr::In { expr, target: InTarget::List(list), negated, global: false } => {
                self.among(self.named(expr, part)?, list, *negated)
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                let column = self.named(expr, part)?;
                let escape = match escape_char {
                    None => Some('\\'),
                    Some(written) => escape(written)
                        .ok_or_else(|| refuse(column, "ESCAPE takes one character of ASCII, or none"))?,
                };
                let Some(text) = self.pattern(pattern, column)? else { return Ok(Filter::Truth(None)) };
                // Under NO_BACKSLASH_ESCAPES, and in MariaDB, it is read in other ways.
                if escape_char.is_none() && text.contains('\\') {
                    return Err(refuse(
                        column,
                        "a pattern with a backslash: say ESCAPE with another character",
                    ));
                }
                if let Some(like) = labels_like(column, &text, escape)? {
                    return Ok(if *negated { not(like) } else { like });
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
                if let Some(labels) = self.labels(column, is, literal)? {
                    return Ok(labels);
                }
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

    /// `column IN (...)`
    fn among(&self, column: &Column, list: &[Expr], negated: bool) -> Result<Filter, Failure> {
        let condition = if list.len() == 1 { Condition::Equality } else { Condition::List };
        let labels = list.iter().map(|literal| self.labels(column, Relation::Equal, literal));
        if let Some(any) = labels.collect::<Result<Option<Vec<Filter>>, _>>()?
            && !any.is_empty()
        {
            let any = Filter::Or(any);
            return Ok(if negated { not(any) } else { any });
        }
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
            return Err(refuse(column, "literals of several kinds in one list: write all in one form"));
        }
        let among = Filter::In { column: column.name.clone(), values };
        let among = if null { Filter::Or(vec![among, Filter::Truth(None)]) } else { among };
        Ok(if negated { not(among) } else { among })
    }

    /// The pattern of LIKE; `None`: NULL.
    fn pattern(&self, written: &Expr, column: &Column) -> Result<Option<String>, Failure> {
        let shown_as_text = column.ty.is_exact_number()
            || matches!(
                column.ty.family(),
                Family::Year | Family::Date | Family::DateTime | Family::Time | Family::Enum
            );
        if shown_as_text && self.open.is_none() {
            if is_null(written) {
                return Ok(None);
            }
            return match literal(written, column, self.reader.charsets)? {
                Literal::Text(text, _) if text.is_ascii() => Ok(Some(text)),
                _ => Err(refuse(column, "LIKE takes a pattern in ASCII for it")),
            };
        }
        match self.constant(written, column, Condition::Equality)? {
            Constant::Null => Ok(None),
            Constant::Value(Octets(bytes), _) => {
                String::from_utf8(bytes).map(Some).map_err(|_| refuse(column, "LIKE is carried out on text"))
            }
        }
    }

    fn is_null(&self, column: &Expr, part: &Expr) -> Result<Filter, Failure> {
        let column = self.named(column, part)?;
        if column.ty.has_date() && !column.nullable {
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
            Some(Ok(position)) => self.key().get(position).map(|c| c.name.clone()).unwrap_or_default(),
            Some(Err(name)) => name,
        };
        let own = |column: &&Column| same_name(&column.name, &name);
        if self.is_diff() && self.definition.columns.iter().filter(own).count() > 1 {
            return Err(Failure::Unsupported(format!(
                "a condition on {name}: the table has a column of this name, and so has _diff"
            )));
        }
        let at = self.definition.position(&name);
        at.and_then(|at| self.definition.columns.get(at))
            .map(Some)
            .ok_or_else(|| Failure::Unsupported(format!("a condition on {name}")))
    }
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
    let mut following = Vec::new();
    while let Expr::BinaryOp { left: first, op: BinaryOperator::Or, right } = left {
        following.push(right.as_ref());
        left = first;
    }
    parts.push(left);
    parts.extend(following.into_iter().rev());
}

/// ESCAPE: one character, or none.
#[expect(clippy::option_option, reason = "not known; no escape character; one")]
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
        position_of(part)
    ))
}
