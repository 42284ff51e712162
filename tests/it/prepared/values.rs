//! Values of parameters.

use super::super::support::{Agent, Outcome, Plan, Reply, certificates, error, pair};
use super::{BLOB, BY_KEY, LONGLONG, PLAIN, TEXT, bound, long, numbered, one_row, text, three};

#[tokio::test]
async fn values_of_each_kind_mean_what_their_literals_mean() {
    let (agent, shim) = pair().await;
    agent.always(one_row());
    let mut client = shim.raw("a").await;
    let ready = client.ready("SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id = ?").await;
    for (ty, value, key) in [
        ((1, 0), vec![0xff], "-1"),
        ((1, 0x80), vec![0xff], "255"),
        ((2, 0), vec![0, 0x80], "-32768"),
        ((3, 0), vec![42, 0, 0, 0], "42"),
        (LONGLONG, long(-7), "-7"),
        // Drivers of JavaScript send every number so.
        ((5, 0), 42.0_f64.to_le_bytes().to_vec(), "42"),
        ((4, 0), (-3.0_f32).to_le_bytes().to_vec(), "-3"),
        ((246, 0), text("42.00"), "42"),
        (TEXT, text("042"), "42"),
        // Perl's DBD::mysql sends every text so.
        (BLOB, text("42"), "42"),
    ] {
        let (_, rows, _) = client.execute(&bound(ready.id, PLAIN, &[(ty, Some(value))])).await.expect("rows");
        assert_eq!(rows, three()[..1], "{ty:?} {key}");
        let body = agent.last().body;
        assert!(body.contains(&format!(r#""values":[["{key}"]]"#)), "{body}");
    }
    let asked = agent.figures().0;
    for (ty, value) in [
        (TEXT, None),
        ((6, 0), None),
        ((5, 0), Some(1.5_f64.to_le_bytes().to_vec())),
        ((5, 0), Some(f64::NAN.to_le_bytes().to_vec())),
        ((5, 0), Some(1e18_f64.to_le_bytes().to_vec())),
        ((246, 0), Some(text("1.5"))),
        ((246, 0), Some(text("1x"))),
        (TEXT, Some(text("1 OR 1=1"))),
        (BLOB, Some(text("\u{e4}"))),
        ((12, 0), Some(vec![4, 0xe4, 7, 1, 1])),
        ((11, 0), Some(vec![0])),
        (LONGLONG, Some(long(i64::MAX))),
    ] {
        let reported =
            client.execute(&bound(ready.id, PLAIN, &[(ty, value.clone())])).await.expect_err("a refusal");
        assert_eq!(
            (reported.code, reported.state.as_str()),
            (1235, "42000"),
            "{ty:?} {value:?}: {reported:?}"
        );
    }
    assert_eq!(agent.figures().0, asked, "a refused statement reached the agent");
}

#[tokio::test]
async fn timestamps_are_parameters_and_relative_ones_are_fixed_at_execution() {
    let (agent, shim) = pair().await;
    agent.always(one_row());
    let mut client = shim.raw("a").await;
    let at = |agent: &Agent| {
        let body: serde_json::Value = serde_json::from_str(&agent.last().body).expect("JSON");
        body["at"]["time"].as_str().expect("an instant").to_owned()
    };
    let ready = client.ready("SELECT * FROM _flashback.t AS OF TIMESTAMP ? WHERE id = 1").await;
    for (ty, value, instant) in [
        (TEXT, text("2020-01-02 03:04:05.6"), "2020-01-02T03:04:05.600000Z"),
        ((10, 0), vec![4, 0xe4, 7, 1, 2], "2020-01-02T00:00:00.000000Z"),
        ((12, 0), vec![7, 0xe4, 7, 1, 2, 3, 4, 5], "2020-01-02T03:04:05.000000Z"),
        ((7, 0), vec![11, 0xe4, 7, 1, 2, 3, 4, 5, 1, 0, 0, 0], "2020-01-02T03:04:05.000001Z"),
    ] {
        client.execute(&bound(ready.id, PLAIN, &[(ty, Some(value))])).await.expect("rows");
        assert_eq!(at(&agent), instant);
    }
    for (ty, value) in [(TEXT, Some(text("yesterday"))), (TEXT, Some(text("2999-01-01")))] {
        let reported = client.execute(&bound(ready.id, PLAIN, &[(ty, value)])).await.expect_err("a refusal");
        assert_eq!((reported.code, reported.state.as_str()), (1292, "22007"), "{reported:?}");
    }
    for (ty, value) in [(LONGLONG, Some(long(5))), (TEXT, None), ((11, 0), Some(vec![0]))] {
        let reported = client.execute(&bound(ready.id, PLAIN, &[(ty, value)])).await.expect_err("a refusal");
        assert_eq!((reported.code, reported.state.as_str()), (1064, "42000"), "{reported:?}");
    }
    let ready =
        client.ready("SELECT * FROM _flashback.t AS OF '2020-01-02' - INTERVAL ? HOUR WHERE id = 1").await;
    client.execute(&bound(ready.id, PLAIN, &[numbered(2)])).await.expect("rows");
    assert_eq!(at(&agent), "2020-01-01T22:00:00.000000Z");
    client
        .execute(&bound(ready.id, PLAIN, &[((5, 0), Some(3.0_f64.to_le_bytes().to_vec()))]))
        .await
        .expect("rows");
    assert_eq!(at(&agent), "2020-01-01T21:00:00.000000Z");
    let ready = client.ready("SELECT * FROM _flashback.t AS OF FROM_UNIXTIME(?) WHERE id = 1").await;
    client.execute(&bound(ready.id, PLAIN, &[numbered(1_577_836_800)])).await.expect("rows");
    assert_eq!(at(&agent), "2020-01-01T00:00:00.000000Z");
    let ready = client.ready("SELECT * FROM _flashback.t AT GTID ? WHERE id = 1").await;
    let gtid = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5";
    client.execute(&bound(ready.id, PLAIN, &[(TEXT, Some(text(gtid)))])).await.expect("rows");
    assert!(agent.last().body.contains(&format!(r#""at":{{"gtid":"{gtid}"}}"#)), "{}", agent.last().body);
    let ready = client.ready("SELECT * FROM _flashback.t AS OF 'now' WHERE id = 1").await;
    client.execute(&bound(ready.id, PLAIN, &[])).await.expect("rows");
    let first = at(&agent);
    client.execute(&bound(ready.id, PLAIN, &[])).await.expect("rows");
    assert!(first < at(&agent), "{first}");
}

#[tokio::test]
async fn types_are_remembered_and_what_is_missing_is_reported() {
    let (_agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let ready = client.ready(BY_KEY).await;
    let without = |flag: u8| {
        let mut payload = [&ready.id.to_le_bytes()[..], &PLAIN, &[0, flag]].concat();
        for n in [1, 2, 3] {
            payload.extend_from_slice(&long(n));
        }
        payload
    };
    let reported = client.execute(&without(0)).await.expect_err("types are not known");
    assert_eq!(reported.plain(), (1210, "HY000", "Incorrect arguments to mysqld_stmt_execute"));
    let values = [numbered(1), numbered(2), numbered(3)];
    assert_eq!(client.execute(&bound(ready.id, PLAIN, &values)).await.expect("rows").1, three());
    assert_eq!(client.execute(&without(0)).await.expect("rows").1, three());
    // Cut packets.
    let packet = bound(ready.id, PLAIN, &values);
    for length in 0..packet.len() {
        let reported = client.execute(&packet[..length]).await.expect_err("a short packet");
        assert_eq!((reported.code, reported.state.as_str()), (1835, "HY000"), "{length}");
    }
    // A type that is none.
    let reported =
        client.execute(&bound(ready.id, PLAIN, &[((99, 0), Some(vec![0])), numbered(2), numbered(3)])).await;
    assert_eq!(
        reported.expect_err("no type").plain(),
        (1210, "HY000", "Incorrect arguments to mysqld_stmt_execute")
    );
    let reported = client.execute(&bound(77, PLAIN, &[])).await.expect_err("unknown");
    assert_eq!(
        reported.plain(),
        (1243, "HY000", "Unknown prepared statement handler (77) given to mysqld_stmt_execute")
    );
    assert_eq!(client.execute(&packet).await.expect("rows").1, three());
}

#[tokio::test]
async fn values_in_pieces() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan { max_packet: 100_000, ..Plan::before(&agent, &made) }.start().await;
    let mut client = shim.raw("a").await;
    let ready = client.ready("SELECT ? AS x, ? AS y").await;
    client.long_data(ready.id, 0, b"abc").await;
    client.long_data(ready.id, 0, b"def").await;
    client.long_data(999, 0, b"nobody").await;
    let pieces = [(TEXT, Some(Vec::new())), (TEXT, Some(text("z")))];
    let (_, rows, _) = client.execute(&bound(ready.id, PLAIN, &pieces)).await.expect("a row");
    assert_eq!(rows, [b"\x00\x00\x06abcdef\x01z".to_vec()]);
    // Used up, and forgotten by a reset.
    let packet = [(TEXT, Some(text("q"))), (TEXT, Some(text("z")))];
    let plain = b"\x00\x00\x01q\x01z".to_vec();
    assert_eq!(
        client.execute(&bound(ready.id, PLAIN, &packet)).await.expect("a row").1,
        std::slice::from_ref(&plain)
    );
    client.long_data(ready.id, 0, b"abc").await;
    assert_eq!(client.reset(ready.id).await[0], 0);
    assert_eq!(
        client.execute(&bound(ready.id, PLAIN, &packet)).await.expect("a row").1,
        std::slice::from_ref(&plain)
    );
    // What is wrong is reported at the execution, until a reset.
    for _ in 0..2 {
        client.long_data(ready.id, 9, b"abc").await;
        let reported = client.execute(&bound(ready.id, PLAIN, &packet)).await.expect_err("no such parameter");
        assert_eq!(reported.plain(), (1210, "HY000", "Incorrect arguments to mysqld_stmt_send_long_data"));
    }
    assert_eq!(client.reset(ready.id).await[0], 0);
    for _ in 0..3 {
        client.long_data(ready.id, 0, &vec![b'x'; 40_000]).await;
    }
    for _ in 0..2 {
        let reported = client.execute(&bound(ready.id, PLAIN, &pieces)).await.expect_err("too long");
        assert_eq!(
            reported.plain(),
            (
                1105,
                "HY000",
                "Parameter of prepared statement which is set through mysql_send_long_data() is longer than \
                 'max_allowed_packet' bytes"
            )
        );
    }
    assert_eq!(client.reset(ready.id).await[0], 0);
    assert_eq!(client.execute(&bound(ready.id, PLAIN, &packet)).await.expect("a row").1, [plain]);
    let reported = error(&client.reset(999).await);
    assert_eq!(
        reported.plain(),
        (1243, "HY000", "Unknown prepared statement handler (999) given to mysqld_stmt_reset")
    );
}

#[tokio::test]
async fn text_in_latin1_names_a_binary_key_by_its_own_bytes() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let columns = r#""columns":[{"name":"k","type":"varbinary(9)","nullable":false,"key":"primary"}],"primary_key":["k"]"#;
    agent.set_metadata(Reply::json(
        200,
        &format!(r#"{{"success":true,"server_id":"server-a","schema":"tt","table":"t",{columns}}}"#),
    ));
    agent.always(Reply::ndjson(&format!(
        "{{\"success\":true,{columns}}}\n[{{\"hex\":\"e9\"}}]\n{{\"end\":{{\"rows\":1,\"notes\":[]}}}}\n"
    )));
    let ready = client.ready("SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE k = ?").await;
    let rows = |value: &[u8]| {
        let mut sent = vec![u8::try_from(value.len()).expect("a short value")];
        sent.extend_from_slice(value);
        sent
    };
    for (value, key) in [(&b"\xc3\xa9"[..], "[\"\u{e9}\"]"), (b"\xe9", r#"[{"hex":"e9"}]"#)] {
        let sent = (TEXT, Some(rows(value)));
        assert_eq!(
            client.execute(&bound(ready.id, PLAIN, &[sent])).await.expect("a row").1,
            [b"\x00\x00\x01\xe9".to_vec()]
        );
        let body = agent.last().body;
        assert!(body.contains(&format!(r#""values":[{key}]"#)), "{body}");
    }
    assert_eq!(client.query("SET NAMES latin1").await, Outcome::Done(0));
    let asked = agent.figures().0;
    let reported =
        client.execute(&bound(ready.id, PLAIN, &[(TEXT, Some(rows(b"\xe9")))])).await.expect_err("text");
    // Its literals were read in other character sets.
    assert_eq!((reported.code, reported.state.as_str()), (1235, "42000"), "{reported:?}");
    assert!(reported.message.contains("prepare it again"), "{reported:?}");
    assert_eq!(agent.figures().0, asked);
    let ready = client.ready("SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE k = ?").await;
    for kind in [TEXT, BLOB] {
        let sent = (kind, Some(rows(b"\xe9")));
        assert_eq!(client.execute(&bound(ready.id, PLAIN, &[sent])).await.expect("a row").1.len(), 1);
        let body = agent.last().body;
        assert!(body.contains(r#""values":[[{"hex":"e9"}]]"#), "{body}");
    }
}

#[tokio::test]
async fn a_float_has_all_its_bits() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let columns = r#""columns":[{"name":"id","type":"int","nullable":false,"key":"primary"},{"name":"f","type":"float","nullable":true}],"primary_key":["id"]"#;
    agent.set_metadata(Reply::json(
        200,
        &format!(r#"{{"success":true,"server_id":"server-a","schema":"tt","table":"t",{columns}}}"#),
    ));
    let header = format!("{{\"success\":true,{columns}}}\n");
    agent.always(Reply::ndjson(&format!(
        "{header}[\"1\",\"1234567.8\"]\n{{\"end\":{{\"rows\":1,\"notes\":[]}}}}\n"
    )));
    let sql = "SELECT f FROM _flashback.t AS OF '2020-01-01' WHERE id = 1";
    // mysqld prints six digits, and sends 1234567.75.
    assert_eq!(client.cell(sql).await.as_deref(), Some("1234570"));
    let ready = client.ready(sql).await;
    let (_, rows, _) = client.execute(&bound(ready.id, PLAIN, &[])).await.expect("a row");
    assert_eq!(rows, [b"\x00\x00\x3e\xb4\x96\x49".to_vec()]);
}
