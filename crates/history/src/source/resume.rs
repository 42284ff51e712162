//! Whether and how the log can be followed on from a place.

use super::SourceError;
use super::client::ClientError;
use super::session::Session;
use super::stream::Origin;
use crate::gtid::GtidSet;
use crate::place::{FilePlace, Place};

/// ER_MASTER_FATAL_ERROR_READING_BINLOG.
const CANNOT_READ_LOG: u16 = 1236;

/// The way on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From here.
    On(Origin),
    /// Part of the log is gone: why.
    Gap(String),
}

/// Looks at what the server has.
pub(super) async fn way(session: &mut Session, place: &Place) -> Result<Way, SourceError> {
    let facts = &session.facts;
    if facts.identity.same_server(&place.server) {
        if let Some(why) = cut(session, &place.at).await? {
            return Ok(Way::Gap(why));
        }
        return Ok(match lost_transactions(session, place).await? {
            Some(why) => Way::Gap(why),
            None => Way::On(Origin::Place(place.at.clone())),
        });
    }
    let other = format!(
        "another server answers than the one captured from (now {}, before server_id {}{})",
        facts.who(),
        place.server.server_id,
        place.server.uuid.as_ref().map_or_else(String::new, |u| format!(" and server_uuid {u}"))
    );
    if place.gtids.is_empty() || !facts.gtids() || facts.mariadb() != place.server.mariadb {
        return Ok(Way::Gap(format!("{other}, and places in its log cannot be compared without GTIDs")));
    }
    if !facts.mariadb()
        && let Some(why) = purged(session, place).await?
    {
        return Ok(Way::Gap(format!("{other}, and {why}")));
    }
    tracing::warn!("{other}: going on by GTID");
    Ok(Way::On(Origin::Gtids(place.gtids.clone())))
}

/// Whether the same server has forgotten transactions that were captured: it was restored from a backup, lost them in a crash, or its log was reset.
async fn lost_transactions(session: &mut Session, place: &Place) -> Result<Option<String>, SourceError> {
    if place.gtids.is_empty() {
        return Ok(None);
    }
    if session.facts.mariadb() {
        return lost_at_place(session, place).await;
    }
    if !session.facts.gtids() {
        return Ok(None);
    }
    let lost = session
        .client
        .one(&format!("SELECT GTID_SUBTRACT('{}', @@GLOBAL.gtid_executed)", set(place)))
        .await?;
    Ok(lost.filter(|l| !l.is_empty()).map(|lost| {
        format!("the server does not have transactions any more that were captured from it ({}): was it restored or reset?", short(&lost))
    }))
}

/// MariaDB: whether the log up to the place has other transactions than those captured.
async fn lost_at_place(session: &mut Session, place: &Place) -> Result<Option<String>, SourceError> {
    let FilePlace { file, offset } = &place.at;
    let sql = format!("SELECT BINLOG_GTID_POS('{}', {offset})", file.replace('\'', "''"));
    let Some(there) = session.client.one(&sql).await? else {
        return Ok(Some(format!(
            "no event of the server's log begins at {}, up to where it was read: was it restored, or its log reset?",
            place.at
        )));
    };
    let Ok(GtidSet::MariaDb(ours)) = GtidSet::parse(&place.gtids) else { return Ok(None) };
    let theirs = match GtidSet::parse(&there) {
        Ok(GtidSet::MariaDb(theirs)) => theirs,
        Ok(GtidSet::MySql(_)) | Err(_) => Vec::new(),
    };
    // What was taken in last cannot lie behind what is in the log before the place.
    let wrong = ours.iter().any(|(domain, server, sequence)| {
        !theirs.iter().any(|(d, s, n)| d == domain && (n >= sequence || s != server))
    });
    Ok(wrong.then(|| {
        format!(
            "the server's log has '{there}' before {} where {} was captured: was it restored, or its log reset?",
            place.at, place.gtids
        )
    }))
}

/// MySQL: why the transactions that are missing here cannot all be had from this server.
async fn purged(session: &mut Session, place: &Place) -> Result<Option<String>, SourceError> {
    let ours = set(place);
    let sql = format!(
        "SELECT GTID_SUBTRACT('{ours}', @@GLOBAL.gtid_executed), GTID_SUBTRACT(@@GLOBAL.gtid_purged, '{ours}')"
    );
    let row = session.client.texts(&sql).await?.unwrap_or_default();
    let mut cells = row.into_iter().map(Option::unwrap_or_default);
    let (unknown, purged) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
    Ok(if !unknown.is_empty() {
        Some(format!("it does not have all transactions that were captured ({})", short(&unknown)))
    } else if !purged.is_empty() {
        Some(format!("it has purged transactions from its log that were not captured ({})", short(&purged)))
    } else {
        None
    })
}

/// Why the server's files do not reach up to the place any more.
async fn cut(session: &mut Session, at: &FilePlace) -> Result<Option<String>, SourceError> {
    let logs = session.client.query("SHOW BINARY LOGS").await?;
    let mut logs = logs.into_iter().map(|row| {
        let mut cells = row.into_iter().map(|c| super::client::text(c).unwrap_or_default());
        (cells.next().unwrap_or_default(), cells.next().unwrap_or_default().parse::<u64>().unwrap_or(0))
    });
    Ok(match logs.find(|(name, _)| *name == at.file) {
        None => Some(format!("the server has purged {} before it was read to the end", at.file)),
        Some((_, size)) if size < at.offset => Some(format!(
            "{} ends at byte {size} on the server and was read up to {}: did it lose its end in a crash (sync_binlog), or was the log reset?",
            at.file, at.offset
        )),
        Some(_) => None,
    })
}

/// Whether the server says that it cannot read its log, and not that another replica has the same number.
pub(super) fn is_final(error: &ClientError) -> bool {
    matches!(error, ClientError::Server { code: CANNOT_READ_LOG, message } if !is_clash(message))
}

/// Whether another replica has taken the server's thread away.
fn is_clash(message: &str) -> bool {
    message.contains("same server_uuid/server_id")
}

/// The set as it can stand in a statement.
fn set(place: &Place) -> String {
    place.gtids.replace('\'', "")
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
