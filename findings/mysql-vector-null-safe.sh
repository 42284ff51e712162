#!/usr/bin/env bash
# MySQL 9.7.4: two VECTOR columns can be compared by = and <=>, NULLs among them, but with the literal NULL both are error 1210
# ("Incorrect arguments"), where every other type answers NULL, 0 or 1; IS NULL works. A statement that guards each column by `c <=> NULL`,
# as tools that write SQL to take changes back do, fails as a whole for such a table.
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core
version /usr/sbin/mysqld 9.7.4
start mysqld
sql "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v VECTOR(2)); INSERT INTO d.t VALUES (1, STRING_TO_VECTOR('[1,2]')), (2, NULL)"
same "v = v" "1 NULL" "$(sql 'SELECT v = v FROM d.t ORDER BY id' | xargs)"
same "v <=> v" "1 1" "$(sql 'SELECT v <=> v FROM d.t ORDER BY id' | xargs)"
same "v IS NULL" "0 1" "$(sql 'SELECT v IS NULL FROM d.t ORDER BY id' | xargs)"
same "v = NULL" "ERROR 1210 (HY000) at line 1: Incorrect arguments to =" "$(sql 'SELECT v = NULL FROM d.t' 2>&1 | xargs)"
same "v <=> NULL" "ERROR 1210 (HY000) at line 1: Incorrect arguments to <=>" "$(sql 'SELECT v <=> NULL FROM d.t' 2>&1 | xargs)"
