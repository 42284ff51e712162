//! Whether and how the log can be followed on from a position.

mod lost;

use super::SourceError;
use super::client::ClientError;
use super::dump_origin::Origin;
use super::session::Session;
use crate::binlog_position::{BinlogPosition, ResumePosition};
use crate::capture::{LogLoss, NotByGtid, OtherServer};
pub(super) use lost::logs;
use lost::{cut, lost_transactions, purged};

/// ER_MASTER_FATAL_ERROR_READING_BINLOG.
const CANNOT_READ_LOG: u16 = 1236;

/// How capturing goes on after the last transaction that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Continuation {
    /// The log can be followed from here.
    On(Origin),
    /// Part of the log is gone: why.
    Gap(LogLoss),
}

/// Looks at what the server has.
pub(super) async fn continuation(
    session: &mut Session,
    position: &ResumePosition,
) -> Result<Continuation, SourceError> {
    let facts = &session.facts;
    let facts_gtids = facts.gtids();
    if facts.identity.same_server(&position.server) {
        let logs = logs(session).await?;
        for at in [&position.at, &position.end()] {
            if let Some(why) = cut(&logs, at) {
                return Ok(Continuation::Gap(why));
            }
        }
        return Ok(match lost_transactions(session, position).await? {
            Some(why) => Continuation::Gap(why),
            None => Continuation::On(onward(position, &logs, facts_gtids)),
        });
    }
    let server = OtherServer {
        now: facts.who(),
        server_id: position.server.server_id,
        uuid: position.server.uuid.clone(),
    };
    if position.gtids.is_empty() || !facts.gtids() || facts.mariadb() != position.server.mariadb {
        return Ok(Continuation::Gap(LogLoss::OtherServer { server, why: NotByGtid::NoGtids }));
    }
    if !facts.mariadb()
        && let Some(why) = purged(session, position).await?
    {
        return Ok(Continuation::Gap(LogLoss::OtherServer { server, why }));
    }
    tracing::warn!("{server}: going on by GTID");
    Ok(Continuation::On(Origin::Gtids(position.gtids.clone())))
}

/// From where the log is followed on. A dump begins in the first 4 GiB of a file (COM_BINLOG_DUMP
/// has 32 bits for the position): after them, from the next file if nothing but the way there is
/// left, else by GTID.
fn onward(position: &ResumePosition, logs: &[BinlogPosition], gtids: bool) -> Origin {
    let from = position.from();
    if u32::try_from(from.offset).is_ok() {
        return Origin::ResumePosition(from);
    }
    let at = &position.at;
    if let Some([this, next, ..]) = logs.windows(2).find(|pair| pair[0].file == at.file)
        && this.offset.saturating_sub(at.offset) <= rotation(&next.file)
    {
        return Origin::ResumePosition(BinlogPosition { file: next.file.clone(), offset: 4 });
    }
    if gtids && !position.gtids.is_empty() {
        return Origin::AfterGtids(at.clone(), position.gtids.clone());
    }
    Origin::ResumePosition(from)
}

/// Bytes of a ROTATE event to a file: header, position, name and checksum.
fn rotation(file: &str) -> u64 {
    19 + 8 + file.len() as u64 + 4
}

/// Whether the server has no event where one was captured, by its refusal to send the log from
/// there: its words are those for a damaged log (for events that seem larger than
/// `max_allowed_packet`, too).
pub(super) fn is_elsewhere(message: &str) -> bool {
    let words = [
        "max_allowed_packet",
        "bogus data",
        "impossible position",
        "position > file size",
        "invalid position",
    ];
    words.iter().any(|w| message.contains(w))
}

/// Whether the server says that it does not have a transaction after which its log is asked for
/// (MariaDB).
pub(super) fn is_other_history(message: &str) -> bool {
    message.contains("not in the master's binlog")
        || message.contains("GTID position") && message.contains("diverge")
}

/// Whether the server says that it cannot read its log, and not that another replica has the same
/// number.
pub(super) fn is_final(error: &ClientError) -> bool {
    matches!(error, ClientError::Server { code: CANNOT_READ_LOG, message } if !is_clash(message))
}

/// Whether another replica has taken the server's thread away.
fn is_clash(message: &str) -> bool {
    message.contains("same server_uuid/server_id")
}

/// The set as it can be in a statement.
fn set(position: &ResumePosition) -> String {
    position.gtids.replace('\'', "")
}

/// A GTID set for a message.
fn short(set: &str) -> String {
    let compact: String = set.chars().filter(|c| !c.is_whitespace()).collect();
    if compact.len() <= 120 {
        compact
    } else {
        format!("{}...", compact.chars().take(120).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binlog_position::{Identity, LastEvent};

    fn at(file: &str, offset: u64) -> BinlogPosition {
        BinlogPosition { file: file.to_owned(), offset }
    }

    #[test]
    fn what_is_gone_was_purged_cut_or_reset() {
        for (logs, position, want) in [
            (vec![at("b.000007", 900)], at("b.000007", 900), None),
            (vec![at("b.000008", 900)], at("b.000007", 4), Some("has purged b.000007")),
            (vec![at("b.000001", 900)], at("b.000007", 4), Some("log was begun again")),
            (vec![], at("b.000007", 4), Some("log was begun again")),
            (vec![at("b.000007", 899)], at("b.000007", 900), Some("ends at byte 899")),
        ] {
            let why = cut(&logs, &position);
            assert_eq!(why.is_some(), want.is_some(), "{why:?}");
            assert!(
                want.is_none_or(|want| why.as_ref().is_some_and(|why| why.to_string().contains(want))),
                "{why:?}"
            );
        }
    }

    #[test]
    fn after_four_gigabytes_there_is_a_way_on() {
        let far = 4_509_067_804;
        let server = Identity { mariadb: false, uuid: None, server_id: 1, version: "9.7.4".to_owned() };
        let last = LastEvent { file: "b.000001".to_owned(), offset: far - 31, length: 31, fingerprint: 7 };
        let position = ResumePosition {
            last: Some(last.clone()),
            ..ResumePosition::new(at("b.000001", far), "u:1-5".to_owned(), server.clone())
        };
        // What MySQL writes after one transaction of 4.5 GB is the way to the next file.
        let logs = [at("b.000001", far + 39), at("b.000002", 200)];
        assert_eq!(onward(&position, &logs, true), Origin::ResumePosition(at("b.000002", 4)));
        assert_eq!(onward(&position, &logs, false), Origin::ResumePosition(at("b.000002", 4)));
        let logs = [at("b.000001", far + 4000)];
        assert_eq!(
            onward(&position, &logs, true),
            Origin::AfterGtids(at("b.000001", far), "u:1-5".to_owned())
        );
        assert_eq!(onward(&position, &logs, false), Origin::ResumePosition(at("b.000001", far - 31)));
        // The last event comes again, so that it can be compared.
        let near = LastEvent { offset: 469, ..last };
        let near = ResumePosition {
            last: Some(near),
            ..ResumePosition::new(at("b.000001", 500), String::new(), server)
        };
        assert_eq!(onward(&near, &logs, true), Origin::ResumePosition(at("b.000001", 469)));
    }

    #[test]
    fn refusals_that_no_second_attempt_mends() {
        for (message, elsewhere, other) in [
            ("Client requested source to start replication from position > file size", true, false),
            ("bogus data in log event; the first event 'binlog.000003' at 500", true, false),
            (
                "log event entry exceeded max_allowed_packet; Increase max_allowed_packet on source",
                true,
                false,
            ),
            ("Client requested master to start replication from impossible position", true, false),
            (
                "Error: connecting slave requested to start from GTID 0-1-9, which is not in the master's binlog",
                false,
                true,
            ),
            ("could not find next log", false, false),
        ] {
            assert_eq!((is_elsewhere(message), is_other_history(message)), (elsewhere, other), "{message}");
        }
    }
}
