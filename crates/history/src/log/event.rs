//! Events of one file: header, body, checksum (manual: ["MySQL Binary Log
//! Events"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication_binlog_event.html),
//! ["Event
//! header"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication_binlog_event.html)).

use super::bytes::Bytes;
use super::event_header::{EVENT_HEADER as HEADER, EventHeader};
pub(super) use super::event_kind as kind;
use super::{LogFault, ServerVersion};
use ::bytes::Bytes as Buffer;
use std::cmp::Ordering;
use std::io::{BufRead, Read};

/// The four bytes that begin a binary log file.
const MAGIC: [u8; 4] = [0xfe, b'b', b'i', b'n'];
/// Those that begin one that MySQL has encrypted.
const ENCRYPTED: [u8; 4] = [0xfd, b'b', b'i', b'n'];
/// A server cannot write a larger event (max_allowed_packet is at most 1 GiB).
const LARGEST: usize = (1 << 30) + (1 << 20);
/// Room that is made for an event before its bytes have come, at most.
const AT_ONCE: usize = 1 << 20;
/// LOG_EVENT_BINLOG_IN_USE_F: set while the file is open; the checksum is computed without it.
const IN_USE: u16 = 0x1;
/// LOG_EVENT_IGNORABLE_F: who does not know the event may pass it over.
pub(super) const IGNORABLE: u16 = 0x80;

/// One event, its checksum verified and taken off.
#[derive(Debug)]
pub(super) struct Event {
    /// Seconds since 1970.
    pub(super) timestamp: u32,
    pub(super) kind: u8,
    /// The server that wrote it first.
    pub(super) server: u32,
    pub(super) flags: u16,
    /// Where it begins in its file.
    pub(super) offset: u64,
    /// Bytes in the file, header and checksum included.
    pub(super) length: u64,
    /// All of it, shared with whoever keeps a part.
    raw: Buffer,
    /// Where the body ends, and the checksum begins.
    end: usize,
}

impl Event {
    pub(super) fn body(&self) -> &[u8] {
        self.raw.get(HEADER..self.end).unwrap_or_default()
    }

    /// The body, to keep a part of it.
    pub(super) fn kept(&self) -> Buffer {
        self.raw.slice(HEADER..self.end)
    }
}

/// What the format description event of a file says.
#[derive(Clone, Debug, Default)]
pub(super) struct Format {
    /// `8.0.36`, `10.11.19-MariaDB-log`.
    pub(super) server: String,
    /// CRC32 after each event.
    pub(super) checksum: bool,
}

impl Format {
    pub(super) fn version(&self) -> ServerVersion {
        ServerVersion::read(&self.server)
    }
}

/// How reading an event can end other than with one.
#[derive(Debug)]
pub(super) enum Torn {
    /// The file ends inside an event: what a crash, or copying a live file, leaves.
    Tail(LogFault),
    /// The bytes are wrong.
    Fault(LogFault),
}

impl From<LogFault> for Torn {
    fn from(fault: LogFault) -> Self {
        Self::Fault(fault)
    }
}

/// Reads the magic number.
pub(super) fn magic(input: &mut impl Read) -> Result<(), LogFault> {
    let mut bytes = [0; 4];
    input.read_exact(&mut bytes).map_err(|_| LogFault::FileTooShort)?;
    if bytes == ENCRYPTED {
        return Err(LogFault::Encrypted);
    }
    if bytes != MAGIC {
        return Err(LogFault::NotABinaryLog);
    }
    Ok(())
}

/// The next event; `None` where the input ends between two events. `checksum`: whether four bytes
/// of CRC32 end each event.
pub(super) fn next(input: &mut impl BufRead, offset: u64, checksum: bool) -> Result<Option<Event>, Torn> {
    let io = |e: std::io::Error| Torn::Fault(LogFault::Unreadable(e.to_string()));
    if input.fill_buf().map_err(io)?.is_empty() {
        return Ok(None);
    }
    let mut raw = Vec::with_capacity(HEADER);
    input.by_ref().take(HEADER as u64).read_to_end(&mut raw).map_err(io)?;
    if raw.len() < HEADER {
        return Err(Torn::Tail(LogFault::HeaderCut(raw.len())));
    }
    let length = length(&raw)?;
    // Memory grows with the bytes that are there, not with the length that is claimed.
    raw.reserve_exact((length - HEADER).min(AT_ONCE));
    input.by_ref().take((length - HEADER) as u64).read_to_end(&mut raw).map_err(io)?;
    if raw.len() < length {
        return Err(Torn::Tail(LogFault::EventCut { length, there: raw.len() }));
    }
    Ok(Some(read(raw.into(), offset, checksum)?))
}

/// An event that is there as a whole, and nothing else.
pub(super) fn event(raw: Buffer, offset: u64, checksum: bool) -> Result<Event, LogFault> {
    if raw.len() < HEADER {
        return Err(LogFault::HeaderCut(raw.len()));
    }
    let length = length(&raw)?;
    match raw.len().cmp(&length) {
        Ordering::Less => Err(LogFault::EventCut { length, there: raw.len() }),
        Ordering::Equal => read(raw, offset, checksum),
        Ordering::Greater => Err(LogFault::BytesAfterEvent),
    }
}

/// How long an event is, by its header.
fn length(event: &[u8]) -> Result<usize, LogFault> {
    let length = EventHeader::read(event)?.length;
    let length = usize::try_from(length).map_err(|_| LogFault::LengthTooLarge)?;
    if (HEADER..=LARGEST).contains(&length) { Ok(length) } else { Err(LogFault::EventLength(length)) }
}

fn read(raw: Buffer, offset: u64, checksum: bool) -> Result<Event, LogFault> {
    let EventHeader { timestamp, kind, server, length, end: _, flags } = EventHeader::read(&raw)?;
    let mut end = raw.len();
    // A description says of itself and what follows whether there are checksums, whatever was
    // before it: `binlog_checksum` can be switched.
    let checksum = match kind {
        kind::FORMAT_DESCRIPTION => raw.len() > HEADER + 5 && raw[raw.len() - 5] == 1,
        _ => checksum,
    };
    if checksum {
        end = verified(&raw, kind, flags)?;
    }
    Ok(Event { timestamp, kind, server, flags, offset, length: length.into(), raw, end })
}

/// Compares the CRC32; gives where it begins.
fn verified(raw: &[u8], kind: u8, flags: u16) -> Result<usize, LogFault> {
    let at = raw.len().checked_sub(4).filter(|at| *at >= HEADER);
    let at = at.ok_or(LogFault::NoRoomForChecksum)?;
    let stored = Bytes(&raw[at..]).u32()?;
    let mut crc = crc32fast::Hasher::new();
    if kind == kind::FORMAT_DESCRIPTION && flags & IN_USE != 0 {
        crc.update(&raw[..17]);
        crc.update(&(flags & !IN_USE).to_le_bytes());
        crc.update(&raw[HEADER..at]);
    } else {
        crc.update(&raw[..at]);
    }
    if crc.finalize() != stored {
        return Err(LogFault::Checksum);
    }
    Ok(at)
}

/// MySQL before 5.6.1, MariaDB before 5.3.
fn has_no_checksums(server: &str) -> bool {
    let mut parts = server.split(['.', '-']).map_while(|p| p.parse::<u16>().ok());
    let number = (parts.next(), parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    let (Some(major), minor, patch) = number else { return false };
    let first = if server.to_ascii_lowercase().contains("mariadb") { (5, 3, 0) } else { (5, 6, 1) };
    (major, minor, patch) < first
}

/// Reads a format description event (its CRC32 is already off when it has one).
pub(super) fn format(event: &Event) -> Result<Format, LogFault> {
    let mut body = Bytes(event.body());
    let version = body.u16()?;
    if version != 4 {
        return Err(LogFault::LogVersion(version));
    }
    let name = body.take(50)?;
    let name = name.split(|b| *b == 0).next().unwrap_or_default();
    let server = String::from_utf8_lossy(name).into_owned();
    let _created = body.u32()?;
    let header = body.u8()?;
    if usize::from(header) != HEADER {
        return Err(LogFault::HeaderLength(header));
    }
    // Older servers have no checksums, and say nothing of them.
    if has_no_checksums(&server) {
        return Ok(Format { server, checksum: false });
    }
    // After the table of post-header lengths is the checksum algorithm (0 off, 1 CRC32); a checksum
    // in turn was cut off, or, where the algorithm is off, four unused bytes follow.
    let algorithm = match body.0 {
        [.., 1] => 1,
        [.., algorithm, _, _, _, _] => *algorithm,
        _ => return Err(LogFault::NoChecksumAlgorithm),
    };
    match algorithm {
        0 | 1 => Ok(Format { server, checksum: algorithm == 1 }),
        other => Err(LogFault::ChecksumAlgorithm(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A format description event without a checksum: a server's version, and the lengths of its
    /// events' own headers.
    fn description(server: &str, lengths: &[u8]) -> Result<Format, LogFault> {
        let mut name = server.as_bytes().to_vec();
        name.resize(50, 0);
        let body = [&[4, 0][..], &name, &[0, 0, 0, 0, 19], lengths].concat();
        let length = u32::try_from(HEADER + body.len()).unwrap();
        let mut raw = vec![0; 4];
        raw.push(kind::FORMAT_DESCRIPTION);
        raw.extend([1, 0, 0, 0]);
        raw.extend(length.to_le_bytes());
        raw.extend([0; 6]);
        raw.extend(body);
        format(&event(raw.into(), 4, false)?)
    }

    /// Seen on MySQL 9.7 and MariaDB 11.8 after `SET GLOBAL binlog_checksum = NONE`: the next
    /// file's description comes on a connection on which all events had checksums.
    #[test]
    fn a_description_says_by_itself_whether_there_are_checksums() {
        let body = [&[4, 0][..], b"9.7.4", &[0; 45], &[0, 0, 0, 0, 19], &OF_5_5, &[0, 7, 7, 7, 7]].concat();
        let length = u32::try_from(HEADER + body.len()).unwrap();
        let mut raw = vec![0, 0, 0, 0, kind::FORMAT_DESCRIPTION, 1, 0, 0, 0];
        raw.extend(length.to_le_bytes());
        raw.extend([0; 6]);
        raw.extend(body);
        // With a CRC32 that is right in the place of the unused bytes, too.
        let at = raw.len() - 4;
        let crc = crc32fast::hash(&raw[..at]);
        for last in [[7; 4], crc.to_le_bytes()] {
            raw[at..].copy_from_slice(&last);
            for before in [true, false] {
                let read = event(raw.clone().into(), 4, before).and_then(|event| format(&event));
                assert_eq!(read.map(|format| format.checksum), Ok(false), "{last:?} {before}");
            }
        }
    }

    /// Lengths of MySQL 5.5's 27 kinds of events: nothing follows them.
    const OF_5_5: [u8; 27] =
        [56, 13, 0, 8, 0, 18, 0, 4, 4, 4, 4, 18, 0, 0, 84, 0, 4, 26, 8, 0, 0, 0, 8, 8, 8, 2, 0];

    #[test]
    fn old_servers_say_nothing_of_checksums() {
        for server in ["5.5.62-log", "5.6.0-m4", "5.1.73", "5.2.14-MariaDB"] {
            let read = description(server, &OF_5_5).unwrap();
            assert_eq!((read.server.as_str(), read.checksum), (server, false));
        }
        // From there on the algorithm is after the lengths, and four bytes follow.
        for server in ["5.6.1", "8.0.36", "5.5.68-MariaDB", "10.11.19-MariaDB-log"] {
            for (algorithm, known) in [(0, true), (8, false)] {
                let reported = description(server, &[&OF_5_5[..], &[algorithm, 0, 0, 0, 0]].concat());
                assert_eq!(reported.is_ok_and(|format| !format.checksum), known, "{server}: {algorithm}");
            }
        }
    }
}
