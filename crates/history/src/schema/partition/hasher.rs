//! Whose hash of a key it is.

use serde::{Deserialize, Serialize};

/// Whose hash it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Hasher {
    MySql,
    /// MySQL 5.1, and later with ALGORITHM = 1.
    MySql51,
    MariaDb,
    /// That was not kept: what both do alike.
    #[default]
    Either,
}
