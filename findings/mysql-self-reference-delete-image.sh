#!/usr/bin/env bash
# MySQL 9.7.4 with innodb_native_foreign_keys=OFF (the default): a row whose ON DELETE SET NULL refers to the row itself is deleted. The
# log has first an UPDATE of that row to NULL, and then a DELETE whose before image is the row from before the UPDATE: the two do not
# follow from each other, so a reader that checks each before image against the row that it holds sees a difference where there is none.
# MariaDB 11.8.9 logs the DELETE alone.
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core
version /usr/sbin/mysqld 9.7.4
start mysqld
sql 'CREATE DATABASE d'
sql 'CREATE TABLE d.t (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES t (id) ON DELETE SET NULL)'
sql 'INSERT INTO d.t VALUES (1, 1); DELETE FROM d.t WHERE id = 1'
rows=$(chroot "$debian" mysqlbinlog -v "$work/data/binlog.000001" | grep -a '^###' | tr -d '#\n' | tr -s ' ')
same "the log" " INSERT INTO \`d\`.\`t\` SET @1=1 @2=1 UPDATE \`d\`.\`t\` WHERE @1=1 @2=1 SET @1=1 @2=NULL DELETE FROM \`d\`.\`t\` WHERE @1=1 @2=1" "$rows"
