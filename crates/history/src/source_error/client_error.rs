//! Why a server does not answer, or not as it should.

use dbtrail_mysql_wire::packets::PacketError;
use dbtrail_mysql_wire::reader::Malformed;

/// Why talking to the server failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The network, or the server's end of it.
    #[error("{0}")]
    Network(String),
    /// Encryption.
    #[error("TLS: {0}")]
    Tls(String),
    /// The server said no.
    #[error("the server says: {message} (error {code})")]
    Server {
        /// The error number of the server, such as 1236.
        code: u16,
        /// The message of the server.
        message: String,
    },
    /// It speaks otherwise than expected.
    #[error("the server answered in a way that is not understood: {0}")]
    Protocol(String),
    /// Logging in takes what this program does not have.
    #[error("logging in: {0}")]
    Login(String),
}

impl ClientError {
    /// The server's error number.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Server { code, .. } => Some(*code),
            Self::Network(_) | Self::Tls(_) | Self::Protocol(_) | Self::Login(_) => None,
        }
    }

    /// Whether the connection can be used on: the server refused one statement, and nothing else is
    /// wrong.
    pub(crate) fn is_of_statement(&self) -> bool {
        // 1053 shutdown, 1158 to 1161 network, 1927 and 3169 killed, 4031 idle too long.
        !matches!(self.code(), None | Some(1053 | 1158..=1161 | 1927 | 3169 | 4031))
    }

    pub(crate) fn io(error: &std::io::Error) -> Self {
        Self::Network(error.to_string())
    }
}

impl std::convert::From<PacketError> for ClientError {
    fn from(error: PacketError) -> Self {
        match error {
            PacketError::Closed => Self::Network("the server closed the connection".to_owned()),
            PacketError::Io(error) => Self::io(&error),
            PacketError::TimedOut(_) => Self::Network(format!("{error} from the server")),
            PacketError::NotTaken(_) => Self::Network("the server takes no more data".to_owned()),
            PacketError::TooLarge(_) | PacketError::NoMemory(_) => {
                Self::Protocol("a packet of more than 1 GiB".to_owned())
            }
            PacketError::OutOfOrder { .. } | PacketError::Malformed(_) => Self::Protocol(error.to_string()),
        }
    }
}

impl std::convert::From<Malformed> for ClientError {
    fn from(malformed: Malformed) -> Self {
        Self::Protocol(malformed.0)
    }
}
