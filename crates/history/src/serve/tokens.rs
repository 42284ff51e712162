//! The tokens that open the door: given, or in a file that may change at any time.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use dbtrail_types::secret::Secret;
use std::hash::{BuildHasher, RandomState};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

/// The file is looked at this often at most.
const PERIOD: Duration = Duration::from_secs(1);
/// A file that cannot be used is complained of this often.
const REMINDER: Duration = Duration::from_secs(60);
/// A file changed so shortly before it was read may have changed again without its times telling.
const SETTLED: Duration = Duration::from_secs(2);
/// The longest file.
const MAX_FILE: u64 = 1024 * 1024;

/// Any of these opens the door; where there are none, it is open. Clones share what was read last.
#[derive(Clone, Debug, Default)]
pub struct Tokens(Option<Arc<TokenSet>>);

/// Whose token a request came with, among several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TokenHash(u64);

/// A request without one of the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unauthorized;

#[derive(Debug)]
struct TokenSet {
    current: RwLock<Arc<[Secret]>>,
    /// Tells tokens apart in this process, and nothing of what they are.
    hashes: RandomState,
    file: Option<(PathBuf, Mutex<FileState>)>,
}

/// What is known of the file.
#[derive(Debug)]
struct FileState {
    /// When it was looked at last.
    looked: Instant,
    /// How it was when it was read; `None`: read it again.
    stamp: Option<Stamp>,
    /// The last complaint.
    complained: Option<(Instant, String)>,
}

/// Changes whenever the file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Why a file of tokens is not used.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// The system does not give it.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// No list of tokens is as long as that.
    #[error("{} is longer than {MAX_FILE} bytes, which no list of tokens is", .0.display())]
    TooLong(PathBuf),
    /// Not text.
    #[error("{} is not UTF-8 text", .0.display())]
    NotText(PathBuf),
    /// Nothing but comments and empty lines.
    #[error("{} holds no token", .0.display())]
    Empty(PathBuf),
}

impl From<Vec<Secret>> for Tokens {
    fn from(tokens: Vec<Secret>) -> Self {
        if tokens.is_empty() {
            return Self(None);
        }
        Self(Some(Arc::new(TokenSet::new(tokens, None))))
    }
}

impl TokenSet {
    fn new(tokens: Vec<Secret>, file: Option<(PathBuf, Mutex<FileState>)>) -> Self {
        Self { current: RwLock::new(tokens.into()), hashes: RandomState::new(), file }
    }
}

impl Tokens {
    /// Those of a file: one a line, `#` begins a comment. The file is read again when it changes; a
    /// file that cannot be read or holds no token then changes nothing.
    ///
    /// # Errors
    /// It cannot be read, or holds no token: an empty file must not open the door.
    pub fn from_file(path: &Path) -> Result<Self, TokenFileError> {
        let (tokens, stamp) = read(path)?;
        let seen = FileState { looked: Instant::now(), stamp, complained: None };
        Ok(Self(Some(Arc::new(TokenSet::new(tokens, Some((path.to_owned(), Mutex::new(seen))))))))
    }

    /// Whether anyone may come in.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.is_none()
    }

    /// Whether a request may come in.
    pub(super) fn allow(&self, headers: &HeaderMap) -> bool {
        self.admit(headers).is_ok()
    }

    /// Lets a request in, or not; with its token, where there are several.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<Option<TokenHash>, Unauthorized> {
        let Some(kept) = &self.0 else { return Ok(None) };
        self.look(Instant::now());
        let given = headers.get(AUTHORIZATION).map_or(&[][..], |v| v.as_bytes());
        let (scheme, token) = given.split_at_checked(7).ok_or(Unauthorized)?;
        // Every token is compared, so that time does not tell which one came close.
        let current = Arc::clone(&kept.current.read().unwrap_or_else(PoisonError::into_inner));
        let matches =
            current.iter().filter(|t| verify_slices_are_equal(t.expose().as_bytes(), token).is_ok()).count();
        if !scheme.eq_ignore_ascii_case(b"bearer ") || matches == 0 {
            return Err(Unauthorized);
        }
        Ok((current.len() > 1).then(|| TokenHash(kept.hashes.hash_one(token))))
    }

    /// Takes over what the other holds, which was read just now (SIGHUP): from here on its tokens
    /// open the door, and its file is looked at. `false`: there are tokens on one side alone; a
    /// door that is open is not shut so, and none is opened.
    #[must_use]
    pub fn take_over(&self, other: &Self) -> bool {
        let (kept, other) = match (&self.0, &other.0) {
            (None, None) => return true,
            (Some(kept), Some(other)) => (kept, other),
            (Some(_), None) | (None, Some(_)) => return false,
        };
        let (Some((path, seen)), Some((new_path, new_seen))) = (&kept.file, &other.file) else {
            return false;
        };
        if path != new_path {
            return false;
        }
        let tokens = Arc::clone(&other.current.read().unwrap_or_else(PoisonError::into_inner));
        let stamp = new_seen.lock().unwrap_or_else(PoisonError::into_inner).stamp;
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.stamp, seen.complained, seen.looked) = (stamp, None, Instant::now());
        *kept.current.write().unwrap_or_else(PoisonError::into_inner) = tokens;
        true
    }

    /// From here on this one opens the door, where tokens were given; nothing else does.
    pub fn replace(&self, token: Secret) {
        if let Some(kept) = &self.0 {
            *kept.current.write().unwrap_or_else(PoisonError::into_inner) = [token].into();
        }
    }

    /// Whether [`Tokens::take_over`] would.
    #[must_use]
    pub fn can_take_over(&self, other: &Self) -> bool {
        let path =
            |tokens: &Self| tokens.0.as_ref().map(|kept| kept.file.as_ref().map(|(path, _)| path.clone()));
        path(self) == path(other)
    }

    /// Reads the file again if it changed since.
    fn look(&self, now: Instant) {
        let Some((path, seen)) = self.0.as_ref().and_then(|k| k.file.as_ref()) else { return };
        // Whoever finds it locked knows that another request is looking.
        let Ok(mut seen) = seen.try_lock() else { return };
        if now.saturating_duration_since(seen.looked) < PERIOD {
            return;
        }
        seen.looked = now;
        let stamp = std::fs::metadata(path).map(|m| Stamp::of(&m)).ok();
        if stamp.is_none() || stamp != seen.stamp {
            self.take(path, &mut seen);
        }
    }

    fn take(&self, path: &Path, seen: &mut FileState) {
        let Some(kept) = &self.0 else { return };
        match read(path) {
            Ok((tokens, stamp)) => {
                (seen.stamp, seen.complained) = (stamp, None);
                let mut current = kept.current.write().unwrap_or_else(PoisonError::into_inner);
                if current[..] != tokens[..] {
                    tracing::info!(tokens = tokens.len(), "the tokens of {} are read again", path.display());
                    *current = tokens.into();
                }
            }
            Err(why) => {
                let why = why.to_string();
                seen.stamp = None;
                let now = Instant::now();
                let reported = seen.complained.as_ref();
                if reported
                    .is_none_or(|(at, what)| *what != why || now.saturating_duration_since(*at) >= REMINDER)
                {
                    tracing::error!(
                        "the tokens stay those that were read before, removed ones go on to open the door: {why}"
                    );
                    seen.complained = Some((now, why));
                }
            }
        }
    }
}

impl Stamp {
    fn of(found: &std::fs::Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }
}

/// The tokens of a file, and how the file was when they were read; without that, it has to be read
/// again.
fn read(path: &Path) -> Result<(Vec<Secret>, Option<Stamp>), TokenFileError> {
    let cannot = |source| TokenFileError::Unreadable { path: path.to_owned(), source };
    let found = std::fs::metadata(path).map_err(cannot)?;
    if found.len() > MAX_FILE {
        return Err(TokenFileError::TooLong(path.to_owned()));
    }
    let bytes = std::fs::read(path).map_err(cannot)?;
    let text = String::from_utf8(bytes).map_err(|_| TokenFileError::NotText(path.to_owned()))?;
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    let tokens: Vec<Secret> = lines.map(|l| Secret::new(l.to_owned())).collect();
    if tokens.is_empty() {
        return Err(TokenFileError::Empty(path.to_owned()));
    }
    let modified = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let settled = SystemTime::now().duration_since(modified).is_ok_and(|age| age >= SETTLED);
    Ok((tokens, settled.then(|| Stamp::of(&found))))
}

#[cfg(test)]
mod tests;
