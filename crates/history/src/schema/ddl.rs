//! Statements of the log to effects.

use super::alter::{self, Altered, charset_option};
use super::columns::{parts, word_or_text};
use super::convert::By;
use super::foreign::keeps_keys;
use super::implicit_default::ImplicitDefault;
use super::key_parts::key_parts;
use super::renames::{self, Before, Rename};
use super::silent_changes::SilentChange;
use super::table::{Full, Index};
use super::token::{Tokens, Unread, show};
use super::{Catalog, DefinitionId, Effect, Moved, engines, harmless, links, partition, reach, versioned};
use crate::log::LoggedStatement;
use crate::store::ChangeSequence;
use dbtrail_types::names::TableName;

const TEMPORARY: &str =
    "a session had made a temporary table of this name, and the log does not say which of the two is meant";
/// sql_mode ORACLE, MSSQL, DB2 and MAXDB: types mean something else in them.
const FOREIGN_MODES: u64 = 0x1e00;
fn is_other_object(tokens: &mut Tokens) -> bool {
    tokens.one_of(harmless::OBJECTS).is_some() || tokens.one_of(harmless::BEFORE_OBJECTS).is_some()
}

/// What a statement does, for a catalog.
pub(super) fn follow(catalog: &mut Catalog, statement: &LoggedStatement) -> Vec<Effect> {
    if statement.error != 0 {
        return lost(catalog, statement, &format!("it failed half-way with error {}", statement.error), &[]);
    }
    if !statement.decoded && reach::has_unread_parts(statement) {
        return lost(catalog, statement, "its text cannot be decoded", &[]);
    }
    let mut walk = Walk { catalog, statement, table: None, others: Vec::new() };
    match walk.statement() {
        Ok(effects) => effects,
        Err(reason) => {
            let named: Vec<TableName> = walk.table.take().into_iter().chain(walk.others).collect();
            lost(catalog, statement, &reason, &named)
        }
    }
}

/// A statement that cannot be followed: all that it can have changed is unreadable; `named`: tables
/// that it is known to speak of.
fn lost(catalog: &mut Catalog, statement: &LoggedStatement, why: &str, named: &[TableName]) -> Vec<Effect> {
    let reason = format!("this statement cannot be followed ({why}): {}", excerpt(&statement.sql));
    let mut reach = reach::of(statement);
    if reach.unknown && !named.is_empty() {
        reach = reach::Reach::default();
    }
    if reach.rows.is_none() {
        reach.tables.extend_from_slice(named);
    }
    if catalog.folds == Some(true) {
        reach.tables = reach.tables.iter().map(TableName::to_lowercase).collect();
    }
    reach.tables.sort();
    reach.tables.dedup();
    for table in &reach.tables {
        catalog.forget(table);
    }
    for schema in &reach.defaults {
        catalog.schemas.remove(schema);
        catalog.all_schemas = false;
    }
    let effects = links::in_doubt(&catalog.links, &reach, statement.updated_schemas.as_deref(), &reason);
    // What only changed rows leaves definitions as they are.
    if reach.rows.is_none() || reach.unknown {
        for effect in &effects {
            if let Effect::UnreadableAll { schemas, .. } = effect {
                catalog.tables.retain(|t, _| !schemas.is_empty() && !schemas.contains(&t.schema));
                catalog.whole.retain(|s| !schemas.is_empty() && !schemas.contains(s));
            }
        }
    }
    effects
}

/// A statement, or its beginning, for a message.
pub(crate) fn excerpt(sql: &str) -> String {
    let mut cut: String = sql.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if cut.len() < sql.len() {
        cut.push_str("...");
    }
    cut
}

struct Walk<'a> {
    catalog: &'a mut Catalog,
    statement: &'a LoggedStatement,
    /// The table spoken of, once that is known.
    table: Option<TableName>,
    /// More tables that it speaks of, whose rows change hands with it.
    others: Vec<TableName>,
}

type Effects = Result<Vec<Effect>, Unread>;

impl Walk<'_> {
    fn schema(&self) -> Option<&str> {
        self.statement.schema.as_deref()
    }

    fn silent(&self) -> ImplicitDefault {
        ImplicitDefault::of(self.statement)
    }

    /// Who carried the statement out.
    fn by(&self) -> By {
        By::Server { mariadb: self.statement.server.mariadb, mode: self.statement.sql_mode }
    }

    fn name(&mut self, tokens: &mut Tokens) -> Result<TableName, Unread> {
        let name = tokens.table(self.statement.schema.as_deref())?;
        self.table = Some(name.clone());
        Ok(name)
    }

    /// The name of a table that is there, where a session's temporary table may be meant instead.
    fn existing_table(&mut self, tokens: &mut Tokens) -> Result<TableName, Unread> {
        let name = self.name(tokens)?;
        if self.catalog.temporary.contains(&name) {
            return Err(TEMPORARY.to_owned());
        }
        Ok(name)
    }

    /// Refuses modes of the session under which types have other meanings.
    fn modes(&self) -> Result<(), Unread> {
        if self.statement.sql_mode.unwrap_or(0) & FOREIGN_MODES == 0 {
            Ok(())
        } else {
            Err("it ran in sql_mode ORACLE or another one that changes the meaning of types".to_owned())
        }
    }

    fn statement(&mut self) -> Effects {
        let LoggedStatement { sql, sql_mode, server, .. } = self.statement;
        let mut tokens = Tokens::new(sql, *sql_mode, *server, self.catalog.folds == Some(true))?;
        if tokens.is_at_end() {
            return Ok(Vec::new());
        }
        if tokens.words(&["SET", "STATEMENT"]) {
            after_settings(&mut tokens)?;
        }
        if tokens.words(&["ANALYZE"]) {
            tokens.one_of(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
            return if tokens.one_of(&["TABLE", "TABLES"]).is_some() {
                Ok(Vec::new())
            } else {
                Err("ANALYZE carries a statement out".to_owned())
            };
        }
        match tokens.one_of(&[
            "CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME", "REPAIR", "INSERT", "REPLACE", "UPDATE",
            "DELETE", "LOAD", "WITH", "CALL", "MERGE",
        ]) {
            Some("CREATE") => self.create(tokens),
            Some("ALTER") => self.alter(tokens),
            Some("DROP") => self.drop(tokens),
            Some("TRUNCATE") => {
                tokens.words(&["TABLE"]);
                tokens.words(&["IF", "EXISTS"]);
                let name = self.existing_table(&mut tokens)?;
                Ok(vec![Effect::Truncated(name)])
            }
            Some("RENAME") => self.rename(tokens),
            Some("REPAIR") => self.repair(tokens),
            // A server that starts logs that its MEMORY tables are empty.
            Some("DELETE") if self.statement.sql.contains("/* generated by server */") => {
                tokens.words(&["FROM"]);
                let name = self.name(&mut tokens)?;
                if tokens.is_at_end() {
                    return Ok(vec![Effect::Truncated(name)]);
                }
                self.table = None;
                Err(SilentChange::Statement.reason().to_owned())
            }
            Some(_) => Err(format!("{}: use binlog_format=ROW", SilentChange::Statement.reason())),
            None if tokens.one_of(harmless::STATEMENTS).is_some() => Ok(Vec::new()),
            None => Err(format!("{} is not known", show(tokens.peek()))),
        }
    }

    /// Names of tables with commas between them.
    fn names(&self, tokens: &mut Tokens) -> Result<Vec<TableName>, Unread> {
        let mut names = vec![tokens.table(self.schema())?];
        while tokens.symbol(',') {
            names.push(tokens.table(self.schema())?);
        }
        Ok(names)
    }

    /// REPAIR TABLE drops the rows that it cannot read.
    fn repair(&mut self, mut tokens: Tokens) -> Effects {
        tokens.one_of(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
        if !tokens.words(&["TABLE"]) {
            return Ok(Vec::new());
        }
        let mut effects = Vec::new();
        for name in self.names(&mut tokens)? {
            effects.push(self.rows_unknown(name, SilentChange::Repair));
        }
        Ok(effects)
    }

    fn create(&mut self, mut tokens: Tokens) -> Effects {
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
                self.catalog.whole.insert(name.clone());
                let reported =
                    self.statement.charsets.and_then(|(_, _, server)| super::collation_name(server));
                let certain = reported.is_some();
                self.catalog.schemas.insert(name.clone(), (reported, certain));
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
        if is_other_object(&mut tokens) {
            return Ok(Vec::new());
        }
        Err(format!("CREATE {} is not known", show(tokens.peek())))
    }

    /// The default collation that a statement gives to a schema, if it does.
    fn schema_options(&mut self, tokens: &mut Tokens, name: &str) -> Result<(), Unread> {
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
            self.catalog.schemas.insert(name.to_owned(), (defaults.collation, defaults.collation_certain));
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
            return Err("ON was expected".to_owned());
        }
        let name = self.name(&mut tokens)?;
        let (columns, whole) = key_parts(&mut tokens)?;
        let index = Index { name: Some(index), unique, columns, whole, implied: false };
        Ok(self.same_rows(&name, |full| full.indexes.push(index)))
    }

    /// A change of indexes only.
    fn same_rows(&mut self, name: &TableName, change: impl FnOnce(&mut Full)) -> Vec<Effect> {
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
        if maybe && self.catalog.tables.contains_key(&name) {
            return Ok(Vec::new());
        }
        self.modes()?;
        if maybe && self.catalog.folds.is_none() && self.is_spelled_otherwise(&name) {
            return Err("it may be there under a name that differs in upper and lower case alone".to_owned());
        }
        let certain = self.catalog.whole.contains(&name.schema) && !self.catalog.lost.contains(&name);
        if maybe && !certain {
            return Err(
                "it is logged even where the table was there before, and the record does not say".to_owned()
            );
        }
        let mut effects = Vec::new();
        if replaces {
            effects.push(Effect::Dropped(name.clone()));
        }
        let like = tokens.words(&["LIKE"]);
        let mut inside = if !like && tokens.is_at('(') { Some(tokens.group()?) } else { None };
        if like || inside.as_mut().is_some_and(|i| i.words(&["LIKE"])) {
            let source = inside.as_mut().unwrap_or(&mut tokens).table(self.schema())?;
            let id = *self
                .catalog
                .tables
                .get(&source)
                .ok_or_else(|| format!("the definition of {source} is not known"))?;
            // Its foreign keys are not copied.
            let copy = self.catalog.full(id).clone();
            return Ok(self.created(effects, name, copy));
        }
        let Some(inside) = inside else {
            return Err("the columns come from a SELECT".to_owned());
        };
        let mut full = self.defaults(&name.schema, &tokens)?;
        parts(&inside, &mut full, self.silent())?;
        if full.versioned {
            versioned::add_columns(&mut full)?;
        }
        full.check().map_err(|e| e.to_string())?;
        if let Some(reason) = engines::rows_elsewhere(full.engine.as_deref()) {
            // A bare name in UNION is looked for in the current database.
            let schema = self.schema().unwrap_or(&name.schema);
            let united = engines::united(&tokens, schema);
            if !united.is_empty() {
                self.catalog.united.insert(name, united);
            }
            return Err(reason);
        }
        Ok(self.created(effects, name, full))
    }

    fn is_spelled_otherwise(&self, name: &TableName) -> bool {
        let lower = name.to_lowercase();
        self.catalog.tables.keys().any(|other| other != name && other.to_lowercase() == lower)
    }

    /// The table's defaults: its own options, or those of its schema.
    fn defaults(&self, schema: &str, options: &Tokens) -> Result<Full, Unread> {
        let mut full = Full::default();
        if let Some((collation, certain)) = self.catalog.schemas.get(schema) {
            full.collation.clone_from(collation);
            full.collation_certain = *certain;
        }
        let mut options = options.clone();
        while !options.is_at_end() {
            if options.one_of(&["SELECT", "AS"]).is_some() {
                return Err("columns come from a SELECT".to_owned());
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

    fn created(&mut self, mut effects: Vec<Effect>, name: TableName, mut full: Full) -> Vec<Effect> {
        full.settle();
        let keys = std::mem::take(&mut full.foreign_keys);
        let keys = if keeps_keys(full.engine.as_deref()) { keys } else { Vec::new() };
        self.catalog.foreign.set(&name, keys);
        let id = self.catalog.add(full);
        self.catalog.lost.remove(&name);
        self.catalog.tables.insert(name.clone(), id);
        effects.push(Effect::Created(name, id));
        effects
    }

    fn alter(&mut self, mut tokens: Tokens) -> Effects {
        tokens.one_of(&["ONLINE", "OFFLINE"]);
        let ignore = tokens.words(&["IGNORE"]);
        if tokens.one_of(&["DATABASE", "SCHEMA"]).is_some() {
            let options = ["DEFAULT", "CHARACTER", "CHARSET", "COLLATE", "COMMENT", "ENCRYPTION", "READ"];
            let unnamed = tokens.clone().one_of(&options).is_some();
            let name = if unnamed { self.schema().map(str::to_owned) } else { Some(tokens.schema()?) };
            self.schema_options(&mut tokens, &name.ok_or("it names no schema")?)?;
            return Ok(Vec::new());
        }
        if !tokens.words(&["TABLE"]) {
            if is_other_object(&mut tokens) {
                return Ok(Vec::new());
            }
            return Err(format!("ALTER {} is not known", show(tokens.peek())));
        }
        tokens.words(&["IF", "EXISTS"]);
        let name = self.existing_table(&mut tokens)?;
        // MariaDB.
        if tokens.words(&["WAIT"]) {
            tokens.next();
        } else {
            tokens.words(&["NOWAIT"]);
        }
        self.others.extend(other_table(&tokens, self.schema()));
        if let Some(effects) = self.partition_statement(&mut tokens.clone(), &name)? {
            return Ok(effects);
        }
        self.modes()?;
        let Some(before) = self.catalog.tables.get(&name).copied() else {
            return Err("the table's definition before it is not known".to_owned());
        };
        if let Some(reason) = engines::rows_elsewhere_in(&tokens) {
            return Err(reason);
        }
        let mut altered = alter::alter(tokens, self.catalog.full(before), self.schema(), self.silent())?;
        self.foreign_keys(&name, before, &mut altered);
        let by = self.by();
        let id = self.catalog.follow_up(before, altered.full, altered.from, (&self.statement.sql, by));
        self.catalog.tables.insert(name.clone(), id);
        let mut effects = vec![Effect::Altered(name.clone(), id)];
        if ignore {
            effects.push(self.rows_unknown(name.clone(), SilentChange::Ignore));
        }
        if let Some(to) = altered.renamed {
            effects.push(self.moved(name, to, true));
        }
        Ok(effects)
    }

    fn rows_unknown(&self, name: TableName, way: SilentChange) -> Effect {
        Effect::RowsUnknown(name, format!("{}: {}", way.reason(), excerpt(&self.statement.sql)))
    }

    /// ALTER TABLE on partitions or on the tablespace; `None`: it is neither.
    fn partition_statement(
        &mut self,
        tokens: &mut Tokens,
        name: &TableName,
    ) -> Result<Option<Vec<Effect>>, Unread> {
        let of = |tokens: &mut Tokens, words: &[&'static str]| {
            words.iter().find(|word| tokens.words(&[word, "PARTITION"])).copied()
        };
        if of(tokens, &["REBUILD", "OPTIMIZE", "ANALYZE", "CHECK"]).is_some() {
            return Ok(Some(Vec::new()));
        }
        if tokens.one_of(&["DISCARD", "IMPORT"]).is_some() {
            return Ok(Some(vec![self.rows_unknown(name.clone(), SilentChange::Tablespace)]));
        }
        if tokens.words(&["CONVERT", "PARTITION"]) {
            return self.partition_to_table(tokens, name).map(Some);
        }
        if tokens.words(&["CONVERT", "TABLE"]) {
            return self.table_to_partition(tokens, name).map(Some);
        }
        let words = ["TRUNCATE", "DROP", "ADD", "COALESCE", "REORGANIZE", "REPAIR", "EXCHANGE"];
        let Some(word) = of(tokens, &words) else { return Ok(None) };
        if word == "REPAIR" {
            return Ok(Some(vec![self.rows_unknown(name.clone(), SilentChange::Repair)]));
        }
        if word == "EXCHANGE" {
            return self.exchange(tokens, name).map(Some);
        }
        tokens.one_of(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
        let _ = tokens.words(&["IF", "EXISTS"]) || tokens.words(&["IF", "NOT", "EXISTS"]);
        let empties = matches!(word, "TRUNCATE" | "DROP");
        let names = if empties { partition::names(tokens)? } else { Vec::new() };
        let before = self.catalog.tables.get(name).copied();
        let mut full = before.map(|id| self.catalog.full(id).clone());
        let mut effects = Vec::new();
        let partitions = full.as_mut().and_then(|full| full.partitions.as_mut());
        if empties {
            effects.push(match partitions.as_ref().and_then(|p| p.emptied(&names)) {
                Some(emptied) => Effect::PartitionsEmptied(name.clone(), emptied),
                None => self.rows_unknown(name.clone(), SilentChange::EmptiedPartitions),
            });
        }
        if let (Some(partitions), true) = (partitions, word != "TRUNCATE") {
            match word {
                "DROP" => partitions.remove(&names),
                "ADD" => partitions.add(tokens),
                "COALESCE" => partitions.coalesce(tokens),
                _ => partitions.reorganize(tokens),
            }
            if let (Some(before), Some(full)) = (before, full) {
                effects.push(self.same_columns(name, before, full));
            }
        }
        Ok(Some(effects))
    }

    /// Another definition of a table whose columns stay as they are.
    fn same_columns(&mut self, name: &TableName, before: DefinitionId, full: Full) -> Effect {
        let from = (0..full.columns.len()).map(Some).collect();
        let by = self.by();
        let id = self.catalog.follow_up(before, full, from, (&self.statement.sql, by));
        self.catalog.tables.insert(name.clone(), id);
        Effect::Altered(name.clone(), id)
    }

    /// Rows of a partition go to another table; `None`: which they are is not known.
    fn rows_moved(
        &self,
        (from, partition): (&TableName, Option<&str>),
        to: &TableName,
        back: bool,
    ) -> Option<Effect> {
        let full = self.catalog.tables.get(from).map(|id| self.catalog.full(*id))?;
        let partitions = match partition {
            Some(name) => Some(full.partitions.as_ref()?.emptied(&[name.to_owned()])?),
            None => None,
        };
        let statement = excerpt(&self.statement.sql);
        let moved = Moved { from: from.clone(), partitions, to: to.clone(), back, statement };
        Some(Effect::RowsMoved(Box::new(moved)))
    }

    /// EXCHANGE PARTITION p WITH TABLE t.
    fn exchange(&mut self, tokens: &mut Tokens, name: &TableName) -> Effects {
        let other = self.others.pop().ok_or("the table of EXCHANGE PARTITION")?;
        let partition = tokens.name()?;
        let moved = self.rows_moved((name, Some(&partition)), &other, true);
        let mut effects = match moved {
            Some(moved) => vec![moved],
            None => [name.clone(), other]
                .map(|table| self.rows_unknown(table, SilentChange::ExchangedPartition))
                .into(),
        };
        effects.extend(self.unchecked(tokens, name));
        Ok(effects)
    }

    /// After WITHOUT VALIDATION rows may lie in partitions to which they do not belong.
    fn unchecked(&mut self, tokens: &mut Tokens, name: &TableName) -> Option<Effect> {
        tokens.cut(&["WITHOUT", "VALIDATION"])?;
        let before = self.catalog.tables.get(name).copied()?;
        let mut full = self.catalog.full(before).clone();
        full.partitions.as_mut()?.forget();
        Some(self.same_columns(name, before, full))
    }

    /// CONVERT PARTITION p TO TABLE t (MariaDB): a new table of the same columns.
    fn partition_to_table(&mut self, tokens: &mut Tokens, name: &TableName) -> Effects {
        let partition = tokens.name()?;
        let new = self.others.last().cloned().ok_or("the table of CONVERT PARTITION")?;
        let before = self.catalog.tables.get(name).copied();
        let before = before.ok_or("the table's definition before it is not known")?;
        let mut full = self.catalog.full(before).clone();
        let moved = self.rows_moved((name, Some(&partition)), &new, false);
        let alone = Full { partitions: None, ..full.clone() };
        let mut effects = self.created(Vec::new(), new.clone(), alone);
        if let Some(moved) = moved {
            effects.push(moved);
        } else {
            let both = [name.clone(), new];
            effects.extend(both.map(|table| self.rows_unknown(table, SilentChange::ConvertedPartition)));
        }
        if let Some(partitions) = &mut full.partitions {
            partitions.remove(&[partition]);
        }
        effects.push(self.same_columns(name, before, full));
        Ok(effects)
    }

    /// CONVERT TABLE t TO PARTITION p VALUES ... (MariaDB): the table is gone.
    fn table_to_partition(&mut self, tokens: &mut Tokens, name: &TableName) -> Effects {
        let old = tokens.table(self.schema())?;
        if !tokens.words(&["TO"]) {
            return Err("TO was expected".to_owned());
        }
        let before = self.catalog.tables.get(name).copied();
        let before = before.ok_or("the table's definition before it is not known")?;
        let mut full = self.catalog.full(before).clone();
        if let Some(partitions) = &mut full.partitions {
            partitions.add_one(tokens);
        }
        let mut effects = vec![self.same_columns(name, before, full)];
        effects.push(match self.rows_moved((&old, None), name, false) {
            Some(moved) => moved,
            None => self.rows_unknown(name.clone(), SilentChange::ConvertedPartition),
        });
        effects.extend(self.unchecked(tokens, name));
        self.catalog.tables.remove(&old);
        self.catalog.lost.remove(&old);
        self.catalog.foreign.remove(&old);
        effects.push(Effect::Dropped(old));
        Ok(effects)
    }

    /// What an ALTER does to the foreign keys of a table, and to those that refer to it.
    fn foreign_keys(&mut self, name: &TableName, before: DefinitionId, altered: &mut Altered) {
        let old = self.catalog.full(before);
        let now =
            |at| altered.from.iter().position(|from| *from == Some(at)).map(|i| &altered.full.columns[i]);
        let renamed = old.columns.iter().enumerate();
        let renamed =
            renamed.map(|(at, c)| (c.column.name.to_lowercase(), now(at).map(|now| now.column.name.clone())));
        let renamed = renamed.collect();
        let foreign = &mut self.catalog.foreign;
        for key in &altered.dropped_keys {
            foreign.drop(name, key);
        }
        foreign.rename_columns(name, &renamed);
        foreign.add(name, std::mem::take(&mut altered.full.foreign_keys));
        if !keeps_keys(altered.full.engine.as_deref()) {
            foreign.remove(name);
        }
    }

    fn moved(&mut self, from: TableName, to: TableName, certain: bool) -> Effect {
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
        Effect::Renamed { from, to, certain }
    }

    fn drop(&mut self, mut tokens: Tokens) -> Effects {
        if tokens.words(&["TEMPORARY"]) {
            return Ok(Vec::new());
        }
        if tokens.one_of(&["DATABASE", "SCHEMA"]).is_some() {
            tokens.words(&["IF", "EXISTS"]);
            let name = tokens.schema()?;
            self.catalog.tables.retain(|t, _| t.schema != name);
            self.catalog.lost.retain(|t| t.schema != name);
            self.catalog.temporary.retain(|t| t.schema != name);
            self.catalog.schemas.remove(&name);
            self.catalog.whole.remove(&name);
            self.catalog.foreign.remove_schema(&name);
            return Ok(vec![Effect::SchemaDropped(name)]);
        }
        if tokens.one_of(&["TABLE", "TABLES"]).is_some() {
            tokens.words(&["IF", "EXISTS"]);
            let mut effects = Vec::new();
            for name in self.names(&mut tokens)? {
                effects.push(if self.catalog.temporary.contains(&name) {
                    self.catalog.forget(&name);
                    let statement = excerpt(&self.statement.sql);
                    Effect::Unreadable(
                        name,
                        format!("this statement cannot be followed ({TEMPORARY}): {statement}"),
                    )
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
        if is_other_object(&mut tokens) {
            return Ok(Vec::new());
        }
        Err(format!("DROP {} is not known", show(tokens.peek())))
    }

    fn rename(&mut self, mut tokens: Tokens) -> Effects {
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
                return Err("TO was expected".to_owned());
            }
            pairs.push((from, part.table(self.schema())?));
        }
        // They are carried out together, or not at all: so are they followed.
        let named = pairs.iter().flat_map(|(from, to)| [from.clone(), to.clone()]);
        self.others = named.collect();
        if let Some((from, _)) = pairs.iter().find(|(from, _)| self.catalog.temporary.contains(from)) {
            self.table = Some(from.clone());
            return Err(TEMPORARY.to_owned());
        }
        if !self.statement.server.mariadb {
            return Ok(pairs.into_iter().map(|(from, to)| self.moved(from, to, true)).collect());
        }
        self.rename_of_some_kind(&pairs)
    }

    /// MariaDB logs the RENAME of a session's temporary table as that of a table.
    fn rename_of_some_kind(&mut self, pairs: &[(TableName, TableName)]) -> Effects {
        let catalog = &*self.catalog;
        let taken = |name: &TableName| catalog.tables.contains_key(name) || catalog.lost.contains(name);
        let before = |name: &TableName| {
            if catalog.renames.iter().any(|r| r.leaves_open(name) && !r.past.contains(name)) {
                Before::Open(taken(name))
            } else if taken(name) {
                Before::There
            } else if catalog.whole.contains(&name.schema) {
                Before::Not
            } else {
                Before::Unsaid
            }
        };
        let parts = renames::parts(pairs, &before).ok_or("what it did to which table is not known")?;
        let mut effects = Vec::new();
        for part in parts {
            let Some((kinds, _)) = part.outcomes.first() else { continue };
            let certain = part.outcomes.len() == 1;
            let base = part.pairs.iter().zip(kinds).filter(|(_, base)| **base);
            for (from, to) in base.map(|(pair, _)| pair) {
                effects.push(self.moved(from.clone(), to.clone(), certain));
            }
            if !certain {
                let outcomes = part.outcomes.into_iter().map(|(_, outcome)| outcome).collect();
                let (pairs, at, past) = (part.pairs, ChangeSequence(0), Vec::new());
                self.catalog.renaming.push(Rename { pairs, at, outcomes, past });
            }
        }
        Ok(effects)
    }
}

/// The second table of EXCHANGE PARTITION p WITH TABLE t, CONVERT PARTITION p TO TABLE t, CONVERT
/// TABLE t TO PARTITION p.
fn other_table(tokens: &Tokens, schema: Option<&str>) -> Option<TableName> {
    let mut tokens = tokens.clone();
    tokens.clone().one_of(&["EXCHANGE", "CONVERT"])?;
    while !tokens.is_at_end() {
        if tokens.words(&["TABLE"]) {
            return tokens.table(schema).ok();
        }
        tokens.next();
    }
    None
}

/// MariaDB's `SET STATEMENT a = 1, b = 2 FOR statement`: the cursor goes to the statement, if the
/// settings leave its meaning alone.
fn after_settings(tokens: &mut Tokens) -> Result<(), Unread> {
    while !tokens.words(&["FOR"]) {
        let name = tokens.clone().name().unwrap_or_default().to_lowercase();
        if tokens.is_at_end() || tokens.is_at('(') {
            return Err("SET STATEMENT is not understood".to_owned());
        }
        if ["mode", "character_set", "collation", "timestamp"].iter().any(|w| name.contains(w)) {
            return Err(format!("SET STATEMENT {name} may change what it means"));
        }
        tokens.next();
    }
    Ok(())
}
