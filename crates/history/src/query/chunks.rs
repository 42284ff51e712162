//! Answers that are made chunk by chunk, as they are taken.

use super::Refusal;

/// What makes the lines of an answer, one chunk after the other.
pub trait Fill {
    /// Adds the lines of the next chunk; none where looking for them took long enough. False: the
    /// answer is at its end, and its trailer written.
    ///
    /// # Errors
    /// Why it does not go on.
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal>;
}

/// The chunks of an answer: its first line, what `A` makes, and nothing after an error.
#[derive(Debug)]
pub struct Chunks<A> {
    head: Option<Vec<u8>>,
    answer: Option<A>,
}

impl<A> Chunks<A> {
    /// An answer after its first line.
    pub(super) fn new(head: Vec<u8>, answer: A) -> Self {
        Self { head: Some(head), answer: Some(answer) }
    }

    /// The same with its first line, and what makes the others, changed.
    pub(super) fn with(self, head: impl FnOnce(Vec<u8>) -> Vec<u8>, answer: impl FnOnce(A) -> A) -> Self {
        Self { head: self.head.map(head), answer: self.answer.map(answer) }
    }
}

impl<A: Fill> Iterator for Chunks<A> {
    type Item = Result<Vec<u8>, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        let answer = self.answer.as_mut()?;
        let mut out = Vec::new();
        let more = answer.fill(&mut out);
        if !matches!(more, Ok(true)) {
            self.answer = None;
        }
        // The first line comes with the first others: a refusal before them is one of the whole.
        if let Ok(true) = more
            && out.is_empty()
        {
            return Some(Ok(out));
        }
        Some(more.map(|_| match self.head.take() {
            Some(mut head) => {
                head.append(&mut out);
                head
            }
            None => out,
        }))
    }
}
