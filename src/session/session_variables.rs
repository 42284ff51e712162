//! The variables of a session: its own (`@name`), and the system variables that it has set.

use super::effective_settings::EffectiveSettings;
use super::evaluate;
use super::memory::{KeptKind, KeptMemory};
use crate::failure::Failure;
use dbtrail_expression::{Error, Node, Type, Typed, Value};
use std::collections::HashMap;

/// User variables at most, so that a session cannot grow without bound.
const MOST: usize = 1000;

/// What a session has set.
#[derive(Debug, Default)]
pub(super) struct SessionVariables {
    /// `@name`, by the name in lower case. `None`: the rows of a result were assigned to it, and
    /// which of them was the last one is not certain.
    pub(super) user: HashMap<String, Option<Typed>>,
    /// System variables that were set, by [`super::variables::Variable::key`]; `None` is NULL.
    pub(super) system: HashMap<&'static str, Option<String>>,
    /// What they mean for every statement.
    pub(super) effective: EffectiveSettings,
}

impl SessionVariables {
    /// `@name`; `None`: nothing was assigned.
    ///
    /// # Errors
    /// Its value is not certain.
    pub(super) fn user(&self, name: &str) -> Result<Option<&Typed>, Error> {
        match self.user.get(name) {
            None => Ok(None),
            Some(Some(typed)) => Ok(Some(typed)),
            Some(None) => Err(Error::Unsupported(format!(
                "@{name} after a statement that assigned it for each row of a result, whose last row is not certain: SET it first"
            ))),
        }
    }

    /// The value of `@name`; NULL where nothing was assigned.
    ///
    /// # Errors
    /// As [`SessionVariables::user`].
    pub(super) fn user_value(&self, name: &str) -> Result<Value, Error> {
        Ok(match self.user(name)?.map(|typed| &typed.node) {
            Some(Node::Constant(value)) => value.clone(),
            _ => Value::Null,
        })
    }

    /// Each row of a result was assigned to `@name`.
    ///
    /// # Errors
    /// There are too many variables.
    pub(super) fn assign_rows(&mut self, name: String) -> Result<(), Failure> {
        self.has_room(&name)?;
        self.user.insert(name, None);
        Ok(())
    }

    fn has_room(&self, name: &str) -> Result<(), Failure> {
        if self.user.len() >= MOST && !self.user.contains_key(name) {
            return Err(Failure::Unsupported(format!("more than {MOST} user variables in a session")));
        }
        Ok(())
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
        self.has_room(name)?;
        let others = self.user.iter().filter(|(n, _)| *n != name);
        let length = |t: &Option<Typed>| match t.as_ref().map(|t| &t.node) {
            Some(Node::Constant(value)) => value.length(),
            _ => 0,
        };
        let all = others.map(|(_, v)| length(v)).sum::<usize>() + value.length();
        if all > longest {
            return Err(Failure::Unsupported(
                "user variables that together are longer than max_allowed_packet".to_owned(),
            ));
        }
        kept.hold(KeptKind::UserVariables, all)?;
        self.user.insert(name.to_owned(), Some(evaluate::of_variable(value, ty)));
        Ok(())
    }
}
