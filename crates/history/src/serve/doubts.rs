//! `POST /v1/doubt`: whether it can be taken.

use crate::HistoryHandle;
use crate::query::Refusal;
use dbtrail_types::agent_api::code;
use dbtrail_types::doubt::{DoubtRequest, DoubtTaken, MOST_REASON};

/// The refusal of a request whose token reads alone.
pub(super) const NOT_ENTITLED: &str = "this token reads, and puts no table in doubt: that takes a token of the agent's doubt_token_file (--doubt-token-file)";

/// Hands it to the writing half.
pub(super) fn take(handle: &HistoryHandle, doubt: DoubtRequest) -> Result<DoubtTaken, Refusal> {
    let not_ready = || Refusal::new(503, code::NOT_READY, "the record has not begun yet".to_owned());
    let history = handle.current().ok_or_else(not_ready)?;
    history.check_server(&doubt.server_id)?;
    if handle.capture_status().is_none_or(|live| live.reads) {
        let why =
            "this agent captures nothing: ask the one that captures the server, if there is one".to_owned();
        return Err(Refusal::new(404, code::NOT_FOUND, why));
    }
    // Nothing can be read of the table now in any case.
    history.table(&doubt.table, None)?;
    let coverage = history.coverage();
    if doubt.since > coverage.newest {
        let why = format!("{} is after the end of the record, {}", doubt.since, coverage.newest);
        return Err(Refusal::malformed(why));
    }
    if doubt.reason.trim().is_empty() || doubt.reason.chars().count() > MOST_REASON {
        return Err(Refusal::malformed(format!(
            "the reason is empty, or longer than {MOST_REASON} characters"
        )));
    }
    let since = doubt.since.max(coverage.oldest);
    let reason = doubt.reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if handle.put_in_doubt(DoubtRequest { since, reason, ..doubt }) {
        Ok(DoubtTaken { success: true })
    } else {
        let why = "too many tables are being put in doubt: try again in a second".to_owned();
        Err(Refusal::new(503, code::OVERLOADED, why))
    }
}
