//! Rows and changes of an answer, as the frames have them: most only pass through, and are never
//! taken apart.

use dbtrail_types::agent_api::frames::{EventRef, RowRef};
use dbtrail_types::agent_api::{ChangeOrigin, DiffEvent, RowLine};
use dbtrail_types::byte_list::ByteList;
use dbtrail_types::column::TableDefinition;
use dbtrail_types::names::TableName;
use std::sync::Arc;

/// Rows of `/v1/flashback` and `/v1/snapshot`.
#[derive(Debug)]
pub struct Rows {
    width: usize,
    rows: ByteList,
}

impl Rows {
    /// Of rows of so many cells, of which there are none yet.
    pub(super) fn new(width: usize) -> Self {
        Self { width, rows: ByteList::default() }
    }

    /// Adds one, if it is a row of so many cells.
    pub(super) fn push(&mut self, row: &[u8]) -> Option<()> {
        RowRef::read(row, self.width)?;
        self.rows.push_bytes(row);
        Some(())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = RowRef<'_>> {
        self.rows.iter().map(RowRef::read_before)
    }

    /// As lines.
    pub fn lines(&self) -> impl Iterator<Item = RowLine> {
        self.iter().map(RowRef::to_line)
    }
}

/// What lines before an event say of it.
#[derive(Clone, Debug, Default)]
pub struct Announced {
    /// Who made it.
    pub origin: Option<Arc<ChangeOrigin>>,
    /// Its table, where events of several are given.
    pub table: Option<Arc<TableName>>,
}

/// Events of `/v1/diff`.
#[derive(Debug)]
pub struct Events {
    definition: Arc<TableDefinition>,
    packed: ByteList,
    /// From which event on what holds, by rising numbers.
    announced: Vec<(usize, Announced)>,
}

impl Events {
    /// Of events whose rows have this definition, and to which this applies; there are none yet.
    pub(super) fn new(definition: Arc<TableDefinition>, announced: Announced) -> Self {
        Self { definition, packed: ByteList::default(), announced: vec![(0, announced)] }
    }

    /// Adds one, as a frame has it, which was read.
    pub(super) fn push(&mut self, event: &[u8]) {
        self.packed.push_bytes(event);
    }

    /// From the next event on, this applies.
    pub(super) fn announce(&mut self, announced: Announced) {
        self.announced.push((self.packed.len(), announced));
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.packed.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// The definition that their rows have.
    #[must_use]
    pub fn definition(&self) -> &Arc<TableDefinition> {
        &self.definition
    }

    /// In order, each with what was said of it. All were read before they were added, so that none
    /// is left out here.
    pub fn iter(&self) -> impl Iterator<Item = (EventRef<'_>, &Announced)> {
        let mut announced = self.announced.as_slice();
        self.packed.iter().enumerate().filter_map(move |(at, event)| {
            while let [_, rest @ ..] = announced
                && rest.first().is_some_and(|(from, _)| *from <= at)
            {
                announced = rest;
            }
            Some((EventRef::read_before(event)?, &announced.first()?.1))
        })
    }

    /// As events of their own.
    #[must_use]
    pub fn to_events(&self) -> Vec<DiffEvent> {
        let owned = |(event, Announced { origin, table }): (EventRef<'_>, &Announced)| DiffEvent {
            origin: origin.clone(),
            table: table.clone(),
            ..event.to_event()
        };
        self.iter().map(owned).collect()
    }
}
