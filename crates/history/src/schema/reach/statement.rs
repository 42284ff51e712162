//! What a statement of each kind reaches.

use super::Reach;
use super::reader::LexemeReader;
use crate::schema::harmless;
use dbtrail_sql_text::{Lexical, Token};

/// What follows on ALTER DATABASE where it means the current one.
const SCHEMA_OPTIONS: &[&str] =
    &["DEFAULT", "CHARACTER", "CHARSET", "COLLATE", "COMMENT", "ENCRYPTION", "READ", "UPGRADE"];
impl LexemeReader<'_> {
    pub(super) fn statement(&mut self) -> Reach {
        if self.tokens.words(&["SET", "STATEMENT"]) {
            self.following("FOR");
        }
        if self.tokens.words(&["ANALYZE"]) {
            self.any_word(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
            if self.any_word(&["TABLE", "TABLES"]) {
                return Reach::nothing();
            }
            if self.tokens.words(&["FORMAT"]) && self.tokens.symbol('=') {
                self.tokens.skip(1);
            }
        }
        let Some(Token::Word(first)) = self.tokens.peek() else {
            return if self.tokens.all().is_empty() { Reach::nothing() } else { Reach::unknown() };
        };
        let first = first.to_uppercase();
        self.tokens.skip(1);
        match first.as_str() {
            "CREATE" | "ALTER" | "DROP" => self.definition(&first),
            "TRUNCATE" => {
                self.tokens.words(&["TABLE"]);
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

    /// CREATE, ALTER or DROP of something.
    fn definition(&mut self, verb: &str) -> Reach {
        let replaces = verb == "CREATE" && self.tokens.peek().is_some_and(|word| word.is("OR"));
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
            self.following("ON");
            return self.tables('\0');
        }
        // MariaDB puts it in the place of a table of that name.
        if replaces && !temporary && self.any_word(&["SEQUENCE"]) {
            return self.tables('\0');
        }
        if self.any_word(harmless::OBJECTS) { Reach::nothing() } else { Reach::unknown() }
    }

    fn schema_of(&mut self, verb: &str) -> Reach {
        self.if_exists();
        let unnamed = self.tokens.peek().is_none_or(|l| SCHEMA_OPTIONS.iter().any(|word| l.is(word)));
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
            if !self.tokens.symbol(between) {
                return Reach { tables, ..Reach::default() };
            }
        }
    }

    fn renames(&mut self) -> Reach {
        let mut tables = Vec::new();
        loop {
            self.if_exists();
            let from = self.name();
            if self.tokens.words(&["WAIT"]) {
                self.tokens.skip(1);
            }
            self.tokens.words(&["NOWAIT"]);
            let named = self.tokens.words(&["TO"]);
            let (Some(from), true, Some(to)) = (from, named, self.name()) else { return Reach::unknown() };
            tables.extend([from, to]);
            if !self.tokens.symbol(',') {
                return Reach { tables, ..Reach::default() };
            }
        }
    }

    /// ALTER TABLE: the table, the name that it gets, and one whose rows change hands with it.
    fn altered(&mut self) -> Reach {
        let Some(name) = self.name() else { return Reach::unknown() };
        let mut tables = vec![name];
        let mut depth = 0_usize;
        while let Some(token) = self.tokens.peek() {
            match token.symbol() {
                Some('(') => depth += 1,
                Some(')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > 0 {
                self.tokens.skip(1);
            } else if self.tokens.words(&["RENAME"]) {
                if self.tokens.peek().is_some_and(|l| ["COLUMN", "INDEX", "KEY"].iter().any(|w| l.is(w))) {
                    continue;
                }
                let _ = self.any_word(&["TO", "AS"]) || self.tokens.symbol('=');
                tables.extend(self.name());
            } else if self.tokens.words(&["WITH", "TABLE"])
                || self.tokens.words(&["TO", "TABLE"])
                || self.tokens.words(&["CONVERT", "TABLE"])
            {
                tables.extend(self.name());
            } else if self.tokens.words(&["UNION"]) {
                // Tables of a MERGE table: their rows are not changed by it.
                self.tokens.symbol('=');
            } else {
                self.tokens.skip(1);
            }
        }
        Reach { tables, ..Reach::default() }
    }
}
