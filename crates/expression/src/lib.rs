//! Expressions of SQL, as MySQL evaluates them: the one evaluator of the shim.
//!
//! What is computed is MySQL's own result to the byte and to the declared type, or an [`Error`]:
//! `tests/recorded.rs` holds it to the answers of MySQL 9.7 to generated expressions. SELECT
//! without a table, SHOW ... WHERE, `information_schema` and SET all come here.
//!
//! An expression is compiled once ([`compile`]): names are found in a [`Scope`], types and
//! collations are worked out, and what cannot be exact is refused. The [`Node`] that comes out is
//! evaluated for each row, under a [`Budget`] of steps and bytes.

mod budget;
mod call;
mod cast;
mod collation;
mod compare;
mod compile;
mod decimal;
mod error;
mod filter;
mod function;
mod like;
mod literal;
mod node;
mod operator;
mod precedence;
mod settings;
mod stack;
mod typed;
mod types;
mod value;

pub use budget::{Budget, Limits};
pub use collation::{Coercibility, Collated, Key, charset_of, known_collation};
pub use compare::{Comparison, Mode};
pub use compile::{Scope, compile, condition};
pub use decimal::Decimal;
pub use error::Error;
pub use filter::{RowFilter, RowValue, Undecided};
pub use function::united;
pub use like::{Letters, like};
pub use node::{Aggregate, Node};
pub use settings::EvaluationSettings;
pub use typed::Typed;
pub use types::{ExprType, Type, variable_chars};
pub use value::{Double, Value};
