//! One table: its rows on the server against the history, in pieces of its key.
//!
//! A piece of rows is read after a look at the position of the log, and compared with what the
//! history says of that position. Rows that are not the same may have changed in between: they are
//! looked at again (`again`).

use super::compare::{differing, key_of};
use super::history::{History, No};
use super::key::{Key, Wanted, literal, positions};
use super::pace::Pace;
use super::source::{Read, Row, ServerReader};
use dbtrail_types::agent_api::code;
use dbtrail_types::column::TableDefinition;
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Rows that are held at a time at most.
pub(super) const HELD: usize = 1_000_000;
/// The word of a refusal of more rows than are held at a time.
const TOO_MANY: &str = "too_many";
/// So many rows are looked at again before others are compared.
const MOST: usize = 2_000;
/// Rows that are looked at again at a time: where more of one piece differ, the first of them.
const HELD_KEYS: usize = 2 * MOST;

/// What came of the first look at a table.
#[derive(Debug)]
pub(super) enum Looked {
    /// So many rows are as the history says.
    Same(u64),
    /// Of so many rows some are to be looked at again.
    Suspect(u64, Suspect),
    /// It was not compared, and why.
    Not(String),
}

/// What is to be looked at again.
#[derive(Clone, Debug)]
pub(super) struct Suspect {
    pub(super) table: TableName,
    pub(super) definition: TableDefinition,
    pub(super) what: What,
}

/// Of a table.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// Names, order or types of the columns.
    Columns,
    /// These rows; `rest`: others.
    Rows { keys: Vec<Key>, rest: Rest },
}

/// What is not among the rows that are looked at again, since these are so many.
#[derive(Clone, Debug)]
pub(super) enum Rest {
    /// Nothing: all that differed is among them.
    None,
    /// Rows after this value of the first key column, which have not been compared.
    After(Vec<u8>),
    /// Rows that differed too.
    Differed,
}

/// Both sides, and how fast they are read.
#[derive(Debug)]
pub(super) struct Sides<'a> {
    pub(super) source: &'a mut ServerReader,
    pub(super) history: &'a History,
    pub(super) pace: &'a mut Pace,
    /// Rows of a piece.
    pub(super) piece: u32,
}

/// Is called for each piece that is done, by its last value of the first key column.
pub(super) type Done<'a> = dyn FnMut(&[u8]) -> Result<(), String> + Send + 'a;

impl Sides<'_> {
    /// Compares a table, from the rows after `after` on.
    ///
    /// # Errors
    /// A side does not answer.
    pub(super) async fn table(
        &mut self,
        table: &TableName,
        after: Option<Vec<u8>>,
        done: &mut Done<'_>,
    ) -> Result<Looked, String> {
        match self.compared(table, after, done).await {
            Ok(looked) => Ok(looked),
            Err(No::Refused(_, why)) => Ok(Looked::Not(why)),
            Err(No::Failed(why)) => Err(why),
        }
    }

    async fn compared(
        &mut self,
        table: &TableName,
        mut lower: Option<Vec<u8>>,
        done: &mut Done<'_>,
    ) -> Result<Looked, No> {
        let position = self.source.position().await?;
        let definition = self.history.definition(table, &position).await?;
        let suspect = |what| Suspect { table: table.clone(), definition: definition.clone(), what };
        if !same_columns(&self.source.columns(table).await?, &definition) {
            return Ok(Looked::Suspect(0, suspect(What::Columns)));
        }
        let first = definition.key_columns().first().map(|column| (*column).clone());
        let first = first.ok_or_else(|| No::Refused(String::new(), "it has no key".to_owned()))?;
        let (mut rows, mut suspects) = (0, BTreeSet::new());
        let (mut size, mut rest) = (self.piece, Rest::None);
        let mut unbounded = lower.as_deref().is_some_and(|value| literal(&first, value).is_none());
        loop {
            let (wanted, upper) = if unbounded {
                (Wanted::all(&definition), None)
            } else {
                let after = lower.as_deref().and_then(|value| literal(&first, value));
                let upper = self.source.boundary(table, &first, after.as_deref(), size).await?;
                let piece = Wanted::piece(&definition, lower.as_deref(), upper.as_deref());
                let Some(piece) = piece else {
                    (unbounded, rows) = (true, 0);
                    continue;
                };
                (piece, upper)
            };
            match self.piece(table, &definition, &wanted).await {
                Ok((count, found)) => {
                    rows += count;
                    suspects.extend(found);
                    self.pace.wait(count).await;
                }
                // A key that the agent cannot put in order: all of it at once.
                Err(No::Refused(word, _)) if word == code::UNSUPPORTED_KEY && !unbounded => {
                    (unbounded, rows) = (true, 0);
                    continue;
                }
                // Long rows: fewer of them at a time.
                Err(No::Refused(word, _)) if word == TOO_MANY && size > 1 && !unbounded => {
                    size = (size / 8).max(1);
                    continue;
                }
                Err(no) => return Err(no),
            }
            let Some(upper) = upper else { break };
            if suspects.len() >= MOST {
                rest = Rest::After(upper);
                break;
            }
            // Where rows differ, a run that goes on after an interruption looks at them again.
            if suspects.is_empty() {
                done(&upper)?;
            }
            lower = Some(upper);
        }
        if suspects.is_empty() {
            return Ok(Looked::Same(rows));
        }
        let rest = if suspects.len() > HELD_KEYS { Rest::Differed } else { rest };
        let keys = suspects.into_iter().take(HELD_KEYS).collect();
        Ok(Looked::Suspect(rows, suspect(What::Rows { keys, rest })))
    }

    /// How many rows of a piece the server has, and the keys of those that are not what the history
    /// says of the position before they were read.
    async fn piece(
        &mut self,
        table: &TableName,
        definition: &TableDefinition,
        wanted: &Wanted,
    ) -> Result<(u64, Vec<Key>), No> {
        let position = self.source.position().await?;
        let server = self.rows(table, definition, wanted).await?;
        // As soon as the record reaches it.
        let then = self.history.definition(table, &position).await?;
        if then != *definition {
            return Err(changing());
        }
        let rows = self.history.rows(table, wanted, position, HELD).await?;
        let (_, history) = rows.ok_or_else(too_many)?;
        Ok((server.len() as u64, differing(definition, &server, &history)))
    }

    /// Rows of the server by their keys.
    pub(super) async fn rows(
        &mut self,
        table: &TableName,
        definition: &TableDefinition,
        wanted: &Wanted,
    ) -> Result<BTreeMap<Key, Row>, No> {
        let positions = positions(definition).unwrap_or_default();
        match self.source.rows(table, definition, wanted, HELD).await? {
            Read::Rows(rows) => {
                Ok(rows.into_iter().filter_map(|row| Some((key_of(&positions, &row)?, row))).collect())
            }
            Read::Absent => Err(changing()),
            Read::TooMany => Err(too_many()),
        }
    }
}

/// Whether the server's columns are those of a definition.
pub(super) fn same_columns(server: &[String], definition: &TableDefinition) -> bool {
    server.iter().eq(definition.columns.iter().map(|column| &column.name))
}

pub(super) fn plus(at: Timestamp, micros: i64) -> Timestamp {
    Timestamp::from_micros(at.micros().saturating_add(micros))
}

pub(super) fn changing() -> No {
    No::Refused(String::new(), "its definition changes just now: look again".to_owned())
}

pub(super) fn too_many() -> No {
    let why = format!("more than {HELD} rows, or 64 MiB of them, have one value of its first key column");
    No::Refused(TOO_MANY.to_owned(), why)
}
