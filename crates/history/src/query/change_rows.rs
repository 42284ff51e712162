//! What a version says of its change: the kind, the key under which it is shown, the rows before
//! and after.

use super::form::{Form, put_image};
use super::{Refusal, lines};
use crate::commit_index::Commit;
use crate::image::{Content, Image};
use crate::schema::Catalog;
use crate::store::{KeyMove, Version};
use dbtrail_types::agent_api::EventType;
use dbtrail_types::agent_api::frames::{FrameKind, flag, put_bytes, put_counted, put_frame, put_number};
use dbtrail_types::column::TableDefinition;
use std::borrow::Cow;

/// The positions of the key columns.
pub(super) fn key_positions(definition: &TableDefinition) -> Vec<usize> {
    definition.primary_key.iter().filter_map(|n| definition.position(n)).collect()
}

/// The kind of a change, as it is shown.
pub(super) const fn kind_name(kind: EventType) -> &'static str {
    match kind {
        EventType::Insert => "INSERT",
        EventType::Update => "UPDATE",
        EventType::Delete => "DELETE",
    }
}

/// The row under whose key a change is shown.
pub(super) fn keyed(version: &Version) -> Option<&Image> {
    if version.key_move == KeyMove::Left {
        version.before.as_ref()
    } else {
        version.after.as_ref().or(version.before.as_ref())
    }
}

/// The rows before and after a change, with generated cells that the other one tells.
pub(super) fn images<'v>(catalog: &Catalog, version: &'v Version) -> [Option<Cow<'v, Image>>; 2] {
    let filled = |image: &'v Option<Image>, other: &Option<Image>| {
        let image = image.as_ref()?;
        let filled = other.as_ref().and_then(|other| catalog.filled(version.definition, image, other));
        Some(filled.map_or(Cow::Borrowed(image), Cow::Owned))
    };
    [filled(&version.before, &version.after), filled(&version.after, &version.before)]
}

/// The line of a change that is shown under its key, which has these positions.
pub(super) fn write_event(
    form: Form,
    catalog: &Catalog,
    version: &Version,
    commit: &Commit,
    positions: &[usize],
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    match form {
        Form::Lines => write_line(catalog, version, commit, positions, out),
        Form::Frames => {
            put_frame(out, FrameKind::Event, |out| put_event(catalog, version, commit, positions, out));
            Ok(())
        }
    }
}

fn write_line(
    catalog: &Catalog,
    version: &Version,
    commit: &Commit,
    positions: &[usize],
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    out.extend_from_slice(b"{\"event\":{\"event_id\":");
    out.extend_from_slice(version.sequence.0.to_string().as_bytes());
    out.extend_from_slice(b",\"event_timestamp\":");
    lines::json(&commit.committed, out)?;
    out.extend_from_slice(b",\"event_type\":\"");
    out.extend_from_slice(kind_name(version.kind).as_bytes());
    out.extend_from_slice(if version.is_derived() { b"\",\"derived\":true" } else { b"\"" });
    if let Some(cause) = version.cause {
        out.extend_from_slice(b",\"cause\":");
        out.extend_from_slice(cause.0.to_string().as_bytes());
    }
    out.extend_from_slice(b",\"gtid\":");
    lines::json(&commit.gtid.as_ref().map(ToString::to_string), out)?;
    out.extend_from_slice(b",\"key\":");
    let key = keyed(version).map(|image| lines::key_of(image, positions)).unwrap_or_default();
    lines::json(&key, out)?;
    for (name, image) in ["before", "after"].into_iter().zip(images(catalog, version)) {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        match image {
            Some(image) => lines::image(catalog, version.definition, &image, out),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.extend_from_slice(b"}}\n");
    Ok(())
}

/// The same as the content of a frame.
fn put_event(catalog: &Catalog, version: &Version, commit: &Commit, positions: &[usize], out: &mut Vec<u8>) {
    let [before, after] = images(catalog, version);
    out.extend_from_slice(&version.sequence.0.to_le_bytes());
    out.extend_from_slice(&commit.committed.micros().to_le_bytes());
    let flag = |there: bool, flag: u8| if there { flag } else { 0 };
    let kind = match version.kind {
        EventType::Insert => 0,
        EventType::Update => 1,
        EventType::Delete => 2,
    };
    out.push(
        kind | flag(version.is_derived(), flag::DERIVED)
            | flag(version.cause.is_some(), flag::CAUSE)
            | flag(commit.gtid.is_some(), flag::GTID)
            | flag(before.is_some(), flag::BEFORE)
            | flag(after.is_some(), flag::AFTER),
    );
    if let Some(cause) = version.cause {
        out.extend_from_slice(&cause.0.to_le_bytes());
    }
    if let Some(gtid) = &commit.gtid {
        put_bytes(out, gtid.to_string().as_bytes());
    }
    match keyed(version) {
        Some(image) => {
            put_number(out, positions.len() as u64);
            for at in positions {
                put_bytes(out, image.cells().nth(*at).and_then(Content::bytes).unwrap_or_default());
            }
        }
        None => put_number(out, 0),
    }
    for image in [before, after].into_iter().flatten() {
        put_counted(out, &[], |out| put_image(catalog, version.definition, &image, out));
    }
}
