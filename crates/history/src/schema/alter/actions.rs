//! The actions of ALTER TABLE on columns and keys, as they are read.

use super::{AlterReader, ColumnPosition, PositionedColumn, column_position};
use crate::schema::columns::{column, index, set_default, word_or_text};
use crate::schema::table::FullColumn;
use crate::schema::token::{Tokens, Unread, show};
use crate::schema::unread::{Ambiguity, Malformed};
use dbtrail_types::column::same_name;

impl AlterReader<'_> {
    pub(super) fn add(&mut self, tokens: &mut Tokens) -> Result<(), Unread> {
        if tokens.words(&["SYSTEM", "VERSIONING"]) {
            self.versioning = Some(true);
            return Ok(());
        }
        if tokens.words(&["PERIOD", "FOR"]) {
            return Err(Unread::Ambiguous(Ambiguity::Period));
        }
        if index(tokens, &mut self.declared, self.silent.server)? {
            return Ok(());
        }
        tokens.words(&["COLUMN"]);
        let maybe = tokens.words(&["IF", "NOT", "EXISTS"]);
        if tokens.is_at('(') {
            for mut one in tokens.group()?.split() {
                if !index(&mut one, &mut self.declared, self.silent.server)? {
                    self.add_column(&mut one, maybe)?;
                    if !one.is_at_end() {
                        return Err(Unread::NotUnderstood(show(one.peek())));
                    }
                }
            }
            return Ok(());
        }
        self.add_column(tokens, maybe)
    }

    pub(super) fn add_column(&mut self, tokens: &mut Tokens, maybe: bool) -> Result<(), Unread> {
        let keys = self.mark();
        let new = column(tokens, &mut self.declared, self.silent)?;
        let position = column_position(tokens)?;
        if maybe {
            self.keys_if_absent(keys);
        }
        if maybe
            && (self.before.position(&new.column.name).is_some() || self.added(&new.column.name).is_some())
        {
            return Ok(());
        }
        self.placed.push(PositionedColumn::New(Box::new(new), position));
        Ok(())
    }

    /// Where in [`Self::placed`] a column of this name is added.
    pub(super) fn added(&self, name: &str) -> Option<usize> {
        let is = |p: &PositionedColumn| matches!(p, PositionedColumn::New(column, _) if same_name(&column.column.name, name));
        self.placed.iter().position(is)
    }

    pub(super) fn drop(&mut self, tokens: &mut Tokens) -> Result<(), Unread> {
        if tokens.words(&["PRIMARY", "KEY"]) {
            self.drops_primary_key = true;
            return Ok(());
        }
        if tokens.words(&["SYSTEM", "VERSIONING"]) {
            self.versioning = Some(false);
            return Ok(());
        }
        if tokens.words(&["PARTITION"]) || tokens.words(&["PERIOD", "FOR"]) {
            return Err(Unread::Ambiguous(Ambiguity::LosesRowsOrColumns));
        }
        let foreign = tokens.words(&["FOREIGN", "KEY"]);
        if let Some(word) = if foreign { Some("FOREIGN") } else { tokens.one_of(&["CHECK", "CONSTRAINT"]) } {
            tokens.words(&["IF", "EXISTS"]);
            let name = tokens.name()?;
            if word != "CHECK" {
                self.dropped_keys.push(name.clone());
            }
            // A constraint may be a unique index.
            self.dropped_indexes.push(name);
            return Ok(());
        }
        if tokens.one_of(&["INDEX", "KEY"]).is_some() {
            tokens.words(&["IF", "EXISTS"]);
            self.dropped_indexes.push(tokens.name()?);
            return Ok(());
        }
        tokens.words(&["COLUMN"]);
        let maybe = tokens.words(&["IF", "EXISTS"]);
        let name = tokens.name()?;
        tokens.one_of(&["RESTRICT", "CASCADE"]);
        match self.before.position(&name) {
            Some(at) => self.dropped[at] = true,
            None if maybe => {}
            None => return Err(Unread::NoColumn(name.clone())),
        }
        Ok(())
    }

    /// MODIFY and CHANGE: a new definition instead of `old`.
    pub(super) fn change(&mut self, tokens: &mut Tokens, old: &str, maybe: bool) -> Result<(), Unread> {
        let keys = self.mark();
        let new = column(tokens, &mut self.declared, self.silent)?;
        let position = column_position(tokens)?;
        if maybe {
            self.keys_if_absent(keys);
        }
        if self.before.position(old).is_none() {
            // MariaDB lets a statement change a column that it adds.
            if let Some(added) =
                self.added(old).filter(|_| self.silent.server.mariadb && same_name(&new.column.name, old))
            {
                self.placed.remove(added);
                self.placed.push(PositionedColumn::New(Box::new(new), position));
                return Ok(());
            }
            if maybe {
                return Ok(());
            }
        }
        let at = self.find(old)?;
        if !matches!(position, ColumnPosition::Stay) {
            self.placed.push(PositionedColumn::Old(at));
        }
        self.defined[at] = true;
        if self.changed[at].replace((new, position)).is_some() {
            return Err(Unread::ChangedTwice(old.to_owned()));
        }
        Ok(())
    }

    pub(super) fn rename(&mut self, tokens: &mut Tokens) -> Result<(), Unread> {
        if tokens.words(&["COLUMN"]) {
            let maybe = tokens.words(&["IF", "EXISTS"]);
            let old = tokens.name()?;
            if !tokens.words(&["TO"]) {
                return Err(Unread::Malformed(Malformed::RenameColumn));
            }
            let new = tokens.name()?;
            if maybe && self.before.position(&old).is_none() {
                return Ok(());
            }
            let at = self.find(&old)?;
            self.current(at).column.name = new;
        } else if tokens.one_of(&["INDEX", "KEY"]).is_some() {
            tokens.words(&["IF", "EXISTS"]);
            let old = tokens.name()?;
            tokens.words(&["TO"]);
            self.renamed_indexes.push((old, tokens.name()?));
        } else {
            tokens.one_of(&["TO", "AS"]);
            tokens.symbol('=');
            self.renamed = Some(tokens.table(self.schema)?);
        }
        Ok(())
    }

    /// ALTER COLUMN c SET DEFAULT, DROP DEFAULT, SET VISIBLE; ALTER INDEX, ALTER CHECK.
    pub(super) fn alter_column(&mut self, tokens: &mut Tokens) -> Result<(), Unread> {
        if tokens.one_of(&["INDEX", "CHECK", "CONSTRAINT", "KEY"]).is_some() {
            while tokens.next().is_some() {}
            return Ok(());
        }
        tokens.words(&["COLUMN"]);
        let maybe = tokens.words(&["IF", "EXISTS"]);
        let name = tokens.name()?;
        if maybe && self.before.position(&name).is_none() {
            while tokens.next().is_some() {}
            return Ok(());
        }
        let visible = if tokens.words(&["SET", "VISIBLE"]) {
            true
        } else if tokens.words(&["SET", "INVISIBLE"]) {
            false
        } else {
            let action = tokens.clone();
            while tokens.next().is_some() {}
            self.defaults.push((name, action));
            return Ok(());
        };
        let at = self.find(&name)?;
        self.current(at).visible = visible;
        Ok(())
    }

    /// SET DEFAULT and DROP DEFAULT: of a column that keeps its definition, by its name before.
    /// MariaDB looks among the new and the placed ones, by their new names, for what is left then.
    pub(super) fn set_defaults(&mut self) -> Result<(), Unread> {
        for (name, action) in std::mem::take(&mut self.defaults) {
            let kept = self.before.position(&name).filter(|at| !self.defined[*at] && !self.dropped[*at]);
            let silent = self.silent;
            let full = if let Some(at) = kept {
                self.current(at)
            } else {
                let called = |column: &FullColumn| same_name(&column.column.name, &name);
                let changed = &self.changed;
                let is = |placed: &PositionedColumn| match placed {
                    PositionedColumn::New(column, _) => called(column),
                    PositionedColumn::Old(at) => {
                        changed[*at].as_ref().is_some_and(|(column, _)| called(column))
                    }
                };
                let found = self.placed.iter().position(is).filter(|_| silent.server.mariadb);
                match self.placed.get_mut(found.ok_or_else(|| Unread::NoColumn(name.clone()))?) {
                    Some(PositionedColumn::New(column, _)) => &mut **column,
                    Some(PositionedColumn::Old(at)) => {
                        let at = *at;
                        self.current(at)
                    }
                    None => continue,
                }
            };
            set_default(action, full, silent)?;
        }
        Ok(())
    }

    /// CONVERT TO CHARACTER SET x [COLLATE y]
    pub(super) fn convert(&mut self, tokens: &mut Tokens) -> Result<(), Unread> {
        if !(tokens.words(&["TO", "CHARACTER", "SET"]) || tokens.words(&["TO", "CHARSET"])) {
            return Err(Unread::NotFollowed(format!("CONVERT {}", show(tokens.peek()))));
        }
        let charset = word_or_text(tokens)?;
        if charset == "default" {
            return Err(Unread::NotFollowed("CONVERT TO CHARACTER SET DEFAULT".to_owned()));
        }
        let (mut collation, mut known) = self.silent.default_collation(&charset);
        if tokens.words(&["COLLATE"]) {
            (collation, known) = self.silent.collation(&word_or_text(tokens)?, Some(&charset));
        }
        if collation == "binary" {
            return Err(Unread::Ambiguous(Ambiguity::TextToBytes));
        }
        self.declared.collation = Some(collation.clone());
        self.declared.collation_known = known;
        self.converted = Some((collation, known));
        Ok(())
    }
}
