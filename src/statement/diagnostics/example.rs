//! The statement that works, put together from what was typed.

use super::super::cursor::{Cursor, shortened, syntax};
use super::super::timestamp::timestamp;
use super::super::{Refused, VirtualSchema};

/// Clauses that end a WHERE, and time clauses, which do not belong there.
const ENDS: &[&[&str]] = &[
    &["GROUP"],
    &["HAVING"],
    &["WINDOW"],
    &["UNION"],
    &["EXCEPT"],
    &["INTERSECT"],
    &["ORDER"],
    &["LIMIT"],
    &["FOR"],
    &["INTO"],
    &["LOCK"],
    &["PROCEDURE"],
    &["AS", "OF"],
    &["AT", "GTID"],
];

/// The longest predicate that an example repeats, in characters.
const LONGEST_PREDICATE: usize = 60;

/// The longest time clause that an example repeats, in characters.
const LONGEST_CLAUSE: usize = 80;

/// The statement that works, about the table that was meant. It is put together where it is given,
/// and not for every statement that is right.
pub(in crate::statement) struct Example<'a> {
    path: Vec<String>,
    statement: Cursor<'a>,
}

impl<'a> Example<'a> {
    /// With the predicate of the first WHERE from here on, if it is short.
    pub(in crate::statement) fn new(c: &Cursor<'a>, path: &[&str]) -> Self {
        Self { path: path.iter().map(|part| (*part).to_owned()).collect(), statement: c.clone() }
    }

    fn predicate(&self) -> String {
        let mut c = self.statement.clone();
        c.go(c.find(&["WHERE"]));
        c.next();
        let end = c.find_any(ENDS);
        let written = c.part(c.index(), end).source();
        let plain = !c.part(c.index(), end).is_at_end()
            && c.part(c.index(), end).expression().is_ok()
            && written.chars().count() <= LONGEST_PREDICATE
            && !written.contains(['\n', '\r', ';']);
        if plain { written.trim().to_owned() } else { "<primary key> = ...".to_owned() }
    }

    /// The time clause as it was written, if it is a good one for this schema.
    pub(super) fn time(&self, schema: VirtualSchema) -> Option<String> {
        let words: &[&str] = match schema {
            VirtualSchema::Flashback | VirtualSchema::Snapshot => &["AS", "OF"],
            VirtualSchema::Diff | VirtualSchema::Undo => &["BETWEEN"],
        };
        let mut c = self.statement.clone();
        c.go(c.find_any(&[words]));
        let begin = c.index();
        if !c.words(words) {
            return None;
        }
        timestamp(&mut c).ok()?;
        if schema.is_of_changes() && (!c.words(&["AND"]) || timestamp(&mut c).is_err()) {
            return None;
        }
        let written = c.part(begin, c.index()).source();
        let short = written.chars().count() <= LONGEST_CLAUSE && !written.contains(['\n', '\r', ';', '?']);
        short.then_some(written)
    }

    pub(super) fn table(&self) -> String {
        let name = |part: &String| {
            if part.chars().all(|c| c.is_alphanumeric() || c == '_') && !part.is_empty() {
                part.clone()
            } else {
                format!("`{}`", part.replace('`', "``"))
            }
        };
        shortened(&self.path.iter().map(name).collect::<Vec<_>>().join("."), 64)
    }

    /// One instant, or a window.
    pub(in crate::statement) fn form(&self, schema: VirtualSchema) -> String {
        let time = self.time(schema).unwrap_or_else(|| {
            let usual = match schema {
                VirtualSchema::Flashback | VirtualSchema::Snapshot => "AS OF '2026-04-27 09:00:00'",
                VirtualSchema::Diff | VirtualSchema::Undo => {
                    "BETWEEN '2026-04-27 09:00' AND '2026-04-27 10:00'"
                }
            };
            usual.to_owned()
        });
        format!("SELECT * FROM {}.{} {time} WHERE {}", schema.name(), self.table(), self.predicate())
    }

    /// Puts what works after what is wrong.
    pub(in crate::statement) fn in_rest(&self, refused: Refused, schema: VirtualSchema) -> Refused {
        match refused {
            Refused::Syntax { message } => syntax(format!("{message}; for example: {}", self.form(schema))),
            Refused::Unsupported { message } => {
                Refused::Unsupported { message: format!("{message}; for example: {}", self.form(schema)) }
            }
            other @ (Refused::JoinWithReal { .. } | Refused::NotForThisServer { .. }) => other,
        }
    }
}
