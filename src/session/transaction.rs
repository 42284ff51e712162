//! The transaction of a session: SET autocommit, BEGIN, and SAVEPOINT, ROLLBACK TO and RELEASE
//! SAVEPOINT. Nothing is ever written here that could be rolled back; but clients that nest
//! transactions get the answers that mysqld would give them, unknown names included.

use crate::failure::Failure;
use crate::statement::Savepoint;

/// Savepoints of one transaction at most, so that a session cannot grow without bound.
const MOST: usize = 1000;

/// The transaction that a session is in, or that its next statement would be.
#[derive(Debug)]
pub(super) struct Transaction {
    /// Each statement is a transaction of its own where none was begun.
    pub(super) autocommit: bool,
    /// BEGIN or START TRANSACTION came, and no end of it.
    pub(super) is_open: bool,
    /// It was begun READ ONLY.
    pub(super) read_only: bool,
    /// In the order in which they were set; in lower case.
    savepoints: Vec<String>,
}

impl Transaction {
    /// That of a new session.
    pub(super) const fn none() -> Self {
        Self { autocommit: true, is_open: false, read_only: false, savepoints: Vec::new() }
    }

    /// Begins a transaction.
    pub(super) fn begin(&mut self, read_only: bool) {
        (self.is_open, self.read_only) = (true, read_only);
        self.savepoints.clear();
    }

    /// Ends it; whether there was one.
    pub(super) fn end(&mut self) -> bool {
        self.read_only = false;
        self.savepoints.clear();
        std::mem::replace(&mut self.is_open, false)
    }

    /// SAVEPOINT, ROLLBACK TO, RELEASE SAVEPOINT.
    ///
    /// # Errors
    /// There is no savepoint of the name, or there are too many.
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
            if self.is_open || !self.autocommit {
                self.savepoints.push(key);
            }
            return Ok(());
        }
        let at = at.ok_or_else(|| Failure::UnknownSavepoint(name.to_owned()))?;
        self.savepoints.truncate(at + usize::from(what == Savepoint::RollBack));
        Ok(())
    }
}
