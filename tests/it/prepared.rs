//! Prepared statements: packet by packet with the raw client, and with a real one.

use super::support::{
    Agent, COLUMNS, ErrPacket, Outcome, Plan, Raw, Reply, Then, certificates, error, pair, three_rows,
};
use std::time::Duration;

const LONGLONG: (u8, u8) = (8, 0);
const TEXT: (u8, u8) = (253, 0);
const BLOB: (u8, u8) = (252, 0);
/// After the statement's number: no cursor, one iteration.
const PLAIN: [u8; 5] = [0, 1, 0, 0, 0];
const CURSOR: [u8; 5] = [1, 1, 0, 0, 0];

const BY_KEY: &str = "SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id IN (?, ?, ?)";

/// What came for COM_STMT_PREPARE.
struct Ready {
    id: u32,
    parameters: Vec<Vec<u8>>,
    columns: Vec<Vec<u8>>,
}

/// A parameter: type, and value if it is not NULL.
type Sent = ((u8, u8), Option<Vec<u8>>);

/// A binary result: column definitions, rows, the packet at its end.
type Binary = (Vec<Vec<u8>>, Vec<Vec<u8>>, Vec<u8>);

fn long(value: i64) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

fn text(value: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(value.len()).expect("a short text")];
    bytes.extend_from_slice(value.as_bytes());
    bytes
}

/// The payload of COM_STMT_EXECUTE: types and values.
fn bound(id: u32, flags: [u8; 5], values: &[Sent]) -> Vec<u8> {
    let mut payload = id.to_le_bytes().to_vec();
    payload.extend_from_slice(&flags);
    if values.is_empty() {
        return payload;
    }
    let mut nulls = vec![0; values.len().div_ceil(8)];
    for (position, (_, value)) in values.iter().enumerate() {
        if value.is_none() {
            nulls[position / 8] |= 1 << (position % 8);
        }
    }
    payload.extend_from_slice(&nulls);
    payload.push(1);
    for ((ty, unsigned), _) in values {
        payload.extend_from_slice(&[*ty, *unsigned]);
    }
    values.iter().filter_map(|(_, value)| value.as_ref()).for_each(|v| payload.extend_from_slice(v));
    payload
}

impl Raw {
    async fn prepare(&mut self, sql: &str) -> Result<Ready, ErrPacket> {
        self.command(0x16, sql.as_bytes()).await;
        let head = self.read().await.expect("an answer");
        if head[0] == 0xff {
            return Err(error(&head));
        }
        assert_eq!((head[0], head.len(), head[9], &head[10..]), (0, 12, 0, &[0_u8, 0][..]), "{head:?}");
        let short = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let id = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
        let (columns, parameters) = (short(5), short(7));
        let parameters = self.definitions(parameters).await;
        let columns = self.definitions(columns).await;
        Ok(Ready { id, parameters, columns })
    }

    async fn ready(&mut self, sql: &str) -> Ready {
        self.prepare(sql).await.unwrap_or_else(|reported| panic!("{sql}: {reported:?}"))
    }

    async fn definitions(&mut self, count: u16) -> Vec<Vec<u8>> {
        let mut definitions = Vec::new();
        for _ in 0..count {
            definitions.push(self.read().await.expect("a definition"));
        }
        if count > 0 && !self.deprecate_eof {
            let end = self.read().await.expect("the end of the definitions");
            assert_eq!((end[0], end.len()), (0xfe, 5));
        }
        definitions
    }

    async fn execute(&mut self, payload: &[u8]) -> Result<Binary, ErrPacket> {
        self.command(0x17, payload).await;
        self.binary().await
    }

    /// A whole answer to an execution.
    async fn binary(&mut self) -> Result<Binary, ErrPacket> {
        let head = self.read().await.expect("an answer");
        match head[0] {
            0xff => return Err(error(&head)),
            0 => return Ok((Vec::new(), Vec::new(), head)),
            _ => {}
        }
        let columns = self.definitions(u16::from(head[0])).await;
        let (rows, end) = self.binary_rows().await?;
        Ok((columns, rows, end))
    }

    async fn binary_rows(&mut self) -> Result<(Vec<Vec<u8>>, Vec<u8>), ErrPacket> {
        let mut rows = Vec::new();
        loop {
            let packet = self.read().await.expect("a row or the end");
            match packet[0] {
                0xfe => return Ok((rows, packet)),
                0xff => return Err(error(&packet)),
                _ => rows.push(packet),
            }
        }
    }

    async fn opened(&mut self, payload: &[u8]) -> Vec<u8> {
        self.command(0x17, payload).await;
        let head = self.read().await.expect("an answer");
        for _ in 0..head[0] {
            self.read().await.expect("a definition");
        }
        self.read().await.expect("the end of the columns")
    }

    async fn fetch(&mut self, id: u32, count: u32) -> Result<(Vec<Vec<u8>>, Vec<u8>), ErrPacket> {
        self.command(0x1c, &[id.to_le_bytes(), count.to_le_bytes()].concat()).await;
        self.binary_rows().await
    }

    async fn long_data(&mut self, id: u32, parameter: u16, data: &[u8]) {
        self.command(0x18, &[&id.to_le_bytes()[..], &parameter.to_le_bytes(), data].concat()).await;
    }

    async fn reset(&mut self, id: u32) -> Vec<u8> {
        self.command(0x1a, &id.to_le_bytes()).await;
        self.read().await.expect("an answer")
    }
}

fn numbered(id: i64) -> Sent {
    (LONGLONG, Some(long(id)))
}

/// The three rows of the scripted agent: NULL bitmap, INT, VARCHAR.
fn three() -> Vec<Vec<u8>> {
    vec![
        b"\x00\x00\x01\x00\x00\x00\x03one".to_vec(),
        b"\x00\x08\x02\x00\x00\x00".to_vec(),
        b"\x00\x00\x03\x00\x00\x00\x05three".to_vec(),
    ]
}

/// The first of the three rows alone.
fn one_row() -> Reply {
    Reply::ndjson(&format!(
        "{{\"success\":true,{COLUMNS}}}\n[\"1\",\"one\"]\n{{\"end\":{{\"rows\":1,\"notes\":[]}}}}\n"
    ))
}

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
        (BLOB, Some(text("1"))),
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
    let whole = bound(ready.id, PLAIN, &values);
    for length in 0..whole.len() {
        let reported = client.execute(&whole[..length]).await.expect_err("a short packet");
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
    assert_eq!(client.execute(&whole).await.expect("rows").1, three());
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
    let whole = [(TEXT, Some(text("q"))), (TEXT, Some(text("z")))];
    let plain = b"\x00\x00\x01q\x01z".to_vec();
    assert_eq!(
        client.execute(&bound(ready.id, PLAIN, &whole)).await.expect("a row").1,
        std::slice::from_ref(&plain)
    );
    client.long_data(ready.id, 0, b"abc").await;
    assert_eq!(client.reset(ready.id).await[0], 0);
    assert_eq!(
        client.execute(&bound(ready.id, PLAIN, &whole)).await.expect("a row").1,
        std::slice::from_ref(&plain)
    );
    // What is wrong is reported at the execution, until a reset.
    for _ in 0..2 {
        client.long_data(ready.id, 9, b"abc").await;
        let reported = client.execute(&bound(ready.id, PLAIN, &whole)).await.expect_err("no such parameter");
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
    assert_eq!(client.execute(&bound(ready.id, PLAIN, &whole)).await.expect("a row").1, [plain]);
    let reported = error(&client.reset(999).await);
    assert_eq!(
        reported.plain(),
        (1243, "HY000", "Unknown prepared statement handler (999) given to mysqld_stmt_reset")
    );
}

#[tokio::test]
async fn cursors_are_fetched_in_parts() {
    let (agent, shim) = pair().await;
    for deprecate_eof in [false, true] {
        let mut client = Raw::connect(shim.port).await;
        client.deprecate_eof = deprecate_eof;
        assert_eq!(client.login("a", "secret-a", None).await[0], 0);
        let end = |state: u8| {
            let mut packet = vec![0xfe, 0, 0, 2 | state, 0];
            packet.extend_from_slice(if deprecate_eof { &[0, 0] } else { &[] });
            packet
        };
        let (more, last) = (end(0x40), end(0x80));
        let ready = client.ready(BY_KEY).await;
        let open = bound(ready.id, CURSOR, &[numbered(1), numbered(2), numbered(3)]);
        let no_cursor = format!("The statement ({}) has no open cursor.", ready.id);
        let reported = client.fetch(ready.id, 1).await.expect_err("no cursor");
        assert_eq!(reported.plain(), (1421, "HY000", no_cursor.as_str()));
        assert_eq!(client.opened(&open).await, more);
        let (rows, state) = client.fetch(ready.id, 2).await.expect("rows");
        assert_eq!((rows.as_slice(), &state), (&three()[..2], &more));
        // Another statement between two fetches.
        assert_eq!(
            client.execute(&bound(ready.id + 1000, PLAIN, &[])).await.expect_err("unknown").code,
            1243
        );
        let (rows, state) = client.fetch(ready.id, 2).await.expect("rows");
        assert_eq!((rows.as_slice(), &state), (&three()[2..], &last));
        assert_eq!(client.fetch(ready.id, 2).await.expect_err("closed").code, 1421);
        // Exactly as many as there are: the end comes with the next fetch.
        assert_eq!(client.opened(&open).await, more);
        assert_eq!(client.fetch(ready.id, 0).await.expect("nothing"), (Vec::new(), more.clone()));
        assert_eq!(client.fetch(ready.id, 3).await.expect("rows"), (three(), more.clone()));
        assert_eq!(client.fetch(ready.id, 3).await.expect("the end"), (Vec::new(), last.clone()));
        assert_eq!(client.fetch(ready.id, 3).await.expect_err("closed").code, 1421);
        // A result that is there at once has a cursor too; a statement without a result has none.
        let one = client.ready("SELECT 1").await;
        assert_eq!(client.opened(&bound(one.id, CURSOR, &[])).await, more);
        let row = vec![b"\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00".to_vec()];
        assert_eq!(client.fetch(one.id, 5).await.expect("a row"), (row, last));
        let none = client.ready("SET @x = 1").await;
        assert_eq!(client.execute(&bound(none.id, CURSOR, &[])).await.expect("done").2[0], 0);
    }
    assert_eq!(agent.figures(), (4, 0));
}

/// An answer that has begun and does not end.
fn begun() -> Reply {
    Reply::part(200, &format!("{{\"success\":true,{COLUMNS}}}\n[\"1\",\"one\"]\n[\"2\",null]\n"), Then::Wait)
}

#[tokio::test]
async fn a_cursor_ends_its_request_when_it_is_closed_killed_or_left() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let ready = client.ready(BY_KEY).await;
    let open = bound(ready.id, CURSOR, &[numbered(1), numbered(2), numbered(3)]);
    let mut left = 0;
    for closing in 0..6 {
        agent.always(begun());
        client.opened(&open).await;
        let (rows, _) = client.fetch(ready.id, 1).await.expect("a row");
        assert_eq!(rows, three()[..1]);
        assert_eq!(agent.figures().1, left);
        match closing {
            0 => assert_eq!(client.reset(ready.id).await[0], 0),
            1 => {
                // Another execution, which has another answer.
                agent.always(Reply::ndjson(&three_rows()));
                let values = [numbered(1), numbered(2), numbered(3)];
                let (_, rows, _) = client.execute(&bound(ready.id, PLAIN, &values)).await.expect("rows");
                assert_eq!(rows, three());
            }
            2 => {
                // The fetch waits for a third row; nobody sees when it begins to, so that it is
                // killed until it is.
                client.command(0x1c, &[ready.id.to_le_bytes(), 5_u32.to_le_bytes()].concat()).await;
                let mut killer = shim.raw("a").await;
                let kill = format!("KILL QUERY {}", client.id);
                let killing = async {
                    loop {
                        assert_eq!(killer.query(&kill).await, Outcome::Done(0));
                    }
                };
                let row = tokio::select! {
                    row = client.read() => row.expect("a row"),
                    () = killing => unreachable!(),
                };
                assert_eq!(row, three()[1]);
                let reported = error(&client.read().await.expect("an error"));
                assert_eq!(reported.plain(), (1317, "70100", "Query execution was interrupted"));
                assert_eq!(client.fetch(ready.id, 1).await.expect_err("closed").code, 1421);
            }
            3 => {
                // COM_RESET_CONNECTION
                client.command(0x1f, &[]).await;
                assert_eq!(client.read().await.expect("an answer")[0], 0);
                assert_eq!(client.fetch(ready.id, 1).await.expect_err("gone").code, 1243);
                client = shim.raw("a").await;
                assert_eq!(client.ready(BY_KEY).await.id, ready.id);
            }
            4 => {
                assert_eq!(client.change_user("a", "secret-a", "").await[0], 0);
                assert_eq!(client.fetch(ready.id, 1).await.expect_err("gone").code, 1243);
                client = shim.raw("a").await;
                assert_eq!(client.ready(BY_KEY).await.id, ready.id);
            }
            _ => {
                // COM_STMT_CLOSE has no answer: the next command comes in the same segment.
                let ping: &[u8] = &[1, 0, 0, 0, 0x0e];
                let close = [&[5, 0, 0, 0, 0x19][..], &ready.id.to_le_bytes(), ping].concat();
                tokio::io::AsyncWriteExt::write_all(&mut client.stream, &close).await.expect("written");
                client.sequence = 1;
                assert_eq!(client.read().await.expect("an answer to the ping")[0], 0);
                assert_eq!(client.fetch(ready.id, 1).await.expect_err("gone").code, 1243);
            }
        }
        left += 1;
        agent.left_alone(left).await;
    }
    let ready = client.ready(BY_KEY).await;
    agent.always(begun());
    client.opened(&bound(ready.id, CURSOR, &[numbered(1), numbered(2), numbered(3)])).await;
    client.command(0x1c, &[ready.id.to_le_bytes(), 5_u32.to_le_bytes()].concat()).await;
    drop(client);
    agent.left_alone(left + 1).await;
}

#[tokio::test]
async fn an_execution_is_killed_and_left() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let mut other = shim.raw("a").await;
    let ready = client.ready(BY_KEY).await;
    let execute = bound(ready.id, PLAIN, &[numbered(1), numbered(2), numbered(3)]);
    agent.always(Reply::nothing(Then::Wait));
    client.command(0x17, &execute).await;
    agent.asked(1).await;
    assert_eq!(other.query(&format!("KILL QUERY {}", client.id)).await, Outcome::Done(0));
    let reported = client.binary().await.expect_err("killed");
    assert_eq!(reported.plain(), (1317, "70100", "Query execution was interrupted"));
    agent.left_alone(1).await;
    agent.always(Reply::ndjson(&three_rows()));
    assert_eq!(client.execute(&execute).await.expect("rows").1, three());
    // A preparation waits for the agent too.
    agent.set_metadata(Reply::nothing(Then::Wait));
    client.command(0x16, BY_KEY.as_bytes()).await;
    agent.questions(2).await;
    assert_eq!(other.query(&format!("KILL QUERY {}", client.id)).await, Outcome::Done(0));
    assert_eq!(error(&client.read().await.expect("an error")).code, 1317);
    agent.truth();
    agent.always(Reply::nothing(Then::Wait));
    client.command(0x17, &execute).await;
    agent.asked(3).await;
    drop(client);
    agent.left_alone(3).await;
}

#[tokio::test]
async fn an_answer_that_breaks_or_holds_what_no_column_can_is_an_error() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let ready = client.ready(BY_KEY).await;
    let execute = |flags| bound(ready.id, flags, &[numbered(1), numbered(2), numbered(3)]);
    let header = format!("{{\"success\":true,{COLUMNS}}}\n");
    agent.always(Reply::ndjson(&format!(
        "{header}[\"1.0\",\"one\"]\n{{\"end\":{{\"rows\":1,\"notes\":[]}}}}\n"
    )));
    let reported = client.execute(&execute(PLAIN)).await.expect_err("no integer");
    assert_eq!(
        reported.plain(),
        (1815, "HY000", "dbtrail-shim: the agent sent '1.0' for column id, which is no value of type int")
    );
    client.opened(&execute(CURSOR)).await;
    assert_eq!(client.fetch(ready.id, 9).await.expect_err("no integer").code, 1815);
    assert_eq!(client.fetch(ready.id, 9).await.expect_err("closed").code, 1421);
    agent.always(Reply::chunk(200, &format!("{header}[\"1\",\"one\"]\n"), Then::Close));
    let reported = client.execute(&execute(PLAIN)).await.expect_err("cut");
    assert_eq!(reported.code, 2002);
    client.opened(&execute(CURSOR)).await;
    assert_eq!(client.fetch(ready.id, 9).await.expect_err("cut").code, 2002);
    agent.always(Reply::ndjson(&three_rows()));
    assert_eq!(client.execute(&execute(PLAIN)).await.expect("rows").1, three());
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

#[tokio::test]
async fn a_connection_keeps_so_many_statements() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim =
        Plan { max_prepared_statements: 3, max_packet: 100_000, ..Plan::before(&agent, &made) }.start().await;
    let mut client = shim.raw("a").await;
    let first = client.ready("SELECT 1").await;
    client.ready("SELECT 2").await;
    assert_eq!(client.query("PREPARE n FROM 'SELECT 3'").await, Outcome::Done(0));
    let reported = client.prepare("SELECT 4").await.err().expect("full");
    let full = "Can't create more than max_prepared_stmt_count statements (current value: 3): close some, or raise \
                limits.max_prepared_statements";
    assert_eq!(reported.plain(), (1461, "42000", full));
    client.command(0x19, &first.id.to_le_bytes()).await;
    client.ready("SELECT 4").await;
    let mut client = shim.raw("a").await;
    client.ready(&format!("SELECT 1 /*{}*/", "x".repeat(60_000))).await;
    let reported =
        client.prepare(&format!("SELECT 1 /*{}*/", "x".repeat(60_000))).await.err().expect("too long");
    assert_eq!(reported.code, 1235);
    // Parameters have numbers of two bytes.
    let mut client = shim.raw("a").await;
    let many =
        format!("SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id IN ({}?)", "?,".repeat(40_000));
    let reported = client.prepare(&many).await.err().expect("too many keys");
    assert_eq!(reported.code, 1235, "{reported:?}");
}

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
