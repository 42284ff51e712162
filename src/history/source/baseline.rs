//! Reading the tables: what stood there before the record began.

use super::client::ClientError;
use super::config::SourceConfig;
use super::facts::Facts;
use super::follow::Reader;
use super::own::Known;
use super::session::Session;
use super::{Ended, keyset};
use crate::history::capture::{BaselineJob, BaselineRows, Beside, Closed, Writer};
use crate::history::place::FilePlace;
use crate::reply::Row;
use std::time::Duration;
use tokio::time::Instant;

/// Bytes of cells that go over in one message, about.
const BYTES: usize = 4 << 20;
/// Rows of the first statement of a table: how long they are is seen then.
const FIRST: u32 = 100;
/// How long a table that cannot be read is left alone.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// Why a job was not done.
#[derive(Debug)]
enum Undone {
    Closed,
    Failed(ClientError),
    /// What the server sends is not what the definition says.
    Misfit(String),
}

impl From<Closed> for Undone {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl From<ClientError> for Undone {
    fn from(error: ClientError) -> Self {
        Self::Failed(error)
    }
}

/// Reads what is to be read, for as long as the log is followed.
pub(super) async fn serve(reader: &Reader<'_>, facts: &Facts) -> Ended {
    let mut tables = Tables { reader, facts, session: None, limit: FIRST, pace: Pace::of(&reader.config) };
    let mut pause = PAUSE;
    loop {
        let job = match reader.writer.next_job().await {
            Ok(Some(job)) => job,
            Ok(None) => {
                tables.session = None;
                reader.wishes.baseline().await;
                continue;
            }
            Err(Closed) => return Ended::Closed,
        };
        let why = match tables.read(&job).await {
            Ok(()) => {
                pause = PAUSE;
                continue;
            }
            Err(Undone::Closed) => return Ended::Closed,
            Err(Undone::Failed(error)) => error.to_string(),
            Err(Undone::Misfit(why)) => why,
        };
        // A DDL statement under way, most often: when the writing half has seen it, the job is another.
        tracing::warn!(table = %job.name, "a table cannot be read for the baseline, trying again: {why}");
        tables.session = None;
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST);
    }
}

/// The reading of tables, and its connection.
struct Tables<'a> {
    reader: &'a Reader<'a>,
    facts: &'a Facts,
    session: Option<(Session, Known)>,
    /// Rows of the next statement.
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
            if job.behind.is_none() {
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
            .ok_or_else(|| Undone::Misfit("the key to go on behind is none of this table".to_owned()))?;
        let mut rows = Vec::new();
        let mut bytes = 0;
        let mut result = session.client.rows(&sql).await?;
        while let Some(row) = result.next().await? {
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

    /// All rows with one statement. They are as the table was when it began, so the end of the log is asked for, once, when the first is there.
    async fn whole(&mut self, job: &BaselineJob, mut session: Session) -> Result<(), Undone> {
        let (mut beside, _known) = self.open().await?;
        let mut result = session.client.rows(&keyset::whole(job)).await?;
        let mut row = result.next().await?;
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
            row = result.next().await?;
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
        .ok_or_else(|| Undone::Misfit("the server sends other cells than the definition has".to_owned()))
}

async fn send(
    writer: &Writer,
    job: &BaselineJob,
    after: FilePlace,
    rows: Vec<Row>,
    end: bool,
) -> Result<bool, Closed> {
    let what = BaselineRows { space: job.space, definition: job.definition, rows, end };
    writer.baseline(Beside { after, what }).await
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
    async fn ok_the_pace_is_kept() {
        let mut pace = Pace { rows_per_second: 1_000, next: Instant::now() };
        let began = Instant::now();
        for _ in 0..10 {
            pace.wait(500).await;
        }
        assert_eq!(began.elapsed().as_millis() / 100, 50);
    }
}
