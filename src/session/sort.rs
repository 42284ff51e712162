//! ORDER BY, where the order is known.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the types that are not named have no order here and are refused"
)]

use dbtrail_types::column::{Column, ColumnType, Family};
use dbtrail_types::result_set::{Cell, Row};
use std::cmp::Ordering;

/// Compares two rows by the columns at these positions.
pub(super) fn compare(a: &Row, b: &Row, order: &[(usize, bool)], columns: &[Column]) -> Ordering {
    for (at, descending) in order {
        let verdict = cells(&a[*at], &b[*at], &columns[*at].ty);
        let verdict = if *descending { verdict.reverse() } else { verdict };
        if verdict != Ordering::Equal {
            return verdict;
        }
    }
    Ordering::Equal
}

/// NULL comes before everything.
fn cells(a: &Cell, b: &Cell, ty: &ColumnType) -> Ordering {
    let (Some(a), Some(b)) = (a, b) else { return a.is_some().cmp(&b.is_some()) };
    values(a, b, ty)
}

/// Compares two values of a type.
pub(super) fn values(a: &[u8], b: &[u8], ty: &ColumnType) -> Ordering {
    match ty.family() {
        Family::Integer | Family::Decimal => numbers(a, b),
        Family::FloatingPoint => {
            let value = |t: &[u8]| {
                std::str::from_utf8(t).ok().and_then(|t| t.parse::<f64>().ok()).unwrap_or(f64::NAN)
            };
            value(a).total_cmp(&value(b))
        }
        Family::Time => times(a, b),
        // Only PAD SPACE collations come here: the shorter text goes on in spaces.
        Family::Text if !ty.is_lob() => padded(a, b),
        _ => a.cmp(b),
    }
}

/// Texts of which the shorter goes on in spaces.
fn padded(a: &[u8], b: &[u8]) -> Ordering {
    let at = |text: &[u8], i: usize| text.get(i).copied().unwrap_or(b' ');
    (0..a.len().max(b.len())).map(|i| at(a, i).cmp(&at(b, i))).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
}

/// Decimal numbers of any length, exactly.
fn numbers(a: &[u8], b: &[u8]) -> Ordering {
    let parts = |t: &[u8]| -> (bool, Vec<u8>, Vec<u8>) {
        let (negative, t) = t.strip_prefix(b"-").map_or((false, t), |t| (true, t));
        let mut halves = t.splitn(2, |c| *c == b'.');
        let whole: Vec<u8> =
            halves.next().unwrap_or_default().iter().copied().skip_while(|c| *c == b'0').collect();
        let mut fraction = halves.next().unwrap_or_default().to_vec();
        while fraction.last() == Some(&b'0') {
            fraction.pop();
        }
        let zero = whole.is_empty() && fraction.is_empty();
        (negative && !zero, whole, fraction)
    };
    let ((na, wa, fa), (nb, wb, fb)) = (parts(a), parts(b));
    match (na, nb) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        _ => {
            let size = wa.len().cmp(&wb.len()).then_with(|| wa.cmp(&wb)).then_with(|| fa.cmp(&fb));
            if na { size.reverse() } else { size }
        }
    }
}

/// `-838:59:59.000000` to `838:59:59.000000`.
fn times(a: &[u8], b: &[u8]) -> Ordering {
    let value = |t: &[u8]| -> i64 {
        let text = String::from_utf8_lossy(t);
        let (sign, text) = text.strip_prefix('-').map_or((1, text.as_ref()), |t| (-1, t));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let seconds = whole.split(':').fold(0_i64, |sum, part| sum * 60 + part.parse::<i64>().unwrap_or(0));
        sign * (seconds * 1_000_000 + format!("{fraction:0<6}").parse::<i64>().unwrap_or(0))
    };
    value(a).cmp(&value(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_numbers_and_times() {
        for (a, b, verdict) in [
            ("9", "10", Ordering::Less),
            ("-9", "-10", Ordering::Greater),
            ("-1", "0", Ordering::Less),
            ("18446744073709551615", "18446744073709551614", Ordering::Greater),
            ("1.5", "1.50", Ordering::Equal),
            ("-0.00", "0", Ordering::Equal),
            ("0.1", "0.09", Ordering::Greater),
        ] {
            assert_eq!(numbers(a.as_bytes(), b.as_bytes()), verdict, "{a} {b}");
        }
        assert_eq!(padded(b"a", b"a  "), Ordering::Equal);
        assert_eq!(padded(b"a", b"a\t"), Ordering::Greater);
        assert_eq!(times(b"-01:00:00", b"00:00:00.5"), Ordering::Less);
        assert_eq!(times(b"100:00:00", b"99:59:59"), Ordering::Greater);
    }
}
