//! Reading the tables: what stood there before the record began.

use super::client::ClientError;
use super::config::SourceConfig;
use super::facts::Facts;
use super::own::Known;
use super::session::Session;
use super::task::SourceTask;
use super::{Ended, keyset};
use crate::binlog_position::BinlogPosition;
use crate::capture::{BaselineJob, BaselineRows, Closed, RecorderHandle, ValidFrom};
use crate::store::GenerationId;
use dbtrail_types::result_set::Row;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Bytes of cells that go over in one message, about.
const BYTES: usize = 4 << 20;
/// Rows of the first statement of a table: how long they are is seen then.
const FIRST: u32 = 100;
/// How long a table that cannot be read is left alone: twice as long each time.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// Why a job was not done.
#[derive(Debug)]
enum Undone {
    Closed,
    /// The server cannot be reached: no table can be read.
    Unreachable(ClientError),
    /// This table cannot be read.
    Table(String),
}

impl From<Closed> for Undone {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl From<ClientError> for Undone {
    fn from(error: ClientError) -> Self {
        Self::Unreachable(error)
    }
}

/// What went wrong with a statement that reads a table.
fn of_table(error: ClientError) -> Undone {
    match error {
        ClientError::Server { .. } | ClientError::Protocol(_) => Undone::Table(error.to_string()),
        ClientError::Network(_) | ClientError::Tls(_) | ClientError::Login(_) => Undone::Unreachable(error),
    }
}

/// Tables that could not be read, until when each is left alone, and for how long that is. The
/// others are read meanwhile.
#[derive(Debug, Default)]
struct LeftAlone(HashMap<GenerationId, (Instant, Duration)>);

impl LeftAlone {
    fn put(&mut self, table: GenerationId, now: Instant) {
        let pause = self.0.get(&table).map_or(PAUSE, |(_, last)| (*last * 2).min(LONGEST));
        self.0.insert(table, (now + pause, pause));
    }

    /// It can be read.
    fn done(&mut self, table: GenerationId) {
        self.0.remove(&table);
    }

    fn at(&self, now: Instant) -> Vec<GenerationId> {
        self.0.iter().filter(|(_, (until, _))| *until > now).map(|(table, _)| *table).collect()
    }

    /// When the next of them is tried again.
    fn next(&self, now: Instant) -> Option<Instant> {
        self.0.values().map(|(until, _)| *until).filter(|until| *until > now).min()
    }
}

/// Reads what is to be read, for as long as the log is followed.
pub(super) async fn serve(reader: &SourceTask<'_>, facts: &Facts) -> Ended {
    let pace = Pace::of(&reader.config);
    let mut tables = Tables { reader, facts, session: None, last: None, limit: FIRST, pace };
    let mut left_alone = LeftAlone::default();
    loop {
        let now = Instant::now();
        let job = match reader.writer.next_job(left_alone.at(now)).await {
            Ok(Some(job)) => job,
            Ok(None) => {
                tables.session = None;
                let wished = reader.command_queue.baseline();
                match left_alone.next(now) {
                    // What comes first of the two: whether it came is all the same.
                    Some(again) => drop(timeout_at(again, wished).await),
                    None => wished.await,
                }
                continue;
            }
            Err(Closed) => return Ended::Closed,
        };
        match tables.read(&job).await {
            Ok(()) => left_alone.done(job.generation),
            Err(Undone::Closed) => return Ended::Closed,
            Err(Undone::Unreachable(error)) => {
                tracing::warn!(table = %job.name, "a table cannot be read for the baseline, trying again: {error}");
                tables.session = None;
                tokio::time::sleep(PAUSE).await;
            }
            Err(Undone::Table(why)) => {
                // A DDL statement under way, most often: when the writing half has seen it, the job
                // is another.
                tracing::warn!(table = %job.name, "a table cannot be read for the baseline, trying it again later: {why}");
                tables.session = None;
                left_alone.put(job.generation, Instant::now());
            }
        }
    }
}

/// The reading of tables, and its connection.
struct Tables<'a> {
    reader: &'a SourceTask<'a>,
    facts: &'a Facts,
    session: Option<(Session, Known)>,
    /// The table that was read last.
    last: Option<GenerationId>,
    /// Rows of its next statement.
    limit: u32,
    pace: Pace,
}

impl Tables<'_> {
    async fn open(&self) -> Result<(Session, Known), ClientError> {
        let session = Session::open_same(&self.reader.config, self.facts).await?;
        let known = self.reader.own.know(session.client.id());
        Ok((session, known))
    }

    async fn read(&mut self, job: &BaselineJob) -> Result<(), Undone> {
        let (mut session, known) = match self.session.take() {
            Some(open) => open,
            None => self.open().await?,
        };
        if keyset::in_chunks(job) {
            if self.last.replace(job.generation) != Some(job.generation) {
                self.limit = FIRST;
            }
            self.chunk(job, &mut session).await?;
            self.session = Some((session, known));
            Ok(())
        } else {
            // Rows may be left in this connection: it goes.
            self.whole(job, session).await
        }
    }

    /// The next rows in the order of the key.
    async fn chunk(&mut self, job: &BaselineJob, session: &mut Session) -> Result<(), Undone> {
        let limit = self.limit.min(self.reader.config.chunk).max(1);
        let sql = keyset::chunk(job, limit)
            .ok_or_else(|| Undone::Table("the key to go on behind is none of this table".to_owned()))?;
        let mut rows = Vec::new();
        let mut bytes = 0;
        let mut result = session.client.rows(&sql).await.map_err(of_table)?;
        while let Some(row) = result.next().await.map_err(of_table)? {
            bytes += size(&row);
            rows.push(told(job, row)?);
        }
        let read = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let after = session.log_end().await?;
        send(&self.reader.writer, job, after, rows, read < limit).await?;
        self.limit = next_limit(read, bytes, self.reader.config.chunk);
        self.pace.wait(read).await;
        Ok(())
    }

    /// All rows with one statement. They are as the table was when it began, so the end of the log
    /// is asked for, once, when the first is there.
    async fn whole(&mut self, job: &BaselineJob, mut session: Session) -> Result<(), Undone> {
        let (mut beside, _known) = self.open().await?;
        let mut result = session.client.rows(&keyset::whole(job)).await.map_err(of_table)?;
        let mut row = result.next().await.map_err(of_table)?;
        let after = beside.log_end().await?;
        drop(beside);
        let mut rows = Vec::new();
        let mut bytes = 0;
        while let Some(cells) = row {
            bytes += size(&cells);
            rows.push(told(job, cells)?);
            if bytes >= BYTES || rows.len() >= self.reader.config.chunk as usize {
                let read = u32::try_from(rows.len()).unwrap_or(u32::MAX);
                let piece = std::mem::take(&mut rows);
                bytes = 0;
                if !send(&self.reader.writer, job, after.clone(), piece, false).await? {
                    return Ok(());
                }
                self.pace.wait(read).await;
            }
            row = result.next().await.map_err(of_table)?;
        }
        send(&self.reader.writer, job, after, rows, true).await?;
        Ok(())
    }
}

fn size(row: &Row) -> usize {
    row.iter().map(|cell| cell.as_ref().map_or(1, Vec::len)).sum()
}

fn told(job: &BaselineJob, row: Row) -> Result<Row, Undone> {
    keyset::told(job, row)
        .ok_or_else(|| Undone::Table("the server sends other cells than the definition has".to_owned()))
}

async fn send(
    writer: &RecorderHandle,
    job: &BaselineJob,
    after: BinlogPosition,
    rows: Vec<Row>,
    end: bool,
) -> Result<bool, Closed> {
    let what = BaselineRows { generation: job.generation, definition: job.definition, rows, end };
    writer.baseline(ValidFrom { after, what }).await
}

/// As many rows as make up a message, going by those just read.
fn next_limit(rows: u32, bytes: usize, most: u32) -> u32 {
    let each = bytes / usize::try_from(rows.max(1)).unwrap_or(1);
    u32::try_from(BYTES / each.max(1)).unwrap_or(u32::MAX).clamp(1, most.max(1))
}

/// Keeps to the rows a second that may be read.
#[derive(Debug)]
struct Pace {
    rows_per_second: u32,
    next: Instant,
}

impl Pace {
    fn of(config: &SourceConfig) -> Self {
        Self { rows_per_second: config.rows_per_second, next: Instant::now() }
    }

    /// Waits until the rows just read have had their time.
    async fn wait(&mut self, rows: u32) {
        if self.rows_per_second == 0 {
            return;
        }
        let time = Duration::from_secs_f64(f64::from(rows) / f64::from(self.rows_per_second));
        // Time in which nothing was read is not made up for.
        self.next = self.next.max(Instant::now()) + time;
        tokio::time::sleep_until(self.next).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_the_next_statement_reads_a_message_full() {
        for (rows, bytes, want) in
            [(100, 100 * 50, 2_000), (100, 100 * 40_000, 104), (1, 50 << 20, 1), (0, 0, 2_000)]
        {
            assert_eq!(next_limit(rows, bytes, 2_000), want, "{rows} rows of {bytes} bytes");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn ok_a_table_is_left_alone_for_longer_each_time() {
        let (mut left, now) = (LeftAlone::default(), Instant::now());
        let after = |seconds| now + Duration::from_secs(seconds);
        left.put(GenerationId(1), now);
        left.put(GenerationId(2), after(1));
        assert_eq!((left.at(now).len(), left.next(now)), (2, Some(after(1))));
        assert_eq!((left.at(after(1)), left.next(after(1))), (vec![GenerationId(2)], Some(after(2))));
        for (at, until) in [(1, 3), (3, 7), (7, 15), (15, 31), (31, 61), (61, 91)] {
            left.put(GenerationId(1), after(at));
            assert_eq!(left.next(after(at).max(after(2))), Some(after(until)));
        }
        assert_eq!((left.at(after(91)), left.next(after(91))), (Vec::new(), None));
        left.done(GenerationId(1));
        left.put(GenerationId(1), after(100));
        assert_eq!(left.next(after(100)), Some(after(101)), "what could be read begins anew");
    }

    #[tokio::test(start_paused = true)]
    async fn ok_the_pace_is_kept() {
        let mut pace = Pace { rows_per_second: 1_000, next: Instant::now() };
        let began = Instant::now();
        for _ in 0..10 {
            pace.wait(500).await;
        }
        assert_eq!(began.elapsed().as_millis() / 100, 50);
    }
}
