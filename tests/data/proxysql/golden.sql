/*
Written by dbtrail-shim proxysql-config for the admin port of ProxySQL (6032). It can be run again at any time:
    mysql -h 127.0.0.1 -P 6032 -u admin -p < this file
It deletes and writes only rows with the comment dbtrail-shim. A server or a user that is there already under another comment
stays as it is, with its own password and hostgroup. A rule of somebody else with one of these ids ends the run before anything
is loaded: choose other ids with --rule-id.
Rules are tried in the order of their ids. A rule with a smaller id than 990001 that catches SELECT or SHOW with apply=1 hides
these. The command dbtrail-shim doctor --proxysql-admin finds that and more.
transaction_persistent=1: inside BEGIN every statement of a user goes to hostgroup 990, so a time-travel statement fails there with
1064 (SHOW and DESCRIBE with 1049). With --transaction-persistent 0 it works there, and each statement of a transaction is routed by itself: right for
users that have one MySQL, wrong where reads and writes are split.
A user variable locks its session to the hostgroup that took the SET. So do not SET @dbtrail_allow_wide_diff through ProxySQL:
write SET_VAR(dbtrail_allow_wide_diff=ON) as an optimizer hint right after SELECT (docs/proxysql.md).
The rules need mysql-query_digests=true, which is the default.
mysql-monitor_username must be monitor, with the same password as under monitor: in shim.yaml.
mysql-server_version, one for the whole proxy, should agree with that of the shim, 8.0.40-dbtrail (--set-server-version sets it).
*/
DELETE FROM mysql_query_rules WHERE comment = 'dbtrail-shim';
DELETE FROM mysql_users WHERE comment = 'dbtrail-shim';
DELETE FROM mysql_servers WHERE comment = 'dbtrail-shim';
INSERT OR IGNORE INTO mysql_servers (hostgroup_id, hostname, port, max_connections, use_ssl, comment) VALUES (990, '10.0.0.5', 3306, 1000, 0, 'dbtrail-shim');
INSERT OR IGNORE INTO mysql_servers (hostgroup_id, hostname, port, max_connections, use_ssl, comment) VALUES (991, '10.0.0.7', 3308, 180, 0, 'dbtrail-shim');
INSERT OR IGNORE INTO mysql_users (username, password, default_hostgroup, default_schema, transaction_persistent, comment) VALUES ('app', '*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9', 990, NULL, 1, 'dbtrail-shim');
INSERT OR IGNORE INTO mysql_users (username, password, default_hostgroup, default_schema, transaction_persistent, comment) VALUES ('zoe', '*14E65567ABDB5135D0CFD9A70B3032C179A49EE7', 990, 'shop', 1, 'dbtrail-shim');
/* FROM and JOIN of a virtual table, in whatever statement */
INSERT INTO mysql_query_rules (rule_id, active, match_digest, match_pattern, destination_hostgroup, apply, comment) VALUES (990001, 1, '\b(?:FROM|JOIN|STRAIGHT_JOIN)(?:[\s(]+`?|`)_(?:flashback|snapshot|diff|undo|history)`?\s*\.', '_(?:flashback|snapshot|diff|undo|history)\b', 991, 1, 'dbtrail-shim');
/* a virtual table after a comma in FROM */
INSERT INTO mysql_query_rules (rule_id, active, match_digest, match_pattern, destination_hostgroup, apply, comment) VALUES (990002, 1, '\bFROM[\s(]+[^\s,()]+(?: [^\s,()]+){0,2}(?:, ?[^\s,()]+(?: [^\s,()]+){0,2}){0,15}, ?\(*`?_(?:flashback|snapshot|diff|undo|history)`?\s*\.', '_(?:flashback|snapshot|diff|undo|history)\b', 991, 1, 'dbtrail-shim');
/* DESCRIBE, EXPLAIN, TABLE, SHOW CREATE TABLE and SHOW COLUMNS IN of a virtual table */
INSERT INTO mysql_query_rules (rule_id, active, match_digest, match_pattern, destination_hostgroup, apply, comment) VALUES (990003, 1, '^\s*(?:DESC|DESCRIBE|(?:EXPLAIN )?TABLE|EXPLAIN|SHOW CREATE (?:TABLE|VIEW)|SHOW (?:EXTENDED |FULL ){0,2}(?:COLUMNS|FIELDS|INDEX|INDEXES|KEYS) IN)(?:\s+`?|`)_(?:flashback|snapshot|diff|undo|history)`?\s*\.', '_(?:flashback|snapshot|diff|undo|history)\b', 991, 1, 'dbtrail-shim');
/* SHOW of what a virtual schema holds */
INSERT INTO mysql_query_rules (rule_id, active, match_digest, match_pattern, destination_hostgroup, apply, comment) VALUES (990004, 1, '^\s*SHOW (?:(?:EXTENDED |FULL |OPEN ){0,2}(?:TABLES|TABLE STATUS|TRIGGERS|EVENTS) (?:FROM|IN)|(?:EXTENDED |FULL ){0,2}(?:COLUMNS|FIELDS|INDEX|INDEXES|KEYS) (?:FROM|IN)[\s`]+[^\s,()]+ (?:FROM|IN)|CREATE (?:DATABASE|SCHEMA)(?: IF NOT EXISTS)?)(?:\s+`?|`)_(?:flashback|snapshot|diff|undo|history)`?(?:\s|\x3b|$)', '_(?:flashback|snapshot|diff|undo|history)\b', 991, 1, 'dbtrail-shim');
/* virtual tables in the quotes of ANSI_QUOTES, which a digest takes for literals */
INSERT INTO mysql_query_rules (rule_id, active, match_digest, match_pattern, destination_hostgroup, apply, comment) VALUES (990005, 1, '(?:\b(?:FROM|JOIN|STRAIGHT_JOIN)|^\s*(?:DESC|DESCRIBE|EXPLAIN|TABLE|SHOW CREATE TABLE))[\s(]*\?\s*\.', '\x22_(?:flashback|snapshot|diff|undo|history)\x22\s*\.', 991, 1, 'dbtrail-shim');
LOAD MYSQL SERVERS TO RUNTIME;
LOAD MYSQL USERS TO RUNTIME;
LOAD MYSQL QUERY RULES TO RUNTIME;
SAVE MYSQL SERVERS TO DISK;
SAVE MYSQL USERS TO DISK;
SAVE MYSQL QUERY RULES TO DISK;
