#!/usr/bin/env bash
# MySQL 9.7.4 (Debian sid): a DELETE of two tables, of which one refers to the other with ON DELETE CASCADE, logs the child's row
# twice in one transaction: once by the cascade and once by the statement. There are two table maps of the child, and whoever
# counts rows events, or applies them strictly, meets the deletion of a row that is gone already.
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core
version /usr/sbin/mysqld 9.7.4
start mysqld
sql "CREATE DATABASE d; USE d;
    CREATE TABLE parent (id INT PRIMARY KEY, v INT);
    CREATE TABLE child (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE);
    INSERT INTO parent VALUES (1, 1), (2, 2); INSERT INTO child VALUES (10, 1), (20, 2);
    FLUSH BINARY LOGS;
    DELETE parent, child FROM parent JOIN child ON child.parent = parent.id WHERE parent.id = 2"
same "children that are left" 10 "$(sql 'SELECT GROUP_CONCAT(id) FROM d.child')"
events=$(chroot "$debian" mysqlbinlog -vv "$work/data/binlog.000002" | grep -a -A2 -E '^### DELETE FROM' | grep -a -c -F '@1=20 ')
same "times that the child with id 20 is deleted in the log" 2 "$events"
same "table maps of the child" 2 "$(chroot "$debian" mysqlbinlog -vv "$work/data/binlog.000002" | grep -a -c 'Table_map: `d`.`child`')"
