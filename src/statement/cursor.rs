//! A cursor over the tokens of a statement that knows where each is in the text.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser has over a hundred tokens; the ones that are not named are refused"
)]

use super::hint_comment::HintComment;
use super::{Reading, Refused, StatementPosition, equality, lexis, split};
use sqlparser::ast::Expr;
use sqlparser::dialect::MySqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};
use std::rc::Rc;

/// More tokens than any statement for this server can need.
const LONGEST: usize = 200_000;
/// Deeper nesting than any key predicate can need.
const DEEPEST: usize = 100;

/// Operators that can follow each other in one expression. A chain of them is a tree as deep as it
/// is long, and the stack of a thread holds no more than some thousands of levels.
const LONGEST_CHAIN: usize = 300;

/// Tokens without white space and comments, up to `end`. Cheap to clone: a statement of n parts is
/// not n statements.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    tokens: Rc<[TokenWithSpan]>,
    /// Where each token begins and ends in the text, in bytes.
    positions: Rc<[(usize, usize)]>,
    /// The optimizer hints of the statement.
    hint: Rc<HintComment>,
    at: usize,
    end: usize,
}

pub(super) fn syntax(message: String) -> Refused {
    Refused::Syntax { message }
}

pub(super) fn unsupported(message: impl Into<String>) -> Refused {
    Refused::Unsupported { message: message.into() }
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, reading: Reading) -> Result<Self, Refused> {
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
        let end = tokens.len();
        let positions = positions(text, &tokens).into();
        Ok(Self { text, tokens: tokens.into(), positions, hint, at: 0, end })
    }

    /// The optimizer hints of the statement.
    pub(super) fn hint(&self) -> Rc<HintComment> {
        Rc::clone(&self.hint)
    }

    /// Passes over so many tokens.
    pub(super) fn skip(&mut self, count: usize) {
        self.go(self.at + count);
    }

    /// Whether there is such a token, from the beginning on.
    pub(super) fn has(&self, wanted: impl Fn(&Token) -> bool) -> bool {
        self.tokens[..self.end].iter().any(|t| wanted(&t.token))
    }

    /// Puts other tokens instead of some. Whatever is in a position is where its original was in
    /// the text.
    pub(super) fn replace<E>(
        &mut self,
        mut by: impl FnMut(&Token) -> Result<Option<Vec<Token>>, E>,
    ) -> Result<(), E> {
        let (mut tokens, mut positions) = (Vec::with_capacity(self.tokens.len()), Vec::new());
        for (old, position) in self.tokens.iter().zip(self.positions.iter()) {
            let new = by(&old.token)?.unwrap_or_else(|| vec![old.token.clone()]);
            positions.extend(new.iter().map(|_| *position));
            tokens.extend(new.into_iter().map(|token| TokenWithSpan { token, span: old.span }));
        }
        self.end = tokens.len();
        (self.tokens, self.positions) = (tokens.into(), positions.into());
        Ok(())
    }

    /// Puts other tokens instead of those from `from` to `to`; they are where the first of these
    /// was, to the end of the last. What is left ends where it ended.
    pub(super) fn put(&mut self, from: usize, to: usize, by: Vec<Token>) {
        let (Some(first), Some(last)) =
            (self.positions.get(from), to.checked_sub(1).and_then(|last| self.positions.get(last)))
        else {
            return;
        };
        let position = (first.0, last.1);
        let span = self.tokens[from].span;
        let (new, old) = (by.len(), to - from);
        let (mut tokens, mut positions) = (self.tokens.to_vec(), self.positions.to_vec());
        positions.splice(from..to, by.iter().map(|_| position));
        tokens.splice(from..to, by.into_iter().map(|token| TokenWithSpan { token, span }));
        (self.tokens, self.positions) = (tokens.into(), positions.into());
        self.end = self.end + new - old;
    }

    /// The number of a parameter of a prepared statement, where one comes next.
    pub(super) fn parameter(&mut self) -> Option<usize> {
        let Token::Placeholder(name) = self.peek()? else { return None };
        let number = name.strip_prefix('?')?.parse().ok()?;
        self.at += 1;
        Some(number)
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.end
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.ahead(0)
    }

    pub(super) fn ahead(&self, by: usize) -> Option<&Token> {
        self.tokens[..self.end].get(self.at + by).map(|t| &t.token)
    }

    /// The token at a position.
    pub(super) fn token_at(&self, position: usize) -> Option<&Token> {
        self.tokens[..self.end].get(position).map(|t| &t.token)
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += usize::from(token.is_some());
        token
    }

    /// How many tokens are left.
    pub(super) fn length(&self) -> usize {
        self.end.saturating_sub(self.at)
    }

    pub(super) fn index(&self) -> usize {
        self.at
    }

    pub(super) fn go(&mut self, position: usize) {
        self.at = position.min(self.end);
    }

    /// A cursor over the tokens from `from` to `to`.
    pub(super) fn part(&self, from: usize, to: usize) -> Self {
        Self { at: from, end: to.min(self.end), ..self.clone() }
    }

    fn word(&self, ahead: usize) -> Option<&str> {
        match self.ahead(ahead)? {
            Token::Word(w) if w.quote_style.is_none() => Some(&w.value),
            _ => None,
        }
    }

    /// Passes over these words if they come next, in any case.
    pub(super) fn words(&mut self, words: &[&str]) -> bool {
        let there =
            words.iter().enumerate().all(|(i, w)| self.word(i).is_some_and(|x| x.eq_ignore_ascii_case(w)));
        if there {
            self.at += words.len();
        }
        there
    }

    pub(super) fn one_of(&mut self, words: &[&'static str]) -> Option<&'static str> {
        words.iter().find(|w| self.words(&[w])).copied()
    }

    pub(super) fn token(&mut self, token: &Token) -> bool {
        let there = self.peek() == Some(token);
        self.at += usize::from(there);
        there
    }

    /// A name, quoted or not.
    pub(super) fn name(&mut self, what: &str) -> Result<String, Refused> {
        match self.peek() {
            Some(Token::Word(w)) => {
                let name = w.value.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.unexpected(what)),
        }
    }

    pub(super) fn text(&mut self) -> Option<String> {
        let (Token::SingleQuotedString(text) | Token::DoubleQuotedString(text)) = self.peek()? else {
            return None;
        };
        let text = text.clone();
        self.at += 1;
        Some(text)
    }

    pub(super) fn number(&mut self) -> Option<String> {
        let Token::Number(number, _) = self.peek()? else { return None };
        let number = number.clone();
        self.at += 1;
        Some(number)
    }

    /// "line 1, column 7, near 'x'".
    pub(super) fn here(&self) -> String {
        // At the end of a part, what follows it.
        match self.tokens.get(self.at) {
            Some(t) => format!("{}, near '{}'", self.position(), shortened(&t.token.to_string(), 40)),
            None => self.position().to_string(),
        }
    }

    /// "line 1, column 7".
    pub(super) fn position(&self) -> StatementPosition {
        StatementPosition(self.tokens.get(self.at).map(|t| (t.span.start.line, t.span.start.column)))
    }

    pub(super) fn unexpected(&self, wanted: &str) -> Refused {
        syntax(format!("{wanted} was expected at {}", self.here()))
    }

    /// The position of the first of these words outside of parentheses, from here on; else the end.
    pub(super) fn find(&self, words: &[&str]) -> usize {
        let mut depth = 0_usize;
        for i in self.at..self.end {
            match &self.tokens[i].token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                Token::Word(w)
                    if depth == 0
                        && w.quote_style.is_none()
                        && words.iter().any(|x| x.eq_ignore_ascii_case(&w.value)) =>
                {
                    return i;
                }
                _ => {}
            }
        }
        self.end
    }

    /// The position where the first of these sequences of words begins, outside of parentheses,
    /// from here on; else the end.
    pub(super) fn find_any(&self, sequences: &[&[&str]]) -> usize {
        let mut ahead = self.clone();
        let mut depth = 0_usize;
        while let Some(token) = ahead.peek() {
            match token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                _ if depth == 0 && sequences.iter().any(|s| ahead.clone().words(s)) => return ahead.at,
                _ => {}
            }
            ahead.at += 1;
        }
        self.end
    }

    /// Cuts what is left at the commas outside of parentheses.
    pub(super) fn split(&self) -> Vec<Self> {
        let mut parts = Vec::new();
        let (mut depth, mut from) = (0_usize, self.at);
        for i in self.at..self.end {
            match &self.tokens[i].token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                Token::Comma if depth == 0 => {
                    parts.push((from, i));
                    from = i + 1;
                }
                _ => {}
            }
        }
        parts.push((from, self.end));
        parts.into_iter().map(|(from, to)| self.part(from, to)).collect()
    }

    /// The rest as one expression, whole.
    pub(super) fn expression(&self) -> Result<Expr, Refused> {
        if self.is_at_end() {
            return Err(self.unexpected("an expression"));
        }
        self.chain()?;
        if let Some(key) = equality::equalities(&self.tokens[self.at..self.end]) {
            return Ok(key);
        }
        self.foreign_operator()?;
        let dialect = MySqlDialect {};
        let tokens =
            lexis::binary_as_cast(&self.tokens[self.at..self.end]).map_err(|near| Refused::Unsupported {
                message: format!("BINARY before '{near}': before a text or a column it is carried out"),
            })?;
        let mut parser = Parser::new(&dialect).with_recursion_limit(200).with_tokens_with_locations(tokens);
        let expression = parser.parse_expr().map_err(|e| match e {
            ParserError::TokenizerError(what) | ParserError::ParserError(what) => self.not_parsed(&what),
            ParserError::RecursionLimitExceeded => syntax("the expression is nested too deeply".to_owned()),
        })?;
        let left = parser.peek_token();
        if left.token != Token::EOF {
            return Err(syntax(format!(
                "line {}, column {}, near '{}' is not understood",
                left.span.start.line,
                left.span.start.column,
                shortened(&left.token.to_string(), 40)
            )));
        }
        Ok(expression)
    }

    /// sqlparser's sentence, with the position as it is given to elsewhere.
    fn not_parsed(&self, what: &str) -> Refused {
        let plain = what.strip_prefix("Expected: ").and_then(|w| w.split_once(", found: "));
        let Some((wanted, found)) = plain else { return syntax(shortened(what, 200)) };
        let position = found.rsplit_once(" at Line: ").and_then(|(_, p)| p.split_once(", Column: "));
        if let Some((line, column)) = position {
            let near = shortened(found.rsplit_once(" at Line: ").map_or(found, |(f, _)| f), 40);
            return syntax(format!("{wanted} was expected at line {line}, column {column}, near '{near}'"));
        }
        let mut end = self.clone();
        end.go(self.end);
        end.unexpected(wanted)
    }

    /// `==` is no operator of MySQL's, though sqlparser reads it.
    fn foreign_operator(&self) -> Result<(), Refused> {
        let mut c = self.clone();
        while let Some(token) = c.peek() {
            if *token == Token::DoubleEq {
                return Err(syntax(format!("SQL compares with =, and not with ==, at {}", c.here())));
            }
            c.at += 1;
        }
        Ok(())
    }

    /// Refuses an expression whose tree could be deeper than a stack: an upper bound of its depth
    /// is the number of tokens between two commas, and that of the deepest group among them. CASE
    /// ... END is a group, its WHEN, THEN and ELSE separate as commas do: drivers ask with one of a
    /// hundred branches.
    fn chain(&self) -> Result<(), Refused> {
        // For each open group: tokens since the last comma, and the depth of the groups that were
        // closed inside of it.
        let mut open = vec![(0_usize, 0_usize)];
        let close = |open: &mut Vec<(usize, usize)>| {
            let (count, deepest) = open.pop().unwrap_or_default();
            if open.is_empty() {
                open.push((0, 0));
            }
            if let Some(outer) = open.last_mut() {
                *outer = (outer.0 + 1, outer.1.max(count + deepest));
            }
        };
        for position in self.at..self.end {
            match &self.tokens[position].token {
                Token::LParen | Token::LBracket | Token::LBrace => open.push((0, 0)),
                Token::RParen | Token::RBracket | Token::RBrace => close(&mut open),
                Token::Word(w) if w.quote_style.is_none() && w.keyword == Keyword::CASE => open.push((1, 0)),
                Token::Word(w) if w.quote_style.is_none() && w.keyword == Keyword::END => close(&mut open),
                // The other items keep their depth, though their tokens are no part of the next
                // one.
                token if *token == Token::Comma || self.parts_a_case(position) => {
                    if let Some(group) = open.last_mut() {
                        *group = (0, group.1);
                    }
                }
                _ => {
                    if let Some(group) = open.last_mut() {
                        group.0 += 1;
                    }
                }
            }
            if open.last().is_some_and(|(count, deepest)| count + deepest > LONGEST_CHAIN) {
                return Err(self.too_long(position));
            }
        }
        // Whatever was not closed was no group.
        while open.len() > 1 {
            close(&mut open);
            if open.last().is_some_and(|(count, deepest)| count + deepest > LONGEST_CHAIN) {
                return Err(self.too_long(self.at));
            }
        }
        Ok(())
    }

    /// Whether this token is WHEN, THEN or ELSE, and cannot be a column of that name: an operand is
    /// right before it.
    fn parts_a_case(&self, position: usize) -> bool {
        let Token::Word(w) = &self.tokens[position].token else { return false };
        let before = position.checked_sub(1).filter(|p| *p >= self.at).map(|p| &self.tokens[p].token);
        let operand = match before {
            Some(Token::Word(w)) => {
                w.quote_style.is_some()
                    || matches!(
                        w.keyword,
                        Keyword::NoKeyword
                            | Keyword::CASE
                            | Keyword::END
                            | Keyword::NULL
                            | Keyword::TRUE
                            | Keyword::FALSE
                    )
            }
            Some(
                Token::Number(..)
                | Token::SingleQuotedString(_)
                | Token::DoubleQuotedString(_)
                | Token::RParen,
            ) => true,
            _ => false,
        };
        let separates = matches!(w.keyword, Keyword::WHEN | Keyword::THEN | Keyword::ELSE);
        separates && w.quote_style.is_none() && operand
    }

    fn too_long(&self, position: usize) -> Refused {
        let mut here = self.clone();
        here.go(position);
        syntax(format!(
            "an expression of more than {LONGEST_CHAIN} parts in a row, at {}; lists in parentheses may be longer",
            here.here()
        ))
    }

    /// The text that is left, as it was written.
    pub(super) fn source(&self) -> String {
        let last = self.end.checked_sub(1).and_then(|i| self.positions.get(i));
        let (Some((from, _)), Some((_, to))) = (self.positions.get(self.at), last) else {
            return String::new();
        };
        self.text.get(*from..*to.max(from)).unwrap_or_default().to_owned()
    }
}

/// A text, cut where it is long.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

/// Where tokens begin and end, in bytes. The tokenizer counts lines and columns from 1, columns in
/// characters.
fn positions(text: &str, tokens: &[TokenWithSpan]) -> Vec<(usize, usize)> {
    let mut letters = text.char_indices();
    let (mut line, mut column, mut byte) = (1_u64, 1_u64, 0_usize);
    let mut go = |to: sqlparser::tokenizer::Location| {
        while (line, column) < (to.line, to.column) {
            let Some((at, letter)) = letters.next() else { break };
            byte = at + letter.len_utf8();
            (line, column) = if letter == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        byte
    };
    tokens.iter().map(|t| (go(t.span.start), go(t.span.end))).collect()
}
