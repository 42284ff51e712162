//! What a window, or one transaction, did to the rows of a table, all in all.
//!
//! Of each key that changed: its row before, at the end, and at the end of the record, all under
//! the definition that the table has there. The states are those between two changes of the log, so
//! that no time is in doubt; the window's ends are (see [`History::span`]).

use super::diff::Window;
use super::keys::Wanted;
use super::rows::{Question, State};
use super::{Found, History, Reading, Refusal, lines, unreadable};
use crate::changes;
use crate::commit_index::{Page, ReadPoint};
use crate::names::TableState;
use crate::record::Baseline;
use crate::schema::{Carried, DefinitionId};
use crate::store::{ChangeSequence, EncodedKey, GenerationId};
use dbtrail_types::agent_api::{NetChange, NetLine};
use dbtrail_types::agent_api::{NetHeader, NetRequest, Octets, RowCell, RowLine, Span, code};
use dbtrail_types::column::Column;
use dbtrail_types::names::TableName;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Keys looked at in one go.
const AT_ONCE: usize = 1024;

/// Bytes of the keys of an answer at most, with what each takes beside its bytes: they are put in
/// order, so that all of them are held.
const MOST: usize = 64 << 20;
/// What a key takes beside its bytes, about.
const BESIDE: usize = 48;

/// The lines of an answer, in chunks.
#[derive(Debug)]
pub struct NetAnswer {
    history: Arc<History>,
    name: TableName,
    stretch: (ChangeSequence, ChangeSequence),
    head: Option<Vec<u8>>,
    keys: std::vec::IntoIter<EncodedKey>,
    count: u64,
    done: bool,
}

impl History {
    /// What a window or a transaction did to rows, all in all.
    ///
    /// # Errors
    /// Every reason not to answer.
    pub fn net(self: &Arc<Self>, request: &NetRequest) -> Result<NetAnswer, Refusal> {
        self.check_server(&request.server_id)?;
        let name = TableName { schema: request.schema.clone(), table: request.table.clone() };
        let name = self.catalog.folded(name);
        let stretch = self.span(&request.span)?;
        let today = self.today(&name)?;
        if let Some(why) = super::no_key(today.definition) {
            return Err(Refusal::new(422, code::UNSUPPORTED_KEY, format!("table {name}: {why}")));
        }
        super::certain(&name, today.generation, self.end)?;
        let wanted = request.keys.as_ref().map(|keys| Wanted::read(keys, today.definition, &name));
        let wanted = wanted.transpose()?;
        let head = self.net_head(&name, &today)?;
        let (from, to) = stretch;
        let keys = if from < to {
            let changed = Changed { history: self, name: &name, today: &today, span: &request.span, stretch };
            changed.keys(wanted.as_ref(), request.derived_only)?
        } else {
            Vec::new()
        };
        Ok(NetAnswer {
            history: Arc::clone(self),
            name,
            stretch,
            head: Some(head),
            keys: keys.into_iter(),
            count: 0,
            done: false,
        })
    }

    /// The changes of a span: the first, and the one after the last.
    fn span(&self, span: &Span) -> Result<(ChangeSequence, ChangeSequence), Refusal> {
        match span {
            Span::Window { since, until } => {
                if since > until {
                    return Err(Refusal::malformed("the window ends before it begins".to_owned()));
                }
                self.covered(*since)?;
                self.covered(*until)?;
                self.whole(*since, *until)?;
                Ok(self.commit_index().stretch(*since, *until)?)
            }
            Span::Transaction(gtid) => self.transaction(gtid),
        }
    }

    /// The table as it is at the end of the record, on which statements would run.
    fn today(&self, name: &TableName) -> Result<Found<'_>, Refusal> {
        let now = ReadPoint { at: ChangeSequence::END, doubtful: ChangeSequence::END };
        if self.names.at(name, ChangeSequence::END).is_some_and(|(_, s)| *s == TableState::Absent)
            && self.names.history(name).iter().any(|(_, s)| matches!(s, TableState::Table(..)))
        {
            let newest = self.coverage.newest;
            return Err(Refusal::new(
                404,
                code::UNKNOWN_TABLE,
                format!(
                    "table {name} is not there at the end of the record ({newest}), so no statement can bring its rows back: create it first \
                     (`dbtrail-shim dump` writes the CREATE TABLE and all rows of an instant)"
                ),
            ));
        }
        self.table_at(name, now)
    }

    fn net_head(&self, name: &TableName, today: &Found<'_>) -> Result<Vec<u8>, Refusal> {
        let definition = today.definition;
        let generated = self.catalog.generated(today.definition_id).iter();
        let generated = generated.filter_map(|at| Some(definition.columns.get(*at)?.name.clone())).collect();
        let header = NetHeader {
            success: true,
            definition: definition.as_ref().clone(),
            newest: self.coverage.newest,
            generated,
            unique: self.catalog.unique(today.definition_id),
            references: self.catalog.references(name),
            below: self.catalog.below(name).into_iter().filter(|child| child != name).collect(),
        };
        let mut out = Vec::new();
        lines::json(&header, &mut out)?;
        out.push(b'\n');
        Ok(out)
    }

    /// The row of a key between two changes of the log, under the definition of today. `None`:
    /// there was none.
    fn row_between(
        &self,
        name: &TableName,
        key: &EncodedKey,
        cut: ChangeSequence,
        today: &Found<'_>,
    ) -> Result<Option<Carried>, Refusal> {
        let place = ReadPoint { at: cut, doubtful: cut };
        if let Some((_, TableState::Absent)) = self.names.at(name, cut) {
            return Ok(None);
        }
        let found = self.table_at(name, place)?;
        if !self.catalog.same_key(found.definition_id, today.definition_id) {
            return Err(unreadable(name, "its primary key is another one now than it was then"));
        }
        let question = Question { history: self, name: name.clone(), found, cut: place };
        match question.state(key, Reading::Snapshot)? {
            State::Row(image, under) => {
                let image = question.filled(key, image, under)?;
                let row = self.catalog.unpack(under, &image);
                let now = today.definition_id;
                if under != now && !self.catalog.precedes(under, now) && !self.catalog.precedes(now, under) {
                    return Ok(self.by_name(under, today, &row));
                }
                let carried = self.catalog.carry(under, now, row);
                carried.map(Some).map_err(|why| unreadable(name, &why.to_string()))
            }
            State::NoRow(_) => Ok(None),
            State::Unknown => Err(Refusal::new(
                422,
                code::NOT_RECORDED,
                format!(
                    "the record does not say whether {name} had a row with a key that changed in the window"
                ),
            )),
        }
    }
}

impl History {
    /// A row of a table that was dropped, as one of the table that was created under its name
    /// since: by columns of the same name and declaration.
    fn by_name(&self, under: DefinitionId, today: &Found<'_>, row: &Carried) -> Option<Carried> {
        let then = self.catalog.definition(under)?;
        let cell = |column: &Column| {
            let at = then.position(&column.name);
            let was = at.and_then(|at| Some((at, then.columns.get(at)?)));
            let same = was.filter(|(_, was)| was.ty == column.ty && was.collation == column.collation);
            let cell = same.and_then(|(at, _)| row.get(at).cloned());
            cell.unwrap_or_else(|| {
                Err(format!(
                    "the table was created anew since, and the one before had no column {} of this type",
                    column.name
                ))
            })
        };
        Some(today.definition.columns.iter().map(cell).collect())
    }
}

/// Keys of an answer, in order.
struct Keys<'a> {
    name: &'a TableName,
    /// Which of them count; `None`: all.
    wanted: Option<&'a Wanted>,
    sorted: BTreeSet<EncodedKey>,
    /// Bytes that there is room for.
    left: usize,
}

impl Keys<'_> {
    fn add(&mut self, key: &[u8]) -> Result<(), Refusal> {
        if self.sorted.contains(key) || self.wanted.is_some_and(|wanted| !wanted.holds(key)) {
            return Ok(());
        }
        self.left = self.left.checked_sub(key.len() + BESIDE).ok_or_else(|| {
            Refusal::new(
                422,
                code::TOO_MANY_KEYS,
                format!(
                    "more than {} rows of {} changed there, which are too many to put in order: ask for a shorter window, for one transaction (AT GTID), or \
                     for some keys at a time",
                    self.sorted.len(),
                    self.name
                ),
            )
        })?;
        self.sorted.insert(key.into());
        Ok(())
    }
}

/// The keys of a table that a stretch of the log changed.
struct Changed<'a> {
    history: &'a History,
    name: &'a TableName,
    today: &'a Found<'a>,
    span: &'a Span,
    stretch: (ChangeSequence, ChangeSequence),
}

impl Changed<'_> {
    fn keys(&self, wanted: Option<&Wanted>, derived_only: bool) -> Result<Vec<EncodedKey>, Refusal> {
        let (from, to) = self.stretch;
        let place = ReadPoint { at: to, doubtful: to };
        let found = match self.history.names.at(self.name, to) {
            Some((_, TableState::Absent)) => None,
            _ => Some(self.history.table_at(self.name, place)?),
        };
        let found = found.unwrap_or(Found {
            space_id: self.today.space_id,
            generation: self.today.generation,
            definition_id: self.today.definition_id,
            definition: self.today.definition,
        });
        let window = Window { history: self.history, name: self.name, found, from, to };
        let mut keys = Keys { name: self.name, wanted, sorted: BTreeSet::new(), left: MOST };
        let mut generations = BTreeSet::new();
        for id in window.generations()? {
            let generation = self.history.generation(id);
            let generation = generation.ok_or_else(|| Refusal::internal("no such incarnation".to_owned()))?;
            super::certain(self.name, generation, to)?;
            if let Some((_, reason)) = generation.known_from.as_ref().filter(|(at, _)| from <= *at) {
                return Err(window.crossing(reason));
            }
            if !self.history.catalog.same_key(generation.definition, self.today.definition_id) {
                return Err(unreadable(self.name, "its primary key is another one now than it was then"));
            }
            generations.insert(id);
            let emptied = generation.emptied.filter(|(at, _)| (from..to).contains(at));
            if let Some((at, _)) = emptied
                && !derived_only
            {
                self.inside(at)?;
                if !generation.complete && generation.baseline != Baseline::Whole {
                    return Err(window.lost("that is not among those that it knows"));
                }
                self.all_of(id, &mut keys)?;
            }
        }
        self.all_changed(&generations, derived_only, &mut keys)?;
        Ok(keys.sorted.into_iter().collect())
    }

    /// The keys of all changes in the stretch, by the index of changes.
    fn all_changed(
        &self,
        generations: &BTreeSet<GenerationId>,
        derived_only: bool,
        keys: &mut Keys<'_>,
    ) -> Result<(), Refusal> {
        let (from, to) = self.stretch;
        let (mut page, mut refused) = (Page::default(), None);
        let versions = self.history.versions();
        changes::between(&*self.history.snapshot, from, to, &mut |change| {
            let Some(key) = change.key.filter(|_| generations.contains(&change.generation)) else {
                return Ok(true);
            };
            let commit = self.history.commit_index().of_near(change.sequence, &mut page)?;
            if let Err(why) = self.within(commit.map(|m| m.committed)) {
                refused = Some(why);
                return Ok(false);
            }
            if derived_only {
                let place = (change.sequence, change.sequence.next());
                if !versions.first(change.generation, key, place)?.is_some_and(|version| version.is_derived())
                {
                    return Ok(true);
                }
            }
            refused = keys.add(key).err();
            Ok(refused.is_none())
        })?;
        refused.map_or(Ok(()), Err)
    }

    /// All keys that a generation ever had.
    fn all_of(&self, generation: GenerationId, keys: &mut Keys<'_>) -> Result<(), Refusal> {
        let versions = self.history.versions();
        let last: EncodedKey = vec![0xff; 1 << 12].into();
        for base in [false, true] {
            let mut from = EncodedKey::from([]);
            loop {
                let window = (&*from, &*last);
                let some = if base {
                    versions.base_keys(generation, window, AT_ONCE)?
                } else {
                    versions.keys(generation, window, ChangeSequence::END, AT_ONCE)?
                };
                // No key of a table is the beginning of another one: after all that begin like this
                // one, the next one stands.
                from = some.last().map(|end| behind(end)).unwrap_or_default().into();
                some.iter().try_for_each(|key| keys.add(key))?;
                if from.is_empty() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// A change at this place is one of the span.
    fn inside(&self, at: ChangeSequence) -> Result<(), Refusal> {
        self.within(self.history.commit_index().committed(at)?)
    }

    /// Refuses what lies in the stretch and is not of the window: where the clock was set back, the
    /// window is no stretch of the log.
    fn within(&self, committed: Option<dbtrail_types::instant::Instant>) -> Result<(), Refusal> {
        let Span::Window { since, until } = self.span else { return Ok(()) };
        if committed.is_some_and(|at| (*since..=*until).contains(&at)) {
            return Ok(());
        }
        Err(Refusal::new(
            422,
            code::AMBIGUOUS_TIME,
            format!(
                "between {since} and {until} the times in the log are not in its order, and rows of {} changed there: ask AT GTID, or for a window that \
                 leaves that out",
                self.name
            ),
        ))
    }
}

impl Iterator for NetAnswer {
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

impl NetAnswer {
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let history = Arc::clone(&self.history);
        let today = history.today(&self.name)?;
        let generated = history.catalog.generated(today.definition_id);
        while out.len() < lines::CHUNK {
            let Some(key) = self.keys.next() else {
                self.done = true;
                return lines::trailer(self.count, &[], out);
            };
            let row = |cut| history.row_between(&self.name, &key, cut, &today);
            let (from, to) = self.stretch;
            let (before, end, now) = (row(from)?, row(to)?, row(history.end)?);
            let same = |a: &Option<Carried>, b: &Option<Carried>| match (a, b) {
                (None, None) => true,
                (Some(a), Some(b)) => {
                    let cells = a.iter().zip(b).enumerate();
                    // A generated column follows from the others; a cell that is not known is the
                    // same as none.
                    a.len() == b.len()
                        && cells
                            .filter(|(i, _)| !generated.contains(i))
                            .all(|(_, (a, b))| a.is_ok() && a == b)
                }
                _ => false,
            };
            if same(&before, &end) {
                continue;
            }
            let since = !same(&end, &now);
            let Some(some) = before.as_ref().or(end.as_ref()) else { continue };
            let places = super::diff::key_places(today.definition);
            let key = places.iter().map(|at| match some.get(*at) {
                Some(Ok(Some(bytes))) => Octets(bytes.clone()),
                _ => Octets(Vec::new()),
            });
            let net = NetChange {
                key: key.collect(),
                before: before.map(line),
                end: end.map(line),
                since,
                now: if since { now.map(line) } else { None },
            };
            lines::json(&NetLine { net }, out)?;
            out.push(b'\n');
            self.count += 1;
        }
        Ok(())
    }
}

/// Behind all keys that begin so; empty: there is no place after them.
fn behind(key: &[u8]) -> Vec<u8> {
    let mut end = key.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            break;
        }
    }
    end
}

fn line(row: Carried) -> RowLine {
    row.into_iter()
        .map(|cell| match cell {
            Ok(None) => RowCell::Null,
            Ok(Some(bytes)) => RowCell::Value(Octets(bytes)),
            Err(why) => RowCell::Unknown(why),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_held_up_to_a_limit() {
        let name = TableName { schema: "s".to_owned(), table: "t".to_owned() };
        let mut keys = Keys { name: &name, wanted: None, sorted: BTreeSet::new(), left: 2 * (BESIDE + 4) };
        for key in [[0, 0, 0, 2], [0, 0, 0, 1], [0, 0, 0, 2]] {
            keys.add(&key).unwrap();
        }
        let refused = keys.add(&[0, 0, 0, 3]).unwrap_err();
        assert_eq!(refused.code, code::TOO_MANY_KEYS);
        assert!(refused.message.starts_with("more than 2 rows of s.t changed there"), "{}", refused.message);
        assert_eq!(keys.sorted.len(), 2);
    }
}
