//! Conditions on rows.

use super::*;
use dbtrail_types::agent_api::Comparison;
use dbtrail_types::agent_api::Octets;

fn column(ty: &str, collation: Option<&str>) -> Column {
    Column {
        has_default: false,
        ..Column::new("c".to_owned(), ty.parse().unwrap(), collation.map(str::to_owned), true)
    }
}

fn compare(is: Relation, value: &str) -> Filter {
    let value = Octets(value.as_bytes().to_vec());
    Filter::Compare(Comparison { column: "C".to_owned(), is, value })
}

fn holds(column: &Column, filter: &Filter, cell: RowValue<'_>) -> Result<bool, Undecided> {
    RowFilter::new(filter, std::slice::from_ref(column))?.holds(&[cell])
}

/// By the rules of the manual; `tests/real/conditions.py` holds them to a server.
#[test]
fn values_compare_as_their_types_do() {
    use Relation::{Equal, Greater, Less, Same};
    for (ty, collation, cell, is, value, want) in [
        ("int", None, "9", Less, "10", true),
        ("int", None, "-2", Less, "-1.5", true),
        ("int", None, "42", Equal, "42.000", true),
        ("bigint unsigned", None, "18446744073709551615", Greater, "18446744073709551614.9", true),
        ("decimal(10,2)", None, "-0.10", Equal, "-.1", true),
        ("double", None, "0.1", Equal, "0.1", true),
        ("float", None, "0.1", Equal, "0.1", false),
        ("time(1)", None, "-01:00:00.0", Less, "00:00:00.0", true),
        ("time", None, "100:00:00", Greater, "99:00:00", true),
        ("binary(3)", None, "a", Equal, "a\0\0", true),
        ("varbinary(3)", None, "a", Less, "a\0", true),
        ("varchar(9)", Some("utf8mb4_general_ci"), "A ", Equal, "a", true),
        ("varchar(9)", Some("utf8mb4_0900_ai_ci"), "A ", Equal, "a", false),
        ("varchar(9)", Some("utf8mb4_bin"), "A", Same, "a", false),
        ("date", None, "2026-01-02", Greater, "2026-01-01", true),
        ("date", None, "2026-01-02", Less, "2026-01-02 10:00:00", true),
        ("datetime", None, "2026-01-02 10:00:00", Less, "2026-01-02 10:00:00.5", true),
    ] {
        let reported = holds(&column(ty, collation), &compare(is, value), RowValue::Bytes(cell.as_bytes()));
        assert_eq!(reported, Ok(want), "{ty} {cell} {is:?} {value}");
    }
    let bits = column("bit(10)", None);
    assert_eq!(holds(&bits, &compare(Equal, "513"), RowValue::Bytes(&[2, 1])), Ok(true));
}

#[test]
fn truth_has_three_values() {
    let int = column("int", None);
    let equal = || compare(Relation::Equal, "1");
    let not = |inside| Filter::Not(Box::new(inside));
    for (filter, cell, want) in [
        (equal(), RowValue::Null, false),
        (not(equal()), RowValue::Null, false),
        (compare(Relation::Same, "1"), RowValue::Null, false),
        (not(compare(Relation::Same, "1")), RowValue::Null, true),
        (Filter::IsNull("c".to_owned()), RowValue::Null, true),
        (Filter::Or(vec![equal(), Filter::Truth(Some(true))]), RowValue::Null, true),
        (not(Filter::And(vec![equal(), Filter::Truth(Some(false))])), RowValue::Null, true),
        // What is not known matters only where the truth hangs on it.
        (Filter::Or(vec![equal(), Filter::Truth(Some(true))]), RowValue::Unknown, true),
        (Filter::And(vec![equal(), Filter::Truth(Some(false))]), RowValue::Unknown, false),
    ] {
        assert_eq!(holds(&int, &filter, cell), Ok(want), "{filter:?}");
    }
    assert!(holds(&int, &equal(), RowValue::Unknown).is_err());
}

#[test]
fn what_is_not_certain_is_refused_by_name() {
    for (ty, collation, filter) in [
        ("json", None, compare(Relation::Equal, "1")),
        ("float(7,2)", None, compare(Relation::Equal, "1")),
        ("enum('a','b')", Some("utf8mb4_bin"), compare(Relation::Less, "b")),
        ("varchar(9)", Some("utf8mb4_tr_0900_ai_ci"), compare(Relation::Equal, "i")),
        ("int", None, compare(Relation::Equal, "one")),
    ] {
        let column = column(ty, collation);
        let reported = RowFilter::new(&filter, std::slice::from_ref(&column)).map(|_| ()).unwrap_err();
        assert!(reported.to_string().contains("column c"), "{reported}");
    }
}
