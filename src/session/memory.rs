//! What the statements of a session may hold.

use super::Session;
use dbtrail_expression::Budget;
use dbtrail_types::memory::Memory;
use std::sync::Arc;

/// Bytes of commands that are not done with, and of values that their statements compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Of all connections.
    pub all: usize,
    /// Of those of one user.
    pub user: usize,
}

impl Session {
    /// What its statements compute is held in this memory, with others.
    #[must_use]
    pub fn sharing(mut self, memory: Arc<Memory>) -> Self {
        self.memory = Some(memory);
        self
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
