//! Why a value cannot be shown.

use super::super::log::LogFault;
use dbtrail_types::charset::CharsetError;
use dbtrail_types::column::ColumnType;

/// A value that cannot be shown exactly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {reason}")]
pub struct ValueError {
    /// The column.
    pub column: String,
    /// Why it is no value of the column's type.
    pub reason: ValueFault,
}

/// Why the value of a row image cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueFault {
    /// It is of another form, or out of the range of the type.
    #[error("the log holds a value that is not of type {0}")]
    OtherType(ColumnType),
    /// A DECIMAL whose bytes are no digits.
    #[error(transparent)]
    Decimal(#[from] LogFault),
    /// Servers differ in how they fill it with zeros.
    #[error("ZEROFILL on FLOAT and DOUBLE is not shown by this version")]
    FloatZerofill,
    /// A text column whose character set neither the DDL nor the table map gives.
    #[error("its character set is not known")]
    NoCharset,
    /// Text that is not valid in its character set, or whose characters are not unambiguous.
    #[error(transparent)]
    Charset(#[from] CharsetError),
    /// A UUID whose variant's bits are not where RFC 9562 has them.
    #[error("a UUID of a variant, or in an order, that this version does not know")]
    UuidVariant,
}
