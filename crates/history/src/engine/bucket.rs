//! What is asked of a bucket beside the trait, and the words where object stores were not built in.

use super::{Bucket, DiskOptions, Engine, Snapshot, StoreError};
use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "object-store")]
pub(crate) use super::object::ObjectReader;

/// What a bucket says of its writer.
#[cfg_attr(
    not(feature = "object-store"),
    allow(dead_code, reason = "there are no buckets in this program, but in tests of who watches")
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Watched {
    /// Nobody writes to it, or there is nothing yet.
    Nobody,
    /// Somebody does, or did.
    Somebody {
        /// The last sign of life: another one each time, as long as it lives.
        sign: u64,
        /// It is known to be gone: it was a process of this machine.
        is_over: bool,
        /// Who, for people.
        named: String,
    },
}

/// What a copy is written into.
pub(crate) trait Filling {
    /// The tables of the store that the copy is written into.
    fn engine(&mut self) -> &mut dyn Engine;

    /// What the object store has of it now, read from there.
    ///
    /// # Errors
    /// It cannot be read.
    fn written(&self) -> Result<Arc<dyn Snapshot>, StoreError>;

    /// Notes that it is whole, with what was copied: before, nobody takes it for a history.
    ///
    /// # Errors
    /// It could not be written.
    fn finish(self: Box<Self>, copied: &[u8]) -> Result<(), StoreError>;
}

/// A state of a bucket that stays for whoever copies it, and what was copied into it where no
/// agent has had it since.
pub(crate) type CopyOrigin = (Arc<dyn Snapshot>, Option<Vec<u8>>);

/// Opens the tables below a prefix of a bucket; `folder`: of this machine.
#[cfg(feature = "object-store")]
pub(crate) fn open_bucket(
    bucket: &Bucket,
    folder: &Path,
    options: DiskOptions,
) -> Result<Box<dyn Engine>, StoreError> {
    Ok(Box::new(super::object::ObjectEngine::open(bucket, folder, options)?))
}

/// Reads the tables below a prefix of a bucket that another process writes.
#[cfg(feature = "object-store")]
pub(crate) fn read_bucket(
    bucket: &Bucket,
    folder: &Path,
    options: DiskOptions,
) -> Result<ObjectReader, StoreError> {
    ObjectReader::open(bucket, folder, options)
}

/// Keeps the state of a bucket as it is now, whoever writes to it, until the last owner has gone.
#[cfg(feature = "object-store")]
pub(crate) fn keep_bucket(bucket: &Bucket) -> Result<CopyOrigin, StoreError> {
    super::object::keep(bucket)
}

/// Begins a copy below a prefix of a bucket; `None`: there is something already.
#[cfg(feature = "object-store")]
pub(crate) fn fill_bucket(bucket: &Bucket) -> Result<Option<Box<dyn Filling>>, StoreError> {
    let filling = super::object::Copying::begin(bucket)?;
    Ok(filling.map(|filling| Box::new(filling) as Box<dyn Filling>))
}

#[cfg(not(feature = "object-store"))]
mod none {
    use super::{Arc, Bucket, CopyOrigin, DiskOptions, Engine, Filling, Path, Snapshot, StoreError, Watched};
    use crate::engine::StoreFault;

    fn not_built_in<T>(bucket: &Bucket) -> Result<T, StoreError> {
        Err(StoreFault::NotBuiltIn(bucket.to_string()).into())
    }

    /// A reader, where none was built in.
    #[derive(Debug)]
    pub(crate) enum ObjectReader {}

    impl ObjectReader {
        pub(crate) fn refresh(&mut self) -> Result<Arc<dyn Snapshot>, StoreError> {
            match *self {}
        }

        pub(crate) fn refresh_and_watch(
            &mut self,
        ) -> Result<(Option<Arc<dyn Snapshot>>, Watched), StoreError> {
            match *self {}
        }
    }

    pub(crate) fn open_bucket(
        bucket: &Bucket,
        _: &Path,
        _: DiskOptions,
    ) -> Result<Box<dyn Engine>, StoreError> {
        not_built_in(bucket)
    }

    pub(crate) fn read_bucket(bucket: &Bucket, _: &Path, _: DiskOptions) -> Result<ObjectReader, StoreError> {
        not_built_in(bucket)
    }

    pub(crate) fn keep_bucket(bucket: &Bucket) -> Result<CopyOrigin, StoreError> {
        not_built_in(bucket)
    }

    pub(crate) fn fill_bucket(bucket: &Bucket) -> Result<Option<Box<dyn Filling>>, StoreError> {
        not_built_in(bucket)
    }
}

#[cfg(not(feature = "object-store"))]
pub(crate) use none::{ObjectReader, fill_bucket, keep_bucket, open_bucket, read_bucket};
