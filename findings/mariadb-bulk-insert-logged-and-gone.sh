#!/usr/bin/env bash
# With unique_checks and foreign_key_checks off, as files of mariadb-dump set them, MariaDB 11.8.9 (Debian trixie; 10.11 does the same)
# gathers rows that go into an empty InnoDB table until the transaction ends. Where a later statement of the transaction fails, and the session
# goes on to COMMIT, the rows of the statement before it are gone too, while the binary log has them: a replica, or whoever plays the log
# back, has two rows where the server has none. With the checks on, both have two.
source "$(dirname "$0")/server.sh"
install trixie mariadb-server
version /usr/sbin/mariadbd 11.8.9
start mariadbd
load() {
    sql 'CREATE OR REPLACE TABLE d.t (id INT PRIMARY KEY, v INT)'
    # --force goes on after the error, as an application that expects it does.
    printf '%s\n' "$1" 'BEGIN;' 'INSERT INTO d.t VALUES (1, 1), (2, 2);' 'INSERT INTO d.t VALUES (1, 9);' 'COMMIT;' |
        chroot "$debian" mariadb --no-defaults --socket="$work/socket" -uroot --force 2>/dev/null || true
    sql 'SELECT COUNT(*) FROM d.t'
}
inserts() { chroot "$debian" mariadb-binlog -vv "$work/data/binlog.000001" | grep -a -c '^### INSERT INTO `d`.`t`' || true; }
sql 'CREATE DATABASE d'
same "rows, with the checks on" "2" "$(load '')"
same "rows that the log has of it" "2" "$(inserts)"
same "rows, with the checks off" "0" "$(load 'SET unique_checks = 0, foreign_key_checks = 0;')"
same "rows that the log has of both" "4" "$(inserts)"
