//! A text to tokens (manual: [Lexical
//! Structure](https://dev.mysql.com/doc/refman/9.7/en/language-structure.html)).

use crate::{ExecutableComments, LexError, Quoting, Scanner, Segment, Token, unescaped};

/// A statement is not read further than this many tokens: no DDL is longer.
const LONGEST: usize = 200_000;

/// Reads a statement that a server has carried out.
///
/// # Errors
/// A quote or a comment is not closed, it is too long, or what an executable comment means is not
/// known.
pub fn tokens(sql: &str, quoting: Quoting, comments: ExecutableComments) -> Result<Vec<Token>, LexError> {
    let mut lexer = Lexer { sql, quoting, strict: true, prefix: None, tokens: Vec::new() };
    lexer.read(comments)?;
    Ok(lexer.tokens)
}

/// Reads whatever can be read, for names alone: quotes and comments that are not closed go on to
/// the end. `opened`: what is in executable comments counts, whomever they are for.
#[must_use]
pub fn pieces(sql: &str, quoting: Quoting, opened: bool) -> Vec<Token> {
    let mut lexer = Lexer { sql, quoting, strict: false, prefix: None, tokens: Vec::new() };
    let comments = if opened { ExecutableComments::All } else { ExecutableComments::None };
    // All that can be wrong is what a server would refuse, or not be known of a version.
    let read = lexer.read(comments);
    debug_assert!(read.is_ok());
    lexer.tokens
}

struct Lexer<'a> {
    sql: &'a str,
    quoting: Quoting,
    strict: bool,
    /// The letter right in front of a quote: that of `x'41'`, `b'1'` or `N'text'`.
    prefix: Option<char>,
    tokens: Vec<Token>,
}

fn is_name_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

/// The length of the beginning of a text whose characters all fit.
fn run(text: &str, fits: impl Fn(char) -> bool) -> usize {
    text.find(|c| !fits(c)).unwrap_or(text.len())
}

impl Lexer<'_> {
    fn read(&mut self, comments: ExecutableComments) -> Result<(), LexError> {
        let mut scanner = Scanner::new(self.sql.as_bytes(), self.quoting, comments);
        while let Some((segment, from, to)) = scanner.next() {
            match segment {
                Segment::Code | Segment::End => scanner.go(self.code(from)),
                Segment::Quoted { closed: false } if self.strict => return Err(LexError::OpenQuote),
                Segment::Quoted { closed } => self.quoted(from, to - usize::from(closed))?,
                Segment::Comment { closed: false } | Segment::Skipped { closed: false } if self.strict => {
                    return Err(LexError::OpenComment);
                }
                Segment::Open if self.strict && scanner.depth() > 1 => return Err(LexError::NestedComment),
                Segment::Comment { .. } | Segment::Skipped { .. } | Segment::Open | Segment::Close => {}
                Segment::Unreadable(why) => return Err(why),
            }
            if self.strict && self.tokens.len() > LONGEST {
                return Err(LexError::TooLong);
            }
        }
        if self.strict && scanner.depth() > 0 { Err(LexError::OpenComment) } else { Ok(()) }
    }

    /// Reads one token that begins here and is in no quotes, or white space: where it ends.
    fn code(&mut self, from: usize) -> usize {
        let rest = self.sql.get(from..).unwrap_or_default();
        let Some(first) = rest.chars().next() else { return from + 1 };
        let following = rest.get(1..).unwrap_or_default();
        let length = match first {
            c if c.is_ascii_whitespace() || c == '\u{b}' => 1,
            '.' if following.starts_with(|c: char| c.is_ascii_digit()) && !self.is_after_name() => {
                self.number(rest)
            }
            c if c.is_ascii_digit() => self.digits(rest),
            'x' | 'X' | 'b' | 'B' | 'n' | 'N' if following.starts_with('\'') => {
                self.prefix = Some(first.to_ascii_lowercase());
                1
            }
            c if is_name_part(c) => self.word(&rest[..run(rest, is_name_part)]),
            c => {
                self.tokens.push(Token::Symbol(c));
                c.len_utf8()
            }
        };
        from + length
    }

    /// Whether the last token is a name, so that a dot is between two names.
    fn is_after_name(&self) -> bool {
        matches!(self.tokens.last(), Some(Token::Word(_) | Token::Quoted(_)))
    }

    /// What is in quotes, the first at `from`, the last at `to` (or the end of the text).
    fn quoted(&mut self, from: usize, to: usize) -> Result<(), LexError> {
        let written = self.sql.get(from + 1..to).unwrap_or_default();
        let quote = char::from(self.sql.as_bytes()[from]);
        let escapes = self.quoting.escapes_in(quote);
        let token = match self.prefix.take() {
            Some('x') => hex::decode(written).ok().map(Token::Hex),
            Some('b') => {
                written.bytes().all(|b| matches!(b, b'0' | b'1')).then(|| Token::Bits(written.to_owned()))
            }
            _ if self.quoting.is_of_name(quote) => Some(Token::Quoted(unescaped(written, quote, false))),
            _ => Some(Token::Text(unescaped(written, quote, escapes))),
        };
        match (token, self.tokens.last_mut()) {
            (Some(Token::Text(more)), Some(Token::Text(text))) => text.push_str(&more),
            (Some(token), _) => self.tokens.push(token),
            (None, _) if self.strict => return Err(LexError::Literal),
            (None, _) => self.tokens.push(Token::Text(written.to_owned())),
        }
        Ok(())
    }

    fn word(&mut self, word: &str) -> usize {
        self.tokens.push(Token::Word(word.to_owned()));
        word.len()
    }

    /// What begins with a digit: a number, `0x..`, `0b..`, or a name. Its length.
    fn digits(&mut self, rest: &str) -> usize {
        let word = &rest[..run(rest, is_name_part)];
        // After `schema.` a name may be digits alone.
        if self.tokens.last() == Some(&Token::Symbol('.')) {
            return self.word(word);
        }
        if let Some(digits) = word.strip_prefix("0x").filter(|digits| !digits.is_empty()) {
            let even = if digits.len().is_multiple_of(2) { digits.to_owned() } else { format!("0{digits}") };
            if let Ok(bytes) = hex::decode(even) {
                self.tokens.push(Token::Hex(bytes));
                return word.len();
            }
        }
        let is_bits = |bits: &&str| !bits.is_empty() && bits.bytes().all(|b| matches!(b, b'0' | b'1'));
        if let Some(bits) = word.strip_prefix("0b").filter(is_bits) {
            self.tokens.push(Token::Bits(bits.to_owned()));
            return word.len();
        }
        let following = &word[run(word, |c| c.is_ascii_digit())..];
        let exponent = following.strip_prefix(['e', 'E']).is_some_and(|power| match power {
            "" => is_signed_power(&rest[word.len()..]),
            _ => power.bytes().all(|b| b.is_ascii_digit()),
        });
        if following.is_empty() || exponent { self.number(rest) } else { self.word(word) }
    }

    /// Digits, a fraction, an exponent.
    fn number(&mut self, rest: &str) -> usize {
        let digit = |c: char| c.is_ascii_digit();
        let mut length = run(rest, digit);
        if let Some(following) = rest[length..].strip_prefix('.') {
            length += 1 + run(following, digit);
        }
        if let Some(power) = rest[length..].strip_prefix(['e', 'E']) {
            let sign = usize::from(power.starts_with(['+', '-']));
            let digits = run(&power[sign..], digit);
            if digits > 0 {
                length += 1 + sign + digits;
            }
        }
        self.tokens.push(Token::Number(rest[..length].to_owned()));
        length
    }
}

/// `+2` after `1e`.
fn is_signed_power(text: &str) -> bool {
    text.strip_prefix(['+', '-']).is_some_and(|t| t.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
