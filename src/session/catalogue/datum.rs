//! Values of the catalogue, and how their text compares.

use crate::session::like;
use std::borrow::Cow;
use std::cmp::Ordering;

/// A cell of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Datum {
    Null,
    Int(i128),
    Text(Cow<'static, str>),
}

impl Datum {
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Null => None,
            Self::Int(n) => Some(Cow::Owned(n.to_string())),
            Self::Text(t) => Some(Cow::Borrowed(t)),
        }
    }

    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Self::Int(n) => Some(*n != 0),
            // The compiler lets no text be a condition.
            Self::Null | Self::Text(_) => None,
        }
    }

    pub(super) fn from_truth(truth: Option<bool>) -> Self {
        truth.map_or(Self::Null, |t| Self::Int(i128::from(t)))
    }
}

impl From<String> for Datum {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<&'static str> for Datum {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

/// How text compares; of two, the later one here counts, as `_bin` does in mysqld.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// Two literals: utf8mb4_0900_ai_ci, which pads nothing.
    Literal,
    /// utf8mb3_general_ci: by upper case.
    Upper,
    /// utf8mb3_tolower_ci: by lower case. Names of columns and indexes.
    Lower,
    /// utf8mb3_bin: names of schemas and tables.
    Binary,
}

impl Order {
    fn letter(self, c: char) -> char {
        let single = |mut changed: Box<dyn Iterator<Item = char>>| match (changed.next(), changed.next()) {
            (Some(one), None) => one,
            _ => c,
        };
        match self {
            Self::Binary => c,
            Self::Lower => single(Box::new(c.to_lowercase())),
            Self::Literal | Self::Upper => single(Box::new(c.to_uppercase())),
        }
    }

    /// What is compared in place of the text, letter by letter.
    pub(super) fn letters(self, text: &str) -> Vec<char> {
        text.chars().map(|c| self.letter(c)).collect()
    }

    /// The same for a whole value: all but the literal order pad with spaces.
    fn key(self, text: &str) -> Vec<char> {
        self.letters(if self == Self::Literal { text } else { text.trim_end_matches(' ') })
    }

    /// What stands for a value where equal ones are to be found.
    pub(super) fn folded(self, value: &Datum) -> Datum {
        match value {
            Datum::Text(t) => Datum::from(self.key(t).into_iter().collect::<String>()),
            Datum::Null | Datum::Int(_) => value.clone(),
        }
    }

    /// NULL comes first, as in ORDER BY.
    pub(super) fn compare(self, a: &Datum, b: &Datum) -> Ordering {
        match (a, b) {
            (Datum::Null, Datum::Null) => Ordering::Equal,
            (Datum::Int(a), Datum::Int(b)) => a.cmp(b),
            (Datum::Text(a), Datum::Text(b)) => self.key(a).cmp(&self.key(b)),
            (Datum::Null, _) | (Datum::Int(_), Datum::Text(_)) => Ordering::Less,
            (_, Datum::Null) | (Datum::Text(_), Datum::Int(_)) => Ordering::Greater,
        }
    }

    /// LIKE.
    pub(super) fn like(self, text: &str, pattern: &str) -> bool {
        like::matched(&self.letters(text), pattern, &|c| Ok(self.letter(c)), Some('\\'), u64::MAX) == Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_names_compare_as_their_collation_has_it() {
        let equal = |order: Order, a: &'static str, b: &'static str| {
            order.compare(&Datum::from(a), &Datum::from(b)) == Ordering::Equal
        };
        assert!(!equal(Order::Binary, "shop", "SHOP") && equal(Order::Binary, "shop", "shop  "));
        assert!(equal(Order::Upper, "yes", "YES") && equal(Order::Lower, "É", "é"));
        assert!(equal(Order::Literal, "a", "A") && !equal(Order::Literal, "a", "a "));
        // MySQL 9.7: ORDER BY COLUMN_NAME gives _a, a, A_, aa.
        let mut names = ["aa", "A_", "a", "_a"];
        names.sort_by(|a, b| Order::Lower.compare(&Datum::from(*a), &Datum::from(*b)));
        assert_eq!(names, ["_a", "a", "A_", "aa"]);
    }
}
