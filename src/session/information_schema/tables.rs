//! The tables of information_schema that clients ask for: columns, their order and their types are
//! those of MySQL 8.0 and 9.7.
//!
//! Where mysqld always knows a value and an agent does not, the column is nullable here.

use dbtrail_expression::{Coercibility, Collated, ExprType, Type};
use dbtrail_types::column::{Column, ColumnType, IntSize, LobSize};

/// Collations: of names of schemas and tables, of names of columns and indexes, and of the rest.
const BINARY: &str = "utf8mb3_bin";
const LOWER: &str = "utf8mb3_tolower_ci";
const UPPER: &str = "utf8mb3_general_ci";

/// A table of information_schema.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) content: Content,
    pub(super) fields: &'static [Field],
}

/// What its rows are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    CharacterSets,
    Collations,
    Applicability,
    Engines,
    Keywords,
    /// A row a schema.
    Schemata,
    /// A row a table.
    Tables,
    /// The rest need definitions: a row a column,
    Columns,
    /// a row a column of a primary key,
    Statistics,
    KeyColumnUsage,
    /// a row a primary key.
    TableConstraints,
    /// This server has none of it.
    Nothing,
}

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

const fn text(name: &'static str, chars: u32, order: &'static str) -> Field {
    field(name, Shape::Text(chars), Some(order))
}

const fn word(name: &'static str, chars: u32, order: &'static str) -> Field {
    field(name, Shape::Word(chars), Some(order))
}

const fn long(name: &'static str, size: LobSize, order: &'static str) -> Field {
    field(name, Shape::Long(size), Some(order))
}

const fn int(name: &'static str) -> Field {
    field(name, Shape::Int { size: IntSize::Int, unsigned: false, width: None }, None)
}

/// INT, declared narrower than it is.
const fn narrow(name: &'static str, width: u8) -> Field {
    field(name, Shape::Int { size: IntSize::Int, unsigned: false, width: Some(width) }, None)
}

const fn natural(name: &'static str) -> Field {
    field(name, Shape::Int { size: IntSize::Int, unsigned: true, width: None }, None)
}

const fn big(name: &'static str, width: u8) -> Field {
    field(name, Shape::Int { size: IntSize::Big, unsigned: false, width: Some(width) }, None)
}

const fn unsigned(name: &'static str, width: u8) -> Field {
    field(name, Shape::Int { size: IntSize::Big, unsigned: true, width: Some(width) }, None)
}

const fn time(name: &'static str) -> Field {
    field(name, Shape::Time, Some(BINARY))
}

const fn stamp(name: &'static str, fsp: u8) -> Field {
    field(name, Shape::Stamp { fsp }, Some(BINARY))
}

impl Field {
    const fn or_null(self) -> Self {
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

impl Table {
    /// Views of mysqld show their columns' names as they are; these are none, and show them as the
    /// statement has them.
    pub(super) fn shows_names_as_written(&self) -> bool {
        matches!(self.name, "ENGINES" | "COLUMN_PRIVILEGES" | "SCHEMA_PRIVILEGES" | "TABLE_PRIVILEGES")
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.name.eq_ignore_ascii_case(name))
    }
}

/// The table of this name, in any case.
pub(super) fn find(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|t| t.name.eq_ignore_ascii_case(name))
}

/// All of them, by name.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "CHARACTER_SETS",
        content: Content::CharacterSets,
        fields: &[
            text("CHARACTER_SET_NAME", 64, UPPER),
            text("DEFAULT_COLLATE_NAME", 64, UPPER),
            text("DESCRIPTION", 2048, UPPER),
            natural("MAXLEN"),
        ],
    },
    Table {
        name: "CHECK_CONSTRAINTS",
        content: Content::Nothing,
        fields: &[
            text("CONSTRAINT_CATALOG", 64, BINARY),
            text("CONSTRAINT_SCHEMA", 64, BINARY),
            text("CONSTRAINT_NAME", 64, LOWER),
            long("CHECK_CLAUSE", LobSize::Long, BINARY),
        ],
    },
    Table {
        name: "COLLATIONS",
        content: Content::Collations,
        fields: &[
            text("COLLATION_NAME", 64, UPPER),
            text("CHARACTER_SET_NAME", 64, UPPER),
            unsigned("ID", 20),
            text("IS_DEFAULT", 3, UPPER),
            text("IS_COMPILED", 3, UPPER),
            natural("SORTLEN"),
            word("PAD_ATTRIBUTE", 9, BINARY),
        ],
    },
    Table {
        name: "COLLATION_CHARACTER_SET_APPLICABILITY",
        content: Content::Applicability,
        fields: &[text("COLLATION_NAME", 64, UPPER), text("CHARACTER_SET_NAME", 64, UPPER)],
    },
    Table {
        name: "COLUMNS",
        content: Content::Columns,
        fields: &[
            text("TABLE_CATALOG", 64, BINARY),
            text("TABLE_SCHEMA", 64, BINARY),
            text("TABLE_NAME", 64, BINARY),
            text("COLUMN_NAME", 64, LOWER).or_null(),
            natural("ORDINAL_POSITION"),
            long("COLUMN_DEFAULT", LobSize::Normal, BINARY).or_null(),
            text("IS_NULLABLE", 3, UPPER),
            long("DATA_TYPE", LobSize::Long, BINARY).or_null(),
            big("CHARACTER_MAXIMUM_LENGTH", 21).or_null(),
            big("CHARACTER_OCTET_LENGTH", 21).or_null(),
            natural("NUMERIC_PRECISION").or_null(),
            natural("NUMERIC_SCALE").or_null(),
            natural("DATETIME_PRECISION").or_null(),
            text("CHARACTER_SET_NAME", 64, UPPER).or_null(),
            text("COLLATION_NAME", 64, UPPER).or_null(),
            long("COLUMN_TYPE", LobSize::Medium, BINARY),
            word("COLUMN_KEY", 3, BINARY),
            text("EXTRA", 256, UPPER).or_null(),
            text("PRIVILEGES", 154, UPPER).or_null(),
            text("COLUMN_COMMENT", 2048, BINARY),
            long("GENERATION_EXPRESSION", LobSize::Long, BINARY),
            natural("SRS_ID").or_null(),
        ],
    },
    Table {
        name: "COLUMN_PRIVILEGES",
        content: Content::Nothing,
        fields: &[
            text("GRANTEE", 292, UPPER),
            text("TABLE_CATALOG", 512, UPPER),
            text("TABLE_SCHEMA", 64, UPPER),
            text("TABLE_NAME", 64, UPPER),
            text("COLUMN_NAME", 64, UPPER),
            text("PRIVILEGE_TYPE", 64, UPPER),
            text("IS_GRANTABLE", 3, UPPER),
        ],
    },
    Table {
        name: "ENGINES",
        content: Content::Engines,
        fields: &[
            text("ENGINE", 64, UPPER),
            text("SUPPORT", 8, UPPER),
            text("COMMENT", 80, UPPER),
            text("TRANSACTIONS", 3, UPPER).or_null(),
            text("XA", 3, UPPER).or_null(),
            text("SAVEPOINTS", 3, UPPER).or_null(),
        ],
    },
    Table {
        name: "EVENTS",
        content: Content::Nothing,
        fields: &[
            text("EVENT_CATALOG", 64, BINARY),
            text("EVENT_SCHEMA", 64, BINARY),
            text("EVENT_NAME", 64, UPPER),
            text("DEFINER", 288, BINARY),
            text("TIME_ZONE", 64, BINARY),
            text("EVENT_BODY", 3, UPPER),
            long("EVENT_DEFINITION", LobSize::Long, BINARY),
            text("EVENT_TYPE", 9, UPPER),
            time("EXECUTE_AT").or_null(),
            text("INTERVAL_VALUE", 256, UPPER).or_null(),
            word("INTERVAL_FIELD", 18, BINARY).or_null(),
            word("SQL_MODE", 546, BINARY),
            time("STARTS").or_null(),
            time("ENDS").or_null(),
            text("STATUS", 21, BINARY),
            text("ON_COMPLETION", 12, UPPER),
            stamp("CREATED", 0),
            stamp("LAST_ALTERED", 0),
            time("LAST_EXECUTED").or_null(),
            text("EVENT_COMMENT", 2048, BINARY),
            natural("ORIGINATOR"),
            text("CHARACTER_SET_CLIENT", 64, UPPER),
            text("COLLATION_CONNECTION", 64, UPPER),
            text("DATABASE_COLLATION", 64, UPPER),
        ],
    },
    Table {
        name: "FILES",
        content: Content::Nothing,
        fields: &[
            big("FILE_ID", 21).or_null(),
            long("FILE_NAME", LobSize::Normal, BINARY).or_null(),
            text("FILE_TYPE", 256, UPPER).or_null(),
            text("TABLESPACE_NAME", 268, BINARY),
            text("TABLE_CATALOG", 0, UPPER),
            text("TABLE_SCHEMA", 0, UPPER).or_null(),
            text("TABLE_NAME", 0, UPPER).or_null(),
            text("LOGFILE_GROUP_NAME", 256, UPPER).or_null(),
            big("LOGFILE_GROUP_NUMBER", 21).or_null(),
            text("ENGINE", 64, UPPER),
            text("FULLTEXT_KEYS", 0, UPPER).or_null(),
            text("DELETED_ROWS", 0, UPPER).or_null(),
            text("UPDATE_COUNT", 0, UPPER).or_null(),
            big("FREE_EXTENTS", 21).or_null(),
            big("TOTAL_EXTENTS", 21).or_null(),
            big("EXTENT_SIZE", 21).or_null(),
            big("INITIAL_SIZE", 21).or_null(),
            big("MAXIMUM_SIZE", 21).or_null(),
            big("AUTOEXTEND_SIZE", 21).or_null(),
            text("CREATION_TIME", 0, UPPER).or_null(),
            text("LAST_UPDATE_TIME", 0, UPPER).or_null(),
            text("LAST_ACCESS_TIME", 0, UPPER).or_null(),
            text("RECOVER_TIME", 0, UPPER).or_null(),
            text("TRANSACTION_COUNTER", 0, UPPER).or_null(),
            big("VERSION", 21).or_null(),
            text("ROW_FORMAT", 256, UPPER).or_null(),
            text("TABLE_ROWS", 0, UPPER).or_null(),
            text("AVG_ROW_LENGTH", 0, UPPER).or_null(),
            text("DATA_LENGTH", 0, UPPER).or_null(),
            text("MAX_DATA_LENGTH", 0, UPPER).or_null(),
            text("INDEX_LENGTH", 0, UPPER).or_null(),
            big("DATA_FREE", 21).or_null(),
            text("CREATE_TIME", 0, UPPER).or_null(),
            text("UPDATE_TIME", 0, UPPER).or_null(),
            text("CHECK_TIME", 0, UPPER).or_null(),
            text("CHECKSUM", 0, UPPER).or_null(),
            text("STATUS", 256, UPPER).or_null(),
            text("EXTRA", 256, UPPER).or_null(),
        ],
    },
    Table {
        name: "KEYWORDS",
        content: Content::Keywords,
        fields: &[text("WORD", 128, UPPER).or_null(), int("RESERVED").or_null()],
    },
    Table {
        name: "KEY_COLUMN_USAGE",
        content: Content::KeyColumnUsage,
        fields: &[
            text("CONSTRAINT_CATALOG", 64, BINARY),
            text("CONSTRAINT_SCHEMA", 64, BINARY),
            text("CONSTRAINT_NAME", 64, LOWER).or_null(),
            text("TABLE_CATALOG", 64, BINARY),
            text("TABLE_SCHEMA", 64, BINARY),
            text("TABLE_NAME", 64, BINARY),
            text("COLUMN_NAME", 64, LOWER).or_null(),
            natural("ORDINAL_POSITION"),
            natural("POSITION_IN_UNIQUE_CONSTRAINT").or_null(),
            text("REFERENCED_TABLE_SCHEMA", 64, BINARY).or_null(),
            text("REFERENCED_TABLE_NAME", 64, BINARY).or_null(),
            text("REFERENCED_COLUMN_NAME", 64, LOWER).or_null(),
        ],
    },
    Table {
        name: "PARAMETERS",
        content: Content::Nothing,
        fields: &[
            text("SPECIFIC_CATALOG", 64, BINARY),
            text("SPECIFIC_SCHEMA", 64, BINARY),
            text("SPECIFIC_NAME", 64, UPPER),
            unsigned("ORDINAL_POSITION", 11),
            text("PARAMETER_MODE", 5, BINARY).or_null(),
            text("PARAMETER_NAME", 64, UPPER).or_null(),
            long("DATA_TYPE", LobSize::Long, BINARY).or_null(),
            big("CHARACTER_MAXIMUM_LENGTH", 21).or_null(),
            big("CHARACTER_OCTET_LENGTH", 21).or_null(),
            natural("NUMERIC_PRECISION").or_null(),
            big("NUMERIC_SCALE", 10).or_null(),
            natural("DATETIME_PRECISION").or_null(),
            text("CHARACTER_SET_NAME", 64, UPPER).or_null(),
            text("COLLATION_NAME", 64, UPPER).or_null(),
            long("DTD_IDENTIFIER", LobSize::Medium, BINARY),
            word("ROUTINE_TYPE", 9, BINARY),
        ],
    },
    Table {
        name: "PARTITIONS",
        content: Content::Nothing,
        fields: &[
            text("TABLE_CATALOG", 64, BINARY),
            text("TABLE_SCHEMA", 64, BINARY),
            text("TABLE_NAME", 64, BINARY),
            text("PARTITION_NAME", 64, LOWER).or_null(),
            text("SUBPARTITION_NAME", 64, LOWER).or_null(),
            unsigned("PARTITION_ORDINAL_POSITION", 6).or_null(),
            unsigned("SUBPARTITION_ORDINAL_POSITION", 6).or_null(),
            text("PARTITION_METHOD", 13, UPPER).or_null(),
            text("SUBPARTITION_METHOD", 13, UPPER).or_null(),
            text("PARTITION_EXPRESSION", 2048, BINARY).or_null(),
            text("SUBPARTITION_EXPRESSION", 2048, BINARY).or_null(),
            long("PARTITION_DESCRIPTION", LobSize::Normal, BINARY).or_null(),
            unsigned("TABLE_ROWS", 21).or_null(),
            unsigned("AVG_ROW_LENGTH", 21).or_null(),
            unsigned("DATA_LENGTH", 21).or_null(),
            unsigned("MAX_DATA_LENGTH", 21).or_null(),
            unsigned("INDEX_LENGTH", 21).or_null(),
            unsigned("DATA_FREE", 21).or_null(),
            stamp("CREATE_TIME", 0),
            time("UPDATE_TIME").or_null(),
            time("CHECK_TIME").or_null(),
            big("CHECKSUM", 21).or_null(),
            text("PARTITION_COMMENT", 2048, BINARY),
            text("NODEGROUP", 256, UPPER).or_null(),
            text("TABLESPACE_NAME", 268, BINARY).or_null(),
        ],
    },
    Table {
        name: "REFERENTIAL_CONSTRAINTS",
        content: Content::Nothing,
        fields: &[
            text("CONSTRAINT_CATALOG", 64, BINARY),
            text("CONSTRAINT_SCHEMA", 64, BINARY),
            text("CONSTRAINT_NAME", 64, LOWER).or_null(),
            text("UNIQUE_CONSTRAINT_CATALOG", 64, BINARY),
            text("UNIQUE_CONSTRAINT_SCHEMA", 64, BINARY),
            text("UNIQUE_CONSTRAINT_NAME", 64, LOWER).or_null(),
            word("MATCH_OPTION", 7, BINARY),
            word("UPDATE_RULE", 11, BINARY),
            word("DELETE_RULE", 11, BINARY),
            text("TABLE_NAME", 64, BINARY),
            text("REFERENCED_TABLE_NAME", 64, BINARY),
        ],
    },
    Table {
        name: "ROUTINES",
        content: Content::Nothing,
        fields: &[
            text("SPECIFIC_NAME", 64, UPPER),
            text("ROUTINE_CATALOG", 64, BINARY),
            text("ROUTINE_SCHEMA", 64, BINARY),
            text("ROUTINE_NAME", 64, UPPER),
            word("ROUTINE_TYPE", 9, BINARY),
            long("DATA_TYPE", LobSize::Long, BINARY).or_null(),
            big("CHARACTER_MAXIMUM_LENGTH", 21).or_null(),
            big("CHARACTER_OCTET_LENGTH", 21).or_null(),
            natural("NUMERIC_PRECISION").or_null(),
            natural("NUMERIC_SCALE").or_null(),
            natural("DATETIME_PRECISION").or_null(),
            text("CHARACTER_SET_NAME", 64, UPPER).or_null(),
            text("COLLATION_NAME", 64, UPPER).or_null(),
            long("DTD_IDENTIFIER", LobSize::Long, BINARY).or_null(),
            text("ROUTINE_BODY", 8, UPPER),
            long("ROUTINE_DEFINITION", LobSize::Long, BINARY).or_null(),
            text("EXTERNAL_NAME", 0, BINARY).or_null(),
            text("EXTERNAL_LANGUAGE", 64, BINARY),
            text("PARAMETER_STYLE", 3, UPPER),
            text("IS_DETERMINISTIC", 3, UPPER),
            word("SQL_DATA_ACCESS", 17, BINARY),
            text("SQL_PATH", 0, BINARY).or_null(),
            word("SECURITY_TYPE", 7, BINARY),
            stamp("CREATED", 0),
            stamp("LAST_ALTERED", 0),
            word("SQL_MODE", 546, BINARY),
            long("ROUTINE_COMMENT", LobSize::Normal, BINARY),
            text("DEFINER", 288, BINARY),
            text("CHARACTER_SET_CLIENT", 64, UPPER),
            text("COLLATION_CONNECTION", 64, UPPER),
            text("DATABASE_COLLATION", 64, UPPER),
        ],
    },
    Table {
        name: "SCHEMATA",
        content: Content::Schemata,
        fields: &[
            text("CATALOG_NAME", 64, BINARY),
            text("SCHEMA_NAME", 64, BINARY),
            text("DEFAULT_CHARACTER_SET_NAME", 64, UPPER).or_null(),
            text("DEFAULT_COLLATION_NAME", 64, UPPER).or_null(),
            text("SQL_PATH", 0, BINARY).or_null(),
            word("DEFAULT_ENCRYPTION", 3, BINARY),
        ],
    },
    Table {
        name: "SCHEMA_PRIVILEGES",
        content: Content::Nothing,
        fields: &[
            text("GRANTEE", 292, UPPER),
            text("TABLE_CATALOG", 512, UPPER),
            text("TABLE_SCHEMA", 64, UPPER),
            text("PRIVILEGE_TYPE", 64, UPPER),
            text("IS_GRANTABLE", 3, UPPER),
        ],
    },
    Table {
        name: "STATISTICS",
        content: Content::Statistics,
        fields: &[
            text("TABLE_CATALOG", 64, BINARY),
            text("TABLE_SCHEMA", 64, BINARY),
            text("TABLE_NAME", 64, BINARY),
            narrow("NON_UNIQUE", 2),
            text("INDEX_SCHEMA", 64, BINARY),
            text("INDEX_NAME", 64, LOWER).or_null(),
            natural("SEQ_IN_INDEX"),
            text("COLUMN_NAME", 64, LOWER).or_null(),
            text("COLLATION", 1, UPPER).or_null(),
            big("CARDINALITY", 21).or_null(),
            big("SUB_PART", 21).or_null(),
            text("PACKED", 0, BINARY).or_null(),
            text("NULLABLE", 3, UPPER),
            text("INDEX_TYPE", 11, BINARY),
            text("COMMENT", 8, UPPER),
            text("INDEX_COMMENT", 2048, BINARY),
            text("IS_VISIBLE", 3, UPPER),
            long("EXPRESSION", LobSize::Long, BINARY).or_null(),
        ],
    },
    Table {
        name: "TABLES",
        content: Content::Tables,
        fields: &[
            text("TABLE_CATALOG", 64, BINARY),
            text("TABLE_SCHEMA", 64, BINARY),
            text("TABLE_NAME", 64, BINARY),
            word("TABLE_TYPE", 11, BINARY),
            text("ENGINE", 64, UPPER).or_null(),
            narrow("VERSION", 3).or_null(),
            word("ROW_FORMAT", 10, BINARY).or_null(),
            unsigned("TABLE_ROWS", 21).or_null(),
            unsigned("AVG_ROW_LENGTH", 21).or_null(),
            unsigned("DATA_LENGTH", 21).or_null(),
            unsigned("MAX_DATA_LENGTH", 21).or_null(),
            unsigned("INDEX_LENGTH", 21).or_null(),
            unsigned("DATA_FREE", 21).or_null(),
            unsigned("AUTO_INCREMENT", 21).or_null(),
            stamp("CREATE_TIME", 0).or_null(),
            time("UPDATE_TIME").or_null(),
            time("CHECK_TIME").or_null(),
            text("TABLE_COLLATION", 64, UPPER).or_null(),
            big("CHECKSUM", 21).or_null(),
            text("CREATE_OPTIONS", 256, UPPER).or_null(),
            text("TABLE_COMMENT", 2048, UPPER).or_null(),
        ],
    },
    Table {
        name: "TABLE_CONSTRAINTS",
        content: Content::TableConstraints,
        fields: &[
            text("CONSTRAINT_CATALOG", 64, BINARY),
            text("CONSTRAINT_SCHEMA", 64, BINARY),
            text("CONSTRAINT_NAME", 64, LOWER).or_null(),
            text("TABLE_SCHEMA", 64, BINARY),
            text("TABLE_NAME", 64, BINARY),
            text("CONSTRAINT_TYPE", 11, BINARY),
            text("ENFORCED", 3, BINARY),
        ],
    },
    Table {
        name: "TABLE_PRIVILEGES",
        content: Content::Nothing,
        fields: &[
            text("GRANTEE", 292, UPPER),
            text("TABLE_CATALOG", 512, UPPER),
            text("TABLE_SCHEMA", 64, UPPER),
            text("TABLE_NAME", 64, UPPER),
            text("PRIVILEGE_TYPE", 64, UPPER),
            text("IS_GRANTABLE", 3, UPPER),
        ],
    },
    Table {
        name: "TRIGGERS",
        content: Content::Nothing,
        fields: &[
            text("TRIGGER_CATALOG", 64, BINARY),
            text("TRIGGER_SCHEMA", 64, BINARY),
            text("TRIGGER_NAME", 64, UPPER),
            word("EVENT_MANIPULATION", 6, BINARY),
            text("EVENT_OBJECT_CATALOG", 64, BINARY),
            text("EVENT_OBJECT_SCHEMA", 64, BINARY),
            text("EVENT_OBJECT_TABLE", 64, BINARY),
            natural("ACTION_ORDER"),
            text("ACTION_CONDITION", 0, BINARY).or_null(),
            long("ACTION_STATEMENT", LobSize::Long, BINARY),
            text("ACTION_ORIENTATION", 3, UPPER),
            word("ACTION_TIMING", 6, BINARY),
            text("ACTION_REFERENCE_OLD_TABLE", 0, BINARY).or_null(),
            text("ACTION_REFERENCE_NEW_TABLE", 0, BINARY).or_null(),
            text("ACTION_REFERENCE_OLD_ROW", 3, UPPER),
            text("ACTION_REFERENCE_NEW_ROW", 3, UPPER),
            stamp("CREATED", 2),
            word("SQL_MODE", 546, BINARY),
            text("DEFINER", 288, BINARY),
            text("CHARACTER_SET_CLIENT", 64, UPPER),
            text("COLLATION_CONNECTION", 64, UPPER),
            text("DATABASE_COLLATION", 64, UPPER),
        ],
    },
    Table {
        name: "VIEWS",
        content: Content::Nothing,
        fields: &[
            text("TABLE_CATALOG", 64, BINARY),
            text("TABLE_SCHEMA", 64, BINARY),
            text("TABLE_NAME", 64, BINARY),
            long("VIEW_DEFINITION", LobSize::Long, BINARY).or_null(),
            word("CHECK_OPTION", 8, BINARY).or_null(),
            word("IS_UPDATABLE", 3, BINARY).or_null(),
            text("DEFINER", 288, BINARY).or_null(),
            text("SECURITY_TYPE", 7, BINARY).or_null(),
            text("CHARACTER_SET_CLIENT", 64, UPPER),
            text("COLLATION_CONNECTION", 64, UPPER),
        ],
    },
];
