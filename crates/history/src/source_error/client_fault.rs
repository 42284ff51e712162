//! What exactly went wrong between this program and the server. A text in it is the words of a
//! library or of the system.

use std::path::PathBuf;
use std::time::Duration;

/// The network, or the server's end of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkFault {
    /// No connection.
    #[error("{address} cannot be reached: {error}")]
    Unreachable {
        /// Host and port.
        address: String,
        /// What the system says.
        error: String,
    },
    /// No login in time.
    #[error("{address} did not answer within {} s", limit.as_secs())]
    Late {
        /// Host and port.
        address: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// An address leads to several servers.
    #[error(
        "another server answers at {address} than the one whose log is followed ({found} instead of {expected})"
    )]
    OtherServer {
        /// Host and port.
        address: String,
        /// Who answers.
        found: String,
        /// Whose log is followed.
        expected: String,
    },
    /// The end of the connection.
    #[error("the server closed the connection")]
    Closed,
    /// Silence.
    #[error("nothing came for {} s from the server", .0.as_secs_f32())]
    Silent(Duration),
    /// What is sent is not read.
    #[error("the server takes no more data")]
    NotTaken,
    /// The system.
    #[error("{0}")]
    System(String),
}

/// Encryption.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// `ssl-mode` wants it.
    #[error("the server offers no encryption: give it a certificate, or use ssl-mode=disabled")]
    NotOffered,
    /// The host of the source.
    #[error("'{0}' is no name that a certificate could bear")]
    HostName(String),
    /// The file of authorities.
    #[error("{} cannot be read: {error}", file.display())]
    UnreadableFile {
        /// The path of that file.
        file: PathBuf,
        /// What the system says.
        error: String,
    },
    /// The file of authorities has no certificate.
    #[error("{} {what}", file.display())]
    NoCertificate {
        /// The path of that file.
        file: PathBuf,
        /// What it holds.
        what: String,
    },
    /// A certificate in the file of authorities.
    #[error("{}: {what}", file.display())]
    Authorities {
        /// The path of that file.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The handshake, or the library.
    #[error("{0}")]
    Library(String),
}

/// What a server of MySQL's protocol does not say, or says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolFault {
    /// The first packet, and those of the login.
    #[error("its greeting: {0}")]
    Greeting(String),
    /// No CLIENT_PROTOCOL_41.
    #[error("it is older than MySQL 4.1")]
    TooOld,
    /// Somebody on the way may have put it there.
    #[error("data before the TLS handshake")]
    DataBeforeTls,
    /// Neither yes nor no, and no question that is known.
    #[error("an unknown packet while logging in")]
    LoginPacket,
    /// The first packet of an answer.
    #[error("no head of a result")]
    NoHead,
    /// The packet after the columns.
    #[error("no end of the column list")]
    NoColumnEnd,
    /// Among the events.
    #[error("a packet in the log's stream that is no event")]
    NoEvent,
    /// An ERR packet.
    #[error("an error packet that cannot be read")]
    ErrorPacket,
    /// Longer than a packet may be.
    #[error("a packet of more than 1 GiB")]
    TooLarge,
    /// A packet that cannot be taken apart, or is not the next one.
    #[error("{0}")]
    Packet(String),
    /// SHOW GLOBAL VARIABLES.
    #[error("it names no version or server_id")]
    NoVersion,
    /// UTC_TIMESTAMP.
    #[error("its clock shows '{0}'")]
    Clock(String),
    /// SHOW BINARY LOG STATUS, or its predecessor.
    #[error("{0} names no position: is the binary log on (log_bin)?")]
    NoPosition(&'static str),
}

/// What an account wants that this program does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginFault {
    /// mysql_clear_password.
    #[error(
        "the account {0} wants its password sent in the clear, which is done only under TLS: add ssl-mode=required"
    )]
    ClearPassword(String),
    /// A plugin of the server.
    #[error(
        "the account {user} uses the plugin {plugin}, which is not supported: give the agent an account with \
         caching_sha2_password (MySQL) or mysql_native_password (MariaDB)"
    )]
    Plugin {
        /// The account.
        user: String,
        /// The plugin.
        plugin: String,
    },
    /// mysql_old_password.
    #[error("the account has a password of MySQL 3 or 4")]
    OldPassword,
    /// For caching_sha2_password without TLS.
    #[error("the server sent no RSA key for the password: use TLS (ssl-mode=required)")]
    NoRsaKey,
}
