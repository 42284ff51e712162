//! Rows at one instant.

use super::conditions::{unsupported, value};
use super::form::Form;
use super::keys::{Range, Wanted, too_many};
use super::question::{Question, Reading, State};
use super::scan::{Scan, Step, Turn};
use super::{History, Refusal, lines};
use crate::image::Image;
use crate::record::Baseline;
use crate::schema::DefinitionId;
use crate::store::{Bounds, EncodedKey, GenerationId};
use dbtrail_expression::{RowFilter, RowValue};
use dbtrail_types::agent_api::{ApiNote, Octets, RowsRequest};
use dbtrail_types::names::TableName;
use std::collections::BTreeSet;
use std::sync::Arc;

mod not_recorded;

/// Notes in one answer at most.
const MAX_NOTES: usize = 64;

/// The lines of an answer, in chunks.
#[derive(Debug)]
pub struct RowsAnswer {
    history: Arc<History>,
    name: TableName,
    definition: DefinitionId,
    head: Option<Vec<u8>>,
    form: Form,
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
        let wanted = Wanted::read(&request.keys, found.definition, &name, self.gtids.is_of_mariadb())?;
        super::without_doubt(&name, found.generation, cut.doubtful, Some(&wanted))?;
        // What is known of its rows is what was recorded under their old keys.
        let reading = if found.generation.rekeyed { Reading::Snapshot } else { reading };
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
                let bounds = Bounds::new(question.found.generation_id, &span.lower, span.upper.as_deref());
                (Rows::Scanned(Box::new(Scan::new(&question, bounds, reading)?)), Vec::new())
            }
        };
        let head = lines::header(self, definition, Some(&request.at))?;
        Ok(RowsAnswer {
            history: Arc::clone(self),
            name: question.name,
            definition,
            head: Some(head),
            form: Form::Lines,
            rows,
            filter,
            left: request.limit.unwrap_or(u64::MAX),
            count: 0,
            notes: Some(notes),
        })
    }
}

/// A key, and as it was asked for where it was asked for by itself.
type RequestedKey = (EncodedKey, Option<Vec<Octets>>);

/// Rows with their definitions, and notes on keys without one.
type KnownRows = (Vec<(Image, DefinitionId)>, Vec<ApiNote>);

impl Question<'_> {
    fn known(&self, keys: Vec<RequestedKey>, reading: Reading) -> Result<(Rows, Vec<ApiNote>), Refusal> {
        self.rows(keys, reading).map(|(rows, notes)| (Rows::Known(rows.into_iter()), notes))
    }

    fn rows(&self, keys: Vec<RequestedKey>, reading: Reading) -> Result<KnownRows, Refusal> {
        let (mut rows, mut notes, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
        let mut in_range = false;
        let generation = self.found.generation_id;
        let (window, base) = ((self.cut.at, self.history.end), reading == Reading::Snapshot);
        let wanted = keys.iter().map(|(key, _)| (generation, &**key));
        self.history.versions().prefetch(wanted, window, base);
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
                State::Unknown => match shown {
                    Some(shown) if self.never_had(&key, &shown, reading)? => {}
                    Some(shown) => unknown.push(shown),
                    None => in_range = true,
                },
            }
        }
        match unknown.is_empty() {
            true if in_range => Err(self.not_all(reading)),
            true => Ok((rows, notes)),
            false => Err(self.not_recorded(&unknown, reading)),
        }
    }

    /// The keys of a range: all that the record knows, if these are certainly all that there can
    /// be.
    fn range(&self, range: &Range, reading: Reading) -> Result<Vec<RequestedKey>, Refusal> {
        let mut keys = known_keys(self.history, self.found.generation_id, range)?;
        let mut all = self.found.generation.complete;
        if reading == Reading::Snapshot {
            keys = with_baseline(self.history, self.found.generation_id, keys, range)?;
            all |= self.found.generation.baseline == Baseline::Complete;
        }
        all &= self.found.generation.last_lost(self.cut.at, self.history.end).is_none();
        all |= range.width == u128::try_from(keys.len()).ok();
        if all {
            return Ok(keys.into_iter().map(|k| (k, None)).collect());
        }
        Err(self.not_all(reading))
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
        let mut out = self.form.of_line(self.head.take().unwrap_or_default());
        let filled = self.fill(&mut out);
        if filled.is_err() {
            self.notes = None;
        }
        Some(filled.map(|()| out))
    }
}

impl RowsAnswer {
    /// The same answer in this form.
    #[must_use]
    pub fn in_form(self, form: Form) -> Self {
        Self { form, ..self }
    }

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
                return self.form.trailer(self.count, &notes, out);
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
            self.form.image(catalog, under, image, out);
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
            self.form.row(row.iter().map(|c| c.as_ref().map(|c| c.as_deref())), out);
        }
        Ok(true)
    }
}
