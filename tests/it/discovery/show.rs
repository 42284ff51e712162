//! SHOW and DESCRIBE.

use super::{Case, holds, tree};

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
            "connection_user|varchar(128)|YES||NULL|",
            "connection_host|varchar(255)|YES||NULL|",
            "connection_program|varchar(1024)|YES||NULL|",
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
