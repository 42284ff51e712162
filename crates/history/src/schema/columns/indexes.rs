//! Keys and indexes among the parts of a table (manual: ["CREATE TABLE
//! Statement"](https://dev.mysql.com/doc/refman/9.7/en/create-table.html), ["Indexes and Foreign
//! Keys"](https://dev.mysql.com/doc/refman/9.7/en/create-table.html#create-table-indexes-keys)).

mod period;

use super::column;
use crate::log::ServerVersion;
use crate::schema::foreign::references;
use crate::schema::implicit_default::ImplicitDefault;
use crate::schema::key_parts::key_parts;
use crate::schema::table::{Full, Index};
use crate::schema::token::{Tokens, Unread, show};
use period::period;

/// The columns, keys and constraints in the parentheses of CREATE TABLE.
pub(in crate::schema) fn parts(
    inside: &Tokens,
    full: &mut Full,
    silent: ImplicitDefault,
) -> Result<(), Unread> {
    let mut periods = Vec::new();
    for mut part in inside.split() {
        if let Some(period) = period(&mut part)? {
            periods.push(period);
        } else if !index(&mut part, full, silent.server)? {
            let one = column(&mut part, full, silent)?;
            full.columns.push(one);
            if !part.is_at_end() {
                return Err(Unread::NotUnderstood(show(part.peek())));
            }
        }
    }
    for period in periods {
        period.settle(full);
    }
    Ok(())
}

/// An index, a key or a constraint of a table; false: none comes next.
pub(in crate::schema) fn index(
    tokens: &mut Tokens,
    table: &mut Full,
    server: ServerVersion,
) -> Result<bool, Unread> {
    let constraint = tokens.words(&["CONSTRAINT"]);
    let named = constraint && !is_key_word(tokens);
    let constraint_name = if named { Some(tokens.name()?) } else { None };
    if tokens.words(&["PRIMARY", "KEY"]) {
        index_type(tokens);
        (table.primary_key, _) = key_parts(tokens)?;
    } else if tokens.words(&["FOREIGN", "KEY"]) {
        tokens.words(&["IF", "NOT", "EXISTS"]);
        let index_name = if tokens.is_at('(') { None } else { Some(tokens.name()?) };
        let (columns, _) = key_parts(tokens)?;
        tokens.words(&["REFERENCES"]);
        let mut key = references(tokens, columns.clone())?;
        // MySQL takes the name of the index for the constraint no longer.
        let index_name = index_name.filter(|_| server.mariadb || server.mysql_before((8, 0)));
        key.names.extend([constraint_name.clone(), index_name].into_iter().flatten());
        table.foreign_keys.push(key);
        table.indexes.push(Index {
            name: constraint_name,
            unique: false,
            columns,
            full_columns: true,
            implied: true,
        });
    } else if tokens.words(&["CHECK"]) {
        tokens.group()?;
    } else if let Some(word) = tokens.one_of(&["UNIQUE", "FULLTEXT", "SPATIAL", "INDEX", "KEY"]) {
        tokens.one_of(&["INDEX", "KEY"]);
        tokens.words(&["IF", "NOT", "EXISTS"]);
        let name = if tokens.is_at('(') || index_type(tokens) { None } else { Some(tokens.name()?) };
        index_type(tokens);
        let (columns, full_columns) = key_parts(tokens)?;
        table.indexes.push(Index {
            name: name.or(constraint_name),
            unique: word == "UNIQUE",
            columns,
            full_columns,
            implied: false,
        });
    } else {
        return Ok(false);
    }
    // Options of an index change no rows.
    while !tokens.is_at_end() && tokens.next().is_some() {}
    Ok(true)
}

pub(super) fn is_key_word(tokens: &Tokens) -> bool {
    let mut ahead = tokens.clone();
    ahead.one_of(&["PRIMARY", "UNIQUE", "FOREIGN", "CHECK"]).is_some()
}

pub(super) fn index_type(tokens: &mut Tokens) -> bool {
    tokens.words(&["USING"]) && tokens.next().is_some()
}
