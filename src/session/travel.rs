//! A time-travel query: the draft, the rules, the agent.

use super::settings::switch;
use super::{Answer, RowStream, Session, Tenant};
use crate::failure::Failure;
use crate::plan::{self, Context, Resolved, guard};
use crate::statement::{Draft, Limit};
use dbtrail_types::ident::RequestId;
use dbtrail_types::instant::Instant;
use std::sync::Arc;

impl Session {
    /// What the plan is told of this session.
    pub(super) fn context<'a>(&'a self, draft: &Draft, tenant: &'a Tenant) -> Result<Context<'a>, Failure> {
        let allow_wide_diff =
            switch(self.user_variable("dbtrail_allow_wide_diff").text().as_deref()) == Some(true);
        Ok(Context {
            user: &self.identity.user,
            host: &self.identity.host,
            server_id: &tenant.server_id,
            current_schema: self.schema_of(draft, tenant)?,
            allowed_schemas: tenant.allowed_schemas.as_deref(),
            zone: &self.zone,
            charsets: self.standing.charsets,
            max_diff_window: self.settings.max_diff_window,
            allow_wide_diff,
        })
    }

    /// A draft with what the session brings to it: its table and instants.
    fn resolved(&self, mut draft: Draft, tenant: &Tenant, now: Instant) -> Result<Resolved, Failure> {
        let select_limit = self.standing.select_limit;
        if draft.limit.is_none() && select_limit < u64::MAX {
            draft.limit = Some(Limit { offset: 0, count: select_limit });
        }
        let context = self.context(&draft, tenant)?;
        plan::resolve(draft, &context, now)
    }

    /// Whose statement it is, and its table and instants; the log is told the table.
    pub(super) fn asked(
        &mut self,
        draft: Draft,
        now: Instant,
    ) -> Result<(Arc<Tenant>, Arc<Resolved>), Failure> {
        let Some(tenant) = self.tenant() else {
            return Err(Failure::Internal("the monitor asked for rows".to_owned()));
        };
        let resolved = self.resolved(draft, &tenant, now)?;
        self.about.table = Some(resolved.table.to_string());
        Ok((tenant, Arc::new(resolved)))
    }

    /// Draft, rules, agent. A definition from the cache is tried once, and asked for afresh where the answer contradicts it.
    pub(super) async fn travel(
        &mut self,
        draft: Draft,
        now: Instant,
        request: &RequestId,
    ) -> Result<Answer, Failure> {
        let (tenant, resolved) = self.asked(draft, now)?;
        let (mut definition, mut cached) =
            tenant.agent.definition(&tenant.caller, &resolved, request).await?;
        loop {
            let attempt = async {
                let admitted = guard::admit(&resolved, &definition, self.settings.guard)?;
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
                    return Ok(Answer::Stream(columns, Box::new(stream)));
                }
                Ok(_) if !cached => {
                    return Err(Failure::AgentNonsense(format!(
                        "the agent told one definition of {} and answered with another",
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
