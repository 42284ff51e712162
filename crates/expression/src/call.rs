//! Functions of values: ["String Functions and
//! Operators"](https://dev.mysql.com/doc/refman/9.7/en/string-functions.html) and what few others
//! are exact. Each is NULL where an argument is, but for CONCAT_WS.

use crate::budget::Budget;
use crate::decimal::Decimal;
use crate::error::Error;
use crate::like::Letters;
use crate::value::{Double, Value};
use std::sync::Arc;

/// Functions of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `UPPER`, of ASCII.
    Upper,
    /// `LOWER`, of ASCII.
    Lower,
    /// UPPER of letters that have one counterpart, as columns of `information_schema` have it.
    UpperWide,
    /// The same for LOWER.
    LowerWide,
    /// `CONCAT`
    Concat,
    /// `CONCAT_WS`
    ConcatWs,
    /// `LOCATE(part, text)`
    Locate(Letters),
    /// `LENGTH`, in bytes of UTF-8, or of a character set with one byte a character.
    Length {
        /// UTF-8
        wide: bool,
    },
    /// `CHAR_LENGTH`
    CharLength,
    /// `LEFT`
    Left,
    /// `RIGHT`
    Right,
    /// `SUBSTRING(text, from [, length])`
    Substring,
    /// `SUBSTRING_INDEX`; from the right in a character set of one byte it searches otherwise.
    SubstringIndex {
        /// UTF-8
        wide: bool,
    },
    /// `REPLACE`
    Replace,
    /// `TRIM`, of blanks.
    Trim,
    /// `LTRIM`
    TrimLeft,
    /// `RTRIM`
    TrimRight,
    /// `REVERSE`
    Reverse,
    /// `REPEAT`
    Repeat,
    /// `STRCMP`
    Strcmp(&'static str),
    /// `ABS`
    Abs,
    /// `SIGN`
    Sign,
    /// `LEAST`, of whole numbers.
    Least,
    /// `GREATEST`, of whole numbers.
    Greatest,
}

fn not_ascii(name: &str) -> Error {
    Error::Unsupported(format!("{name} of a letter outside of ASCII"))
}

/// The value.
pub(crate) fn value(function: Function, values: &[Value], budget: &mut Budget) -> Result<Value, Error> {
    if function == Function::ConcatWs {
        return joined(values, budget);
    }
    if values.iter().any(Value::is_null) {
        return Ok(Value::Null);
    }
    if let (Function::Abs | Function::Sign, [value]) = (function, values) {
        return number(function, value);
    }
    if let Function::Least | Function::Greatest = function {
        return crate::operator::extreme(function == Function::Least, values);
    }
    let texts: Vec<Arc<str>> = values.iter().filter_map(Value::text).collect();
    let length: usize = texts.iter().map(|t| t.len()).sum();
    budget.steps(length)?;
    let integer = |at: usize| match values.get(at) {
        Some(Value::Int(n)) => Ok(*n),
        _ => Err(Error::Unsupported("a position or a length that is no whole number".to_owned())),
    };
    let made = |text: String| Ok(Value::from(text));
    match (function, texts.as_slice()) {
        (Function::Upper | Function::Lower, [text]) => {
            if !text.is_ascii() {
                return Err(not_ascii(if function == Function::Upper { "UPPER" } else { "LOWER" }));
            }
            budget.bytes(length)?;
            made(if function == Function::Upper {
                text.to_ascii_uppercase()
            } else {
                text.to_ascii_lowercase()
            })
        }
        (Function::UpperWide, [text]) => made(text.chars().map(crate::collation::upper).collect()),
        (Function::LowerWide, [text]) => made(text.chars().map(crate::collation::lower).collect()),
        (Function::Concat, texts) => {
            budget.bytes(length)?;
            made(texts.concat())
        }
        (Function::Locate(letters), [part, text]) => located(letters, part, text).map(Value::of_count),
        (Function::Length { wide: true }, [text]) => Ok(Value::of_count(text.len())),
        (Function::Length { wide: false } | Function::CharLength, [text]) => {
            Ok(Value::of_count(text.chars().count()))
        }
        (Function::Left, [text, _]) => {
            budget.bytes(length)?;
            made(text.chars().take(natural(integer(1)?)).collect())
        }
        (Function::Right, [text, _]) => {
            budget.bytes(length)?;
            let skipped = text.chars().count().saturating_sub(natural(integer(1)?));
            made(text.chars().skip(skipped).collect())
        }
        (Function::Substring, [text, _, ..]) => {
            budget.bytes(length)?;
            let all = i128::try_from(text.chars().count()).unwrap_or(i128::MAX);
            let from = integer(1)?;
            let begin = if from < 0 { all + from } else { from - 1 };
            let most = if values.len() == 3 { integer(2)? } else { i128::MAX };
            if begin < 0 || begin >= all || most <= 0 {
                return Ok(Value::from(""));
            }
            made(text.chars().skip(natural(begin)).take(natural(most)).collect())
        }
        (Function::SubstringIndex { wide }, [text, delimiter, _]) => {
            budget.bytes(length)?;
            let wanted = integer(2)?;
            if !wide && wanted < 0 && delimiter.len() > 1 {
                return Err(Error::Unsupported(
                    "SUBSTRING_INDEX from the right in a character set of one byte".to_owned(),
                ));
            }
            made(parted(text, delimiter, wanted).to_owned())
        }
        (Function::Replace, [text, from, to]) => {
            if from.is_empty() {
                return Ok(Value::Text(Arc::clone(text)));
            }
            let found = text.matches(&**from).count();
            budget.bytes(text.len().saturating_add(found.saturating_mul(to.len())))?;
            made(text.replace(&**from, to))
        }
        (Function::Trim, [text]) => made(text.trim_matches(' ').to_owned()),
        (Function::TrimLeft, [text]) => made(text.trim_start_matches(' ').to_owned()),
        (Function::TrimRight, [text]) => made(text.trim_end_matches(' ').to_owned()),
        (Function::Reverse, [text]) => {
            budget.bytes(length)?;
            made(text.chars().rev().collect())
        }
        (Function::Repeat, [text, _]) => {
            let times = natural(integer(1)?);
            budget.bytes(text.len().saturating_mul(times))?;
            made(text.repeat(if text.is_empty() { 0 } else { times }))
        }
        (Function::Strcmp(collation), [a, b]) => {
            let order = crate::collation::compare(collation, a, b, budget)?;
            Ok(Value::Int(order as i128))
        }
        _ => Err(Error::Unsupported("a function with another number of arguments".to_owned())),
    }
}

fn natural(n: i128) -> usize {
    usize::try_from(n.max(0)).unwrap_or(usize::MAX)
}

/// CONCAT_WS leaves NULLs out, but for the separator.
fn joined(values: &[Value], budget: &mut Budget) -> Result<Value, Error> {
    let Some((separator, rest)) = values.split_first() else { return Ok(Value::Null) };
    let Some(separator) = separator.text() else { return Ok(Value::Null) };
    let texts: Vec<Arc<str>> = rest.iter().filter_map(Value::text).collect();
    let length: usize = texts.iter().map(|t| t.len() + separator.len()).sum();
    budget.steps(length)?;
    budget.bytes(length)?;
    Ok(Value::from(texts.join(&*separator)))
}

fn number(function: Function, value: &Value) -> Result<Value, Error> {
    let sign = function == Function::Sign;
    let of = |n: i128| if sign { Value::Int(n.signum()) } else { Value::Int(n.abs()) };
    match value {
        Value::Int(n) if sign || *n != i128::from(i64::MIN) => Ok(of(*n)),
        Value::Int(_) => Err(Error::OutOfRange("BIGINT", "abs(-9223372036854775808)".to_owned())),
        Value::Decimal(n) if sign => Ok(of(n.unscaled)),
        Value::Decimal(n) => Ok(Value::Decimal(Decimal { unscaled: n.unscaled.abs(), ..*n })),
        Value::Null => Ok(Value::Null),
        Value::Double(_) | Value::Text(_) => {
            let n = value.real().ok_or_else(|| {
                Error::Unsupported("a function of numbers with text that is no number".to_owned())
            })?;
            let truth = i128::from(n > 0.0) - i128::from(n < 0.0);
            Ok(if sign { Value::Int(truth) } else { Value::Double(Double(n.abs())) })
        }
    }
}

/// The position of a part, from 1; 0: it is not there.
fn located(letters: Letters, part: &str, text: &str) -> Result<usize, Error> {
    let position = |text: &str, at: usize| text[..at].chars().count() + 1;
    let plain = part.bytes().chain(text.bytes()).all(|b| (b' '..=b'~').contains(&b));
    match letters {
        Letters::Exact => Ok(text.find(part).map_or(0, |at| position(text, at))),
        Letters::AsciiCase if plain => {
            let (part, text) = (part.to_ascii_uppercase(), text.to_ascii_uppercase());
            Ok(text.find(&part).map_or(0, |at| position(&text, at)))
        }
        Letters::AsciiCase => Err(Error::Unsupported(
            "LOCATE and INSTR of characters whose position in the collation is not known".to_owned(),
        )),
        Letters::Lower => {
            let lowered = |t: &str| t.chars().map(crate::collation::lower).collect::<String>();
            let (part, text) = (lowered(part), lowered(text));
            Ok(text.find(&part).map_or(0, |at| position(&text, at)))
        }
    }
}

/// What is before the `wanted`th delimiter or, counted from the right, after it. Delimiters are
/// found from the left in either case.
fn parted<'a>(text: &'a str, delimiter: &str, wanted: i128) -> &'a str {
    if wanted == 0 || delimiter.is_empty() {
        return "";
    }
    if wanted > 0 {
        let found = text.match_indices(delimiter).nth(natural(wanted - 1));
        return found.map_or(text, |(at, _)| &text[..at]);
    }
    let total = i128::try_from(text.matches(delimiter).count()).unwrap_or(i128::MAX);
    let from_left = total + 1 + wanted;
    if from_left <= 0 {
        return text;
    }
    let found = text.match_indices(delimiter).nth(natural(from_left - 1));
    found.map_or(text, |(at, d)| &text[at + d.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each is MySQL's (9.7.4).
    #[test]
    fn ok_functions_as_mysqld_has_them() {
        let mut budget = Budget::default();
        let mut of = |f: Function, values: &[Value]| value(f, values, &mut budget).unwrap();
        let text = |t: &str| Value::from(t);
        let n = Value::Int;
        assert_eq!(of(Function::Substring, &[text("abc"), n(0)]), text(""));
        assert_eq!(of(Function::Substring, &[text("abc"), n(-2), n(1)]), text("b"));
        assert_eq!(of(Function::Substring, &[text("abc"), n(-5)]), text(""));
        assert_eq!(of(Function::Left, &[text("abc"), n(-1)]), text(""));
        assert_eq!(of(Function::Right, &[text("abc"), n(2)]), text("bc"));
        let index = Function::SubstringIndex { wide: true };
        assert_eq!(of(index, &[text("aaaaa"), text("aa"), n(-2)]), text("aaa"));
        assert_eq!(of(index, &[text("a.b.c"), text("."), n(2)]), text("a.b"));
        assert_eq!(of(index, &[text("a.b.c"), text("."), n(-1)]), text("c"));
        assert_eq!(of(index, &[text("a.b.c"), text("."), n(-9)]), text("a.b.c"));
        assert_eq!(of(Function::Replace, &[text("abc"), text(""), text("x")]), text("abc"));
        assert_eq!(of(Function::Locate(Letters::AsciiCase), &[text("B"), text("abc")]), n(2));
        assert_eq!(of(Function::Locate(Letters::Exact), &[text("B"), text("abc")]), n(0));
        assert_eq!(of(Function::ConcatWs, &[text(","), Value::Null, text("a"), n(1)]), text("a,1"));
        assert_eq!(of(Function::Concat, &[text("a"), Value::Null]), Value::Null);
        assert_eq!(of(Function::Sign, &[n(-5)]), n(-1));
    }

    #[test]
    fn err_what_grows_ends() {
        let mut budget = Budget::default();
        let text = Value::from("a".repeat(1 << 20));
        let grown = value(
            Function::Replace,
            &[text.clone(), Value::from("a"), Value::from("x".repeat(100))],
            &mut budget,
        );
        assert!(matches!(grown, Err(Error::Budget(_))));
        let grown = value(Function::Repeat, &[text, Value::Int(i128::MAX)], &mut budget);
        assert!(matches!(grown, Err(Error::Budget(_))));
        // Searching is linear.
        let (part, text) = (Value::from("a".repeat(1 << 18) + "b"), Value::from("a".repeat(1 << 20)));
        let found = value(Function::Locate(Letters::AsciiCase), &[part, text], &mut Budget::default());
        assert_eq!(found, Ok(Value::Int(0)));
    }
}
