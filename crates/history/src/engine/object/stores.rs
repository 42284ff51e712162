//! Clients of object stores, by the address of a bucket. Credentials come from the environment, and
//! are shown nowhere.

use crate::engine::location::{Bucket, StoreKind};
use crate::engine::{StoreError, StoreFault};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
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
    StoreFault::ObjectStore(error.to_string()).into()
}

/// The client, and what all names begin with.
pub(super) fn of(bucket: &Bucket) -> Result<(Arc<dyn ObjectStore>, Path), StoreError> {
    let name = &bucket.name;
    let store: Arc<dyn ObjectStore> = match bucket.kind {
        StoreKind::File => {
            let cannot =
                |e: std::io::Error| StoreFault::BucketFolder { name: name.clone(), error: e.to_string() };
            std::fs::create_dir_all(name).map_err(cannot)?;
            // Without fsync what is called durable is in the memory of the system.
            Arc::new(LocalFileSystem::new_with_prefix(name).map_err(failed)?.with_fsync(true))
        }
        StoreKind::S3 => {
            let client = client(&["AWS_ENDPOINT", "AWS_ENDPOINT_URL"]);
            let builder = AmazonS3Builder::from_env().with_bucket_name(name).with_client_options(client);
            Arc::new(builder.with_retry(retry()).build().map_err(failed)?)
        }
        StoreKind::Google => {
            let client = client(&["GOOGLE_BASE_URL"]);
            let builder =
                GoogleCloudStorageBuilder::from_env().with_bucket_name(name).with_client_options(client);
            Arc::new(builder.with_retry(retry()).build().map_err(failed)?)
        }
        StoreKind::Azure => {
            let client = client(&["AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"]);
            let builder =
                MicrosoftAzureBuilder::from_env().with_container_name(name).with_client_options(client);
            Arc::new(builder.with_retry(retry()).build().map_err(failed)?)
        }
    };
    let prefix = if bucket.prefix.is_empty() { String::new() } else { format!("{}/", bucket.prefix) };
    let path = Path::parse(format!("{prefix}{STORE}"));
    Ok((store, path.map_err(|e| StoreFault::ObjectStore(e.to_string()))?))
}

/// Tried again by the layer above, which knows for how long.
fn retry() -> RetryConfig {
    RetryConfig { max_retries: 1, retry_timeout: TIMEOUT, ..RetryConfig::default() }
}

/// How requests are made; without TLS where one of these variables asks for it.
fn client(endpoints: &[&str]) -> ClientOptions {
    let is_plain = endpoints.iter().any(|name| std::env::var(name).is_ok_and(|at| at.starts_with("http://")));
    ClientOptions::new().with_timeout(TIMEOUT).with_connect_timeout(CONNECT).with_allow_http(is_plain)
}
