//! Tokens of DDL.

use crate::cursor::Lexical;
use std::fmt;

/// A piece of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A keyword or a name.
    Word(String),
    /// A name in backticks, or in double quotes under ANSI_QUOTES.
    Quoted(String),
    /// A text; several that follow each other are one.
    Text(String),
    /// A number without a sign, as written.
    Number(String),
    /// `x'4142'`, `0x4142`.
    Hex(Vec<u8>),
    /// `b'101'`, `0b101`: the digits.
    Bits(String),
    /// Every other character.
    Symbol(char),
}

impl Token {
    /// Whether it is this keyword, in any case.
    #[must_use]
    pub fn is(&self, word: &str) -> bool {
        self.word().is_some_and(|own| own.eq_ignore_ascii_case(word))
    }
}

impl Lexical for Token {
    fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Quoted(_)
            | Self::Text(_)
            | Self::Number(_)
            | Self::Hex(_)
            | Self::Bits(_)
            | Self::Symbol(_) => None,
        }
    }

    fn symbol(&self) -> Option<char> {
        match self {
            Self::Symbol(c) => Some(*c),
            Self::Word(_)
            | Self::Quoted(_)
            | Self::Text(_)
            | Self::Number(_)
            | Self::Hex(_)
            | Self::Bits(_) => None,
        }
    }
}

impl fmt::Display for Token {
    /// As it can be read again with backslash escapes on.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(text) | Self::Number(text) => f.write_str(text),
            Self::Quoted(name) => write!(f, "`{}`", name.replace('`', "``")),
            Self::Text(text) => write!(f, "'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
            Self::Hex(bytes) => write!(f, "x'{}'", hex::encode(bytes)),
            Self::Bits(bits) => write!(f, "b'{bits}'"),
            Self::Symbol(c) => write!(f, "{c}"),
        }
    }
}
