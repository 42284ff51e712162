//! The changes of one transaction, by its GTID.

use super::{History, Refusal};
use crate::gtid::GtidSet;
use crate::store::ChangeSequence;
use dbtrail_types::agent_api::code;
use dbtrail_types::timestamp::AsOf;

impl History {
    /// The first change of a transaction, and the one after its last; the same twice where it
    /// changed nothing that is recorded.
    ///
    /// # Errors
    /// The text names no transaction, or several, or one that is not in the record.
    pub(super) fn transaction(&self, gtid: &str) -> Result<(ChangeSequence, ChangeSequence), Refusal> {
        let several = || {
            Refusal::new(
                400,
                code::MALFORMED_GTID,
                format!("'{gtid}' is not the GTID of one transaction: name a single one"),
            )
        };
        let set = GtidSet::parse(gtid);
        if set.as_ref().is_ok_and(|set| !set.is_single()) {
            return Err(several());
        }
        let following = self.cut(&AsOf::Gtid(gtid.to_owned()))?.at;
        let set = set.map_err(|_| several())?;
        let last = ChangeSequence(following.0.saturating_sub(1));
        let commit = self.commit_index().of(last)?;
        let gtid_there = commit.as_ref().and_then(|m| m.gtid.as_ref());
        let is_it = gtid_there.is_some_and(|found| set.names(found));
        if !is_it && self.gtids.begins_after(following, &set) {
            return Err(self.out_of_range("that transaction lies before the start of the record", gtid));
        }
        let from = commit.filter(|_| is_it).map_or(following, |commit| commit.first);
        if from < self.horizon.at && is_it {
            return Err(self.out_of_range("the state before that transaction is not kept any more", gtid));
        }
        Ok((from, following))
    }
}
