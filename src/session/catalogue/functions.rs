//! Functions that clients use on information_schema.

use super::compile::{Kind, Scope, Typed, chosen, common, unsupported};
use super::datum::{Datum, Order};
use super::formula::{Aggregate, Formula, Function};
use crate::failure::Failure;
use sqlparser::ast::{
    DuplicateTreatment, Expr, Function as Called, FunctionArg, FunctionArgExpr, FunctionArguments,
};

/// A call of a function of the table's values; `None`: it is none of these.
pub(super) fn typed(scope: &Scope<'_>, called: &Called, depth: usize) -> Result<Option<Typed>, Failure> {
    let name = called.name.to_string().to_uppercase();
    let expression = || Expr::Function(called.clone());
    let FunctionArguments::List(list) = &called.args else { return Ok(None) };
    if called.over.is_some() || called.filter.is_some() || !list.clauses.is_empty() {
        return Err(unsupported(&expression(), "in a SELECT on information_schema"));
    }
    let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    if let ("COUNT", [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]) =
        (name.as_str(), list.args.as_slice())
    {
        let formula = Formula::Aggregate(Aggregate::Rows, Order::Literal, None);
        return Ok(Some(Typed { formula, kind: Kind::Int, chars: 21 }));
    }
    if !KNOWN.contains(&name.as_str()) {
        let of_groups = ["SUM", "AVG", "GROUP_CONCAT", "STD", "VARIANCE", "JSON_ARRAYAGG", "JSON_OBJECTAGG"];
        if of_groups.contains(&name.as_str()) {
            return Err(wrong(&name));
        }
        return Ok(None);
    }
    let mut arguments = Vec::new();
    for argument in &list.args {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) = argument else {
            return Err(unsupported(&expression(), "in a SELECT on information_schema"));
        };
        arguments.push(scope.at(argument, depth)?);
    }
    if let Some(aggregate) = aggregate(&name, distinct) {
        return aggregated(aggregate, arguments).map(Some).ok_or_else(|| wrong(&name));
    }
    if distinct {
        return Err(wrong(&name));
    }
    chosen_or_called(&name, arguments, &expression()).map(Some)
}

const KNOWN: [&str; 29] = [
    "COUNT",
    "MIN",
    "MAX",
    "IF",
    "IFNULL",
    "COALESCE",
    "NULLIF",
    "ISNULL",
    "UPPER",
    "UCASE",
    "LOWER",
    "LCASE",
    "CONCAT",
    "LOCATE",
    "INSTR",
    "LENGTH",
    "OCTET_LENGTH",
    "CHAR_LENGTH",
    "CHARACTER_LENGTH",
    "LEFT",
    "RIGHT",
    "SUBSTRING",
    "SUBSTR",
    "MID",
    "SUBSTRING_INDEX",
    "REPLACE",
    "TRUE",
    "FALSE",
    "BINARY",
];

fn wrong(name: &str) -> Failure {
    Failure::Unsupported(format!("{name} with these arguments in a SELECT on information_schema"))
}

fn aggregate(name: &str, distinct: bool) -> Option<Aggregate> {
    match (name, distinct) {
        ("COUNT", false) => Some(Aggregate::Count),
        ("COUNT", true) => Some(Aggregate::CountDistinct),
        ("MIN", _) => Some(Aggregate::Min),
        ("MAX", _) => Some(Aggregate::Max),
        _ => None,
    }
}

fn aggregated(aggregate: Aggregate, arguments: Vec<Typed>) -> Option<Typed> {
    let [of] = <[Typed; 1]>::try_from(arguments).ok()?;
    if of.formula.has_aggregate() {
        return None;
    }
    let kind = aggregate.kind(of.kind);
    let chars = if matches!(aggregate, Aggregate::Min | Aggregate::Max) { of.chars } else { 21 };
    let formula = Formula::Aggregate(aggregate, of.order(), Some(Box::new(of.formula)));
    Some(Typed { formula, kind, chars })
}

/// Functions that choose among their arguments, and those that compute.
fn chosen_or_called(name: &str, mut arguments: Vec<Typed>, whole: &Expr) -> Result<Typed, Failure> {
    let is_null = |t: &Typed| Formula::IsNull(Box::new(t.formula.clone()));
    let null = || Typed::constant(Datum::Null);
    match (name, arguments.as_slice()) {
        ("IF", [condition, then, otherwise]) if !matches!(condition.kind, Kind::Text(_)) => {
            return Ok(chosen(vec![(condition.formula.clone(), then.clone())], otherwise.clone()));
        }
        ("IFNULL" | "COALESCE", [first, rest @ ..]) if !rest.is_empty() => {
            let mut value = rest.last().cloned().unwrap_or_else(null);
            for earlier in rest[..rest.len() - 1].iter().rev().chain(std::iter::once(first)) {
                value = chosen(vec![(is_null(earlier), value)], earlier.clone());
            }
            return Ok(value);
        }
        ("ISNULL", [value]) => return Ok(Typed::truth(is_null(value))),
        ("NULLIF", [value, other]) => {
            let same = super::compile::compared(
                super::formula::Comparison::Equal,
                value.clone(),
                other.clone(),
                whole,
            )?;
            return Ok(chosen(vec![(same.formula, null())], value.clone()));
        }
        _ => {}
    }
    let function = match name {
        "UPPER" | "UCASE" => Function::Upper,
        "LOWER" | "LCASE" => Function::Lower,
        "CONCAT" => Function::Concat,
        "LOCATE" | "INSTR" if arguments.len() == 2 => {
            if name == "INSTR" {
                arguments.swap(0, 1);
            }
            Function::Locate(common(&arguments[0], &arguments[1], whole)?)
        }
        "LENGTH" | "OCTET_LENGTH" => Function::Length,
        "CHAR_LENGTH" | "CHARACTER_LENGTH" => Function::CharLength,
        "LEFT" => Function::Left,
        "RIGHT" => Function::Right,
        "SUBSTRING" | "SUBSTR" | "MID" => Function::Substring,
        "SUBSTRING_INDEX" => Function::SubstringIndex,
        "REPLACE" => Function::Replace,
        _ => return Err(wrong(name)),
    };
    call(function, arguments).ok_or_else(|| wrong(name))
}

/// A call whose arguments are of the kinds that the function takes.
pub(super) fn call(function: Function, arguments: Vec<Typed>) -> Option<Typed> {
    let number = |at: usize| arguments.get(at).is_some_and(|t| matches!(t.kind, Kind::Int | Kind::Null));
    let text = |at: usize| arguments.get(at).is_some_and(|t| !matches!(t.kind, Kind::Int));
    let count = arguments.len();
    let fits = match function {
        Function::Upper | Function::Lower | Function::Length | Function::CharLength | Function::Text => {
            count == 1
        }
        Function::Concat => count >= 1,
        Function::Locate(_) => count == 2,
        Function::Left | Function::Right => count == 2 && number(1),
        Function::Substring => (count == 2 || (count == 3 && number(2))) && number(1),
        Function::SubstringIndex => count == 3 && text(0) && text(1) && number(2),
        Function::Replace => count == 3 && text(0) && text(1) && text(2),
        Function::Add | Function::Subtract => false,
    };
    if !fits {
        return None;
    }
    let order = arguments.iter().map(Typed::order).max().unwrap_or(Order::Literal);
    let first = arguments.first().map_or(0, |t| t.chars);
    let all = arguments.iter().fold(0_u32, |sum, t| sum.saturating_add(t.chars));
    let (kind, chars) = match function {
        Function::Locate(_)
        | Function::Length
        | Function::CharLength
        | Function::Add
        | Function::Subtract => (Kind::Int, 11),
        Function::Concat => (Kind::Text(order), all),
        Function::Replace => (Kind::Text(order), first.saturating_mul(arguments[2].chars.max(1))),
        Function::Upper
        | Function::Lower
        | Function::Left
        | Function::Right
        | Function::Substring
        | Function::SubstringIndex
        | Function::Text => (Kind::Text(order), first),
    };
    let formula = Formula::Call(function, arguments.into_iter().map(|t| t.formula).collect());
    Some(Typed { formula, kind, chars })
}
