#!/usr/bin/env bash
# MySQL 9.7.4 (Debian sid): ALTER TABLE of the parent of a foreign key, which renames the referenced column and adds one at the
# front, answers "1146 Table 'd.p' doesn't exist". The table is there, it is altered, and the statement is in the binary log
# without an error code: who believes the error has another definition in mind than the server, its replicas and their log.
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core
version /usr/sbin/mysqld 9.7.4
start mysqld
sql 'CREATE DATABASE d; CREATE TABLE d.p (id INT PRIMARY KEY, v INT);
     CREATE TABLE d.c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES d.p (id) ON UPDATE CASCADE ON DELETE CASCADE);
     INSERT INTO d.p VALUES (1, 10); INSERT INTO d.c VALUES (1, 1)'
answer=$(sql 'USE d; ALTER TABLE p RENAME COLUMN id TO ident, ADD COLUMN w INT NOT NULL DEFAULT 5 FIRST' 2>&1 || true)
same "answer" "ERROR 1146 (42S02) at line 1: Table 'd.p' doesn't exist" "$(grep ERROR <<<"$answer")"
same "columns behind it" "w,ident,v" "$(sql "SELECT GROUP_CONCAT(column_name ORDER BY ordinal_position) FROM information_schema.columns WHERE table_schema='d' AND table_name='p'")"
same "row behind it" "5 1 10" "$(sql 'SELECT * FROM d.p' | tr '\t' ' ')"
logged=$(chroot "$debian" mysqlbinlog "$work/data/binlog.000001" | grep -a -B8 'RENAME COLUMN id' | grep -a -o 'error_code=[0-9]*' | tail -1)
same "in the binary log" "error_code=0" "$logged"
