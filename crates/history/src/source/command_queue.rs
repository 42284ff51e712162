//! What the writing half asked for and did not get yet.
//!
//! Commands are taken at once, also without a connection, so that the writing half never waits for
//! the network; equal ones become one.

use crate::capture::CaptureCommand;
use dbtrail_types::names::TableName;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc, watch};

/// All that is asked for.
#[derive(Debug, Default)]
pub(super) struct CommandQueue {
    asked: Mutex<Asked>,
    definitions: Notify,
    baseline: Notify,
    anew: Notify,
    again: Notify,
    held: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Asked {
    /// How often each was asked for: what was asked again while it was read must be read again.
    definitions: BTreeMap<TableName, u64>,
    anew: Option<String>,
    again: Option<String>,
}

impl CommandQueue {
    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes commands until nobody is left who could have one.
    pub(super) async fn gather(&self, mut command_queue: mpsc::Receiver<CaptureCommand>) {
        while let Some(command) = command_queue.recv().await {
            match command {
                CaptureCommand::Compare(names) => self.define(names),
                CaptureCommand::Renew(name) => self.define([name]),
                CaptureCommand::Baseline => self.baseline.notify_one(),
                CaptureCommand::Hold(held) => _ = self.held.send_replace(held),
                CaptureCommand::Reconnect(reason) => {
                    self.asked().again = Some(reason);
                    self.again.notify_one();
                }
                CaptureCommand::Resnapshot(reason) => {
                    self.asked().anew = Some(reason);
                    self.anew.notify_one();
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
    /// they are [`Self::told`].
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
    pub(super) fn told(&self, name: &TableName, version: u64) {
        let mut asked = self.asked();
        if asked.definitions.get(name) == Some(&version) {
            asked.definitions.remove(name);
        }
    }

    /// Waits until something of the baseline is asked for.
    pub(super) async fn baseline(&self) {
        self.baseline.notified().await;
    }

    /// Waits until the log is taken in.
    pub(super) async fn flowing(&self) {
        // It is as old as what is waited on.
        let _ = self.held.subscribe().wait_for(|held| !held).await;
    }

    /// Waits until the record must begin again: why.
    pub(super) async fn anew(&self) -> String {
        loop {
            if let Some(reason) = self.asked().anew.take() {
                return reason;
            }
            self.anew.notified().await;
        }
    }

    /// Waits until the log must be read again: why.
    pub(super) async fn again(&self) -> String {
        loop {
            if let Some(reason) = self.asked().again.take() {
                return reason;
            }
            self.again.notified().await;
        }
    }

    /// A record that begins again has all definitions.
    pub(super) fn forget(&self) {
        let mut asked = self.asked();
        asked.definitions.clear();
        asked.anew = None;
        asked.again = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn equal_wishes_become_one() {
        let name = |table: &str| TableName { schema: "s".into(), table: table.into() };
        let command_queue = CommandQueue::default();
        let (to, from) = mpsc::channel(9);
        for command in [
            CaptureCommand::Compare(vec![name("b"), name("a")]),
            CaptureCommand::Renew(name("b")),
            CaptureCommand::Baseline,
            CaptureCommand::Baseline,
            CaptureCommand::Hold(true),
            CaptureCommand::Hold(false),
            CaptureCommand::Resnapshot("x".into()),
            CaptureCommand::Resnapshot("y".into()),
        ] {
            to.send(command).await.unwrap();
        }
        drop(to);
        command_queue.gather(from).await;
        assert_eq!(command_queue.definitions().await, [(name("a"), 1), (name("b"), 2)]);
        command_queue.told(&name("a"), 1);
        // It was asked for again while it was read.
        command_queue.told(&name("b"), 1);
        assert_eq!(command_queue.definitions().await, [(name("b"), 2)]);
        command_queue.told(&name("b"), 2);
        assert!(command_queue.asked().definitions.is_empty());
        command_queue.flowing().await;
        command_queue.baseline().await;
        assert_eq!(command_queue.anew().await, "y");
        assert_eq!(command_queue.asked().anew, None);
    }
}
