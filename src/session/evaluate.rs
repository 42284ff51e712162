//! What expressions know of a session: its variables and functions. They are computed by
//! [`dbtrail_expression`].

mod clock;
mod declaration;
mod oddities;

use super::variables::{self, Scope as VariableScope, VariableType};
use super::{Change, Session};
use crate::failure::Failure;
pub(super) use dbtrail_expression::Value;
use dbtrail_expression::{
    Budget, Coercibility, Collated, Error, EvaluationSettings, ExprType, Scope, Type, Typed, compile,
};
use dbtrail_types::timestamp::Timestamp;
pub(super) use declaration::{column, column_of, of_variable, parameter, type_of};
use sqlparser::ast::{BinaryOperator, Expr};

/// Characters of a system variable that is text.
const VARIABLE: u32 = 21_845;
/// What mysqld declares a variable as that nothing was assigned to, and one that NULL was assigned
/// to, in bytes.
const UNSET: u32 = 65_532;
const NULL_VARIABLE: u32 = 16_777_215;

/// What an expression without any table knows.
#[derive(Clone, Copy)]
pub(super) struct EvaluationContext<'a> {
    pub(super) session: &'a Session,
    pub(super) now: Timestamp,
}

impl Scope for EvaluationContext<'_> {
    fn settings(&self) -> EvaluationSettings {
        self.session.variables.effective.evaluation
    }

    fn column(&self, _qualifier: Option<&str>, name: &str) -> Result<Typed, Error> {
        Err(Error::UnknownColumn(name.to_owned()))
    }

    fn user_variable(&self, name: &str) -> Result<Typed, Error> {
        let unset = || bytes_of_null(UNSET);
        self.session.variables.user(name).map(|known| known.cloned().unwrap_or_else(unset))
    }

    fn system_variable(&self, scope: &str, name: &str) -> Result<Typed, Error> {
        self.session.system_variable(scope, name)
    }

    fn function(&self, name: &str, arguments: &[Typed]) -> Option<Result<Typed, Error>> {
        let known = self.session.known(name, arguments, self.now);
        known
            .or_else(|| clock::function(self.session, name, arguments, self.now))
            .or_else(|| oddities::function(self.session, name, arguments))
            .map(Ok)
    }

    fn bare_function(&self, name: &str) -> Option<Result<Typed, Error>> {
        clock::BARE.contains(&name).then(|| self.function(name, &[])).flatten()
    }
}

/// Whether a name without parentheses is a function: CURRENT_DATE and its like.
pub(super) fn is_bare_function(name: &str) -> bool {
    clock::BARE.iter().any(|bare| bare.eq_ignore_ascii_case(name))
}

/// NULL, declared as so many bytes.
fn bytes_of_null(bytes: u32) -> Typed {
    let collated = Collated { name: "binary", coercibility: Coercibility::Implicit };
    Typed::constant(Value::Null, Type::new(ExprType::Text { chars: bytes, collated }, true))
}

/// Text that the server knows: its character set is utf8mb3.
fn system_text(text: Option<&str>, chars: u32, nullable: bool) -> Typed {
    let collated = Collated { name: "utf8mb3_general_ci", coercibility: Coercibility::System };
    let value = text.map_or(Value::Null, Value::from);
    Typed::constant(value, Type::new(ExprType::Text { chars, collated }, nullable))
}

/// A whole number that the server knows.
pub(super) fn system_number(number: Option<i128>, unsigned: bool, nullable: bool) -> Typed {
    let kind = ExprType::Int { width: 21, unsigned };
    Typed::constant(number.map_or(Value::Null, Value::Int), Type::new(kind, nullable))
}

impl From<(Error, &'static str)> for Failure {
    /// With the clause in which an unknown column is.
    fn from((error, clause): (Error, &'static str)) -> Self {
        match error {
            Error::Budget(why) => Self::OutOfBudget(why),
            Error::Memory(why) => Self::OutOfMemory(why),
            Error::Unsupported(why) => Self::Unsupported(why),
            Error::OutOfRange(ty, what) => Self::OutOfRange(ty, what),
            Error::UnknownColumn(name) => Self::UnknownColumn(name, clause),
            Error::AmbiguousColumn(name) => Self::AmbiguousColumn(name, clause),
            Error::UnknownVariable(name) => Self::UnknownVariable(name),
            Error::SessionVariable(name) => Self::SessionVariable(name),
            Error::NoSessionValue(name) => Self::NoSessionValue(name),
            Error::UnknownCollation(name) => Self::UnknownCollation(name),
            Error::CollationMismatch(collation, charset) => Self::CollationMismatch(collation, charset),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::from((error, "field list"))
    }
}

impl Session {
    /// The value of an expression without any table, as a constant of its type.
    pub(super) fn typed(
        &self,
        expression: &Expr,
        now: Timestamp,
        budget: &mut Budget,
    ) -> Result<(Value, Type), Failure> {
        // It has been waited for, or will be.
        if Self::sleeps(expression) {
            return Ok((Value::Int(0), Type::new(ExprType::Int { width: 21, unsigned: false }, false)));
        }
        let typed = compile(expression, &EvaluationContext { session: self, now })?;
        Ok((typed.node.value(&[], &[], budget)?, typed.ty))
    }

    pub(super) fn evaluate(&self, expression: &Expr, now: Timestamp) -> Result<Value, Failure> {
        self.typed(expression, now, &mut self.budget()).map(|(value, _)| value)
    }

    /// An item of a select list, which may be an assignment: `@a := 1`.
    pub(super) fn assigned(
        &mut self,
        expression: &Expr,
        now: Timestamp,
        budget: &mut Budget,
    ) -> Result<(Value, Type), Failure> {
        let Expr::BinaryOp { left, op: BinaryOperator::Assignment, right } = expression else {
            return self.typed(expression, now, budget);
        };
        let not_computed = || {
            Failure::Unsupported(format!("the assignment '{expression}' is not carried out by this server"))
        };
        let Expr::Identifier(name) = &**left else { return Err(not_computed()) };
        let user = name.value.strip_prefix('@').filter(|n| !n.starts_with('@'));
        let name = user.ok_or_else(not_computed)?.to_lowercase();
        let (value, ty) = self.typed(right, now, budget)?;
        let longest = self.settings.max_packet;
        self.variables.assign_user(&name, value.clone(), &ty, longest, &mut self.kept)?;
        self.note_change(Change::State);
        Ok((value, ty))
    }

    /// What an item of a select list is declared as before it is executed; nothing is assigned.
    pub(super) fn declared(&self, expression: &Expr, now: Timestamp) -> Result<(Value, Type), Failure> {
        if let Expr::BinaryOp { op: BinaryOperator::Assignment, right, .. } = expression {
            return self.typed(right, now, &mut self.budget());
        }
        self.typed(expression, now, &mut self.budget())
    }

    /// `@@name`, `@@scope.name`.
    fn system_variable(&self, scope: &str, name: &str) -> Result<Typed, Error> {
        let variable = variables::find(name).ok_or_else(|| Error::UnknownVariable(name.to_owned()))?;
        let value = match (scope, variable.scope) {
            ("global", VariableScope::Session) => return Err(Error::SessionVariable(name.to_owned())),
            ("session" | "local", VariableScope::Global) => {
                return Err(Error::NoSessionValue(name.to_owned()));
            }
            ("global", VariableScope::Global | VariableScope::Both) => self.default_of(variable),
            ("" | "session" | "local", _) => self.session_value(variable),
            _ => return Err(Error::UnknownVariable(format!("{scope}.{name}"))),
        };
        Ok(match variable.kind {
            VariableType::Switch => {
                let on = i128::from(value.as_deref() == Some("ON"));
                Typed::constant(Value::Int(on), Type::new(ExprType::TRUTH, true))
            }
            VariableType::Integer(..) => system_number(value.and_then(|v| v.parse().ok()), true, true),
            VariableType::Real => {
                let kind = ExprType::Double { width: 23, decimals: 6 };
                Typed::constant(value.map_or(Value::Null, Value::from), Type::new(kind, true))
            }
            VariableType::Choice(_) | VariableType::Text => system_text(value.as_deref(), VARIABLE, true),
        })
    }

    /// What the session knows.
    fn known(&self, name: &str, arguments: &[Typed], now: Timestamp) -> Option<Typed> {
        if !arguments.is_empty() {
            return None;
        }
        let identity = &self.identity;
        Some(match name {
            "VERSION" => {
                let version = &self.settings.server_version;
                system_text(Some(version), u32::try_from(version.chars().count()).ok()?, false)
            }
            "DATABASE" | "SCHEMA" => system_text(self.schema.as_deref(), 64, true),
            "USER" | "CURRENT_USER" | "SESSION_USER" | "SYSTEM_USER" => {
                system_text(Some(&format!("{}@{}", identity.user, identity.host)), 288, true)
            }
            "CURRENT_ROLE" => system_text(Some("NONE"), 16_383, true),
            "CONNECTION_ID" => system_number(Some(identity.connection_id.into()), true, false),
            // Nothing is ever inserted here.
            "LAST_INSERT_ID" => system_number(Some(0), true, false),
            "ROW_COUNT" => system_number(Some(self.diagnostics.row_count.into()), false, false),
            "UNIX_TIMESTAMP" => system_number(Some(now.micros().div_euclid(1_000_000).into()), false, false),
            _ => return None,
        })
    }
}
