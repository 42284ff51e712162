//! Looks at the server's list of sessions, made up, with the events of a recorded log: which
//! transactions they name.

use super::feed::{Feed, events, options, position_at, server, start};
use crate::by_whom::{chain_of, rows};
use crate::truth_agent;
use dbtrail_history::History;
use dbtrail_history::capture::{
    CaptureCommand, CaptureEvent, ConfirmedSession, SessionInfo, SessionsLook, ValidFrom,
};
use dbtrail_history::recorder::RecorderOptions;
use dbtrail_types::happened::{HistoryRequest, HistoryTable};
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;
use mysql_async::prelude::Queryable;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

const FIXTURE: &str = "mysql-9.7";

/// Position, connection, and user, host and program of each transaction.
fn transactions(history: &Arc<History>) -> Vec<(u64, Option<u32>, [Option<String>; 3])> {
    let coverage = history.coverage();
    let request = HistoryRequest {
        server_id: ServerId("truth".to_owned()),
        table: HistoryTable::Transactions,
        schemas: None,
        window: Some((coverage.oldest, coverage.newest)),
        transaction: None,
        filter: None,
        limit: None,
        connection_names: false,
    };
    let bytes = history.happened(&request).expect("an answer").collect::<Result<Vec<_>, _>>().expect("rows");
    let text = String::from_utf8(bytes.concat()).expect("text");
    let rows = text.lines().skip(1).filter_map(|line| serde_json::from_str::<Vec<Value>>(line).ok());
    let cell = |row: &[Value], at: usize| row[at].as_str().map(str::to_owned);
    rows.map(|row| {
        let number = |at| cell(&row, at).and_then(|text| text.parse().ok());
        let connection = number(5).and_then(|id: u64| u32::try_from(id).ok());
        (number(3).expect("a offset"), connection, [11, 12, 13].map(|at| cell(&row, at)))
    })
    .collect()
}

/// What is named by a look that comes after `until`, of what was committed after `since`, where one
/// connection is known.
async fn recorded(known: u32, (since, until): (u64, u64), connections: bool) -> (Arc<History>, bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let (files, events) = (truth_agent::history(FIXTURE), events(FIXTURE));
    let mut feed = Feed::open_with(folder.path(), RecorderOptions { connections, ..options() });
    feed.send(CaptureEvent::Begin(start(FIXTURE, &files))).await;
    let log = events.first().map(|(_, raw)| u32::from_le_bytes(raw[5..9].try_into().expect("four bytes")));
    let own =
        dbtrail_history::binlog_position::Identity { server_id: log.expect("a server"), ..server(FIXTURE) };
    feed.send(CaptureEvent::Follow(position_at(4), own)).await;
    let info = SessionInfo { user: "é".to_owned(), host: Some("h".to_owned()), program: None };
    let session = ConfirmedSession { id: known, since: position_at(since), info: Arc::new(info) };
    let what = SessionsLook { at: Timestamp::from_micros(1), sessions: vec![session] };
    // It comes in front of the events that it waits for.
    feed.send(CaptureEvent::Sessions(ValidFrom { after: position_at(until), what })).await;
    for (_, raw) in &events {
        feed.send(CaptureEvent::Events(vec![raw.clone().into()])).await;
    }
    // A look that knows nobody: nobody after it names what came before.
    let nobody = SessionsLook { at: Timestamp::from_micros(2), sessions: Vec::new() };
    let end = events.last().map_or(4, |(at, _)| *at);
    feed.send(CaptureEvent::Sessions(ValidFrom { after: position_at(end), what: nobody })).await;
    let clock = dbtrail_history::capture::ClockReading::plain(files.coverage().newest);
    feed.send(CaptureEvent::Clock(ValidFrom { after: position_at(end), what: clock })).await;
    feed.writer.resume_position().await.expect("it writes");
    let mut asked = false;
    while let Ok(command) = feed.commands.try_recv() {
        asked |= command == CaptureCommand::Sessions;
    }
    (feed.end().await, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_names_what_its_connection_committed_before_it_and_after_it_was_certain() {
    let files = truth_agent::history(FIXTURE);
    let ids: BTreeSet<u32> = events(FIXTURE)
        .iter()
        .filter(|(_, raw)| raw[4] == 2)
        .map(|(_, raw)| u32::from_le_bytes(raw[19..23].try_into().expect("four bytes")))
        .collect();
    let (mut named, mut others) = (0, 0);
    for known in ids {
        let all = transactions(&recorded(known, (4, 5), true).await.0);
        let (since, until) = (all[all.len() / 3].0, all[all.len() * 2 / 3].0);
        let (history, asked) = recorded(known, (since, until), true).await;
        assert!(asked && history.entries() == files.entries());
        for (offset, connection, whose) in transactions(&history) {
            let inside = (since..until).contains(&offset) && connection == Some(known);
            let seen = [Some("é".to_owned()), Some("h".to_owned()), None];
            let want = if inside { seen } else { [const { None }; 3] };
            assert_eq!(whose, want, "{offset} {connection:?} {known}");
            if inside { named += 1 } else { others += 1 }
        }
        let (history, asked) = recorded(known, (since, until), false).await;
        assert!(!asked && transactions(&history).iter().all(|(.., whose)| whose[0].is_none()));
        if named > 0 && others > 0 {
            break;
        }
    }
    assert!(named > 5 && others > 5, "{named} {others}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_tell_whose_connection_made_them_where_that_is_asked_for() {
    let first = events(FIXTURE).iter().find(|(_, raw)| raw[4] == 2).map(|(_, raw)| raw[19..23].to_vec());
    let known = u32::from_le_bytes(first.expect("a query").try_into().expect("four bytes"));
    let all = transactions(&recorded(known, (4, 5), true).await.0);
    let range = (all[all.len() * 5 / 6].0, all[all.len() - 2].0);
    let (history, _) = recorded(known, range, true).await;
    let named: Vec<u64> = transactions(&history)
        .into_iter()
        .filter_map(|(offset, _, whose)| whose[0].is_some().then_some(offset))
        .collect();
    let coverage = history.coverage();
    let asked = |since: Timestamp, connection_names| {
        let request = HistoryRequest {
            server_id: ServerId("truth".to_owned()),
            table: HistoryTable::Changes,
            schemas: None,
            window: Some((since, coverage.newest)),
            transaction: None,
            filter: None,
            limit: None,
            connection_names,
        };
        let bytes = history.happened(&request).ok()?.collect::<Result<Vec<_>, _>>().ok()?;
        let text = String::from_utf8(bytes.concat()).expect("text");
        Some(text.matches("connection_user\":").count())
    };
    // What the table was before its first statement in the log is not known here.
    let tenth = (coverage.newest.micros() - coverage.oldest.micros()) / 10;
    let since = (0..10).map(|n| Timestamp::from_micros(coverage.oldest.micros() + n * tenth));
    let since = since.into_iter().find(|since| asked(*since, true).is_some()).expect("a window");
    assert!(asked(since, true) > Some(0), "nobody is named");
    assert_eq!(asked(since, false), Some(0), "a look-up that nobody asked for");
    let window = format!("BETWEEN '{since}' AND LATEST ALLOW WIDE");
    let chain = chain_of(Arc::clone(&history), "truth").await;
    let mut client = chain.client("all").await;
    // What a table was before its first statement is not known: a condition leaves it out by its
    // name, or its changes are not given.
    let all = "SELECT event_type FROM _history.changes BETWEEN EARLIEST AND LATEST ALLOW WIDE";
    for (condition, unnamed) in [
        ("", Some("tt.")),
        ("WHERE NOT event_type = 'DELETE'", Some("tt.")),
        ("WHERE NOT (`schema` = 'tt' AND event_type = 'DELETE')", Some("tt.")),
        ("WHERE NOT (`table` = 'orders' AND `schema` = 'other')", Some("tt.")),
        ("WHERE NOT (`schema` = 'tt' AND `table` = 'orders')", Some("tt.order_items")),
        ("WHERE NOT (`schema` = 'tt' OR event_type = 'DELETE')", None),
        ("WHERE NOT `schema` IN ('tt', 'other')", None),
    ] {
        let got = client.query_drop(format!("{all} {condition}")).await.map_err(|e| e.to_string());
        match unnamed {
            None => assert_eq!(got, Ok(()), "{condition}"),
            Some(table) => {
                let named = format!("are not known of {table}");
                assert!(got.as_ref().is_err_and(|e| e.contains(&named)), "{condition}: {got:?}");
            }
        }
    }
    let whose = "connection_user, connection_host, connection_program";
    for from in [format!("_history.changes {window}"), format!("_diff.tt.orders {window} ALLOW SCAN")] {
        let changes = rows(&mut client, &format!("SELECT binlog_position, {whose} FROM {from}")).await;
        let mut seen = 0;
        for change in &changes {
            let (offset, whose) = change.split_once('|').expect("cells");
            let inside = named.contains(&offset.parse().expect("a number"));
            assert_eq!(whose, if inside { "é|h|NULL" } else { "NULL|NULL|NULL" }, "{from}: {change}");
            seen += usize::from(inside);
        }
        assert!(seen > 0 && seen < changes.len(), "{from}: {seen} of {}", changes.len());
        for (sql, want) in [
            (format!("SELECT COUNT(*) FROM {from} WHERE connection_user = 'é'"), format!("{seen}")),
            (format!("SELECT COUNT(*) FROM {from} WHERE connection_program IS NOT NULL"), "0".to_owned()),
            (
                format!(
                    "SELECT COUNT(*) AS n FROM {from} GROUP BY connection_host HAVING COUNT(connection_host) > 0"
                ),
                format!("{seen}"),
            ),
            (format!("SELECT COUNT(connection_user) FROM {from}"), format!("{seen}")),
            (
                format!(
                    "SELECT COUNT(*) FROM {from} GROUP BY gtid ORDER BY MAX(connection_user) DESC LIMIT 0"
                ),
                String::new(),
            ),
        ] {
            assert_eq!(rows(&mut client, &sql).await.concat(), want, "{sql}");
        }
    }
}
