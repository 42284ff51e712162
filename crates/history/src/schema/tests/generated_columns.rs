//! What statements do to generated columns.

use super::*;

/// Seen on MySQL 9.7, which reads a stored expression under the sql_mode of the session that alters
/// the table, and not on MariaDB 11.8: each backslash is doubled, and the column computed again.
#[test]
fn an_alter_without_backslash_escapes_changes_generated_columns_of_mysql() {
    const CREATE: &str = r"CREATE TABLE x (id INT PRIMARY KEY, p VARCHAR(9), g VARCHAR(9) AS (REPLACE(p, '\\', '/')), h INT AS (id + 1))";
    for (server, mode, kept) in [(MYSQL, 0x10_0000, false), (MYSQL, 0, true), (MARIADB, 0x10_0000, true)] {
        let mut catalog = Catalog::default();
        catalog.apply(&statement(server, "s", CREATE));
        let alter = statement(server, "s", "ALTER TABLE x ADD n INT");
        catalog.apply(&LoggedStatement { sql_mode: Some(mode), ..alter });
        let id = definition(&catalog, &name("s", "x")).unwrap();
        let cell = |text: &str| Ok(Some(text.as_bytes().to_vec()));
        let before = vec![cell("1"), cell(r"a\b"), cell("a/b"), cell("2")];
        let row = catalog.carry(DefinitionId(0), id, before).unwrap();
        assert_eq!(row[2].is_ok(), kept, "{server:?} {mode:x}: {:?}", row[2]);
        assert_eq!(row[3], cell("2"));
    }
}
