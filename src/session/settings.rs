//! SET: applied as a whole, or not at all.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions are many; the ones that are not named are refused"
)]

use super::evaluate::Value;
use super::variables::{self, MODES, Rule};
use super::{ResultCharset, Session};
use crate::failure::Failure;
use crate::instant::Instant;
use crate::statement::Assignment;
use crate::zone::Zone;
use sqlparser::ast::Expr;
use std::collections::HashMap;

/// What SET changes: kept aside until all assignments of a statement are good.
#[derive(Clone, Debug)]
pub(super) struct Changeable {
    pub(super) user: HashMap<String, Value>,
    pub(super) system: HashMap<String, Option<String>>,
    pub(super) zone: Zone,
    pub(super) autocommit: bool,
    pub(super) charset: ResultCharset,
}

/// User variables at most, so that a session cannot grow without bound.
const MOST: usize = 1000;

impl Session {
    pub(super) fn set(&mut self, assignments: &[Assignment], now: Instant) -> Result<(), Failure> {
        let before = self.changeable();
        for assignment in assignments {
            if let Err(failure) = self.assign(assignment, now) {
                self.restore(before);
                return Err(failure);
            }
        }
        Ok(())
    }

    fn assign(&mut self, assignment: &Assignment, now: Instant) -> Result<(), Failure> {
        match assignment {
            Assignment::User { name, value } => {
                let value = match value {
                    // `SET @x = ON`: a bare word, which mysqld would take for a column.
                    Expr::Identifier(word) if !word.value.starts_with('@') => Value::Text(word.value.clone()),
                    other => self.evaluate(other, now)?,
                };
                if self.user.len() >= MOST && !self.user.contains_key(name) {
                    return Err(Failure::Unsupported(format!(
                        "more than {MOST} user variables in a session"
                    )));
                }
                let others = self.user.iter().filter(|(n, _)| *n != name);
                let length = |v: &Value| v.text().map_or(0, |t| t.len());
                if others.map(|(_, v)| length(v)).sum::<usize>() + length(&value) > self.settings.max_packet {
                    return Err(Failure::Unsupported(
                        "user variables that together are longer than max_allowed_packet".to_owned(),
                    ));
                }
                self.user.insert(name.clone(), value);
                Ok(())
            }
            Assignment::System { global: true, .. } => {
                Err(Failure::PrivilegeRequired("SUPER or SYSTEM_VARIABLES_ADMIN".to_owned()))
            }
            Assignment::System { global: false, name, value } => self.assign_system(name, value, now),
            Assignment::Names { charset, collation, .. } => {
                let charset = charset.as_deref().unwrap_or("utf8mb4");
                self.set_charset("character_set_client", Some(charset))?;
                self.set_charset("character_set_results", Some(charset))?;
                self.set_charset("character_set_connection", Some(charset))?;
                let collation = match collation {
                    Some(collation) if belongs(collation, charset) => collation.clone(),
                    Some(collation) => {
                        return Err(Failure::CollationMismatch(collation.clone(), charset.to_owned()));
                    }
                    None => default_collation(charset).to_owned(),
                };
                self.charset = self.charset.with_collation(&collation);
                self.system.insert("collation_connection".to_owned(), Some(collation));
                Ok(())
            }
            // There is nothing that a transaction could isolate.
            Assignment::Transaction { .. } => Ok(()),
        }
    }

    fn assign_system(&mut self, name: &str, value: &Expr, now: Instant) -> Result<(), Failure> {
        let (rule, default) =
            variables::find(name, &self.settings).ok_or_else(|| Failure::UnknownVariable(name.to_owned()))?;
        let value = match value {
            Expr::Identifier(word) if word.value.eq_ignore_ascii_case("DEFAULT") => Some(default),
            Expr::Identifier(word) if !word.value.starts_with('@') => Some(word.value.clone()),
            other => self.evaluate(other, now)?.text(),
        };
        let wrong = |value: &Option<String>| {
            Failure::WrongValue(name.to_owned(), value.clone().unwrap_or_else(|| "NULL".to_owned()))
        };
        match rule {
            Rule::Fixed => return Err(Failure::ReadOnlyVariable(name.to_owned(), "read only")),
            Rule::Free => {
                let text = value.clone().filter(|v| v.len() <= 1024).ok_or_else(|| wrong(&value))?;
                self.system.insert(name.to_owned(), Some(text));
            }
            Rule::Switch => {
                let on = switch(value.as_deref()).ok_or_else(|| wrong(&value))?;
                self.system.insert(name.to_owned(), Some(if on { "ON" } else { "OFF" }.to_owned()));
            }
            Rule::Own => return self.assign_own(name, value),
        }
        Ok(())
    }

    fn assign_own(&mut self, name: &str, value: Option<String>) -> Result<(), Failure> {
        let wrong = |value: &Option<String>| {
            Failure::WrongValue(name.to_owned(), value.clone().unwrap_or_else(|| "NULL".to_owned()))
        };
        match name {
            "autocommit" => {
                self.autocommit = switch(value.as_deref()).ok_or_else(|| wrong(&value))?;
                if self.autocommit {
                    self.in_transaction = false;
                }
            }
            "time_zone" => {
                let text = value.ok_or_else(|| Failure::UnknownTimeZone("NULL".to_owned()))?;
                self.zone = if text.is_empty() {
                    self.default_zone()
                } else {
                    Zone::parse(&text).ok_or_else(|| Failure::UnknownTimeZone(text.clone()))?
                };
            }
            "sql_select_limit" => {
                let number: u64 =
                    value.as_deref().and_then(|v| v.parse().ok()).ok_or_else(|| wrong(&value))?;
                self.system.insert(name.to_owned(), Some(number.to_string()));
            }
            "sql_mode" => {
                let modes = modes(value.as_deref().unwrap_or_default()).ok_or_else(|| wrong(&value))?;
                self.system.insert(name.to_owned(), Some(modes));
            }
            "collation_connection" => {
                let text = value.clone().ok_or_else(|| wrong(&value))?;
                self.system.insert(name.to_owned(), Some(text));
            }
            charset => return self.set_charset(charset, value.as_deref()),
        }
        Ok(())
    }

    fn set_charset(&mut self, name: &str, value: Option<&str>) -> Result<(), Failure> {
        let lower = value.map(str::to_lowercase);
        let results = match lower.as_deref() {
            Some("utf8mb4") => ResultCharset::Utf8 { collation_id: 255 },
            Some("utf8mb3" | "utf8") => ResultCharset::Utf8Mb3 { collation_id: 33 },
            Some("latin1") => ResultCharset::Latin1 { collation_id: 8 },
            Some("binary") => ResultCharset::Binary,
            None if name == "character_set_results" => ResultCharset::AsStored,
            None => return Err(Failure::WrongValue(name.to_owned(), "NULL".to_owned())),
            Some(other) => return Err(Failure::UnknownCharset(other.to_owned())),
        };
        if name == "character_set_results" {
            self.charset = results;
        }
        self.system.insert(name.to_owned(), lower);
        Ok(())
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

fn belongs(collation: &str, charset: &str) -> bool {
    let plain = |s: &str| s.replacen("utf8mb3", "utf8", 1);
    plain(collation).split('_').next() == Some(plain(charset).as_str())
}

fn default_collation(charset: &str) -> &'static str {
    match charset {
        "latin1" => "latin1_swedish_ci",
        "binary" => "binary",
        "utf8mb3" | "utf8" => "utf8mb3_general_ci",
        _ => "utf8mb4_0900_ai_ci",
    }
}

/// The modes in mysqld's order; `None`: one of them cannot be honoured.
fn modes(text: &str) -> Option<String> {
    let mut wanted: Vec<String> = Vec::new();
    for mode in text.split(',').map(|m| m.trim().to_uppercase()).filter(|m| !m.is_empty()) {
        match mode.as_str() {
            "TRADITIONAL" => wanted.extend(
                [
                    "STRICT_TRANS_TABLES",
                    "STRICT_ALL_TABLES",
                    "NO_ZERO_IN_DATE",
                    "NO_ZERO_DATE",
                    "ERROR_FOR_DIVISION_BY_ZERO",
                    "NO_ENGINE_SUBSTITUTION",
                ]
                .map(str::to_owned),
            ),
            known if MODES.contains(&known) => wanted.push(mode),
            _ => return None,
        }
    }
    let ordered: Vec<&str> = MODES.iter().copied().filter(|m| wanted.iter().any(|w| w == m)).collect();
    Some(ordered.join(","))
}
