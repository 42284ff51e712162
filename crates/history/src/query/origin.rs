//! Who made a change, and by which statement, as the lines of an answer tell it.

use super::form::Form;
use super::{History, Refusal};
use crate::commits::{self, Commit, Near};
use crate::sessions::{self, KnownSession};
use crate::store::ChangeSequence;
use dbtrail_types::agent_api::{ChangeOrigin, DiffLine};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Tells of each change only what differs from the one before.
#[derive(Debug, Default)]
pub(super) struct Origins {
    near: Near,
    /// What was given last: the entry, and the statement.
    last: Option<(ChangeSequence, Option<Arc<str>>)>,
    schemas: Option<Schemas>,
    /// Lines tell user, host and program.
    names: bool,
    near_sessions: sessions::Near,
}

/// The schemas of the record.
#[derive(Debug)]
pub(super) struct Schemas(Vec<String>);

impl Origins {
    /// `names`: with user, host and program, which have to be looked up.
    pub(super) fn new(names: bool) -> Self {
        Self { names, ..Self::default() }
    }

    /// Whose connection made a change, where that is certain.
    pub(super) fn session(
        &mut self,
        history: &History,
        sequence: ChangeSequence,
    ) -> Result<Option<&KnownSession>, Refusal> {
        let first = self.of(history, sequence)?.first;
        Ok(sessions::of(&*history.snapshot, first, &mut self.near_sessions)?)
    }

    /// The transaction of a change.
    pub(super) fn of(&mut self, history: &History, sequence: ChangeSequence) -> Result<&Commit, Refusal> {
        let commit = commits::of(&*history.snapshot, sequence, &mut self.near)?;
        commit.ok_or_else(|| Refusal::internal("a change without a transaction".to_owned()))
    }

    /// A line of who made a change, where that is another than of the change before.
    pub(super) fn announce(
        &mut self,
        history: &History,
        sequence: ChangeSequence,
        form: Form,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let commit = commits::of(&*history.snapshot, sequence, &mut self.near)?;
        let commit = commit.ok_or_else(|| Refusal::internal("a change without a transaction".to_owned()))?;
        let statement = commit.statement_of(sequence);
        if let Some((first, reported)) = &self.last
            && *first == commit.first
            && reported.as_ref() == statement
        {
            return Ok(());
        }
        self.last = Some((commit.first, statement.cloned()));
        let schemas = self.schemas.get_or_insert_with(|| Schemas::of(history));
        let mut origin = origin(commit, statement, schemas);
        if self.names
            && let Some(known) = sessions::of(&*history.snapshot, commit.first, &mut self.near_sessions)?
        {
            origin.connection_user = Some(known.info.user.clone());
            origin.connection_host.clone_from(&known.info.host);
            origin.connection_program.clone_from(&known.info.program);
        }
        form.json(&DiffLine::Origin(origin), out)
    }
}

fn origin(commit: &Commit, statement: Option<&Arc<str>>, schemas: &Schemas) -> ChangeOrigin {
    let touched = statement.map(|text| schemas.touched(commit, [&**text])).unwrap_or_default();
    ChangeOrigin {
        server_id: Some(commit.server),
        connection_id: commit.connection,
        binlog_file: Some(commit.file.to_string()),
        binlog_position: Some(commit.offset),
        statement: statement.map(ToString::to_string),
        statement_schemas: touched.into_iter().map(str::to_owned).collect(),
        ..ChangeOrigin::default()
    }
}

impl Schemas {
    pub(super) fn of(history: &History) -> Self {
        let known: BTreeSet<&String> = history.names.iter().map(|(name, _)| &name.schema).collect();
        Self(known.into_iter().cloned().collect())
    }

    /// The schemas of all tables that an entry changed, and those of the record whose names are in
    /// texts: who may not see one of them may not see the texts.
    pub(super) fn touched<'a>(
        &'a self,
        commit: &'a Commit,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> BTreeSet<&'a str> {
        let mut touched: BTreeSet<&str> = commit.tables.iter().map(|t| t.name.schema.as_str()).collect();
        for text in texts {
            let text = text.to_lowercase();
            touched.extend(self.0.iter().map(String::as_str).filter(|schema| names(&text, schema)));
        }
        touched
    }
}

/// Whether a name is in a text in lower case as a word of its own.
fn names(text: &str, name: &str) -> bool {
    let name = name.to_lowercase();
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    text.match_indices(&name).any(|(at, _)| {
        let (before, following) = (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
        !before.is_some_and(is_word) && !following.is_some_and(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_schema_is_found_in_a_text_as_a_word() {
        for (text, found) in [
            ("INSERT INTO shop.t SELECT * FROM hr.people", true),
            ("INSERT INTO shop.t SELECT * FROM `HR`.people", true),
            ("hr", true),
            ("UPDATE t SET chr = 1, hr_ = 2", false),
            ("", false),
        ] {
            assert_eq!(names(&text.to_lowercase(), "hr"), found, "{text}");
        }
    }
}
