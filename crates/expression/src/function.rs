//! Functions: which there are, and what each is declared as.

mod choosing;
mod letters;
mod widths;

use crate::budget::{Budget, Limits};
use crate::call::Function;
use crate::cast::Cast;
use crate::collation::charset_of;
use crate::compare::{Mode, collated, mode};
use crate::like::Letters;
use crate::node::{Aggregate, Node};
use crate::settings::EvaluationSettings;
use crate::typed::Typed;
use crate::types::{ExprType, INT_WIDTH, LONGEST_TEXT, Type};
use crate::value::Value;
use choosing::choosing;
use letters::{characters, lettered};
use widths::{LONGEST_VARCHAR, cased, cut, is_long, is_short, substring, weakest};

/// An aggregate by its name.
pub(crate) fn aggregate(name: &str, distinct: bool) -> Option<Aggregate> {
    match (name, distinct) {
        ("COUNT", false) => Some(Aggregate::Count),
        ("COUNT", true) => Some(Aggregate::CountDistinct),
        ("MIN", _) => Some(Aggregate::Min),
        ("MAX", _) => Some(Aggregate::Max),
        _ => None,
    }
}

/// An aggregate of a value.
pub(crate) fn aggregated(aggregate: Aggregate, of: Typed) -> Option<Typed> {
    if of.node.has_aggregate() {
        return None;
    }
    let collation = if let ExprType::Text { collated, .. } = of.ty.kind { collated.name } else { "binary" };
    let ty = match aggregate {
        Aggregate::Min | Aggregate::Max => Type::new(of.ty.kind, true),
        Aggregate::Rows | Aggregate::Count | Aggregate::CountDistinct => {
            Type::new(ExprType::Int { width: 21, unsigned: false }, false)
        }
    };
    Some(Typed { node: Node::Aggregate(aggregate, collation, Some(Box::new(of.node))), ty })
}

/// The value of an argument that is the same for every row; `None`: it is not, or has none.
fn known(typed: &Typed) -> Option<Value> {
    if !typed.node.is_constant() {
        return None;
    }
    typed.node.value(&[], &[], &mut Budget::new(SMALL)).ok()
}

/// What looking ahead at a constant may cost; it is computed again later.
pub(crate) const SMALL: Limits = Limits { steps: 10_000, slice: 10_000, bytes: 65_536 };

/// A type that holds all of these values; `None`: not known.
pub(crate) fn unified(types: &[&Type], settings: &EvaluationSettings) -> Option<ExprType> {
    let some: Vec<&Type> = types.iter().copied().filter(|t| t.kind != ExprType::Null).collect();
    let Some(first) = some.first() else { return Some(ExprType::Null) };
    if some.iter().any(|t| t.kind.is_special()) {
        return some.iter().all(|t| t.kind == first.kind).then_some(first.kind);
    }
    if some.iter().any(|t| t.kind.is_text()) {
        let collated = collated(&some, settings).filter(|c| c.name != "binary")?;
        let chars = some.iter().map(|t| t.kind.chars()).max().unwrap_or(0);
        return Some(ExprType::Text { chars, collated });
    }
    let digits: Option<Vec<(u32, u8)>> = some.iter().map(|t| t.kind.digits()).collect();
    let Some(digits) = digits else { return Some(ExprType::REAL) };
    let ints = some.iter().all(|t| matches!(t.kind, ExprType::Int { .. }));
    let unsigned = some.iter().filter(|t| t.kind.is_unsigned()).count();
    // An INT UNSIGNED of information_schema is a BIGINT where it meets a signed number.
    let short = some.iter().all(|t| !t.kind.is_unsigned() || t.kind.chars() == INT_WIDTH);
    if ints && (unsigned == 0 || unsigned == some.len() || short) {
        let width = some.iter().map(|t| t.kind.chars()).max().unwrap_or(0);
        return Some(ExprType::Int { width, unsigned: unsigned == some.len() });
    }
    let scale = digits.iter().map(|(_, s)| *s).max().unwrap_or(0);
    let integer = digits.iter().map(|(p, s)| p.saturating_sub((*s).into())).max().unwrap_or(0);
    let precision = integer + u32::from(scale);
    // A user variable has 30 digits after the point, and shows those that it was given.
    (precision <= 65 && scale < 30).then_some(ExprType::Decimal { precision, scale })
}

/// The type of a column of a UNION, whose rows need no conversion: all are text of one kind, or
/// whole numbers of one sign, or NULL.
#[must_use]
pub fn united(types: &[&Type], settings: &EvaluationSettings) -> Option<Type> {
    let kind = unified(types, settings)?;
    let alike = |t: &&Type| match (&kind, &t.kind) {
        (_, ExprType::Null) | (ExprType::Text { .. }, ExprType::Text { .. }) => true,
        (ExprType::Int { unsigned: a, .. }, ExprType::Int { unsigned: b, .. }) => a == b,
        (a, b) => *a == *b,
    };
    types.iter().all(alike).then(|| Type::new(kind, types.iter().any(|t| t.nullable)))
}

/// One of several values, as a value of the type that holds them all.
pub(crate) fn converted(typed: Typed, kind: &ExprType) -> Node {
    let cast = match (kind, &typed.ty.kind) {
        (ExprType::Text { .. }, ExprType::Text { .. } | ExprType::Null) => return typed.node,
        (ExprType::Text { .. }, _) => Cast::Text,
        (ExprType::Double { .. }, ExprType::Int { .. } | ExprType::Decimal { .. }) => Cast::Real,
        (ExprType::Decimal { scale, .. }, ExprType::Int { .. } | ExprType::Decimal { .. }) => {
            Cast::Decimal(*scale)
        }
        _ => return typed.node,
    };
    Node::Cast(cast, Box::new(typed.node))
}

/// One of the values of CASE and IF: a DECIMAL keeps the digits that it has.
pub(crate) fn branch(typed: Typed, kind: &ExprType) -> Node {
    if matches!(kind, ExprType::Decimal { .. }) { typed.node } else { converted(typed, kind) }
}

fn all_converted(arguments: Vec<Typed>, kind: &ExprType) -> Vec<Node> {
    arguments.into_iter().map(|a| converted(a, kind)).collect()
}

#[expect(clippy::too_many_lines, reason = "one short arm for each function")]
/// A function; `None`: not computed here, for these arguments or at all.
pub(crate) fn function(name: &str, arguments: &[Typed], settings: &EvaluationSettings) -> Option<Typed> {
    if let Some(typed) = choosing(name, arguments, settings) {
        return Some(typed);
    }
    if name == "CHAR" {
        return characters(arguments);
    }
    let types: Vec<&Type> = arguments.iter().map(|a| &a.ty).collect();
    let nullable = types.iter().any(|t| t.nullable);
    let plain = !types.iter().any(|t| t.kind.is_special());
    let lettered = lettered(arguments);
    let collated = collated(&lettered, settings)?;
    let chars = |at: usize| arguments.get(at).map_or(0, |a| a.ty.kind.chars());
    let wide = charset_of(collated.name).starts_with("utf8");
    let joins = matches!(name, "CONCAT" | "CONCAT_WS");
    let own = |t: &Type| match t.kind {
        ExprType::Null => None,
        ExprType::Text { collated, .. } => Some(collated),
        ExprType::Int { .. }
        | ExprType::Decimal { .. }
        | ExprType::Double { .. }
        | ExprType::Date
        | ExprType::Time { .. }
        | ExprType::DateTime { .. } => Some(settings.of_numbers()),
    };
    if lettered.len() > 1 && lettered.iter().filter_map(|t| own(t)).any(|c| c.name == "binary") {
        return None;
    }
    // MySQL 9.7 searches in the collation of the text that is searched, and keeps it, whatever the
    // other arguments have.
    let searched = |at: usize| types.get(at).and_then(|t| own(t)).unwrap_or(collated);
    // A number that was found in a text of another collation than the connection's keeps that one,
    // should it become text.
    let leaks = |at: usize| {
        searched(at).name != settings.collation && arguments.get(at).is_some_and(|a| a.node.is_constant())
    };
    if name == "LOCATE" && leaks(1) || name == "INSTR" && leaks(0) {
        return None;
    }
    let collated = if joins || name == "STRCMP" { collated } else { searched(0) };
    let text = |function: Function, chars: u32| {
        // Of NULL mysqld declares bytes.
        let null = |t: &&Type| t.kind == ExprType::Null;
        let some = if joins { !types.iter().all(null) } else { !types.first().is_some_and(null) };
        let some = some && collated.name != "binary";
        // What may be longer than any packet (max_allowed_packet) may be NULL.
        let nullable = nullable || settings.strict || joins && chars > LONGEST_TEXT;
        let chars = if joins { chars.min(LONGEST_TEXT) } else { chars };
        let ty = Type::new(ExprType::Text { chars, collated: weakest(collated) }, nullable);
        let nodes = arguments.iter().map(|a| a.node.clone()).collect();
        (some && plain).then_some(Typed { node: Node::Call(function, nodes), ty })
    };
    let int = |function: Function, width: u32| {
        let ty = Type::new(ExprType::Int { width, unsigned: false }, nullable);
        let nodes = arguments.iter().map(|a| a.node.clone()).collect();
        plain.then_some(Typed { node: Node::Call(function, nodes), ty })
    };
    let all = || arguments.iter().fold(0_u32, |sum, a| sum.saturating_add(a.ty.kind.chars()));
    match (name, arguments) {
        ("CONCAT", [_, ..]) => text(Function::Concat, all()),
        ("CONCAT_WS", [separator, _, ..]) => {
            let separators = u32::try_from(arguments.len() - 2).ok()?;
            let between = separator.ty.kind.chars().saturating_mul(separators);
            let rest = all().saturating_sub(separator.ty.kind.chars());
            text(Function::ConcatWs, rest.saturating_add(between))
        }
        ("UPPER" | "UCASE", [_]) => text(cased(true, collated)?, chars(0)),
        ("LOWER" | "LCASE", [_]) => text(cased(false, collated)?, chars(0)),
        ("LEFT", [_, length]) => text(Function::Left, cut(chars(0), length)?),
        ("RIGHT", [_, length]) => text(Function::Right, cut(chars(0), length)?),
        ("SUBSTRING" | "SUBSTR" | "MID", [_, from]) if is_short(chars(0)) || is_long(chars(0)) => {
            text(Function::Substring, substring(chars(0), from, None)?)
        }
        ("SUBSTRING" | "SUBSTR" | "MID", [_, from, length]) => {
            let chars = substring(chars(0), from, Some(length))?;
            (is_short(chars) || is_long(chars)).then(|| text(Function::Substring, chars)).flatten()
        }
        ("SUBSTRING_INDEX", [_, _, _]) => text(Function::SubstringIndex { wide }, chars(0)),
        ("REPLACE", [_, _, to]) => {
            let grown = chars(0).saturating_mul(to.ty.kind.chars().saturating_sub(1).max(1));
            let known = to.ty.kind.is_text() && to.ty.kind.chars() <= LONGEST_VARCHAR;
            known.then(|| text(Function::Replace, grown.min(LONGEST_TEXT))).flatten()
        }
        ("TRIM", [_]) => text(Function::Trim, chars(0)),
        ("LTRIM", [_]) => text(Function::TrimLeft, chars(0)),
        ("RTRIM", [_]) => text(Function::TrimRight, chars(0)),
        ("REVERSE", [_]) => text(Function::Reverse, chars(0)),
        ("REPEAT", [_, times]) => {
            let Value::Int(n) = known(times)? else { return None };
            let grown = u32::try_from(n).ok()?.checked_mul(chars(0)).filter(|c| *c <= LONGEST_VARCHAR)?;
            text(Function::Repeat, grown)
        }
        ("LENGTH" | "OCTET_LENGTH", [_]) => {
            let one_byte = matches!(charset_of(collated.name), "latin1" | "ascii" | "binary");
            (wide || one_byte).then(|| int(Function::Length { wide }, 11)).flatten()
        }
        ("CHAR_LENGTH" | "CHARACTER_LENGTH", [_]) => int(Function::CharLength, 11),
        ("LOCATE", [_, _]) => int(Function::Locate(Letters::of(searched(1).name)?), 11),
        ("INSTR", [_, _]) => {
            let mut typed = int(Function::Locate(Letters::of(searched(0).name)?), 11)?;
            if let Node::Call(_, nodes) = &mut typed.node {
                nodes.swap(0, 1);
            }
            Some(typed)
        }
        ("STRCMP", [_, _]) => int(Function::Strcmp(collated.name), 2),
        ("LEAST" | "GREATEST", [_, _, ..]) => {
            // Of two signs, or with a text, it compares otherwise.
            let unsigned = types.iter().filter(|t| t.kind.is_unsigned()).count();
            let integer = types.iter().all(|t| matches!(t.kind, ExprType::Int { .. }));
            if !integer || unsigned != 0 && unsigned != types.len() {
                return None;
            }
            let width = types.iter().map(|t| t.kind.chars()).max()?;
            let which = if name == "LEAST" { Function::Least } else { Function::Greatest };
            let ty = Type::new(ExprType::Int { width, unsigned: unsigned > 0 }, nullable);
            int(which, width).map(|typed| Typed { ty, ..typed })
        }
        ("SIGN", [_]) => int(Function::Sign, 21),
        ("ABS", [value]) if value.ty.kind != ExprType::Null => {
            let kind = match value.ty.kind {
                ExprType::Double { .. } | ExprType::Text { .. } => ExprType::REAL,
                ExprType::Decimal { scale: 30, .. }
                | ExprType::Null
                | ExprType::Date
                | ExprType::Time { .. }
                | ExprType::DateTime { .. } => return None,
                kind @ (ExprType::Int { .. } | ExprType::Decimal { .. }) => kind,
            };
            int(Function::Abs, 0).map(|t| Typed { ty: Type::new(kind, nullable), ..t })
        }
        _ => None,
    }
}

/// As what two of these compare, and as what each compares with the first.
pub(crate) fn modes(first: &Type, others: &[&Type], settings: &EvaluationSettings) -> Option<Vec<Mode>> {
    // Among values of several types, mysqld takes -1 and 18446744073709551615 for the same.
    let all = || std::iter::once(first).chain(others.iter().copied());
    let signs = all().any(|t| t.kind.is_unsigned()) && all().any(|t| !t.kind.is_unsigned());
    if signs && all().any(|t| !matches!(t.kind, ExprType::Int { .. })) {
        return None;
    }
    // Texts compare in the collation of all of them.
    let texts: Vec<&Type> =
        std::iter::once(first).chain(others.iter().copied()).filter(|t| t.kind.is_text()).collect();
    let common = collated(&texts, settings).map(|c| c.name);
    let each = others.iter().map(|other| match mode(&[first, other], settings)? {
        Mode::Text(_) => common.map(Mode::Text),
        mode @ (Mode::Exact | Mode::Real) => Some(mode),
    });
    each.collect()
}
