//! From an expression as written to a [`Node`] and its type: exact, or refused.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions are many; the ones that are not named are refused"
)]

use crate::cast::Cast;
use crate::collation::{Coercibility, Collated, charset_of, known_collation};
use crate::compare::{self, Comparison};
use crate::error::{Error, because, refused, shown};
use crate::function::{self, aggregate, aggregated, branch, modes, unified};
use crate::like::Letters;
use crate::node::{Aggregate, Node};
use crate::operator::{self, Sign};
use crate::settings::EvaluationSettings;
use crate::stack::{RED_ZONE, STACK};
use crate::typed::Typed;
use crate::types::{ExprType, Type};
use crate::value::Value;
use crate::{literal, precedence};
use sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, CharacterLength, DataType, DuplicateTreatment, Expr, FunctionArg,
    FunctionArgExpr, FunctionArguments, InTarget, SelectItem, SetExpr, UnaryOperator, Value as Literal,
    ValueWithSpan,
};
use std::sync::Arc;

/// Where names come from.
pub trait Scope {
    /// What the session's variables change.
    fn settings(&self) -> EvaluationSettings;

    /// A column.
    ///
    /// # Errors
    /// There is none of the name, or several.
    fn column(&self, qualifier: Option<&str>, name: &str) -> Result<Typed, Error>;

    /// `@name`, in lower case.
    fn user_variable(&self, name: &str) -> Typed;

    /// `@@name`, `@@scope.name`, in lower case; the scope is empty where none is said.
    ///
    /// # Errors
    /// There is no such variable, or not in that scope.
    fn system_variable(&self, scope: &str, name: &str) -> Result<Typed, Error>;

    /// What the session knows without any table: `DATABASE()`, `NOW()`. The name is in upper case.
    /// `None`: it is no such function.
    fn function(&self, name: &str, arguments: &[Typed]) -> Option<Result<Typed, Error>>;

    /// A function that may be written without parentheses: `CURRENT_USER`. The name is in upper
    /// case.
    fn bare_function(&self, _name: &str) -> Option<Result<Typed, Error>> {
        None
    }

    /// Whether functions of groups of rows have a meaning here.
    fn has_rows(&self) -> bool {
        false
    }
}

/// Levels of an expression; chains of one operator are one.
const DEEPEST: usize = 100;

/// Bytes up to which mysqld declares VARBINARY.
const LONGEST_BYTES: u32 = 65_532;

/// Compiles an expression.
///
/// # Errors
/// Names that are not known; what is not computed here.
pub fn compile(expression: &Expr, scope: &dyn Scope) -> Result<Typed, Error> {
    Compiler { scope, settings: scope.settings() }.at(expression, DEEPEST)
}

/// Compiles a condition: WHERE, ON, HAVING.
///
/// # Errors
/// As [`compile`].
pub fn condition(expression: &Expr, scope: &dyn Scope) -> Result<Node, Error> {
    let typed = compile(expression, scope)?;
    if typed.ty.kind.is_special() {
        return Err(because(expression, "is a time where a condition is needed"));
    }
    Ok(typed.node)
}

struct Compiler<'a> {
    scope: &'a dyn Scope,
    settings: EvaluationSettings,
}

impl Compiler<'_> {
    fn at(&self, expression: &Expr, depth: usize) -> Result<Typed, Error> {
        stacker::maybe_grow(RED_ZONE, STACK, || self.here(expression, depth))
    }

    #[expect(clippy::too_many_lines, reason = "one short arm for each form of an expression")]
    fn here(&self, expression: &Expr, depth: usize) -> Result<Typed, Error> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Error::Unsupported(format!("an expression of more than {DEEPEST} levels")));
        };
        if !precedence::is_mysqls(expression, self.settings.pipes_as_concat) {
            return Err(because(
                expression,
                "has operators whose order MySQL sees otherwise than this server's parser: write parentheses",
            ));
        }
        let refused = || refused(expression);
        match expression {
            Expr::Nested(inside) => self.at(inside, depth),
            Expr::Value(value) => literal::literal(&value.value, &self.settings).ok_or_else(refused),
            Expr::Prefixed { prefix, value } => self.introduced(&prefix.value, value).ok_or_else(refused),
            Expr::TypedString(typed) => match &typed.value.value {
                Literal::SingleQuotedString(text) => {
                    literal::time(&typed.data_type, text).ok_or_else(refused)
                }
                _ => Err(refused()),
            },
            // `SET sql_mode = (SELECT CONCAT(@@sql_mode, '...'))`, as sqlx has it.
            Expr::Subquery(query) if !self.scope.has_rows() => {
                let SetExpr::Select(select) = query.body.as_ref() else { return Err(refused()) };
                let [SelectItem::UnnamedExpr(inside)] = select.projection.as_slice() else {
                    return Err(refused());
                };
                // Whatever clause there is, it would be printed.
                if query.to_string() != format!("SELECT {inside}") {
                    return Err(refused());
                }
                self.at(inside, depth)
            }
            Expr::Identifier(name) if name.quote_style.is_none() && name.value.starts_with("@@") => {
                self.scope.system_variable("", &name.value[2..].to_lowercase())
            }
            Expr::Identifier(name) if name.quote_style.is_none() && name.value.starts_with('@') => {
                Ok(self.scope.user_variable(&name.value[1..].to_lowercase()))
            }
            Expr::Identifier(name) => match self.scope.column(None, &name.value) {
                Err(Error::UnknownColumn(_)) if name.quote_style.is_none() => {
                    let bare = self.scope.bare_function(&name.value.to_uppercase());
                    bare.unwrap_or_else(|| Err(Error::UnknownColumn(name.value.clone())))
                }
                other => other,
            },
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [scope, name] if scope.value.starts_with("@@") => {
                    self.scope.system_variable(&scope.value[2..].to_lowercase(), &name.value.to_lowercase())
                }
                [table, name] => self.scope.column(Some(&table.value), &name.value),
                [schema, table, name] if schema.value.eq_ignore_ascii_case("information_schema") => {
                    self.scope.column(Some(&table.value), &name.value)
                }
                _ => Err(Error::UnknownColumn(shown(expression))),
            },
            Expr::UnaryOp { op, expr } => self.unary(*op, expr, expression, depth),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, expression, depth),
            Expr::IsNull(inside) | Expr::IsUnknown(inside) => self.is_null(inside, false, depth),
            Expr::IsNotNull(inside) | Expr::IsNotUnknown(inside) => self.is_null(inside, true, depth),
            Expr::IsTrue(inside) => self.is(inside, true, false, depth),
            Expr::IsNotTrue(inside) => self.is(inside, true, true, depth),
            Expr::IsFalse(inside) => self.is(inside, false, false, depth),
            Expr::IsNotFalse(inside) => self.is(inside, false, true, depth),
            Expr::Between { expr, negated, low, high } => {
                let (value, low, high) = (self.at(expr, depth)?, self.at(low, depth)?, self.at(high, depth)?);
                let mode =
                    compare::mode(&[&value.ty, &low.ty, &high.ty], &self.settings).ok_or_else(refused)?;
                let nullable = value.ty.nullable || low.ty.nullable || high.ty.nullable;
                let node = Node::Between(mode, Box::new((value.node, low.node, high.node)));
                Ok(negated_if(Typed::truth(node, nullable), *negated))
            }
            Expr::In { expr, target: InTarget::List(list), negated, global: false } => {
                self.one_of(expr, list, expression, depth).map(|t| negated_if(t, *negated))
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                let escape = match escape_char {
                    None => (!self.settings.no_backslash_escapes).then_some('\\'),
                    Some(value) => escape(value).ok_or_else(refused)?,
                };
                let (text, pattern) = (self.at(expr, depth)?, self.at(pattern, depth)?);
                let nullable = text.ty.nullable || pattern.ty.nullable;
                if text.ty.kind.is_special() || pattern.ty.kind.is_special() {
                    return Err(refused());
                }
                let collated =
                    compare::collated(&[&text.ty, &pattern.ty], &self.settings).ok_or_else(refused)?;
                let letters =
                    Letters::of(collated.name).ok_or_else(|| uncertain(expression, collated.name))?;
                let node = Node::Like(letters, escape, Box::new((text.node, pattern.node)));
                Ok(negated_if(Typed::truth(node, nullable), *negated))
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), expression, depth)
            }
            Expr::Collate { expr, collation } => {
                self.collate(&self.at(expr, depth)?, &collation.to_string(), expression)
            }
            Expr::Cast { kind: CastKind::Cast, expr, data_type, format: None, .. } => {
                self.cast(&self.at(expr, depth)?, data_type).ok_or_else(refused)
            }
            Expr::Convert { is_try: false, expr, data_type, charset, target_before_value: false, .. } => {
                let value = self.at(expr, depth)?;
                match (data_type, charset) {
                    (Some(data_type), None) => self.cast(&value, data_type).ok_or_else(refused),
                    (None, Some(charset)) => {
                        self.using(value, &charset.to_string().to_lowercase()).ok_or_else(refused)
                    }
                    _ => Err(refused()),
                }
            }
            Expr::Substring { expr, substring_from: Some(from), substring_for, .. } => {
                let mut arguments = vec![self.at(expr, depth)?, self.at(from, depth)?];
                if let Some(length) = substring_for {
                    arguments.push(self.at(length, depth)?);
                }
                function::function("SUBSTRING", &arguments, &self.settings).ok_or_else(refused)
            }
            Expr::Trim { expr, trim_where: None, trim_what: None, trim_characters: None } => {
                let arguments = [self.at(expr, depth)?];
                function::function("TRIM", &arguments, &self.settings).ok_or_else(refused)
            }
            Expr::Position { expr, r#in } => {
                let arguments = [self.at(expr, depth)?, self.at(r#in, depth)?];
                function::function("LOCATE", &arguments, &self.settings).ok_or_else(refused)
            }
            Expr::Function(function) => self.call(function, expression, depth),
            _ => Err(refused()),
        }
    }

    /// `_utf8mb4'...'`.
    fn introduced(&self, prefix: &str, value: &Expr) -> Option<Typed> {
        let name = match prefix.to_lowercase().as_str() {
            "_utf8mb4" => "utf8mb4_0900_ai_ci",
            "_utf8" | "_utf8mb3" | "n" => "utf8mb3_general_ci",
            "_latin1" => "latin1_swedish_ci",
            _ => return None,
        };
        let Expr::Value(value) = value else { return None };
        let (Literal::SingleQuotedString(text) | Literal::DoubleQuotedString(text)) = &value.value else {
            return None;
        };
        // The bytes of another character set than the connection's are other characters.
        if !text.is_ascii() && name != "utf8mb4_0900_ai_ci" {
            return None;
        }
        literal::of_text(text, Collated { name, coercibility: Coercibility::Literal }, &self.settings)
    }

    fn unary(&self, op: UnaryOperator, inside: &Expr, whole: &Expr, depth: usize) -> Result<Typed, Error> {
        let refused = || refused(whole);
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
                negative(self.at(inside, depth)?, whole)
            }
            _ => Err(refused()),
        }
    }

    /// A condition.
    fn truth(&self, expression: &Expr, depth: usize) -> Result<Typed, Error> {
        let typed = self.at(expression, depth)?;
        if typed.ty.kind.is_special() {
            return Err(because(expression, "is a time where a condition is needed"));
        }
        Ok(typed)
    }

    fn binary(
        &self,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
        whole: &Expr,
        depth: usize,
    ) -> Result<Typed, Error> {
        let comparison = match op {
            BinaryOperator::StringConcat if self.settings.pipes_as_concat => {
                let arguments = [self.at(left, depth)?, self.at(right, depth)?];
                return function::function("CONCAT", &arguments, &self.settings)
                    .ok_or_else(|| refused(whole));
            }
            BinaryOperator::And | BinaryOperator::Or | BinaryOperator::StringConcat => {
                return self.chain(whole, depth);
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
                let sign = sign(other).ok_or_else(|| refused(whole))?;
                let (a, b) = (self.at(left, depth)?, self.at(right, depth)?);
                let signed = self.settings.no_unsigned_subtraction;
                let typed = operator::typed(sign, &a.ty, &b.ty, signed).ok_or_else(|| refused(whole))?;
                let (operator, ty) = typed;
                let shown: Arc<str> = format!("({})", shown(whole)).into();
                return Ok(Typed { node: Node::Operator(operator, shown, Box::new((a.node, b.node))), ty });
            }
        };
        self.compared(comparison, self.at(left, depth)?, self.at(right, depth)?, whole)
    }

    fn compared(&self, comparison: Comparison, a: Typed, b: Typed, whole: &Expr) -> Result<Typed, Error> {
        let mode = compare::mode(&[&a.ty, &b.ty], &self.settings).ok_or_else(|| {
            because(whole, "compares values of types or collations that are not compared here")
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
    fn chain(&self, whole: &Expr, depth: usize) -> Result<Typed, Error> {
        let is_and = |op: &BinaryOperator| *op == BinaryOperator::And;
        let is_or = |op: &BinaryOperator| matches!(op, BinaryOperator::Or | BinaryOperator::StringConcat);
        let Expr::BinaryOp { op, .. } = whole else { return self.truth(whole, depth) };
        let and = is_and(op);
        let mut parts = Vec::new();
        let mut rest = whole;
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

    fn one_of(&self, value: &Expr, list: &[Expr], whole: &Expr, depth: usize) -> Result<Typed, Error> {
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
        let modes = modes(&value.ty, &types, &self.settings).ok_or_else(|| refused(whole))?;
        let list = modes.into_iter().zip(items).map(|(mode, item)| (mode, item.node)).collect();
        Ok(Typed::truth(Node::In(Box::new(value.node), list), nullable))
    }

    fn is_null(&self, inside: &Expr, negated: bool, depth: usize) -> Result<Typed, Error> {
        let node = Node::IsNull(Box::new(self.at(inside, depth)?.node));
        Ok(negated_if(Typed::truth(node, false), negated))
    }

    fn is(&self, inside: &Expr, wanted: bool, negated: bool, depth: usize) -> Result<Typed, Error> {
        let node = Node::Is(wanted, Box::new(self.truth(inside, depth)?.node));
        Ok(negated_if(Typed::truth(node, false), negated))
    }

    fn case(
        &self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
        whole: &Expr,
        depth: usize,
    ) -> Result<Typed, Error> {
        let operand = operand.map(|o| self.at(o, depth)).transpose()?;
        let (mut whens, mut thens) = (Vec::new(), Vec::new());
        for CaseWhen { condition, result } in conditions {
            whens.push(if operand.is_some() {
                self.at(condition, depth)?
            } else {
                self.truth(condition, depth)?
            });
            thens.push(self.at(result, depth)?);
        }
        let otherwise = otherwise.map_or_else(|| Ok(Typed::null()), |e| self.at(e, depth))?;
        let types: Vec<&Type> = thens.iter().map(|t| &t.ty).chain([&otherwise.ty]).collect();
        let nullable = types.iter().any(|t| t.nullable);
        let kind = unified(&types, &self.settings).ok_or_else(|| refused(whole))?;
        let ty = Type::new(kind, nullable);
        let otherwise = Box::new(branch(otherwise, &kind));
        let thens = thens.into_iter().map(|t| branch(t, &kind));
        let Some(operand) = operand else {
            let branches = whens.into_iter().map(|w| w.node).zip(thens).collect();
            return Ok(Typed { node: Node::Case(branches, otherwise), ty });
        };
        let labels: Vec<&Type> = whens.iter().map(|w| &w.ty).collect();
        let modes = modes(&operand.ty, &labels, &self.settings).ok_or_else(|| refused(whole))?;
        let branches =
            modes.into_iter().zip(whens).zip(thens).map(|((mode, when), then)| (mode, when.node, then));
        Ok(Typed { node: Node::Switch(Box::new(operand.node), branches.collect(), otherwise), ty })
    }

    fn collate(&self, value: &Typed, name: &str, whole: &Expr) -> Result<Typed, Error> {
        let name = known_collation(name).ok_or_else(|| Error::UnknownCollation(name.to_lowercase()))?;
        let (own, chars) = match &value.ty.kind {
            ExprType::Text { collated, chars } => (collated.name, *chars),
            ExprType::Int { .. } | ExprType::Decimal { .. } | ExprType::Double { .. } => {
                (self.settings.collation, value.ty.kind.chars())
            }
            ExprType::Null => ("binary", 0),
            ExprType::Date | ExprType::Time { .. } | ExprType::DateTime { .. } => return Err(refused(whole)),
        };
        if charset_of(own) != charset_of(name) {
            return Err(Error::CollationMismatch(name.to_owned(), charset_of(own).to_owned()));
        }
        let collated = Collated { name, coercibility: Coercibility::Explicit };
        let node = Node::Cast(Cast::Text, Box::new(value.node.clone()));
        Ok(Typed { node, ty: self.text(ExprType::Text { chars, collated }, value.ty.nullable) })
    }

    /// The type of a text that was converted.
    fn text(&self, kind: ExprType, nullable: bool) -> Type {
        Type::new(kind, nullable || self.settings.strict)
    }

    /// CAST where nothing is cut, rounded or guessed.
    fn cast(&self, value: &Typed, to: &DataType) -> Option<Typed> {
        let nullable = value.ty.nullable;
        let of = |cast, kind, nullable| {
            Some(Typed {
                node: Node::Cast(cast, Box::new(value.node.clone())),
                ty: Type::new(kind, nullable),
            })
        };
        if *to == DataType::Binary(None) {
            return bytes(value);
        }
        let collated = Collated { name: self.settings.collation, coercibility: Coercibility::Implicit };
        if let ExprType::Text { collated: own, .. } = &value.ty.kind
            && own.name != "binary"
            && !(charset_of(own.name).starts_with("utf8") && charset_of(collated.name) == "utf8mb4")
            && charset_of(own.name) != charset_of(collated.name)
        {
            return None;
        }
        match to {
            DataType::Char(None) => {
                // The text of bytes is as long as there are bytes.
                let bytes =
                    matches!(&value.ty.kind, ExprType::Text { collated, .. } if collated.name == "binary");
                let chars = value.ty.kind.chars();
                (!bytes)
                    .then(|| {
                        of(Cast::Text, ExprType::Text { chars, collated }, nullable || self.settings.strict)
                    })
                    .flatten()
            }
            DataType::Char(Some(CharacterLength::IntegerLength { length, unit: None })) => {
                let chars = u32::try_from(*length).ok().filter(|_| !value.ty.kind.is_special())?;
                of(Cast::Chars(chars), ExprType::Text { chars, collated }, nullable || self.settings.strict)
            }
            _ if value.ty.kind.is_special() => None,
            DataType::Signed | DataType::SignedInteger => {
                of(Cast::Signed, ExprType::Int { width: 21, unsigned: false }, nullable)
            }
            DataType::Unsigned | DataType::UnsignedInteger => {
                of(Cast::Unsigned, ExprType::Int { width: 21, unsigned: true }, nullable)
            }
            _ => None,
        }
    }

    /// CONVERT(... USING charset).
    fn using(&self, value: Typed, charset: &str) -> Option<Typed> {
        let name = match charset {
            "utf8mb4" => "utf8mb4_0900_ai_ci",
            _ => return None,
        };
        if value.ty.kind.is_special() || value.ty.kind == ExprType::Null || value.ty.kind.chars() > 16_383 {
            return None;
        }
        if matches!(&value.ty.kind, ExprType::Text { collated, .. } if collated.name == "binary") {
            return None;
        }
        let collated = Collated { name, coercibility: Coercibility::Implicit };
        let kind = ExprType::Text { chars: value.ty.kind.chars(), collated };
        let ty = self.text(kind, value.ty.nullable);
        Some(Typed { node: Node::Cast(Cast::Text, Box::new(value.node)), ty })
    }

    fn call(&self, call: &sqlparser::ast::Function, whole: &Expr, depth: usize) -> Result<Typed, Error> {
        let refused = || refused(whole);
        if call.over.is_some() || call.filter.is_some() || call.null_treatment.is_some() {
            return Err(refused());
        }
        let name = call.name.to_string().to_uppercase();
        let (mut arguments, mut distinct) = (Vec::new(), false);
        match &call.args {
            FunctionArguments::None => {}
            FunctionArguments::Subquery(_) => return Err(refused()),
            FunctionArguments::List(list) => {
                if !list.clauses.is_empty() {
                    return Err(refused());
                }
                distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
                if let ("COUNT", [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)], true) =
                    (name.as_str(), list.args.as_slice(), self.scope.has_rows())
                {
                    let node = Node::Aggregate(Aggregate::Rows, "binary", None);
                    return Ok(Typed {
                        node,
                        ty: Type::new(ExprType::Int { width: 21, unsigned: false }, false),
                    });
                }
                for argument in &list.args {
                    let FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) = argument else {
                        return Err(refused());
                    };
                    arguments.push(self.at(argument, depth)?);
                }
            }
        }
        if self.scope.has_rows()
            && let Some(aggregate) = aggregate(&name, distinct)
        {
            let [of] = <[Typed; 1]>::try_from(arguments).map_err(|_| refused())?;
            return aggregated(aggregate, of).ok_or_else(refused);
        }
        if distinct {
            return Err(refused());
        }
        match self.scope.function(&name, &arguments) {
            Some(found) => found,
            None => function::function(&name, &arguments, &self.settings).ok_or_else(refused),
        }
    }
}

/// `CAST(text AS BINARY)`, `BINARY text`: the bytes of a text are those of UTF-8 here.
fn bytes(value: &Typed) -> Option<Typed> {
    let ExprType::Text { chars, collated } = &value.ty.kind else { return None };
    let charset = charset_of(collated.name);
    let ascii = matches!(&value.node, Node::Constant(Value::Text(text)) if text.is_ascii());
    let most = match charset {
        "utf8mb4" => 4,
        "utf8mb3" => 3,
        "latin1" | "ascii" if ascii => 1,
        _ => return None,
    };
    // Longer ones are of another type.
    let bytes = chars.checked_mul(most).filter(|bytes| *bytes <= LONGEST_BYTES)?;
    let collated = Collated { name: "binary", coercibility: Coercibility::Implicit };
    let ty = Type::new(ExprType::Text { chars: bytes, collated }, true);
    Some(Typed { node: Node::Cast(Cast::Text, Box::new(value.node.clone())), ty })
}

/// `-value`
fn negative(value: Typed, whole: &Expr) -> Result<Typed, Error> {
    let nullable = value.ty.nullable;
    let kind = match value.ty.kind {
        // mysqld makes a DECIMAL of the negative of a known number below 0, or of one that BIGINT
        // does not hold.
        ExprType::Int { .. } if is_beyond(&value.node) => return Err(refused(whole)),
        ExprType::Int { width, unsigned } => {
            ExprType::Int { width: (width + u32::from(unsigned)).max(2), unsigned: false }
        }
        ExprType::Double { .. } | ExprType::Text { .. } => ExprType::REAL,
        ExprType::Decimal { scale: 30, .. }
        | ExprType::Null
        | ExprType::Date
        | ExprType::Time { .. }
        | ExprType::DateTime { .. } => return Err(refused(whole)),
        kind @ ExprType::Decimal { .. } => kind,
    };
    let node = Node::Negated(shown(whole).into(), Box::new(value.node));
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

fn negated_if(typed: Typed, negated: bool) -> Typed {
    if negated { Typed::truth(Node::Not(Box::new(typed.node)), typed.ty.nullable) } else { typed }
}

/// ESCAPE: one character, or none.
#[expect(clippy::option_option, reason = "not known; no escape character; one")]
fn escape(value: &Expr) -> Option<Option<char>> {
    let Expr::Value(ValueWithSpan { value: Literal::SingleQuotedString(text), .. }) = value else {
        return None;
    };
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (None, _) => Some(None),
        (Some(one), None) if one.is_ascii() => Some(Some(one)),
        _ => None,
    }
}

fn sign(op: &BinaryOperator) -> Option<Sign> {
    Some(match op {
        BinaryOperator::Plus => Sign::Plus,
        BinaryOperator::Minus => Sign::Minus,
        BinaryOperator::Multiply => Sign::Times,
        BinaryOperator::Divide => Sign::Divided,
        BinaryOperator::MyIntegerDivide => Sign::Whole,
        BinaryOperator::Modulo => Sign::Remainder,
        BinaryOperator::BitwiseAnd => Sign::And,
        BinaryOperator::BitwiseOr => Sign::Or,
        BinaryOperator::BitwiseXor => Sign::Xor,
        BinaryOperator::PGBitwiseShiftLeft => Sign::Left,
        BinaryOperator::PGBitwiseShiftRight => Sign::Right,
        _ => return None,
    })
}

fn uncertain(expression: &Expr, collation: &str) -> Error {
    because(expression, &format!("compares letters of {collation}, whose rules are not known here"))
}
