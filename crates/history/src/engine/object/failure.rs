//! The words for what fails.

use crate::engine::{StoreError, StoreFault};
use slatedb::{CloseReason, ErrorKind};

/// Whether another one has opened the store to write since.
pub(super) fn is_fenced(error: &slatedb::Error) -> bool {
    matches!(error.kind(), ErrorKind::Closed(CloseReason::Fenced))
}

/// The words for an error while the store is opened to write.
pub(super) fn not_opened(error: &slatedb::Error) -> StoreError {
    if is_fenced(error) {
        // It says who it is when it has opened it.
        return StoreFault::WrittenBy("one that opened it a moment later".to_owned()).into();
    }
    failed(error)
}

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
