//! The key that says that a bucket is being filled with a copy, or what was copied into it.

use super::failure::failed;
use crate::engine::StoreError;
use slatedb::Db;

/// The key: in none of the tables. Nothing: it is being filled; else what was copied.
pub(super) const KEY: &[u8] = b"\xffcopy";

/// Whether a copy was begun and not finished.
pub(super) async fn is_begun(db: &Db) -> Result<bool, StoreError> {
    let value = db.get(KEY).await.map_err(|e| failed(&e))?;
    Ok(value.is_some_and(|value| value.is_empty()))
}
