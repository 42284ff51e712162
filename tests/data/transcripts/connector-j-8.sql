-- MySQL Connector/J 8 and 9: what one login and a pool's checks send. The comment in front is the driver's own.
/* mysql-connector-j-8.3.0 (Revision: 805f872a57875f311cb82487efcfb070411a3fa0) */SELECT  @@session.auto_increment_increment AS auto_increment_increment, @@character_set_client AS character_set_client, @@character_set_connection AS character_set_connection, @@character_set_results AS character_set_results, @@character_set_server AS character_set_server, @@collation_server AS collation_server, @@collation_connection AS collation_connection, @@init_connect AS init_connect, @@interactive_timeout AS interactive_timeout, @@license AS license, @@lower_case_table_names AS lower_case_table_names, @@max_allowed_packet AS max_allowed_packet, @@net_write_timeout AS net_write_timeout, @@performance_schema AS performance_schema, @@sql_mode AS sql_mode, @@system_time_zone AS system_time_zone, @@time_zone AS time_zone, @@transaction_isolation AS transaction_isolation, @@wait_timeout AS wait_timeout
SET NAMES utf8mb4
SET character_set_results = NULL
SET autocommit=1
SET sql_mode='STRICT_TRANS_TABLES'
SELECT @@session.transaction_read_only
SELECT @@session.transaction_isolation
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED
SET SESSION TRANSACTION READ WRITE
SET SESSION TRANSACTION READ ONLY
set session transaction read write
/* ping */ SELECT 1
SHOW WARNINGS
SELECT DATABASE()
SET SQL_SELECT_LIMIT=200
SET SQL_SELECT_LIMIT=DEFAULT
SET autocommit=0
commit
rollback
SET autocommit=1
