//! Where quotes, comments and statements end (manual:
//! [Comments](https://dev.mysql.com/doc/refman/9.7/en/comments.html)).
//!
//! One pass over the text that knows quotes and comments and nothing else, so that a packet of many
//! statements is read once. It works on bytes: a character of several has none that is a quote or a
//! mark in the character sets that statements come in.

use crate::{LexError, Quoting};

/// Which executable comments are code. Tried on MySQL 9.7.4, MariaDB 10.11.19 and 11.8.9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutableComments {
    /// Those for MySQL of this version (80036 is 8.0.36): for whoever says that it is one.
    MySql(u32),
    /// Those that the server that logged the text carried out. `/*!80013 ... */` is for MySQL from
    /// 8.0.13 on, MariaDB passes over 50700 to 99999 (MySQL's versions that it never had), and
    /// `/*M!100300 ... */` is for MariaDB alone.
    OfServer {
        /// It is a MariaDB.
        mariadb: bool,
        /// Its version; `None`: not known.
        version: Option<u32>,
    },
    /// All, inside of each other too.
    All,
    /// None: they are comments like any other.
    None,
}

/// What a segment of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// One byte of anything that is not named here.
    Code,
    /// A string or a quoted name, with its quotes. `closed`: the last quote is there.
    Quoted {
        /// The last quote is there.
        closed: bool,
    },
    /// A comment; an optimizer hint is one, too. `closed`: its end is there.
    Comment {
        /// Its end is there.
        closed: bool,
    },
    /// The beginning of an executable comment that is code: `/*!`, or `/*!40101`.
    Open,
    /// The end of an executable comment that is code: `*/`.
    Close,
    /// An executable comment that is no code, as a whole.
    Skipped {
        /// Its end is there.
        closed: bool,
    },
    /// `;` outside of everything.
    End,
    /// Whether an executable comment is code is not known.
    Unreadable(LexError),
}

/// Cuts a text into segments.
#[derive(Debug)]
pub struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    quoting: Quoting,
    comments: ExecutableComments,
    /// So many executable comments are open.
    depth: usize,
}

impl<'a> Scanner<'a> {
    /// At the beginning of a text.
    #[must_use]
    pub fn new(text: &'a [u8], quoting: Quoting, comments: ExecutableComments) -> Self {
        Self { text, at: 0, quoting, comments, depth: 0 }
    }

    /// Goes on at a byte of the text: the last segment was longer than one byte of code.
    pub fn go(&mut self, at: usize) {
        self.at = at;
    }

    /// So many executable comments are open.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth
    }

    fn peek(&self, by: usize) -> u8 {
        self.text.get(self.at + by).copied().unwrap_or(0)
    }

    /// The next segment: what it is, where it begins and where it ends.
    #[expect(clippy::should_implement_trait, reason = "the scanner is set forth between two segments")]
    pub fn next(&mut self) -> Option<(Segment, usize, usize)> {
        let from = self.at;
        let segment = match *self.text.get(from)? {
            quote @ (b'\'' | b'"' | b'`') => self.quoted(quote),
            b'#' => self.line(),
            // A minus of a negative number is no comment.
            b'-' if self.peek(1) == b'-' && (self.peek(2) <= b' ' || self.peek(2) == 0x7f) => self.line(),
            b'/' if self.peek(1) == b'*' => self.comment(),
            b'*' if self.depth > 0 && self.peek(1) == b'/' => {
                // Where they are not counted, the first end is that of all.
                self.depth = if self.comments == ExecutableComments::All { self.depth - 1 } else { 0 };
                self.at += 2;
                Segment::Close
            }
            b';' if self.depth == 0 => {
                self.at += 1;
                Segment::End
            }
            _ => {
                self.at += 1;
                Segment::Code
            }
        };
        Some((segment, from, self.at))
    }

    fn quoted(&mut self, quote: u8) -> Segment {
        let escapes = self.quoting.escapes_in(char::from(quote));
        self.at += 1;
        while let Some(byte) = self.text.get(self.at) {
            self.at += 1;
            if *byte == quote {
                if self.peek(0) != quote {
                    return Segment::Quoted { closed: true };
                }
                self.at += 1;
            }
            if *byte == b'\\' && escapes {
                self.at = (self.at + 1).min(self.text.len());
            }
        }
        Segment::Quoted { closed: false }
    }

    fn line(&mut self) -> Segment {
        let rest = &self.text[self.at..];
        self.at += rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |end| end + 1);
        Segment::Comment { closed: true }
    }

    fn comment(&mut self) -> Segment {
        let rest = &self.text[self.at..];
        let (mark, own) = match rest {
            [_, _, b'!', ..] => (3, false),
            [_, _, b'M', b'!', ..] if self.knows_own_mark() => (4, true),
            _ => return Segment::Comment { closed: self.skip(2, 0) },
        };
        let digits = rest[mark..].iter().take_while(|b| b.is_ascii_digit()).count();
        let number = |digits: usize| {
            rest[mark..mark + digits].iter().fold(0, |number, b| number * 10 + u32::from(b - b'0'))
        };
        let space = rest.get(mark + 6).is_some_and(u8::is_ascii_whitespace);
        // How many digits are the version, and whether what follows is code. Fewer than five are
        // no version but code.
        let (version, code) = match self.comments {
            ExecutableComments::None => return Segment::Comment { closed: self.skip(2, 0) },
            ExecutableComments::All => (digits, true),
            _ if digits < 5 => (0, true),
            ExecutableComments::MySql(own) => {
                // Six digits are a version before white space only: 401011 is version 40101 and
                // the code 1.
                let digits = if digits >= 6 && space { 6 } else { 5 };
                (digits, number(digits) <= own)
            }
            ExecutableComments::OfServer { .. } if digits > 6 => {
                return Segment::Unreadable(LexError::CommentDigits);
            }
            ExecutableComments::OfServer { version: None, .. } => {
                return Segment::Unreadable(LexError::UnknownServer);
            }
            ExecutableComments::OfServer { mariadb, version: Some(server) } => {
                let version = number(digits);
                // Not all versions of MySQL want white space after six digits.
                if !mariadb && digits == 6 && !space && number(5) <= server {
                    return Segment::Unreadable(LexError::CommentVersion);
                }
                let of_mysql = mariadb && !own && (50_700..=99_999).contains(&version);
                (digits, version <= server && !of_mysql)
            }
        };
        if !code {
            return Segment::Skipped { closed: self.skip(mark + version, 1) };
        }
        self.at += mark + version;
        self.depth += 1;
        Segment::Open
    }

    /// `/*M!` is a mark of its own.
    fn knows_own_mark(&self) -> bool {
        match self.comments {
            ExecutableComments::OfServer { mariadb, .. } => mariadb,
            ExecutableComments::All => true,
            ExecutableComments::MySql(_) | ExecutableComments::None => false,
        }
    }

    /// Goes after the end of a comment whose mark is so long; one that is no code may hold plain
    /// ones. False: it has no end.
    fn skip(&mut self, mark: usize, deeper: u8) -> bool {
        self.at += mark;
        while self.at < self.text.len() {
            if self.peek(0) == b'*' && self.peek(1) == b'/' {
                self.at += 2;
                return true;
            }
            if deeper > 0 && self.peek(0) == b'/' && self.peek(1) == b'*' {
                self.skip(2, deeper - 1);
            } else {
                self.at += 1;
            }
        }
        false
    }
}
