//! What reading and writing of a store need.

use super::blocking::OwnRuntime;
use super::failure::{failed, is_fenced};
use super::{holder, local};
use crate::engine::{StoreError, StoreFault};
use object_store::ObjectStore;
use object_store::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What reading and writing need.
pub(super) struct Access {
    pub(super) runtime: OwnRuntime,
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) path: Path,
    /// What this opening is called.
    pub(super) opened: String,
    /// Why it is of no use any more.
    pub(super) lost: OnceLock<StoreError>,
    /// The folder of the cache on the disk.
    pub(super) _local: Option<local::Taken>,
}

impl Access {
    /// The same, and who has it where another has taken it.
    pub(super) async fn failed(&self, error: &slatedb::Error) -> StoreError {
        if !is_fenced(error) {
            return failed(error);
        }
        if let Some(known) = self.lost.get() {
            return known.clone();
        }
        // The one that took it says so in its first batch, which may be on its way.
        let mut named = None;
        for _ in 0..10 {
            match holder::current(&self.objects, &self.path).await {
                Ok(Some(found)) if !found.opening().eq(self.opened.as_str()) => {
                    named = Some(found.named());
                    break;
                }
                Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
        let named = named.unwrap_or_else(|| "it does not say who".to_owned());
        self.lost.get_or_init(|| StoreFault::TakenBy(named).into()).clone()
    }
}
