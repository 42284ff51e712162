//! The table that rows are of.

use super::images::{Columns, Keyed};
use super::references::Referring;
use crate::image::{self, Content};
use crate::log::ServerVersion;
use crate::schema::{DefinitionId, ForeignKey, ends_of_time};
use crate::store::GenerationId;
use dbtrail_types::agent_api::EventType;
use dbtrail_types::names::TableName;
use std::sync::Arc;

/// Which rows of which tables follow a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Roles {
    /// Its own foreign keys that change rows.
    pub(super) keys: Vec<ForeignKey>,
    /// Those that refer to it, with their tables.
    pub(super) children: Vec<(TableName, ForeignKey)>,
}

/// A table that rows are of.
pub(super) struct Target {
    pub(super) generation: GenerationId,
    pub(super) id: DefinitionId,
    pub(super) columns: Arc<Columns>,
    /// Its foreign keys, if there are some that change rows.
    pub(super) referring: Option<Arc<Referring>>,
    pub(super) roles: Arc<Roles>,
    /// Of a system-versioned table: where the end of a row's time is.
    pub(super) row_end: Option<usize>,
}

/// The row before a change and the row after it.
pub(super) type Both<'a> = (Option<&'a Keyed>, Option<&'a Keyed>);

impl Target {
    /// What a change is to the rows of now: in a system-versioned table some are of rows of the
    /// past (`None`), a deleted row is one whose time ends, and what a changed row was is put in as
    /// another one.
    pub(super) fn of_now<'a>(
        &self,
        (kind, server): (EventType, ServerVersion),
        (before, after): Both<'a>,
    ) -> Option<(EventType, Both<'a>)> {
        let Some(position) = self.row_end else { return Some((kind, (before, after))) };
        let is_now = |keyed: &&Keyed| {
            let end = image::cells(&keyed.image).nth(position).and_then(Content::bytes);
            end.is_some_and(|end| ends_of_time(server).iter().any(|last| last.as_bytes() == end))
        };
        let (before, after) = (before.filter(is_now), after.filter(is_now));
        let kind = match (before, after) {
            (None, None) => return None,
            (None, Some(_)) => EventType::Insert,
            (Some(_), None) => EventType::Delete,
            (Some(_), Some(_)) => EventType::Update,
        };
        Some((kind, (before, after)))
    }
}
