//! As what an expression is computed, if that is certain: a whole number, a DECIMAL, or text.

use super::Names;
use dbtrail_types::column::ColumnType;
use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator, Value as Literal,
};

/// What an expression gives, as far as it matters to what can be made of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Integer { unsigned: bool },
    Decimal,
    Text,
    Null,
}

/// The kind of an expression of the forms that are computed.
pub(super) fn kind(expression: &Expr, names: &Names<'_>) -> Option<Of> {
    Some(match expression {
        Expr::Nested(inside) => kind(inside, names)?,
        Expr::Identifier(name) if !name.value.starts_with('@') => {
            of_column(names.0.columns.get(names.0.position(&name.value)?)?)?
        }
        Expr::Value(value) => match &value.value {
            Literal::Number(text, _) if text.bytes().all(|b| b.is_ascii_digit()) && text.len() < 19 => {
                Of::Integer { unsigned: false }
            }
            Literal::Number(text, _)
                if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.len() < 19 =>
            {
                Of::Decimal
            }
            Literal::SingleQuotedString(text) if text.is_ascii() => Of::Text,
            Literal::Null => Of::Null,
            _ => return None,
        },
        Expr::Prefixed { prefix, value } if prefix.value.eq_ignore_ascii_case("_utf8mb4") => {
            kind(value, names).filter(|kind| *kind == Of::Text)?
        }
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => signed(kind(expr, names)?)?,
        Expr::BinaryOp { left, op, right } => {
            let (a, b) = (kind(left, names)?, kind(right, names)?);
            match op {
                // What UNSIGNED numbers make of a difference depends on sql_mode.
                BinaryOperator::Minus => sum(signed(a)?, signed(b)?)?,
                BinaryOperator::Plus | BinaryOperator::Multiply => sum(a, b)?,
                _ => return None,
            }
        }
        Expr::Function(function) => {
            let FunctionArguments::List(list) = &function.args else { return None };
            let kinds = list.args.iter().map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(inside)) => kind(inside, names),
                _ => None,
            });
            let kinds = kinds.collect::<Option<Vec<Of>>>()?;
            match function.name.to_string().to_ascii_uppercase().as_str() {
                "CONCAT" if kinds.iter().all(|k| matches!(k, Of::Text | Of::Integer { .. })) => Of::Text,
                "COALESCE" | "IFNULL" => {
                    let first = *kinds.first()?;
                    let one = kinds.iter().all(|k| *k == first);
                    Some(first).filter(|_| one && matches!(first, Of::Text | Of::Integer { .. }))?
                }
                _ => return None,
            }
        }
        _ => return None,
    })
}

fn signed(kind: Of) -> Option<Of> {
    matches!(kind, Of::Integer { unsigned: false } | Of::Decimal).then_some(kind)
}

fn sum(a: Of, b: Of) -> Option<Of> {
    match (a, b) {
        (Of::Integer { unsigned: x }, Of::Integer { unsigned: y }) => Some(Of::Integer { unsigned: x || y }),
        (Of::Integer { .. } | Of::Decimal, Of::Integer { .. } | Of::Decimal) => Some(Of::Decimal),
        _ => None,
    }
}

fn of_column(full: &super::super::table::FullColumn) -> Option<Of> {
    if full.generated.is_some() {
        return None;
    }
    match full.column.ty {
        ColumnType::Int { unsigned, zerofill: false, .. } => Some(Of::Integer { unsigned }),
        ColumnType::Decimal { precision, scale, unsigned: false, zerofill: false }
            if precision <= 30 && scale <= 10 =>
        {
            Some(Of::Decimal)
        }
        ColumnType::VarChar { .. } | ColumnType::Char { .. } | ColumnType::Text { .. }
            if full.collation_known =>
        {
            Some(Of::Text)
        }
        _ => None,
    }
}
