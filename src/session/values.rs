//! The values that variables have in this session, and what follows from them.

use super::settings::Changeable;
use super::variables::{self, Variable};
use super::{Session, own};
use crate::failure::Failure;
use crate::statement::{INFORMATION_SCHEMA, Limit, ParseSettings};
use dbtrail_types::timestamp::Timestamp;
use dbtrail_types::zone::Zone;
use std::borrow::Cow;

impl Session {
    pub(super) fn default_zone(&self) -> Zone {
        self.tenant().map_or_else(Zone::utc, |t| t.time_zone.clone())
    }

    pub(super) fn changeable(&self) -> Changeable {
        Changeable {
            user: self.variables.user.clone(),
            system: self.variables.system.clone(),
            zone: self.zone.clone(),
            autocommit: self.transaction.autocommit,
            in_transaction: self.transaction.is_open,
            charset: self.charset,
            changes: self.changes.clone(),
        }
    }

    pub(super) fn restore(&mut self, before: Changeable) {
        self.variables.user = before.user;
        self.variables.system = before.system;
        self.zone = before.zone;
        self.transaction.autocommit = before.autocommit;
        self.transaction.is_open = before.in_transaction;
        self.charset = before.charset;
        self.changes = before.changes;
        self.work_out();
    }

    /// The value of a system variable; `None` is SQL's NULL.
    pub(super) fn variable(&self, name: &str) -> Result<Option<String>, Failure> {
        let variable = variables::find(name).ok_or_else(|| Failure::UnknownVariable(name.to_owned()))?;
        Ok(self.session_value(variable))
    }

    pub(super) fn session_value(&self, variable: &Variable) -> Option<String> {
        match variable.name {
            "time_zone" => Some(self.zone.name().to_owned()),
            "autocommit" => Some(if self.transaction.autocommit { "ON" } else { "OFF" }.to_owned()),
            "warning_count" => Some(self.diagnostics.notes(false).count().to_string()),
            "error_count" => Some(self.diagnostics.notes(true).count().to_string()),
            _ => self
                .variables
                .system
                .get(variable.key())
                .cloned()
                .unwrap_or_else(|| self.default_of(variable)),
        }
    }

    /// The value of a new session, which is also the server's.
    pub(super) fn default_of(&self, variable: &Variable) -> Option<String> {
        let micros = || Timestamp::now().micros();
        Some(match variable.default {
            "{null}" => return None,
            "{max_packet}" => self.settings.max_packet.to_string(),
            "{max_connections}" => self.settings.max_connections.to_string(),
            "{version}" => self.settings.server_version.clone(),
            "{have_ssl}" => if self.identity.link.tls_offered { "YES" } else { "DISABLED" }.to_owned(),
            "{hostname}" => own::hostname().to_owned(),
            "{port}" => self.identity.link.port.to_string(),
            "{uuid}" => own::uuid().to_owned(),
            "{now}" => format!("{}.{:06}", micros().div_euclid(1_000_000), micros().rem_euclid(1_000_000)),
            _ if variable.name == "time_zone" => self.default_zone().name().to_owned(),
            fixed => fixed.to_owned(),
        })
    }

    /// The value of a variable that has one in every session and is computed in none.
    pub(super) fn setting(&self, name: &str) -> Cow<'_, str> {
        if let Some(value) = self.variables.system.get(name) {
            return Cow::Borrowed(value.as_deref().unwrap_or_default());
        }
        let Some(variable) = variables::find(name) else { return Cow::Borrowed("") };
        match self.variables.system.get(variable.key()) {
            Some(value) => Cow::Borrowed(value.as_deref().unwrap_or_default()),
            None if variable.default.starts_with('{') => {
                self.default_of(variable).map_or(Cow::Borrowed(""), Cow::Owned)
            }
            None => Cow::Borrowed(variable.default),
        }
    }

    pub(super) fn has_mode(&self, mode: &str) -> bool {
        self.setting("sql_mode").split(',').any(|m| m == mode)
    }

    /// sql_select_limit, where it is one.
    pub(super) fn select_limit(&self) -> Option<Limit> {
        let count = self.variables.effective.select_limit;
        (count < u64::MAX).then_some(Limit { offset: 0, count })
    }

    /// The escape character of LIKE where none is named.
    pub(super) fn escape(&self) -> Option<char> {
        (!self.variables.effective.evaluation.no_backslash_escapes).then_some('\\')
    }

    /// How the session's text is read.
    pub(super) fn reading(&self) -> ParseSettings {
        ParseSettings {
            ansi_quotes: self.variables.effective.ansi_quotes,
            no_backslash_escapes: self.variables.effective.evaluation.no_backslash_escapes,
            orm_forms: self.settings.orm_forms,
            version: self.variables.effective.version,
            in_information_schema: self.schema.as_deref() == Some(INFORMATION_SCHEMA),
        }
    }
}
