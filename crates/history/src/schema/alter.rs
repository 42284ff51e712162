//! ALTER TABLE, action by action (manual: ["ALTER TABLE
//! Statement"](https://dev.mysql.com/doc/refman/9.7/en/alter-table.html)).
//!
//! As in the server, names in the actions mean the columns before the statement, except after AFTER
//! and in new indexes: so `CHANGE a b ..., CHANGE b a ...` swaps two columns.

mod actions;
mod carry_out;
mod options;

use super::implicit_default::ImplicitDefault;
use super::partition;
use super::table::{Full, FullColumn, Index};
use super::token::{Tokens, Unread, show};
use super::versioned;
use dbtrail_types::column::same_name;
use dbtrail_types::names::TableName;
pub(super) use options::charset_option;
use options::option;

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
enum ColumnPosition {
    Stay,
    First,
    After(String),
}

/// A column that goes to a position of its own.
enum PositionedColumn {
    /// MODIFY or CHANGE with FIRST or AFTER: the column at this position before.
    Old(usize),
    /// ADD.
    New(Box<FullColumn>, ColumnPosition),
}

/// The statement, read but not carried out.
struct AlterReader<'a> {
    before: &'a Full,
    silent: ImplicitDefault,
    /// The current database: a new name without a schema is in it, not in that of the table.
    schema: Option<&'a str>,
    /// New indexes and a new primary key, by new names; and the table's defaults.
    declared: Full,
    /// New definitions of old columns, by their position before.
    changed: Vec<Option<(FullColumn, ColumnPosition)>>,
    dropped: Vec<bool>,
    /// Which old columns MODIFY and CHANGE define again.
    defined: Vec<bool>,
    /// Columns that are put into their positions when all others are in position, in the order of
    /// the statement.
    placed: Vec<PositionedColumn>,
    dropped_indexes: Vec<String>,
    /// Names of foreign keys and constraints.
    dropped_keys: Vec<String>,
    renamed_indexes: Vec<(String, String)>,
    drops_primary_key: bool,
    /// ALTER COLUMN ... SET DEFAULT and DROP DEFAULT.
    defaults: Vec<(String, Tokens)>,
    /// ADD SYSTEM VERSIONING, or DROP SYSTEM VERSIONING.
    versioning: Option<bool>,
    /// CONVERT TO CHARACTER SET: collation, and whether it is known.
    converted: Option<(String, bool)>,
    renamed: Option<TableName>,
}

/// Carries out all actions. The cursor is after the table's name.
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
        let positions = before.columns.len() - 2..before.columns.len();
        for (from, position) in altered.from.iter_mut().skip(own).zip(positions) {
            *from = Some(position);
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
    let mut declared = Full { inferred: before.inferred, ..Full::default() };
    declared.collation.clone_from(&before.collation);
    declared.collation_known = before.collation_known;
    declared.engine.clone_from(&before.engine);
    declared.partitions.clone_from(&before.partitions);
    let mut reading = AlterReader {
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
    // What becomes of the partitions is last, with no comma before it.
    if let Some(rest) = tokens.cut(&["PARTITION", "BY"]) {
        reading.declared.partitions = Some(partition::read(&mut rest.clone(), reading.silent.server));
    } else if tokens.cut(&["REMOVE", "PARTITIONING"]).is_some() {
        reading.declared.partitions = None;
    }
    // A new default character set holds for the new columns of the same statement, wherever it is
    // in it.
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
            return Err(Unread::NotUnderstood(show(part.peek())));
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
fn column_position(tokens: &mut Tokens) -> Result<ColumnPosition, Unread> {
    if tokens.words(&["FIRST"]) {
        return Ok(ColumnPosition::First);
    }
    if tokens.words(&["AFTER"]) {
        Ok(ColumnPosition::After(tokens.name()?))
    } else {
        Ok(ColumnPosition::Stay)
    }
}

impl AlterReader<'_> {
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
        self.before.position(name).ok_or_else(|| Unread::NoColumn(name.to_owned()))
    }

    /// The definition of a column that an action works on: the one before, or what an earlier
    /// action made of it.
    fn current(&mut self, at: usize) -> &mut FullColumn {
        let before = &self.before.columns[at];
        &mut self.changed[at].get_or_insert_with(|| (before.clone(), ColumnPosition::Stay)).0
    }

    /// How many indexes are declared so far, and which primary key.
    fn mark(&self) -> (usize, Vec<String>) {
        (self.declared.indexes.len(), self.declared.primary_key.clone())
    }

    /// What becomes of the keys in the definition of a column after IF EXISTS or IF NOT EXISTS.
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
