//! Commit times: what the log says of when an entry could first be seen.

use super::event::{Event, kind};
use super::gtid::Announced;
use super::{ServerVersion, bytes::Bytes};
use dbtrail_types::timestamp::Timestamp;

const SECOND: i64 = 1_000_000;

/// What the commit time of an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// The microsecond at which the commit was written into the log (MySQL 8.0.1 and newer).
    Commit,
    /// The second in which the commit began, or in which a statement ended that is a commit by
    /// itself.
    Second,
    /// The second in which the statement began that was committed with its end: how long it took
    /// the log does not say.
    Start,
    /// The second in which the first change began of tables without transactions, which show each
    /// row when it is written: the commit was this many microseconds later.
    Span(u64),
}

impl Stamp {
    /// Whether rows of tables without transactions were committed.
    #[must_use]
    pub const fn is_of_rows_without_transactions(self) -> bool {
        matches!(self, Self::Span(_))
    }

    /// When an entry with this commit time could be seen by everyone, as far as the log alone
    /// tells.
    #[must_use]
    pub fn visible(self, committed: Timestamp) -> Timestamp {
        let later = match self {
            Self::Commit => 0,
            Self::Second | Self::Start => SECOND,
            Self::Span(micros) => i64::try_from(micros).unwrap_or(i64::MAX),
        };
        Timestamp::from_micros(committed.micros().saturating_add(later))
    }
}

/// The commit time of the entry that `event` completes; `began`: the second of its first change,
/// where its changes came one by one.
pub(super) fn of(
    event: &Event,
    announced: Option<&Announced>,
    began: Option<u32>,
    server: ServerVersion,
) -> (Timestamp, Stamp) {
    let is_query = matches!(event.kind, kind::QUERY | kind::MARIADB_QUERY_COMPRESSED);
    let (micros, stamp) = if let Some(micros) = announced.and_then(|a| a.committed) {
        (micros, Stamp::Commit)
    } else if is_query {
        // Its header has the second in which it began; the difference to its end goes with it,
        // modulo 2^32 where SET timestamp gave another beginning.
        let ended = event.timestamp.wrapping_add(execution_time(event));
        (i64::from(ended) * SECOND, Stamp::Second)
    } else if event.kind == kind::XID && server.mariadb && server.number >= (11, 8) {
        // Seen: MariaDB 11.8 stamps Xid with the commit, 10.11 with the beginning of the statement.
        (i64::from(event.timestamp) * SECOND, Stamp::Second)
    } else {
        (i64::from(event.timestamp) * SECOND, Stamp::Start)
    };
    let committed = Timestamp::from_micros(micros);
    // Transactions of InnoDB end in Xid; COMMIT as a statement ends what an engine without
    // transactions took part in.
    let began = began.filter(|_| is_query).map(|second| i64::from(second) * SECOND);
    match began {
        Some(began) if began <= micros => {
            let span = stamp.visible(committed).micros() - began;
            (Timestamp::from_micros(began), Stamp::Span(span.unsigned_abs()))
        }
        _ => (committed, stamp),
    }
}

/// Seconds from the beginning of a logged statement to its end (manual:
/// [QUERY_EVENT](https://mariadb.com/kb/en/query_event/), after the number of the thread).
fn execution_time(event: &Event) -> u32 {
    let mut body = Bytes(event.body());
    body.u32().and_then(|_thread| body.u32()).unwrap_or(0)
}
