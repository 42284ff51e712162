//! The character set that text goes out in, and the collations by number and by name.

use crate::charset;
use mysql_common::collations::{Collation, CollationId};
use std::borrow::Cow;

/// The character set that text goes out in (`character_set_results`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultCharset {
    /// utf8mb4: bytes as they are.
    Utf8 {
        /// Collation id to declare for text columns.
        collation_id: u16,
    },
    /// utf8mb3: a character of four bytes becomes `?`, as in mysqld.
    Utf8mb3 {
        /// Collation id to declare for text columns.
        collation_id: u16,
    },
    /// latin1: text is converted; a character it does not have becomes `?`, as in mysqld.
    Latin1 {
        /// Collation id to declare for text columns.
        collation_id: u16,
    },
    /// ascii: every other character becomes `?`.
    Ascii {
        /// Collation id to declare for text columns.
        collation_id: u16,
    },
    /// NULL or binary: each column keeps its own character set's declaration.
    AsStored,
}

impl ResultCharset {
    /// Of a character set by name; `None`: text cannot be sent in it.
    pub(super) fn of(charset: &str, collation_id: u16) -> Option<Self> {
        Some(match charset {
            "utf8mb4" => Self::Utf8 { collation_id },
            "utf8mb3" | "utf8" => Self::Utf8mb3 { collation_id },
            "latin1" => Self::Latin1 { collation_id },
            "ascii" => Self::Ascii { collation_id },
            "binary" => Self::AsStored,
            _ => return None,
        })
    }

    /// Text, which is UTF-8 here, as it is sent.
    #[must_use]
    pub fn encoded(self, text: &[u8]) -> Cow<'_, [u8]> {
        if text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let replaced = |keep: fn(char) -> bool| {
            let text = String::from_utf8_lossy(text);
            let kept: String = text.chars().map(|c| if keep(c) { c } else { '?' }).collect();
            Cow::Owned(kept.into_bytes())
        };
        match self {
            Self::Utf8 { .. } | Self::AsStored => Cow::Borrowed(text),
            Self::Utf8mb3 { .. } => replaced(|c| c.len_utf8() < 4),
            Self::Ascii { .. } => replaced(|c| c.is_ascii()),
            Self::Latin1 { .. } => Cow::Owned(charset::encode_latin1(&String::from_utf8_lossy(text))),
        }
    }

    /// Bytes of a character at most, by which mysqld multiplies lengths.
    #[must_use]
    pub const fn width(self) -> u32 {
        match self {
            Self::Utf8 { .. } | Self::AsStored => 4,
            Self::Utf8mb3 { .. } => 3,
            Self::Latin1 { .. } | Self::Ascii { .. } => 1,
        }
    }
}

/// The character set and the name of a collation by its number, as MySQL numbers them.
pub(super) fn by_id(id: u16) -> Option<(&'static str, &'static str)> {
    let found = Collation::resolve(CollationId::from(id));
    (found.id != CollationId::UNKNOWN_COLLATION_ID).then_some((found.charset, found.collation))
}

/// The character set, the name and the number of a collation by its name; `utf8_...` is the old name of `utf8mb3_...`.
pub(super) fn by_name(name: &str) -> Option<(&'static str, &'static str, u16)> {
    let name = name.strip_prefix("utf8_").map_or_else(|| name.to_owned(), |rest| format!("utf8mb3_{rest}"));
    let id = CollationId::from(name.as_str()) as u16;
    by_id(id).map(|(charset, collation)| (charset, collation, id))
}

/// The collation that a character set has when none is named.
pub(super) fn default_collation(charset: &str) -> Option<(&'static str, u16)> {
    let name = match charset {
        "utf8mb4" => "utf8mb4_0900_ai_ci",
        "utf8mb3" | "utf8" => "utf8mb3_general_ci",
        "latin1" => "latin1_swedish_ci",
        "ascii" => "ascii_general_ci",
        "binary" => "binary",
        _ => return None,
    };
    by_name(name).map(|(_, name, id)| (name, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_characters_that_a_set_does_not_have() {
        for (charset, want) in [
            ("utf8mb4", "a ü Ω 😀".as_bytes()),
            ("utf8mb3", "a ü Ω ?".as_bytes()),
            ("utf8", "a ü Ω ?".as_bytes()),
            ("latin1", b"a \xfc ? ?"),
            ("ascii", b"a ? ? ?"),
            ("binary", "a ü Ω 😀".as_bytes()),
        ] {
            let set = ResultCharset::of(charset, 1).unwrap();
            assert_eq!(set.encoded("a ü Ω 😀".as_bytes()), want, "{charset}");
        }
        assert_eq!(ResultCharset::of("cp1251", 51), None);
    }

    #[test]
    fn ok_collations() {
        for (name, charset, id) in [
            ("utf8mb4_0900_ai_ci", "utf8mb4", 255),
            ("utf8mb4_general_ci", "utf8mb4", 45),
            ("utf8mb4_bin", "utf8mb4", 46),
            ("utf8mb4_unicode_ci", "utf8mb4", 224),
            ("utf8mb4_ja_0900_as_cs", "utf8mb4", 303),
            ("utf8_general_ci", "utf8mb3", 33),
            ("utf8mb3_bin", "utf8mb3", 83),
            ("latin1_swedish_ci", "latin1", 8),
            ("cp1251_general_ci", "cp1251", 51),
            ("binary", "binary", 63),
        ] {
            let full = name.replace("utf8_", "utf8mb3_");
            assert_eq!(by_name(name), Some((charset, by_id(id).unwrap().1, id)), "{name}");
            assert_eq!(by_id(id), Some((charset, by_name(&full).unwrap().1)), "{name}");
        }
        assert_eq!((by_id(0), by_name("nosuch_ci")), (None, None));
        for charset in ["utf8mb4", "utf8mb3", "latin1", "ascii", "binary"] {
            let (name, id) = default_collation(charset).unwrap();
            assert_eq!(by_id(id), Some((charset, name)));
        }
    }
}
