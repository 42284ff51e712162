-- DataGrip and the other IDEs of its family.
/* ApplicationName=DataGrip 2024.1 */ SET net_write_timeout=600000
/* ApplicationName=DataGrip 2024.1 */ SET SQL_SELECT_LIMIT=501
/* ApplicationName=DataGrip 2024.1 */ select database()
/* ApplicationName=DataGrip 2024.1 */ select version()
/* ApplicationName=DataGrip 2024.1 */ select @@version_comment, database()
/* ApplicationName=DataGrip 2024.1 */ select @@session.transaction_isolation
/* ApplicationName=DataGrip 2024.1 */ set session transaction read write
/* ApplicationName=DataGrip 2024.1 */ SHOW VARIABLES LIKE 'sql_mode'
/* ApplicationName=DataGrip 2024.1 */ select connection_id()
/* ApplicationName=DataGrip 2024.1 */ SELECT 'keep alive'
/* ApplicationName=DataGrip 2024.1 */ SET SQL_SELECT_LIMIT=DEFAULT
