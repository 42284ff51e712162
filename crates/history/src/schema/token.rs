//! A cursor over the tokens of a DDL statement.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser has over a hundred tokens; the ones that are not named are refused"
)]

use sqlparser::dialect::MySqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

/// A statement is not parsed further than this many tokens: no DDL is longer.
const LONGEST: usize = 200_000;

/// The tokens that are left.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    list: Vec<Token>,
    at: usize,
    ansi_quotes: bool,
}

/// What cannot be read: in words.
pub(super) type Unread = String;

impl Tokens {
    pub(super) fn new(sql: &str, sql_mode: Option<u64>) -> Result<Self, Unread> {
        let mode = sql_mode.unwrap_or(0);
        if mode & 0x10_0000 != 0 && sql.contains('\\') {
            return Err("it has a backslash under NO_BACKSLASH_ESCAPES".to_owned());
        }
        let plain = opened_comments(sql);
        let tokens = Tokenizer::new(&MySqlDialect {}, &plain).tokenize().map_err(|e| e.to_string())?;
        let tokens: Vec<Token> = tokens.into_iter().filter(|t| !matches!(t, Token::Whitespace(_))).collect();
        if tokens.len() > LONGEST {
            return Err("it is too long".to_owned());
        }
        Ok(Self { list: tokens, at: 0, ansi_quotes: mode & 4 != 0 })
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
        self.list[self.at.min(self.list.len())..].iter().all(|t| *t == Token::SemiColon)
    }

    /// The next tokens, as words in upper case, without moving.
    fn word(&self, ahead: usize) -> Option<String> {
        match self.list.get(self.at + ahead)? {
            Token::Word(w) if w.quote_style.is_none() => Some(w.value.to_uppercase()),
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

    pub(super) fn token(&mut self, token: &Token) -> bool {
        let there = self.peek() == Some(token);
        if there {
            self.at += 1;
        }
        there
    }

    pub(super) fn name(&mut self) -> Result<String, Unread> {
        match self.next() {
            Some(Token::Word(w)) => Ok(w.value),
            Some(Token::DoubleQuotedString(s)) if self.ansi_quotes => Ok(s),
            other => Err(format!("a name was expected, and {} came", show(other.as_ref()))),
        }
    }

    /// `table` or `schema.table`.
    pub(super) fn table(&mut self, current: Option<&str>) -> Result<dbtrail_types::ident::TableName, Unread> {
        let first = self.name()?;
        if self.token(&Token::Period) {
            return Ok(dbtrail_types::ident::TableName { schema: first, table: self.name()? });
        }
        let schema = current.ok_or_else(|| format!("table {first} has no schema"))?;
        Ok(dbtrail_types::ident::TableName { schema: schema.to_owned(), table: first })
    }

    /// A quoted text.
    pub(super) fn text(&mut self) -> Option<String> {
        let ansi = self.ansi_quotes;
        let text = match self.peek()? {
            Token::SingleQuotedString(s) => s.clone(),
            Token::DoubleQuotedString(s) if !ansi => s.clone(),
            _ => return None,
        };
        self.at += 1;
        Some(text)
    }

    pub(super) fn number(&mut self) -> Option<String> {
        let Token::Number(n, _) = self.peek()? else { return None };
        let n = n.clone();
        self.at += 1;
        Some(n)
    }

    /// Passes over a parenthesised group; the cursor stands on its `(`.
    pub(super) fn group(&mut self) -> Result<Self, Unread> {
        if !self.token(&Token::LParen) {
            return Err(format!("( was expected, and {} came", show(self.peek())));
        }
        let start = self.at;
        let mut depth = 1_usize;
        while let Some(token) = self.next() {
            match token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let tokens = self.list[start..self.at - 1].to_vec();
                return Ok(Self { list: tokens, at: 0, ansi_quotes: self.ansi_quotes });
            }
        }
        Err("a parenthesis is not closed".to_owned())
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
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                Token::Comma if depth == 0 => {
                    parts.push(Vec::new());
                    continue;
                }
                Token::SemiColon if depth == 0 && self.is_at_end() => continue,
                _ => {}
            }
            if let Some(last) = parts.last_mut() {
                last.push(token);
            }
        }
        parts.into_iter().map(|tokens| Self { list: tokens, at: 0, ansi_quotes: self.ansi_quotes }).collect()
    }
}

pub(super) fn show(token: Option<&Token>) -> String {
    token.map_or_else(|| "the end of the statement".to_owned(), |t| format!("'{t}'"))
}

/// Takes the marks of executable comments (`/*!50100 ... */`, `/*M!100100 ... */`) away and keeps what stands in them.
fn opened_comments(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut chars = sql.char_indices().peekable();
    let mut quote: Option<char> = None;
    let mut inside = 0_usize;
    while let Some((i, c)) = chars.next() {
        let rest = &sql[i..];
        match quote {
            Some(q) => {
                out.push(c);
                if c == '\\' && q != '`' {
                    if let Some((_, escaped)) = chars.next() {
                        out.push(escaped);
                    }
                } else if c == q {
                    quote = None;
                }
            }
            None if matches!(c, '\'' | '"' | '`') => {
                quote = Some(c);
                out.push(c);
            }
            None if rest.starts_with("/*!") || rest.starts_with("/*M!") => {
                inside += 1;
                let mark = if rest.starts_with("/*!") { 2 } else { 3 };
                for _ in 0..mark {
                    chars.next();
                }
                while chars.peek().is_some_and(|(_, d)| d.is_ascii_digit()) {
                    chars.next();
                }
                out.push(' ');
            }
            None if inside > 0 && rest.starts_with("*/") => {
                inside -= 1;
                chars.next();
                out.push(' ');
            }
            None if rest.starts_with("/*") => {
                // An ordinary comment, kept whole for the tokenizer.
                let length = rest.find("*/").map_or(rest.len(), |n| n + 2);
                out.push_str(&rest[..length]);
                while chars.peek().is_some_and(|(n, _)| *n < i + length) {
                    chars.next();
                }
            }
            None => out.push(c),
        }
    }
    out
}
