//! What is in quotes (manual: [String
//! Literals](https://dev.mysql.com/doc/refman/9.7/en/string-literals.html), [Schema Object
//! Names](https://dev.mysql.com/doc/refman/9.7/en/identifiers.html)).

/// sql_mode ANSI_QUOTES.
const ANSI_QUOTES: u64 = 4;
/// sql_mode NO_BACKSLASH_ESCAPES.
const NO_BACKSLASH_ESCAPES: u64 = 0x10_0000;

/// The settings of sql_mode that change what quotes mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoting {
    /// In a text, a backslash gives the next character a meaning, or takes it away.
    pub backslash_escapes: bool,
    /// Double quotes hold a name and not a text.
    pub ansi_quotes: bool,
}

impl Default for Quoting {
    fn default() -> Self {
        Self::of_sql_mode(0)
    }
}

impl Quoting {
    /// From the bits of sql_mode, as they are in the binary log.
    #[must_use]
    pub fn of_sql_mode(mode: u64) -> Self {
        Self { backslash_escapes: mode & NO_BACKSLASH_ESCAPES == 0, ansi_quotes: mode & ANSI_QUOTES != 0 }
    }

    /// Whether this quote is around a name.
    #[must_use]
    pub fn is_of_name(self, quote: char) -> bool {
        quote == '`' || (quote == '"' && self.ansi_quotes)
    }

    /// Whether backslashes are escapes between quotes of this kind.
    #[must_use]
    pub fn escapes_in(self, quote: char) -> bool {
        self.backslash_escapes && !self.is_of_name(quote)
    }
}

/// What is written between two quotes, as the server takes it: doubled quotes are one; with
/// `escapes`, a backslash gives the next character a meaning or takes it away.
#[must_use]
pub fn unescaped(written: &str, quote: char, escapes: bool) -> String {
    let mut text = String::with_capacity(written.len());
    let mut letters = written.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if escapes => match letters.next() {
                Some('0') => text.push('\0'),
                Some('b') => text.push('\u{8}'),
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('t') => text.push('\t'),
                Some('Z') => text.push('\u{1a}'),
                // These two keep their backslash, for LIKE.
                Some(wildcard @ ('%' | '_')) => text.extend(['\\', wildcard]),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            _ if letter == quote => {
                text.push(quote);
                letters.next();
            }
            _ => text.push(letter),
        }
    }
    text
}
