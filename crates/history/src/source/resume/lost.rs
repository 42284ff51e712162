//! Which part of the log is lost: between where the record ends and where the server's log begins.

use super::super::SourceError;
use super::super::session::Session;
use super::{set, short};
use crate::binlog_position::{BinlogPosition, ResumePosition};
use crate::capture::{LogLoss, NotByGtid};
use crate::gtid::GtidSet;

/// Whether the same server has forgotten transactions that were captured: it was restored from a
/// backup, lost them in a crash, or its log was reset.
pub(super) async fn lost_transactions(
    session: &mut Session,
    position: &ResumePosition,
) -> Result<Option<LogLoss>, SourceError> {
    if position.gtids.is_empty() {
        return Ok(None);
    }
    if session.facts.mariadb() {
        return lost_at_position(session, position).await;
    }
    if !session.facts.gtids() {
        return Ok(None);
    }
    let lost = session
        .client
        .one(&format!("SELECT GTID_SUBTRACT('{}', @@GLOBAL.gtid_executed)", set(position)))
        .await?;
    Ok(lost.filter(|l| !l.is_empty()).map(|lost| LogLoss::Forgotten { gtids: short(&lost) }))
}

/// MariaDB: whether the log up to the position has other transactions than those captured.
async fn lost_at_position(
    session: &mut Session,
    position: &ResumePosition,
) -> Result<Option<LogLoss>, SourceError> {
    // Of what was executed up to there: a transaction that is only prepared may have begun long
    // before.
    let following = position.end();
    let BinlogPosition { file, offset } = &following;
    if *offset > u64::from(u32::MAX) {
        // The function knows no such positions: it answers NULL.
        return Ok(None);
    }
    let sql = format!("SELECT BINLOG_GTID_POS('{}', {offset})", file.replace('\'', "''"));
    let Some(there) = session.client.one(&sql).await? else {
        return Ok(Some(LogLoss::NoEventBegins { at: following }));
    };
    let Ok(GtidSet::MariaDb(ours)) = GtidSet::parse(&position.gtids) else { return Ok(None) };
    let theirs = match GtidSet::parse(&there) {
        Ok(GtidSet::MariaDb(theirs)) => theirs,
        Ok(GtidSet::MySql(_)) | Err(_) => Vec::new(),
    };
    // What was taken in last cannot lie after what is in the log before the position.
    let wrong = ours.iter().any(|(domain, server, sequence)| {
        !theirs.iter().any(|(d, s, n)| d == domain && (n >= sequence || s != server))
    });
    Ok(wrong.then(|| LogLoss::OtherGtids { there, at: following, captured: position.gtids.clone() }))
}

/// MySQL: why the transactions that are missing here cannot all be had from this server.
pub(super) async fn purged(
    session: &mut Session,
    position: &ResumePosition,
) -> Result<Option<NotByGtid>, SourceError> {
    let ours = set(position);
    let sql = format!(
        "SELECT GTID_SUBTRACT('{ours}', @@GLOBAL.gtid_executed), GTID_SUBTRACT(@@GLOBAL.gtid_purged, '{ours}')"
    );
    let row = session.client.texts(&sql).await?.unwrap_or_default();
    let mut cells = row.into_iter().map(Option::unwrap_or_default);
    let (unknown, purged) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
    Ok(if !unknown.is_empty() {
        Some(NotByGtid::Misses { gtids: short(&unknown) })
    } else if !purged.is_empty() {
        Some(NotByGtid::Purged { gtids: short(&purged) })
    } else {
        None
    })
}

/// The server's files and their sizes, oldest first.
pub(in crate::source) async fn logs(session: &mut Session) -> Result<Vec<BinlogPosition>, SourceError> {
    let logs = session.client.query("SHOW BINARY LOGS").await?;
    let sizes = logs.into_iter().map(|row| {
        let mut cells = row.into_iter().map(|c| super::super::client::text(c).unwrap_or_default());
        let file = cells.next().unwrap_or_default();
        BinlogPosition { file, offset: cells.next().unwrap_or_default().parse().unwrap_or(0) }
    });
    Ok(sizes.collect())
}

/// Why the server's files do not reach up to the position any more.
pub(super) fn cut(logs: &[BinlogPosition], at: &BinlogPosition) -> Option<LogLoss> {
    match logs.iter().find(|log| log.file == at.file) {
        None => Some(match logs.first() {
            Some(first) if first.number() > at.number() => {
                LogLoss::Purged { file: at.file.clone(), oldest: first.file.clone() }
            }
            first => LogLoss::BegunAgain { at: at.clone(), oldest: first.map(|f| f.file.clone()) },
        }),
        Some(log) if log.offset < at.offset => Some(LogLoss::Shorter { at: at.clone(), size: log.offset }),
        Some(_) => None,
    }
}
