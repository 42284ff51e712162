//! SET TRANSACTION: isolation and access, each once.

use super::super::Session;
use crate::failure::Failure;

impl Session {
    /// SET [SESSION] TRANSACTION. There is nothing that a transaction could isolate; the variables
    /// follow.
    pub(super) fn assign_transaction(
        &mut self,
        session: bool,
        characteristics: &[String],
    ) -> Result<(), Failure> {
        if !session && self.transaction.is_open {
            return Err(Failure::InTransaction);
        }
        let (mut isolation, mut access) = (None, None);
        for text in characteristics {
            let words: Vec<&str> = text.split_whitespace().collect();
            let (position, value) = match words.as_slice() {
                ["isolation", "level", "read", "uncommitted"] => (&mut isolation, "READ-UNCOMMITTED"),
                ["isolation", "level", "read", "committed"] => (&mut isolation, "READ-COMMITTED"),
                ["isolation", "level", "repeatable", "read"] => (&mut isolation, "REPEATABLE-READ"),
                ["isolation", "level", "serializable"] => (&mut isolation, "SERIALIZABLE"),
                ["read", "only"] => (&mut access, "ON"),
                ["read", "write"] => (&mut access, "OFF"),
                _ => return Err(Failure::Syntax(format!("'{text}' is no characteristic of a transaction"))),
            };
            if position.replace(value).is_some() {
                return Err(Failure::Syntax(format!("'{text}' is said twice of one transaction")));
            }
        }
        for (name, value) in [("transaction_isolation", isolation), ("transaction_read_only", access)] {
            if let (true, Some(value)) = (session, value) {
                self.variables.system.insert(name, Some(value.to_owned()));
                self.changed(name);
            }
        }
        Ok(())
    }
}
