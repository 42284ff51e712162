//! `_history`: what happened, and by whom, as the agent tells it to this tenant.

use super::evaluate::EvaluationContext;
use super::travel::audited;
use super::{Answer, Session, local_time, sort};
use crate::agent_client::Batch;
use crate::failure::Failure;
use crate::plan::{self, guard};
use crate::statement::{Draft, HISTORY, Limit, RecordEnd, TimeClause};
use dbtrail_expression::{
    Coercibility, Collated, Error, Kind, Node, Scope, Settings, Type, Typed, Value, condition,
};
use dbtrail_types::agent_api::{Octets, RowCell, RowLine};
use dbtrail_types::column::{Column, ColumnType};
use dbtrail_types::happened::{HistoryRequest, HistoryTable};
use dbtrail_types::instant::Instant;
use dbtrail_types::names::{RequestId, TableName};
use dbtrail_types::result_set::{ResultColumn, Row};
use dbtrail_types::zone::Zone;

/// Bytes of rows at most: an answer is made before it is sent.
const MEMORY: usize = 64 << 20;

impl Session {
    /// A table of `_history`.
    pub(super) async fn history(
        &mut self,
        table: HistoryTable,
        mut draft: Draft,
        now: Instant,
        request: &RequestId,
    ) -> Result<Answer, Failure> {
        let Some(tenant) = self.tenant() else {
            return Err(Failure::Internal("the monitor asked for the record".to_owned()));
        };
        self.about.note(|about| about.table = Some(format!("{HISTORY}.{}", table.name())));
        audited()?;
        if table.has_window() && draft.time.instants().any(|instant| instant.end().is_some()) {
            // The instant is looked at before the table: no table need have this name.
            let any = TableName { schema: "mysql".to_owned(), table: "dbtrail_record".to_owned() };
            let found = tenant.agent.ends(&tenant.caller, &tenant.server_id, &any, request).await?;
            let (oldest, newest) = found.ok_or_else(|| {
                Failure::Unsupported("the agent does not say where its record begins and ends".to_owned())
            })?;
            for instant in draft.time.instants() {
                match instant.end() {
                    Some(RecordEnd::Earliest) => *instant = crate::statement::InstantExpr::Known(oldest),
                    Some(RecordEnd::Latest) => *instant = crate::statement::InstantExpr::Known(newest),
                    None => {}
                }
            }
        }
        let window = match &draft.time {
            TimeClause::Between(since, until) => {
                let context = self.context(&draft, &tenant)?;
                Some(plan::between(&draft, since, until, &context, now)?)
            }
            TimeClause::At(_) | TimeClause::Gtid(_) => None,
        };
        let definition = table.definition();
        let (output, order) = guard::selected(&draft, &definition.columns)?;
        let names = Names {
            ground: EvaluationContext { session: self, now },
            draft: &draft,
            columns: &definition.columns,
        };
        let filter = draft.filter.as_ref().map(|filter| condition(filter, &names)).transpose();
        let filter = filter.map_err(|e| Failure::from((e, "where clause")))?;
        let asked = HistoryRequest {
            server_id: tenant.server_id.clone(),
            table,
            schemas: tenant.allowed_schemas.clone(),
            window,
        };
        let mut answer = tenant.agent.happened(&tenant.caller, &asked, request).await?;
        if *answer.announced != definition {
            return Err(Failure::AgentNonsense(format!(
                "the agent answered _history.{} with other columns: shim and agent are of different versions",
                table.name()
            )));
        }
        let limit = draft.limit.unwrap_or(Limit { offset: 0, count: self.variables.effective.select_limit });
        let enough = limit.offset.saturating_add(limit.count);
        let (mut kept, mut bytes): (Vec<Row>, usize) = (Vec::new(), 0);
        'all: loop {
            let lines = match answer.next().await? {
                Batch::Rows(lines) => lines,
                Batch::End(_) => break,
                Batch::Events(..) => {
                    return Err(Failure::AgentNonsense("the agent answered with events".to_owned()));
                }
            };
            let mut budget = self.budget();
            for line in lines {
                guarded(table, &line, tenant.allowed_schemas.as_deref())?;
                let row = shown(line, &definition.columns, &self.zone)?;
                if let Some(filter) = &filter
                    && !filter.holds(&values(&row, &definition.columns), &[], &mut budget)?
                {
                    continue;
                }
                bytes += row.iter().flatten().map(|cell| cell.len() + 32).sum::<usize>();
                if bytes > MEMORY {
                    return Err(Failure::Unsupported(format!(
                        "an answer of _history of more than {MEMORY} bytes: ask for a shorter window, or add WHERE or LIMIT"
                    )));
                }
                kept.push(row);
                if order.is_empty() && kept.len() as u64 >= enough {
                    break 'all;
                }
            }
        }
        kept.sort_by(|a, b| sort::compare(a, b, &order, &definition.columns));
        let (offset, count) = (
            usize::try_from(limit.offset).unwrap_or(usize::MAX),
            usize::try_from(limit.count).unwrap_or(usize::MAX),
        );
        let rows = kept.into_iter().skip(offset).take(count);
        let rows = rows.map(|row| output.iter().map(|o| row[o.source].clone()).collect()).collect();
        let named = draft.alias.clone().unwrap_or_else(|| table.name().to_owned());
        let columns = output.iter().map(|o| ResultColumn {
            name: o.name.clone(),
            org_name: definition.columns[o.source].name.clone(),
            table: named.clone(),
            org_table: table.name().to_owned(),
            schema: HISTORY.to_owned(),
            column: definition.columns[o.source].clone(),
        });
        Ok(Answer::Table(columns.collect(), rows))
    }
}

/// Refuses a row that tells of a schema that the tenant may not see: no agent may send one.
fn guarded(table: HistoryTable, line: &RowLine, allowed: Option<&[String]>) -> Result<(), Failure> {
    let Some(allowed) = allowed else { return Ok(()) };
    let text = |at: usize| match line.get(at) {
        Some(RowCell::Value(Octets(bytes))) => std::str::from_utf8(bytes).ok(),
        Some(RowCell::Null | RowCell::Unknown(_)) | None => None,
    };
    let seen = match table {
        HistoryTable::Gaps => true,
        HistoryTable::Ddl => text(2).is_some_and(|schema| allowed.iter().any(|a| a == schema)),
        HistoryTable::Tables => text(0).is_some_and(|schema| allowed.iter().any(|a| a == schema)),
        HistoryTable::Transactions => text(9)
            .and_then(|json| serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(json).ok())
            .is_some_and(|tables| {
                let inside = |name: &String| {
                    allowed.iter().any(|a| name.strip_prefix(a.as_str()).is_some_and(|t| t.starts_with('.')))
                };
                !tables.is_empty() && tables.keys().all(inside)
            }),
    };
    if seen {
        Ok(())
    } else {
        Err(Failure::AgentNonsense("the agent sent a row that is not for this tenant".to_owned()))
    }
}

/// The cells as the client gets them.
fn shown(line: RowLine, columns: &[Column], zone: &Zone) -> Result<Row, Failure> {
    let cells = line.into_iter().zip(columns).map(|(cell, column)| {
        let cell = cell.known().map_err(Failure::AgentNonsense)?;
        match (cell, &column.ty) {
            (Some(Octets(utc)), ty @ ColumnType::Timestamp { .. }) => {
                local_time::shown_in(zone, &utc, ty).map(Some)
            }
            (cell, _) => Ok(cell.map(|octets| octets.0)),
        }
    });
    cells.collect()
}

/// The cells as WHERE sees them; those of columns that it cannot name are NULL.
fn values(row: &Row, columns: &[Column]) -> Vec<Value> {
    let cells = row.iter().zip(columns).map(|(cell, column)| {
        let Some(text) = cell.as_deref().and_then(|cell| std::str::from_utf8(cell).ok()) else {
            return Value::Null;
        };
        match kind(column) {
            Some(Kind::Int { .. }) => text.parse().map_or(Value::Null, Value::Int),
            Some(_) => Value::from(text),
            None => Value::Null,
        }
    });
    cells.collect()
}

/// What WHERE compares a column as; `None`: it is not compared here.
fn kind(column: &Column) -> Option<Kind> {
    let collated = Collated { name: "utf8mb4_bin", coercibility: Coercibility::Implicit };
    if let ColumnType::Int { unsigned, .. } = column.ty {
        return Some(Kind::Int { width: 20, unsigned });
    }
    if let ColumnType::VarChar { chars } = column.ty {
        return Some(Kind::Text { chars, collated });
    }
    matches!(column.ty, ColumnType::Text { .. }).then_some(Kind::Text { chars: 65_535, collated })
}

/// Names in WHERE.
struct Names<'a> {
    ground: EvaluationContext<'a>,
    draft: &'a Draft,
    columns: &'a [Column],
}

impl Scope for Names<'_> {
    fn settings(&self) -> Settings {
        self.ground.settings()
    }

    fn column(&self, qualifier: Option<&str>, name: &str) -> Result<Typed, Error> {
        let own = |q: &str| match &self.draft.alias {
            Some(alias) => q.eq_ignore_ascii_case(alias),
            None => {
                q.eq_ignore_ascii_case(&self.draft.table)
                    || q.eq_ignore_ascii_case(&format!("{HISTORY}.{}", self.draft.table))
            }
        };
        let found = self.columns.iter().enumerate().find(|(_, c)| c.name.eq_ignore_ascii_case(name));
        let Some((at, column)) = found.filter(|_| qualifier.is_none_or(own)) else {
            return Err(Error::UnknownColumn(
                qualifier.map_or_else(|| name.to_owned(), |q| format!("{q}.{name}")),
            ));
        };
        let kind = kind(column).ok_or_else(|| {
            Error::Unsupported(format!(
                "WHERE on {} ({}) is not computed here: narrow the time with BETWEEN, and compare numbers and text",
                column.name, column.ty
            ))
        })?;
        Ok(Typed { node: Node::Column(at), ty: Type::new(kind, column.nullable) })
    }

    fn user_variable(&self, name: &str) -> Typed {
        self.ground.user_variable(name)
    }

    fn system_variable(&self, scope: &str, name: &str) -> Result<Typed, Error> {
        self.ground.system_variable(scope, name)
    }

    fn function(&self, name: &str, arguments: &[Typed]) -> Option<Result<Typed, Error>> {
        self.ground.function(name, arguments)
    }

    fn bare_function(&self, name: &str) -> Option<Result<Typed, Error>> {
        self.ground.bare_function(name)
    }
}
