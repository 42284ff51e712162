#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian 13): RENAME TABLE of a temporary table that hides a base table of the same name is in the binary log, under
# binlog_format=ROW, exactly as that of the base table would be. The temporary table itself is not in the log. The base table keeps its
# name here; whoever applies the log, a replica or `mariadb-binlog | mariadb`, renames it.
source "$(dirname "$0")/server.sh"
install trixie mariadb-server
version /usr/sbin/mariadbd 11.8.9
start mariadbd
sql "CREATE DATABASE d; USE d; CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1);
    CREATE TEMPORARY TABLE t (id INT PRIMARY KEY); RENAME TABLE t TO u"
same "tables after the session" t "$(sql 'SHOW TABLES FROM d')"
log=$(chroot "$debian" mariadb-binlog "$work/data/binlog.000001")
same "statements about the temporary table in the log, but for RENAME" 0 "$(grep -a -c 'CREATE TEMPORARY' <<<"$log" || true)"
same "RENAME in the log" "RENAME TABLE t TO u" "$(grep -a '^RENAME' <<<"$log")"
sql 'DROP DATABASE d'
chroot "$debian" mariadb --no-defaults --socket="$work/socket" -uroot <<<"$log"
same "tables after the log was applied" u "$(sql 'SHOW TABLES FROM d')"
