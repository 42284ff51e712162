//! Lines of a body, as they come.

use super::errors;
use crate::failure::Failure;
use reqwest::Response;

/// One line can hold the largest row that MySQL can send, in hexadecimal digits.
const LONGEST: usize = 3 << 30;
/// The header holds a table definition: 4096 columns, some of them with thousands of ENUM labels,
/// are shorter than this.
const LONGEST_HEADER: usize = 16 << 20;

/// The body of an answer, cut at its line ends.
#[derive(Debug)]
pub(super) struct Lines {
    base_url: String,
    response: Response,
    framed: bool,
    buffer: Vec<u8>,
    /// Where the next line begins in the buffer.
    from: usize,
    /// Up to where it is known to hold no line end: a long line is not searched again with every
    /// piece of it.
    searched: usize,
}

impl Lines {
    /// `framed`: HTTP says where the body ends, so that one cut short is an error of
    /// [`Lines::more`].
    pub(super) fn new(base_url: &str, response: Response, framed: bool) -> Self {
        Self { base_url: base_url.to_owned(), response, framed, buffer: Vec::new(), from: 0, searched: 0 }
    }

    /// What it means that the body has ended, and `lacks` was still to come.
    pub(super) fn ended(&self, lacks: &str) -> Failure {
        if self.framed {
            Failure::AgentNonsense(format!(
                "the agent's answer is complete by HTTP, and {lacks} is missing: ask whoever runs the agent at {}",
                self.base_url
            ))
        } else {
            errors::cut(&self.base_url)
        }
    }

    /// A whole line that is in the buffer already.
    pub(super) fn ready(&mut self) -> Option<&[u8]> {
        let begin = self.searched.max(self.from);
        let Some(length) = self.buffer[begin..].iter().position(|b| *b == b'\n') else {
            self.searched = self.buffer.len();
            return None;
        };
        let end = begin + length;
        let start = std::mem::replace(&mut self.from, end + 1);
        self.searched = self.from;
        Some(&self.buffer[start..end])
    }

    /// Makes the line that was given last the next one again.
    pub(super) fn put_back(&mut self, line: &[u8]) {
        self.from = self.from.saturating_sub(line.len() + 1);
        self.searched = self.from;
    }

    /// Waits for more of the body; false: it has ended.
    pub(super) async fn more(&mut self) -> Result<bool, Failure> {
        self.buffer.drain(..self.from);
        self.searched = self.searched.saturating_sub(self.from);
        self.from = 0;
        if self.buffer.len() > LONGEST {
            return Err(Failure::AgentNonsense("a line of the agent's answer is too long".to_owned()));
        }
        match self.response.chunk().await {
            Ok(Some(chunk)) => {
                // A short answer is one chunk: its memory is taken over, not copied.
                if self.buffer.is_empty() {
                    self.buffer = chunk.into();
                } else {
                    self.buffer.extend_from_slice(&chunk);
                }
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(e) => Err(errors::unreachable(&self.base_url, &e)),
        }
    }

    /// The first line. An answer that is none (a proxy's page without line ends, say) is given up
    /// before it fills the memory.
    pub(super) async fn header(&mut self) -> Result<Vec<u8>, Failure> {
        loop {
            if let Some(line) = self.ready() {
                return Ok(line.to_vec());
            }
            if self.buffer.len() > LONGEST_HEADER {
                return Err(Failure::AgentNonsense(
                    "the first line of the agent's answer is too long".to_owned(),
                ));
            }
            if !self.more().await? {
                // A refusal is one JSON object, with or without a line end: its own end shows that
                // it is whole.
                let rest = std::mem::take(&mut self.buffer);
                return if errors::refusal(&rest).is_some() || (self.framed && !rest.is_empty()) {
                    Ok(rest)
                } else {
                    Err(self.ended("its first line"))
                };
            }
        }
    }

    /// What follows the first line, where that line and the rest may be a refusal that is written
    /// over several lines.
    pub(super) async fn rest(&mut self) -> Result<&[u8], Failure> {
        while self.buffer.len() - self.from < errors::LONGEST_REFUSAL && self.more().await? {}
        Ok(&self.buffer[self.from..])
    }

    /// Whether anything but white space is left, now that the answer is over.
    pub(super) async fn leftover(&mut self) -> Result<bool, Failure> {
        loop {
            if self.buffer[self.from..].iter().any(|b| !b.is_ascii_whitespace()) {
                return Ok(true);
            }
            self.from = self.buffer.len();
            self.searched = self.from;
            if !self.more().await? {
                return Ok(false);
            }
        }
    }
}
