//! Changes inside a window, oldest first.

use super::keys::Wanted;
use super::merge::{KeyOf, Merge};
use super::origin::Origins;
use super::rows::{known_keys, with_baseline};
use super::{Found, History, Refusal, lines, unreadable};
use crate::commit_index::{Commit, Page};
use crate::image::{Content, Image};
use crate::names::TableState;
use crate::record::Baseline;
use crate::schema::DefinitionId;
use crate::store::{ChangeSequence, EncodedKey, GenerationId, KeyMove, Version};
use dbtrail_types::agent_api::{DiffLine, DiffRequest, EventType, Octets, code};
use dbtrail_types::column::TableDefinition;
use dbtrail_types::instant::Instant;
use dbtrail_types::names::TableName;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The lines of an answer, in chunks.
#[derive(Debug)]
pub struct DiffAnswer {
    history: Arc<History>,
    window: (Instant, Instant),
    head: Option<Vec<u8>>,
    merge: Merge,
    /// The entries around the last change.
    page: Page,
    origins: Origins,
    /// The definition under which the lines stand now.
    definition: (DefinitionId, Arc<TableDefinition>, Vec<usize>),
    count: u64,
    done: bool,
}

/// What a window cannot be asked with.
const NO_SCAN: &str = "the changes of a whole table cannot be asked for: name keys";

/// One window over one table.
pub(super) struct Window<'a> {
    pub(super) history: &'a History,
    pub(super) name: &'a TableName,
    pub(super) found: Found<'a>,
    pub(super) from: ChangeSequence,
    pub(super) to: ChangeSequence,
}

impl History {
    /// The changes of rows with these keys inside a window.
    ///
    /// # Errors
    /// Every reason not to answer.
    pub fn diff(self: &Arc<Self>, request: &DiffRequest) -> Result<DiffAnswer, Refusal> {
        self.check_server(&request.server_id)?;
        if request.since > request.until {
            return Err(Refusal::malformed("the window ends before it begins".to_owned()));
        }
        self.covered(request.since)?;
        self.covered(request.until)?;
        self.whole(request.since, request.until)?;
        let name = TableName { schema: request.schema.clone(), table: request.table.clone() };
        let name = self.catalog.folded(name);
        let found = self.table_at(&name, self.commit_index().cut(request.until)?)?;
        let wanted = Wanted::read(&request.keys, found.definition, &name)?;
        let (from, to) = self.commit_index().stretch(request.since, request.until)?;
        let definition = (found.definition_id, Arc::clone(found.definition), key_places(found.definition));
        let head = lines::header(self, found.definition_id, None)?;
        let window = Window { history: self, name: &name, found, from, to };
        let sources = window.sources(&wanted)?;
        let merge = Merge::new(self, sources, (from, to))?;
        Ok(DiffAnswer {
            history: Arc::clone(self),
            window: (request.since, request.until),
            head: Some(head),
            merge,
            page: Page::default(),
            origins: Origins::default(),
            definition,
            count: 0,
            done: false,
        })
    }
}

pub(super) fn key_places(definition: &TableDefinition) -> Vec<usize> {
    definition.primary_key.iter().filter_map(|n| definition.position(n)).collect()
}

impl Window<'_> {
    /// Every key in every generation that the name meant in the window.
    fn sources(&self, wanted: &Wanted) -> Result<Vec<KeyOf>, Refusal> {
        let mut sources = Vec::new();
        for id in self.generations()? {
            let generation = self
                .history
                .generation(id)
                .ok_or_else(|| Refusal::internal("no such incarnation".to_owned()))?;
            super::certain(self.name, generation, self.to)?;
            if let Some((_, reason)) = generation.known_from.as_ref().filter(|(at, _)| self.from <= *at) {
                return Err(self.crossing(reason));
            }
            if !self.history.catalog.same_key(generation.definition, self.found.definition_id) {
                return Err(self.crossing("its primary key changes inside of the window"));
            }
            let emptied = generation.emptied.filter(|(at, _)| (self.from..self.to).contains(at));
            // Rows of which the record says nothing may have gone too.
            let unsure = emptied.is_some() && !generation.complete && generation.baseline != Baseline::Whole;
            let keys: Vec<EncodedKey> = match wanted {
                Wanted::Keys(keys) => {
                    for (key, shown) in keys {
                        if unsure && self.is_unknown(id, key)? {
                            return Err(self.lost(&lines::key_text(shown)));
                        }
                    }
                    keys.iter().map(|(key, _)| key.clone()).collect()
                }
                Wanted::Range(range) => {
                    let mut keys = known_keys(self.history, id, range)?;
                    if emptied.is_some() {
                        keys = with_baseline(self.history, id, keys, range)?;
                    }
                    if unsure && range.width != u128::try_from(keys.len()).ok() {
                        return Err(self.lost("in that range"));
                    }
                    keys
                }
                Wanted::Scan(_) => return Err(Refusal::malformed(NO_SCAN.to_owned())),
            };
            for key in keys {
                if let Some(emptied) = emptied {
                    // What cannot be told is refused before the first line.
                    self.history.lost((id, &key), emptied).map_err(|e| unreadable(self.name, &e.message))?;
                }
                sources.push(KeyOf { generation: id, key, emptied });
            }
        }
        Ok(sources)
    }

    fn is_unknown(&self, generation: GenerationId, key: &[u8]) -> Result<bool, Refusal> {
        let versions = self.history.versions();
        let known = versions.newest_before(generation, key, self.history.end)?.is_some();
        Ok(!known && versions.base(generation, key)?.is_none())
    }

    /// The generations of the table in the window, if every step between them is one of which the
    /// rows are known.
    pub(super) fn generations(&self) -> Result<BTreeSet<GenerationId>, Refusal> {
        let history = self.history.names.history(self.name);
        let start = history.partition_point(|(from, _)| *from < self.from).saturating_sub(1);
        let mut generations = BTreeSet::new();
        let mut before: Option<&TableState> = None;
        for (at, table_state) in history.iter().skip(start).take_while(|(at, _)| *at < self.to) {
            if let Some(before) = before {
                self.step(before, table_state, *at)?;
            }
            match table_state {
                TableState::Table(generation, _) => {
                    generations.insert(*generation);
                }
                TableState::Absent => {}
                TableState::Unknown { .. } => {
                    return Err(unreadable(
                        self.name,
                        "nothing in the record tells its columns in a part of the window",
                    ));
                }
                TableState::Unreadable(reason) => return Err(unreadable(self.name, reason)),
            }
            before = Some(table_state);
        }
        Ok(generations)
    }

    fn step(&self, before: &TableState, after: &TableState, at: ChangeSequence) -> Result<(), Refusal> {
        let emptied = |id: &GenerationId| {
            self.history.generation(*id).is_some_and(|s| s.emptied.is_some_and(|(when, _)| when == at))
        };
        let began =
            |id: &GenerationId| self.history.generation(*id).is_some_and(|s| s.started == at && s.complete);
        let follows = |old: &GenerationId, new: &GenerationId| {
            self.history.generation(*new).is_some_and(|s| s.before == Some(*old))
        };
        let unknown = |id: &GenerationId| {
            self.history
                .generation(*id)
                .and_then(|s| s.known_from.as_ref())
                .map(|(_, reason)| self.crossing(reason))
        };
        let renamed =
            || self.crossing("it is renamed inside of the window, so that rows come or go with no change");
        match (before, after) {
            (TableState::Table(old, _), TableState::Table(new, _)) if old == new => Ok(()),
            (TableState::Table(old, _), TableState::Table(new, _)) if emptied(old) && began(new) => Ok(()),
            (TableState::Table(old, _), TableState::Table(new, _)) if follows(old, new) => {
                Err(self.crossing("its primary key changes inside of the window"))
            }
            (TableState::Table(..), TableState::Table(new, _)) => Err(unknown(new).unwrap_or_else(renamed)),
            (TableState::Table(old, _), TableState::Absent) if !emptied(old) => Err(renamed()),
            (TableState::Absent, TableState::Table(new, _)) if !began(new) => Err(renamed()),
            _ => Ok(()),
        }
    }

    pub(super) fn crossing(&self, what: &str) -> Refusal {
        let at =
            self.history.names.history(self.name).iter().filter(|(at, _)| (self.from..self.to).contains(at));
        let times: Vec<String> = at
            .filter_map(|(at, _)| self.history.commit_index().committed(*at).ok()?)
            .map(|t| t.to_string())
            .collect();
        Refusal::new(
            422,
            code::UNREADABLE_TABLE,
            format!(
                "the changes of {} cannot be told as one list: {what} (its definition or name changes at {}). Ask for the windows before and after it",
                self.name,
                times.join(", ")
            ),
        )
    }

    pub(super) fn lost(&self, key: &str) -> Refusal {
        Refusal::new(
            422,
            code::NOT_RECORDED,
            format!(
                "{} lost all of its rows at once inside of the window (TRUNCATE or DROP), and the record does not say whether there was one with key {key}",
                self.name
            ),
        )
    }
}

impl Iterator for DiffAnswer {
    type Item = Result<Vec<u8>, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let mut out = self.head.take().unwrap_or_default();
        let result = self.fill(&mut out);
        if result.is_err() {
            self.done = true;
        }
        Some(result.map(|()| out))
    }
}

impl DiffAnswer {
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let history = Arc::clone(&self.history);
        while out.len() < lines::CHUNK {
            let Some(version) = self.merge.next(&history)? else {
                self.done = true;
                return lines::trailer(self.count, &[], out);
            };
            let commit = history.commit_index().of_near(version.sequence, &mut self.page)?.cloned();
            let Some(commit) = commit else {
                return Err(Refusal::internal("a change without an entry".to_owned()));
            };
            if commit.committed < self.window.0 || commit.committed > self.window.1 {
                continue;
            }
            self.announce(&history, version.definition, out)?;
            self.origins.announce(&history, version.sequence, out)?;
            self.event(&version, &commit, out)?;
            self.count += 1;
        }
        Ok(())
    }

    /// A definition line, where the columns of the next event are others.
    fn announce(&mut self, history: &History, id: DefinitionId, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if id == self.definition.0 {
            return Ok(());
        }
        let definition = history.catalog.definition(id);
        let definition =
            definition.ok_or_else(|| Refusal::internal("a change without a definition".to_owned()))?;
        if *definition != self.definition.1 {
            lines::json(&DiffLine::Definition(TableDefinition::clone(definition)), out)?;
            out.push(b'\n');
        }
        self.definition = (id, Arc::clone(definition), key_places(definition));
        Ok(())
    }

    fn event(&self, version: &Version, commit: &Commit, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let kind = match version.kind {
            EventType::Insert => "INSERT",
            EventType::Update => "UPDATE",
            EventType::Delete => "DELETE",
        };
        out.extend_from_slice(b"{\"event\":{\"event_id\":");
        out.extend_from_slice(version.sequence.0.to_string().as_bytes());
        out.extend_from_slice(b",\"event_timestamp\":");
        lines::json(&commit.committed, out)?;
        out.extend_from_slice(b",\"event_type\":\"");
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(if version.is_derived() { b"\",\"derived\":true" } else { b"\"" });
        if let Some(cause) = version.cause {
            out.extend_from_slice(b",\"cause\":");
            out.extend_from_slice(cause.0.to_string().as_bytes());
        }
        out.extend_from_slice(b",\"gtid\":");
        lines::json(&commit.gtid.as_ref().map(ToString::to_string), out)?;
        out.extend_from_slice(b",\"key\":");
        let keyed = if version.side == KeyMove::Left {
            version.before.as_ref()
        } else {
            version.after.as_ref().or(version.before.as_ref())
        };
        lines::json(&keyed.map(|i| self.key(i)).unwrap_or_default(), out)?;
        let catalog = &self.history.catalog;
        let filled = |image: &Option<Image>, other: &Option<Image>| {
            let (image, other) = image.as_ref().zip(other.as_ref())?;
            catalog.filled(version.definition, image, other)
        };
        let after = filled(&version.after, &version.before);
        let before = filled(&version.before, &version.after);
        let images =
            [("before", before.as_ref(), &version.before), ("after", after.as_ref(), &version.after)];
        for (name, filled, image) in images {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            match filled.or(image.as_ref()) {
                Some(image) => lines::image(catalog, version.definition, image, out),
                None => out.extend_from_slice(b"null"),
            }
        }
        out.extend_from_slice(b"}}\n");
        Ok(())
    }

    fn key(&self, image: &Image) -> Vec<Octets> {
        let cells: Vec<Option<&[u8]>> = image.cells().map(Content::bytes).collect();
        let places = self.definition.2.iter();
        places.map(|i| Octets(cells.get(*i).copied().flatten().unwrap_or_default().to_vec())).collect()
    }
}
