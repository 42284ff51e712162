//! SET: applied as a whole, or not at all. As in mysqld, all values are computed before the first
//! of them is assigned.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions are many; the ones that are not named are refused"
)]

mod character_sets;
mod transaction_characteristics;

use super::evaluate::{self, Value};
use super::variables::{self, Scope, SetRule, Variable};
use super::{Change, Session};
use crate::failure::Failure;
use crate::statement::Assignment;
use dbtrail_expression::{Budget, Type, Typed};
use dbtrail_types::result_charset::{self, ResultCharset};
use dbtrail_types::result_set::Note;
use dbtrail_types::timestamp::Timestamp;
use dbtrail_types::zone::Zone;
use sqlparser::ast::Expr;
use std::collections::HashMap;

/// What SET changes: kept aside until all assignments of a statement are good.
#[derive(Clone, Debug)]
pub(super) struct Changeable {
    pub(super) user: HashMap<String, Option<Typed>>,
    pub(super) system: HashMap<&'static str, Option<String>>,
    pub(super) zone: Zone,
    pub(super) autocommit: bool,
    pub(super) in_transaction: bool,
    pub(super) charset: Option<ResultCharset>,
    pub(super) changes: Vec<Change>,
}

/// ER_TRUNCATED_WRONG_VALUE, and ER_WRONG_VALUE_FOR_VAR.
const TRUNCATED: u16 = 1292;
const NO_VARIABLE: u16 = 1231;

/// An assignment whose value is computed.
enum Ready<'a> {
    User(&'a str, Value, Type),
    /// `None`: DEFAULT.
    System(&'static Variable, Option<Value>),
    Names {
        names: bool,
        charset: Option<&'a str>,
        collation: Option<&'a str>,
    },
    Transaction {
        session: bool,
        characteristics: &'a [String],
    },
}

impl Session {
    pub(super) fn set(&mut self, assignments: &[Assignment], now: Timestamp) -> Result<(), Failure> {
        let mut budget = self.budget();
        let ready: Vec<Ready<'_>> =
            assignments.iter().map(|a| self.ready(a, now, &mut budget)).collect::<Result<_, _>>()?;
        let before = self.changeable();
        for assignment in ready {
            if let Err(failure) = self.assign(assignment) {
                self.restore(before);
                self.diagnostics.clear();
                return Err(failure);
            }
        }
        self.work_out();
        self.note_change(Change::State);
        Ok(())
    }

    fn ready<'a>(
        &self,
        assignment: &'a Assignment,
        now: Timestamp,
        budget: &mut Budget,
    ) -> Result<Ready<'a>, Failure> {
        Ok(match assignment {
            Assignment::User { name, value } => {
                let (value, ty) = self.user_value(name, value, now, budget)?;
                Ready::User(name, value, ty)
            }
            Assignment::System { global, name, value } => {
                let unknown = || Failure::UnknownVariable(name.clone());
                let variable = variables::find(name).ok_or_else(unknown)?;
                allowed(variable, *global)?;
                let value = match value {
                    Expr::Identifier(word) if word.value.eq_ignore_ascii_case("DEFAULT") => None,
                    Expr::Identifier(word) if !word.value.starts_with('@') => Some(bare(&word.value)),
                    other => Some(self.typed(other, now, budget)?.0),
                };
                Ready::System(variable, value)
            }
            Assignment::Names { names, charset, collation } => {
                Ready::Names { names: *names, charset: charset.as_deref(), collation: collation.as_deref() }
            }
            Assignment::Transaction { session, characteristics } => {
                Ready::Transaction { session: *session, characteristics }
            }
        })
    }

    fn user_value(
        &self,
        name: &str,
        value: &Expr,
        now: Timestamp,
        budget: &mut Budget,
    ) -> Result<(Value, Type), Failure> {
        let known = |value: Value| {
            let ty = evaluate::type_of(&value);
            (value, ty)
        };
        match value {
            Expr::Identifier(word) if !word.value.starts_with('@') => match bare(&word.value) {
                Value::Text(text) => match text.to_uppercase().as_str() {
                    // mysqld takes no bare word for a user variable; these are switches, and are
                    // documented with ON.
                    "ON" | "OFF"
                        if matches!(name, "dbtrail_allow_wide_diff" | "dbtrail_allow_table_scan") =>
                    {
                        Ok(known(Value::Text(text)))
                    }
                    "DEFAULT" => Err(Failure::Syntax(format!("@{name} has no DEFAULT"))),
                    _ => self.typed(value, now, budget),
                },
                other => Ok(known(other)),
            },
            other => self.typed(other, now, budget),
        }
    }

    fn assign(&mut self, assignment: Ready<'_>) -> Result<(), Failure> {
        match assignment {
            Ready::User(name, value, ty) => {
                self.variables.assign_user(name, value, &ty, self.settings.max_packet, &mut self.kept)
            }
            Ready::System(variable, value) => self.assign_system(variable, value),
            Ready::Names { names, charset, collation } => self.assign_names(names, charset, collation),
            Ready::Transaction { session, characteristics } => {
                self.assign_transaction(session, characteristics)
            }
        }
    }

    fn assign_system(&mut self, variable: &'static Variable, value: Option<Value>) -> Result<(), Failure> {
        if variable.rule == SetRule::CarriedOut {
            return self.assign_own(variable, value);
        }
        let Some(value) = value else {
            self.variables.system.remove(variable.key());
            self.changed(variable.key());
            return Ok(());
        };
        // 0 is the clock, as DEFAULT is.
        if variable.name == "timestamp" && value == Value::Int(0) {
            return Ok(());
        }
        let (text, cut) = variables::checked(variable, &value)?;
        if variable.rule == SetRule::OnlyItsOwnValue {
            let now = self.session_value(variable).unwrap_or_default();
            if now != text {
                return Err(Failure::Unsupported(format!(
                    "{} = '{text}': it would change answers; here it is '{now}' always",
                    variable.name
                )));
            }
        }
        if let Some(cut) = cut {
            if self.has_mode("STRICT_ALL_TABLES") {
                return Err(Failure::WrongValue(variable.name.to_owned(), cut));
            }
            let message = format!("Truncated incorrect {} value: '{cut}'", variable.name);
            self.diagnostics.push(Note { level: "Warning", code: TRUNCATED, message });
        }
        self.keep(variable, Some(text));
        Ok(())
    }

    fn keep(&mut self, variable: &Variable, value: Option<String>) {
        self.variables.system.insert(variable.key(), value);
        self.changed(variable.key());
    }

    fn assign_own(&mut self, variable: &'static Variable, value: Option<Value>) -> Result<(), Failure> {
        let default = || self.default_of(variable).map_or(Value::Null, Value::from);
        let value = value.unwrap_or_else(default);
        let shown = value.text().map_or_else(|| "NULL".to_owned(), |t| t.as_ref().to_owned());
        let wrong = || Failure::WrongValue(variable.name.to_owned(), shown.clone());
        match variable.name {
            "autocommit" => {
                self.transaction.autocommit = variables::checked(variable, &value)?.0 == "ON";
                if self.transaction.autocommit {
                    self.end_transaction();
                }
                self.changed("autocommit");
                Ok(())
            }
            "time_zone" => {
                let Value::Text(name) = &value else { return Err(wrong()) };
                self.zone =
                    Zone::parse(name).ok_or_else(|| Failure::UnknownTimeZone(name.as_ref().to_owned()))?;
                self.changed("time_zone");
                Ok(())
            }
            "sql_mode" => {
                let modes = match &value {
                    Value::Text(text) => variables::modes(text),
                    Value::Int(0) => Ok(String::new()),
                    Value::Int(_) | Value::Decimal(_) | Value::Double(_) | Value::Null => return Err(wrong()),
                };
                let wrong = |mode| Failure::WrongValue(variable.name.to_owned(), mode);
                self.keep(variable, Some(modes.map_err(wrong)?));
                Ok(())
            }
            "optimizer_switch" => {
                let now = self.session_value(variable).unwrap_or_default();
                let text = variables::switched(&now, variable.default, &shown).ok_or_else(wrong)?;
                self.keep(variable, Some(text));
                Ok(())
            }
            "session_track_system_variables" => {
                for name in shown.split(',').map(|n| n.trim().to_lowercase()) {
                    if !name.is_empty() && name != "*" && variables::find(&name).is_none() {
                        let message = format!("{name} is not a valid system variable and will be ignored.");
                        self.diagnostics.push(Note { level: "Warning", code: NO_VARIABLE, message });
                    }
                }
                self.keep(variable, value.text().map(|t| t.as_ref().to_owned()));
                Ok(())
            }
            "collation_connection" => {
                let Value::Text(name) = &value else { return Err(wrong()) };
                let (charset, collation, id) = result_charset::by_name(&name.to_lowercase())
                    .ok_or_else(|| Failure::UnknownCollation(name.as_ref().to_owned()))?;
                ResultCharset::of(charset, id).ok_or_else(|| Failure::UnknownCharset(charset.to_owned()))?;
                self.variables.system.insert("character_set_connection", Some(charset.to_owned()));
                self.changed("character_set_connection");
                self.keep(variable, Some(collation.to_owned()));
                Ok(())
            }
            "character_set_server" | "collation_server" | "character_set_database" | "collation_database" => {
                self.assign_pair(variable, &value)
            }
            _ => self.assign_charset(variable, &value),
        }
    }
}

/// Whether a SET may touch a variable at all.
fn allowed(variable: &Variable, global: bool) -> Result<(), Failure> {
    let name = || variable.name.to_owned();
    match (variable.rule, global) {
        (SetRule::ReadOnly, _) => Err(Failure::ReadOnlyVariable(name(), "read only")),
        (_, true) if variable.scope == Scope::Session => Err(Failure::SessionVariable(name())),
        (_, true) => Err(Failure::PrivilegeRequired("SUPER or SYSTEM_VARIABLES_ADMIN".to_owned())),
        (SetRule::GlobalOnly, false) => Err(Failure::GlobalVariable(name())),
        (SetRule::ReadOnlyInSession, false) => Err(Failure::ReadOnlyInSession(name())),
        (SetRule::Ignored | SetRule::OnlyItsOwnValue | SetRule::CarriedOut, false) => Ok(()),
    }
}

/// A bare word after `=`.
fn bare(word: &str) -> Value {
    match word.to_uppercase().as_str() {
        "NULL" => Value::Null,
        "TRUE" => Value::Int(1),
        "FALSE" => Value::Int(0),
        _ => Value::from(word),
    }
}

/// ON, OFF, TRUE, FALSE, 1, 0.
pub(super) fn switch(value: Option<&str>) -> Option<bool> {
    match value?.to_uppercase().as_str() {
        "ON" | "1" | "TRUE" => Some(true),
        "OFF" | "0" | "FALSE" => Some(false),
        _ => None,
    }
}
