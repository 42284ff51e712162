//! Where a history is kept: in a folder, or below a prefix of a bucket in an object store.

use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64;

/// The kinds of object stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// S3, and what speaks its protocol.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage; the bucket is a container.
    Azure,
    /// A folder that is used as an object store.
    File,
}

impl StoreKind {
    fn of(scheme: &str) -> Option<Self> {
        match scheme {
            "s3" => Some(Self::S3),
            "gs" => Some(Self::Google),
            "az" => Some(Self::Azure),
            "file" => Some(Self::File),
            _ => None,
        }
    }

    const fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Google => "gs",
            Self::Azure => "az",
            Self::File => "file",
        }
    }
}

/// The prefix of a bucket. Holds no secret: credentials come from the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// What holds it.
    pub kind: StoreKind,
    /// The name of the bucket; of a folder, its path.
    pub name: String,
    /// What all objects' names begin with; may be empty.
    pub prefix: String,
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.kind.scheme(), self.name)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

/// Where a history is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The folder of the store; of a bucket, where this process keeps what is of this machine
    /// alone:
    /// `agent.json`, transactions too large for memory.
    pub folder: PathBuf,
    /// The bucket; `None`: the history is in the folder.
    pub bucket: Option<Bucket>,
}

/// What [`Location::parse`] reads.
pub const LOCATION_FORM: &str = "a folder, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX, or file:///FOLDER for a folder used as an object store";

/// Why a text names no place for a history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// This program has no object stores.
    #[error(
        "{scheme}:// needs a program that was built with object stores: cargo build --release --features object-store"
    )]
    NotBuiltIn {
        /// What is in front of `://`.
        scheme: String,
    },
    /// An address is shown in messages and in the list of processes.
    #[error(
        "credentials and options do not belong in the address: give them in the environment \
         (s3: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT; gs: \
         GOOGLE_APPLICATION_CREDENTIALS; az: AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY)"
    )]
    Credentials,
    /// A folder as an object store has a full path.
    #[error("file:// needs a path that begins with /: file:///FOLDER")]
    RelativePath,
    /// None that is known.
    #[error("{scheme}:// is no object store that is known: it is {LOCATION_FORM}")]
    UnknownStore {
        /// What is in front of `://`.
        scheme: String,
    },
    /// No bucket is named, or a part of the prefix is `.` or `..`.
    #[error("it is {LOCATION_FORM}")]
    Form,
}

impl Location {
    /// A folder.
    #[must_use]
    pub fn folder(path: PathBuf) -> Self {
        Self { folder: path, bucket: None }
    }

    /// Reads a folder or the address of a bucket.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Self::folder(PathBuf::from(text)));
        };
        if !cfg!(feature = "object-store") {
            return Err(LocationError::NotBuiltIn { scheme: scheme.to_owned() });
        }
        if rest.contains(['@', '?', '#']) {
            return Err(LocationError::Credentials);
        }
        let Some(kind) = StoreKind::of(scheme) else {
            return Err(LocationError::UnknownStore { scheme: scheme.to_owned() });
        };
        let (name, prefix) = match kind {
            StoreKind::File if rest.starts_with('/') => (rest, ""),
            StoreKind::File => return Err(LocationError::RelativePath),
            StoreKind::S3 | StoreKind::Google | StoreKind::Azure => {
                rest.split_once('/').unwrap_or((rest, ""))
            }
        };
        let bucket = Bucket { kind, name: name.to_owned(), prefix: prefix.trim_matches('/').to_owned() };
        if bucket.name.is_empty() || bucket.prefix.split('/').any(|part| part == "." || part == "..") {
            return Err(LocationError::Form);
        }
        Ok(Self { folder: state_folder(&bucket), bucket: Some(bucket) })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.bucket {
            Some(bucket) => bucket.fmt(f),
            None => self.folder.display().fmt(f),
        }
    }
}

/// Where a process of this user keeps what is of this machine: below `STATE_DIRECTORY` of systemd,
/// or of /var/tmp, which outlives a restart of the machine.
fn state_folder(bucket: &Bucket) -> PathBuf {
    let user = std::fs::metadata("/proc/self").map_or(0, |about| about.uid());
    let name = format!("dbtrail-shim-{user}-{:016x}", xxh3_64(bucket.to_string().as_bytes()));
    let given = std::env::var_os("STATE_DIRECTORY").filter(|given| !given.as_bytes().contains(&b':'));
    given.map_or_else(|| PathBuf::from("/var/tmp"), PathBuf::from).join(name)
}

impl From<&Self> for Location {
    fn from(location: &Self) -> Self {
        location.clone()
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::folder(path.to_owned())
    }
}

#[cfg(all(test, feature = "object-store"))]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let bucket = |text: &str| Location::parse(text).unwrap().bucket;
        assert_eq!(bucket("/var/lib/x"), None);
        assert_eq!(bucket("s3:x"), None);
        for (text, shown) in [
            ("s3://b/a/c/", "s3://b/a/c"),
            ("s3://b", "s3://b"),
            ("s3://b/", "s3://b"),
            ("gs://b/of/x", "gs://b/of/x"),
            ("az://c/x/", "az://c/x"),
            ("file:///var/x", "file:///var/x"),
        ] {
            let read = Location::parse(text).unwrap();
            assert_eq!(read.to_string(), shown);
            assert_ne!(read.folder, Location::parse("s3://other").unwrap().folder);
        }
        for bad in [
            "s3://",
            "s3:///x",
            "s3://key:secret@b/x",
            "s3://b/x?a=b",
            "file://x",
            "ftp://b",
            "gs://",
            "az://account:secret@c/x",
            "s3://b/../c",
        ] {
            let why = Location::parse(bad).unwrap_err().to_string();
            assert!(!why.contains("secret@"), "{why}");
        }
    }
}
