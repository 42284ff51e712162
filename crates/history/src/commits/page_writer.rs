//! Writes pages of entries.

use super::super::engine::{Batch, Table};
use super::super::number::put_number;
use super::super::store::ChangeSequence;
use super::packing::Packer;
use super::{Commit, SAME_CONNECTION, SAME_FILE, SAME_SERVER, Touched};
use dbtrail_types::names::TableName;
use std::collections::HashMap;
use std::sync::Arc;

/// Entries of a page at most.
const FULL: usize = 64;

/// Bytes from which on the next entry begins another page: the statements of a program resemble
/// each other, and are packed together.
const LARGE: usize = 32 << 10;

/// Writes pages.
#[derive(Debug, Default)]
pub struct CommitPageWriter {
    page: Vec<u8>,
    first: ChangeSequence,
    entries: usize,
    before: Before,
    names: HashMap<Arc<TableName>, usize>,
    texts: HashMap<Arc<str>, usize>,
    packer: Packer,
}

/// What an entry is known by: the one before it.
#[derive(Debug, Default)]
struct Before {
    following: ChangeSequence,
    server: u32,
    connection: u64,
    file: Option<Arc<str>>,
    offset: u64,
}

impl CommitPageWriter {
    /// Takes the next entry. Those without a change are not kept.
    pub fn note(&mut self, batch: &mut Batch, commit: &Commit) {
        if self.entries >= FULL || self.page.len() >= LARGE {
            self.flush(batch);
        }
        if self.entries == 0 {
            self.first = commit.first;
            self.before.following = commit.first;
        }
        self.entries += 1;
        let connection = commit.connection.map_or(0, u64::from);
        let same_file = self.before.file.as_ref() == Some(&commit.file);
        let flag = |same: bool, flag: u8| if same { flag } else { 0 };
        let out = &mut self.page;
        out.push(
            flag(self.before.server == commit.server, SAME_SERVER)
                | flag(self.before.connection == connection, SAME_CONNECTION)
                | flag(same_file, SAME_FILE),
        );
        // Numbers may be left out between two entries, never the other way round.
        put_number(out, commit.first.0.wrapping_sub(self.before.following.0));
        put_number(out, commit.following.0.wrapping_sub(commit.first.0));
        if self.before.server != commit.server {
            put_number(out, u64::from(commit.server));
        }
        if self.before.connection != connection {
            put_number(out, connection);
        }
        if same_file {
            put_number(out, commit.offset.wrapping_sub(self.before.offset));
        } else {
            put_text(out, &commit.file);
            put_number(out, commit.offset);
        }
        self.before = Before {
            following: commit.following,
            server: commit.server,
            connection,
            file: Some(Arc::clone(&commit.file)),
            offset: commit.offset,
        };
        put_number(out, commit.tables.len() as u64);
        for Touched { name, inserted, updated, deleted, emptied } in &commit.tables {
            let known = self.names.len();
            let at = *self.names.entry(Arc::clone(name)).or_insert(known);
            put_number(out, (at as u64) << 1 | u64::from(*emptied));
            if at == known {
                put_text(out, &name.schema);
                put_text(out, &name.table);
            }
            for count in [inserted, updated, deleted] {
                put_number(out, *count);
            }
        }
        put_number(out, commit.statements.len() as u64);
        let mut from = commit.first;
        for statement in &commit.statements {
            put_number(out, statement.from.0.wrapping_sub(from.0) << 1 | u64::from(statement.logged));
            from = statement.from;
            // 0: there is no text.
            let Some(text) = &statement.text else {
                put_number(out, 0);
                continue;
            };
            let known = self.texts.len() + 1;
            let at = *self.texts.entry(Arc::clone(text)).or_insert(known);
            put_number(out, at as u64);
            if at == known {
                put_text(out, text);
            }
        }
    }

    /// Writes the page; what comes next begins another.
    pub fn flush(&mut self, batch: &mut Batch) {
        if self.entries == 0 {
            return;
        }
        batch.put(Table::Commits, &self.first.0.to_be_bytes(), self.packer.packed(&self.page));
        let (page, packer) = (std::mem::take(&mut self.page), std::mem::take(&mut self.packer));
        *self = Self { page, packer, ..Self::default() };
        self.page.clear();
        self.page.shrink_to(2 * LARGE);
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}
