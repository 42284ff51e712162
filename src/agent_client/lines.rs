//! Lines of a body, as they come, in one of the two forms of the contract.

use super::errors;
use crate::failure::Failure;
use dbtrail_types::agent_api::frames::{self, FrameKind};
use reqwest::Response;

/// One line can hold the largest row that MySQL can send, in hexadecimal digits.
const LONGEST: usize = 3 << 30;
/// The header holds a table definition: 4096 columns, some of them with thousands of ENUM labels,
/// are shorter than this.
const LONGEST_HEADER: usize = 16 << 20;

/// A line in one of the two forms.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'a> {
    /// JSON.
    Line(&'a [u8]),
    /// A row as bytes.
    Row(&'a [u8]),
    /// An event as bytes.
    Event(&'a [u8]),
}

/// How lines are told from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// By line ends.
    Lines,
    /// Each has its length in front.
    Frames,
}

/// The body of an answer, cut into its lines.
#[derive(Debug)]
pub(super) struct Lines {
    base_url: String,
    response: Response,
    form: Form,
    framed: bool,
    buffer: Vec<u8>,
    /// Where the next line begins in the buffer.
    from: usize,
    /// Where the line begins that was given last.
    last: usize,
    /// Up to where it is known to hold no line end: a long line is not searched again with every
    /// piece of it.
    searched: usize,
}

impl Lines {
    /// `framed`: HTTP says where the body ends, so that one cut short is an error of
    /// [`Lines::more`].
    pub(super) fn new(base_url: &str, response: Response, form: Form, framed: bool) -> Self {
        let base_url = base_url.to_owned();
        Self { base_url, response, form, framed, buffer: Vec::new(), from: 0, last: 0, searched: 0 }
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
    pub(super) fn ready(&mut self) -> Result<Option<Piece<'_>>, Failure> {
        self.last = self.from;
        if self.form == Form::Frames {
            return self.frame();
        }
        let begin = self.searched.max(self.from);
        let Some(length) = self.buffer[begin..].iter().position(|b| *b == b'\n') else {
            self.searched = self.buffer.len();
            return Ok(None);
        };
        let end = begin + length;
        let start = std::mem::replace(&mut self.from, end + 1);
        self.searched = self.from;
        Ok(Some(Piece::Line(&self.buffer[start..end])))
    }

    fn frame(&mut self) -> Result<Option<Piece<'_>>, Failure> {
        let bytes = &self.buffer[self.from..];
        let Some(head) = frames::frame_head(bytes) else { return Ok(None) };
        let (kind, length) = head.map_err(|kind| {
            Failure::AgentNonsense(format!("the agent's answer has a frame of kind {kind}, which is none"))
        })?;
        let Some(content) = bytes.get(frames::HEAD..).and_then(|rest| rest.get(..length)) else {
            return Ok(None);
        };
        self.from += frames::HEAD + length;
        Ok(Some(match kind {
            FrameKind::Line => Piece::Line(content),
            FrameKind::Row => Piece::Row(content),
            FrameKind::Event => Piece::Event(content),
        }))
    }

    /// The same, of an answer that has no rows as bytes.
    pub(super) fn line(&mut self) -> Result<Option<&[u8]>, Failure> {
        match self.ready()? {
            None => Ok(None),
            Some(Piece::Line(line)) => Ok(Some(line)),
            Some(Piece::Row(_) | Piece::Event(_)) => Err(misplaced()),
        }
    }

    /// Makes the line that was given last the next one again.
    pub(super) fn put_back(&mut self) {
        self.from = self.last;
        self.searched = self.from;
    }

    /// Waits for more of the body; false: it has ended.
    pub(super) async fn more(&mut self) -> Result<bool, Failure> {
        self.buffer.drain(..self.from);
        self.searched = self.searched.saturating_sub(self.from);
        (self.from, self.last) = (0, 0);
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
            if let Some(line) = self.line()? {
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
            let blank = |b: &u8| self.form == Form::Lines && b.is_ascii_whitespace();
            if !self.buffer[self.from..].iter().all(blank) {
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

/// Rows where there are none, or of the other kind.
pub(super) fn misplaced() -> Failure {
    Failure::AgentNonsense("the agent sent rows as bytes where none belong".to_owned())
}
