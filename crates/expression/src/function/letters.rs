//! Bytes of ASCII that become letters: CHAR.

use super::known;
use crate::collation::{Coercibility, Collated};
use crate::node::Node;
use crate::typed::Typed;
use crate::types::{ExprType, Type};
use crate::value::Value;

/// `CHAR(39)`: bytes, here of ASCII alone. Each number may be four bytes to mysqld.
pub(super) fn characters(arguments: &[Typed]) -> Option<Typed> {
    let letter = |a: &Typed| match known(a)? {
        Value::Int(n) => u8::try_from(n).ok().filter(|n| (1..128).contains(n)).map(char::from),
        Value::Null | Value::Decimal(_) | Value::Double(_) | Value::Text(_) => None,
    };
    let text: String = arguments.iter().map(letter).collect::<Option<_>>()?;
    let collated = Collated { name: "binary", coercibility: Coercibility::Literal };
    let chars = u32::try_from(arguments.len()).ok()?.checked_mul(4)?;
    let ty = Type::new(ExprType::Text { chars, collated }, true);
    (!arguments.is_empty()).then(|| Typed::constant(Value::from(text.as_str()), ty))
}

/// The types that decide on the collation. Bytes of ASCII that stand in the statement become
/// letters where they meet a column.
pub(super) fn lettered(arguments: &[Typed]) -> Vec<&Type> {
    let collation =
        |a: &Typed| if let ExprType::Text { collated, .. } = a.ty.kind { Some(collated) } else { None };
    let is_column = |c: Collated| c.name != "binary" && c.coercibility == Coercibility::Implicit;
    let has_column = arguments.iter().filter_map(collation).any(is_column);
    let is_ascii = |a: &Typed| matches!(&a.node, Node::Constant(Value::Text(text)) if text.is_ascii());
    let gives_way = |a: &Typed| {
        has_column && is_ascii(a) && collation(a).is_some_and(|c| c.name == "binary" && !is_column(c))
    };
    arguments.iter().filter(|a| !gives_way(a)).map(|a| &a.ty).collect()
}
