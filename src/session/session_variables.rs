//! The variables of a session: its own (`@name`), and the system variables that it has set.

use super::effective_settings::EffectiveSettings;
use super::evaluate;
use super::memory::{KeptKind, KeptMemory};
use crate::failure::Failure;
use dbtrail_expression::{Type, Typed, Value};
use std::collections::HashMap;

/// User variables at most, so that a session cannot grow without bound.
const MOST: usize = 1000;

/// What a session has set.
#[derive(Debug, Default)]
pub(super) struct SessionVariables {
    /// `@name`, by the name in lower case.
    pub(super) user: HashMap<String, Typed>,
    /// System variables that were set, by [`super::variables::Variable::key`]; `None` is NULL.
    pub(super) system: HashMap<&'static str, Option<String>>,
    /// What they mean for every statement.
    pub(super) effective: EffectiveSettings,
}

impl SessionVariables {
    /// The value of `@name`; NULL where nothing was assigned.
    pub(super) fn user_value(&self, name: &str) -> Value {
        match self.user.get(name).map(|typed| &typed.node) {
            Some(dbtrail_expression::Node::Constant(value)) => value.clone(),
            _ => Value::Null,
        }
    }

    /// `@name := value` and `SET @name = value`; `longest`: max_allowed_packet, in bytes; `kept`:
    /// where their bytes are counted.
    ///
    /// # Errors
    /// There are too many, they are too long together, or those of other sessions leave no room.
    pub(super) fn assign_user(
        &mut self,
        name: &str,
        value: Value,
        ty: &Type,
        longest: usize,
        kept: &mut KeptMemory,
    ) -> Result<(), Failure> {
        if self.user.len() >= MOST && !self.user.contains_key(name) {
            return Err(Failure::Unsupported(format!("more than {MOST} user variables in a session")));
        }
        let others = self.user.iter().filter(|(n, _)| *n != name);
        let length = |t: &Typed| {
            if let dbtrail_expression::Node::Constant(value) = &t.node { value.length() } else { 0 }
        };
        let all = others.map(|(_, v)| length(v)).sum::<usize>() + value.length();
        if all > longest {
            return Err(Failure::Unsupported(
                "user variables that together are longer than max_allowed_packet".to_owned(),
            ));
        }
        kept.hold(KeptKind::UserVariables, all)?;
        self.user.insert(name.to_owned(), evaluate::of_variable(value, ty));
        Ok(())
    }
}
