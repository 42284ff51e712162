//! What the server still has of its log from before the record would begin.
//!
//! The log is read twice. The first time only for statements: a table that none of them is about
//! had all the while the definition that it has now, and another one has it after the last of
//! them. Then the record begins at the oldest file, with those definitions, and goes on as every
//! record does.
//!
//! Not all that is there is of use: before a crash of the server its log may miss the end of what
//! its tables have, and what another release logged was never compared with these definitions. The
//! record begins after the last of both.

mod part;
mod survey;

use super::SourceError;
use super::config::{Backfill, SourceConfig};
use super::resume;
use super::session::Session;
use crate::binlog_position::{BinlogPosition, ResumePosition};
use crate::capture::{Backlog, Declared, Defaults, LaterDefinition, Looked, Start, ValidFrom};
use crate::last_statements::UnknownBefore;
use crate::log::file_head::{self, FileHead};
use crate::schema::NO_TRIGGERS;
use crate::source_error::Unfit;
use dbtrail_types::timestamp::Timestamp;
use part::{FIRST, Part};
use std::cmp::Ordering;
use survey::Survey;

/// Takes a start back by as much as is asked for; `None`: there is nothing before it.
pub(super) async fn back(
    config: &SourceConfig,
    session: &mut Session,
    start: &Start,
) -> Result<Option<Start>, SourceError> {
    let to = &start.position.at;
    let mut files = resume::logs(session).await?;
    let Some(last) = files.iter().position(|log| log.file == to.file) else {
        return Err(Unfit::NotListed { file: to.file.clone() }.into());
    };
    files.truncate(last + 1);
    let from = match config.backfill {
        Backfill::None => None,
        Backfill::Oldest => files.first().map(|log| log.file.clone()),
        Backfill::Since(since) => last_before(config, session, &files, since).await?,
    };
    let Some(file) = from else { return Ok(None) };
    let from = BinlogPosition { file, offset: FIRST };
    tracing::warn!(
        "looking through what the server still has of its log, from {from} to {to}, for statements about tables"
    );
    let survey = Survey::of(config, session, &from, to).await?;
    let Some(at) = survey.at().filter(|at| *at < start.at) else {
        tracing::info!("the server's log holds no transaction from before {to}");
        return Ok(None);
    };
    let from = BinlogPosition { file: survey.head.file.clone(), offset: FIRST };
    let Some(gtids) = survey.head.gtids.clone() else {
        return Err(Unfit::NoPreviousGtids { file: from.file }.into());
    };
    let bytes = bytes(&files, &from, to);
    tracing::warn!(
        "the record begins at {at} ({from}): {bytes} bytes of log are taken in, and newer instants are answered as they come in"
    );
    let (tables, definitions) = definitions(start, &survey);
    // Defaults of schemas may have been others then.
    let collations = start.defaults.collations.clone().filter(|_| !survey.schemas_changed);
    let defaults = Defaults { collations, ..start.defaults.clone() };
    let position = ResumePosition::new(from, gtids, start.position.server.clone());
    let backlog = Some(Backlog { to: to.clone(), bytes, definitions });
    Ok(Some(Start { position, at, tables, defaults, backlog }))
}

/// The tables that were as they are now from the beginning on, and those that are so from a
/// position after it on.
fn definitions(start: &Start, survey: &Survey) -> (Vec<Declared>, Vec<LaterDefinition>) {
    let (mut tables, mut later) = (Vec::new(), Vec::new());
    for table in &start.tables {
        // Triggers that there are no more may have been there.
        let create = table.create.strip_suffix(NO_TRIGGERS).unwrap_or(&table.create).to_owned();
        let table = Declared { name: table.name.clone(), create };
        match survey.last.of(&table.name) {
            None => tables.push(table),
            Some(last) => {
                let reason = UnknownBefore::Statement(last.clone());
                tracing::info!(table = %table.name, "{reason}");
                let looked =
                    Looked { name: table.name, create: Some(table.create), since: last.position.clone() };
                later.push((ValidFrom { after: last.position.clone(), what: looked }, reason));
            }
        }
    }
    later.sort_by(|(a, _), (b, _)| a.after.compare(&b.after).unwrap_or(Ordering::Equal));
    (tables, later)
}

/// The last file that was begun before an instant; where there is none, the first one.
async fn last_before(
    config: &SourceConfig,
    session: &Session,
    files: &[BinlogPosition],
    since: Timestamp,
) -> Result<Option<String>, SourceError> {
    for log in files.iter().rev() {
        let position = BinlogPosition { file: log.file.clone(), offset: FIRST };
        let mut part = Part::open(config, session, &position).await?;
        if let Some((event, _)) = part.next().await?
            && let Some(FileHead::Description(Some(begun), _)) = file_head::read(&event)
            && begun <= since
        {
            return Ok(Some(log.file.clone()));
        }
    }
    Ok(files.first().map(|log| log.file.clone()))
}

/// Bytes of the files from one to a position in another one.
fn bytes(files: &[BinlogPosition], from: &BinlogPosition, to: &BinlogPosition) -> u64 {
    let first = files.iter().position(|log| log.file == from.file).unwrap_or(0);
    let following = files.iter().skip(first).filter(|log| log.file != to.file);
    following.map(|log| log.offset).fold(to.offset, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_part_are_counted() {
        let log = |file: &str, offset| BinlogPosition { file: file.to_owned(), offset };
        let files = [log("b.1", 100), log("b.2", 200), log("b.3", 900)];
        assert_eq!(bytes(&files, &log("b.1", 4), &log("b.3", 50)), 350);
        assert_eq!(bytes(&files, &log("b.3", 4), &log("b.3", 50)), 50);
    }
}
