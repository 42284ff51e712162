//! A client of packets, as fast as a client can be: what is measured is the server.

use crate::chain::{PASSWORD, USER};
use mysql_common::scramble::scramble_native;
use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

/// PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH, DEPRECATE_EOF.
pub const CAPABILITIES: u32 = 1 << 9 | 1 << 15 | 1 << 19 | 1 << 24;

pub type Failed = Box<dyn Error + Send + Sync>;

/// One connection.
pub struct Client<S> {
    stream: S,
    input: Vec<u8>,
}

impl Client<TcpStream> {
    pub fn connect(port: u16) -> Result<Self, Failed> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        Ok(Self::over(stream))
    }

    /// Logs in without TLS.
    pub fn login(port: u16) -> Result<Self, Failed> {
        let mut client = Self::connect(port)?;
        let greeting = client.packets(1)?;
        client.answer_greeting(&greeting, 1, CAPABILITIES)?;
        Ok(client)
    }
}

impl<S: Read + Write> Client<S> {
    pub fn over(stream: S) -> Self {
        Self { stream, input: Vec::new() }
    }

    pub fn into_stream(self) -> S {
        self.stream
    }

    /// Sends the login for a greeting, with the number that its packet has.
    pub fn answer_greeting(
        &mut self,
        greeting: &[u8],
        sequence: u8,
        capabilities: u32,
    ) -> Result<(), Failed> {
        let version = greeting[5..].iter().position(|b| *b == 0).ok_or("no version")? + 6;
        let mut scramble = greeting.get(version + 4..version + 12).ok_or("a short greeting")?.to_vec();
        scramble.extend_from_slice(greeting.get(version + 31..version + 43).ok_or("a short greeting")?);
        let mut payload = capabilities.to_le_bytes().to_vec();
        payload.extend_from_slice(&(1_u32 << 24).to_le_bytes());
        payload.push(45);
        payload.extend_from_slice(&[0; 23]);
        payload.extend_from_slice(USER.as_bytes());
        payload.extend_from_slice(&[0, 20]);
        payload.extend_from_slice(&scramble_native(&scramble, PASSWORD.as_bytes()).ok_or("no password")?);
        payload.extend_from_slice(b"mysql_native_password\0");
        self.send(sequence, &payload)?;
        let answer = self.packets(1)?;
        if answer[4] == 0 { Ok(()) } else { Err(String::from_utf8_lossy(&answer).into_owned().into()) }
    }

    pub fn send(&mut self, sequence: u8, payload: &[u8]) -> Result<(), Failed> {
        let length = u32::try_from(payload.len())?.to_le_bytes();
        let packet = [&[length[0], length[1], length[2], sequence], payload].concat();
        self.stream.write_all(&packet)?;
        Ok(())
    }

    /// The bytes of so many packets.
    pub fn packets(&mut self, count: usize) -> Result<Vec<u8>, Failed> {
        self.input.clear();
        let mut buffer = [0; 4096];
        loop {
            let (mut at, mut rows) = (0, 0);
            while let Some([a, b, c, _]) = self.input.get(at..at + 4) {
                let end = at + 4 + usize::from(*a) + (usize::from(*b) << 8) + (usize::from(*c) << 16);
                if self.input.len() < end {
                    break;
                }
                (at, rows) = (end, rows + 1);
            }
            if rows >= count {
                return Ok(std::mem::take(&mut self.input));
            }
            let read = self.stream.read(&mut buffer)?;
            if read == 0 {
                return Err("the server closed the connection".into());
            }
            self.input.extend_from_slice(&buffer[..read]);
        }
    }
}
