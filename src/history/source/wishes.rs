//! What the writing half asked for and did not get yet.
//!
//! Wishes are taken at once, also without a connection, so that the writing half never waits for the network; equal ones become one.

use crate::history::capture::Wish;
use crate::ident::TableName;
use std::collections::BTreeSet;
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
    definitions: BTreeSet<TableName>,
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

    /// Asks for definitions (again).
    pub(super) fn define(&self, names: impl IntoIterator<Item = TableName>) {
        self.asked().definitions.extend(names);
        self.definitions.notify_one();
    }

    /// The next table whose definition is asked for.
    pub(super) async fn definition(&self) -> TableName {
        loop {
            if let Some(name) = self.asked().definitions.pop_first() {
                return name;
            }
            self.definitions.notified().await;
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
        assert_eq!(wishes.definition().await, name("a"));
        assert_eq!(wishes.definition().await, name("b"));
        assert!(wishes.asked().definitions.is_empty());
        wishes.baseline().await;
        assert_eq!(wishes.anew().await, "y");
        assert_eq!(wishes.asked().anew, None);
    }
}
