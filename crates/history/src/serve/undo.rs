//! `POST /v1/undo_script`: SQL that takes changes back, written by whoever can write SQL.

use crate::query::Refusal;
use dbtrail_types::agent_api::code;
use dbtrail_types::undo_script::{MOST_TABLES, UndoScript, UndoScriptRequest};
use futures_util::future::BoxFuture;
use std::fmt::Debug;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Writes the SQL: the agent's server knows rows, and no SQL.
pub trait WritesUndo: Send + Sync + Debug {
    /// The file for these changes, or why there is none.
    fn script(&self, asked: UndoScriptRequest) -> BoxFuture<'static, Result<UndoScript, Refusal>>;
}

/// Files that are written at a time: all rows of each are held.
const AT_ONCE: usize = 2;

/// Who writes, and how many at a time.
#[derive(Clone, Debug)]
pub(super) struct Undo {
    writer: Option<Arc<dyn WritesUndo>>,
    slots: Arc<Semaphore>,
}

impl Undo {
    pub(super) fn new(writer: Option<Arc<dyn WritesUndo>>) -> Self {
        Self { writer, slots: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    pub(super) async fn script(&self, asked: UndoScriptRequest) -> Result<UndoScript, Refusal> {
        let Some(writer) = &self.writer else {
            return Err(Refusal::new(404, code::NOT_FOUND, "this agent writes no undo".to_owned()));
        };
        match asked.tables.len() {
            1 => {}
            2..=MOST_TABLES if asked.keys.is_none() => {}
            2..=MOST_TABLES => {
                return Err(Refusal::malformed("keys are of one table, and several are named".to_owned()));
            }
            given => {
                let why = format!("{given} tables are named: name 1 to {MOST_TABLES}");
                return Err(Refusal::malformed(why));
            }
        }
        let Ok(_slot) = self.slots.try_acquire() else {
            let why = format!("this agent writes {AT_ONCE} undo files at a time: ask again in a second");
            return Err(Refusal::new(503, code::OVERLOADED, why));
        };
        writer.script(asked).await
    }
}
