//! RENAME and DROP: what a name means afterwards.

use super::super::effect::{Effect, EffectReason, StatementFault};
use super::super::renames::{Before, Rename};
use super::super::token::{Tokens, Unread, show};
use super::super::{alter, renames};
use super::{Effects, Walk, excerpt, is_other_object};
use crate::schema::unread::Ambiguity;
use crate::store::ChangeSequence;
use dbtrail_types::names::TableName;

impl Walk<'_> {
    /// `None`: it was a view.
    pub(super) fn moved(&mut self, from: TableName, to: TableName, unambiguous: bool) -> Option<Effect> {
        if self.catalog.views.remove(&from) {
            self.catalog.views.insert(to);
            return None;
        }
        self.catalog.views.remove(&to);
        self.catalog.foreign.rename(&from, &to);
        match self.catalog.tables.remove(&from) {
            Some(id) => self.catalog.tables.insert(to.clone(), id),
            None => self.catalog.tables.remove(&to),
        };
        if self.catalog.lost.remove(&from) {
            self.catalog.lost.insert(to.clone());
        } else {
            self.catalog.lost.remove(&to);
        }
        Some(Effect::Renamed { from, to, unambiguous })
    }

    pub(super) fn drop(&mut self, mut tokens: Tokens) -> Effects {
        if tokens.words(&["TEMPORARY"]) {
            return Ok(Vec::new());
        }
        if tokens.one_of(&["DATABASE", "SCHEMA"]).is_some() {
            tokens.words(&["IF", "EXISTS"]);
            let name = tokens.schema()?;
            self.catalog.tables.retain(|t, _| t.schema != name);
            self.catalog.lost.retain(|t| t.schema != name);
            self.catalog.temporary.retain(|t| t.schema != name);
            self.catalog.views.retain(|t| t.schema != name);
            self.catalog.schemas.remove(&name);
            self.catalog.complete.remove(&name);
            self.catalog.foreign.remove_schema(&name);
            return Ok(vec![Effect::SchemaDropped(name)]);
        }
        if tokens.one_of(&["TABLE", "TABLES"]).is_some() {
            tokens.words(&["IF", "EXISTS"]);
            let mut effects = Vec::new();
            for name in self.names(&mut tokens)? {
                effects.push(if self.catalog.temporary.contains(&name) {
                    self.catalog.forget(&name);
                    let fault = StatementFault::Unread(Unread::Ambiguous(Ambiguity::TemporaryTable));
                    let statement = excerpt(&self.statement.sql);
                    Effect::Unreadable(name, EffectReason::Statement { fault, statement })
                } else {
                    self.catalog.tables.remove(&name);
                    self.catalog.lost.remove(&name);
                    self.catalog.foreign.remove(&name);
                    Effect::Dropped(name)
                });
            }
            return Ok(effects);
        }
        if tokens.words(&["INDEX"]) {
            tokens.words(&["IF", "EXISTS"]);
            let index = tokens.name()?;
            tokens.words(&["ON"]);
            let name = self.name(&mut tokens)?;
            return Ok(self.same_rows(&name, |full| alter::drop_index(full, &index)));
        }
        self.names_free(tokens.clone());
        if is_other_object(&mut tokens) {
            return Ok(Vec::new());
        }
        Err(Unread::UnknownStatement(format!("DROP {}", show(tokens.peek()))))
    }

    pub(super) fn rename(&mut self, mut tokens: Tokens) -> Effects {
        if tokens.words(&["USER"]) {
            return Ok(Vec::new());
        }
        tokens.one_of(&["TABLE", "TABLES"]);
        let mut pairs = Vec::new();
        for mut part in tokens.split() {
            part.words(&["IF", "EXISTS"]);
            let from = part.table(self.schema())?;
            if part.one_of(&["WAIT", "NOWAIT"]) == Some("WAIT") {
                part.next();
            }
            if !part.words(&["TO"]) {
                return Err(Unread::Missing("TO"));
            }
            pairs.push((from, part.table(self.schema())?));
        }
        // They are carried out together, or not at all: so are they followed.
        let named = pairs.iter().flat_map(|(from, to)| [from.clone(), to.clone()]);
        self.others = named.collect();
        if let Some((from, _)) = pairs.iter().find(|(from, _)| self.catalog.temporary.contains(from)) {
            self.table = Some(from.clone());
            return Err(Unread::Ambiguous(Ambiguity::TemporaryTable));
        }
        if !self.statement.server.mariadb {
            return Ok(pairs.into_iter().filter_map(|(from, to)| self.moved(from, to, true)).collect());
        }
        self.rename_of_some_kind(&pairs)
    }

    /// MariaDB logs the RENAME of a session's temporary table as that of a table.
    fn rename_of_some_kind(&mut self, pairs: &[(TableName, TableName)]) -> Effects {
        let catalog = &*self.catalog;
        let taken = |name: &TableName| {
            catalog.tables.contains_key(name) || catalog.lost.contains(name) || catalog.views.contains(name)
        };
        let before = |name: &TableName| {
            if catalog.renames.iter().any(|r| r.leaves_open(name) && !r.past.contains(name)) {
                Before::Open(taken(name))
            } else if taken(name) {
                Before::There
            } else if catalog.complete.contains(&name.schema) {
                Before::Not
            } else {
                Before::Unsaid
            }
        };
        let parts = renames::parts(pairs, &before).ok_or(Unread::Ambiguous(Ambiguity::Renames))?;
        let mut effects = Vec::new();
        for part in parts {
            let Some((kinds, _)) = part.outcomes.first() else { continue };
            let unambiguous = part.outcomes.len() == 1;
            let base = part.pairs.iter().zip(kinds).filter(|(_, base)| **base);
            for (from, to) in base.map(|(pair, _)| pair) {
                effects.extend(self.moved(from.clone(), to.clone(), unambiguous));
            }
            if !unambiguous {
                let outcomes = part.outcomes.into_iter().map(|(_, outcome)| outcome).collect();
                let (pairs, at, past) = (part.pairs, ChangeSequence(0), Vec::new());
                self.catalog.renaming.push(Rename { pairs, at, outcomes, past });
            }
        }
        Ok(effects)
    }
}
