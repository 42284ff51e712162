#!/usr/bin/env bash
# `c BETWEEN 'A' AND 'a'` of a column that tells the two apart (utf8mb4_bin) finds all that lies between them. In MariaDB 11.8.9
# (Debian trixie; 10.11 does the same), where the column has an index, it finds 'A' alone: the two texts are equal in the collation of the
# connection, and the condition becomes `c = 'A'`. The same rows without an index, and the same condition as >= and <=, are complete.
source "$(dirname "$0")/server.sh"
install trixie mariadb-server
version /usr/sbin/mariadbd 11.8.9
start mariadbd
rows="INSERT INTO d.t VALUES ('A'), ('B'), ('Z'), ('a'), ('b')"
column="c VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL"
ask() { sql "SET NAMES utf8mb4; SELECT GROUP_CONCAT(c ORDER BY c) FROM d.t WHERE $1"; }
sql "CREATE DATABASE d; CREATE TABLE d.t ($column); $rows"
same "BETWEEN, no index" "A,B,Z,a" "$(ask "c BETWEEN 'A' AND 'a'")"
sql "DROP TABLE d.t; CREATE TABLE d.t ($column PRIMARY KEY); $rows"
same "BETWEEN, by the primary key" "A" "$(ask "c BETWEEN 'A' AND 'a'")"
same ">= and <=, by the primary key" "A,B,Z,a" "$(ask "c >= 'A' AND c <= 'a'")"
