//! One statement, carried out.

use super::answer::Answer;
use super::evaluate::Value;
use super::heading::computed;
use super::identity::Role;
use super::{Session, evaluate};
use crate::failure::Failure;
use crate::plan;
use crate::statement::{Show, Statement, VirtualSchema};
use dbtrail_types::names::RequestId;
use dbtrail_types::timestamp::Timestamp;
use sqlparser::ast::Expr;

impl Session {
    pub(super) async fn run(
        &mut self,
        statement: Statement,
        now: Timestamp,
        request: &RequestId,
    ) -> Result<Answer, Failure> {
        self.permitted(&statement)?;
        if self.charset.is_none() && !matches!(statement, Statement::Set(_)) {
            let name = self.variable("character_set_results").ok().flatten().unwrap_or_default();
            return Err(Failure::UnknownCharset(name));
        }
        match statement {
            Statement::TimeTravel(draft) if draft.virtual_schema == VirtualSchema::Undo => {
                self.undo(*draft, now, request).await
            }
            Statement::TimeTravel(draft) => self.travel(*draft, now, request).await,
            Statement::History(table, draft) => self.history(table, *draft, now, request).await,
            Statement::Explain(draft) => self.explain(*draft, now, request).await,
            Statement::Set(assignments) => self.set(&assignments, now).map(|()| Answer::Done),
            Statement::Constants { mut items, filter, limit } => {
                if !self.selects(filter.as_deref(), now)? {
                    return self.constants(&items, Some(0), now);
                }
                self.ends_selected(&mut items, request).await?;
                self.slept(items.iter().map(|(_, expression)| expression), now).await?;
                self.constants(&items, limit, now)
            }
            Statement::Show(show) => self.show(show, now),
            Statement::InformationSchema(question) => self.information_schema(question, now, request).await,
            Statement::Use(name) => self.use_schema(&name, request).await.map(|()| Answer::Done),
            Statement::Begin { read_only, snapshot } => {
                self.begin_transaction(read_only, snapshot);
                Ok(Answer::Done)
            }
            Statement::Commit | Statement::Rollback => {
                self.end_transaction();
                Ok(Answer::Done)
            }
            Statement::Savepoint(what, name) => {
                self.transaction.savepoint(what, &name).map(|()| Answer::Done)
            }
            // No table is ever locked here: there is nothing to unlock, which is what mysqld does
            // then.
            Statement::Comments | Statement::UnlockTables => Ok(Answer::Done),
            Statement::Do(expressions) => {
                self.slept(expressions.iter(), now).await?;
                let mut budget = self.budget();
                for expression in &expressions {
                    self.typed(expression, now, &mut budget)?;
                }
                Ok(Answer::Done)
            }
            Statement::Kill { query_only, id } => {
                let Value::Int(id) = self.evaluate(&id, now)? else {
                    return Err(Failure::Syntax("KILL takes the number of a connection".to_owned()));
                };
                let id = u64::try_from(id).map_err(|_| Failure::NoSuchThread(u64::MAX))?;
                // Whoever kills itself gets an error for it, as from mysqld, and a connection ends
                // after that.
                if id == u64::from(self.identity.connection_id) {
                    self.over = !query_only;
                    return Err(Failure::Interrupted);
                }
                self.connections.kill(id, query_only, &self.identity.user).map(|()| Answer::Done)
            }
            Statement::Prepare { .. } | Statement::Execute { .. } | Statement::Deallocate { .. } => {
                Err(Failure::NotPreparable)
            }
            Statement::Empty => Err(Failure::EmptyQuery),
            Statement::Refused(refused) => Err(plan::refusal(refused)),
        }
    }

    /// The monitor may ask what its probes ask.
    pub(super) fn permitted(&self, statement: &Statement) -> Result<(), Failure> {
        if matches!(self.identity.role, Role::Monitor)
            && !matches!(
                statement,
                Statement::Constants { .. } | Statement::Set(_) | Statement::Show(Show::ReplicaStatus { .. })
            )
        {
            return Err(Failure::NotForThisServer("anything but the probes of the monitor user".to_owned()));
        }
        Ok(())
    }

    /// Whether a SELECT without a table has its row.
    fn selects(&self, filter: Option<&Expr>, now: Timestamp) -> Result<bool, Failure> {
        let Some(filter) = filter else { return Ok(true) };
        let here = evaluate::EvaluationContext { session: self, now };
        let node = dbtrail_expression::condition(filter, &here).map_err(|e| (e, "where clause"))?;
        Ok(node.holds(&[], &[], &mut self.budget()).map_err(|e| (e, "where clause"))?)
    }

    fn constants(
        &mut self,
        items: &[(String, Expr)],
        limit: Option<u64>,
        now: Timestamp,
    ) -> Result<Answer, Failure> {
        let (mut columns, mut row) = (Vec::new(), Vec::new());
        let (mut budget, mut length) = (self.budget(), 0_usize);
        for (name, expression) in items {
            let (value, ty) = if limit == Some(0) {
                self.declared(expression, now)?
            } else {
                self.assigned(expression, now, &mut budget)?
            };
            // A variable that is named often is kept once, and sent as often as it is named.
            length = length.saturating_add(value.length());
            if length > self.settings.max_packet {
                return Err(Failure::Unsupported("a row that is longer than max_allowed_packet".to_owned()));
            }
            row.push(value.text().map(|t| t.as_bytes().to_vec()));
            columns.push(computed(name, evaluate::column(name, &ty)));
        }
        let none = limit == Some(0) || self.variables.effective.select_limit == 0;
        Ok(Answer::Table(columns, if none { Vec::new() } else { vec![row] }))
    }
}
