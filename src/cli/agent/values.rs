//! Values of arguments, and of what is shown.

use crate::config::agent::{self, CACHE_FORM, KEEP_FORM, Keep};
use crate::config::log_files::{self, BACKFILL_FORM, TIMESTAMP_FORM};
use crate::config::{self, HOURLY_SHARE_FORM, Verify};
use dbtrail_history::history_handle::{BacklogProgress, Status, Verification};
use dbtrail_history::log::SourceTime;
use dbtrail_history::source::Backfill;
use dbtrail_types::timestamp::Timestamp;

pub(super) fn timed(text: &str) -> Result<SourceTime, String> {
    SourceTime::read(text).ok_or_else(|| "it is not local or original".to_owned())
}

pub(super) fn dated(text: &str) -> Result<Timestamp, String> {
    log_files::timestamp(text).ok_or_else(|| format!("it is not {TIMESTAMP_FORM}"))
}

pub(super) fn backfilled(text: &str) -> Result<Backfill, String> {
    log_files::backfill(text).ok_or_else(|| format!("it is not {BACKFILL_FORM}"))
}

pub(super) fn kept(text: &str) -> Result<Keep, String> {
    agent::keep(text).ok_or_else(|| format!("it is not {KEEP_FORM}"))
}

pub(super) fn cached(text: &str) -> Result<u32, String> {
    agent::cache(text).ok_or_else(|| format!("it is not {CACHE_FORM}"))
}

pub(super) fn shared(text: &str) -> Result<Verify, String> {
    config::verify(text).ok_or_else(|| format!("it is not {HOURLY_SHARE_FORM}"))
}

/// How far the log from before the agent came is taken in.
pub(super) fn backlog(backlog: &BacklogProgress) -> String {
    format!(
        "{} of {} of log from before the agent came are taken in",
        size(backlog.done),
        size(backlog.total)
    )
}

/// How far the comparison with the server in the background is.
pub(super) fn verified(verification: &Verification) -> String {
    let proven = match verification.proven {
        None => "no round has come to its end".to_owned(),
        Some(at) if verification.differing.is_empty() => {
            format!("every row was as the server has it at {at}")
        }
        Some(at) => {
            format!("rows were not those of the server at {at}: {}", verification.differing.join(", "))
        }
    };
    let stopped = verification.reason.as_ref().map(|why| format!("; it does not go on: {why}"));
    format!("{proven}; {} rows since the start{}", verification.rows, stopped.unwrap_or_default())
}

pub(super) fn baseline(status: &Status) -> String {
    match &status.baseline {
        None => "none".to_owned(),
        Some(b) if b.is_running() => format!("{} of {} tables, {} rows so far", b.done, b.total, b.rows),
        Some(b) => format!("read: {} tables, {} rows", b.total, b.rows),
    }
}

/// Bytes with a unit.
pub(super) fn size(bytes: u64) -> String {
    let units = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}
