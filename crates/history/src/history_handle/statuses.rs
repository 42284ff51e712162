//! The statuses of all histories of an agent.

use super::Status;
use serde::{Deserialize, Serialize};

/// The answer to `GET /v1/servers`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statuses {
    /// Of each server, in the order of agent.yaml.
    pub servers: Vec<Status>,
}
