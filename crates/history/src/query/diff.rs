//! Changes inside a window, oldest first.

use super::change_filter::ChangeFilter;
use super::change_rows::{EventWriter, key_positions};
use super::form::Form;
use super::keys::Wanted;
use super::merge::Merge;
use super::origin::Origins;
use super::scan::Turn;
use super::walk::{Step, Walk};
use super::window::Window;
use super::{History, Refusal, lines};
use crate::commit_index::{Page, ReadPoint};
use crate::schema::DefinitionId;
use crate::store::ChangeSequence;
use dbtrail_types::agent_api::{DiffLine, DiffRequest};
use dbtrail_types::column::TableDefinition;
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;
use std::sync::Arc;

/// The lines of an answer, in chunks.
#[derive(Debug)]
pub struct DiffAnswer {
    history: Arc<History>,
    /// `None`: one transaction.
    window: Option<(Timestamp, Timestamp)>,
    head: Option<Vec<u8>>,
    form: Form,
    writer: EventWriter,
    changes: Changes,
    /// Which of them are wanted.
    filter: Option<ChangeFilter>,
    /// Events that are still wanted.
    left: u64,
    /// The entries around the last change.
    page: Page,
    origins: Origins,
    /// The definition under which the lines are now.
    definition: (DefinitionId, Arc<TableDefinition>, Vec<usize>),
    count: u64,
    done: bool,
}

/// Where the changes of an answer come from.
#[derive(Debug)]
enum Changes {
    /// The versions of keys that are named.
    Keys(Merge),
    /// The index of changes.
    All(Box<Walk>),
}

impl Changes {
    fn next(&mut self, history: &History) -> Result<Step, Refusal> {
        match self {
            Self::Keys(merge) => Ok(merge.next(history)?.map_or(Step::End, Step::Change)),
            Self::All(walk) => walk.next(history),
        }
    }
}

impl History {
    /// The changes of rows with these keys inside a window, or in one transaction.
    ///
    /// # Errors
    /// Every reason not to answer.
    pub fn diff(self: &Arc<Self>, request: &DiffRequest) -> Result<DiffAnswer, Refusal> {
        self.check_server(&request.server_id)?;
        self.all_compared()?;
        let name = TableName { schema: request.schema.clone(), table: request.table.clone() };
        let name = self.catalog.folded(name);
        let (window, (from, to), end) = self.asked(request)?;
        let found = self.table_at(&name, end)?;
        let wanted = Wanted::read(&request.keys, found.definition, &name, self.gtids.is_of_mariadb())?;
        let definition = (found.definition_id, Arc::clone(found.definition), key_positions(found.definition));
        let head = lines::header(self, found.definition_id, None)?;
        let filter = request.filter.as_ref();
        let mut filter =
            filter.map(|filter| ChangeFilter::new(self, filter, found.definition_id)).transpose()?;
        if let Some((since, until)) = window {
            let (mut page, mut origins) = (Page::default(), Origins::default());
            self.check_window_ends(
                (since, Some(until)),
                &name,
                Some(&wanted),
                |sequence, generation, key| {
                    let Some(filter) = &mut filter else { return Ok(true) };
                    let position = (sequence, sequence.next());
                    let version = self.versions().first(generation, key, position)?;
                    let commit = self.commit_index().of_near(sequence, &mut page)?;
                    match (version, commit) {
                        (Some(version), Some(commit)) => filter.holds(self, &version, commit, &mut origins),
                        _ => Ok(true),
                    }
                },
            )?;
        }
        let window_of = Window { history: self, name: &name, found, from, to };
        let changes = match wanted {
            // A transaction that changed nothing is no range of the log.
            _ if from >= to => Changes::Keys(Merge::new(self, Vec::new(), (from, to))?),
            Wanted::Keys(_) | Wanted::Range(_) => {
                Changes::Keys(Merge::new(self, window_of.sources(&wanted)?, (from, to))?)
            }
            Wanted::Scan(span) => {
                let walk = Walk::new(self, window_of.walked()?, Some(span), (from, to))?;
                Changes::All(Box::new(walk))
            }
        };
        Ok(DiffAnswer {
            history: Arc::clone(self),
            window,
            head: Some(head),
            form: Form::Lines,
            writer: EventWriter::default(),
            changes,
            filter,
            left: request.limit.unwrap_or(u64::MAX),
            page: Page::default(),
            origins: Origins::new(request.connection_names),
            definition,
            count: 0,
            done: false,
        })
    }

    /// The window, the changes from its first to after its last, and where the definition is looked
    /// at.
    fn asked(&self, request: &DiffRequest) -> Result<DiffWindow, Refusal> {
        match (request.since, request.until, &request.transaction) {
            (Some(since), Some(until), None) => {
                if since > until {
                    return Err(Refusal::malformed("the window ends before it begins".to_owned()));
                }
                self.covered(since)?;
                self.covered(until)?;
                self.without_gap(since, until)?;
                let range = self.commit_index().sequence_range(since, until)?;
                Ok((Some((since, until)), range, self.commit_index().cut(until)?))
            }
            (None, None, Some(gtid)) => {
                let (from, to) = self.transaction(gtid)?;
                Ok((None, (from, to), ReadPoint { at: to, doubtful: to }))
            }
            _ => Err(Refusal::malformed("give since and until, or transaction".to_owned())),
        }
    }
}

/// What [`History::asked`] gives.
type DiffWindow = (Option<(Timestamp, Timestamp)>, (ChangeSequence, ChangeSequence), ReadPoint);

impl Iterator for DiffAnswer {
    type Item = Result<Vec<u8>, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let mut out = self.form.of_line(self.head.take().unwrap_or_default());
        let result = self.fill(&mut out);
        if result.is_err() {
            self.done = true;
        }
        Some(result.map(|()| out))
    }
}

impl DiffAnswer {
    /// The same answer in this form.
    #[must_use]
    pub fn in_form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// Whether making it can take long, so that it is for a thread of its own.
    #[must_use]
    pub fn is_long(&self) -> bool {
        matches!(self.changes, Changes::All(_)) || self.filter.is_some()
    }

    /// Writes lines until a chunk is full or has taken long enough.
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let history = Arc::clone(&self.history);
        let mut turn = Turn::new();
        while out.len() < lines::CHUNK {
            let step = if self.left == 0 { Step::End } else { self.changes.next(&history)? };
            let version = match step {
                Step::Change(version) => version,
                Step::Nothing if turn.is_over() => return Ok(()),
                Step::Nothing => continue,
                Step::End => {
                    self.done = true;
                    return self.form.trailer(self.count, &[], out);
                }
            };
            let commit = history.commit_index().of_near(version.sequence, &mut self.page)?.cloned();
            let Some(commit) = commit else {
                return Err(Refusal::internal("a change without an entry".to_owned()));
            };
            if self.window.is_some_and(|(since, until)| !(since..=until).contains(&commit.committed)) {
                continue;
            }
            if let Some(filter) = &mut self.filter
                && !filter.holds(&history, &version, &commit, &mut self.origins)?
            {
                if turn.is_over() {
                    return Ok(());
                }
                continue;
            }
            self.announce(&history, version.definition, out)?;
            self.origins.announce(&history, version.sequence, self.form, out)?;
            self.writer.write(self.form, &history.catalog, &version, &commit, &self.definition.2, out)?;
            self.count += 1;
            self.left -= 1;
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
            self.form.json(&DiffLine::Definition(TableDefinition::clone(definition)), out)?;
        }
        self.definition = (id, Arc::clone(definition), key_positions(definition));
        Ok(())
    }
}
