//! Clients of object stores, by the address of a bucket. Credentials come from the environment, and
//! are shown nowhere.

use crate::engine::StoreError;
use crate::engine::location::{Bucket, StoreKind};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use std::sync::Arc;
use std::time::Duration;

/// The folder of the store below the prefix, as below a data folder.
const STORE: &str = "history";
/// Of one request: more is an outage.
const TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT: Duration = Duration::from_secs(5);

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err wants")]
fn failed(error: object_store::Error) -> StoreError {
    StoreError(format!("object store: {error}"))
}

/// The client, and what all names begin with.
pub(super) fn of(bucket: &Bucket) -> Result<(Arc<dyn ObjectStore>, Path), StoreError> {
    let path = |text: String| Path::parse(text).map_err(|e| StoreError(format!("object store: {e}")));
    match bucket.kind {
        StoreKind::File => {
            let cannot = |e| StoreError(format!("{}: {e}", bucket.name));
            std::fs::create_dir_all(&bucket.name).map_err(cannot)?;
            // Without fsync what is called durable is in the memory of the system.
            let store = LocalFileSystem::new_with_prefix(&bucket.name).map_err(failed)?.with_fsync(true);
            Ok((Arc::new(store), path(STORE.to_owned())?))
        }
        StoreKind::S3 => {
            // Tried again by the layer above, which knows for how long.
            let retry = RetryConfig { max_retries: 1, retry_timeout: TIMEOUT, ..RetryConfig::default() };
            let http = std::env::var("AWS_ENDPOINT").or_else(|_| std::env::var("AWS_ENDPOINT_URL"));
            let is_plain = http.is_ok_and(|endpoint| endpoint.starts_with("http://"));
            let client = ClientOptions::new()
                .with_timeout(TIMEOUT)
                .with_connect_timeout(CONNECT)
                .with_allow_http(is_plain);
            let store = AmazonS3Builder::from_env()
                .with_bucket_name(&bucket.name)
                .with_client_options(client)
                .with_retry(retry)
                .build()
                .map_err(failed)?;
            let prefix = if bucket.prefix.is_empty() { String::new() } else { format!("{}/", bucket.prefix) };
            Ok((Arc::new(store), path(format!("{prefix}{STORE}"))?))
        }
    }
}
