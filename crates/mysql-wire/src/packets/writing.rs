//! Packets to the other side.

use super::{AHEAD, MAX_PAYLOAD, PacketError, Packets};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// Bytes written before they are sent.
const FLUSH: usize = 32 * 1024;

impl Packets {
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
