#!/usr/bin/env bash
# MySQL 9.7.4 (Debian sid), and MariaDB 11.8.9 the same: what MAX and MIN of a ZEROFILL or YEAR column show depends on how the server
# makes the groups. By a temporary table they are 00007 and 0000, by sorting 7 and 0. Nothing in the statement or in the types of the
# result tells which; statistics decide, so that the same statement over the same rows changes its answer. (SQL_SMALL_RESULT and
# SQL_BIG_RESULT, which are said to matter to speed alone, show both at will.)
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core
version /usr/sbin/mysqld 9.7.4
start mysqld
sql "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, kind INT, z INT(5) ZEROFILL, y YEAR); INSERT INTO d.t VALUES (1, 1, 5, 0), (2, 1, 7, 0)"
for way in "SQL_SMALL_RESULT:1 00007 0000" "SQL_BIG_RESULT:1 7 0" ":1 00007 0000"; do
    same "SELECT ${way%%:*} kind, MAX(z), MAX(y) ... GROUP BY kind" "${way#*:}" "$(sql "SELECT ${way%%:*} kind, MAX(z), MAX(y) FROM d.t GROUP BY kind" | tr '\t' ' ')"
done
same "without GROUP BY" "7 0" "$(sql 'SELECT MAX(z), MAX(y) FROM d.t' | tr '\t' ' ')"
