//! Questions to the history, and their answers or refusals.
//!
//! Everything that can be refused is refused before the first line of an answer; the lines are then
//! made one chunk at a time, so that no answer is held as a whole. Knows no HTTP.

use super::commit_index::ReadPoint;
use super::gtid::{GtidError, GtidSet};
use super::log_gap::LogGap;
use super::names::{TableState, UnreadableReason};
use super::record::{Coverage, History, TableGeneration};
use super::schema::{DefinitionId, Rename};
use super::store::{ChangeSequence, GenerationId};
use dbtrail_types::agent_api::code;
use dbtrail_types::column::TableDefinition;
use dbtrail_types::names::{ServerId, TableName};
use dbtrail_types::timestamp::{AsOf, Timestamp};
use std::sync::Arc;

mod all_changes;
mod change_counts;
mod change_filter;
mod change_rows;
mod chunks;
mod conditions;
mod diff;
mod doubt;
mod example;
mod form;
mod happened;
mod keys;
mod lines;
mod merge;
mod metadata;
mod net;
mod origin;
mod question;
mod refusal;
mod rows;
mod scan;
mod transaction;
mod unchecked;
mod visible;
mod walk;
mod window;
mod window_ends;

pub use change_counts::ChangeCountsAnswer;
pub use chunks::{Chunks, Fill};
pub use diff::DiffAnswer;
use doubt::without_doubt;
pub use example::Example;
pub use form::Form;
pub use happened::HistoryAnswer;
pub(crate) use keys::{no_key, unfindable};
pub use metadata::TableHealth;
pub use net::{NetAnswer, NetLines};
pub use question::Reading;
pub use refusal::Refusal;
pub use rows::RowsAnswer;

/// The most keys that one request may name or a range may hold.
pub const MAX_KEYS: usize = dbtrail_types::agent_api::MOST_KEYS;

/// A table at some position in the log.
pub(super) struct Found<'a> {
    pub(super) generation_id: GenerationId,
    pub(super) generation: &'a TableGeneration,
    pub(super) definition_id: DefinitionId,
    pub(super) definition: &'a Arc<TableDefinition>,
}

impl History {
    /// Checks that the history is that server's.
    ///
    /// # Errors
    /// It is another's.
    pub fn check_server(&self, server: &ServerId) -> Result<(), Refusal> {
        if *server == self.server_id {
            return Ok(());
        }
        Err(Refusal::new(
            404,
            code::UNKNOWN_SERVER,
            format!("this agent has no history of server '{server}' (its server_id is another)"),
        ))
    }

    /// The position in the log of an instant or a GTID.
    fn cut(&self, point: &AsOf) -> Result<ReadPoint, Refusal> {
        match point {
            AsOf::Time(at) => {
                self.covered(*at)?;
                Ok(self.commit_index().cut(*at)?)
            }
            AsOf::Gtid(text) => {
                let set = GtidSet::parse(text);
                let following = set.and_then(|s| self.gtids().end_of(&s, text)).map_err(|e| match e {
                    GtidError::Malformed(_) | GtidError::WrongFamily { .. } => {
                        Refusal::new(400, code::MALFORMED_GTID, e.to_string())
                    }
                    GtidError::NoGtids | GtidError::TooOld(_) | GtidError::NotThere(_) => {
                        self.out_of_range(&e.to_string(), text)
                    }
                    GtidError::Crash(_) => Refusal::new(422, code::GAP, e.to_string()),
                    GtidError::Store(failed) => failed.into(),
                })?;
                // After the last entry, a change number may have been used that is none of the
                // record's.
                let at = following.min(self.end);
                if at < self.horizon.at {
                    let what = GtidError::TooOld(text.clone()).to_string();
                    return Err(self.out_of_range(&what, text));
                }
                Ok(ReadPoint { at, doubtful: at })
            }
        }
    }

    /// Refuses an instant outside of the record.
    fn covered(&self, at: Timestamp) -> Result<(), Refusal> {
        if self.coverage.is_empty() {
            let begins = self.coverage.oldest;
            return Err(Refusal::new(
                503,
                code::NOT_READY,
                format!(
                    "the record begins at {begins}, and the log is not taken in up to there yet: ask again in a moment"
                ),
            ));
        }
        if at < self.coverage.oldest {
            return Err(
                self.out_of_range(&format!("{at} lies before the start of the record"), &at.to_string())
            );
        }
        if at > self.coverage.newest {
            return Err(self.out_of_range(&format!("{at} is after the end of the record"), &at.to_string()));
        }
        self.without_gap(at, at)
    }

    /// Refuses a window of which a part was not recorded.
    fn without_gap(&self, since: Timestamp, until: Timestamp) -> Result<(), Refusal> {
        let Some(LogGap { gap, .. }) = self.log_gaps.iter().find(|h| since < h.gap.to && h.gap.from < until)
        else {
            return Ok(());
        };
        Err(Refusal::new(
            422,
            code::GAP,
            format!(
                "the record has a gap from {} to {} ({}): what happened in between is not known. Ask for a time before or after it",
                gap.from, gap.to, gap.reason
            ),
        ))
    }

    fn out_of_range(&self, what: &str, asked: &str) -> Refusal {
        let Coverage { oldest, newest } = self.coverage;
        let stopped =
            self.stopped.as_ref().map(|why| format!("; reading stopped there: {why}")).unwrap_or_default();
        Refusal {
            asked: Some(asked.to_owned()),
            range: Some((oldest, newest)),
            ..Refusal::new(
                422,
                code::OUT_OF_RANGE,
                format!("{what}: the record goes from {oldest} to {newest}{stopped}"),
            )
        }
    }

    /// The table that the name meant at a position in the log.
    fn table_at(&self, name: &TableName, cut: ReadPoint) -> Result<Found<'_>, Refusal> {
        let known = self.names.at(name, cut.at);
        if let Some((later, _)) = self.names.at(name, cut.doubtful)
            && known.is_none_or(|(from, _)| from != later)
        {
            return Err(self.ambiguous(*later, &format!("table {name}")));
        }
        let Some((from, table_state)) = known else {
            return Err(Refusal::new(
                404,
                code::UNKNOWN_TABLE,
                format!(
                    "the record says nothing of a table {name} (names count as written, upper and lower case too)"
                ),
            ));
        };
        let open = |r: &&Rename| r.at < cut.at && r.leaves_open(name);
        if let Some(Rename { pairs, at, .. }) = self.catalog.renames().iter().find(open) {
            let list: Vec<String> = pairs.iter().map(|(from, to)| format!("{from} TO {to}")).collect();
            let list = list.join(", ");
            let when =
                self.commit_index().committed(*at)?.map(|at| format!("from {at} on: ")).unwrap_or_default();
            return Err(unreadable(
                name,
                &format!(
                    "{when}the log has RENAME TABLE {list}, which may have been of a session's temporary table (MariaDB logs both alike), and nothing after it says which"
                ),
            ));
        }
        match table_state {
            TableState::Table(generation, definition) => self.found(name, *generation, *definition),
            TableState::Absent => Err(self.absent(name, cut.at)),
            TableState::Unknown { .. } => Err(unreadable(
                name,
                "nothing in the record says what its columns are at that instant (log with binlog_row_metadata=FULL, or begin the record with its CREATE TABLE)",
            )),
            TableState::Unreadable(reason) => {
                let since = self.commit_index().committed(*from)?;
                let since = since.map(|at| format!("from {at} on: ")).unwrap_or_default();
                Err(table_refused(name, reason, &since))
            }
        }
    }

    fn found(
        &self,
        name: &TableName,
        generation: GenerationId,
        definition: DefinitionId,
    ) -> Result<Found<'_>, Refusal> {
        match (self.generation(generation), self.catalog.definition(definition)) {
            (Some(known), Some(columns)) => Ok(Found {
                generation_id: generation,
                generation: known,
                definition_id: definition,
                definition: columns,
            }),
            _ => Err(Refusal::internal(format!("{name} has no definition"))),
        }
    }

    fn absent(&self, name: &TableName, cut: ChangeSequence) -> Refusal {
        let when = |s: ChangeSequence| {
            let at = self.commit_index().committed(s).ok().flatten();
            at.map_or_else(|| "an instant that is not known".to_owned(), |at| at.to_string())
        };
        let history = self.names.history(name);
        let dropped =
            history.iter().rev().find(|(from, s)| *from < cut && from.0 > 0 && *s == TableState::Absent);
        let created = history.iter().find(|(from, s)| *from >= cut && *s != TableState::Absent);
        let mut parts = vec![format!("table {name} does not exist at that instant")];
        if let Some((from, _)) = dropped {
            parts.push(format!("it was dropped or renamed at {}", when(*from)));
        }
        if let Some((from, _)) = created {
            parts.push(format!("it was created at {}", when(*from)));
        }
        Refusal::new(404, code::UNKNOWN_TABLE, parts.join("; "))
    }

    /// It is not known on which side of the instant `what` was changed, at this position of the
    /// log.
    fn ambiguous(&self, at: ChangeSequence, what: &str) -> Refusal {
        let change = match self.commit_index().of(at) {
            Ok(Some(change)) => change,
            Ok(None) => return Refusal::internal("a change without an entry".to_owned()),
            Err(failed) => return failed.into(),
        };
        let id = change.gtid.map(|g| format!(" (GTID {g})")).unwrap_or_default();
        let (committed, visible) = (change.committed, change.visible);
        let message = if visible > committed {
            format!(
                "{what} changed in the transaction{id} that could be seen from some instant between {committed} and {visible} on, and the log does not \
                 say from which: ask AT GTID, or AS OF {visible} or later, or before {committed}"
            )
        } else {
            format!(
                "{what} changed in the transaction{id} of {committed}, and around it the times in the log are not in its order (the clock was set \
                 back, the server waited with its commits, or it applied transactions of several sources): ask AT GTID, or for another instant"
            )
        };
        Refusal::new(422, code::AMBIGUOUS_TIME, message)
    }
}

fn unreadable(name: &TableName, reason: &str) -> Refusal {
    let message = format!("table {name} cannot be read at that instant: {reason}");
    Refusal::new(422, code::UNREADABLE_TABLE, message)
}

/// Refuses a table that cannot be read. `since`: from when on, in front of the reason.
fn table_refused(name: &TableName, reason: &UnreadableReason, since: &str) -> Refusal {
    let refusal = unreadable(name, &format!("{since}{reason}"));
    match reason {
        UnreadableReason::NotCaptured => Refusal { code: code::NOT_CAPTURED, ..refusal },
        UnreadableReason::Because(_) => refusal,
    }
}

#[cfg(test)]
mod generated_tests;
#[cfg(test)]
mod tests;
