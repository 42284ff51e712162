//! Values, and how mysqld declares them.

use crate::statement::Parameter;
use dbtrail_types::column::{Column, ColumnKey, ColumnType, Indexes, IntSize};

const DOUBLE: ColumnType = ColumnType::Double { digits: None, unsigned: false, zerofill: false };

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::session) enum Value {
    Null,
    Int(i128),
    /// A decimal number, as it was written.
    Number(String),
    /// A floating-point number, as mysqld writes it.
    Double(String),
    /// Text; times are text of their own types.
    Text(String),
}

/// `@name` of a string has no length of its own: as many characters as any text of mysqld's row buffer.
const LONG_TEXT: u32 = 16_383;
/// Characters of a system variable that is text.
const VARIABLE: u32 = 21_845;

impl Value {
    pub(in crate::session) fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Int(n) => Some(n.to_string()),
            Self::Number(t) | Self::Double(t) | Self::Text(t) => Some(t.clone()),
        }
    }

    /// The value as a parameter of EXECUTE.
    pub(in crate::session) fn parameter(&self) -> Parameter {
        match self {
            Self::Null => Parameter::Null,
            Self::Int(n) => Parameter::Int(*n),
            Self::Double(text) => Parameter::Double(text.parse().unwrap_or(f64::NAN)),
            Self::Number(text) => Parameter::Decimal(text.clone()),
            Self::Text(text) => Parameter::Text(text.clone()),
        }
    }

    /// The declaration of a result column with this value, when nothing more is known of it.
    pub(in crate::session) fn column(&self, name: &str) -> Column {
        Typed::literal(self.clone()).column(name)
    }
}

/// A value and its declaration.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::session) struct Typed {
    pub(in crate::session) value: Value,
    pub(super) ty: ColumnType,
    pub(super) nullable: bool,
}

pub(super) fn integer(width: u8, unsigned: bool) -> ColumnType {
    ColumnType::Int { size: IntSize::Big, unsigned, zerofill: false, display_width: Some(width) }
}

fn length(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

impl Typed {
    /// A literal, or what is declared like one.
    pub(super) fn literal(value: Value) -> Self {
        let (ty, nullable) = match &value {
            Value::Null => (ColumnType::VarBinary { bytes: 0 }, true),
            Value::Int(n) => {
                // 1 and -1 are two wide; a number that only BIGINT UNSIGNED holds has no place for a sign.
                let unsigned = *n > i128::from(i64::MAX);
                let digits = n.unsigned_abs().to_string().len() + usize::from(!unsigned);
                (integer(u8::try_from(digits).unwrap_or(20), unsigned), false)
            }
            Value::Number(text) => {
                let digits = |t: &str| t.bytes().filter(u8::is_ascii_digit).count();
                let scale = text.split_once('.').map_or(0, |(_, behind)| digits(behind));
                let fit = |n: usize| u8::try_from(n).unwrap_or(65);
                let (precision, scale) = (fit(digits(text)), fit(scale));
                (ColumnType::Decimal { precision, scale, unsigned: false, zerofill: false }, false)
            }
            Value::Double(_) => (DOUBLE, false),
            Value::Text(text) => (ColumnType::VarChar { chars: length(text) }, false),
        };
        Self { value, ty, nullable }
    }

    /// The result of a comparison.
    pub(super) fn truth(truth: Option<bool>, nullable: bool) -> Self {
        let value = truth.map_or(Value::Null, |t| Value::Int(i128::from(t)));
        Self { value, ty: integer(1, false), nullable }
    }

    pub(super) fn int(number: i128, width: u8, unsigned: bool) -> Self {
        Self { value: Value::Int(number), ty: integer(width, unsigned), nullable: false }
    }

    /// The declaration of `@@warning_count` and its like.
    pub(in crate::session) fn count() -> Self {
        Self { nullable: true, ..Self::int(0, 21, true) }
    }

    /// Text that may be NULL, of `chars` characters at most.
    pub(super) fn text(text: Option<String>, chars: u32) -> Self {
        let value = text.map_or(Value::Null, Value::Text);
        Self { value, ty: ColumnType::VarChar { chars }, nullable: true }
    }

    pub(super) fn time(text: String, ty: ColumnType) -> Self {
        Self { value: Value::Text(text), ty, nullable: false }
    }

    /// The value of a system variable that is text.
    pub(super) fn variable(text: Option<String>) -> Self {
        Self::text(text, VARIABLE)
    }

    /// The value of a user variable.
    pub(super) fn user(value: Value) -> Self {
        let literal = Self::literal(value);
        let ty = match &literal.value {
            Value::Null => ColumnType::VarBinary { bytes: 65_532 },
            Value::Int(n) => {
                integer(if *n > i128::from(i64::MAX) { 20 } else { 21 }, *n > i128::from(i64::MAX))
            }
            Value::Number(_) => {
                ColumnType::Decimal { precision: 65, scale: 30, unsigned: false, zerofill: false }
            }
            Value::Double(_) => DOUBLE,
            Value::Text(text) => ColumnType::VarChar { chars: length(text).max(LONG_TEXT) },
        };
        Self { ty, nullable: true, ..literal }
    }

    pub(super) fn is_unsigned(&self) -> bool {
        matches!(self.ty, ColumnType::Int { unsigned: true, .. })
    }

    /// A number or a text that has no type of time.
    pub(super) fn is_plain(&self) -> bool {
        !matches!(
            self.ty,
            ColumnType::Date
                | ColumnType::Time { .. }
                | ColumnType::DateTime { .. }
                | ColumnType::Timestamp { .. }
        )
    }

    /// Characters of its text at most.
    pub(super) fn chars(&self) -> u32 {
        match &self.ty {
            ColumnType::VarChar { chars } => *chars,
            ColumnType::Int { display_width, .. } => display_width.map_or(20, u32::from),
            ColumnType::Decimal { precision, .. } => u32::from(*precision) + 2,
            _ => self.value.text().map_or(0, |t| length(&t)),
        }
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.ty, ColumnType::VarChar { .. })
    }

    pub(in crate::session) fn column(&self, name: &str) -> Column {
        Column {
            name: name.to_owned(),
            ty: self.ty.clone(),
            collation: self.is_text().then(|| "utf8mb4_0900_ai_ci".to_owned()),
            nullable: self.nullable,
            key: ColumnKey::None,
            indexes: Indexes::default(),
            auto_increment: false,
            on_update_now: false,
            has_default: true,
            default_now: false,
            invisible: false,
        }
    }
}
