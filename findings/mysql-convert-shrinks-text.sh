#!/usr/bin/env bash
# MySQL 9.7.4 (Debian sid): a column that one clause makes TEXT or MEDIUMTEXT, and that CONVERT TO CHARACTER SET in the same
# statement converts too, gets the size that the column had before: VARCHAR(60) becomes TINYTEXT, whatever was asked for.
# Each clause by itself does what it says.
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core
version /usr/sbin/mysqld 9.7.4
start mysqld
type_after() {
    sql "DROP DATABASE IF EXISTS d; CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, c VARCHAR(60)) CHARACTER SET latin1"
    for clause in "$@"; do sql "ALTER TABLE d.t $clause"; done
    sql "SELECT column_type FROM information_schema.columns WHERE table_schema='d' AND table_name='t' AND column_name='c'"
}
convert="CONVERT TO CHARACTER SET utf8mb4"
same "MODIFY c MEDIUMTEXT" "mediumtext" "$(type_after 'MODIFY c MEDIUMTEXT')"
same "MODIFY c MEDIUMTEXT, then CONVERT" "longtext" "$(type_after 'MODIFY c MEDIUMTEXT' "$convert")"
same "both in one statement" "tinytext" "$(type_after "MODIFY c MEDIUMTEXT, $convert")"
same "TEXT in one statement" "tinytext" "$(type_after "MODIFY c TEXT, $convert")"
