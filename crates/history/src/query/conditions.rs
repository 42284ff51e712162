//! What conditions are given of a row, and why one is refused.

use super::Refusal;
use crate::image::Content;
use dbtrail_expression::{RowValue, Undecided};
use dbtrail_types::agent_api::code;

/// A cell as a condition takes it.
pub(super) fn value(cell: Content<'_>) -> RowValue<'_> {
    match cell {
        Content::Null => RowValue::Null,
        Content::Bytes(bytes) => RowValue::Bytes(bytes),
        Content::Unknown => RowValue::Unknown,
    }
}

/// The refusal of a condition.
pub(super) fn unsupported(why: &Undecided) -> Refusal {
    Refusal::new(422, code::UNSUPPORTED_FILTER, why.to_string())
}
