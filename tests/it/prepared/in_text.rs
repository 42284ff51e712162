//! PREPARE, EXECUTE and DEALLOCATE as text, and random executions.

use super::super::support::{Outcome, pair};
use super::{BY_KEY, PLAIN};
use std::time::Duration;

#[tokio::test]
async fn prepared_in_text() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    for (sql, code, message) in [
        ("EXECUTE n", 1243, "Unknown prepared statement handler (n) given to EXECUTE"),
        ("DEALLOCATE PREPARE n", 1243, "Unknown prepared statement handler (n) given to DEALLOCATE PREPARE"),
        ("DROP PREPARE n", 1243, "Unknown prepared statement handler (n) given to DEALLOCATE PREPARE"),
        (
            "PREPARE n FROM 'EXECUTE m'",
            1295,
            "This command is not supported in the prepared statement protocol yet",
        ),
        ("PREPARE n FROM ''", 1065, "Query was empty"),
    ] {
        let reported = client.err_packet(sql).await;
        assert_eq!((reported.code, reported.plain().2), (code, message), "{sql}");
    }
    for sql in
        ["PREPARE n FROM @unset", "PREPARE n FROM 5", "EXECUTE n USING", "EXECUTE n USING 5", "EXECUTE n x"]
    {
        assert_eq!(client.err_packet(sql).await.code, 1064, "{sql}");
    }
    let prepare = format!("PREPARE Rows_By FROM '{}'", BY_KEY.replace('\'', "''"));
    assert_eq!(client.query(&prepare).await, Outcome::Done(0));
    assert_eq!(client.query("SET @a = 1, @b = '2', @c = 3").await, Outcome::Done(0));
    let one = |text: &str| Some(text.to_owned());
    let rows = client.rows("EXECUTE rows_by USING @a, @B, @c").await;
    assert_eq!(rows, [[one("1"), one("one")], [one("2"), None], [one("3"), one("three")]]);
    assert!(agent.last().body.contains(r#""values":[["1"],["2"],["3"]]"#), "{}", agent.last().body);
    let reported = client.err_packet("EXECUTE rows_by USING @a").await;
    assert_eq!(reported.plain(), (1210, "HY000", "Incorrect arguments to EXECUTE"));
    let reported = client.err_packet("EXECUTE rows_by USING @a, @b, @unset").await;
    assert_eq!(reported.code, 1235, "a NULL key: {reported:?}");
    assert_eq!(client.query("SET @s = 'SELECT ? AS x'").await, Outcome::Done(0));
    assert_eq!(client.query("PREPARE `t w` FROM @s").await, Outcome::Done(0));
    assert_eq!(client.cell("EXECUTE `t w` USING @b").await.as_deref(), Some("2"));
    // A failed PREPARE leaves nothing of the former statement.
    assert_eq!(client.err_packet("PREPARE `t w` FROM 'SELECT @@nothing'").await.code, 1193);
    assert_eq!(client.err_packet("EXECUTE `t w` USING @b").await.code, 1243);
    assert_eq!(client.query("DEALLOCATE PREPARE rows_by").await, Outcome::Done(0));
    assert_eq!(client.err_packet("EXECUTE rows_by").await.code, 1243);
    assert_eq!(client.query("PREPARE n FROM 'SELECT 1'").await, Outcome::Done(0));
    client.command(0x1f, &[]).await;
    assert_eq!(client.read().await.expect("an answer")[0], 0);
    assert_eq!(client.err_packet("EXECUTE n").await.code, 1243);
}

#[tokio::test]
async fn random_executions_leave_the_connection_alive() {
    let (_agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let ready = client.ready("SELECT ?, ?, ?").await;
    // A simple generator: the same packets every time.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u8::try_from(state >> 40 & 0xff).expect("a byte")
    };
    for round in 0..500 {
        let mut payload = [&ready.id.to_le_bytes()[..], &PLAIN, &[0, 1]].concat();
        let length = usize::from(random()) % 60;
        payload.extend((0..length).map(|_| random()));
        client.command(0x17, &payload).await;
        // Whatever it means: an answer, and the connection goes on.
        let _ = client.binary().await;
        if round % 100 == 0 {
            assert_eq!(client.cell("SELECT 1").await.as_deref(), Some("1"));
        }
    }
    tokio::time::timeout(Duration::from_secs(60), client.cell("SELECT 1")).await.expect("an answer");
}
