//! The words for what fails.

use crate::engine::{StoreError, StoreFault};

/// The words for an error of the library.
pub(super) fn failed(error: &slatedb::Error) -> StoreError {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    StoreFault::ObjectStore(text).into()
}
