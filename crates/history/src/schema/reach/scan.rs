//! Words, names, texts and marks of a statement, whatever it is.

/// NO_BACKSLASH_ESCAPES and ANSI_QUOTES in the bits of sql_mode.
const NO_BACKSLASH_ESCAPES: u64 = 0x10_0000;
const ANSI_QUOTES: u64 = 4;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::schema) enum Lexeme {
    /// A keyword or a name without quotes.
    Word(String),
    /// A name in quotes.
    Name(String),
    /// A text in quotes, as it is written.
    Text(String),
    Number(String),
    Mark(char),
}

impl Lexeme {
    /// Whether it is this keyword.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own.eq_ignore_ascii_case(word))
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Word(text) | Self::Name(text) | Self::Text(text) | Self::Number(text) => text,
            Self::Mark(char::REPLACEMENT_CHARACTER) => "\u{fffd}",
            Self::Mark(_) => "",
        }
    }
}

/// Reads a statement; `opened`: what is in executable comments counts.
pub(super) fn scan(sql: &str, sql_mode: u64, opened: bool) -> Vec<Lexeme> {
    let escapes = sql_mode & NO_BACKSLASH_ESCAPES == 0;
    let mut out = Vec::new();
    let mut rest = sql;
    // Depth of executable comments that were opened.
    let mut inside = 0_usize;
    while let Some(c) = rest.chars().next() {
        if c.is_whitespace() {
            rest = &rest[c.len_utf8()..];
        } else if let Some(following) = rest.strip_prefix("/*") {
            let executable = following.strip_prefix('!').or_else(|| following.strip_prefix("M!"));
            rest = match executable {
                Some(following) if opened => {
                    inside += 1;
                    following.trim_start_matches(|d: char| d.is_ascii_digit())
                }
                _ => following.split_once("*/").map_or("", |(_, following)| following),
            };
        } else if inside > 0 && rest.starts_with("*/") {
            inside -= 1;
            rest = &rest[2..];
        } else if c == '#' || rest.starts_with("--") && is_remark(rest) {
            rest = rest.split_once('\n').map_or("", |(_, following)| following);
        } else if matches!(c, '\'' | '"' | '`') {
            let (text, following) = quoted(rest, c, escapes);
            out.push(match c {
                '\'' => Lexeme::Text(text),
                '"' if sql_mode & ANSI_QUOTES == 0 => Lexeme::Text(text),
                _ => Lexeme::Name(text),
            });
            rest = following;
        } else if is_of_word(c) {
            let end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
            let word = rest[..end].to_owned();
            let digits = word.chars().all(|c| c.is_ascii_digit());
            out.push(if digits { Lexeme::Number(word) } else { Lexeme::Word(word) });
            rest = &rest[end..];
        } else {
            out.push(Lexeme::Mark(c));
            rest = &rest[c.len_utf8()..];
        }
    }
    while out.last() == Some(&Lexeme::Mark(';')) {
        out.pop();
    }
    out
}

/// `--` begins a remark only where white space, a control character or the end follows.
fn is_remark(rest: &str) -> bool {
    rest.chars().nth(2).is_none_or(|c| c.is_whitespace() || c.is_control())
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii()
}

/// What is in quotes, and what follows. One that is not closed goes on to the end.
fn quoted(sql: &str, quote: char, escapes: bool) -> (String, &str) {
    let mut text = String::new();
    let mut chars = sql.char_indices().skip(1).peekable();
    while let Some((i, c)) = chars.next() {
        if c == '\\' && escapes && quote != '`' {
            text.push(c);
            text.extend(chars.next().map(|(_, c)| c));
        } else if c == quote {
            if chars.peek().is_some_and(|(_, c)| *c == quote) {
                text.push(quote);
                chars.next();
            } else {
                return (text, &sql[i + 1..]);
            }
        } else {
            text.push(c);
        }
    }
    (text, "")
}
