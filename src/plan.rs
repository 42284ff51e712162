//! The rules: a draft, the tenant, the clock and the table's definition in; an [`guard::Admitted`]
//! request or a refusal out.
//!
//! Pure. Two steps, since the definition to hold the key predicate against depends on the instant:
//! [`resolve`] fixes the table and the instants, [`guard::admit`] the keys. Nothing but `guard` can
//! make an [`guard::Admitted`], and `agent_client` sends nothing else: a statement that was not
//! checked cannot be sent.

use crate::failure::Failure;
use crate::statement::{Draft, Refused, StatementPosition, TimeClause, TimestampExpr};
use dbtrail_types::names::{ServerId, TableName};
use dbtrail_types::timestamp::{AsOf, Timestamp};
use dbtrail_types::zone::Zone;
use std::time::Duration;

mod between;
pub mod change_columns;
pub mod charsets;
pub(crate) mod columns;
mod computed_types;
mod filter;
mod filter_constant;
mod filter_labels;
mod filter_times;
mod function;
pub mod group;
mod gtid;
pub mod guard;
mod having;
pub mod history;
mod key_value;
mod keys;
mod literal;
mod scan;
pub mod selected;
mod timestamp;

pub use scan::TableScan;

use charsets::Charsets;
use timestamp::Clock;

/// A draft whose table and instants are fixed and allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The statement as written.
    pub draft: Draft,
    /// The server id under which the history is asked for.
    pub server_id: ServerId,
    /// The real table.
    pub table: TableName,
    /// The instant, the GTID set or the window that is asked for.
    pub when: When,
    /// The session's zone: TIMESTAMP keys are read in it.
    pub zone: Zone,
    /// The session's character sets: strings are read in them.
    pub charsets: Charsets,
    /// The statement, or the session, asks for rows without their keys.
    pub allow_scan: bool,
}

/// The instants of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// One state.
    At(AsOf),
    /// A window, both ends inclusive.
    Between(Timestamp, Timestamp),
}

impl Resolved {
    /// The point whose table definition counts: the instant asked for, or the end of the window.
    #[must_use]
    pub fn definition_point(&self) -> AsOf {
        match &self.when {
            When::At(point) => point.clone(),
            When::Between(_, until) => AsOf::Time(*until),
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
    /// The session's character sets.
    pub charsets: Charsets,
    /// `limits.max_diff_window`.
    pub max_diff_window: Duration,
    /// `@dbtrail_allow_wide_diff` is on.
    pub allow_wide_diff: bool,
    /// `@dbtrail_allow_table_scan` is on.
    pub allow_table_scan: bool,
}

/// Fixes the table and the instants of a draft and checks all rules that need no table definition.
///
/// # Errors
/// No database selected, schema not allowed, an instant that is malformed, ambiguous or in the
/// future, a window reversed or too wide.
pub fn resolve(draft: Draft, context: &Context<'_>, now: Timestamp) -> Result<Resolved, Failure> {
    let table = table(&draft, context)?;
    let when = when(&draft, context, now)?;
    Ok(Resolved {
        server_id: context.server_id.clone(),
        table,
        when,
        zone: context.zone.clone(),
        charsets: context.charsets,
        allow_scan: draft.allow_table_scan.unwrap_or(context.allow_table_scan),
        draft,
    })
}

/// An instant as people write it: in any of the forms of a time clause, in a zone. None in the
/// future.
///
/// # Errors
/// [`Failure::BadTimestamp`]
pub fn timestamp(text: &str, zone: &Zone, now: Timestamp) -> Result<Timestamp, Failure> {
    Clock { zone, now }.past(&TimestampExpr::Literal(text.to_owned()))
}

/// The instants of a draft.
///
/// # Errors
/// An instant that is malformed, ambiguous or in the future, a window reversed or too wide.
pub fn when(draft: &Draft, context: &Context<'_>, now: Timestamp) -> Result<When, Failure> {
    let clock = Clock { zone: context.zone, now };
    let past = |expression| clock.past(expression).map_err(|failure| with_position(failure, draft.time_at));
    Ok(match &draft.time {
        TimeClause::Gtid(gtid) => {
            let gtid = gtid::checked(gtid).map_err(|failure| with_position(failure, draft.time_at))?;
            When::At(AsOf::Gtid(gtid))
        }
        TimeClause::At(expression) => When::At(AsOf::Time(past(expression)?)),
        TimeClause::Between(since, until) => {
            let cut = timestamp::is_cut(since);
            let (since, until) = (past(since)?, past(until)?);
            // No change is stamped between two microseconds.
            let since = if cut { Timestamp::from_micros(since.micros().saturating_add(1)) } else { since };
            let wide = draft.allow_wide_diff.unwrap_or(context.allow_wide_diff);
            window(since, until, context.max_diff_window, wide)
                .map_err(|failure| with_position(failure, draft.time_at))?;
            When::Between(since, until)
        }
    })
}

/// Adds where the time clause is, to what does not say it.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other failures are not about instants")]
fn with_position(failure: Failure, position: StatementPosition) -> Failure {
    let put = |what: String| format!("{what}; the time clause is at {position}");
    match failure {
        Failure::BadTimestamp(what) => Failure::BadTimestamp(put(what)),
        Failure::ReversedWindow(what) => Failure::ReversedWindow(put(what)),
        other => other,
    }
}

/// The failure that a refusal of the parser is.
#[must_use]
pub fn refusal(refused: Refused) -> Failure {
    match refused {
        Refused::Syntax { message } => Failure::Syntax(message),
        Refused::JoinWithReal { virtual_table, real_table } => {
            Failure::JoinWithReal { virtual_table, real_table }
        }
        Refused::Unsupported { message } => Failure::Unsupported(message),
        Refused::NotForThisServer { what } => Failure::NotForThisServer(what),
    }
}

/// The real table of a draft.
///
/// # Errors
/// No database selected, schema not allowed.
pub fn table(draft: &Draft, context: &Context<'_>) -> Result<TableName, Failure> {
    let schema = draft.schema.as_deref().or(context.current_schema).ok_or(Failure::NoDatabase)?.to_owned();
    if context.allowed_schemas.is_some_and(|allowed| !allowed.contains(&schema)) {
        return Err(Failure::SchemaDenied {
            user: context.user.to_owned(),
            host: context.host.to_owned(),
            schema,
        });
    }
    Ok(TableName { schema, table: draft.table.clone() })
}

fn window(since: Timestamp, until: Timestamp, limit: Duration, wide: bool) -> Result<(), Failure> {
    let width = until.micros() - since.micros();
    let Ok(width) = u64::try_from(width) else {
        return Err(Failure::ReversedWindow(format!(
            "the window of _diff begins at {since}, after its end at {until}: write the earlier instant first"
        )));
    };
    let width = Duration::from_micros(width);
    if width > limit && !wide {
        return Err(Failure::WindowTooWide(format!(
            "the window spans {} s and the limit is {} s: ask for a shorter one, or lift the limit with ALLOW WIDE after the time clause, or SELECT /*+ \
             SET_VAR(dbtrail_allow_wide_diff=ON) */ (one statement; works behind ProxySQL) or SET @dbtrail_allow_wide_diff = ON (the session)",
            width.as_secs(),
            limit.as_secs()
        )));
    }
    Ok(())
}
