//! Which predicates bind a key, and to which values.

use super::*;
use crate::plan::charsets::Charsets;

use dbtrail_types::zone::Zone;
use proptest::prelude::*;
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;

fn column(name: &str, ty: &str, collation: Option<&str>) -> Column {
    Column {
        has_default: false,
        ..Column::new(name.to_owned(), ty.parse().unwrap(), collation.map(str::to_owned), false)
    }
}

/// Key columns named k0, k1...: integers; and `other`, which is in no key.
fn table(keys: usize) -> TableDefinition {
    let mut columns: Vec<Column> =
        (0..keys).map(|i| column(&format!("k{i}"), "bigint unsigned", None)).collect();
    let primary_key = columns.iter().map(|c| c.name.clone()).collect();
    columns.push(column("other", "int", None));
    TableDefinition { columns, primary_key }
}

fn ask(definition: &TableDefinition, filter: &str) -> Result<Keys, Failure> {
    let expression = Parser::new(&MySqlDialect {}).try_with_sql(filter).unwrap().parse_expr().unwrap();
    let predicate = Predicate {
        definition,
        qualifiers: &["t".to_owned()],
        reader: LiteralReader { zone: &Zone::parse("+02:00").unwrap(), charsets: Charsets::default() },
        max_keys: 1000,
        table: "_flashback.t",
        open: None,
    };
    predicate.keys(Some(&expression))
}

fn shown(keys: Keys) -> String {
    match keys.choice {
        KeyChoice::Values(values) => {
            let cells = |v: Vec<Octets>| {
                let texts = v
                    .into_iter()
                    .map(|o| String::from_utf8(o.0).unwrap_or_else(|e| hex::encode(e.as_bytes())));
                texts.collect::<Vec<_>>().join("/")
            };
            values.into_iter().map(cells).collect::<Vec<_>>().join(" ")
        }
        KeyChoice::Range(r) => format!("{:?} {:?}..{:?}", r.prefix.len(), r.from, r.to),
        KeyChoice::Scan(scan) => format!("{scan:?}"),
    }
}

/// What to write instead, and what is at fault.
#[test]
fn err_a_uuid_that_is_none_is_reported_what_to_write() {
    let definition =
        TableDefinition { columns: vec![column("k", "uuid", None)], primary_key: vec!["k".to_owned()] };
    for wrong in
        ["'6ccd780c'", "'6ccd780c-baba-1026-9564-5b8c656024dg'", "42", "x'6ccd780cbaba102695645b8c656024db'"]
    {
        let reported = format!("{:?}", ask(&definition, &format!("k = {wrong}")).unwrap_err());
        assert!(
            reported.contains(
                "write a UUID as MariaDB shows it, in quotes: '6ccd780c-baba-1026-9564-5b8c656024db'"
            ),
            "{reported}"
        );
    }
    let right = ask(&definition, "k = '6CCD780C-baba-1026-9564-5b8c656024db'").unwrap();
    assert_eq!(shown(right), "6ccd780c-baba-1026-9564-5b8c656024db");
}

#[test]
fn ok_forms_that_bind_the_key() {
    for (keys, filter, wanted) in [
        (1, "k0 = 42", "42"),
        (1, "42 = K0", "42"),
        (1, "(t.k0) = '042'", "42"),
        (1, "k0 IN (3, '1', 3.0)", "3 1"),
        (1, "k0 = 18446744073709551615", "18446744073709551615"),
        (2, "k0 = 1 AND k1 = 2", "1/2"),
        (2, "(k1, k0) = (2, 1)", "1/2"),
        (2, "(k0, k1) IN ((1, 2), (3, 4))", "1/2 3/4"),
        (2, "k0 = 1 AND k1 IN (2, 3)", "1/2 1/3"),
    ] {
        assert_eq!(shown(ask(&table(keys), filter).unwrap()), wanted, "{filter}");
    }
}

/// Bytes of ASCII are letters beside text, in the collation of the column, where a letter is a
/// byte.
#[test]
fn ok_bytes_beside_text() {
    for (collation, literal, key) in [
        ("utf8mb4_bin", "x'61'", Some("a")),
        ("utf8mb4_bin", "_binary'a'", Some("a")),
        ("latin1_swedish_ci", "x'61'", Some("a")),
        ("ucs2_bin", "x'0061'", None),
        ("utf16_general_ci", "_binary'a'", None),
    ] {
        let definition = TableDefinition {
            columns: vec![column("k", "varchar(20)", Some(collation))],
            primary_key: vec!["k".to_owned()],
        };
        let asked = ask(&definition, &format!("k = {literal}")).ok().map(shown);
        assert_eq!(asked.as_deref(), key, "{collation}: {literal}");
    }
}

/// One key column of a type, compared with a literal.
fn typed(ty: &str, literal: &str) -> Result<String, Failure> {
    let mut definition = table(0);
    definition.columns.insert(0, column("k", ty, None));
    definition.primary_key = vec!["k".to_owned()];
    ask(&definition, &format!("k = {literal}")).map(shown)
}

#[test]
fn ok_doubles_and_typed_times_that_one_key_alone_equals() {
    for (ty, literal, key) in [
        ("bigint", "4.2e1", "42"),
        ("bigint", "-42e0", "-42"),
        ("bigint", "-0e0", "0"),
        ("bigint", "9.007199254740991e15", "9007199254740991"),
        ("decimal(10,2)", "1.5e0", "1.50"),
        ("year", "2.026e3", "2026"),
        ("date", "DATE '2026-04-27'", "2026-04-27"),
        ("date", "TIMESTAMP '2026-04-27 00:00:00'", "2026-04-27"),
        ("datetime", "DATE '2026-04-27'", "2026-04-27 00:00:00"),
        ("datetime(3)", "TIMESTAMP '2026-04-27 09:08:07.25'", "2026-04-27 09:08:07.250"),
        // The session's zone is +02:00.
        ("timestamp", "TIMESTAMP '2026-04-27 09:08:07'", "2026-04-27 07:08:07"),
    ] {
        assert_eq!(typed(ty, literal).as_deref(), Ok(key), "{ty} {literal}");
    }
}

#[test]
fn err_doubles_and_typed_times_that_others_equal_too_or_none() {
    for (ty, literal) in [
        ("bigint", "1.5e0"),
        ("bigint", "9.007199254740992e15"),
        ("bigint", "1e400"),
        ("decimal(10,2)", "3.0000000000000004e-1"),
        ("decimal(20,2)", "1.5e0"),
        ("varchar(9)", "1e0"),
        ("varchar(9)", "DATE '2026-04-27'"),
        ("bigint", "DATE '2026-04-27'"),
        ("double", "1e0"),
        ("date", "TIMESTAMP '2026-04-27 09:08:07'"),
        ("datetime", "TIMESTAMP '2026-04-27 09:08:07.5'"),
        ("datetime", "TIMESTAMP '0000-00-00 00:00:00'"),
        ("datetime", "TIME '09:08:07'"),
        ("time", "TIME '09:08:07'"),
    ] {
        assert!(matches!(typed(ty, literal), Err(Failure::Unsupported(_))), "{ty} {literal}");
    }
}

#[test]
fn err_everything_else() {
    for (keys, filter) in [
        (1, "other = 1"),
        (1, "k0 = 1 OR k0 = 2"),
        (1, "k0 > 1"),
        (1, "k0 LIKE '1%'"),
        (1, "ABS(k0) = 1"),
        (1, "k0 = k0"),
        (1, "NOT k0 = 1"),
        (1, "k0 NOT IN (1)"),
        (1, "k0 = 1 AND other = 2"),
        (1, "k0 = 1 AND k0 = 2"),
        (1, "k0 = 42.5"),
        (1, "k0 = -1"),
        (1, "k0 = NULL"),
        (1, "k0 = 18446744073709551616"),
        (1, "nothing = 1"),
        (1, "x.k0 = 1"),
        (1, "k0 BETWEEN 5 AND 1"),
        (1, "k0 BETWEEN 1 AND 5000"),
        (2, "k0 = 1"),
        (2, "k0 BETWEEN 1 AND 2 AND k1 = 1"),
    ] {
        assert!(ask(&table(keys), filter).is_err(), "{filter}");
    }
}

#[test]
fn ok_values_of_each_type() {
    for (ty, collation, literal, wanted) in [
        ("varchar(20)", Some("utf8mb4_bin"), "'a''b'", "a'b"),
        ("binary(2)", None, "x'00ff'", "00ff"),
        ("decimal(5,2)", None, "1.5", "1.50"),
        ("timestamp(3)", None, "'2026-04-27 09:00:00.5'", "2026-04-27 07:00:00.500"),
        ("datetime", None, "'2026-04-27 09:00:00'", "2026-04-27 09:00:00"),
        ("date", None, "'2026-04-27'", "2026-04-27"),
        ("enum('a','b')", Some("utf8mb4_bin"), "'b'", "b"),
        ("varchar(20)", Some("utf8mb4_bin"), "N'ab'", "ab"),
        ("varchar(20)", Some("utf8mb4_bin"), "_utf8mb4'ü'", "ü"),
        ("varchar(20)", Some("utf8mb4_bin"), "_latin1'u'", "u"),
        // Its bytes, as a client of UTF-8 sends them.
        ("varchar(20)", Some("utf8mb4_bin"), "_latin1'ä'", "Ã¤"),
        ("varchar(20)", Some("utf8mb4_bin"), "_latin1 x'e4'", "ä"),
        ("year", None, "'0070'", "1970"),
        ("year", None, "'0'", "2000"),
        ("year", None, "0", "0000"),
        ("time", None, "'-09:08:07.0'", "-09:08:07"),
        ("datetime(3)", None, "'2026-04-27'", "2026-04-27 00:00:00.000"),
        ("varbinary(4)", None, "_binary'ab'", "ab"),
        ("varbinary(4)", None, "'ab'", "ab"),
        ("datetime", None, "TIMESTAMP '2026-04-27 09:00:00'", "2026-04-27 09:00:00"),
        ("date", None, "DATE '2026-04-27'", "2026-04-27"),
        ("int", None, "+042", "42"),
        ("int", None, "-0", "0"),
        ("int", None, "TRUE", "1"),
    ] {
        let definition =
            TableDefinition { columns: vec![column("k", ty, collation)], primary_key: vec!["k".to_owned()] };
        assert_eq!(shown(ask(&definition, &format!("k = {literal}")).unwrap()), wanted, "{ty}");
    }
    for (ty, literal) in [
        ("varchar(20)", "42"),
        ("binary(2)", "x'00'"),
        ("datetime", "'2026-04-27 09:00:00.5'"),
        ("double", "1.5"),
        ("date", "20260427"),
        ("varchar(20)", "_koi8r'ü'"),
        ("varchar(20)", "_binary'ä'"),
        ("varchar(20)", "x'e4'"),
        ("varchar(20)", "'a' COLLATE utf8mb4_general_ci"),
        ("varchar(20)", "_utf8'\u{1f600}'"),
        // A number in MySQL, text in MariaDB.
        ("int", "x'2a'"),
        ("int", "b'1'"),
        ("int", "' 42'"),
        ("int", "CAST('42' AS TIME)"),
        ("int", "DATE '2026-04-27'"),
    ] {
        let definition = TableDefinition {
            columns: vec![column("k", ty, Some("utf8mb4_bin"))],
            primary_key: vec!["k".to_owned()],
        };
        assert!(ask(&definition, &format!("k = {literal}")).is_err(), "{ty}");
    }
}

/// One part of a conjunction: its text, and the key columns that it binds (`None`: it may not
/// be there at all).
fn part(keys: usize) -> impl Strategy<Value = (String, Option<Vec<usize>>)> {
    let column = 0..keys;
    prop_oneof![
        4 => (column.clone(), 0..99_u32).prop_map(|(c, v)| (format!("k{c} = {v}"), Some(vec![c]))),
        2 => (column.clone(), 0..99_u32).prop_map(|(c, v)| (format!("({v} = k{c})"), Some(vec![c]))),
        2 => (column.clone(), 0..99_u32).prop_map(|(c, v)| (format!("k{c} IN ({v}, {})", v + 1), Some(vec![c]))),
        2 => Just(((0..keys).map(|i| format!("k{i}")).collect::<Vec<_>>(), (0..keys).collect::<Vec<_>>())).prop_map(|(n, c)| {
            let values: Vec<String> = c.iter().map(usize::to_string).collect();
            if n.len() == 1 { (format!("{} = 0", n[0]), Some(c)) } else { (format!("({}) = ({})", n.join(", "), values.join(", ")), Some(c)) }
        }),
        1 => (column.clone(), 0..99_u32).prop_map(|(c, v)| (format!("k{c} < {v}"), None)),
        1 => (column.clone(), 0..99_u32).prop_map(|(c, v)| (format!("k{c} + 0 = {v}"), None)),
        1 => (column.clone(), 0..99_u32).prop_map(|(c, v)| (format!("(k{c} = {v} OR k{c} = 7)"), None)),
        1 => column.prop_map(|c| (format!("k{c} LIKE '1'"), None)),
        1 => (0..99_u32).prop_map(|v| (format!("other = {v}"), None)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400 * ProptestConfig::default().cases, failure_persistence: None, ..ProptestConfig::default() })]

    /// Accepted exactly when each part may be there and each key column is bound by one of
    /// them.
    #[test]
    fn accepted_exactly_when_the_whole_key_is_bound(
        (keys, parts) in (1..=3_usize).prop_flat_map(|k| (Just(k), prop::collection::vec(part(k), 1..4)))
    ) {
        let text: Vec<&str> = parts.iter().map(|(t, _)| t.as_str()).collect();
        let mut bound = vec![0; keys];
        for column in parts.iter().filter_map(|(_, b)| b.as_ref()).flatten() {
            bound[*column] += 1;
        }
        let wanted = parts.iter().all(|(_, b)| b.is_some()) && bound.iter().all(|n| *n == 1);
        let filter = text.join(" AND ");
        prop_assert_eq!(ask(&table(keys), &filter).is_ok(), wanted, "{}", filter);
    }
}
