//! What the writing half asked for and did not get yet.
//!
//! Wishes are taken at once, also without a connection, so that the writing half never waits for the network; equal ones become one.

use crate::capture::Wish;
use dbtrail_types::ident::TableName;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};

/// All that is asked for.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    asked: Mutex<Asked>,
    definitions: Notify,
    baseline: Notify,
    anew: Notify,
    again: Notify,
}

#[derive(Debug, Default)]
struct Asked {
    /// How often each was asked for: what was asked again while it was read must be read again.
    definitions: BTreeMap<TableName, u64>,
    anew: Option<String>,
    again: Option<String>,
}

impl Wishes {
    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes wishes until nobody is left who could have one.
    pub(super) async fn gather(&self, mut wishes: mpsc::Receiver<Wish>) {
        while let Some(wish) = wishes.recv().await {
            match wish {
                Wish::Compare(names) => self.define(names),
                Wish::Renew(name) => self.define([name]),
                Wish::Baseline => self.baseline.notify_one(),
                Wish::Again(reason) => {
                    self.asked().again = Some(reason);
                    self.again.notify_one();
                }
                Wish::BeginAnew(reason) => {
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

    /// The tables whose definitions are asked for, waiting for the first. They stay asked for until they are [`Self::told`].
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

    /// A definition was told.
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

    /// Waits until the record must begin anew: why.
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

    /// A record that begins anew has all definitions.
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
        let wishes = Wishes::default();
        let (to, from) = mpsc::channel(9);
        for wish in [
            Wish::Compare(vec![name("b"), name("a")]),
            Wish::Renew(name("b")),
            Wish::Baseline,
            Wish::Baseline,
            Wish::BeginAnew("x".into()),
            Wish::BeginAnew("y".into()),
        ] {
            to.send(wish).await.unwrap();
        }
        drop(to);
        wishes.gather(from).await;
        assert_eq!(wishes.definitions().await, [(name("a"), 1), (name("b"), 2)]);
        wishes.told(&name("a"), 1);
        // It was asked for again while it was read.
        wishes.told(&name("b"), 1);
        assert_eq!(wishes.definitions().await, [(name("b"), 2)]);
        wishes.told(&name("b"), 2);
        assert!(wishes.asked().definitions.is_empty());
        wishes.baseline().await;
        assert_eq!(wishes.anew().await, "y");
        assert_eq!(wishes.asked().anew, None);
    }
}
