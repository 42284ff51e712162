//! Storage engines whose tables hold other rows than the log's row events say (manual:
//! [Alternative Storage Engines](https://dev.mysql.com/doc/refman/9.7/en/storage-engines.html)).

use super::silent_changes::SilentChange;
use super::token::{Tokens, Unread};
use dbtrail_types::names::TableName;

/// Why the rows of a table of this engine (in lower case) do not follow from the log; `None`: they
/// do.
pub(super) fn rows_elsewhere(engine: Option<&str>) -> Option<Unread> {
    let engine = engine?;
    let change = match engine {
        "merge" | "mrg_myisam" | "mrg_aria" => SilentChange::Merge,
        "blackhole" => SilentChange::Blackhole,
        "federated" | "federatedx" | "spider" | "connect" | "s3" | "mroonga" | "oqgraph" | "sphinx"
        | "example" | "sequence" => SilentChange::Elsewhere,
        _ => return None,
    };
    Some(Unread::RowsElsewhere { engine: engine.to_owned(), change })
}

/// The same of the engine that an ALTER TABLE names.
pub(super) fn rows_elsewhere_in(tokens: &Tokens) -> Option<Unread> {
    for mut part in tokens.clone().split() {
        if part.words(&["ENGINE"]) {
            part.symbol('=');
            let engine = part.text().or_else(|| part.name().ok())?.to_lowercase();
            return rows_elsewhere(Some(&engine));
        }
    }
    None
}

/// The tables that a MERGE table unites, of the options of its CREATE TABLE. A name without a
/// schema is in `schema`.
pub(super) fn united(options: &Tokens, schema: &str) -> Vec<TableName> {
    let mut options = options.clone();
    while !options.is_at_end() {
        if options.words(&["UNION"]) {
            options.symbol('=');
            let group = options.group().map(|group| group.split()).unwrap_or_default();
            return group.into_iter().filter_map(|mut one| one.table(Some(schema)).ok()).collect();
        }
        options.next();
    }
    Vec::new()
}
