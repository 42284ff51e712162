//! Lists that hold for every session: character sets, collations, the engine, keywords.

use dbtrail_expression::Value;

type Row = Vec<Value>;

/// The character sets that this server speaks with its clients: name, default collation,
/// description, bytes a character.
const CHARACTER_SETS: [(&str, &str, &str, i128); 4] = [
    ("binary", "binary", "Binary pseudo charset", 1),
    ("latin1", "latin1_swedish_ci", "cp1252 West European", 1),
    ("utf8mb3", "utf8mb3_general_ci", "UTF-8 Unicode", 3),
    ("utf8mb4", "utf8mb4_0900_ai_ci", "UTF-8 Unicode", 4),
];

/// Their collations, as name, id and SORTLEN of MySQL 9.7: drivers map the numbers in packets by
/// this list.
const COLLATIONS: &str = "latin1_german1_ci:5:1 latin1_swedish_ci:8:1 latin1_danish_ci:15:1 latin1_german2_ci:31:2 \
    utf8mb3_general_ci:33:1 utf8mb4_general_ci:45:1 utf8mb4_bin:46:1 latin1_bin:47:1 latin1_general_ci:48:1 \
    latin1_general_cs:49:1 binary:63:1 utf8mb3_tolower_ci:76:1 utf8mb3_bin:83:1 latin1_spanish_ci:94:1 \
    utf8mb3_unicode_ci:192:8 utf8mb3_icelandic_ci:193:8 utf8mb3_latvian_ci:194:8 utf8mb3_romanian_ci:195:8 \
    utf8mb3_slovenian_ci:196:8 utf8mb3_polish_ci:197:8 utf8mb3_estonian_ci:198:8 utf8mb3_spanish_ci:199:8 \
    utf8mb3_swedish_ci:200:8 utf8mb3_turkish_ci:201:8 utf8mb3_czech_ci:202:8 utf8mb3_danish_ci:203:8 \
    utf8mb3_lithuanian_ci:204:8 utf8mb3_slovak_ci:205:8 utf8mb3_spanish2_ci:206:8 utf8mb3_roman_ci:207:8 \
    utf8mb3_persian_ci:208:8 utf8mb3_esperanto_ci:209:8 utf8mb3_hungarian_ci:210:8 utf8mb3_sinhala_ci:211:8 \
    utf8mb3_german2_ci:212:8 utf8mb3_croatian_ci:213:8 utf8mb3_unicode_520_ci:214:8 utf8mb3_vietnamese_ci:215:8 \
    utf8mb3_general_mysql500_ci:223:1 utf8mb4_unicode_ci:224:8 utf8mb4_icelandic_ci:225:8 \
    utf8mb4_latvian_ci:226:8 utf8mb4_romanian_ci:227:8 utf8mb4_slovenian_ci:228:8 utf8mb4_polish_ci:229:8 \
    utf8mb4_estonian_ci:230:8 utf8mb4_spanish_ci:231:8 utf8mb4_swedish_ci:232:8 utf8mb4_turkish_ci:233:8 \
    utf8mb4_czech_ci:234:8 utf8mb4_danish_ci:235:8 utf8mb4_lithuanian_ci:236:8 utf8mb4_slovak_ci:237:8 \
    utf8mb4_spanish2_ci:238:8 utf8mb4_roman_ci:239:8 utf8mb4_persian_ci:240:8 utf8mb4_esperanto_ci:241:8 \
    utf8mb4_hungarian_ci:242:8 utf8mb4_sinhala_ci:243:8 utf8mb4_german2_ci:244:8 utf8mb4_croatian_ci:245:8 \
    utf8mb4_unicode_520_ci:246:8 utf8mb4_vietnamese_ci:247:8 utf8mb4_0900_ai_ci:255:0 \
    utf8mb4_de_pb_0900_ai_ci:256:0 utf8mb4_is_0900_ai_ci:257:0 utf8mb4_lv_0900_ai_ci:258:0 \
    utf8mb4_ro_0900_ai_ci:259:0 utf8mb4_sl_0900_ai_ci:260:0 utf8mb4_pl_0900_ai_ci:261:0 \
    utf8mb4_et_0900_ai_ci:262:0 utf8mb4_es_0900_ai_ci:263:0 utf8mb4_sv_0900_ai_ci:264:0 \
    utf8mb4_tr_0900_ai_ci:265:0 utf8mb4_cs_0900_ai_ci:266:0 utf8mb4_da_0900_ai_ci:267:0 \
    utf8mb4_lt_0900_ai_ci:268:0 utf8mb4_sk_0900_ai_ci:269:0 utf8mb4_es_trad_0900_ai_ci:270:0 \
    utf8mb4_la_0900_ai_ci:271:0 utf8mb4_eo_0900_ai_ci:273:0 utf8mb4_hu_0900_ai_ci:274:0 \
    utf8mb4_hr_0900_ai_ci:275:0 utf8mb4_vi_0900_ai_ci:277:0 utf8mb4_0900_as_cs:278:0 \
    utf8mb4_de_pb_0900_as_cs:279:0 utf8mb4_is_0900_as_cs:280:0 utf8mb4_lv_0900_as_cs:281:0 \
    utf8mb4_ro_0900_as_cs:282:0 utf8mb4_sl_0900_as_cs:283:0 utf8mb4_pl_0900_as_cs:284:0 \
    utf8mb4_et_0900_as_cs:285:0 utf8mb4_es_0900_as_cs:286:0 utf8mb4_sv_0900_as_cs:287:0 \
    utf8mb4_tr_0900_as_cs:288:0 utf8mb4_cs_0900_as_cs:289:0 utf8mb4_da_0900_as_cs:290:0 \
    utf8mb4_lt_0900_as_cs:291:0 utf8mb4_sk_0900_as_cs:292:0 utf8mb4_es_trad_0900_as_cs:293:0 \
    utf8mb4_la_0900_as_cs:294:0 utf8mb4_eo_0900_as_cs:296:0 utf8mb4_hu_0900_as_cs:297:0 \
    utf8mb4_hr_0900_as_cs:298:0 utf8mb4_vi_0900_as_cs:300:0 utf8mb4_ja_0900_as_cs:303:0 \
    utf8mb4_ja_0900_as_cs_ks:304:24 utf8mb4_0900_as_ci:305:0 utf8mb4_ru_0900_ai_ci:306:0 \
    utf8mb4_ru_0900_as_cs:307:0 utf8mb4_zh_0900_as_cs:308:0 utf8mb4_0900_bin:309:1 utf8mb4_nb_0900_ai_ci:310:0 \
    utf8mb4_nb_0900_as_cs:311:0 utf8mb4_nn_0900_ai_ci:312:0 utf8mb4_nn_0900_as_cs:313:0 \
    utf8mb4_sr_latn_0900_ai_ci:314:0 utf8mb4_sr_latn_0900_as_cs:315:0 utf8mb4_bs_0900_ai_ci:316:0 \
    utf8mb4_bs_0900_as_cs:317:0 utf8mb4_bg_0900_ai_ci:318:0 utf8mb4_bg_0900_as_cs:319:0 \
    utf8mb4_gl_0900_ai_ci:320:0 utf8mb4_gl_0900_as_cs:321:0 utf8mb4_mn_cyrl_0900_ai_ci:322:0 \
    utf8mb4_mn_cyrl_0900_as_cs:323:0";

/// What MySQL 9.7 reserves, which holds what 8.0 reserves,
const RESERVED: &str = "ACCESSIBLE ADD ALL ALTER ANALYZE AND AS ASC ASENSITIVE BEFORE BETWEEN BIGINT BINARY BLOB BOTH BY CALL \
    CASCADE CASE CHANGE CHAR CHARACTER CHECK COLLATE COLUMN CONDITION CONSTRAINT CONTINUE CONVERT CREATE CROSS \
    CUBE CUME_DIST CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURSOR DATABASE DATABASES DAY_HOUR \
    DAY_MICROSECOND DAY_MINUTE DAY_SECOND DEC DECIMAL DECLARE DEFAULT DELAYED DELETE DENSE_RANK DESC DESCRIBE \
    DETERMINISTIC DISTINCT DISTINCTROW DIV DOUBLE DROP DUAL EACH ELSE ELSEIF EMPTY ENCLOSED ESCAPED EXCEPT \
    EXISTS EXIT EXPLAIN EXTERNAL FALSE FETCH FIRST_VALUE FLOAT FLOAT4 FLOAT8 FOR FORCE FOREIGN FROM FULLTEXT \
    FUNCTION GENERATED GET GRANT GROUP GROUPING GROUPS HAVING HIGH_PRIORITY HOUR_MICROSECOND HOUR_MINUTE \
    HOUR_SECOND IF IGNORE IN INDEX INFILE INNER INOUT INSENSITIVE INSERT INT INT1 INT2 INT3 INT4 INT8 INTEGER \
    INTERSECT INTERVAL INTO IO_AFTER_GTIDS IO_BEFORE_GTIDS IS ITERATE JOIN JSON_TABLE KEY KEYS KILL LAG \
    LAST_VALUE LATERAL LEAD LEADING LEAVE LEFT LIBRARY LIKE LIMIT LINEAR LINES LOAD LOCALTIME LOCALTIMESTAMP \
    LOCK LONG LONGBLOB LONGTEXT LOOP LOW_PRIORITY MATCH MAXVALUE MEDIUMBLOB MEDIUMINT MEDIUMTEXT MIDDLEINT \
    MINUTE_MICROSECOND MINUTE_SECOND MOD MODIFIES NATURAL NOT NO_WRITE_TO_BINLOG NTH_VALUE NTILE NULL NUMERIC OF \
    ON OPTIMIZE OPTIMIZER_COSTS OPTION OPTIONALLY OR ORDER OUT OUTER OUTFILE OVER PARTITION PERCENT_RANK \
    PRECISION PRIMARY PROCEDURE PURGE QUALIFY RANGE RANK READ READS READ_WRITE REAL RECURSIVE REFERENCES REGEXP \
    RELEASE RENAME REPEAT REPLACE REQUIRE RESIGNAL RESTRICT RETURN REVOKE RIGHT RLIKE ROW ROWS ROW_NUMBER SCHEMA \
    SCHEMAS SECOND_MICROSECOND SELECT SENSITIVE SEPARATOR SET SHOW SIGNAL SMALLINT SPATIAL SPECIFIC SQL \
    SQLEXCEPTION SQLSTATE SQLWARNING SQL_BIG_RESULT SQL_CALC_FOUND_ROWS SQL_SMALL_RESULT SSL STARTING STORED \
    STRAIGHT_JOIN SYSTEM TABLE TABLESAMPLE TERMINATED THEN TINYBLOB TINYINT TINYTEXT TO TRAILING TRIGGER TRUE \
    UNDO UNION UNIQUE UNLOCK UNSIGNED UPDATE USAGE USE USING UTC_DATE UTC_TIME UTC_TIMESTAMP VALUES VARBINARY \
    VARCHAR VARCHARACTER VARYING VIRTUAL WHEN WHERE WHILE WINDOW WITH WRITE XOR YEAR_MONTH ZEROFILL";

/// and its other keywords.
const OTHERS: &str = "ABSENT ACCOUNT ACTION ACTIVE ADMIN AFTER AGAINST AGGREGATE ALGORITHM ALLOW_MISSING_FILES ALWAYS ANY ARRAY \
    ASCII ASSIGN_GTIDS_TO_ANONYMOUS_TRANSACTIONS AT ATTRIBUTE AUTHENTICATION AUTO AUTOEXTEND_SIZE AUTO_INCREMENT \
    AUTO_REFRESH AUTO_REFRESH_SOURCE AVG AVG_ROW_LENGTH BACKUP BEGIN BERNOULLI BINLOG BIT BLOCK BOOL BOOLEAN \
    BTREE BUCKETS BULK BYTE CACHE CASCADED CATALOG_NAME CHAIN CHALLENGE_RESPONSE CHANGED CHANNEL CHARSET \
    CHECKSUM CIPHER CLASS_ORIGIN CLIENT CLONE CLOSE COALESCE CODE COLLATION COLUMNS COLUMN_FORMAT COLUMN_NAME \
    COMMENT COMMIT COMMITTED COMPACT COMPLETION COMPONENT COMPRESSED COMPRESSION CONCURRENT CONNECTION \
    CONSISTENT CONSTRAINT_CATALOG CONSTRAINT_NAME CONSTRAINT_SCHEMA CONTAINS CONTEXT CPU CURRENT CURSOR_NAME \
    DATA DATAFILE DATE DATETIME DAY DEALLOCATE DEFAULT_AUTH DEFINER DEFINITION DELAY_KEY_WRITE DESCRIPTION \
    DIAGNOSTICS DIRECTORY DISABLE DISCARD DISK DO DUALITY DUMPFILE DUPLICATE DYNAMIC ENABLE ENCRYPTION END ENDS \
    ENFORCED ENGINE ENGINES ENGINE_ATTRIBUTE ENUM ERROR ERRORS ESCAPE EVENT EVENTS EVERY EXCHANGE EXCLUDE \
    EXECUTE EXPANSION EXPIRE EXPORT EXTENDED EXTENT_SIZE EXTERNAL_FORMAT FACTOR FAILED_LOGIN_ATTEMPTS FAST \
    FAULTS FIELDS FILE FILES FILE_BLOCK_SIZE FILE_FORMAT FILE_NAME FILE_PATTERN FILE_PREFIX FILTER FINISH FIRST \
    FIXED FLUSH FOLLOWING FOLLOWS FORMAT FOUND FULL GENERAL GENERATE GEOMCOLLECTION GEOMETRY GEOMETRYCOLLECTION \
    GET_FORMAT GET_SOURCE_PUBLIC_KEY GLOBAL GRANTS GROUP_REPLICATION GTIDS GTID_ONLY GUIDED HANDLER HASH HEADER \
    HELP HISTOGRAM HISTORY HOST HOSTS HOUR IDENTIFIED IGNORE_SERVER_IDS IMPORT INACTIVE INDEXES INITIAL \
    INITIAL_SIZE INITIATE INSERT_METHOD INSTALL INSTANCE INVISIBLE INVOKER IO IO_THREAD IPC ISOLATION ISSUER \
    JSON JSON_VALUE KEYRING KEY_BLOCK_SIZE LANGUAGE LAST LEAVES LESS LEVEL LINESTRING LIST LOCAL LOCKED LOCKS \
    LOG LOGFILE LOGS MANUAL MASKING MASTER MATERIALIZED MAX_CONNECTIONS_PER_HOUR MAX_QUERIES_PER_HOUR MAX_ROWS \
    MAX_SIZE MAX_UPDATES_PER_HOUR MAX_USER_CONNECTIONS MEDIUM MEMBER MEMORY MERGE MESSAGE_TEXT MICROSECOND \
    MIGRATE MINUTE MIN_ROWS MODE MODIFY MONTH MULTILINESTRING MULTIPOINT MULTIPOLYGON MUTEX MYSQL_ERRNO NAME \
    NAMES NATIONAL NCHAR NDB NDBCLUSTER NESTED NETWORK_NAMESPACE NEVER NEW NEXT NO NODEGROUP NONE NOWAIT NO_WAIT \
    NULLS NUMBER NVARCHAR OFF OFFSET OJ OLD ONE ONLY OPEN OPTIONAL OPTIONS ORDINALITY ORGANIZATION OTHERS OWNER \
    PACK_KEYS PAGE PARALLEL PARAMETERS PARSER PARSE_TREE PARTIAL PARTITIONING PARTITIONS PASSWORD \
    PASSWORD_LOCK_TIME PATH PERSIST PERSIST_ONLY PHASE PLUGIN PLUGINS PLUGIN_DIR POINT POLICY POLYGON PORT \
    PRECEDES PRECEDING PREPARE PRESERVE PREV PRIVILEGES PRIVILEGE_CHECKS_USER PROCESS PROCESSLIST PROFILE \
    PROFILES PROXY QUARTER QUERY QUICK RANDOM READ_ONLY REBUILD RECOVER REDO_BUFFER_SIZE REDUNDANT REFERENCE \
    REGISTRATION RELATIONAL RELAY RELAYLOG RELAY_LOG_FILE RELAY_LOG_POS RELAY_THREAD RELOAD REMOVE REORGANIZE \
    REPAIR REPEATABLE REPLICA REPLICAS REPLICATE_DO_DB REPLICATE_DO_TABLE REPLICATE_IGNORE_DB \
    REPLICATE_IGNORE_TABLE REPLICATE_REWRITE_DB REPLICATE_WILD_DO_TABLE REPLICATE_WILD_IGNORE_TABLE REPLICATION \
    REQUIRE_ROW_FORMAT REQUIRE_TABLE_PRIMARY_KEY_CHECK RESET RESOURCE RESPECT RESTART RESTORE RESUME RETAIN \
    RETURNED_SQLSTATE RETURNING RETURNS REUSE REVERSE ROLE ROLLBACK ROLLUP ROTATE ROUTINE ROW_COUNT ROW_FORMAT \
    RTREE S3 SAVEPOINT SCHEDULE SCHEMA_NAME SECOND SECONDARY SECONDARY_ENGINE SECONDARY_ENGINE_ATTRIBUTE \
    SECONDARY_LOAD SECONDARY_UNLOAD SECURITY SERIAL SERIALIZABLE SERVER SESSION SETS SHARE SHUTDOWN SIGNED \
    SIMPLE SKIP SLAVE SLOW SNAPSHOT SOCKET SOME SONAME SOUNDS SOURCE SOURCE_AUTO_POSITION SOURCE_BIND \
    SOURCE_COMPRESSION_ALGORITHMS SOURCE_CONNECTION_AUTO_FAILOVER SOURCE_CONNECT_RETRY SOURCE_DELAY \
    SOURCE_HEARTBEAT_PERIOD SOURCE_HOST SOURCE_LOG_FILE SOURCE_LOG_POS SOURCE_PASSWORD SOURCE_PORT \
    SOURCE_PUBLIC_KEY_PATH SOURCE_RETRY_COUNT SOURCE_SSL SOURCE_SSL_CA SOURCE_SSL_CAPATH SOURCE_SSL_CERT \
    SOURCE_SSL_CIPHER SOURCE_SSL_CRL SOURCE_SSL_CRLPATH SOURCE_SSL_KEY SOURCE_SSL_VERIFY_SERVER_CERT \
    SOURCE_TLS_CIPHERSUITES SOURCE_TLS_VERSION SOURCE_USER SOURCE_ZSTD_COMPRESSION_LEVEL SQL_AFTER_GTIDS \
    SQL_AFTER_MTS_GAPS SQL_BEFORE_GTIDS SQL_BUFFER_RESULT SQL_NO_CACHE SQL_THREAD SQL_TSI_DAY SQL_TSI_HOUR \
    SQL_TSI_MINUTE SQL_TSI_MONTH SQL_TSI_QUARTER SQL_TSI_SECOND SQL_TSI_WEEK SQL_TSI_YEAR SRID STACKED START \
    STARTS STATS_AUTO_RECALC STATS_PERSISTENT STATS_SAMPLE_PAGES STATUS STOP STORAGE STREAM STRICT_LOAD STRING \
    SUBCLASS_ORIGIN SUBJECT SUBPARTITION SUBPARTITIONS SUPER SUSPEND SWAPS SWITCHES TABLES TABLESPACE \
    TABLE_CHECKSUM TABLE_NAME TEMPORARY TEMPTABLE TEXT THAN THREAD_PRIORITY TIES TIME TIMESTAMP TIMESTAMPADD \
    TIMESTAMPDIFF TLS TRANSACTION TRIGGERS TRUNCATE TYPE TYPES UNBOUNDED UNCOMMITTED UNDEFINED UNDOFILE \
    UNDO_BUFFER_SIZE UNICODE UNINSTALL UNKNOWN UNREGISTER UNTIL UPGRADE URI URL USER USER_RESOURCES USE_FRM \
    VALIDATE VALIDATION VALUE VARIABLES VCPU VECTOR VERIFY_KEY_CONSTRAINTS VIEW VISIBLE WAIT WARNINGS WEEK \
    WEIGHT_STRING WITHOUT WORK WRAPPER X509 XA XID XML YEAR ZONE";

/// The engine that SHOW ENGINES and TABLES name: it is no engine of MySQL, so that a CREATE TABLE
/// from here is no copy of the real one.
pub(super) const ENGINE: &str = "DBTRAIL";

/// CHARACTER_SETS
pub(super) fn character_sets() -> Vec<Row> {
    let row = |(name, collation, description, bytes): &(&'static str, &'static str, &'static str, i128)| {
        vec![Value::from(*name), Value::from(*collation), Value::from(*description), Value::Int(*bytes)]
    };
    CHARACTER_SETS.iter().map(row).collect()
}

/// Name, character set, id, SORTLEN.
fn each_collation() -> impl Iterator<Item = (&'static str, &'static str, i128, i128)> {
    COLLATIONS.split(' ').filter_map(|entry| {
        let mut parts = entry.split(':');
        let (name, id, length) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some((name, name.split('_').next()?, id, length))
    })
}

/// COLLATIONS
pub(super) fn collations() -> Vec<Row> {
    let row = |(name, charset, id, length): (&'static str, &'static str, i128, i128)| {
        let is_default = CHARACTER_SETS.iter().any(|(_, default, ..)| *default == name);
        let pads = !(name == "binary" || name.contains("_0900_"));
        vec![
            Value::from(name),
            Value::from(charset),
            Value::Int(id),
            Value::from(if is_default { "Yes" } else { "" }),
            Value::from("Yes"),
            Value::Int(length),
            Value::from(if pads { "PAD SPACE" } else { "NO PAD" }),
        ]
    };
    let mut rows: Vec<Row> = each_collation().map(row).collect();
    rows.sort_by(|a, b| a[0].text().cmp(&b[0].text()));
    rows
}

/// COLLATION_CHARACTER_SET_APPLICABILITY
pub(super) fn applicability() -> Vec<Row> {
    each_collation().map(|(name, charset, ..)| vec![Value::from(name), Value::from(charset)]).collect()
}

/// ENGINES
pub(super) fn engines() -> Vec<Row> {
    let comment = "Rows as they were, asked of the row history; read only";
    vec![[ENGINE, "DEFAULT", comment, "NO", "NO", "NO"].map(Value::from).into()]
}

/// KEYWORDS
pub(super) fn keywords() -> Vec<Row> {
    let word = |reserved: i128| move |word: &'static str| vec![Value::from(word), Value::Int(reserved)];
    let mut rows: Vec<Row> = RESERVED.split(' ').map(word(1)).chain(OTHERS.split(' ').map(word(0))).collect();
    rows.sort_by(|a, b| a[0].text().cmp(&b[0].text()));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(row: &Row) -> Vec<String> {
        row.iter().map(|c| c.text().unwrap_or_default().as_ref().to_owned()).collect()
    }

    /// Rows of MySQL 9.7.
    #[test]
    fn ok_collations_as_mysqld_numbers_them() {
        let rows: Vec<Vec<String>> = collations().iter().map(cells).collect();
        assert_eq!(rows.len(), 126);
        for want in [
            ["utf8mb4_0900_ai_ci", "utf8mb4", "255", "Yes", "Yes", "0", "NO PAD"],
            ["utf8mb4_general_ci", "utf8mb4", "45", "", "Yes", "1", "PAD SPACE"],
            ["utf8mb4_0900_bin", "utf8mb4", "309", "", "Yes", "1", "NO PAD"],
            ["utf8mb3_unicode_ci", "utf8mb3", "192", "", "Yes", "8", "PAD SPACE"],
            ["latin1_swedish_ci", "latin1", "8", "Yes", "Yes", "1", "PAD SPACE"],
            ["binary", "binary", "63", "Yes", "Yes", "1", "NO PAD"],
        ] {
            assert!(rows.iter().any(|r| *r == want), "{want:?}");
        }
        assert_eq!(rows.iter().filter(|r| r[3] == "Yes").count(), 4);
    }

    #[test]
    fn ok_keywords() {
        let rows = keywords();
        assert_eq!(rows.len(), 760);
        let flag =
            |word: &str| rows.iter().find(|r| r[0].text().as_deref() == Some(word)).map(|r| r[1].clone());
        for (word, reserved) in [
            ("SELECT", 1),
            ("RANK", 1),
            ("LATERAL", 1),
            ("SYSTEM", 1),
            ("ABSENT", 0),
            ("NAME", 0),
            ("ZONE", 0),
        ] {
            assert_eq!(flag(word), Some(Value::Int(reserved)), "{word}");
        }
    }
}
