//! What expressions know of a session: its variables and functions. They are computed by
//! [`dbtrail_expression`].

mod clock;
mod oddities;

use super::variables::{self, Scope as VariableScope, VariableType as VariableKind};
use super::{Change, Session};
use crate::failure::Failure;
pub(super) use dbtrail_expression::Value;
use dbtrail_expression::{
    Budget, Coercibility, Collated, Error, EvaluationSettings, ExprType, Scope, Type, Typed, compile,
    known_collation,
};
use dbtrail_types::column::{Column, ColumnType, IntSize};
use dbtrail_types::timestamp::Timestamp;
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
        let session = self.session;
        let collation = known_collation(&session.setting("collation_connection"));
        EvaluationSettings {
            collation: collation.unwrap_or("utf8mb4_0900_ai_ci"),
            no_backslash_escapes: session.has_mode("NO_BACKSLASH_ESCAPES"),
            no_unsigned_subtraction: session.has_mode("NO_UNSIGNED_SUBTRACTION"),
            strict: session.has_mode("STRICT_TRANS_TABLES") || session.has_mode("STRICT_ALL_TABLES"),
            pipes_as_concat: session.has_mode("PIPES_AS_CONCAT"),
        }
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
            VariableKind::Switch => {
                let on = i128::from(value.as_deref() == Some("ON"));
                Typed::constant(Value::Int(on), Type::new(ExprType::TRUTH, true))
            }
            VariableKind::Integer(..) => system_number(value.and_then(|v| v.parse().ok()), true, true),
            VariableKind::Real => {
                let kind = ExprType::Double { width: 23, decimals: 6 };
                Typed::constant(value.map_or(Value::Null, Value::from), Type::new(kind, true))
            }
            VariableKind::Choice(_) | VariableKind::Text => system_text(value.as_deref(), VARIABLE, true),
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

/// The type that a user variable has once a value was assigned to it.
pub(super) fn of_variable(value: Value, ty: &Type) -> Typed {
    let kind = match (&value, ty.kind) {
        (Value::Null, _) => return bytes_of_null(NULL_VARIABLE),
        (_, ExprType::Int { unsigned, .. }) => ExprType::Int { width: 21, unsigned },
        (_, ExprType::Decimal { .. }) => ExprType::Decimal { precision: 65, scale: 30 },
        (_, ExprType::Double { .. }) => ExprType::Double { width: 23, decimals: 31 },
        (_, ExprType::Text { collated, .. }) => text_variable(collated.name),
        (_, ExprType::Null | ExprType::Date | ExprType::Time { .. } | ExprType::DateTime { .. }) => {
            text_variable("utf8mb4_0900_ai_ci")
        }
    };
    Typed::constant(value, Type::new(kind, true))
}

fn text_variable(collation: &'static str) -> ExprType {
    let collated = Collated { name: collation, coercibility: Coercibility::Implicit };
    ExprType::Text { chars: dbtrail_expression::variable_chars(collation), collated }
}

/// The type of a text as it is, in a statement or as a parameter.
pub(super) fn type_of(value: &Value) -> Type {
    let kind = match value {
        Value::Null => ExprType::Null,
        Value::Int(n) => {
            let unsigned = *n > i128::from(i64::MAX);
            let digits = n.unsigned_abs().to_string().len() + usize::from(!unsigned);
            ExprType::Int { width: u32::try_from(digits).unwrap_or(20), unsigned }
        }
        Value::Decimal(n) => {
            let digits = n.unscaled.unsigned_abs().to_string().len().max(usize::from(n.scale));
            ExprType::Decimal { precision: u32::try_from(digits).unwrap_or(65), scale: n.scale }
        }
        Value::Double(_) => ExprType::Double { width: 22, decimals: 31 },
        Value::Text(text) => {
            let collated = Collated { name: "utf8mb4_0900_ai_ci", coercibility: Coercibility::Literal };
            ExprType::Text { chars: u32::try_from(text.chars().count()).unwrap_or(u32::MAX), collated }
        }
    };
    Type::new(kind, value.is_null())
}

/// The declaration of a result column of a type.
pub(super) fn column(name: &str, ty: &Type) -> Column {
    let narrow = |n: u32| u8::try_from(n).unwrap_or(u8::MAX);
    let mut collation = None;
    let column = match ty.kind {
        ExprType::Null => ColumnType::VarBinary { bytes: 0 },
        ExprType::Int { width, unsigned } => {
            let display_width = Some(narrow(width));
            ColumnType::Int { size: IntSize::Big, unsigned, zerofill: false, display_width }
        }
        ExprType::Decimal { precision, scale } => {
            ColumnType::Decimal { precision: narrow(precision), scale, unsigned: false, zerofill: false }
        }
        ExprType::Double { width, decimals } => {
            let digits = Some((narrow(width), decimals));
            ColumnType::Double { digits, unsigned: false, zerofill: false }
        }
        ExprType::Text { chars, collated } if collated.name == "binary" => {
            ColumnType::VarBinary { bytes: chars }
        }
        ExprType::Text { chars, collated } => {
            collation = Some(collated.name.to_owned());
            ColumnType::VarChar { chars }
        }
        ExprType::Date => ColumnType::Date,
        ExprType::Time { fsp } => ColumnType::Time { fsp },
        ExprType::DateTime { fsp } => ColumnType::DateTime { fsp },
    };
    Column::new(name.to_owned(), column, collation, ty.nullable)
}

/// The declaration of a result column with this value, when nothing more is known of it.
pub(super) fn column_of(name: &str, value: &Value) -> Column {
    column(name, &type_of(value))
}

/// A value as a parameter of EXECUTE.
pub(super) fn parameter(value: &Value) -> crate::statement::Parameter {
    use crate::statement::Parameter;
    match value {
        Value::Null => Parameter::Null,
        Value::Int(n) => Parameter::Int(*n),
        Value::Double(n) => Parameter::Double(n.0),
        Value::Decimal(n) => Parameter::Decimal(n.to_string()),
        Value::Text(text) => Parameter::Text(text.as_ref().to_owned()),
    }
}
