//! `statements.orm_forms` on the wire.

use crate::support::{Agent, FLASHBACK, Outcome, Plan, certificates, pair};

#[tokio::test]
async fn switched_on_they_ask_what_flashback_asks() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan { orm_forms: true, ..Plan::before(&agent, &made) }.start().await;
    let mut client = shim.raw("a").await;
    let wanted = client.rows(FLASHBACK).await;
    let request = agent.last();
    for sql in [
        "SELECT /*+ DBTRAIL_AT='2020-01-01' */ * FROM t WHERE id IN (1, 2, 3)",
        "/* orm */ select /*+ NO_ICP(t) dbtrail_at = '2020-01-01' BKA(t) */ * from `tt`.`t` where `t`.`id` in (1, 2, 3)",
        "SELECT /*+ DBTRAIL_AT=TIMESTAMP '2020-01-02' - INTERVAL 1 DAY */ * FROM t AS x WHERE x.id IN (1, 2, 3)",
        "SELECT * FROM t WHERE id IN (1, 2, 3) AS OF '2020-01-01'",
        "SELECT * FROM t x WHERE x.id IN (1, 2, 3) ORDER BY x.id LIMIT 3 AS OF TIMESTAMP '2020-01-01';",
    ] {
        assert_eq!(client.rows(sql).await, wanted, "{sql}");
        let asked = agent.last();
        assert_eq!((asked.path.as_str(), &asked.body), ("/v1/flashback", &request.body), "{sql}");
    }
    for sql in [
        "SELECT * FROM t WHERE id IN (1, 2, 3) AT GTID '3e11fa47-71ca-11e1-9e33-c80aa9429562:42'",
        "SELECT /*+ DBTRAIL_GTID='3e11fa47-71ca-11e1-9e33-c80aa9429562:42' */ * FROM t WHERE id IN (1, 2, 3)",
    ] {
        assert_eq!(client.rows(sql).await, wanted, "{sql}");
        assert!(agent.last().body.contains("c80aa9429562:42"), "{sql}");
    }
}

#[tokio::test]
async fn switched_on_they_obey_every_rule() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan { orm_forms: true, ..Plan::before(&agent, &made) }.start().await;
    let mut client = shim.raw("a").await;
    for (sql, code) in [
        ("SELECT /*+ DBTRAIL_AT='2020-01-01' */ * FROM t", 1064),
        ("SELECT /*+ DBTRAIL_AT='2020-01-01' */ * FROM t WHERE v = 'x'", 1064),
        ("SELECT /*+ DBTRAIL_AT='2999-01-01' */ * FROM t WHERE id = 1", 1292),
        ("SELECT /*+ DBTRAIL_AT='2020-01-01' */ * FROM t, u WHERE id = 1", 1235),
        ("SELECT /*+ DBTRAIL_AT='2020-01-01' */ * FROM t JOIN u ON 1 WHERE id = 1", 1235),
        ("SELECT /*+ DBTRAIL_AT='2020-01-01' */ * FROM t WHERE id IN (SELECT id FROM u)", 1235),
        ("SELECT /*+ DBTRAIL_AT='2020-01-01' */ * FROM (SELECT * FROM t) d WHERE id = 1", 1235),
        ("SELECT /*+ DBTRAIL_AT='2020-01-01' */ * FROM t WHERE id = 1 UNION SELECT 1", 1235),
        ("SELECT /*+ DBTRAIL_AT='2020-01-01' */ AVG(id) FROM t WHERE id = 1", 1235),
        ("SELECT /*+ DBTRAIL_AT='2020-01-01' */ * FROM t WHERE id = 1 FOR UPDATE", 1235),
        ("SELECT /*+ DBTRAIL_AT='2020-01-01' */ * FROM t WHERE id = 1 AS OF '2020-01-01'", 1235),
        ("SELECT /*+ DBTRAIL_AT='2020-01-01' */ * FROM _flashback.t AS OF '2020-01-01' WHERE id = 1", 1235),
        ("SELECT /*+ DBTRAIL_AT=2020 */ * FROM t WHERE id = 1", 1064),
        ("SELECT /*+ DBTRAIL_AT */ * FROM t WHERE id = 1", 1064),
        ("SELECT /*+ DBTRAIL_ASOF='2020-01-01' */ * FROM t WHERE id = 1", 1235),
        ("SELECT /* x */ /*+ DBTRAIL_AT='2020-01-01' */ * FROM t WHERE id = 1", 1235),
        ("SELECT * FROM t WHERE id = 1 AS OF '2020-01-01' FOR UPDATE", 1064),
        ("SELECT * FROM t AS OF '2020-01-01' WHERE id = 1", 1235),
        // These are no hints, and the statements are for MySQL.
        ("SELECT '/*+ DBTRAIL_AT=\\'2020-01-01\\' */' FROM t WHERE id = 1", 1235),
        ("SELECT -- /*+ DBTRAIL_AT='2020-01-01' */\n * FROM t WHERE id = 1", 1235),
        ("SELECT /* /*+ DBTRAIL_AT='2020-01-01' */ * FROM t WHERE id = 1", 1235),
        ("SELECT * FROM t WHERE id = 1 AND v = ' AS OF 2020'", 1235),
        ("UPDATE /*+ DBTRAIL_AT='2020-01-01' */ t SET v = 1 WHERE id = 1", 1235),
    ] {
        let reported = client.err_packet(sql).await;
        assert_eq!(reported.code, code, "{sql}: {}", reported.message);
    }
    assert_eq!(agent.figures().0, 0, "a refused statement asked for rows");
    assert!(matches!(client.query("SELECT /*+ DBTRAIL_AT='2020-01-01' */ 1").await, Outcome::Error(_)));
}

#[tokio::test]
async fn switched_off_they_are_refused_with_the_danger() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    for sql in [
        "SELECT /*+ DBTRAIL_AT='2020-01-01' */ * FROM t WHERE id = 1",
        "SELECT * FROM t WHERE id = 1 AS OF '2020-01-01'",
        "EXPLAIN SELECT * FROM t WHERE id = 1 LIMIT 1 AT GTID 'a:1'",
    ] {
        let reported = client.err_packet(sql).await;
        assert_eq!((reported.code, reported.state.as_str()), (1235, "42000"), "{sql}");
        for part in
            ["statements.orm_forms is off", "reads the present without a word where", "_flashback.t AS OF"]
        {
            assert!(reported.message.contains(part), "{sql}: {}", reported.message);
        }
    }
    assert_eq!(agent.requests().len(), 0, "a refused statement asked the agent");
}
