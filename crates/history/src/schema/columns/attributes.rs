//! The attributes of a column after its type: NULL, DEFAULT, COLLATE, GENERATED and the like.

use super::super::foreign::references;
use super::super::table::{BackfilledValue, Full, FullColumn, Index};
use super::super::token::{Tokens, Unread};
use super::default_value::{ColumnDefault, default};
use crate::schema::unread::Malformed;

#[derive(Default)]
pub(super) struct Attributes {
    pub(super) charset: Option<String>,
    pub(super) collation: Option<String>,
    pub(super) binary: bool,
    pub(super) default: Option<ColumnDefault>,
    /// NULL or NOT NULL was written.
    pub(super) null_said: bool,
    /// The n of TEXT(n) and BLOB(n).
    pub(super) lob_length: Option<u64>,
    /// REFERENCES makes a foreign key here.
    pub(super) inline_keys: bool,
}

/// One attribute; false: none comes next.
pub(super) fn attribute(
    tokens: &mut Tokens,
    full: &mut FullColumn,
    state: &mut Attributes,
    table: &mut Full,
) -> Result<bool, Unread> {
    let own = full.column.name.clone();
    if tokens.words(&["NOT", "NULL"]) {
        full.column.nullable = false;
        state.null_said = true;
    } else if tokens.words(&["NULL"]) {
        full.column.nullable = true;
        state.null_said = true;
    } else if tokens.words(&["CHARACTER", "SET"]) || tokens.words(&["CHARSET"]) {
        state.charset = Some(word_or_text(tokens)?);
    } else if tokens.words(&["COLLATE"]) {
        state.collation = Some(word_or_text(tokens)?);
    } else if tokens.words(&["BINARY"]) {
        state.binary = true;
    } else if tokens.words(&["ASCII"]) {
        state.charset = Some("latin1".to_owned());
    } else if tokens.words(&["UNICODE"]) {
        state.charset = Some("ucs2".to_owned());
    } else if tokens.words(&["BYTE"]) {
        state.charset = Some("binary".to_owned());
    } else if tokens.words(&["DEFAULT"]) {
        state.default = Some(default(tokens)?);
    } else if tokens.words(&["ON", "UPDATE"]) {
        tokens.next();
        if tokens.is_at('(') {
            tokens.group()?;
        }
        full.column.on_update_now = true;
    } else if tokens.words(&["AUTO_INCREMENT"]) {
        full.column.auto_increment = true;
    } else if tokens.words(&["PRIMARY", "KEY"]) || tokens.words(&["PRIMARY"]) || tokens.words(&["KEY"]) {
        table.primary_key = vec![own];
    } else if tokens.words(&["UNIQUE"]) {
        tokens.words(&["KEY"]);
        table.indexes.push(Index::alone(&own));
    } else if tokens.words(&["COMMENT"]) {
        tokens.symbol('=');
        tokens.text().ok_or(Unread::Malformed(Malformed::Comment))?;
    } else if tokens.words(&["COMPRESSED"]) {
        // MariaDB, with or without the method. The log's table map says how values are written.
        if tokens.symbol('=') {
            tokens.name()?;
        }
    } else if tokens.words(&["INVISIBLE"]) {
        full.visible = false;
    } else if tokens.words(&["VISIBLE"]) {
        full.visible = true;
    } else if tokens.words(&["CONSTRAINT"]) {
        if !tokens.words(&["CHECK"]) {
            tokens.name()?;
            tokens.words(&["CHECK"]);
        }
        tokens.group()?;
    } else if tokens.words(&["CHECK"]) {
        tokens.group()?;
    } else if tokens.words(&["NOT", "ENFORCED"]) || tokens.words(&["ENFORCED"]) {
    } else if tokens.words(&["GENERATED", "ALWAYS", "AS"]) || tokens.words(&["AS"]) {
        full.generated = Some(tokens.group()?.words_of());
        full.filled =
            BackfilledValue::Unknown("a generated column's values are not computed here".to_owned());
    } else if let Some(how) = tokens.one_of(&["VIRTUAL", "STORED", "PERSISTENT"]) {
        if let Some(generated) = &mut full.generated {
            generated.push_str(if how == "VIRTUAL" { " VIRTUAL" } else { " STORED" });
        }
    } else if tokens.one_of(&["COLUMN_FORMAT", "STORAGE", "SRID"]).is_some() {
        tokens.next();
    } else if tokens.words(&["REFERENCES"]) {
        let key = references(tokens, vec![own])?;
        if state.inline_keys {
            table.foreign_keys.push(key);
        }
    } else {
        return Ok(false);
    }
    Ok(true)
}

pub(in crate::schema) fn word_or_text(tokens: &mut Tokens) -> Result<String, Unread> {
    tokens.symbol('=');
    if let Some(text) = tokens.text() {
        return Ok(text.to_lowercase());
    }
    Ok(tokens.name()?.to_lowercase())
}
