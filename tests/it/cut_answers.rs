//! An answer that is cut, wherever it is cut, is never a clean end with fewer rows.

use super::support::{DIFF, FLASHBACK, Outcome, Reply, Shim, Then, pair, rounds, three_events, three_rows};

/// How a body is cut.
#[derive(Clone, Copy, Debug)]
enum Framing {
    /// Its end is the end of the connection.
    Connection,
    /// Its end is a chunk of length 0, which is missing.
    Chunks,
    /// Its length was announced.
    Length(usize),
}

fn cut(body: &str, framing: Framing) -> Reply {
    match framing {
        Framing::Connection => Reply::part(200, body, Then::Close),
        Framing::Chunks => Reply::chunk(200, body, Then::Close),
        Framing::Length(length) => {
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            Reply { bytes: head.into_bytes(), then: Then::Close }
        }
    }
}

/// Cuts the answer to a statement at every byte (in a quick run at every tenth). `enough`: rows
/// after which a clean end is no lie, since a LIMIT wants no more.
async fn never_short(sql: &str, body: &str, framing: Framing, enough: Option<usize>) {
    let (agent, shim): (_, Shim) = pair().await;
    let mut client = shim.raw("a").await;
    agent.always(Reply::ndjson(body));
    let truth = client.rows(sql).await;
    assert_eq!(truth.len(), enough.unwrap_or(3), "{sql}");
    let mut broken = 0;
    for at in (0..body.len()).step_by(body.len() / rounds(body.len())) {
        agent.always(cut(&body[..at], framing));
        let position = format!("{sql}, {framing:?}, cut at byte {at}");
        match client.query(sql).await {
            Outcome::Error(reported) => {
                assert_eq!(
                    (reported.code, reported.state.as_str()),
                    (2002, "HY000"),
                    "{position}: {reported:?}"
                );
            }
            Outcome::Broken(rows, reported) => {
                assert_eq!(
                    (reported.code, reported.state.as_str()),
                    (2002, "HY000"),
                    "{position}: {reported:?}"
                );
                assert!(truth.starts_with(&rows), "{position}: {rows:?}");
                broken += 1;
            }
            Outcome::Rows(rows, _) if enough.is_some() => assert_eq!(rows, truth, "{position}"),
            other => panic!("{position}: {other:?}"),
        }
    }
    assert!(enough.is_some() || sql.contains("ORDER BY") || broken > 0, "{sql}: no cut fell after a row");
    // The same connection has gone through all of it.
    agent.always(Reply::ndjson(body));
    assert_eq!(client.rows(sql).await, truth);
}

#[tokio::test]
async fn a_flashback_cut_at_every_byte() {
    let body = three_rows();
    for framing in [Framing::Connection, Framing::Chunks, Framing::Length(body.len())] {
        never_short(FLASHBACK, &body, framing, None).await;
    }
}

#[tokio::test]
async fn a_diff_cut_at_every_byte() {
    let body = three_events();
    for framing in [Framing::Connection, Framing::Chunks] {
        never_short(DIFF, &body, framing, None).await;
    }
}

#[tokio::test]
async fn order_and_limit_do_not_hide_a_cut() {
    let body = three_rows();
    never_short(&format!("{FLASHBACK} ORDER BY id DESC"), &body, Framing::Connection, None).await;
    never_short(&format!("{FLASHBACK} ORDER BY id DESC LIMIT 1"), &body, Framing::Connection, Some(1)).await;
    never_short(&format!("{FLASHBACK} LIMIT 2"), &body, Framing::Chunks, Some(2)).await;
    never_short(&format!("{FLASHBACK} LIMIT 5 OFFSET 1"), &body, Framing::Connection, Some(2)).await;
}
