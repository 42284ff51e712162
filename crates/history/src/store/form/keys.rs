//! The keys of versions and of rows of the baseline.

use super::damaged;
use crate::engine::StoreError;
use crate::store::{ChangeSequence, GenerationId};

/// Bytes of a generation.
pub(in crate::store) const GENERATION: usize = 4;
/// Bytes of a position in the log: enough for 2.8e14 changes. Short keys are beside each other in
/// memory, and are compared there.
pub(in crate::store) const SEQUENCE: usize = 6;

impl ChangeSequence {
    /// The last one that a record has room for.
    pub const LAST: Self = Self((1 << (8 * SEQUENCE)) - 2);

    /// In the order of the numbers; what follows the last one is the end.
    pub(in crate::store) fn bytes(self) -> [u8; SEQUENCE] {
        let [_, _, bytes @ ..] = self.0.min(Self::LAST.0 + 1).to_be_bytes();
        bytes
    }
}

/// The key of a row, as the baseline has it; a version's begins with it.
#[must_use]
pub fn row_key(generation: GenerationId, key: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(GENERATION + key.len() + SEQUENCE + 1);
    bytes.extend(generation.0.to_be_bytes());
    bytes.extend_from_slice(key);
    bytes
}

pub(crate) fn version_key(generation: GenerationId, key: &[u8], sequence: ChangeSequence) -> Vec<u8> {
    let mut bytes = row_key(generation, key);
    bytes.extend(sequence.bytes());
    bytes
}

/// The key of a version without its position: the row of which it is a version, as the baseline has
/// it too.
///
/// # Errors
/// It is none.
pub fn row_of(key: &[u8]) -> Result<&[u8], StoreError> {
    let end = key.len().checked_sub(SEQUENCE).filter(|end| *end >= GENERATION);
    end.map(|end| &key[..end]).ok_or_else(|| damaged("a version has a key that is too short"))
}

/// The generation that a key of either table belongs to.
#[must_use]
pub fn generation_of(key: &[u8]) -> Option<GenerationId> {
    Some(GenerationId(u32::from_be_bytes(*key.first_chunk()?)))
}

/// The position of a version, of its key.
#[must_use]
pub fn sequence_of(key: &[u8]) -> Option<ChangeSequence> {
    let bytes: &[u8; SEQUENCE] = key.last_chunk()?;
    Some(ChangeSequence(bytes.iter().fold(0, |number, b| number << 8 | u64::from(*b))))
}
