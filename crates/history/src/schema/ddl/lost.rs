//! A statement that cannot be followed: what it puts in doubt.

use super::super::effect::{Effect, EffectReason, StatementFault};
use super::super::{Catalog, links, reach};
use crate::log::LoggedStatement;
use dbtrail_types::names::TableName;

/// A statement that cannot be followed: all that it can have changed is unreadable; `named`: tables
/// that it is known to speak of.
pub(super) fn lost(
    catalog: &mut Catalog,
    statement: &LoggedStatement,
    fault: StatementFault,
    named: &[TableName],
) -> Vec<Effect> {
    let reason = EffectReason::Statement { fault, statement: excerpt(&statement.sql) };
    let mut reach = reach::of(statement);
    if reach.unknown && !named.is_empty() {
        reach = reach::Reach::default();
    }
    if reach.rows.is_none() {
        reach.tables.extend_from_slice(named);
    }
    if catalog.folds == Some(true) {
        reach.tables = reach.tables.iter().map(TableName::to_lowercase).collect();
    }
    reach.tables.sort();
    reach.tables.dedup();
    for table in &reach.tables {
        catalog.forget(table);
    }
    for schema in &reach.defaults {
        catalog.schemas.remove(schema);
        catalog.all_schemas = false;
    }
    let effects = links::in_doubt(&catalog.links, &reach, statement.updated_schemas.as_deref(), &reason);
    // What only changed rows leaves definitions as they are.
    if reach.rows.is_none() || reach.unknown {
        for effect in &effects {
            if let Effect::UnreadableAll { schemas, .. } = effect {
                catalog.tables.retain(|t, _| !schemas.is_empty() && !schemas.contains(&t.schema));
                catalog.complete.retain(|s| !schemas.is_empty() && !schemas.contains(s));
            }
        }
    }
    effects
}

/// A statement, or its beginning, for a message.
pub(crate) fn excerpt(sql: &str) -> String {
    let mut cut: String = sql.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if cut.len() < sql.len() {
        cut.push_str("...");
    }
    cut
}
