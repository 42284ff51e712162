//! What this server computes itself: values as MySQL 9.7.4 gave them, or a refusal; and what a
//! statement may cost.
//!
//! Twenty thousand more are held to MySQL in `crates/expression/tests/recorded.rs`.

use crate::support::{Agent, Outcome, Plan, Raw, certificates, pair, soon};
use std::time::{Duration, Instant};

/// Statements of a session in their order, and what MySQL 9.7.4 said: a value, an error number, or
/// nothing for an OK. `None` where it has a value and this server refuses (1235).
enum Want {
    Ok,
    Is(&'static str),
    Error(u16),
    Refused,
}
use Want::{Error, Is, Ok as Done, Refused};

const STATEMENTS: &[(&str, Want)] = &[
    ("SELECT 'abcdefghi' LIKE '%a%b%c%d%e%f%g%h%i'", Is("1")),
    ("SELECT @@optimizer_switch LIKE '%hash_join=on%'", Is("1")),
    ("SELECT @@optimizer_switch LIKE '%hash_join=of%'", Is("0")),
    ("SELECT 'a' COLLATE utf8mb4_bin = 'A'", Is("0")),
    ("SELECT 'a' COLLATE utf8mb4_general_ci = 'A'", Is("1")),
    ("SELECT 'a' COLLATE utf8mb4_bin = 'b' COLLATE utf8mb4_general_ci", Error(1235)),
    ("SELECT 'a' COLLATE latin1_bin", Error(1253)),
    ("SELECT SUBSTRING_INDEX('aaaaa','aa',-2)", Is("aaa")),
    ("SELECT CAST(-1 AS UNSIGNED)", Is("18446744073709551615")),
    ("SELECT 9223372036854775807+1", Error(1690)),
    ("SELECT 18446744073709551615+1", Error(1690)),
    ("SELECT TIME '838:59:59'", Is("838:59:59")),
    ("SELECT TIME '012:00:00'", Refused),
    ("SELECT TIME '838:59:59.5'", Refused),
    ("SELECT 1.5 + 2.25", Is("3.75")),
    ("SELECT 1/3", Is("0.3333")),
    ("SELECT '10' BETWEEN '9' AND 11", Is("1")),
    // MySQL: 1. The parser here takes it for another tree, and says so.
    ("SELECT 1 = 0 || 1", Refused),
    ("SELECT (1 = 0) || 1", Is("1")),
    // The session's collation is utf8mb4_general_ci, in which 'ß' is 's'; in that of MySQL 8 it is
    // 'ss'.
    ("SELECT 'ß' = 'ss'", Is("0")),
    ("SELECT 'ß' = 's'", Is("1")),
    ("SELECT 'ß' = 'ss' COLLATE utf8mb4_0900_ai_ci", Is("1")),
    ("SELECT 'a' + 1", Refused),
    ("SET sql_mode = 'PIPES_AS_CONCAT'", Done),
    ("SELECT 1 || 0", Is("10")),
    ("SET sql_mode = 'NO_BACKSLASH_ESCAPES'", Done),
    (r"SELECT 'a\b' LIKE 'a\_'", Is("1")),
    (r"SELECT 'a_' LIKE 'a\_'", Is("0")),
    ("SELECT 'a_' LIKE 'a|_' ESCAPE '|'", Is("1")),
    (r"SHOW VARIABLES LIKE 'sql\_mode'", Done),
    ("SET sql_mode = DEFAULT", Done),
    ("SET NAMES utf8mb4, collation_connection = 'latin1_swedish_ci'", Done),
    ("SELECT LENGTH('é')", Is("1")),
    ("SELECT CHAR_LENGTH('é')", Is("1")),
    ("SELECT UPPER('é')", Refused),
    ("SELECT LENGTH('日')", Refused),
    ("SET NAMES utf8mb4 COLLATE utf8mb4_tr_0900_ai_ci", Done),
    ("SELECT 'i' = 'I'", Refused),
    ("SELECT 'i' LIKE 'I'", Refused),
    ("SELECT 'i' = 'i'", Is("1")),
    ("SELECT UPPER('i')", Refused),
    ("SET NAMES utf8mb4", Done),
    ("SET @d = -9223372036854775808, @b = _utf8mb4'AbC' COLLATE utf8mb4_bin", Done),
    // MySQL: 1690.
    ("SELECT -@d", Refused),
    // The text that is searched says how.
    ("SELECT INSTR('abc', @b)", Is("1")),
    // MySQL: 0, a number that has the collation of @b.
    ("SELECT INSTR(@b, 'abc')", Refused),
    ("SELECT @b = 'abc'", Is("0")),
    ("SELECT @b LIKE 'abc'", Is("0")),
    ("SET @c = @b", Done),
    ("SELECT @c = 'abc'", Is("0")),
    ("SELECT @c = 'AbC'", Is("1")),
];

#[tokio::test]
async fn values_are_those_of_mysql() {
    let (_agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    for (sql, want) in STATEMENTS {
        let outcome = client.query(sql).await;
        match (want, outcome) {
            (Is(value), Outcome::Rows(rows, _)) => assert_eq!(rows, [[Some((*value).to_owned())]], "{sql}"),
            (Done, Outcome::Done(_)) => {}
            // NO_BACKSLASH_ESCAPES: `\_` is two characters, of which the second is any.
            (Done, Outcome::Rows(rows, _)) => assert!(rows.is_empty(), "{sql}: {rows:?}"),
            (Error(code), Outcome::Error(reported)) => {
                assert_eq!(reported.code, *code, "{sql}: {reported:?}");
            }
            (Refused, Outcome::Error(reported)) => assert_eq!(reported.code, 1235, "{sql}: {reported:?}"),
            (_, other) => panic!("{sql}: {other:?}"),
        }
    }
}

/// `SHOW ... WHERE` goes the way of all expressions.
#[tokio::test]
async fn show_has_conditions() {
    let (_agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let names = |rows: Vec<Vec<Option<String>>>| -> Vec<String> {
        rows.into_iter().filter_map(|mut r| r.swap_remove(0)).collect()
    };
    for (sql, want) in [
        ("SHOW VARIABLES WHERE Value LIKE '%hash_join=on%'", vec!["optimizer_switch"]),
        ("SHOW VARIABLES WHERE Variable_name = 'SQL_SAFE_UPDATES'", vec!["sql_safe_updates"]),
        (
            "SHOW VARIABLES WHERE `Variable_name` IN ('a', 'sql_notes') AND NOT (Value = 'off')",
            vec!["sql_notes"],
        ),
        ("SHOW VARIABLES WHERE Variable_name LIKE 'sql\\_n%' OR Variable_name = @nothing", vec!["sql_notes"]),
        ("SHOW VARIABLES WHERE CONCAT(Variable_name, '!') = 'sql_notes!'", vec!["sql_notes"]),
        ("SHOW VARIABLES WHERE Variable_name COLLATE utf8mb4_bin = 'SQL_NOTES'", vec![]),
        ("SHOW VARIABLES LIKE 'SQL\\_NOTES'", vec!["sql_notes"]),
        ("SHOW VARIABLES LIKE '%%%%%%%%%%sql_notes'", vec!["sql_notes"]),
    ] {
        assert_eq!(names(client.rows(sql).await), want, "{sql}");
    }
    for (sql, code) in [
        ("SHOW VARIABLES WHERE nosuch = 'x'", 1054),
        ("SHOW VARIABLES WHERE Variable_name = 'other' AND nosuch = 'x'", 1054),
        ("SHOW VARIABLES WHERE Value = 1", 1235),
        ("SHOW VARIABLES WHERE Value REGEXP 'A'", 1235),
        // MySQL takes é for e.
        ("SHOW VARIABLES LIKE 'évent_s%'", 1235),
    ] {
        assert_eq!(client.err_packet(sql).await.code, code, "{sql}");
    }
    assert!(matches!(client.query("SET sql_select_limit = 1").await, Outcome::Done(_)));
    assert_eq!(client.rows("SHOW VARIABLES LIKE 'sql%'").await.len(), 1);
    assert_eq!(client.rows("SHOW COLLATION").await.len(), 1);
}

async fn refused_soon(client: &mut Raw, sql: &str) {
    let begun = Instant::now();
    let outcome = soon(&sql[..sql.len().min(60)], client.query(sql)).await;
    let shown = &sql[..sql.len().min(60)];
    match outcome {
        Outcome::Error(reported) => assert!(matches!(reported.code, 1235 | 1064), "{shown}: {reported:?}"),
        Outcome::Rows(..) | Outcome::Done(_) => {}
        other => panic!("{shown}: {other:?}"),
    }
    // A build for tests, on a machine that does other things: the point is that it is no minute.
    assert!(begun.elapsed() < Duration::from_secs(20), "{shown}: {:?}", begun.elapsed());
}

/// Inputs that grew exponentially, or with the square of their length.
#[tokio::test]
async fn no_statement_costs_more_than_its_budget() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan { max_packet: 64 << 20, ..Plan::before(&agent, &made) }.start().await;
    let mut client = shim.raw("a").await;
    let nested = |levels: usize, open: &str, close: &str, inside: &str| {
        format!("{}{inside}{}", open.repeat(levels), close.repeat(levels))
    };
    let table = "FROM information_schema.ENGINES";
    for levels in [26, 40, 80] {
        for (open, close) in [
            ("COALESCE(", ", ENGINE, 'x')"),
            ("IFNULL(", ", ENGINE)"),
            ("NULLIF(", ", 'x')"),
            ("REPLACE(", ", 'A', 'AAAAAAAAAA')"),
            ("CONCAT(ENGINE, ", ", ENGINE)"),
            ("(CASE ", " WHEN 'x' THEN 'y' ELSE ENGINE END)"),
            ("(", " IN ('x', ENGINE))"),
            ("(", " BETWEEN 'a' AND ENGINE)"),
        ] {
            refused_soon(&mut client, &format!("SELECT {} {table}", nested(levels, open, close, "ENGINE")))
                .await;
        }
    }
    refused_soon(&mut client, &format!("SELECT {}", nested(30, "REPLACE(", ", 'a', 'aaaaaaaaaa')", "'a'")))
        .await;
    refused_soon(&mut client, &format!("SELECT {}", nested(60, "REPEAT(", ", 1000)", "'a'"))).await;
    refused_soon(&mut client, &format!("SELECT 1 IN ({}2)", "2, ".repeat(2_000_000))).await;
    refused_soon(&mut client, &format!("SELECT 1 {}", "/*!40101 ".repeat(100_000))).await;
    refused_soon(&mut client, &format!("SELECT /*+ {} */ 1", "/*!40101 ".repeat(100_000))).await;
    refused_soon(&mut client, &format!("SELECT /*!99999 {} */ 1", "/*!99999 ".repeat(100_000))).await;
    let long = "a".repeat(500_000);
    refused_soon(&mut client, &format!("SELECT LOCATE('{long}b', '{long}{long}')")).await;
    refused_soon(&mut client, &format!("SELECT '{long}{long}' LIKE '%{long}b'")).await;
    refused_soon(&mut client, &format!("SET @l = '{long}{long}'")).await;
    refused_soon(&mut client, &format!("SELECT {}@l", "@l, ".repeat(2000))).await;
    let many: Vec<String> = (0..500).map(|n| format!("@v{n} = CONCAT(@l, @l)")).collect();
    refused_soon(&mut client, &format!("SET {}", many.join(", "))).await;
    let conditions: Vec<String> = (0..400).map(|n| format!("a.WORD <> 'w{n}' AND a.WORD = b.WORD")).collect();
    refused_soon(
        &mut client,
        &format!(
            "SELECT COUNT(*) FROM information_schema.KEYWORDS a JOIN information_schema.KEYWORDS b ON {}",
            conditions.join(" AND ")
        ),
    )
    .await;
    refused_soon(
        &mut client,
        "SELECT COUNT(*) FROM information_schema.KEYWORDS a, information_schema.KEYWORDS b, information_schema.KEYWORDS c",
    )
    .await;
    assert_eq!(client.cell("SELECT 1").await.as_deref(), Some("1"), "the session goes on");
}
