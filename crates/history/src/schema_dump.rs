//! The definitions in what `mysqldump --no-data` and `mariadb-dump --no-data` write.
//!
//! Each table is declared there as SHOW CREATE TABLE has it. Which schema it is of is in a USE or,
//! where one schema was dumped, in the comment at the head. When it was written is at its end, in
//! the time zone of whoever wrote it.

use super::capture::Declared;
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;
use std::collections::HashMap;
use std::time::Duration;

/// The farthest that a time zone is ahead of UTC.
const FARTHEST: Duration = Duration::from_secs(14 * 3600);

/// What is in a dump.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaDump {
    /// Its tables, in its order.
    pub tables: Vec<Declared>,
    /// It was written at this instant or later; `None`: it does not say.
    pub written: Option<Timestamp>,
}

/// Why a file is no such dump.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadDump {
    /// The file ends inside of a CREATE TABLE.
    #[error("the statement that makes table {table} has no end")]
    Unfinished {
        /// The name of the table.
        table: String,
    },
    /// No USE is in front of a CREATE TABLE.
    #[error("it does not say of which schema table {table} is: dump with --databases, and without --compact")]
    NoSchema {
        /// The name of the table.
        table: String,
    },
    /// Two definitions of one table.
    #[error("it holds table {0} twice, in two ways")]
    Twice(TableName),
    /// It is of rows alone, or of something else.
    #[error("it holds no CREATE TABLE: write it with mysqldump --no-data --databases SCHEMA")]
    NoTable,
}

impl SchemaDump {
    /// Reads a dump.
    ///
    /// # Errors
    /// It holds no table, a table of no known schema, or one table twice in two ways.
    pub fn read(text: &str) -> Result<Self, BadDump> {
        let mut dump = Self::default();
        let mut seen: HashMap<TableName, String> = HashMap::new();
        let mut schema = None;
        let mut delimited = false;
        let mut rest = text;
        while !rest.is_empty() {
            let line = rest.lines().next().unwrap_or_default();
            let mut length = line.len() + 1;
            if let Some(mark) = line.strip_prefix("DELIMITER ") {
                // Triggers and routines are between two of these.
                delimited = mark.trim() != ";";
            } else if !delimited {
                if let Some((_, name)) =
                    line.split_once("    Database: ").filter(|_| line.starts_with("-- Host: "))
                {
                    schema = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
                } else if let Some(name) = line.strip_prefix("USE ") {
                    schema = Some(unquoted(name.trim_end().trim_end_matches(';')));
                } else if let Some(when) = line.strip_prefix("-- Dump completed on ") {
                    dump.written = written(when.trim());
                } else if let Some(name) = line.strip_prefix("CREATE TABLE ") {
                    let name = table_name(name);
                    let end =
                        statement_end(rest).ok_or_else(|| BadDump::Unfinished { table: name.clone() })?;
                    let schema = schema.clone().ok_or_else(|| BadDump::NoSchema { table: name.clone() })?;
                    let name = TableName { schema, table: name };
                    let create = rest[..end].to_owned();
                    length = end + 1;
                    match seen.get(&name) {
                        Some(before) if *before == create => {}
                        Some(_) => return Err(BadDump::Twice(name)),
                        None => {
                            seen.insert(name.clone(), create.clone());
                            dump.tables.push(Declared { name, create });
                        }
                    }
                }
            }
            rest = rest.get(length..).unwrap_or_default();
        }
        if dump.tables.is_empty() {
            return Err(BadDump::NoTable);
        }
        Ok(dump)
    }
}

/// A name, in backticks or not.
fn unquoted(name: &str) -> String {
    match name.strip_prefix('`').and_then(|name| name.strip_suffix('`')) {
        Some(inside) => inside.replace("``", "`"),
        None => name.to_owned(),
    }
}

/// The name of the table at the head of the rest of a CREATE TABLE.
fn table_name(rest: &str) -> String {
    let Some(quoted) = rest.strip_prefix('`') else {
        return rest.split([' ', '(']).next().unwrap_or_default().to_owned();
    };
    let mut name = String::new();
    let mut chars = quoted.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '`' && chars.next_if_eq(&'`').is_none() {
            break;
        }
        name.push(c);
    }
    name
}

/// Where the semicolon is that ends the statement at the head of a text.
fn statement_end(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (quote, byte) {
            // A doubled quote ends a text and begins the next one.
            (Some(open), _) if open == byte => quote = None,
            (Some(b'\'' | b'"'), b'\\') => drop(bytes.next()),
            (None, b'\'' | b'"' | b'`') => quote = Some(byte),
            (None, b';') => return Some(at),
            (Some(_) | None, _) => {}
        }
    }
    None
}

/// The earliest instant that a wall clock somewhere shows so.
fn written(text: &str) -> Option<Timestamp> {
    // `2026-11-28  9:05:07`: the hour is in two columns.
    let (day, time) = text.split_once(' ')?;
    let local: Timestamp = format!("{day}T{:0>8}Z", time.trim()).parse().ok()?;
    let ahead = i64::try_from(FARTHEST.as_micros()).ok()?;
    Some(Timestamp::from_micros(local.micros() - ahead))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dump: &SchemaDump) -> Vec<String> {
        dump.tables.iter().map(|t| t.name.to_string()).collect()
    }

    #[test]
    fn statements_are_cut_out_whole() {
        let text = "-- Host: localhost    Database: s\n\
             DELIMITER ;;\nCREATE TABLE no(a INT);;\nDELIMITER ;\n\
             CREATE TABLE `a``;b` (\n  `c` int DEFAULT NULL COMMENT 'it\\'s; \"x\"',\n  `d;` text COMMENT 'y''z;'\n) ENGINE=InnoDB;\n\
             USE `t``s`;\nCREATE TABLE plain (a int);\n-- Dump completed on 2026-11-28  9:05:07\n";
        let dump = SchemaDump::read(text).unwrap();
        assert_eq!(names(&dump), ["s.a`;b", "t`s.plain"]);
        assert!(dump.tables[0].create.ends_with(") ENGINE=InnoDB"), "{dump:?}");
        assert_eq!(dump.written.unwrap().to_string(), "2026-11-27T19:05:07.000000Z");
    }

    #[test]
    fn what_is_no_dump_is_reported() {
        for (text, why) in [
            ("", "it holds no CREATE TABLE"),
            ("CREATE TABLE `t` (a int);\n", "it does not say of which schema table t is"),
            ("USE s;\nCREATE TABLE `t` (a int\n", "the statement that makes table t has no end"),
            (
                "USE s;\nCREATE TABLE `t` (a int);\nCREATE TABLE `t` (b int);\n",
                "it holds table s.t twice, in two ways",
            ),
        ] {
            assert!(SchemaDump::read(text).unwrap_err().to_string().starts_with(why), "{text}");
        }
    }
}
