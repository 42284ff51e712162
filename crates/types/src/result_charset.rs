//! The character set that text goes out in, and the collations by number and by name.

use crate::charset;
use crate::column::{Column, ColumnType};
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
    /// binary: each column's bytes as they are stored, declared as bytes.
    Binary,
    /// NULL: each column's bytes as they are stored, under its own collation.
    AsStored,
}

impl ResultCharset {
    /// Of a character set by name; `None`: text cannot be sent in it.
    #[must_use]
    pub fn of(charset: &str, collation_id: u16) -> Option<Self> {
        Some(match charset {
            "utf8mb4" => Self::Utf8 { collation_id },
            "utf8mb3" | "utf8" => Self::Utf8mb3 { collation_id },
            "latin1" => Self::Latin1 { collation_id },
            "ascii" => Self::Ascii { collation_id },
            "binary" => Self::Binary,
            _ => return None,
        })
    }

    /// A cell (UTF-8, for text) as the client gets it. JSON is text to this, though it is declared
    /// as bytes.
    #[must_use]
    pub fn encode<'a>(self, cell: &'a [u8], column: &Column) -> Cow<'a, [u8]> {
        if matches!(self, Self::Utf8 { .. }) {
            return Cow::Borrowed(cell);
        }
        let json = column.ty == ColumnType::Json;
        let as_stored = matches!(self, Self::Binary | Self::AsStored);
        if cell.is_ascii() && !as_stored || !(json || column.collation.is_some()) {
            return Cow::Borrowed(cell);
        }
        match self {
            Self::Utf8 { .. } => Cow::Borrowed(cell),
            Self::Utf8mb3 { .. } => charset::encode_utf8mb3(cell),
            Self::Latin1 { .. } => Cow::Owned(charset::encode_latin1(&String::from_utf8_lossy(cell))),
            Self::Ascii { .. } => {
                let text = String::from_utf8_lossy(cell);
                Cow::Owned(text.chars().map(|c| if c.is_ascii() { c as u8 } else { b'?' }).collect())
            }
            Self::Binary | Self::AsStored if json => Cow::Borrowed(cell),
            Self::Binary | Self::AsStored => charset::encode(column.charset().unwrap_or("utf8mb4"), cell),
        }
    }
}

/// The character set and the name of a collation by its number, as MySQL numbers them.
#[must_use]
pub fn by_id(id: u16) -> Option<(&'static str, &'static str)> {
    let found = Collation::resolve(CollationId::from(id));
    (found.id != CollationId::UNKNOWN_COLLATION_ID).then_some((found.charset, found.collation))
}

/// The character set, the name and the number of a collation by its name; `utf8_...` is the old
/// name of `utf8mb3_...`.
#[must_use]
pub fn by_name(name: &str) -> Option<(&'static str, &'static str, u16)> {
    let name = name.strip_prefix("utf8_").map_or_else(|| name.to_owned(), |rest| format!("utf8mb3_{rest}"));
    let id = CollationId::from(name.as_str()) as u16;
    by_id(id).map(|(charset, collation)| (charset, collation, id))
}

/// The collation that a character set has when none is named.
#[must_use]
pub fn default_collation(charset: &str) -> Option<(&'static str, u16)> {
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

/// The number of a collation by its name; `None`: not known to this version.
#[must_use]
pub fn collation_id(name: &str) -> Option<u16> {
    by_name(name).map(|(.., id)| id).or_else(|| {
        // A collation that only MariaDB has (nopad, uca1400): a plain one of its set says how the
        // bytes are read.
        let charset = match name.split('_').next()? {
            // It has one that is called general too.
            "latin1" => return by_name("latin1_swedish_ci").map(|(.., id)| id),
            charset => charset,
        };
        PLAIN.iter().find_map(|plain| by_name(&format!("{charset}_{plain}"))).map(|(.., id)| id)
    })
}

/// What the plain collations of MySQL's character sets are called, each set's first one.
const PLAIN: [&str; 8] = [
    "general_ci",
    "swedish_ci",
    "chinese_ci",
    "japanese_ci",
    "korean_ci",
    "turkish_ci",
    "english_ci",
    "thai_ci",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn column(ty: &str, collation: Option<&str>) -> Column {
        Column::new("c".to_owned(), ty.parse().unwrap(), collation.map(str::to_owned), true)
    }

    /// What MySQL 9.7 sends for `é😀Ω` and `é€` under SET character_set_results.
    #[test]
    fn ok_text_is_converted_as_mysql_does() {
        let (wide, narrow) = ("é😀Ω".as_bytes(), "é€".as_bytes());
        let utf8 = ResultCharset::Utf8 { collation_id: 255 };
        let mb3 = ResultCharset::Utf8mb3 { collation_id: 33 };
        let latin1 = ResultCharset::Latin1 { collation_id: 8 };
        let mb4_column = column("varchar(20)", Some("utf8mb4_0900_ai_ci"));
        let latin1_column = column("varchar(20)", Some("latin1_swedish_ci"));
        let ucs2_column = column("varchar(9)", Some("ucs2_general_ci"));
        let json = column("json", None);
        let bytes = column("varbinary(9)", None);
        for (set, column, text, sent) in [
            (utf8, &mb4_column, wide, wide),
            (mb3, &mb4_column, wide, "é?Ω".as_bytes()),
            (latin1, &mb4_column, wide, b"\xe9??"),
            (latin1, &latin1_column, narrow, b"\xe9\x80"),
            (ResultCharset::AsStored, &latin1_column, narrow, b"\xe9\x80"),
            (ResultCharset::Binary, &latin1_column, narrow, b"\xe9\x80"),
            (ResultCharset::AsStored, &ucs2_column, narrow, b"\x00\xe9\x20\xac"),
            (ResultCharset::AsStored, &ucs2_column, b"a", b"\x00a"),
            (ResultCharset::AsStored, &mb4_column, wide, wide),
            (mb3, &json, wide, "é?Ω".as_bytes()),
            (latin1, &json, wide, b"\xe9??"),
            (ResultCharset::Binary, &json, wide, wide),
            (latin1, &bytes, wide, wide),
            (ResultCharset::Ascii { collation_id: 11 }, &mb4_column, narrow, b"??"),
        ] {
            assert_eq!(set.encode(text, column).as_ref(), sent, "{set:?} {}", column.ty);
        }
        assert_eq!(ResultCharset::of("cp1251", 51), None);
        assert_eq!(ResultCharset::of("binary", 63), Some(ResultCharset::Binary));
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
