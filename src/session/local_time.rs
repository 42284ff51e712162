//! Timestamps of an answer in the session's time zone.

use crate::failure::Failure;
use dbtrail_types::column::ColumnType;
use dbtrail_types::timestamp::Timestamp;
use dbtrail_types::zone::Zone;
use jiff::civil::DateTime;

/// An instant as DATETIME(6) in a zone.
pub(super) fn in_zone(instant: Timestamp, zone: &Zone) -> Result<String, Failure> {
    let mut shown = Vec::with_capacity(26);
    put_in_zone(&mut shown, instant, zone)?;
    Ok(String::from_utf8_lossy(&shown).into_owned())
}

/// Appends an instant as DATETIME(6) in a zone.
pub(super) fn put_in_zone(out: &mut Vec<u8>, instant: Timestamp, zone: &Zone) -> Result<(), Failure> {
    let local = zone.local(instant).ok_or_else(|| {
        Failure::AgentNonsense(format!("the agent sent the instant {instant}, which no calendar has"))
    })?;
    put_seconds(out, local);
    out.push(b'.');
    put_digits(out, local.subsec_nanosecond().unsigned_abs() / 1000, 6);
    Ok(())
}

/// Appends a local time as `2026-04-27 09:00:00`. Each row of a diff has one: a format that is read
/// again for every one of them was a noticeable part of a long answer.
fn put_seconds(out: &mut Vec<u8>, local: DateTime) {
    if !(0..=9999).contains(&local.year()) {
        return out.extend_from_slice(local.strftime("%Y-%m-%d %H:%M:%S").to_string().as_bytes());
    }
    put_digits(out, u32::from(local.year().unsigned_abs()), 4);
    for (before, part) in [
        (b'-', local.month()),
        (b'-', local.day()),
        (b' ', local.hour()),
        (b':', local.minute()),
        (b':', local.second()),
    ] {
        out.push(before);
        put_digits(out, u32::from(part.unsigned_abs()), 2);
    }
}

/// Appends the last digits of a number.
fn put_digits(out: &mut Vec<u8>, number: u32, count: u32) {
    let digit = |at: u32| b"0123456789"[(number / 10_u32.pow(at) % 10) as usize];
    out.extend((0..count).rev().map(digit));
}

/// Appends a TIMESTAMP cell, which is UTC, as it is in a zone. The zero date is in no zone.
pub(super) fn put_shown_in(
    out: &mut Vec<u8>,
    zone: &Zone,
    utc: &[u8],
    ty: &ColumnType,
) -> Result<(), Failure> {
    let nonsense =
        || Failure::AgentNonsense(format!("the agent sent '{}' as {ty}", String::from_utf8_lossy(utc)));
    let text = std::str::from_utf8(utc).map_err(|_| nonsense())?;
    if text.starts_with("0000-00-00") || zone.name() == "+00:00" {
        out.extend_from_slice(utc);
        return Ok(());
    }
    let (seconds, fraction) = text.split_once('.').map_or((text, ""), |(w, f)| (w, f));
    let instant: Timestamp = format!("{}Z", seconds.replace(' ', "T")).parse().map_err(|_| nonsense())?;
    put_seconds(out, zone.local(instant).ok_or_else(nonsense)?);
    if !fraction.is_empty() {
        out.push(b'.');
        out.extend_from_slice(fraction.as_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_their_format_has_them() {
        for zone in ["+00:00", "+05:30", "Europe/Berlin"] {
            let zone = Zone::parse(zone).unwrap();
            for micros in [0, -1, 1, 1_777_280_400_000_001, 253_300_000_000_000_000, -62_135_510_400_000_000]
            {
                let instant = Timestamp::from_micros(micros);
                let local = zone.local(instant).unwrap();
                let format = format!(
                    "{}.{:06}",
                    local.strftime("%Y-%m-%d %H:%M:%S"),
                    local.subsec_nanosecond() / 1000
                );
                assert_eq!(in_zone(instant, &zone).unwrap(), format);
            }
        }
    }
}
