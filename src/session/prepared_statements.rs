//! The statements that PREPARE made.

use super::memory::KeptKind;
use super::prepared::Prepared;
use super::{Answer, Session, evaluate};
use crate::failure::Failure;
use crate::statement::{Parameter, PreparedText};
use dbtrail_types::names::RequestId;
use std::collections::HashMap;
use std::sync::Arc;

/// Characters of a name, as in mysqld.
const LONGEST_NAME: usize = 64;

/// Statements of PREPARE, by their names in lower case.
#[derive(Debug, Default)]
pub(super) struct PreparedStatements(HashMap<String, Arc<Prepared>>);

impl PreparedStatements {
    /// Their number and the bytes of their texts, upon those of the statements of COM_STMT_PREPARE.
    pub(super) fn totals(&self, others: (usize, usize)) -> (usize, usize) {
        self.0.values().fold(others, |(count, bytes), p| (count + 1, bytes + p.length()))
    }

    /// Keeps one.
    pub(super) fn insert(&mut self, name: String, prepared: Prepared) {
        self.0.insert(name, Arc::new(prepared));
    }

    /// The statement that EXECUTE names.
    ///
    /// # Errors
    /// There is none of the name.
    pub(super) fn get(&self, name: &str) -> Result<Arc<Prepared>, Failure> {
        self.0.get(name).cloned().ok_or_else(|| Failure::UnknownPrepared(name.to_owned(), "EXECUTE"))
    }

    /// Drops one; whether it was there.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        self.0.remove(name).is_some()
    }
}

impl Session {
    /// `PREPARE name FROM ...`. A statement of that name is gone in any case.
    pub(super) async fn prepare_named(
        &mut self,
        name: String,
        source: PreparedText,
        request: &RequestId,
    ) -> Result<(), Failure> {
        self.prepared.remove(&name);
        if name.chars().count() > LONGEST_NAME {
            return Err(Failure::Unsupported(format!(
                "a prepared statement whose name has more than {LONGEST_NAME} characters"
            )));
        }
        let text = match source {
            PreparedText::Literal(text) => Some(text),
            PreparedText::Variable(variable) => {
                self.variables.user_value(&variable)?.text().map(|t| t.as_ref().to_owned())
            }
        };
        let text = text.ok_or_else(|| Failure::Syntax("the text to prepare is NULL".to_owned()))?;
        self.kept.hold(KeptKind::NamedStatements, self.prepared.totals((0, text.len())).1)?;
        let prepared = self.prepare_text(text, (0, 0), request).await;
        let prepared = prepared.map(|(prepared, _)| self.prepared.insert(name, prepared));
        self.recount_named();
        prepared
    }

    /// `EXECUTE name USING ...`
    pub(super) async fn execute_named(
        &mut self,
        name: &str,
        using: &[String],
        request: &RequestId,
    ) -> Result<Answer, Failure> {
        let prepared = self.prepared.get(name)?;
        if prepared.parameters() != using.len() {
            return Err(Failure::WrongArguments("EXECUTE"));
        }
        let value = |variable| Ok(evaluate::parameter(&self.variables.user_value(variable)?));
        let values: Vec<Parameter> = using.iter().map(|v| value(v)).collect::<Result<_, Failure>>()?;
        self.execute(&prepared, &values, request).await
    }

    /// Counts what the statements of PREPARE keep, after it has become less.
    fn recount_named(&mut self) {
        // Less is never refused.
        let _ = self.kept.hold(KeptKind::NamedStatements, self.prepared.totals((0, 0)).1);
    }

    /// `DEALLOCATE PREPARE name`
    pub(super) fn deallocate(&mut self, name: &str) -> Result<(), Failure> {
        if self.prepared.remove(name) {
            self.recount_named();
            Ok(())
        } else {
            Err(Failure::UnknownPrepared(name.to_owned(), "DEALLOCATE PREPARE"))
        }
    }
}
