//! A time-travel statement as it was written, before it is known whether it may be asked.

use super::aggregate::Aggregate;
use super::refused::StatementPosition;
use super::time_clause::TimeClause;
use sqlparser::ast::Expr;

/// One of the virtual schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VirtualSchema {
    /// `_flashback`
    Flashback,
    /// `_diff`
    Diff,
    /// `_snapshot`
    Snapshot,
    /// `_undo`
    Undo,
}

impl VirtualSchema {
    /// The name as it is in SQL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flashback => "_flashback",
            Self::Diff => "_diff",
            Self::Snapshot => "_snapshot",
            Self::Undo => "_undo",
        }
    }

    /// Whether it is asked for a window, and not for an instant.
    #[must_use]
    pub const fn is_of_changes(self) -> bool {
        matches!(self, Self::Diff | Self::Undo)
    }
}

/// A time-travel query as written, nothing checked yet but its grammar.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The virtual schema.
    pub virtual_schema: VirtualSchema,
    /// The middle part of a three-part name.
    pub schema: Option<String>,
    /// The table.
    pub table: String,
    /// What the table is called in the rest of the statement.
    pub alias: Option<String>,
    /// What is selected; empty means `*`.
    pub projection: Vec<Projected>,
    /// The time clause.
    pub time: TimeClause,
    /// Where it is, for messages.
    pub time_at: StatementPosition,
    /// WHERE.
    pub filter: Option<Expr>,
    /// GROUP BY: columns, as written, qualifiers taken off.
    pub group_by: Vec<String>,
    /// HAVING.
    pub having: Option<Expr>,
    /// ORDER BY: what, and whether descending.
    pub order_by: Vec<(OrderItem, bool)>,
    /// LIMIT.
    pub limit: Option<Limit>,
    /// ALLOW WIDE, or the hint `SET_VAR(dbtrail_allow_wide_diff=ON)`, or OFF; `None`: the session
    /// decides.
    pub allow_wide_diff: Option<bool>,
    /// ALLOW SCAN, or the hint `SET_VAR(dbtrail_allow_table_scan=ON)`, or OFF; `None`: the session
    /// decides.
    pub allow_table_scan: Option<bool>,
}

impl Draft {
    /// A query of all columns of all rows of a table: the clauses after the table's name narrow it.
    pub(super) fn of_all(
        virtual_schema: VirtualSchema,
        table: String,
        time: TimeClause,
        time_at: StatementPosition,
    ) -> Self {
        Self {
            virtual_schema,
            schema: None,
            table,
            alias: None,
            projection: Vec::new(),
            time,
            time_at,
            filter: None,
            group_by: Vec::new(),
            having: None,
            order_by: Vec::new(),
            limit: None,
            allow_wide_diff: None,
            allow_table_scan: None,
        }
    }

    /// Whether it asks for groups of rows, or for their number.
    #[must_use]
    pub fn is_grouped(&self) -> bool {
        !self.group_by.is_empty()
            || self.projection.iter().any(|item| matches!(item, Projected::Aggregate { .. }))
    }
}

/// What rows are ordered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderItem {
    /// A column as written, its qualifier taken off, or an alias.
    Column(String),
    /// What is computed of a group.
    Aggregate(Aggregate),
}

impl std::fmt::Display for OrderItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Column(name) => f.write_str(name),
            Self::Aggregate(aggregate) => aggregate.fmt(f),
        }
    }
}

/// One selected column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Projected {
    /// `*` among other columns, or `t.*`.
    All,
    /// `column [AS alias]`, qualifier taken off.
    Column {
        /// The column.
        name: String,
        /// What the column is called in the result.
        alias: Option<String>,
    },
    /// `COUNT(*) [AS alias]`, and others.
    Aggregate {
        /// What is computed.
        aggregate: Aggregate,
        /// The alias, or the text as it was written.
        name: String,
    },
}

/// LIMIT count OFFSET offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Rows to skip.
    pub offset: u64,
    /// Rows to show at most.
    pub count: u64,
}
