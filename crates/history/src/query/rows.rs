//! Rows at one instant.

use super::keys::{Range, Wanted, too_many};
use super::scan::{Scan, Step, Turn};
use super::{Found, History, Refusal, lines};
use crate::commit_index::ReadPoint;
use crate::image::{Content, Image};
use crate::record::Baseline;
use crate::schema::DefinitionId;
use crate::store::{Bounds, ChangeSequence, EncodedKey, GenerationId, Version};
use dbtrail_expression::{RowFilter, RowValue, Uncertain};
use dbtrail_types::agent_api::{ApiNote, NoteCode, Octets, RowsRequest, code};
use dbtrail_types::instant::Instant;
use dbtrail_types::names::TableName;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Notes in one answer at most.
const MAX_NOTES: usize = 64;
/// Rows of a key that are looked at, at most, for what the log does not tell.
const MAX_OTHERS: usize = 32;
/// Keys named in a refusal at most.
const MAX_NAMED: usize = 5;

/// Which of the two questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// From recorded changes alone.
    Flashback,
    /// Baseline included, where there is one: an agent that reads log files has none, and what the
    /// log does not tell is refused all the same.
    Snapshot,
}

/// The lines of an answer, in chunks.
#[derive(Debug)]
pub struct RowsAnswer {
    history: Arc<History>,
    name: TableName,
    definition: DefinitionId,
    head: Option<Vec<u8>>,
    rows: Rows,
    /// Which of them are wanted.
    filter: Option<RowFilter>,
    /// Lines that are still wanted.
    left: u64,
    count: u64,
    notes: Option<Vec<ApiNote>>,
}

/// Where the rows of an answer come from.
#[derive(Debug)]
enum Rows {
    /// They are known, by rising keys.
    Known(std::vec::IntoIter<(Image, DefinitionId)>),
    /// They are read while they are sent.
    Scanned(Box<Scan>),
}

/// What is known of one key at one place of the log.
pub(super) enum State {
    Row(Image, DefinitionId),
    /// There is no row; the note says why.
    NoRow(Option<(NoteCode, Option<Instant>)>),
    /// The record says nothing of it.
    Unknown,
}

/// The keys of a request in a table at a place in the log.
pub(super) struct Question<'a> {
    pub(super) history: &'a History,
    pub(super) name: TableName,
    pub(super) found: Found<'a>,
    pub(super) cut: ReadPoint,
}

impl History {
    /// The rows with these keys at an instant.
    ///
    /// # Errors
    /// Every reason not to answer.
    pub fn rows(self: &Arc<Self>, request: &RowsRequest, reading: Reading) -> Result<RowsAnswer, Refusal> {
        self.check_server(&request.server_id)?;
        let name = TableName { schema: request.schema.clone(), table: request.table.clone() };
        let name = self.catalog.folded(name);
        let cut = self.cut(&request.at)?;
        let found = self.table_at(&name, cut)?;
        let wanted = Wanted::read(&request.keys, found.definition, &name)?;
        super::certain(&name, found.generation, cut.doubtful)?;
        let definition = found.definition_id;
        let filter = request.filter.as_ref().map(|filter| RowFilter::new(filter, &found.definition.columns));
        let filter = filter.transpose().map_err(|why| unsupported(&why))?;
        let question = Question { history: self, name, found, cut };
        let (rows, notes) = match wanted {
            Wanted::Keys(keys) => {
                let keys = keys.into_iter().map(|(k, shown)| (k, Some(shown))).collect();
                question.known(keys, reading)?
            }
            Wanted::Range(range) => question.known(question.range(&range, reading)?, reading)?,
            Wanted::Scan(span) => {
                let bounds = Bounds::new(question.found.space_id, &span.lower, span.upper.as_deref());
                (Rows::Scanned(Box::new(Scan::new(&question, bounds, reading)?)), Vec::new())
            }
        };
        let head = lines::header(self, definition, Some(&request.at))?;
        Ok(RowsAnswer {
            history: Arc::clone(self),
            name: question.name,
            definition,
            head: Some(head),
            rows,
            filter,
            left: request.limit.unwrap_or(u64::MAX),
            count: 0,
            notes: Some(notes),
        })
    }
}

/// A key, and as it was asked for where it was asked for by itself.
type Asked = (EncodedKey, Option<Vec<Octets>>);

/// Rows with their definitions, and notes on keys without one.
type KnownRows = (Vec<(Image, DefinitionId)>, Vec<ApiNote>);

impl Question<'_> {
    fn known(&self, keys: Vec<Asked>, reading: Reading) -> Result<(Rows, Vec<ApiNote>), Refusal> {
        self.rows(keys, reading).map(|(rows, notes)| (Rows::Known(rows.into_iter()), notes))
    }

    fn rows(&self, keys: Vec<Asked>, reading: Reading) -> Result<KnownRows, Refusal> {
        let (mut rows, mut notes, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
        for (key, shown) in keys {
            match self.state(&key, reading)? {
                State::Row(image, under) => {
                    self.can_carry(&image, under)?;
                    let image = self.filled(&key, image, under)?;
                    rows.push((image, under));
                }
                State::NoRow(Some((code, at))) if notes.len() < MAX_NOTES => {
                    if let Some(key) = shown {
                        notes.push(ApiNote { code, key, at });
                    }
                }
                State::NoRow(_) => {}
                State::Unknown => unknown.extend(shown),
            }
        }
        if unknown.is_empty() { Ok((rows, notes)) } else { Err(self.not_recorded(&unknown, reading)) }
    }

    pub(super) fn state(&self, key: &[u8], reading: Reading) -> Result<State, Refusal> {
        let (versions, generation, end) = (self.history.versions(), self.found.space_id, self.history.end);
        let ReadPoint { at, doubtful } = self.cut;
        if doubtful > at
            && let Some(change) = versions.first(generation, key, (at, doubtful))?
        {
            return Err(self.history.ambiguous(change.sequence, &self.one(&change)));
        }
        if let Some(last) = versions.newest_before(generation, key, at)? {
            return Ok(match last.row {
                Some(image) => State::Row(image, last.definition),
                None => State::NoRow(self.noted(NoteCode::DeletedAt, last.sequence)?),
            });
        }
        if let Some(next) = versions.first(generation, key, (at, end))? {
            // A row of the baseline that was read before an ALTER is what the row was until its
            // first change after that; what the change says of the row before it stands under the
            // new columns, from which there may be no way back.
            if reading == Reading::Snapshot
                && let Some(base) = versions.base(generation, key)?
                && self.history.catalog.precedes(base.definition, next.definition)
            {
                return Ok(State::Row(base.row, base.definition));
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
            // where the record begins.
            if self.found.generation.baseline == Baseline::Whole {
                let since = self.history.coverage.oldest;
                return Ok(State::NoRow(Some((NoteCode::NeverExisted, Some(since)))));
            }
        }
        Ok(State::Unknown)
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
    fn earlier(&self, key: &[u8]) -> Result<Option<(NoteCode, Option<Instant>)>, Refusal> {
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
    ) -> Result<Option<(NoteCode, Option<Instant>)>, Refusal> {
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
        let generation = self.found.space_id;
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

    /// The keys of a range: all that the record knows, if these are certainly all that there can
    /// be.
    fn range(&self, range: &Range, reading: Reading) -> Result<Vec<Asked>, Refusal> {
        let mut keys = known_keys(self.history, self.found.space_id, range)?;
        let mut all = self.found.generation.complete;
        if reading == Reading::Snapshot {
            keys = with_baseline(self.history, self.found.space_id, keys, range)?;
            all |= self.found.generation.baseline == Baseline::Whole;
        }
        all |= range.width == u128::try_from(keys.len()).ok();
        if all {
            return Ok(keys.into_iter().map(|k| (k, None)).collect());
        }
        let table = &self.name;
        Err(Refusal::new(
            422,
            code::NOT_RECORDED,
            format!(
                "{table} may have rows in that range of which the record says nothing: {}{}",
                self.since("its creation is not in the record"),
                self.advice(reading)
            ),
        ))
    }

    pub(super) fn advice(&self, reading: Reading) -> String {
        match (reading, self.found.generation.baseline) {
            (Reading::Flashback, _) => {
                format!("; ask _snapshot.{} for rows that never changed", self.name.table)
            }
            (Reading::Snapshot, Baseline::Reading) if self.found.generation.emptied.is_some() => {
                "; it lost its rows (TRUNCATE or DROP) before its first reading had ended".to_owned()
            }
            (Reading::Snapshot, Baseline::Reading) => {
                "; the first reading of the table is still going on: ask again when it has ended (`dbtrail-shim agent status` tells)".to_owned()
            }
            (Reading::Snapshot, Baseline::None | Baseline::Whole) => {
                "; this agent has no baseline of it that would hold rows that never changed".to_owned()
            }
        }
    }

    /// What is missing, in a sentence.
    pub(super) fn since(&self, missing: &str) -> String {
        let Some((from, reason)) = &self.found.generation.known_from else { return missing.to_owned() };
        let at = self.history.commit_index().committed(*from).ok().flatten();
        let at = at.map_or_else(String::new, |at| format!(" at {at}"));
        format!("what was known of its rows ended{at}, when {reason}, and no change of it is recorded since")
    }

    fn not_recorded(&self, unknown: &[Vec<Octets>], reading: Reading) -> Refusal {
        let table = &self.name;
        let more = if unknown.len() > MAX_NAMED {
            format!(" and {} more", unknown.len() - MAX_NAMED)
        } else {
            String::new()
        };
        let named: Vec<String> = unknown.iter().take(MAX_NAMED).map(|k| lines::key_text(k)).collect();
        let generation = self.found.generation;
        let before = generation.before.and_then(|id| self.history.generation(id));
        let rekeyed =
            before.and_then(|b| self.history.catalog.changed_key(b.definition, generation.definition));
        if let Some(statement) = rekeyed {
            return Refusal::new(
                422,
                code::NOT_RECORDED,
                format!(
                    "the record does not tell which row of {table} has key {}{more}: this statement changed how its rows are identified, and rows that have not changed since are known by their old key alone: {statement}. Ask for an instant before it{}",
                    named.join(", "),
                    self.advice(reading)
                ),
            );
        }
        Refusal::new(
            422,
            code::NOT_RECORDED,
            format!(
                "the record says nothing of {table} with key {}{more}: {}{}",
                named.join(", "),
                self.since("no change of it is recorded, nor the table's creation"),
                self.advice(reading)
            ),
        )
    }
}

/// The keys of the range that the record knows, no more than the limit.
pub(super) fn known_keys(
    history: &History,
    generation: GenerationId,
    range: &Range,
) -> Result<Vec<EncodedKey>, Refusal> {
    let limit = range.limit;
    let window = (&*range.from, &*range.to);
    let keys = history.versions().keys(generation, window, history.end, limit.saturating_add(1))?;
    if keys.len() > limit { Err(too_many(keys.len(), limit)) } else { Ok(keys) }
}

/// These keys and those of the baseline in the range.
pub(super) fn with_baseline(
    history: &History,
    generation: GenerationId,
    keys: Vec<EncodedKey>,
    range: &Range,
) -> Result<Vec<EncodedKey>, Refusal> {
    let (limit, window) = (range.limit.saturating_add(1), (&*range.from, &*range.to));
    let base = history.versions().base_keys(generation, window, limit)?;
    let all: BTreeSet<EncodedKey> = keys.into_iter().chain(base).collect();
    if all.len() > range.limit {
        Err(too_many(all.len(), range.limit))
    } else {
        Ok(all.into_iter().collect())
    }
}

impl Iterator for RowsAnswer {
    type Item = Result<Vec<u8>, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        self.notes.as_ref()?;
        let mut out = self.head.take().unwrap_or_default();
        let filled = self.fill(&mut out);
        if filled.is_err() {
            self.notes = None;
        }
        Some(filled.map(|()| out))
    }
}

impl RowsAnswer {
    /// Whether making it can take long, so that it is for a thread of its own.
    #[must_use]
    pub fn is_long(&self) -> bool {
        matches!(self.rows, Rows::Scanned(_)) || self.filter.is_some()
    }

    /// Writes lines until a chunk is full or has taken long enough.
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let history = Arc::clone(&self.history);
        let mut turn = Turn::new();
        while out.len() < lines::CHUNK {
            let row = match &mut self.rows {
                _ if self.left == 0 => None,
                Rows::Known(rows) => rows.next(),
                Rows::Scanned(scan) => match scan.next(&history)? {
                    Step::Row(image, under) => Some((image, under)),
                    Step::NoRow if turn.is_over() => return Ok(()),
                    Step::NoRow => continue,
                    Step::End => None,
                },
            };
            let Some((image, under)) = row else {
                let notes = self.notes.take().unwrap_or_default();
                return lines::trailer(self.count, &notes, out);
            };
            if self.line(&image, under, out)? {
                self.count += 1;
                self.left -= 1;
            } else if turn.is_over() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Writes a row, if it is wanted.
    fn line(&self, image: &Image, under: DefinitionId, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        let catalog = &self.history.catalog;
        let wanted = |cells: &[RowValue<'_>]| {
            let wanted = self.filter.as_ref().map(|filter| filter.holds(cells));
            wanted.unwrap_or(Ok(true)).map_err(|why| unsupported(&why))
        };
        if under == self.definition {
            if self.filter.is_some() && !wanted(&image.cells().map(value).collect::<Vec<_>>())? {
                return Ok(false);
            }
            lines::image(catalog, under, image, out);
        } else {
            let carried = catalog.carry(under, self.definition, catalog.unpack(under, image));
            let row = carried.map_err(|why| super::unreadable(&self.name, &why.to_string()))?;
            let cells = row.iter().map(|cell| match cell {
                Ok(Some(bytes)) => RowValue::Bytes(bytes),
                Ok(None) => RowValue::Null,
                Err(_) => RowValue::Unknown,
            });
            if self.filter.is_some() && !wanted(&cells.collect::<Vec<_>>())? {
                return Ok(false);
            }
            lines::row(row.iter().map(|c| c.as_ref().map(|c| c.as_deref())), out);
        }
        out.push(b'\n');
        Ok(true)
    }
}

/// A cell as a condition takes it.
pub(super) fn value(cell: Content<'_>) -> RowValue<'_> {
    match cell {
        Content::Null => RowValue::Null,
        Content::Bytes(bytes) => RowValue::Bytes(bytes),
        Content::Unknown => RowValue::Unknown,
    }
}

/// The refusal of a condition.
pub(super) fn unsupported(why: &Uncertain) -> Refusal {
    Refusal::new(422, code::UNSUPPORTED_FILTER, why.to_string())
}
