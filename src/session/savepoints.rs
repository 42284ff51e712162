//! SAVEPOINT, ROLLBACK TO and RELEASE SAVEPOINT. Nothing is ever written here that could be rolled
//! back; but clients that nest transactions are told what mysqld would tell them, unknown names
//! included.

use super::Session;
use crate::failure::Failure;
use crate::statement::Savepoint;

/// Savepoints of one transaction at most, so that a session cannot grow without bound.
const MOST: usize = 1000;

impl Session {
    pub(super) fn savepoint(&mut self, what: Savepoint, name: &str) -> Result<(), Failure> {
        let key = name.to_lowercase();
        let at = self.savepoints.iter().position(|known| *known == key);
        if what == Savepoint::Set {
            // Of two of one name, the older is gone.
            if let Some(at) = at {
                self.savepoints.remove(at);
            }
            if self.savepoints.len() >= MOST {
                return Err(Failure::Unsupported(format!("more than {MOST} savepoints in a transaction")));
            }
            // A statement that is a transaction of its own leaves none behind.
            if self.in_transaction || !self.autocommit {
                self.savepoints.push(key);
            }
            return Ok(());
        }
        let at = at.ok_or_else(|| Failure::UnknownSavepoint(name.to_owned()))?;
        self.savepoints.truncate(at + usize::from(what == Savepoint::RollBack));
        Ok(())
    }
}
