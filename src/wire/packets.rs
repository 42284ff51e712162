//! Packets over a byte stream ("MySQL Packets"): lengths, sequence numbers, payloads of 16 MiB and more.

use crate::failure::Failure;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest payload of one packet; a payload of this length goes on in the next.
pub(super) const FULL: usize = 0xff_ffff;
/// Bytes written before they are sent.
const FLUSH: usize = 32 * 1024;
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
    /// How much of the output was sent already.
    sent: usize,
    sequence: u8,
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
        Self { stream, input: Vec::new(), output: Vec::new(), sent: 0, sequence }
    }

    /// A command begins: its first packet has number 0.
    pub(super) fn new_command(&mut self) {
        self.sequence = 0;
    }

    /// Reads one payload of at most `largest` bytes, of one or more packets.
    pub(super) async fn read(&mut self, largest: usize) -> Result<Vec<u8>, Gone> {
        let mut payload = Vec::new();
        loop {
            while self.input.len() < 4 {
                self.fill().await?;
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
                self.fill().await?;
            }
            payload.extend_from_slice(&self.input[4..4 + length]);
            self.input.drain(..4 + length);
            if length < FULL {
                return Ok(payload);
            }
        }
    }

    /// Reads what has come. Memory grows with the bytes that are there, never with a length that was announced.
    async fn fill(&mut self) -> Result<(), Gone> {
        if self.stream.read_buf(&mut self.input).await? == 0 {
            return Err(Gone::Closed);
        }
        Ok(())
    }

    /// Ends when the peer goes away. What it sends meanwhile (a pipelined command) is kept, up to a bound.
    pub(super) async fn closed(&mut self) {
        loop {
            if self.input.len() >= AHEAD {
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
        if self.output.len() - self.sent >= FLUSH {
            self.flush().await?;
        }
        Ok(())
    }

    /// Sends what was written. Where this is dropped, the next call goes on at the same byte.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.output.len() {
            let count = self.stream.write(&self.output[self.sent..]).await?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.sent += count;
        }
        self.output.clear();
        self.sent = 0;
        self.stream.flush().await
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
    async fn err_too_large_is_refused_before_it_is_read() {
        let (mut a, b) = tokio::io::duplex(64);
        a.write_all(&[0xff, 0xff, 0xfe, 0]).await.unwrap();
        let read = Packets::new(Box::new(b)).read(65_536).await;
        assert!(matches!(read, Err(Gone::Refused(Failure::PacketTooLarge))));
    }
}
