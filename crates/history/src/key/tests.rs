use super::*;
use dbtrail_types::column::{ColumnKey, IntSize};
use proptest::prelude::*;

fn column(ty: ColumnType) -> Column {
    Column { key: ColumnKey::Primary, has_default: false, ..Column::new("k".to_owned(), ty, None, false) }
}

fn key(ty: &ColumnType, value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    encode(&column(ty.clone()), value, &mut out).ok().map(|()| out)
}

/// Every list is in MySQL's order; keys must rise strictly.
#[test]
fn bytes_order_as_the_values_do() {
    let int = ColumnType::Int { size: IntSize::Big, unsigned: false, zerofill: false, display_width: None };
    let decimal = ColumnType::Decimal { precision: 10, scale: 2, unsigned: false, zerofill: false };
    let labels = vec!["z".to_owned(), "a".to_owned()];
    let cases: Vec<(ColumnType, Vec<&[u8]>)> = vec![
        (
            int,
            vec![
                b"-9223372036854775808",
                b"-65537",
                b"-65536",
                b"-257",
                b"-256",
                b"-2",
                b"-1",
                b"0",
                b"1",
                b"255",
                b"256",
                b"65535",
                b"65536",
                b"18446744073709551615",
            ],
        ),
        (decimal, vec![b"-100.00", b"-99.99", b"-1.10", b"-1.09", b"0.00", b"0.01", b"9.99", b"10.00"]),
        (
            ColumnType::VarBinary { bytes: 9 },
            vec![b"", b"\0", b"\0\0", b"\0\x01", b"\x01", b"\x01\0", b"\x01\x01", b"\xff"],
        ),
        (ColumnType::Date, vec![b"0000-00-00", b"2026-01-31", b"2026-02-01"]),
        (
            ColumnType::Time { fsp: 6 },
            vec![
                b"-838:59:59.000000",
                b"-00:00:00.500000",
                b"00:00:00.000000",
                b"00:00:00.000001",
                b"100:00:00.000000",
            ],
        ),
        (ColumnType::DateTime { fsp: 0 }, vec![b"2026-04-27 09:00:00", b"2026-04-27 09:00:01"]),
        (ColumnType::Year, vec![b"0000", b"1901", b"2155"]),
        (ColumnType::Bit { bits: 13 }, vec![b"\0\0", b"\0\x01", b"\x1f\xff"]),
        (ColumnType::Enum { labels: labels.clone() }, vec![b"", b"z", b"a"]),
        (ColumnType::Set { labels }, vec![b"", b"z", b"a", b"z,a"]),
    ];
    for (ty, values) in cases {
        let keys: Vec<Vec<u8>> =
            values.iter().map(|v| key(&ty, v).unwrap_or_else(|| panic!("{ty:?} {v:?}"))).collect();
        for pair in keys.windows(2) {
            assert!(pair[0] < pair[1], "{ty:?} {keys:?}");
            assert!(!pair[1].starts_with(&pair[0]), "a key begins another: {ty:?} {keys:?}");
        }
    }
}

proptest! {
    #[test]
    fn integers_order_and_come_back(a in any::<i64>(), b in any::<i64>(), shift in 0_u32..64, unsigned in any::<u64>()) {
        let of = |n: i128| {
            let mut out = Vec::new();
            number::integer(n.to_string().as_bytes(), false, &mut out).unwrap();
            out
        };
        let (a, b) = (i128::from(a >> shift), i128::from(b >> shift));
        for (x, y) in [(a, b), (a, i128::from(unsigned >> shift)), (a, a + 1), (a, -a)] {
            if i64::try_from(x).is_ok() && i64::try_from(y).is_ok() || y > 0 {
                prop_assert_eq!(of(x).cmp(&of(y)), x.cmp(&y), "{} {}", x, y);
                prop_assert_eq!(number::integer_of(&of(x)), Some(x));
                prop_assert_eq!(number::integer_of(&of(y)), Some(y));
            }
        }
    }
}

#[test]
fn what_mysqld_would_not_print_is_refused() {
    let int = ColumnType::Int { size: IntSize::Int, unsigned: false, zerofill: false, display_width: None };
    let zerofill =
        ColumnType::Int { size: IntSize::Int, unsigned: true, zerofill: true, display_width: Some(5) };
    let decimal = ColumnType::Decimal { precision: 5, scale: 2, unsigned: false, zerofill: false };
    for (ty, value) in [
        (&int, "042"),
        (&int, "+1"),
        (&int, " 1"),
        (&int, "1e3"),
        (&int, ""),
        (&int, "-"),
        (&int, "1.0"),
        (&int, "99999999999999999999"),
        (&decimal, "1,5"),
        (&decimal, "1.005"),
        (&decimal, ".5"),
        (&decimal, "1."),
        (&decimal, "nan"),
        (&ColumnType::Date, "2026-1-01"),
        (&ColumnType::Date, "2026-01-01 00:00:00"),
        (&ColumnType::Time { fsp: 0 }, "1:00:00"),
        (&ColumnType::Time { fsp: 0 }, "00:60:00"),
        (&ColumnType::DateTime { fsp: 0 }, "2026-01-01"),
        (&ColumnType::Year, "26"),
        (&ColumnType::Bit { bits: 13 }, "1"),
        (&ColumnType::Enum { labels: vec!["a".into()] }, "A"),
        (&ColumnType::Set { labels: vec!["a".into(), "b".into()] }, "b,a"),
        (&ColumnType::Uuid, "not-a-uuid"),
        (&ColumnType::Inet4, "1.2.3"),
    ] {
        assert_eq!(key(ty, value.as_bytes()), None, "{ty:?} {value}");
    }
    assert_eq!(key(&zerofill, b"00042"), key(&int, b"42"));
    assert_eq!(key(&decimal, b"1.5"), key(&decimal, b"1.50"));
    assert_eq!(key(&decimal, b"-0.00"), key(&decimal, b"0.00"));
    assert_eq!(key(&ColumnType::Double { digits: None, unsigned: false, zerofill: false }, b"1"), None);
    assert_eq!(key(&ColumnType::Json, b"1"), None);
}

#[test]
fn a_stored_binary_is_padded_and_an_asked_one_is_not() {
    let c = column(ColumnType::Binary { bytes: 3 });
    let (mut stored, mut asked) = (Vec::new(), Vec::new());
    encode_stored(&c, b"a", &mut stored).unwrap();
    encode(&c, b"a", &mut asked).unwrap();
    assert_ne!(stored, asked, "mysqld does not find 'a' in BINARY(3)");
    asked.clear();
    encode(&c, b"a\0\0", &mut asked).unwrap();
    assert_eq!(stored, asked);
}

/// MySQL 9.7 and MariaDB 10.11 show all of these as ''.
#[test]
fn err_a_label_that_is_shown_like_what_is_no_label() {
    let labels = vec!["b".to_owned(), String::new(), "a".to_owned()];
    for ty in [ColumnType::Enum { labels: labels.clone() }, ColumnType::Set { labels }] {
        let column = column(ty);
        let refused = encode(&column, b"", &mut Vec::new());
        assert_eq!(refused, Err(KeyError::TwoValues { column: column.name.clone() }));
        assert_eq!(encode(&column, b"a", &mut Vec::new()), Ok(()));
    }
}
