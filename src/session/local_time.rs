//! Timestamps of an answer in the session's time zone.

use crate::failure::Failure;
use dbtrail_types::column::ColumnType;
use dbtrail_types::timestamp::Timestamp;
use dbtrail_types::zone::Zone;
use jiff::civil::DateTime;

/// An instant as DATETIME(6) in a zone.
pub(super) fn in_zone(instant: Timestamp, zone: &Zone) -> Result<String, Failure> {
    let local = zone.local(instant).ok_or_else(|| {
        Failure::AgentNonsense(format!("the agent sent the instant {instant}, which no calendar has"))
    })?;
    let mut shown = seconds(local);
    shown.push('.');
    push_digits(&mut shown, local.subsec_nanosecond().unsigned_abs() / 1000, 6);
    Ok(shown)
}

/// A local time as `2026-04-27 09:00:00`. Each row of a diff has one: a format that is read again
/// for every one of them was a noticeable part of a long answer.
fn seconds(local: DateTime) -> String {
    if !(0..=9999).contains(&local.year()) {
        return local.strftime("%Y-%m-%d %H:%M:%S").to_string();
    }
    let mut out = String::with_capacity(26);
    push_digits(&mut out, u32::from(local.year().unsigned_abs()), 4);
    for (before, part) in [
        ('-', local.month()),
        ('-', local.day()),
        (' ', local.hour()),
        (':', local.minute()),
        (':', local.second()),
    ] {
        out.push(before);
        push_digits(&mut out, u32::from(part.unsigned_abs()), 2);
    }
    out
}

/// The last digits of a number.
fn push_digits(out: &mut String, number: u32, count: u32) {
    let digit = |at: u32| char::from_digit(number / 10_u32.pow(at) % 10, 10);
    out.extend((0..count).rev().filter_map(digit));
}

/// A TIMESTAMP cell, which is UTC, in a zone. The zero date is in no zone.
pub(super) fn shown_in(zone: &Zone, utc: &[u8], ty: &ColumnType) -> Result<Vec<u8>, Failure> {
    let nonsense =
        || Failure::AgentNonsense(format!("the agent sent '{}' as {ty}", String::from_utf8_lossy(utc)));
    let text = std::str::from_utf8(utc).map_err(|_| nonsense())?;
    if text.starts_with("0000-00-00") || zone.name() == "+00:00" {
        return Ok(utc.to_vec());
    }
    let (seconds_part, fraction) = text.split_once('.').map_or((text, ""), |(w, f)| (w, f));
    let instant: Timestamp =
        format!("{}Z", seconds_part.replace(' ', "T")).parse().map_err(|_| nonsense())?;
    let local = zone.local(instant).ok_or_else(nonsense)?;
    let mut shown = seconds(local);
    if !fraction.is_empty() {
        shown.push('.');
        shown.push_str(fraction);
    }
    Ok(shown.into_bytes())
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
