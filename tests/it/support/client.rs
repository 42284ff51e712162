//! A MySQL client that shows every byte.

use super::outcome::{ErrPacket, Outcome, cells, error};
use super::soon;
use mysql_common::scramble::scramble_native;
use std::net::Ipv4Addr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A MySQL client that knows packets and nothing else: MySQL 4.1 framing, EOF packets,
/// mysql_native_password.
pub struct Raw {
    pub stream: TcpStream,
    pub sequence: u8,
    pub id: u32,
    /// Connect attributes of the login to come.
    pub attributes: Vec<(&'static str, &'static str)>,
    /// Collation id of the login to come.
    pub collation: u8,
    /// CLIENT_DEPRECATE_EOF at the login to come.
    pub deprecate_eof: bool,
    pub scramble: Vec<u8>,
}

/// PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH.
const CAPABILITIES: u32 = 1 << 9 | 1 << 15 | 1 << 19;

const CONNECT_WITH_DB: u32 = 8;

const CONNECT_ATTRS: u32 = 1 << 20;

const DEPRECATE_EOF: u32 = 1 << 24;

impl Raw {
    /// Connects and reads the greeting.
    pub async fn connect(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.expect("a connection");
        let mut raw = Self {
            stream,
            sequence: 0,
            id: 0,
            attributes: Vec::new(),
            collation: 45,
            deprecate_eof: false,
            scramble: Vec::new(),
        };
        let greeting = raw.read().await.expect("a greeting");
        let version = greeting.iter().position(|b| *b == 0).expect("a version") + 1;
        raw.id = u32::from_le_bytes(greeting[version..version + 4].try_into().expect("four bytes"));
        raw.scramble = greeting[version + 4..version + 12].to_vec();
        raw.scramble.extend_from_slice(&greeting[version + 31..version + 43]);
        raw
    }

    /// One payload; `None`: the connection has ended.
    pub async fn read(&mut self) -> Option<Vec<u8>> {
        soon("a packet", async {
            let mut head = [0; 4];
            self.stream.read_exact(&mut head).await.ok()?;
            assert_eq!(head[3], self.sequence, "packets out of order");
            self.sequence = self.sequence.wrapping_add(1);
            let length = u32::from_le_bytes([head[0], head[1], head[2], 0]);
            let mut payload = vec![0; length as usize];
            self.stream.read_exact(&mut payload).await.ok()?;
            Some(payload)
        })
        .await
    }

    pub async fn write(&mut self, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("a short payload").to_le_bytes();
        let mut packet = vec![length[0], length[1], length[2], self.sequence];
        packet.extend_from_slice(payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.stream.write_all(&packet).await.expect("written");
    }

    /// Logs in; gives the OK or ERR packet.
    pub async fn login(&mut self, user: &str, password: &str, schema: Option<&str>) -> Vec<u8> {
        let mut capabilities = CAPABILITIES;
        if schema.is_some() {
            capabilities |= CONNECT_WITH_DB;
        }
        if !self.attributes.is_empty() {
            capabilities |= CONNECT_ATTRS;
        }
        if self.deprecate_eof {
            capabilities |= DEPRECATE_EOF;
        }
        let mut payload = capabilities.to_le_bytes().to_vec();
        payload.extend_from_slice(&(1_u32 << 24).to_le_bytes());
        payload.push(self.collation);
        payload.extend_from_slice(&[0; 23]);
        payload.extend_from_slice(user.as_bytes());
        payload.push(0);
        let response =
            scramble_native(&self.scramble, password.as_bytes()).map_or(Vec::new(), |r| r.to_vec());
        payload.push(u8::try_from(response.len()).expect("20 bytes"));
        payload.extend_from_slice(&response);
        if let Some(schema) = schema {
            payload.extend_from_slice(schema.as_bytes());
            payload.push(0);
        }
        payload.extend_from_slice(b"mysql_native_password\0");
        if !self.attributes.is_empty() {
            let short = |text: &str| u8::try_from(text.len()).expect("a short text");
            let mut list = Vec::new();
            for (name, value) in &self.attributes {
                list.push(short(name));
                list.extend_from_slice(name.as_bytes());
                list.push(short(value));
                list.extend_from_slice(value.as_bytes());
            }
            payload.push(u8::try_from(list.len()).expect("a short list"));
            payload.extend_from_slice(&list);
        }
        self.write(&payload).await;
        self.login_answer(password).await
    }

    /// The OK or ERR packet of an exchange, through an AuthSwitchRequest if one comes.
    async fn login_answer(&mut self, password: &str) -> Vec<u8> {
        let answer = self.read().await.expect("an answer to the login");
        if answer.first() != Some(&0xfe) {
            return answer;
        }
        let plugin = b"\xfemysql_native_password\0";
        assert!(answer.starts_with(plugin), "{answer:?}");
        let scramble = answer[plugin.len()..].strip_suffix(&[0]).expect("a zero byte").to_vec();
        let response = scramble_native(&scramble, password.as_bytes()).map_or(Vec::new(), |r| r.to_vec());
        self.write(&response).await;
        self.read().await.expect("an answer to the login")
    }

    /// COM_CHANGE_USER; gives the OK or ERR packet.
    pub async fn change_user(&mut self, user: &str, password: &str, schema: &str) -> Vec<u8> {
        self.sequence = 0;
        let mut payload = vec![0x11];
        payload.extend_from_slice(user.as_bytes());
        payload.push(0);
        let response =
            scramble_native(&self.scramble, password.as_bytes()).map_or(Vec::new(), |r| r.to_vec());
        payload.push(u8::try_from(response.len()).expect("20 bytes"));
        payload.extend_from_slice(&response);
        payload.extend_from_slice(schema.as_bytes());
        payload.extend_from_slice(&[0, 45, 0]);
        payload.extend_from_slice(b"mysql_native_password\0");
        self.write(&payload).await;
        self.login_answer(password).await
    }

    /// Sends COM_QUERY and does not wait.
    pub async fn send(&mut self, sql: &str) {
        self.command(3, sql.as_bytes()).await;
    }

    /// Sends a command and does not wait.
    pub async fn command(&mut self, command: u8, payload: &[u8]) {
        self.sequence = 0;
        self.write(&[&[command], payload].concat()).await;
    }

    /// Runs a statement.
    pub async fn query(&mut self, sql: &str) -> Outcome {
        self.send(sql).await;
        self.outcome().await
    }

    /// The rows of a statement that must give some.
    pub async fn rows(&mut self, sql: &str) -> Vec<Vec<Option<String>>> {
        match self.query(sql).await {
            Outcome::Rows(rows, _) => rows,
            other => panic!("{sql}: {other:?}"),
        }
    }

    /// The error of a statement that must have one before any row.
    pub async fn err_packet(&mut self, sql: &str) -> ErrPacket {
        match self.query(sql).await {
            Outcome::Error(reported) => reported,
            other => panic!("{sql}: {other:?}"),
        }
    }

    /// The single cell of a statement.
    pub async fn cell(&mut self, sql: &str) -> Option<String> {
        let rows = self.rows(sql).await;
        assert_eq!((rows.len(), rows.first().map(Vec::len)), (1, Some(1)), "{sql}: {rows:?}");
        rows.into_iter().flatten().next().flatten()
    }

    /// Reads the answer to a statement.
    pub async fn outcome(&mut self) -> Outcome {
        let Some(first) = self.read().await else { return Outcome::Closed };
        match first[0] {
            0 => return Outcome::Done(u16::from_le_bytes([first[5], first[6]])),
            0xff => return Outcome::Error(error(&first)),
            _ => {}
        }
        for _ in 0..=first[0] {
            self.read().await.expect("a column or the end of the columns");
        }
        let mut rows = Vec::new();
        loop {
            let Some(packet) = self.read().await else { return Outcome::Closed };
            match packet[0] {
                0xfe if packet.len() == 5 => {
                    return Outcome::Rows(rows, u16::from_le_bytes([packet[1], packet[2]]));
                }
                0xff => return Outcome::Broken(rows, error(&packet)),
                _ => rows.push(cells(&packet)),
            }
        }
    }

    /// An ERR packet that nobody asked for; `None`: the connection ended without one.
    pub async fn unasked(&mut self) -> Option<ErrPacket> {
        self.sequence = 0;
        self.read().await.map(|packet| error(&packet))
    }

    /// Whether the server has closed the connection.
    pub async fn is_closed(&mut self) -> bool {
        !matches!(soon("the end of the connection", self.stream.read(&mut [0; 1])).await, Ok(1))
    }
}
