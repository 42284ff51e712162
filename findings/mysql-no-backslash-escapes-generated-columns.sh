#!/usr/bin/env bash
# MySQL 9.7.4 (Debian sid): what a generated column holds depends on the sql_mode of the session that looks, if its expression has a
# backslash in a text. The server keeps the expression as text with escapes, and reads it again under the sql_mode of whoever opens
# the table: a session with NO_BACKSLASH_ESCAPES sees two backslashes where there is one. It reads other values of VIRTUAL columns,
# stores other values in STORED ones, and an ALTER TABLE in it that has nothing to do with the column writes the doubled backslash
# into the definition, for everybody. No error, no warning, and no row in the binary log. MariaDB 11.8.9 keeps the column as it is.
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core
version /usr/sbin/mysqld 9.7.4
start mysqld
columns='id, v, s'
sql "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, path VARCHAR(9), v VARCHAR(9) AS (REPLACE(path, '\\\\', '/')), s VARCHAR(9) AS (REPLACE(path, '\\\\', '/')) STORED)"
sql "INSERT INTO d.t (id, path) VALUES (1, 'a\\\\b')"
# The client doubles the backslashes that it shows.
same "as it was made" "1 a/b a/b" "$(sql "SELECT $columns FROM d.t" | tr '\t' ' ')"
same "in a session with NO_BACKSLASH_ESCAPES" '1 a\\b a/b' "$(sql "SET sql_mode = 'NO_BACKSLASH_ESCAPES'; SELECT $columns FROM d.t" | tr '\t' ' ')"
sql "SET sql_mode = 'NO_BACKSLASH_ESCAPES'; INSERT INTO d.t (id, path) VALUES (2, 'a\\b')"
same "the same path, stored by that session" '2 a/b a\\b' "$(sql "SELECT $columns FROM d.t WHERE id = 2" | tr '\t' ' ')"
sql "SET sql_mode = 'NO_BACKSLASH_ESCAPES'; ALTER TABLE d.t ADD note INT"
same "for everybody, after it has added another column" '1 a\\b a/b' "$(sql "SELECT $columns FROM d.t WHERE id = 1" | tr '\t' ' ')"
