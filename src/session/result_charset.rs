//! The character set that results go out in (`character_set_results`), as seen on MySQL 9.7: what is declared, and how text is converted.

use crate::charset;
use crate::column::{Column, ColumnType};
use mysql_common::collations::{Collation, CollationId};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The collation id of bytes.
pub const BINARY: u16 = 63;

/// The character set that text goes out in. The collation id is that of the handshake or of `SET NAMES ... COLLATE ...`, else the set's default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultCharset {
    /// utf8mb4.
    Utf8 {
        /// Collation id to declare for text columns.
        collation_id: u16,
    },
    /// utf8mb3: a character beyond U+FFFF becomes `?`.
    Utf8Mb3 {
        /// Collation id to declare for text columns.
        collation_id: u16,
    },
    /// latin1: a character that it does not have becomes `?`.
    Latin1 {
        /// Collation id to declare for text columns.
        collation_id: u16,
    },
    /// binary: each column's bytes as they are stored, declared as bytes.
    Binary,
    /// NULL: each column's bytes as they are stored, under its own collation.
    AsStored,
}

impl ResultCharset {
    /// That of a collation; `None`: results are not converted to its character set by this version.
    #[must_use]
    pub fn of_collation(collation_id: u16) -> Option<Self> {
        if collation_id == BINARY {
            return Some(Self::Binary);
        }
        match Collation::from(CollationId::from(collation_id)).charset() {
            "utf8mb4" => Some(Self::Utf8 { collation_id }),
            "utf8mb3" | "utf8" => Some(Self::Utf8Mb3 { collation_id }),
            "latin1" => Some(Self::Latin1 { collation_id }),
            _ => None,
        }
    }

    /// The same set under a collation of a SET NAMES; as it is where the collation is of another.
    #[must_use]
    pub fn with_collation(self, name: &str) -> Self {
        let other = collation_id(name).and_then(Self::of_collation);
        other.filter(|o| std::mem::discriminant(o) == std::mem::discriminant(&self)).unwrap_or(self)
    }

    /// Its name, as `@@character_set_results` has it.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Utf8 { .. } => Some("utf8mb4"),
            Self::Utf8Mb3 { .. } => Some("utf8mb3"),
            Self::Latin1 { .. } => Some("latin1"),
            Self::Binary => Some("binary"),
            Self::AsStored => None,
        }
    }

    /// A cell (UTF-8, for text) as the client gets it. JSON is text to this, though it is declared as bytes.
    #[must_use]
    pub fn encode<'a>(self, cell: &'a [u8], column: &Column) -> Cow<'a, [u8]> {
        let json = column.ty == ColumnType::Json;
        if cell.is_ascii() && !self.is_as_stored() || !(json || column.collation.is_some()) {
            return Cow::Borrowed(cell);
        }
        match self {
            Self::Utf8 { .. } => Cow::Borrowed(cell),
            Self::Utf8Mb3 { .. } => charset::encode_utf8mb3(cell),
            Self::Latin1 { .. } => Cow::Owned(charset::encode_latin1(&String::from_utf8_lossy(cell))),
            Self::Binary | Self::AsStored if json => Cow::Borrowed(cell),
            Self::Binary | Self::AsStored => charset::encode(column.charset().unwrap_or("utf8mb4"), cell),
        }
    }

    fn is_as_stored(self) -> bool {
        matches!(self, Self::Binary | Self::AsStored)
    }
}

/// The id of a collation by its name; `None`: not known to this version.
#[must_use]
pub fn collation_id(name: &str) -> Option<u16> {
    // Not all ids are taken; MySQL's end at 323.
    static IDS: LazyLock<HashMap<String, u16>> = LazyLock::new(|| {
        let known = (1..=400).map(|id| (id, Collation::from(CollationId::from(id))));
        known
            .filter(|(_, c)| c.id() != CollationId::UNKNOWN_COLLATION_ID)
            .map(|(id, c)| (c.collation().to_owned(), id))
            .collect()
    });
    // MySQL 5.7 and MariaDB's old mode write utf8 for utf8mb3.
    let name =
        name.strip_prefix("utf8_").map_or(Cow::Borrowed(name), |rest| Cow::Owned(format!("utf8mb3_{rest}")));
    IDS.get(name.as_ref())
        .or_else(|| {
            // A collation that only MariaDB has (nopad, uca1400): its set's first one says how the bytes are read.
            let default = match name.split('_').next()? {
                "utf8mb4" => "utf8mb4_general_ci",
                "utf8mb3" => "utf8mb3_general_ci",
                "latin1" => "latin1_swedish_ci",
                "ascii" => "ascii_general_ci",
                "ucs2" => "ucs2_general_ci",
                "utf16" => "utf16_general_ci",
                _ => return None,
            };
            IDS.get(default)
        })
        .copied()
}

/// The name of a collation that results can go out in.
pub(super) fn collation_name(collation_id: u16) -> Option<String> {
    ResultCharset::of_collation(collation_id)?;
    Some(Collation::from(CollationId::from(collation_id)).collation().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::ColumnKey;

    fn column(ty: &str, collation: Option<&str>) -> Column {
        Column {
            name: "c".to_owned(),
            ty: ty.parse().unwrap(),
            collation: collation.map(str::to_owned),
            nullable: true,
            key: ColumnKey::None,
            indexes: crate::column::Indexes::default(),
            auto_increment: false,
            on_update_now: false,
            has_default: true,
            default_now: false,
        }
    }

    /// What MySQL 9.7 sends for `é😀Ω` and `é€` under SET character_set_results.
    #[test]
    fn ok_text_is_converted_as_mysql_does() {
        let (wide, narrow) = ("é😀Ω".as_bytes(), "é€".as_bytes());
        let utf8 = ResultCharset::Utf8 { collation_id: 255 };
        let mb3 = ResultCharset::Utf8Mb3 { collation_id: 33 };
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
        ] {
            assert_eq!(set.encode(text, column).as_ref(), sent, "{set:?} {}", column.ty);
        }
    }

    #[test]
    fn ok_collations_by_id_and_name() {
        assert_eq!(ResultCharset::of_collation(46), Some(ResultCharset::Utf8 { collation_id: 46 }));
        assert_eq!(ResultCharset::of_collation(33), Some(ResultCharset::Utf8Mb3 { collation_id: 33 }));
        assert_eq!(ResultCharset::of_collation(47), Some(ResultCharset::Latin1 { collation_id: 47 }));
        assert_eq!(ResultCharset::of_collation(63), Some(ResultCharset::Binary));
        assert_eq!(ResultCharset::of_collation(1), None, "big5");
        let utf8 = ResultCharset::Utf8 { collation_id: 255 };
        assert_eq!(utf8.with_collation("utf8mb4_bin"), ResultCharset::Utf8 { collation_id: 46 });
        assert_eq!(utf8.with_collation("latin1_bin"), utf8);
        for (name, id) in [
            ("utf8mb4_0900_ai_ci", Some(255)),
            ("utf8_general_ci", Some(33)),
            ("utf16_general_ci", Some(54)),
            ("utf8mb4_uca1400_ai_ci", Some(45)),
            ("klingon_ci", None),
        ] {
            assert_eq!(collation_id(name), id, "{name}");
        }
    }
}
