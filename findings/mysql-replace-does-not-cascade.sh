#!/usr/bin/env bash
# MySQL 9.7.4 (Debian sid): REPLACE of a parent row does not do what ON DELETE CASCADE says, as long as the parent's key stays: the
# children of the row are still there. With innodb_native_foreign_keys=ON, where InnoDB looks after foreign keys as it did before
# 9.6, they are deleted. The binary log has the same events of the parent in both cases, a DELETE and an INSERT.
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core
version /usr/sbin/mysqld 9.7.4
children() {
    sql "CREATE DATABASE d; USE d;
        CREATE TABLE parent (id INT PRIMARY KEY, v INT);
        CREATE TABLE child (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE);
        INSERT INTO parent VALUES (1, 1), (2, 2); INSERT INTO child VALUES (10, 1), (20, 2);
        REPLACE INTO parent VALUES (1, 5);
        SELECT GROUP_CONCAT(id ORDER BY id) FROM child"
}
start mysqld
same "children after REPLACE of parent 1" 10,20 "$(children)"
sql 'DELETE FROM d.parent WHERE id = 1'
same "children after DELETE of parent 1" 20 "$(sql 'SELECT GROUP_CONCAT(id) FROM d.child')"
kill "$server"
wait "$server" || true
rm -rf "$debian$work/data"
start mysqld --innodb-native-foreign-keys=ON
same "children after REPLACE of parent 1, innodb_native_foreign_keys=ON" 20 "$(children)"
