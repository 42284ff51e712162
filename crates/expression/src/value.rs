//! Values.

use crate::decimal::Decimal;
use dbtrail_types::float_text;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A floating-point number that can be a key: numbers are the same where their bits are.
#[derive(Clone, Copy, Debug)]
pub struct Double(pub f64);

impl PartialEq for Double {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Double {}

impl Hash for Double {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// A value. Text is shared: a long one that is named often is kept once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// NULL
    Null,
    /// BIGINT, and BIGINT UNSIGNED.
    Int(i128),
    /// DECIMAL
    Decimal(Decimal),
    /// DOUBLE
    Double(Double),
    /// Text; times are text of their own types.
    Text(Arc<str>),
}

impl Value {
    /// A length or a number of rows.
    pub(crate) fn of_count(n: usize) -> Self {
        Self::Int(i128::try_from(n).unwrap_or(i128::MAX))
    }

    /// The value as mysqld writes it; `None` is NULL.
    #[must_use]
    pub fn text(&self) -> Option<Arc<str>> {
        match self {
            Self::Null => None,
            Self::Int(n) => Some(n.to_string().into()),
            Self::Decimal(n) => Some(n.to_string().into()),
            Self::Double(n) => Some(float_text::double_text(n.0).into()),
            Self::Text(t) => Some(Arc::clone(t)),
        }
    }

    /// Whether it is NULL.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Bytes that it takes beyond itself.
    #[must_use]
    pub fn length(&self) -> usize {
        match self {
            Self::Text(t) => t.len(),
            Self::Null | Self::Int(_) | Self::Decimal(_) | Self::Double(_) => 0,
        }
    }

    /// 1, 0 and NULL.
    #[must_use]
    pub fn of_truth(truth: Option<bool>) -> Self {
        truth.map_or(Self::Null, |t| Self::Int(i128::from(t)))
    }

    /// As a floating-point number; `None`: NULL, or text that is no number from its first to its
    /// last character, at which mysqld warns.
    #[must_use]
    pub fn real(&self) -> Option<f64> {
        match self {
            Self::Null => None,
            #[expect(clippy::cast_precision_loss, reason = "mysqld rounds likewise")]
            Self::Int(n) => Some(*n as f64),
            Self::Decimal(n) => n.to_string().parse().ok(),
            Self::Double(n) => Some(n.0),
            Self::Text(t) => number(t),
        }
    }

    /// As a condition: `Err` where it is not known.
    pub(crate) fn truth(&self) -> Result<Option<bool>, ()> {
        match self {
            Self::Null => Ok(None),
            Self::Int(n) => Ok(Some(*n != 0)),
            Self::Decimal(n) => Ok(Some(n.unscaled != 0)),
            Self::Double(n) => Ok(Some(n.0 != 0.0)),
            Self::Text(t) => number(t).map(|n| Some(n != 0.0)).ok_or(()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

/// A text that is a number: digits, at most one point, an exponent.
fn number(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) =
        unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let (integer, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let plain = match fraction {
        None => digits(integer),
        Some(fraction) => (integer.is_empty() || digits(integer)) && digits(fraction),
    };
    let exponent = exponent.is_none_or(|e| digits(e.strip_prefix(['-', '+']).unwrap_or(e)));
    // Of so long a text mysqld may read less than all.
    if !plain || !exponent || text.len() > 60 {
        return None;
    }
    text.parse().ok().filter(|n: &f64| n.is_finite())
}
