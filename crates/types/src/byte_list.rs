//! Byte strings, one behind the other in one block of memory.

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByteList {
    bytes: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl ByteList {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of all of them together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Appends one whose bytes `write` appends; after an error there is none.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn push<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let written = write(&mut self.bytes);
        match written {
            Ok(()) => self.ends.push(self.bytes.len()),
            Err(_) => self.bytes.truncate(self.ends.last().copied().unwrap_or_default()),
        }
        written
    }

    /// Appends one.
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len());
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| &self.bytes[std::mem::replace(&mut start, *end)..*end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_appended_comes_back() {
        let mut list = ByteList::default();
        list.push_bytes(b"one");
        list.push_bytes(b"");
        let failed = list.push(|out| {
            out.extend_from_slice(b"half");
            Err("no")
        });
        assert_eq!(failed, Err("no"));
        let written: Result<(), &str> = list.push(|out| {
            out.extend_from_slice(b"three");
            Ok(())
        });
        assert_eq!(written, Ok(()));
        assert_eq!(list.iter().collect::<Vec<_>>(), [&b"one"[..], b"", b"three"]);
        assert_eq!((list.len(), list.bytes(), list.is_empty()), (3, 8, false));
    }
}
