//! The text of a statement to tokens, as the server that logged it read it (manual: [Lexical
//! Structure](https://dev.mysql.com/doc/refman/9.7/en/language-structure.html),
//! [Comments](https://dev.mysql.com/doc/refman/9.7/en/comments.html), [String
//! Literals](https://dev.mysql.com/doc/refman/9.7/en/string-literals.html)).
//!
//! Decides by kind and version of that server which executable comments are part of the statement:
//! `/*!80013 ... */` is for MySQL from 8.0.13 on, MariaDB passes over 50700 to 99999 (MySQL's
//! versions that it never had), and `/*M!100300 ... */` is for MariaDB alone. Tried on MySQL 9.7.4,
//! MariaDB 10.11.19 and 11.8.9.

use super::lex_error::LexError;
use crate::log::ServerVersion;
use dbtrail_types::agent_api::hex_bytes;
use std::fmt;

/// A statement is not read further than this many tokens: no DDL is longer.
const LONGEST: usize = 200_000;
/// sql_mode ANSI_QUOTES.
const ANSI_QUOTES: u64 = 4;
/// sql_mode NO_BACKSLASH_ESCAPES.
const NO_BACKSLASH_ESCAPES: u64 = 0x10_0000;

/// A piece of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
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

impl fmt::Display for Token {
    /// As it can be read again with backslash escapes on.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(text) | Self::Number(text) => f.write_str(text),
            Self::Quoted(name) => write!(f, "`{}`", name.replace('`', "``")),
            Self::Text(text) => write!(f, "'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
            Self::Hex(bytes) => write!(f, "x'{}'", dbtrail_types::agent_api::hex_text(bytes)),
            Self::Bits(bits) => write!(f, "b'{bits}'"),
            Self::Symbol(c) => write!(f, "{c}"),
        }
    }
}

/// Reads a whole statement.
///
/// # Errors
/// A quote or a comment is not closed, or what an executable comment means is not known.
pub(super) fn tokens(
    sql: &str,
    sql_mode: Option<u64>,
    server: ServerVersion,
) -> Result<Vec<Token>, LexError> {
    let mode = sql_mode.unwrap_or(0);
    let mut lexer = Lexer {
        rest: sql,
        escapes: mode & NO_BACKSLASH_ESCAPES == 0,
        ansi_quotes: mode & ANSI_QUOTES != 0,
        server,
        in_comment: false,
        tokens: Vec::new(),
    };
    while lexer.step()? {
        if lexer.tokens.len() > LONGEST {
            return Err(LexError::TooLong);
        }
    }
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    rest: &'a str,
    escapes: bool,
    ansi_quotes: bool,
    server: ServerVersion,
    /// Inside of an executable comment that is carried out.
    in_comment: bool,
    tokens: Vec<Token>,
}

fn is_name_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

/// The length of the beginning of a text whose characters all fit.
fn run(text: &str, fits: impl Fn(char) -> bool) -> usize {
    text.find(|c| !fits(c)).unwrap_or(text.len())
}

impl<'a> Lexer<'a> {
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Reads one token, comment or white space; false: the text has ended.
    fn step(&mut self) -> Result<bool, LexError> {
        let Some(first) = self.rest.chars().next() else {
            return if self.in_comment { Err(LexError::OpenComment) } else { Ok(false) };
        };
        let following = self.rest.get(1..).unwrap_or_default();
        match first {
            c if c.is_ascii_whitespace() || c == '\u{b}' => drop(self.take(1)),
            '#' => self.line(),
            '-' if following.starts_with('-') && ends_dashes(following.get(1..).unwrap_or_default()) => {
                self.line();
            }
            '*' if self.in_comment && following.starts_with('/') => {
                self.take(2);
                self.in_comment = false;
            }
            '/' if following.starts_with('*') => self.comment()?,
            '\'' => self.text('\'')?,
            '"' if self.ansi_quotes => self.quoted('"')?,
            '"' => self.text('"')?,
            '`' => self.quoted('`')?,
            '.' if following.starts_with(|c: char| c.is_ascii_digit()) && !self.is_after_name() => {
                self.number();
            }
            c if c.is_ascii_digit() => self.digits()?,
            'x' | 'X' | 'b' | 'B' if following.starts_with('\'') => self.literal(first)?,
            'n' | 'N' if following.starts_with('\'') => {
                self.take(1);
                self.text('\'')?;
            }
            c if is_name_part(c) => {
                let length = run(self.rest, is_name_part);
                let word = self.take(length);
                self.tokens.push(Token::Word(word.to_owned()));
            }
            c => {
                self.take(c.len_utf8());
                self.tokens.push(Token::Symbol(c));
            }
        }
        Ok(true)
    }

    /// A comment up to the end of its line.
    fn line(&mut self) {
        let length = self.rest.find('\n').map_or(self.rest.len(), |n| n + 1);
        self.take(length);
    }

    /// Whether the last token is a name, so that a dot is between two names.
    fn is_after_name(&self) -> bool {
        matches!(self.tokens.last(), Some(Token::Word(_) | Token::Quoted(_)))
    }

    fn comment(&mut self) -> Result<(), LexError> {
        let (mark, own) = match self.rest {
            t if t.starts_with("/*!") => (3, false),
            t if t.starts_with("/*M!") && self.server.mariadb => (4, true),
            _ => return self.skip(2, false),
        };
        let digits = run(self.rest.get(mark..).unwrap_or_default(), |c| c.is_ascii_digit());
        if digits < 5 {
            // No version: it is carried out, digits and all.
            self.take(mark);
            return self.open();
        }
        if digits > 6 {
            return Err(LexError::CommentDigits);
        }
        let version: u32 = self
            .rest
            .get(mark..mark + digits)
            .and_then(|v| v.parse().ok())
            .ok_or(LexError::CommentVersion)?;
        let server = self.server.code().ok_or(LexError::UnknownServer)?;
        let of_mysql = self.server.mariadb && !own && (50_700..=99_999).contains(&version);
        if version > server || of_mysql {
            return self.skip(mark + digits, true);
        }
        self.take(mark + digits);
        self.open()
    }

    fn open(&mut self) -> Result<(), LexError> {
        if self.in_comment {
            return Err(LexError::NestedComment);
        }
        self.in_comment = true;
        Ok(())
    }

    /// Passes over a comment; `nested`: others may be in it, one deep.
    fn skip(&mut self, mark: usize, nested: bool) -> Result<(), LexError> {
        self.take(mark);
        loop {
            let end = self.rest.find("*/").ok_or(LexError::OpenComment)?;
            if let Some(inner) = self.rest.find("/*").filter(|inner| nested && *inner < end) {
                self.take(inner + 2);
                let end = self.rest.find("*/").ok_or(LexError::OpenComment)?;
                self.take(end + 2);
            } else {
                self.take(end + 2);
                return Ok(());
            }
        }
    }

    /// What is between two quotes; doubled, a quote stands for itself.
    fn between(&mut self, quote: char, escapes: bool) -> Result<String, LexError> {
        self.take(1);
        let mut text = String::new();
        loop {
            let length = run(self.rest, |c| c != quote && !(escapes && c == '\\'));
            text.push_str(self.take(length));
            let mut ahead = self.rest.chars();
            match (ahead.next(), ahead.next()) {
                (Some(c), Some(next)) if c == quote && next == quote => {
                    self.take(2);
                    text.push(quote);
                }
                (Some(c), _) if c == quote => {
                    self.take(1);
                    return Ok(text);
                }
                (Some(_), Some(escaped)) => {
                    self.take(1 + escaped.len_utf8());
                    match escaped {
                        '0' => text.push('\0'),
                        'b' => text.push('\u{8}'),
                        'n' => text.push('\n'),
                        'r' => text.push('\r'),
                        't' => text.push('\t'),
                        'Z' => text.push('\u{1a}'),
                        // These two keep their backslash, for LIKE.
                        '%' | '_' => text.extend(['\\', escaped]),
                        other => text.push(other),
                    }
                }
                _ => return Err(LexError::OpenQuote),
            }
        }
    }

    fn text(&mut self, quote: char) -> Result<(), LexError> {
        let more = self.between(quote, self.escapes)?;
        if let Some(Token::Text(text)) = self.tokens.last_mut() {
            text.push_str(&more);
        } else {
            self.tokens.push(Token::Text(more));
        }
        Ok(())
    }

    fn quoted(&mut self, quote: char) -> Result<(), LexError> {
        let name = self.between(quote, false)?;
        self.tokens.push(Token::Quoted(name));
        Ok(())
    }

    /// `x'..'` and `b'..'`.
    fn literal(&mut self, kind: char) -> Result<(), LexError> {
        self.take(1);
        let text = self.between('\'', false)?;
        let token = if kind.eq_ignore_ascii_case(&'x') {
            hex_bytes(&text).map(Token::Hex)
        } else {
            text.bytes().all(|b| matches!(b, b'0' | b'1')).then_some(Token::Bits(text))
        };
        self.tokens.push(token.ok_or(LexError::Literal)?);
        Ok(())
    }

    /// What begins with a digit: a number, `0x..`, `0b..`, or a name.
    fn digits(&mut self) -> Result<(), LexError> {
        let word = self.rest.get(..run(self.rest, is_name_part)).unwrap_or_default();
        // After `schema.` a name may be digits alone.
        if self.tokens.last() == Some(&Token::Symbol('.')) {
            self.take(word.len());
            self.tokens.push(Token::Word(word.to_owned()));
            return Ok(());
        }
        if let Some(hex) =
            word.strip_prefix("0x").filter(|h| !h.is_empty() && h.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            let even = if hex.len() % 2 == 0 { hex.to_owned() } else { format!("0{hex}") };
            let bytes = hex_bytes(&even).ok_or(LexError::Literal)?;
            self.take(word.len());
            self.tokens.push(Token::Hex(bytes));
            return Ok(());
        }
        if let Some(bits) =
            word.strip_prefix("0b").filter(|h| !h.is_empty() && h.bytes().all(|b| matches!(b, b'0' | b'1')))
        {
            self.take(word.len());
            self.tokens.push(Token::Bits(bits.to_owned()));
            return Ok(());
        }
        let plain = run(word, |c| c.is_ascii_digit());
        let exponent = word.get(plain..).is_some_and(|following| {
            let power = following.strip_prefix(['e', 'E']);
            power.is_some_and(|p| {
                let signed = p.is_empty() && self.rest.get(word.len()..).is_some_and(is_signed_power);
                signed || (!p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
            })
        });
        if plain == word.len() || exponent {
            self.number();
        } else {
            self.take(word.len());
            self.tokens.push(Token::Word(word.to_owned()));
        }
        Ok(())
    }

    /// Digits, a fraction, an exponent.
    fn number(&mut self) {
        let digit = |c: char| c.is_ascii_digit();
        let mut length = run(self.rest, digit);
        if let Some(following) = self.rest.get(length..).and_then(|t| t.strip_prefix('.')) {
            length += 1 + run(following, digit);
        }
        if let Some(power) = self.rest.get(length..).and_then(|t| t.strip_prefix(['e', 'E'])) {
            let sign = usize::from(power.starts_with(['+', '-']));
            let digits = power.get(sign..).map_or(0, |p| run(p, digit));
            if digits > 0 {
                length += 1 + sign + digits;
            }
        }
        let number = self.take(length).to_owned();
        self.tokens.push(Token::Number(number));
    }
}

/// `+2` after `1e`.
fn is_signed_power(text: &str) -> bool {
    text.strip_prefix(['+', '-']).is_some_and(|t| t.starts_with(|c: char| c.is_ascii_digit()))
}

/// Two dashes begin a comment before white space, a control character or the end.
fn ends_dashes(following: &str) -> bool {
    following.chars().next().is_none_or(|c| c.is_ascii_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MYSQL: ServerVersion = ServerVersion { mariadb: false, number: (9, 7), patch: 4 };
    const MARIADB: ServerVersion = ServerVersion { mariadb: true, number: (11, 8), patch: 9 };

    fn words(sql: &str, mode: u64, server: ServerVersion) -> String {
        match tokens(sql, Some(mode), server) {
            Ok(tokens) => tokens.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Err(why) => format!("error: {why}"),
        }
    }

    /// What `SELECT 1 ...` gave on MySQL 9.7.4, and on MariaDB 11.8.9 (10.11.19 is like it).
    #[test]
    fn an_executable_comment_is_for_the_server_that_it_names() {
        for (sql, mysql, mariadb) in [
            ("/*!050500 ,2*/", ", 2", ", 2"),
            ("/*!090800 ,2*/", "", ""),
            ("/*!090704 ,2*/", ", 2", ""),
            ("/*!090705 ,2*/", "", ""),
            ("/*!90704 ,2*/", ", 2", ""),
            ("/*!90705 ,2*/", "", ""),
            ("/*!99999 ,2*/", "", ""),
            ("/*!50700 ,2*/", ", 2", ""),
            ("/*!50699 ,2*/", ", 2", ", 2"),
            ("/*!100000 ,2*/", "", ", 2"),
            ("/*!110809 ,2*/", "", ", 2"),
            ("/*!110810 ,2*/", "", ""),
            ("/*M!100000 ,2*/", "", ", 2"),
            ("/*M!50701 ,2*/", "", ", 2"),
            ("/*! ,2*/", ", 2", ", 2"),
            ("/*M! ,2*/", "", ", 2"),
            ("/*!+12345*/", "+ 12345", "+ 12345"),
            ("/*!999999 ,2 /* x */ ,3 */", "", ""),
            ("/*!50500 ,2 /* x */ ,3 */", ", 2 , 3", ", 2 , 3"),
            ("/*!999999 ,2 /*!50500 ,3 */ ,4 */", "", ""),
            ("/*!50500 ,2 /*!999999 ,3 */ ,4 */", ", 2 , 4", ", 2 , 4"),
            ("/*m! ,2*/", "", ""),
            ("/*+ x */", "", ""),
        ] {
            assert_eq!(words(sql, 0, MYSQL), mysql, "MySQL: {sql}");
            assert_eq!(words(sql, 0, MARIADB), mariadb, "MariaDB: {sql}");
        }
        for sql in ["/*!1234567*/", "/*! /*! */ */", "/* x", "/*! x", "'x", "`x", "'x\\'"] {
            assert!(words(sql, 0, MYSQL).starts_with("error"), "{sql}");
        }
        assert!(words("/*!50500 x */", 0, ServerVersion::default()).starts_with("error"));
    }

    #[test]
    fn text_is_read_as_the_servers_read_it() {
        for (sql, mode, wanted) in [
            (r"'\a\%\_\\it''s\'x'", 0, vec![Token::Text(r"a\%\_\it's'x".into())]),
            (r"'a\' '\\'", NO_BACKSLASH_ESCAPES, vec![Token::Text(r"a\\\".into())]),
            ("'a' /* c */ 'b' \"c\"", 0, vec![Token::Text("abc".into())]),
            ("'a' \"c\"", ANSI_QUOTES, vec![Token::Text("a".into()), Token::Quoted("c".into())]),
            ("N'x' 'y'", 0, vec![Token::Text("xy".into())]),
            (
                "`a``b`.`c\\`",
                0,
                vec![Token::Quoted("a`b".into()), Token::Symbol('.'), Token::Quoted("c\\".into())],
            ),
            (
                "0x4 X'41' b'1' 0b10 0x4z",
                0,
                vec![
                    Token::Hex(vec![4]),
                    Token::Hex(vec![0x41]),
                    Token::Bits("1".into()),
                    Token::Bits("10".into()),
                    Token::Word("0x4z".into()),
                ],
            ),
            (
                "1e5 1e+2 .5 5. 1x 1e -7",
                0,
                vec![
                    Token::Number("1e5".into()),
                    Token::Number("1e+2".into()),
                    Token::Number(".5".into()),
                    Token::Number("5.".into()),
                    Token::Word("1x".into()),
                    Token::Word("1e".into()),
                    Token::Symbol('-'),
                    Token::Number("7".into()),
                ],
            ),
            (
                "s.1 --1\n# it's\n-- it's\nt",
                0,
                vec![
                    Token::Word("s".into()),
                    Token::Symbol('.'),
                    Token::Word("1".into()),
                    Token::Symbol('-'),
                    Token::Symbol('-'),
                    Token::Number("1".into()),
                    Token::Word("t".into()),
                ],
            ),
        ] {
            assert_eq!(tokens(sql, Some(mode), MYSQL), Ok(wanted), "{sql}");
        }
        let again = words(r"'a\\b''c' `x``y`", 0, MYSQL);
        assert_eq!(words(&again, 0, MYSQL), again);
    }
}
