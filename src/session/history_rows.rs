//! Rows of `_history` before they are shown: whether this tenant may see them, and whether WHERE
//! wants them.

use super::evaluate::EvaluationContext;
use crate::agent_client::Announced;
use crate::failure::Failure;
use crate::statement::{Draft, HISTORY};
use dbtrail_expression::{
    Budget, Coercibility, Collated, Error, EvaluationSettings, ExprType, Limits, Node, RowFilter, RowValue,
    Scope, Type, Typed, Value, condition,
};
use dbtrail_types::agent_api::{Filter, Octets, RowCell, RowLine};
use dbtrail_types::column::{Column, ColumnType};
use dbtrail_types::happened::HistoryTable;
use dbtrail_types::names::TableName;

/// See the module.
#[derive(Debug)]
pub(super) struct HistoryRows {
    pub(super) table: HistoryTable,
    pub(super) columns: Vec<Column>,
    /// The schemas that the tenant may see; `None`: all.
    pub(super) allowed: Option<Vec<String>>,
    pub(super) condition: Option<Condition>,
    /// What a condition may cost for each batch of rows.
    pub(super) limits: Limits,
}

/// WHERE, carried out here.
#[derive(Debug)]
pub(super) enum Condition {
    /// Columns compared with constants.
    Rows(RowFilter),
    /// Any expression of numbers and text.
    Computed(Node),
}

impl Condition {
    /// That of a statement, by columns and constants where it is of these.
    ///
    /// # Errors
    /// It names what is not there, or is not computed here.
    pub(super) fn new(
        filter: Result<Option<Filter>, Failure>,
        (draft, columns): (&Draft, &[Column]),
        context: EvaluationContext<'_>,
    ) -> Result<Option<Self>, Failure> {
        if let Ok(filter) = filter {
            let rows = filter.map(|filter| RowFilter::new(&filter, columns)).transpose();
            let rows = rows.map_err(|why| Failure::Unsupported(why.to_string()))?;
            return Ok(rows.map(Self::Rows));
        }
        let names = Names { context, draft, columns };
        let node = draft.filter.as_ref().map(|filter| condition(filter, &names)).transpose();
        Ok(node.map_err(|e| Failure::from((e, "where clause")))?.map(Self::Computed))
    }
}

impl HistoryRows {
    /// The lines that WHERE leaves.
    ///
    /// # Errors
    /// A line is not for this tenant; whether one is wanted is not known, or takes too long.
    pub(super) fn wanted(&self, rows: impl Iterator<Item = RowLine>) -> Result<Vec<RowLine>, Failure> {
        let mut budget = Budget::new(self.limits);
        let mut wanted = Vec::new();
        for line in rows {
            guarded(self.table, &line, self.allowed.as_deref())?;
            if self.holds(&line, &mut budget)? {
                wanted.push(line);
            }
        }
        Ok(wanted)
    }

    fn holds(&self, line: &RowLine, budget: &mut Budget) -> Result<bool, Failure> {
        match &self.condition {
            None => Ok(true),
            Some(Condition::Rows(filter)) => {
                let cells: Vec<RowValue<'_>> = line.iter().map(cell).collect();
                filter.holds(&cells).map_err(|why| Failure::Unsupported(why.to_string()))
            }
            Some(Condition::Computed(node)) => Ok(node.holds(&values(line, &self.columns), &[], budget)?),
        }
    }

    /// The table of a change, which this tenant may see.
    ///
    /// # Errors
    /// It is another's, or the agent did not say.
    pub(super) fn table_of<'a>(&self, announced: &'a Announced) -> Result<&'a TableName, Failure> {
        let Some(table) = &announced.table else {
            return Err(Failure::AgentNonsense("the agent sent a change without its table".to_owned()));
        };
        let seen = self.allowed.as_ref().is_none_or(|allowed| allowed.contains(&table.schema));
        if seen { Ok(table) } else { Err(not_for_this_tenant()) }
    }
}

fn not_for_this_tenant() -> Failure {
    Failure::AgentNonsense("the agent sent a row that is not for this tenant".to_owned())
}

fn cell(cell: &RowCell) -> RowValue<'_> {
    match cell {
        RowCell::Null => RowValue::Null,
        RowCell::Value(Octets(bytes)) => RowValue::Bytes(bytes),
        RowCell::Unknown(_) => RowValue::Unknown,
    }
}

/// Refuses a row that tells of a schema that the tenant may not see: no agent may send one.
fn guarded(table: HistoryTable, line: &RowLine, allowed: Option<&[String]>) -> Result<(), Failure> {
    let Some(allowed) = allowed else { return Ok(()) };
    let text = |at: usize| match line.get(at) {
        Some(RowCell::Value(Octets(bytes))) => std::str::from_utf8(bytes).ok(),
        Some(RowCell::Null | RowCell::Unknown(_)) | None => None,
    };
    let seen = match table {
        HistoryTable::Gaps => true,
        // Its events are held against the tenant one by one.
        HistoryTable::Changes => false,
        HistoryTable::Ddl => text(2).is_some_and(|schema| allowed.iter().any(|a| a == schema)),
        HistoryTable::Tables => text(0).is_some_and(|schema| allowed.iter().any(|a| a == schema)),
        HistoryTable::Transactions => text(9)
            .and_then(|json| serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(json).ok())
            .is_some_and(|tables| {
                let inside = |name: &String| {
                    allowed.iter().any(|a| name.strip_prefix(a.as_str()).is_some_and(|t| t.starts_with('.')))
                };
                !tables.is_empty() && tables.keys().all(inside)
            }),
    };
    if seen { Ok(()) } else { Err(not_for_this_tenant()) }
}

/// The cells as WHERE sees them; those of columns that it cannot name are NULL.
fn values(row: &RowLine, columns: &[Column]) -> Vec<Value> {
    let cells = row.iter().zip(columns).map(|(cell, column)| {
        let RowCell::Value(Octets(bytes)) = cell else { return Value::Null };
        let Ok(text) = std::str::from_utf8(bytes) else { return Value::Null };
        match kind(column) {
            Some(ExprType::Int { .. }) => text.parse().map_or(Value::Null, Value::Int),
            Some(_) => Value::from(text),
            None => Value::Null,
        }
    });
    cells.collect()
}

/// What WHERE compares a column as; `None`: it is not compared here.
fn kind(column: &Column) -> Option<ExprType> {
    let collated = Collated { name: "utf8mb4_bin", coercibility: Coercibility::Implicit };
    if let ColumnType::Int { unsigned, .. } = column.ty {
        return Some(ExprType::Int { width: 20, unsigned });
    }
    if let ColumnType::VarChar { chars } = column.ty {
        return Some(ExprType::Text { chars, collated });
    }
    matches!(column.ty, ColumnType::Text { .. }).then_some(ExprType::Text { chars: 65_535, collated })
}

/// Names in WHERE.
struct Names<'a> {
    context: EvaluationContext<'a>,
    draft: &'a Draft,
    columns: &'a [Column],
}

impl Scope for Names<'_> {
    fn settings(&self) -> EvaluationSettings {
        self.context.settings()
    }

    fn column(&self, qualifier: Option<&str>, name: &str) -> Result<Typed, Error> {
        let own = |q: &str| match &self.draft.alias {
            Some(alias) => q.eq_ignore_ascii_case(alias),
            None => {
                q.eq_ignore_ascii_case(&self.draft.table)
                    || q.eq_ignore_ascii_case(&format!("{HISTORY}.{}", self.draft.table))
            }
        };
        let found = self.columns.iter().enumerate().find(|(_, c)| c.name.eq_ignore_ascii_case(name));
        let Some((at, column)) = found.filter(|_| qualifier.is_none_or(own)) else {
            return Err(Error::UnknownColumn(
                qualifier.map_or_else(|| name.to_owned(), |q| format!("{q}.{name}")),
            ));
        };
        let kind = kind(column).ok_or_else(|| {
            Error::Unsupported(format!(
                "WHERE on {} ({}) is not computed here: narrow the time with BETWEEN, and compare numbers and text",
                column.name, column.ty
            ))
        })?;
        Ok(Typed { node: Node::Column(at), ty: Type::new(kind, column.nullable) })
    }

    fn user_variable(&self, name: &str) -> Result<Typed, Error> {
        self.context.user_variable(name)
    }

    fn system_variable(&self, scope: &str, name: &str) -> Result<Typed, Error> {
        self.context.system_variable(scope, name)
    }

    fn function(&self, name: &str, arguments: &[Typed]) -> Option<Result<Typed, Error>> {
        self.context.function(name, arguments)
    }

    fn bare_function(&self, name: &str) -> Option<Result<Typed, Error>> {
        self.context.bare_function(name)
    }
}
