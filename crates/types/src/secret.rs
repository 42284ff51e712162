//! Text that must never be printed: passwords and tokens.
//!
//! It has no `Display` and no `Serialize`, its `Debug` is starred, and its memory is wiped when it
//! goes.

use std::fmt;
use zeroize::Zeroizing;

/// A password or a bearer token.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Every call is a position where a secret leaves its box: keep them few.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// What a user's password is verified against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The password itself: serves both authentication plugins.
    Password(Secret),
    /// SHA1(SHA1(password)), as in `mysql.user` for mysql_native_password: serves that plugin, and
    /// the full exchange of caching_sha2_password.
    NativeHash([u8; 20]),
}
