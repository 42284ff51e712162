//! A history from a folder or a bucket into a folder or a bucket.

use super::{BackupError, Copied, copied_if, failed, opened, read_again, write};
use crate::engine::{Bucket, DiskEngine, Engine, Location, Snapshot, StoreFault, fill_bucket, keep_bucket};
use std::sync::Arc;

/// What is copied.
struct Origin {
    state: Arc<dyn Snapshot>,
    /// What was copied into it, where it is a copy that no agent has had since.
    copied: Option<Copied>,
    /// Stays open as long.
    _folder: Option<DiskEngine>,
}

impl Origin {
    fn of(from: &Location) -> Result<Self, BackupError> {
        let Some(bucket) = &from.bucket else {
            let engine = opened(&from.folder).map_err(|error| {
                if let BackupError::Locked(folder) = &error {
                    return BackupError::InUse(folder.display().to_string());
                }
                error
            })?;
            return Ok(Self { state: engine.snapshot(), copied: None, _folder: Some(engine) });
        };
        let (state, noted) = keep_bucket(bucket).map_err(failed(bucket.to_string()))?;
        let copied = noted.map(|noted| serde_json::from_slice(&noted)).transpose();
        let copied = copied.map_err(|_| BackupError::NotAsCopied(bucket.to_string()))?;
        Ok(Self { state, copied, _folder: None })
    }
}

/// Copies a history as it is, and reads the copy again. A folder must be no agent's; a bucket may
/// be captured into meanwhile, and the copy is of one moment then. Blocks.
///
/// # Errors
/// See [`BackupError`]. Of a folder `NAME.unfinished` is left then, and a bucket stays marked as
/// one that is not whole: no agent takes it for a history.
pub fn copy(from: &Location, to: &Location, stopped: &dyn Fn() -> bool) -> Result<Copied, BackupError> {
    let origin = Origin::of(from)?;
    let right = |sum: Copied| match origin.copied {
        Some(copied) if copied != sum => Err(BackupError::NotAsCopied(from.to_string())),
        Some(_) | None => Ok(()),
    };
    match &to.bucket {
        None => copied_if(&*origin.state, &to.folder, stopped, &right),
        Some(bucket) => into_bucket(&*origin.state, bucket, stopped, &right),
    }
}

fn into_bucket(
    from: &dyn Snapshot,
    bucket: &Bucket,
    stopped: &dyn Fn() -> bool,
    right: &dyn Fn(Copied) -> Result<(), BackupError>,
) -> Result<Copied, BackupError> {
    let store = failed(bucket.to_string());
    let filling = fill_bucket(bucket).map_err(&store)?;
    let Some(mut filling) = filling else { return Err(BackupError::NotEmpty(bucket.to_string())) };
    let goes_on = || if stopped() { Err(BackupError::Stopped) } else { Ok(()) };
    let sum = write(from, filling.engine(), &store, &goes_on)?;
    filling.engine().sync().map_err(&store)?;
    let written = filling.written().map_err(&store)?;
    if read_again(&*written, &store, stopped)? != sum {
        return Err(BackupError::BucketDiffers(bucket.to_string()));
    }
    drop(written);
    right(sum)?;
    let noted = serde_json::to_vec(&sum).map_err(|e| store(StoreFault::Checkpoint(e.to_string()).into()))?;
    filling.finish(&noted).map_err(&store)?;
    Ok(sum)
}
