//! WHERE behind SHOW: comparisons of a shown column with text, as mysqld compares names there (without regard to case).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions are many; the ones that are not named are refused"
)]

use super::like::{self, Letters, Unmatched};
use crate::failure::Failure;
use sqlparser::ast::{BinaryOperator, Expr, InTarget, UnaryOperator, Value as Literal};

/// Deeper than any client asks.
const DEEPEST: usize = 64;

/// A row that is shown: its columns by name, and the escape character of LIKE in this session.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) cells: &'a [(&'a str, &'a str)],
    pub(super) escape: Option<char>,
}

/// Whether a row is wanted.
pub(super) fn wanted(filter: &Expr, row: Shown<'_>) -> Result<bool, Failure> {
    holds(filter, row, DEEPEST)
}

/// LIKE in the collation of what SHOW shows: utf8mb4_0900_ai_ci.
pub(super) fn like(text: &str, pattern: &str, escape: Option<char>) -> Result<bool, Failure> {
    like::like(text, pattern, Letters::AsciiCase, escape).map_err(|why| match why {
        Unmatched::Uncertain => Failure::Unsupported(
            "LIKE with a character outside of printable ASCII behind SHOW: MySQL takes letters with accents for \
             plain ones"
                .to_owned(),
        ),
        Unmatched::TooLong => like_too_long(),
    })
}

/// A pattern that takes too many steps.
pub(super) fn like_too_long() -> Failure {
    Failure::Unsupported("LIKE of a text and a pattern that are both very long".to_owned())
}

fn holds(filter: &Expr, row: Shown<'_>, depth: usize) -> Result<bool, Failure> {
    let Some(depth) = depth.checked_sub(1) else { return Err(not_computed(filter)) };
    match filter {
        Expr::Nested(inside) => holds(inside, row, depth),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => holds(expr, row, depth).map(|h| !h),
        // Both sides are looked at, so that an unknown column is an error in any row.
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            let (left, right) = (holds(left, row, depth)?, holds(right, row, depth)?);
            Ok(left && right)
        }
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            let (left, right) = (holds(left, row, depth)?, holds(right, row, depth)?);
            Ok(left || right)
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => same(left, right, row),
        Expr::BinaryOp { left, op: BinaryOperator::NotEq, right } => same(left, right, row).map(|s| !s),
        Expr::In { expr, target: InTarget::List(list), negated, global: false } => {
            let mut found = false;
            for item in list {
                found |= same(expr, item, row)?;
            }
            Ok(found != *negated)
        }
        Expr::Like { negated, any: false, expr, pattern, escape_char: None } => {
            Ok(like(text(expr, row)?, text(pattern, row)?, row.escape)? != *negated)
        }
        _ => Err(not_computed(filter)),
    }
}

fn same(left: &Expr, right: &Expr, row: Shown<'_>) -> Result<bool, Failure> {
    Ok(text(left, row)?.to_lowercase() == text(right, row)?.to_lowercase())
}

/// A shown column or a literal of text. A number is neither: mysqld would compare it as a floating-point number.
fn text<'a>(expression: &'a Expr, row: Shown<'a>) -> Result<&'a str, Failure> {
    match expression {
        Expr::Nested(inside) => text(inside, row),
        Expr::Identifier(name) => row
            .cells
            .iter()
            .find(|(column, _)| column.eq_ignore_ascii_case(&name.value))
            .map(|(_, value)| *value)
            .ok_or_else(|| Failure::UnknownColumn(name.value.clone(), "where clause")),
        Expr::Value(value) => match &value.value {
            Literal::SingleQuotedString(s)
            | Literal::DoubleQuotedString(s)
            | Literal::NationalStringLiteral(s) => Ok(s),
            _ => Err(not_computed(expression)),
        },
        _ => Err(not_computed(expression)),
    }
}

fn not_computed(expression: &Expr) -> Failure {
    Failure::Unsupported(format!(
        "'{expression}' behind SHOW ... WHERE: compare columns with text by =, <>, IN, LIKE, AND, OR and NOT"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlparser::dialect::MySqlDialect;
    use sqlparser::parser::Parser;

    fn ask(filter: &str) -> Result<bool, Failure> {
        let mut parser = Parser::new(&MySqlDialect {}).try_with_sql(filter).unwrap();
        let cells = [("Variable_name", "sql_mode"), ("Value", "ANSI")];
        wanted(&parser.parse_expr().unwrap(), Shown { cells: &cells, escape: Some('\\') })
    }

    #[test]
    fn ok_the_forms_that_clients_send() {
        for (filter, held) in [
            ("Variable_name = 'sql_mode'", true),
            ("variable_name = 'SQL_MODE'", true),
            ("`Variable_name` = 'sql_mod'", false),
            ("'sql_mode' = Variable_name", true),
            ("Variable_name <> 'sql_mode'", false),
            ("Variable_name != 'other'", true),
            ("Variable_name IN ('a', 'sql_mode')", true),
            ("Variable_name NOT IN ('a', 'sql_mode')", false),
            ("Variable_name LIKE 'sql\\_%'", true),
            ("Variable_name NOT LIKE 'sql%'", false),
            ("Variable_name LIKE '%x%' OR Variable_name = 'sql_mode'", true),
            ("Variable_name LIKE 'sql%' AND Value = 'ansi'", true),
            ("(Variable_name LIKE 'sql%') AND NOT (Value = 'ansi')", false),
        ] {
            assert_eq!(ask(filter), Ok(held), "{filter}");
        }
    }

    #[test]
    fn err_what_is_not_certain() {
        assert_eq!(ask("nosuch = 'x'"), Err(Failure::UnknownColumn("nosuch".into(), "where clause")));
        assert_eq!(
            ask("Variable_name = 'other' AND nosuch = 'x'"),
            Err(Failure::UnknownColumn("nosuch".into(), "where clause"))
        );
        for filter in
            ["Value = 1", "Value > 'A'", "LENGTH(Value) = 4", "Value", "Value IS NULL", "Value REGEXP 'A'"]
        {
            assert!(matches!(ask(filter), Err(Failure::Unsupported(_))), "{filter}");
        }
        let deep = format!("{}Value = 'ANSI'", "NOT ".repeat(65));
        assert!(matches!(ask(&deep), Err(Failure::Unsupported(_))));
    }
}
