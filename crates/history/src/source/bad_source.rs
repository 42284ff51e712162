//! Why the text after `--source` names no server.

/// What is wrong with the address. It never holds the password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the source's address {0}; write it as mysql://USER:PASSWORD@HOST:3306, with %40 for @, %3A for : and %2F for / in the password"
)]
pub struct BadSource(pub SourceFault);

/// Half a sentence, of the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceFault {
    /// Another scheme, or none.
    #[error("does not begin with mysql://")]
    Scheme,
    /// Nothing is in front of an @.
    #[error("names no user before an @")]
    NoAccount,
    /// The user is empty.
    #[error("names no user before the :")]
    NoUser,
    /// A user with a % as it is.
    #[error("has a % in the user that no two hex digits follow")]
    PercentInUser,
    /// A password with a % as it is.
    #[error("has a % in the password that no two hex digits follow (a % itself is %25)")]
    PercentInPassword,
    /// `mysql://.../shop`.
    #[error("names a database; tables are chosen with include and exclude patterns")]
    Database,
    /// 0, more than 65535, or no number.
    #[error("has a port that is not a number from 1 to 65535")]
    Port,
    /// Nothing follows the @.
    #[error("names no host")]
    NoHost,
    /// A parameter with a % as it is.
    #[error("has a wrong % in the value of {parameter}")]
    PercentInValue {
        /// The name of the parameter.
        parameter: String,
    },
    /// A parameter that is not read.
    #[error("has the parameter {parameter}; known are ssl-mode and ssl-ca")]
    UnknownParameter {
        /// The name of the parameter.
        parameter: String,
    },
    /// `ssl-mode=disabled&ssl-ca=...`.
    #[error("has an ssl-ca, which ssl-mode=disabled would never look at")]
    UnusedAuthority,
    /// `ssl-mode=verify-ca` without `ssl-ca`.
    #[error("asks for a verified certificate and names no ssl-ca=FILE")]
    NoAuthority,
    /// Another value of `ssl-mode`.
    #[error("has an ssl-mode that is none of disabled, required, verify-ca and verify-identity")]
    SslMode,
}
