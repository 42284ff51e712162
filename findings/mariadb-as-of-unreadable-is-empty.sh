#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian 13): FOR SYSTEM_TIME AS OF an instant behind the range of TIMESTAMP, such as the 9999-12-31 that stands for
# "for ever" elsewhere, shows an empty table, without a warning; a day of 2099 shows the rows of today. A text that is no instant at
# all does not fail either, in strict mode: one warning, and an empty table.
source "$(dirname "$0")/server.sh"
install trixie mariadb-server mariadb-client
version /usr/sbin/mariadbd 11.8.9
start mariadbd
sql 'CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY) WITH SYSTEM VERSIONING; INSERT INTO d.t VALUES (1)'
same "sql_mode is strict" 1 "$(sql "SELECT @@sql_mode LIKE '%STRICT_TRANS_TABLES%'")"
# How many rows, and how many warnings.
seen() { sql "SELECT COUNT(*) FROM d.t FOR SYSTEM_TIME AS OF $1; SELECT @@warning_count > 0" | tr '\n' ' '; }
same "AS OF '2099-12-31'" "1 0 " "$(seen "'2099-12-31'")"
same "AS OF '9999-12-31 23:59:59'" "0 0 " "$(seen "'9999-12-31 23:59:59'")"
same "AS OF '2106-03-01'" "0 0 " "$(seen "'2106-03-01'")"
same "AS OF 'tomorrow'" "0 1 " "$(seen "'tomorrow'")"
