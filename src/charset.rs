//! Character sets of columns and of clients: stored bytes to UTF-8, and UTF-8 to the few sets that results are sent in.

/// A character set that this program cannot convert exactly, or bytes that are not text in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CharsetError {
    /// Not known here.
    #[error("character set {0} cannot be converted to UTF-8 by this version")]
    Unknown(String),
    /// Not valid in it.
    #[error("bytes that are not valid {0} text")]
    Invalid(String),
}

/// Stored bytes of a character set (by MySQL's name: utf8mb4, latin1, ...) as UTF-8 text.
///
/// # Errors
/// The set is unknown, or the bytes are not valid in it.
pub fn decode<'a>(charset: &str, bytes: &'a [u8]) -> Result<std::borrow::Cow<'a, str>, CharsetError> {
    match charset {
        "utf8mb4" | "utf8mb3" | "utf8" | "ascii" => std::str::from_utf8(bytes)
            .map(std::borrow::Cow::Borrowed)
            .map_err(|_| CharsetError::Invalid(charset.to_owned())),
        other => Err(CharsetError::Unknown(other.to_owned())),
    }
}

/// UTF-8 text as MySQL's latin1 (cp1252 with the five undefined bytes kept); `?` for what it does not have, as mysqld does.
#[must_use]
pub fn encode_latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}
