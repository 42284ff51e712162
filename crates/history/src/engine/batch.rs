//! What is written as one.

use super::Table;

/// Bytes that an empty batch keeps for the next one, of what a large transaction needed.
const KEPT: usize = 4 << 20;

/// What is to be written as one. Later operations on a key win over earlier ones.
#[derive(Debug, Default)]
pub struct Batch {
    /// Keys and values, one after the other: a batch has thousands, and each of them in a block of
    /// memory of its own would cost more than writing it.
    bytes: Vec<u8>,
    operations: Vec<Operation>,
}

/// A key in a batch, and where it ends; its value after it.
#[derive(Clone, Copy, Debug)]
struct Operation {
    table: Table,
    key: usize,
    value: usize,
    end: usize,
    removes: bool,
}

impl Batch {
    /// Sets a key.
    pub fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        self.write(table, |out| out.extend_from_slice(key), |out| out.extend_from_slice(value));
    }

    /// The same of a key and a value that are written where they are kept.
    pub fn write(&mut self, table: Table, key: impl FnOnce(&mut Vec<u8>), value: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        key(&mut self.bytes);
        let middle = self.bytes.len();
        value(&mut self.bytes);
        let end = self.bytes.len();
        self.operations.push(Operation { table, key: start, value: middle, end, removes: false });
    }

    /// Removes a key.
    pub fn remove(&mut self, table: Table, key: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        let end = self.bytes.len();
        self.operations.push(Operation { table, key: start, value: end, end, removes: true });
    }

    /// How many operations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Bytes of keys and values.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Bytes of keys and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Everything of another batch after this one's.
    pub fn append(&mut self, other: &Self) {
        let by = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.operations.extend(other.operations.iter().map(|o| Operation {
            key: o.key + by,
            value: o.value + by,
            end: o.end + by,
            ..*o
        }));
    }

    /// Takes everything out; some of the memory stays, for what comes next.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
        self.operations.clear();
        self.operations.shrink_to(KEPT / size_of::<Operation>());
    }

    /// Table, key and value of each operation, in order; no value: the key is removed.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (Table, &[u8], Option<&[u8]>)> {
        self.operations.iter().map(|o| {
            let value = (!o.removes).then(|| &self.bytes[o.value..o.end]);
            (o.table, &self.bytes[o.key..o.value], value)
        })
    }
}
