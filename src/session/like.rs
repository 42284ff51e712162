//! LIKE: the one matcher of patterns, for SELECT, SHOW and `information_schema`.
//!
//! How letters compare is the collation's: see "String Comparison Functions and Operators" of MySQL's manual. Collations whose rules
//! are not certain here, and characters outside of printable ASCII in those that disregard case, are [`Unmatched::Uncertain`].

/// How the characters of a collation compare in LIKE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letters {
    /// By code point: `_bin`.
    Exact,
    /// Printable ASCII without regard to case; other characters are not certain.
    AsciiCase,
}

/// Why a pattern was not matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unmatched {
    /// The collation's answer is not known here.
    Uncertain,
    /// It would take more steps than are allowed.
    TooLong,
}

/// Steps that one match may take: about 100 ms. A match takes the product of both lengths at worst.
const MOST_STEPS: u64 = 20_000_000;

impl Letters {
    /// The rule of a collation by its name; `None`: not certain. Languages have letters of their own in many: in Turkish `i` is not `I`.
    pub(super) fn of(collation: &str) -> Option<Self> {
        if collation.ends_with("_bin") || collation == "binary" {
            return Some(Self::Exact);
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

    fn letter(self, c: char) -> Result<char, Unmatched> {
        match self {
            Self::Exact => Ok(c),
            Self::AsciiCase if (' '..='~').contains(&c) => Ok(c.to_ascii_uppercase()),
            Self::AsciiCase => Err(Unmatched::Uncertain),
        }
    }
}

/// `text LIKE pattern` with `%`, `_` and an escape character, which is none under `NO_BACKSLASH_ESCAPES`. An escape character at the end
/// of the pattern stands for itself.
///
/// # Errors
/// [`Unmatched`].
pub(super) fn like(
    text: &str,
    pattern: &str,
    letters: Letters,
    escape: Option<char>,
) -> Result<bool, Unmatched> {
    let folded: Vec<char> = text.chars().map(|c| letters.letter(c)).collect::<Result<_, _>>()?;
    matched(&folded, pattern, &|c| letters.letter(c), escape, MOST_STEPS)
}

/// The same for a text whose characters have been folded by the rule that folds those of the pattern.
///
/// # Errors
/// [`Unmatched`].
pub(super) fn matched(
    text: &[char],
    pattern: &str,
    fold: &dyn Fn(char) -> Result<char, Unmatched>,
    escape: Option<char>,
    most_steps: u64,
) -> Result<bool, Unmatched> {
    enum Part {
        Any,
        One,
        Letter(char),
    }
    let mut parts = Vec::new();
    let mut letters = pattern.chars();
    while let Some(c) = letters.next() {
        parts.push(match c {
            c if Some(c) == escape => Part::Letter(fold(letters.next().unwrap_or(c))?),
            '%' if matches!(parts.last(), Some(Part::Any)) => continue,
            '%' => Part::Any,
            '_' => Part::One,
            c => Part::Letter(fold(c)?),
        });
    }
    let (mut at, mut part, mut steps) = (0, 0, 0);
    // Where the last `%` stands, and how much of the text it has taken. Going back to an earlier one can change nothing.
    let mut back: Option<(usize, usize)> = None;
    while at < text.len() {
        steps += 1;
        if steps > most_steps {
            return Err(Unmatched::TooLong);
        }
        match parts.get(part) {
            Some(Part::Any) => {
                back = Some((part, at));
                part += 1;
                // Whatever is left belongs to it.
                if part == parts.len() {
                    return Ok(true);
                }
            }
            Some(Part::One) => (at, part) = (at + 1, part + 1),
            Some(Part::Letter(c)) if *c == text[at] => (at, part) = (at + 1, part + 1),
            Some(Part::Letter(_)) | None => {
                let Some((any, taken)) = back else { return Ok(false) };
                back = Some((any, taken + 1));
                (at, part) = (taken + 1, any + 1);
            }
        }
    }
    Ok(parts[part..].iter().all(|p| matches!(p, Part::Any)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(like(text, pattern, letters, Some('\\')), Ok(held), "{text} LIKE {pattern}");
        }
        // SET sql_mode = 'NO_BACKSLASH_ESCAPES'.
        assert_eq!(like("a\\b", "a\\_", Letters::Exact, None), Ok(true));
        assert_eq!(like("a_", "a\\_", Letters::Exact, None), Ok(false));
        assert_eq!(like("a_b", "a|_b", Letters::Exact, Some('|')), Ok(true));
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
        for (text, pattern) in [("é", "e"), ("a", "é%"), ("a\u{1}", "a")] {
            assert_eq!(like(text, pattern, Letters::AsciiCase, None), Err(Unmatched::Uncertain), "{text}");
        }
    }

    #[test]
    fn err_many_wildcards_end() {
        assert_eq!(like(&"a".repeat(2000), &("%a".repeat(1000) + "b"), Letters::Exact, None), Ok(false));
        let (text, pattern) = ("a".repeat(1_000_000), format!("%{}b", "a".repeat(500_000)));
        assert_eq!(like(&text, &pattern, Letters::Exact, None), Err(Unmatched::TooLong));
    }
}
