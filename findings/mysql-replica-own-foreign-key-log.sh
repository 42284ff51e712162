#!/usr/bin/env bash
# MySQL 9.7.4 (Debian sid): a server with FOREIGN KEY ... ON DELETE CASCADE applies rows events from one that has no such key, as a
# replica does. It deletes the children, and logs that; but its log has no table map for them. mysqlbinlog -v says "Row event for unknown
# table". Who applies that log, a replica of the replica or a restore, deletes the parent and keeps the children, without an error.
# Here the events come through mysqlbinlog | mysql; of three servers, each a replica of the one before, the second and third do the same.
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core
version /usr/sbin/mysqld 9.7.4
start mysqld
tables() {
    sql "DROP DATABASE IF EXISTS d; CREATE DATABASE d; USE d;
        CREATE TABLE parent (id INT PRIMARY KEY); CREATE TABLE child (id INT PRIMARY KEY, parent INT);
        INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (10, 1), (20, 2)"
}
rows() { sql 'SELECT CONCAT("parents ", (SELECT GROUP_CONCAT(id) FROM d.parent), ", children ", (SELECT GROUP_CONCAT(id) FROM d.child))'; }
# apply FILE
apply() {
    chroot "$debian" mysqlbinlog --no-defaults --skip-gtids "$work/data/$1" >"$work/events"
    chroot "$debian" mysql --no-defaults --socket="$work/socket" -uroot <"$work/events" 2>&1
}
tables
sql 'FLUSH BINARY LOGS; DELETE FROM d.parent WHERE id = 1; FLUSH BINARY LOGS' # binlog.000002
same "source, without a key" "parents 2, children 10,20" "$(rows)"
tables
sql 'ALTER TABLE d.child ADD FOREIGN KEY (parent) REFERENCES d.parent (id) ON DELETE CASCADE; FLUSH BINARY LOGS'
same "errors of applying its log where there is a key" "" "$(apply binlog.000002)" # is logged in binlog.000004
same "replica, with ON DELETE CASCADE" "parents 2, children 20" "$(rows)"
sql 'FLUSH BINARY LOGS'

log=$(chroot "$debian" mysqlbinlog --no-defaults -v "$work/data/binlog.000004")
same "tables that have a map in the log of the replica" d.parent "$(grep -a -o 'Table_map: .* mapped' <<<"$log" | tr -d '\`' | cut -d ' ' -f 2)"
same "rows events in the log of the replica" 2 "$(grep -a -c 'Delete_rows: table id' <<<"$log")"
same "rows events for an unknown table" 1 "$(grep -a -c 'Row event for unknown table' <<<"$log")"

tables
same "errors of applying the log of the replica" "" "$(apply binlog.000004)"
same "replica of the replica, without a key" "parents 2, children 10,20" "$(rows)"
