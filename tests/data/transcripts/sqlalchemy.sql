-- SQLAlchemy, on any of its drivers.
SELECT DATABASE()
SELECT @@sql_mode
SELECT @@lower_case_table_names
SELECT @@transaction_isolation
SHOW VARIABLES LIKE 'sql_mode'
SHOW VARIABLES LIKE 'lower_case_table_names'
SELECT CAST('test plain returns' AS CHAR(60)) AS anon_1
SELECT CAST('test unicode returns' AS CHAR(60)) AS anon_1
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED
SELECT 'x' AS some_label
ROLLBACK
