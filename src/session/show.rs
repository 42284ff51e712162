//! SHOW.

use super::evaluate::{Typed, Value};
use super::{About, Answer, Session, computed, replica, status};
use crate::failure::Failure;
use crate::ident::{RequestId, TableName};
use crate::reply::{ResultColumn, Row};
use crate::statement::{Show, VirtualSchema};

/// A table of text columns.
pub(super) fn table(names: &[&str], rows: Vec<Vec<Option<String>>>) -> Answer {
    let columns = names.iter().enumerate().map(|(i, name)| {
        let longest = rows
            .iter()
            .filter_map(|r| r.get(i).cloned().flatten())
            .map(|c| c.chars().count())
            .max()
            .unwrap_or(0);
        computed(name, Value::Text(" ".repeat(longest.max(64))).column(name))
    });
    let columns = columns.collect();
    let rows: Vec<Row> =
        rows.into_iter().map(|r| r.into_iter().map(|c| c.map(String::into_bytes)).collect()).collect();
    Answer::Table(columns, rows)
}

/// LIKE without regard to case: `%`, `_`, and `\` before either.
pub(super) fn like(text: &str, pattern: &str) -> bool {
    fn matches(text: &[char], pattern: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['%', rest @ ..] => (0..=text.len()).any(|i| matches(&text[i..], rest)),
            ['_', rest @ ..] => !text.is_empty() && matches(&text[1..], rest),
            ['\\', c, rest @ ..] | [c, rest @ ..] => text.first() == Some(c) && matches(&text[1..], rest),
        }
    }
    let chars = |s: &str| s.to_lowercase().chars().take(256).collect::<Vec<char>>();
    // Each `%` multiplies the work: a pattern with many of them has no honest use here.
    pattern.matches('%').count() <= 8 && matches(&chars(text), &chars(pattern))
}

fn wanted(text: &str, pattern: Option<&str>) -> bool {
    pattern.is_none_or(|p| like(text, p))
}

impl Session {
    pub(super) async fn show(&mut self, show: Show, request: &RequestId) -> Result<Answer, Failure> {
        match show {
            Show::Warnings { errors_only, limit } => {
                let notes = self.warnings.iter().filter(|w| !errors_only || w.level == "Error");
                let (skip, take) = limit.map_or((0, usize::MAX), |l| {
                    (
                        usize::try_from(l.offset).unwrap_or(usize::MAX),
                        usize::try_from(l.count).unwrap_or(usize::MAX),
                    )
                });
                Ok(status::warnings(notes.skip(skip).take(take)))
            }
            Show::WarningCount { errors_only } => {
                let name = if errors_only { "@@session.error_count" } else { "@@session.warning_count" };
                let count = self.warnings.iter().filter(|w| !errors_only || w.level == "Error").count();
                let row = vec![Some(count.to_string().into_bytes())];
                Ok(Answer::Table(vec![computed(name, Typed::count().column(name))], vec![row]))
            }
            Show::Variables { global, like, filter } => {
                self.show_variables(global, like.as_deref(), filter.as_deref())
            }
            Show::Status { like, filter } => self.show_status(like.as_deref(), filter.as_deref()),
            Show::Grants => Ok(self.show_grants()),
            Show::Plugins => Ok(Self::show_plugins()),
            Show::ProcessList { full } => Ok(self.show_processes(full)),
            Show::Databases { like } => {
                let rows = self.schemas(request).await?.into_iter().filter(|s| wanted(s, like.as_deref()));
                Ok(table(&["Database"], rows.map(|s| vec![Some(s)]).collect()))
            }
            Show::Tables { full, schema, like } => self.tables(full, schema, like.as_deref(), request).await,
            Show::ReplicaStatus { old_words } => Ok(replica::status(old_words)),
            Show::Abilities(words) => Err(Failure::NotForThisServer(format!("SHOW {words}"))),
        }
    }

    /// The real schemas that the tenant may use, and the virtual ones.
    async fn schemas(&self, request: &RequestId) -> Result<Vec<String>, Failure> {
        let Some(tenant) = self.tenant() else { return Ok(Vec::new()) };
        let mut schemas = tenant.agent.schemas(&tenant.caller, &tenant.server_id, request).await?;
        if let Some(allowed) = &tenant.allowed_schemas {
            schemas.retain(|s| allowed.contains(s));
        }
        schemas.extend(
            [VirtualSchema::Flashback, VirtualSchema::Diff, VirtualSchema::Snapshot]
                .map(|s| s.name().to_owned()),
        );
        schemas.sort();
        Ok(schemas)
    }

    /// COM_FIELD_LIST: the columns of a table of the current database whose names are like `wildcard` (empty: all), as the record
    /// knows them last. Command lines ask it of every table, to complete names.
    ///
    /// # Errors
    /// 1046 without a database, 1044 where the tenant may not, 1146 for a table that SHOW TABLES does not show, agent failures.
    pub async fn field_list(
        &mut self,
        table: &[u8],
        wildcard: &[u8],
        request: &RequestId,
    ) -> Result<Vec<ResultColumn>, Failure> {
        self.about = About { kind: "field_list", table: None };
        let tenant = self.tenant().ok_or(Failure::NoDatabase)?;
        let schema = self.schema.clone().ok_or(Failure::NoDatabase)?;
        if tenant.allowed_schemas.as_ref().is_some_and(|allowed| !allowed.contains(&schema)) {
            return Err(self.denied(&schema));
        }
        let name = TableName { schema, table: self.decoded(table)? };
        let wildcard = self.decoded(wildcard)?;
        self.about.table = Some(name.to_string());
        let asked = tenant.agent.newest_definition(&tenant.caller, &tenant.server_id, &name, request).await;
        let definition = match asked {
            Ok(definition) => definition,
            // A 404 may also mean that the agent has no such server, or that something else answers there.
            Err(rejected @ Failure::AgentRejected { status: 404, .. }) => {
                let tables =
                    tenant.agent.tables(&tenant.caller, &tenant.server_id, &name.schema, request).await?;
                let known = tables.contains(&name.table);
                return Err(if known { rejected } else { Failure::UnknownTable(name) });
            }
            Err(failure) => return Err(failure),
        };
        let pattern = (!wildcard.is_empty()).then_some(wildcard.as_str());
        let columns = definition.columns.into_iter().filter(|c| wanted(&c.name, pattern));
        let columns = columns.map(|column| ResultColumn {
            name: column.name.clone(),
            org_name: column.name.clone(),
            table: name.table.clone(),
            org_table: name.table.clone(),
            schema: name.schema.clone(),
            column,
        });
        Ok(columns.collect())
    }

    async fn tables(
        &self,
        full: bool,
        schema: Option<String>,
        like: Option<&str>,
        request: &RequestId,
    ) -> Result<Answer, Failure> {
        let Some(tenant) = self.tenant() else { return Err(Failure::NoDatabase) };
        let shown = schema.or_else(|| self.schema.clone()).ok_or(Failure::NoDatabase)?;
        let is_virtual = [VirtualSchema::Flashback, VirtualSchema::Diff, VirtualSchema::Snapshot]
            .iter()
            .any(|s| s.name() == shown);
        let real = if is_virtual { self.schema.clone().ok_or(Failure::NoDatabase)? } else { shown.clone() };
        if tenant.allowed_schemas.as_ref().is_some_and(|allowed| !allowed.contains(&real)) {
            return Err(self.denied(&real));
        }
        let tables = tenant.agent.tables(&tenant.caller, &tenant.server_id, &real, request).await?;
        let rows = tables.into_iter().filter(|t| wanted(t, like)).map(|t| {
            let mut row = vec![Some(t)];
            if full {
                row.push(Some("BASE TABLE".to_owned()));
            }
            row
        });
        let mut names = vec![format!("Tables_in_{shown}")];
        if full {
            names.push("Table_type".to_owned());
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Ok(table(&names, rows.collect()))
    }
}
