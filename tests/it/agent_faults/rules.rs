//! Rules of the shim, and logins.

use super::super::support::{Agent, FLASHBACK, Plan, Raw, Reply, Then, certificates, error, pair};
use super::goes_on;
use dbtrail_history::serve::tls_config;
use dbtrail_shim::wire::connection::Tls;

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
