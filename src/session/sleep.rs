//! SLEEP(n) as an item of a SELECT without a table, and in DO. KILL QUERY, max_execution_time and
//! the end of the server end it.

use super::Session;
use super::evaluate::Value;
use crate::failure::Failure;
use dbtrail_types::timestamp::Timestamp;
use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, FunctionArguments};
use std::time::Duration;

/// Seconds that a SLEEP is cut to: as long as wait_timeout can be.
const MOST: f64 = 31_536_000.0;

/// The argument of SLEEP, where an expression is that and nothing else.
fn argument(expression: &Expr) -> Option<&Expr> {
    let Expr::Function(function) = expression else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] = list.args.as_slice() else { return None };
    function.name.to_string().eq_ignore_ascii_case("SLEEP").then_some(argument)
}

impl Session {
    /// Sleeps for as long as these expressions ask. What SLEEP is inside of another expression is
    /// not computed here.
    pub(super) async fn slept<'e>(
        &self,
        expressions: impl Iterator<Item = &'e Expr> + Send,
        now: Timestamp,
    ) -> Result<(), Failure> {
        for seconds in expressions.filter_map(argument) {
            let seconds = match self.evaluate(seconds, now)? {
                Value::Null => None,
                // As mysqld: text that is no number is 0.
                value @ (Value::Int(_) | Value::Decimal(_) | Value::Double(_) | Value::Text(_)) => {
                    value.text().map(|text| text.trim().parse::<f64>().unwrap_or(0.0))
                }
            };
            let seconds = seconds.filter(|s| *s >= 0.0).ok_or(Failure::WrongArguments("sleep."))?;
            tokio::time::sleep(Duration::from_secs_f64(seconds.min(MOST))).await;
        }
        Ok(())
    }

    /// Whether an expression is SLEEP and nothing else.
    pub(super) fn sleeps(expression: &Expr) -> bool {
        argument(expression).is_some()
    }
}
