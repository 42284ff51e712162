//! A first reading of the log: which statements are about which tables, and where the files begin.

use super::part::{FIRST, Part};
use crate::binlog_position::BinlogPosition;
use crate::last_statements::LastStatements;
use crate::log::file_head::{self, FileHead};
use crate::log::{Change, CommittedTransaction, Stamp, StreamReader};
use crate::patterns::Patterns;
use crate::source::SourceError;
use crate::source::config::SourceConfig;
use crate::source::session::Session;
use crate::source_error::Unfit;
use dbtrail_types::timestamp::Timestamp;

const SECOND: i64 = 1_000_000;

/// The head of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FileStart {
    pub(super) file: String,
    /// By its own word: a session that had set TIMESTAMP may have begun it.
    begun: Option<Timestamp>,
    release: String,
    /// The transactions before the file; `None`: it does not say, or in a way that is not read
    /// here.
    pub(super) gtids: Option<String>,
}

/// What the log holds.
#[derive(Debug)]
pub(super) struct Survey {
    /// Where the part begins that is of use.
    pub(super) head: FileStart,
    /// The last statement about each table after that.
    pub(super) last: LastStatements<BinlogPosition>,
    /// A statement there may have changed the defaults of a schema.
    pub(super) schemas_changed: bool,
    /// The first transaction there.
    first: Option<(Timestamp, Stamp)>,
    /// The file at hand is closed.
    closed: bool,
}

impl Survey {
    /// Reads the log between two positions.
    pub(super) async fn of(
        config: &SourceConfig,
        session: &Session,
        from: &BinlogPosition,
        to: &BinlogPosition,
    ) -> Result<Self, SourceError> {
        let mut part = Part::open(config, session, from).await?;
        let mut reader = StreamReader::at(config.source_time);
        // Of no table: rows are not looked at.
        let none = Patterns::new(&[], &["*.*".to_owned()]);
        reader.capture(&none.map_err(Unfit::from)?);
        reader.follow(from.clone(), false);
        let mut survey = Self::begin(&from.file);
        let mut file = survey.head.clone();
        while !reader.position().reaches(to) {
            let Some((event, position)) = part.next().await? else {
                return Err(Unfit::EndsBefore { at: reader.position().clone(), to: to.clone() }.into());
            };
            if let Some(position) = position {
                reader.follow(position, true);
            }
            if reader.position().file != file.file {
                file = FileStart { file: reader.position().file.clone(), ..FileStart::default() };
                if !survey.closed {
                    tracing::warn!(
                        "before {} the server crashed: its log may miss what its tables have, and the record begins after that",
                        file.file
                    );
                    survey = Self::begin(&file.file);
                }
            }
            match file_head::read(&event) {
                Some(FileHead::Description(begun, release)) if reader.position().offset == FIRST => {
                    (file.begun, file.release) = (begun, release);
                    survey = survey.same_release(&file);
                }
                Some(FileHead::Before(gtids)) => file.gtids = gtids,
                Some(FileHead::Description(..)) | None => {}
            }
            if survey.head.file == file.file {
                survey.head = file.clone();
            }
            survey.closed = file_head::closes(&event);
            let at = reader.position().clone();
            let taken = reader.take(event);
            taken.map_err(|fault| Unfit::Event { at, fault })?;
            while let Some(entry) = reader.entry() {
                survey.note(entry, reader.position());
            }
        }
        Ok(survey)
    }

    fn begin(file: &str) -> Self {
        Self {
            head: FileStart { file: file.to_owned(), ..FileStart::default() },
            last: LastStatements::default(),
            schemas_changed: false,
            first: None,
            closed: false,
        }
    }

    /// Begins again at a file that another release wrote.
    fn same_release(self, file: &FileStart) -> Self {
        if self.head.file == file.file || release(&self.head.release) == release(&file.release) {
            return self;
        }
        tracing::warn!(
            "from {} on the log is that of {} and no more of {}: the record begins there",
            file.file,
            file.release,
            self.head.release
        );
        Self::begin(&file.file)
    }

    fn note(&mut self, entry: CommittedTransaction, position: &BinlogPosition) {
        self.first.get_or_insert((entry.committed, entry.stamp));
        let about_schemas = |change: &Change| match change {
            Change::Statement(statement) => {
                let text = statement.sql.to_ascii_uppercase();
                !statement.decoded || text.contains("DATABASE") || text.contains("SCHEMA")
            }
            Change::Unfollowable { .. } => true,
            Change::Rows(_) => false,
        };
        self.schemas_changed |= entry.changes.in_memory().iter().any(about_schemas);
        self.last.note(entry, position);
    }

    /// When the part begins that is of use: after all that was committed before it. The first
    /// commit in it is the better word where the server stamps commits itself; `None`: it holds
    /// none.
    pub(super) fn at(&self) -> Option<Timestamp> {
        let (committed, stamp) = self.first?;
        let begun = self.head.begun?;
        let begun = Timestamp::from_micros(begun.micros() + SECOND);
        Some(match stamp {
            Stamp::Commit => begun.max(committed),
            Stamp::Second | Stamp::Start | Stamp::Span(_) => begun,
        })
    }
}

/// The release series: `11.8` of `11.8.3-MariaDB-log`.
fn release(version: &str) -> Vec<&str> {
    version.split('.').take(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, release: &str) -> FileStart {
        FileStart { file: name.to_owned(), release: release.to_owned(), ..FileStart::default() }
    }

    #[test]
    fn another_release_begins_the_record_again() {
        let survey = Survey { head: file("b.1", "11.4.2-MariaDB-log"), ..Survey::begin("b.1") };
        let survey = survey.same_release(&file("b.2", "11.4.9-MariaDB"));
        assert_eq!(survey.head.file, "b.1");
        assert_eq!(survey.same_release(&file("b.3", "11.8.3-MariaDB")).head.file, "b.3");
    }

    /// A session that has set TIMESTAMP can begin a file, and dates it so.
    #[test]
    fn a_file_that_is_dated_back_begins_with_its_first_commit() {
        let second = |n: i64| Timestamp::from_micros(n * SECOND);
        let mut survey = Survey::begin("b.1");
        survey.head.begun = Some(second(10));
        assert_eq!(survey.at(), None, "nothing was committed");
        survey.first = Some((second(5_000), Stamp::Commit));
        assert_eq!(survey.at(), Some(second(5_000)));
        survey.first = Some((second(5), Stamp::Second));
        assert_eq!(survey.at(), Some(second(11)));
    }
}
