//! What a statement of the log can have changed, where it is not known what it did: its first words
//! and the names in it are read, and nothing else.
//!
//! Reads with a scanner of its own, which needs no statement to be whole: one that cannot be
//! parsed, or whose text cannot be decoded, still tells its kind and its tables. Where even that is
//! not known, all is in doubt.

mod rows;
mod scan;

use super::harmless;
use crate::log::{LoggedStatement, UNREAD};
use dbtrail_types::names::TableName;
pub(super) use scan::Lexeme;
use scan::scan;

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

/// What a statement can have changed.
pub(super) fn of(statement: &LoggedStatement) -> Reach {
    let read = |opened| {
        let list = scan(&statement.sql, statement.sql_mode.unwrap_or(0), opened);
        LexemeReader { list: &list, at: 0, schema: statement.schema.as_deref() }.statement()
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

/// What a statement says of ties between tables.
#[derive(Debug, Default)]
pub(super) struct StatementLinks {
    /// What it can have changed.
    pub(super) reach: Reach,
    /// It makes a table, which was not there before.
    pub(super) creates: bool,
    /// It alters one.
    pub(super) alters: bool,
    /// The table that it makes or alters.
    pub(super) child: Option<TableName>,
    /// Tables to which foreign keys in it refer.
    pub(super) parents: Vec<TableName>,
    /// What the statement does to a trigger.
    pub(super) trigger: Trigger,
}

/// What a statement does to a trigger.
#[derive(Debug, Default)]
pub(super) enum Trigger {
    /// Nothing.
    #[default]
    None,
    /// Makes this one, on this table.
    Made(TableName, TableName),
    /// Drops this one.
    Dropped(TableName),
    /// Makes one, and its names cannot be read.
    Unread,
}

/// What a statement says of ties between tables.
pub(super) fn links(statement: &LoggedStatement) -> StatementLinks {
    let list = scan(&statement.sql, statement.sql_mode.unwrap_or(0), true);
    let verb = |i: usize, word: &str| list.get(i).is_some_and(|l| l.is(word));
    let mut reported = StatementLinks { reach: of(statement), ..StatementLinks::default() };
    let Some(first) = list.iter().position(|l| ["CREATE", "ALTER", "DROP"].iter().any(|word| l.is(word)))
    else {
        return reported;
    };
    // After SET STATEMENT ... FOR at most.
    if first > 0 && !verb(0, "SET") {
        return reported;
    }
    let mut reader = LexemeReader { list: &list, at: first + 1, schema: statement.schema.as_deref() };
    let kind = reader.object();
    if kind.as_deref() == Some("TRIGGER") {
        reported.trigger = if verb(first, "DROP") {
            reader.if_exists();
            reader.name().map_or(Trigger::None, Trigger::Dropped)
        } else {
            reader.trigger()
        };
    } else if kind.as_deref() == Some("TABLE") {
        reported.alters = verb(first, "ALTER");
        let maybe = reader.peek().is_some_and(|l| l.is("IF"));
        reported.creates =
            verb(first, "CREATE") && !maybe && !list.iter().take(reader.at).any(|l| l.is("TEMPORARY"));
        reader.if_exists();
        reported.child = reader.name();
        // A name without a schema is one of the child's.
        let schema = reported.child.as_ref().map(|child| child.schema.clone());
        let mut following = LexemeReader { list: &list, at: reader.at, schema: schema.as_deref() };
        while following.peek().is_some() {
            if following.word("REFERENCES") {
                reported.parents.extend(following.name());
            } else {
                following.at += 1;
            }
        }
    }
    reported
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
    let list = scan(&statement.sql, statement.sql_mode.unwrap_or(0), true);
    list.iter().enumerate().any(|(i, lexeme)| {
        lexeme.text().contains(UNREAD) && !(matches!(lexeme, Lexeme::Text(_)) && is_remark(&list[..i]))
    })
}

/// Whether the text after these lexemes is a COMMENT of a table, column or index.
fn is_remark(before: &[Lexeme]) -> bool {
    let before = before.strip_suffix(&[Lexeme::Mark('=')]).unwrap_or(before);
    before.last().is_some_and(|word| word.is("COMMENT"))
}

/// What follows on ALTER DATABASE where it means the current one.
const SCHEMA_OPTIONS: &[&str] =
    &["DEFAULT", "CHARACTER", "CHARSET", "COLLATE", "COMMENT", "ENCRYPTION", "READ", "UPGRADE"];
/// What may be between CREATE, ALTER or DROP and the kind of object; some take a value.
const MODIFIERS: &[&str] = &[
    "OR",
    "REPLACE",
    "TEMPORARY",
    "UNIQUE",
    "FULLTEXT",
    "SPATIAL",
    "ONLINE",
    "OFFLINE",
    "IGNORE",
    "AGGREGATE",
    "ALGORITHM",
    "DEFINER",
    "SQL",
    "SECURITY",
    "INVOKER",
    "UNDEFINED",
    "MERGE",
    "TEMPTABLE",
    "CURRENT_USER",
    "CURRENT_ROLE",
    "BODY",
    "JSON",
    "DUALITY",
    "RELATIONAL",
    "MATERIALIZED",
    "VECTOR",
    "EXTERNAL",
];

struct LexemeReader<'a> {
    list: &'a [Lexeme],
    at: usize,
    /// The current schema.
    schema: Option<&'a str>,
}

impl LexemeReader<'_> {
    fn peek(&self) -> Option<&Lexeme> {
        self.list.get(self.at)
    }

    fn ahead(&self, by: usize) -> Option<&Lexeme> {
        self.list.get(self.at + by)
    }

    /// Passes over this word, if it comes next.
    fn word(&mut self, word: &str) -> bool {
        let there = self.peek().is_some_and(|lexeme| lexeme.is(word));
        self.at += usize::from(there);
        there
    }

    fn words(&mut self, words: &[&str]) -> bool {
        let there = words.iter().enumerate().all(|(i, word)| self.ahead(i).is_some_and(|l| l.is(word)));
        self.at += if there { words.len() } else { 0 };
        there
    }

    fn any_word(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.word(word))
    }

    fn mark(&mut self, mark: char) -> bool {
        let there = self.peek() == Some(&Lexeme::Mark(mark));
        self.at += usize::from(there);
        there
    }

    fn identifier(&mut self) -> Option<String> {
        let name = match self.peek()? {
            Lexeme::Word(name) | Lexeme::Name(name) => name.clone(),
            Lexeme::Text(_) | Lexeme::Number(_) | Lexeme::Mark(_) => return None,
        };
        self.at += 1;
        Some(name)
    }

    /// `table` or `schema.table`; `None`: there is none, or its schema is not known.
    fn name(&mut self) -> Option<TableName> {
        let first = self.identifier()?;
        if self.mark('.') {
            return Some(TableName { schema: first, table: self.identifier()? });
        }
        Some(TableName { schema: self.schema?.to_owned(), table: first })
    }

    fn if_exists(&mut self) {
        let _ = self.words(&["IF", "EXISTS"]) || self.words(&["IF", "NOT", "EXISTS"]);
    }

    fn statement(&mut self) -> Reach {
        if self.words(&["SET", "STATEMENT"]) {
            while self.peek().is_some() && !self.word("FOR") {
                self.at += 1;
            }
        }
        if self.word("ANALYZE") {
            self.any_word(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
            if self.any_word(&["TABLE", "TABLES"]) {
                return Reach::nothing();
            }
            if self.word("FORMAT") && self.mark('=') {
                self.at += 1;
            }
        }
        let Some(Lexeme::Word(first)) = self.peek() else {
            return if self.list.is_empty() { Reach::nothing() } else { Reach::unknown() };
        };
        let first = first.to_uppercase();
        self.at += 1;
        match first.as_str() {
            "CREATE" | "ALTER" | "DROP" => self.definition(&first),
            "TRUNCATE" => {
                self.word("TABLE");
                self.if_exists();
                self.tables(',')
            }
            "RENAME" if self.any_word(&["USER"]) => Reach::nothing(),
            "RENAME" => {
                self.any_word(&["TABLE", "TABLES"]);
                self.renames()
            }
            "REPAIR" => {
                self.any_word(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
                if self.any_word(&["TABLE", "TABLES"]) { self.tables(',') } else { Reach::nothing() }
            }
            "INSERT" | "REPLACE" | "UPDATE" | "DELETE" | "LOAD" | "WITH" | "SELECT" | "DO" | "VALUES" => {
                self.rows(&first)
            }
            other if harmless::STATEMENTS.contains(&other) => Reach::nothing(),
            _ => Reach::unknown(),
        }
    }

    /// The kind of object that is made, altered or dropped, in upper case; TABLE and TABLES are
    /// one.
    fn object(&mut self) -> Option<String> {
        self.modifiers_of_object();
        let kind = self.identifier()?.to_uppercase();
        Some(if kind == "TABLES" { "TABLE".to_owned() } else { kind })
    }

    /// CREATE TRIGGER, after these words.
    fn trigger(&mut self) -> Trigger {
        self.if_exists();
        let name = self.name();
        while self.peek().is_some() && !self.word("ON") {
            self.at += 1;
        }
        match (name, self.name()) {
            (Some(name), Some(table)) if !table.table.contains(UNREAD) && !table.schema.contains(UNREAD) => {
                Trigger::Made(name, table)
            }
            _ => Trigger::Unread,
        }
    }

    /// Passes over what may be in front of the kind of object; whether TEMPORARY is among it.
    fn modifiers_of_object(&mut self) -> bool {
        let mut temporary = false;
        loop {
            temporary |= self.peek().is_some_and(|l| l.is("TEMPORARY"));
            if !self.any_word(MODIFIERS) {
                return temporary;
            }
            if self.mark('=') {
                // A user with its host, or a word.
                self.at += 1;
                if self.mark('@') {
                    self.at += 1;
                }
                if self.mark('(') {
                    self.mark(')');
                }
            }
        }
    }

    /// CREATE, ALTER or DROP of something.
    fn definition(&mut self, verb: &str) -> Reach {
        let temporary = self.modifiers_of_object();
        if self.any_word(&["DATABASE", "SCHEMA"]) {
            return self.schema_of(verb);
        }
        if self.any_word(&["TABLE", "TABLES"]) {
            self.if_exists();
            return match verb {
                // A temporary table is seen by its session alone.
                "DROP" | "CREATE" if temporary => Reach::nothing(),
                "DROP" => self.tables(','),
                "CREATE" => self
                    .name()
                    .map_or_else(Reach::unknown, |name| Reach { tables: vec![name], ..Reach::default() }),
                _ => self.altered(),
            };
        }
        if self.any_word(&["INDEX", "KEY"]) {
            while self.peek().is_some() && !self.word("ON") {
                self.at += 1;
            }
            return self.tables('\0');
        }
        if self.any_word(harmless::OBJECTS) { Reach::nothing() } else { Reach::unknown() }
    }

    fn schema_of(&mut self, verb: &str) -> Reach {
        self.if_exists();
        let unnamed = self.peek().is_none_or(|l| SCHEMA_OPTIONS.iter().any(|word| l.is(word)));
        let name = if unnamed { self.schema.map(str::to_owned) } else { self.identifier() };
        match name {
            None => Reach::unknown(),
            Some(name) if verb == "DROP" => Reach { schemas: vec![name], ..Reach::default() },
            Some(name) => Reach { defaults: vec![name], ..Reach::default() },
        }
    }

    /// Names with a mark between them.
    fn tables(&mut self, between: char) -> Reach {
        let mut tables = Vec::new();
        loop {
            match self.name() {
                Some(name) => tables.push(name),
                None => return Reach::unknown(),
            }
            if !self.mark(between) {
                return Reach { tables, ..Reach::default() };
            }
        }
    }

    fn renames(&mut self) -> Reach {
        let mut tables = Vec::new();
        loop {
            self.if_exists();
            let from = self.name();
            if self.word("WAIT") {
                self.at += 1;
            }
            self.word("NOWAIT");
            let named = self.word("TO");
            let (Some(from), true, Some(to)) = (from, named, self.name()) else { return Reach::unknown() };
            tables.extend([from, to]);
            if !self.mark(',') {
                return Reach { tables, ..Reach::default() };
            }
        }
    }

    /// ALTER TABLE: the table, the name that it gets, and one whose rows change hands with it.
    fn altered(&mut self) -> Reach {
        let Some(name) = self.name() else { return Reach::unknown() };
        let mut tables = vec![name];
        let mut depth = 0_usize;
        while let Some(lexeme) = self.peek() {
            match lexeme {
                Lexeme::Mark('(') => depth += 1,
                Lexeme::Mark(')') => depth = depth.saturating_sub(1),
                Lexeme::Word(_) | Lexeme::Name(_) | Lexeme::Text(_) | Lexeme::Number(_) | Lexeme::Mark(_) => {
                }
            }
            if depth > 0 {
                self.at += 1;
            } else if self.word("RENAME") {
                if self.peek().is_some_and(|l| ["COLUMN", "INDEX", "KEY"].iter().any(|w| l.is(w))) {
                    continue;
                }
                let _ = self.any_word(&["TO", "AS"]) || self.mark('=');
                tables.extend(self.name());
            } else if self.words(&["WITH", "TABLE"])
                || self.words(&["TO", "TABLE"])
                || self.words(&["CONVERT", "TABLE"])
            {
                tables.extend(self.name());
            } else if self.word("UNION") {
                // Tables of a MERGE table: their rows are not changed by it.
                self.mark('=');
            } else {
                self.at += 1;
            }
        }
        Reach { tables, ..Reach::default() }
    }
}

#[cfg(test)]
mod tests;
