//! A table as it was, as text: SQL that makes it again, CSV, or a JSON object a row.

use super::literal::{self, Text, Unwritable, name};
use dbtrail_types::agent_api::{Octets, RowCell, RowLine};
use dbtrail_types::column::{Column, ColumnType, Family, TableDefinition, same_name};
use dbtrail_types::names::TableName;
use std::fmt::Write as _;

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// CREATE TABLE and INSERT.
    Sql,
    /// RFC 4180 with a line of names; NULL is `\N`, bytes are `0x...`.
    Csv,
    /// A JSON object a row; bytes are `{"hex": "..."}`. Of JSON documents, those that are no object
    /// and no array are strings with their text.
    NdJson,
}

/// A table that is written out.
#[derive(Debug)]
pub struct Dump<'a> {
    /// The name of the table.
    pub name: &'a TableName,
    /// The definition of the table at the instant.
    pub definition: &'a TableDefinition,
    /// Columns that are left out.
    pub without: &'a [String],
    /// In which form.
    pub format: Format,
}

impl Dump<'_> {
    fn columns(&self) -> impl Iterator<Item = (usize, &Column)> {
        let columns = self.definition.columns.iter().enumerate();
        columns.filter(|(_, c)| !self.without.iter().any(|w| same_name(w, &c.name)))
    }

    /// What is before the rows. `when`: the instant, for people.
    #[must_use]
    pub fn head(&self, when: &str) -> String {
        match self.format {
            Format::Sql => self.create(when),
            Format::Csv => {
                let names: Vec<String> = self.columns().map(|(_, c)| csv_text(&c.name)).collect();
                names.join(",") + "\r\n"
            }
            Format::NdJson => String::new(),
        }
    }

    fn create(&self, when: &str) -> String {
        let mut out = format!(
            "-- {} as it was {when}, written by dbtrail-shim dump.\n\
             -- Not kept, and to be added from elsewhere: secondary indexes, foreign keys, CHECK constraints, expressions of generated columns\n\
             -- (they are plain columns here), DEFAULTs other than NULL and the time, lengths of key prefixes, comments, engine, partitions, triggers.\n\
             SET NAMES utf8mb4;\nSET SESSION time_zone = '{}';\n\
             SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION';\n\
             CREATE TABLE {} (\n",
            one_line(&self.name.to_string()),
            super::statement::TIME_ZONE,
            name(&self.name.table)
        );
        let mut parts: Vec<String> = self.columns().map(|(_, c)| declaration(c)).collect();
        let is_left = |key: &String| self.columns().any(|(_, c)| same_name(&c.name, key));
        let key = Some(self.definition.primary_key.as_slice());
        let key = key.filter(|key| key.iter().all(is_left)).unwrap_or_default();
        // Of these only a prefix can be in a key, and how long it is is not kept.
        let in_key = |c: &Column| key.iter().any(|k| same_name(k, &c.name));
        let prefixed = self.columns().any(|(_, c)| is_long(&c.ty) && in_key(c));
        let key = if prefixed { &[][..] } else { key };
        if prefixed {
            out.insert_str(
                0,
                "-- Its PRIMARY KEY has prefixes of columns, whose lengths are not kept: add it by hand.\n",
            );
        }
        if !key.is_empty() {
            let names: Vec<String> = key.iter().map(|k| name(k)).collect();
            parts.push(format!("PRIMARY KEY ({})", names.join(", ")));
        }
        let leads = |c: &Column| key.first().is_some_and(|k| same_name(k, &c.name));
        let numbered = self.columns().filter(|(_, c)| c.auto_increment && !leads(c));
        parts.extend(numbered.map(|(_, c)| format!("KEY ({})", name(&c.name))));
        // Writing to a String cannot fail.
        let _ = writeln!(out, "  {}\n);\nSTART TRANSACTION;", parts.join(",\n  "));
        out
    }

    /// A row.
    ///
    /// # Errors
    /// A cell is not known, or cannot be written exactly.
    pub fn row(&self, row: &RowLine) -> Result<String, Unwritable> {
        let mut cells = Vec::new();
        for (at, column) in self.columns() {
            let cell = match row.get(at) {
                Some(RowCell::Value(Octets(bytes))) => Some(bytes.as_slice()),
                Some(RowCell::Null) => None,
                Some(RowCell::Unknown(why)) => {
                    return Err(Unwritable(format!(
                        "what column {} held is not known ({why}): leave it out with --without {}",
                        column.name, column.name
                    )));
                }
                None => return Err(Unwritable(format!("a row has no column {}", column.name))),
            };
            let written = match self.format {
                Format::Sql => literal::value(cell, column, Text::Utf8).map(|v| v.sql),
                Format::Csv => csv(cell, column),
                Format::NdJson => json(cell, column),
            };
            cells.push(written.map_err(|e| Unwritable(format!("column {}: {e}", column.name)))?);
        }
        Ok(match self.format {
            Format::Sql => {
                let names: Vec<String> = self.columns().map(|(_, c)| name(&c.name)).collect();
                let table = name(&self.name.table);
                format!("INSERT INTO {table} ({}) VALUES ({});\n", names.join(", "), cells.join(", "))
            }
            Format::Csv => cells.join(",") + "\r\n",
            Format::NdJson => {
                let pairs =
                    self.columns().zip(cells).map(|((_, c), cell)| format!("{}: {cell}", quoted(&c.name)));
                format!("{{{}}}\n", pairs.collect::<Vec<String>>().join(", "))
            }
        })
    }

    /// What follows the rows.
    #[must_use]
    pub fn tail(&self, rows: u64) -> String {
        match self.format {
            Format::Sql => format!("COMMIT;\n-- {rows} rows.\n"),
            Format::Csv | Format::NdJson => String::new(),
        }
    }
}

/// A column as CREATE TABLE declares it, as far as the record keeps it.
fn declaration(column: &Column) -> String {
    // Labels of ENUM and SET have backslashes as they are, which the server would take for escapes.
    let ty = column.ty.to_string().replace('\\', "\\\\");
    let mut out = format!("{} {ty}", name(&column.name));
    if let Some(collation) = &column.collation {
        let _ = write!(out, " CHARACTER SET {} COLLATE {collation}", column.charset().unwrap_or("utf8mb4"));
    }
    out.push_str(if column.nullable { " NULL" } else { " NOT NULL" });
    let fsp = if let ColumnType::DateTime { fsp: fsp @ 1.. } | ColumnType::Timestamp { fsp: fsp @ 1.. } =
        column.ty
    {
        format!("({fsp})")
    } else {
        String::new()
    };
    if column.default_now {
        let _ = write!(out, " DEFAULT CURRENT_TIMESTAMP{fsp}");
    } else if matches!(column.ty, ColumnType::Timestamp { .. }) {
        // Without a word, some servers give it the time.
        out.push_str(if column.nullable { " DEFAULT NULL" } else { " DEFAULT '0000-00-00 00:00:00'" });
    }
    if column.on_update_now {
        let _ = write!(out, " ON UPDATE CURRENT_TIMESTAMP{fsp}");
    }
    if column.auto_increment {
        out.push_str(" AUTO_INCREMENT");
    }
    if column.invisible {
        out.push_str(" INVISIBLE");
    }
    out
}

/// Whether the server takes no more than a prefix of it into a key.
fn is_long(ty: &ColumnType) -> bool {
    matches!(ty, ColumnType::Blob { .. } | ColumnType::Text { .. })
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn is_bytes(ty: &ColumnType) -> bool {
    matches!(ty.family(), Family::Bit | Family::Bytes | Family::Geometry | Family::Vector)
}

fn csv(cell: Option<&[u8]>, column: &Column) -> Result<String, Unwritable> {
    Ok(match cell {
        None => "\\N".to_owned(),
        Some(bytes) if is_bytes(&column.ty) => format!("0x{}", hex::encode(bytes)),
        Some(bytes) => csv_text(text(bytes)?),
    })
}

fn text(bytes: &[u8]) -> Result<&str, Unwritable> {
    std::str::from_utf8(bytes).map_err(|_| Unwritable("it is no text".to_owned()))
}

fn csv_text(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':' | b' ');
    if !text.is_empty() && text.bytes().all(plain) && !text.starts_with(' ') && !text.ends_with(' ') {
        text.to_owned()
    } else {
        format!("\"{}\"", text.replace('"', "\"\""))
    }
}

fn json(cell: Option<&[u8]>, column: &Column) -> Result<String, Unwritable> {
    let Some(bytes) = cell else { return Ok("null".to_owned()) };
    if is_bytes(&column.ty) {
        return Ok(format!("{{\"hex\": \"{}\"}}", hex::encode(bytes)));
    }
    let text = text(bytes)?;
    // A document that is no object and no array as its own text: its null must not read as SQL's
    // NULL.
    let raw = column.ty.is_number() || column.ty == ColumnType::Json && text.starts_with(['{', '[']);
    let raw = raw && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    Ok(if raw { text.to_owned() } else { quoted(text) })
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests;
