//! `_history`: what happened, and by whom, as the agent tells it to this tenant.

use super::evaluate::EvaluationContext;
use super::heading::result_columns;
use super::history_rows::{Condition, HistoryRows};
use super::origin::Sight;
use super::travel::audited;
use super::{Answer, RowStream, Session, Tenant};
use crate::failure::Failure;
use crate::plan::change_columns::CONNECTION_NAMES;
use crate::plan::selected::selected;
use crate::plan::{self, When};
use crate::statement::{Draft, HISTORY, Limit, RecordEnd, TimestampExpr};
use dbtrail_types::agent_api::Filter;
use dbtrail_types::column::TableDefinition;
use dbtrail_types::happened::{HistoryRequest, HistoryTable};
use dbtrail_types::names::{RequestId, TableName};
use dbtrail_types::result_set::ResultColumn;
use dbtrail_types::timestamp::{AsOf, Timestamp};

/// A window, or the GTID of one transaction.
type HistoryRange = (Option<(Timestamp, Timestamp)>, Option<String>);

impl Session {
    /// A table of `_history`.
    pub(super) async fn history(
        &mut self,
        table: HistoryTable,
        mut draft: Draft,
        now: Timestamp,
        request: &RequestId,
    ) -> Result<Answer, Failure> {
        let Some(tenant) = self.tenant() else {
            return Err(Failure::Internal("the monitor asked for the record".to_owned()));
        };
        self.about.note(|about| about.table = Some(format!("{HISTORY}.{}", table.name())));
        audited()?;
        if table.has_window() {
            self.record_ends(&mut draft, &tenant, request).await?;
        }
        let (window, transaction) = self.window(table, &draft, &tenant, now)?;
        let definition = table.definition();
        let charsets = self.variables.effective.charsets;
        let selected = selected(&draft, &definition.columns, &self.zone, Some(charsets))?;
        let shown = (selected.output.as_slice(), selected.grouping.as_ref());
        let columns = result_columns(HISTORY, &draft, &definition.columns, shown);
        let filter = plan::history::condition(&draft, &definition, (&self.zone, charsets));
        let allowed = tenant.allowed_schemas.clone();
        let select_limit = self.variables.effective.select_limit;
        let limit =
            draft.limit.or((select_limit < u64::MAX).then_some(Limit { offset: 0, count: select_limit }));
        // At the agent, changes; the others are few.
        let (asked_filter, condition) = if table == HistoryTable::Changes {
            (filter.and_then(|filter| seen(filter, allowed.as_deref()))?, None)
        } else {
            let context = EvaluationContext { session: self, now };
            (None, Condition::new(filter, (&draft, &definition.columns), context)?)
        };
        let enough = limit.filter(|_| selected.order.is_empty() && selected.grouping.is_none());
        let enough = enough.filter(|_| table == HistoryTable::Changes);
        let asked = HistoryRequest {
            server_id: tenant.server_id.clone(),
            table,
            schemas: allowed.clone(),
            window,
            transaction,
            filter: asked_filter,
            limit: enough.map(|limit| limit.offset.saturating_add(limit.count)),
            connection_names: table == HistoryTable::Changes
                && selected.needs_last(CONNECTION_NAMES, definition.columns.len()),
        };
        let answer = tenant.agent.happened(&tenant.caller, &asked, request).await?;
        if *answer.announced != definition {
            return Err(Failure::AgentNonsense(format!(
                "the agent answered _history.{} with other columns: shim and agent are of different versions",
                table.name()
            )));
        }
        let sight = Sight::of(allowed.as_deref());
        let rows = HistoryRows {
            table,
            columns: definition.columns,
            allowed,
            condition,
            limits: self.settings.compute,
        };
        let limits = (limit, self.settings.guard.max_rows);
        let stream = RowStream::of_history(answer, selected, limits, (rows, sight), &self.zone);
        let stream = stream.sharing(self.memory.clone());
        Ok(Answer::Stream(columns.into(), Box::new(stream)))
    }

    /// The columns that a statement will have, before its parameters have values.
    ///
    /// # Errors
    /// A column is not there, or is not ordered or grouped by.
    pub(super) fn history_columns(
        &self,
        table: HistoryTable,
        draft: &Draft,
    ) -> Result<Vec<ResultColumn>, Failure> {
        let definition: TableDefinition = table.definition();
        let selected = selected(draft, &definition.columns, &self.zone, None)?;
        let shown = (selected.output.as_slice(), selected.grouping.as_ref());
        Ok(result_columns(HISTORY, draft, &definition.columns, shown))
    }

    /// Puts the ends of the record instead of the words that mean them.
    async fn record_ends(
        &self,
        draft: &mut Draft,
        tenant: &Tenant,
        request: &RequestId,
    ) -> Result<(), Failure> {
        if !draft.time.instants().any(|instant| instant.end().is_some()) {
            return Ok(());
        }
        // The instant is looked at before the table: no table need have this name.
        let any = TableName { schema: "mysql".to_owned(), table: "dbtrail_record".to_owned() };
        let found = tenant.agent.ends(&tenant.caller, &tenant.server_id, &any, request).await?;
        let (oldest, newest) = found.ok_or_else(|| {
            Failure::Unsupported("the agent does not say where its record begins and ends".to_owned())
        })?;
        for instant in draft.time.instants() {
            match instant.end() {
                Some(RecordEnd::Earliest) => *instant = TimestampExpr::RecordEndAt(oldest),
                Some(RecordEnd::Latest) => *instant = TimestampExpr::RecordEndAt(newest),
                None => {}
            }
        }
        Ok(())
    }

    /// The window, or the transaction, of a table that has one.
    fn window(
        &self,
        table: HistoryTable,
        draft: &Draft,
        tenant: &Tenant,
        now: Timestamp,
    ) -> Result<HistoryRange, Failure> {
        if !table.has_window() {
            return Ok((None, None));
        }
        match plan::when(draft, &self.context(draft, tenant)?, now)? {
            When::Between(since, until) => Ok((Some((since, until)), None)),
            When::At(AsOf::Gtid(gtid)) => Ok((None, Some(gtid))),
            When::At(AsOf::Time(_)) => {
                Err(Failure::Syntax("_history takes BETWEEN ... AND ... or AT GTID".to_owned()))
            }
        }
    }
}

/// Refuses a condition on what the tenant may not see of every change: its answer would tell it.
fn seen(filter: Option<Filter>, allowed: Option<&[String]>) -> Result<Option<Filter>, Failure> {
    let named = filter.as_ref().filter(|_| allowed.is_some());
    if named.is_some_and(|filter| filter.columns().iter().any(|name| name.eq_ignore_ascii_case("statement")))
    {
        return Err(Failure::Unsupported(
            "a condition on column statement: its text is shown only to who may see all schemas that it speaks of, so that only users of all schemas \
             can ask for it in WHERE"
                .to_owned(),
        ));
    }
    Ok(filter)
}
