//! The two forms in which rows and changes are answered: lines of JSON, and frames, which have the
//! same content (`dbtrail_types::agent_api::frames`).

use super::{Refusal, lines};
use crate::image::{Content, Image};
use crate::schema::{Catalog, DefinitionId};
use dbtrail_types::agent_api::frames::{FRAMES, FrameKind, put_cell, put_frame};
use dbtrail_types::agent_api::{ApiNote, End, NDJSON, Trailer};
use serde::Serialize;

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A line of JSON each.
    #[default]
    Lines,
    /// Bytes with their length in front.
    Frames,
}

impl Form {
    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Lines => NDJSON,
            Self::Frames => FRAMES,
        }
    }

    /// A line of JSON with its end, in this form.
    #[must_use]
    pub fn of_line(self, line: Vec<u8>) -> Vec<u8> {
        if self == Self::Lines || line.is_empty() {
            return line;
        }
        let mut out = Vec::with_capacity(line.len() + 8);
        put_frame(&mut out, FrameKind::Line, |out| out.extend_from_slice(line.trim_ascii_end()));
        out
    }

    /// Writes a value that is JSON in both forms.
    pub(super) fn json<T: Serialize + ?Sized>(self, value: &T, out: &mut Vec<u8>) -> Result<(), Refusal> {
        match self {
            Self::Lines => {
                lines::json(value, out)?;
                out.push(b'\n');
                Ok(())
            }
            Self::Frames => put_frame(out, FrameKind::Line, |out| lines::json(value, out)),
        }
    }

    /// The end of an answer.
    pub(super) fn trailer(self, rows: u64, notes: &[ApiNote], out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.json(&Trailer { end: End { rows, notes: notes.to_vec() } }, out)
    }

    /// A packed row, as it was recorded.
    pub(super) fn image(self, catalog: &Catalog, id: DefinitionId, image: &Image, out: &mut Vec<u8>) {
        match self {
            Self::Lines => {
                lines::image(catalog, id, image, out);
                out.push(b'\n');
            }
            Self::Frames => put_frame(out, FrameKind::Row, |out| put_image(catalog, id, image, out)),
        }
    }

    /// A row; `Err`: why a cell is not known.
    pub(super) fn row(
        self,
        cells: impl Iterator<Item = Result<Option<impl AsRef<[u8]>>, impl ToString>>,
        out: &mut Vec<u8>,
    ) {
        match self {
            Self::Lines => {
                lines::row(cells, out);
                out.push(b'\n');
            }
            Self::Frames => put_frame(out, FrameKind::Row, |out| {
                for cell in cells {
                    match cell {
                        Ok(cell) => put_cell(out, Ok(cell.as_ref().map(AsRef::as_ref))),
                        Err(why) => put_cell(out, Err(&why.to_string())),
                    }
                }
            }),
        }
    }
}

/// The cells of a packed row as those of a frame.
pub(super) fn put_image(catalog: &Catalog, id: DefinitionId, image: &Image, out: &mut Vec<u8>) {
    for (i, cell) in image.cells().enumerate() {
        match cell {
            Content::Null => put_cell(out, Ok(None)),
            Content::Bytes(bytes) => put_cell(out, Ok(Some(bytes))),
            Content::Unknown => match catalog.computed(id, i, image) {
                Ok(cell) => put_cell(out, Ok(cell.as_deref())),
                Err(why) => put_cell(out, Err(&why.to_string())),
            },
        }
    }
}
