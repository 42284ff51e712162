#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian 13): `mariadb-binlog --flashback` leaves ALTER TABLE out without a word, and goes on undoing what was before
# it, by the positions of columns: the values of a column that was dropped are written into the one that has its place now. Exit code
# 0 of the tool and of the client that carries it out; no warning in what it writes. (`binlog_row_image` is FULL, as it asks for.)
source "$(dirname "$0")/server.sh"
install trixie mariadb-server mariadb-client
version /usr/sbin/mariadbd 11.8.9
start mariadbd
sql "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, secret VARCHAR(20)); INSERT INTO d.t VALUES (1, 'first')"
sql "FLUSH BINARY LOGS"
sql "UPDATE d.t SET secret = 'second'; ALTER TABLE d.t DROP COLUMN secret, ADD COLUMN title VARCHAR(20) DEFAULT 'none'"
same "before" "1 none" "$(sql 'SELECT id, title FROM d.t' | tr '\t' ' ')"
chroot "$debian" mariadb-binlog --flashback "$work/data/binlog.000002" >"$work/undo.sql" 2>"$work/errors"
same "what the tool says beside its statements" "" "$(cat "$work/errors")"
same "lines of it that name the ALTER" 0 "$(grep -a -c 'ALTER TABLE' "$work/undo.sql" || true)"
chroot "$debian" mariadb --no-defaults --socket="$work/socket" -uroot <"$work/undo.sql"
same "after" "1 first" "$(sql 'SELECT id, title FROM d.t' | tr '\t' ' ')"
