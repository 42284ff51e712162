//! Refusals by the primary key rule, with an example that is none.

use super::super::literal::position_of;
use super::Predicate;
use crate::failure::Failure;
use dbtrail_types::column::ColumnType;
use sqlparser::ast::{BinaryOperator, Expr};

/// Why a condition does not bind a key.
pub(super) fn unclear(condition: &Expr) -> String {
    let at = position_of(condition);
    match condition {
        Expr::Nested(inside) => unclear(inside),
        Expr::BinaryOp { op: BinaryOperator::Or, .. } => {
            format!("OR at {at} does not bind a key; several keys are written with IN")
        }
        Expr::BinaryOp {
            op: op @ (BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq),
            ..
        } => format!("{op} at {at} leaves one end open; a range is written BETWEEN a AND b"),
        Expr::BinaryOp { op: BinaryOperator::Eq, .. } => {
            format!("= at {at} does not compare a column of the key with a literal")
        }
        Expr::BinaryOp { op, .. } => format!("{op} at {at} does not bind a key"),
        Expr::Like { .. } => format!("LIKE at {at} does not bind a key"),
        Expr::IsNull(_) | Expr::IsNotNull(_) => format!("IS [NOT] NULL at {at} does not say which key"),
        Expr::UnaryOp { .. } | Expr::Between { negated: true, .. } | Expr::In { negated: true, .. } => {
            format!("NOT at {at} leaves open which keys are meant")
        }
        Expr::Function(f) => format!("{}() at {at} does not bind a key", f.name),
        _ => format!("the condition at {at} does not bind a key"),
    }
}

impl Predicate<'_> {
    /// The refusal by the PK rule: what is wrong, then the key and an example.
    pub(super) fn rule(&self, why: &str) -> Failure {
        let key = self.key();
        if key.is_empty() {
            return Failure::KeyRule(format!(
                "table {} has no primary key at that instant, so its rows cannot be asked for one by one; add one (ALTER TABLE ... ADD \
                 PRIMARY KEY), and they can be asked for from then on",
                self.table
            ));
        }
        let names: Vec<&str> = key.iter().map(|c| c.name.as_str()).collect();
        Failure::KeyRule(format!(
            "{why}; the key of {} is ({}): bind all of it with =, IN or BETWEEN, for example: {}",
            self.table,
            names.join(", "),
            self.example()
        ))
    }

    /// A predicate that binds the key.
    fn example(&self) -> String {
        let key = self.key();
        let conditions: Vec<String> = key
            .iter()
            .map(|c| match c.ty {
                ColumnType::Int { .. } | ColumnType::Decimal { .. } | ColumnType::Year => {
                    format!("{} = 42", c.name)
                }
                ColumnType::Binary { .. } | ColumnType::VarBinary { .. } => format!("{} = x'00ff'", c.name),
                _ => format!("{} = 'value'", c.name),
            })
            .collect();
        format!("WHERE {}", conditions.join(" AND "))
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other failures have an example of their own, or need none"
    )]
    pub(super) fn with_example(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Unsupported(what) => {
                Failure::Unsupported(format!("{what}; for example: {}", self.example()))
            }
            other => other,
        }
    }

    pub(super) fn too_many(&self) -> Failure {
        Failure::Unsupported(format!(
            "more than {} keys in WHERE (limits.max_keys): ask in several statements",
            self.max_keys
        ))
    }
}
