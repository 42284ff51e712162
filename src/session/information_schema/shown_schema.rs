//! Schemas as this server shows them.

use crate::statement::VirtualSchema;

/// A schema as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShownSchema {
    pub(super) shown: String,
    pub(super) kind: SchemaKind,
}

/// What the tables of a schema are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SchemaKind {
    /// A schema of the server whose history is kept.
    Real,
    /// Tables of a real schema, if it is known of which.
    Virtual(VirtualSchema, Option<String>),
    /// `_history`: tables of its own.
    History,
    /// information_schema.
    Information,
}

impl ShownSchema {
    /// The real schema that its tables are of.
    pub(super) fn server_schema(&self) -> Option<&str> {
        match &self.kind {
            SchemaKind::Real => Some(&self.shown),
            SchemaKind::Virtual(_, server_name) => server_name.as_deref(),
            SchemaKind::History | SchemaKind::Information => None,
        }
    }
}
