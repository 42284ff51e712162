//! Answers in the binary form, good and bad.

use super::super::support::{COLUMNS, FLASHBACK, Outcome, Reply, Then, pair};
use super::goes_on;
use dbtrail_types::agent_api::frames::{FrameKind, put_cell, put_frame};

fn line(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    put_frame(&mut out, FrameKind::Line, |out| out.extend_from_slice(text.as_bytes()));
    out
}

fn row(cells: &[Option<&str>]) -> Vec<u8> {
    let mut out = Vec::new();
    put_frame(&mut out, FrameKind::Row, |out| {
        for cell in cells {
            put_cell(out, Ok(cell.map(str::as_bytes)));
        }
    });
    out
}

fn header() -> Vec<u8> {
    line(&format!("{{\"success\":true,{COLUMNS}}}"))
}

fn trailer(rows: u8) -> Vec<u8> {
    line(&format!("{{\"end\":{{\"rows\":{rows},\"notes\":[]}}}}"))
}

fn reply(frames: &[Vec<u8>]) -> Reply {
    let body = frames.concat();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.dbtrail.frames\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    Reply { bytes: [head.into_bytes(), body].concat(), then: Then::KeepAlive }
}

#[tokio::test]
async fn frames_are_rows_as_lines_are() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let lines = client.query(FLASHBACK).await;
    let rows = [row(&[Some("1"), Some("one")]), row(&[Some("2"), None]), row(&[Some("3"), Some("three")])];
    agent.always(reply(&[header(), rows.concat(), trailer(3)]));
    let frames = client.query(FLASHBACK).await;
    assert_eq!(format!("{frames:?}"), format!("{lines:?}"));
    assert_eq!(agent.last().header("accept"), Some("application/vnd.dbtrail.frames, */*;q=0.5"));
}

#[tokio::test]
async fn frames_that_are_none_end_the_answer() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let one = || row(&[Some("1"), Some("one")]);
    let mut event = one();
    event[4] = 2;
    let mut strange = one();
    strange[4] = 9;
    let mut cut = trailer(1);
    cut.truncate(9);
    let late = line(r#"{"success":false,"error":"it went wrong","code":"not_recorded"}"#);
    for (frames, want) in [
        (vec![header(), one()], "its last line, which says that all rows were sent, is missing"),
        (vec![header(), one(), cut], "its last line, which says that all rows were sent, is missing"),
        (vec![header(), one(), trailer(2)], "the agent announced 2 rows and sent 1"),
        (vec![header(), row(&[Some("1")]), trailer(1)], "the agent sent a row as bytes that cannot be read"),
        (vec![header(), row(&[None; 3]), trailer(1)], "the agent sent a row as bytes that cannot be read"),
        (vec![header(), event, trailer(1)], "the agent sent rows as bytes where none belong"),
        (vec![header(), strange, trailer(1)], "the agent's answer has a frame of kind 9, which is none"),
        (vec![one(), trailer(1)], "the agent sent rows as bytes where none belong"),
        (vec![header(), one(), trailer(1), vec![b' ']], "the agent's answer goes on after its end"),
        (vec![header(), one(), late], "it went wrong"),
        (vec![b"{\"success\":true}\n".to_vec()], "frame of kind 99"),
    ] {
        agent.always(reply(&frames));
        match client.query(FLASHBACK).await {
            Outcome::Broken(_, reported) | Outcome::Error(reported) => {
                assert!(reported.message.contains(want), "{want}: {reported:?}");
            }
            other => panic!("{want}: {other:?}"),
        }
        goes_on(Some(&agent), &mut client).await;
    }
}
