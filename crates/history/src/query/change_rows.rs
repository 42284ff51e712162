//! What a version says of its change: the kind, the key under which it is shown, the rows before
//! and after.

use super::{Refusal, lines};
use crate::commit_index::Commit;
use crate::image::Image;
use crate::schema::Catalog;
use crate::store::{KeyMove, Version};
use dbtrail_types::agent_api::{EventType, Octets};
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
    if version.side == KeyMove::Left {
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

/// The line of a change that is shown under a key, with the rows before and after it.
pub(super) fn write_event(
    catalog: &Catalog,
    version: &Version,
    commit: &Commit,
    key: &[Octets],
    images: [Option<Cow<'_, Image>>; 2],
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
    lines::json(key, out)?;
    for (name, image) in ["before", "after"].into_iter().zip(images) {
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
