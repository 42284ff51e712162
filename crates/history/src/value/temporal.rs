//! Dates and times as the text protocol has them.

use super::super::log::Raw;

/// TIME, DATETIME or TIMESTAMP (in UTC) with `fsp` decimals; `None`: another kind of value, or out
/// of range.
#[must_use]
pub fn temporal_text(raw: &Raw<'_>, fsp: u8) -> Option<String> {
    let mut text = Vec::with_capacity(26);
    temporal(raw, fsp, &mut text)?;
    String::from_utf8(text).ok()
}

pub(super) fn temporal(raw: &Raw<'_>, fsp: u8, out: &mut Vec<u8>) -> Option<()> {
    let micros = match raw {
        // What no server writes has no text.
        Raw::Time(_, 839.., ..) | Raw::DateTime(10_000.., ..) => return None,
        Raw::Time(negative, h, m, s, micros) => {
            if *negative {
                out.push(b'-');
            }
            clock(u32::from(*h), *m, *s, out);
            *micros
        }
        Raw::DateTime(y, mo, d, h, m, s, micros) => {
            date(*y, *mo, *d, out);
            out.push(b' ');
            clock(u32::from(*h), *m, *s, out);
            *micros
        }
        Raw::Timestamp(0, 0) => {
            out.extend_from_slice(b"0000-00-00 00:00:00");
            0
        }
        Raw::Timestamp(seconds, micros) => {
            let t = jiff::Timestamp::from_second(i64::from(*seconds)).ok()?;
            let t = jiff::tz::Offset::UTC.to_datetime(t);
            let small = |n: i8| n.cast_unsigned();
            date(t.year().cast_unsigned(), small(t.month()), small(t.day()), out);
            out.push(b' ');
            clock(u32::from(small(t.hour())), small(t.minute()), small(t.second()), out);
            *micros
        }
        _ => return None,
    };
    if micros > 999_999 || fsp > 6 {
        return None;
    }
    if fsp > 0 {
        out.push(b'.');
        digits(micros, 6, out);
        out.truncate(out.len() - (6 - usize::from(fsp)));
    }
    Some(())
}

pub(super) fn date(year: u16, month: u8, day: u8, out: &mut Vec<u8>) {
    digits(u32::from(year), 4, out);
    out.push(b'-');
    digits(u32::from(month), 2, out);
    out.push(b'-');
    digits(u32::from(day), 2, out);
}

fn clock(hour: u32, minute: u8, second: u8, out: &mut Vec<u8>) {
    digits(hour, if hour > 99 { 3 } else { 2 }, out);
    out.push(b':');
    digits(u32::from(minute), 2, out);
    out.push(b':');
    digits(u32::from(second), 2, out);
}

/// The last digits of a number. Rows are full of times: formatting them one by one through
/// `format!` was a noticeable part of reading a log.
pub(super) fn digits(mut number: u32, count: usize, out: &mut Vec<u8>) {
    let end = out.len() + count;
    out.resize(end, b'0');
    for digit in out[end - count..].iter_mut().rev() {
        *digit += u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}
