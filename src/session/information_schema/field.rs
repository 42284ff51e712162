//! A column of a table of information_schema: its declaration, and what it is in an expression.

use dbtrail_expression::{Coercibility, Collated, ExprType, Type};
use dbtrail_types::column::{Column, ColumnType, IntSize, LobSize};

/// Collations: of names of schemas and tables, of names of columns and indexes, and of the rest.
pub(super) const BINARY: &str = "utf8mb3_bin";

pub(super) const LOWER: &str = "utf8mb3_tolower_ci";

pub(super) const UPPER: &str = "utf8mb3_general_ci";

/// A column.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    shape: Shape,
    order: Option<&'static str>,
    nullable: bool,
}

#[derive(Debug)]
enum Shape {
    Text(u32),
    /// ENUM and SET in mysqld, which drivers see as CHAR.
    Word(u32),
    Long(LobSize),
    Int {
        size: IntSize,
        unsigned: bool,
        width: Option<u8>,
    },
    Time,
    Stamp {
        fsp: u8,
    },
}

const fn field(name: &'static str, shape: Shape, order: Option<&'static str>) -> Field {
    Field { name, shape, order, nullable: false }
}

pub(super) const fn text(name: &'static str, chars: u32, order: &'static str) -> Field {
    field(name, Shape::Text(chars), Some(order))
}

pub(super) const fn word(name: &'static str, chars: u32, order: &'static str) -> Field {
    field(name, Shape::Word(chars), Some(order))
}

pub(super) const fn long(name: &'static str, size: LobSize, order: &'static str) -> Field {
    field(name, Shape::Long(size), Some(order))
}

pub(super) const fn int(name: &'static str) -> Field {
    field(name, Shape::Int { size: IntSize::Int, unsigned: false, width: None }, None)
}

/// INT, declared narrower than it is.
pub(super) const fn narrow(name: &'static str, width: u8) -> Field {
    field(name, Shape::Int { size: IntSize::Int, unsigned: false, width: Some(width) }, None)
}

pub(super) const fn natural(name: &'static str) -> Field {
    field(name, Shape::Int { size: IntSize::Int, unsigned: true, width: None }, None)
}

pub(super) const fn big(name: &'static str, width: u8) -> Field {
    field(name, Shape::Int { size: IntSize::Big, unsigned: false, width: Some(width) }, None)
}

pub(super) const fn unsigned(name: &'static str, width: u8) -> Field {
    field(name, Shape::Int { size: IntSize::Big, unsigned: true, width: Some(width) }, None)
}

pub(super) const fn time(name: &'static str) -> Field {
    field(name, Shape::Time, Some(BINARY))
}

pub(super) const fn stamp(name: &'static str, fsp: u8) -> Field {
    field(name, Shape::Stamp { fsp }, Some(BINARY))
}

impl Field {
    pub(super) const fn or_null(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// The labels of an ENUM, in whose order its values sort. Those of other such columns are never
    /// shown here.
    pub(super) fn labels(&self) -> &'static [&'static str] {
        match self.name {
            "TABLE_TYPE" => &["BASE TABLE", "VIEW", "SYSTEM VIEW"],
            "COLUMN_KEY" => &["", "PRI", "UNI", "MUL"],
            "PAD_ATTRIBUTE" => &["PAD SPACE", "NO PAD"],
            _ => &[],
        }
    }

    /// What it is in an expression.
    pub(super) fn ty(&self) -> Type {
        let kind = match self.order {
            None => {
                let unsigned = matches!(self.shape, Shape::Int { unsigned: true, .. });
                // INT UNSIGNED: with a signed number it makes a BIGINT and no DECIMAL.
                let short = matches!(self.shape, Shape::Int { size: IntSize::Int, unsigned: true, .. });
                let width = if short { 10 } else { 21 };
                ExprType::Int { width, unsigned }
            }
            Some(name) => {
                let collated = Collated { name, coercibility: Coercibility::Implicit };
                ExprType::Text { chars: self.chars(), collated }
            }
        };
        Type::new(kind, self.nullable)
    }

    fn chars(&self) -> u32 {
        match self.shape {
            Shape::Text(chars) | Shape::Word(chars) => chars,
            Shape::Long(_) => u32::MAX,
            Shape::Int { .. } => 21,
            Shape::Time => 19,
            Shape::Stamp { fsp } => 20 + u32::from(fsp),
        }
    }

    /// Its declaration, in a result and in COLUMNS.
    pub(super) fn column(&self) -> Column {
        let (ty, text) = match self.shape {
            Shape::Text(chars) => (ColumnType::VarChar { chars }, true),
            Shape::Word(chars) => (ColumnType::Char { chars }, true),
            Shape::Long(size) => (ColumnType::Text { size }, true),
            Shape::Int { size, unsigned, width } => {
                (ColumnType::Int { size, unsigned, zerofill: false, display_width: width }, false)
            }
            Shape::Time => (ColumnType::DateTime { fsp: 0 }, false),
            Shape::Stamp { fsp } => (ColumnType::Timestamp { fsp }, false),
        };
        let collation = self.order.unwrap_or(UPPER);
        Column::new(self.name.to_owned(), ty, text.then(|| collation.to_owned()), self.nullable)
    }
}
