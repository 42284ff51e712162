//! Values of the catalogue, and how their text compares.

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

    /// LIKE: `%`, `_`, and `\` before either. Linear for a pattern with one `%`, never worse than the product of the lengths.
    pub(super) fn like(self, text: &str, pattern: &str) -> bool {
        enum Part {
            Any,
            One,
            Letter(char),
        }
        let mut parts = Vec::new();
        let mut letters = pattern.chars();
        while let Some(c) = letters.next() {
            parts.push(match c {
                '%' => Part::Any,
                '_' => Part::One,
                '\\' => Part::Letter(self.letter(letters.next().unwrap_or('\\'))),
                c => Part::Letter(self.letter(c)),
            });
        }
        let text = self.letters(text);
        let (mut at, mut part) = (0, 0);
        // Where the last `%` stands, and how much of the text it has taken.
        let mut back: Option<(usize, usize)> = None;
        while at < text.len() {
            match parts.get(part) {
                Some(Part::Any) => {
                    back = Some((part, at));
                    part += 1;
                }
                Some(Part::One) => (at, part) = (at + 1, part + 1),
                Some(Part::Letter(c)) if *c == text[at] => (at, part) = (at + 1, part + 1),
                Some(Part::Letter(_)) | None => {
                    let Some((any, taken)) = back else { return false };
                    back = Some((any, taken + 1));
                    (at, part) = (taken + 1, any + 1);
                }
            }
        }
        parts[part..].iter().all(|p| matches!(p, Part::Any))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_like() {
        for (order, text, pattern, held) in [
            (Order::Upper, "utf8mb4_0900_ai_ci", "UTF8MB4\\_0900%", true),
            (Order::Binary, "orders", "ORD%", false),
            (Order::Binary, "orders", "ord%", true),
            (Order::Binary, "orders", "%d%s", true),
            (Order::Binary, "orders", "o_ders", true),
            (Order::Binary, "orders", "o\\_ders", false),
            (Order::Binary, "orders", "orders ", false),
            (Order::Binary, "", "%", true),
            (Order::Binary, "", "_", false),
            (Order::Lower, "É", "é", true),
            (Order::Binary, "a%b", "a\\%b", true),
            (Order::Binary, "a\\", "a\\\\", true),
            (Order::Binary, "aaab", "%a%ab", true),
        ] {
            assert_eq!(order.like(text, pattern), held, "{text} LIKE {pattern}");
        }
        // Many wildcards are no trap.
        assert!(!Order::Binary.like(&"a".repeat(2000), &("%a".repeat(1000) + "b")));
    }

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
