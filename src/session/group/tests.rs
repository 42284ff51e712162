use super::*;
use crate::statement::AggregateFunction;

fn column(ty: &str, collation: Option<&str>) -> Column {
    Column::new("c".to_owned(), ty.parse().unwrap(), collation.map(str::to_owned), true)
}

fn row(cells: &[Option<&str>]) -> Row {
    cells.iter().map(|cell| cell.map(|text| text.as_bytes().to_vec())).collect()
}

fn planned(function: AggregateFunction, columns: &[usize], ty: &str) -> PlannedAggregate {
    PlannedAggregate { function, columns: columns.to_vec(), declared: column(ty, None) }
}

fn groups(columns: &[usize], aggregates: Vec<PlannedAggregate>) -> Groups {
    Groups::new(Grouping { columns: columns.to_vec(), aggregates, having: None })
}

fn counted(columns: &[usize]) -> Groups {
    groups(columns, vec![planned(AggregateFunction::Count, &[], "bigint")])
}

#[test]
fn rows_are_counted_by_groups_in_the_order_in_which_they_come() {
    let source = [column("int", None), column("varchar(9)", Some("utf8mb4_bin"))];
    let mut groups = counted(&[1]);
    for text in [Some("b"), None, Some("a"), Some("b"), None] {
        groups.add(&row(&[Some("1"), text]), &source).unwrap();
    }
    let want = [
        row(&[None, Some("b"), Some("2")]),
        row(&[None, None, Some("2")]),
        row(&[None, Some("a"), Some("1")]),
    ];
    assert_eq!(groups.rows(2).unwrap(), want);
}

#[test]
fn without_columns_there_is_one_group_also_of_no_row() {
    assert_eq!(counted(&[]).rows(1).unwrap(), [row(&[None, Some("0")])]);
    let mut groups = counted(&[]);
    assert!(groups.is_a_count());
    groups.count(7);
    assert_eq!(groups.rows(0).unwrap(), [row(&[Some("7")])]);
}

#[test]
fn a_group_of_several_spellings_is_refused() {
    let source = [column("varchar(9)", Some("utf8mb4_general_ci"))];
    let mut groups = counted(&[0]);
    groups.add(&row(&[Some("Paid")]), &source).unwrap();
    groups.add(&row(&[Some("Paid")]), &source).unwrap();
    let refused = groups.add(&row(&[Some("paid")]), &source).unwrap_err();
    assert!(format!("{refused:?}").contains("'Paid' and 'paid'"), "{refused:?}");
}

#[test]
fn groups_are_bounded() {
    let source = [column("int", None)];
    let mut groups = counted(&[0]);
    let refused = (0..=MOST).find_map(|i| groups.add(&row(&[Some(&i.to_string())]), &source).err());
    assert!(format!("{refused:?}").contains("100000 groups"), "{refused:?}");
}

#[test]
fn values_are_counted_added_and_compared() {
    use AggregateFunction::{Count, CountDistinct, Max, Min, Sum};
    let source = [column("decimal(60,2)", None), column("varchar(9)", Some("utf8mb4_general_ci"))];
    let all = |of: usize, ty| {
        vec![
            planned(Count, &[of], "bigint"),
            planned(CountDistinct, &[of], "bigint"),
            planned(Min, &[of], ty),
            planned(Max, &[of], ty),
        ]
    };
    let mut numbers = all(0, "decimal(60,2)");
    numbers.push(planned(Sum, &[0], "decimal(65,2)"));
    let mut numbers = groups(&[], numbers);
    let mut texts = groups(&[], all(1, "varchar(9)"));
    assert!(!numbers.is_a_count());
    for cells in [["9.10", "b"], ["-10.00", "A"], ["9.10", "a"], ["100.05", "c"]] {
        numbers.add(&row(&cells.map(Some)), &source).unwrap();
        texts.add(&row(&cells.map(Some)), &source).err();
    }
    numbers.add(&row(&[None, None]), &source).unwrap();
    let want = ["4", "3", "-10.00", "100.05", "108.25"].map(Some);
    assert_eq!(numbers.rows(0).unwrap(), [row(&want)]);
    // 'A' and 'a' are equal, and a server shows either.
    let mut texts = groups(&[], all(1, "varchar(9)"));
    texts.add(&row(&[None, Some("A")]), &source).unwrap();
    let refused = texts.add(&row(&[None, Some("a")]), &source).unwrap_err();
    assert!(format!("{refused:?}").contains("'A' and 'a'"), "{refused:?}");
    // Nothing but NULL.
    let mut none =
        groups(&[], vec![planned(Min, &[0], "int"), planned(Sum, &[0], "int"), planned(Count, &[0], "int")]);
    none.add(&row(&[None, None]), &source).unwrap();
    assert_eq!(none.rows(0).unwrap(), [row(&[None, None, Some("0")])]);
    // More digits than are added exactly.
    let mut wide = groups(&[], vec![planned(Sum, &[0], "decimal(65,2)")]);
    let refused = wide.add(&row(&[Some(&"9".repeat(57)), None]), &source).unwrap_err();
    assert!(format!("{refused:?}").contains("digits"), "{refused:?}");
}

/// Seen on MySQL 9.7 and MariaDB 11.8: the plan decides whether zeros in front are shown, where
/// there is GROUP BY.
#[test]
fn zeros_in_front_are_refused_in_groups() {
    let source = [column("int", None), column("year", None)];
    for (columns, year, want) in
        [(&[][..], "0000", Some("0")), (&[0], "2026", Some("2026")), (&[0], "0000", None)]
    {
        let mut groups = groups(columns, vec![planned(AggregateFunction::Max, &[1], "year")]);
        groups.add(&row(&[Some("1"), Some(year)]), &source).unwrap();
        let shown = groups.rows(0);
        let cell = shown.as_ref().ok().map(|rows| rows[0].last().unwrap().clone().unwrap());
        assert_eq!(cell.as_deref(), want.map(str::as_bytes), "{columns:?} {year}: {shown:?}");
    }
}

#[test]
fn distinct_values_are_bounded() {
    let source = [column("blob", None)];
    let mut groups = groups(&[], vec![planned(AggregateFunction::CountDistinct, &[0], "bigint")]);
    let long = "x".repeat(1 << 20);
    let refused = (0..100).find_map(|i| groups.add(&row(&[Some(&format!("{i}{long}"))]), &source).err());
    assert!(format!("{refused:?}").contains("more values"), "{refused:?}");
}
