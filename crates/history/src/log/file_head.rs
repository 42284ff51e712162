//! The head of a log file, by the events that are there: when it was begun, by which release, and
//! which transactions are before it.

use super::gtid::{previous_mariadb, previous_mysql};
use super::{EVENT_HEADER, event_kind as kind};
use dbtrail_types::timestamp::Timestamp;

/// Where the kind of an event is in its header.
const KIND: usize = 4;
/// Where the release is in a format description, and how long it may be.
const RELEASE: usize = EVENT_HEADER + 2;
const LONGEST: usize = 50;

/// What one event says of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FileHead {
    /// When it was begun, by the clock of whoever began it (`None`: it does not say), and the
    /// release of the server.
    Description(Option<Timestamp>, String),
    /// The transactions before it; `None`: in a form that is not read here.
    Before(Option<String>),
}

/// Reads an event as it is in the log; `None`: it says nothing of its file.
pub(crate) fn read(event: &[u8]) -> Option<FileHead> {
    // A checksum after what is counted in the body is no harm.
    let body = event.get(EVENT_HEADER..)?;
    match *event.get(KIND)? {
        kind::FORMAT_DESCRIPTION => {
            let seconds = u32::from_le_bytes(event.first_chunk::<4>().copied()?);
            let begun = (seconds != 0).then(|| Timestamp::from_micros(i64::from(seconds) * 1_000_000));
            let release = event.get(RELEASE..RELEASE + LONGEST)?;
            let release = release.split(|byte| *byte == 0).next().unwrap_or_default();
            Some(FileHead::Description(begun, String::from_utf8_lossy(release).into_owned()))
        }
        kind::PREVIOUS_GTIDS => Some(FileHead::Before(previous_mysql(body).ok().flatten())),
        kind::MARIADB_GTID_LIST => Some(FileHead::Before(previous_mariadb(body).ok())),
        _ => None,
    }
}

/// Whether the server writes nothing more to a file after this event: it went on in another one, or
/// was stopped. A file without either ends where the server crashed.
pub(crate) fn closes(event: &[u8]) -> bool {
    matches!(event.get(KIND), Some(&(kind::ROTATE | kind::STOP)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The first events of a recording, and its last one.
    fn events(fixture: &str) -> Vec<Vec<u8>> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(fixture);
        let bytes = std::fs::read(path).unwrap();
        let (mut at, mut events) = (4, Vec::new());
        while let Some(length) = bytes.get(at + 9..at + 13) {
            let end = at + u32::from_le_bytes(length.try_into().unwrap()) as usize;
            events.push(bytes[at..end].to_vec());
            at = end;
        }
        events
    }

    #[test]
    fn the_head_of_a_file_is_read() {
        let events = events("mysql-9.7/binlog.000003");
        let Some(FileHead::Description(Some(begun), release)) = read(&events[0]) else { panic!() };
        assert!(begun.to_string().starts_with("2026-11-23T07:12:37"), "{begun}");
        assert!(release.starts_with("9.7."), "{release}");
        let Some(FileHead::Before(Some(before))) = read(&events[1]) else { panic!() };
        assert!(before.ends_with(":1-5") || before.contains(':') || before.is_empty(), "{before}");
        assert_eq!(read(&events[2]), None);
        assert!(!closes(&events[2]));
    }
}
