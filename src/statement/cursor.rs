//! The cursor over the tokens of a statement, which knows where each is in the text.
//!
//! It walks as every cursor of [`dbtrail_sql_text`] does; its tokens are sqlparser's, since the
//! grammar of expressions takes no other.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser has over a hundred tokens; the ones that are not named are refused"
)]

mod chain;
mod expression;

use super::hint_comment::HintComment;
use super::{ParseSettings, Refused, StatementPosition, lexis, split};
use dbtrail_sql_text::Lexical;
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan};
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

/// More tokens than any statement for this server can need.
const LONGEST: usize = 200_000;
/// Deeper nesting than any key predicate can need.
const DEEPEST: usize = 100;

/// A token, and where it is in the text.
#[derive(Clone, Debug)]
pub(super) struct Located {
    pub(super) token: Token,
    /// In lines and columns.
    pub(super) span: Span,
    /// Its first byte, and the one after its last.
    bytes: (usize, usize),
}

impl Lexical for Located {
    fn word(&self) -> Option<&str> {
        match &self.token {
            Token::Word(w) if w.quote_style.is_none() => Some(&w.value),
            _ => None,
        }
    }

    fn symbol(&self) -> Option<char> {
        match self.token {
            Token::LParen => Some('('),
            Token::RParen => Some(')'),
            Token::Comma => Some(','),
            Token::SemiColon => Some(';'),
            Token::Period => Some('.'),
            _ => None,
        }
    }
}

/// Tokens without white space and comments, up to an end.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    tokens: dbtrail_sql_text::Cursor<Located>,
    /// The optimizer hints of the statement.
    hint: Rc<HintComment>,
}

/// It walks like every other one; what it gives is sqlparser's.
impl Deref for Cursor<'_> {
    type Target = dbtrail_sql_text::Cursor<Located>;

    fn deref(&self) -> &Self::Target {
        &self.tokens
    }
}

impl DerefMut for Cursor<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.tokens
    }
}

pub(super) fn syntax(message: String) -> Refused {
    Refused::Syntax { message }
}

pub(super) fn unsupported(message: impl Into<String>) -> Refused {
    Refused::Unsupported { message: message.into() }
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, reading: ParseSettings) -> Result<Self, Refused> {
        if split::is_longer(text, reading, 2 * LONGEST) {
            return Err(syntax(format!(
                "the statement has more than {LONGEST} tokens, which is more than is read"
            )));
        }
        let mut tokens = lexis::tokens(text, reading).map_err(|e| {
            let (line, column) = (e.location.line, e.location.column);
            syntax(format!(
                "{} at line {line}, column {column}: is a quote or a comment not closed?",
                e.message
            ))
        })?;
        let hint = Rc::new(HintComment::among(&tokens));
        lexis::join_variables(&mut tokens);
        tokens.retain(|t| !matches!(t.token, Token::Whitespace(_)));
        lexis::join_strings(&mut tokens);
        if tokens.len() > LONGEST {
            return Err(syntax(format!(
                "the statement has {} tokens; at most {LONGEST} are read",
                tokens.len()
            )));
        }
        let mut depth = 0_usize;
        for token in &tokens {
            match &token.token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEEPEST {
                return Err(syntax(format!("more than {DEEPEST} parentheses inside of each other")));
            }
        }
        while tokens.last().is_some_and(|t| matches!(t.token, Token::SemiColon | Token::EOF)) {
            tokens.pop();
        }
        Ok(Self { text, tokens: dbtrail_sql_text::Cursor::new(located(text, tokens)), hint })
    }

    /// The optimizer hints of the statement.
    pub(super) fn hint(&self) -> Rc<HintComment> {
        Rc::clone(&self.hint)
    }

    /// Whether there is such a token, from the beginning on.
    pub(super) fn has(&self, wanted: impl Fn(&Token) -> bool) -> bool {
        self.all().iter().any(|t| wanted(&t.token))
    }

    /// Puts other tokens instead of some. Whatever is in a position is where its original was in
    /// the text.
    pub(super) fn replace<E>(
        &mut self,
        mut by: impl FnMut(&Token) -> Result<Option<Vec<Token>>, E>,
    ) -> Result<(), E> {
        let mut tokens = Vec::with_capacity(self.all().len());
        for old in self.all() {
            let new = by(&old.token)?.unwrap_or_else(|| vec![old.token.clone()]);
            tokens.extend(new.into_iter().map(|token| Located { token, ..old.clone() }));
        }
        self.replace_all(tokens);
        Ok(())
    }

    /// Puts other tokens instead of those from `from` to `to`; they are where the first of these
    /// was, to the end of the last. What is left ends where it ended.
    pub(super) fn put(&mut self, from: usize, to: usize, by: Vec<Token>) {
        let (Some(first), Some(last)) = (self.get(from), to.checked_sub(1).and_then(|last| self.get(last)))
        else {
            return;
        };
        let (span, bytes) = (first.span, (first.bytes.0, last.bytes.1));
        self.splice(from, to, by.into_iter().map(|token| Located { token, span, bytes }));
    }

    /// The number of a parameter of a prepared statement, where one comes next.
    pub(super) fn parameter(&mut self) -> Option<usize> {
        let Token::Placeholder(name) = self.peek()? else { return None };
        let number = name.strip_prefix('?')?.parse().ok()?;
        self.skip(1);
        Some(number)
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.ahead(0)
    }

    pub(super) fn ahead(&self, by: usize) -> Option<&Token> {
        self.tokens.ahead(by).map(|t| &t.token)
    }

    /// The token at a position.
    pub(super) fn token_at(&self, position: usize) -> Option<&Token> {
        self.get(position).map(|t| &t.token)
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        self.tokens.next().map(|t| t.token)
    }

    /// Goes to a position, which may be found by the cursor itself.
    pub(super) fn go(&mut self, position: usize) {
        self.tokens.go(position);
    }

    /// A cursor over the tokens from `from` to `to`.
    pub(super) fn part(&self, from: usize, to: usize) -> Self {
        Self { tokens: self.tokens.part(from, to), ..self.clone() }
    }

    pub(super) fn token(&mut self, token: &Token) -> bool {
        let there = self.peek() == Some(token);
        self.skip(usize::from(there));
        there
    }

    /// A name, quoted or not.
    pub(super) fn name(&mut self, what: &str) -> Result<String, Refused> {
        let Some(Token::Word(w)) = self.peek() else { return Err(self.unexpected(what)) };
        let name = w.value.clone();
        self.skip(1);
        Ok(name)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        let (Token::SingleQuotedString(text) | Token::DoubleQuotedString(text)) = self.peek()? else {
            return None;
        };
        let text = text.clone();
        self.skip(1);
        Some(text)
    }

    /// A text, or bytes that are one: `_binary '...'`.
    pub(super) fn text_or_bytes(&mut self) -> Option<String> {
        let position = self.index();
        self.words(&["_BINARY"]);
        let text = self.text();
        if text.is_none() {
            self.go(position);
        }
        text
    }

    pub(super) fn number(&mut self) -> Option<String> {
        let Token::Number(number, _) = self.peek()? else { return None };
        let number = number.clone();
        self.skip(1);
        Some(number)
    }

    /// "line 1, column 7, near 'x'".
    pub(super) fn here(&self) -> String {
        // At the end of a part, what follows it.
        match self.beyond() {
            Some(t) => format!("{}, near '{}'", self.position(), shortened(&t.token.to_string(), 40)),
            None => self.position().to_string(),
        }
    }

    /// "line 1, column 7".
    pub(super) fn position(&self) -> StatementPosition {
        StatementPosition(self.beyond().map(|t| (t.span.start.line, t.span.start.column)))
    }

    pub(super) fn unexpected(&self, wanted: &str) -> Refused {
        syntax(format!("{wanted} was expected at {}", self.here()))
    }

    /// Cuts what is left at the commas outside of parentheses.
    pub(super) fn split(&self) -> Vec<Self> {
        let parts = self.tokens.split();
        parts.into_iter().map(|tokens| Self { tokens, ..self.clone() }).collect()
    }

    /// The text that is left, as it was written.
    pub(super) fn source(&self) -> String {
        let (Some(first), Some(last)) = (self.rest().first(), self.all().last()) else {
            return String::new();
        };
        self.text.get(first.bytes.0..last.bytes.1.max(first.bytes.0)).unwrap_or_default().to_owned()
    }
}

/// A text, cut where it is long.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

/// Tokens with the bytes that they are. The tokenizer counts lines and columns from 1, columns in
/// characters.
pub(super) fn located(text: &str, tokens: Vec<TokenWithSpan>) -> Vec<Located> {
    let mut letters = text.char_indices();
    let (mut line, mut column, mut byte) = (1_u64, 1_u64, 0_usize);
    let mut go = |to: Location| {
        while (line, column) < (to.line, to.column) {
            let Some((at, letter)) = letters.next() else { break };
            byte = at + letter.len_utf8();
            (line, column) = if letter == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        byte
    };
    let located =
        |TokenWithSpan { token, span }| Located { token, span, bytes: (go(span.start), go(span.end)) };
    tokens.into_iter().map(located).collect()
}
