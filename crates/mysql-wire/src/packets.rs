//! Packets over a byte stream: lengths, sequence numbers, payloads of 16 MiB and more
//! ([manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html)).

use crate::compress::{Algorithm, Compression, UnpackError};
use crate::reader::{Malformed, length};
use std::time::Duration;
use std::{fmt, io};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

/// The longest payload of one packet; a payload of this length goes on in the next.
pub const MAX_PAYLOAD: usize = 0xff_ffff;
/// Length and sequence number.
const HEADER: usize = 4;
/// Bytes written before they are sent.
const FLUSH: usize = 32 * 1024;
/// A peer that sends a packet may take a second more for each of so many bytes, however it spreads
/// them.
const SLOWEST: usize = 64 * 1024;
/// What is read ahead while a statement runs.
const AHEAD: usize = 64 * 1024;

/// A socket, with or without TLS.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for T {}

/// Why a packet cannot be read or written. The connection is of no more use.
#[derive(Debug, thiserror::Error)]
pub enum PacketError {
    /// The peer closed the connection.
    #[error("the connection was closed")]
    Closed,
    /// The connection broke.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Nothing came, or too slowly.
    #[error("nothing came for {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// Nothing of what was to be sent was taken.
    #[error("no data was taken for {} s", .0.as_secs_f32())]
    NotTaken(Duration),
    /// A packet was lost, or the peer counts otherwise.
    #[error("packet number {number} where {expected} was expected")]
    OutOfOrder {
        /// The number that came.
        number: u8,
        /// The number that follows the last one.
        expected: u8,
    },
    /// A payload is longer than what may come.
    #[error("a packet of more than {0} bytes")]
    TooLarge(usize),
    /// A compressed packet that cannot be unpacked.
    #[error("{0}")]
    Malformed(#[from] Malformed),
}

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
    }

    fn unread(&self) -> &[u8] {
        &self.input[self.consumed..]
    }

    /// Reads one payload of at most `largest` bytes, of one or more packets.
    ///
    /// # Errors
    /// The peer went away, is too slow, sends more than `largest` bytes, or counts its packets
    /// otherwise than the protocol does.
    pub async fn read(&mut self, largest: usize) -> Result<Vec<u8>, PacketError> {
        let mut payload = Vec::new();
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
        timeout_at(end, self.more(largest)).await.unwrap_or(Err(PacketError::TimedOut(limit)))
    }

    /// Adds to the input. A packed packet is unpacked only when it is its turn: its number is the
    /// one that the answer goes on from.
    async fn more(&mut self, largest: usize) -> Result<(), PacketError> {
        let Some(compression) = &mut self.compression else { return self.fill().await };
        // A packed packet may hold the end of a command and the next one.
        let largest = largest.saturating_add(AHEAD);
        self.input.drain(..self.consumed);
        self.consumed = 0;
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

    /// Writes a payload; one of k * 16,777,215 bytes is followed by an empty packet. Where this is
    /// dropped, the payload is in the output whole: another one can follow it.
    ///
    /// # Errors
    /// The peer went away, or takes nothing.
    pub async fn write(&mut self, payload: &[u8]) -> Result<(), PacketError> {
        let mut rest = payload;
        loop {
            let (now, later) = rest.split_at(rest.len().min(MAX_PAYLOAD));
            let length = u32::try_from(now.len()).unwrap_or(0).to_le_bytes();
            self.output.extend_from_slice(&length[..3]);
            self.output.push(self.sequence);
            self.sequence = self.sequence.wrapping_add(1);
            self.output.extend_from_slice(now);
            if now.len() < MAX_PAYLOAD {
                break;
            }
            rest = later;
        }
        if self.output.len() >= FLUSH {
            self.flush().await?;
        }
        Ok(())
    }

    /// Sends what was written. Where this is dropped, the next call goes on at the same byte.
    ///
    /// # Errors
    /// The peer went away, or takes nothing.
    pub async fn flush(&mut self) -> Result<(), PacketError> {
        loop {
            while self.sent < self.leaving.len() {
                // A peer that takes nothing of its answer holds a connection and memory.
                let written = self.stream.write(&self.leaving[self.sent..]);
                let limit = self.limits.write;
                let count = timeout(limit, written).await.map_err(|_| PacketError::NotTaken(limit))??;
                if count == 0 {
                    return Err(PacketError::Io(io::ErrorKind::WriteZero.into()));
                }
                self.sent += count;
            }
            self.leaving.clear();
            self.sent = 0;
            if self.output.is_empty() {
                return Ok(self.stream.flush().await?);
            }
            match &mut self.compression {
                None => std::mem::swap(&mut self.output, &mut self.leaving),
                Some(compression) => {
                    self.taken += compression.put(&self.output[self.taken..], &mut self.leaving)?;
                    if self.taken == self.output.len() {
                        self.output.clear();
                        self.taken = 0;
                    }
                }
            }
        }
    }

    /// Says goodbye and takes what the peer still sends: a socket that is closed with input unread
    /// is reset, and the reset would overtake the last packet.
    ///
    /// # Errors
    /// The peer went away.
    pub async fn linger(&mut self) -> Result<(), PacketError> {
        self.flush().await?;
        self.stream.shutdown().await?;
        (self.input, self.consumed) = (Vec::new(), 0);
        let mut rest = vec![0; AHEAD];
        while self.stream.read(&mut rest).await? > 0 {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits =
        Limits { read: ReadLimit::Payload(Duration::from_secs(30)), write: Duration::from_secs(60) };

    fn packets(stream: tokio::io::DuplexStream) -> Packets {
        Packets::new(Box::new(stream), 0, LIMITS)
    }

    #[tokio::test]
    async fn ok_payloads_around_16_mib_go_both_ways() {
        for length in [0, 1, MAX_PAYLOAD - 1, MAX_PAYLOAD, MAX_PAYLOAD + 1] {
            let (a, b) = tokio::io::duplex(1 << 16);
            let (mut sender, mut receiver) = (packets(a), packets(b));
            let send = async {
                sender.write(&vec![7; length]).await.unwrap();
                sender.flush().await.unwrap();
            };
            let (received, ()) = tokio::join!(receiver.read(MAX_PAYLOAD * 2), send);
            assert_eq!(received.unwrap().len(), length);
        }
    }

    #[tokio::test]
    async fn ok_what_came_with_the_request_for_tls_goes_to_tls() {
        let (mut a, b) = tokio::io::duplex(64);
        a.write_all(&[1, 0, 0, 0, 7, 0x16, 3, 1]).await.unwrap();
        let mut receiver = packets(b);
        assert_eq!(receiver.read(MAX_PAYLOAD).await.unwrap(), [7]);
        let (mut stream, sequence) = receiver.into_stream();
        a.write_all(&[2]).await.unwrap();
        let mut record = [0; 4];
        stream.read_exact(&mut record).await.unwrap();
        assert_eq!((record, sequence), ([0x16, 3, 1, 2], 1));
    }

    #[tokio::test]
    async fn ok_packed_commands_that_come_together_are_answered_with_their_own_numbers() {
        for algorithm in [Algorithm::Zlib, Algorithm::Zstd(3)] {
            let (mut a, b) = tokio::io::duplex(1 << 16);
            let mut receiver = packets(b);
            receiver.compress(algorithm);
            // A command in two packed packets, numbers 0 and 1, and another one in one packet,
            // number 0.
            a.write_all(b"\x06\0\0\0\0\0\0\x03\0\0\0\x03a\x01\0\0\x01\0\0\0b").await.unwrap();
            let mut next = Vec::new();
            let other = [b"\xc8\0\0\0".as_slice(), &[7; 200]].concat();
            Compression::new(algorithm).put(&other, &mut next).unwrap();
            a.write_all(&next).await.unwrap();
            for (command, number) in [(b"\x03ab".as_slice(), 2), (&[7; 200], 1)] {
                receiver.new_command();
                assert_eq!(receiver.read(MAX_PAYLOAD).await.unwrap(), command);
                // Reading ahead takes nothing from the order.
                tokio::select! {
                    biased;
                    () = receiver.closed() => panic!("nobody went away"),
                    () = tokio::task::yield_now() => {}
                }
                receiver.write(&[0]).await.unwrap();
                receiver.flush().await.unwrap();
                let mut answer = [0; 12];
                a.read_exact(&mut answer).await.unwrap();
                assert_eq!(answer, [5, 0, 0, number, 0, 0, 0, 1, 0, 0, 1, 0]);
            }
        }
    }

    #[tokio::test]
    async fn err_too_large_is_refused_before_it_is_read() {
        let (mut a, b) = tokio::io::duplex(64);
        a.write_all(&[0xff, 0xff, 0xfe, 0]).await.unwrap();
        let read = packets(b).read(65_536).await;
        assert!(matches!(read, Err(PacketError::TooLarge(65_536))));
    }

    async fn received(bytes: &[u8], limits: Limits) -> Result<Vec<u8>, PacketError> {
        let (mut far, near) = tokio::io::duplex(bytes.len().max(1));
        far.write_all(bytes).await.unwrap();
        drop(far);
        Packets::new(Box::new(near), 0, limits).read_ahead(AHEAD).read(1 << 26).await
    }

    #[tokio::test]
    async fn ok_bytes_of_packets() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut sender = packets(near);
        sender.write(b"ab").await.unwrap();
        sender.flush().await.unwrap();
        drop(sender);
        let mut bytes = Vec::new();
        far.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes, b"\x02\0\0\0ab");
    }

    #[tokio::test(start_paused = true)]
    async fn err_a_peer_that_says_nothing() {
        let silence = Limits { read: ReadLimit::Silence(Duration::from_secs(15)), ..LIMITS };
        for (limits, sent, seconds) in
            [(silence, &b""[..], 15), (silence, b"\x09\0\0\0half", 15), (LIMITS, b"\x09\0\0\0half", 30)]
        {
            let (near, mut far) = tokio::io::duplex(64);
            far.write_all(sent).await.unwrap();
            let error = Packets::new(Box::new(near), 0, limits).read(64).await.unwrap_err();
            assert_eq!(error.to_string(), format!("nothing came for {seconds} s"));
        }
    }

    #[tokio::test]
    async fn err_a_packet_cut_short_or_out_of_order() {
        for (bytes, part) in [
            (&b"\x02\0\0\0a"[..], "was closed"),
            (b"\x02\0", "was closed"),
            (b"\x01\0\0\x05a", "packet number 5 where 0"),
        ] {
            let error = received(bytes, LIMITS).await.unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[tokio::test]
    async fn ok_packets_that_came_together() {
        let (mut far, near) = tokio::io::duplex(64);
        far.write_all(b"\x01\0\0\0a\x02\0\0\x01bc\x02\0\0\x02d").await.unwrap();
        let mut receiver = Packets::new(Box::new(near), 0, LIMITS).read_ahead(AHEAD);
        assert!(!receiver.has_unread());
        assert_eq!(receiver.read(9).await.unwrap(), b"a");
        assert!(receiver.has_packet());
        assert_eq!(receiver.read(9).await.unwrap(), b"bc");
        assert!(receiver.has_unread() && !receiver.has_packet());
    }
}
