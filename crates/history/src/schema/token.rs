//! A cursor over the tokens of a DDL statement.

#![expect(clippy::wildcard_enum_match_arm, reason = "tokens that are not named are passed over or refused")]

use super::lexer::{self, Token};
use crate::log::ServerVersion;

/// The tokens that are left.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    list: Vec<Token>,
    at: usize,
    /// Names of tables and schemas count in lower case.
    folds: bool,
}

/// What cannot be read: in words.
pub(super) type Unread = String;

impl Tokens {
    /// `folds`: names of tables and schemas count in lower case.
    pub(super) fn new(
        sql: &str,
        sql_mode: Option<u64>,
        server: ServerVersion,
        folds: bool,
    ) -> Result<Self, Unread> {
        Ok(Self { list: lexer::tokens(sql, sql_mode, server)?, at: 0, folds })
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.list.get(self.at)
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.list.get(self.at).cloned();
        self.at += 1;
        token
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.list[self.at.min(self.list.len())..].iter().all(|t| *t == Token::Symbol(';'))
    }

    /// The next tokens, as words in upper case, without moving.
    fn word(&self, ahead: usize) -> Option<String> {
        match self.list.get(self.at + ahead)? {
            Token::Word(w) => Some(w.to_uppercase()),
            _ => None,
        }
    }

    /// Whether these words (unquoted, any case) come next; if so, passes over them.
    pub(super) fn words(&mut self, words: &[&str]) -> bool {
        let there = words.iter().enumerate().all(|(i, w)| self.word(i).as_deref() == Some(*w));
        if there {
            self.at += words.len();
        }
        there
    }

    /// The first of these words that comes next.
    pub(super) fn one_of(&mut self, words: &[&'static str]) -> Option<&'static str> {
        words.iter().find(|w| self.words(&[w])).copied()
    }

    /// Whether this character comes next.
    pub(super) fn is_at(&self, symbol: char) -> bool {
        self.peek() == Some(&Token::Symbol(symbol))
    }

    /// Passes over this character, if it comes next.
    pub(super) fn symbol(&mut self, symbol: char) -> bool {
        let there = self.is_at(symbol);
        if there {
            self.at += 1;
        }
        there
    }

    pub(super) fn name(&mut self) -> Result<String, Unread> {
        match self.next() {
            Some(Token::Word(name) | Token::Quoted(name)) => Ok(name),
            other => Err(format!("a name was expected, and {} came", show(other.as_ref()))),
        }
    }

    /// `table` or `schema.table`.
    pub(super) fn table(&mut self, current: Option<&str>) -> Result<dbtrail_types::names::TableName, Unread> {
        let first = self.name()?;
        let name = if self.symbol('.') {
            dbtrail_types::names::TableName { schema: first, table: self.name()? }
        } else {
            let schema = current.ok_or_else(|| format!("table {first} has no schema"))?;
            dbtrail_types::names::TableName { schema: schema.to_owned(), table: first }
        };
        Ok(if self.folds { name.to_lowercase() } else { name })
    }

    /// The name of a schema.
    pub(super) fn schema(&mut self) -> Result<String, Unread> {
        let name = self.name()?;
        Ok(if self.folds { name.to_lowercase() } else { name })
    }

    /// A quoted text.
    pub(super) fn text(&mut self) -> Option<String> {
        let Token::Text(text) = self.peek()? else { return None };
        let text = text.clone();
        self.at += 1;
        Some(text)
    }

    pub(super) fn number(&mut self) -> Option<String> {
        let Token::Number(n) = self.peek()? else { return None };
        let n = n.clone();
        self.at += 1;
        Some(n)
    }

    /// Passes over a parenthesised group; the cursor is on its `(`.
    pub(super) fn group(&mut self) -> Result<Self, Unread> {
        if !self.symbol('(') {
            return Err(format!("( was expected, and {} came", show(self.peek())));
        }
        let start = self.at;
        let mut depth = 1_usize;
        while let Some(token) = self.next() {
            match token {
                Token::Symbol('(') => depth += 1,
                Token::Symbol(')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let tokens = self.list[start..self.at - 1].to_vec();
                return Ok(Self { list: tokens, at: 0, folds: self.folds });
            }
        }
        Err("a parenthesis is not closed".to_owned())
    }

    /// Takes off what follows these words outside of parentheses, the words too; `None`: they are
    /// not there.
    pub(super) fn cut(&mut self, words: &[&str]) -> Option<Self> {
        let mut ahead = self.clone();
        let mut depth = 0_usize;
        while ahead.at < ahead.list.len() {
            let start = ahead.at;
            if depth == 0 && ahead.words(words) {
                let rest = ahead.list.split_off(ahead.at);
                self.list.truncate(start);
                return Some(Self { list: rest, at: 0, folds: self.folds });
            }
            match ahead.next() {
                Some(Token::Symbol('(')) => depth += 1,
                Some(Token::Symbol(')')) => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        None
    }

    /// What is left, in one form for all spellings that differ in white space alone.
    pub(super) fn words_of(&self) -> String {
        let rest = self.list.get(self.at..).unwrap_or_default();
        rest.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    /// Cuts what is left at the commas outside of parentheses.
    pub(super) fn split(mut self) -> Vec<Self> {
        let mut parts = vec![Vec::new()];
        let mut depth = 0_usize;
        while let Some(token) = self.next() {
            match token {
                Token::Symbol('(') => depth += 1,
                Token::Symbol(')') => depth = depth.saturating_sub(1),
                Token::Symbol(',') if depth == 0 => {
                    parts.push(Vec::new());
                    continue;
                }
                Token::Symbol(';') if depth == 0 && self.is_at_end() => continue,
                _ => {}
            }
            if let Some(last) = parts.last_mut() {
                last.push(token);
            }
        }
        parts.into_iter().map(|tokens| Self { list: tokens, at: 0, folds: self.folds }).collect()
    }
}

pub(super) fn show(token: Option<&Token>) -> String {
    token.map_or_else(|| "the end of the statement".to_owned(), |t| format!("'{t}'"))
}
