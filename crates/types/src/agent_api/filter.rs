//! Conditions on rows, and counts of rows, as they travel.

use super::Octets;
use serde::{Deserialize, Serialize};

/// A condition on the columns of a row, with the three truth values of SQL; rows for which it is
/// true are wanted.
///
/// Constants are of the kind of the column that they are compared with: a decimal number without
/// exponent for the numeric types, text in UTF-8 for text, bytes for binary, the text-protocol text
/// for dates and times (UTC for TIMESTAMP). An agent that is not sure how the server compares the
/// two refuses the request, or the row, and names the column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Filter {
    /// True where all conditions are.
    And(Vec<Filter>),
    /// True where one of the conditions is.
    Or(Vec<Filter>),
    /// The opposite; unknown stays unknown.
    Not(Box<Filter>),
    /// The same for every row; `None` is unknown.
    Truth(Option<bool>),
    /// The column is NULL.
    IsNull(String),
    /// The column is compared with a constant.
    Compare(Comparison),
    /// The column is one of these constants.
    In {
        /// The column.
        column: String,
        /// None of them is NULL.
        values: Vec<Octets>,
    },
    /// The text of the column matches a pattern.
    Like {
        /// The column.
        column: String,
        /// `%` and `_`.
        pattern: String,
        /// What makes the character after it an ordinary one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        escape: Option<char>,
    },
}

impl Filter {
    /// The columns that it names, in order, as often as it names them.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let (mut open, mut named) = (vec![self], Vec::new());
        while let Some(filter) = open.pop() {
            match filter {
                Self::And(parts) | Self::Or(parts) => open.extend(parts.iter().rev()),
                Self::Not(inside) => open.push(inside),
                Self::Truth(_) => {}
                Self::IsNull(column) | Self::In { column, .. } | Self::Like { column, .. } => {
                    named.push(column.as_str());
                }
                Self::Compare(comparison) => named.push(comparison.column.as_str()),
            }
        }
        named
    }
}

/// A column and a constant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The column, on the left.
    pub column: String,
    /// How they are compared.
    pub is: Relation,
    /// The constant, on the right.
    pub value: Octets,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Relation {
    /// Equal.
    #[serde(rename = "=")]
    Equal,
    /// Not equal.
    #[serde(rename = "<>")]
    Different,
    /// Less.
    #[serde(rename = "<")]
    Less,
    /// Less or equal.
    #[serde(rename = "<=")]
    LessOrEqual,
    /// Greater.
    #[serde(rename = ">")]
    Greater,
    /// Greater or equal.
    #[serde(rename = ">=")]
    GreaterOrEqual,
    /// Equal, and false for NULL.
    #[serde(rename = "<=>")]
    Same,
}

impl Relation {
    /// What is left of it where the two sides are exchanged.
    #[must_use]
    pub const fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            other @ (Self::Equal | Self::Different | Self::Same) => other,
        }
    }

    /// Whether it needs no more than equal or different.
    #[must_use]
    pub const fn is_of_equality(self) -> bool {
        matches!(self, Self::Equal | Self::Different | Self::Same)
    }

    /// Whether two values in this order are so.
    #[must_use]
    pub const fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal | Self::Same => order.is_eq(),
            Self::Different => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}
