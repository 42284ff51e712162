//! What a version says of its change: the kind, the key under which it is shown, the rows before
//! and after.

use crate::image::Image;
use crate::schema::Catalog;
use crate::store::{KeyMove, Version};
use dbtrail_types::agent_api::EventType;
use dbtrail_types::column::TableDefinition;
use std::borrow::Cow;

/// The places of the key columns.
pub(super) fn key_places(definition: &TableDefinition) -> Vec<usize> {
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
