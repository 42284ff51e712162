//! What one statement may cost: steps of computing, and bytes of values that are made on the way.

use crate::error::Error;
use dbtrail_types::memory::{Memory, Share};
use std::sync::Arc;

/// The limits of one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps in all.
    pub steps: u64,
    /// Steps between two yields to other statements.
    pub slice: u64,
    /// Bytes of intermediate values in all.
    pub bytes: u64,
}

/// Steps that a core is taken to make in a millisecond, by estimate: a step is a character looked
/// at, or a node.
const STEPS_A_MILLISECOND: u64 = 200_000;

impl Limits {
    /// Limits by time, as a core of today takes it, and bytes.
    #[must_use]
    pub fn new(milliseconds: u64, slice_milliseconds: u64, bytes: u64) -> Self {
        Self {
            steps: milliseconds.saturating_mul(STEPS_A_MILLISECOND),
            slice: slice_milliseconds.saturating_mul(STEPS_A_MILLISECOND),
            bytes,
        }
    }
}

impl Default for Limits {
    /// 2 s in all, 100 ms between two yields, 16 MiB.
    fn default() -> Self {
        Self::new(2000, 100, 16 * 1024 * 1024)
    }
}

/// What is left of the limits of one statement. All work is counted where it is done.
#[derive(Debug)]
pub struct Budget {
    limits: Limits,
    steps: u64,
    slice: u64,
    bytes: u64,
    share: Share,
}

impl Budget {
    /// A budget with nothing used yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            steps: limits.steps,
            slice: limits.slice,
            bytes: limits.bytes,
            share: Share::default(),
        }
    }

    /// The values are held in this memory, with those of others.
    #[must_use]
    pub fn sharing(mut self, memory: Arc<Memory>) -> Self {
        self.share.of(memory);
        self
    }

    /// Takes steps.
    ///
    /// # Errors
    /// [`Error::Budget`] when there are not as many left.
    pub fn steps(&mut self, count: usize) -> Result<(), Error> {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let (Some(steps), Some(slice)) = (self.steps.checked_sub(count), self.slice.checked_sub(count))
        else {
            return Err(Error::Budget(
                "the statement computes for too long (limits.compute_time, limits.compute_stretch): \
                 ask for less at once"
                    .to_owned(),
            ));
        };
        (self.steps, self.slice) = (steps, slice);
        Ok(())
    }

    /// Takes bytes of a value that is about to be made, and the steps of writing it.
    ///
    /// # Errors
    /// [`Error::Budget`] when there are not as many left; [`Error::Memory`] when there are not as
    /// many of the memory that is shared.
    pub fn bytes(&mut self, count: usize) -> Result<(), Error> {
        self.steps(count / 8)?;
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.bytes = self.bytes.checked_sub(count).ok_or_else(|| {
            Error::Budget(format!(
                "the statement makes values of more than {} bytes on its way (limits.compute_memory): \
                 ask for less at once",
                self.limits.bytes
            ))
        })?;
        let made = usize::try_from(self.limits.bytes - self.bytes).unwrap_or(usize::MAX);
        if !self.share.hold(made) {
            return Err(Error::Memory(
                "the statements of this user, or of all, hold as much as there may be (limits.memory_per_user, \
                 limits.memory): ask again later, or for less at once"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Whether half of the slice is used: it is time to let others run, and to call
    /// [`Budget::rested`].
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.slice < self.limits.slice / 2
    }

    /// Others have run: the next slice begins.
    pub fn rested(&mut self) {
        self.slice = self.limits.slice;
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_held_with_those_of_other_statements() {
        let memory = Memory::new(8 << 20);
        let mut first = Budget::new(Limits::default()).sharing(Arc::clone(&memory));
        let mut second = Budget::new(Limits::default()).sharing(Arc::clone(&memory));
        assert_eq!(first.bytes(6 << 20), Ok(()));
        let Err(Error::Memory(why)) = second.bytes(3 << 20) else { panic!("there is no room") };
        assert!(why.contains("limits.memory"), "{why}");
        drop(first);
        assert_eq!(second.bytes(3 << 20), Ok(()));
        drop(second);
        assert_eq!(memory.held(), 0);
    }
}
