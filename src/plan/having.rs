//! HAVING: a condition on what is computed of groups.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions are many; the ones that are not named hold no aggregate"
)]

use super::charsets::Charsets;
use super::key_value::LiteralReader;
use super::keys::{Predicate, conjuncts};
use super::literal::position_of;
use crate::failure::Failure;
use crate::statement::{Aggregate, AggregateFunction, Draft, Projected, aggregate_function};
use dbtrail_types::agent_api::Filter;
use dbtrail_types::column::{Column, ColumnType, Family, TableDefinition, same_name};
use dbtrail_types::zone::Zone;
use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, InTarget,
    Value,
};

/// HAVING with a name instead of each aggregate, as [`Aggregate`] is displayed; they are given to
/// `found`.
pub(super) fn named(draft: &Draft, found: &mut dyn FnMut(Aggregate)) -> Result<Option<Expr>, Failure> {
    let Some(written) = &draft.having else { return Ok(None) };
    let mut condition = written.clone();
    rename(&mut condition, draft, found)?;
    Ok(Some(condition))
}

fn rename(part: &mut Expr, draft: &Draft, found: &mut dyn FnMut(Aggregate)) -> Result<(), Failure> {
    match part {
        Expr::Nested(inside)
        | Expr::UnaryOp { expr: inside, .. }
        | Expr::IsNull(inside)
        | Expr::IsNotNull(inside)
        | Expr::Like { expr: inside, .. } => rename(inside, draft, found),
        Expr::BinaryOp { left, right, .. } => {
            rename(left, draft, found)?;
            rename(right, draft, found)
        }
        Expr::Between { expr, low, high, .. } => {
            [expr, low, high].into_iter().try_for_each(|part| rename(part, draft, found))
        }
        Expr::In { expr, target: InTarget::List(list), .. } => {
            rename(expr, draft, found)?;
            list.iter_mut().try_for_each(|part| rename(part, draft, found))
        }
        Expr::Identifier(name) => {
            let aggregate = aliased(draft, &name.value).ok_or_else(|| {
                Failure::Unsupported(format!(
                    "HAVING on {}: it takes COUNT, MIN, MAX and SUM, and their aliases; a condition on columns belongs in WHERE",
                    name.value
                ))
            })?;
            name.value = aggregate.to_string();
            name.quote_style = None;
            found(aggregate.clone());
            Ok(())
        }
        Expr::Function(function) => {
            let Some(aggregate) = aggregate(function) else {
                return Err(Failure::Unsupported(format!(
                    "the function at {} in HAVING: it takes COUNT, MIN, MAX and SUM of columns",
                    position_of(part)
                )));
            };
            let span = function.name.0.first().and_then(|part| part.as_ident()).map(|name| name.span);
            let mut name = Ident::new(aggregate.to_string());
            name.span = span.unwrap_or(name.span);
            *part = Expr::Identifier(name);
            found(aggregate);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The aggregate that a name of the select list stands for.
fn aliased<'d>(draft: &'d Draft, name: &str) -> Option<&'d Aggregate> {
    draft.projection.iter().find_map(|item| match item {
        Projected::Aggregate { aggregate, name: shown } if same_name(shown, name) => Some(aggregate),
        Projected::Aggregate { .. } | Projected::Column { .. } | Projected::All => None,
    })
}

fn aggregate(called: &Function) -> Option<Aggregate> {
    let [name] = called.name.0.as_slice() else { return None };
    let mut function = aggregate_function(&name.as_ident()?.value)?;
    let FunctionArguments::List(list) = &called.args else { return None };
    let plain = called.over.is_none() && called.filter.is_none() && called.within_group.is_empty();
    if !plain || !list.clauses.is_empty() {
        return None;
    }
    let counts = function == AggregateFunction::Count;
    if matches!(list.duplicate_treatment, Some(DuplicateTreatment::Distinct)) {
        function = Some(AggregateFunction::CountDistinct).filter(|_| counts)?;
    }
    let one = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(name))) => Some(name.value.clone()),
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::CompoundIdentifier(parts))) => {
            parts.last().map(|name| name.value.clone())
        }
        _ => None,
    };
    let all = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => true,
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value))) => {
            matches!(value.value, Value::Number(..))
        }
        _ => false,
    };
    if let [argument] = list.args.as_slice()
        && function == AggregateFunction::Count
        && all(argument)
    {
        return Some(Aggregate::count());
    }
    let columns: Vec<String> = list.args.iter().map(one).collect::<Option<_>>()?;
    let fits = columns.len() == 1 || function == AggregateFunction::CountDistinct && !columns.is_empty();
    fits.then_some(Aggregate { function, columns })
}

/// The condition on columns of these aggregates.
pub(super) fn condition(
    written: &Expr,
    aggregates: Vec<Column>,
    (zone, charsets): (&Zone, Charsets),
) -> Result<Filter, Failure> {
    let definition = TableDefinition { columns: aggregates, primary_key: Vec::new() };
    let predicate = Predicate {
        definition: &definition,
        qualifiers: &[],
        reader: LiteralReader { zone, charsets },
        max_keys: 0,
        table: "HAVING",
        open: None,
    };
    let mut parts = Vec::new();
    conjuncts(written, &mut parts);
    let condition = predicate.condition(&parts).map_err(|failure| match failure {
        Failure::Unsupported(why) => Failure::Unsupported(why.replace(" in WHERE", " in HAVING")),
        other => other,
    })?;
    let condition = condition.ok_or_else(|| Failure::Unsupported("HAVING without a condition".to_owned()))?;
    for name in condition.columns() {
        let column = definition.columns.iter().find(|column| column.name == name);
        if let Some(column) = column.filter(|column| !is_compared(&column.ty)) {
            return Err(Failure::Unsupported(format!(
                "HAVING {} ({}): only whole numbers, DECIMAL, dates and times of day with a date are compared there; leave it out, and look at the answer",
                column.name, column.ty
            )));
        }
    }
    Ok(condition)
}

const fn is_compared(ty: &ColumnType) -> bool {
    ty.is_exact_number() || matches!(ty.family(), Family::Date | Family::DateTime)
}
