//! Packets: three bytes of length, one that counts them (manual: "Protocol Packets").

use super::ClientError;
use std::fmt;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::timeout;

/// The longest payload of one packet; a longer one goes on in the next.
const FULL: usize = 0x00ff_ffff;
/// No server sends more in one piece (max_allowed_packet is at most 1 GiB; an event may be a little longer).
const LARGEST: usize = (1 << 30) + (1 << 24);
/// How long a server may say nothing, unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes read ahead.
const AHEAD: usize = 1 << 16;

/// A TCP connection, encrypted or not.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Wire for T {}

/// A stream of packets.
pub(super) struct Packets {
    wire: BufReader<Box<dyn Wire>>,
    sequence: u8,
    /// How long the other side may say nothing.
    patience: Duration,
}

impl fmt::Debug for Packets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packets").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

impl Packets {
    pub(super) fn new(wire: Box<dyn Wire>) -> Self {
        Self { wire: BufReader::with_capacity(AHEAD, wire), sequence: 0, patience: PATIENCE }
    }

    /// How long the other side may say nothing from here on.
    pub(super) fn wait_at_most(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// The next packet begins a command.
    pub(super) fn begin(&mut self) {
        self.sequence = 0;
    }

    /// The wire underneath, for TLS; fails if the server has sent more than it should have by now, since that would be read as if it
    /// had come encrypted.
    pub(super) fn into_wire(self) -> Result<(Box<dyn Wire>, u8), ClientError> {
        if !self.wire.buffer().is_empty() {
            return Err(ClientError::Protocol("data before the TLS handshake".to_owned()));
        }
        Ok((self.wire.into_inner(), self.sequence))
    }

    pub(super) fn resume(wire: Box<dyn Wire>, sequence: u8) -> Self {
        Self { sequence, ..Self::new(wire) }
    }

    /// Fills the buffer. What is long may take long, as long as something comes.
    async fn fill(&mut self, buffer: &mut [u8]) -> Result<(), ClientError> {
        let mut at = 0;
        while at < buffer.len() {
            let seconds = self.patience.as_secs_f32();
            let late = |_| ClientError::Network(format!("nothing came from the server for {seconds} s"));
            let read = timeout(self.patience, self.wire.read(&mut buffer[at..])).await.map_err(late)?;
            match read.map_err(|e| ClientError::io(&e))? {
                0 => return Err(ClientError::Network("the server closed the connection".to_owned())),
                bytes => at += bytes,
            }
        }
        Ok(())
    }

    /// Whether a whole packet is here already.
    pub(super) fn has_packet(&self) -> bool {
        match self.wire.buffer() {
            [a, b, c, _, rest @ ..] => {
                let length = usize::from(*a) | usize::from(*b) << 8 | usize::from(*c) << 16;
                length < FULL && rest.len() >= length
            }
            _ => false,
        }
    }

    /// One payload, put together of its packets.
    pub(super) async fn read(&mut self) -> Result<Vec<u8>, ClientError> {
        let mut payload = Vec::new();
        loop {
            let mut head = [0; 4];
            self.fill(&mut head).await?;
            if head[3] != self.sequence {
                return Err(ClientError::Protocol(format!(
                    "packet number {} where {} was expected",
                    head[3], self.sequence
                )));
            }
            self.sequence = self.sequence.wrapping_add(1);
            let length = usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16;
            let at = payload.len();
            if at + length > LARGEST {
                return Err(ClientError::Protocol("a packet of more than 1 GiB".to_owned()));
            }
            payload.resize(at + length, 0);
            self.fill(&mut payload[at..]).await?;
            if length < FULL {
                return Ok(payload);
            }
        }
    }

    /// Sends one payload.
    pub(super) async fn write(&mut self, payload: &[u8]) -> Result<(), ClientError> {
        let mut rest = payload;
        loop {
            let (piece, behind) = rest.split_at(rest.len().min(FULL));
            rest = behind;
            let [a, b, c, ..] = piece.len().to_le_bytes();
            let mut packet = vec![a, b, c, self.sequence];
            packet.extend_from_slice(piece);
            self.sequence = self.sequence.wrapping_add(1);
            let late = |_| ClientError::Network("the server takes no more data".to_owned());
            let sent = async {
                self.wire.write_all(&packet).await?;
                self.wire.flush().await
            };
            timeout(self.patience, sent).await.map_err(late)?.map_err(|e| ClientError::io(&e))?;
            if piece.len() < FULL {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the server would have read, and a reader of it.
    async fn sent(payload: &[u8]) -> Vec<u8> {
        let (near, mut far) = tokio::io::duplex(1 << 26);
        let mut packets = Packets::new(Box::new(near));
        packets.write(payload).await.unwrap();
        drop(packets);
        let mut bytes = Vec::new();
        far.read_to_end(&mut bytes).await.unwrap();
        bytes
    }

    async fn received(bytes: Vec<u8>) -> Result<Vec<u8>, ClientError> {
        let (near, mut far) = tokio::io::duplex(bytes.len().max(1));
        far.write_all(&bytes).await.unwrap();
        drop(far);
        Packets::new(Box::new(near)).read().await
    }

    #[tokio::test]
    async fn ok_payloads_of_one_packet_and_of_several() {
        assert_eq!(sent(b"ab").await, b"\x02\0\0\0ab");
        for length in [0, 1, FULL - 1, FULL, FULL + 1, 2 * FULL] {
            let payload: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let bytes = sent(&payload).await;
            assert_eq!(bytes.len(), length + 4 * (length / FULL + 1));
            assert!(received(bytes).await.unwrap() == payload, "{length} bytes");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn err_a_server_that_says_nothing() {
        let (near, mut far) = tokio::io::duplex(64);
        far.write_all(b"\x09\0\0\0half").await.unwrap();
        let mut packets = Packets::new(Box::new(near));
        packets.wait_at_most(Duration::from_secs(15));
        let error = packets.read().await.unwrap_err().to_string();
        assert_eq!(error, "nothing came from the server for 15 s");
    }

    #[tokio::test]
    async fn err_a_packet_cut_short_or_out_of_order() {
        for (bytes, part) in [
            (&b"\x02\0\0\0a"[..], "closed the connection"),
            (b"\x02\0", "closed the connection"),
            (b"\x01\0\0\x05a", "packet number 5 where 0"),
        ] {
            let error = received(bytes.to_vec()).await.unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
