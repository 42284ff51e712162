//! What a statement gives, and what is seen of a session while it works.

use super::stream::RowStream;
use dbtrail_types::result_set::{ResultColumn, Row};
use std::sync::Arc;

/// Which of the places a login takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginSlot {
    /// One of `limits.max_connections`.
    Client,
    /// One that is kept for those who look after the server: ProxySQL's monitor, the connection
    /// with which ProxySQL kills a statement, and `doctor`. A server that is full must not look
    /// like one that is down.
    Caretaker,
}

/// An answer to one statement.
#[derive(Debug)]
pub enum Answer {
    /// An OK packet.
    Done,
    /// A result set that is complete.
    Table(Vec<ResultColumn>, Vec<Row>),
    /// A result set whose rows are still coming.
    Stream(Arc<[ResultColumn]>, Box<RowStream>),
}

/// What every OK and EOF packet tells of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// SERVER_STATUS_AUTOCOMMIT
    pub autocommit: bool,
    /// SERVER_STATUS_IN_TRANS
    pub in_transaction: bool,
    /// SERVER_STATUS_IN_TRANS_READONLY
    pub read_only: bool,
    /// SERVER_STATUS_NO_BACKSLASH_ESCAPES
    pub no_backslash_escapes: bool,
    /// SERVER_MORE_RESULTS_EXISTS
    pub more_results: bool,
    /// Warnings of the last statement.
    pub warnings: u16,
}
