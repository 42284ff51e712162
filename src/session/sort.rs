//! ORDER BY, where the order is known.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the types that are not named have no order here and are refused"
)]

use dbtrail_types::column::{Column, ColumnType, Family};
use dbtrail_types::result_set::{Cell, Row};
use std::cmp::Ordering;
use std::collections::VecDeque;

/// Rows, and bytes of them, that are sorted at once.
const PIECE: (usize, usize) = (256, 256 << 10);
/// Steps after which others run: KILL, time limits and the end of the server are noticed there.
const SLICE: usize = 4096;
/// Bytes that are compared in about the time of a step.
const STEP: usize = 64;

/// What rows are ordered by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order<'a> {
    /// Positions of columns, and whether each descends.
    pub(super) by: &'a [(usize, bool)],
    /// The columns of the rows.
    pub(super) columns: &'a [Column],
}

/// How much was done since others ran.
#[derive(Debug, Default)]
struct WorkSlice(usize);

impl WorkSlice {
    async fn take(&mut self, steps: usize) {
        self.0 += steps;
        if self.0 >= SLICE {
            self.0 = 0;
            tokio::task::yield_now().await;
        }
    }
}

/// Sorts rows; those that are equal stay as they are to each other. In pieces, between which others
/// run.
pub(super) async fn sorted(rows: Vec<Row>, order: Order<'_>) -> Vec<Row> {
    let (mut runs, mut piece, mut bytes) = (VecDeque::new(), Vec::new(), 0);
    let mut slice = WorkSlice::default();
    for row in rows {
        bytes += row.iter().flatten().map(Vec::len).sum::<usize>();
        piece.push(row);
        if piece.len() >= PIECE.0 || bytes >= PIECE.1 {
            runs.push_back(order.piece(std::mem::take(&mut piece)));
            bytes = 0;
            slice.take(SLICE).await;
        }
    }
    runs.push_back(order.piece(piece));
    while runs.len() > 1 {
        let mut longer = VecDeque::with_capacity(runs.len().div_ceil(2));
        while let Some(first) = runs.pop_front() {
            longer.push_back(match runs.pop_front() {
                Some(second) => order.merged(first, second, &mut slice).await,
                None => first,
            });
        }
        runs = longer;
    }
    runs.pop_front().unwrap_or_default()
}

impl Order<'_> {
    fn piece(self, mut rows: Vec<Row>) -> Vec<Row> {
        rows.sort_by(|a, b| compare(a, b, self.by, self.columns));
        rows
    }

    async fn merged(self, first: Vec<Row>, second: Vec<Row>, slice: &mut WorkSlice) -> Vec<Row> {
        let mut all = Vec::with_capacity(first.len() + second.len());
        let (mut first, mut second) = (first.into_iter().peekable(), second.into_iter().peekable());
        while let (Some(a), Some(b)) = (first.peek(), second.peek()) {
            let cost = self.by.iter().filter_map(|(at, _)| a[*at].as_ref()).map(|cell| 1 + cell.len() / STEP);
            let cost = cost.sum();
            let comes = compare(b, a, self.by, self.columns);
            all.extend(if comes == Ordering::Less { second.next() } else { first.next() });
            slice.take(cost).await;
        }
        all.extend(first.chain(second));
        all
    }
}

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
            // Zero has two signs, and is one number.
            let (a, b) = (value(a), value(b));
            a.partial_cmp(&b).unwrap_or_else(|| a.total_cmp(&b))
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
        let integer: Vec<u8> =
            halves.next().unwrap_or_default().iter().copied().skip_while(|c| *c == b'0').collect();
        let mut fraction = halves.next().unwrap_or_default().to_vec();
        while fraction.last() == Some(&b'0') {
            fraction.pop();
        }
        let zero = integer.is_empty() && fraction.is_empty();
        (negative && !zero, integer, fraction)
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
        let (integer, fraction) = text.split_once('.').unwrap_or((text, ""));
        let seconds = integer.split(':').fold(0_i64, |sum, part| sum * 60 + part.parse::<i64>().unwrap_or(0));
        sign * (seconds * 1_000_000 + format!("{fraction:0<6}").parse::<i64>().unwrap_or(0))
    };
    value(a).cmp(&value(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: u64) -> Vec<Row> {
        let number = |i: u64| i.wrapping_mul(6_364_136_223_846_793_005) >> 40;
        let row =
            |i| vec![Some((number(i) % 997).to_string().into_bytes()), Some(i.to_string().into_bytes())];
        (0..count).map(row).collect()
    }

    fn columns() -> Vec<Column> {
        let column = |name: &str| Column::new(name.to_owned(), "bigint".parse().unwrap(), None, false);
        vec![column("a"), column("b")]
    }

    #[tokio::test]
    async fn rows_are_sorted_in_pieces_as_at_once() {
        let columns = columns();
        for count in [0, 1, 2, 255, 256, 257, 1000, 5000] {
            let order = [(0, true)];
            let mut wanted = rows(count);
            wanted.sort_by(|a, b| compare(a, b, &order, &columns));
            let order = Order { by: &order, columns: &columns };
            assert_eq!(sorted(rows(count), order).await, wanted, "{count}");
        }
    }

    /// Others run meanwhile, and whoever no longer wants the rows ends it.
    #[tokio::test]
    async fn a_long_sort_lets_others_run() {
        use std::rc::Rc;
        let turns = Rc::new(std::cell::Cell::new(0));
        let columns = columns();
        let order = [(0, false), (1, true)];
        let order = Order { by: &order, columns: &columns };
        let others = async {
            loop {
                turns.set(turns.get() + 1);
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            rows = sorted(rows(100_000), order) => assert_eq!(rows.len(), 100_000),
            () = others => {}
        }
        assert!(turns.get() > 400, "{}", turns.get());
    }

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
        let double = "double".parse().unwrap();
        assert_eq!(values(b"-0", b"0", &double), Ordering::Equal);
        assert_eq!(values(b"-1e-300", b"-0", &double), Ordering::Less);
    }
}
