//! Answers that are none, or to something else.

use super::super::support::{COLUMNS, DIFF, FLASHBACK, Outcome, Reply, Then, pair, soon, three_rows};
use super::{HEADER_AND_ONE_ROW, goes_on};

#[tokio::test]
async fn answers_that_are_none_are_1815() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let header = HEADER_AND_ONE_ROW.split_inclusive('\n').next().expect("a line");
    let refused = r#"{"success":false,"error":"the history\nis locked","code":"locked"}"#;
    for (reply, want) in [
        (Reply::json(200, refused), "dbtrail-shim: the history is locked"),
        (Reply::ndjson(&format!("{refused}\n")), "dbtrail-shim: the history is locked"),
        // A refusal without a code, or with none of its own, or written over several lines.
        (Reply::json(200, r#"{"success": false, "error": "no such luck"}"#), "dbtrail-shim: no such luck"),
        (
            Reply::ndjson("{\"success\": false, \"error\": \"no such luck\", \"code\": null}\n"),
            "dbtrail-shim: no such luck",
        ),
        (
            Reply::json(200, "{\n  \"success\": false,\n  \"error\": \"no such luck\"\n}\n"),
            "dbtrail-shim: no such luck",
        ),
        (Reply::chunked(200, r#"{"success":false,"error":"in chunks"}"#), "dbtrail-shim: in chunks"),
        (
            Reply::json(200, r#"{"success":false}"#),
            "dbtrail-shim: the agent refused the request (success: false) and gave no reason: its log may have one",
        ),
        // Complete by HTTP, and no JSON, or not the lines of an answer.
        (
            Reply::json(200, "Bad gateway"),
            "dbtrail-shim: the agent's answer is not understood: expected value at line 1 column 1",
        ),
        (
            Reply::chunked(200, "Bad gateway"),
            "dbtrail-shim: the agent's answer is not understood: expected value at line 1 column 1",
        ),
        (
            Reply::json(200, r#"{"success":tr"#),
            "dbtrail-shim: the agent's answer is not understood: EOF while parsing a value at line 1 column 13",
        ),
        (
            Reply::ndjson(""),
            "dbtrail-shim: the agent's answer is complete by HTTP, and its first line is missing: ask whoever runs the agent at \
             https://localhost:PORT",
        ),
        (
            Reply::chunked(200, header),
            "dbtrail-shim: the agent's answer is complete by HTTP, and its last line, which says that all rows were sent, is \
             missing: ask whoever runs the agent at https://localhost:PORT",
        ),
        (
            Reply::http(200, "text/html", "<html><body>Sign in</body></html>"),
            "dbtrail-shim: the agent's answer is not understood: it is text/html, and not application/x-ndjson",
        ),
        (
            Reply::ndjson("<html>\n"),
            "dbtrail-shim: the agent's answer is not understood: expected value at line 1 column 1",
        ),
        (
            Reply::ndjson("{\"success\":tr\n"),
            "dbtrail-shim: the agent's answer is not understood: EOF while parsing a value at line 1 column 13",
        ),
        (
            Reply::ndjson(&format!("{header}[\"1\",oops]\n")),
            "dbtrail-shim: a line of the agent's answer is not understood: expected value at line 1 column 6",
        ),
        (
            Reply::ndjson(&format!("{header}[\"1\"]\n{{\"end\":{{\"rows\":1,\"notes\":[]}}}}\n")),
            "dbtrail-shim: the agent sent a row of 1 cells for 2 columns",
        ),
        (
            Reply::ndjson(&format!(
                "{header}[\"1\",\"one\",\"more\"]\n{{\"end\":{{\"rows\":1,\"notes\":[]}}}}\n"
            )),
            "dbtrail-shim: the agent sent a row of 3 cells for 2 columns",
        ),
        (
            Reply::ndjson(&format!("{header}{{\"end\":{{\"rows\":1,\"notes\":[]}}}}\n")),
            "dbtrail-shim: the agent announced 1 rows and sent 0",
        ),
        (
            Reply::http(302, "text/plain", ""),
            "dbtrail-shim: the agent at https://localhost:PORT answered HTTP 302 Found, which no agent should",
        ),
    ] {
        let shown = String::from_utf8_lossy(&reply.bytes).into_owned();
        agent.always(reply);
        let reported = client.err_packet(FLASHBACK).await;
        let want = want.replace("PORT", &agent.port.to_string());
        assert_eq!(reported.plain(), (1815, "HY000", want.as_str()), "{shown}");
        goes_on(Some(&agent), &mut client).await;
    }
    // After a row, it ends the rows.
    for rest in [
        "{\"end\":{\"rows\":2,\"notes\":[]}}\n",
        "{\"success\":false,\"error\":\"x\",\"code\":\"y\"}\n",
        "[\"2\"]\n",
        "\n",
    ] {
        agent.always(Reply::ndjson(&format!("{HEADER_AND_ONE_ROW}{rest}")));
        match client.query(FLASHBACK).await {
            Outcome::Broken(_, reported) | Outcome::Error(reported) => {
                assert_eq!((reported.code, reported.state.as_str()), (1815, "HY000"), "{rest}: {reported:?}");
            }
            other => panic!("{rest}: {other:?}"),
        }
        goes_on(Some(&agent), &mut client).await;
    }
}

#[tokio::test]
async fn an_endless_error_body_is_cut() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    agent.always(Reply::part(500, "", Then::Repeat(&[b'x'; 16384])));
    let reported = client.err_packet(FLASHBACK).await;
    assert_eq!((reported.code, reported.state.as_str()), (1317, "70100"));
    assert!(reported.message.starts_with("dbtrail backend returned HTTP 500: xxxx"), "{reported:?}");
    assert!(reported.message.len() <= 512);
    // The connection is given up: the agent cannot go on writing into it.
    agent.left_alone(1).await;
    goes_on(Some(&agent), &mut client).await;
    // One that stops in the middle and keeps the connection is not waited for: the status is the
    // answer.
    agent.always(Reply::part(503, "half a sen", Then::Wait));
    let reported = soon("an error", client.err_packet(FLASHBACK)).await;
    assert_eq!(reported.plain(), (1317, "70100", "dbtrail backend returned HTTP 503: half a sen"));
    agent.left_alone(2).await;
    goes_on(Some(&agent), &mut client).await;
    // An answer that is one endless line is no header.
    agent.always(Reply::part(200, "", Then::Repeat(&[b' '; 16384])));
    let reported = client.err_packet(FLASHBACK).await;
    assert_eq!(
        reported.plain(),
        (1815, "HY000", "dbtrail-shim: the first line of the agent's answer is too long")
    );
    agent.left_alone(3).await;
    goes_on(Some(&agent), &mut client).await;
}

#[tokio::test]
async fn answers_to_something_else_are_1815() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let event = |id: u8, at: &str, kind: &str, key: &str, before: &str, after: &str| {
        format!(
            "{{\"event\":{{\"event_id\":{id},\"event_timestamp\":\"{at}\",\"event_type\":\"{kind}\",\"gtid\":null,\"key\":{key},\"before\":{before},\"after\":{after}}}}}\n"
        )
    };
    let inside = "2020-01-01T00:10:00.000000Z";
    let (key, image) = ("[\"1\"]", "[\"1\",\"one\"]");
    let good = event(2, inside, "INSERT", key, "null", image);
    for (events, count, want) in [
        (
            event(1, "2019-12-31T23:59:59.999999Z", "INSERT", key, "null", image),
            1,
            "the agent sent event 1 of 2019-12-31T23:59:59.999999Z, which is outside of the window",
        ),
        (
            event(1, "2020-01-01T00:30:00.000001Z", "INSERT", key, "null", image),
            1,
            "the agent sent event 1 of 2020-01-01T00:30:00.000001Z, which is outside of the window",
        ),
        (
            good.clone() + &event(1, inside, "DELETE", key, image, "null"),
            2,
            "the agent sent event 1 after event 2, out of order",
        ),
        (
            event(1, inside, "UPDATE", key, "null", image),
            1,
            "the agent sent event 1 without the images of its kind, or with others",
        ),
        (
            event(1, inside, "INSERT", key, "null", "[\"1\"]"),
            1,
            "the agent sent an image that has not 2 cells",
        ),
        (
            event(1, inside, "INSERT", "[]", "null", image),
            1,
            "the agent sent an event whose key has not the table's key columns",
        ),
        (good.clone(), 2, "the agent announced 2 rows and sent 1"),
    ] {
        let trailer = format!("{{\"end\":{{\"rows\":{count},\"notes\":[]}}}}\n");
        agent.always(Reply::ndjson(&format!("{{\"success\":true,{COLUMNS}}}\n{events}{trailer}")));
        let reported = client.err_packet(DIFF).await;
        assert_eq!(reported.plain(), (1815, "HY000", format!("dbtrail-shim: {want}").as_str()), "{events}");
        goes_on(Some(&agent), &mut client).await;
    }
    // Rows of keys that nobody asked for.
    agent.always(Reply::ndjson(&three_rows()));
    let reported =
        client.err_packet("SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id IN (1, 2)").await;
    let want = "dbtrail-shim: the agent sent more rows than the 2 that can have the keys asked for";
    assert_eq!(reported.plain(), (1815, "HY000", want));
    goes_on(Some(&agent), &mut client).await;
}
