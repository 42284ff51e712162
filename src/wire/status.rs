//! What the session says of itself, in the form of the protocol.

use crate::session;
use dbtrail_mysql_wire::constants::StatusFlags;
use dbtrail_mysql_wire::packets::{Limits, ReadLimit};
use dbtrail_mysql_wire::results::{StateChange, Status};

impl From<session::Status> for Status {
    fn from(status: session::Status) -> Self {
        let mut flags = StatusFlags::empty();
        flags.set(StatusFlags::SERVER_STATUS_IN_TRANS, status.in_transaction);
        flags.set(StatusFlags::SERVER_STATUS_AUTOCOMMIT, status.autocommit);
        flags.set(StatusFlags::SERVER_MORE_RESULTS_EXISTS, status.more_results);
        flags.set(StatusFlags::SERVER_STATUS_NO_BACKSLASH_ESCAPES, status.no_backslash_escapes);
        flags.set(StatusFlags::SERVER_STATUS_IN_TRANS_READONLY, status.read_only);
        Self { flags, warnings: status.warnings }
    }
}

impl<'a> From<&'a session::Change> for StateChange<'a> {
    fn from(change: &'a session::Change) -> Self {
        match change {
            session::Change::Variable(name, value) => Self::Variable(name, value),
            session::Change::Schema(name) => Self::Schema(name),
            session::Change::State => Self::State,
            session::Change::Characteristics(statements) => Self::Characteristics(statements),
            session::Change::Transaction(state) => Self::Transaction(state),
        }
    }
}

/// How long a client may keep the connection waiting.
pub(super) fn limits(network: session::Network) -> Limits {
    Limits { read: ReadLimit::Payload(network.read), write: network.write }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_status_flags() {
        let plain = session::Status {
            autocommit: true,
            in_transaction: false,
            read_only: false,
            no_backslash_escapes: false,
            more_results: false,
            warnings: 7,
        };
        let flags = |status| Status::from(status).flags.bits();
        assert_eq!((flags(plain), Status::from(plain).warnings), (2, 7));
        assert_eq!(flags(session::Status { more_results: true, ..plain }), 10);
        let all =
            session::Status { in_transaction: true, read_only: true, no_backslash_escapes: true, ..plain };
        assert_eq!(flags(all), 0x2203);
    }
}
