//! A look at a store, whoever writes to it.

use super::failure::failed;
use crate::engine::{StoreError, StoreFault};
use futures_util::StreamExt;
use object_store::ObjectStore;
use object_store::path::Path;
use slatedb::config::DbReaderOptions;
use slatedb::{DbReader, DbReaderMode};
use std::sync::Arc;
use std::time::Duration;

/// What the library is told: the gate decides.
const SELDOM: Duration = Duration::from_secs(3600);

/// Whether there is a store.
pub(super) async fn is_there(store: &Arc<dyn ObjectStore>, path: &Path) -> Result<bool, StoreError> {
    let manifests = path.clone().join("manifest");
    match store.list(Some(&manifests)).next().await {
        None => Ok(false),
        Some(Ok(_)) => Ok(true),
        Some(Err(error)) => Err(StoreFault::ObjectStore(error.to_string()).into()),
    }
}

pub(super) fn options() -> DbReaderOptions {
    DbReaderOptions {
        manifest_poll_interval: SELDOM,
        object_store_max_retries: Some(super::TRIES),
        max_memtable_bytes: super::TABLE as u64,
        ..DbReaderOptions::default()
    }
}

/// The store as it is now, without leaving a trace in it.
pub(super) async fn look(store: &Arc<dyn ObjectStore>, path: &Path) -> Result<DbReader, StoreError> {
    DbReader::builder(path.clone(), Arc::clone(store))
        .with_reader_mode(DbReaderMode::FollowLatest)
        .with_options(options())
        .with_db_cache_disabled()
        .build()
        .await
        .map_err(|e| failed(&e))
}
