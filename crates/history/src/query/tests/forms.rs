//! The two forms of an answer have the same content.

use super::*;
use crate::query::Form;
use dbtrail_types::agent_api::frames::{FrameKind, HEAD, frame_head, read_event, read_row};

/// The lines of frames, as JSON.
fn unframed(mut bytes: &[u8]) -> Vec<Value> {
    let (mut width, mut lines) = (0, Vec::new());
    while !bytes.is_empty() {
        let (kind, length) = frame_head(bytes).unwrap().unwrap();
        let content = &bytes[HEAD..HEAD + length];
        bytes = &bytes[HEAD + length..];
        let line = match kind {
            FrameKind::Line => serde_json::from_slice(content).unwrap(),
            FrameKind::Row => serde_json::to_value(read_row(content, width).unwrap()).unwrap(),
            FrameKind::Event => json!({"event": read_event(content, width).unwrap()}),
        };
        for columns in [&line["columns"], &line["definition"]["columns"]] {
            width = columns.as_array().map_or(width, Vec::len);
        }
        lines.push(line);
    }
    lines
}

/// The lines of an answer, which are the same in both forms.
fn same<A: Iterator<Item = Result<Vec<u8>, Refusal>>>(
    answer: impl Fn(Form) -> Result<A, Refusal>,
) -> Result<Vec<Value>, &'static str> {
    let lines = answer(Form::Lines).map_err(|r| r.code).and_then(collected);
    let framed = answer(Form::Frames).and_then(Iterator::collect::<Result<Vec<Vec<u8>>, _>>);
    let framed = framed.map(|chunks| unframed(&chunks.concat())).map_err(|r| r.code);
    let as_lines = framed.map(|lines| lines.into_iter().filter(|l| l.get("origin").is_none()).collect());
    assert_eq!(lines, as_lines);
    lines
}

pub(super) fn rows(
    history: &Arc<History>,
    asked: &RowsRequest,
    reading: Reading,
) -> Result<Vec<Value>, &'static str> {
    same(|form| Ok(history.rows(asked, reading)?.in_form(form)))
}

pub(super) fn changes(history: &Arc<History>, asked: &DiffRequest) -> Result<Vec<Value>, &'static str> {
    same(|form| Ok(history.diff(asked)?.in_form(form)))
}

#[test]
fn all_changes_are_the_same_in_both_forms() {
    let h = lived();
    let asked = json!({"server_id": "x", "table": "changes", "window": [t(0), t(9)]});
    let asked = serde_json::from_value(asked).unwrap();
    let lines = same(|form| Ok(h.happened(&asked)?.in_form(form).0)).unwrap();
    assert_eq!(lines.iter().filter(|line| line.get("event").is_some()).count(), 7);
    let asked = json!({"server_id": "x", "table": "transactions", "window": [t(0), t(9)]});
    let asked = serde_json::from_value(asked).unwrap();
    assert_eq!(h.happened(&asked).unwrap().in_form(Form::Frames).1, Form::Lines, "it has one form alone");
}
