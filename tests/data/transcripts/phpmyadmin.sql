-- phpMyAdmin: a login and its front page.
SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_ci'
SET lc_messages = 'en_US'
SELECT @@version, @@version_comment
SELECT CURRENT_USER()
SELECT @@lower_case_table_names
SELECT @@character_set_server
SHOW GRANTS
SHOW SESSION VARIABLES LIKE 'FOREIGN_KEY_CHECKS'
SHOW VARIABLES LIKE 'version_comment'
SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'version_comment')
SHOW SESSION STATUS LIKE 'Ssl_cipher'
SELECT DATABASE()
SELECT USER()
SET collation_connection = 'utf8mb4_unicode_ci'
SHOW PROCESSLIST
SHOW PLUGINS
SELECT `CHARACTER_SET_NAME` AS `Charset`, `DEFAULT_COLLATE_NAME` AS `Default collation`, `DESCRIPTION` AS `Description`, `MAXLEN` AS `Maxlen` FROM `information_schema`.`CHARACTER_SETS`
SELECT `COLLATION_NAME` AS `Collation`, `CHARACTER_SET_NAME` AS `Charset`, `ID` AS `Id`, `IS_DEFAULT` AS `Default`, `IS_COMPILED` AS `Compiled`, `SORTLEN` AS `Sortlen` FROM `information_schema`.`COLLATIONS`
