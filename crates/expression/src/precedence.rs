//! Whether the parser's tree is MySQL's: `a = b || c` is `(a = b) OR c` there, and not everywhere.
//!
//! The grammar is that of [Operator
//! Precedence](https://dev.mysql.com/doc/refman/9.7/en/operator-precedence.html) and of
//! `sql_yacc.yy`. An operand that is no weaker than its position asks for could not have been read
//! otherwise.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions are many; the ones that are not named are no operators"
)]

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

const OR: u8 = 1;
const XOR: u8 = 2;
const AND: u8 = 3;
const NOT: u8 = 4;
const IS: u8 = 5;
const COMPARISON: u8 = 6;
const PREDICATE: u8 = 7;
const BIT_OR: u8 = 8;
const BIT_AND: u8 = 9;
const SHIFT: u8 = 10;
const SUM: u8 = 11;
const PRODUCT: u8 = 12;
const BIT_XOR: u8 = 13;
const CONCAT: u8 = 14;
const UNARY: u8 = 15;
const BANG: u8 = 16;
const COLLATE: u8 = 17;
const ATOM: u8 = 20;

fn binary(op: &BinaryOperator, pipes_concat: bool) -> u8 {
    match op {
        BinaryOperator::StringConcat if pipes_concat => CONCAT,
        BinaryOperator::Or | BinaryOperator::StringConcat => OR,
        BinaryOperator::Xor => XOR,
        BinaryOperator::And => AND,
        BinaryOperator::Eq
        | BinaryOperator::NotEq
        | BinaryOperator::Lt
        | BinaryOperator::LtEq
        | BinaryOperator::Gt
        | BinaryOperator::GtEq
        | BinaryOperator::Spaceship => COMPARISON,
        BinaryOperator::BitwiseOr => BIT_OR,
        BinaryOperator::BitwiseAnd => BIT_AND,
        BinaryOperator::PGBitwiseShiftLeft | BinaryOperator::PGBitwiseShiftRight => SHIFT,
        BinaryOperator::Plus | BinaryOperator::Minus => SUM,
        BinaryOperator::Multiply
        | BinaryOperator::Divide
        | BinaryOperator::Modulo
        | BinaryOperator::MyIntegerDivide => PRODUCT,
        BinaryOperator::BitwiseXor => BIT_XOR,
        _ => 0,
    }
}

fn level(expression: &Expr, pipes_concat: bool) -> u8 {
    match expression {
        Expr::BinaryOp { op, .. } => binary(op, pipes_concat),
        Expr::UnaryOp { op: UnaryOperator::Not, .. } => NOT,
        Expr::UnaryOp { op: UnaryOperator::BangNot, .. } => BANG,
        Expr::UnaryOp { .. } => UNARY,
        Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_) => IS,
        Expr::IsNull(_) | Expr::IsNotNull(_) => COMPARISON,
        Expr::Like { .. } | Expr::In { .. } | Expr::Between { .. } => PREDICATE,
        Expr::Collate { .. } => COLLATE,
        _ => ATOM,
    }
}

/// Whether MySQL reads the operands of this operator as they are in the tree.
pub(crate) fn is_mysqls(expression: &Expr, pipes_concat: bool) -> bool {
    let at_least = |operand: &Expr, least: u8| level(operand, pipes_concat) >= least;
    match expression {
        Expr::BinaryOp { left, op, right } => {
            let own = binary(op, pipes_concat);
            own > 0 && at_least(left, own) && at_least(right, own + 1)
        }
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => at_least(expr, NOT),
        Expr::UnaryOp { op: UnaryOperator::BangNot, expr } => at_least(expr, BANG),
        Expr::UnaryOp { expr, .. } => at_least(expr, UNARY),
        Expr::IsTrue(e)
        | Expr::IsNotTrue(e)
        | Expr::IsFalse(e)
        | Expr::IsNotFalse(e)
        | Expr::IsUnknown(e)
        | Expr::IsNotUnknown(e)
        | Expr::IsNull(e)
        | Expr::IsNotNull(e) => at_least(e, COMPARISON),
        Expr::Like { expr, pattern, .. } => at_least(expr, BIT_OR) && at_least(pattern, UNARY),
        Expr::In { expr, .. } => at_least(expr, BIT_OR),
        Expr::Between { expr, low, high, .. } => {
            at_least(expr, BIT_OR) && at_least(low, BIT_OR) && at_least(high, PREDICATE)
        }
        Expr::Collate { expr, .. } => at_least(expr, COLLATE),
        _ => true,
    }
}
