//! The reading half of capturing: connects to a running MySQL or MariaDB and tells the writing half
//! what happens there.
//!
//! It never writes to the server. It has up to six connections: one on which the log comes in, and
//! ordinary ones for the clock, for definitions, for reading tables, and for who is connected. All
//! of them must be to one server; when the log's connection breaks, all begin again.
//!
//! ```text
//! preflight -> start -> stream (events)        -> capture::RecorderHandle
//!                       clock (how far is safe)
//!                       definitions, baseline  <- capture::CaptureCommand
//!                       sessions (who is connected)
//! ```

mod backfill;
mod bad_source;
mod baseline;
mod client;
mod clock;
mod command_queue;
mod config;
mod definitions;
mod dump_origin;
mod durability;
mod event;
mod facts;
mod follow;
mod keyset;
mod left_alone;
mod log_watch;
mod own_connections;
mod pace;
mod preflight;
mod replica;
mod resume;
mod running;
mod session;
mod sessions;
mod span;
mod start;
mod stream;
mod task;
mod view;
mod waiting;

pub use bad_source::{BadSource, SourceFault};
pub use config::{Backfill, RANDOM_FROM, SourceConfig, Tls};
pub use facts::Facts;
pub use keyset::key_literal;
pub use preflight::{Finding, Severity, preflight};

use super::binlog_position::{BinlogPosition, ResumePosition};
use super::capture::{CaptureCommand, Disconnected, LogLoss, RecorderHandle};
pub use super::source_error::{ClientError, MalformedEvent, SourceError, Unfit};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How following the log ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ended {
    /// The writing half is gone.
    Closed,
    /// The connection broke.
    Failed(Disconnected),
    /// What came after this position is no event.
    Damaged(BinlogPosition, MalformedEvent),
    /// The server does not send its log from there.
    Refused(ClientError),
    /// The writing half cannot go on from here.
    Resnapshot(LogLoss),
}

/// Reads the server and tells the writing half, until `stop`, or until the writing half has ended.
///
/// `resume` is where capturing goes on; `None` begins a record. Failures of the server or the
/// network are reported ([`super::capture::CaptureEvent::Connection`]) and tried again for ever.
pub async fn run(
    config: SourceConfig,
    resume: Option<ResumePosition>,
    writer: RecorderHandle,
    command_queue: mpsc::Receiver<CaptureCommand>,
    stop: CancellationToken,
) {
    let asked = command_queue::CommandQueue::default();
    let reader = task::SourceTask::new(config, writer, &asked);
    tokio::select! {
        () = stop.cancelled() => {}
        () = asked.gather(command_queue) => {}
        () = reader.run(resume) => {}
    }
}
