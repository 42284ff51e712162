//! The names that an expression over rows of `information_schema` knows, and the budget that its
//! statement has.

use super::row_variable::is_column;
use crate::failure::Failure;
use crate::session::evaluate::EvaluationContext;
use dbtrail_expression::{Budget, Error, EvaluationSettings, Node, Scope, Type, Typed, Value};
use dbtrail_types::column::same_name;
use sqlparser::ast::Expr;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// A column that an expression can name.
#[derive(Clone, Debug)]
pub(super) struct ScopeColumn {
    /// The alias of its table, or the table's name.
    pub(super) qualifier: String,
    pub(super) name: String,
    pub(super) ty: Type,
    /// After USING: found by its qualifier alone.
    pub(super) hidden: bool,
}

/// What an expression can name, and where it is.
pub(super) struct Names<'a> {
    pub(super) columns: &'a [ScopeColumn],
    /// How many of the columns are those of the queries around this one; its own hide them.
    pub(super) around: usize,
    /// Names of the select list, which HAVING and ORDER BY see first.
    pub(super) outputs: &'a [(String, Typed)],
    /// For 1054: `where clause`, `field list`...
    pub(super) clause: &'static str,
    /// Variables that the rows assign.
    pub(super) assigned: Option<&'a BTreeSet<String>>,
    /// Variables and functions of the session.
    pub(super) session: EvaluationContext<'a>,
    /// Steps that looking up names has taken.
    pub(super) steps: Cell<usize>,
}

/// Steps that looking up the names of one clause may take.
const MOST_STEPS: usize = 20_000_000;

impl<'a> Names<'a> {
    pub(super) fn new(
        columns: &'a [ScopeColumn],
        outputs: &'a [(String, Typed)],
        clause: &'static str,
        session: EvaluationContext<'a>,
    ) -> Self {
        Self { columns, around: 0, outputs, clause, assigned: None, session, steps: Cell::new(0) }
    }

    /// Of a subquery: the first columns are those of the queries around it.
    pub(super) fn nested(mut self, around: usize) -> Self {
        self.around = around;
        self
    }

    /// Of a SELECT whose rows assign these variables.
    pub(super) fn assigning(mut self, assigned: &'a BTreeSet<String>) -> Self {
        self.assigned = Some(assigned);
        self
    }

    /// Any expression.
    pub(super) fn typed(&self, expression: &Expr) -> Result<Typed, Failure> {
        dbtrail_expression::compile(expression, self).map_err(|e| Failure::from((e, self.clause)))
    }

    /// A condition: WHERE, ON, HAVING. Its parts that must all hold.
    pub(super) fn conditions(&self, expression: &Expr) -> Result<Vec<Node>, Failure> {
        let node = dbtrail_expression::condition(expression, self);
        node.map(Node::conjuncts).map_err(|e| Failure::from((e, self.clause)))
    }

    fn took(&self, steps: usize) -> Result<(), Error> {
        self.steps.set(self.steps.get().saturating_add(steps));
        if self.steps.get() > MOST_STEPS {
            return Err(Error::Unsupported(format!("so many names in the {}", self.clause)));
        }
        Ok(())
    }
}

impl Scope for Names<'_> {
    fn settings(&self) -> EvaluationSettings {
        self.session.settings()
    }

    fn column(&self, qualifier: Option<&str>, name: &str) -> Result<Typed, Error> {
        self.took(self.outputs.len() + self.columns.len())?;
        let output = self.outputs.iter().find(|(n, _)| qualifier.is_none() && same_name(n, name));
        if let Some((_, typed)) = output {
            self.took(typed.node.size())?;
            return Ok(typed.clone());
        }
        if is_column(name) {
            let at = self.columns.iter().position(|c| c.name == name);
            let at = at.ok_or_else(|| Error::UnknownColumn(name.to_owned()))?;
            let node = Node::Integer(Box::new(Node::Column(at)));
            return Ok(Typed { node, ty: self.columns[at].ty });
        }
        let (outer, own) = self.columns.split_at(self.around.min(self.columns.len()));
        found(own, self.around, qualifier, name).or_else(|| found(outer, 0, qualifier, name)).unwrap_or_else(
            || {
                let full = qualifier.map_or_else(|| name.to_owned(), |q| format!("{q}.{name}"));
                Err(Error::UnknownColumn(full))
            },
        )
    }

    fn user_variable(&self, name: &str) -> Result<Typed, Error> {
        if self.assigned.is_some_and(|assigned| assigned.contains(name)) {
            return Err(Error::Unsupported(format!(
                "@{name} here, which the select list assigns for each row: a later item can show it, or compute with it inside of CAST(... AS SIGNED)"
            )));
        }
        self.session.user_variable(name)
    }

    fn system_variable(&self, scope: &str, name: &str) -> Result<Typed, Error> {
        self.session.system_variable(scope, name)
    }

    fn function(&self, name: &str, arguments: &[Typed]) -> Option<Result<Typed, Error>> {
        // It would have another value in each row.
        if name == "UUID" {
            return None;
        }
        self.session.function(name, arguments)
    }

    fn bare_function(&self, name: &str) -> Option<Result<Typed, Error>> {
        self.session.bare_function(name)
    }

    fn has_rows(&self) -> bool {
        true
    }
}

/// The one column of a name among these, which begin at `from`.
fn found(
    columns: &[ScopeColumn],
    from: usize,
    qualifier: Option<&str>,
    name: &str,
) -> Option<Result<Typed, Error>> {
    let shown = || qualifier.map_or_else(|| name.to_owned(), |q| format!("{q}.{name}"));
    let mut found = columns.iter().enumerate().filter(|(_, c)| {
        same_name(&c.name, name) && qualifier.map_or(!c.hidden, |q| q.eq_ignore_ascii_case(&c.qualifier))
    });
    match (found.next(), found.next()) {
        (Some((at, column)), None) => Some(Ok(Typed { node: Node::Column(from + at), ty: column.ty })),
        (Some(_), Some(_)) => Some(Err(Error::AmbiguousColumn(shown()))),
        (None, _) => None,
    }
}

/// The budget of a statement, for all that works on it.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Mutex<Budget>>);

impl Shared {
    pub(super) fn new(budget: Budget) -> Self {
        Self(Arc::new(Mutex::new(budget)))
    }

    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Budget) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets others run where it is time: KILL, time limits and the end of the server are noticed
    /// there.
    pub(super) async fn breathe(&self) {
        if self.with(|budget| budget.is_due()) {
            tokio::task::yield_now().await;
            self.with(Budget::rested);
        }
    }

    /// Whether a row may be wanted. One whose condition cannot be decided is looked at again when
    /// all of it is there.
    pub(super) fn may_hold<'n>(&self, mut conditions: impl Iterator<Item = &'n Node>, row: &[Value]) -> bool {
        self.with(|budget| conditions.all(|node| node.holds(row, &[], budget).unwrap_or(true)))
    }

    /// Whether a row is wanted.
    pub(super) fn holds<'n>(
        &self,
        conditions: impl Iterator<Item = &'n Node>,
        row: &[Value],
        group: &[&[Value]],
    ) -> Result<bool, Failure> {
        self.with(|budget| {
            for node in conditions {
                if !node.holds(row, group, budget)? {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    /// The value of an expression for a row.
    pub(super) fn value(&self, node: &Node, row: &[Value], group: &[&[Value]]) -> Result<Value, Failure> {
        Ok(self.with(|budget| node.value(row, group, budget))?)
    }
}
