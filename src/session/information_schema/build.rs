//! From a SELECT or a SHOW as written to its plan.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions are many; only names and numbers are looked for here"
)]

use super::assigned::{self, set_apart};
use super::from;
use super::plan::{FromTable, Output, Plan, Planner, Subplan, declared, labels};
use super::scope::{Names, ScopeColumn};
use super::tables::Table;
use crate::failure::Failure;
use crate::session::evaluate::EvaluationContext;
use crate::statement::{Item, MOST_COLUMNS, Narrowed, Selection, Subquery, subquery_name};
use dbtrail_expression::{Comparison, ExprType, Letters, Mode, Node, Scope as _, Type, Typed, Value};
use dbtrail_types::column::same_name;
use dbtrail_types::result_set::ResultColumn;
use sqlparser::ast::{Expr, Value as Literal};
use std::collections::BTreeSet;

impl Plan {
    /// A SELECT; `outer`: the columns of the queries around it; `planner` plans those inside of it.
    ///
    /// # Errors
    /// Tables, columns and functions that are not known; forms that are not carried out.
    pub(super) fn select(
        selection: &Selection,
        outer: &[ScopeColumn],
        session: EvaluationContext<'_>,
        planner: Planner,
    ) -> Result<Self, Failure> {
        let around = outer.len();
        let mut known = outer.to_vec();
        let (mut sources, mut filter) = (Vec::new(), Vec::new());
        for joined in &selection.tables {
            let (source, conditions) = from::planned(joined, &mut known, around, session, planner)?;
            filter.extend(conditions);
            sources.push(source);
        }
        let end = known.len();
        let mut subqueries = Vec::new();
        for (number, Subquery { kind, query }) in selection.subqueries.iter().enumerate() {
            let plan = planner(query, &known, session)?.without_assignments()?;
            let ty = plan.taken(*kind)?;
            let (name, at) = (subquery_name(number), known.len());
            known.push(ScopeColumn { qualifier: name.clone(), name, ty, hidden: false });
            subqueries.push(Subplan { at, kind: *kind, plan });
        }
        let assigned = assigned::names(&selection.items);
        let (items, assignments) = set_apart(&selection.items, &mut known, |known, value| {
            let names = Names::new(known, &[], "field list", session).nested(around);
            names.assigning(&assigned).typed(value)
        })?;
        let scope = |clause| Names::new(&known, &[], clause, session).nested(around).assigning(&assigned);
        if let Some(condition) = &selection.filter {
            filter.extend(scope("where clause").conditions(condition)?);
        }
        let output = output(&items, &sources, &known[..end], &scope("field list"))?;
        let outputs: Vec<(String, Typed)> =
            output.iter().map(|o| (o.column.name.clone(), o.typed.clone())).collect();
        let following =
            |clause| Names::new(&known, &outputs, clause, session).nested(around).assigning(&assigned);
        let group = |e: &Expr| match position(e, &outputs, "group statement") {
            Some(typed) => typed,
            None => scope("group statement").typed(e).or_else(|_| following("group statement").typed(e)),
        };
        let group_by = selection.group_by.iter().map(group).collect::<Result<Vec<_>, _>>()?;
        let having = match &selection.having {
            Some(condition) => following("having clause").conditions(condition)?,
            None => Vec::new(),
        };
        let ordered = |(e, descending): &(Expr, bool)| {
            let typed =
                position(e, &outputs, "order clause").unwrap_or_else(|| following("order clause").typed(e));
            typed.map(|typed| (ranked(typed, &sources), *descending))
        };
        let order_by = selection.order_by.iter().map(ordered).collect::<Result<Vec<_>, _>>()?;
        let (distinct, limit) = (selection.distinct, selection.limit);
        let mut plan = Self {
            around,
            sources,
            end,
            subqueries,
            assignments,
            assigned: assigned.clone(),
            filter,
            group_by: None,
            having,
            output,
            order_by,
            distinct,
            limit,
        };
        plan.grouped(group_by, &known)?;
        if !plan.assignments.is_empty() && (plan.distinct || plan.group_by.is_some()) {
            return Err(Failure::Unsupported(
                "an assignment to a variable together with DISTINCT, GROUP BY or an aggregate".to_owned(),
            ));
        }
        Ok(plan)
    }

    /// A SHOW: columns of one table under other names.
    ///
    /// # Errors
    /// WHERE names what is not shown, or is not carried out.
    pub(super) fn show(
        table: &'static Table,
        shown: &[(String, &'static str)],
        narrowed: Option<&Narrowed>,
        session: EvaluationContext<'_>,
    ) -> Result<Self, Failure> {
        let mut output = Vec::new();
        for (name, field) in shown {
            let at = table
                .position(field)
                .ok_or_else(|| Failure::Internal(format!("{} has no column {field}", table.name)))?;
            let column = table.fields[at].column();
            let typed = Typed { node: Node::Column(at), ty: table.fields[at].ty() };
            output.push(Output { column: super::super::computed(name, column), typed });
        }
        let filter = match narrowed {
            None => Vec::new(),
            Some(Narrowed::Like(pattern)) => {
                let Some(Output { typed, .. }) = output.first() else { return Err(Failure::EmptyQuery) };
                let ExprType::Text { collated, .. } = typed.ty.kind else { return Err(Failure::EmptyQuery) };
                let letters = Letters::of(collated.name).unwrap_or(Letters::AsciiCase);
                let escape = (!session.settings().no_backslash_escapes).then_some('\\');
                let pattern = Node::Constant(Value::from(pattern.as_str()));
                vec![Node::Like(letters, escape, Box::new((typed.node.clone(), pattern)))]
            }
            Some(Narrowed::Where(condition)) => {
                let outputs: Vec<(String, Typed)> =
                    output.iter().map(|o| (o.column.name.clone(), o.typed.clone())).collect();
                Names::new(&[], &outputs, "where clause", session).conditions(condition)?
            }
        };
        Ok(Self {
            around: 0,
            sources: vec![FromTable::table(table, 0)],
            end: table.fields.len(),
            subqueries: Vec::new(),
            assignments: Vec::new(),
            assigned: BTreeSet::new(),
            filter,
            group_by: None,
            having: Vec::new(),
            output,
            order_by: Vec::new(),
            distinct: false,
            limit: None,
        })
    }

    /// Grouping, where it is asked for or an aggregate calls for it. A column must have one value
    /// in a group.
    fn grouped(&mut self, group_by: Vec<Typed>, known: &[ScopeColumn]) -> Result<(), Failure> {
        let expressions = || {
            let output = self.output.iter().map(|o| &o.typed.node);
            output.chain(&self.having).chain(self.order_by.iter().map(|(t, _)| &t.node))
        };
        if self.filter.iter().any(Node::has_aggregate) || group_by.iter().any(|t| t.node.has_aggregate()) {
            return Err(Failure::Unsupported("an aggregate in WHERE, ON or GROUP BY".to_owned()));
        }
        if group_by.is_empty() && !expressions().any(Node::has_aggregate) {
            return Ok(());
        }
        let keys = group_by.iter().map(|t| t.node.clone());
        // What does not change from row to row has one value in a group.
        let same = self.subqueries.iter().filter(|s| !s.plan.depends_on(self.around..self.end));
        let outer = (0..self.around).map(Node::Column);
        let keys: Vec<Node> = keys.chain(same.map(|s| Node::Column(s.at))).chain(outer).collect();
        if let Some(at) = expressions().find_map(|f| f.ungrouped(&keys)) {
            let name = known.get(at).map_or("a column", |k| k.name.as_str());
            let name = if name.starts_with('\0') { "a subquery" } else { name };
            return Err(Failure::Unsupported(format!(
                "{name} is neither in GROUP BY nor inside of an aggregate (sql_mode ONLY_FULL_GROUP_BY)"
            )));
        }
        self.group_by = Some(group_by);
        Ok(())
    }
}

fn output(
    items: &[Item],
    sources: &[FromTable],
    known: &[ScopeColumn],
    scope: &Names<'_>,
) -> Result<Vec<Output>, Failure> {
    let mut output = Vec::new();
    for item in items {
        match item {
            Item::All(qualifier) => {
                let wanted = |k: &ScopeColumn| match qualifier {
                    Some(q) => k.qualifier.eq_ignore_ascii_case(q),
                    None => !k.hidden,
                };
                // The columns of USING come first.
                let own = scope.around..known.len();
                let shared = |k: &ScopeColumn| {
                    qualifier.is_none()
                        && known[own.clone()].iter().any(|h| h.hidden && same_name(&h.name, &k.name))
                };
                let all: Vec<usize> = own.clone().filter(|at| wanted(&known[*at])).collect();
                if all.is_empty() {
                    let name = qualifier.clone().unwrap_or_default();
                    return Err(Failure::UnknownColumn(format!("{name}.*"), scope.clause));
                }
                let (first, rest): (Vec<usize>, Vec<usize>) =
                    all.into_iter().partition(|at| shared(&known[*at]));
                for at in first.into_iter().chain(rest) {
                    let typed = Typed { node: Node::Column(at), ty: known[at].ty };
                    output.push(Output { column: of_table(at, None, sources, known), typed });
                }
            }
            Item::Value { name, aliased, value } => {
                let typed = scope.typed(value)?;
                let column = match typed.node {
                    Node::Column(at) if (scope.around..known.len()).contains(&at) => {
                        let own = sources.iter().rfind(|s| s.offset <= at);
                        let as_written = own.is_some_and(FromTable::shows_names_as_written);
                        let name =
                            if *aliased { Some(name.as_str()) } else { last(value).filter(|_| as_written) };
                        of_table(at, name, sources, known)
                    }
                    _ => super::super::computed(name, declared(name, &typed)),
                };
                output.push(Output { column, typed });
            }
        }
        if output.len() > MOST_COLUMNS {
            return Err(Failure::Unsupported(format!("more than {MOST_COLUMNS} columns")));
        }
    }
    Ok(output)
}

/// A column of a table: MySQL 8 shows its name as the table has it, whatever the case in the
/// statement.
fn of_table(at: usize, name: Option<&str>, sources: &[FromTable], known: &[ScopeColumn]) -> ResultColumn {
    let source = sources.iter().rfind(|s| s.offset <= at);
    let field = source.and_then(|s| s.fields.get(at - s.offset));
    let (Some(source), Some(field)) = (source, field) else {
        return super::super::computed("", declared("", &Typed::null()));
    };
    let mut column = field.column.clone();
    column.nullable |= source.left.is_some();
    ResultColumn {
        name: name.unwrap_or(&field.name).to_owned(),
        org_name: field.name.clone(),
        table: known[at].qualifier.clone(),
        org_table: field.table.clone(),
        schema: field.schema.clone(),
        column,
    }
}

/// An ENUM sorts by the number of its label.
fn ranked(typed: Typed, sources: &[FromTable]) -> Typed {
    let Node::Column(at) = typed.node else { return typed };
    let labels = labels(sources, at);
    if labels.is_empty() {
        return typed;
    }
    let number = |(n, label): (usize, &&'static str)| {
        let both = Box::new((Node::Column(at), Node::Constant(Value::from(*label))));
        let is = Node::Compare(Comparison::Equal, Mode::Text("utf8mb3_bin"), both);
        (is, Node::Constant(Value::Int(n as i128)))
    };
    let branches = labels.iter().enumerate().map(number).collect();
    let node = Node::Case(branches, Box::new(Node::Constant(Value::Null)));
    Typed { node, ty: Type::new(ExprType::Int { width: 2, unsigned: false }, true) }
}

/// The last part of a column's name.
fn last(column: &Expr) -> Option<&str> {
    match column {
        Expr::Identifier(name) => Some(&name.value),
        Expr::CompoundIdentifier(parts) => parts.last().map(|p| p.value.as_str()),
        _ => None,
    }
}

/// `ORDER BY 2`: the second column of the result.
pub(super) fn position(
    e: &Expr,
    outputs: &[(String, Typed)],
    clause: &'static str,
) -> Option<Result<Typed, Failure>> {
    let Expr::Value(value) = e else { return None };
    let Literal::Number(n, _) = &value.value else { return None };
    let found = n.parse::<usize>().ok().and_then(|n| outputs.get(n.checked_sub(1)?));
    Some(found.map(|(_, typed)| typed.clone()).ok_or_else(|| Failure::UnknownColumn(n.clone(), clause)))
}
