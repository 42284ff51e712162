//! LIKE: the one matcher of patterns, for SELECT, SHOW and `information_schema`.
//!
//! How letters compare is the collation's: see [Pattern
//! Matching](https://dev.mysql.com/doc/refman/9.7/en/string-comparison-functions.html#operator_like).
//! Where a character would have to be compared whose position in the collation is not known, the
//! match is refused.

use crate::budget::Budget;
use crate::collation::lower;
use crate::error::Error;

/// How the characters of a collation compare in LIKE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    /// By code point: `_bin`.
    Exact,
    /// Printable ASCII without regard to case; other characters are not known.
    AsciiCase,
    /// By lower case: names of columns in `information_schema`.
    Lower,
}

impl Letters {
    /// The rule of a collation by its name; `None`: not known. Languages have letters of their own
    /// in many: in Turkish `i` is not `I`.
    #[must_use]
    pub fn of(collation: &str) -> Option<Self> {
        if collation.ends_with("_bin") || collation == "binary" {
            return Some(Self::Exact);
        }
        if collation == "utf8mb3_tolower_ci" {
            return Some(Self::Lower);
        }
        let alike = matches!(
            collation,
            "utf8mb4_0900_ai_ci"
                | "utf8mb4_general_ci"
                | "utf8mb4_unicode_ci"
                | "utf8mb4_unicode_520_ci"
                | "utf8mb3_general_ci"
                | "utf8mb3_unicode_ci"
                | "utf8mb3_unicode_520_ci"
                | "latin1_swedish_ci"
                | "latin1_general_ci"
                | "latin1_german1_ci"
                | "ascii_general_ci"
        );
        alike.then_some(Self::AsciiCase)
    }

    /// Whether two characters are the same; `None`: not known.
    fn same(self, a: char, b: char) -> Option<bool> {
        let plain = |c: char| (' '..='~').contains(&c);
        match self {
            _ if a == b => Some(true),
            Self::Exact => Some(false),
            Self::Lower => Some(lower(a) == lower(b)),
            Self::AsciiCase => (plain(a) && plain(b)).then(|| a.eq_ignore_ascii_case(&b)),
        }
    }
}

enum Part {
    Any,
    One,
    Letter(char),
}

fn parts(pattern: &str, escape: Option<char>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut letters = pattern.chars();
    while let Some(c) = letters.next() {
        parts.push(match c {
            c if Some(c) == escape => Part::Letter(letters.next().unwrap_or(c)),
            '%' if matches!(parts.last(), Some(Part::Any)) => continue,
            '%' => Part::Any,
            '_' => Part::One,
            c => Part::Letter(c),
        });
    }
    parts
}

/// `text LIKE pattern` with `%`, `_` and an escape character, which is none under
/// `NO_BACKSLASH_ESCAPES`. An escape character at the end of the pattern stands for itself. It
/// takes the product of both lengths in steps at worst.
///
/// # Errors
/// A character would have to be compared whose position is not known; the budget is used up.
pub fn like(
    text: &str,
    pattern: &str,
    letters: Letters,
    escape: Option<char>,
    budget: &mut Budget,
) -> Result<bool, Error> {
    budget.steps(text.len() + pattern.len())?;
    budget.bytes(4 * text.len() + 8 * pattern.len())?;
    let text: Vec<char> = text.chars().collect();
    let parts = parts(pattern, escape);
    let (mut at, mut part) = (0, 0);
    // Where the last `%` is, and how much of the text it has taken. Going back to an earlier one
    // can change nothing.
    let mut back: Option<(usize, usize)> = None;
    while at < text.len() {
        budget.steps(1)?;
        let goes_on = match parts.get(part) {
            Some(Part::Any) => {
                back = Some((part, at));
                part += 1;
                // Whatever is left belongs to it.
                if part == parts.len() {
                    return Ok(true);
                }
                continue;
            }
            Some(Part::One) => true,
            Some(Part::Letter(c)) => letters.same(*c, text[at]).ok_or_else(|| undecided(*c, text[at]))?,
            None => false,
        };
        if goes_on {
            (at, part) = (at + 1, part + 1);
            continue;
        }
        let Some((any, taken)) = back else { return Ok(false) };
        back = Some((any, taken + 1));
        (at, part) = (taken + 1, any + 1);
    }
    Ok(parts[part..].iter().all(|p| matches!(p, Part::Any)))
}

fn undecided(a: char, b: char) -> Error {
    Error::Unsupported(format!(
        "LIKE, where '{}' and '{}' would have to be compared: MySQL takes letters with accents for plain ones, and this \
         server does not know which",
        a.escape_default(),
        b.escape_default()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(text: &str, pattern: &str, letters: Letters, escape: Option<char>) -> Result<bool, Error> {
        like(text, pattern, letters, escape, &mut Budget::default())
    }

    /// Each verdict is MySQL's (9.7.4).
    #[test]
    fn ok_as_mysql_matches() {
        let long = format!("{}hash_join=on", "index_merge=on,".repeat(30));
        for (letters, text, pattern, held) in [
            (Letters::AsciiCase, "abcdefghi", "%a%b%c%d%e%f%g%h%i", true),
            (Letters::AsciiCase, "abcdefghi", "%a%b%c%d%e%f%g%h%i%j", false),
            (Letters::AsciiCase, &*long, "%hash_join=on%", true),
            (Letters::AsciiCase, "utf8mb4_0900_ai_ci", "UTF8MB4\\_0900%", true),
            (Letters::AsciiCase, "ABC", "abc", true),
            (Letters::AsciiCase, "abc", "%%%c%%", true),
            (Letters::AsciiCase, "abc", "____", false),
            (Letters::AsciiCase, "a", "a ", false),
            (Letters::Exact, "orders", "ORD%", false),
            (Letters::Exact, "orders", "%d%s", true),
            (Letters::Exact, "orders", "o_ders", true),
            (Letters::Exact, "orders", "o\\_ders", false),
            (Letters::Exact, "orders", "orders ", false),
            (Letters::Exact, "", "%", true),
            (Letters::Exact, "", "_", false),
            (Letters::Exact, "", "", true),
            (Letters::Exact, "é", "_", true),
            (Letters::Exact, "a%b", "a\\%b", true),
            (Letters::Exact, "axb", "a\\%b", false),
            (Letters::Exact, "a\\", "a\\\\", true),
            (Letters::Exact, "a\\", "a\\", true),
            (Letters::Exact, "aaab", "%a%ab", true),
        ] {
            assert_eq!(matched(text, pattern, letters, Some('\\')), Ok(held), "{text} LIKE {pattern}");
        }
        // SET sql_mode = 'NO_BACKSLASH_ESCAPES'.
        assert_eq!(matched("a\\b", "a\\_", Letters::Exact, None), Ok(true));
        assert_eq!(matched("a_", "a\\_", Letters::Exact, None), Ok(false));
        assert_eq!(matched("a_b", "a|_b", Letters::Exact, Some('|')), Ok(true));
    }

    #[test]
    fn err_what_is_not_certain() {
        for collation in
            ["utf8mb4_tr_0900_ai_ci", "utf8mb4_hr_0900_ai_ci", "utf8mb4_0900_as_cs", "latin2_czech_cs"]
        {
            assert_eq!(Letters::of(collation), None, "{collation}");
        }
        assert_eq!(Letters::of("utf8mb4_bin"), Some(Letters::Exact));
        assert_eq!(Letters::of("utf8mb4_0900_ai_ci"), Some(Letters::AsciiCase));
        for (text, pattern) in [("é", "e"), ("a", "é%"), ("\u{1}a", "a")] {
            assert!(matched(text, pattern, Letters::AsciiCase, None).is_err(), "{text}");
        }
        // What is not compared is not in question.
        assert_eq!(matched("aé", "a%", Letters::AsciiCase, None), Ok(true));
        assert_eq!(matched("É", "é", Letters::Lower, None), Ok(true));
    }

    #[test]
    fn err_many_wildcards_end() {
        assert_eq!(matched(&"a".repeat(2000), &("%a".repeat(1000) + "b"), Letters::Exact, None), Ok(false));
        let (text, pattern) = ("a".repeat(1_000_000), format!("%{}b", "a".repeat(500_000)));
        assert!(matches!(matched(&text, &pattern, Letters::Exact, None), Err(Error::Budget(_))));
    }
}
