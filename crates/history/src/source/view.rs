//! A view of the tables as they are at one position in the log, for tables that foreign keys change
//! faster than they can be read otherwise.

use super::SourceError;
use super::session::Session;
use super::waiting;
use crate::binlog_position::BinlogPosition;
use crate::capture::TableView;
use crate::source_error::Unfit;
use std::collections::BTreeSet;
use std::time::Duration;

/// Opens a view of the tables that does not change.
pub(super) const SNAPSHOT: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT";

/// How long transactions are waited for that are on their way from the log into the engines.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long transactions may take from the log to where everybody sees them.
const SEEN_BY: Duration = Duration::from_secs(30);
const DRAIN_STEP: Duration = Duration::from_millis(20);

/// Opens it on this connection; `None`: transactions that were under way did not come to an end.
pub(super) async fn open(session: &mut Session) -> Result<Option<TableView>, SourceError> {
    if session.facts.mariadb() {
        session.client.execute(SNAPSHOT).await?;
        let position = of_snapshot(session).await?;
        return Ok(Some(TableView { seen: position.clone(), within: position }));
    }
    if !session.facts.gtids() {
        let position = locked(session, Some(SNAPSHOT)).await?;
        return Ok(Some(TableView { seen: position.clone(), within: position }));
    }
    let seen = session.log_end().await?;
    if !drained(session, PATIENCE).await? {
        return Ok(None);
    }
    session.client.execute(SNAPSHOT).await?;
    let within = session.log_end().await?;
    Ok(Some(TableView { seen, within }))
}

/// Waits until everybody sees what is in the log now: a change by which the rows of a table became
/// unknown must be among what is read of it next.
pub(super) async fn settled(session: &mut Session) -> Result<(), SourceError> {
    if !session.facts.mariadb() && session.facts.gtids() {
        if !drained(session, SEEN_BY).await? {
            locked(session, None).await?;
        }
        return Ok(());
    }
    if !session.facts.mariadb() {
        // It does not say what is under way, only how long it waits.
        tokio::time::sleep(waiting::longest(session).await?.min(SEEN_BY)).await;
        return Ok(());
    }
    let end = session.log_end().await?;
    let began = tokio::time::Instant::now();
    loop {
        session.client.execute(SNAPSHOT).await?;
        let position = of_snapshot(session).await;
        session.client.execute("ROLLBACK").await?;
        if position?.reaches(&end) {
            return Ok(());
        }
        if began.elapsed() > SEEN_BY {
            return Err(Unfit::NotVisible { end }.into());
        }
        tokio::time::sleep(DRAIN_STEP).await;
    }
}

/// The position in the log that belongs to the open snapshot of a MariaDB server.
pub(super) async fn of_snapshot(session: &mut Session) -> Result<BinlogPosition, SourceError> {
    let rows = session.client.query("SHOW STATUS LIKE 'binlog\\_snapshot\\_%'").await?;
    let mut position = BinlogPosition { file: String::new(), offset: 0 };
    for row in rows {
        let mut cells = row.into_iter().map(|c| super::client::text(c).unwrap_or_default());
        let (name, value) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
        match name.to_ascii_lowercase().as_str() {
            "binlog_snapshot_file" => position.file = value,
            "binlog_snapshot_position" => position.offset = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    if position.file.is_empty() || position.offset == 0 {
        return Err(Unfit::NoSnapshotPosition.into());
    }
    Ok(position)
}

/// Waits until the transactions that are on their way from the log into the engines now can be
/// seen; false: some are still under way.
pub(super) async fn drained(session: &mut Session, patience: Duration) -> Result<bool, SourceError> {
    let under_way = owned(session).await?;
    let began = tokio::time::Instant::now();
    while !owned(session).await?.is_disjoint(&under_way) {
        if began.elapsed() > patience {
            return Ok(false);
        }
        tokio::time::sleep(DRAIN_STEP).await;
    }
    Ok(true)
}

/// GTIDs that transactions own: written or about to be, and not yet to be seen.
async fn owned(session: &mut Session) -> Result<BTreeSet<String>, SourceError> {
    Ok(owned_gtids(&session.client.one("SELECT @@GLOBAL.gtid_owned").await?.unwrap_or_default()))
}

/// Reads `gtid_owned`: `uuid:5#11:tag:7#12#13,uuid:...` (the number of a transaction, then the
/// threads that own it).
fn owned_gtids(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in text.split(',') {
        let mut fields = part.split(':').map(str::trim);
        let source = fields.next().unwrap_or_default();
        let mut tag = String::new();
        for field in fields {
            match field.split_once('#') {
                Some((number, _)) => _ = found.insert(format!("{source}{tag}:{number}")),
                None => tag = format!(":{field}"),
            }
        }
    }
    found
}

/// Any server: with commits held up for as long as it takes to ask for the position, and to carry
/// out `first`.
pub(super) async fn locked(
    session: &mut Session,
    first: Option<&str>,
) -> Result<BinlogPosition, SourceError> {
    let lock = async {
        session.client.execute("SET SESSION lock_wait_timeout = 3").await?;
        session.client.execute("FLUSH TABLES WITH READ LOCK").await
    };
    if let Err(e) = lock.await {
        return Err(Unfit::NoLock(e).into());
    }
    let position = async {
        if let Some(statement) = first {
            session.client.execute(statement).await?;
        }
        session.log_end().await
    };
    let position = position.await;
    session.client.execute("UNLOCK TABLES").await?;
    session.client.execute("SET SESSION lock_wait_timeout = 10").await?;
    Ok(position?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_owned_gtids() {
        let uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
        let other = "4e11fa47-71ca-11e1-9e33-c80aa9429562";
        let read = |text: &str| owned_gtids(text).into_iter().collect::<Vec<_>>();
        assert!(read("").is_empty());
        assert_eq!(read(&format!("{uuid}:5#11")), [format!("{uuid}:5")]);
        assert_eq!(
            read(&format!("{uuid}:5#11:6#12#13:tag:5#14,\n{other}:9#1")),
            [format!("{uuid}:5"), format!("{uuid}:6"), format!("{uuid}:tag:5"), format!("{other}:9")]
        );
    }
}
