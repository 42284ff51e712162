-- MariaDB Connector/J 2 and 3.
set autocommit=1, session_track_schema=1, sql_mode = concat(@@sql_mode,',STRICT_TRANS_TABLES')
SELECT @@max_allowed_packet,@@system_time_zone,@@time_zone,@@auto_increment_increment
SELECT @@max_allowed_packet, @@wait_timeout
set session_track_system_variables = CONCAT(@@session_track_system_variables, ',transaction_isolation')
select @@session.tx_isolation
set session transaction isolation level repeatable read
SELECT CONNECTION_ID()
DO 1
