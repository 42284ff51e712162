//! The columns of the result that a prepared statement will have, as far as PREPARE can tell them.

use super::super::heading::result_columns;
use super::super::{Answer, Session, computed, evaluate, explain};
use super::parameter;
use crate::failure::Failure;
use crate::plan::guard::PreparedDraft;
use crate::plan::{self, guard, refusal};
use crate::statement::{Draft, Outline, Parameter, Show, Statement, Template};
use dbtrail_types::column::ColumnType;
use dbtrail_types::names::RequestId;
use dbtrail_types::result_set::ResultColumn;
use dbtrail_types::timestamp::Timestamp;
use std::sync::Arc;

/// Characters of a text whose length is not known: as many as mysqld declares.
pub(super) const UNKNOWN_LENGTH: u32 = 16_383;

impl Session {
    /// The columns of the result to come; takes down what is known of the parameters.
    pub(super) async fn described(
        &mut self,
        template: &Template,
        outline: Outline,
        parameters: &mut [ResultColumn],
        now: Timestamp,
        request: &RequestId,
    ) -> Result<Vec<ResultColumn>, Failure> {
        let statement = outline.statement;
        if !matches!(statement, Statement::Refused(_) | Statement::Empty) {
            self.permitted(&statement)?;
        }
        match statement {
            Statement::TimeTravel(draft) => self.outlined(*draft, parameters, now, request).await,
            Statement::History(table, draft) => self.history_columns(table, &draft),
            Statement::Explain(draft) => {
                self.outlined(*draft, parameters, now, request).await?;
                Ok(explain::columns())
            }
            Statement::Constants { .. } => self.constant_columns(template, now),
            Statement::Show(Show::Warnings { .. } | Show::WarningCount { .. })
            | Statement::Use(_)
            | Statement::Begin { .. }
            | Statement::Savepoint(..)
            | Statement::Prepare { .. }
            | Statement::Execute { .. }
            | Statement::Deallocate { .. } => Err(Failure::NotPreparable),
            Statement::Kill { .. } if template.parameters() > 0 => Err(Failure::Syntax(
                "KILL takes the number of a connection; a parameter (?) stands for values in queries only"
                    .to_owned(),
            )),
            Statement::Show(_) | Statement::InformationSchema(_) => {
                self.shown_columns(template, now, request).await
            }
            Statement::Set(_)
            | Statement::Do(_)
            | Statement::UnlockTables
            | Statement::Commit
            | Statement::Rollback
            | Statement::Kill { .. } => Ok(Vec::new()),
            Statement::Empty | Statement::Comments => Err(Failure::EmptyQuery),
            Statement::Refused(refused) => Err(refusal(refused)),
        }
    }

    /// A time-travel statement: its definition at the instant asked for or, while that is a
    /// parameter, the newest. A definition from the cache is of some other instant and will not do.
    async fn outlined(
        &mut self,
        draft: Draft,
        parameters: &mut [ResultColumn],
        now: Timestamp,
        request: &RequestId,
    ) -> Result<Vec<ResultColumn>, Failure> {
        let Some(tenant) = self.tenant() else {
            return Err(Failure::Internal("the monitor asked for rows".to_owned()));
        };
        let table = plan::table(&draft, &self.context(&draft, &tenant)?)?;
        self.about.note(|about| about.table = Some(table.to_string()));
        let an_end = super::super::travel::ends_named(&mut draft.time.clone()).iter().any(Option::is_some);
        let definition = if draft.time.is_open() || an_end {
            let newest = tenant.agent.newest_definition(&tenant.caller, &tenant.server_id, &table, request);
            Arc::new(newest.await?)
        } else {
            let resolved = plan::resolve(draft.clone(), &self.context(&draft, &tenant)?, now)?;
            tenant.agent.fresh_definition(&tenant.caller, &resolved, request).await?
        };
        let allowed = self.context(&draft, &tenant)?.allow_table_scan;
        let asked = PreparedDraft {
            draft: &draft,
            table: &table,
            zone: &self.zone,
            charsets: self.variables.effective.charsets,
            allow_scan: draft.allow_table_scan.unwrap_or(allowed),
        };
        let outlined = guard::outline(asked, &definition, self.settings.guard)?;
        for (number, column) in outlined.parameters {
            if let Some(declared) = parameters.get_mut(number) {
                *declared = parameter(column.ty, column.collation.is_some());
            }
        }
        let source = guard::source(draft.virtual_schema, &definition);
        let shown = (&*outlined.output, outlined.grouping.as_ref());
        Ok(result_columns(draft.virtual_schema.name(), &draft, &source, shown))
    }

    /// Columns of a SELECT without a table. What its parameters make of an expression is not known:
    /// text, as mysqld declares it.
    fn constant_columns(&self, template: &Template, now: Timestamp) -> Result<Vec<ResultColumn>, Failure> {
        let open = template.parameters() > 0;
        let nothing = vec![Parameter::Null; template.parameters()];
        let Statement::Constants { items, .. } = template.bound(&nothing) else { return Ok(Vec::new()) };
        let unknown = |name: &str| {
            let mut column = parameter(ColumnType::VarChar { chars: UNKNOWN_LENGTH }, true);
            name.clone_into(&mut column.name);
            column
        };
        let columns = items.iter().map(|(name, expression)| match self.declared(expression, now) {
            Ok((value, ty)) if !open || !value.is_null() => Ok(computed(name, evaluate::column(name, &ty))),
            Err(failure) if !open || !matches!(failure, Failure::Unsupported(_)) => Err(failure),
            Ok(_) | Err(_) => Ok(unknown(name)),
        });
        columns.collect()
    }

    /// Columns of a statement that shows something: those of its answer now. Where values decide
    /// whether there is one, none, as mysqld tells none of many a SHOW before it is executed.
    async fn shown_columns(
        &mut self,
        template: &Template,
        now: Timestamp,
        request: &RequestId,
    ) -> Result<Vec<ResultColumn>, Failure> {
        let values = vec![Parameter::Text(String::new()); template.parameters()];
        match self.run(template.bound(&values), now, request).await {
            Ok(Answer::Table(columns, _)) => Ok(columns),
            Ok(Answer::Stream(columns, _)) => Ok(columns.to_vec()),
            Ok(Answer::Done) => Ok(Vec::new()),
            Err(Failure::Unsupported(_) | Failure::Syntax(_) | Failure::BadTimestamp(_))
                if template.parameters() > 0 =>
            {
                Ok(Vec::new())
            }
            Err(failure) => Err(failure),
        }
    }
}
