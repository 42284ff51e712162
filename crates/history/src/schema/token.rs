//! The tokens of a DDL statement, and how names count in it.

pub(super) use super::unread::Unread;
use crate::log::ServerVersion;
use crate::schema::unread::Malformed;
use dbtrail_sql_text::{Cursor, ExecutableComments, Lexical, Quoting, Token};
use dbtrail_types::names::TableName;
use std::ops::{Deref, DerefMut};

/// The tokens that are left.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    left: Cursor<Token>,
    /// Names of tables and schemas count in lower case.
    folds: bool,
    /// A literal of no character is NULL (MariaDB's EMPTY_STRING_IS_NULL).
    empty_is_null: bool,
}

/// sql_mode EMPTY_STRING_IS_NULL of MariaDB.
const EMPTY_IS_NULL: u64 = 1 << 32;

/// It walks like every other cursor.
impl Deref for Tokens {
    type Target = Cursor<Token>;

    fn deref(&self) -> &Self::Target {
        &self.left
    }
}

impl DerefMut for Tokens {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.left
    }
}

impl Tokens {
    /// `folds`: names of tables and schemas count in lower case.
    pub(super) fn new(
        sql: &str,
        sql_mode: Option<u64>,
        server: ServerVersion,
        folds: bool,
    ) -> Result<Self, Unread> {
        let quoting = Quoting::of_sql_mode(sql_mode.unwrap_or(0));
        let comments = ExecutableComments::OfServer { mariadb: server.mariadb, version: server.code() };
        let tokens = dbtrail_sql_text::tokens(sql, quoting, comments)?;
        let empty_is_null = server.mariadb && sql_mode.unwrap_or(0) & EMPTY_IS_NULL != 0;
        Ok(Self { left: Cursor::new(tokens), folds, empty_is_null })
    }

    fn part(&self, from: usize, to: usize) -> Self {
        Self { left: self.left.part(from, to), ..*self }
    }

    /// Nothing is left but semicolons.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest().iter().all(|t| t.symbol() == Some(';'))
    }

    pub(super) fn name(&mut self) -> Result<String, Unread> {
        match self.next() {
            Some(Token::Word(name) | Token::Quoted(name)) => Ok(name),
            other => Err(Unread::Unexpected { expected: "a name", found: show(other.as_ref()) }),
        }
    }

    /// `table` or `schema.table`.
    pub(super) fn table(&mut self, current: Option<&str>) -> Result<TableName, Unread> {
        let first = self.name()?;
        let name = if self.symbol('.') {
            TableName { schema: first, table: self.name()? }
        } else {
            let schema = current.ok_or_else(|| Unread::NoSchema(first.clone()))?;
            TableName { schema: schema.to_owned(), table: first }
        };
        Ok(if self.folds { name.to_lowercase() } else { name })
    }

    /// The name of a schema.
    pub(super) fn schema(&mut self) -> Result<String, Unread> {
        let name = self.name()?;
        Ok(if self.folds { name.to_lowercase() } else { name })
    }

    /// Whether a literal is NULL.
    fn is_null(&self, token: &Token) -> bool {
        self.empty_is_null && matches!(token, Token::Text(text) if text.is_empty())
    }

    /// A text that is written as NULL.
    pub(super) fn empty_null(&mut self) -> bool {
        let found = self.peek().is_some_and(|token| self.is_null(token));
        self.skip(usize::from(found));
        found
    }

    /// A quoted text.
    pub(super) fn text(&mut self) -> Option<String> {
        let Token::Text(text) = self.peek()? else { return None };
        let text = text.clone();
        self.skip(1);
        Some(text)
    }

    pub(super) fn number(&mut self) -> Option<String> {
        let Token::Number(n) = self.peek()? else { return None };
        let n = n.clone();
        self.skip(1);
        Some(n)
    }

    /// Passes over a parenthesised group; the cursor is on its `(`.
    pub(super) fn group(&mut self) -> Result<Self, Unread> {
        if !self.is_at('(') {
            return Err(Unread::Unexpected { expected: "(", found: show(self.peek()) });
        }
        let left = self.left.group().ok_or(Unread::Malformed(Malformed::Parenthesis))?;
        Ok(Self { left, ..*self })
    }

    /// Takes off what follows these words outside of parentheses, the words too; `None`: they are
    /// not there.
    pub(super) fn cut(&mut self, words: &[&str]) -> Option<Self> {
        let position = self.find_any(&[words]);
        if position == self.end() {
            return None;
        }
        let rest = self.part(position + words.len(), self.end());
        *self = self.part(self.index(), position);
        Some(rest)
    }

    /// What is left, in one form for all spellings that differ in white space alone.
    pub(super) fn words_of(&self) -> String {
        let shown = |t: &Token| if self.is_null(t) { "NULL".to_owned() } else { t.to_string() };
        self.rest().iter().map(shown).collect::<Vec<_>>().join(" ")
    }

    /// Cuts what is left at the commas outside of parentheses.
    pub(super) fn split(&self) -> Vec<Self> {
        let semicolons = self.rest().iter().rev().take_while(|t| t.symbol() == Some(';')).count();
        let parts = self.left.part(self.index(), self.end() - semicolons).split();
        parts.into_iter().map(|left| Self { left, ..*self }).collect()
    }
}

pub(super) fn show(token: Option<&Token>) -> String {
    token.map_or_else(|| "the end of the statement".to_owned(), |t| format!("'{t}'"))
}
