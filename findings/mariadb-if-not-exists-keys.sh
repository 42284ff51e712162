#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian trixie; 10.11.19 does the same): ALTER TABLE ... ADD COLUMN IF NOT EXISTS of a column that is there leaves the
# column as it is, and makes the keys of the definition that it did not take: a second run of a migration can give a table another
# primary key. CHANGE IF EXISTS of a column that is not there makes them on the column that has the new name.
source "$(dirname "$0")/server.sh"
install trixie mariadb-server
version /usr/sbin/mariadbd 11.8.9
start mariadbd
sql 'CREATE DATABASE d'
keys_after() {
    sql "DROP TABLE IF EXISTS d.t; CREATE TABLE d.t (a INT, b VARCHAR(9) NOT NULL); ALTER TABLE d.t $1"
    sql "SELECT GROUP_CONCAT(column_name, ' ', column_type, ' ', column_key ORDER BY ordinal_position SEPARATOR ', ') FROM information_schema.columns WHERE table_schema = 'd'"
}
same "ADD COLUMN IF NOT EXISTS b INT" "a int(11) , b varchar(9) " "$(keys_after 'ADD COLUMN IF NOT EXISTS b INT')"
same "ADD COLUMN IF NOT EXISTS b INT PRIMARY KEY" "a int(11) , b varchar(9) PRI" "$(keys_after 'ADD COLUMN IF NOT EXISTS b INT PRIMARY KEY')"
same "CHANGE IF EXISTS nowhere a INT UNIQUE" "a int(11) UNI, b varchar(9) " "$(keys_after 'CHANGE IF EXISTS nowhere a INT UNIQUE')"
