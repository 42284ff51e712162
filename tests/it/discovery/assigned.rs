//! Variables that a select list over rows assigns and reads, as MariaDB Connector/ODBC does it. The
//! answers are those of MySQL 9.7.

use super::{ask, tree};

const FROM: &str = "FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'tt' AND TABLE_NAME = 'orders'";

#[tokio::test]
async fn a_later_item_of_a_row_reads_what_an_earlier_one_assigned() {
    let (_agent, shim) = tree().await;
    let mut client = shim.raw("a").await;
    let assigned = "CASE DATA_TYPE WHEN 'bigint' THEN @dt:=(-5) WHEN 'varchar' THEN @dt:=(-9) ELSE IF(1, @dt:=3, @dt:=4) END AS T";
    let sizes = "CAST(CASE WHEN DATA_TYPE = 'bit' THEN @size:=((NUMERIC_PRECISION + 7) / 8) ELSE @size:=NUMERIC_PRECISION END AS UNSIGNED) AS S";
    let sql = format!(
        "SELECT {assigned}, {sizes}, @tol:=CAST(CASE @dt WHEN (-5) THEN 20 WHEN 3 THEN @size + IF(COLUMN_TYPE LIKE '%unsigned', 1, 2) ELSE CHARACTER_MAXIMUM_LENGTH * 4 END AS SIGNED) AS L, IF(CHARACTER_OCTET_LENGTH IS NULL, NULL, @tol) O, CAST(CASE WHEN DATA_TYPE = 'timestamp' THEN 9 ELSE @DT END AS SIGNED) D {FROM} ORDER BY ORDINAL_POSITION"
    );
    let want = ["-5|20|20|NULL|-5", "-9|NULL|200|200|-9", "3|10|12|NULL|3", "3|NULL|NULL|NULL|9"];
    for _ in 0..2 {
        let (columns, rows) = ask(&mut client, &sql).await;
        assert_eq!((columns.join(" "), rows), ("T S L O D".to_owned(), want.map(str::to_owned).to_vec()));
    }
    // Which row was the last one is not certain.
    let refused = client.err_packet("SELECT @dt").await;
    assert!(refused.code == 1235 && refused.message.contains("SET it first"), "{refused:?}");
    assert_eq!(client.err_packet("SELECT id FROM _flashback.orders AS OF @dt WHERE id = 1").await.code, 1064);
    client.query("SET @dt = 7").await;
    assert_eq!(ask(&mut client, "SELECT @dt").await.1, ["7"]);
}

#[tokio::test]
async fn what_is_not_certain_of_an_assignment_is_refused() {
    let (_agent, shim) = tree().await;
    let mut client = shim.raw("a").await;
    client.query("SET @a = 1").await;
    for list in [
        // One way does not assign.
        "CASE DATA_TYPE WHEN 'bigint' THEN @a:=1 END, @a",
        "IF(DATA_TYPE = 'bigint', @a:=1, 2), CAST(@a AS SIGNED)",
        // Text has the type of what was in the variable before.
        "@a:=COLUMN_NAME, @a",
        // A function may see which type it is.
        "@a:=1, CONCAT(@a, 'x')",
        // 1.5000 or 1.5.
        "@a:=ORDINAL_POSITION / 2, @a",
        // Before the assignment it is that of the row before.
        "@a, @a:=1",
        "COUNT(*), @a:=1",
        "@a:=@a + 1",
    ] {
        let refused = client.err_packet(&format!("SELECT {list} {FROM}")).await;
        assert_eq!(refused.code, 1235, "{list}: {refused:?}");
    }
    for sql in [
        format!("SELECT @a:=1 AS x {FROM} AND @a = 1"),
        format!("SELECT DISTINCT @a:=1 {FROM}"),
        format!("SELECT x FROM (SELECT @a:=1 AS x {FROM}) d"),
        format!("SELECT @a:=1 AS x {FROM} UNION SELECT 2"),
    ] {
        assert_eq!(client.err_packet(&sql).await.code, 1235, "{sql}");
    }
    // None of them has assigned anything.
    assert_eq!(ask(&mut client, "SELECT @a").await.1, ["1"]);
    assert_eq!(
        ask(&mut client, &format!("SELECT CONCAT(CHAR(39), COLUMN_NAME) {FROM} LIMIT 1")).await.1,
        ["'id"]
    );
}
