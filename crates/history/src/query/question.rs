//! What the record says of one key of a table at one position of the log.

use super::{Found, History, Refusal, lines};
use crate::commit_index::ReadPoint;
use crate::image::{Content, Image};
use crate::record::Baseline;
use crate::schema::DefinitionId;
use crate::store::{ChangeSequence, Version};
use dbtrail_types::agent_api::{NoteCode, Octets};
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;

/// Rows of a key that are looked at, at most, for what the log does not tell.
const MAX_OTHERS: usize = 32;

/// Which of the two questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// From recorded changes alone.
    Flashback,
    /// Baseline included, where there is one: an agent that reads log files has none, and what the
    /// log does not tell is refused all the same.
    Snapshot,
}

/// What is known of one key at one position of the log.
pub(super) enum State {
    Row(Image, DefinitionId),
    /// There is no row; the note says why.
    NoRow(Option<(NoteCode, Option<Timestamp>)>),
    /// The record says nothing of it.
    Unknown,
}

/// The keys of a request in a table at a position in the log.
pub(super) struct Question<'a> {
    pub(super) history: &'a History,
    pub(super) name: TableName,
    pub(super) found: Found<'a>,
    pub(super) cut: ReadPoint,
}

impl Question<'_> {
    pub(super) fn state(&self, key: &[u8], reading: Reading) -> Result<State, Refusal> {
        let (versions, generation, end) =
            (self.history.versions(), self.found.generation_id, self.history.end);
        let ReadPoint { at, doubtful } = self.cut;
        if doubtful > at
            && let Some(change) = versions.first(generation, key, (at, doubtful))?
        {
            return Err(self.history.ambiguous(change.sequence, &self.one(&change)));
        }
        let last = versions.newest_before(generation, key, at)?;
        self.next_fits(key, last.as_ref())?;
        if let Some(last) = last {
            return Ok(match last.row {
                Some(image) => State::Row(image, last.definition),
                None => State::NoRow(self.noted(NoteCode::DeletedAt, last.sequence)?),
            });
        }
        if let Some(next) = versions.first(generation, key, (at, end))? {
            // A row of the baseline that was read before an ALTER is what the row was until its
            // first change after that; what the change says of the row before it is under the new
            // columns, from which there may be no way back.
            if reading == Reading::Snapshot
                && let Some(base) = versions.base(generation, key)?
                && self.history.catalog.precedes(base.definition, next.definition)
            {
                return Ok(State::Row(base.row, base.definition));
            }
            if self.found.generation.may_have_lost(&self.history.catalog, (at, end), Some(&next)) {
                return Ok(State::Unknown);
            }
            return Ok(match next.row_before() {
                Some(image) => State::Row(image.clone(), next.definition),
                None => State::NoRow(self.noted(NoteCode::NotYetCreated, next.sequence)?),
            });
        }
        if self.found.generation.complete {
            return Ok(State::NoRow(self.earlier(key)?));
        }
        if reading == Reading::Snapshot {
            // No change of it is recorded: the row is what it was when the table was read.
            if let Some(base) = versions.base(generation, key)? {
                return Ok(State::Row(base.row, base.definition));
            }
            // The whole table was read, and no change of the key is recorded: it had no row from
            // where the record begins, or since it may have gone with a partition.
            let lost = |from| self.found.generation.last_lost(from, end);
            if self.found.generation.baseline == Baseline::Complete && lost(at).is_none() {
                let lost = lost(ChangeSequence(0)).map(|lost| self.history.commit_index().of(lost));
                let since = lost.transpose()?.flatten().map(|lost| lost.visible);
                let since = since.unwrap_or(self.history.coverage.oldest).max(self.history.coverage.oldest);
                return Ok(State::NoRow(Some((NoteCode::NeverExisted, Some(since)))));
            }
        }
        Ok(State::Unknown)
    }

    /// Whether a key without a row in a table that was read has none because it lies in none of the
    /// partitions that were emptied before that.
    pub(super) fn never_had(&self, key: &[u8], shown: &[Octets], reading: Reading) -> Result<bool, Refusal> {
        let (history, known) = (self.history, self.found.generation);
        let read = reading == Reading::Snapshot && known.baseline == Baseline::Complete;
        if !read || known.may_have_lost_key(&history.catalog, self.cut.at, shown) {
            return Ok(false);
        }
        Ok(history.versions().first(self.found.generation_id, key, (self.cut.at, history.end))?.is_none())
    }

    /// The row that a change was of, for a message.
    fn one(&self, change: &Version) -> String {
        let columns = self.history.catalog.definition(change.definition);
        let key = columns.zip(change.before.as_ref().or(change.after.as_ref())).map(|(columns, image)| {
            let cells: Vec<Option<&[u8]>> = image.cells().map(Content::bytes).collect();
            let key = columns.primary_key.iter().filter_map(|name| columns.position(name));
            let cell = |at: usize| Octets(cells.get(at).copied().flatten().unwrap_or_default().to_vec());
            lines::key_text(&key.map(cell).collect::<Vec<_>>())
        });
        format!("the row of {} with key {}", self.name, key.unwrap_or_default())
    }

    /// The row of a key, where the record tells whether there is one.
    pub(super) fn row(&self, key: &[u8], reading: Reading) -> Result<Option<(Image, DefinitionId)>, Refusal> {
        match self.state(key, reading)? {
            State::Row(image, under) => Ok(Some((image, under))),
            State::NoRow(_) => Ok(None),
            State::Unknown => {
                Err(Refusal::internal(format!("a key of {} of which nothing is known", self.name)))
            }
        }
    }

    /// What generations before this one tell of a key that has no row in it.
    fn earlier(&self, key: &[u8]) -> Result<Option<(NoteCode, Option<Timestamp>)>, Refusal> {
        let mut before = self.found.generation.before;
        while let Some((id, generation)) = before.and_then(|id| Some((id, self.history.generation(id)?))) {
            if !self.history.catalog.same_key(generation.definition, self.found.definition_id) {
                return Ok(None);
            }
            if let Some(last) = self.history.versions().newest_before(id, key, self.history.end)? {
                // A row that was left went with all others.
                let gone = match (&last.row, generation.emptied) {
                    (None, _) => Some(last.sequence),
                    (Some(_), Some((at, _))) => Some(at),
                    (Some(_), None) => None,
                };
                return gone.map_or(Ok(None), |at| self.noted(NoteCode::DeletedAt, at));
            }
            if !generation.complete {
                return Ok(None);
            }
            before = generation.before;
        }
        // What was dropped as too old may have been a row of this key.
        let dropped = self.history.horizon.at > ChangeSequence(0);
        Ok((!dropped).then_some((NoteCode::NeverExisted, None)))
    }

    fn noted(
        &self,
        code: NoteCode,
        at: ChangeSequence,
    ) -> Result<Option<(NoteCode, Option<Timestamp>)>, Refusal> {
        Ok(Some((code, self.history.commit_index().committed(at)?)))
    }

    /// The row with generated cells that the log leaves out, where another row of the key tells
    /// them.
    pub(super) fn filled(&self, key: &[u8], image: Image, under: DefinitionId) -> Result<Image, Refusal> {
        let unknown = |image: &Image| image.cells().any(|cell| cell == Content::Unknown);
        let (catalog, versions) = (&self.history.catalog, self.history.versions());
        if catalog.generated(under).is_empty() || !unknown(&image) {
            return Ok(image);
        }
        let generation = self.found.generation_id;
        let base = versions.base(generation, key)?.map(|base| (base.definition, base.row));
        let first = versions.between(generation, key, (ChangeSequence(0), self.history.end), MAX_OTHERS)?;
        let first = first.into_iter().filter_map(|v| Some((v.definition, v.row_after()?.clone())));
        let mut image = image;
        for (_, other) in base.into_iter().chain(first).filter(|(definition, _)| *definition == under) {
            image = catalog.filled(under, &image, &other).unwrap_or(image);
            if !unknown(&image) {
                break;
            }
        }
        Ok(image)
    }

    pub(super) fn can_carry(&self, image: &Image, under: DefinitionId) -> Result<(), Refusal> {
        if under == self.found.definition_id {
            return Ok(());
        }
        let catalog = &self.history.catalog;
        let carried = catalog.carry(under, self.found.definition_id, catalog.unpack(under, image));
        carried.map(|_| ()).map_err(|why| super::unreadable(&self.name, &why.to_string()))
    }

    pub(super) fn advice(&self, reading: Reading) -> String {
        if self.found.generation.last_lost(self.cut.at, self.history.end).is_some() {
            return String::new();
        }
        match (reading, self.found.generation.baseline) {
            (Reading::Flashback, _) => {
                format!("; ask _snapshot.{} for rows that never changed", self.name.table)
            }
            (Reading::Snapshot, Baseline::Reading) if self.found.generation.emptied.is_some() => {
                "; it lost its rows (TRUNCATE or DROP) before its first reading had ended".to_owned()
            }
            (Reading::Snapshot, Baseline::Reading) => {
                "; the first reading of the table is still going on: ask again when it has ended (`dbtrail-shim agent status` says when)".to_owned()
            }
            (Reading::Snapshot, Baseline::None | Baseline::Complete) => {
                "; this agent has no baseline of it that would hold rows that never changed".to_owned()
            }
        }
    }

    /// What is missing, in a sentence.
    pub(super) fn since(&self, missing: &str) -> String {
        let generation = self.found.generation;
        if let Some(lost) = generation.last_lost(self.cut.at, self.history.end) {
            let at = self.history.commit_index().committed(lost).ok().flatten();
            let at = at.map_or_else(String::new, |at| format!(" at {at}"));
            return format!(
                "partitions of it were emptied{at} (DROP or TRUNCATE PARTITION), when not all of its rows were known: which rows went with them is not in the log, \
                 and after it the record is whole again"
            );
        }
        let Some((from, reason)) = &generation.known_from else {
            let before = generation.before.and_then(|id| self.history.generation(id));
            if generation.complete || before.is_none() {
                return missing.to_owned();
            }
            let at = self.history.commit_index().committed(generation.started).ok().flatten();
            let at = at.map_or_else(String::new, |at| format!(" at {at}"));
            return format!(
                "its primary key became another one{at}, and no change of it under the new one is recorded"
            );
        };
        let at = self.history.commit_index().committed(*from).ok().flatten();
        let at = at.map_or_else(String::new, |at| format!(" at {at}"));
        format!("what was known of its rows ended{at}, when {reason}, and no change of it is recorded since")
    }
}
