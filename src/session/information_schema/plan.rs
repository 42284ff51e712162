//! A SELECT on information_schema, or a SHOW, as tables, conditions and output whose columns have
//! been found. Nothing is asked yet.

use super::assigned::RowAssignment;
use super::scope::ScopeColumn;
use super::tables::Table;
use crate::failure::Failure;
use crate::session::computed;
use crate::session::evaluate::{self, EvaluationContext};
use crate::statement::{Limit, Query, SubqueryKind};
use dbtrail_expression::{ExprType, Node, Type, Typed};
use dbtrail_types::column::{Column, ColumnType, LobSize};
use dbtrail_types::result_set::ResultColumn;
use std::collections::BTreeSet;
use std::ops::Range;

/// Plans a query; the columns are those of the queries that it is a part of.
pub(super) type Planner = fn(&Query, &[ScopeColumn], EvaluationContext<'_>) -> Result<QueryPlan, Failure>;

/// What is to be done.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Columns of the queries around a subquery; the row of this one begins after them.
    pub(super) around: usize,
    pub(super) sources: Vec<FromTable>,
    /// Where the columns of the sources end.
    pub(super) end: usize,
    /// Those of its expressions: each is a column after the sources'.
    pub(super) subqueries: Vec<Subplan>,
    /// What each row assigns to variables: each is a column after the subqueries'.
    pub(super) assignments: Vec<RowAssignment>,
    /// The names of these variables.
    pub(super) assigned: BTreeSet<String>,
    /// Conditions on the joined row, each of which must hold.
    pub(super) filter: Vec<Node>,
    /// `Some`: one row for each group of rows that agree in these.
    pub(super) group_by: Option<Vec<Typed>>,
    pub(super) having: Vec<Node>,
    pub(super) output: Vec<Output>,
    pub(super) order_by: Vec<(Typed, bool)>,
    pub(super) distinct: bool,
    pub(super) limit: Option<Limit>,
}

/// A subquery of an expression.
#[derive(Clone, Debug)]
pub(super) struct Subplan {
    /// The position of its column in the row.
    pub(super) at: usize,
    pub(super) kind: SubqueryKind,
    pub(super) plan: QueryPlan,
}

/// A column of the result.
#[derive(Clone, Debug)]
pub(super) struct Output {
    pub(super) column: ResultColumn,
    pub(super) typed: Typed,
}

/// A table in FROM: its columns begin at `offset` of the joined row.
#[derive(Clone, Debug)]
pub(super) struct FromTable {
    pub(super) rows: Rows,
    pub(super) fields: Vec<SourceField>,
    pub(super) offset: usize,
    /// LEFT JOIN with these conditions; those of an inner join are in the filter.
    pub(super) left: Option<Vec<Node>>,
}

/// Where the rows come from.
#[derive(Clone, Debug)]
pub(super) enum Rows {
    Table(&'static Table),
    Derived(Box<QueryPlan>),
}

/// A column of what is in FROM.
#[derive(Clone, Debug)]
pub(super) struct SourceField {
    pub(super) name: String,
    pub(super) ty: Type,
    /// The column as it is declared to the client.
    pub(super) column: Column,
    /// The labels of an ENUM.
    pub(super) labels: &'static [&'static str],
    /// The table that it comes from, as a result names it.
    pub(super) table: String,
    pub(super) schema: String,
}

/// What is to be done for a query.
#[derive(Clone, Debug)]
pub(super) struct QueryPlan {
    pub(super) first: Plan,
    /// What UNION adds, and whether with ALL.
    pub(super) others: Vec<(bool, Plan)>,
    /// The columns of a UNION.
    pub(super) united: Vec<Typed>,
    pub(super) order_by: Vec<(Typed, bool)>,
    pub(super) limit: Option<Limit>,
}

impl QueryPlan {
    /// The columns of the result.
    pub(super) fn columns(&self) -> Vec<ResultColumn> {
        if self.others.is_empty() {
            return self.first.columns();
        }
        let columns = self.first.columns().into_iter().zip(&self.united).map(|(column, typed)| {
            let shown = computed(&column.name, declared(&column.name, typed));
            ResultColumn { org_name: shown.name.clone(), ..shown }
        });
        columns.collect()
    }

    /// The columns with their types, and the labels of those that are an ENUM.
    pub(super) fn fields(&self) -> Vec<(ResultColumn, Type, &'static [&'static str])> {
        let united = !self.others.is_empty();
        let fields =
            self.columns().into_iter().zip(&self.first.output).enumerate().map(|(at, (column, output))| {
                let ty = if united { self.united[at].ty } else { output.typed.ty };
                let labels: &[_] = if let (false, Node::Column(own)) = (united, &output.typed.node) {
                    labels(&self.first.sources, *own)
                } else {
                    &[]
                };
                (column, ty, labels)
            });
        fields.collect()
    }

    /// Whether it names one of these columns of the queries around it.
    pub(super) fn depends_on(&self, columns: Range<usize>) -> bool {
        let mut found = false;
        for plan in std::iter::once(&self.first).chain(self.others.iter().map(|(_, p)| p)) {
            found |= plan.nodes().iter().any(|n| n.columns().range(columns.clone()).next().is_some());
            found |= plan.subqueries.iter().any(|s| s.plan.depends_on(columns.clone()));
        }
        found
    }

    /// The same with each of its expressions changed.
    pub(super) fn mapped(&self, by: &dyn Fn(&Node) -> Node) -> Self {
        Self {
            first: self.first.mapped(by),
            others: self.others.iter().map(|(all, p)| (*all, p.mapped(by))).collect(),
            ..self.clone()
        }
    }

    /// A query that is a part of another one.
    ///
    /// # Errors
    /// It assigns variables: how often MySQL carries it out is not certain.
    pub(super) fn without_assignments(self) -> Result<Self, Failure> {
        if std::iter::once(&self.first)
            .chain(self.others.iter().map(|(_, p)| p))
            .any(|p| !p.assigned.is_empty())
        {
            return Err(Failure::Unsupported(
                "an assignment to a variable in a UNION, a subquery or a derived table".to_owned(),
            ));
        }
        Ok(self)
    }

    /// What an expression takes of a subquery.
    ///
    /// # Errors
    /// It has several columns.
    pub(super) fn taken(&self, kind: SubqueryKind) -> Result<Type, Failure> {
        let fields = self.fields();
        match (kind, fields.as_slice()) {
            (SubqueryKind::Exists, _) => Ok(Type::new(ExprType::TRUTH, false)),
            (SubqueryKind::List, [(_, ty, _)]) => Ok(*ty),
            (SubqueryKind::Scalar, [(_, ty, _)]) => Ok(Type::new(ty.kind, true)),
            (SubqueryKind::Scalar | SubqueryKind::List, _) => Err(Failure::Unsupported(
                "a subquery of several columns where one value is compared (1241 in MySQL)".to_owned(),
            )),
        }
    }
}

impl Plan {
    /// The columns of the result.
    pub(super) fn columns(&self) -> Vec<ResultColumn> {
        self.output.iter().map(|o| o.column.clone()).collect()
    }

    pub(super) fn nodes(&self) -> Vec<&Node> {
        let typed = self.output.iter().map(|o| &o.typed).chain(self.order_by.iter().map(|(t, _)| t));
        let typed = typed.chain(self.group_by.iter().flatten()).map(|t| &t.node);
        let left = self.sources.iter().flat_map(|s| s.left.iter().flatten());
        let assigned = self.assignments.iter().map(|a| &a.node);
        typed.chain(left).chain(assigned).chain(&self.filter).chain(&self.having).collect()
    }

    pub(super) fn mapped(&self, by: &dyn Fn(&Node) -> Node) -> Self {
        let mut plan = self.clone();
        let typed =
            plan.output.iter_mut().map(|o| &mut o.typed).chain(plan.order_by.iter_mut().map(|(t, _)| t));
        for typed in typed.chain(plan.group_by.iter_mut().flatten()) {
            typed.node = by(&typed.node);
        }
        let left = plan.sources.iter_mut().flat_map(|s| s.left.iter_mut().flatten());
        let assigned = plan.assignments.iter_mut().map(|a| &mut a.node);
        for node in left.chain(assigned).chain(&mut plan.filter).chain(&mut plan.having) {
            *node = by(node);
        }
        for subquery in &mut plan.subqueries {
            subquery.plan = subquery.plan.mapped(by);
        }
        plan
    }
}

impl FromTable {
    /// Where its columns end.
    pub(super) fn end(&self) -> usize {
        self.offset + self.fields.len()
    }

    pub(super) fn shows_names_as_written(&self) -> bool {
        match &self.rows {
            Rows::Table(table) => table.shows_names_as_written(),
            Rows::Derived(_) => false,
        }
    }
}

/// The labels of a column that is an ENUM.
pub(super) fn labels(sources: &[FromTable], at: usize) -> &'static [&'static str] {
    let source = sources.iter().rfind(|s| s.offset <= at);
    source.and_then(|s| s.fields.get(at - s.offset)).map_or(&[], |f| f.labels)
}

/// Characters beyond which a text is declared as LONGTEXT.
const LONGEST_VARCHAR: u32 = 16_383;

pub(super) fn declared(name: &str, typed: &Typed) -> Column {
    let mut column = evaluate::column(name, &typed.ty);
    if let ColumnType::VarChar { chars } = &column.ty
        && *chars > LONGEST_VARCHAR
    {
        column.ty = ColumnType::Text { size: LobSize::Long };
    }
    column
}

/// The collation in which values of a type are put in order.
pub(super) fn collation(typed: &Typed) -> &'static str {
    if let ExprType::Text { collated, .. } = typed.ty.kind { collated.name } else { "binary" }
}
