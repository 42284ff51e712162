use super::*;
use crate::engine::{StoreError, StoreFault};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

#[test]
fn a_loss_began_with_the_first_word_of_it() {
    let mut live = CaptureStatus::starting(at(1));
    live.connected(Err(Disconnected::StreamEnded), at(2));
    assert_eq!(live.connection, Connection::Down { since: at(1), reason: Disconnected::StreamEnded });
    live.connected(Ok(()), at(3));
    assert_eq!(live.connection, Connection::Up);
    live.connected(Err(Disconnected::StreamEnded), at(4));
    live.connected(Err(Disconnected::NoProcessPrivilege), at(5));
    assert_eq!(live.connection, Connection::Down { since: at(4), reason: Disconnected::NoProcessPrivilege });
}

#[test]
fn the_lag_is_never_negative() {
    let mut live = CaptureStatus::starting(at(1));
    assert_eq!(live.lag_seconds(at(9)), None);
    live.clock = Some(at(5));
    assert_eq!([live.lag_seconds(at(9)), live.lag_seconds(at(4))], [Some(4.0), Some(0.0)]);
}

#[test]
fn before_the_first_history_there_is_a_status() {
    let history_handle = HistoryHandle::live(ServerId("s".to_owned()), at(1));
    assert!(history_handle.current().is_none());
    let status = history_handle.status(at(2));
    assert_eq!((status.live, status.connected, status.oldest), (true, false, None));
    assert_eq!(status.reason.as_deref(), Some("the agent is starting"));
    history_handle.update(|l| {
        l.connected(Ok(()), at(2));
        l.clock = Some(at(2));
        l.baseline = BaselineProgress { done: 1, total: 3, rows: 40 };
        l.failed = Some(StoreError(StoreFault::DiskFull).into());
    });
    let status = history_handle.status(at(4));
    assert_eq!((status.connected, status.lag_seconds), (false, Some(2.0)));
    assert_eq!(
        status.reason.as_deref(),
        Some("the history is not written: the history store failed: the disk is full")
    );
    assert_eq!(status.baseline.map(|b| b.rows), Some(40));
    let text = serde_json::to_string(&status).unwrap();
    assert_eq!(serde_json::from_str::<Status>(&text).unwrap(), status);
}
