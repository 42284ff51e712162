//! `@name := value` in a select list over rows, as MariaDB Connector/ODBC has it: an item assigns,
//! and later items of the row read.
//!
//! MySQL takes the items of a row in their order. So what a later item reads is certain, where
//! every way through the earlier one assigns; an assignment becomes a column after the others, and
//! a read names it. What MySQL takes for the type of the variable depends on statements before this
//! one: a read is carried out where the value is the same with each type, which it is for small
//! whole numbers that are shown, added up, compared by CASE, or cast to a whole number. All else is
//! refused, and so is the variable after the statement: which row was the last one is not certain.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions are many; the ones that are not named are left as they are"
)]

use super::row_variable::{MARK, column_name};
use super::scope::ScopeColumn;
use crate::failure::Failure;
use crate::statement::Item;
use dbtrail_expression::{ExprType, Node, Type, Typed};
use sqlparser::ast::{
    BinaryOperator, DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArgOperator, FunctionArguments,
    Ident,
};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A value that each row assigns to a variable.
#[derive(Clone, Debug)]
pub(super) struct RowAssignment {
    /// The position of its column in the row.
    pub(super) at: usize,
    /// The value.
    pub(super) node: Node,
}

/// Variables that have a column.
#[derive(Default)]
struct Slots {
    all: BTreeSet<String>,
    /// Those that get integers alone. Others may have digits after the point, which are shown.
    integers: BTreeSet<String>,
}

/// The variables that a select list assigns.
pub(super) fn names(items: &[Item]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for item in items {
        if let Item::Value { value, .. } = item {
            assigned(&mut plain(value), &mut found);
        }
    }
    found
}

/// The select list without its assignments, each of which is a column of the row from here on.
///
/// # Errors
/// An assignment that is not certain, or of what is no number.
pub(super) fn set_apart<'i>(
    items: &'i [Item],
    known: &mut Vec<ScopeColumn>,
    typed: impl Fn(&[ScopeColumn], &Expr) -> Result<Typed, Failure>,
) -> Result<(Cow<'i, [Item]>, Vec<RowAssignment>), Failure> {
    if names(items).is_empty() {
        return Ok((Cow::Borrowed(items), Vec::new()));
    }
    let (mut left, mut assignments) = (Vec::with_capacity(items.len()), Vec::new());
    let mut slots = Slots::default();
    for item in items {
        let Item::Value { name, aliased, value } = item else {
            left.push(item.clone());
            continue;
        };
        let mut shown = plain(value);
        read(&mut shown, &slots);
        let mut found = BTreeSet::new();
        assigned(&mut shown, &mut found);
        if let Some(variable) = found.pop_first() {
            let unsupported = || {
                Failure::Unsupported(format!(
                    "an assignment to @{variable} for each row of a result is carried out where every way through one item of the select list assigns it a number"
                ))
            };
            let mut stored = shown.clone();
            if !(found.is_empty() && store(&mut stored)) {
                return Err(unsupported());
            }
            let stored = typed(known, &stored)?;
            if !matches!(stored.ty.kind, ExprType::Int { .. } | ExprType::Decimal { .. } | ExprType::Null) {
                return Err(unsupported());
            }
            // A later assignment hides an earlier one.
            let column = column_name(&variable);
            if let Some(before) = known.iter_mut().find(|k| k.name == column) {
                MARK.clone_into(&mut before.name);
            }
            let at = known.len();
            let ty = Type::new(ExprType::Int { width: 21, unsigned: false }, true);
            known.push(ScopeColumn { qualifier: column.clone(), name: column, ty, hidden: true });
            assignments.push(RowAssignment { at, node: stored.node });
            slots.integers.remove(&variable);
            if matches!(stored.ty.kind, ExprType::Int { .. }) {
                slots.integers.insert(variable.clone());
            }
            slots.all.insert(variable);
            strip(&mut shown);
        }
        left.push(Item::Value { name: name.clone(), aliased: *aliased, value: Box::new(shown) });
    }
    Ok((Cow::Owned(left), assignments))
}

/// The expression, in which `f(@a := 1)` is an assignment, and no argument of the name `@a`.
fn plain(expression: &Expr) -> Expr {
    let mut plain = expression.clone();
    unnamed(&mut plain);
    plain
}

fn unnamed(e: &mut Expr) {
    if let Expr::Function(function) = e
        && let FunctionArguments::List(list) = &mut function.args
    {
        for argument in &mut list.args {
            if let FunctionArg::Named {
                name,
                arg: FunctionArgExpr::Expr(value),
                operator: FunctionArgOperator::Assignment,
            } = argument
            {
                let (left, right) = (Expr::Identifier(name.clone()), value.clone());
                *argument = FunctionArg::Unnamed(FunctionArgExpr::Expr(assignment(left, right)));
            }
        }
    }
    if let Expr::BinaryOp { right, op: BinaryOperator::Assignment, .. } = e {
        unnamed(right);
    }
    for part in results(e) {
        unnamed(part);
    }
}

fn assignment(left: Expr, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::Assignment, right: Box::new(right) }
}

/// The parts of which one is the value.
fn results(e: &mut Expr) -> Vec<&mut Expr> {
    match e {
        Expr::Nested(inside) | Expr::Cast { expr: inside, .. } => vec![inside],
        Expr::Case { conditions, else_result, .. } => {
            let branches = conditions.iter_mut().map(|c| &mut c.result);
            branches.chain(else_result.iter_mut().map(|e| &mut **e)).collect()
        }
        Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("IF") => {
            let FunctionArguments::List(list) = &mut function.args else { return Vec::new() };
            let values = list.args.iter_mut().skip(1).filter_map(|a| match a {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => Some(e),
                _ => None,
            });
            values.collect()
        }
        _ => Vec::new(),
    }
}

/// `@name`, in lower case.
fn variable(e: &Expr) -> Option<String> {
    let Expr::Identifier(name) = e else { return None };
    let name = name.value.strip_prefix('@').filter(|n| name.quote_style.is_none() && !n.starts_with('@'));
    name.map(str::to_lowercase)
}

/// The variables that are assigned on some way through an expression.
fn assigned(e: &mut Expr, found: &mut BTreeSet<String>) {
    if let Expr::BinaryOp { left, op: BinaryOperator::Assignment, right } = e {
        found.extend(variable(left));
        assigned(right, found);
    }
    for part in results(e) {
        assigned(part, found);
    }
}

/// What the variable gets, instead of what is shown; false: it is not assigned on every way.
fn store(e: &mut Expr) -> bool {
    match e {
        Expr::BinaryOp { op: BinaryOperator::Assignment, right, .. } => {
            let mut inside = BTreeSet::new();
            assigned(right, &mut inside);
            *e = (**right).clone();
            inside.is_empty()
        }
        Expr::Cast { expr: inside, .. } => {
            let mut inside = (**inside).clone();
            let stored = store(&mut inside);
            *e = inside;
            stored
        }
        Expr::Case { else_result: None, .. } => false,
        _ => {
            let parts = results(e);
            !parts.is_empty() && parts.into_iter().all(store)
        }
    }
}

/// The value without the assignment of it.
fn strip(e: &mut Expr) {
    if let Expr::BinaryOp { op: BinaryOperator::Assignment, right, .. } = e {
        *e = Expr::Nested(right.clone());
    }
    for part in results(e) {
        strip(part);
    }
}

/// Columns instead of the variables.
fn read(e: &mut Expr, slots: &Slots) {
    match e {
        Expr::BinaryOp { op: BinaryOperator::Assignment, right, .. } => read(right, slots),
        Expr::Cast { expr, data_type, .. } if is_integer(data_type) => read_number(expr, &slots.all),
        Expr::Cast { .. } => {}
        Expr::Identifier(_) => read_number(e, &slots.integers),
        _ => {
            for part in results(e) {
                read(part, slots);
            }
        }
    }
}

fn is_integer(ty: &DataType) -> bool {
    matches!(ty, DataType::Signed | DataType::SignedInteger | DataType::Unsigned | DataType::UnsignedInteger)
}

/// Where a variable may be a text or any number, and means the same.
fn read_number(e: &mut Expr, slots: &BTreeSet<String>) {
    if let Some(name) = variable(e).filter(|name| slots.contains(name)) {
        *e = Expr::Identifier(Ident::with_quote('`', column_name(&name)));
        return;
    }
    match e {
        Expr::BinaryOp { left, op: BinaryOperator::Plus | BinaryOperator::Minus, right } => {
            read_number(left, slots);
            read_number(right, slots);
        }
        Expr::Cast { data_type, .. } if !is_integer(data_type) => {}
        Expr::Case { operand, .. } => {
            if let Some(operand) = operand {
                read_number(operand, slots);
            }
            for part in results(e) {
                read_number(part, slots);
            }
        }
        _ => {
            for part in results(e) {
                read_number(part, slots);
            }
        }
    }
}
