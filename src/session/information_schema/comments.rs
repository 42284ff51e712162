//! What the tables that this server shows are, for TABLE_COMMENT.

use super::shown_schema::{SchemaKind, ShownSchema};
use crate::statement::VirtualSchema;

/// What a table is, for TABLE_COMMENT.
pub(super) fn comment(shown_schema: &ShownSchema, table: &str) -> String {
    match &shown_schema.kind {
        SchemaKind::Information => String::new(),
        SchemaKind::History => match table {
            "transactions" => "dbtrail: transactions BETWEEN two instants, and who made them".to_owned(),
            "changes" => "dbtrail: changes of rows of all tables BETWEEN two instants".to_owned(),
            "ddl" => "dbtrail: statements that changed definitions BETWEEN two instants".to_owned(),
            "gaps" => "dbtrail: parts of the log that were not read".to_owned(),
            _ => "dbtrail: what can be asked for".to_owned(),
        },
        SchemaKind::Real => {
            "dbtrail: ask for it as _flashback, _snapshot, _diff or _undo; this server does not read the present"
                .to_owned()
        }
        SchemaKind::Virtual(schema, server_name) => {
            let name = format!("{}.{table}", server_name.as_deref().unwrap_or_default());
            match schema {
                VirtualSchema::Flashback => {
                    format!("dbtrail: rows of {name} AS OF an instant, by primary key")
                }
                VirtualSchema::Snapshot => {
                    format!("dbtrail: rows of {name} AS OF an instant, baseline included, by primary key")
                }
                VirtualSchema::Undo => {
                    format!("dbtrail: SQL that takes changes of {name} BETWEEN two instants back")
                }
                VirtualSchema::Diff => {
                    format!("dbtrail: changes of {name} BETWEEN two instants, by its primary key")
                }
            }
        }
    }
}
