//! What a connection holds of the memory that it shares with others.

use super::{AHEAD, PacketError, Packets};
use crate::compress::Compression;
use dbtrail_types::memory::Memory;
use std::sync::Arc;

impl Packets {
    /// What comes from here on is held in this memory, with others.
    pub fn share(&mut self, memory: Arc<Memory>) {
        self.share.of(memory);
    }

    /// Gives the memory of empty buffers back, for a peer that may now be idle for hours.
    pub fn release_memory(&mut self) {
        if !self.has_unread() {
            (self.input, self.consumed, self.packed) = (Vec::new(), 0, Vec::new());
        }
        for buffer in [&mut self.output, &mut self.leaving] {
            if buffer.is_empty() {
                *buffer = Vec::new();
            }
        }
        self.forget_payload();
    }

    /// The payload that was read last counts no more.
    pub(super) fn forget_payload(&mut self) {
        let bytes = self.input.capacity() + self.packed.capacity();
        self.share.hold(bytes);
    }

    /// A payload begins: the one before counts no more, and the buffers that it made long are given
    /// back.
    pub(super) fn release(&mut self) -> Result<(), PacketError> {
        for buffer in [&mut self.input, &mut self.packed] {
            if buffer.is_empty() && buffer.capacity() > AHEAD {
                *buffer = Vec::new();
            }
        }
        self.hold(0)
    }

    /// Counts what is held: so many bytes of the payload, which count until the next one begins,
    /// and what was read ahead.
    pub(super) fn hold(&mut self, payload: usize) -> Result<(), PacketError> {
        let bytes = payload + self.input.capacity() + self.packed.capacity();
        if self.share.hold(bytes) {
            return Ok(());
        }
        // The payload is given up: others need not wait until the peer has read why.
        self.share.hold(0);
        Err(PacketError::NoMemory(bytes))
    }

    /// Counts what the next packed packet comes to before it is unpacked.
    pub(super) fn hold_unpacked(&mut self, payload: usize, largest: usize) -> Result<(), PacketError> {
        let coming = Compression::unpacked(&self.packed).min(largest);
        if coming == 0 { Ok(()) } else { self.hold(payload.saturating_add(coming)) }
    }
}
