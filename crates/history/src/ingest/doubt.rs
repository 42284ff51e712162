//! Tables whose rows changed in a way that the log does not tell: what is known of them begins anew.

use super::Ingest;
use crate::names::Standing;
use crate::record::{Baseline, Space};
use crate::store::Sequence;
use dbtrail_types::ident::TableName;

impl Ingest {
    /// From here on rows of a table are not what was recorded of them: another incarnation begins, of which no row is known. The definition holds; while a server is
    /// captured, the rows are read again.
    pub(super) fn rows_unknown(&mut self, name: &TableName, at: Sequence, reason: &str) {
        match self.names.current(name) {
            Standing::Table(space, definition) => {
                let known_from = Some((at, reason.to_owned()));
                let keyed = self.catalog.definition(definition).is_some_and(|d| {
                    !d.primary_key.is_empty() && d.key_columns().len() == d.primary_key.len()
                });
                let baseline = if keyed && self.rereads { Baseline::Reading } else { Baseline::None };
                let unused =
                    self.spaces.get(space.0 as usize).is_some_and(|s| s.known_from.is_some() && !s.used);
                // Nothing was learnt since rows were unknown last: that time is not worth a place of its own.
                if unused && !self.rereads {
                    if let Some(space) = self.space_mut(space) {
                        space.known_from = known_from;
                    }
                    return;
                }
                let next = Space { baseline, known_from, ..Space::new(definition, at, false) };
                let next = self.new_space(name, next);
                let standing = Standing::Table(next, definition);
                if unused {
                    self.names_mut().replace_last(name, standing);
                } else {
                    self.names_mut().set_anew(name, at, standing);
                }
                self.doubted.insert(name.clone());
            }
            Standing::Unknown { .. } => {
                self.names_mut().set_anew(name, at, Standing::Unknown { empty: false });
            }
            Standing::Absent | Standing::Unreadable(_) => {}
        }
    }
}
