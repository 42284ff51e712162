//! What PREPARE says before anything is executed.

use super::super::support::{Outcome, Raw, Reply, Then, pair};
use super::{BY_KEY, LONGLONG, PLAIN, TEXT, bound, long, numbered, one_row, text};

#[tokio::test]
async fn metadata_at_prepare_is_the_tables_in_both_framings() {
    let (agent, shim) = pair().await;
    for deprecate_eof in [false, true] {
        let mut client = Raw::connect(shim.port).await;
        client.deprecate_eof = deprecate_eof;
        assert_eq!(client.login("a", "secret-a", None).await[0], 0);
        let sql = "SELECT v, id AS n FROM _flashback.t AS OF ? AS x WHERE id BETWEEN ? AND ? LIMIT ?";
        let ready = client.ready(sql).await;
        assert_eq!(
            ready.columns,
            [
                b"\x03def\x0a_flashback\x01x\x01t\x01v\x01v\x0c\x2d\x00\x50\x00\x00\x00\xfd\x00\x00\x00\x00\x00".to_vec(),
                b"\x03def\x0a_flashback\x01x\x01t\x01n\x02id\x0c\x3f\x00\x0b\x00\x00\x00\x03\x03\x50\x00\x00\x00".to_vec(),
            ]
        );
        // Text for the instant, the key's type for the keys, a count for LIMIT.
        let parameter = |tail: &[u8]| [&b"\x03def\x00\x00\x00\x01?\x00\x0c"[..], tail].concat();
        let key = parameter(b"\x3f\x00\x0b\x00\x00\x00\x03\x80\x00\x00\x00\x00");
        assert_eq!(
            ready.parameters,
            [
                parameter(b"\x2d\x00\xfc\xff\x00\x00\xfd\x00\x00\x1f\x00\x00"),
                key.clone(),
                key,
                parameter(b"\x3f\x00\x14\x00\x00\x00\x08\xa0\x00\x00\x00\x00"),
            ]
        );
        // The instant is a parameter: the newest definition was asked for.
        assert_eq!(
            agent.requests().last().expect("a request").path,
            "/v1/servers/server-a/schemas/tt/tables/t"
        );
        let values = [(TEXT, Some(text("2020-01-01"))), numbered(1), numbered(3), numbered(2)];
        let (columns, rows, end) = client.execute(&bound(ready.id, PLAIN, &values)).await.expect("rows");
        assert_eq!(columns, ready.columns);
        assert_eq!(rows, [b"\x00\x00\x03one\x01\x00\x00\x00".to_vec(), b"\x00\x04\x02\x00\x00\x00".to_vec()]);
        assert_eq!(end, if deprecate_eof { vec![0xfe, 0, 0, 2, 0, 0, 0] } else { vec![0xfe, 0, 0, 2, 0] });
        assert!(
            agent.last().body.contains(r#""range":{"prefix":[],"from":"1","to":"3""#),
            "{}",
            agent.last().body
        );
        // A literal instant: the definition at that instant.
        client.ready(BY_KEY).await;
        let path = agent.requests().last().expect("a request").path.clone();
        assert!(path.ends_with("/tables/t?at=2020-01-01T00%3A00%3A00.000000Z"), "{path}");
    }
    assert_eq!(agent.figures().0, 2);
}

#[tokio::test]
async fn refusals_that_are_certain_come_at_prepare() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let mut nowhere = shim.raw("b").await;
    let at = "SELECT * FROM _flashback.t AS OF ?";
    for (sql, code, state, message) in [
        (
            format!("{at} JOIN u WHERE id = ?"),
            1064,
            "HY000",
            "dbtrail-shim: cannot join virtual schema _flashback.t",
        ),
        (at.to_owned(), 1064, "HY000", "dbtrail-shim: time-travel queries require a PK predicate"),
        (
            format!("{at} WHERE v = ?"),
            1064,
            "HY000",
            "dbtrail-shim: time-travel queries require a PK predicate",
        ),
        (
            format!("{at} WHERE id > ?"),
            1064,
            "HY000",
            "dbtrail-shim: time-travel queries require a PK predicate",
        ),
        (
            format!("{at} WHERE id = ? AND v + 1 = ?"),
            1235,
            "42000",
            "dbtrail-shim: not supported: the condition at ",
        ),
        (format!("{at} WHERE nothing = ?"), 1054, "42S22", "Unknown column 'nothing' in 'where clause'"),
        (
            "SELECT no FROM _flashback.t AS OF ? WHERE id = ?".to_owned(),
            1054,
            "42S22",
            "Unknown column 'no' in 'field list'",
        ),
        (
            "SELECT * FROM _flashback.? AS OF ? WHERE id = ?".to_owned(),
            1064,
            "42000",
            "You have an error in your SQL syntax",
        ),
        (
            "SELECT * FROM _flashback.t AS OF 'nonsense' WHERE id = ?".to_owned(),
            1292,
            "22007",
            "Incorrect DATETIME value",
        ),
        ("SELECT * FROM orders WHERE id = ?".to_owned(), 1235, "42000", "dbtrail-shim: this server answers"),
        ("INSERT INTO t VALUES (?)".to_owned(), 1235, "42000", "dbtrail-shim: this server answers"),
        ("SHOW VARIABLES LIKE ?".to_owned(), 1064, "42000", "You have an error in your SQL syntax"),
        ("SELECT @@no_such_variable".to_owned(), 1193, "HY000", "Unknown system variable"),
        ("SELECT 1; SELECT 2".to_owned(), 1064, "42000", "You have an error in your SQL syntax"),
        (String::new(), 1065, "42000", "Query was empty"),
        (
            "BEGIN".to_owned(),
            1295,
            "HY000",
            "This command is not supported in the prepared statement protocol yet",
        ),
        (
            "USE tt".to_owned(),
            1295,
            "HY000",
            "This command is not supported in the prepared statement protocol yet",
        ),
        (
            "SHOW WARNINGS".to_owned(),
            1295,
            "HY000",
            "This command is not supported in the prepared statement protocol yet",
        ),
        (
            "PREPARE x FROM 'SELECT 1'".to_owned(),
            1295,
            "HY000",
            "This command is not supported in the prepared",
        ),
    ] {
        let reported = client.prepare(&sql).await.err().unwrap_or_else(|| panic!("{sql} was prepared"));
        assert_eq!((reported.code, reported.state.as_str()), (code, state), "{sql}: {reported:?}");
        assert!(reported.message.starts_with(message), "{sql}: {reported:?}");
    }
    let reported =
        nowhere.prepare("SELECT * FROM _flashback.t AS OF ? WHERE id = ?").await.err().expect("refused");
    assert_eq!(reported.plain(), (1046, "3D000", "No database selected"));
    let reported =
        nowhere.prepare("SELECT * FROM _flashback.no.t AS OF ? WHERE id = ?").await.err().expect("refused");
    assert_eq!(reported.code, 1044);
    assert_eq!(agent.figures().0, 0);
    // As in COM_QUERY a `?` is none.
    assert_eq!(client.err_packet("SELECT ?").await.code, 1064);
}

#[tokio::test]
async fn statements_of_the_session_are_prepared_too() {
    let (_agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let ready = client.ready("SELECT ? AS x, ?, 7, DATABASE()").await;
    assert_eq!((ready.parameters.len(), ready.columns.len()), (2, 4));
    let values = [(TEXT, Some(text("it's"))), ((5, 0), Some(1.5_f64.to_le_bytes().to_vec()))];
    let (columns, rows, _) = client.execute(&bound(ready.id, PLAIN, &values)).await.expect("rows");
    assert!(columns[0].starts_with(b"\x03def\x00\x00\x00\x01x\x00"), "{columns:?}");
    assert!(columns[1].starts_with(b"\x03def\x00\x00\x00\x01?\x00"), "{columns:?}");
    assert_eq!(
        rows,
        [b"\x00\x00\x04it's\x00\x00\x00\x00\x00\x00\xf8\x3f\x07\x00\x00\x00\x00\x00\x00\x00\x02tt".to_vec()]
    );
    for (value, row) in [
        ((LONGLONG, Some(long(-2))), b"\x00\x00\xfe\xff\xff\xff\xff\xff\xff\xff".to_vec()),
        (((8, 0x80), Some(vec![0xff; 8])), b"\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff".to_vec()),
        (((246, 0), Some(text("1.50"))), b"\x00\x00\x041.50".to_vec()),
        (((10, 0), Some(vec![4, 0xea, 7, 4, 27])), b"\x00\x00\x04\xea\x07\x04\x1b".to_vec()),
        (
            ((12, 0), Some(vec![7, 0xea, 7, 4, 27, 1, 2, 3])),
            b"\x00\x00\x07\xea\x07\x04\x1b\x01\x02\x03".to_vec(),
        ),
        (
            ((11, 0), Some(vec![8, 1, 1, 0, 0, 0, 1, 2, 3])),
            b"\x00\x00\x08\x01\x01\x00\x00\x00\x01\x02\x03".to_vec(),
        ),
        ((TEXT, None), b"\x00\x04".to_vec()),
    ] {
        let ready = client.ready("SELECT ?").await;
        let (_, rows, _) = client.execute(&bound(ready.id, PLAIN, &[value])).await.expect("a row");
        assert_eq!(rows, [row]);
        client.command(0x19, &ready.id.to_le_bytes()).await;
    }
    let ready = client.ready("SET @x = ?").await;
    assert_eq!((ready.parameters.len(), ready.columns.len()), (1, 0));
    client.execute(&bound(ready.id, PLAIN, &[(TEXT, Some(text("five")))])).await.expect("done");
    assert_eq!(client.cell("SELECT @x").await.as_deref(), Some("five"));
    let ready = client.ready("SHOW VARIABLES WHERE Variable_name = ?").await;
    assert_eq!(ready.columns.len(), 2);
    let (_, rows, _) =
        client.execute(&bound(ready.id, PLAIN, &[(TEXT, Some(text("autocommit")))])).await.expect("rows");
    assert_eq!(rows, [b"\x00\x00\x0aautocommit\x02ON".to_vec()]);
    let ready = client.ready("COMMIT").await;
    client.execute(&bound(ready.id, PLAIN, &[])).await.expect("done");
}

#[tokio::test]
async fn a_statement_keeps_the_database_of_its_prepare() {
    let (agent, shim) = pair().await;
    agent.always(one_row());
    let mut client = shim.raw("a").await;
    let database = client.ready("SELECT DATABASE()").await;
    let rows = client.ready("SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id = 1").await;
    assert_eq!(client.query("USE other").await, Outcome::Done(0));
    let (_, answer, _) = client.execute(&bound(database.id, PLAIN, &[])).await.expect("a row");
    assert_eq!(answer, [b"\x00\x00\x02tt".to_vec()]);
    client.execute(&bound(rows.id, PLAIN, &[])).await.expect("rows");
    assert!(agent.last().body.contains(r#""schema":"tt""#), "{}", agent.last().body);
    assert_eq!(client.cell("SELECT DATABASE()").await.as_deref(), Some("other"));
    // Also where an execution is cut short.
    agent.always(Reply::nothing(Then::Wait));
    let mut other = shim.raw("a").await;
    client.command(0x17, &bound(rows.id, PLAIN, &[])).await;
    agent.asked(2).await;
    assert_eq!(other.query(&format!("KILL QUERY {}", client.id)).await, Outcome::Done(0));
    let reported = client.binary().await.expect_err("killed");
    assert_eq!(reported.plain(), (1317, "70100", "Query execution was interrupted"));
    agent.left_alone(1).await;
    assert_eq!(client.cell("SELECT DATABASE()").await.as_deref(), Some("other"));
}
