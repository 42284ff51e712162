//! Timestamps of an answer in the session's time zone.

use crate::failure::Failure;
use dbtrail_types::column::ColumnType;
use dbtrail_types::timestamp::Timestamp;
use dbtrail_types::zone::Zone;

/// An instant as DATETIME(6) in a zone.
pub(super) fn in_zone(instant: Timestamp, zone: &Zone) -> Result<String, Failure> {
    let local = zone.local(instant).ok_or_else(|| {
        Failure::AgentNonsense(format!("the agent sent the instant {instant}, which no calendar has"))
    })?;
    Ok(format!("{}.{:06}", local.strftime("%Y-%m-%d %H:%M:%S"), local.subsec_nanosecond() / 1000))
}

/// A TIMESTAMP cell, which is UTC, in a zone. The zero date is in no zone.
pub(super) fn shown_in(zone: &Zone, utc: &[u8], ty: &ColumnType) -> Result<Vec<u8>, Failure> {
    let nonsense =
        || Failure::AgentNonsense(format!("the agent sent '{}' as {ty}", String::from_utf8_lossy(utc)));
    let text = std::str::from_utf8(utc).map_err(|_| nonsense())?;
    if text.starts_with("0000-00-00") || zone.name() == "+00:00" {
        return Ok(utc.to_vec());
    }
    let (whole, fraction) = text.split_once('.').map_or((text, ""), |(w, f)| (w, f));
    let instant: Timestamp = format!("{}Z", whole.replace(' ', "T")).parse().map_err(|_| nonsense())?;
    let local = zone.local(instant).ok_or_else(nonsense)?;
    let mut shown = local.strftime("%Y-%m-%d %H:%M:%S").to_string();
    if !fraction.is_empty() {
        shown.push('.');
        shown.push_str(fraction);
    }
    Ok(shown.into_bytes())
}
