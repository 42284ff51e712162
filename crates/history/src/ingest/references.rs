//! Rows by what their foreign keys hold: which rows refer to a row that changes.
//!
//! Of each row with a foreign key that changes rows (CASCADE, SET NULL) is one entry in the store:
//! generation, number of the foreign key, the values as bytes that are equal where the server finds
//! them equal, and the row's key. Only rows of now have one.

mod entries;

use super::Ingest;
use super::not_followed::NotFollowed;
use crate::engine::{Batch, StoreError, Table, after_prefix};
use crate::image::Image;
use crate::record::Baseline;
use crate::schema::{DefinitionId, ForeignKey};
use crate::store::{ChangeSequence, EncodedKey, GenerationId, Versions, row_key};
use dbtrail_types::column::TableDefinition;
use dbtrail_types::names::TableName;
use entries::entries;
pub(super) use entries::{Encoded, encoded};
use std::collections::{BTreeMap, HashMap};

/// Pairs or keys read at a time.
const AT_ONCE: usize = 1024;
/// In front of the values: they compare with certainty, or they do not, and are left out.
const ORDERED: u8 = 0;
const UNORDERED: u8 = 1;

/// The foreign keys of a table under a definition, and where their columns are among its cells
/// (`None`: a cell that rows do not show).
#[derive(Debug)]
pub(super) struct Referring {
    pub(super) keys: Vec<(ForeignKey, Option<Vec<usize>>)>,
}

impl Referring {
    pub(super) fn of(keys: Vec<ForeignKey>, definition: &TableDefinition) -> Self {
        let position = |key: ForeignKey| {
            let positions = key.columns.iter().map(|name| definition.position(name)).collect();
            (key, positions)
        };
        Self { keys: keys.into_iter().map(position).collect() }
    }
}

/// What is not in the store yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Entries that come (true) or go.
    entries: BTreeMap<Vec<u8>, bool>,
    /// Rows of tables with foreign keys as they are now, by generation and key.
    rows: HashMap<Vec<u8>, Option<(Image, DefinitionId)>>,
    /// Foreign keys whose entries are to be made from all rows.
    wanted: Vec<(TableName, GenerationId, u32)>,
    /// Rows are kept that the next entry may be about.
    pub(super) wants_commit: bool,
}

impl Pending {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Everything into a batch.
    pub(super) fn flush(&mut self, batch: &mut Batch) {
        self.rows.clear();
        self.wants_commit = false;
        for (entry, comes) in std::mem::take(&mut self.entries) {
            if comes {
                batch.put(Table::References, &entry, &[]);
            } else {
                batch.remove(Table::References, &entry);
            }
        }
    }
}

fn stem(generation: GenerationId, number: u32, ordered: u8) -> Vec<u8> {
    [&generation.0.to_be_bytes()[..], &number.to_be_bytes(), &[ordered]].concat()
}

/// Which rows refer to some values.
pub(super) enum Found {
    /// These and no others.
    Keys(Vec<EncodedKey>),
    /// That is not known: why.
    Ambiguous(NotFollowed),
}

impl Ingest {
    /// A row of a table with foreign keys is another one now.
    pub(super) fn refer(
        &mut self,
        (generation, key): (GenerationId, &[u8]),
        (referring, definition): (&Referring, &TableDefinition),
        before: Option<&[u8]>,
        after: Option<(&[u8], DefinitionId)>,
    ) {
        for row in [(before, false), (after.map(|(row, _)| row), true)] {
            let (Some(row), comes) = row else { continue };
            for entry in entries((generation, key), (referring, definition), row) {
                self.pending.entries.insert(entry, comes);
            }
        }
        let now = after.map(|(row, under)| (Image::of_bytes(row), under));
        self.pending.rows.insert(row_key(generation, key), now);
    }

    /// The row under a key, with what is not committed yet.
    pub(super) fn row_now(
        &mut self,
        generation: GenerationId,
        key: &[u8],
    ) -> Result<Option<(Image, DefinitionId)>, StoreError> {
        if let Some(row) = self.pending.rows.get(&row_key(generation, key)) {
            return Ok(row.clone());
        }
        let snapshot = self.committed();
        let versions = Versions(&*snapshot);
        Ok(match versions.newest_before(generation, key, ChangeSequence::END)? {
            Some(held) => held.row.map(|row| (row, held.definition)),
            None => versions.base(generation, key)?.map(|base| (base.row, base.definition)),
        })
    }

    /// The keys of the rows whose foreign key holds these values (as [`encoded`] gives them).
    pub(super) fn referrers(
        &mut self,
        generation: GenerationId,
        number: u32,
        values: &[u8],
    ) -> Result<Found, StoreError> {
        let indexed =
            self.generations.get(generation.0 as usize).is_some_and(|s| s.indexed.contains(&number));
        if !indexed {
            return Ok(Found::Ambiguous(NotFollowed::NotIndexed));
        }
        if !self.under(&stem(generation, number, UNORDERED))?.is_empty() {
            return Ok(Found::Ambiguous(NotFollowed::AmbiguousReference));
        }
        let stem = [stem(generation, number, ORDERED).as_slice(), values].concat();
        let found = self.under(&stem)?;
        Ok(Found::Keys(found.into_iter().map(|entry| entry[stem.len()..].into()).collect()))
    }

    /// All entries that begin so.
    fn under(&mut self, stem: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
        let snapshot = self.committed();
        let end = after_prefix(stem);
        let mut from = stem.to_vec();
        let mut found = BTreeMap::new();
        loop {
            let pairs = snapshot.scan(Table::References, &from, &end, AT_ONCE)?;
            let Some((last, _)) = pairs.last() else { break };
            from = [last.as_slice(), &[0]].concat();
            found.extend(pairs.into_iter().map(|(entry, _)| (entry, true)));
        }
        let pending = self.pending.entries.range(stem.to_vec()..end);
        found.extend(pending.map(|(entry, comes)| (entry.clone(), *comes)));
        Ok(found.into_iter().filter(|(_, comes)| *comes).map(|(entry, _)| entry).collect())
    }

    /// Entries of a row of the baseline, if no change of it is recorded.
    pub(crate) fn refer_base(
        &mut self,
        name: &TableName,
        generation: GenerationId,
        definition: DefinitionId,
        rows: &[(EncodedKey, Image)],
    ) -> Result<(), StoreError> {
        let keys = self.catalog.followed_keys(name);
        let columns = self.catalog.definition(definition).cloned();
        let (false, Some(columns)) = (keys.is_empty(), columns) else { return Ok(()) };
        let referring = Referring::of(keys, &columns);
        for (key, row) in rows {
            let pending = self.pending.rows.contains_key(&row_key(generation, key));
            let snapshot = self.committed();
            if pending || Versions(&*snapshot).newest_before(generation, key, ChangeSequence::END)?.is_some()
            {
                continue;
            }
            self.refer((generation, key), (&referring, &columns), None, Some((row.bytes(), definition)));
        }
        Ok(())
    }

    /// Notes which foreign keys of a table have no entries yet: those that it got since it has
    /// rows.
    pub(super) fn want_references(&mut self, name: &TableName) {
        let crate::names::TableState::Table(generation, _) = self.names.current(name) else { return };
        for key in self.catalog.followed_keys(name) {
            let known =
                self.generations.get(generation.0 as usize).is_none_or(|s| s.indexed.contains(&key.number));
            let wanted = (name.clone(), generation, key.number);
            if !known && !self.pending.wanted.contains(&wanted) {
                self.pending.wanted.push(wanted);
            }
        }
    }

    /// Whether a commit is wanted before the next entry: from the rows that are in the store the
    /// entries of a new foreign key are made.
    #[must_use]
    pub fn wants_commit(&self) -> bool {
        self.pending.wants_commit || !self.pending.wanted.is_empty()
    }

    /// Makes the entries that are wanted, of the rows in the store: right after a commit.
    pub(super) fn make_references(&mut self) -> Result<(), StoreError> {
        for (name, generation, number) in std::mem::take(&mut self.pending.wanted) {
            let table_state = self.names.current(&name);
            let crate::names::TableState::Table(now, definition) = table_state else { continue };
            let keys: Vec<_> =
                self.catalog.followed_keys(&name).into_iter().filter(|k| k.number == number).collect();
            let columns = self.catalog.definition(definition).cloned();
            let (Some(columns), false, true) = (columns, keys.is_empty(), now == generation) else {
                continue;
            };
            let referring = Referring::of(keys, &columns);
            self.refer_all(generation, definition, &referring, &columns)?;
            if let Some(generation) = self.generation_mut(generation) {
                generation.indexed.push(number);
            }
        }
        Ok(())
    }

    fn refer_all(
        &mut self,
        generation: GenerationId,
        definition: DefinitionId,
        referring: &Referring,
        columns: &TableDefinition,
    ) -> Result<(), StoreError> {
        let snapshot = self.committed();
        let versions = Versions(&*snapshot);
        let with_baseline = self
            .generations
            .get(generation.0 as usize)
            .is_some_and(|s| !s.complete && s.baseline != Baseline::None);
        let last = vec![0xff_u8; 1 << 12];
        for base in [false, true] {
            let mut from = Vec::new();
            loop {
                let window = (from.as_slice(), last.as_slice());
                let keys = match base {
                    false => versions.keys(generation, window, ChangeSequence::END, AT_ONCE)?,
                    true if with_baseline => versions.base_keys(generation, window, AT_ONCE)?,
                    true => Vec::new(),
                };
                let Some(next) = keys.last() else { break };
                // No key begins with another one.
                from = after_prefix(next);
                for key in &keys {
                    let held = versions.newest_before(generation, key, ChangeSequence::END)?;
                    let row = match held {
                        Some(_) if base => continue,
                        Some(held) => held.row.map(|row| (row, held.definition)),
                        None => versions.base(generation, key)?.map(|b| (b.row, b.definition)),
                    };
                    let Some((row, under)) = row else { continue };
                    // Where it cannot be carried over, it refers to it is not known what.
                    let carried = self.catalog.carry(under, definition, self.catalog.unpack(under, &row));
                    let made = match carried {
                        Ok(row) => {
                            entries((generation, key), (referring, columns), Image::pack_known(&row).bytes())
                        }
                        Err(_) => referring
                            .keys
                            .iter()
                            .map(|(k, _)| [stem(generation, k.number, UNORDERED).as_slice(), key].concat())
                            .collect(),
                    };
                    self.pending.entries.extend(made.into_iter().map(|entry| (entry, true)));
                }
            }
        }
        Ok(())
    }
}
