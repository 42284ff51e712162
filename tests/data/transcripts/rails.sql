-- Rails' mysql2 and trilogy adapters.
SET NAMES utf8mb4, @@SESSION.sql_mode = CONCAT(CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), ',NO_AUTO_VALUE_ON_ZERO'), @@SESSION.sql_auto_is_null = 0, @@SESSION.wait_timeout = 2147483
SET @@SESSION.sql_mode = CONCAT(CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), ',NO_AUTO_VALUE_ON_ZERO'), @@SESSION.sql_auto_is_null = 0, @@SESSION.wait_timeout = 2147483
SELECT VERSION()
SELECT @@max_allowed_packet
SELECT DATABASE()
SHOW VARIABLES LIKE 'sql_mode'
SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE
BEGIN
ROLLBACK
/* keepalive */ SELECT 1
