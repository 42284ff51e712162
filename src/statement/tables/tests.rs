//! Which tables a statement names.

use super::*;
use crate::statement::ParseSettings;

fn real_schema(text: &str) -> Option<String> {
    real_table(&Cursor::new(text, ParseSettings::default()).unwrap()).map(|(name, _)| name)
}

#[test]
fn ok_no_real_table() {
    for text in [
        "SELECT * FROM _flashback.o AS OF '2026-04-27' WHERE id = 1",
        "SELECT STRAIGHT_JOIN id, name FROM _flashback.o AS OF '2026-04-27' WHERE id = 1",
        "SELECT EXTRACT(YEAR FROM d), TRIM(LEADING 'x' FROM n) FROM _flashback.o AS OF '2026-04-27'",
        "SELECT o.from, o.join FROM _flashback.o",
        "SELECT * FROM _flashback.o FOR SYSTEM_TIME FROM '2026-04-27' TO '2026-04-28' WHERE id = 1",
        "SELECT * FROM _flashback.o PARTITION (p0, p1) USE INDEX (a, b) WHERE id IN (1, 2)",
        "SELECT * FROM _flashback.o AS OF '2026-04-27' WHERE id = 1 FOR UPDATE OF o, p",
        "WITH x AS (SELECT * FROM _flashback.o) SELECT * FROM x, x AS y",
        "WITH x (a, b) AS (SELECT * FROM _flashback.o) SELECT * FROM x",
        "SELECT * FROM _flashback.o, JSON_TABLE('[1]', '$[*]' COLUMNS (a INT PATH '$')) j",
        "SELECT * FROM `_Flashback` . `o`, DUAL",
        "SELECT * FROM shop._flashback.o",
        "SELECT '/* FROM users */' FROM _flashback.o -- JOIN users",
    ] {
        assert_eq!(real_schema(text), None, "{text}");
    }
}

#[test]
fn ok_real_tables_in_any_form() {
    for text in [
        "SELECT * FROM _flashback.o AS OF '2026-04-27', users",
        "SELECT * FROM users, _flashback.o AS OF '2026-04-27'",
        "SELECT * FROM (_flashback.o AS OF '2026-04-27', users)",
        "SELECT * FROM ((_flashback.o JOIN users))",
        "SELECT * FROM _flashback.o a JOIN _flashback.o b ON a.id = b.id, users",
        "SELECT * FROM _flashback.o STRAIGHT_JOIN users",
        "SELECT * FROM _flashback.o NATURAL LEFT OUTER JOIN /* x */ `users`",
        "SELECT * FROM { OJ users LEFT OUTER JOIN _flashback.o ON 1 }",
        "SELECT * FROM _flashback.o USE INDEX (PRIMARY), users",
        "SELECT * FROM _flashback.o PARTITION (p0), users",
        "SELECT * FROM _flashback.o WHERE id IN (SELECT id FROM users)",
        "SELECT * FROM _flashback.o WHERE EXISTS (TABLE users)",
        "SELECT (SELECT MAX(id) FROM users) FROM _flashback.o",
        "SELECT * FROM _flashback.o UNION SELECT * FROM users",
        "SELECT * FROM _flashback.o UNION ALL TABLE users",
        "TABLE users UNION SELECT * FROM _flashback.o",
        "(SELECT * FROM _flashback.o) UNION (SELECT * FROM users)",
        "WITH x AS (SELECT * FROM users) SELECT * FROM x, _flashback.o",
        "WITH x AS (SELECT * FROM _flashback.o) SELECT * FROM x JOIN users",
        "SELECT * FROM _flashback.o, LATERAL (SELECT * FROM users) l",
        "SELECT * FROM (SELECT * FROM _flashback.o) d, users",
        "SELECT * FROM _flashback.o GROUP BY a HAVING b > (SELECT c FROM users)",
        "SELECT id INTO @a FROM users WHERE id = (SELECT id FROM _flashback.o)",
        "SELECT EXTRACT(YEAR FROM (SELECT d FROM users)) FROM _flashback.o",
        "SELECT * FROM _flashback.o JOIN users USING (a, b)",
        "SELECT * FROM JSON_TABLE('[]', '$' COLUMNS (a INT PATH '$')) j, users, _flashback.o",
    ] {
        assert_eq!(real_schema(text).as_deref(), Some("users"), "{text}");
    }
    assert_eq!(real_schema("SELECT * FROM _flashback.o, shop.`from`").as_deref(), Some("shop.from"));
}
