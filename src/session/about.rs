//! What log, metrics and audit get of a statement. It outlives the future of the statement: one
//! that is dropped half-way is reported too.

use crate::plan::{Resolved, When};
use dbtrail_types::agent_api::Keys;
use dbtrail_types::timestamp::AsOf;
use std::sync::{Arc, Mutex, PoisonError};

/// What the log says of a statement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// `_diff`, `set`, `show`...
    pub kind: &'static str,
    /// The real table that was asked for.
    pub table: Option<String>,
    /// The table and instants of a time-travel statement.
    pub resolved: Option<Arc<Resolved>>,
    /// Its keys, once they are known to be good; where an audit wants them.
    pub keys: Option<Arc<Keys>>,
}

impl About {
    /// A statement that asks for no rows.
    #[must_use]
    pub fn of(kind: &'static str) -> Self {
        Self { kind, ..Self::default() }
    }

    /// Whether it looks at history.
    #[must_use]
    pub fn travels(&self) -> bool {
        self.resolved.is_some() || self.kind.starts_with('_')
    }

    /// The instants, as text in UTC, or a GTID.
    #[must_use]
    pub fn instants(&self) -> Vec<String> {
        match self.resolved.as_ref().map(|resolved| &resolved.when) {
            None => Vec::new(),
            Some(When::At(AsOf::Time(at))) => vec![at.to_string()],
            Some(When::At(AsOf::Gtid(gtid))) => vec![gtid.clone()],
            Some(When::Between(since, until)) => vec![since.to_string(), until.to_string()],
        }
    }
}

/// What is known of the statement that runs, shared between the session and who tells of it.
#[derive(Clone, Debug, Default)]
pub struct Noted(Arc<Mutex<About>>);

impl Noted {
    /// As it is known now.
    #[must_use]
    pub fn get(&self) -> About {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A statement begins, or another one does.
    pub fn set(&self, about: About) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = about;
    }

    /// More is known of it.
    pub(super) fn note(&self, more: impl FnOnce(&mut About)) {
        more(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
