-- DBeaver: behind its comment, on connecting and while its tree opens.
/* ApplicationName=DBeaver 24.0.0 - Main */ SET SQL_SELECT_LIMIT=200
/* ApplicationName=DBeaver 24.0.0 - Metadata */ SET SQL_SELECT_LIMIT=DEFAULT
/* ApplicationName=DBeaver 24.0.0 - Metadata */ SELECT DATABASE()
/* ApplicationName=DBeaver 24.0.0 - Metadata */ SELECT @@GLOBAL.character_set_server,@@GLOBAL.collation_server
/* ApplicationName=DBeaver 24.0.0 - Metadata */ SHOW PLUGINS
/* ApplicationName=DBeaver 24.0.0 - Metadata */ SHOW VARIABLES LIKE 'lower_case_table_names'
/* ApplicationName=DBeaver 24.0.0 - Metadata */ SHOW WARNINGS
/* ApplicationName=DBeaver 24.0.0 - Main */ SELECT 1
/* ApplicationName=DBeaver 24.0.0 - Metadata */ SHOW GLOBAL STATUS
/* ApplicationName=DBeaver 24.0.0 - Metadata */ SHOW GLOBAL VARIABLES
/* ApplicationName=DBeaver 24.0.0 - Metadata */ SHOW FULL PROCESSLIST
/* ApplicationName=DBeaver 24.0.0 - Metadata */ SHOW DATABASES
/* ApplicationName=DBeaver 24.0.0 - Metadata */ SHOW CHARSET
/* ApplicationName=DBeaver 24.0.0 - Metadata */ SHOW COLLATION
/* ApplicationName=DBeaver 24.0.0 - Metadata */ SHOW ENGINES
/* ApplicationName=DBeaver 24.0.0 - Metadata */ SHOW FULL TABLES FROM `tt`
/* ApplicationName=DBeaver 24.0.0 - Metadata */ SHOW TABLE STATUS FROM `tt`
/* ApplicationName=DBeaver 24.0.0 - Metadata */ SELECT * FROM information_schema.ENGINES
/* ApplicationName=DBeaver 24.0.0 - Metadata */ SELECT * FROM information_schema.TABLES t WHERE t.TABLE_SCHEMA = 'information_schema' AND t.TABLE_NAME = 'CHECK_CONSTRAINTS'
