//! What the history knows beside rows, as pairs of an engine: written with the rows in one batch,
//! read at start.
//!
//! Definitions, generations and the states of names are pairs of their own, so that a batch
//! writes only what changed in it.

use super::binlog_position::{BinlogPosition, ResumePosition};
use super::commit_index::{Clock, CommitIndexWriter};
use super::engine::{Batch, Pair, Snapshot, StoreError, StoreFault, Table};
use super::gtid::GtidState;
use super::ingest::Ingest;
use super::log::SourceTime;
use super::log_gap::LogGap;
use super::record::{Coverage, RetentionHorizon};
use super::schema::DefinitionId;
use super::store::{ChangeSequence, GenerationId};
use dbtrail_types::names::{ServerId, TableName};
use dbtrail_types::result_set::Row;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

mod known;
pub(super) use known::{KnownTables, TableCache};

/// The form of the pairs, for programs to come. Since 7 a folder may hold pieces of a transaction
/// that is not whole, which only a program that knows of them can take back; since 8 versions that
/// are still to be compared with what was before them; since 9 pages of transactions that are
/// packed.
const FORM: u32 = 9;
/// The oldest form that is read; what is written from there on is in [`FORM`].
const OLDEST_FORM: u32 = 6;
/// Pairs read at a time.
const AT_ONCE: usize = 1024;

const STATE: &[u8] = b"\0state";
const CATALOG: &[u8] = b"\0catalog";
const SWEEPS: &[u8] = b"\0sweeps";
const DEFINITION: u8 = b'd';
const NAME: u8 = b'n';
const SPACE: u8 = b's';
const READING: u8 = b'r';

/// Everything that is one value, written with every batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) form: u32,
    pub(super) server_id: ServerId,
    /// After the last entry.
    #[serde(rename = "place")]
    pub(super) position: ResumePosition,
    /// Where reading begins after a restart.
    pub(super) resume: BinlogPosition,
    pub(super) coverage: Coverage,
    #[serde(rename = "holes")]
    pub(super) log_gaps: Vec<LogGap>,
    pub(super) horizon: RetentionHorizon,
    pub(super) next: ChangeSequence,
    pub(super) changes: u64,
    pub(super) versions: u64,
    pub(super) baseline_rows: u64,
    pub(super) clock: Clock,
    pub(super) gtids: GtidState,
    /// Which time of transactions it is by.
    #[serde(default)]
    pub(super) source_time: SourceTime,
    /// Tables that statements have touched since the server was seen to agree, and the change after
    /// which the first of them is.
    #[serde(default, with = "pairs")]
    pub(super) unverified: BTreeMap<TableName, ChangeSequence>,
    /// All changes before this one were compared with what was before them; `None`: all were.
    #[serde(default)]
    pub(super) checked: Option<ChangeSequence>,
}

/// A map whose keys are no text, as a list of pairs.
mod pairs {
    use super::{BTreeMap, ChangeSequence, TableName};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        map: &BTreeMap<TableName, ChangeSequence>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(map)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<TableName, ChangeSequence>, D::Error> {
        Ok(Vec::<(TableName, ChangeSequence)>::deserialize(from)?.into_iter().collect())
    }
}

impl State {
    /// A record that begins.
    pub(super) fn new(server_id: ServerId, position: ResumePosition, coverage: Coverage) -> Self {
        Self {
            form: FORM,
            server_id,
            resume: position.at.clone(),
            position,
            coverage,
            log_gaps: Vec::new(),
            horizon: RetentionHorizon::default(),
            next: ChangeSequence(1),
            changes: 0,
            versions: 0,
            baseline_rows: 0,
            clock: Clock::default(),
            gtids: GtidState::default(),
            source_time: SourceTime::Local,
            unverified: BTreeMap::new(),
            checked: None,
        }
    }
}

/// How far the first reading of a table is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// The key of the last row that was read.
    #[serde(rename = "behind")]
    pub(super) last_key: Option<Row>,
}

/// What was read at start.
#[derive(Debug)]
pub(super) struct Restored {
    pub(super) state: State,
    pub(super) entries: CommitIndexWriter,
    pub(super) tables: KnownTables,
    pub(super) reading: BTreeMap<GenerationId, Progress>,
}

fn failed(error: &serde_json::Error) -> StoreError {
    StoreFault::Checkpoint(error.to_string()).into()
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|e| failed(&e))
}

fn parsed<T: DeserializeOwned>(text: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(text).map_err(|e| failed(&e))
}

fn numbered(kind: u8, id: u32) -> Vec<u8> {
    [&[kind][..], &id.to_be_bytes()].concat()
}

fn name_key(name: &TableName) -> Vec<u8> {
    // No name of MySQL's holds a zero byte.
    [&[NAME][..], name.schema.as_bytes(), &[0], name.table.as_bytes()].concat()
}

/// What changed since the last batch, and the state. Gives the names whose states changed.
pub(super) fn write(
    ingest: &mut Ingest,
    state: &State,
    batch: &mut Batch,
) -> Result<BTreeSet<TableName>, StoreError> {
    batch.put(Table::Meta, STATE, &json(state)?);
    if std::mem::take(&mut ingest.dirty.catalog) {
        let catalog = Arc::clone(&ingest.catalog);
        for id in ingest.dirty.definitions..catalog.count() {
            if let Some(text) = catalog.definition_text(DefinitionId(id)).map_err(|e| failed(&e))? {
                batch.put(Table::Meta, &numbered(DEFINITION, id), &text);
            }
        }
        ingest.dirty.definitions = catalog.count();
        batch.put(Table::Meta, CATALOG, &catalog.rest_text().map_err(|e| failed(&e))?);
    }
    for id in std::mem::take(&mut ingest.dirty.generations) {
        if let Some(generation) = ingest.generations.get(id as usize) {
            batch.put(Table::Meta, &numbered(SPACE, id), &json(generation)?);
        }
    }
    if ingest.names.sweeps().len() != ingest.dirty.sweeps {
        ingest.dirty.sweeps = ingest.names.sweeps().len();
        batch.put(Table::Meta, SWEEPS, &json(&ingest.names.sweeps())?);
    }
    if !ingest.names.is_changed() {
        return Ok(BTreeSet::new());
    }
    let changed = ingest.names_mut().take_changed();
    for name in &changed {
        batch.put(Table::Meta, &name_key(name), &json(&(name, ingest.names.history(name)))?);
    }
    Ok(changed)
}

/// How far the reading of a table is.
pub(super) fn write_progress(
    batch: &mut Batch,
    generation: GenerationId,
    progress: Option<&Progress>,
) -> Result<(), StoreError> {
    match progress {
        Some(progress) => batch.put(Table::Meta, &numbered(READING, generation.0), &json(progress)?),
        None => batch.remove(Table::Meta, &numbered(READING, generation.0)),
    }
    Ok(())
}

/// All pairs of a kind, in order.
fn all(snapshot: &dyn Snapshot, kind: u8) -> Result<Vec<Pair>, StoreError> {
    let (mut from, to) = (vec![kind], [kind + 1]);
    let mut found = Vec::new();
    loop {
        let pairs = snapshot.scan(Table::Meta, &from, &to, AT_ONCE)?;
        let Some((last, _)) = pairs.last() else { return Ok(found) };
        from = [last.as_slice(), &[0]].concat();
        found.extend(pairs);
    }
}

fn number_of(key: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(key.get(1..)?.try_into().ok()?))
}

fn check_form(state: &State) -> Result<(), StoreError> {
    if (OLDEST_FORM..=FORM).contains(&state.form) {
        return Ok(());
    }
    Err(StoreFault::OtherForm { found: state.form, oldest: OLDEST_FORM, newest: FORM }.into())
}

/// Takes back what was written of a transaction that did not come to its end: before anything else
/// is read.
pub(super) fn take_back(ingest: &mut Ingest) -> Result<(), StoreError> {
    let Some(text) = ingest.committed().get(Table::Meta, STATE)? else {
        return ingest.take_back(ingest.next);
    };
    let mut state: State = parsed(&text)?;
    check_form(&state)?;
    ingest.take_back(state.next)?;
    if state.form != FORM {
        // At once: a program that knows only the older form must not read pieces that come now.
        state.form = FORM;
        let mut batch = Batch::default();
        batch.put(Table::Meta, STATE, &json(&state)?);
        ingest.commit(&batch)?;
    }
    Ok(())
}

/// What was written; `None`: nothing was, the store is new.
pub(super) fn read(snapshot: &dyn Snapshot) -> Result<Option<Restored>, StoreError> {
    read_again(snapshot, &mut TableCache::default())
}

/// The same by who has read it before: what tables are is read only where it changed.
pub(super) fn read_again(
    snapshot: &dyn Snapshot,
    known: &mut TableCache,
) -> Result<Option<Restored>, StoreError> {
    let Some(text) = snapshot.get(Table::Meta, STATE)? else { return Ok(None) };
    let mut state: State = parsed(&text)?;
    check_form(&state)?;
    state.form = FORM;
    let tables = known.read(snapshot)?;
    let mut reading = BTreeMap::new();
    for (key, text) in all(snapshot, READING)? {
        if let Some(id) = number_of(&key) {
            reading.insert(GenerationId(id), parsed(&text)?);
        }
    }
    let entries = CommitIndexWriter::after(state.clock.clone(), snapshot)?;
    Ok(Some(Restored { state, entries, tables, reading }))
}

#[cfg(test)]
mod tests;
