//! A SELECT on information_schema, or a SHOW, as tables, conditions and output whose columns have been found. Nothing is asked yet.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions are many; only names and numbers are looked for here"
)]

use super::compile::{Kind, Known, Scope, Typed, compared};
use super::datum::{Datum, Order};
use super::formula::{Comparison, Formula};
use super::tables::{self, Table};
use crate::failure::Failure;
use crate::session::evaluate::Value;
use crate::statement::{INFORMATION_SCHEMA, Item, Joined, Limit, MOST_COLUMNS, Narrowed, Selection};
use dbtrail_types::column::{Column, ColumnKey, ColumnType, Indexes, IntSize, LobSize, same_name};
use dbtrail_types::reply::ResultColumn;
use sqlparser::ast::{Expr, Value as Literal};

/// What is to be done.
pub(super) struct Plan {
    pub(super) sources: Vec<Source>,
    /// Conditions on the joined row, each of which must hold.
    pub(super) filter: Vec<Formula>,
    /// `Some`: one row for each group of rows that agree in these.
    pub(super) group_by: Option<Vec<Typed>>,
    pub(super) having: Vec<Formula>,
    pub(super) output: Vec<Output>,
    pub(super) order_by: Vec<(Typed, bool)>,
    pub(super) distinct: bool,
    pub(super) limit: Option<Limit>,
}

/// A table in FROM: its columns begin at `offset` of the joined row.
pub(super) struct Source {
    pub(super) table: &'static Table,
    pub(super) offset: usize,
    /// LEFT JOIN with these conditions; those of an inner join are in the filter.
    pub(super) left: Option<Vec<Formula>>,
}

/// A column of the result.
pub(super) struct Output {
    pub(super) column: ResultColumn,
    pub(super) typed: Typed,
}

type OfSession<'a> = &'a dyn Fn(&Expr) -> Result<Value, Failure>;

impl Plan {
    /// A SELECT.
    ///
    /// # Errors
    /// Tables, columns and functions that are not known; forms that are not carried out.
    pub(super) fn select(selection: &Selection, session: OfSession<'_>) -> Result<Self, Failure> {
        let mut known = Vec::new();
        let (mut sources, mut filter) = (Vec::new(), Vec::new());
        for joined in &selection.tables {
            let (source, conditions) = source(joined, &mut known, session)?;
            filter.extend(conditions);
            sources.push(source);
        }
        let scope = |clause| Scope { columns: &known, outputs: &[], clause, session };
        if let Some(condition) = &selection.filter {
            filter.extend(scope("where clause").condition(condition)?.conjuncts());
        }
        let output = output(&selection.items, &sources, &known, &scope("field list"))?;
        let outputs: Vec<(String, Typed)> =
            output.iter().map(|o| (o.column.name.clone(), o.typed.clone())).collect();
        let behind = |clause| Scope { columns: &known, outputs: &outputs, clause, session };
        let group = |e: &Expr| match position(e, &outputs, "group statement") {
            Some(typed) => typed,
            None => scope("group statement").typed(e).or_else(|_| behind("group statement").typed(e)),
        };
        let group_by = selection.group_by.iter().map(group).collect::<Result<Vec<_>, _>>()?;
        let having = match &selection.having {
            Some(condition) => behind("having clause").condition(condition)?.conjuncts(),
            None => Vec::new(),
        };
        let ordered = |(e, descending): &(Expr, bool)| {
            let typed =
                position(e, &outputs, "order clause").unwrap_or_else(|| behind("order clause").typed(e));
            typed.map(|typed| (ranked(typed, &sources), *descending))
        };
        let order_by = selection.order_by.iter().map(ordered).collect::<Result<Vec<_>, _>>()?;
        let (distinct, limit) = (selection.distinct, selection.limit);
        let mut plan = Self { sources, filter, group_by: None, having, output, order_by, distinct, limit };
        plan.grouped(group_by, &known)?;
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
        session: OfSession<'_>,
    ) -> Result<Self, Failure> {
        let mut output = Vec::new();
        for (name, field) in shown {
            let at = table
                .position(field)
                .ok_or_else(|| Failure::Internal(format!("{} has no column {field}", table.name)))?;
            let column = table.fields[at].column();
            let typed = Typed {
                formula: Formula::Column(at),
                kind: table.fields[at].kind(),
                chars: table.fields[at].chars(),
            };
            output.push(Output { column: super::super::computed(name, column), typed });
        }
        let filter = match narrowed {
            None => Vec::new(),
            Some(Narrowed::Like(pattern)) => {
                let Some(Output { typed, .. }) = output.first() else { return Err(Failure::EmptyQuery) };
                let pattern = Box::new(Formula::Constant(Datum::from(pattern.clone())));
                vec![Formula::Like(typed.order(), Box::new(typed.formula.clone()), pattern)]
            }
            Some(Narrowed::Where(condition)) => {
                let outputs: Vec<(String, Typed)> =
                    output.iter().map(|o| (o.column.name.clone(), o.typed.clone())).collect();
                let scope = Scope { columns: &[], outputs: &outputs, clause: "where clause", session };
                scope.condition(condition)?.conjuncts()
            }
        };
        Ok(Self {
            sources: vec![Source { table, offset: 0, left: None }],
            filter,
            group_by: None,
            having: Vec::new(),
            output,
            order_by: Vec::new(),
            distinct: false,
            limit: None,
        })
    }

    /// Grouping, where it is asked for or an aggregate calls for it. A column must have one value in a group.
    fn grouped(&mut self, group_by: Vec<Typed>, known: &[Known]) -> Result<(), Failure> {
        let formulas = || {
            let output = self.output.iter().map(|o| &o.typed.formula);
            output.chain(&self.having).chain(self.order_by.iter().map(|(t, _)| &t.formula))
        };
        if self.filter.iter().any(Formula::has_aggregate)
            || group_by.iter().any(|t| t.formula.has_aggregate())
        {
            return Err(Failure::Unsupported("an aggregate in WHERE, ON or GROUP BY".to_owned()));
        }
        if group_by.is_empty() && !formulas().any(Formula::has_aggregate) {
            return Ok(());
        }
        let keys: Vec<Formula> = group_by.iter().map(|t| t.formula.clone()).collect();
        if let Some(at) = formulas().find_map(|f| f.ungrouped(&keys)) {
            let name = known.get(at).map_or("a column", |k| k.name.as_str());
            return Err(Failure::Unsupported(format!(
                "{name} is neither in GROUP BY nor inside of an aggregate (sql_mode ONLY_FULL_GROUP_BY)"
            )));
        }
        self.group_by = Some(group_by);
        Ok(())
    }

    /// The columns of the result.
    pub(super) fn columns(&self) -> Vec<ResultColumn> {
        self.output.iter().map(|o| o.column.clone()).collect()
    }
}

/// A table of FROM, and the conditions of an inner join. Its columns are known from here on.
fn source(
    joined: &Joined,
    known: &mut Vec<Known>,
    session: OfSession<'_>,
) -> Result<(Source, Vec<Formula>), Failure> {
    let table = tables::find(&joined.table)
        .ok_or_else(|| Failure::UnknownInformationTable(joined.table.to_uppercase()))?;
    let qualifier = joined.alias.clone().unwrap_or_else(|| joined.table.clone());
    if known.iter().any(|k| k.qualifier.eq_ignore_ascii_case(&qualifier)) {
        return Err(Failure::Unsupported(format!(
            "two tables of the name '{qualifier}' in FROM: give one an alias"
        )));
    }
    let offset = known.len();
    for field in table.fields {
        known.push(Known {
            qualifier: qualifier.clone(),
            name: field.name.to_owned(),
            kind: field.kind(),
            chars: field.chars(),
            hidden: joined.using.iter().any(|u| same_name(u, field.name)),
        });
    }
    let scope = Scope { columns: known, outputs: &[], clause: "on clause", session };
    let mut conditions = Vec::new();
    if let Some(on) = &joined.on {
        conditions = scope.condition(on)?.conjuncts();
    }
    for name in &joined.using {
        let before = Scope { columns: &known[..offset], ..scope_of(known, session) };
        let first = before.typed(&identifier(name))?;
        let at = table.position(name).ok_or_else(|| Failure::UnknownColumn(name.clone(), "from clause"))?;
        let field = &table.fields[at];
        let second =
            Typed { formula: Formula::Column(offset + at), kind: field.kind(), chars: field.chars() };
        conditions.push(compared(Comparison::Equal, first, second, &identifier(name))?.formula);
    }
    let source = |left| Source { table, offset, left };
    Ok(if joined.left { (source(Some(conditions)), Vec::new()) } else { (source(None), conditions) })
}

fn scope_of<'a>(columns: &'a [Known], session: OfSession<'a>) -> Scope<'a> {
    Scope { columns, outputs: &[], clause: "from clause", session }
}

fn identifier(name: &str) -> Expr {
    Expr::Identifier(sqlparser::ast::Ident::new(name))
}

fn output(
    items: &[Item],
    sources: &[Source],
    known: &[Known],
    scope: &Scope<'_>,
) -> Result<Vec<Output>, Failure> {
    let mut output = Vec::new();
    for item in items {
        match item {
            Item::All(qualifier) => {
                let wanted = |k: &Known| match qualifier {
                    Some(q) => k.qualifier.eq_ignore_ascii_case(q),
                    None => !k.hidden,
                };
                // The columns of USING come first.
                let shared = |k: &Known| {
                    qualifier.is_none() && known.iter().any(|h| h.hidden && same_name(&h.name, &k.name))
                };
                let all: Vec<usize> = (0..known.len()).filter(|at| wanted(&known[*at])).collect();
                if all.is_empty() {
                    let name = qualifier.clone().unwrap_or_default();
                    return Err(Failure::UnknownColumn(format!("{name}.*"), scope.clause));
                }
                let (first, rest): (Vec<usize>, Vec<usize>) =
                    all.into_iter().partition(|at| shared(&known[*at]));
                for at in first.into_iter().chain(rest) {
                    let typed =
                        Typed { formula: Formula::Column(at), kind: known[at].kind, chars: known[at].chars };
                    output.push(Output { column: of_table(at, None, sources, known), typed });
                }
            }
            Item::Value { name, aliased, value } => {
                let typed = scope.typed(value)?;
                let column = match typed.formula {
                    Formula::Column(at) => {
                        let own = sources.iter().rfind(|s| s.offset <= at);
                        let as_written = own.is_some_and(|s| s.table.shows_names_as_written());
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

/// A column of a table: MySQL 8 shows its name as the table has it, whatever the case in the statement.
fn of_table(at: usize, name: Option<&str>, sources: &[Source], known: &[Known]) -> ResultColumn {
    let source = sources.iter().rfind(|s| s.offset <= at);
    let field = source.and_then(|s| s.table.fields.get(at - s.offset));
    let (Some(source), Some(field)) = (source, field) else {
        return super::super::computed("", declared("", &Typed::constant(Datum::Null)));
    };
    let mut column = field.column();
    column.nullable |= source.left.is_some();
    ResultColumn {
        name: name.unwrap_or(field.name).to_owned(),
        org_name: field.name.to_owned(),
        table: known[at].qualifier.clone(),
        org_table: source.table.name.to_owned(),
        schema: INFORMATION_SCHEMA.to_owned(),
        column,
    }
}

/// An ENUM sorts by the number of its label.
fn ranked(typed: Typed, sources: &[Source]) -> Typed {
    let Formula::Column(at) = typed.formula else { return typed };
    let source = sources.iter().rfind(|s| s.offset <= at);
    let labels = source.and_then(|s| s.table.fields.get(at - s.offset)).map_or(&[][..], |f| f.labels());
    if labels.is_empty() {
        return typed;
    }
    let number = |(n, label): (usize, &&'static str)| {
        let label = Box::new(Formula::Constant(Datum::from(*label)));
        let is = Formula::Compare(Comparison::Equal, Order::Binary, Box::new(Formula::Column(at)), label);
        (is, Formula::Constant(Datum::Int(n as i128)))
    };
    let branches = labels.iter().enumerate().map(number).collect();
    let formula = Formula::Case(branches, Box::new(Formula::Constant(Datum::Null)));
    Typed { formula, kind: Kind::Int, chars: 2 }
}

/// The last part of a column's name.
fn last(column: &Expr) -> Option<&str> {
    match column {
        Expr::Identifier(name) => Some(&name.value),
        Expr::CompoundIdentifier(parts) => parts.last().map(|p| p.value.as_str()),
        _ => None,
    }
}

/// Characters beyond which a text is declared as LONGTEXT.
const LONGEST_VARCHAR: u32 = 16_383;

fn declared(name: &str, typed: &Typed) -> Column {
    let (ty, collation) = match typed.kind {
        Kind::Int => {
            let size = IntSize::Big;
            let display_width = u8::try_from(typed.chars).ok();
            (ColumnType::Int { size, unsigned: false, zerofill: false, display_width }, None)
        }
        Kind::Null => (ColumnType::VarChar { chars: 0 }, None),
        Kind::Text(_) if typed.chars > LONGEST_VARCHAR => {
            (ColumnType::Text { size: LobSize::Long }, Some("utf8mb4_0900_ai_ci"))
        }
        Kind::Text(_) => (ColumnType::VarChar { chars: typed.chars }, Some("utf8mb4_0900_ai_ci")),
    };
    Column {
        name: name.to_owned(),
        ty,
        collation: collation.map(str::to_owned),
        nullable: !typed.formula.is_never_null(),
        key: ColumnKey::None,
        auto_increment: false,
        on_update_now: false,
        has_default: true,
        default_now: false,
        invisible: false,
        indexes: Indexes::default(),
    }
}

/// `ORDER BY 2`: the second column of the result.
fn position(e: &Expr, outputs: &[(String, Typed)], clause: &'static str) -> Option<Result<Typed, Failure>> {
    let Expr::Value(value) = e else { return None };
    let Literal::Number(n, _) = &value.value else { return None };
    let found = n.parse::<usize>().ok().and_then(|n| outputs.get(n.checked_sub(1)?));
    Some(found.map(|(_, typed)| typed.clone()).ok_or_else(|| Failure::UnknownColumn(n.clone(), clause)))
}

/// The order of a value where equal ones are looked for.
pub(super) fn folded(typed: &Typed, row: &[Datum], group: &[&[Datum]]) -> Datum {
    typed.order().folded(&typed.formula.value(row, group))
}

/// How two values that were folded compare.
pub(super) const FOLDED: Order = Order::Binary;
