//! The way through the tokens of a statement.

use dbtrail_sql_text::{Cursor, Token};
use dbtrail_types::names::TableName;

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

pub(super) struct LexemeReader<'a> {
    pub(super) tokens: Cursor<Token>,
    /// The current schema.
    pub(super) schema: Option<&'a str>,
}

impl LexemeReader<'_> {
    /// Passes over one of these words.
    pub(super) fn any_word(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.tokens.words(&[word]))
    }

    /// Passes over all that is before a word, and over that word; without it, to the end.
    pub(super) fn following(&mut self, word: &str) {
        while !self.tokens.is_at_end() && !self.tokens.words(&[word]) {
            self.tokens.skip(1);
        }
    }

    pub(super) fn identifier(&mut self) -> Option<String> {
        let name = match self.tokens.peek()? {
            Token::Word(name) | Token::Quoted(name) => name.clone(),
            Token::Text(_) | Token::Number(_) | Token::Hex(_) | Token::Bits(_) | Token::Symbol(_) => {
                return None;
            }
        };
        self.tokens.skip(1);
        Some(name)
    }

    /// `table` or `schema.table`; `None`: there is none, or its schema is not known.
    pub(super) fn name(&mut self) -> Option<TableName> {
        let first = self.identifier()?;
        if self.tokens.symbol('.') {
            return Some(TableName { schema: first, table: self.identifier()? });
        }
        Some(TableName { schema: self.schema?.to_owned(), table: first })
    }

    pub(super) fn if_exists(&mut self) {
        let _ = self.tokens.words(&["IF", "EXISTS"]) || self.tokens.words(&["IF", "NOT", "EXISTS"]);
    }

    /// The kind of object that is made, altered or dropped, in upper case; TABLE and TABLES are
    /// one.
    pub(super) fn object(&mut self) -> Option<String> {
        self.modifiers_of_object();
        let kind = self.identifier()?.to_uppercase();
        Some(if kind == "TABLES" { "TABLE".to_owned() } else { kind })
    }

    /// Passes over what may be in front of the kind of object; whether TEMPORARY is among it.
    pub(super) fn modifiers_of_object(&mut self) -> bool {
        let mut temporary = false;
        loop {
            temporary |= self.tokens.peek().is_some_and(|l| l.is("TEMPORARY"));
            if !self.any_word(MODIFIERS) {
                return temporary;
            }
            if self.tokens.symbol('=') {
                // A user with its host, or a word.
                self.tokens.skip(1);
                if self.tokens.symbol('@') {
                    self.tokens.skip(1);
                }
                if self.tokens.symbol('(') {
                    self.tokens.symbol(')');
                }
            }
        }
    }
}
