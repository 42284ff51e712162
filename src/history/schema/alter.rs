//! ALTER TABLE, action by action (manual: "ALTER TABLE Statement").

use super::columns::{column, default_collation, index, word_or_text};
use super::table::{Filled, Full, Index};
use super::token::{Tokens, Unread, show};
use crate::column::same_name;
use crate::ident::TableName;
use sqlparser::tokenizer::Token;

/// For each column after the statement: the one before it came from, if any.
pub(super) struct Altered {
    pub(super) full: Full,
    pub(super) from: Vec<Option<usize>>,
    pub(super) renamed: Option<TableName>,
}

/// Carries out all actions. The cursor stands behind the table's name.
pub(super) fn alter(tokens: Tokens, before: &Full, schema: &str) -> Result<Altered, Unread> {
    let mut altered =
        Altered { full: before.clone(), from: (0..before.columns.len()).map(Some).collect(), renamed: None };
    for mut action in tokens.split() {
        if !action.is_at_end() {
            act(&mut action, &mut altered, schema)?;
            if !action.is_at_end() {
                return Err(format!("{} is not understood", show(action.peek())));
            }
        }
    }
    altered.full.settle();
    Ok(altered)
}

fn act(tokens: &mut Tokens, altered: &mut Altered, schema: &str) -> Result<(), Unread> {
    match tokens.one_of(&["ADD", "DROP", "MODIFY", "CHANGE", "RENAME", "ALTER", "CONVERT"]) {
        Some("ADD") => add(tokens, altered),
        Some("DROP") => drop(tokens, altered),
        Some("MODIFY") => {
            tokens.words(&["COLUMN"]);
            tokens.words(&["IF", "EXISTS"]);
            let name = tokens.clone().name()?;
            replace(tokens, altered, &name)
        }
        Some("CHANGE") => {
            tokens.words(&["COLUMN"]);
            tokens.words(&["IF", "EXISTS"]);
            let name = tokens.name()?;
            replace(tokens, altered, &name)
        }
        Some("RENAME") => rename(tokens, altered, schema),
        Some("ALTER") => alter_column(tokens, altered),
        Some(_) => Err("CONVERT TO CHARACTER SET changes types by rules that are not followed".to_owned()),
        // Several options may stand without commas.
        None => {
            while !tokens.is_at_end() {
                option(tokens, altered)?;
            }
            Ok(())
        }
    }
}

fn find(full: &Full, name: &str) -> Result<usize, Unread> {
    full.position(name).ok_or_else(|| format!("there is no column {name}"))
}

/// FIRST, AFTER x, or the end.
fn place(tokens: &mut Tokens, full: &Full) -> Result<Option<usize>, Unread> {
    if tokens.words(&["FIRST"]) {
        return Ok(Some(0));
    }
    if tokens.words(&["AFTER"]) {
        let name = tokens.name()?;
        return Ok(Some(find(full, &name)? + 1));
    }
    Ok(None)
}

fn add(tokens: &mut Tokens, altered: &mut Altered) -> Result<(), Unread> {
    if tokens.words(&["PARTITION"]) {
        while tokens.next().is_some() {}
        return Ok(());
    }
    if tokens.one_of(&["PERIOD", "SYSTEM"]).is_some() {
        return Err("system versioning changes the columns of a table".to_owned());
    }
    if index(tokens, &mut altered.full)? {
        return Ok(());
    }
    tokens.words(&["COLUMN"]);
    let maybe = tokens.words(&["IF", "NOT", "EXISTS"]);
    if tokens.peek() == Some(&Token::LParen) {
        for mut one in tokens.group()?.split() {
            if !index(&mut one, &mut altered.full)? {
                let full = column(&mut one, &mut altered.full)?;
                altered.full.columns.push(full);
                altered.from.push(None);
            }
        }
        return Ok(());
    }
    let full = column(tokens, &mut altered.full)?;
    if altered.full.position(&full.column.name).is_some() {
        return if maybe { Ok(()) } else { Err(format!("column {} is there already", full.column.name)) };
    }
    let at = place(tokens, &altered.full)?.unwrap_or(altered.full.columns.len());
    altered.full.columns.insert(at, full);
    altered.from.insert(at, None);
    Ok(())
}

fn drop(tokens: &mut Tokens, altered: &mut Altered) -> Result<(), Unread> {
    let full = &mut altered.full;
    if tokens.words(&["PRIMARY", "KEY"]) {
        full.primary_key.clear();
        return Ok(());
    }
    if tokens.one_of(&["PARTITION", "SYSTEM", "PERIOD"]).is_some() {
        return Err("rows or columns vanish with it".to_owned());
    }
    if tokens.words(&["FOREIGN", "KEY"]) || tokens.one_of(&["CHECK", "CONSTRAINT"]).is_some() {
        tokens.words(&["IF", "EXISTS"]);
        tokens.name()?;
        return Ok(());
    }
    if tokens.one_of(&["INDEX", "KEY"]).is_some() {
        tokens.words(&["IF", "EXISTS"]);
        let name = tokens.name()?;
        drop_index(full, &name);
        return Ok(());
    }
    tokens.words(&["COLUMN"]);
    let maybe = tokens.words(&["IF", "EXISTS"]);
    let name = tokens.name()?;
    tokens.one_of(&["RESTRICT", "CASCADE"]);
    let Some(at) = full.position(&name) else {
        return if maybe { Ok(()) } else { Err(format!("there is no column {name}")) };
    };
    full.columns.remove(at);
    altered.from.remove(at);
    full.primary_key.retain(|n| !same_name(n, &name));
    for index in &mut full.indexes {
        index.columns.retain(|n| !same_name(n, &name));
    }
    full.indexes.retain(|i| !i.columns.is_empty());
    Ok(())
}

/// An index without a name of its own is called after its first column.
pub(super) fn drop_index(full: &mut Full, name: &str) {
    if same_name(name, "PRIMARY") {
        full.primary_key.clear();
    }
    let called = |i: &Index| i.name.clone().or_else(|| i.columns.first().cloned()).unwrap_or_default();
    if let Some(at) = full.indexes.iter().position(|i| same_name(&called(i), name)) {
        full.indexes.remove(at);
    }
}

/// MODIFY and CHANGE: a new definition in the place of `old`.
fn replace(tokens: &mut Tokens, altered: &mut Altered, old: &str) -> Result<(), Unread> {
    let at = find(&altered.full, old)?;
    let new = column(tokens, &mut altered.full)?;
    rename_in_keys(&mut altered.full, old, &new.column.name);
    if new.generated != altered.full.columns[at].generated {
        return Err("a column becomes generated, or stops being it".to_owned());
    }
    altered.full.columns[at] = new;
    let from = altered.from[at];
    if let Some(to) = place(tokens, &altered.full)? {
        let moved = altered.full.columns.remove(at);
        altered.from.remove(at);
        let to = if to > at { to - 1 } else { to };
        altered.full.columns.insert(to, moved);
        altered.from.insert(to, from);
    }
    Ok(())
}

fn rename_in_keys(full: &mut Full, old: &str, new: &str) {
    let names = full.primary_key.iter_mut().chain(full.indexes.iter_mut().flat_map(|i| &mut i.columns));
    for name in names.filter(|n| same_name(n, old)) {
        new.clone_into(name);
    }
}

fn rename(tokens: &mut Tokens, altered: &mut Altered, schema: &str) -> Result<(), Unread> {
    if tokens.words(&["COLUMN"]) {
        tokens.words(&["IF", "EXISTS"]);
        let old = tokens.name()?;
        if !tokens.words(&["TO"]) {
            return Err("RENAME COLUMN without TO".to_owned());
        }
        let new = tokens.name()?;
        let at = find(&altered.full, &old)?;
        rename_in_keys(&mut altered.full, &old, &new);
        altered.full.columns[at].column.name = new;
    } else if tokens.one_of(&["INDEX", "KEY"]).is_some() {
        let old = tokens.name()?;
        tokens.words(&["TO"]);
        let new = tokens.name()?;
        for index in
            altered.full.indexes.iter_mut().filter(|i| i.name.as_deref().is_some_and(|n| same_name(n, &old)))
        {
            index.name = Some(new.clone());
        }
    } else {
        tokens.one_of(&["TO", "AS"]);
        altered.renamed = Some(tokens.table(Some(schema))?);
    }
    Ok(())
}

/// ALTER COLUMN c SET DEFAULT, DROP DEFAULT, SET VISIBLE; ALTER INDEX, ALTER CHECK.
fn alter_column(tokens: &mut Tokens, altered: &mut Altered) -> Result<(), Unread> {
    if tokens.one_of(&["INDEX", "CHECK", "CONSTRAINT", "KEY"]).is_some() {
        while tokens.next().is_some() {}
        return Ok(());
    }
    tokens.words(&["COLUMN"]);
    let name = tokens.name()?;
    let at = find(&altered.full, &name)?;
    let full = &mut altered.full.columns[at];
    if tokens.words(&["SET", "VISIBLE"]) {
        full.visible = true;
    } else if tokens.words(&["SET", "INVISIBLE"]) {
        full.visible = false;
    } else if tokens.words(&["DROP", "DEFAULT"]) {
        full.column.has_default = false;
    } else if tokens.words(&["SET", "DEFAULT"]) {
        full.column.has_default = true;
        full.filled = Filled::Unknown("its default was changed".to_owned());
        while tokens.next().is_some() {}
    }
    Ok(())
}

/// Options of a table that leave its rows as they are.
fn option(tokens: &mut Tokens, altered: &mut Altered) -> Result<(), Unread> {
    if tokens
        .one_of(&[
            "ALGORITHM",
            "LOCK",
            "ENGINE",
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
    } else if tokens.words(&["FORCE"])
        || tokens.words(&["NOWAIT"])
        || tokens.words(&["ENABLE", "KEYS"])
        || tokens.words(&["DISABLE", "KEYS"])
    {
    } else if tokens.words(&["ORDER", "BY"]) {
        while tokens.next().is_some() {}
    } else if charset_option(tokens, &mut altered.full)? {
    } else {
        return Err(format!("{} is not understood", show(tokens.peek())));
    }
    Ok(())
}

/// `[DEFAULT] CHARACTER SET [=] x [COLLATE [=] y]` of a table or a schema; false: it does not come next.
pub(super) fn charset_option(tokens: &mut Tokens, full: &mut Full) -> Result<bool, Unread> {
    tokens.words(&["DEFAULT"]);
    if tokens.words(&["CHARACTER", "SET"]) || tokens.words(&["CHARSET"]) {
        let charset = word_or_text(tokens)?;
        full.collation = Some(default_collation(&charset));
        full.collation_certain = false;
        return Ok(true);
    }
    if tokens.words(&["COLLATE"]) {
        full.collation = Some(word_or_text(tokens)?);
        full.collation_certain = true;
        return Ok(true);
    }
    Ok(false)
}
