//! One cursor over the tokens of a statement.

use std::rc::Rc;

/// What a cursor must know of a token.
pub trait Lexical: Clone {
    /// The keyword or name that it is, without quotes.
    fn word(&self) -> Option<&str>;
    /// The single character that it is.
    fn symbol(&self) -> Option<char>;
}

/// Tokens up to an end, and where in them one is. Cheap to clone, and so are its parts: a statement
/// of n parts is not n statements.
#[derive(Debug)]
pub struct Cursor<T> {
    tokens: Rc<[T]>,
    at: usize,
    end: usize,
}

impl<T> Clone for Cursor<T> {
    fn clone(&self) -> Self {
        Self { tokens: Rc::clone(&self.tokens), at: self.at, end: self.end }
    }
}

impl<T: Lexical> Cursor<T> {
    /// At the first of these tokens.
    #[must_use]
    pub fn new(tokens: Vec<T>) -> Self {
        let end = tokens.len();
        Self { tokens: tokens.into(), at: 0, end }
    }

    /// Puts other tokens instead of all; it goes on where it is.
    pub fn replace_all(&mut self, tokens: Vec<T>) {
        self.end = tokens.len();
        self.tokens = tokens.into();
    }

    /// Puts other tokens instead of those from `from` to `to`. What is left ends where it ended.
    pub fn splice(&mut self, from: usize, to: usize, by: impl IntoIterator<Item = T>) {
        let mut tokens = self.tokens.to_vec();
        let before = tokens.len();
        tokens.splice(from..to, by);
        self.end = (self.end + tokens.len()).saturating_sub(before);
        self.tokens = tokens.into();
    }

    /// The tokens from the first to the end, those that were passed over too.
    #[must_use]
    pub fn all(&self) -> &[T] {
        &self.tokens[..self.end]
    }

    /// The tokens that are left.
    #[must_use]
    pub fn rest(&self) -> &[T] {
        &self.tokens[self.at.min(self.end)..self.end]
    }

    /// The token at this position, even after the end of a part.
    #[must_use]
    pub fn beyond(&self) -> Option<&T> {
        self.tokens.get(self.at)
    }

    /// The next token.
    #[must_use]
    pub fn peek(&self) -> Option<&T> {
        self.ahead(0)
    }

    /// The token so many further on.
    #[must_use]
    pub fn ahead(&self, by: usize) -> Option<&T> {
        self.get(self.at + by)
    }

    /// The token at a position.
    #[must_use]
    pub fn get(&self, position: usize) -> Option<&T> {
        self.all().get(position)
    }

    /// Passes over the next token.
    #[expect(
        clippy::should_implement_trait,
        reason = "a cursor is looked at and set back between two tokens"
    )]
    pub fn next(&mut self) -> Option<T> {
        let token = self.peek().cloned();
        self.at += usize::from(token.is_some());
        token
    }

    /// How many tokens are left.
    #[must_use]
    pub fn length(&self) -> usize {
        self.end.saturating_sub(self.at)
    }

    /// No token is left.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.at >= self.end
    }

    /// How many tokens are before it.
    #[must_use]
    pub fn index(&self) -> usize {
        self.at
    }

    /// After the last token.
    #[must_use]
    pub fn end(&self) -> usize {
        self.end
    }

    /// Goes to a position, at most to the end.
    pub fn go(&mut self, position: usize) {
        self.at = position.min(self.end);
    }

    /// Passes over so many tokens.
    pub fn skip(&mut self, count: usize) {
        self.go(self.at + count);
    }

    /// A cursor over the tokens from `from` to `to`.
    #[must_use]
    pub fn part(&self, from: usize, to: usize) -> Self {
        Self { tokens: Rc::clone(&self.tokens), at: from, end: to.min(self.end) }
    }

    /// Passes over these words if they come next, in any case.
    pub fn words(&mut self, words: &[&str]) -> bool {
        let mut next = words.iter().enumerate();
        let there = next.all(|(i, wanted)| {
            self.ahead(i).and_then(Lexical::word).is_some_and(|word| word.eq_ignore_ascii_case(wanted))
        });
        if there {
            self.at += words.len();
        }
        there
    }

    /// Passes over the first of these words that comes next.
    pub fn one_of(&mut self, words: &[&'static str]) -> Option<&'static str> {
        words.iter().find(|word| self.words(&[word])).copied()
    }

    /// Whether this character comes next.
    #[must_use]
    pub fn is_at(&self, symbol: char) -> bool {
        self.peek().and_then(Lexical::symbol) == Some(symbol)
    }

    /// Passes over this character, if it comes next.
    pub fn symbol(&mut self, symbol: char) -> bool {
        let there = self.is_at(symbol);
        self.at += usize::from(there);
        there
    }

    /// The positions from here on that are outside of parentheses; one that closes none counts for
    /// nothing.
    fn outside(&self) -> impl Iterator<Item = usize> {
        let mut depth = 0_usize;
        (self.at..self.end).filter(move |position| {
            match self.tokens[*position].symbol() {
                Some('(') => depth += 1,
                Some(')') => depth = depth.saturating_sub(1),
                _ => return depth == 0,
            }
            false
        })
    }

    /// The position where the first of these sequences of words begins, outside of parentheses,
    /// from here on; else the end.
    #[must_use]
    pub fn find_any(&self, sequences: &[&[&str]]) -> usize {
        let begins =
            |position: &usize| sequences.iter().any(|words| self.part(*position, self.end).words(words));
        self.outside().find(begins).unwrap_or(self.end)
    }

    /// The position of the first of these words outside of parentheses, from here on; else the end.
    #[must_use]
    pub fn find(&self, words: &[&str]) -> usize {
        let is_one = |position: &usize| {
            self.tokens[*position]
                .word()
                .is_some_and(|word| words.iter().any(|x| x.eq_ignore_ascii_case(word)))
        };
        self.outside().find(is_one).unwrap_or(self.end)
    }

    /// Cuts what is left at the commas outside of parentheses.
    #[must_use]
    pub fn split(&self) -> Vec<Self> {
        let (mut parts, mut from) = (Vec::new(), self.at);
        for comma in self.outside().filter(|position| self.tokens[*position].symbol() == Some(',')) {
            parts.push(self.part(from, comma));
            from = comma + 1;
        }
        parts.push(self.part(from, self.end));
        parts
    }

    /// Passes over a group in parentheses: what is in it; `None`: none begins here, or it is not
    /// closed.
    pub fn group(&mut self) -> Option<Self> {
        if !self.is_at('(') {
            return None;
        }
        let mut depth = 0_usize;
        for position in self.at..self.end {
            match self.tokens[position].symbol() {
                Some('(') => depth += 1,
                Some(')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let group = self.part(self.at + 1, position);
                self.at = position + 1;
                return Some(group);
            }
        }
        None
    }
}
