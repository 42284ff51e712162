//! ALTER TABLE, action by action (manual: "ALTER TABLE Statement").
//!
//! As in the server, names in the actions mean the columns before the statement, except behind
//! AFTER and in new indexes: so `CHANGE a b ..., CHANGE b a ...` swaps two columns.

use super::columns::{column, index, set_default, word_or_text};
use super::converted::{fits_row, keeps_labels, redefined_size, sized_for, unchanged_size};
use super::implicit_default::ImplicitDefault;
use super::partition;
use super::table::{BackfilledValue, Full, FullColumn, Index};
use super::token::{Tokens, Unread, show};
use super::versioned;
use dbtrail_types::column::{ColumnType, same_name};
use dbtrail_types::names::TableName;

/// For each column after the statement: the one before it came from, if any.
pub(super) struct Altered {
    pub(super) full: Full,
    pub(super) from: Vec<Option<usize>>,
    pub(super) renamed: Option<TableName>,
    /// Names of foreign keys and constraints that are dropped.
    pub(super) dropped_keys: Vec<String>,
    /// Whether the statement makes the table system-versioned, or ends that.
    versioning: Option<bool>,
}

/// First words of actions on columns, keys and names; what begins otherwise is options of the
/// table.
const ACTIONS: &[&str] = &["ADD", "DROP", "MODIFY", "CHANGE", "RENAME", "ALTER", "CONVERT"];

/// Where a column goes.
enum Place {
    Stay,
    First,
    After(String),
}

/// A column that goes to a place of its own.
enum Placed {
    /// MODIFY or CHANGE with FIRST or AFTER: the column at this position before.
    Old(usize),
    /// ADD.
    New(Box<FullColumn>, Place),
}

/// A column of the table as it will be.
struct Slot {
    column: FullColumn,
    /// Its position before.
    old: Option<usize>,
    /// The one before it that its values come from.
    from: Option<usize>,
}

/// The statement, read but not carried out.
struct Reading<'a> {
    before: &'a Full,
    silent: ImplicitDefault,
    /// The current database: a new name without a schema is in it, not in that of the table.
    schema: Option<&'a str>,
    /// New indexes and a new primary key, by new names; and the table's defaults.
    declared: Full,
    /// New definitions of old columns, by their position before.
    changed: Vec<Option<(FullColumn, Place)>>,
    dropped: Vec<bool>,
    /// Which old columns MODIFY and CHANGE define again.
    defined: Vec<bool>,
    /// Columns that are put into their places when all others stand, in the order of the statement.
    placed: Vec<Placed>,
    dropped_indexes: Vec<String>,
    /// Names of foreign keys and constraints.
    dropped_keys: Vec<String>,
    renamed_indexes: Vec<(String, String)>,
    drops_primary_key: bool,
    /// ALTER COLUMN ... SET DEFAULT and DROP DEFAULT.
    defaults: Vec<(String, Tokens)>,
    /// ADD SYSTEM VERSIONING, or DROP SYSTEM VERSIONING.
    versioning: Option<bool>,
    /// CONVERT TO CHARACTER SET: collation, and whether it is certain.
    converted: Option<(String, bool)>,
    renamed: Option<TableName>,
}

/// Carries out all actions. The cursor stands behind the table's name.
pub(super) fn alter(
    tokens: Tokens,
    before: &Full,
    schema: Option<&str>,
    silent: ImplicitDefault,
) -> Result<Altered, Unread> {
    if !before.versioned {
        return plain(tokens, before, schema, silent);
    }
    // The server's own columns are spoken of by nobody, and go on after all others.
    let mut altered = plain(tokens, &versioned::without_columns(before)?, schema, silent)?;
    if altered.versioning.unwrap_or(true) {
        if !altered.full.versioned {
            altered.full.versioned = true;
            versioned::add_columns(&mut altered.full)?;
            altered.from.extend([None; 2]);
        }
        let own = altered.from.len().saturating_sub(2);
        let places = before.columns.len() - 2..before.columns.len();
        for (from, place) in altered.from.iter_mut().skip(own).zip(places) {
            *from = Some(place);
        }
    }
    Ok(altered)
}

fn plain(
    mut tokens: Tokens,
    before: &Full,
    schema: Option<&str>,
    silent: ImplicitDefault,
) -> Result<Altered, Unread> {
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
        defined: vec![false; before.columns.len()],
        placed: Vec::new(),
        dropped_indexes: Vec::new(),
        dropped_keys: Vec::new(),
        renamed_indexes: Vec::new(),
        drops_primary_key: false,
        defaults: Vec::new(),
        versioning: None,
        converted: None,
        renamed: None,
    };
    // What becomes of the partitions stands last, with no comma before it.
    if let Some(rest) = tokens.cut(&["PARTITION", "BY"]) {
        reading.declared.partitions = Some(partition::read(&mut rest.clone()));
    } else if tokens.cut(&["REMOVE", "PARTITIONING"]).is_some() {
        reading.declared.partitions = None;
    }
    // A new default character set holds for the new columns of the same statement, wherever it
    // stands in it.
    let (mut actions, mut options, mut orders) = (Vec::new(), Vec::new(), false);
    for part in tokens.split() {
        if part.clone().one_of(ACTIONS).is_some() {
            orders = false;
            actions.push(part);
        } else if !(orders && orders_by(part.clone())) {
            orders = part.clone().words(&["ORDER", "BY"]);
            options.push(part);
        }
    }
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

/// Whether this is one more column of ORDER BY: how rows are stored changes none of them.
fn orders_by(mut part: Tokens) -> bool {
    let named = part.name().is_ok() && (!part.symbol('.') || part.name().is_ok());
    part.one_of(&["ASC", "DESC"]);
    named && part.is_at_end()
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

    /// The definition of a column that an action works on: the one before, or what an earlier
    /// action made of it.
    fn current(&mut self, at: usize) -> &mut FullColumn {
        let before = &self.before.columns[at];
        &mut self.changed[at].get_or_insert_with(|| (before.clone(), Place::Stay)).0
    }

    /// How many indexes are declared so far, and which primary key.
    fn mark(&self) -> (usize, Vec<String>) {
        (self.declared.indexes.len(), self.declared.primary_key.clone())
    }

    /// What becomes of the keys in the definition of a column behind IF EXISTS or IF NOT EXISTS.
    /// MariaDB 10.11 and 11.8 make them also where the column is left out, but a primary key only
    /// where the table had none before the statement, and a unique one where no index bears the
    /// column's name, dropped or not; a foreign key always.
    fn keys_if_absent(&mut self, (indexes, primary_key): (usize, Vec<String>)) {
        if !self.before.primary_key.is_empty() {
            self.declared.primary_key = primary_key;
        }
        for index in self.declared.indexes.split_off(indexes) {
            let mut others = self.before.indexes.iter().chain(&self.declared.indexes);
            if !others.any(|other| same_name(&called(other), &called(&index))) {
                self.declared.indexes.push(index);
            }
        }
    }

    fn add(&mut self, tokens: &mut Tokens) -> Result<(), Unread> {
        if tokens.words(&["SYSTEM", "VERSIONING"]) {
            self.versioning = Some(true);
            return Ok(());
        }
        if tokens.words(&["PERIOD", "FOR"]) {
            return Err("a period changes the columns of a table".to_owned());
        }
        if index(tokens, &mut self.declared)? {
            return Ok(());
        }
        tokens.words(&["COLUMN"]);
        let maybe = tokens.words(&["IF", "NOT", "EXISTS"]);
        if tokens.is_at('(') {
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
        if maybe {
            self.keys_if_absent(keys);
        }
        if maybe
            && (self.before.position(&new.column.name).is_some() || self.added(&new.column.name).is_some())
        {
            return Ok(());
        }
        self.placed.push(Placed::New(Box::new(new), place));
        Ok(())
    }

    /// Where in [`Self::placed`] a column of this name is added.
    fn added(&self, name: &str) -> Option<usize> {
        let is = |p: &Placed| matches!(p, Placed::New(column, _) if same_name(&column.column.name, name));
        self.placed.iter().position(is)
    }

    fn drop(&mut self, tokens: &mut Tokens) -> Result<(), Unread> {
        if tokens.words(&["PRIMARY", "KEY"]) {
            self.drops_primary_key = true;
            return Ok(());
        }
        if tokens.words(&["SYSTEM", "VERSIONING"]) {
            self.versioning = Some(false);
            return Ok(());
        }
        if tokens.words(&["PARTITION"]) || tokens.words(&["PERIOD", "FOR"]) {
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
        if maybe {
            self.keys_if_absent(keys);
        }
        if self.before.position(old).is_none() {
            // MariaDB lets a statement change a column that it adds.
            if let Some(added) =
                self.added(old).filter(|_| self.silent.server.mariadb && same_name(&new.column.name, old))
            {
                self.placed.remove(added);
                self.placed.push(Placed::New(Box::new(new), place));
                return Ok(());
            }
            if maybe {
                return Ok(());
            }
        }
        let at = self.find(old)?;
        if !matches!(place, Place::Stay) {
            self.placed.push(Placed::Old(at));
        }
        self.defined[at] = true;
        if self.changed[at].replace((new, place)).is_some() {
            return Err(format!("it changes column {old} twice"));
        }
        Ok(())
    }

    fn rename(&mut self, tokens: &mut Tokens) -> Result<(), Unread> {
        if tokens.words(&["COLUMN"]) {
            let maybe = tokens.words(&["IF", "EXISTS"]);
            let old = tokens.name()?;
            if !tokens.words(&["TO"]) {
                return Err("RENAME COLUMN without TO".to_owned());
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
    fn alter_column(&mut self, tokens: &mut Tokens) -> Result<(), Unread> {
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
    fn set_defaults(&mut self) -> Result<(), Unread> {
        for (name, action) in std::mem::take(&mut self.defaults) {
            let kept = self.before.position(&name).filter(|at| !self.defined[*at] && !self.dropped[*at]);
            let silent = self.silent;
            let full = if let Some(at) = kept {
                self.current(at)
            } else {
                let called = |column: &FullColumn| same_name(&column.column.name, &name);
                let changed = &self.changed;
                let is = |placed: &Placed| match placed {
                    Placed::New(column, _) => called(column),
                    Placed::Old(at) => changed[*at].as_ref().is_some_and(|(column, _)| called(column)),
                };
                let found = self.placed.iter().position(is).filter(|_| silent.server.mariadb);
                match self.placed.get_mut(found.ok_or_else(|| format!("there is no column {name}"))?) {
                    Some(Placed::New(column, _)) => &mut **column,
                    Some(Placed::Old(at)) => {
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
        self.set_defaults()?;
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
        let mut altered = Altered {
            full,
            from: Vec::new(),
            renamed: self.renamed,
            dropped_keys: self.dropped_keys,
            versioning: self.versioning,
        };
        for slot in slots {
            altered.full.columns.push(slot.column);
            altered.from.push(slot.from);
        }
        altered.full.check()?;
        altered.full.settle();
        if self.versioning == Some(true) {
            altered.full.versioned = true;
            versioned::add_columns(&mut altered.full)?;
            altered.from.extend([None; 2]);
            if let Some(end) = altered.full.columns.last_mut() {
                end.filled = versioned::end_of_time(self.silent.server);
            }
        }
        Ok(altered)
    }

    /// The columns in their new order, as the servers work it out: first all that stay, under their
    /// new definitions and where they were; then, in the order of the statement, what has a place
    /// or is new is put among the columns as they stand by then.
    fn slots(&mut self) -> Result<Vec<Slot>, Unread> {
        let mut slots: Vec<Slot> = Vec::new();
        let mut places: Vec<Place> = Vec::new();
        for (at, before) in self.before.columns.iter().enumerate() {
            let (column, place) = self.changed[at].take().unwrap_or_else(|| (before.clone(), Place::Stay));
            places.push(place);
            if self.dropped[at] {
                continue;
            }
            let mut slot = Slot { column, old: Some(at), from: Some(at) };
            // A column that becomes generated, or whose expression changes, is computed again.
            if slot.column.generated.is_some() && slot.column.generated != before.generated {
                slot.from = None;
                slot.column.filled = BackfilledValue::Unknown(format!(
                    "generated column {} was computed anew, which is not followed",
                    slot.column.column.name
                ));
            }
            slots.push(slot);
        }
        for placed in std::mem::take(&mut self.placed) {
            let (slot, place) = match placed {
                Placed::Old(old) => {
                    let Some(at) = slots.iter().position(|s| s.old == Some(old)) else { continue };
                    (slots.remove(at), std::mem::replace(&mut places[old], Place::Stay))
                }
                Placed::New(column, place) => (Slot { column: *column, old: None, from: None }, place),
            };
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

    /// All text columns go over to a collation, also those that the statement adds or defines
    /// again, whatever it says of them. A TEXT that was there and whose characters would not fit
    /// any more grows.
    fn convert_columns(&mut self, collation: &str, certain: bool) -> Result<(), Unread> {
        for at in 0..self.before.columns.len() {
            let before = &self.before.columns[at];
            if self.dropped[at] || (!self.defined[at] && !before.is_text()) {
                continue;
            }
            if before.is_text() && !before.collation_certain {
                return Err(format!("the character set of column {} is not certain", before.column.name));
            }
            let column = before.column.clone();
            if !self.defined[at] {
                unchanged_size(&column, &mut self.current(at).column.ty, collation)?;
            } else if !self.silent.server.mariadb {
                // MySQL looks at what the column was, also where the statement defines it again;
                // MariaDB does not.
                let said = self.declared.lengths.iter().find(|(name, _)| {
                    self.changed[at].as_ref().is_some_and(|(c, _)| same_name(&c.column.name, name))
                });
                if said.is_none() {
                    redefined_size(&column, &mut self.current(at).column.ty, collation)?;
                }
            }
        }
        let added = self.placed.iter_mut().filter_map(|p| match p {
            Placed::New(column, _) => Some(&mut **column),
            Placed::Old(_) => None,
        });
        let old = self.changed.iter_mut().flatten().map(|(column, _)| column);
        let lengths = &self.declared.lengths;
        for full in old.chain(added).filter(|c| c.is_text()) {
            keeps_labels(&full.column, collation)?;
            // TEXT(n) has room for n characters of the new set.
            let said = lengths.iter().find(|(name, _)| same_name(name, &full.column.name));
            if let (ColumnType::Text { size }, Some((_, length))) = (&mut full.column.ty, said) {
                *size = sized_for(*length, collation)?;
            }
            fits_row(&full.column, collation)?;
            full.column.collation = Some(collation.to_owned());
            full.collation_certain = certain;
        }
        Ok(())
    }
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
fn option(tokens: &mut Tokens, declared: &mut Full, silent: ImplicitDefault) -> Result<(), Unread> {
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
        tokens.symbol('=');
        tokens.next();
    } else if tokens.words(&["ENGINE"]) {
        declared.engine = Some(word_or_text(tokens)?);
    } else if tokens.words(&["FORCE"])
        || tokens.words(&["NOWAIT"])
        || tokens.words(&["ENABLE", "KEYS"])
        || tokens.words(&["DISABLE", "KEYS"])
    {
    } else if tokens.words(&["ORDER", "BY"]) {
        while tokens.next().is_some() {}
    } else if charset_option(tokens, declared, silent)? {
    } else {
        return Err(format!("{} is not understood", show(tokens.peek())));
    }
    Ok(())
}

/// `[DEFAULT] CHARACTER SET [=] x`, `[DEFAULT] COLLATE [=] y` of a table or a schema; false:
/// neither comes next.
pub(super) fn charset_option(
    tokens: &mut Tokens,
    full: &mut Full,
    silent: ImplicitDefault,
) -> Result<bool, Unread> {
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
