//! What a version says of its change: the kind, the key under which it is shown, the rows before
//! and after.

use super::form::{Form, put_image};
use super::{Refusal, lines};
use crate::commit_index::Commit;
use crate::image::{Content, Image};
use crate::log::Gtid;
use crate::schema::Catalog;
use crate::store::{KeyMove, Version};
use dbtrail_types::agent_api::EventType;
use dbtrail_types::agent_api::frames::{
    EventHead, FrameKind, put_bytes, put_counted, put_event_head, put_frame, put_number,
};
use dbtrail_types::column::TableDefinition;
use dbtrail_types::timestamp::Timestamp;
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

/// Writes changes that follow each other: many are of one transaction, whose id is the same text.
#[derive(Debug, Default)]
pub(super) struct EventWriter {
    gtid: Option<(Gtid, String)>,
}

impl EventWriter {
    /// The line of a change that is shown under its key, which has these positions.
    pub(super) fn write(
        &mut self,
        form: Form,
        catalog: &Catalog,
        version: &Version,
        commit: &Commit,
        positions: &[usize],
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        if self.gtid.as_ref().map(|(id, _)| id) != commit.gtid.as_ref() {
            self.gtid = commit.gtid.as_ref().map(|id| (id.clone(), id.to_string()));
        }
        let gtid = self.gtid.as_ref().map(|(_, text)| text.as_str());
        match form {
            Form::Lines => write_line(catalog, version, (commit.committed, gtid), positions, out),
            Form::Frames => {
                let write = |out: &mut Vec<u8>| {
                    put_event(catalog, version, (commit.committed, gtid), positions, out);
                };
                put_frame(out, FrameKind::Event, write);
                Ok(())
            }
        }
    }
}

fn write_line(
    catalog: &Catalog,
    version: &Version,
    (committed, gtid): (Timestamp, Option<&str>),
    positions: &[usize],
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    out.extend_from_slice(b"{\"event\":{\"event_id\":");
    out.extend_from_slice(version.sequence.0.to_string().as_bytes());
    out.extend_from_slice(b",\"event_timestamp\":");
    lines::json(&committed, out)?;
    out.extend_from_slice(b",\"event_type\":\"");
    out.extend_from_slice(kind_name(version.kind).as_bytes());
    out.extend_from_slice(if version.is_derived() { b"\",\"derived\":true" } else { b"\"" });
    if let Some(cause) = version.cause {
        out.extend_from_slice(b",\"cause\":");
        out.extend_from_slice(cause.0.to_string().as_bytes());
    }
    out.extend_from_slice(b",\"gtid\":");
    lines::json(&gtid, out)?;
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
fn put_event(
    catalog: &Catalog,
    version: &Version,
    (committed, gtid): (Timestamp, Option<&str>),
    positions: &[usize],
    out: &mut Vec<u8>,
) {
    let [before, after] = images(catalog, version);
    let head = EventHead {
        event_id: version.sequence.0,
        event_timestamp: committed,
        event_type: version.kind,
        derived: version.is_derived(),
        cause: version.cause.map(|cause| cause.0),
        gtid,
    };
    put_event_head(out, &head, (before.is_some(), after.is_some()));
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
