//! Collations of expressions: which one a comparison uses, and how texts compare in it.

use crate::budget::Budget;
use crate::decimal::Decimal;
use crate::error::Error;
use crate::value::Value;
use dbtrail_types::collation;
use mysql_common::collations::{Collation, CollationId};
use std::cmp::Ordering;

/// How strongly a text holds to its collation (["Collation Coercibility in
/// Expressions"](https://dev.mysql.com/doc/refman/9.7/en/charset-collation-coercibility.html)): of
/// two, the smaller one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coercibility {
    /// COLLATE was said.
    Explicit,
    /// A column, a user variable, a CAST.
    Implicit,
    /// What the server knows: `USER()`, `@@version`.
    System,
    /// A literal.
    Literal,
    /// A number.
    Numeric,
}

/// The collation of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collated {
    /// Its name, as MySQL writes it.
    pub name: &'static str,
    /// How strongly it holds.
    pub coercibility: Coercibility,
}

/// The character set of a collation.
#[must_use]
pub fn charset_of(collation: &str) -> &str {
    collation.split('_').next().unwrap_or(collation)
}

/// A collation by its name in any case; `utf8_...` is the old name of `utf8mb3_...`.
#[must_use]
pub fn known_collation(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let name = name.strip_prefix("utf8_").map_or_else(|| name.clone(), |rest| format!("utf8mb3_{rest}"));
    let found = Collation::resolve(CollationId::from(name.as_str()));
    (found.id != CollationId::UNKNOWN_COLLATION_ID).then_some(found.collation)
}

/// The collation of what is made of two texts; `None`: MySQL says 1267 or converts in a way that is
/// not known.
pub(crate) fn joined(a: Collated, b: Collated) -> Option<Collated> {
    let (strong, weak) = if a.coercibility <= b.coercibility { (a, b) } else { (b, a) };
    if strong.name == weak.name {
        return Some(strong);
    }
    if a.name == "binary" || b.name == "binary" {
        let (binary, other) = if a.name == "binary" { (a, b) } else { (b, a) };
        return Some(if binary.coercibility <= other.coercibility { binary } else { other });
    }
    let (first, second) = (charset_of(strong.name), charset_of(weak.name));
    let even = strong.coercibility == weak.coercibility;
    if first == second {
        return match even {
            false => Some(strong),
            true if strong.coercibility == Coercibility::Explicit => None,
            true if strong.name.ends_with("_bin") => Some(strong),
            true if weak.name.ends_with("_bin") => Some(weak),
            true => None,
        };
    }
    match (first, second) {
        ("utf8mb4", _) if !even || second == "utf8mb3" => Some(strong),
        ("utf8mb3", "utf8mb4") if even => Some(weak),
        ("utf8mb3", "utf8mb4") => Some(strong),
        _ => None,
    }
}

/// What a value is where equal ones are to be found and others to be put in order. NULL comes
/// first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// NULL
    Null,
    /// A number, as so many billionths.
    Number(i128),
    /// Text, as bytes that compare as its collation does.
    Text(Vec<u8>),
}

/// Digits after the point that a key keeps.
const KEY_SCALE: u8 = 9;

impl Key {
    /// The key of a value, in a collation where it is text.
    ///
    /// # Errors
    /// How the value compares is not known.
    pub fn of(value: &Value, collation: &str, budget: &mut Budget) -> Result<Self, Error> {
        let number = |n: Decimal| {
            let key = n.rescaled(KEY_SCALE).map(|n| Self::Number(n.unscaled));
            key.ok_or_else(|| Error::Unsupported(format!("the position of {n} in an order is not kept here")))
        };
        match value {
            Value::Null => Ok(Self::Null),
            Value::Int(n) => number(Decimal::from(*n)),
            Value::Decimal(n) => number(*n),
            Value::Double(_) => Err(Error::Unsupported("an order of floating-point numbers".to_owned())),
            Value::Text(text) => text_key(collation, text, budget).map(Self::Text),
        }
    }
}

/// The collation of the names of columns and indexes in `information_schema`.
const BY_LOWER_CASE: &str = "utf8mb3_tolower_ci";

/// A character in lower case, where that is one character.
pub(crate) fn lower(c: char) -> char {
    let mut changed = c.to_lowercase();
    match (changed.next(), changed.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

pub(crate) fn upper(c: char) -> char {
    let mut changed = c.to_uppercase();
    match (changed.next(), changed.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

fn text_key(name: &str, text: &str, budget: &mut Budget) -> Result<Vec<u8>, Error> {
    budget.steps(text.len())?;
    budget.bytes(text.len())?;
    let mut key = Vec::with_capacity(text.len() + 1);
    if name == BY_LOWER_CASE {
        let lowered: String = text.trim_end_matches(' ').chars().map(lower).collect();
        key.extend(lowered.bytes());
        return Ok(key);
    }
    match collation::sort_key(name, text, &mut key) {
        Ok(()) => Ok(key),
        Err(why) => Err(Error::Unsupported(why.to_string())),
    }
}

/// The order of two texts.
pub(crate) fn compare(name: &str, a: &str, b: &str, budget: &mut Budget) -> Result<Ordering, Error> {
    budget.steps(a.len().min(b.len()) / 8)?;
    // The same text is the same in every collation.
    if a == b {
        return Ok(Ordering::Equal);
    }
    Ok(text_key(name, a, budget)?.cmp(&text_key(name, b, budget)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Coercibility::{Explicit, Implicit, Literal, System};

    fn of(name: &'static str, coercibility: Coercibility) -> Collated {
        Collated { name, coercibility }
    }

    /// Each is COLLATION(CONCAT(a, b)) of MySQL 9.7.
    #[test]
    fn ok_which_collation_counts() {
        let (bin, ai, general) = ("utf8mb4_bin", "utf8mb4_0900_ai_ci", "utf8mb4_general_ci");
        for (a, b, want) in [
            (of(ai, Literal), of(ai, Literal), Some(ai)),
            (of(bin, Explicit), of(ai, Implicit), Some(bin)),
            (of(ai, Literal), of(bin, Implicit), Some(bin)),
            (of(bin, Explicit), of(ai, Explicit), None),
            (of(general, Implicit), of(ai, Implicit), None),
            (of(general, Implicit), of(bin, Implicit), Some(bin)),
            (of("utf8mb3_general_ci", System), of(ai, Literal), Some("utf8mb3_general_ci")),
            (of("latin1_swedish_ci", Literal), of(ai, Literal), None),
        ] {
            assert_eq!(joined(a, b).map(|c| c.name), want, "{a:?} {b:?}");
            assert_eq!(joined(b, a).map(|c| c.name), want, "{b:?} {a:?}");
        }
    }

    #[test]
    fn ok_names_compare_as_their_collation_has_it() {
        let mut budget = Budget::default();
        let mut equal =
            |name: &str, a: &str, b: &str| compare(name, a, b, &mut budget) == Ok(Ordering::Equal);
        assert!(!equal("utf8mb3_bin", "shop", "SHOP") && equal("utf8mb3_bin", "shop", "shop  "));
        assert!(equal("utf8mb3_general_ci", "yes", "YES") && equal("utf8mb3_tolower_ci", "É", "é"));
        assert!(equal("utf8mb4_0900_ai_ci", "a", "A") && !equal("utf8mb4_0900_ai_ci", "a", "a "));
        // MySQL 9.7: ORDER BY COLUMN_NAME gives _a, a, A_, aa.
        let mut names = ["aa", "A_", "a", "_a"];
        names.sort_by_key(|n| text_key("utf8mb3_tolower_ci", n, &mut Budget::default()).unwrap());
        assert_eq!(names, ["_a", "a", "A_", "aa"]);
        assert!(compare("utf8mb4_tr_0900_ai_ci", "i", "I", &mut Budget::default()).is_err());
    }
}
