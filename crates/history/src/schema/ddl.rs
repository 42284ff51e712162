//! Statements of the log to effects.

mod create;
mod partitions;
mod rename;

use super::Catalog;
use super::DefinitionId;
use super::Effect;
use super::alter;
use super::alter::Altered;
use super::convert::By;
use super::engines;
use super::foreign::keeps_keys;
use super::harmless;
use super::implicit_default::ImplicitDefault;
use super::links;
use super::reach;
use super::silent_changes::SilentChange;
use super::token::{Tokens, Unread, show};
use crate::log::LoggedStatement;
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
