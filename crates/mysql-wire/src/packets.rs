//! Packets over a byte stream: lengths, sequence numbers, payloads of 16 MiB and more
//! ([manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html)).

mod error;
mod memory;
mod writing;

use crate::compress::{Algorithm, Compression, UnpackError};
use crate::reader::length;
use dbtrail_types::memory::Share;
pub use error::PacketError;
use std::time::Duration;
use std::{fmt, io};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::Instant;
use tokio::time::timeout_at;

/// The longest payload of one packet; a payload of this length goes on in the next.
pub const MAX_PAYLOAD: usize = 0xff_ffff;
/// Length and sequence number.
const HEADER: usize = 4;
/// A peer that sends a packet may take a second more for each of so many bytes, however it spreads
/// them.
const SLOWEST: usize = 64 * 1024;
/// What is read ahead while a statement runs.
const AHEAD: usize = 64 * 1024;

/// A socket, with or without TLS.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for T {}

/// How long a peer may take to send a payload.
#[derive(Clone, Copy, Debug)]
pub enum ReadLimit {
    /// Once a payload has begun, all of it must have come in this time (and a second for each
    /// 64 KiB of it). Until it begins there is no limit: an idle peer is another matter.
    Payload(Duration),
    /// Something must come in this time, always.
    Silence(Duration),
}

/// How long a peer may keep a connection waiting.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// To send.
    pub read: ReadLimit,
    /// To take what is sent to it.
    pub write: Duration,
}

/// The packets of one connection.
pub struct Packets {
    stream: Box<dyn Stream>,
    /// What came; all before `consumed` was taken out of it.
    input: Vec<u8>,
    consumed: usize,
    output: Vec<u8>,
    /// How much of the output was packed already.
    taken: usize,
    /// What is on its way to the socket, and how much of it was sent already.
    leaving: Vec<u8>,
    sent: usize,
    sequence: u8,
    /// Once the login is over, for a client that asked for it; and what came and was not unpacked
    /// yet.
    compression: Option<Compression>,
    packed: Vec<u8>,
    limits: Limits,
    /// Bytes of memory that are ready for what comes.
    read_ahead: usize,
    share: Share,
}

impl fmt::Debug for Packets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packets").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

impl Packets {
    /// The packets of a connection that begins. `sequence`: the number of the next packet; more
    /// than 0 where the stream was encrypted in between.
    #[must_use]
    pub fn new(stream: Box<dyn Stream>, sequence: u8, limits: Limits) -> Self {
        Self {
            stream,
            input: Vec::new(),
            consumed: 0,
            output: Vec::new(),
            taken: 0,
            leaving: Vec::new(),
            sent: 0,
            sequence,
            compression: None,
            packed: Vec::new(),
            limits,
            read_ahead: 0,
            share: Share::default(),
        }
    }

    /// Keeps so many bytes of memory ready for what comes, for a peer that sends much.
    #[must_use]
    pub fn read_ahead(mut self, bytes: usize) -> Self {
        self.read_ahead = bytes;
        self
    }

    /// Whether something came that was not read yet.
    #[must_use]
    pub fn has_unread(&self) -> bool {
        !self.unread().is_empty() || !self.packed.is_empty()
    }

    /// Whether a whole packet came that was not read yet.
    #[must_use]
    pub fn has_packet(&self) -> bool {
        self.unread().split_at_checked(HEADER).is_some_and(|(header, rest)| {
            let length = length(header);
            length < MAX_PAYLOAD && rest.len() >= length
        })
    }

    /// The stream itself, for TLS, and the number of the next packet. A client may send its
    /// SSLRequest and its first TLS record without a pause: what was read ahead goes to TLS, never
    /// to a command.
    #[must_use]
    pub fn into_stream(mut self) -> (Box<dyn Stream>, u8) {
        if !self.has_unread() {
            return (self.stream, self.sequence);
        }
        let ahead = io::Cursor::new(self.input.split_off(self.consumed));
        let (read, write) = tokio::io::split(self.stream);
        (Box::new(tokio::io::join(ahead.chain(read), write)), self.sequence)
    }

    /// How long the peer may keep the connection waiting from here on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// From here on everything is packed, in both directions. What was read ahead already was sent
    /// packed.
    pub fn compress(&mut self, algorithm: Algorithm) {
        self.compression = Some(Compression::new(algorithm));
        self.packed = self.input.split_off(self.consumed);
        (self.input, self.consumed) = (Vec::new(), 0);
    }

    /// A command begins: its first packet has number 0.
    pub fn new_command(&mut self) {
        self.sequence = 0;
        self.forget_payload();
    }

    fn unread(&self) -> &[u8] {
        &self.input[self.consumed..]
    }

    /// Waits until something has come. It holds far less memory than [`Self::read`] does: it is for
    /// a peer that may be idle for hours.
    ///
    /// # Errors
    /// The peer went away.
    pub async fn arrived(&mut self) -> Result<(), PacketError> {
        if self.has_unread() { Ok(()) } else { self.fill().await }
    }

    /// Reads one payload of at most `largest` bytes, of one or more packets.
    ///
    /// # Errors
    /// The peer went away, is too slow, sends more than `largest` bytes, or counts its packets
    /// otherwise than the protocol does.
    pub async fn read(&mut self, largest: usize) -> Result<Vec<u8>, PacketError> {
        let mut payload = Vec::new();
        self.release()?;
        if !self.has_unread() {
            match self.limits.read {
                ReadLimit::Payload(_) => self.fill().await?,
                ReadLimit::Silence(_) => self.more_in_time(Instant::now(), 0, largest).await?,
            }
        }
        let begun = Instant::now();
        loop {
            while self.unread().len() < HEADER {
                self.more_in_time(begun, payload.len(), largest).await?;
            }
            let header = &self.unread()[..HEADER];
            let (mut missing, number) = (length(header), header[3]);
            // Whatever is answered carries the number after this one, or the client would not read
            // it.
            let expected = std::mem::replace(&mut self.sequence, number.wrapping_add(1));
            if number != expected {
                return Err(PacketError::OutOfOrder { number, expected });
            }
            if payload.len() + missing > largest {
                return Err(PacketError::TooLarge(largest));
            }
            self.consumed += HEADER;
            let full = missing == MAX_PAYLOAD;
            loop {
                let part = self.unread();
                let part = &part[..part.len().min(missing)];
                payload.extend_from_slice(part);
                missing -= part.len();
                self.consumed += part.len();
                self.hold(payload.len())?;
                if missing == 0 {
                    break;
                }
                self.more_in_time(begun, payload.len(), largest).await?;
            }
            if !full {
                return Ok(payload);
            }
        }
    }

    /// Adds to the input of a payload that began at `begun`, of which so many bytes were taken out
    /// of the input already: whoever sends it a byte at a time would otherwise hold its memory for
    /// ever.
    async fn more_in_time(
        &mut self,
        begun: Instant,
        taken: usize,
        largest: usize,
    ) -> Result<(), PacketError> {
        let (end, limit) = match self.limits.read {
            ReadLimit::Silence(limit) => (Instant::now() + limit, limit),
            ReadLimit::Payload(limit) => {
                let seconds = (taken + self.unread().len().max(self.packed.len())) / SLOWEST;
                let allowance = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
                (begun + limit + allowance, limit)
            }
        };
        timeout_at(end, self.more(taken, largest)).await.unwrap_or(Err(PacketError::TimedOut(limit)))
    }

    /// Adds to the input of a payload of which so many bytes were taken out of it. A packed packet
    /// is unpacked only when it is its turn: its number is the one that the answer goes on from.
    async fn more(&mut self, payload: usize, largest: usize) -> Result<(), PacketError> {
        if self.compression.is_none() {
            return self.fill().await;
        }
        // A packed packet may hold the end of a command and the next one.
        let largest = largest.saturating_add(AHEAD);
        self.input.drain(..self.consumed);
        self.consumed = 0;
        self.hold_unpacked(payload, largest)?;
        let Some(compression) = &mut self.compression else { return Ok(()) };
        let taken = compression.take(&mut self.packed, &mut self.input, largest);
        let taken = taken.map_err(|error| match error {
            UnpackError::TooLarge => PacketError::TooLarge(largest),
            UnpackError::Malformed(malformed) => malformed.into(),
        })?;
        if taken {
            return Ok(());
        }
        self.fill().await
    }

    /// Reads what has come. Memory grows with the bytes that are there, never with a length that
    /// was announced.
    async fn fill(&mut self) -> Result<(), PacketError> {
        let input = if self.compression.is_some() {
            &mut self.packed
        } else {
            self.input.drain(..self.consumed);
            self.consumed = 0;
            &mut self.input
        };
        input.reserve(self.read_ahead);
        if self.stream.read_buf(input).await? == 0 {
            return Err(PacketError::Closed);
        }
        Ok(())
    }

    /// Ends when the peer goes away. What it sends meanwhile (a pipelined command) is kept, up to a
    /// bound.
    pub async fn closed(&mut self) {
        loop {
            if self.unread().len().max(self.packed.len()) >= AHEAD {
                return std::future::pending().await;
            }
            if self.fill().await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
