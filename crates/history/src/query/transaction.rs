//! The changes of one transaction, by its GTID.

use super::{History, Refusal};
use crate::gtid::GtidSet;
use crate::store::Sequence;
use dbtrail_types::agent_api::code;
use dbtrail_types::instant::Point;

impl History {
    /// The first change of a transaction, and the one behind its last; the same twice where it changed nothing that is recorded.
    ///
    /// # Errors
    /// The text names no transaction, or several, or one that is not in the record.
    pub(super) fn transaction(&self, gtid: &str) -> Result<(Sequence, Sequence), Refusal> {
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
        let behind = self.cut(&Point::Gtid(gtid.to_owned()))?.at;
        let set = set.map_err(|_| several())?;
        let last = Sequence(behind.0.saturating_sub(1));
        let moment = self.moments().of(last)?;
        let gtid_there = moment.as_ref().and_then(|m| m.gtid.as_ref());
        let is_it = gtid_there.is_some_and(|found| set.names(found));
        if !is_it && self.gtids.begins_behind(behind, &set) {
            return Err(self.out_of_range("that transaction lies before the start of the record", gtid));
        }
        let from = moment.filter(|_| is_it).map_or(behind, |moment| moment.first);
        if from < self.horizon.at && is_it {
            return Err(self.out_of_range("the state before that transaction is not kept any more", gtid));
        }
        Ok((from, behind))
    }
}
