//! ALTER TABLE, action by action (manual: "ALTER TABLE Statement").
//!
//! As in the server, names in the actions mean the columns before the statement, except behind AFTER and in new indexes: so
//! `CHANGE a b ..., CHANGE b a ...` swaps two columns.

use super::columns::{column, index, lob_size, word_or_text};
use super::partition;
use super::silent::{Silent, longest_character};
use super::table::{Filled, Full, FullColumn, Index};
use super::token::{Tokens, Unread, show};
use dbtrail_types::column::{ColumnType, LobSize, same_name};
use dbtrail_types::ident::TableName;
use sqlparser::tokenizer::Token;

/// For each column after the statement: the one before it came from, if any.
pub(super) struct Altered {
    pub(super) full: Full,
    pub(super) from: Vec<Option<usize>>,
    pub(super) renamed: Option<TableName>,
    /// Names of foreign keys and constraints that are dropped.
    pub(super) dropped_keys: Vec<String>,
}

/// First words of actions on columns, keys and names; what begins otherwise is options of the table.
const ACTIONS: &[&str] = &["ADD", "DROP", "MODIFY", "CHANGE", "RENAME", "ALTER", "CONVERT"];

/// Where a column goes.
enum Place {
    Stay,
    First,
    After(String),
}

/// A column of the table as it will be.
struct Slot {
    column: FullColumn,
    from: Option<usize>,
}

/// The statement, read but not carried out.
struct Reading<'a> {
    before: &'a Full,
    silent: Silent,
    schema: &'a str,
    /// New indexes and a new primary key, by new names; and the table's defaults.
    declared: Full,
    /// New definitions of old columns, by their position before.
    changed: Vec<Option<(FullColumn, Place)>>,
    dropped: Vec<bool>,
    added: Vec<(FullColumn, Place)>,
    dropped_indexes: Vec<String>,
    /// Names of foreign keys and constraints.
    dropped_keys: Vec<String>,
    renamed_indexes: Vec<(String, String)>,
    drops_primary_key: bool,
    /// CONVERT TO CHARACTER SET: collation, and whether it is certain.
    converted: Option<(String, bool)>,
    renamed: Option<TableName>,
}

/// Carries out all actions. The cursor stands behind the table's name.
pub(super) fn alter(tokens: Tokens, before: &Full, schema: &str, silent: Silent) -> Result<Altered, Unread> {
    let mut declared = Full { learnt: before.learnt, ..Full::default() };
    declared.collation.clone_from(&before.collation);
    declared.collation_certain = before.collation_certain;
    declared.engine.clone_from(&before.engine);
    declared.partitions.clone_from(&before.partitions);
    let mut reading = Reading {
        before,
        silent,
        schema,
        declared,
        changed: before.columns.iter().map(|_| None).collect(),
        dropped: vec![false; before.columns.len()],
        added: Vec::new(),
        dropped_indexes: Vec::new(),
        dropped_keys: Vec::new(),
        renamed_indexes: Vec::new(),
        drops_primary_key: false,
        converted: None,
        renamed: None,
    };
    // A new default character set holds for the new columns of the same statement, wherever it stands in it.
    let (actions, options): (Vec<Tokens>, Vec<Tokens>) =
        tokens.split().into_iter().partition(|t| t.clone().one_of(ACTIONS).is_some());
    for mut part in options {
        while !part.is_at_end() {
            option(&mut part, &mut reading.declared, silent)?;
        }
    }
    for mut part in actions {
        reading.action(&mut part)?;
        if !part.is_at_end() {
            return Err(format!("{} is not understood", show(part.peek())));
        }
    }
    reading.carry_out()
}

/// FIRST or AFTER x.
fn place(tokens: &mut Tokens) -> Result<Place, Unread> {
    if tokens.words(&["FIRST"]) {
        return Ok(Place::First);
    }
    if tokens.words(&["AFTER"]) { Ok(Place::After(tokens.name()?)) } else { Ok(Place::Stay) }
}

impl Reading<'_> {
    fn action(&mut self, tokens: &mut Tokens) -> Result<(), Unread> {
        match tokens.one_of(ACTIONS) {
            Some("ADD") => self.add(tokens),
            Some("DROP") => self.drop(tokens),
            Some("MODIFY") => {
                tokens.words(&["COLUMN"]);
                let maybe = tokens.words(&["IF", "EXISTS"]);
                let name = tokens.clone().name()?;
                self.change(tokens, &name, maybe)
            }
            Some("CHANGE") => {
                tokens.words(&["COLUMN"]);
                let maybe = tokens.words(&["IF", "EXISTS"]);
                let name = tokens.name()?;
                self.change(tokens, &name, maybe)
            }
            Some("RENAME") => self.rename(tokens),
            Some("ALTER") => self.alter_column(tokens),
            _ => self.convert(tokens),
        }
    }

    fn find(&self, name: &str) -> Result<usize, Unread> {
        self.before.position(name).ok_or_else(|| format!("there is no column {name}"))
    }

    /// The definition of a column that an action works on: the one before, or what an earlier action made of it.
    fn current(&mut self, at: usize) -> &mut FullColumn {
        let before = &self.before.columns[at];
        &mut self.changed[at].get_or_insert_with(|| (before.clone(), Place::Stay)).0
    }

    /// The keys declared so far: what a column's own attributes add to them goes again if the column does (IF EXISTS).
    fn mark(&self) -> (usize, usize, Vec<String>) {
        let Full { indexes, foreign_keys, primary_key, .. } = &self.declared;
        (indexes.len(), foreign_keys.len(), primary_key.clone())
    }

    fn back_to(&mut self, (indexes, foreign_keys, primary_key): (usize, usize, Vec<String>)) {
        self.declared.indexes.truncate(indexes);
        self.declared.foreign_keys.truncate(foreign_keys);
        self.declared.primary_key = primary_key;
    }

    fn add(&mut self, tokens: &mut Tokens) -> Result<(), Unread> {
        if tokens.one_of(&["PERIOD", "SYSTEM"]).is_some() {
            return Err("system versioning changes the columns of a table".to_owned());
        }
        if index(tokens, &mut self.declared)? {
            return Ok(());
        }
        tokens.words(&["COLUMN"]);
        let maybe = tokens.words(&["IF", "NOT", "EXISTS"]);
        if tokens.peek() == Some(&Token::LParen) {
            for mut one in tokens.group()?.split() {
                if !index(&mut one, &mut self.declared)? {
                    self.add_column(&mut one, maybe)?;
                    if !one.is_at_end() {
                        return Err(format!("{} is not understood", show(one.peek())));
                    }
                }
            }
            return Ok(());
        }
        self.add_column(tokens, maybe)
    }

    fn add_column(&mut self, tokens: &mut Tokens, maybe: bool) -> Result<(), Unread> {
        let keys = self.mark();
        let new = column(tokens, &mut self.declared, self.silent)?;
        let place = place(tokens)?;
        if maybe && self.before.position(&new.column.name).is_some() {
            self.back_to(keys);
            return Ok(());
        }
        self.added.push((new, place));
        Ok(())
    }

    fn drop(&mut self, tokens: &mut Tokens) -> Result<(), Unread> {
        if tokens.words(&["PRIMARY", "KEY"]) {
            self.drops_primary_key = true;
            return Ok(());
        }
        if tokens.one_of(&["PARTITION", "SYSTEM", "PERIOD"]).is_some() {
            return Err("rows or columns vanish with it".to_owned());
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
            None => return Err(format!("there is no column {name}")),
        }
        Ok(())
    }

    /// MODIFY and CHANGE: a new definition in the place of `old`.
    fn change(&mut self, tokens: &mut Tokens, old: &str, maybe: bool) -> Result<(), Unread> {
        let keys = self.mark();
        let new = column(tokens, &mut self.declared, self.silent)?;
        let place = place(tokens)?;
        if maybe && self.before.position(old).is_none() {
            self.back_to(keys);
            return Ok(());
        }
        let at = self.find(old)?;
        self.changed[at] = Some((new, place));
        Ok(())
    }

    fn rename(&mut self, tokens: &mut Tokens) -> Result<(), Unread> {
        if tokens.words(&["COLUMN"]) {
            tokens.words(&["IF", "EXISTS"]);
            let old = tokens.name()?;
            if !tokens.words(&["TO"]) {
                return Err("RENAME COLUMN without TO".to_owned());
            }
            let new = tokens.name()?;
            let at = self.find(&old)?;
            self.current(at).column.name = new;
        } else if tokens.one_of(&["INDEX", "KEY"]).is_some() {
            tokens.words(&["IF", "EXISTS"]);
            let old = tokens.name()?;
            tokens.words(&["TO"]);
            self.renamed_indexes.push((old, tokens.name()?));
        } else {
            tokens.one_of(&["TO", "AS"]);
            tokens.token(&Token::Eq);
            self.renamed = Some(tokens.table(Some(self.schema))?);
        }
        Ok(())
    }

    /// ALTER COLUMN c SET DEFAULT, DROP DEFAULT, SET VISIBLE; ALTER INDEX, ALTER CHECK.
    fn alter_column(&mut self, tokens: &mut Tokens) -> Result<(), Unread> {
        if tokens.one_of(&["INDEX", "CHECK", "CONSTRAINT", "KEY"]).is_some() {
            while tokens.next().is_some() {}
            return Ok(());
        }
        tokens.words(&["COLUMN"]);
        tokens.words(&["IF", "EXISTS"]);
        let name = tokens.name()?;
        let at = self.find(&name)?;
        let full = self.current(at);
        if tokens.words(&["SET", "VISIBLE"]) {
            full.visible = true;
        } else if tokens.words(&["SET", "INVISIBLE"]) {
            full.visible = false;
        } else if tokens.words(&["DROP", "DEFAULT"]) {
            full.column.has_default = false;
            full.column.default_now = false;
        } else if tokens.words(&["SET", "DEFAULT"]) {
            full.column.has_default = true;
            full.column.default_now = false;
            while tokens.next().is_some() {}
        }
        Ok(())
    }

    /// CONVERT TO CHARACTER SET x [COLLATE y]
    fn convert(&mut self, tokens: &mut Tokens) -> Result<(), Unread> {
        if !(tokens.words(&["TO", "CHARACTER", "SET"]) || tokens.words(&["TO", "CHARSET"])) {
            return Err(format!("CONVERT {} is not followed", show(tokens.peek())));
        }
        let charset = word_or_text(tokens)?;
        if charset == "default" {
            return Err("CONVERT TO CHARACTER SET DEFAULT is not followed".to_owned());
        }
        let (mut collation, mut certain) = self.silent.default_collation(&charset);
        if tokens.words(&["COLLATE"]) {
            (collation, certain) = self.silent.collation(&word_or_text(tokens)?, Some(&charset));
        }
        if collation == "binary" {
            return Err("CONVERT TO CHARACTER SET binary turns text into bytes".to_owned());
        }
        self.declared.collation = Some(collation.clone());
        self.declared.collation_certain = certain;
        self.converted = Some((collation, certain));
        Ok(())
    }

    fn carry_out(mut self) -> Result<Altered, Unread> {
        if let Some((collation, certain)) = self.converted.take() {
            self.convert_columns(&collation, certain)?;
        }
        let mut full = Full {
            collation: self.declared.collation.clone(),
            collation_certain: self.declared.collation_certain,
            learnt: self.before.learnt,
            engine: self.declared.engine.take(),
            partitions: self.declared.partitions.take(),
            foreign_keys: std::mem::take(&mut self.declared.foreign_keys),
            ..Full::default()
        };
        self.keys(&mut full);
        let slots = self.slots()?;
        full.primary_key.retain(|n| slots.iter().any(|s| same_name(&s.column.column.name, n)));
        let mut altered =
            Altered { full, from: Vec::new(), renamed: self.renamed, dropped_keys: self.dropped_keys };
        for slot in slots {
            altered.full.columns.push(slot.column);
            altered.from.push(slot.from);
        }
        altered.full.check()?;
        altered.full.settle();
        Ok(altered)
    }

    /// The columns in their new order: those that stay, then what has a place, in the order of the actions.
    fn slots(&mut self) -> Result<Vec<Slot>, Unread> {
        let mut slots: Vec<Slot> = Vec::new();
        let mut moving = Vec::new();
        for (at, before) in self.before.columns.iter().enumerate() {
            if self.dropped[at] {
                continue;
            }
            let (column, place) = self.changed[at].take().unwrap_or_else(|| (before.clone(), Place::Stay));
            let mut slot = Slot { column, from: Some(at) };
            // A column that becomes generated, or whose expression changes, is computed anew.
            if slot.column.generated.is_some() && slot.column.generated != before.generated {
                slot.from = None;
                slot.column.filled = Filled::Unknown(format!(
                    "generated column {} was computed anew, which is not followed",
                    slot.column.column.name
                ));
            }
            match place {
                Place::Stay => slots.push(slot),
                moved @ (Place::First | Place::After(_)) => moving.push((slot, moved)),
            }
        }
        let added = std::mem::take(&mut self.added);
        moving.extend(added.into_iter().map(|(column, place)| (Slot { column, from: None }, place)));
        for (slot, place) in moving {
            let at = match place {
                Place::Stay => slots.len(),
                Place::First => 0,
                Place::After(name) => {
                    let before = slots.iter().position(|s| same_name(&s.column.column.name, &name));
                    before.ok_or_else(|| format!("there is no column {name} to stand behind"))? + 1
                }
            };
            slots.insert(at, slot);
        }
        Ok(slots)
    }

    /// The primary key and the indexes under the new names of their columns.
    fn keys(&self, full: &mut Full) {
        let new_name = |old: &String| -> Option<String> {
            let Some(at) = self.before.position(old) else { return Some(old.clone()) };
            let changed = self.changed[at].as_ref().map_or(old, |(c, _)| &c.column.name);
            (!self.dropped[at]).then(|| changed.clone())
        };
        let mut left = Full {
            primary_key: self.before.primary_key.clone(),
            indexes: self.before.indexes.clone(),
            ..Full::default()
        };
        if self.drops_primary_key {
            left.primary_key.clear();
        }
        for name in &self.dropped_indexes {
            drop_index(&mut left, name);
        }
        for (old, new) in &self.renamed_indexes {
            for index in left.indexes.iter_mut().filter(|i| same_name(&called(i), old)) {
                index.name = Some(new.clone());
            }
        }
        full.primary_key = left.primary_key.iter().filter_map(new_name).collect();
        for mut index in left.indexes {
            index.columns = index.columns.iter().filter_map(new_name).collect();
            if !index.columns.is_empty() {
                full.indexes.push(index);
            }
        }
        if !self.declared.primary_key.is_empty() {
            full.primary_key.clone_from(&self.declared.primary_key);
        }
        full.indexes.extend(self.declared.indexes.iter().cloned());
    }

    /// All text columns go over to a collation. A TEXT whose characters would not fit any more grows.
    fn convert_columns(&mut self, collation: &str, certain: bool) -> Result<(), Unread> {
        for at in 0..self.before.columns.len() {
            let column = &self.before.columns[at];
            if self.dropped[at] || self.changed[at].is_some() || !column.is_text() {
                continue;
            }
            let width = |collation: Option<&str>| {
                let charset = collation.and_then(|c| c.split('_').next());
                charset.and_then(longest_character).ok_or("the character set of a column is not certain")
            };
            let (old, new) = (width(column.column.collation.as_deref())?, width(Some(collation))?);
            if !column.collation_certain {
                return Err(format!("the character set of column {} is not certain", column.column.name));
            }
            let grown = if let ColumnType::Text { size } = column.column.ty {
                Some(converted_size(size, old, new))
            } else {
                None
            };
            let column = self.current(at);
            column.column.collation = Some(collation.to_owned());
            column.collation_certain = certain;
            if let Some(size) = grown {
                column.column.ty = ColumnType::Text { size };
            }
        }
        Ok(())
    }
}

/// A TEXT keeps room for as many characters as fitted before.
fn converted_size(size: LobSize, old: u32, new: u32) -> LobSize {
    let bytes: u64 = match size {
        LobSize::Tiny => 0xff,
        LobSize::Normal => 0xffff,
        LobSize::Medium => 0xff_ffff,
        LobSize::Long => return LobSize::Long,
    };
    if old == new {
        return size;
    }
    lob_size(bytes.div_ceil(u64::from(old)) * u64::from(new))
}

/// An index without a name of its own is called after its first column.
fn called(index: &Index) -> String {
    index.name.clone().or_else(|| index.columns.first().cloned()).unwrap_or_default()
}

pub(super) fn drop_index(full: &mut Full, name: &str) {
    if same_name(name, "PRIMARY") {
        full.primary_key.clear();
    }
    if let Some(at) = full.indexes.iter().position(|i| same_name(&called(i), name)) {
        full.indexes.remove(at);
    }
}

/// Options of a table that leave its rows as they are.
fn option(tokens: &mut Tokens, declared: &mut Full, silent: Silent) -> Result<(), Unread> {
    if tokens
        .one_of(&[
            "ALGORITHM",
            "LOCK",
            "COMMENT",
            "AUTO_INCREMENT",
            "ROW_FORMAT",
            "KEY_BLOCK_SIZE",
            "CHECKSUM",
            "STATS_PERSISTENT",
            "STATS_AUTO_RECALC",
            "STATS_SAMPLE_PAGES",
            "AVG_ROW_LENGTH",
            "MAX_ROWS",
            "MIN_ROWS",
            "PACK_KEYS",
            "DELAY_KEY_WRITE",
            "COMPRESSION",
            "ENCRYPTION",
            "CONNECTION",
            "WAIT",
        ])
        .is_some()
    {
        tokens.token(&Token::Eq);
        tokens.next();
    } else if tokens.words(&["ENGINE"]) {
        declared.engine = Some(word_or_text(tokens)?);
    } else if tokens.words(&["FORCE"])
        || tokens.words(&["NOWAIT"])
        || tokens.words(&["ENABLE", "KEYS"])
        || tokens.words(&["DISABLE", "KEYS"])
    {
    } else if tokens.words(&["REMOVE", "PARTITIONING"]) {
        declared.partitions = None;
    } else if tokens.words(&["PARTITION", "BY"]) {
        declared.partitions = Some(partition::read(tokens));
    } else if tokens.words(&["ORDER", "BY"]) {
        while tokens.next().is_some() {}
    } else if charset_option(tokens, declared, silent)? {
    } else {
        return Err(format!("{} is not understood", show(tokens.peek())));
    }
    Ok(())
}

/// `[DEFAULT] CHARACTER SET [=] x`, `[DEFAULT] COLLATE [=] y` of a table or a schema; false: neither comes next.
pub(super) fn charset_option(tokens: &mut Tokens, full: &mut Full, silent: Silent) -> Result<bool, Unread> {
    tokens.words(&["DEFAULT"]);
    if tokens.words(&["CHARACTER", "SET"]) || tokens.words(&["CHARSET"]) {
        let charset = word_or_text(tokens)?;
        if charset == "default" {
            return Err("CHARACTER SET DEFAULT is not followed".to_owned());
        }
        let (collation, certain) = silent.default_collation(&charset);
        full.collation = Some(collation);
        full.collation_certain = certain;
        return Ok(true);
    }
    if tokens.words(&["COLLATE"]) {
        let charset = full.collation.as_deref().and_then(|c| c.split('_').next());
        let (collation, certain) = silent.collation(&word_or_text(tokens)?, charset);
        full.collation = Some(collation);
        full.collation_certain = certain;
        return Ok(true);
    }
    Ok(false)
}
