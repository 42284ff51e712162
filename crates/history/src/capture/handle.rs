//! The way of messages to the writing half.

use super::{BaselineJob, BaselineRows, CaptureEvent, TableView, ValidFrom};
use crate::binlog_position::ResumePosition;
use crate::store::GenerationId;
use tokio::sync::{mpsc, oneshot};

/// The way to the writing half.
#[derive(Clone, Debug)]
pub struct RecorderHandle(mpsc::Sender<CaptureEvent>);

/// The writing half has ended: the process is stopping, or the store failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the history is not written any more")]
pub struct Closed;

impl RecorderHandle {
    /// A way that holds this many messages.
    #[must_use]
    pub fn channel(depth: usize) -> (Self, mpsc::Receiver<CaptureEvent>) {
        let (to, from) = mpsc::channel(depth);
        (Self(to), from)
    }

    /// Sends one message; waits while the writing half is behind.
    ///
    /// # Errors
    /// It has ended.
    pub async fn send(&self, input: CaptureEvent) -> Result<(), Closed> {
        self.0.send(input).await.map_err(|_| Closed)
    }

    /// Where capturing goes on; `None`: nothing was begun.
    ///
    /// # Errors
    /// The writing half has ended.
    pub async fn resume_position(&self) -> Result<Option<ResumePosition>, Closed> {
        let (answer, wait) = oneshot::channel();
        self.send(CaptureEvent::Where(answer)).await?;
        wait.await.map_err(|_| Closed)
    }

    /// What should be read next of the tables, these left alone.
    ///
    /// # Errors
    /// The writing half has ended.
    pub async fn next_job(&self, left_alone: Vec<GenerationId>) -> Result<Option<BaselineJob>, Closed> {
        let (answer, wait) = oneshot::channel();
        self.send(CaptureEvent::NextJob(left_alone, answer)).await?;
        wait.await.map_err(|_| Closed)
    }

    /// Tells of the view for a held job; what to read in it, one after the other.
    ///
    /// # Errors
    /// The writing half has ended.
    pub async fn view(&self, view: TableView) -> Result<Vec<BaselineJob>, Closed> {
        let (answer, wait) = oneshot::channel();
        self.send(CaptureEvent::View(view, answer)).await?;
        wait.await.map_err(|_| Closed)
    }

    /// Hands over rows of a table and waits until they are kept.
    ///
    /// # Errors
    /// The writing half has ended.
    pub async fn baseline(&self, rows: ValidFrom<BaselineRows>) -> Result<bool, Closed> {
        let (answer, wait) = oneshot::channel();
        self.send(CaptureEvent::Baseline(rows, answer)).await?;
        wait.await.map_err(|_| Closed)
    }
}
