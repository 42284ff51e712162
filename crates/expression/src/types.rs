//! What an expression is declared as.

use crate::collation::{Collated, charset_of};

/// Characters that an INT UNSIGNED of `information_schema` is declared with. No operator makes a
/// BIGINT UNSIGNED of this width, so that the two can be told apart.
pub(crate) const INT_WIDTH: u32 = 10;

/// Characters that mysqld leaves for the text of a floating-point number.
pub(crate) const REAL_TEXT: u32 = 22;
/// The width that mysqld declares for a computed floating-point number.
pub(crate) const REAL_WIDTH: u32 = 23;
/// No number of decimals is fixed.
pub(crate) const ANY_DECIMALS: u8 = 31;
/// The longest text that a function makes, in characters.
pub(crate) const LONGEST_TEXT: u32 = 16_777_216;

/// The characters that mysqld declares for a user variable that is text of a collation.
#[must_use]
pub fn variable_chars(collation: &str) -> u32 {
    match charset_of(collation) {
        "utf8mb4" => 67_108_860,
        "utf8mb3" => 22_369_620,
        _ => 16_777_215,
    }
}

/// The type of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExprType {
    /// NULL, as it is written.
    Null,
    /// BIGINT; `width` is with the sign.
    Int {
        /// Characters of it at most.
        width: u32,
        /// BIGINT UNSIGNED
        unsigned: bool,
    },
    /// DECIMAL
    Decimal {
        /// Digits.
        precision: u32,
        /// Those after the point.
        scale: u8,
    },
    /// DOUBLE
    Double {
        /// Characters as declared: those of the literal, else 23.
        width: u32,
        /// Digits after the point; 31: as many as there are.
        decimals: u8,
    },
    /// Text, also that of a variable that is NULL: its collation is `binary`.
    Text {
        /// Characters at most.
        chars: u32,
        /// Its collation, and how strongly it holds to it.
        collated: Collated,
    },
    /// DATE
    Date,
    /// TIME
    Time {
        /// Digits of the second.
        fsp: u8,
    },
    /// DATETIME
    DateTime {
        /// Digits of the second.
        fsp: u8,
    },
}

/// The type of an expression, and whether it can be NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type {
    /// The SQL type.
    pub kind: ExprType,
    /// Whether it is declared as one that can be NULL.
    pub nullable: bool,
}

impl ExprType {
    /// A computed DOUBLE.
    pub(crate) const REAL: Self = Self::Double { width: REAL_WIDTH, decimals: ANY_DECIMALS };

    /// The result of a comparison.
    pub const TRUTH: Self = Self::Int { width: 1, unsigned: false };

    /// Characters of its text at most.
    #[must_use]
    pub fn chars(&self) -> u32 {
        match self {
            Self::Null => 0,
            Self::Int { width, .. } => *width,
            Self::Decimal { precision, scale } => precision + u32::from(*scale > 0) + 1,
            Self::Double { .. } => REAL_TEXT,
            Self::Text { chars, .. } => *chars,
            Self::Date => 10,
            Self::Time { fsp } => 10 + fraction(*fsp),
            Self::DateTime { fsp } => 19 + fraction(*fsp),
        }
    }

    /// Digits, and those after the point, of an exact number.
    pub(crate) fn digits(&self) -> Option<(u32, u8)> {
        match self {
            Self::Int { width, unsigned } => Some((width.saturating_sub(u32::from(!unsigned)).max(1), 0)),
            Self::Decimal { precision, scale } => Some((*precision, *scale)),
            Self::Null
            | Self::Double { .. }
            | Self::Text { .. }
            | Self::Date
            | Self::Time { .. }
            | Self::DateTime { .. } => None,
        }
    }

    /// BIGINT of so many digits.
    pub(crate) fn int_of(digits: u32, unsigned: bool) -> Self {
        Self::Int { width: digits + u32::from(!unsigned), unsigned }
    }

    pub(crate) fn is_unsigned(&self) -> bool {
        matches!(self, Self::Int { unsigned: true, .. })
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Self::Text { .. })
    }

    /// Whether it compares and computes by rules that are not known here: a time, or a variable
    /// with a fixed number of decimals.
    pub(crate) fn is_special(&self) -> bool {
        match self {
            Self::Date | Self::Time { .. } | Self::DateTime { .. } => true,
            Self::Double { decimals, .. } => *decimals != ANY_DECIMALS,
            Self::Null | Self::Int { .. } | Self::Decimal { .. } | Self::Text { .. } => false,
        }
    }
}

fn fraction(fsp: u8) -> u32 {
    if fsp == 0 { 0 } else { u32::from(fsp) + 1 }
}

impl Type {
    /// A type that can be NULL, or cannot.
    #[must_use]
    pub const fn new(kind: ExprType, nullable: bool) -> Self {
        Self { kind, nullable }
    }
}
