//! Tables that somebody found not to be what the history says.

use super::looks::{AT, T, begun, ddl, name};
use super::*;
use crate::names::TableState;
use crate::store::ChangeSequence;
use dbtrail_types::doubt::DoubtRequest;

/// It was true that the history is wrong when that was found, and the table was dropped before it
/// was noted.
#[test]
fn what_a_table_was_that_is_gone_is_in_doubt() {
    let mut r = begun(&[("t", T)]);
    ddl(&mut r, 200, "DROP TABLE t");
    r.commit().unwrap();
    r.ingest.engine().sync().unwrap();
    let since = Timestamp::from_micros(AT.micros() - 1);
    let doubt = DoubtRequest {
        server_id: ServerId("x".to_owned()),
        table: name("t"),
        since,
        reason: "a row is another".to_owned(),
    };
    assert!(r.history_handle.put_in_doubt(doubt));
    r.due().unwrap();
    assert_eq!(r.ingest.names.current(&name("t")), TableState::Absent);
    let known = r.ingest.generations.first().unwrap();
    assert_eq!(known.doubt, Some((ChangeSequence(1), "a row is another".to_owned())));
}
