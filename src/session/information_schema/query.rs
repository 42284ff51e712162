//! Planning of queries of several SELECTs on `information_schema`.

use super::build::position;
use super::plan::{Plan, QueryPlan, labels};
use super::scope::{Names, ScopeColumn};
use crate::failure::Failure;
use crate::session::evaluate::EvaluationContext;
use crate::statement::Query;
use dbtrail_expression::{Node, Scope as _, Type, Typed, united};

impl QueryPlan {
    /// Plans a query; `around`: the columns of the queries that it is a part of.
    ///
    /// # Errors
    /// As [`Plan::select`]; SELECTs that UNION cannot put together, or not reliably.
    pub(super) fn of(
        query: &Query,
        around: &[ScopeColumn],
        session: EvaluationContext<'_>,
    ) -> Result<Self, Failure> {
        let first = Plan::select(&query.first, around, session, Self::of)?;
        let mut plan =
            Self { first, others: Vec::new(), united: Vec::new(), order_by: Vec::new(), limit: query.limit };
        for other in &query.others {
            plan.others.push((other.all, Plan::select(&other.selection, around, session, Self::of)?));
        }
        if plan.others.is_empty() {
            return Ok(plan);
        }
        let mut plan = plan.without_assignments()?;
        let all = || std::iter::once(&plan.first).chain(plan.others.iter().map(|(_, p)| p));
        let width = plan.first.output.len();
        if all().any(|p| p.output.len() != width) {
            return Err(Failure::Unsupported(
                "a UNION whose SELECTs have different numbers of columns (1222 in MySQL)".to_owned(),
            ));
        }
        let mut columns = Vec::with_capacity(width);
        for at in 0..width {
            let types: Vec<&Type> = all().map(|p| &p.output[at].typed.ty).collect();
            let name = &plan.first.output[at].column.name;
            let ty = united(&types, &session.settings()).ok_or_else(|| {
                Failure::Unsupported(format!("a UNION of values of different types, in its column {name}"))
            })?;
            columns.push(Typed { node: Node::Column(at), ty });
        }
        plan.united = columns;
        let outputs: Vec<(String, Typed)> = plan
            .first
            .output
            .iter()
            .zip(&plan.united)
            .map(|(output, typed)| (output.column.name.clone(), typed.clone()))
            .collect();
        for (expression, descending) in &query.order_by {
            let clause = "order clause";
            let names = Names::new(&[], &outputs, clause, session);
            let typed = position(expression, &outputs, clause).unwrap_or_else(|| names.typed(expression))?;
            let ranks = |p: &Plan| {
                let of = |at: usize| {
                    if let Node::Column(own) = p.output[at].typed.node { Some(own) } else { None }
                };
                typed.node.columns().into_iter().filter_map(of).any(|at| !labels(&p.sources, at).is_empty())
            };
            if all().any(ranks) {
                return Err(Failure::Unsupported("ORDER BY an ENUM after a UNION".to_owned()));
            }
            plan.order_by.push((typed, *descending));
        }
        Ok(plan)
    }
}
