//! How a statement or a login ended, as a label.

use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};
use std::fmt;

/// The number of an error; 0: none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// It was answered, or failed with this number.
    Ended(u16),
    /// The client went away, was killed, or the server ended first.
    Cancelled,
}

impl EncodeLabelValue for Code {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        match self {
            Self::Ended(code) => code.to_string().encode(encoder),
            Self::Cancelled => "cancelled".encode(encoder),
        }
    }
}
