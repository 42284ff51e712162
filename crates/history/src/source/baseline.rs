//! Reading the tables: what was there before the record began.

use super::client::{ClientError, Rows};
use super::facts::Facts;
use super::left_alone::{LeftAlone, PAUSE};
use super::own_connections::OwnConnection;
use super::pace::Pace;
use super::session::Session;
use super::task::SourceTask;
use super::{Ended, SourceError, Unfit, keyset, view};
use crate::binlog_position::BinlogPosition;
use crate::capture::{BaselineJob, BaselineRows, Closed, RecorderHandle, ValidFrom};
use crate::store::GenerationId;
use dbtrail_types::result_set::Row;
use tokio::time::{Instant, timeout_at};

/// Bytes of cells that go over in one message, about.
const BYTES: usize = 4 << 20;
/// Rows of the first statement of a table: how long they are is seen then.
const FIRST: u32 = 100;
/// Why a job was not done.
#[derive(Debug)]
enum Undone {
    Closed,
    /// The server cannot be reached: no table can be read.
    Unreachable(ClientError),
    /// This table cannot be read.
    Table(TableFault),
}

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
enum TableFault {
    #[error(transparent)]
    Server(ClientError),
    #[error(transparent)]
    Unfit(Unfit),
    #[error("the key to go on after is none of this table")]
    Key,
    #[error("the server sends other cells than the definition has")]
    Cells,
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
        ClientError::Server { .. } | ClientError::Protocol(_) => Undone::Table(TableFault::Server(error)),
        ClientError::Network(_) | ClientError::Tls(_) | ClientError::Login(_) => Undone::Unreachable(error),
    }
}

fn of_source(error: SourceError) -> Undone {
    match error {
        SourceError::Client(error) => of_table(error),
        SourceError::Unfit(why) => Undone::Table(TableFault::Unfit(why)),
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
                let asked = reader.command_queue.baseline();
                match left_alone.next(now) {
                    // What comes first of the two: whether it came is all the same.
                    Some(again) => drop(timeout_at(again, asked).await),
                    None => asked.await,
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
    session: Option<(Session, OwnConnection)>,
    /// The table that was read last.
    last: Option<GenerationId>,
    /// Rows of its next statement.
    limit: u32,
    pace: Pace,
}

impl Tables<'_> {
    async fn open(&self) -> Result<(Session, OwnConnection), ClientError> {
        let session = Session::open_same(&self.reader.config, self.facts).await?;
        let known = self.reader.own.know(session.client.id());
        Ok((session, known))
    }

    async fn read(&mut self, job: &BaselineJob) -> Result<(), Undone> {
        let (mut session, known) = match self.session.take() {
            Some(open) => open,
            None => self.open().await?,
        };
        if job.held {
            return self.read_under_hold(session).await;
        }
        if keyset::in_chunks(job) {
            if self.last.replace(job.generation) != Some(job.generation) {
                self.limit = FIRST;
            }
            self.chunk(job, &mut session).await?;
            self.session = Some((session, known));
            Ok(())
        } else {
            // Rows may be left in this connection: it goes.
            self.read_all(job, session).await
        }
    }

    /// The next rows in the order of the key.
    async fn chunk(&mut self, job: &BaselineJob, session: &mut Session) -> Result<(), Undone> {
        // The last row of the chunk before comes again.
        let again = u32::from(job.last_key.is_some());
        let limit = self.limit.min(self.reader.config.chunk).max(1) + again;
        let sql = keyset::chunk(job, limit).ok_or(Undone::Table(TableFault::Key))?;
        if job.last_key.is_none() {
            view::settled(session).await.map_err(of_source)?;
        }
        let mut rows = Vec::new();
        let mut bytes = 0;
        let mut result = session.client.rows(&sql).await.map_err(of_table)?;
        while let Some(row) = result.next().await.map_err(of_table)? {
            bytes += size(&row);
            rows.push(decoded(job, row)?);
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
    async fn read_all(&mut self, job: &BaselineJob, mut session: Session) -> Result<(), Undone> {
        let (mut snapshot, _known) = self.open().await?;
        view::settled(&mut session).await.map_err(of_source)?;
        let mut result = session.client.rows(&keyset::all_rows(job)).await.map_err(of_table)?;
        let row = result.next().await.map_err(of_table)?;
        let after = snapshot.log_end().await?;
        drop(snapshot);
        self.pieces(job, &after, row, result).await.map(|_| ())
    }

    /// All rows as they are at one position in the log, up to which it is taken in, and no further
    /// until they are read.
    async fn read_under_hold(&mut self, mut session: Session) -> Result<(), Undone> {
        // Without one the log goes on when the next job is asked for.
        let Some(view) = view::open(&mut session).await.map_err(of_source)? else { return Ok(()) };
        let after = view.within.clone();
        for job in self.reader.writer.view(view).await? {
            let mut result = session.client.rows(&keyset::all_rows(&job)).await.map_err(of_table)?;
            let row = result.next().await.map_err(of_table)?;
            if !self.pieces(&job, &after, row, result).await? {
                break;
            }
        }
        Ok(())
    }

    /// Hands over the rows of a statement, of which the first has come; false: they are not wanted.
    async fn pieces(
        &mut self,
        job: &BaselineJob,
        after: &BinlogPosition,
        mut row: Option<Row>,
        mut result: Rows<'_>,
    ) -> Result<bool, Undone> {
        let mut rows = Vec::new();
        let mut bytes = 0;
        while let Some(cells) = row {
            bytes += size(&cells);
            rows.push(decoded(job, cells)?);
            if bytes >= BYTES || rows.len() >= self.reader.config.chunk as usize {
                let read = u32::try_from(rows.len()).unwrap_or(u32::MAX);
                let piece = std::mem::take(&mut rows);
                bytes = 0;
                if !send(&self.reader.writer, job, after.clone(), piece, false).await? {
                    return Ok(false);
                }
                self.pace.wait(read).await;
            }
            row = result.next().await.map_err(of_table)?;
        }
        Ok(send(&self.reader.writer, job, after.clone(), rows, true).await?)
    }
}

fn size(row: &Row) -> usize {
    row.iter().map(|cell| cell.as_ref().map_or(1, Vec::len)).sum()
}

fn decoded(job: &BaselineJob, row: Row) -> Result<Row, Undone> {
    keyset::decoded(job, row).ok_or(Undone::Table(TableFault::Cells))
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
}
