use super::*;

/// An event of this type and length that says it ends there.
fn event(kind: u8, length: usize, end: u32, flags: u16) -> Vec<u8> {
    let mut bytes = vec![0; length];
    bytes[4] = kind;
    bytes[9..13].copy_from_slice(&u32::try_from(length).unwrap().to_le_bytes());
    bytes[13..17].copy_from_slice(&end.to_le_bytes());
    bytes[17..19].copy_from_slice(&flags.to_le_bytes());
    bytes
}

fn rotate(to: &str, end: u32, flags: u16, checksum: bool) -> Vec<u8> {
    let tail = if checksum { 4 } else { 0 };
    let mut bytes = event(ROTATE, HEADER + 8 + to.len() + tail, end, flags);
    bytes[HEADER] = 4;
    bytes[HEADER + 8..HEADER + 8 + to.len()].copy_from_slice(to.as_bytes());
    bytes
}

fn position(file: &str, offset: u64) -> BinlogPosition {
    BinlogPosition { file: file.to_owned(), offset }
}

#[test]
fn ok_a_stream_from_the_middle_of_a_file_and_on_to_the_next() {
    let mut track = Track::from(position("b.000001", 500), false);
    let follow = |file, offset| Ok(Step::Event(Some(position(file, offset))));
    let plain = Ok(Step::Event(None));
    let mut asked = rotate("b.000001", 0, ARTIFICIAL, false);
    asked[HEADER..HEADER + 8].copy_from_slice(&500_u64.to_le_bytes());
    for (event, want) in [
        (asked, Ok(Step::Nothing)),
        (event(FORMAT_DESCRIPTION, 100, 0, 0), follow("b.000001", 500)),
        (event(33, 50, 550, 0), plain.clone()),
        // MariaDB 11.4 does not say where events inside of a transaction end.
        (event(19, 40, 0, 0), plain.clone()),
        (event(16, 30, 620, 0), plain.clone()),
        (event(27, 40, 620, 0), Ok(Step::Nothing)),
        // A transaction that is left out.
        (event(33, 50, 770, 0), follow("b.000001", 720)),
        (rotate("b.000002", 805, 0, false), plain.clone()),
        (rotate("b.000002", 0, ARTIFICIAL, false), Ok(Step::Nothing)),
        (event(FORMAT_DESCRIPTION, 100, 104, 0), plain.clone()),
        // A crash: no ROTATE at the end of the file.
        (rotate("b.000003", 0, ARTIFICIAL, false), Ok(Step::Nothing)),
        (event(FORMAT_DESCRIPTION, 100, 104, 0), follow("b.000003", 4)),
    ] {
        assert_eq!(track.take(&event), want, "type {}, end {}", event[4], event[13]);
    }
    assert_eq!(*track.position(), position("b.000003", 104));
    assert_eq!(track.crashed().as_deref(), Some("b.000002"));
    assert_eq!(track.crashed(), None, "it is told once");
}

#[test]
fn a_file_that_nothing_closes_ends_in_a_crash() {
    for (last, crashed) in [
        (vec![event(33, 30, 530, 0)], Some("b.000001")),
        (vec![], Some("b.000001")),
        (vec![event(33, 30, 530, 0), event(STOP, 23, 553, 0)], None),
        (vec![rotate("b.000002", 542, 0, false)], None),
    ] {
        let mut track = Track::from(position("b.000001", 500), false);
        // The file that was asked for, its description, and what is left of it.
        let begin = [rotate("b.000001", 0, ARTIFICIAL, false), event(FORMAT_DESCRIPTION, 100, 0, 0)];
        let next = rotate("b.000002", 0, ARTIFICIAL, false);
        for event in begin.iter().chain(&last).chain([&next]) {
            assert_eq!(track.crashed(), None);
            track.take(event).unwrap();
        }
        assert_eq!(track.crashed().as_deref(), crashed, "{} events", last.len());
        // Inside of the next file nothing is said of it.
        track.take(&event(FORMAT_DESCRIPTION, 100, 104, 0)).unwrap();
        assert!(!track.closed());
        assert_eq!(track.crashed(), None);
    }
    // By GTID the server chooses the file.
    let mut track = Track::from(position("", 0), false);
    track.take(&rotate("b.000007", 0, ARTIFICIAL, false)).unwrap();
    assert_eq!(track.crashed(), None);
}

/// Seen on MariaDB 10.11 and 11.8 with encrypt_binlog=ON: the start of encryption comes after
/// the description, wherever reading begins.
#[test]
fn ok_the_start_of_encryption_takes_room_at_the_head_of_a_file_alone() {
    let mut track = Track::from(position("b.000001", 500), false);
    for (event, want) in [
        (event(FORMAT_DESCRIPTION, 100, 0, 0), Ok(Step::Event(Some(position("b.000001", 500))))),
        (event(MARIADB_START_ENCRYPTION, 40, 0, 0), Ok(Step::Nothing)),
        (event(162, 50, 550, 0), Ok(Step::Event(None))),
        (rotate("b.000002", 585, 0, false), Ok(Step::Event(None))),
        (event(FORMAT_DESCRIPTION, 100, 104, 0), Ok(Step::Event(None))),
        (event(MARIADB_START_ENCRYPTION, 40, 144, 0), Ok(Step::Event(None))),
    ] {
        assert_eq!(track.take(&event), want, "type {}, end {}", event[4], event[13]);
    }
    assert_eq!(*track.position(), position("b.000002", 144));
}

#[test]
fn ok_the_checksum_after_a_file_name_is_none_of_it() {
    let mut track = Track::from(position("b.000001", 4), true);
    assert_eq!(track.take(&rotate("b.000009", 0, ARTIFICIAL, true)), Ok(Step::Nothing));
    assert_eq!(*track.position(), position("b.000009", 4));
}

#[test]
fn ok_positions_after_four_gigabytes() {
    let mut track = Track::from(position("b.000001", 0xffff_fff0), false);
    assert_eq!(track.take(&event(33, 50, 34, 0)), Ok(Step::Event(Some(position("b.000001", 0xffff_fff0)))));
    assert_eq!(*track.position(), position("b.000001", 0x1_0000_0022));
}

#[test]
fn ok_by_gtid_after_four_gigabytes_the_head_of_the_file_is_no_position() {
    // Seen: MySQL and MariaDB write positions modulo 2^32, and send a dump by GTID from the
    // head of the file on.
    let far = (1 << 32) + 500;
    let mut track = Track::after(position("b.000001", far), false);
    for (event, want) in [
        (rotate("b.000001", 0, ARTIFICIAL, false), Ok(Step::Nothing)),
        (event(FORMAT_DESCRIPTION, 100, 104, 0), Ok(Step::Event(Some(position("b.000001", far))))),
        (event(35, 60, 164, 0), Ok(Step::Nothing)),
        (event(163, 60, 224, 0), Ok(Step::Nothing)),
        (event(33, 50, 550, 0), Ok(Step::Event(None))),
        (event(35, 60, 610, 0), Ok(Step::Event(None))),
    ] {
        assert_eq!(track.take(&event), want, "type {}", event[4]);
    }
    assert_eq!(*track.position(), position("b.000001", far + 110));
    // They were all in the file before: the stream begins with the next one.
    let mut track = Track::after(position("b.000001", far), false);
    assert_eq!(track.take(&rotate("b.000002", 0, ARTIFICIAL, false)), Ok(Step::Nothing));
    assert_eq!(
        track.take(&event(FORMAT_DESCRIPTION, 100, 104, 0)),
        Ok(Step::Event(Some(position("b.000002", 4))))
    );
    assert_eq!(track.take(&event(35, 60, 164, 0)), Ok(Step::Event(None)));
    assert_eq!(*track.position(), position("b.000002", 164));
}

#[test]
fn err_events_that_cannot_be_or_that_miss_others() {
    let mut track = Track::from(position("b.000001", 500), false);
    for (event, part) in [
        (vec![0; 18], "18 bytes where an event header was expected"),
        (event(33, 50, 550, 0)[..49].to_vec(), "says it is 50 bytes long and has 49"),
        (event(ROTATE, HEADER + 3, 0, ARTIFICIAL), "without a position"),
    ] {
        assert!(track.take(&event).unwrap_err().to_string().contains(part));
    }
    track.take(&event(33, 50, 550, 0)).unwrap();
    let inside = track.take(&event(19, 40, 690, 0)).unwrap_err().to_string();
    assert!(inside.contains("inside of a transaction, before one of type 19"), "{inside}");
}
