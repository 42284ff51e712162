//! IF, IFNULL, COALESCE and the like: one of several values.

use super::{all_converted, branch, unified};
use crate::compare::mode;
use crate::node::Node;
use crate::settings::EvaluationSettings;
use crate::typed::Typed;
use crate::types::{ExprType, Type};

/// Functions that choose among their arguments; `None`: it is none of them, or not known.
pub(super) fn choosing(name: &str, arguments: &[Typed], settings: &EvaluationSettings) -> Option<Typed> {
    let types: Vec<&Type> = arguments.iter().map(|a| &a.ty).collect();
    match (name, arguments) {
        ("IF", [condition, then, otherwise]) => {
            let kind = unified(&types[1..], settings)?;
            let nullable = then.ty.nullable || otherwise.ty.nullable;
            let first = (condition.node.clone(), branch(then.clone(), &kind));
            let otherwise = Box::new(branch(otherwise.clone(), &kind));
            Some(Typed { node: Node::Case(vec![first], otherwise), ty: Type::new(kind, nullable) })
        }
        ("IFNULL" | "COALESCE", [_, ..]) if name == "COALESCE" || arguments.len() == 2 => {
            let kind = unified(&types, settings)?;
            let nullable = types.iter().all(|t| t.nullable);
            let nodes = all_converted(arguments.to_vec(), &kind);
            Some(Typed { node: Node::Coalesce(nodes), ty: Type::new(kind, nullable) })
        }
        ("NULLIF", [a, b]) => {
            let mode = mode(&types, settings)?;
            // A literal NULL makes types of its own, and so do two collations.
            let name =
                |t: &Typed| if let ExprType::Text { collated, .. } = t.ty.kind { collated.name } else { "" };
            if a.ty.kind == ExprType::Null || a.ty.kind.is_text() && b.ty.kind.is_text() && name(a) != name(b)
            {
                return None;
            }
            let both = Box::new((a.node.clone(), b.node.clone()));
            Some(Typed { node: Node::NullIf(mode, both), ty: Type::new(a.ty.kind, true) })
        }
        ("ISNULL", [a]) => Some(Typed {
            node: Node::IsNull(Box::new(a.node.clone())),
            ty: Type::new(ExprType::TRUTH, false),
        }),
        _ => None,
    }
}
