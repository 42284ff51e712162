//! CREATE: schemas, tables and indexes.

use super::super::alter::charset_option;
use super::super::columns::{parts, word_or_text};
use super::super::foreign::keeps_keys;
use super::super::key_parts::key_parts;
use super::super::table::{Full, Index};
use super::super::token::{Tokens, Unread, show};
use super::super::{Effect, engines, partition, versioned};
use super::other_objects::NameTaken;
use super::{Effects, Walk, is_other_object};
use crate::schema::unread::Ambiguity;
use dbtrail_types::names::TableName;

impl Walk<'_> {
    pub(super) fn create(&mut self, mut tokens: Tokens) -> Effects {
        let replaces = tokens.words(&["OR", "REPLACE"]);
        if tokens.words(&["TEMPORARY"]) {
            if tokens.words(&["TABLE"]) {
                tokens.words(&["IF", "NOT", "EXISTS"]);
                let name = tokens.table(self.schema())?;
                self.catalog.temporary.insert(name);
            }
            return Ok(Vec::new());
        }
        if tokens.one_of(&["DATABASE", "SCHEMA"]).is_some() {
            let maybe = tokens.words(&["IF", "NOT", "EXISTS"]);
            let name = tokens.schema()?;
            // It is logged where the schema was there before, too.
            let new = self.catalog.all_schemas && !self.catalog.schemas.contains_key(&name);
            if !maybe || new {
                self.catalog.complete.insert(name.clone());
                let reported =
                    self.statement.charsets.and_then(|(_, _, server)| crate::log::collation_name(server));
                let known = reported.is_some();
                self.catalog.schemas.insert(name.clone(), (reported, known));
                self.schema_options(&mut tokens, &name)?;
            }
            return Ok(Vec::new());
        }
        if tokens.words(&["TABLE"]) {
            return self.create_table(tokens, replaces);
        }
        let unique = tokens.words(&["UNIQUE"]);
        tokens.one_of(&["FULLTEXT", "SPATIAL", "ONLINE", "OFFLINE"]);
        if tokens.words(&["INDEX"]) {
            return self.create_index(tokens, unique);
        }
        match self.name_taken(tokens.clone()) {
            Some((NameTaken::View, name)) => {
                self.catalog.views.insert(name);
            }
            // It goes by DROP TABLE, too; and OR REPLACE puts it in the place of a table.
            Some((NameTaken::Sequence, name)) => {
                self.catalog.lost.insert(name.clone());
                if replaces {
                    self.catalog.tables.remove(&name);
                    self.catalog.foreign.remove(&name);
                    return Ok(vec![Effect::Dropped(name)]);
                }
            }
            None => {}
        }
        if is_other_object(&mut tokens) {
            return Ok(Vec::new());
        }
        Err(Unread::UnknownStatement(format!("CREATE {}", show(tokens.peek()))))
    }

    /// The default collation that a statement gives to a schema, if it does.
    pub(super) fn schema_options(&mut self, tokens: &mut Tokens, name: &str) -> Result<(), Unread> {
        let silent = self.silent();
        let mut defaults = Full::default();
        let mut said = false;
        while !tokens.is_at_end() {
            if charset_option(tokens, &mut defaults, silent)? {
                said = true;
            } else {
                tokens.next();
            }
        }
        if said {
            self.catalog.schemas.insert(name.to_owned(), (defaults.collation, defaults.collation_known));
        }
        Ok(())
    }

    fn create_index(&mut self, mut tokens: Tokens, unique: bool) -> Effects {
        tokens.words(&["IF", "NOT", "EXISTS"]);
        let index = tokens.name()?;
        if tokens.words(&["USING"]) {
            tokens.next();
        }
        if !tokens.words(&["ON"]) {
            return Err(Unread::Missing("ON"));
        }
        let name = self.name(&mut tokens)?;
        let (columns, full_columns) = key_parts(&mut tokens)?;
        let index = Index { name: Some(index), unique, columns, full_columns, implied: false };
        Ok(self.same_rows(&name, |full| full.indexes.push(index)))
    }

    /// A change of indexes only.
    pub(super) fn same_rows(&mut self, name: &TableName, change: impl FnOnce(&mut Full)) -> Vec<Effect> {
        let Some(before) = self.catalog.tables.get(name).copied() else { return Vec::new() };
        let mut full = self.catalog.full(before).clone();
        change(&mut full);
        full.settle();
        let from = (0..full.columns.len()).map(Some).collect();
        let by = self.by();
        let id = self.catalog.follow_up(before, full, from, (&self.statement.sql, by));
        self.catalog.tables.insert(name.clone(), id);
        vec![Effect::Altered(name.clone(), id)]
    }

    fn create_table(&mut self, mut tokens: Tokens, replaces: bool) -> Effects {
        let maybe = tokens.words(&["IF", "NOT", "EXISTS"]);
        let name = self.name(&mut tokens)?;
        if maybe && (self.catalog.tables.contains_key(&name) || self.catalog.views.contains(&name)) {
            return Ok(Vec::new());
        }
        self.modes()?;
        self.literals(&tokens)?;
        if maybe && self.catalog.folds.is_none() && self.is_spelled_otherwise(&name) {
            return Err(Unread::Ambiguous(Ambiguity::NameInOtherCase));
        }
        let known = self.catalog.complete.contains(&name.schema) && !self.catalog.lost.contains(&name);
        if maybe && !known {
            return Err(Unread::Ambiguous(Ambiguity::MayHaveExisted));
        }
        let mut effects = Vec::new();
        if replaces {
            effects.push(Effect::Dropped(name.clone()));
        }
        let like = tokens.words(&["LIKE"]);
        let mut inside = if !like && tokens.is_at('(') { Some(tokens.group()?) } else { None };
        if like || inside.as_mut().is_some_and(|i| i.words(&["LIKE"])) {
            let source = inside.as_mut().unwrap_or(&mut tokens).table(self.schema())?;
            let id =
                *self.catalog.tables.get(&source).ok_or_else(|| Unread::UnknownDefinition(source.clone()))?;
            // Its foreign keys are not copied.
            let copy = self.catalog.full(id).clone();
            return Ok(self.created(effects, name, copy));
        }
        let Some(inside) = inside else {
            return Err(Unread::Ambiguous(Ambiguity::TableOfSelect));
        };
        let mut full = self.defaults(&name.schema, &tokens)?;
        parts(&inside, &mut full, self.silent())?;
        if full.versioned {
            versioned::add_columns(&mut full)?;
        }
        full.check()?;
        if let Some(unread) = engines::rows_elsewhere(full.engine.as_deref()) {
            // A bare name in UNION is looked for in the current database.
            let schema = self.schema().unwrap_or(&name.schema);
            let united = engines::united(&tokens, schema);
            if !united.is_empty() {
                self.catalog.united.insert(name, united);
            }
            return Err(unread);
        }
        Ok(self.created(effects, name, full))
    }

    fn is_spelled_otherwise(&self, name: &TableName) -> bool {
        let lower = name.to_lowercase();
        self.catalog.tables.keys().any(|other| other != name && other.to_lowercase() == lower)
    }

    /// The table's defaults: its own options, or those of its schema.
    pub(super) fn defaults(&self, schema: &str, options: &Tokens) -> Result<Full, Unread> {
        let mut full = Full::default();
        if let Some((collation, known)) = self.catalog.schemas.get(schema) {
            full.collation.clone_from(collation);
            full.collation_known = *known;
        }
        let mut options = options.clone();
        while !options.is_at_end() {
            if options.one_of(&["SELECT", "AS"]).is_some() {
                return Err(Unread::Ambiguous(Ambiguity::ColumnsOfSelect));
            }
            if options.words(&["WITH", "SYSTEM", "VERSIONING"]) {
                full.versioned = true;
                continue;
            }
            if options.words(&["PARTITION", "BY"]) {
                full.partitions = Some(partition::read(&mut options, self.silent().server));
                break;
            }
            if options.words(&["ENGINE"]) || options.words(&["TYPE"]) {
                full.engine = Some(word_or_text(&mut options)?);
            } else if !charset_option(&mut options, &mut full, self.silent())? {
                options.next();
            }
        }
        Ok(full)
    }

    pub(super) fn created(
        &mut self,
        mut effects: Vec<Effect>,
        name: TableName,
        mut full: Full,
    ) -> Vec<Effect> {
        full.settle();
        let keys = std::mem::take(&mut full.foreign_keys);
        let keys = if keeps_keys(full.engine.as_deref()) { keys } else { Vec::new() };
        self.catalog.foreign.set(&name, keys);
        let id = self.catalog.add(full);
        self.catalog.lost.remove(&name);
        self.catalog.views.remove(&name);
        self.catalog.tables.insert(name.clone(), id);
        effects.push(Effect::Created(name, id));
        effects
    }
}
