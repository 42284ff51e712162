//! Views and sequences: no table can be made under their names.

use super::Walk;
use crate::schema::token::Tokens;
use dbtrail_types::names::TableName;

/// What a name is taken by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameTaken {
    View,
    Sequence,
}

/// Words of the definer and the like, before VIEW.
const MOST_WORDS: usize = 16;
/// What else may have a definer.
const OTHERS: &[&str] = &["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "PACKAGE", "AGGREGATE"];

fn kind(tokens: &mut Tokens) -> Option<NameTaken> {
    for _ in 0..MOST_WORDS {
        match tokens.one_of(&["VIEW", "SEQUENCE"]) {
            Some("VIEW") => return Some(NameTaken::View),
            Some(_) => return Some(NameTaken::Sequence),
            None if tokens.one_of(OTHERS).is_some() => return None,
            None => tokens.next().map(|_| ())?,
        }
    }
    None
}

impl Walk<'_> {
    /// What comes after CREATE, and its name, if that can be of no table from here on.
    pub(super) fn name_taken(&self, mut tokens: Tokens) -> Option<(NameTaken, TableName)> {
        let kind = kind(&mut tokens)?;
        tokens.words(&["IF", "NOT", "EXISTS"]);
        Some((kind, tokens.table(self.schema()).ok()?))
    }

    /// What comes after DROP: the names of views and sequences are free again.
    pub(super) fn names_free(&mut self, mut tokens: Tokens) {
        let Some(kind) = tokens.one_of(&["VIEW", "SEQUENCE"]) else { return };
        tokens.words(&["IF", "EXISTS"]);
        for mut part in tokens.split() {
            let Ok(name) = part.table(self.schema()) else { continue };
            if kind == "VIEW" {
                self.catalog.views.remove(&name);
            } else {
                self.catalog.lost.remove(&name);
            }
        }
    }
}
