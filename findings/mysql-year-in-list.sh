#!/usr/bin/env bash
# MySQL 9.7.4 (Debian sid): a YEAR column compared with a number of two digits means 2000 to 2069 and 1970 to 1999, also in an IN list
# of one number. In a list of two numbers it does not: the very same condition, written with OR, finds the rows.
# MariaDB 11.8.9 finds them both ways.
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core
version /usr/sbin/mysqld 9.7.4
start mysqld
sql 'CREATE DATABASE d; CREATE TABLE d.y (k YEAR PRIMARY KEY); INSERT INTO d.y VALUES (1970), (2020)'
same "k = 20 OR k = 70" "1970 2020" "$(sql 'SELECT k FROM d.y WHERE k = 20 OR k = 70 ORDER BY k' | xargs)"
same "k IN (20)" "2020" "$(sql 'SELECT k FROM d.y WHERE k IN (20)' | xargs)"
same "k IN (20, 70)" "" "$(sql 'SELECT k FROM d.y WHERE k IN (20, 70)' | xargs)"
