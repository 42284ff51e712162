//! Memory that connections take for what clients send and for what their statements compute,
//! bounded for all who share it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that those who share it may hold together, perhaps within those that more of them share.
#[derive(Debug)]
pub struct Memory {
    most: AtomicUsize,
    held: AtomicUsize,
    around: Option<Arc<Self>>,
}

impl Memory {
    /// So many bytes for all.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: AtomicUsize::new(most), held: AtomicUsize::new(0), around: None })
    }

    /// So many bytes of those for some of them.
    #[must_use]
    pub fn within(around: &Arc<Self>, most: usize) -> Arc<Self> {
        let around = Some(Arc::clone(around));
        Arc::new(Self { most: AtomicUsize::new(most), held: AtomicUsize::new(0), around })
    }

    /// So many from now on; what is held already stays.
    pub fn limit(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// Bytes that are held now.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> bool {
        let most = self.most.load(Ordering::Relaxed);
        let more = |held: usize| held.checked_add(bytes).filter(|held| *held <= most);
        let taken = self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok();
        if taken && self.around.as_ref().is_some_and(|around| !around.take(bytes)) {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        taken
    }

    fn give(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(around) = &self.around {
            around.give(bytes);
        }
    }
}

/// Bytes that every connection has for itself: those of ordinary statements.
const FREE: usize = 128 * 1024;
/// What is taken at once.
const STEP: usize = 64 * 1024;

/// What one connection holds of it.
#[derive(Debug, Default)]
pub struct Share {
    memory: Option<Arc<Memory>>,
    bytes: usize,
}

impl Share {
    /// Of this memory from now on. What is held goes over to it when it is next counted.
    pub fn of(&mut self, memory: Arc<Memory>) {
        self.release();
        self.memory = Some(memory);
    }

    /// The connection has so many bytes now, or is about to; false: there are not as many.
    pub fn hold(&mut self, bytes: usize) -> bool {
        let Some(memory) = &self.memory else { return true };
        let wanted = if bytes <= FREE { 0 } else { bytes.div_ceil(STEP).saturating_mul(STEP) };
        if wanted > self.bytes && !memory.take(wanted - self.bytes) {
            return false;
        }
        if wanted < self.bytes {
            memory.give(self.bytes - wanted);
        }
        self.bytes = wanted;
        true
    }

    fn release(&mut self) {
        if let Some(memory) = &self.memory {
            memory.give(self.bytes);
        }
        self.bytes = 0;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_a_share_is_taken_and_given_back() {
        let all = Memory::new(1 << 20);
        let some = Memory::within(&all, 512 << 10);
        let (mut a, mut b, mut c) = (Share::default(), Share::default(), Share::default());
        a.of(Arc::clone(&some));
        b.of(Arc::clone(&some));
        c.of(Arc::clone(&all));
        // What is small is nobody's matter.
        assert!(a.hold(FREE) && all.held() == 0);
        assert!(a.hold(300 << 10) && some.held() == 320 << 10 && all.held() == 320 << 10);
        // The others of the same half are not served, the rest is.
        assert!(!b.hold(300 << 10) && some.held() == 320 << 10);
        assert!(c.hold(700 << 10) && !c.hold(800 << 10));
        assert!(!b.hold(192 << 10), "no more for all");
        assert!(a.hold(10) && b.hold(192 << 10));
        drop((b, c));
        assert_eq!((some.held(), all.held()), (0, 0));
        all.limit(0);
        assert!(!a.hold(FREE + 1));
        // Whoever has no memory to share is not bounded.
        assert!(Share::default().hold(usize::MAX));
    }
}
