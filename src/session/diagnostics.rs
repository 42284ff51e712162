//! What a session keeps of its last statement: SHOW WARNINGS, `@@warning_count`, ROW_COUNT(), and
//! whether it failed.

use dbtrail_types::result_set::Note;

/// The diagnostics area of a session.
#[derive(Debug, Default)]
pub(super) struct Diagnostics {
    notes: Vec<Note>,
    /// The notes are those of an earlier statement: a SET has none, and keeps them.
    pub(super) of_before: bool,
    /// The statement ended in an error: those after it in the same packet are not run.
    pub(super) failed: bool,
    /// What ROW_COUNT() says: -1 after rows and after an error.
    pub(super) row_count: i64,
}

impl Diagnostics {
    /// Forgets the notes of the statement before.
    pub(super) fn clear(&mut self) {
        self.notes.clear();
    }

    /// Adds a warning or note.
    pub(super) fn push(&mut self, note: Note) {
        self.begin_own();
        self.notes.push(note);
    }

    /// Adds several.
    pub(super) fn extend(&mut self, notes: Vec<Note>) {
        if !notes.is_empty() {
            self.begin_own();
        }
        self.notes.extend(notes);
    }

    /// A SET that has notes of its own keeps no others.
    fn begin_own(&mut self) {
        if std::mem::take(&mut self.of_before) {
            self.notes.clear();
        }
    }

    /// The statement is over; `wanted`: sql_notes is ON.
    pub(super) fn finish(&mut self, notes: Vec<Note>, wanted: bool) {
        self.notes = notes.into_iter().filter(|n| wanted || n.level != "Note").collect();
    }

    /// The statement failed.
    pub(super) fn fail(&mut self, code: u16, message: String) {
        self.failed = true;
        self.notes = vec![Note { level: "Error", code, message }];
    }

    /// The notes: all, or the errors among them.
    pub(super) fn notes(&self, errors_only: bool) -> impl Iterator<Item = &Note> {
        self.notes.iter().filter(move |n| !errors_only || n.level == "Error")
    }

    /// How many notes there are, as OK and EOF packets have it.
    pub(super) fn count(&self) -> u16 {
        if self.of_before { 0 } else { u16::try_from(self.notes.len()).unwrap_or(u16::MAX) }
    }
}
