//! Parameters of prepared statements: `?` in the tokens of a text, and literals in their place.
//!
//! The text is kept as it came. At each execution its tokens are read again with a literal token
//! for every `?`, and go the way of any other statement: no SQL text is built, and a value can be
//! nothing but one value.

use super::cursor::{Cursor, syntax};
use super::{Reading, Refused, Statement, understood};
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
            Self::Bytes(bytes) => Ok(vec![Token::HexStringLiteral(hex(bytes))]),
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
            Self::Null | Self::Bytes(_) | Self::Date(_) | Self::DateTime(_) | Self::Time(_) => None,
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
    reading: Reading,
    parameters: usize,
    limits: usize,
}

impl Template {
    /// Reads a text, and what can be said of it without the values of its parameters.
    ///
    /// # Errors
    /// The text is no statement. One that is refused for another reason is a
    /// [`Statement::Refused`].
    pub fn new(text: &str, reading: Reading) -> Result<(Self, Outline), Refused> {
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
mod tests {
    use super::*;
    use crate::statement::{Limit, TimeClause, TimestampExpr};

    fn template(text: &str) -> (Template, Outline) {
        Template::new(text, Reading::default()).unwrap()
    }

    /// What a statement means that was written with this literal.
    fn literally(text: &str) -> String {
        format!("{:?}", super::super::parse(text, Reading::default()))
    }

    fn without_placeholders(text: &str) -> String {
        // Expressions know where they were in the text, which is not the same for `?` and a
        // literal.
        let mut rest = text;
        let mut plain = String::new();
        while let Some((head, tail)) = rest.split_once("Location(") {
            plain.push_str(head);
            rest = tail.split_once(')').unwrap().1;
        }
        plain + rest
    }

    #[test]
    fn ok_each_value_means_what_its_literal_means() {
        for (value, literal) in [
            (Parameter::Null, "NULL"),
            (Parameter::Int(42), "42"),
            (Parameter::Int(18_446_744_073_709_551_615), "18446744073709551615"),
            (Parameter::Double(1.5), "1.5e0"),
            (Parameter::Double(1e300), "1e300"),
            (Parameter::Decimal("1.50".to_owned()), "1.50"),
            (Parameter::Text("it's".to_owned()), "'it''s'"),
            (Parameter::Text("x' OR 1=1 -- \\".to_owned()), "'x'' OR 1=1 -- \\\\'"),
            (Parameter::Bytes(vec![0xff, 0]), "x'ff00'"),
            (Parameter::Date("2026-04-27".to_owned()), "DATE '2026-04-27'"),
            (Parameter::DateTime("2026-04-27 09:00:00".to_owned()), "TIMESTAMP '2026-04-27 09:00:00'"),
            (Parameter::Time("-01:00:00".to_owned()), "TIME '-01:00:00'"),
        ] {
            let text = "SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id = ";
            let bound = template(&format!("{text}?")).0.bound(std::slice::from_ref(&value));
            let written = literally(&format!("{text}{literal}"));
            assert_eq!(
                without_placeholders(&format!("{bound:?}")),
                without_placeholders(&written),
                "{value:?}"
            );
        }
    }

    #[test]
    fn ok_parameters_of_every_position() {
        let text = "SELECT * FROM _flashback.t AS OF ? - INTERVAL ? HOUR WHERE id IN (?, ?) LIMIT ? OFFSET ?";
        let (template, outline) = template(text);
        assert_eq!((template.parameters(), outline.limits), (6, 2));
        let text = |t: &str| Parameter::Text(t.to_owned());
        let values = [
            text("2020-01-01"),
            Parameter::Int(-3),
            Parameter::Int(1),
            text("2"),
            Parameter::Int(5),
            Parameter::Int(6),
        ];
        let Statement::TimeTravel(draft) = template.bound(&values) else { panic!() };
        assert_eq!(draft.limit, Some(Limit { offset: 6, count: 5 }));
        assert_eq!(draft.filter.unwrap().to_string(), "id IN (1, '2')");
        let TimeClause::At(TimestampExpr::Minus { amount, .. }) = draft.time else { panic!() };
        assert_eq!(amount, "-3");
    }

    #[test]
    fn ok_whole_numbers_of_any_type_limit() {
        let text = "SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id = ? LIMIT ?";
        for value in [
            Parameter::Int(7),
            Parameter::Double(7.0),
            Parameter::Decimal("7".to_owned()),
            Parameter::Text("7".to_owned()),
        ] {
            let Statement::TimeTravel(draft) = template(text).0.bound(&[Parameter::Double(1.0), value])
            else {
                panic!()
            };
            assert_eq!(draft.limit, Some(Limit { offset: 0, count: 7 }));
            assert_eq!(draft.filter.unwrap().to_string(), "id = 1e0");
        }
    }

    #[test]
    fn ok_a_question_mark_in_a_string_or_a_comment_is_none() {
        let (template, _) = template("SELECT '?', \"?\", `?` /* ? */ , ? -- ?");
        assert_eq!(template.parameters(), 1);
    }

    #[test]
    fn ok_a_column_of_a_parameter_is_called_as_it_was_written() {
        for value in
            [Parameter::Text("x".to_owned()), Parameter::Int(-1), Parameter::Date("2020-01-01".to_owned())]
        {
            let Statement::Constants { items, .. } =
                template("SELECT ?, ? AS x").0.bound(&[value, Parameter::Null])
            else {
                panic!()
            };
            assert_eq!([items[0].0.as_str(), items[1].0.as_str()], ["?", "x"]);
        }
    }

    #[test]
    fn err_positions_without_parameters() {
        for text in [
            "SELECT * FROM _flashback.? AS OF '2020-01-01' WHERE id = 1",
            "SELECT * FROM ?.t AS OF '2020-01-01' WHERE id = 1",
            "SELECT * FROM _flashback.t AS OF '2020-01-01' AS ? WHERE id = 1",
            "SELECT ? FROM _flashback.t AS OF '2020-01-01' WHERE id = 1",
            "SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id = 1 ORDER BY ?",
            "SELECT * FROM _flashback.t AS OF TIMESTAMP '2020-01-01' ? WHERE id = 1",
            "SELECT 1 AS ?",
            "SHOW VARIABLES LIKE ?",
            "USE ?",
        ] {
            assert!(matches!(template(text).1.statement, Statement::Refused(_)), "{text}");
        }
        assert!(matches!(Template::new("SELECT ?1", Reading::default()), Err(Refused::Syntax { .. })));
        assert!(matches!(
            super::super::parse("SELECT ?", Reading::default()),
            Statement::Refused(Refused::Syntax { .. })
        ));
    }

    #[test]
    fn err_values_that_no_literal_has() {
        for value in [
            Parameter::Double(f64::NAN),
            Parameter::Double(f64::INFINITY),
            Parameter::Decimal("1.5x".to_owned()),
            Parameter::Decimal(String::new()),
            Parameter::Decimal("1e5".to_owned()),
        ] {
            let bound = template("SELECT ?").0.bound(std::slice::from_ref(&value));
            assert!(matches!(bound, Statement::Refused(Refused::Unsupported { .. })), "{value:?}");
        }
        for value in [
            Parameter::Null,
            Parameter::Int(-1),
            Parameter::Double(1.5),
            Parameter::Decimal("1.5".to_owned()),
            Parameter::Text("x".to_owned()),
        ] {
            let text = "SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id = 1 LIMIT ?";
            let bound = template(text).0.bound(std::slice::from_ref(&value));
            assert!(matches!(bound, Statement::Refused(Refused::Syntax { .. })), "{value:?}");
        }
    }
}
