//! Prepared statements: packet by packet with the raw client, and with a real one.

mod cursors;
mod in_text;
mod kept;
mod outlines;
mod values;

use super::support::Agent;
use super::support::COLUMNS;
use super::support::ErrPacket;
use super::support::Outcome;
use super::support::Plan;
use super::support::Raw;
use super::support::Reply;
use super::support::certificates;
use super::support::error;

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
