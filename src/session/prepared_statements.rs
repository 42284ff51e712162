//! The statements that PREPARE made.

use super::prepared::Prepared;
use crate::failure::Failure;
use std::collections::HashMap;
use std::sync::Arc;

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
