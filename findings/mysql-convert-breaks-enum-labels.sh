#!/usr/bin/env bash
# MySQL 9.7.4 (Debian sid): ALTER TABLE ... CONVERT TO CHARACTER SET converts the texts of a table, and not the labels of its ENUM
# columns: these keep their bytes, and are read in the new character set from then on. From latin1 to utf8mb4 that leaves a label which
# is not UTF-8, and so is every answer with it. With a VARCHAR beside it the label is lost for good, without a word where no row has
# it, with error 1265 where one does.
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core
version /usr/sbin/mysqld 9.7.4
start mysqld
sql "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, e ENUM('é', 'b')) CHARACTER SET latin1; INSERT INTO d.t VALUES (1, 'é')"
same "in utf8mb4, before" "C3A9" "$(sql 'SELECT HEX(CONVERT(e USING utf8mb4)) FROM d.t')"
sql 'ALTER TABLE d.t CONVERT TO CHARACTER SET utf8mb4'
same "character set of the column" "utf8mb4" "$(sql "SELECT character_set_name FROM information_schema.columns WHERE table_schema='d' AND column_name='e'")"
same "in utf8mb4, after" "E9" "$(sql 'SELECT HEX(e) FROM d.t')"

sql "CREATE TABLE d.v (id INT PRIMARY KEY, e ENUM('é', 'b'), v VARCHAR(9)) CHARACTER SET latin1; INSERT INTO d.v VALUES (1, 'b', 'é')"
sql 'ALTER TABLE d.v CONVERT TO CHARACTER SET utf8mb4'
same "with a VARCHAR" "enum('','b') C3A9" "$(sql "SELECT column_type, (SELECT HEX(v) FROM d.v) FROM information_schema.columns WHERE table_schema='d' AND table_name='v' AND column_name='e'" | tr '\t' ' ')"
