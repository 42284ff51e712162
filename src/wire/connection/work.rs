//! One command in work.

use super::super::gone::Gone;
use super::form::Form;
use crate::failure::Failure;
use dbtrail_mysql_wire::packets::Packets;
use dbtrail_types::names::RequestId;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use tokio::sync::futures::Notified;

/// One command that may take its time.
pub(super) struct Work<'a, 'n> {
    pub(super) request: &'a RequestId,
    /// KILL QUERY.
    pub(super) interrupt: Pin<&'a mut Notified<'n>>,
    /// The session's max_execution_time.
    pub(super) deadline: Option<tokio::time::Instant>,
    pub(super) form: Form,
}

impl Work<'_, '_> {
    /// Runs a part of it while watching for a client that goes away, for KILL QUERY and for a
    /// panic. Dropping it cancels the agent's request.
    pub(super) async fn watch<T>(
        &mut self,
        packets: &mut Packets,
        run: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Result<T, Failure>, Gone> {
        let run = AssertUnwindSafe(run).catch_unwind();
        let late = late(self.deadline);
        tokio::select! {
            done = run => Ok(done.unwrap_or_else(|_| {
                Err(Failure::Internal("a bug was met while running the statement; please report it with the request id".to_owned()))
            })),
            () = self.interrupt.as_mut() => Ok(Err(Failure::Interrupted)),
            () = late => Ok(Err(Failure::TooLong)),
            () = packets.closed() => Err(Gone::Closed),
        }
    }
}

/// Ends at the deadline; without one, never.
pub(super) async fn late(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
