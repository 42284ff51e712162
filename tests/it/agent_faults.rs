//! The failure table of the product on the wire: number, SQLSTATE, whole text, and that the
//! connection goes on.

use super::support::{
    Agent, COLUMNS, Certificates, DIFF, FLASHBACK, Outcome, Plan, RANGE, Raw, Reply, Then, certificates,
    error, pair, self_signed, soon, three_rows, wide_pair,
};
use dbtrail_history::serve::tls_config;
use dbtrail_shim::wire::connection::Tls;

const HEADER_AND_ONE_ROW: &str = concat!(
    r#"{"success":true,"columns":[{"name":"id","type":"int","nullable":false,"key":"primary"},"#,
    r#"{"name":"v","type":"varchar(20)","collation":"utf8mb4_0900_ai_ci","nullable":true}],"primary_key":["id"]}"#,
    "\n[\"1\",\"one\"]\n"
);

/// The session answers a constant, and rows again once the agent is well.
async fn goes_on(agent: Option<&Agent>, client: &mut Raw) {
    assert_eq!(client.cell("SELECT 1").await.as_deref(), Some("1"));
    if let Some(agent) = agent {
        agent.always(Reply::ndjson(&three_rows()));
        assert_eq!(client.rows(FLASHBACK).await.len(), 3);
    }
}

/// The error of a shim whose agent is somewhere else, or somebody else.
async fn unreachable(plan: Plan) -> String {
    let shim = plan.start().await;
    let mut client = shim.raw("a").await;
    let reported = client.err_packet(FLASHBACK).await;
    let (code, state, text) = reported.plain();
    assert_eq!((code, state), (2002, "HY000"), "{reported:?}");
    goes_on(None, &mut client).await;
    text.to_owned()
}

#[tokio::test]
async fn an_agent_that_cannot_be_reached_is_2002() {
    let made = certificates("localhost", false);
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://127.0.0.1:{}", free.local_addr().expect("bound").port());
    drop(free);
    assert_eq!(
        unreachable(Plan::at(url.clone(), &made)).await,
        format!("Can't connect to dbtrail backend: {url}: Connection refused (os error 111)")
    );
    // A label of 64 letters is no DNS name, so that no resolver is asked.
    let url = format!("https://{}.invalid:8600", "x".repeat(64));
    let text = unreachable(Plan::at(url.clone(), &made)).await;
    let want = format!("Can't connect to dbtrail backend: {url}: its name cannot be resolved (");
    assert!(text.starts_with(&want), "{text}");
}

#[tokio::test]
async fn a_certificate_that_proves_nothing_is_2002() {
    let good = certificates("localhost", false);
    let start = |served: Certificates, trusted: String| async move {
        let agent = Agent::start(&served).await;
        let plan = Plan { authority: Some(trusted), ..Plan::before(&agent, &served) };
        let url = plan.agent_url.clone();
        let text = unreachable(plan).await;
        assert_eq!(agent.requests().len(), 0, "a request went to an agent that proved nothing");
        text.strip_prefix(&format!("Can't connect to dbtrail backend: {url}: "))
            .map(str::to_owned)
            .expect("the place")
    };
    let text = start(certificates("localhost", false), good.authority.clone()).await;
    assert_eq!(
        text,
        "its certificate is not trusted (invalid peer certificate: BadSignature); see agent_tls.ca_file"
    );
    let other = certificates("other.example", false);
    let authority = other.authority.clone();
    let text = start(other, authority).await;
    assert!(text.starts_with("its certificate is for another host ("), "{text}");
    let old = certificates("localhost", true);
    let authority = old.authority.clone();
    let text = start(old, authority).await;
    assert!(text.starts_with("its certificate has expired ("), "{text}");
    // One that signs itself proves something only where it is the very one that was named.
    let (one, other) = (self_signed("localhost", false), self_signed("localhost", false));
    let text = start(one, other.authority).await;
    assert!(text.starts_with("its certificate is not trusted ("), "{text}");
    let elsewhere = self_signed("other.example", false);
    let authority = elsewhere.authority.clone();
    let text = start(elsewhere, authority).await;
    assert!(text.starts_with("its certificate is for another host ("), "{text}");
    let old = self_signed("localhost", true);
    let authority = old.authority.clone();
    let text = start(old, authority).await;
    assert!(text.starts_with("its certificate has expired ("), "{text}");
}

#[tokio::test]
async fn a_certificate_that_signs_itself_is_good_where_it_is_named() {
    let made = self_signed("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan::before(&agent, &made).start().await;
    let mut client = shim.raw("a").await;
    assert_eq!(client.rows(FLASHBACK).await.len(), 3);
}

#[tokio::test]
async fn a_connection_lost_before_the_first_row_is_2002() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let position = format!(
        "Can't connect to dbtrail backend: https://localhost:{}: the connection was lost",
        agent.port
    );
    let header = HEADER_AND_ONE_ROW.split_inclusive('\n').next().expect("a line");
    for reply in [
        Reply::nothing(Then::Reset),
        Reply::nothing(Then::Close),
        Reply { bytes: b"HTTP/1.1 200 OK\r\ncontent-ty".to_vec(), then: Then::Reset },
        Reply::part(200, "", Then::Close),
        Reply::part(200, header, Then::Reset),
        Reply::part(200, header, Then::Close),
        Reply::chunk(200, header, Then::Reset),
        Reply::chunk(200, header, Then::Close),
        Reply::part(200, &header[..header.len() - 1], Then::Close),
    ] {
        agent.always(reply.clone());
        let reported = client.err_packet(FLASHBACK).await;
        let (code, state, text) = reported.plain();
        assert_eq!((code, state), (2002, "HY000"), "{reply:?}: {reported:?}");
        assert!(text.starts_with(&position), "{reply:?}: {text}");
        assert_eq!(reported.word(), "agent_unreachable");
        let id = reported.request();
        assert_eq!(agent.last().header("x-request-id"), Some(id));
        goes_on(Some(&agent), &mut client).await;
    }
}

#[tokio::test]
async fn a_connection_lost_after_a_row_ends_the_rows_with_2002() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let position = format!(
        "Can't connect to dbtrail backend: https://localhost:{}: the connection was lost",
        agent.port
    );
    let broken = format!("{HEADER_AND_ONE_ROW}[\"2\",nu");
    for (reply, what) in [
        (Reply::part(200, HEADER_AND_ONE_ROW, Then::Reset), "reset"),
        (Reply::part(200, HEADER_AND_ONE_ROW, Then::Close), "cut after a whole line"),
        (Reply::chunk(200, HEADER_AND_ONE_ROW, Then::Close), "cut after a whole line, in chunks"),
        (Reply::part(200, &broken, Then::Close), "cut in a line"),
        (Reply::chunk(200, &broken, Then::Reset), "reset in a line"),
    ] {
        agent.always(reply);
        let reported = match client.query(FLASHBACK).await {
            Outcome::Broken(rows, reported) => {
                assert_eq!(rows, [[Some("1".to_owned()), Some("one".to_owned())]], "{what}");
                reported
            }
            // A reset may overtake the row.
            Outcome::Error(reported) => reported,
            other => panic!("{what}: {other:?}"),
        };
        let (code, state, text) = reported.plain();
        assert_eq!((code, state), (2002, "HY000"), "{what}: {reported:?}");
        assert!(text.starts_with(&position), "{what}: {text}");
        goes_on(Some(&agent), &mut client).await;
    }
}

#[tokio::test]
async fn peers_that_cannot_carry_2002_are_reported_1429() {
    let (agent, shim) = pair().await;
    agent.always(Reply::nothing(Then::Close));
    let mut client = Raw::connect(shim.port).await;
    client.attributes.push(("program_name", "proxysql_backend"));
    assert_eq!(client.login("a", "secret-a", None).await[0], 0);
    let reported = client.err_packet(FLASHBACK).await;
    assert_eq!((reported.code, reported.state.as_str()), (1429, "HY000"));
    assert!(
        reported.message.starts_with("Can't connect to dbtrail backend: https://localhost:"),
        "{reported:?}"
    );
    goes_on(Some(&agent), &mut client).await;
}

#[tokio::test]
async fn statuses_have_their_numbers_and_their_texts() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let body = r#"{"success":false,"error":"said the agent","code":"whatever"}"#;
    for (status, code, state, prefix) in [
        (400, 1064, "HY000", "dbtrail backend rejected request (HTTP 400): "),
        (401, 1064, "HY000", "dbtrail backend rejected request (HTTP 401): "),
        (403, 1064, "HY000", "dbtrail backend rejected request (HTTP 403): "),
        (404, 1064, "HY000", "dbtrail backend rejected request (HTTP 404): "),
        (422, 1064, "HY000", "dbtrail backend rejected request (HTTP 422): "),
        (429, 1064, "HY000", "dbtrail backend rejected request (HTTP 429): "),
        (500, 1317, "70100", "dbtrail backend returned HTTP 500: "),
        (502, 1317, "70100", "dbtrail backend returned HTTP 502: "),
        (503, 1317, "70100", "dbtrail backend returned HTTP 503: "),
    ] {
        for (reply, said) in [
            (Reply::json(status, body), "said the agent"),
            (Reply::http(status, "text/html", "<html>\r\n<b>Bad</b></html>\n"), "<html>  <b>Bad</b></html>"),
            // The connection breaks in the error body: the status was said.
            (Reply::part(status, "half a sen", Then::Reset), "half a sen"),
        ] {
            let reset = reply.then == Then::Reset;
            agent.always(reply);
            let reported = client.err_packet(FLASHBACK).await;
            let (got, got_state, text) = reported.plain();
            assert_eq!((got, got_state), (code, state), "{status}: {reported:?}");
            let whole = text == format!("{prefix}{said}");
            assert!(whole || (reset && text == prefix.trim_end_matches([':', ' '])), "{status}: {text}");
            goes_on(Some(&agent), &mut client).await;
        }
    }
    // No body at all, and no colon that promises one.
    agent.always(Reply::json(503, ""));
    let reported = client.err_packet(FLASHBACK).await;
    assert_eq!(reported.plain(), (1317, "70100", "dbtrail backend returned HTTP 503"));
}

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
async fn a_definition_that_cannot_be_had_refuses_the_statement() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan::before(&agent, &made).start().await;
    let mut client = shim.raw("a").await;
    for (reply, code, want) in [
        (
            Reply::json(404, r#"{"success":false,"error":"no table t","code":"unknown_table"}"#),
            1064,
            "dbtrail backend rejected request (HTTP 404): no table t",
        ),
        (Reply::json(500, "oops"), 1317, "dbtrail backend returned HTTP 500: oops"),
        (
            Reply::json(200, r#"{"success":false,"error":"not now","code":"x"}"#),
            1815,
            "dbtrail-shim: not now",
        ),
        (Reply::json(200, r#"{"success":false,"error":"not now"}"#), 1815, "dbtrail-shim: not now"),
        (Reply::part(200, r#"{"success":tr"#, Then::Close), 2002, "Can't connect to dbtrail backend: "),
        (
            Reply::http(200, "text/html", "<html>"),
            1815,
            "dbtrail-shim: the agent's answer is not understood: expected value at line 1 column 1",
        ),
    ] {
        agent.set_metadata(reply);
        let reported = client.err_packet(FLASHBACK).await;
        assert_eq!(reported.plain().0, code, "{reported:?}");
        assert!(reported.plain().2.starts_with(want), "{reported:?}");
        assert_eq!(agent.figures().0, 0, "rows were asked for without a definition");
        assert_eq!(client.cell("SELECT 1").await.as_deref(), Some("1"));
    }
    agent.truth();
    assert_eq!(client.rows(FLASHBACK).await.len(), 3);
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
async fn a_client_that_leaves_cancels_the_request() {
    let (agent, shim) = pair().await;
    let mut left = 0;
    for reply in [
        Reply::nothing(Then::Wait),
        Reply::part(200, "", Then::Wait),
        Reply::part(200, HEADER_AND_ONE_ROW, Then::Wait),
        Reply::chunk(200, HEADER_AND_ONE_ROW, Then::Wait),
    ] {
        agent.always(reply);
        let mut client = shim.raw("a").await;
        client.send(FLASHBACK).await;
        left += 1;
        agent.asked(left).await;
        assert_eq!(agent.figures().1, left - 1);
        drop(client);
        agent.left_alone(left).await;
    }
    // Rows without end, which the client does not read: the shim must not take what it cannot pass
    // on.
    let (agent, shim) = wide_pair().await;
    agent.always(Reply::part(200, HEADER_AND_ONE_ROW, Then::Repeat(b"[\"1\",\"aaaaaaaaaaaaaaaa\"]\n")));
    let mut client = shim.raw("a").await;
    client.send(RANGE).await;
    agent.asked(1).await;
    drop(client);
    agent.left_alone(1).await;
}

#[tokio::test]
async fn rules_of_the_shim_have_their_texts() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let at = "AS OF '2020-01-01'";
    for (sql, code, state, text) in [
        (
            format!("SELECT * FROM _flashback.t {at}"),
            1064,
            "HY000",
            "dbtrail-shim: time-travel queries require a PK predicate: ",
        ),
        (
            format!("SELECT * FROM _flashback.t {at} JOIN users WHERE id = 1"),
            1064,
            "HY000",
            "dbtrail-shim: cannot join virtual schema _flashback.t with a real table users (line 1, column 52): run two statements and join in the application, or \
             copy the time-travel rows into a temporary table first",
        ),
        (
            "SELECT * FROM _diff.t BETWEEN '2020-01-01 00:00:00' AND '2020-01-01 01:00:01' WHERE id = 1"
                .to_owned(),
            1064,
            "HY000",
            "dbtrail-shim: _diff window exceeds limit: the window spans 3601 s and the limit is 3600 s: ask for a shorter one, or lift the limit \
             with ALLOW WIDE after the time clause, or SELECT /*+ SET_VAR(dbtrail_allow_wide_diff=ON) */ (one statement; works behind ProxySQL) or SET @dbtrail_allow_wide_diff = ON \
             (the session)",
        ),
        ("SELECT @@no_such_thing".to_owned(), 1193, "HY000", "Unknown system variable 'no_such_thing'"),
        (
            "DELETE FROM t".to_owned(),
            1235,
            "42000",
            "dbtrail-shim: this server answers time-travel statements only, and not: DELETE FROM t. Write SELECT ... FROM _flashback.<table> AS OF \
             '<instant>' WHERE <primary key> = ..., or ask MySQL itself; behind ProxySQL, its rules should have sent it there, and a SET of a user \
             variable locks a session to this server",
        ),
        (
            format!("SELECT * FROM _flashback.t {at} WHERE id = = 1"),
            1064,
            "42000",
            "You have an error in your SQL syntax; ",
        ),
        (
            format!("SELECT nothing FROM _flashback.t {at} WHERE id = 1"),
            1054,
            "42S22",
            "Unknown column 'nothing' in 'field list'",
        ),
    ] {
        let reported = client.err_packet(&sql).await;
        let (got, got_state, got_text) = reported.plain();
        assert_eq!((got, got_state), (code, state), "{sql}: {reported:?}");
        assert!(
            if text.ends_with([' ']) { got_text.starts_with(text) } else { got_text == text },
            "{sql}: {got_text}"
        );
        goes_on(Some(&agent), &mut client).await;
    }
    // The second tenant has no default schema, and may use but one.
    let mut client = shim.raw("b").await;
    let reported = client.err_packet(FLASHBACK).await;
    assert_eq!(reported.plain(), (1046, "3D000", "No database selected"));
    for sql in ["SELECT * FROM _flashback.other.t AS OF '2020-01-01' WHERE id = 1", "USE other"] {
        let reported = client.err_packet(sql).await;
        assert_eq!(
            reported.plain(),
            (1044, "42000", "Access denied for user 'b'@'127.0.0.1' to database 'other'")
        );
        goes_on(None, &mut client).await;
    }
}

#[tokio::test]
async fn refused_logins_end_the_connection() {
    let (_agent, shim) = pair().await;
    for (user, password, schema, code, state, text) in [
        ("nobody", "x", None, 1045, "28000", "unknown tenant for MySQL user \"nobody\""),
        ("a", "wrong", None, 1045, "28000", "Access denied for user 'a'@'127.0.0.1' (using password: YES)"),
        ("a", "", None, 1045, "28000", "Access denied for user 'a'@'127.0.0.1' (using password: NO)"),
        (
            "b",
            "secret-b",
            Some("other"),
            1044,
            "42000",
            "Access denied for user 'b'@'127.0.0.1' to database 'other'",
        ),
    ] {
        let mut client = Raw::connect(shim.port).await;
        let reported = error(&client.login(user, password, schema).await);
        let got = reported.message.split(" (request ").next().expect("a text");
        assert_eq!((reported.code, reported.state.as_str(), got), (code, state, text));
        assert!(client.is_closed().await, "{user} {password}");
    }
}

#[tokio::test]
async fn an_agent_that_ends_idle_connections_is_not_seen() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    agent.always(Reply { then: Then::Close, ..Reply::ndjson(&three_rows()) });
    for count in 0..100 {
        match client.query(FLASHBACK).await {
            Outcome::Rows(rows, 0) => assert_eq!(rows.len(), 3),
            other => panic!("statement {count}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn many_rows_come_in_order_and_whole() {
    let (agent, shim) = wide_pair().await;
    let mut client = shim.raw("a").await;
    let rows = (0..50_000).map(|n| format!("[\"{n}\",null]\n")).collect::<Vec<_>>().concat();
    let header = HEADER_AND_ONE_ROW.split_inclusive('\n').next().expect("a line");
    agent.always(Reply::ndjson(&format!("{header}{rows}{{\"end\":{{\"rows\":50000,\"notes\":[]}}}}\n")));
    let got = client.rows(RANGE).await;
    let ids = got.iter().map(|r| r[0].as_deref().and_then(|id| id.parse::<usize>().ok()));
    assert!(ids.eq((0..50_000).map(Some)));
    let last = client.rows(&format!("{RANGE} ORDER BY id DESC LIMIT 2 OFFSET 49998")).await;
    assert_eq!(last, [[Some("1".to_owned()), None], [Some("0".to_owned()), None]]);
    let last = client.rows(&format!("{RANGE} LIMIT 49999, 5")).await;
    assert_eq!(last, [[Some("49999".to_owned()), None]]);
}

#[tokio::test]
async fn a_login_does_not_wait_for_an_agent_that_is_ill() {
    let (agent, shim) = pair().await;
    for reply in [
        Reply::json(500, "oops"),
        Reply::json(200, "<html>"),
        Reply::nothing(Then::Close),
        Reply::nothing(Then::Wait),
    ] {
        agent.set_metadata(reply.clone());
        let mut client = Raw::connect(shim.port).await;
        let ok = client.login("b", "secret-b", Some("tt")).await;
        assert_eq!(ok.first(), Some(&0), "{reply:?}");
        assert_eq!(client.cell("SELECT DATABASE()").await.as_deref(), Some("tt"));
        // What the tenant may not use is refused without the agent.
        let mut other = Raw::connect(shim.port).await;
        let reported = error(&other.login("b", "secret-b", Some("other")).await);
        assert_eq!((reported.code, reported.state.as_str()), (1044, "42000"), "{reply:?}");
        agent.truth();
        assert_eq!(client.rows(FLASHBACK).await.len(), 3);
    }
    let mut client = Raw::connect(shim.port).await;
    let reported = error(&client.login("a", "secret-a", Some("nowhere")).await);
    assert_eq!((reported.code, reported.state.as_str()), (1049, "42000"));
    assert!(client.is_closed().await);
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

#[tokio::test]
async fn a_client_without_tls_is_reported_that_it_needs_it() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let config = tls_config(made.chain.as_bytes(), made.key.as_bytes()).expect("TLS");
    let shim = Plan { tls: Tls::Required(config), ..Plan::before(&agent, &made) }.start().await;
    for (user, password) in [("a", "secret-a"), ("a", "wrong"), ("nobody", "x")] {
        let mut client = Raw::connect(shim.port).await;
        let reported = error(&client.login(user, password, None).await);
        // As MySQL 9.7 says it with require_secure_transport=ON (MariaDB 11.8 has SQLSTATE 08004).
        assert_eq!(
            (reported.code, reported.state.as_str(), reported.message.as_str()),
            (
                3159,
                "HY000",
                "Connections using insecure transport are prohibited while --require_secure_transport=ON."
            )
        );
        assert!(client.is_closed().await);
    }
}
