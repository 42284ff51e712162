//! The lines of a streamed answer, written straight as bytes.

use super::{History, Refusal};
use crate::image::{Content, Image};
use crate::schema::{Catalog, DefinitionId};
use dbtrail_types::agent_api::{ApiNote, End, Octets, Trailer};
use dbtrail_types::column::TableDefinition;
use dbtrail_types::json_text::put_quoted;
use dbtrail_types::timestamp::{AsOf, Timestamp};
use serde::Serialize;
use std::borrow::Cow;

/// Bytes after which a chunk is handed out.
pub(super) const CHUNK: usize = 32 * 1024;

/// Cells of a row that is written as text.
pub(super) type Cells = Vec<Option<String>>;

pub(super) fn json<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), Refusal> {
    serde_json::to_writer(out, value)
        .map_err(|e| Refusal::internal(format!("an answer could not be written: {e}")))
}

#[derive(Serialize)]
struct HeaderLine<'a> {
    success: bool,
    #[serde(flatten)]
    definition: &'a TableDefinition,
}

/// The header line of an answer under a definition.
pub(super) fn header(history: &History, id: DefinitionId, at: Option<&AsOf>) -> Result<Vec<u8>, Refusal> {
    let head = history.catalog.memo(id, |definition| {
        let mut line = serde_json::to_vec(&HeaderLine { success: true, definition }).unwrap_or_default();
        // The closing brace comes after the instant.
        line.pop();
        line
    });
    let head = head.filter(|h| !h.is_empty());
    let head = head.ok_or_else(|| Refusal::internal("a definition could not be written".to_owned()))?;
    let mut out = Vec::with_capacity(head.len() + 512);
    out.extend_from_slice(head);
    if let Some(at) = at {
        out.extend_from_slice(b",\"at\":");
        json(at, &mut out)?;
    }
    out.extend_from_slice(b"}\n");
    Ok(out)
}

pub(super) fn trailer(rows: u64, notes: &[ApiNote], out: &mut Vec<u8>) -> Result<(), Refusal> {
    json(&Trailer { end: End { rows, notes: notes.to_vec() } }, out)?;
    out.push(b'\n');
    Ok(())
}

/// A packed row, as it was recorded, as an array of cells.
pub(super) fn image(catalog: &Catalog, id: DefinitionId, image: &Image, out: &mut Vec<u8>) {
    let known = |(i, cell)| match cell {
        Content::Null => Ok(None),
        Content::Bytes(bytes) => Ok(Some(Cow::Borrowed(bytes))),
        Content::Unknown => catalog.computed(id, i, image).map(|cell| cell.map(Cow::Owned)),
    };
    row(image.cells().enumerate().map(known), out);
}

/// A row as an array of cells; `Err`: why a cell is not known.
pub(super) fn row(
    cells: impl Iterator<Item = Result<Option<impl AsRef<[u8]>>, impl ToString>>,
    out: &mut Vec<u8>,
) {
    out.push(b'[');
    for (i, value) in cells.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        match value {
            Ok(value) => cell(value.as_ref().map(AsRef::as_ref), out),
            Err(why) => {
                out.extend_from_slice(b"{\"unknown\":");
                string(&why.to_string(), out);
                out.push(b'}');
            }
        }
    }
    out.push(b']');
}

/// An instant as a TIMESTAMP(6) cell travels: UTC.
pub(super) fn stamp(at: Timestamp) -> String {
    let text = at.to_string();
    let plain = text.trim_end_matches('Z').replace('T', " ");
    match plain.split_once('.') {
        Some((seconds, fraction)) => format!("{seconds}.{fraction:0<6}"),
        None => format!("{plain}.000000"),
    }
}

/// Text, `{"hex": "..."}` or null.
pub(super) fn cell(value: Option<&[u8]>, out: &mut Vec<u8>) {
    let Some(bytes) = value else {
        out.extend_from_slice(b"null");
        return;
    };
    if let Ok(text) = std::str::from_utf8(bytes) {
        return string(text, out);
    }
    out.extend_from_slice(b"{\"hex\":\"");
    let from = out.len();
    out.resize(from + 2 * bytes.len(), 0);
    // The room is right, the one thing that can be wrong.
    let _ = hex::encode_to_slice(bytes, &mut out[from..]);
    out.extend_from_slice(b"\"}");
}

/// A JSON string.
pub(super) fn string(text: &str, out: &mut Vec<u8>) {
    put_quoted(out, text);
}

/// The cells of a row that are at these positions, which are those of its key.
pub(super) fn key_of(image: &Image, positions: &[usize]) -> Vec<Octets> {
    let cells: Vec<Option<&[u8]>> = image.cells().map(Content::bytes).collect();
    let cell = |at: &usize| Octets(cells.get(*at).copied().flatten().unwrap_or_default().to_vec());
    positions.iter().map(cell).collect()
}

/// A key for people: `42` or `(1, abc)`; what is not text as x'..'.
pub(super) fn key_text(key: &[Octets]) -> String {
    let one = |o: &Octets| match std::str::from_utf8(&o.0) {
        Ok(text) if !text.chars().any(char::is_control) => text.chars().take(60).collect(),
        _ => format!("x'{}'", hex::encode(o.0.get(..30).unwrap_or(&o.0))),
    };
    match key {
        [single] => one(single),
        several => format!("({})", several.iter().map(one).collect::<Vec<String>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back_through_any_json_reader() {
        let all: String = (0..0x80_u8).map(char::from).chain("é🙂\u{2028}".chars()).collect();
        for text in ["", "plain", "\"", "\\", "a\nb", all.as_str()] {
            let mut out = Vec::new();
            string(text, &mut out);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn cells_are_text_hex_null_or_unknown() {
        let mut out = Vec::new();
        let cells = [Ok(Some(&b"1"[..])), Ok(None), Ok(Some(b"")), Ok(Some(b"\xff\0")), Err("no\"t there")];
        row(cells.into_iter(), &mut out);
        assert_eq!(out, b"[\"1\",null,\"\",{\"hex\":\"ff00\"},{\"unknown\":\"no\\\"t there\"}]");
    }
}
