//! Where a record begins: a position in the log such that all before it can be seen in the tables,
//! found without stopping writers.

use super::SourceError;
use super::client::{Client, StartFrom};
use super::config::SourceConfig;
use super::event::{self, Step, Track};
use super::session::Session;
use super::{stream, view};
use crate::binlog_position::{BinlogPosition, ResumePosition};
use crate::capture::{Declared, Defaults, Start};
use crate::source_error::Unfit;
use dbtrail_types::timestamp::Timestamp;
use std::time::Duration;

/// How often the definitions are read again when DDL came between.
const TRIES: u32 = 10;
/// How long commits that were under way are waited for.
const DRAIN: Duration = Duration::from_secs(30);

/// Takes a start.
pub(super) async fn take(config: &SourceConfig, session: &mut Session) -> Result<Start, SourceError> {
    let mut before = session.definitions(config).await?;
    let mut collations = session.collations().await?;
    for round in 1..=TRIES {
        let (at, gtids) = note(config, session).await?;
        let clock = now(session).await?;
        let after = session.definitions(config).await?;
        let collations_before = std::mem::replace(&mut collations, session.collations().await?);
        if same(&before, &after) && collations_before == collations {
            let server = session.facts.identity.clone();
            let tables: Vec<Declared> = after.into_iter().map(|(declared, _)| declared).collect();
            tracing::info!(position = %at, gtids, tables = tables.len(), "the record begins");
            let defaults = Defaults {
                lower_case_table_names: session.facts.lower_case_table_names(),
                collations: Some(collations),
            };
            let position = ResumePosition::new(at, gtids, server);
            return Ok(Start { position, at: clock, tables, defaults, backlog: None });
        }
        tracing::info!(round, "tables were changed by DDL while the start was noted: once more");
        before = after;
        tokio::time::sleep(Duration::from_millis(200) * round).await;
    }
    Err(Unfit::Restless { tries: TRIES }.into())
}

/// Whether no table was changed. The next AUTO_INCREMENT value, which every INSERT changes, is none
/// of the definition.
fn same(before: &[(Declared, String)], after: &[(Declared, String)]) -> bool {
    before.len() == after.len()
        && before.iter().zip(after).all(|((a, made), (b, made_again))| {
            a.name == b.name && made == made_again && without_next(&a.create) == without_next(&b.create)
        })
}

/// SHOW CREATE TABLE in two parts, around the next AUTO_INCREMENT value among the table's options.
fn without_next(create: &str) -> (&str, &str) {
    let options = create.rfind("\n) ").unwrap_or(0);
    let (columns, rest) = create.split_at(options);
    match rest.split_once(" AUTO_INCREMENT=") {
        Some((front, last_key)) => {
            let end = columns.len() + front.len();
            (&create[..end], last_key.trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        None => match rest.find(" DEFAULT CHARSET=") {
            Some(at) => create.split_at(columns.len() + at),
            None => (create, ""),
        },
    }
}

/// A position, and the transactions before it by GTID.
async fn note(config: &SourceConfig, session: &mut Session) -> Result<(BinlogPosition, String), SourceError> {
    if session.facts.mariadb() {
        mariadb(session).await
    } else if session.facts.gtids() {
        mysql_with_gtids(config, session).await
    } else {
        Ok((view::locked(session, None).await?, String::new()))
    }
}

/// The server's clock, after the stamps of all commits before the position.
async fn now(session: &mut Session) -> Result<Timestamp, SourceError> {
    let now = session.now().await?;
    if session.facts.commit_stamps() {
        return Ok(now);
    }
    // Stamps are whole seconds there.
    Ok(Timestamp::from_micros(now.micros().div_euclid(1_000_000).saturating_add(1) * 1_000_000))
}

/// MariaDB tells the position that belongs to a snapshot (Knowledge Base: ["Enhancements for START
/// TRANSACTION WITH CONSISTENT
/// SNAPSHOT"](https://mariadb.com/kb/en/enhancements-for-start-transaction-with-consistent-snapshot/)):
/// what is committed in the engines then is what lies before it.
async fn mariadb(session: &mut Session) -> Result<(BinlogPosition, String), SourceError> {
    session.client.execute(view::SNAPSHOT).await?;
    let position = view::of_snapshot(session).await;
    session.client.execute("ROLLBACK").await?;
    let position = position?;
    let sql = format!("SELECT BINLOG_GTID_POS('{}', {})", position.file.replace('\'', "''"), position.offset);
    let gtids = session.client.one(&sql).await?.unwrap_or_default();
    Ok((position, gtids))
}

/// MySQL with GTIDs. The end of the log is noted first; some transactions before it may still be on
/// their way from the log into the engines. Those own their GTIDs until they can be seen: when all
/// that were owned are free, everything before the position can be seen.
async fn mysql_with_gtids(
    config: &SourceConfig,
    session: &mut Session,
) -> Result<(BinlogPosition, String), SourceError> {
    let position = session.log_end().await?;
    if !view::drained(session, DRAIN).await? {
        // A session can hold a GTID for as long as it likes (SET gtid_next), and an applier for a
        // long transaction.
        tracing::info!("transactions with GTIDs of their own stay open: taking a short read lock instead");
        let position = view::locked(session, None).await?;
        let gtids = before(config, session, &position).await?;
        return Ok((position, gtids));
    }
    let gtids = before(config, session, &position).await?;
    Ok((position, gtids))
}

/// The GTIDs before a position whose transactions are all executed: those executed now without
/// those that the log has after it.
async fn before(
    config: &SourceConfig,
    session: &mut Session,
    position: &BinlogPosition,
) -> Result<String, SourceError> {
    let executed = session.client.one("SELECT @@GLOBAL.gtid_executed").await?.unwrap_or_default();
    let end = session.log_end().await?;
    let last_key =
        if end == *position { Vec::new() } else { between(config, session, position, &end).await? };
    if last_key.is_empty() {
        return Ok(executed.split_whitespace().collect());
    }
    let sql = format!("SELECT GTID_SUBTRACT('{executed}', '{}')", last_key.join(","));
    let rest = session.client.one(&sql).await?.unwrap_or_default();
    Ok(rest.split_whitespace().collect())
}

/// The GTIDs of the log between two positions.
async fn between(
    config: &SourceConfig,
    session: &Session,
    from: &BinlogPosition,
    to: &BinlogPosition,
) -> Result<Vec<String>, SourceError> {
    let mut client = Client::connect(config).await?;
    let checksum = stream::prepare(&mut client, &session.facts, config.heartbeat).await?;
    let offset = stream::offset(from)?;
    let asked = StartFrom::ResumePosition { file: &from.file, offset, to_end: true };
    client.follow(config.server_id, asked).await?;
    let mut track = Track::from(from.clone(), checksum);
    let mut found = Vec::new();
    while !track.position().reaches(to) {
        let Some(event) = client.event().await? else { break };
        let step = track.take(&event).map_err(Unfit::from)?;
        if matches!(step, Step::Event(_))
            && let Some(gtid) = event::mysql_gtid(&event, track.checksum())
        {
            found.push(gtid.to_string());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_insert_changes_no_definition() {
        let table = |next: &str, engine: &str| {
            let create = format!(
                "CREATE TABLE `t` (\n  `id` int COMMENT ' AUTO_INCREMENT=1'\n) ENGINE={engine}{next} DEFAULT CHARSET=utf8mb4"
            );
            let name = dbtrail_types::names::TableName { schema: "s".into(), table: "t".into() };
            vec![(Declared { name, create }, "BASE TABLE".to_owned())]
        };
        let empty = table("", "InnoDB");
        for (other, want) in [
            (table(" AUTO_INCREMENT=5", "InnoDB"), true),
            (table("", "MyISAM"), false),
            (table("", "InnoDB"), true),
            (vec![], false),
        ] {
            assert_eq!(same(&empty, &other), want);
        }
        assert!(same(&table(" AUTO_INCREMENT=5", "InnoDB"), &table(" AUTO_INCREMENT=123", "InnoDB")));
        assert!(!same(&table(" AUTO_INCREMENT=5", "InnoDB"), &table(" AUTO_INCREMENT=5", "MyISAM")));
    }
}
