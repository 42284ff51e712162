//! The tree of a graphical client: SHOW, DESCRIBE and information_schema, as clients ask, with
//! every name and cell written out.

use super::program::{Bare, chain};
use super::support::{Agent, Outcome, Raw, Reply, Shim, cells, error, pair};

/// What came for a statement: names of columns, and rows as cells between bars.
type Table = (Vec<String>, Vec<String>);

/// The name and the column's own name in a column definition.
fn names(packet: &[u8]) -> (String, String) {
    let (mut at, mut found) = (0, Vec::new());
    for _ in 0..6 {
        let end = at + 1 + usize::from(packet[at]);
        found.push(String::from_utf8(packet[at + 1..end].to_vec()).expect("UTF-8"));
        at = end;
    }
    (found.remove(4), found.remove(4))
}

async fn ask(client: &mut Raw, sql: &str) -> Table {
    client.send(sql).await;
    let first = client.read().await.expect("an answer");
    assert!(first[0] != 0xff, "{sql}: {:?}", error(&first));
    assert!(first[0] != 0, "{sql}: OK and no result set");
    let mut columns = Vec::new();
    for _ in 0..first[0] {
        columns.push(names(&client.read().await.expect("a column")).0);
    }
    assert_eq!(client.read().await.expect("EOF").first(), Some(&0xfe), "{sql}");
    let mut rows = Vec::new();
    loop {
        let packet = client.read().await.expect("a row");
        if packet[0] == 0xfe && packet.len() == 5 {
            return (columns, rows);
        }
        let cells = cells(&packet).into_iter().map(|c| c.unwrap_or_else(|| "NULL".to_owned()));
        rows.push(cells.collect::<Vec<_>>().join("|"));
    }
}

const ORDERS: &str = r#""columns":[
    {"name":"id","type":"bigint unsigned","nullable":false,"key":"primary","auto_increment":true,"has_default":true},
    {"name":"customer","type":"varchar(50)","collation":"utf8mb4_0900_ai_ci","nullable":false,"key":"multiple"},
    {"name":"amount","type":"decimal(10,2)","nullable":true,"has_default":true},
    {"name":"changed","type":"timestamp(3)","nullable":true,"on_update_now":true,"has_default":true}
],"primary_key":["id"]"#;
const PAIRS: &str = r#""columns":[
    {"name":"a","type":"int","nullable":false,"key":"primary"},
    {"name":"b","type":"varchar(20)","collation":"utf8mb4_bin","nullable":false,"key":"primary"}
],"primary_key":["a","b"]"#;

/// Schemas tt (orders, pairs, and gone, which was dropped) and other (secret).
fn world(path: &str) -> Reply {
    let parts: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').collect();
    let entry = |name: &str, dropped: bool| {
        format!(
            r#"{{"table":"{name}","oldest":"2020-01-01T00:00:00.000000Z","newest":"2020-01-02T00:00:00.000000Z","dropped":{dropped}}}"#
        )
    };
    let tables = |entries: &[String]| {
        Reply::json(200, &format!(r#"{{"success":true,"tables":[{}]}}"#, entries.join(",")))
    };
    let table = |server: &str, schema: &str, table: &str, columns: &str| {
        let columns = columns.replace('\n', " ");
        Reply::json(
            200,
            &format!(
                r#"{{"success":true,"server_id":"{server}","schema":"{schema}","table":"{table}",{columns}}}"#
            ),
        )
    };
    match parts[..] {
        [_, "schemas"] => Reply::json(200, r#"{"success":true,"schemas":["other","tt"]}"#),
        [_, "schemas", "tt", "tables"] => {
            tables(&[entry("gone", true), entry("orders", false), entry("pairs", false)])
        }
        [_, "schemas", "other", "tables"] => tables(&[entry("secret", false)]),
        [server, "schemas", "tt", "tables", "orders"] => table(server, "tt", "orders", ORDERS),
        [server, "schemas", "tt", "tables", "pairs"] => table(server, "tt", "pairs", PAIRS),
        [server, "schemas", "other", "tables", "secret"] => table(server, "other", "secret", PAIRS),
        _ => Reply::json(404, r#"{"success":false,"error":"no such thing","code":"unknown_table"}"#),
    }
}

async fn tree() -> (Agent, Shim) {
    let (agent, shim) = pair().await;
    agent.world(world);
    (agent, shim)
}

/// A statement, the names of its columns, its rows.
type Case<'a> = (&'a str, &'a str, &'a [&'a str]);

async fn holds(client: &mut Raw, cases: &[Case<'_>]) {
    for (sql, columns, rows) in cases {
        let (got_columns, got_rows) = ask(client, sql).await;
        assert_eq!(got_columns.join("|"), *columns, "{sql}");
        assert_eq!(got_rows, *rows, "{sql}");
    }
}

const FIELDS: &str = "Field|Type|Null|Key|Default|Extra";

const SHOWN: &[Case<'static>] = &[
    (
        "SHOW DATABASES",
        "Database",
        &["_diff", "_flashback", "_history", "_snapshot", "_undo", "information_schema", "other", "tt"],
    ),
    ("show schemas like '\\_f%'", "Database (\\_f%)", &["_flashback"]),
    ("SHOW DATABASES WHERE `Database` = 'tt'", "Database", &["tt"]),
    // Names of schemas have their case, as on a server with lower_case_table_names = 0.
    ("SHOW DATABASES LIKE 'TT'", "Database (TT)", &[]),
    ("SHOW TABLES", "Tables_in_tt", &["orders", "pairs"]),
    ("SHOW TABLES FROM `_flashback`", "Tables_in__flashback", &["orders", "pairs"]),
    ("SHOW FULL TABLES IN _DIFF LIKE 'ord%'", "Tables_in__diff (ord%)|Table_type", &["orders|BASE TABLE"]),
    (
        "/* a client */ SHOW FULL TABLES FROM `tt` WHERE Table_type != 'VIEW'",
        "Tables_in_tt|Table_type",
        &["orders|BASE TABLE", "pairs|BASE TABLE"],
    ),
    (
        "SHOW FULL TABLES FROM INFORMATION_SCHEMA LIKE 'key%'",
        "Tables_in_information_schema (KEY%)|Table_type",
        &["KEYWORDS|SYSTEM VIEW", "KEY_COLUMN_USAGE|SYSTEM VIEW"],
    ),
    (
        "DESCRIBE orders",
        FIELDS,
        &[
            "id|bigint unsigned|NO|PRI|NULL|auto_increment",
            "customer|varchar(50)|NO|MUL|NULL|",
            "amount|decimal(10,2)|YES||NULL|",
            "changed|timestamp(3)|YES||NULL|on update CURRENT_TIMESTAMP",
        ],
    ),
    ("desc _flashback.pairs", FIELDS, &["a|int|NO|PRI|NULL|", "b|varchar(20)|NO|PRI|NULL|"]),
    ("EXPLAIN _snapshot.tt.pairs B", FIELDS, &["b|varchar(20)|NO|PRI|NULL|"]),
    ("DESCRIBE pairs 'a%'", FIELDS, &["a|int|NO|PRI|NULL|"]),
    (
        "SHOW COLUMNS FROM `orders` FROM `_diff`",
        FIELDS,
        &[
            "event_id|bigint unsigned|NO||NULL|",
            "event_timestamp|datetime(6)|NO||NULL|",
            "event_type|varchar(6)|NO||NULL|",
            "gtid|varchar(96)|YES||NULL|",
            "id|bigint unsigned|NO||NULL|",
            "changed_columns|json|YES||NULL|",
            "row_before|json|YES||NULL|",
            "row_after|json|YES||NULL|",
            "connection_id|bigint unsigned|YES||NULL|",
            "server_id|int unsigned|YES||NULL|",
            "binlog_file|varchar(255)|YES||NULL|",
            "binlog_position|bigint unsigned|YES||NULL|",
            "statement|mediumtext|YES||NULL|",
            "cause|bigint unsigned|YES||NULL|",
        ],
    ),
    (
        "SHOW FULL FIELDS IN orders LIKE 'CUST%'",
        "Field|Type|Collation|Null|Key|Default|Extra|Privileges|Comment",
        &["customer|varchar(50)|utf8mb4_0900_ai_ci|NO|MUL|NULL||select|"],
    ),
    (
        "SHOW COLUMNS FROM orders WHERE Field = 'ID' AND `Key` = 'PRI'",
        FIELDS,
        &["id|bigint unsigned|NO|PRI|NULL|auto_increment"],
    ),
    (
        "SHOW INDEX FROM pairs FROM _flashback",
        "Table|Non_unique|Key_name|Seq_in_index|Column_name|Collation|Cardinality|Sub_part|Packed|Null|Index_type|Comment|Index_comment|Visible|Expression",
        &[
            "pairs|0|PRIMARY|1|a|A|NULL|NULL|NULL||BTREE|||YES|NULL",
            "pairs|0|PRIMARY|2|b|A|NULL|NULL|NULL||BTREE|||YES|NULL",
        ],
    ),
    (
        "SHOW KEYS IN tt.orders WHERE Key_name = 'PRIMARY'",
        "Table|Non_unique|Key_name|Seq_in_index|Column_name|Collation|Cardinality|Sub_part|Packed|Null|Index_type|Comment|Index_comment|Visible|Expression",
        &["orders|0|PRIMARY|1|id|A|NULL|NULL|NULL||BTREE|||YES|NULL"],
    ),
    (
        "SHOW INDEXES FROM _diff.orders",
        "Table|Non_unique|Key_name|Seq_in_index|Column_name|Collation|Cardinality|Sub_part|Packed|Null|Index_type|Comment|Index_comment|Visible|Expression",
        &[],
    ),
    (
        "SHOW TABLE STATUS FROM _flashback LIKE 'orders'",
        "Name|Engine|Version|Row_format|Rows|Avg_row_length|Data_length|Max_data_length|Index_length|Data_free|Auto_increment|Create_time|Update_time|Check_time|Collation|Checksum|Create_options|Comment",
        &[
            "orders|DBTRAIL|10|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL||dbtrail: rows of tt.orders AS OF an instant, by primary key",
        ],
    ),
    (
        "SHOW CREATE TABLE _flashback.pairs",
        "Table|Create Table",
        &[
            "pairs|CREATE TABLE `pairs` (\n  `a` int NOT NULL,\n  `b` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,\n  PRIMARY KEY (`a`,`b`)\n) ENGINE=DBTRAIL COMMENT='dbtrail: rows of tt.pairs AS OF an instant, by primary key. Not known here: defaults, further indexes, generated columns, comments'",
        ],
    ),
    ("SHOW CREATE DATABASE IF NOT EXISTS `tt`", "Database|Create Database", &["tt|CREATE DATABASE `tt`"]),
    (
        "SHOW CHARSET",
        "Charset|Description|Default collation|Maxlen",
        &[
            "binary|Binary pseudo charset|binary|1",
            "latin1|cp1252 West European|latin1_swedish_ci|1",
            "utf8mb3|UTF-8 Unicode|utf8mb3_general_ci|3",
            "utf8mb4|UTF-8 Unicode|utf8mb4_0900_ai_ci|4",
        ],
    ),
    (
        "SHOW CHARACTER SET LIKE 'LATIN1'",
        "Charset|Description|Default collation|Maxlen",
        &["latin1|cp1252 West European|latin1_swedish_ci|1"],
    ),
    (
        "SHOW COLLATION WHERE Charset = 'utf8mb4' AND `Default` = 'Yes'",
        "Collation|Charset|Id|Default|Compiled|Sortlen|Pad_attribute",
        &["utf8mb4_0900_ai_ci|utf8mb4|255|Yes|Yes|0|NO PAD"],
    ),
    (
        "SHOW ENGINES",
        "Engine|Support|Comment|Transactions|XA|Savepoints",
        &["DBTRAIL|DEFAULT|Rows as they were, asked of the row history; read only|NO|NO|NO"],
    ),
    (
        "SHOW TRIGGERS FROM tt LIKE 'o%'",
        "Trigger|Event|Table|Statement|Timing|Created|sql_mode|Definer|character_set_client|collation_connection|Database Collation",
        &[],
    ),
    (
        "SHOW FUNCTION STATUS WHERE Db = 'tt'",
        "Db|Name|Type|Language|Definer|Modified|Created|Security_type|Comment|character_set_client|collation_connection|Database Collation",
        &[],
    ),
    (
        "SHOW EVENTS FROM tt",
        "Db|Name|Definer|Time zone|Type|Execute at|Interval value|Interval field|Starts|Ends|Status|Originator|character_set_client|collation_connection|Database Collation",
        &[],
    ),
];

#[tokio::test]
async fn show_and_describe_have_the_columns_of_mysqld() {
    let (_agent, shim) = tree().await;
    let mut client = shim.raw("a").await;
    holds(&mut client, SHOWN).await;
}

const TREES: &[Case<'static>] = &[
    // Connector/J: getCatalogs, getTables, getColumns, getPrimaryKeys, getIndexInfo,
    // getImportedKeys, getSQLKeywords.
    (
        "SELECT SCHEMA_NAME FROM INFORMATION_SCHEMA.SCHEMATA ORDER BY SCHEMA_NAME",
        "SCHEMA_NAME",
        &["_diff", "_flashback", "_history", "_snapshot", "_undo", "information_schema", "other", "tt"],
    ),
    (
        "SELECT TABLE_SCHEMA AS TABLE_CAT, NULL AS TABLE_SCHEM, TABLE_NAME, CASE WHEN TABLE_TYPE='BASE TABLE' THEN CASE WHEN TABLE_SCHEMA = 'mysql' OR TABLE_SCHEMA = 'performance_schema' THEN 'SYSTEM TABLE' ELSE 'TABLE' END WHEN TABLE_TYPE='TEMPORARY' THEN 'LOCAL_TEMPORARY' ELSE TABLE_TYPE END AS TABLE_TYPE, NULL AS TYPE_CAT FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = '_flashback' AND TABLE_NAME LIKE '%' HAVING TABLE_TYPE IN ('TABLE','VIEW',null) ORDER BY TABLE_TYPE, TABLE_SCHEMA, TABLE_NAME",
        "TABLE_CAT|TABLE_SCHEM|TABLE_NAME|TABLE_TYPE|TYPE_CAT",
        &["_flashback|NULL|orders|TABLE|NULL", "_flashback|NULL|pairs|TABLE|NULL"],
    ),
    (
        "SELECT TABLE_SCHEMA AS TABLE_CAT, TABLE_NAME, COLUMN_NAME, CASE WHEN UPPER(DATA_TYPE)='DECIMAL' THEN 3 WHEN UPPER(DATA_TYPE)='BIGINT' THEN -5 WHEN UPPER(DATA_TYPE)='TIMESTAMP' THEN 93 WHEN UPPER(DATA_TYPE)='TINYINT' THEN CASE WHEN LOCATE('ZEROFILL', UPPER(COLUMN_TYPE)) = 0 AND LOCATE('UNSIGNED', UPPER(COLUMN_TYPE)) = 0 AND LOCATE('(1)', COLUMN_TYPE) != 0 THEN -7 ELSE -6 END ELSE 12 END AS DATA_TYPE, UPPER(CASE WHEN UPPER(DATA_TYPE)='DATE' THEN 10 WHEN UPPER(DATA_TYPE)='DATETIME' OR UPPER(DATA_TYPE)='TIMESTAMP' THEN 19+(CASE WHEN DATETIME_PRECISION>0 THEN DATETIME_PRECISION+1 ELSE DATETIME_PRECISION END) WHEN CHARACTER_MAXIMUM_LENGTH IS NULL THEN NUMERIC_PRECISION WHEN CHARACTER_MAXIMUM_LENGTH > 2147483647 THEN 2147483647 ELSE CHARACTER_MAXIMUM_LENGTH END) AS COLUMN_SIZE, NUMERIC_SCALE AS DECIMAL_DIGITS, 10 AS NUM_PREC_RADIX, CASE WHEN IS_NULLABLE='NO' THEN 0 ELSE CASE WHEN IS_NULLABLE='YES' THEN 1 ELSE 2 END END AS NULLABLE, ORDINAL_POSITION, IF (EXTRA LIKE '%auto_increment%','YES','NO') AS IS_AUTOINCREMENT FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA LIKE '\\_snapshot' AND TABLE_NAME LIKE 'orders' ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION",
        "TABLE_CAT|TABLE_NAME|COLUMN_NAME|DATA_TYPE|COLUMN_SIZE|DECIMAL_DIGITS|NUM_PREC_RADIX|NULLABLE|ORDINAL_POSITION|IS_AUTOINCREMENT",
        &[
            "_snapshot|orders|id|-5|20|0|10|0|1|YES",
            "_snapshot|orders|customer|12|50|NULL|10|0|2|NO",
            "_snapshot|orders|amount|3|10|2|10|1|3|NO",
            "_snapshot|orders|changed|93|23|NULL|10|1|4|NO",
        ],
    ),
    (
        "SELECT TABLE_SCHEMA AS TABLE_CAT, NULL AS TABLE_SCHEM, TABLE_NAME, COLUMN_NAME, SEQ_IN_INDEX AS KEY_SEQ, 'PRIMARY' AS PK_NAME FROM INFORMATION_SCHEMA.STATISTICS WHERE TABLE_SCHEMA = 'tt' AND TABLE_NAME = 'pairs' AND INDEX_NAME='PRIMARY' ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX",
        "TABLE_CAT|TABLE_SCHEM|TABLE_NAME|COLUMN_NAME|KEY_SEQ|PK_NAME",
        &["tt|NULL|pairs|a|1|PRIMARY", "tt|NULL|pairs|b|2|PRIMARY"],
    ),
    (
        "SELECT TABLE_SCHEMA AS TABLE_CAT, NON_UNIQUE, NULL AS INDEX_QUALIFIER, INDEX_NAME, 3 AS TYPE, SEQ_IN_INDEX AS ORDINAL_POSITION, COLUMN_NAME, COLLATION AS ASC_OR_DESC, 0 AS PAGES FROM INFORMATION_SCHEMA.STATISTICS WHERE TABLE_SCHEMA = 'tt' AND TABLE_NAME = 'orders' ORDER BY NON_UNIQUE, INDEX_NAME, SEQ_IN_INDEX",
        "TABLE_CAT|NON_UNIQUE|INDEX_QUALIFIER|INDEX_NAME|TYPE|ORDINAL_POSITION|COLUMN_NAME|ASC_OR_DESC|PAGES",
        &["tt|0|NULL|PRIMARY|3|1|id|A|0"],
    ),
    (
        "SELECT DISTINCT A.REFERENCED_TABLE_SCHEMA AS PKTABLE_CAT, NULL AS PKTABLE_SCHEM, A.TABLE_NAME AS FKTABLE_NAME, A.ORDINAL_POSITION AS KEY_SEQ, CASE WHEN R.UPDATE_RULE='CASCADE' THEN 0 ELSE 3 END AS UPDATE_RULE, 7 AS DEFERRABILITY FROM INFORMATION_SCHEMA.KEY_COLUMN_USAGE A JOIN INFORMATION_SCHEMA.TABLE_CONSTRAINTS B USING (CONSTRAINT_NAME, TABLE_NAME) JOIN INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS R ON (R.CONSTRAINT_NAME = B.CONSTRAINT_NAME AND R.TABLE_NAME = B.TABLE_NAME AND R.CONSTRAINT_SCHEMA = B.TABLE_SCHEMA) WHERE A.TABLE_SCHEMA LIKE 'tt' AND A.TABLE_NAME='orders' AND B.CONSTRAINT_TYPE = 'FOREIGN KEY' AND A.REFERENCED_TABLE_SCHEMA IS NOT NULL ORDER BY A.REFERENCED_TABLE_SCHEMA, A.REFERENCED_TABLE_NAME, A.ORDINAL_POSITION",
        "PKTABLE_CAT|PKTABLE_SCHEM|FKTABLE_NAME|KEY_SEQ|UPDATE_RULE|DEFERRABILITY",
        &[],
    ),
    ("SELECT COUNT(*) FROM INFORMATION_SCHEMA.KEYWORDS WHERE RESERVED=1", "COUNT(*)", &["264"]),
    (
        "SELECT WORD FROM INFORMATION_SCHEMA.KEYWORDS WHERE RESERVED=1 ORDER BY WORD LIMIT 2",
        "WORD",
        &["ACCESSIBLE", "ADD"],
    ),
    // DBeaver.
    (
        "/* ApplicationName=DBeaver 24.0.0 - Metadata */ SELECT * FROM information_schema.ENGINES",
        "ENGINE|SUPPORT|COMMENT|TRANSACTIONS|XA|SAVEPOINTS",
        &["DBTRAIL|DEFAULT|Rows as they were, asked of the row history; read only|NO|NO|NO"],
    ),
    (
        "/* ApplicationName=DBeaver 24.0.0 - Metadata */ SELECT tc.CONSTRAINT_NAME, tc.TABLE_NAME FROM information_schema.TABLE_CONSTRAINTS tc LEFT JOIN information_schema.CHECK_CONSTRAINTS cc ON cc.CONSTRAINT_NAME = tc.CONSTRAINT_NAME WHERE tc.CONSTRAINT_SCHEMA='_flashback' AND cc.CHECK_CLAUSE IS NULL",
        "CONSTRAINT_NAME|TABLE_NAME",
        &["PRIMARY|orders", "PRIMARY|pairs"],
    ),
    // DataGrip.
    (
        "select table_name, table_type, engine, table_collation from information_schema.tables where table_schema = '_diff'",
        "TABLE_NAME|TABLE_TYPE|ENGINE|TABLE_COLLATION",
        &["orders|BASE TABLE|DBTRAIL|NULL", "pairs|BASE TABLE|DBTRAIL|NULL"],
    ),
    (
        "select ordinal_position, column_name, column_type, is_nullable = 'YES' nullable, extra from information_schema.columns where table_schema = 'tt' and table_name in ('pairs') order by table_name, ordinal_position",
        "ORDINAL_POSITION|COLUMN_NAME|COLUMN_TYPE|nullable|EXTRA",
        &["1|a|int|0|", "2|b|varchar(20)|0|"],
    ),
    // HeidiSQL.
    (
        "SELECT `DEFAULT_COLLATION_NAME` FROM `information_schema`.`SCHEMATA` WHERE `SCHEMA_NAME`='_flashback'",
        "DEFAULT_COLLATION_NAME",
        &["utf8mb4_0900_ai_ci"],
    ),
    (
        "SELECT *, EVENT_SCHEMA AS `Db`, EVENT_NAME AS `Name` FROM information_schema.`EVENTS` WHERE `EVENT_SCHEMA`='tt'",
        "EVENT_CATALOG|EVENT_SCHEMA|EVENT_NAME|DEFINER|TIME_ZONE|EVENT_BODY|EVENT_DEFINITION|EVENT_TYPE|EXECUTE_AT|INTERVAL_VALUE|INTERVAL_FIELD|SQL_MODE|STARTS|ENDS|STATUS|ON_COMPLETION|CREATED|LAST_ALTERED|LAST_EXECUTED|EVENT_COMMENT|ORIGINATOR|CHARACTER_SET_CLIENT|COLLATION_CONNECTION|DATABASE_COLLATION|Db|Name",
        &[],
    ),
    (
        "SELECT cc.CONSTRAINT_NAME, cc.CHECK_CLAUSE FROM `information_schema`.`CHECK_CONSTRAINTS` AS cc, `information_schema`.`TABLE_CONSTRAINTS` AS tc WHERE tc.CONSTRAINT_SCHEMA='tt' AND tc.TABLE_NAME='orders' AND tc.CONSTRAINT_TYPE='CHECK' AND tc.CONSTRAINT_NAME=cc.CONSTRAINT_NAME",
        "CONSTRAINT_NAME|CHECK_CLAUSE",
        &[],
    ),
    // phpMyAdmin.
    (
        "SELECT `CHARACTER_SET_NAME` AS `Charset`, `DEFAULT_COLLATE_NAME` AS `Default collation`, `DESCRIPTION` AS `Description`, `MAXLEN` AS `Maxlen` FROM `information_schema`.`CHARACTER_SETS` WHERE MAXLEN = '4'",
        "Charset|Default collation|Description|Maxlen",
        &["utf8mb4|utf8mb4_0900_ai_ci|UTF-8 Unicode|4"],
    ),
    (
        "SELECT COUNT(*) FROM `INFORMATION_SCHEMA`.`TABLES` WHERE `TABLE_SCHEMA`='_flashback' AND `TABLE_TYPE` IN('BASE TABLE','SYSTEM VERSIONED')",
        "COUNT(*)",
        &["2"],
    ),
    // Metabase, Grafana.
    (
        "SELECT table_schema AS `schema`, COUNT(*) AS n FROM information_schema.tables WHERE table_schema NOT IN ('mysql', 'information_schema') GROUP BY table_schema ORDER BY 2 DESC, 1",
        "schema|n",
        &["_history|5", "_diff|2", "_flashback|2", "_snapshot|2", "_undo|2", "tt|2", "other|1"],
    ),
    (
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE table_schema = database() ORDER BY table_name",
        "TABLE_NAME",
        &["orders", "pairs"],
    ),
    (
        "SELECT quote_of.column_name, concat(table_name, '.', column_name) FROM information_schema.columns quote_of WHERE IFNULL(database(), 'tt') = table_schema AND data_type NOT LIKE '%char%' AND column_name BETWEEN 'a' AND 'b'",
        "COLUMN_NAME|concat(table_name, '.', column_name)",
        &["amount|orders.amount", "a|pairs.a"],
    ),
    // SQLAlchemy, MySQL Workbench.
    (
        "SELECT table_schema, table_name, column_name FROM information_schema.columns WHERE (table_schema, table_name, lower(column_name)) IN (('tt', 'pairs', 'b'), ('tt', 'orders', 'id'))",
        "TABLE_SCHEMA|TABLE_NAME|COLUMN_NAME",
        &["tt|orders|id", "tt|pairs|b"],
    ),
    (
        "SELECT COUNT(DISTINCT TABLE_NAME), MIN(COLUMN_NAME), MAX(ORDINAL_POSITION) FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = 'tt'",
        "COUNT(DISTINCT TABLE_NAME)|MIN(COLUMN_NAME)|MAX(ORDINAL_POSITION)",
        &["2|a|4"],
    ),
    // An ENUM sorts by its number.
    (
        "SELECT DISTINCT character_set_name, pad_attribute FROM information_schema.collations ORDER BY 1, 2 DESC LIMIT 2, 3",
        "CHARACTER_SET_NAME|PAD_ATTRIBUTE",
        &["utf8mb3|PAD SPACE", "utf8mb4|NO PAD", "utf8mb4|PAD SPACE"],
    ),
    (
        "SELECT column_name, ordinal_position - 1 AS p FROM information_schema.columns WHERE table_schema = 'tt' AND (ordinal_position > 1) IS TRUE ORDER BY column_key DESC, p",
        "COLUMN_NAME|p",
        &["customer|1", "b|1", "amount|2", "changed|3"],
    ),
    (
        "SELECT DISTINCT table_schema FROM information_schema.columns WHERE table_name = 'secret'",
        "TABLE_SCHEMA",
        &["other"],
    ),
];

/// Statements that Connector/J 8.x, DBeaver, DataGrip, HeidiSQL, phpMyAdmin, Metabase, Grafana and
/// SQLAlchemy send.
#[tokio::test]
async fn clients_fill_their_trees() {
    let (_agent, shim) = tree().await;
    let mut client = shim.raw("a").await;
    holds(&mut client, TREES).await;
}

#[tokio::test]
async fn errors_are_those_of_mysqld_and_the_session_goes_on() {
    let (_agent, shim) = tree().await;
    let mut client = shim.raw("a").await;
    for (sql, code, state, text) in [
        ("SHOW TABLES FROM nosuch", 1049, "42000", "Unknown database 'nosuch'"),
        ("SHOW COLUMNS FROM nosuch", 1146, "42S02", "Table 'tt.nosuch' doesn't exist"),
        ("SHOW COLUMNS FROM gone", 1146, "42S02", "Table 'tt.gone' doesn't exist"),
        ("DESCRIBE _flashback.nosuch", 1146, "42S02", "Table '_flashback.nosuch' doesn't exist"),
        ("DESCRIBE orders FROM nosuch", 1064, "42000", "You have an error in your SQL syntax; "),
        ("SHOW INDEX FROM orders FROM nosuch", 1049, "42000", "Unknown database 'nosuch'"),
        ("SHOW CREATE TABLE nosuch", 1146, "42S02", "Table 'tt.nosuch' doesn't exist"),
        ("SHOW CREATE DATABASE nosuch", 1049, "42000", "Unknown database 'nosuch'"),
        (
            "SELECT * FROM information_schema.nosuch",
            1109,
            "42S02",
            "Unknown table 'NOSUCH' in information_schema",
        ),
        (
            "SELECT nosuch FROM information_schema.tables",
            1054,
            "42S22",
            "Unknown column 'nosuch' in 'field list'",
        ),
        (
            "SELECT 1 FROM information_schema.tables WHERE x.y = 1",
            1054,
            "42S22",
            "Unknown column 'x.y' in 'where clause'",
        ),
        (
            "SELECT 1 FROM information_schema.tables ORDER BY nosuch",
            1054,
            "42S22",
            "Unknown column 'nosuch' in 'order clause'",
        ),
        (
            "SHOW COLUMNS FROM orders WHERE nosuch = 1",
            1054,
            "42S22",
            "Unknown column 'nosuch' in 'where clause'",
        ),
        (
            "SELECT table_name FROM information_schema.tables a JOIN information_schema.columns b USING (table_schema)",
            1052,
            "23000",
            "Column 'table_name' in field list is ambiguous",
        ),
        // What would be computed otherwise than mysqld does is refused.
        ("SELECT 1 FROM information_schema.tables WHERE table_name = 1", 1235, "42000", "dbtrail-shim: "),
        (
            "SELECT 1 FROM information_schema.tables WHERE table_name REGEXP 'o'",
            1235,
            "42000",
            "dbtrail-shim: ",
        ),
        ("SELECT table_name, COUNT(*) FROM information_schema.tables", 1235, "42000", "dbtrail-shim: "),
        ("SELECT (SELECT 1 UNION SELECT 2) FROM information_schema.tables", 1235, "42000", "dbtrail-shim: "),
        ("SELECT 1 FROM information_schema.tables UNION SELECT 2, 3", 1235, "42000", "dbtrail-shim: "),
        (
            "SELECT 1 FROM information_schema.tables t, mysql.user u",
            1235,
            "42000",
            "dbtrail-shim: this server answers",
        ),
        ("SELECT id - 8 FROM information_schema.collations", 1690, "22003", "BIGINT UNSIGNED value is out"),
        ("SELECT SUM(table_rows) FROM information_schema.tables", 1235, "42000", "dbtrail-shim: "),
        (
            "SELECT NOSUCH(1) FROM information_schema.tables",
            1235,
            "42000",
            "dbtrail-shim: not supported: the expression 'NOSUCH(1)'",
        ),
        ("SHOW INDEX FROM orders LIKE 'x'", 1064, "42000", "You have an error in your SQL syntax; "),
        ("SHOW TABLES tt", 1064, "42000", "You have an error in your SQL syntax; "),
        ("SHOW COLUMNS FROM a.b.c", 1064, "42000", "You have an error in your SQL syntax; "),
    ] {
        let reported = client.err_packet(sql).await;
        assert_eq!((reported.code, reported.state.as_str()), (code, state), "{sql}: {reported:?}");
        assert!(reported.message.starts_with(text), "{sql}: {reported:?}");
        assert_eq!(client.cell("SELECT 1").await.as_deref(), Some("1"));
    }
    // A chain that is too long is refused wherever CASE is in it.
    for chain in [
        format!("SELECT {}1 FROM information_schema.tables", "1 + ".repeat(400)),
        format!("SELECT CASE WHEN {}1 THEN 1 END FROM information_schema.tables", "1 + ".repeat(400)),
        format!("SELECT 1{} FROM information_schema.tables", " + when".repeat(400)),
        format!("SELECT 1{} FROM information_schema.tables", " + case".repeat(400)),
        format!(
            "SELECT {}1{} FROM information_schema.tables",
            "CASE WHEN 1 THEN ".repeat(200),
            " END".repeat(200)
        ),
    ] {
        assert!(matches!(client.err_packet(&chain).await.code, 1064 | 1235), "{chain}");
    }
    let wide = format!(
        "SELECT CASE {} END AS x FROM information_schema.engines",
        "WHEN engine = 'a' THEN 'b' ".repeat(300)
    );
    assert_eq!(ask(&mut client, &wide).await.1, ["NULL"]);
}

#[tokio::test]
async fn a_tenant_sees_its_own_schemas_alone() {
    let (agent, shim) = tree().await;
    let mut client = shim.raw("b").await;
    holds(
        &mut client,
        &[
            (
                "SHOW DATABASES",
                "Database",
                &["_diff", "_flashback", "_history", "_snapshot", "_undo", "information_schema", "tt"],
            ),
            (
                "SELECT schema_name FROM information_schema.schemata WHERE schema_name = 'other'",
                "SCHEMA_NAME",
                &[],
            ),
            (
                "SELECT DISTINCT table_schema FROM information_schema.tables",
                "TABLE_SCHEMA",
                &["_diff", "_flashback", "_history", "_snapshot", "_undo", "information_schema", "tt"],
            ),
            // No database is selected, and only one could be meant.
            ("SHOW TABLES FROM _flashback", "Tables_in__flashback", &["orders", "pairs"]),
        ],
    )
    .await;
    for table in ["tables", "columns", "statistics", "key_column_usage", "table_constraints"] {
        let sql = format!(
            "SELECT 1 FROM information_schema.{table} WHERE table_schema = 'other' OR table_name = 'secret'"
        );
        assert_eq!(ask(&mut client, &sql).await.1, Vec::<String>::new(), "{sql}");
    }
    for sql in [
        "SHOW TABLES FROM other",
        "SHOW TABLE STATUS FROM other",
        "DESCRIBE other.secret",
        "SHOW INDEX FROM secret FROM other",
        "SHOW CREATE TABLE other.secret",
        "SHOW CREATE TABLE _flashback.other.secret",
        "DESCRIBE _diff.other.secret",
        "SHOW CREATE DATABASE other",
        "SHOW TRIGGERS FROM other",
        "USE other",
        // What is not there is not distinguished from what is not the tenant's.
        "SHOW TABLES FROM nosuch",
    ] {
        let reported = client.err_packet(sql).await;
        let schema = if sql.ends_with("nosuch") { "nosuch" } else { "other" };
        let text = format!("Access denied for user 'b'@'127.0.0.1' to database '{schema}'");
        assert_eq!(reported.plain(), (1044, "42000", text.as_str()), "{sql}");
    }
    assert_eq!(client.err_packet("SHOW TABLES").await.code, 1046);
    assert_eq!(client.err_packet("DESCRIBE orders").await.code, 1046);
    for request in agent.requests() {
        assert!(!request.path.contains("other") && request.path.contains("server-b"), "{request:?}");
    }
}

const ROW: &str = "SELECT * FROM _flashback.orders AS OF '2020-01-01' WHERE id = 1";

#[tokio::test]
async fn virtual_schemas_can_be_used_but_no_past_is_guessed() {
    let (_agent, shim) = tree().await;
    let mut client = shim.raw("a").await;
    assert_eq!(client.query("USE other").await, Outcome::Done(0));
    assert_eq!(ask(&mut client, "SHOW TABLES FROM _flashback").await.1, ["secret"]);
    assert_eq!(client.query("USE _Flashback").await, Outcome::Done(0));
    assert_eq!(client.cell("SELECT DATABASE()").await.as_deref(), Some("_flashback"));
    // The tenant's default, and not what happened to be used before: a pool hands connections on.
    assert_eq!(
        ask(&mut client, "SHOW TABLES").await,
        (vec!["Tables_in__flashback".into()], vec!["orders".into(), "pairs".into()])
    );
    assert_eq!(ask(&mut client, "DESCRIBE pairs").await.1.len(), 2);
    let reported = client.err_packet(ROW).await;
    assert_eq!(reported.code, 1235);
    assert!(
        reported.message.contains("USE the real database, or write _flashback.<database>.orders"),
        "{reported:?}"
    );
    assert_eq!(client.query("USE information_schema").await, Outcome::Done(0));
    assert_eq!(ask(&mut client, "SELECT engine FROM engines").await.1, ["DBTRAIL"]);
    assert_eq!(ask(&mut client, "SHOW TABLES LIKE 'KEYW%'").await.1, ["KEYWORDS"]);
    assert_eq!(
        ask(&mut client, "DESCRIBE keywords").await.1,
        ["WORD|varchar(128)|YES||NULL|", "RESERVED|int|YES||NULL|"]
    );
    assert_eq!(client.err_packet(ROW).await.code, 1235);
    assert_eq!(client.cell("SELECT 1 FROM DUAL").await.as_deref(), Some("1"));
    // With one schema that could be meant, it is meant.
    let mut only = shim.raw("b").await;
    assert_eq!(only.query("USE _diff").await, Outcome::Done(0));
    assert_eq!(ask(&mut only, "SHOW TABLES").await.1, ["orders", "pairs"]);
}

fn asked(agent: &Agent, from: usize) -> Vec<String> {
    let paths = agent.requests().split_off(from).into_iter().map(|r| r.path);
    paths.map(|p| p.replace("/v1/servers/server-a/schemas", "")).collect()
}

#[tokio::test]
async fn the_agent_is_asked_for_no_more_than_a_statement_needs() {
    let (agent, shim) = tree().await;
    let mut client = shim.raw("a").await;
    for (sql, want) in [
        (
            "SELECT * FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '_flashback' AND TABLE_NAME = 'orders'",
            vec!["", "/tt/tables", "/tt/tables/orders"],
        ),
        // Four schemas show one table: its definition is asked for once.
        (
            "SELECT * FROM information_schema.COLUMNS WHERE TABLE_NAME = 'pairs'",
            vec!["", "/other/tables", "/tt/tables", "/tt/tables/pairs"],
        ),
        // A join takes what one side says of schema and table for the other.
        (
            "SELECT 1 FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.STATISTICS s ON k.TABLE_SCHEMA = s.TABLE_SCHEMA AND s.TABLE_NAME = k.TABLE_NAME WHERE k.TABLE_SCHEMA = DATABASE() AND k.TABLE_NAME LIKE 'ord%'",
            vec!["", "/tt/tables", "/tt/tables/orders"],
        ),
        ("SELECT * FROM information_schema.TABLES WHERE 1 = 0", vec![""]),
        ("SELECT * FROM information_schema.COLLATIONS", vec![]),
        ("SHOW COLLATION", vec![]),
        ("SHOW DATABASES", vec![""]),
    ] {
        let before = agent.requests().len();
        ask(&mut client, sql).await;
        let mut paths = asked(&agent, before);
        paths.sort();
        assert_eq!(paths, want, "{sql}");
    }
}

#[tokio::test]
async fn more_tables_than_the_agent_can_be_asked_for_are_refused_and_not_cut() {
    let (agent, shim) = tree().await;
    agent.world(|path| {
        if path.ends_with("/tt/tables") {
            let entry = |n: usize| {
                format!(r#"{{"table":"t{n:04}","oldest":"2020-01-01T00:00:00Z","newest":"2020-01-02T00:00:00Z","dropped":false}}"#)
            };
            let entries: Vec<String> = (0..1001).map(entry).collect();
            return Reply::json(200, &format!(r#"{{"success":true,"tables":[{}]}}"#, entries.join(",")));
        }
        world(&path.replace("tables/t0007", "tables/orders"))
    });
    let mut client = shim.raw("a").await;
    let before = agent.requests().len();
    let reported = client
        .err_packet("SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'tt'")
        .await;
    assert_eq!(reported.code, 1235);
    assert!(reported.message.contains("the columns or keys of 1001 tables"), "{reported:?}");
    assert_eq!(asked(&agent, before), ["", "/tt/tables"]);
    assert_eq!(ask(&mut client, "SHOW TABLES").await.1.len(), 1001);
    let one = "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'tt' AND TABLE_NAME = 't0007' LIMIT 1, 1";
    assert_eq!(ask(&mut client, one).await.1, ["customer"]);
}

#[tokio::test]
async fn a_table_without_a_definition_is_left_out_with_a_warning() {
    let (agent, shim) = tree().await;
    agent.world(|path| {
        if path.ends_with("/tables/orders") {
            return Reply::json(422, r#"{"success":false,"error":"the record does not say its columns","code":"unreadable_table"}"#);
        }
        world(path)
    });
    let mut client = shim.raw("a").await;
    let sql =
        "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '_flashback'";
    assert_eq!(
        client.query(sql).await,
        Outcome::Rows(
            vec![
                vec![Some("pairs".to_owned()), Some("a".to_owned())],
                vec![Some("pairs".to_owned()), Some("b".to_owned())],
            ],
            1,
        )
    );
    assert_eq!(
        ask(&mut client, "SHOW WARNINGS").await.1,
        ["Warning|1105|the columns of _flashback.orders are left out: the record does not say its columns"]
    );
    let reported = client.err_packet("DESCRIBE _flashback.orders").await;
    assert_eq!((reported.code, reported.state.as_str()), (1064, "HY000"));
    assert!(reported.message.contains("the record does not say its columns"), "{reported:?}");
    // An agent that is gone is an error, and no empty tree.
    agent.world(|_| Reply::json(503, r#"{"success":false,"error":"down","code":"internal"}"#));
    for sql in ["SHOW DATABASES", "SHOW TABLES", "SELECT * FROM information_schema.tables", "DESCRIBE orders"]
    {
        assert_eq!(client.err_packet(sql).await.code, 1317, "{sql}");
    }
}

/// The same against the agent that ships, on the recording of a real server: information_schema
/// says of it what it said of the table.
#[test]
fn the_recording_has_its_tree() {
    let chain = chain("");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    let rows = |client: &mut Bare, sql: &str| {
        let mut packets = client.command(format!("\x03{sql}").as_bytes());
        packets.extend(client.up_to_end());
        let eof = packets.iter().position(|p| p.first() == Some(&0xfe)).expect("behind the columns");
        let row = |p: &Vec<u8>| {
            cells(p).into_iter().map(|c| c.unwrap_or_else(|| "NULL".to_owned())).collect::<Vec<_>>().join("|")
        };
        packets[eof + 1..packets.len() - 1].iter().map(row).collect::<Vec<String>>()
    };
    let tables = rows(&mut client, "SHOW TABLES FROM _flashback");
    assert!(
        ["devices", "order_items", "orders", "products", "zoo"].iter().all(|t| tables.iter().any(|x| x == t)),
        "{tables:?}"
    );
    assert_eq!(
        rows(&mut client, "SHOW FULL COLUMNS FROM _snapshot.products"),
        [
            "sku|varchar(20)|utf8mb4_bin|NO|PRI|NULL||select|",
            "title|varchar(80)|latin1_swedish_ci|NO||NULL||select|",
            "price|double|NULL|NO||NULL||select|",
            "attrs|json|NULL|YES||NULL||select|",
        ]
    );
    assert_eq!(
        rows(
            &mut client,
            "SELECT TABLE_SCHEMA, COLUMN_NAME, ORDINAL_POSITION FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_NAME = 'order_items' AND TABLE_SCHEMA IN ('tt', '_flashback')"
        ),
        ["_flashback|order_id|1", "_flashback|line|2", "tt|order_id|1", "tt|line|2"]
    );
    assert_eq!(
        rows(
            &mut client,
            "SELECT COUNT(*) > 40, COUNT(DISTINCT TABLE_SCHEMA) FROM information_schema.COLUMNS WHERE TABLE_NAME IN ('zoo', 'devices')"
        ),
        ["1|5"]
    );
}

/// A schema with a table that has no key and one that could not be followed.
fn in_part(path: &str) -> Reply {
    let parts: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').collect();
    match parts[..] {
        [_, "schemas", "tt", "tables"] => Reply::json(
            200,
            r#"{"success":true,"tables":[{"table":"orders","oldest":"2020-01-01T00:00:00.000000Z","newest":"2020-01-02T00:00:00.000000Z","dropped":false}],
               "refused":[{"table":"ledger","since":"2020-01-01T00:00:00.000000Z","reason":"its declaration cannot be followed"},{"table":"log","reason":"it has no primary key"}]}"#,
        ),
        [_, "schemas", "tt", "tables", "ledger"] => Reply::json(
            422,
            r#"{"success":false,"code":"table_unreadable","error":"table tt.ledger cannot be read at that instant: its declaration cannot be followed"}"#,
        ),
        _ => world(path),
    }
}

#[tokio::test]
async fn tables_that_are_not_answered_are_named_with_the_reason() {
    let (agent, shim) = pair().await;
    agent.world(in_part);
    let mut client = shim.raw("a").await;
    for sql in ["SHOW TABLES", "SHOW FULL TABLES FROM _flashback"] {
        assert_eq!(ask(&mut client, sql).await.1.len(), 1, "{sql}");
        assert_eq!(
            ask(&mut client, "SHOW WARNINGS").await.1,
            [
                "Note|1105|no row of tt.ledger is answered: its declaration cannot be followed",
                "Note|1105|no row of tt.log is answered: it has no primary key",
            ],
            "{sql}"
        );
    }
    for sql in ["DESCRIBE ledger", "SHOW CREATE TABLE tt.ledger", "DESCRIBE _flashback.ledger"] {
        let reported = client.err_packet(sql).await;
        assert_eq!(reported.code, 1064, "{sql}");
        assert!(reported.message.contains("its declaration cannot be followed"), "{reported:?}");
    }
}
