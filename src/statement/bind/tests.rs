//! Parameters in the place of their marks.

use super::*;
use crate::statement::{Limit, TimeClause, TimestampExpr};

fn template(text: &str) -> (Template, Outline) {
    Template::new(text, ParseSettings::default()).unwrap()
}

/// What a statement means that was written with this literal.
fn literally(text: &str) -> String {
    format!("{:?}", super::super::parse(text, ParseSettings::default()))
}

fn without_placeholders(text: &str) -> String {
    // Expressions know where they were in the text, which is not the same for `?` and a
    // literal.
    let mut rest = text;
    let mut plain = String::new();
    while let Some((head, tail)) = rest.split_once("Location(") {
        plain.push_str(head);
        rest = tail.split_once(')').unwrap().1;
    }
    plain + rest
}

#[test]
fn ok_each_value_means_what_its_literal_means() {
    for (value, literal) in [
        (Parameter::Null, "NULL"),
        (Parameter::Int(42), "42"),
        (Parameter::Int(18_446_744_073_709_551_615), "18446744073709551615"),
        (Parameter::Double(1.5), "1.5e0"),
        (Parameter::Double(1e300), "1e300"),
        (Parameter::Decimal("1.50".to_owned()), "1.50"),
        (Parameter::Text("it's".to_owned()), "'it''s'"),
        (Parameter::Text("x' OR 1=1 -- \\".to_owned()), "'x'' OR 1=1 -- \\\\'"),
        (Parameter::Bytes(vec![0xff, 0]), "x'ff00'"),
        (Parameter::Bytes(b"2".to_vec()), "_binary '2'"),
        (Parameter::Date("2026-04-27".to_owned()), "DATE '2026-04-27'"),
        (Parameter::DateTime("2026-04-27 09:00:00".to_owned()), "TIMESTAMP '2026-04-27 09:00:00'"),
        (Parameter::Time("-01:00:00".to_owned()), "TIME '-01:00:00'"),
    ] {
        let text = "SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id = ";
        let bound = template(&format!("{text}?")).0.bound(std::slice::from_ref(&value));
        let written = literally(&format!("{text}{literal}"));
        assert_eq!(without_placeholders(&format!("{bound:?}")), without_placeholders(&written), "{value:?}");
    }
}

#[test]
fn ok_parameters_of_every_position() {
    let text = "SELECT * FROM _flashback.t AS OF ? - INTERVAL ? HOUR WHERE id IN (?, ?) LIMIT ? OFFSET ?";
    let (template, outline) = template(text);
    assert_eq!((template.parameters(), outline.limits), (6, 2));
    let text = |t: &str| Parameter::Text(t.to_owned());
    let values = [
        text("2020-01-01"),
        Parameter::Int(-3),
        Parameter::Int(1),
        text("2"),
        Parameter::Int(5),
        Parameter::Int(6),
    ];
    let Statement::TimeTravel(draft) = template.bound(&values) else { panic!() };
    assert_eq!(draft.limit, Some(Limit { offset: 6, count: 5 }));
    assert_eq!(draft.filter.unwrap().to_string(), "id IN (1, '2')");
    let TimeClause::At(TimestampExpr::Minus { amount, .. }) = draft.time else { panic!() };
    assert_eq!(amount, "-3");
}

#[test]
fn ok_whole_numbers_of_any_type_limit() {
    let text = "SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id = ? LIMIT ?";
    for value in [
        Parameter::Int(7),
        Parameter::Double(7.0),
        Parameter::Decimal("7".to_owned()),
        Parameter::Text("7".to_owned()),
    ] {
        let Statement::TimeTravel(draft) = template(text).0.bound(&[Parameter::Double(1.0), value]) else {
            panic!()
        };
        assert_eq!(draft.limit, Some(Limit { offset: 0, count: 7 }));
        assert_eq!(draft.filter.unwrap().to_string(), "id = 1e0");
    }
}

#[test]
fn ok_a_question_mark_in_a_string_or_a_comment_is_none() {
    let (template, _) = template("SELECT '?', \"?\", `?` /* ? */ , ? -- ?");
    assert_eq!(template.parameters(), 1);
}

#[test]
fn ok_a_column_of_a_parameter_is_called_as_it_was_written() {
    for value in
        [Parameter::Text("x".to_owned()), Parameter::Int(-1), Parameter::Date("2020-01-01".to_owned())]
    {
        let Statement::Constants { items, .. } =
            template("SELECT ?, ? AS x").0.bound(&[value, Parameter::Null])
        else {
            panic!()
        };
        assert_eq!([items[0].0.as_str(), items[1].0.as_str()], ["?", "x"]);
    }
}

#[test]
fn err_positions_without_parameters() {
    for text in [
        "SELECT * FROM _flashback.? AS OF '2020-01-01' WHERE id = 1",
        "SELECT * FROM ?.t AS OF '2020-01-01' WHERE id = 1",
        "SELECT * FROM _flashback.t AS OF '2020-01-01' AS ? WHERE id = 1",
        "SELECT ? FROM _flashback.t AS OF '2020-01-01' WHERE id = 1",
        "SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id = 1 ORDER BY ?",
        "SELECT * FROM _flashback.t AS OF TIMESTAMP '2020-01-01' ? WHERE id = 1",
        "SELECT 1 AS ?",
        "SHOW VARIABLES LIKE ?",
        "USE ?",
    ] {
        assert!(matches!(template(text).1.statement, Statement::Refused(_)), "{text}");
    }
    assert!(matches!(Template::new("SELECT ?1", ParseSettings::default()), Err(Refused::Syntax { .. })));
    assert!(matches!(
        super::super::parse("SELECT ?", ParseSettings::default()),
        Statement::Refused(Refused::Syntax { .. })
    ));
}

#[test]
fn err_values_that_no_literal_has() {
    for value in [
        Parameter::Double(f64::NAN),
        Parameter::Double(f64::INFINITY),
        Parameter::Decimal("1.5x".to_owned()),
        Parameter::Decimal(String::new()),
        Parameter::Decimal("1e5".to_owned()),
    ] {
        let bound = template("SELECT ?").0.bound(std::slice::from_ref(&value));
        assert!(matches!(bound, Statement::Refused(Refused::Unsupported { .. })), "{value:?}");
    }
    for value in [
        Parameter::Null,
        Parameter::Int(-1),
        Parameter::Double(1.5),
        Parameter::Decimal("1.5".to_owned()),
        Parameter::Text("x".to_owned()),
    ] {
        let text = "SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id = 1 LIMIT ?";
        let bound = template(text).0.bound(std::slice::from_ref(&value));
        assert!(matches!(bound, Statement::Refused(Refused::Syntax { .. })), "{value:?}");
    }
}
