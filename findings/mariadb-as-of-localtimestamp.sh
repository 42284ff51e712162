#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian 13): FOR SYSTEM_TIME AS OF NOW() and AS OF LOCALTIMESTAMP give different rows in one session at one time,
# though the manual calls the two synonyms and both give the same value in a select list. NOW(), CURRENT_TIMESTAMP and NOW(0) count as
# an instant with its microseconds there, whatever precision they are written with; LOCALTIMESTAMP, SYSDATE() and CURRENT_TIME
# count as the beginning of the second, so that a change of this very second is not seen.
source "$(dirname "$0")/server.sh"
install trixie mariadb-server mariadb-client
version /usr/sbin/mariadbd 11.8.9
start mariadbd
sql 'CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING; INSERT INTO d.t VALUES (1, 1)'
sleep 2
# The change is made some 0.3 s after a second begins, so that there is time to ask in the same second.
rows=$(sql "DO SLEEP(1.3 - MICROSECOND(NOW(6)) / 1000000);
    UPDATE d.t SET v = 2;
    SELECT NOW() = LOCALTIMESTAMP;
    SELECT v FROM d.t FOR SYSTEM_TIME AS OF NOW();
    SELECT v FROM d.t FOR SYSTEM_TIME AS OF NOW(0);
    SELECT v FROM d.t FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP;
    SELECT v FROM d.t FOR SYSTEM_TIME AS OF LOCALTIMESTAMP;
    SELECT v FROM d.t FOR SYSTEM_TIME AS OF SYSDATE();
    SELECT v FROM d.t FOR SYSTEM_TIME AS OF CURRENT_TIME;
    SELECT MICROSECOND(NOW(6)) > 300000" | tr '\n' ' ')
[ "${rows: -2:1}" = 1 ] || { echo "the machine is too slow to tell: the second was over" >&2; exit 1; }
same "equal; AS OF NOW(), NOW(0), CURRENT_TIMESTAMP; LOCALTIMESTAMP, SYSDATE(), CURRENT_TIME" "1 2 2 2 1 1 1" "${rows% 1 }"
