//! LIKE and WHERE after SHOW VARIABLES and SHOW STATUS, on the columns that they show.

use super::evaluate::EvaluationContext;
use crate::failure::Failure;
use dbtrail_expression::{
    Budget, Coercibility, Collated, Error, EvaluationSettings, ExprType, Letters, Node, Scope, Type, Typed,
    Value, condition, like,
};
use sqlparser::ast::Expr;

/// The collation of what is shown: MySQL takes it from tables of performance_schema.
const SHOWN: &str = "utf8mb4_0900_ai_ci";
/// The columns, and their characters.
const COLUMNS: [(&str, u32); 2] = [("Variable_name", 64), ("Value", 1024)];

/// Which rows are wanted.
pub(super) struct Filter<'a> {
    like: Option<&'a str>,
    escape: Option<char>,
    condition: Option<Node>,
    budget: Budget,
}

struct Names<'a>(EvaluationContext<'a>);

impl Scope for Names<'_> {
    fn settings(&self) -> EvaluationSettings {
        self.0.settings()
    }

    fn column(&self, qualifier: Option<&str>, name: &str) -> Result<Typed, Error> {
        let at = COLUMNS.iter().position(|(column, _)| column.eq_ignore_ascii_case(name));
        let Some(at) = at.filter(|_| qualifier.is_none()) else {
            return Err(Error::UnknownColumn(
                qualifier.map_or_else(|| name.to_owned(), |q| format!("{q}.{name}")),
            ));
        };
        let collated = Collated { name: SHOWN, coercibility: Coercibility::Implicit };
        let ty = Type::new(ExprType::Text { chars: COLUMNS[at].1, collated }, at > 0);
        Ok(Typed { node: Node::Column(at), ty })
    }

    fn user_variable(&self, name: &str) -> Result<Typed, Error> {
        self.0.user_variable(name)
    }

    fn system_variable(&self, scope: &str, name: &str) -> Result<Typed, Error> {
        self.0.system_variable(scope, name)
    }

    fn function(&self, name: &str, arguments: &[Typed]) -> Option<Result<Typed, Error>> {
        self.0.function(name, arguments)
    }

    fn bare_function(&self, name: &str) -> Option<Result<Typed, Error>> {
        self.0.bare_function(name)
    }
}

impl<'a> Filter<'a> {
    /// The filter of a statement.
    ///
    /// # Errors
    /// WHERE names what is not shown, or is not computed here.
    pub(super) fn new(
        session: EvaluationContext<'_>,
        like: Option<&'a str>,
        filter: Option<&Expr>,
    ) -> Result<Self, Failure> {
        let names = Names(session);
        let condition = filter.map(|f| condition(f, &names)).transpose();
        Ok(Self {
            like,
            escape: (!names.settings().no_backslash_escapes).then_some('\\'),
            condition: condition.map_err(|e| Failure::from((e, "where clause")))?,
            budget: session.session.budget(),
        })
    }

    /// Whether a variable is wanted.
    ///
    /// # Errors
    /// What MySQL would answer is not known; it takes too long.
    pub(super) fn wants(&mut self, name: &str, value: &str) -> Result<bool, Failure> {
        if let Some(pattern) = self.like
            && !like(name, pattern, Letters::AsciiCase, self.escape, &mut self.budget)?
        {
            return Ok(false);
        }
        let Some(condition) = &self.condition else { return Ok(true) };
        Ok(condition.holds(&[Value::from(name), Value::from(value)], &[], &mut self.budget)?)
    }
}
