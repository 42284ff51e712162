//! Rows of the tables of information_schema.

use super::super::describe::TableDescription;
use super::super::early::Early;
use super::super::shown_schema::{SchemaKind, ShownSchema};
use super::super::tables::{Content, Table};
use super::super::{describe, lists};
use super::{ColumnScope, MOST_ROWS, MetadataReader, Row};
use crate::failure::Failure;
use dbtrail_expression::Node;
use dbtrail_types::happened::HistoryTable;
use dbtrail_types::names::TableName;
use dbtrail_types::result_set::Note;

/// A table of information_schema itself.
pub(super) fn information(table: &Table) -> TableDescription {
    TableDescription {
        columns: table.fields.iter().map(super::super::field::Field::column).collect(),
        key: Vec::new(),
    }
}

fn bounded(rows: impl Iterator<Item = Row>) -> Result<Vec<Row>, Failure> {
    let rows: Vec<Row> = rows.take(MOST_ROWS + 1).collect();
    if rows.len() > MOST_ROWS {
        return Err(Failure::Unsupported(format!(
            "more than {MOST_ROWS} rows of information_schema: narrow it, as in WHERE TABLE_SCHEMA = '...'"
        )));
    }
    Ok(rows)
}

impl MetadataReader<'_> {
    /// The rows of a table of information_schema for which all of `keep` hold.
    pub(in crate::session::information_schema) async fn rows(
        &mut self,
        table: &'static Table,
        keep: &[Node],
        column_scope: &ColumnScope,
    ) -> Result<Vec<Row>, Failure> {
        let rows = match table.content {
            Content::CharacterSets => lists::character_sets(),
            Content::Collations => lists::collations(),
            Content::Applicability => lists::applicability(),
            Content::Engines => lists::engines(),
            Content::Keywords => lists::keywords(),
            Content::Nothing => Vec::new(),
            Content::Schemata => self.shown_schemas().await?.iter().map(describe::schema).collect(),
            Content::Tables
            | Content::Columns
            | Content::Statistics
            | Content::KeyColumnUsage
            | Content::TableConstraints => return self.of_tables(table, keep, column_scope).await,
        };
        Ok(rows.into_iter().filter(|row| self.budget.may_hold(keep.iter(), row)).collect())
    }

    /// Rows that belong to tables. A condition that names schema or table alone is looked at before
    /// the agent is asked for more.
    async fn of_tables(
        &mut self,
        table: &'static Table,
        keep: &[Node],
        column_scope: &ColumnScope,
    ) -> Result<Vec<Row>, Failure> {
        let shown_schemas = match column_scope {
            ColumnScope::All => self.shown_schemas().await?,
            ColumnScope::Schema(shown_schema) | ColumnScope::Table(shown_schema, _) => {
                vec![shown_schema.clone()]
            }
        };
        let budget = self.budget.clone();
        let schemas = ["TABLE_SCHEMA", "CONSTRAINT_SCHEMA", "INDEX_SCHEMA"];
        let by_schema = Early::new(table, keep, &schemas, &[], budget.clone());
        let shown_schemas: Vec<ShownSchema> =
            shown_schemas.into_iter().filter(|p| by_schema.holds(&p.shown, "")).collect();
        self.list(&shown_schemas).await?;
        let by_name = Early::new(table, keep, &schemas, &["TABLE_NAME"], budget.clone());
        let mut wanted = Vec::new();
        for shown_schema in shown_schemas {
            let only = if let ColumnScope::Table(_, only) = column_scope { Some(only) } else { None };
            let tables = self.tables_of(&shown_schema).into_iter().filter(|t| only.is_none_or(|o| o == t));
            for name in tables.filter(|t| by_name.holds(&shown_schema.shown, t)) {
                wanted.push((shown_schema.clone(), name));
            }
        }
        if table.content == Content::Tables {
            let rows = wanted.iter().map(|(shown_schema, name)| describe::table(shown_schema, name));
            return bounded(rows.filter(|row| budget.may_hold(keep.iter(), row)));
        }
        let asked = wanted.iter().filter_map(|(shown_schema, name)| {
            Some(TableName { schema: shown_schema.server_schema()?.to_owned(), table: name.clone() })
        });
        self.define(asked.collect()).await?;
        let mut notes = Vec::new();
        let rows = bounded(
            wanted
                .iter()
                .flat_map(|(shown_schema, name)| {
                    let shown = self.defined(shown_schema, name, &mut notes);
                    shown.map_or_else(Vec::new, |shown| {
                        describe::rows(table.content, shown_schema, name, &shown)
                    })
                })
                .filter(|row| budget.may_hold(keep.iter(), row)),
        );
        self.notes.extend(notes);
        rows
    }

    fn defined(
        &self,
        shown_schema: &ShownSchema,
        name: &str,
        notes: &mut Vec<Note>,
    ) -> Option<TableDescription> {
        if shown_schema.kind == SchemaKind::Information {
            return super::super::tables::find(name).map(information);
        }
        if shown_schema.kind == SchemaKind::History {
            return HistoryTable::ALL
                .into_iter()
                .find(|t| t.name() == name)
                .map(TableDescription::of_history);
        }
        let table = TableName { schema: shown_schema.server_schema()?.to_owned(), table: name.to_owned() };
        match self.definitions.get(&table)? {
            Ok(definition) => Some(TableDescription::of(shown_schema, definition)),
            Err(failure) => {
                let why = if let Failure::AgentRejected { body, .. } = failure { body.as_str() } else { "" };
                let message = format!("the columns of {}.{name} are left out: {why}", shown_schema.shown);
                notes.push(Note { level: "Warning", code: crate::session::notes::NOTE, message });
                None
            }
        }
    }
}
