//! What the statements of a session may hold.

use super::Session;
use crate::failure::Failure;
use dbtrail_expression::Budget;
use dbtrail_types::memory::{Memory, Share};
use std::sync::Arc;

/// Bytes of commands that are not done with, and of values that their statements compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Of all connections.
    pub all: usize,
    /// Of those of one user.
    pub user: usize,
}

/// What a session keeps from one command to the next, of the memory that it shares with others.
#[derive(Debug, Default)]
pub(super) struct KeptMemory {
    share: Share,
    bytes: [usize; 3],
}

/// What is kept.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeptKind {
    /// Statements of COM_STMT_PREPARE: their texts, what came of their parameters, and rows of
    /// their cursors.
    Statements,
    /// The texts of statements of PREPARE.
    NamedStatements,
    /// The values of user variables.
    UserVariables,
}

impl KeptMemory {
    /// What is kept of a kind comes to so many bytes from now on.
    ///
    /// # Errors
    /// [`Failure::NoMemory`]: there are not as many; nothing has changed.
    pub(super) fn hold(&mut self, kind: KeptKind, bytes: usize) -> Result<(), Failure> {
        let mut parts = self.bytes;
        parts[kind as usize] = bytes;
        if !self.share.hold(parts.iter().fold(0, |sum, part| sum.saturating_add(*part))) {
            return Err(Failure::NoMemory);
        }
        self.bytes = parts;
        Ok(())
    }
}

impl Session {
    /// What it keeps, and what its statements compute, is held in this memory, with others.
    #[must_use]
    pub fn sharing(mut self, memory: Arc<Memory>) -> Self {
        self.kept.share.of(Arc::clone(&memory));
        self.memory = Some(memory);
        self
    }

    /// The connection's prepared statements hold so many bytes now, or are about to: their texts,
    /// what came of their parameters (COM_STMT_SEND_LONG_DATA), and rows of their cursors.
    ///
    /// # Errors
    /// [`Failure::NoMemory`]: there are not as many.
    pub fn keep_statements(&mut self, bytes: usize) -> Result<(), Failure> {
        self.kept.hold(KeptKind::Statements, bytes)
    }

    /// What one statement may compute.
    pub(super) fn budget(&self) -> Budget {
        let budget = Budget::new(self.settings.compute);
        match &self.memory {
            Some(memory) => budget.sharing(Arc::clone(memory)),
            None => budget,
        }
    }
}
