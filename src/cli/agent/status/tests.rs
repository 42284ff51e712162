//! What status shows, and its exit codes.

use super::*;
use dbtrail_history::capture::{Disconnected, Gap};
use dbtrail_history::history_handle::{BaselineProgress, HistoryHandle, TableStatus};
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

#[test]
fn a_status_has_a_line_for_everything() {
    let mut status = HistoryHandle::live(ServerId("shop".to_owned()), at(0)).status(at(9));
    assert_eq!(
        shown(&status),
        "server     shop\nstate      disconnected since 1970-01-01T00:00:00.000000Z: the agent is starting\nposition   none yet\n\
         lag        not known\nrecord     it has not begun\nchanges    0 transactions, 0 row changes\n\
         taken in   0 events, 0 B of log since the start\nstore      0 B, 0 versions kept, 0 dropped by retention\nbaseline   none\n\
         gaps       none\ntables     0, 0 of them not readable now\n"
    );
    (status.reason, status.disconnected_since) = (None, None);
    status.position = Some("binlog.000007:120".to_owned());
    status.gtids = Some("0-1-42".to_owned());
    (status.oldest, status.newest, status.lag_seconds) = (Some(at(1)), Some(at(2)), Some(0.25));
    (status.bytes, status.bytes_on_disk) = (1536, 3 << 30);
    status.baseline = Some(BaselineProgress { done: 1, total: 2, rows: 30 });
    status.gaps = vec![Gap { from: at(1), to: at(2), reason: "purged\x1b[2J".to_owned() }];
    let table = |name: &str, oldest, reason: Option<&str>| TableStatus {
        schema: "shop".to_owned(),
        table: name.to_owned(),
        oldest,
        newest: oldest,
        readable: reason.is_none(),
        reason: reason.map(str::to_owned),
        health: Some(if reason.is_none() { TableHealth::Readable } else { TableHealth::NoPrimaryKey }),
    };
    status.tables = vec![table("a", Some(at(1)), None), table("b", None, Some("no key"))];
    let time = |n: u8| format!("1970-01-01T00:00:0{n}.000000Z");
    let lines = [
        "server     shop".to_owned(),
        "state      connected".to_owned(),
        "position   binlog.000007:120".to_owned(),
        "gtids      0-1-42".to_owned(),
        "lag        0.2 s".to_owned(),
        format!("record     from {} to {}", time(1), time(2)),
        "changes    0 transactions, 0 row changes".to_owned(),
        "taken in   0 events, 1.5 KiB of log since the start".to_owned(),
        "store      3.0 GiB, 0 versions kept, 0 dropped by retention".to_owned(),
        "baseline   1 of 2 tables, 30 rows so far".to_owned(),
        "gaps       1".to_owned(),
        format!("           from {} to {}: purged [2J", time(1), time(2)),
        "tables     2, 1 of them not readable now".to_owned(),
        format!("           shop.a  from {0} to {0}", time(1)),
        "           shop.b  no key".to_owned(),
    ];
    assert_eq!(shown(&status).lines().collect::<Vec<_>>(), lines);
}

#[test]
fn the_exit_code_says_how_it_is() {
    let mut status = HistoryHandle::live(ServerId("shop".to_owned()), at(0)).status(at(9));
    assert_eq!(exit_code(&status, 60), DOWN, "nothing can be answered");
    (status.oldest, status.newest, status.lag_seconds) = (Some(at(1)), Some(at(2)), Some(1.0));
    assert_eq!(exit_code(&status, 60), LAGS_OR_DOUBTS, "disconnected");
    (status.connected, status.reason) = (true, None);
    assert_eq!(exit_code(&status, 60), WELL);
    status.lag_seconds = Some(60.5);
    assert_eq!((exit_code(&status, 60), exit_code(&status, 61)), (LAGS_OR_DOUBTS, WELL));
    status.lag_seconds = Some(0.5);
    for (health, code) in [
        (TableHealth::Readable, WELL),
        (TableHealth::NotCaptured, WELL),
        (TableHealth::NoPrimaryKey, WELL),
        (TableHealth::Unreadable, LAGS_OR_DOUBTS),
        (TableHealth::InDoubt, LAGS_OR_DOUBTS),
    ] {
        status.tables = vec![TableStatus {
            schema: "shop".to_owned(),
            table: "t".to_owned(),
            oldest: None,
            newest: None,
            readable: false,
            reason: None,
            health: Some(health),
        }];
        assert_eq!(exit_code(&status, 60), code, "{health:?}");
    }
    (status.tables, status.live, status.connected, status.lag_seconds) = (Vec::new(), false, false, None);
    assert_eq!(exit_code(&status, 60), WELL, "log files do not lag");
}

#[tokio::test]
async fn a_folder_without_an_agent_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let why = of_folder(&folder.path().into()).await.unwrap_err();
    assert!(why.starts_with(&format!("no agent runs on {}", folder.path().display())), "{why}");
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    let text = format!(r#"{{"address":"{address}","scheme":"http","pid":4711,"key":"k"}}"#);
    std::fs::write(folder.path().join("agent.json"), text).unwrap();
    let why = of_folder(&folder.path().into()).await.unwrap_err();
    assert!(why.contains("agent.json there names process 4711, which does not answer"), "{why}");
}

#[tokio::test]
async fn an_agent_on_a_folder_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let history_handle = std::sync::Arc::new(HistoryHandle::live(ServerId("shop".to_owned()), at(0)));
    let stop = tokio_util::sync::CancellationToken::new();
    let _local = local::Local::open(folder.path(), &history_handle, &stop).await.unwrap();
    history_handle.update(|live| live.connected(Err(Disconnected::NotReady("no route".to_owned())), at(1)));
    let (statuses, runs) = of_folder(&folder.path().into()).await.unwrap();
    let [status] = statuses.as_slice() else { panic!("{statuses:?}") };
    assert_eq!((runs, exit_code(status, 60)), (true, DOWN), "the record has not begun");
    assert_eq!((status.server_id.0.as_str(), status.reason.as_deref()), ("shop", Some("no route")));
    let found = local::address(folder.path()).unwrap().unwrap();
    let url = format!("http://{}", found.address);
    assert_eq!(
        ask(&url, None, None, None).await.unwrap_err(),
        format!("{url} wants one of its tokens: --token-file FILE")
    );
    stop.cancel();
}
