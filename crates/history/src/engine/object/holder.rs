//! Who writes to a store, as the store itself says: for people, for whoever lost it, and for
//! whoever is about to take it.
//!
//! Fencing decides, and not this: of two writers the later one wins, and the earlier one cannot
//! write any more. This keeps a second one that is started by mistake from taking the store of one
//! that lives, and two supervised ones from taking it from each other for ever.

use super::failure::failed;
use super::{Shared, Watched};
use super::{log, look};
use crate::engine::{DiskOptions, StoreError, StoreFault};
use dbtrail_types::timestamp::Timestamp;
use object_store::ObjectStore;
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use slatedb::DbReader;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};
use xxhash_rust::xxh3::xxh3_64;

/// The key: in none of the tables.
pub(super) const KEY: &[u8] = b"\xffholder";
/// The form of the key space, for programs to come: a byte of the table in front of each key.
const FORM: u32 = 1;
/// Between two signs of life.
pub(super) const BEAT: Duration = Duration::from_secs(1);
/// Between two looks for one.
const LOOK: Duration = Duration::from_millis(500);

/// What the store says of its writer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    form: u32,
    host: String,
    process: u32,
    /// Of this process alone: numbers of processes are the same in many containers.
    run: String,
    /// Of this opening alone.
    opened: String,
    since: String,
    /// Goes up as long as it lives.
    pub(super) beat: u64,
}

impl Holder {
    /// This process.
    pub(super) fn this() -> Self {
        let since = Timestamp::now();
        Self {
            form: FORM,
            host: host(),
            process: std::process::id(),
            run: run().to_owned(),
            opened: random(),
            since: since.to_string(),
            beat: 0,
        }
    }

    /// What no other opening is called.
    pub(super) fn opening(&self) -> &str {
        &self.opened
    }

    pub(super) fn text(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Whether it is an earlier opening of a process that is gone, or of this very one.
    fn is_over(&self) -> bool {
        let process = std::path::PathBuf::from(format!("/proc/{}", self.process));
        self.run == run() || self.host == host() && !process.exists()
    }

    /// What a bucket says that says this.
    pub(super) fn watched(&self) -> Watched {
        Watched::Somebody { sign: self.sign(), is_over: self.is_over(), named: self.named() }
    }

    /// The sign of life as a number.
    fn sign(&self) -> u64 {
        xxh3_64(&self.text())
    }

    /// For a person.
    pub(super) fn named(&self) -> String {
        format!("process {} of host {}, since {}", self.process, self.host, self.since)
    }
}

/// What no other process is called.
fn run() -> &'static str {
    static RUN: OnceLock<String> = OnceLock::new();
    RUN.get_or_init(random)
}

fn random() -> String {
    let mut random = [0; 12];
    // Without random bytes the time tells them apart.
    let _ = aws_lc_rs::rand::fill(&mut random);
    format!("{}-{}", Timestamp::now().micros(), hex::encode(random))
}

fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

/// Who the store says writes to it; `None`: nobody, or there is no store yet.
pub(super) async fn current(store: &Arc<dyn ObjectStore>, path: &Path) -> Result<Option<Holder>, StoreError> {
    if !look::is_there(store, path).await? {
        return Ok(None);
    }
    let reader = look::look(store, path).await?;
    let holder = of(&reader).await;
    let _ = reader.close().await;
    holder
}

/// The same of a state that was read.
pub(super) async fn of(reader: &DbReader) -> Result<Option<Holder>, StoreError> {
    let Some(text) = reader.get(KEY).await.map_err(|e| failed(&e))? else { return Ok(None) };
    let holder: Holder = serde_json::from_slice(&text).map_err(|e| StoreFault::Writer(e.to_string()))?;
    if holder.form > FORM {
        return Err(StoreFault::NewerForm { found: holder.form, known: FORM }.into());
    }
    Ok(Some(holder))
}

/// Waits until it is known that nobody writes to the store: for so long without a sign of life.
///
/// # Errors
/// Somebody does.
pub(super) async fn free(
    store: &Arc<dyn ObjectStore>,
    path: &Path,
    options: DiskOptions,
) -> Result<(), StoreError> {
    // Reading it again is reading the log of writes again, which is most of the time that it takes.
    if options.is_free {
        return Ok(());
    }
    let Some(first) = current(store, path).await?.filter(|holder| !holder.is_over()) else { return Ok(()) };
    tracing::info!("the store was last written by {}: looking whether it still is", first.named());
    let since = Instant::now();
    while since.elapsed() < options.silence {
        tokio::time::sleep(LOOK).await;
        match current(store, path).await? {
            None => return Ok(()),
            Some(now) if now == first => {}
            Some(now) => {
                return Err(StoreFault::WrittenBy(now.named()).into());
            }
        }
    }
    tracing::warn!("{} has gone: this process takes its store over", first.named());
    Ok(())
}

/// Gives signs of life until the store is gone or another's.
pub(super) async fn beat(shared: Weak<Shared>, mut holder: Holder) {
    loop {
        tokio::time::sleep(BEAT).await;
        let Some(shared) = shared.upgrade() else { return };
        holder.beat += 1;
        let written = match shared.db.put(KEY, holder.text()).await {
            Ok(handle) => handle.await_durable().await,
            Err(error) => Err(error),
        };
        shared.log.wrote();
        log::shorten(&shared);
        if let Err(error) = written {
            let error = shared.access.failed(&error).await;
            shared.access.lost.get_or_init(|| error);
            return;
        }
    }
}
