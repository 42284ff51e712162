//! What is computed of the rows of a group, as written.

use super::cursor::Cursor;
use super::refused::Refused;
use sqlparser::tokenizer::Token;

/// A function of the rows of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AggregateFunction {
    /// COUNT
    Count,
    /// COUNT(DISTINCT ...)
    CountDistinct,
    /// MIN
    Min,
    /// MAX
    Max,
    /// SUM
    Sum,
}

/// A function of columns of the rows of a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Aggregate {
    /// The function.
    pub function: AggregateFunction,
    /// Columns as written, qualifiers taken off; none: `COUNT(*)`.
    pub columns: Vec<String>,
}

impl Aggregate {
    /// `COUNT(*)`
    #[must_use]
    pub const fn count() -> Self {
        Self { function: AggregateFunction::Count, columns: Vec::new() }
    }
}

impl std::fmt::Display for Aggregate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let head = match self.function {
            AggregateFunction::Count if self.columns.is_empty() => return f.write_str("COUNT(*)"),
            AggregateFunction::Count => "COUNT(",
            AggregateFunction::CountDistinct => "COUNT(DISTINCT ",
            AggregateFunction::Min => "MIN(",
            AggregateFunction::Max => "MAX(",
            AggregateFunction::Sum => "SUM(",
        };
        write!(f, "{head}{})", self.columns.join(", "))
    }
}

/// The function by its name.
#[must_use]
pub fn function(name: &str) -> Option<AggregateFunction> {
    [
        ("COUNT", AggregateFunction::Count),
        ("MIN", AggregateFunction::Min),
        ("MAX", AggregateFunction::Max),
        ("SUM", AggregateFunction::Sum),
    ]
    .into_iter()
    .find_map(|(known, function)| known.eq_ignore_ascii_case(name).then_some(function))
}

/// A column, its qualifiers taken off: nothing but the one table can be meant, and the plan knows
/// its names.
pub(super) fn column(c: &mut Cursor<'_>) -> Result<String, Refused> {
    let mut name = c.name("a column")?;
    while c.token(&Token::Period) {
        name = c.name("a column")?;
    }
    Ok(name)
}

/// An aggregate that begins here; `None`: something else does, and the cursor stays.
pub(super) fn aggregate(part: &mut Cursor<'_>) -> Option<Aggregate> {
    let position = part.index();
    let found = read(part);
    if found.is_none() {
        part.go(position);
    }
    found
}

fn read(part: &mut Cursor<'_>) -> Option<Aggregate> {
    let mut function = function(part.one_of(&["COUNT", "MIN", "MAX", "SUM"])?)?;
    if !part.token(&Token::LParen) {
        return None;
    }
    let counts = function == AggregateFunction::Count;
    // A number is never NULL.
    if counts && (part.token(&Token::Mul) || part.number().is_some()) {
        return part.token(&Token::RParen).then(Aggregate::count);
    }
    if counts && part.words(&["DISTINCT"]) {
        function = AggregateFunction::CountDistinct;
    }
    let mut columns = vec![named(part)?];
    while function == AggregateFunction::CountDistinct && part.token(&Token::Comma) {
        columns.push(named(part)?);
    }
    part.token(&Token::RParen).then_some(Aggregate { function, columns })
}

fn named(part: &mut Cursor<'_>) -> Option<String> {
    let read: Result<String, Refused> = column(part);
    if matches!(part.peek(), Some(Token::RParen | Token::Comma)) { read.ok() } else { None }
}
