//! What a statement of the log can have changed, where it is not known what it did: its first words
//! and the names in it are read, and nothing else.
//!
//! No statement needs to be whole for it: one that cannot be parsed, or whose text cannot be
//! decoded, still tells its kind and its tables. Where even that is not known, all is in doubt.

mod reader;
mod rows;
mod statement;
mod ties;

use crate::log::{LoggedStatement, UNREAD};
use dbtrail_sql_text::{Cursor, Quoting, Token, pieces};
use dbtrail_types::names::TableName;
use reader::LexemeReader;
pub(super) use ties::{StatementLinks, Trigger, links};

/// What a statement can have changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// Definitions and rows of these tables.
    pub(super) tables: Vec<TableName>,
    /// All tables of these schemas.
    pub(super) schemas: Vec<String>,
    /// The defaults of these schemas.
    pub(super) defaults: Vec<String>,
    /// Rows alone.
    pub(super) rows: Option<Rows>,
    /// It is not known.
    pub(super) unknown: bool,
}

/// What a statement that changes rows is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    /// Tables (or views) that it changes.
    pub(super) targets: Vec<TableName>,
    /// Tables (or views) that it reads.
    pub(super) reads: Vec<TableName>,
    /// It calls a function that is none of the server's own, or a procedure: these can change any
    /// table.
    pub(super) calls: bool,
}

impl Reach {
    fn nothing() -> Self {
        Self::default()
    }

    fn unknown() -> Self {
        Self { unknown: true, ..Self::default() }
    }

    fn and(mut self, other: Self) -> Self {
        self.tables.extend(other.tables);
        self.schemas.extend(other.schemas);
        self.defaults.extend(other.defaults);
        self.unknown |= other.unknown;
        self.rows = match (self.rows, other.rows) {
            (Some(mut one), Some(two)) => {
                one.targets.extend(two.targets);
                one.reads.extend(two.reads);
                one.calls |= two.calls;
                Some(one)
            }
            (one, two) => one.or(two),
        };
        self
    }
}

/// The tokens of a statement, without semicolons at its end; `opened`: what is in executable
/// comments counts.
fn tokens(statement: &LoggedStatement, opened: bool) -> Cursor<Token> {
    let quoting = Quoting::of_sql_mode(statement.sql_mode.unwrap_or(0));
    let mut tokens = pieces(&statement.sql, quoting, opened);
    while tokens.last() == Some(&Token::Symbol(';')) {
        tokens.pop();
    }
    Cursor::new(tokens)
}

/// What a statement can have changed.
pub(super) fn of(statement: &LoggedStatement) -> Reach {
    let read = |opened| {
        LexemeReader { tokens: tokens(statement, opened), schema: statement.schema.as_deref() }.statement()
    };
    // What an executable comment holds may have been carried out or not: the server's version
    // decides.
    let reach = if ["/*!", "/*M!"].iter().any(|mark| statement.sql.contains(mark)) {
        read(true).and(read(false))
    } else {
        read(true)
    };
    unread_names(reach)
}

/// Of a name that could not be decoded only its schema is known.
fn unread_names(mut reach: Reach) -> Reach {
    let mut schemas = std::mem::take(&mut reach.schemas);
    let mut unknown = false;
    reach.tables.retain(|name| {
        if name.table.contains(UNREAD) {
            schemas.push(name.schema.clone());
            return false;
        }
        unknown |= name.schema.contains(UNREAD);
        true
    });
    unknown |= schemas.iter().any(|schema| schema.contains(UNREAD));
    if let Some(rows) = &reach.rows {
        let names = || rows.targets.iter().chain(&rows.reads);
        unknown |= names().any(|name| name.schema.contains(UNREAD) || name.table.contains(UNREAD));
    }
    reach.schemas = schemas;
    reach.unknown |= unknown;
    reach
}

/// Whether bytes that could not be decoded are elsewhere than in comments: in names, values and
/// labels they change what a statement means.
pub(super) fn has_unread_parts(statement: &LoggedStatement) -> bool {
    let tokens = tokens(statement, true);
    tokens.all().iter().enumerate().any(|(i, token)| match token {
        Token::Text(text) => text.contains(UNREAD) && !is_remark(&tokens.all()[..i]),
        Token::Word(name) | Token::Quoted(name) => name.contains(UNREAD),
        Token::Symbol(c) => *c == UNREAD,
        Token::Number(_) | Token::Hex(_) | Token::Bits(_) => false,
    })
}

/// Whether the text after these tokens is a COMMENT of a table, column or index.
fn is_remark(before: &[Token]) -> bool {
    let before = before.strip_suffix(&[Token::Symbol('=')]).unwrap_or(before);
    before.last().is_some_and(|word| word.is("COMMENT"))
}

#[cfg(test)]
mod tests;
