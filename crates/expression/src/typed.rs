//! A compiled expression and its type.

use crate::node::Node;
use crate::types::{ExprType, Type};
use crate::value::Value;

/// A compiled expression and its type.
#[derive(Clone, Debug, PartialEq)]
pub struct Typed {
    /// The expression.
    pub node: Node,
    /// The declared type of its value.
    pub ty: Type,
}

impl Typed {
    /// A value of a type.
    #[must_use]
    pub fn constant(value: Value, ty: Type) -> Self {
        Self { node: Node::Constant(value), ty }
    }

    /// NULL.
    #[must_use]
    pub fn null() -> Self {
        Self::constant(Value::Null, Type::new(ExprType::Null, true))
    }

    pub(crate) fn truth(node: Node, nullable: bool) -> Self {
        Self { node, ty: Type::new(ExprType::TRUTH, nullable) }
    }
}
