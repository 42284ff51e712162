//! XA transactions that are prepared where a gap begins, or where another server takes over.

use super::looks::{T, at, begun, name};
use super::*;
use crate::capture::{Declared, Defaults, LogLoss, Start};
use crate::names::TableState;

const QUERY: u8 = 2;
const XA_PREPARE: u8 = 38;

/// An event without a checksum, as none of these servers writes one.
fn event(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(19 + body.len()).unwrap().to_le_bytes();
    let head = [&1_700_000_000_u32.to_le_bytes()[..], &[kind], &1_u32.to_le_bytes(), &length, &[0; 6]];
    [&head.concat(), body].concat()
}

fn query(recorder: &mut Recorder, sql: &str) {
    let body = [&[0; 8][..], &[1, 0, 0, 0, 0], b"s\0", sql.as_bytes()].concat();
    recorder.event(event(QUERY, &body).into()).unwrap();
}

/// A row of `t` changes in a transaction with this name, which is prepared. In statement format,
/// that is shorter.
fn prepare(recorder: &mut Recorder) {
    query(recorder, "XA START X'78',X'',1");
    query(recorder, "DROP TABLE t");
    query(recorder, "XA END X'78',X'',1");
    let body = [&[0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0][..], b"x"].concat();
    recorder.event(event(XA_PREPARE, &body).into()).unwrap();
}

fn server(server_id: u32) -> Identity {
    Identity { mariadb: true, uuid: None, server_id, version: "11.8.3-MariaDB".to_owned() }
}

/// After `XA COMMIT` of it.
fn committed(recorder: &mut Recorder) -> TableState {
    query(recorder, "XA COMMIT X'78',X'',1");
    recorder.ingest.names.current(&name("t"))
}

#[test]
fn ok_what_is_prepared_is_committed_later() {
    let mut r = begun(&[("t", T)]);
    r.follow(at(100), server(1));
    prepare(&mut r);
    r.unwritten = true;
    r.commit().unwrap();
    assert_eq!(r.resume().unwrap().at, at(100));
    assert_eq!(committed(&mut r), TableState::Absent);
    r.commit().unwrap();
    assert_eq!(r.resume().unwrap().at, *r.reader.position());
}

/// In the part that was not read it may have been rolled back, and its name given to another one:
/// what was prepared before a gap is not what is committed after it.
#[test]
fn what_was_prepared_before_a_gap_is_not_committed_after_it() {
    let mut r = begun(&[("t", T)]);
    r.follow(at(100), server(1));
    prepare(&mut r);
    let position = ResumePosition::new(at(5_000), String::new(), server(1));
    let tables = vec![Declared { name: name("t"), create: T.to_owned() }];
    let defaults = Defaults { lower_case_table_names: Some(0), collations: None };
    let start = Start { position, at: Timestamp::from_micros(0), tables, defaults, backlog: None };
    r.gap(&LogLoss::StartedOver, start).unwrap();
    // Nor is the log read again from before the gap.
    assert_eq!(r.resume().unwrap().at, at(5_000));
    r.follow(at(5_000), server(1));
    let state = committed(&mut r);
    let TableState::Unreadable(why) = state else { panic!("{state:?}") };
    assert!(why.to_string().contains("logged before the record begins"), "{why}");
}

/// Where another server takes over, it has what was prepared; its log has that elsewhere.
#[test]
fn the_log_of_another_server_is_not_read_from_a_place_in_the_first_ones() {
    let mut r = begun(&[("t", T)]);
    r.follow(at(100), server(1));
    prepare(&mut r);
    let there = BinlogPosition { file: "other.000007".to_owned(), offset: 400 };
    r.follow(there.clone(), server(2));
    r.commit().unwrap();
    assert_eq!(r.resume().unwrap().at, there);
    assert_eq!(committed(&mut r), TableState::Absent);
}
