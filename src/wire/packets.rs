//! Packets over a byte stream ("MySQL Packets"): lengths, sequence numbers, payloads of 16 MiB and more.

use super::compress::{Algorithm, Compression};
use crate::failure::Failure;
use crate::session::Network;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

/// The longest payload of one packet; a payload of this length goes on in the next.
pub(super) const FULL: usize = 0xff_ffff;
/// Bytes written before they are sent.
const FLUSH: usize = 32 * 1024;
/// A client that sends a packet may take a second more for each of so many bytes, however it spreads them.
const SLOWEST: usize = 64 * 1024;
/// What is read ahead while a statement runs.
const AHEAD: usize = 64 * 1024;

/// A socket, with or without TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Why nothing more can be read.
#[derive(Debug)]
pub(super) enum Gone {
    /// The peer closed the connection, or it broke.
    Closed,
    /// What came cannot be answered but by a failure and the end.
    Refused(Failure),
}

impl From<io::Error> for Gone {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

/// The packets of one connection.
pub(super) struct Packets {
    stream: Box<dyn Stream>,
    input: Vec<u8>,
    output: Vec<u8>,
    /// How much of the output was packed already.
    taken: usize,
    /// What is on its way to the socket, and how much of it was sent already.
    leaving: Vec<u8>,
    sent: usize,
    sequence: u8,
    /// Once the login is over, for a client that asked for it; and what came and was not unpacked yet.
    compression: Option<Compression>,
    packed: Vec<u8>,
    network: Network,
}

impl Packets {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self::go_on(stream, 0)
    }

    /// The stream itself, for TLS. A client may send its SSLRequest and its first TLS record without a pause: what was read ahead
    /// goes to TLS, never to a command.
    pub(super) fn into_stream(self) -> (Box<dyn Stream>, u8) {
        let ahead = std::io::Cursor::new(self.input);
        let (read, write) = tokio::io::split(self.stream);
        (Box::new(tokio::io::join(ahead.chain(read), write)), self.sequence)
    }

    pub(super) fn go_on(stream: Box<dyn Stream>, sequence: u8) -> Self {
        Self {
            stream,
            input: Vec::new(),
            output: Vec::new(),
            taken: 0,
            leaving: Vec::new(),
            sent: 0,
            sequence,
            compression: None,
            packed: Vec::new(),
            network: Network::default(),
        }
    }

    /// How long the peer may stop in the middle of a packet from here on.
    pub(super) fn wait_for(&mut self, network: Network) {
        self.network = network;
    }

    /// From here on everything is packed, in both directions. What was read ahead already was sent packed.
    pub(super) fn compress(&mut self, algorithm: Algorithm) {
        self.compression = Some(Compression::new(algorithm));
        self.packed = std::mem::take(&mut self.input);
    }

    /// A command begins: its first packet has number 0.
    pub(super) fn new_command(&mut self) {
        self.sequence = 0;
    }

    /// Reads one payload of at most `largest` bytes, of one or more packets.
    pub(super) async fn read(&mut self, largest: usize) -> Result<Vec<u8>, Gone> {
        let mut payload = Vec::new();
        // A peer that has sent nothing is idle, which is another limit.
        if self.input.is_empty() && self.packed.is_empty() {
            self.fill().await?;
        }
        let begun = Instant::now();
        loop {
            while self.input.len() < 4 {
                self.more_in_time(begun, payload.len(), largest).await?;
            }
            let length = usize::from(self.input[0])
                | usize::from(self.input[1]) << 8
                | usize::from(self.input[2]) << 16;
            // Whatever is answered carries the number after this one, or the client would not read it.
            let number = std::mem::replace(&mut self.sequence, self.input[3].wrapping_add(1));
            if self.input[3] != number {
                return Err(Gone::Refused(Failure::MalformedPacket("packets out of order".to_owned())));
            }
            if payload.len() + length > largest {
                return Err(Gone::Refused(Failure::PacketTooLarge));
            }
            while self.input.len() < 4 + length {
                self.more_in_time(begun, payload.len(), largest).await?;
            }
            payload.extend_from_slice(&self.input[4..4 + length]);
            self.input.drain(..4 + length);
            if length < FULL {
                return Ok(payload);
            }
        }
    }

    /// Adds to the input of a payload that began at `begun`, of which so many bytes were taken out of the input already: whoever
    /// sends it a byte at a time would otherwise hold its memory for ever.
    async fn more_in_time(&mut self, begun: Instant, taken: usize, largest: usize) -> Result<(), Gone> {
        let seconds = (taken + self.input.len().max(self.packed.len())) / SLOWEST;
        let allowance = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        let end = begun + self.network.read + allowance;
        timeout_at(end, self.more(largest)).await.unwrap_or(Err(Gone::Refused(Failure::Stalled)))
    }

    /// Adds to the input. A packed packet is unpacked only when it is its turn: its number is the one that the answer goes on from.
    async fn more(&mut self, largest: usize) -> Result<(), Gone> {
        let Some(compression) = &mut self.compression else { return self.fill().await };
        // A packed packet may hold the end of a command and the next one.
        let largest = largest.saturating_add(AHEAD);
        if compression.take(&mut self.packed, &mut self.input, largest).map_err(Gone::Refused)? {
            return Ok(());
        }
        self.fill().await
    }

    /// Reads what has come. Memory grows with the bytes that are there, never with a length that was announced.
    async fn fill(&mut self) -> Result<(), Gone> {
        let input = if self.compression.is_some() { &mut self.packed } else { &mut self.input };
        if self.stream.read_buf(input).await? == 0 {
            return Err(Gone::Closed);
        }
        Ok(())
    }

    /// Ends when the peer goes away. What it sends meanwhile (a pipelined command) is kept, up to a bound.
    pub(super) async fn closed(&mut self) {
        loop {
            if self.input.len().max(self.packed.len()) >= AHEAD {
                return std::future::pending().await;
            }
            if self.fill().await.is_err() {
                return;
            }
        }
    }

    /// Writes a payload; one of k * 16,777,215 bytes is followed by an empty packet. Where this is dropped, the payload is in the
    /// output whole: another one can follow it.
    pub(super) async fn write(&mut self, payload: &[u8]) -> io::Result<()> {
        let mut rest = payload;
        loop {
            let (now, later) = rest.split_at(rest.len().min(FULL));
            let length = u32::try_from(now.len()).unwrap_or(0).to_le_bytes();
            self.output.extend_from_slice(&length[..3]);
            self.output.push(self.sequence);
            self.sequence = self.sequence.wrapping_add(1);
            self.output.extend_from_slice(now);
            if now.len() < FULL {
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
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        loop {
            while self.sent < self.leaving.len() {
                // A peer that takes nothing of its answer holds a place and memory.
                let written = self.stream.write(&self.leaving[self.sent..]);
                let count = timeout(self.network.write, written).await??;
                if count == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                self.sent += count;
            }
            self.leaving.clear();
            self.sent = 0;
            if self.output.is_empty() {
                return self.stream.flush().await;
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

    /// Says goodbye and takes what the peer still sends: a socket that is closed with input unread is reset, and the reset would
    /// overtake the last packet.
    pub(super) async fn linger(&mut self) -> io::Result<()> {
        self.flush().await?;
        self.stream.shutdown().await?;
        self.input = Vec::new();
        let mut rest = vec![0; AHEAD];
        while self.stream.read(&mut rest).await? > 0 {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ok_payloads_around_16_mib_go_both_ways() {
        for length in [0, 1, FULL - 1, FULL, FULL + 1] {
            let (a, b) = tokio::io::duplex(1 << 16);
            let (mut sender, mut receiver) = (Packets::new(Box::new(a)), Packets::new(Box::new(b)));
            let send = async {
                sender.write(&vec![7; length]).await.unwrap();
                sender.flush().await.unwrap();
            };
            let (received, ()) = tokio::join!(receiver.read(FULL * 2), send);
            assert_eq!(received.unwrap().len(), length);
        }
    }

    #[tokio::test]
    async fn ok_what_came_with_the_request_for_tls_goes_to_tls() {
        let (mut a, b) = tokio::io::duplex(64);
        a.write_all(&[1, 0, 0, 0, 7, 0x16, 3, 1]).await.unwrap();
        let mut packets = Packets::new(Box::new(b));
        assert_eq!(packets.read(FULL).await.unwrap(), [7]);
        let (mut stream, sequence) = packets.into_stream();
        a.write_all(&[2]).await.unwrap();
        let mut record = [0; 4];
        stream.read_exact(&mut record).await.unwrap();
        assert_eq!((record, sequence), ([0x16, 3, 1, 2], 1));
    }

    #[tokio::test]
    async fn ok_packed_commands_that_come_together_are_answered_with_their_own_numbers() {
        for algorithm in [Algorithm::Zlib, Algorithm::Zstd(3)] {
            let (mut a, b) = tokio::io::duplex(1 << 16);
            let mut packets = Packets::new(Box::new(b));
            packets.compress(algorithm);
            // A command in two packed packets, numbers 0 and 1, and another one in one packet, number 0.
            a.write_all(b"\x06\0\0\0\0\0\0\x03\0\0\0\x03a\x01\0\0\x01\0\0\0b").await.unwrap();
            let mut next = Vec::new();
            let other = [b"\xc8\0\0\0".as_slice(), &[7; 200]].concat();
            Compression::new(algorithm).put(&other, &mut next).unwrap();
            a.write_all(&next).await.unwrap();
            for (command, number) in [(b"\x03ab".as_slice(), 2), (&[7; 200], 1)] {
                packets.new_command();
                assert_eq!(packets.read(FULL).await.unwrap(), command);
                // Reading ahead takes nothing from the order.
                tokio::select! {
                    biased;
                    () = packets.closed() => panic!("nobody went away"),
                    () = tokio::task::yield_now() => {}
                }
                packets.write(&[0]).await.unwrap();
                packets.flush().await.unwrap();
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
        let read = Packets::new(Box::new(b)).read(65_536).await;
        assert!(matches!(read, Err(Gone::Refused(Failure::PacketTooLarge))));
    }
}
