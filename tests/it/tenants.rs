//! COM_CHANGE_USER and COM_RESET_CONNECTION: what one user leaves to the next, which is nothing.

use super::support::{FLASHBACK, Outcome, Raw, Request, error, pair};

const WIDE: &str =
    "SELECT * FROM _diff.tt.t BETWEEN '2020-01-01 00:00:00' AND '2020-01-01 02:00:00' WHERE id = 1";

/// Leaves as much after as a session can.
async fn litter(client: &mut Raw) {
    for sql in [
        "USE other",
        "SET NAMES latin1",
        "SET @mine = 42, @dbtrail_allow_wide_diff = ON",
        "SET time_zone = '+05:00', sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES', sql_select_limit = 1, wait_timeout = 5",
        "SET autocommit = 0",
        "BEGIN",
    ] {
        assert_eq!(client.query(sql).await, Outcome::Done(0), "{sql}");
    }
    assert_eq!(client.err_packet("SELECT @@nothing").await.code, 1193);
    assert_eq!(client.cell("SELECT @mine").await.as_deref(), Some("42"));
    assert_eq!(client.cell("SELECT DATABASE()").await.as_deref(), Some("other"));
    assert_eq!(client.err_packet("SELECT @@nothing").await.code, 1193);
}

/// What a new session of this server has, the database aside. A login brings its collation;
/// COM_RESET_CONNECTION, as in MySQL, the server's.
async fn clean(client: &mut Raw, collation: &str) {
    // First of all, since every other statement clears them.
    assert_eq!(client.rows("SHOW WARNINGS").await, Vec::<Vec<Option<String>>>::new());
    for (sql, want) in [
        ("SELECT @mine", None),
        ("SELECT @dbtrail_allow_wide_diff", None),
        ("SELECT @@time_zone", Some("+00:00")),
        ("SELECT @@sql_mode", Some("STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION")),
        ("SELECT @@sql_select_limit", Some("18446744073709551615")),
        ("SELECT @@wait_timeout", Some("28800")),
        ("SELECT @@autocommit", Some("1")),
        ("SELECT @@character_set_client", Some("utf8mb4")),
        ("SELECT @@character_set_results", Some("utf8mb4")),
        ("SELECT @@character_set_connection", Some("utf8mb4")),
        ("SELECT @@collation_connection", Some(collation)),
        ("SELECT @@warning_count", Some("0")),
        // Under ANSI_QUOTES this is a column; under latin1 it is not one letter.
        ("SELECT \"ä\"", Some("ä")),
        ("SELECT 'a\\'b'", Some("a'b")),
    ] {
        assert_eq!(client.cell(sql).await.as_deref(), want, "{sql}");
    }
    let reported = client.err_packet(WIDE).await;
    assert_eq!(reported.code, 1064);
    assert!(reported.message.starts_with("dbtrail-shim: _diff window exceeds limit: "), "{reported:?}");
    // An instant that is read in +05:00 would be another one.
    let rows = client.rows(&FLASHBACK.replace("_flashback.t", "_flashback.tt.t")).await;
    assert_eq!(rows.len(), 3, "a sql_select_limit is left");
}

/// Status flags of an OK packet.
fn flags(ok: &[u8]) -> u16 {
    assert_eq!(ok.first(), Some(&0), "{ok:?}");
    u16::from_le_bytes([ok[3], ok[4]])
}

fn sent_by(request: &Request, tenant: &str) {
    let token = format!("Bearer token-{tenant}");
    assert_eq!(request.header("authorization"), Some(token.as_str()), "{request:?}");
    let server = format!("server-{tenant}");
    assert!(
        request.path.starts_with(&format!("/v1/servers/{server}/"))
            || request.body.contains(&format!("\"server_id\":\"{server}\"")),
        "{request:?}"
    );
}

#[tokio::test]
async fn a_wrong_password_is_1045_and_the_end() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    litter(&mut client).await;
    let before = agent.requests().len();
    for (user, password, text) in [
        ("b", "secret-a", "Access denied for user 'b'@'127.0.0.1' (using password: YES)"),
        ("b", "", "Access denied for user 'b'@'127.0.0.1' (using password: NO)"),
        ("c", "secret-a", "unknown tenant for MySQL user \"c\""),
    ] {
        let mut client = shim.raw("a").await;
        let reported = error(&client.change_user(user, password, "").await);
        assert_eq!(
            (reported.code, reported.state.as_str(), reported.message.as_str()),
            (1045, "28000", text)
        );
        assert!(client.is_closed().await, "{user}");
    }
    assert_eq!(agent.requests().len(), before, "the agent was asked for somebody who proved nothing");
    // The first connection is not touched.
    assert_eq!(client.cell("SELECT @mine").await.as_deref(), Some("42"));
}

#[tokio::test]
async fn another_user_finds_nothing_of_the_former() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let rows = client.rows(FLASHBACK).await;
    assert_eq!(rows.len(), 3);
    for request in &agent.requests() {
        sent_by(request, "a");
    }
    litter(&mut client).await;
    let asked = agent.requests().len();
    let ok = client.change_user("b", "secret-b", "").await;
    // SERVER_STATUS_AUTOCOMMIT alone.
    assert_eq!(flags(&ok), 2);
    clean(&mut client, "utf8mb4_general_ci").await;
    assert_eq!(client.cell("SELECT DATABASE()").await, None);
    assert_eq!(client.cell("SELECT USER()").await.as_deref(), Some("b@127.0.0.1"));
    assert_eq!(client.cell("SELECT CONNECTION_ID()").await, Some(client.id.to_string()));
    assert_eq!(client.err_packet(FLASHBACK).await.code, 1046);
    assert_eq!(client.err_packet("USE other").await.code, 1044);
    let requests = agent.requests().split_off(asked);
    assert!(requests.iter().any(|r| r.path == "/v1/flashback"), "{requests:?}");
    // The definition too is asked for again: what the former user was given is not for this one.
    assert!(
        requests.iter().any(|r| r.path.starts_with("/v1/servers/server-b/schemas/tt/tables/t?")),
        "{requests:?}"
    );
    for request in &requests {
        sent_by(request, "b");
    }
    assert!(
        agent.last().body.contains(r#""at":{"time":"2020-01-01T00:00:00.000000Z"}"#),
        "{:?}",
        agent.last()
    );
    // The connection belongs to the new user: the former may not kill it.
    let mut former = shim.raw("a").await;
    let reported = former.err_packet(&format!("KILL {}", client.id)).await;
    assert_eq!((reported.code, reported.state.as_str()), (1095, "HY000"));
    // And back again, with a database.
    let ok = client.change_user("a", "secret-a", "other").await;
    assert_eq!(flags(&ok), 2);
    assert_eq!(client.cell("SELECT DATABASE()").await.as_deref(), Some("other"));
    let asked = agent.requests().len();
    assert_eq!(client.rows(FLASHBACK).await.len(), 3);
    for request in agent.requests().split_off(asked) {
        sent_by(&request, "a");
    }
}

/// libmysqlclient waits to be asked for its password, and libmariadb answers with the scramble of
/// the greeting whatever it is asked.
#[tokio::test]
async fn a_change_of_user_goes_on_with_the_scramble_of_the_greeting() {
    let (_agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    for (user, other) in [("b", "a"), ("a", "b")] {
        client.command(0x11, &[user.as_bytes(), b"\0\0\0\x2d\0mysql_native_password\0"].concat()).await;
        let switch = client.read().await.expect("an AuthSwitchRequest");
        let wanted = [b"\xfemysql_native_password\0", client.scramble.as_slice(), &[0]].concat();
        assert_eq!(switch, wanted);
        let password = format!("secret-{user}");
        let response = mysql_common::scramble::scramble_native(&client.scramble, password.as_bytes());
        client.write(&response.expect("a response")).await;
        assert_eq!(client.read().await.expect("OK")[0], 0);
        let shown = client.cell("SELECT USER()").await;
        assert_eq!(shown, Some(format!("{user}@127.0.0.1")), "not {other}");
    }
    // With its answer in the command itself, nothing is asked.
    let response =
        mysql_common::scramble::scramble_native(&client.scramble, b"secret-b").expect("a response");
    let command = [&b"b\0\x14"[..], &response, b"\0\x2d\0mysql_native_password\0"].concat();
    client.command(0x11, &command).await;
    assert_eq!(client.read().await.expect("OK")[0], 0);
}

#[tokio::test]
async fn a_reset_keeps_user_and_database_and_nothing_else() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    litter(&mut client).await;
    client.command(0x1f, &[]).await;
    assert_eq!(flags(&client.read().await.expect("an answer")), 2);
    clean(&mut client, "utf8mb4_0900_ai_ci").await;
    assert_eq!(client.cell("SELECT DATABASE()").await.as_deref(), Some("other"));
    assert_eq!(client.cell("SELECT USER()").await.as_deref(), Some("a@127.0.0.1"));
    sent_by(&agent.last(), "a");
}
