//! A backend connection as ProxySQL has it.

use super::super::support::{Raw, error};
use super::{ATTRIBUTES, SESSION_STATE_CHANGED};
use mysql_common::scramble::scramble_native;

fn attributes(list: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for text in list.iter().flat_map(|(name, value)| [name, value]) {
        out.push(u8::try_from(text.len()).expect("a short text"));
        out.extend_from_slice(text.as_bytes());
    }
    let length = u8::try_from(out.len()).expect("a short list");
    [&[length], out.as_slice()].concat()
}

fn response(scramble: &[u8], password: &str) -> Vec<u8> {
    let response = scramble_native(scramble, password.as_bytes()).expect("a password").to_vec();
    [&[20], response.as_slice()].concat()
}

/// An answer: its columns are of no interest here.
#[derive(Debug)]
pub(super) enum Said {
    /// Status flags.
    Ok(u16),
    /// Cells, status flags, warnings.
    Rows(Vec<Vec<Option<String>>>, u16, u16),
    Error(u16),
}

/// A connection as ProxySQL keeps it.
pub(super) struct Backend {
    pub(super) raw: Raw,
    /// Whose it is now, with the schema and the settings that were sent since.
    pub(super) user: Option<usize>,
    pub(super) schema: Option<&'static str>,
    pub(super) zone: Option<String>,
}

fn number(bytes: &[u8]) -> u16 {
    u16::from_le_bytes([bytes[0], bytes[1]])
}

fn cells(mut packet: &[u8]) -> Vec<Option<String>> {
    let mut cells = Vec::new();
    while let Some((first, rest)) = packet.split_first() {
        let (length, rest) = match first {
            0xfb => {
                cells.push(None);
                packet = rest;
                continue;
            }
            0xfc => (usize::from(number(rest)), &rest[2..]),
            short => (usize::from(*short), rest),
        };
        cells.push(Some(String::from_utf8(rest[..length].to_vec()).expect("UTF-8")));
        packet = &rest[length..];
    }
    cells
}

impl Backend {
    /// Logs in as ProxySQL does; gives the OK or ERR packet too.
    pub(super) async fn login(
        port: u16,
        user: &str,
        capabilities: u32,
        list: &[(&str, &str)],
    ) -> (Self, Vec<u8>) {
        let mut raw = Raw::connect(port).await;
        let mut payload = capabilities.to_le_bytes().to_vec();
        payload.extend_from_slice(&(1_u32 << 30).to_le_bytes());
        payload.push(45);
        payload.extend_from_slice(&[0; 23]);
        payload.extend_from_slice(user.as_bytes());
        payload.push(0);
        payload.extend_from_slice(&response(&raw.scramble, &format!("secret-{user}")));
        if capabilities & 8 != 0 {
            // CONNECT_WITH_DB with an empty name.
            payload.push(0);
        }
        payload.extend_from_slice(b"mysql_native_password\0");
        payload.extend_from_slice(&attributes(list));
        raw.write(&payload).await;
        let answer = raw.read().await.expect("an answer to the login");
        (Self { raw, user: None, schema: None, zone: None }, answer)
    }

    pub(super) async fn change_user(&mut self, user: usize) {
        let name = format!("t{user}");
        let mut payload = name.as_bytes().to_vec();
        payload.push(0);
        payload.extend_from_slice(&response(&self.raw.scramble, &format!("secret-{name}")));
        payload.extend_from_slice(b"\0\x2d\0mysql_native_password\0");
        payload.extend_from_slice(&attributes(&ATTRIBUTES));
        self.raw.command(0x11, &payload).await;
        let ok = self.raw.read().await.expect("an answer");
        assert_eq!((ok[0], number(&ok[3..])), (0, 2), "{ok:?}");
        (self.user, self.schema, self.zone) = (Some(user), None, None);
    }

    pub(super) async fn command(&mut self, command: u8, payload: &[u8]) -> Said {
        self.raw.command(command, payload).await;
        let first = self.raw.read().await.expect("an answer");
        match first[0] {
            // ProxySQL asks for tracked changes: the flag that says there are some is beside the
            // others.
            0 => return Said::Ok(number(&first[3..]) & !SESSION_STATE_CHANGED),
            0xff => {
                let reported = error(&first);
                return Said::Error(reported.code);
            }
            _ => {}
        }
        for _ in 0..first[0] {
            self.raw.read().await.expect("a column");
        }
        let mut rows = Vec::new();
        loop {
            let packet = self.raw.read().await.expect("a row");
            match packet[0] {
                // The end of rows under DEPRECATE_EOF: an OK packet with another header.
                0xfe if packet.len() < 0xff_ffff => {
                    return Said::Rows(rows, number(&packet[3..]), number(&packet[5..]));
                }
                0xff => {
                    let reported = error(&packet);
                    return Said::Error(reported.code);
                }
                _ => rows.push(cells(&packet)),
            }
        }
    }

    pub(super) async fn query(&mut self, sql: &str) -> Said {
        self.command(3, sql.as_bytes()).await
    }

    pub(super) async fn ok(&mut self, sql: &str) -> u16 {
        match self.query(sql).await {
            Said::Ok(flags) => flags,
            other => panic!("{sql}: {other:?}"),
        }
    }

    /// Makes the connection this user's, with this schema and time zone.
    pub(super) async fn prepare(&mut self, user: usize, schema: &'static str, zone: &str) {
        if self.user != Some(user) {
            self.change_user(user).await;
        }
        if self.schema != Some(schema) {
            let said = self.command(2, schema.as_bytes()).await;
            assert!(matches!(said, Said::Ok(2)), "{said:?}");
            self.schema = Some(schema);
        }
        if self.zone.as_deref() != Some(zone) {
            self.ok("SET NAMES utf8mb4 COLLATE 'utf8mb4_general_ci'").await;
            self.ok(&format!("SET time_zone='{zone}'")).await;
            self.ok("SET foreign_key_checks='OFF'").await;
            self.ok("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await;
            self.ok("SET SESSION_TRACK_GTIDS=OWN_GTID").await;
            // It may not know one: 1193, and ProxySQL goes on without it.
            let said = self.query("SET no_such_setting='1'").await;
            assert!(matches!(said, Said::Error(1193)), "{said:?}");
            self.zone = Some(zone.to_owned());
        }
    }
}
