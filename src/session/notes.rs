//! What an empty or partial answer means, for SHOW WARNINGS.

use super::local_time::in_zone;
use dbtrail_types::agent_api::{ApiNote, NoteCode};
use dbtrail_types::result_set::Note;
use dbtrail_types::zone::Zone;
use std::fmt::Write;

/// ER_UNKNOWN_ERROR: the number that notes without one of their own have.
pub(super) const NOTE: u16 = 1105;

/// Why a key has no row.
pub(super) fn note(note: &ApiNote, zone: &Zone) -> Note {
    let key: Vec<String> = note.key.iter().map(|o| String::from_utf8_lossy(&o.0).into_owned()).collect();
    let at = note.at.and_then(|at| in_zone(at, zone).ok());
    let when = at.map_or_else(
        || "at an instant that is not known".to_owned(),
        |at| format!("at {at} ({})", zone.name()),
    );
    let mut message = format!("key ({}): ", key.join(", "));
    // Writing to a String cannot fail.
    let _ = match note.code {
        NoteCode::NeverExisted if note.at.is_some() => {
            write!(message, "no row has had it since the record begins, {when}")
        }
        NoteCode::NeverExisted => write!(message, "no row ever had it"),
        NoteCode::DeletedAt => write!(message, "its row was deleted {when}"),
        NoteCode::NotYetCreated => write!(message, "its row was created only later, {when}"),
    };
    Note { level: "Note", code: NOTE, message }
}
