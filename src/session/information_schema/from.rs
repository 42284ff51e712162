//! What is in FROM: tables of `information_schema`, and queries in parentheses.

use super::field::Field;
use super::plan::{FromTable, Planner, QueryPlan, Rows, SourceField};
use super::scope::{Names, ScopeColumn};
use super::tables::{self, Table};
use crate::failure::Failure;
use crate::session::evaluate::EvaluationContext;
use crate::statement::{INFORMATION_SCHEMA, Joined, Relation};
use dbtrail_expression::{Comparison, ExprType, Mode, Node, Typed};
use dbtrail_types::column::same_name;
use sqlparser::ast::Expr;

impl FromTable {
    pub(super) fn table(table: &'static Table, offset: usize) -> Self {
        let field = |f: &'static Field| SourceField {
            name: f.name.to_owned(),
            ty: f.ty(),
            column: f.column(),
            labels: f.labels(),
            table: table.name.to_owned(),
            schema: INFORMATION_SCHEMA.to_owned(),
        };
        let fields = table.fields.iter().map(field).collect();
        Self { rows: Rows::Table(table), fields, offset, left: None }
    }

    fn derived(plan: QueryPlan, offset: usize) -> Result<Self, Failure> {
        let mut fields: Vec<SourceField> = Vec::new();
        for (column, ty, labels) in plan.fields() {
            if fields.iter().any(|f| same_name(&f.name, &column.name)) {
                return Err(Failure::Unsupported(format!(
                    "two columns of the name '{}' in a derived table: give one an alias",
                    column.name
                )));
            }
            fields.push(SourceField {
                name: column.name,
                ty,
                column: column.column,
                labels,
                table: column.org_table,
                schema: column.schema,
            });
        }
        Ok(Self { rows: Rows::Derived(Box::new(plan)), fields, offset, left: None })
    }
}

/// A table of FROM, and the conditions of an inner join. Its columns are known from here on; those
/// before `around` are of the queries around this one.
pub(super) fn planned(
    joined: &Joined,
    known: &mut Vec<ScopeColumn>,
    around: usize,
    session: EvaluationContext<'_>,
    planner: Planner,
) -> Result<(FromTable, Vec<Node>), Failure> {
    let offset = known.len();
    let (mut source, name) = match &joined.relation {
        Relation::Table(name) => {
            let table =
                tables::find(name).ok_or_else(|| Failure::UnknownInformationTable(name.to_uppercase()))?;
            (FromTable::table(table, offset), name.as_str())
        }
        Relation::Derived(query) => {
            (FromTable::derived(planner(query, &[], session)?.without_assignments()?, offset)?, "")
        }
    };
    let qualifier = joined.alias.as_deref().unwrap_or(name).to_owned();
    if known[around..].iter().any(|k| k.qualifier.eq_ignore_ascii_case(&qualifier)) {
        return Err(Failure::Unsupported(format!(
            "two tables of the name '{qualifier}' in FROM: give one an alias"
        )));
    }
    for field in &source.fields {
        known.push(ScopeColumn {
            qualifier: qualifier.clone(),
            name: field.name.clone(),
            ty: field.ty,
            hidden: joined.using.iter().any(|u| same_name(u, &field.name)),
        });
    }
    let mut conditions = Vec::new();
    if let Some(on) = &joined.on {
        conditions = Names::new(known, &[], "on clause", session).nested(around).conditions(on)?;
    }
    for name in &joined.using {
        let before = Names::new(&known[..offset], &[], "from clause", session).nested(around);
        let first = before.typed(&identifier(name))?;
        // A query around this one has no part in it.
        if matches!(first.node, Node::Column(at) if at < around) {
            return Err(Failure::UnknownColumn(name.clone(), "from clause"));
        }
        let at = source.fields.iter().position(|f| same_name(&f.name, name));
        let at = at.ok_or_else(|| Failure::UnknownColumn(name.clone(), "from clause"))?;
        let second = Typed { node: Node::Column(offset + at), ty: source.fields[at].ty };
        conditions.push(equal(first, second));
    }
    if joined.left {
        source.left = Some(conditions);
        return Ok((source, Vec::new()));
    }
    Ok((source, conditions))
}

/// The equality of two columns.
fn equal(a: Typed, b: Typed) -> Node {
    let name =
        |t: &Typed| if let ExprType::Text { collated, .. } = t.ty.kind { Some(collated.name) } else { None };
    // Of two collations of one character set, the binary one counts.
    let mode = match (name(&a), name(&b)) {
        (Some(a), Some(b)) => Mode::Text(if a.ends_with("_bin") { a } else { b }),
        _ => Mode::Exact,
    };
    Node::Compare(Comparison::Equal, mode, Box::new((a.node, b.node)))
}

fn identifier(name: &str) -> Expr {
    Expr::Identifier(sqlparser::ast::Ident::new(name))
}
