//! From an expression as written to a [`Node`] and its type: exact, or refused.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions are many; the ones that are not named are refused"
)]

mod calls;
mod conversions;
mod operators;

use crate::compare;
use crate::error::{Error, because, refused, shown};
use crate::function;
use crate::like::Letters;
use crate::node::Node;
use crate::settings::EvaluationSettings;
use crate::stack::{RED_ZONE, STACK};
use crate::typed::Typed;
use crate::{literal, precedence};
use sqlparser::ast::CastKind;
use sqlparser::ast::Expr;
use sqlparser::ast::InTarget;
use sqlparser::ast::SelectItem;
use sqlparser::ast::SetExpr;
use sqlparser::ast::Value as Literal;
use sqlparser::ast::ValueWithSpan;

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
    ///
    /// # Errors
    /// Its value is not certain.
    fn user_variable(&self, name: &str) -> Result<Typed, Error>;

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
                self.scope.user_variable(&name.value[1..].to_lowercase())
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
                    Letters::of(collated.name).ok_or_else(|| undecided(expression, collated.name))?;
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

fn undecided(expression: &Expr, collation: &str) -> Error {
    because(expression, &format!("compares letters of {collation}, whose rules are not known here"))
}
