//! Operators: comparisons, chains of AND and OR, IN, IS, LIKE, signs.

use super::{Compiler, negated_if};
use crate::cast::Cast;
use crate::compare::Comparison;
use crate::error::{Error, because, refused, shown};
use crate::function::modes;
use crate::node::Node;
use crate::operator::Sign;
use crate::typed::Typed;
use crate::types::{ExprType, Type};
use crate::value::Value;
use crate::{compare, function, literal, operator, precedence};
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value as Literal, ValueWithSpan};
use std::sync::Arc;

/// `-value`
fn negative(value: Typed, expression: &Expr) -> Result<Typed, Error> {
    let nullable = value.ty.nullable;
    let kind = match value.ty.kind {
        // mysqld makes a DECIMAL of the negative of a known number below 0, or of one that BIGINT
        // does not hold.
        ExprType::Int { .. } if is_beyond(&value.node) => return Err(refused(expression)),
        ExprType::Int { width, unsigned } => {
            ExprType::Int { width: (width + u32::from(unsigned)).max(2), unsigned: false }
        }
        ExprType::Double { .. } | ExprType::Text { .. } => ExprType::REAL,
        ExprType::Decimal { scale: 30, .. }
        | ExprType::Null
        | ExprType::Date
        | ExprType::Time { .. }
        | ExprType::DateTime { .. } => return Err(refused(expression)),
        kind @ ExprType::Decimal { .. } => kind,
    };
    let node = Node::Negated(shown(expression).into(), Box::new(value.node));
    Ok(Typed { node, ty: Type::new(kind, nullable) })
}

/// Whether it is known to be a number whose negative mysqld computes as a DECIMAL.
fn is_beyond(node: &Node) -> bool {
    if !node.is_constant() {
        return false;
    }
    match node.value(&[], &[], &mut crate::Budget::new(function::SMALL)) {
        Ok(Value::Int(n)) => n < 0 || n > i128::from(i64::MAX),
        Ok(_) => false,
        Err(_) => true,
    }
}

fn sign(op: &BinaryOperator) -> Option<Sign> {
    Some(match op {
        BinaryOperator::Plus => Sign::Plus,
        BinaryOperator::Minus => Sign::Minus,
        BinaryOperator::Multiply => Sign::Times,
        BinaryOperator::Divide => Sign::Divided,
        BinaryOperator::MyIntegerDivide => Sign::IntegerDivision,
        BinaryOperator::Modulo => Sign::Remainder,
        BinaryOperator::BitwiseAnd => Sign::And,
        BinaryOperator::BitwiseOr => Sign::Or,
        BinaryOperator::BitwiseXor => Sign::Xor,
        BinaryOperator::PGBitwiseShiftLeft => Sign::Left,
        BinaryOperator::PGBitwiseShiftRight => Sign::Right,
        _ => return None,
    })
}

impl Compiler<'_> {
    pub(super) fn unary(
        &self,
        op: UnaryOperator,
        inside: &Expr,
        expression: &Expr,
        depth: usize,
    ) -> Result<Typed, Error> {
        let refused = || refused(expression);
        match op {
            UnaryOperator::Not | UnaryOperator::BangNot => Ok(negated_if(self.truth(inside, depth)?, true)),
            UnaryOperator::Plus => self.at(inside, depth),
            UnaryOperator::BitwiseNot => {
                let value = self.at(inside, depth)?;
                if value.ty.kind.is_text() || value.ty.kind.is_special() {
                    return Err(refused());
                }
                let ty = Type::new(ExprType::Int { width: 21, unsigned: true }, value.ty.nullable);
                Ok(Typed { node: Node::Cast(Cast::Complement, Box::new(value.node)), ty })
            }
            UnaryOperator::Minus => {
                // The sign of a literal belongs to it.
                if let Expr::Value(ValueWithSpan { value: Literal::Number(n, long), .. }) = inside
                    && !n.starts_with(['-', '+'])
                {
                    let negative = Literal::Number(format!("-{n}"), *long);
                    return literal::literal(&negative, &self.settings).ok_or_else(refused);
                }
                negative(self.at(inside, depth)?, expression)
            }
            _ => Err(refused()),
        }
    }

    /// A condition.
    pub(super) fn truth(&self, expression: &Expr, depth: usize) -> Result<Typed, Error> {
        let typed = self.at(expression, depth)?;
        if typed.ty.kind.is_special() {
            return Err(because(expression, "is a time where a condition is needed"));
        }
        Ok(typed)
    }

    pub(super) fn binary(
        &self,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
        expression: &Expr,
        depth: usize,
    ) -> Result<Typed, Error> {
        let comparison = match op {
            BinaryOperator::StringConcat if self.settings.pipes_as_concat => {
                let arguments = [self.at(left, depth)?, self.at(right, depth)?];
                return function::function("CONCAT", &arguments, &self.settings)
                    .ok_or_else(|| refused(expression));
            }
            BinaryOperator::And | BinaryOperator::Or | BinaryOperator::StringConcat => {
                return self.chain(expression, depth);
            }
            BinaryOperator::Xor => {
                let (a, b) = (self.truth(left, depth)?, self.truth(right, depth)?);
                let nullable = a.ty.nullable || b.ty.nullable;
                return Ok(Typed::truth(Node::Xor(Box::new((a.node, b.node))), nullable));
            }
            BinaryOperator::Eq => return self.same(left, right, depth),
            BinaryOperator::NotEq => Comparison::NotEqual,
            BinaryOperator::Lt => Comparison::Less,
            BinaryOperator::LtEq => Comparison::LessOrEqual,
            BinaryOperator::Gt => Comparison::Greater,
            BinaryOperator::GtEq => Comparison::GreaterOrEqual,
            BinaryOperator::Spaceship => Comparison::NullSafe,
            other => {
                let sign = sign(other).ok_or_else(|| refused(expression))?;
                let (a, b) = (self.at(left, depth)?, self.at(right, depth)?);
                let signed = self.settings.no_unsigned_subtraction;
                let typed = operator::typed(sign, &a.ty, &b.ty, signed).ok_or_else(|| refused(expression))?;
                let (operator, ty) = typed;
                let shown: Arc<str> = format!("({})", shown(expression)).into();
                return Ok(Typed { node: Node::Operator(operator, shown, Box::new((a.node, b.node))), ty });
            }
        };
        self.compared(comparison, self.at(left, depth)?, self.at(right, depth)?, expression)
    }

    fn compared(
        &self,
        comparison: Comparison,
        a: Typed,
        b: Typed,
        expression: &Expr,
    ) -> Result<Typed, Error> {
        let mode = compare::mode(&[&a.ty, &b.ty], &self.settings).ok_or_else(|| {
            because(expression, "compares values of types or collations that are not compared here")
        })?;
        let nullable = comparison != Comparison::NullSafe && (a.ty.nullable || b.ty.nullable);
        Ok(Typed::truth(Node::Compare(comparison, mode, Box::new((a.node, b.node))), nullable))
    }

    /// Equality, also of tuples.
    fn same(&self, left: &Expr, right: &Expr, depth: usize) -> Result<Typed, Error> {
        match (left, right) {
            (Expr::Tuple(a), Expr::Tuple(b)) if a.len() == b.len() && depth > 0 => {
                let (mut parts, mut nullable) = (Vec::new(), false);
                for (a, b) in a.iter().zip(b) {
                    let part = self.same(a, b, depth - 1)?;
                    nullable |= part.ty.nullable;
                    parts.push(part.node);
                }
                Ok(Typed::truth(Node::All(parts), nullable))
            }
            _ => self.compared(Comparison::Equal, self.at(left, depth)?, self.at(right, depth)?, right),
        }
    }

    /// A chain of AND, or of OR, however long: it is a tree as deep as it is long.
    pub(super) fn chain(&self, expression: &Expr, depth: usize) -> Result<Typed, Error> {
        let is_and = |op: &BinaryOperator| *op == BinaryOperator::And;
        let is_or = |op: &BinaryOperator| matches!(op, BinaryOperator::Or | BinaryOperator::StringConcat);
        let Expr::BinaryOp { op, .. } = expression else { return self.truth(expression, depth) };
        let and = is_and(op);
        let mut parts = Vec::new();
        let mut rest = expression;
        while let Expr::BinaryOp { left, op, right } = rest
            && (if and { is_and(op) } else { is_or(op) })
            && precedence::is_mysqls(rest, self.settings.pipes_as_concat)
        {
            parts.push(&**right);
            rest = left;
        }
        parts.push(rest);
        let (mut nodes, mut nullable) = (Vec::with_capacity(parts.len()), false);
        for part in parts.into_iter().rev() {
            let typed = self.truth(part, depth)?;
            nullable |= typed.ty.nullable;
            nodes.push(typed.node);
        }
        Ok(Typed::truth(if and { Node::All(nodes) } else { Node::Any(nodes) }, nullable))
    }

    pub(super) fn one_of(
        &self,
        value: &Expr,
        list: &[Expr],
        expression: &Expr,
        depth: usize,
    ) -> Result<Typed, Error> {
        if let Expr::Tuple(_) = value {
            let (mut nodes, mut nullable) = (Vec::with_capacity(list.len()), false);
            for item in list {
                let same = self.same(value, item, depth)?;
                nullable |= same.ty.nullable;
                nodes.push(same.node);
            }
            return Ok(Typed::truth(Node::Any(nodes), nullable));
        }
        let value = self.at(value, depth)?;
        let items = list.iter().map(|item| self.at(item, depth)).collect::<Result<Vec<_>, _>>()?;
        let types: Vec<&Type> = items.iter().map(|i| &i.ty).collect();
        let nullable = value.ty.nullable || types.iter().any(|t| t.nullable);
        let modes = modes(&value.ty, &types, &self.settings).ok_or_else(|| refused(expression))?;
        let list = modes.into_iter().zip(items).map(|(mode, item)| (mode, item.node)).collect();
        Ok(Typed::truth(Node::In(Box::new(value.node), list), nullable))
    }

    pub(super) fn is_null(&self, inside: &Expr, negated: bool, depth: usize) -> Result<Typed, Error> {
        let node = Node::IsNull(Box::new(self.at(inside, depth)?.node));
        Ok(negated_if(Typed::truth(node, false), negated))
    }

    pub(super) fn is(
        &self,
        inside: &Expr,
        wanted: bool,
        negated: bool,
        depth: usize,
    ) -> Result<Typed, Error> {
        let node = Node::Is(wanted, Box::new(self.truth(inside, depth)?.node));
        Ok(negated_if(Typed::truth(node, false), negated))
    }
}
