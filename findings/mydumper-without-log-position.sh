#!/usr/bin/env bash
# mydumper 0.10.1 (which calls itself 0.10.0) with MySQL 9.7.4, both of Debian sid: the dump has no position of the binary log, though
# the log is on and the dump is consistent. The file `metadata`, where it belongs, has the two times alone; exit code 0, and no warning
# at the usual verbosity. (It asks by a statement that MySQL has no longer.) Whoever goes on from such a dump with the log has nowhere
# to begin.
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core mydumper
version /usr/sbin/mysqld 9.7.4
version mydumper 0.10
start mysqld --gtid-mode=ON --enforce-gtid-consistency=ON
sql "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)"
same "the log is on" 1 "$(sql 'SELECT @@log_bin')"
code=0
chroot "$debian" mydumper --socket="$work/socket" --user=root --database=d --outputdir="$work/dump" >"$work/said" 2>&1 || code=$?
same "exit code" 0 "$code"
same "warnings" 0 "$(grep -c -i 'warning\|position\|master\|log' "$work/said" || true)"
same "rows are there" 1 "$(grep -c '(1)' "$debian$work/dump/d.t.sql" || true)"
same "lines of metadata that name a log, a position or a GTID" 0 "$(grep -c -i 'log\|pos\|gtid' "$debian$work/dump/metadata" || true)"
cat "$debian$work/dump/metadata"
