//! A time-travel query: the draft, the rules, the agent.

use super::notes::NOTE;
use super::origin::Sight;
use super::settings::switch;
use super::{Answer, RowStream, Session, Tenant};
use crate::failure::Failure;
use crate::plan::guard::Admitted;
use crate::plan::{self, Context, Resolved, When, guard};
use crate::statement::{Draft, Limit, RecordEnd, TimeClause, TimestampExpr, VirtualSchema};
use crate::telemetry::audit;
use dbtrail_types::column::same_name;
use dbtrail_types::names::{RequestId, TableName};
use dbtrail_types::result_set::Note;
use dbtrail_types::timestamp::{AsOf, Timestamp};
use sqlparser::ast::{Expr, Value};
use std::sync::Arc;

impl Session {
    /// What the plan gets of this session.
    pub(super) fn context<'a>(&'a self, draft: &Draft, tenant: &'a Tenant) -> Result<Context<'a>, Failure> {
        let is_on = |variable| -> Result<bool, Failure> {
            Ok(switch(self.variables.user_value(variable)?.text().as_deref()) == Some(true))
        };
        Ok(Context {
            user: &self.identity.user,
            host: &self.identity.host,
            server_id: &tenant.server_id,
            current_schema: self.schema_of(draft, tenant)?,
            allowed_schemas: tenant.allowed_schemas.as_deref(),
            zone: &self.zone,
            charsets: self.variables.effective.charsets,
            max_diff_window: self.settings.max_diff_window,
            allow_wide_diff: is_on("dbtrail_allow_wide_diff")?,
            allow_table_scan: is_on("dbtrail_allow_table_scan")?,
        })
    }

    /// A draft with what the session brings to it: its table and instants.
    fn resolved(&self, mut draft: Draft, tenant: &Tenant, now: Timestamp) -> Result<Resolved, Failure> {
        let select_limit = self.variables.effective.select_limit;
        if draft.limit.is_none() && select_limit < u64::MAX {
            draft.limit = Some(Limit { offset: 0, count: select_limit });
        }
        let context = self.context(&draft, tenant)?;
        plan::resolve(draft, &context, now)
    }

    /// Whose statement it is, and its table and instants; the log is given the table.
    pub(super) async fn asked(
        &mut self,
        mut draft: Draft,
        now: Timestamp,
        request: &RequestId,
    ) -> Result<(Arc<Tenant>, Arc<Resolved>), Failure> {
        let Some(tenant) = self.tenant() else {
            return Err(Failure::Internal("the monitor asked for rows".to_owned()));
        };
        self.ends_found(&mut draft, &tenant, request).await?;
        let resolved = self.resolved(draft, &tenant, now)?;
        let resolved = Arc::new(resolved);
        self.about.note(|about| {
            about.table = Some(resolved.table.to_string());
            about.resolved = Some(Arc::clone(&resolved));
        });
        audited()?;
        Ok((tenant, resolved))
    }

    /// Puts the ends of the record instead of the words that mean them.
    async fn ends_found(
        &self,
        draft: &mut Draft,
        tenant: &Tenant,
        request: &RequestId,
    ) -> Result<(), Failure> {
        if ends_named(&mut draft.time).iter().all(Option::is_none) {
            return Ok(());
        }
        let table = plan::table(draft, &self.context(draft, tenant)?)?;
        let found = tenant.agent.ends(&tenant.caller, &tenant.server_id, &table, request).await?;
        let Some((oldest, newest)) = found else { return Ok(()) };
        for instant in draft.time.instants() {
            match instant.end() {
                Some(RecordEnd::Earliest) => *instant = TimestampExpr::RecordEndAt(oldest),
                Some(RecordEnd::Latest) => *instant = TimestampExpr::RecordEndAt(newest),
                None => {}
            }
        }
        Ok(())
    }

    /// What the words for an end were taken for.
    fn ends_noted(&self, ends: &[Option<RecordEnd>], resolved: &Resolved) -> Vec<Note> {
        let instants = match &resolved.when {
            When::At(AsOf::Time(at)) => vec![*at],
            When::At(AsOf::Gtid(_)) => Vec::new(),
            When::Between(since, until) => vec![*since, *until],
        };
        let reported = ends.iter().zip(instants).filter_map(|(end, at)| {
            let which = match (*end)? {
                RecordEnd::Earliest => "oldest",
                RecordEnd::Latest => "newest",
            };
            let local = super::local_time::in_zone(at, &self.zone).unwrap_or_else(|_| at.to_string());
            let zone = self.zone.name();
            let message = format!("asked as of {local} ({zone}), the {which} instant that can be answered");
            Some(Note { level: "Note", code: NOTE, message })
        });
        reported.collect()
    }

    /// `SELECT @@dbtrail_oldest, @@dbtrail_newest`: literals instead of the two, in the session's
    /// zone.
    pub(super) async fn ends_selected(
        &self,
        items: &mut [(String, Expr)],
        request: &RequestId,
    ) -> Result<(), Failure> {
        let named = |expression: &Expr| {
            let Expr::Identifier(name) = expression else { return None };
            let is = |variable: &str| name.value.eq_ignore_ascii_case(variable);
            if is("@@dbtrail_oldest") {
                Some(RecordEnd::Earliest)
            } else {
                is("@@dbtrail_newest").then_some(RecordEnd::Latest)
            }
        };
        if !items.iter().any(|(_, expression)| named(expression).is_some()) {
            return Ok(());
        }
        let Some(tenant) = self.tenant() else {
            return Err(Failure::Internal("the monitor asked for the record".to_owned()));
        };
        // The instant is looked at before the table: no table need have this name.
        let table = TableName { schema: "mysql".to_owned(), table: "dbtrail_record".to_owned() };
        let found = tenant.agent.ends(&tenant.caller, &tenant.server_id, &table, request).await?;
        let (oldest, newest) = found.ok_or_else(|| {
            Failure::Unsupported("the agent does not say where its record begins and ends".to_owned())
        })?;
        for (_, expression) in items {
            let at = match named(expression) {
                Some(RecordEnd::Earliest) => oldest,
                Some(RecordEnd::Latest) => newest,
                None => continue,
            };
            let local = super::local_time::in_zone(at, &self.zone)?;
            *expression = Expr::Value(Value::SingleQuotedString(local).with_empty_span());
        }
        Ok(())
    }

    /// An audit is given the keys.
    pub(super) fn note_keys(&self, admitted: &guard::Admitted) {
        if audit::is_on() {
            self.about.note(|about| about.keys = Some(Arc::new(admitted.keys().clone())));
        }
    }

    /// Draft, rules, agent. A definition from the cache is tried once, and asked for afresh where
    /// the answer contradicts it.
    pub(super) async fn travel(
        &mut self,
        draft: Draft,
        now: Timestamp,
        request: &RequestId,
    ) -> Result<Answer, Failure> {
        let notes = ends_named(&mut draft.time.clone());
        let (tenant, resolved) = self.asked(draft, now, request).await?;
        let notes = self.ends_noted(&notes, &resolved);
        let (mut definition, mut cached) =
            tenant.agent.definition(&tenant.caller, &resolved, request).await?;
        loop {
            let attempt = async {
                let admitted = guard::admit(&resolved, &definition, self.settings.guard)?;
                seen(&admitted, tenant.allowed_schemas.as_deref())?;
                self.note_keys(&admitted);
                let rows = tenant.agent.rows(&tenant.caller, &admitted, request).await?;
                Ok((admitted, rows))
            };
            match attempt.await {
                Ok((admitted, rows))
                    if Arc::ptr_eq(&rows.announced, &definition) || *rows.announced == *definition =>
                {
                    if cached && !Arc::ptr_eq(&rows.announced, &definition) {
                        // The same definition, found faster the next time.
                        tenant.agent.remember(&tenant.caller, &resolved, &rows.announced);
                    }
                    let (columns, stream) = RowStream::new(rows, &admitted, &self.zone, &mut self.heading);
                    let sight = Sight::of(tenant.allowed_schemas.as_deref());
                    let stream = stream.with_notes(notes).with_sight(sight).sharing(self.memory.clone());
                    return Ok(Answer::Stream(columns, Box::new(stream)));
                }
                Ok(_) if !cached => {
                    return Err(Failure::AgentNonsense(format!(
                        "the agent gave one definition of {} and answered with another",
                        resolved.table
                    )));
                }
                Err(failure) if !cached => return Err(failure),
                Err(failure @ (Failure::AgentUnreachable(_) | Failure::AgentFailed { .. })) => {
                    return Err(failure);
                }
                Ok(_) | Err(_) => {}
            }
            cached = false;
            definition = tenant.agent.fresh_definition(&tenant.caller, &resolved, request).await?;
        }
    }
}

/// Refuses where nothing may be looked at without a line in the audit log, and none can be written.
pub(super) fn audited() -> Result<(), Failure> {
    audit::refuses().map_or(Ok(()), |why| Err(Failure::Unaudited(why)))
}

/// Refuses a condition on what the tenant may not see of every row: its answer would tell it.
fn seen(admitted: &Admitted, allowed: Option<&[String]>) -> Result<(), Failure> {
    let own = |name: &&str| same_name(name, "statement");
    let is_diff = admitted.resolved().draft.virtual_schema == VirtualSchema::Diff;
    let named = admitted.filter().filter(|_| is_diff && allowed.is_some());
    let named = named.and_then(|filter| filter.columns().into_iter().find(own).map(str::to_owned));
    if named.is_none() || admitted.definition().position("statement").is_some() {
        return Ok(());
    }
    Err(Failure::Unsupported(
        "a condition on column statement: its text is shown only to who may see all schemas that it speaks of, so that only users of all schemas can ask for it in WHERE"
            .to_owned(),
    ))
}

/// Which instants of a clause are ends of the record.
pub(super) fn ends_named(time: &mut TimeClause) -> Vec<Option<RecordEnd>> {
    time.instants().map(|instant| instant.end()).collect()
}
