//! The queries with which clients fill their trees.

use super::{Case, holds, tree};

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
