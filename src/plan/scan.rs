//! Questions that do not bind the whole key: which range of the keys is read for them, and what
//! of WHERE is left for each row.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions and operators are many; the ones that are not named bind nothing"
)]

use super::between;
use super::key_value::Condition;
use super::keys::{Predicate, conjuncts};
use crate::failure::Failure;
use dbtrail_types::agent_api::{KeyBound, KeyChoice, KeyScan, Keys, Octets, Relation};
use dbtrail_types::column::ColumnType;
use sqlparser::ast::{BinaryOperator, Expr};
use std::collections::HashSet;

/// `limits.table_scan`: who may ask for rows without naming their keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableScan {
    /// Nobody.
    Refuse,
    /// Statements that say so.
    #[default]
    OnRequest,
    /// Every statement.
    Allow,
}

impl TableScan {
    /// Whether a statement may, that says so or does not.
    #[must_use]
    pub const fn permits(self, asked: bool) -> bool {
        match self {
            Self::Refuse => false,
            Self::OnRequest => asked,
            Self::Allow => true,
        }
    }

    /// The ways to ask all the same, for the refusal of who did not.
    pub(super) const fn ways(self) -> &'static str {
        match self {
            Self::Refuse => "; rows cannot be asked for without their keys here (limits.table_scan: refuse)",
            Self::OnRequest | Self::Allow => {
                "; to read through the table instead: ALLOW SCAN after the time clause, SELECT /*+ \
                 SET_VAR(dbtrail_allow_table_scan=ON) */, or SET @dbtrail_allow_table_scan = ON"
            }
        }
    }
}

/// A comparison of a key column with a literal.
struct End<'a> {
    position: usize,
    is: Relation,
    literal: &'a Expr,
}

impl Predicate<'_> {
    /// The range of keys in which all rows lie that a condition can be true for, and the parts of
    /// the condition that are not said by it.
    pub(super) fn scan<'e>(&self, filter: Option<&'e Expr>) -> (Keys, Vec<&'e Expr>) {
        let key = self.key();
        let mut parts = Vec::new();
        if let Some(filter) = filter {
            conjuncts(filter, &mut parts);
        }
        let mut scan = KeyScan::default();
        // First columns that equal one value.
        while let Some(column) = key.get(scan.prefix.len()) {
            let position = scan.prefix.len();
            let found = parts.iter().enumerate().find_map(|(at, part)| {
                let ends = self.ends(part)?;
                let [End { position: of, is: Relation::Equal, literal }] = ends.as_slice() else {
                    return None;
                };
                let value = (*of == position).then(|| self.value(literal, column, Condition::Equality))?;
                value.ok().map(|value| (at, value.map(|v| v.bytes).unwrap_or_default()))
            });
            let Some((at, value)) = found else { break };
            parts.remove(at);
            scan.prefix.push(Octets(value));
        }
        self.bounded(&mut scan, &mut parts);
        let columns = key.iter().map(|c| c.name.clone()).collect();
        (Keys { columns, choice: KeyChoice::Scan(scan) }, parts)
    }

    /// The keys that a condition names, where it names them whole, and the parts of it that say
    /// more of their rows.
    pub(super) fn narrowed<'e>(&self, filter: &'e Expr) -> Option<(Keys, Vec<&'e Expr>)> {
        let mut parts = Vec::new();
        conjuncts(filter, &mut parts);
        let mut bounds = Vec::new();
        let mut left = Vec::new();
        let mut bound = HashSet::new();
        for part in parts {
            match self.bound(part) {
                Ok(Ok(found)) if found.columns().iter().all(|column| !bound.contains(column)) => {
                    bound.extend(found.columns());
                    bounds.push(found);
                }
                _ => left.push(part),
            }
        }
        let columns: Vec<String> = self.key().iter().map(|c| c.name.clone()).collect();
        if columns.is_empty() || bound.len() != columns.len() || left.is_empty() {
            return None;
        }
        self.choice(bounds, columns).ok().map(|keys| (keys, left))
    }

    /// The ends of the column after the prefix: one of each kind, the others are left.
    fn bounded(&self, scan: &mut KeyScan, parts: &mut Vec<&Expr>) {
        let position = scan.prefix.len();
        let key = self.key();
        let Some(column) = key.get(position).filter(|c| c.ty != ColumnType::Uuid) else { return };
        parts.retain(|part| {
            let Some(ends) = self.ends(part) else { return true };
            let (mut lower, mut upper) = (scan.lower.clone(), scan.upper.clone());
            for End { position: of, is, literal } in &ends {
                let bound = match is {
                    Relation::Greater | Relation::GreaterOrEqual => &mut lower,
                    Relation::Less | Relation::LessOrEqual => &mut upper,
                    Relation::Equal | Relation::Different | Relation::Same => return true,
                };
                let inclusive = matches!(is, Relation::GreaterOrEqual | Relation::LessOrEqual);
                match self.value(literal, column, Condition::Range) {
                    Ok(value) if *of == position && bound.is_none() => {
                        // A parameter that has no value yet stands for no key.
                        let value = Octets(value.map(|v| v.bytes).unwrap_or_default());
                        *bound = Some(KeyBound { value, inclusive });
                    }
                    _ => return true,
                }
            }
            // What servers may take for one value is left to the filter, which refuses it.
            if let ([_, _], Some(lower), Some(upper)) = (ends.as_slice(), &lower, &upper)
                && between::check(column, &lower.value, &upper.value).is_err()
            {
                return true;
            }
            (scan.lower, scan.upper) = (lower, upper);
            false
        });
    }

    /// What a part compares a key column with; `None`: it is something else.
    fn ends<'e>(&self, part: &'e Expr) -> Option<Vec<End<'e>>> {
        match part {
            Expr::Nested(inside) => self.ends(inside),
            Expr::Between { expr, negated: false, low, high } => {
                let position = self.column_index(expr)?;
                let low = End { position, is: Relation::GreaterOrEqual, literal: low };
                Some(vec![low, End { position, is: Relation::LessOrEqual, literal: high }])
            }
            Expr::BinaryOp { left, op, right } => {
                let is = relation(op)?;
                match (self.column_index(left), self.column_index(right)) {
                    (Some(position), None) => Some(vec![End { position, is, literal: right }]),
                    (None, Some(position)) => Some(vec![End { position, is: is.turned(), literal: left }]),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn column_index(&self, expression: &Expr) -> Option<usize> {
        self.column(expression).ok()??.ok()
    }
}

/// A comparison as the contract has it.
pub(super) fn relation(op: &BinaryOperator) -> Option<Relation> {
    Some(match op {
        BinaryOperator::Eq => Relation::Equal,
        BinaryOperator::NotEq => Relation::Different,
        BinaryOperator::Lt => Relation::Less,
        BinaryOperator::LtEq => Relation::LessOrEqual,
        BinaryOperator::Gt => Relation::Greater,
        BinaryOperator::GtEq => Relation::GreaterOrEqual,
        BinaryOperator::Spaceship => Relation::Same,
        _ => return None,
    })
}

/// The refusal of a statement that does not bind the key and did not ask for more.
pub(super) fn not_asked(refusal: Failure, policy: TableScan) -> Failure {
    match refusal {
        Failure::KeyRule(why) => Failure::KeyRule(format!("{why}{}", policy.ways())),
        other => other,
    }
}
