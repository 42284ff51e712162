#!/usr/bin/env bash
# MariaDB 11.8.9: a UNIQUE over a whole TEXT is kept by a hidden column with a hash. With binlog_row_image=FULL that column is in the
# table map and in the row of an INSERT, where SHOW COLUMNS and even the names of binlog_row_metadata=FULL differ by it from what readers
# expect; the images of an UPDATE of the same table are one value shorter. A reader that counts columns by information_schema is off by one.
source "$(dirname "$0")/server.sh"
install trixie mariadb-server
version /usr/sbin/mariadbd 11.8.9
start mariadbd --binlog-row-metadata=FULL
sql 'CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, n INT, words TEXT, UNIQUE (words))'
sql "INSERT INTO d.t VALUES (1, 2, 'abc'); UPDATE d.t SET n = 3"
same "columns of the table" "3" "$(sql "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'd'")"
log() { chroot "$debian" mariadb-binlog -v --print-table-metadata "$work/data/binlog.000001"; }
same "hidden columns that the log names" "$(printf '`DB_ROW_HASH_1` BIGINT UNSIGNED')" "$(log | grep -a -o '`DB_ROW_HASH_1` [A-Z ]*[A-Z]' | sort -u)"
same "values in the INSERT, and in each image of the UPDATE" "@1 @2 @3 @4 @1 @2 @3 @1 @2 @3" "$(log | grep -a -o '^###   @[0-9]*' | cut -c7- | xargs)"
