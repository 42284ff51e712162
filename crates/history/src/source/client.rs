//! A connection to the server: statements in the text protocol, and the log as the server sends it.
//!
//! `mysql_async` is not used here. Its log stream decodes events to follow them (it loses one that
//! does not parse, panics on one that is cut short, unpacks compressed transactions whole), and its
//! connections do not give raw packets. What is wanted is less: bytes of events as they are in the
//! log, and cells as the text protocol has them. Packets are those of [`dbtrail_mysql_wire`],
//! requests those of `mysql_common`.

mod login;
mod tls;

use super::config::SourceConfig;
pub use crate::source_error::ClientError;
use crate::source_error::{NetworkFault, ProtocolFault};
use dbtrail_mysql_wire::constants::command::COM_QUERY;
use dbtrail_mysql_wire::constants::header::{EOF, ERR, LOCAL_INFILE, LONGEST_EOF, OK};
use dbtrail_mysql_wire::packets::{Limits, Packets, ReadLimit};
use dbtrail_mysql_wire::reader::PayloadReader;
use dbtrail_types::result_set::Row;
use mysql_common::io::ParseBuf;
use mysql_common::packets::{
    BinlogDumpFlags, ComBinlogDump, ComBinlogDumpGtid, ComRegisterSlave, ErrPacket, Sid,
};
use mysql_common::proto::MySerialize;
use std::time::Duration;
use tokio::time::timeout;

/// What connecting and logging in may take.
const LOGIN: Duration = Duration::from_secs(15);

/// How long a server may say nothing, where no other limit was set.
const PATIENCE: Duration = Duration::from_secs(60);
/// No server sends more in one piece (max_allowed_packet is at most 1 GiB; an event may be a little
/// longer).
const LARGEST: usize = (1 << 30) + (1 << 24);
/// Bytes read ahead.
const AHEAD: usize = 1 << 16;
/// BINLOG_DUMP_NON_BLOCK: the stream ends where the log does.
const NON_BLOCK: u16 = 1;
/// BINLOG_SEND_ANNOTATE_ROWS_EVENT of MariaDB: without it these events are left out, and positions
/// could not be counted. MySQL takes it for nothing.
const WITH_ANNOTATIONS: u16 = 2;

/// A server may say nothing for so long, and may need as long to take what is sent to it.
fn limits(patience: Duration) -> Limits {
    Limits { read: ReadLimit::Silence(patience), write: patience }
}

/// From where the log is asked for.
#[derive(Clone, Debug)]
pub(super) enum StartFrom<'a> {
    /// A byte of a file.
    ResumePosition {
        file: &'a str,
        offset: u32,
        /// Whether the server ends the stream at the end of the log.
        to_end: bool,
    },
    /// MySQL: what is not in this set.
    Without(Vec<Sid<'static>>),
    /// MariaDB: after `@slave_connect_state`, which was set before.
    ConnectState,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Client {
    packets: Packets,
    /// CONNECTION_ID().
    id: u32,
}

impl Client {
    /// Connects and logs in.
    pub(super) async fn connect(config: &SourceConfig) -> Result<Self, ClientError> {
        let late = |_| NetworkFault::Late { address: config.address(), limit: LOGIN };
        timeout(LOGIN, login::connect(config)).await.map_err(late)?.map(|(packets, id)| Self { packets, id })
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }

    async fn command(&mut self, payload: &[u8]) -> Result<(), ClientError> {
        self.packets.new_command();
        send(&mut self.packets, payload).await
    }

    /// Runs a statement; the rows come from [`Rows::next`].
    pub(super) async fn rows(&mut self, sql: &str) -> Result<Rows<'_>, ClientError> {
        let mut payload = vec![COM_QUERY];
        payload.extend_from_slice(sql.as_bytes());
        self.command(&payload).await?;
        let head = self.packets.read(LARGEST).await?;
        let columns = match head.first() {
            Some(&OK) => 0,
            Some(&ERR) => return Err(refusal(&head)),
            Some(&LOCAL_INFILE) | None => {
                return Err(ProtocolFault::NoHead.into());
            }
            Some(_) => PayloadReader(&head).lenenc()?,
        };
        for _ in 0..columns {
            self.packets.read(LARGEST).await?;
        }
        if columns > 0 && self.packets.read(LARGEST).await?.first() != Some(&EOF) {
            return Err(ProtocolFault::NoColumnEnd.into());
        }
        Ok(Rows { client: self, columns, ended: columns == 0 })
    }

    /// Runs a statement and takes all of its rows.
    pub(super) async fn query(&mut self, sql: &str) -> Result<Vec<Row>, ClientError> {
        let mut rows = self.rows(sql).await?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().await? {
            all.push(row);
        }
        Ok(all)
    }

    /// Runs a statement that gives no rows.
    pub(super) async fn execute(&mut self, sql: &str) -> Result<(), ClientError> {
        self.query(sql).await.map(drop)
    }

    /// The cells of the first row as text.
    pub(super) async fn texts(&mut self, sql: &str) -> Result<Option<Vec<Option<String>>>, ClientError> {
        let rows = self.query(sql).await?;
        Ok(rows.into_iter().next().map(|r| r.into_iter().map(text).collect()))
    }

    /// The first cell of the first row as text.
    pub(super) async fn one(&mut self, sql: &str) -> Result<Option<String>, ClientError> {
        Ok(self.texts(sql).await?.and_then(|row| row.into_iter().next()).flatten())
    }

    /// Tells the server who is going to follow its log.
    pub(super) async fn register(&mut self, server_id: u32) -> Result<(), ClientError> {
        let mut payload = Vec::new();
        let host = b"dbtrail-shim".as_slice();
        ComRegisterSlave::new(server_id).with_hostname(host).serialize(&mut payload);
        self.command(&payload).await?;
        let answer = self.packets.read(LARGEST).await?;
        if answer.first() == Some(&ERR) { Err(refusal(&answer)) } else { Ok(()) }
    }

    /// Registers, and asks for the log. Events come from [`Client::event`].
    pub(super) async fn follow(&mut self, server_id: u32, from: StartFrom<'_>) -> Result<(), ClientError> {
        self.register(server_id).await?;
        let mut payload = Vec::new();
        match from {
            StartFrom::ResumePosition { file, offset, to_end } => {
                let flags = if to_end { NON_BLOCK | WITH_ANNOTATIONS } else { WITH_ANNOTATIONS };
                let dump = ComBinlogDump::new(server_id).with_pos(offset).with_filename(file.as_bytes());
                dump.with_flags(BinlogDumpFlags::from_bits_retain(flags)).serialize(&mut payload);
            }
            StartFrom::Without(set) => {
                ComBinlogDumpGtid::new(server_id).with_pos(4).with_sids(set).serialize(&mut payload);
            }
            StartFrom::ConnectState => {
                let dump = ComBinlogDump::new(server_id).with_pos(4);
                dump.with_flags(BinlogDumpFlags::from_bits_retain(WITH_ANNOTATIONS)).serialize(&mut payload);
            }
        }
        self.command(&payload).await
    }

    /// How long the server may say nothing from here on.
    pub(super) fn wait_at_most(&mut self, patience: Duration) {
        self.packets.set_limits(limits(patience));
    }

    /// Whether the next event is here already.
    pub(super) fn has_event(&self) -> bool {
        self.packets.has_packet()
    }

    /// The next event: header, body, and checksum if there is one. `None`: the server ended the
    /// stream.
    pub(super) async fn event(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        let mut packet = self.packets.read(LARGEST).await?;
        match packet.first() {
            Some(&OK) => {
                packet.remove(0);
                Ok(Some(packet))
            }
            Some(&EOF) => Ok(None),
            Some(&ERR) => Err(refusal(&packet)),
            _ => Err(ProtocolFault::NoEvent.into()),
        }
    }
}

/// The rows of a statement, one after the other. They must be taken to the end before the
/// connection serves another.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    client: &'a mut Client,
    columns: u64,
    ended: bool,
}

impl Rows<'_> {
    /// The next row.
    pub(super) async fn next(&mut self) -> Result<Option<Row>, ClientError> {
        if self.ended {
            return Ok(None);
        }
        let packet = self.client.packets.read(LARGEST).await?;
        match packet.first() {
            Some(&ERR) => {
                self.ended = true;
                Err(refusal(&packet))
            }
            // A longer packet with this byte is a row whose first cell is longer than 16 MiB.
            Some(&EOF) if packet.len() < LONGEST_EOF => {
                self.ended = true;
                Ok(None)
            }
            _ => {
                let mut cells = PayloadReader(&packet);
                let cells = (0..self.columns).map(|_| Ok(cells.cell()?.map(<[u8]>::to_vec)));
                cells.collect::<Result<Row, ClientError>>().map(Some)
            }
        }
    }
}

/// Sends one payload.
async fn send(packets: &mut Packets, payload: &[u8]) -> Result<(), ClientError> {
    packets.write(payload).await?;
    Ok(packets.flush().await?)
}

/// A cell as text.
pub(super) fn text(cell: Option<Vec<u8>>) -> Option<String> {
    cell.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The error in an ERR packet.
fn refusal(packet: &[u8]) -> ClientError {
    use mysql_common::constants::CapabilityFlags;
    match ParseBuf(packet).parse::<ErrPacket<'_>>(CapabilityFlags::CLIENT_PROTOCOL_41) {
        Ok(ErrPacket::Error(e)) => {
            ClientError::Server { code: e.error_code(), message: e.message_str().into_owned() }
        }
        Ok(ErrPacket::Progress(_)) | Err(_) => ProtocolFault::ErrorPacket.into(),
    }
}
