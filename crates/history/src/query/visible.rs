//! What of the record an asker may see.

use super::History;
use super::origin::Schemas;
use crate::commits::Commit;
use std::collections::BTreeSet;

/// The schemas that an asker may see.
#[derive(Debug)]
pub(super) struct Visible {
    allowed: Option<BTreeSet<String>>,
    known: Schemas,
}

impl Visible {
    /// These schemas; `None`: all.
    pub(super) fn new(history: &History, allowed: Option<&[String]>) -> Self {
        Self {
            allowed: allowed.map(|schemas| schemas.iter().cloned().collect()),
            known: Schemas::of(history),
        }
    }

    pub(super) fn sees(&self, schema: &str) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(schema))
    }

    /// Whether texts of a transaction may be shown.
    pub(super) fn reads<'a>(&'a self, commit: &'a Commit, texts: impl IntoIterator<Item = &'a str>) -> bool {
        self.allowed.is_none() || self.known.touched(commit, texts).into_iter().all(|s| self.sees(s))
    }
}
