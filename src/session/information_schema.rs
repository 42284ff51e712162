//! What there is: SHOW, DESCRIBE and information_schema, from what the agent knows of schemas,
//! tables and columns.
//!
//! SHOW is SELECT on information_schema with other names, as it is in mysqld. The agent is asked
//! for no more than a statement's conditions on schema and table leave over, and for so many
//! definitions at most; a question for more is refused, never cut.
//!
//! What an agent does not tell is NULL or left out (defaults, further indexes, generated columns,
//! sizes, times), and never made up.

mod assigned;
mod build;
mod comments;
mod describe;
mod early;
mod empty;
mod field;
mod from;
mod join;
mod lists;
mod plan;
mod query;
mod row_variable;
mod run;
mod scope;
mod show_columns;
mod shown_schema;
mod source;
mod tables;

use super::evaluate::{EvaluationContext as Here, Value, column_of};
use super::{About, Answer, Session, Tenant, computed};
use crate::failure::Failure;
use crate::statement::{
    Absent, Draft, HISTORY, INFORMATION_SCHEMA, InformationSchema, Named, Narrowed, Query, VirtualSchema,
    virtual_schema_named,
};
use dbtrail_expression::{Budget, Letters, like};
use dbtrail_types::column::ColumnType;
use dbtrail_types::names::{RequestId, TableName};
use dbtrail_types::result_set::ResultColumn;
use dbtrail_types::timestamp::Timestamp;
use plan::{Plan, QueryPlan};
use shown_schema::{SchemaKind, ShownSchema};
use source::{ColumnScope, MetadataReader};

impl Session {
    /// Whether the configuration lets the tenant use a real schema.
    pub(super) fn may_use(&self, schema: &str) -> bool {
        let tenant = self.tenant();
        tenant.is_some_and(|t| {
            t.allowed_schemas.as_ref().is_none_or(|allowed| allowed.iter().any(|a| a == schema))
        })
    }

    /// The current database, where it is a real one. `USE _flashback` and `USE information_schema`
    /// are carried out, since command lines and graphical clients do that with whatever SHOW
    /// DATABASES shows; but they are no database whose past can be asked for.
    ///
    /// The real one of before `USE _flashback` does not count any more: connections of a pool are
    /// handed on, and what somebody else had chosen would be taken for it.
    pub(super) fn real_schema(&self) -> Option<&str> {
        self.schema.as_deref().filter(|s| own(s).is_none())
    }

    /// The real schema that a time-travel statement without a three-part name is about.
    pub(super) fn schema_of<'a>(
        &'a self,
        draft: &Draft,
        tenant: &'a Tenant,
    ) -> Result<Option<&'a str>, Failure> {
        let current = self.real_schema();
        if let (None, None, Some(own)) = (&draft.schema, current, &self.schema) {
            // After USE _flashback; one schema alone cannot be mistaken.
            if let Some([only]) = tenant.allowed_schemas.as_deref() {
                return Ok(Some(only));
            }
            return Err(Failure::Unsupported(format!(
                "a table without its database while the current one is {own}: USE the real database, or write {}.<database>.{}",
                draft.virtual_schema.name(),
                draft.table
            )));
        }
        Ok(current)
    }

    /// Answers a question about what there is.
    pub(super) async fn information_schema(
        &mut self,
        question: InformationSchema,
        now: Timestamp,
        request: &RequestId,
    ) -> Result<Answer, Failure> {
        let mut reader = MetadataReader::new(self, request)?;
        let answer = answered(Here { session: self, now }, &mut reader, question).await;
        let (notes, assigned) = (std::mem::take(&mut reader.notes), std::mem::take(&mut reader.assigned));
        for name in assigned {
            self.variables.assign_rows(name)?;
        }
        let answer = answer?;
        self.diagnostics.extend(notes);
        Ok(answer)
    }

    /// COM_FIELD_LIST: the columns of a table of the current database whose names are like
    /// `wildcard` (empty: all), as the record knows them last. Command lines ask it of every table,
    /// to complete names.
    ///
    /// # Errors
    /// 1046 without a database, 1044 where the tenant may not, 1146 for a table that SHOW TABLES
    /// does not show, agent failures.
    pub async fn field_list(
        &mut self,
        table: &[u8],
        wildcard: &[u8],
        request: &RequestId,
    ) -> Result<Vec<ResultColumn>, Failure> {
        self.about.set(About::of("field_list"));
        let (table, wildcard) = (self.decoded(table)?, self.decoded(wildcard)?);
        let named = self.schema.as_ref().map(|schema| format!("{schema}.{table}"));
        self.about.note(|about| about.table = named);
        let mut reader = MetadataReader::new(self, request)?;
        let shown_schema = reader.resolve_schema(None, None).await?;
        let shown = reader.describe(&shown_schema, &table).await?;
        let name = TableName { schema: shown_schema.shown, table };
        // Both servers leave invisible columns out here.
        let mut wanted = Vec::new();
        for column in shown.columns.into_iter().filter(|c| !c.invisible) {
            let escape = self.escape();
            let held = |budget: &mut Budget| like(&column.name, &wildcard, Letters::Lower, escape, budget);
            if wildcard.is_empty() || reader.budget.with(held)? {
                wanted.push(column);
            }
        }
        let columns = wanted.into_iter().map(|column| ResultColumn {
            name: column.name.clone(),
            org_name: column.name.clone(),
            table: name.table.clone(),
            org_table: name.table.clone(),
            schema: name.schema.clone(),
            column,
        });
        Ok(columns.collect())
    }
}

/// The name of a schema that is this server's own: virtual, or information_schema.
pub(super) fn own(schema: &str) -> Option<&'static str> {
    let information = schema.eq_ignore_ascii_case(INFORMATION_SCHEMA).then_some(INFORMATION_SCHEMA);
    let history = schema.eq_ignore_ascii_case(HISTORY).then_some(HISTORY);
    virtual_schema_named(schema).map(VirtualSchema::name).or(history).or(information)
}

async fn answered(
    here: Here<'_>,
    reader: &mut MetadataReader<'_>,
    question: InformationSchema,
) -> Result<Answer, Failure> {
    let (table, shown, narrowed, column_scope) = match question {
        InformationSchema::Databases(narrowed) => {
            let name = headed("Database", narrowed.as_ref());
            ("SCHEMATA", vec![(name, "SCHEMA_NAME")], narrowed, ColumnScope::All)
        }
        InformationSchema::Tables { full, schema, narrowed } => {
            let shown_schema = reader.resolve_schema(schema.as_deref(), None).await?;
            reader.note_refused(&shown_schema).await?;
            let narrowed = cased(narrowed, &shown_schema);
            let name = headed(&format!("Tables_in_{}", shown_schema.shown), narrowed.as_ref());
            let mut shown = vec![(name, "TABLE_NAME"), ("Table_type".to_owned(), "TABLE_TYPE")];
            shown.truncate(1 + usize::from(full));
            ("TABLES", shown, narrowed, ColumnScope::Schema(shown_schema))
        }
        InformationSchema::TableStatus { schema, narrowed } => {
            let shown_schema = reader.resolve_schema(schema.as_deref(), None).await?;
            (
                "TABLES",
                owned(show_columns::TABLE_STATUS),
                cased(narrowed, &shown_schema),
                ColumnScope::Schema(shown_schema),
            )
        }
        InformationSchema::Columns { full, table, narrowed } => {
            let column_scope = existing(reader, &table).await?;
            let mut shown = owned(show_columns::COLUMNS);
            shown
                .retain(|(name, _)| full || !matches!(name.as_str(), "Collation" | "Privileges" | "Comment"));
            ("COLUMNS", shown, narrowed, column_scope)
        }
        InformationSchema::Index { table, narrowed } => {
            ("STATISTICS", owned(show_columns::INDEX), narrowed, existing(reader, &table).await?)
        }
        InformationSchema::CharacterSets(narrowed) => {
            ("CHARACTER_SETS", owned(show_columns::CHARACTER_SETS), narrowed, ColumnScope::All)
        }
        InformationSchema::Collations(narrowed) => {
            ("COLLATIONS", owned(show_columns::COLLATIONS), narrowed, ColumnScope::All)
        }
        InformationSchema::Engines => ("ENGINES", owned(show_columns::ENGINES), None, ColumnScope::All),
        InformationSchema::None { kind, schema, narrowed } => {
            if let Absent::Triggers | Absent::Events = kind {
                reader.resolve_schema(schema.as_deref(), None).await?;
            }
            let (table, shown) = match kind {
                Absent::Triggers => ("TRIGGERS", show_columns::TRIGGERS),
                Absent::Events => ("EVENTS", show_columns::EVENTS),
                Absent::Procedures | Absent::Functions => ("ROUTINES", show_columns::ROUTINES),
            };
            (table, owned(shown), narrowed, ColumnScope::All)
        }
        InformationSchema::CreateTable(table) => return create_table(reader, &table).await,
        InformationSchema::CreateDatabase(name) => return create_database(reader, &name).await,
        InformationSchema::Empty(asked) => return empty::answered(here, reader, &asked).await,
        InformationSchema::Select(selection) => return select(here, reader, *selection).await,
    };
    let table =
        tables::find(table).ok_or_else(|| Failure::Internal(format!("there is no table {table} to show")))?;
    let mut plan = Plan::show(table, &shown, narrowed.as_ref(), here)?;
    // SHOW is a SELECT to mysqld, here too.
    plan.limit = here.session.select_limit();
    let rows = run::run(&plan, reader, &column_scope).await?;
    Ok(Answer::Table(plan.columns(), run::shown(rows)))
}

fn owned(shown: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    shown.iter().map(|(name, field)| ((*name).to_owned(), *field)).collect()
}

/// LIKE on the tables of information_schema has no case: mysqld writes the pattern in upper case,
/// as their names are.
fn cased(narrowed: Option<Narrowed>, shown_schema: &ShownSchema) -> Option<Narrowed> {
    match narrowed {
        Some(Narrowed::Like(pattern)) if shown_schema.kind == SchemaKind::Information => {
            Some(Narrowed::Like(pattern.to_uppercase()))
        }
        other => other,
    }
}

/// The header of a list of names: mysqld puts the pattern of LIKE after it.
fn headed(name: &str, narrowed: Option<&Narrowed>) -> String {
    match narrowed {
        Some(Narrowed::Like(pattern)) => format!("{name} ({pattern})"),
        Some(Narrowed::Where(_)) | None => name.to_owned(),
    }
}

/// A table that is there, or 1046, 1044, 1049, 1146.
async fn existing(reader: &mut MetadataReader<'_>, table: &Named) -> Result<ColumnScope, Failure> {
    let shown_schema = reader.resolve_schema(table.schema.as_deref(), table.server_name.as_deref()).await?;
    reader.describe(&shown_schema, &table.table).await?;
    // Names of information_schema have no case.
    let known = tables::find(&table.table).filter(|_| shown_schema.kind == SchemaKind::Information);
    Ok(ColumnScope::Table(shown_schema, known.map_or_else(|| table.table.clone(), |t| t.name.to_owned())))
}

async fn create_table(reader: &mut MetadataReader<'_>, table: &Named) -> Result<Answer, Failure> {
    let shown_schema = reader.resolve_schema(table.schema.as_deref(), table.server_name.as_deref()).await?;
    if shown_schema.kind == SchemaKind::Information {
        return Err(Failure::Unsupported("SHOW CREATE TABLE of a table of information_schema".to_owned()));
    }
    let shown = reader.describe(&shown_schema, &table.table).await?;
    let text = describe::create_table(&shown_schema, &table.table, &shown);
    Ok(pair(["Table", "Create Table"], [table.table.clone(), text]))
}

async fn create_database(reader: &mut MetadataReader<'_>, name: &str) -> Result<Answer, Failure> {
    // A virtual schema is there, whatever its tables are those of.
    let shown = match virtual_schema_named(name) {
        Some(schema) => schema.name().to_owned(),
        None => reader.resolve_schema(Some(name), None).await?.shown,
    };
    let text = format!("CREATE DATABASE `{}`", shown.replace('`', "``"));
    Ok(pair(["Database", "Create Database"], [shown, text]))
}

/// One row of a name and a statement, declared as mysqld does.
fn pair(names: [&str; 2], cells: [String; 2]) -> Answer {
    let columns = names.iter().zip(&cells).zip([64, 1024]).map(|((name, cell), least)| {
        let mut column = column_of(name, &Value::from(""));
        let chars = u32::try_from(cell.chars().count()).unwrap_or(u32::MAX).max(least);
        (column.ty, column.nullable) = (ColumnType::VarChar { chars }, false);
        computed(name, column)
    });
    Answer::Table(columns.collect(), vec![cells.into_iter().map(|c| Some(c.into_bytes())).collect()])
}

async fn select(
    here: Here<'_>,
    reader: &mut MetadataReader<'_>,
    mut query: Query,
) -> Result<Answer, Failure> {
    let limit = if query.others.is_empty() { &mut query.first.limit } else { &mut query.limit };
    if limit.is_none() {
        *limit = here.session.select_limit();
    }
    let plan = QueryPlan::of(&query, &[], here)?;
    reader.assigned.clone_from(&plan.first.assigned);
    let rows = plan.rows(reader).await?;
    Ok(Answer::Table(plan.columns(), run::shown(rows)))
}
