//! The rules: a draft, the tenant, the clock and the table's definition in; an [`Admitted`] request or a refusal out.
//!
//! Pure. Two steps, since the definition to hold the key predicate against depends on the instant:
//! [`resolve`] fixes the table and the instants, [`guard::admit`] the keys. Nothing but `guard` can make an
//! [`Admitted`], and `agent_client` sends nothing else: a statement that was not checked cannot be sent.

use crate::failure::Failure;
use crate::ident::{ServerId, TableName};
use crate::instant::{Instant, Point};
use crate::statement::Draft;
use crate::zone::Zone;

pub mod guard;

/// A draft whose table and instants are fixed and allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// What was written.
    pub draft: Draft,
    /// Whose history.
    pub server_id: ServerId,
    /// The real table.
    pub table: TableName,
    /// When.
    pub when: When,
}

/// The instants of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// One state.
    At(Point),
    /// A window, both ends inclusive.
    Between(Instant, Instant),
}

impl Resolved {
    /// The point whose table definition counts: the instant asked for, or the end of the window.
    #[must_use]
    pub fn definition_point(&self) -> Point {
        match &self.when {
            When::At(point) => point.clone(),
            When::Between(_, until) => Point::Time(*until),
        }
    }
}

/// What the session and the configuration bring to a statement.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The MySQL user, for messages.
    pub user: &'a str,
    /// The peer's address, for messages.
    pub host: &'a str,
    /// The tenant's history.
    pub server_id: &'a ServerId,
    /// The current database.
    pub current_schema: Option<&'a str>,
    /// The schemas that the tenant may use; `None`: all.
    pub allowed_schemas: Option<&'a [String]>,
    /// The session's time zone.
    pub zone: &'a Zone,
    /// `limits.max_diff_window`.
    pub max_diff_window: std::time::Duration,
    /// `@dbtrail_allow_wide_diff` is on.
    pub allow_wide_diff: bool,
}

/// Fixes the table and the instants of a draft and checks all rules that need no table definition.
///
/// # Errors
/// No database selected, schema not allowed, an instant that is malformed, ambiguous or in the future, a window reversed or too wide.
pub fn resolve(draft: Draft, context: &Context<'_>, now: Instant) -> Result<Resolved, Failure> {
    let _ = (draft, context, now);
    Err(Failure::Internal("the plan is not built yet".to_owned()))
}
