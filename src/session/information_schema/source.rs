//! What the agent knows of schemas, tables and columns, asked in bounds and once a statement.

mod rows;

use super::describe::TableDescription;
use super::scope::Shared;
use super::shown_schema::{SchemaKind, ShownSchema};
use super::tables::TABLES;
use crate::failure::Failure;
use crate::session::{Session, Tenant};
use crate::statement::{HISTORY, INFORMATION_SCHEMA, VirtualSchema, virtual_schema_named};
use dbtrail_expression::Value;
use dbtrail_types::agent_api;
use dbtrail_types::column::TableDefinition;
use dbtrail_types::happened::HistoryTable;
use dbtrail_types::names::{RequestId, TableName};
use dbtrail_types::result_set::Note;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use rows::information;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

type Row = Vec<Value>;

/// Definitions asked for one statement at most.
const MOST_DEFINITIONS: usize = 1000;
/// Rows kept of one table at most.
const MOST_ROWS: usize = 100_000;
/// Tables without answers that SHOW TABLES names.
const MOST_NOTES: usize = 20;
/// Questions that are under way at a time.
const AT_ONCE: usize = 8;

/// Of which tables.
#[derive(Clone, Debug)]
pub(super) enum ColumnScope {
    All,
    Schema(ShownSchema),
    Table(ShownSchema, String),
}

/// Asks the agent. What it said is kept for the statement.
pub(super) struct MetadataReader<'a> {
    session: &'a Session,
    tenant: Arc<Tenant>,
    request: &'a RequestId,
    schemas: Option<Vec<String>>,
    tables: HashMap<String, Vec<String>>,
    /// Tables of which no row is answered, by schema.
    refused: HashMap<String, Vec<agent_api::RefusedTable>>,
    definitions: HashMap<TableName, Result<TableDefinition, Failure>>,
    /// Tables whose columns could not be had.
    pub(super) notes: Vec<Note>,
    /// Variables that the rows of the answer were assigned to.
    pub(super) assigned: BTreeSet<String>,
    /// What the statement may compute.
    pub(super) budget: Shared,
}

impl<'a> MetadataReader<'a> {
    pub(super) fn new(session: &'a Session, request: &'a RequestId) -> Result<Self, Failure> {
        let tenant = session.tenant().ok_or(Failure::NoDatabase)?;
        let (tables, refused, definitions) = (HashMap::new(), HashMap::new(), HashMap::new());
        let (schemas, notes, assigned) = (None, Vec::new(), BTreeSet::new());
        let budget = Shared::new(session.budget());
        Ok(Self { session, tenant, request, schemas, tables, refused, definitions, notes, assigned, budget })
    }

    /// The real schemas that the tenant may use.
    async fn visible(&mut self) -> Result<Vec<String>, Failure> {
        if let Some(known) = &self.schemas {
            return Ok(known.clone());
        }
        let tenant = &self.tenant;
        let mut schemas = tenant.agent.schemas(&tenant.caller, &tenant.server_id, self.request).await?;
        schemas.retain(|s| self.session.may_use(s) && super::own(s).is_none());
        schemas.sort();
        self.schemas = Some(schemas.clone());
        Ok(schemas)
    }

    /// The real schema whose tables the virtual ones show: the current database; where there is
    /// none, or it is no real one, the default of the tenant, or the only schema there is. Several
    /// could each be meant: then none is.
    async fn kind(&mut self) -> Result<Option<String>, Failure> {
        let visible = self.visible().await?;
        let known = |name: &String| visible.contains(name);
        if let Some(current) = self.session.real_schema() {
            return Ok(Some(current.to_owned()).filter(known));
        }
        let default = self.tenant.default_schema.clone().filter(known);
        Ok(default.or_else(|| if let [only] = visible.as_slice() { Some(only.clone()) } else { None }))
    }

    /// The schema that a SHOW names, or the current one. `server_name`: the middle part of
    /// `_flashback.shop.orders`.
    pub(super) async fn resolve_schema(
        &mut self,
        named: Option<&str>,
        server_name: Option<&str>,
    ) -> Result<ShownSchema, Failure> {
        let name = match named {
            Some(name) => name.to_owned(),
            None => self.session.schema.clone().ok_or(Failure::NoDatabase)?,
        };
        if name.eq_ignore_ascii_case(INFORMATION_SCHEMA) {
            return Ok(ShownSchema { shown: INFORMATION_SCHEMA.to_owned(), kind: SchemaKind::Information });
        }
        if name.eq_ignore_ascii_case(HISTORY) {
            return Ok(ShownSchema { shown: HISTORY.to_owned(), kind: SchemaKind::History });
        }
        let Some(schema) = virtual_schema_named(&name) else {
            self.known(&name).await?;
            return Ok(ShownSchema { shown: name, kind: SchemaKind::Real });
        };
        let kind = match server_name {
            Some(server_name) => {
                self.known(server_name).await?;
                server_name.to_owned()
            }
            // A current database that is not there any more is not none.
            None => self.kind().await?.ok_or_else(|| {
                let current = self.session.real_schema().map(str::to_owned);
                current.map_or(Failure::NoDatabase, Failure::UnknownSchema)
            })?,
        };
        Ok(ShownSchema { shown: schema.name().to_owned(), kind: SchemaKind::Virtual(schema, Some(kind)) })
    }

    /// 1044 or 1049 for a real schema that is not the tenant's, or is not there.
    async fn known(&mut self, schema: &str) -> Result<(), Failure> {
        if !self.session.may_use(schema) {
            return Err(self.session.denied(schema));
        }
        if self.visible().await?.iter().any(|s| s == schema) {
            return Ok(());
        }
        Err(Failure::UnknownSchema(schema.to_owned()))
    }

    async fn shown_schemas(&mut self) -> Result<Vec<ShownSchema>, Failure> {
        let kind = self.kind().await?;
        let virtuals =
            [VirtualSchema::Flashback, VirtualSchema::Diff, VirtualSchema::Snapshot, VirtualSchema::Undo];
        let virtuals = virtuals
            .map(|s| ShownSchema { shown: s.name().to_owned(), kind: SchemaKind::Virtual(s, kind.clone()) });
        let information = ShownSchema { shown: INFORMATION_SCHEMA.to_owned(), kind: SchemaKind::Information };
        let history = ShownSchema { shown: HISTORY.to_owned(), kind: SchemaKind::History };
        let server_name =
            self.visible().await?.into_iter().map(|shown| ShownSchema { shown, kind: SchemaKind::Real });
        let mut shown_schemas: Vec<ShownSchema> =
            server_name.chain(virtuals).chain([history, information]).collect();
        shown_schemas.sort_by(|a, b| a.shown.cmp(&b.shown));
        Ok(shown_schemas)
    }

    /// Asks for the tables of these schemas.
    async fn list(&mut self, shown_schemas: &[ShownSchema]) -> Result<(), Failure> {
        let wanted: BTreeSet<String> = shown_schemas
            .iter()
            .filter_map(ShownSchema::server_schema)
            .filter(|s| !self.tables.contains_key(*s))
            .map(str::to_owned)
            .collect();
        let (tenant, request) = (&self.tenant, self.request);
        let asked = stream::iter(wanted).map(|schema| async move {
            let known = tenant.agent.recorded(&tenant.caller, &tenant.server_id, &schema, request).await?;
            Ok::<_, Failure>((schema, known))
        });
        let found: Vec<(String, agent_api::Tables)> = asked.buffered(AT_ONCE).try_collect().await?;
        for (schema, known) in found {
            let there = known.tables.into_iter().filter(|t| !t.dropped).map(|t| t.table).collect();
            self.tables.insert(schema.clone(), there);
            self.refused.insert(schema, known.refused);
        }
        Ok(())
    }

    /// Notes of the tables of a schema whose rows are not answered, with the reasons.
    pub(super) async fn note_refused(&mut self, shown_schema: &ShownSchema) -> Result<(), Failure> {
        self.list(std::slice::from_ref(shown_schema)).await?;
        let Some(server_name) = shown_schema.server_schema() else { return Ok(()) };
        let refused = self.refused.get(server_name).map(Vec::as_slice).unwrap_or_default();
        let sentences = refused
            .iter()
            .take(MOST_NOTES)
            .map(|t| format!("no row of {server_name}.{} is answered: {}", t.table, t.reason))
            .chain((refused.len() > MOST_NOTES).then(|| {
                let more = refused.len() - MOST_NOTES;
                format!("no row of {more} more tables of {server_name} is answered: agent status has their reasons")
            }));
        self.notes.extend(sentences.map(|message| Note {
            level: "Note",
            code: crate::session::notes::NOTE,
            message,
        }));
        Ok(())
    }

    fn tables_of(&self, shown_schema: &ShownSchema) -> Vec<String> {
        match shown_schema.server_schema() {
            Some(server_name) => self.tables.get(server_name).cloned().unwrap_or_default(),
            None if shown_schema.kind == SchemaKind::Information => {
                TABLES.iter().map(|t| t.name.to_owned()).collect()
            }
            None if shown_schema.kind == SchemaKind::History => {
                let mut names = HistoryTable::ALL.map(|t| t.name().to_owned()).to_vec();
                names.sort();
                names
            }
            None => Vec::new(),
        }
    }

    /// Asks for these definitions, each once a statement.
    async fn define(&mut self, wanted: BTreeSet<TableName>) -> Result<(), Failure> {
        let wanted: Vec<TableName> =
            wanted.into_iter().filter(|t| !self.definitions.contains_key(t)).collect();
        let all = wanted.len() + self.definitions.len();
        if all > MOST_DEFINITIONS {
            return Err(Failure::Unsupported(format!(
                "the columns or keys of {all} tables in one statement; at most {MOST_DEFINITIONS} definitions are asked of the agent: \
                 narrow it, as in WHERE TABLE_SCHEMA = '...' AND TABLE_NAME = '...'"
            )));
        }
        let (tenant, request) = (&self.tenant, self.request);
        let asked = stream::iter(wanted).map(|table| async move {
            let agent = &tenant.agent;
            let asked = agent.newest_definition(&tenant.caller, &tenant.server_id, &table, request).await;
            match asked {
                // The agent knows the table and will not say what its columns are: that is of this
                // table alone.
                Ok(_) | Err(Failure::AgentRejected { status: 404 | 422, .. }) => Ok((table, asked)),
                Err(failure) => Err(failure),
            }
        });
        let found: Vec<_> = asked.buffered(AT_ONCE).try_collect().await?;
        self.definitions.extend(found);
        Ok(())
    }

    /// A table of a schema, as it is shown.
    ///
    /// # Errors
    /// 1146 for one that is not there; what the agent says, for one that it refuses too.
    pub(super) async fn describe(
        &mut self,
        shown_schema: &ShownSchema,
        table: &str,
    ) -> Result<TableDescription, Failure> {
        if shown_schema.kind == SchemaKind::Information {
            let of_mysqld = super::tables::find(table)
                .ok_or_else(|| Failure::UnknownInformationTable(table.to_uppercase()))?;
            return Ok(information(of_mysqld));
        }
        if shown_schema.kind == SchemaKind::History {
            let known = HistoryTable::ALL.into_iter().find(|t| t.name() == table);
            return known.map(TableDescription::of_history).ok_or_else(|| {
                Failure::UnknownTable(TableName {
                    schema: shown_schema.shown.clone(),
                    table: table.to_owned(),
                })
            });
        }
        self.list(std::slice::from_ref(shown_schema)).await?;
        let unknown = || {
            Failure::UnknownTable(TableName { schema: shown_schema.shown.clone(), table: table.to_owned() })
        };
        let server_name = shown_schema.server_schema().ok_or_else(unknown)?.to_owned();
        let refused = self.refused.get(&server_name).is_some_and(|all| all.iter().any(|t| t.table == table));
        // One that is there and refused is asked for too: the agent says why.
        if !refused && !self.tables_of(shown_schema).iter().any(|t| t == table) {
            return Err(unknown());
        }
        let name = TableName { schema: server_name, table: table.to_owned() };
        self.define(BTreeSet::from([name.clone()])).await?;
        match self.definitions.get(&name) {
            Some(Ok(definition)) => Ok(TableDescription::of(shown_schema, definition)),
            Some(Err(failure)) => Err(failure.clone()),
            None => Err(unknown()),
        }
    }
}
