//! What statements of the log do to names and incarnations.

use super::Ingest;
use crate::agent_api::EventType;
use crate::history::image::Image;
use crate::history::names::Standing;
use crate::history::record::Space;
use crate::history::schema::{DefinitionId, Effect};
use crate::history::store::{HistoryStore, Sequence, Side, SpaceId, StoreError, Version};
use crate::ident::TableName;
use std::ops::Bound;

/// Keys looked at in one go when a table is emptied.
const AT_ONCE: usize = 1024;

impl Ingest {
    pub(super) fn effect(&mut self, effect: Effect, at: Sequence) -> Result<(), StoreError> {
        match effect {
            Effect::Created(name, definition) => {
                let before = self.emptied(&name, at)?;
                let space = self.new_space(Space { before, ..Space::new(definition, at, true) });
                self.names.appear(&name, at, Standing::Table(space, definition));
            }
            Effect::Dropped(name) => {
                self.emptied(&name, at)?;
                self.names.set(&name, at, Standing::Absent);
            }
            Effect::Truncated(name) => self.truncated(&name, at)?,
            Effect::Altered(name, definition) => self.altered(&name, definition, at),
            Effect::Renamed { from, to } => self.renamed(&from, &to, at),
            Effect::Unreadable(name, reason) => self.names.set(&name, at, Standing::Unreadable(reason)),
            Effect::SchemaDropped(schema) => {
                let schemas = [schema];
                for name in self.names.living(&schemas) {
                    self.emptied(&name, at)?;
                }
                self.names.sweep(&schemas, at, &Standing::Absent);
            }
            Effect::UnreadableAll { schemas, reason } => {
                self.names.sweep(&schemas, at, &Standing::Unreadable(reason));
            }
        }
        Ok(())
    }

    pub(super) fn unfollowable(&mut self, tables: &[TableName], reason: &str, at: Sequence) {
        let unreadable = Standing::Unreadable(reason.to_owned());
        if tables.is_empty() {
            self.names.sweep(&[], at, &unreadable);
        }
        for name in tables {
            self.names.set(name, at, unreadable.clone());
        }
    }

    fn truncated(&mut self, name: &TableName, at: Sequence) -> Result<(), StoreError> {
        match self.names.current(name) {
            Standing::Table(_, definition) => {
                let before = self.emptied(name, at)?;
                let space = self.new_space(Space { before, ..Space::new(definition, at, true) });
                self.names.set(name, at, Standing::Table(space, definition));
            }
            Standing::Unknown { .. } => self.names.set(name, at, Standing::Unknown { empty: true }),
            Standing::Absent => self.impossible(name, "TRUNCATE", at),
            Standing::Unreadable(_) => {}
        }
        Ok(())
    }

    fn altered(&mut self, name: &TableName, definition: DefinitionId, at: Sequence) {
        match self.names.current(name) {
            Standing::Table(space, old) => {
                let space = self.continued(space, old, definition, at);
                self.names.set(name, at, Standing::Table(space, definition));
            }
            Standing::Unknown { empty } => {
                let space = self.new_space(Space::new(definition, at, empty));
                self.names.set(name, at, Standing::Table(space, definition));
            }
            Standing::Absent => self.impossible(name, "ALTER TABLE", at),
            Standing::Unreadable(_) => {}
        }
    }

    fn renamed(&mut self, from: &TableName, to: &TableName, at: Sequence) {
        let standing = self.names.current(from);
        if standing == Standing::Absent {
            self.impossible(to, "RENAME", at);
            return;
        }
        self.names.set(from, at, Standing::Absent);
        if matches!(self.names.current(to), Standing::Table(..)) {
            self.impossible(to, "RENAME", at);
        } else {
            self.names.appear(to, at, standing);
        }
    }

    fn impossible(&mut self, name: &TableName, statement: &str, at: Sequence) {
        let reason =
            format!("the log has a {statement} of {name} that does not fit the statements before it");
        self.names.set(name, at, Standing::Unreadable(reason));
    }

    /// All rows of the table go at once: the log has no images of them, but the history knows those that it saw. Gives the incarnation
    /// that ends, or that ended last.
    fn emptied(&mut self, name: &TableName, at: Sequence) -> Result<Option<SpaceId>, StoreError> {
        let (space, definition) = match self.names.current(name) {
            Standing::Table(space, definition) => (space, definition),
            Standing::Absent => return Ok(self.names.last_table(name)),
            Standing::Unknown { .. } | Standing::Unreadable(_) => return Ok(None),
        };
        let mut from: Box<[u8]> = Box::default();
        loop {
            let keys = self.store.keys(space, &from, Bound::Unbounded, AT_ONCE)?;
            let Some(last) = keys.last() else { break };
            from = [last, &[0][..]].concat().into();
            let mut batch = Vec::new();
            for key in keys {
                let newest = self.store.newest_before(space, &key, Sequence::END)?;
                if let Some((image, under)) =
                    newest.and_then(|v| v.row_after().map(|i| (i.clone(), v.definition)))
                {
                    let version = self.lost((image, under), (space, definition));
                    batch.push((space, key, version));
                }
            }
            self.store.apply(batch)?;
        }
        if let Some(space) = self.space_mut(space) {
            space.emptied = Some(at);
        }
        Ok(Some(space))
    }

    /// The DELETE that nobody logged.
    fn lost(
        &mut self,
        (image, under): (Image, DefinitionId),
        (space, now): (SpaceId, DefinitionId),
    ) -> Version {
        let sequence = self.take_number();
        let mut version = Version {
            sequence,
            definition: under,
            kind: EventType::Delete,
            side: Side::Same,
            before: Some(image.clone()),
            after: None,
        };
        if under != now {
            match self.catalog.carry(under, now, &image.unpack()) {
                Ok(row) => {
                    version.before = Some(Image::pack(&row));
                    version.definition = now;
                }
                Err(why) => {
                    if let Some(space) = self.space_mut(space) {
                        space.losses.push((sequence, why.to_string()));
                    }
                }
            }
        }
        version
    }
}
