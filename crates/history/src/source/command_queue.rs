//! What the writing half asked for and did not get yet.
//!
//! Commands are taken at once, also without a connection, so that the writing half never waits for
//! the network; equal ones become one.

use crate::capture::{CaptureCommand, EventFault, LogLoss};
use dbtrail_types::names::TableName;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc, watch};

/// All that is asked for.
#[derive(Debug, Default)]
pub(super) struct CommandQueue {
    asked: Mutex<PendingCommands>,
    definitions: Notify,
    baseline: Notify,
    sessions: Notify,
    resnapshot: Notify,
    reconnect: Notify,
    held: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct PendingCommands {
    /// How often each was asked for: what was asked again while it was read must be read again.
    definitions: BTreeMap<TableName, u64>,
    resnapshot: Option<LogLoss>,
    reconnect: Option<EventFault>,
}

impl CommandQueue {
    fn asked(&self) -> MutexGuard<'_, PendingCommands> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes commands until nobody is left who could have one.
    pub(super) async fn gather(&self, mut command_queue: mpsc::Receiver<CaptureCommand>) {
        while let Some(command) = command_queue.recv().await {
            match command {
                CaptureCommand::Compare(names) => self.define(names),
                CaptureCommand::Renew(name) => self.define([name]),
                CaptureCommand::Baseline => self.baseline.notify_one(),
                CaptureCommand::Sessions => self.sessions.notify_one(),
                CaptureCommand::Hold(held) => _ = self.held.send_replace(held),
                CaptureCommand::Reconnect(reason) => {
                    self.asked().reconnect = Some(reason);
                    self.reconnect.notify_one();
                }
                CaptureCommand::Resnapshot(reason) => {
                    self.asked().resnapshot = Some(reason);
                    self.resnapshot.notify_one();
                }
            }
        }
    }

    /// Asks for definitions.
    fn define(&self, names: impl IntoIterator<Item = TableName>) {
        for name in names {
            *self.asked().definitions.entry(name).or_default() += 1;
        }
        self.definitions.notify_one();
    }

    /// The tables whose definitions are asked for, waiting for the first. They stay asked for until
    /// they are [`Self::answered`].
    pub(super) async fn definitions(&self) -> Vec<(TableName, u64)> {
        loop {
            let asked: Vec<_> =
                self.asked().definitions.iter().map(|(name, times)| (name.clone(), *times)).collect();
            if !asked.is_empty() {
                return asked;
            }
            self.definitions.notified().await;
        }
    }

    /// A definition was sent.
    pub(super) fn answered(&self, name: &TableName, version: u64) {
        let mut asked = self.asked();
        if asked.definitions.get(name) == Some(&version) {
            asked.definitions.remove(name);
        }
    }

    /// Waits until something of the baseline is asked for.
    pub(super) async fn baseline(&self) {
        self.baseline.notified().await;
    }

    /// Waits until it is asked whose connections there are.
    pub(super) async fn sessions(&self) {
        self.sessions.notified().await;
    }

    /// Waits until the log is taken in.
    pub(super) async fn flowing(&self) {
        // It is as old as what is waited on.
        let _ = self.held.subscribe().wait_for(|held| !held).await;
    }

    /// Waits until the record must begin again: why.
    pub(super) async fn resnapshot(&self) -> LogLoss {
        loop {
            if let Some(reason) = self.asked().resnapshot.take() {
                return reason;
            }
            self.resnapshot.notified().await;
        }
    }

    /// Waits until the log must be read again: why.
    pub(super) async fn reconnect(&self) -> EventFault {
        loop {
            if let Some(reason) = self.asked().reconnect.take() {
                return reason;
            }
            self.reconnect.notified().await;
        }
    }

    /// A record that begins again has all definitions.
    pub(super) fn forget(&self) {
        let mut asked = self.asked();
        asked.definitions.clear();
        asked.resnapshot = None;
        asked.reconnect = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn equal_commands_become_one() {
        let name = |table: &str| TableName { schema: "s".into(), table: table.into() };
        let command_queue = CommandQueue::default();
        let (to, from) = mpsc::channel(9);
        for command in [
            CaptureCommand::Compare(vec![name("b"), name("a")]),
            CaptureCommand::Renew(name("b")),
            CaptureCommand::Baseline,
            CaptureCommand::Baseline,
            CaptureCommand::Sessions,
            CaptureCommand::Hold(true),
            CaptureCommand::Hold(false),
            CaptureCommand::Resnapshot(LogLoss::TableNames { setting: 0 }),
            CaptureCommand::Resnapshot(LogLoss::TableNames { setting: 1 }),
        ] {
            to.send(command).await.unwrap();
        }
        drop(to);
        command_queue.gather(from).await;
        assert_eq!(command_queue.definitions().await, [(name("a"), 1), (name("b"), 2)]);
        command_queue.answered(&name("a"), 1);
        // It was asked for again while it was read.
        command_queue.answered(&name("b"), 1);
        assert_eq!(command_queue.definitions().await, [(name("b"), 2)]);
        command_queue.answered(&name("b"), 2);
        assert!(command_queue.asked().definitions.is_empty());
        command_queue.flowing().await;
        command_queue.baseline().await;
        command_queue.sessions().await;
        assert_eq!(command_queue.resnapshot().await, LogLoss::TableNames { setting: 1 });
        assert_eq!(command_queue.asked().resnapshot, None);
    }
}
