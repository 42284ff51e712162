//! Key bytes of dates and times. `None`: not the text of such a value as mysqld prints it.

/// Two-digit field below `limit`.
fn field(value: &[u8], limit: u8) -> Option<u8> {
    let [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = value else { return None };
    let number = (tens - b'0') * 10 + (ones - b'0');
    (number < limit).then_some(number)
}

/// `''` or `.` and one to six digits: microseconds as six digits.
fn fraction(value: &[u8]) -> Option<[u8; 6]> {
    let mut micros = [b'0'; 6];
    if let Some((dot, digits)) = value.split_first() {
        if *dot != b'.' || digits.is_empty() || digits.len() > 6 || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        micros[..digits.len()].copy_from_slice(digits);
    }
    Some(micros)
}

/// `YYYY-MM-DD`, zeros allowed: as text it orders as MySQL orders dates.
pub(super) fn date(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let [year @ .., b'-', m1, m2, b'-', d1, d2] = value else { return None };
    if year.len() != 4 || !year.iter().all(u8::is_ascii_digit) {
        return None;
    }
    field(&[*m1, *m2], 13)?;
    field(&[*d1, *d2], 32)?;
    out.extend(value);
    Some(())
}

/// `hh:mm:ss` after a date or after the hours of a TIME.
fn clock(minutes_and_seconds: &[u8]) -> Option<(u8, u8)> {
    let [b':', m1, m2, b':', s1, s2] = minutes_and_seconds else { return None };
    Some((field(&[*m1, *m2], 60)?, field(&[*s1, *s2], 60)?))
}

/// `YYYY-MM-DD hh:mm:ss[.ffffff]`.
pub(super) fn date_time(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (day, rest) = value.split_at_checked(10)?;
    let (time, decimals) = rest.split_at_checked(9)?;
    let micros = fraction(decimals)?;
    let [b' ', h1, h2, minutes @ ..] = time else { return None };
    field(&[*h1, *h2], 24)?;
    clock(minutes)?;
    let mut checked = Vec::with_capacity(25);
    date(day, &mut checked)?;
    checked.extend(time);
    checked.extend(micros);
    out.extend(checked);
    Some(())
}

/// `[-]hh[h]:mm:ss[.ffffff]`, as biased microseconds.
pub(super) fn time(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let negative = value.first() == Some(&b'-');
    let rest = &value[usize::from(negative)..];
    let hours_length = rest.iter().position(|b| *b == b':')?;
    let (hours, rest) = rest.split_at(hours_length);
    let (minutes, decimals) = rest.split_at_checked(6)?;
    if !(2..=3).contains(&hours.len()) || !hours.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let hours: i64 = std::str::from_utf8(hours).ok()?.parse().ok()?;
    let (minutes, seconds) = clock(minutes)?;
    let micros: i64 = std::str::from_utf8(&fraction(decimals)?).ok()?.parse().ok()?;
    let total = ((hours * 60 + i64::from(minutes)) * 60 + i64::from(seconds)) * 1_000_000 + micros;
    let signed = if negative { -total } else { total };
    out.extend((signed + (1 << 62)).to_be_bytes());
    Some(())
}
