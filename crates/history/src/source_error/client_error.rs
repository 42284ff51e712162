//! Why a server does not answer, or not as it should.

use super::client_fault::{LoginFault, NetworkFault, ProtocolFault, TlsFault};
use dbtrail_mysql_wire::packets::PacketError;
use dbtrail_mysql_wire::reader::Malformed;

/// Why talking to the server failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The network, or the server's end of it.
    #[error(transparent)]
    Network(#[from] NetworkFault),
    /// Encryption.
    #[error("TLS: {0}")]
    Tls(#[from] TlsFault),
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
    Protocol(#[from] ProtocolFault),
    /// Logging in takes what this program does not have.
    #[error("logging in: {0}")]
    Login(#[from] LoginFault),
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
        NetworkFault::System(error.to_string()).into()
    }
}

impl From<PacketError> for ClientError {
    fn from(error: PacketError) -> Self {
        match error {
            PacketError::Closed => NetworkFault::Closed.into(),
            PacketError::Io(error) => Self::io(&error),
            PacketError::TimedOut(limit) => NetworkFault::Silent(limit).into(),
            PacketError::NotTaken(_) => NetworkFault::NotTaken.into(),
            PacketError::TooLarge(_) | PacketError::NoMemory(_) => ProtocolFault::TooLarge.into(),
            PacketError::OutOfOrder { .. } | PacketError::Malformed(_) => {
                ProtocolFault::Packet(error.to_string()).into()
            }
        }
    }
}

impl From<Malformed> for ClientError {
    fn from(malformed: Malformed) -> Self {
        ProtocolFault::Packet(malformed.0).into()
    }
}
