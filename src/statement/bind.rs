//! Parameters of prepared statements: `?` in the tokens of a text, and literals in their place.
//!
//! The text is kept as it came. At each execution its tokens are read again with a literal token
//! for every `?`, and go the way of any other statement: no SQL text is built, and a value can be
//! nothing but one value.

use super::cursor::{Cursor, syntax};
use super::{ParseSettings, Refused, Statement, understood};
use sqlparser::tokenizer::Token;

/// Parameters of one statement at most, as in mysqld: their number has two bytes in the protocol.
pub const MOST_PARAMETERS: usize = 65_535;

/// A value for a `?`.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameter {
    /// NULL
    Null,
    /// An integer of any width and sign.
    Int(i128),
    /// A floating point number; one that is not finite is none in SQL.
    Double(f64),
    /// A decimal number: digits, a sign and a point.
    Decimal(String),
    /// Text, decoded.
    Text(String),
    /// Bytes that are no text.
    Bytes(Vec<u8>),
    /// `YYYY-MM-DD`
    Date(String),
    /// `YYYY-MM-DD HH:MM:SS[.ffffff]`
    DateTime(String),
    /// `[-]HH:MM:SS[.ffffff]`
    Time(String),
}

impl Parameter {
    /// The tokens that a literal of this value has. A number has its sign in its one token.
    fn tokens(&self) -> Result<Vec<Token>, Refused> {
        let typed = |word: &str, text: &str| {
            vec![Token::make_word(word, None), Token::SingleQuotedString(text.to_owned())]
        };
        let number = |text: String| Ok(vec![Token::Number(text, false)]);
        match self {
            Self::Null => Ok(vec![Token::make_word("NULL", None)]),
            Self::Int(n) => number(n.to_string()),
            // The exponent is what tells a DOUBLE literal from a DECIMAL one.
            Self::Double(n) if n.is_finite() => number(format!("{n:e}")),
            Self::Double(n) => Err(Refused::Unsupported {
                message: format!("the number {n} as a parameter: no column holds it"),
            }),
            Self::Decimal(text) if is_decimal(text) => number(text.clone()),
            Self::Decimal(text) => Err(Refused::Unsupported {
                message: format!("the parameter '{text}', which was sent as a decimal number and is none"),
            }),
            Self::Text(text) => Ok(vec![Token::SingleQuotedString(text.clone())]),
            // A string to mysqld, whatever it is compared with; x'32' would be the number 50
            // beside a number.
            Self::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) if text.is_ascii() => Ok(typed("_binary", text)),
                _ => Ok(vec![Token::HexStringLiteral(hex(bytes))]),
            },
            Self::Date(text) => Ok(typed("DATE", text)),
            Self::DateTime(text) => Ok(typed("TIMESTAMP", text)),
            Self::Time(text) => Ok(typed("TIME", text)),
        }
    }
}

impl Parameter {
    /// The number of rows that a value for LIMIT means: drivers send numbers as DOUBLE or as text,
    /// and these are the same whole number.
    fn count(&self) -> Option<u64> {
        match self {
            Self::Int(n) => u64::try_from(*n).ok(),
            Self::Double(n) => format!("{n}").parse().ok().filter(|_| *n <= EXACT),
            Self::Decimal(text) | Self::Text(text) => text.parse().ok(),
            Self::Bytes(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
            Self::Null | Self::Date(_) | Self::DateTime(_) | Self::Time(_) => None,
        }
    }
}

/// Up to here every whole number is a DOUBLE.
const EXACT: f64 = 9_007_199_254_740_991.0;

fn hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('0');
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.bytes().any(|b| b.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.bytes().filter(|b| *b == b'.').count() <= 1
}

/// What `?` means in a text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Placeholders<'a> {
    /// Nothing: the text is executed as it is.
    Refused,
    /// Parameters whose values will come; they are numbered from 0.
    Numbered,
    /// These values.
    Bound(&'a [Parameter]),
}

/// Gives every `?` its meaning. The tokenizer takes digits after it as part of it, which in MySQL
/// are none.
pub(super) fn bind_at(c: &mut Cursor<'_>, placeholders: Placeholders<'_>) -> Result<(), Refused> {
    if !c.has(|token| matches!(token, Token::Placeholder(_))) {
        return Ok(());
    }
    let mut count = 0_usize;
    c.replace(|token| {
        let Token::Placeholder(name) = token else { return Ok(None) };
        match (name.strip_prefix('?'), placeholders) {
            (None, _) => Ok(None),
            (Some(""), Placeholders::Numbered) => {
                count += 1;
                Ok(Some(vec![Token::Placeholder(format!("?{}", count - 1))]))
            }
            (Some(""), Placeholders::Bound(values)) => {
                count += 1;
                let value =
                    values.get(count - 1).ok_or_else(|| syntax("a parameter has no value".to_owned()))?;
                value.tokens().map(Some)
            }
            (Some(""), Placeholders::Refused) => Err(syntax(
                "a parameter (?) needs a prepared statement; this text was sent to be executed as it is"
                    .to_owned(),
            )),
            (Some(_), _) => Err(syntax(format!("near '{name}': a parameter is a ? alone"))),
        }
    })
}

/// A statement with its parameters still open. It says what the statement will be; it cannot be
/// carried out, since instants, limits and keys that are parameters have no value in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// The statement.
    pub statement: Statement,
    /// How many of its last parameters are after LIMIT.
    pub limits: usize,
}

/// The text of a prepared statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    reading: ParseSettings,
    parameters: usize,
    limits: usize,
}

impl Template {
    /// Reads a text, and what can be said of it without the values of its parameters.
    ///
    /// # Errors
    /// The text is no statement. One that is refused for another reason is a
    /// [`Statement::Refused`].
    pub fn new(text: &str, reading: ParseSettings) -> Result<(Self, Outline), Refused> {
        // The code of executable comments, once: their version is that of the server, which stays.
        let text = super::split::expand_version_comments(text, reading)?.into_owned();
        let mut c = Cursor::new(&text, reading)?;
        bind_at(&mut c, Placeholders::Numbered)?;
        let parameters = parameters(c.clone());
        let mut following = c.clone();
        following.go(c.find(&["LIMIT"]));
        let limits = self::parameters(following);
        let statement = match understood(&text, reading, Placeholders::Numbered) {
            Ok(statement) => statement,
            Err(refused) => Statement::Refused(refused),
        };
        Ok((Self { text, reading, parameters, limits }, Outline { statement, limits }))
    }

    /// How many parameters it has.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// Bytes of its text.
    #[must_use]
    pub fn length(&self) -> usize {
        self.text.len()
    }

    /// The statement with these values.
    #[must_use]
    pub fn bound(&self, values: &[Parameter]) -> Statement {
        let mut values = values.to_vec();
        for value in values.iter_mut().skip(self.parameters - self.limits) {
            if let Some(count) = value.count() {
                *value = Parameter::Int(i128::from(count));
            }
        }
        match understood(&self.text, self.reading, Placeholders::Bound(&values)) {
            Ok(statement) => statement,
            Err(refused) => Statement::Refused(refused),
        }
    }
}

/// How many parameters come from here on.
fn parameters(mut c: Cursor<'_>) -> usize {
    let mut count = 0;
    while !c.is_at_end() {
        match c.parameter() {
            Some(_) => count += 1,
            None => _ = c.next(),
        }
    }
    count
}

#[cfg(test)]
mod tests;
