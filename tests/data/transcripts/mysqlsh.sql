-- MySQL Shell, and Oracle's own command line.
select concat(@@version, ' ', @@version_comment)
select @@lower_case_table_names, @@version, connection_id()
SELECT @@SESSION.sql_mode
set NAMES 'utf8mb4'
select @@version_comment limit 1
SELECT USER()
select DATABASE(), USER() limit 1
select @@character_set_client, @@character_set_connection, @@character_set_server, @@character_set_database limit 1
show session status like 'Ssl_version'
SET sql_quote_show_create=1
