//! Columns and table definitions as MySQL declares them.
//!
//! Both halves of the project read a type from its full text (`int unsigned zerofill`,
//! `enum('a','b')`) and print it back the way `information_schema.COLUMNS.COLUMN_TYPE` of MySQL 8
//! shows it. This module knows no packets and no JSON layout of cells.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

mod family;
mod size;
mod text;
pub use family::Family;
pub use text::NotAType;

/// Width in bytes of an integer type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IntSize {
    /// TINYINT, 1 byte.
    Tiny,
    /// SMALLINT, 2 bytes.
    Small,
    /// MEDIUMINT, 3 bytes.
    Medium,
    /// INT, 4 bytes.
    Int,
    /// BIGINT, 8 bytes.
    Big,
}

/// The four sizes of TEXT and BLOB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LobSize {
    /// TINYTEXT, TINYBLOB: length in 1 byte.
    Tiny,
    /// TEXT, BLOB: 2 bytes.
    Normal,
    /// MEDIUMTEXT, MEDIUMBLOB: 3 bytes.
    Medium,
    /// LONGTEXT, LONGBLOB: 4 bytes.
    Long,
}

/// A column type with everything that changes a value's text or its declaration. The character set
/// and collation are beside it, in [`Column`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants and fields are MySQL's own type names and attributes")]
pub enum ColumnType {
    Int {
        size: IntSize,
        unsigned: bool,
        zerofill: bool,
        display_width: Option<u8>,
    },
    Decimal {
        precision: u8,
        scale: u8,
        unsigned: bool,
        zerofill: bool,
    },
    Float {
        digits: Option<(u8, u8)>,
        unsigned: bool,
        zerofill: bool,
    },
    Double {
        digits: Option<(u8, u8)>,
        unsigned: bool,
        zerofill: bool,
    },
    Bit {
        bits: u8,
    },
    Year,
    Date,
    Time {
        fsp: u8,
    },
    DateTime {
        fsp: u8,
    },
    Timestamp {
        fsp: u8,
    },
    /// Length in characters.
    Char {
        chars: u32,
    },
    /// Length in characters.
    VarChar {
        chars: u32,
    },
    /// Length in bytes.
    Binary {
        bytes: u32,
    },
    /// Length in bytes.
    VarBinary {
        bytes: u32,
    },
    Text {
        size: LobSize,
    },
    Blob {
        size: LobSize,
    },
    Enum {
        labels: Vec<String>,
    },
    Set {
        labels: Vec<String>,
    },
    /// MySQL's JSON. MariaDB's `JSON` is `Text { size: Long }` with collation `utf8mb4_bin`.
    Json,
    /// GEOMETRY, POINT, LINESTRING...: the name in lower case.
    Geometry {
        kind: String,
    },
    /// MySQL 9 VECTOR(n), MariaDB 11.7 VECTOR(n).
    Vector {
        dimensions: u32,
    },
    /// MariaDB UUID.
    Uuid,
    /// MariaDB INET4.
    Inet4,
    /// MariaDB INET6.
    Inet6,
}

/// What `SHOW COLUMNS` calls the key of a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKey {
    /// In no index, or not first in one.
    #[default]
    None,
    /// Part of the primary key.
    Primary,
    /// The first column of a unique index.
    Unique,
    /// The first column of another index.
    Multiple,
}

/// The indexes that a column is in, the primary key apart, as a column definition packet tells
/// them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Indexes {
    /// It makes up a unique index alone.
    #[serde(default)]
    pub unique: bool,
    /// It is the first column of another index.
    #[serde(default)]
    pub multiple: bool,
    /// It is in an index, at any position.
    #[serde(default)]
    pub part: bool,
}

impl Indexes {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference")]
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// One column of a table, at some instant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Column {
    /// Its name, as declared.
    pub name: String,
    /// Its type; in JSON the full text of it.
    #[serde(rename = "type")]
    pub ty: ColumnType,
    /// Its collation, for text, ENUM and SET (`utf8mb4_0900_ai_ci`); `None` for numbers, times and
    /// binary types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Its position in the indexes.
    #[serde(default)]
    pub key: ColumnKey,
    /// The indexes it is in, of which `key` names the strongest.
    #[serde(default, skip_serializing_if = "Indexes::is_none")]
    pub indexes: Indexes,
    /// AUTO_INCREMENT.
    #[serde(default)]
    pub auto_increment: bool,
    /// ON UPDATE CURRENT_TIMESTAMP.
    #[serde(default)]
    pub on_update_now: bool,
    /// Whether an INSERT may leave it out (a DEFAULT, a nullable column without one,
    /// AUTO_INCREMENT).
    #[serde(default)]
    pub has_default: bool,
    /// DEFAULT CURRENT_TIMESTAMP.
    #[serde(default)]
    pub default_now: bool,
    /// INVISIBLE: `SELECT *` leaves it out, and it can be asked for by name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invisible: bool,
    /// Its type as the server shows it, where that differs from `ty`: MariaDB tells display widths
    /// (`int(11)`), which change no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_type: Option<String>,
}

impl Column {
    /// A column of no key and without anything else that is special.
    #[must_use]
    pub fn new(name: String, ty: ColumnType, collation: Option<String>, nullable: bool) -> Self {
        Self {
            name,
            ty,
            collation,
            nullable,
            key: ColumnKey::None,
            indexes: Indexes::default(),
            auto_increment: false,
            on_update_now: false,
            has_default: true,
            default_now: false,
            invisible: false,
            shown_type: None,
        }
    }

    /// The character set: the first word of the collation. `None` where there is no collation
    /// (numbers, times, binary).
    #[must_use]
    pub fn charset(&self) -> Option<&str> {
        self.collation.as_deref().map(|c| c.split_once('_').map_or(c, |(charset, _)| charset))
    }
}

/// The columns of a table and its primary key, at some instant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TableDefinition {
    /// In their order then, invisible ones among them (see [`Column::invisible`]). An older agent
    /// leaves those out.
    pub columns: Vec<Column>,
    /// Names of the key columns in key order; empty when the table has no primary key.
    pub primary_key: Vec<String>,
}

impl TableDefinition {
    /// The position of a column; names compare without regard to case, as in MySQL.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| same_name(&c.name, name))
    }

    /// The key columns, in key order. Empty when there is no key.
    #[must_use]
    pub fn key_columns(&self) -> Vec<&Column> {
        self.primary_key.iter().filter_map(|n| self.position(n)).map(|i| &self.columns[i]).collect()
    }
}

/// Whether two column names are the same to MySQL, which compares them without regard to case.
#[must_use]
pub fn same_name(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

impl Serialize for ColumnType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ColumnType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
