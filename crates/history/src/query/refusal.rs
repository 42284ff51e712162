//! Why a question is not answered: what HTTP and the person are given.

use crate::engine::StoreError;
use dbtrail_types::agent_api::{ErrorBody, code};
use dbtrail_types::timestamp::Timestamp;

/// A question that is not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// One of [`code`].
    pub code: &'static str,
    /// For the person who asked.
    pub message: String,
    /// `out_of_range`: what was asked.
    pub asked: Option<String>,
    /// `out_of_range`: oldest and newest instant.
    pub range: Option<(Timestamp, Timestamp)>,
}

impl Refusal {
    /// A refusal without a range.
    #[must_use]
    pub fn new(status: u16, code: &'static str, message: String) -> Self {
        Self { status, code, message, asked: None, range: None }
    }

    /// Our own fault.
    #[must_use]
    pub fn internal(message: String) -> Self {
        Self::new(500, code::INTERNAL, message)
    }

    /// The request makes no sense.
    #[must_use]
    pub fn malformed(message: String) -> Self {
        Self::new(400, code::MALFORMED_REQUEST, message)
    }

    /// It is answered once more of the log is taken in.
    #[must_use]
    pub fn catches_up(&self) -> bool {
        self.code == code::OVERLOADED
    }

    /// As the contract has it.
    #[must_use]
    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            success: false,
            error: self.message.clone(),
            code: self.code.to_owned(),
            asked: self.asked.clone(),
            oldest: self.range.map(|r| r.0),
            newest: self.range.map(|r| r.1),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::internal(error.to_string())
    }
}
