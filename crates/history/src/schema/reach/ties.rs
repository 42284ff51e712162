//! What a statement says of ties between tables: foreign keys and triggers.

use super::reader::LexemeReader;
use super::{Reach, of, tokens};
use crate::log::{LoggedStatement, UNREAD};
use dbtrail_types::names::TableName;

/// What a statement says of ties between tables.
#[derive(Debug, Default)]
pub(in crate::schema) struct StatementLinks {
    /// What it can have changed.
    pub(in crate::schema) reach: Reach,
    /// It makes a table, which was not there before.
    pub(in crate::schema) creates: bool,
    /// It alters one.
    pub(in crate::schema) alters: bool,
    /// The table that it makes or alters.
    pub(in crate::schema) child: Option<TableName>,
    /// Tables to which foreign keys in it refer.
    pub(in crate::schema) parents: Vec<TableName>,
    /// Of triggers.
    pub(in crate::schema) trigger: Trigger,
}

/// What a statement does to a trigger.
#[derive(Debug, Default)]
pub(in crate::schema) enum Trigger {
    /// Nothing.
    #[default]
    None,
    /// Makes this one, on this table.
    Made(TableName, TableName),
    /// Drops this one.
    Dropped(TableName),
    /// Makes one, and its names cannot be read.
    Unread,
}

/// What a statement says of ties between tables.
pub(in crate::schema) fn links(statement: &LoggedStatement) -> StatementLinks {
    let all = tokens(statement, true);
    let list = all.all();
    let verb = |i: usize, word: &str| list.get(i).is_some_and(|l| l.is(word));
    let mut reported = StatementLinks { reach: of(statement), ..StatementLinks::default() };
    let Some(first) = list.iter().position(|l| ["CREATE", "ALTER", "DROP"].iter().any(|word| l.is(word)))
    else {
        return reported;
    };
    // After SET STATEMENT ... FOR at most.
    if first > 0 && !verb(0, "SET") {
        return reported;
    }
    let mut reader =
        LexemeReader { tokens: all.part(first + 1, all.end()), schema: statement.schema.as_deref() };
    let kind = reader.object();
    if kind.as_deref() == Some("TRIGGER") {
        reported.trigger = if verb(first, "DROP") {
            reader.if_exists();
            reader.name().map_or(Trigger::None, Trigger::Dropped)
        } else {
            reader.trigger()
        };
    } else if kind.as_deref() == Some("TABLE") {
        reported.alters = verb(first, "ALTER");
        let maybe = reader.tokens.peek().is_some_and(|l| l.is("IF"));
        reported.creates = verb(first, "CREATE")
            && !maybe
            && !list.iter().take(reader.tokens.index()).any(|l| l.is("TEMPORARY"));
        reader.if_exists();
        reported.child = reader.name();
        // A name without a schema is one of the child's.
        let schema = reported.child.as_ref().map(|child| child.schema.clone());
        let mut following = LexemeReader { tokens: reader.tokens.clone(), schema: schema.as_deref() };
        while !following.tokens.is_at_end() {
            if following.tokens.words(&["REFERENCES"]) {
                reported.parents.extend(following.name());
            } else {
                following.tokens.skip(1);
            }
        }
    }
    reported
}

impl LexemeReader<'_> {
    /// CREATE TRIGGER, after these words.
    fn trigger(&mut self) -> Trigger {
        self.if_exists();
        let name = self.name();
        self.following("ON");
        match (name, self.name()) {
            (Some(name), Some(table)) if !table.table.contains(UNREAD) && !table.schema.contains(UNREAD) => {
                Trigger::Made(name, table)
            }
            _ => Trigger::Unread,
        }
    }
}
