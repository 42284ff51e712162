#!/usr/bin/env bash
# The data folder of MariaDB 10.11.18 (Debian 12), started by MariaDB 11.8.9 (Debian 13): a system-versioned table shows no row, neither
# to SELECT nor to UPDATE nor to mariadb-dump, without an error or a warning there or in the server's log. An INSERT of a primary key
# that is there already is taken. AS OF NOW(6) shows the rows, and CHECK TABLE says that the table must be rebuilt: a row that has not
# ended ends in 2038 where 10.11 wrote it, and in 2106 where 11.8 does. ALTER TABLE ... FORCE mends one table, mariadb-upgrade all.
# FINDINGS_OLD_DEBIAN: a folder of Debian 12 with the server, as FINDINGS_DEBIAN is one of Debian 13.
source "$(dirname "$0")/server.sh"
new=${FINDINGS_DEBIAN:-}
FINDINGS_DEBIAN=${FINDINGS_OLD_DEBIAN:-}
install bookworm mariadb-server
version /usr/sbin/mariadbd 10.11.18
start mariadbd
for table in forced upgraded doubled; do
    sql "CREATE DATABASE IF NOT EXISTS d; USE d; CREATE TABLE $table (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING;
        INSERT INTO $table VALUES (1, 1), (2, 2), (3, 3); UPDATE $table SET v = 5 WHERE id = 1; DELETE FROM $table WHERE id = 2"
done
rows() { sql "SELECT GROUP_CONCAT(id, '=', v ORDER BY id, v) FROM d.$1"; }
same "rows in 10.11" 1=5,3=3 "$(rows forced)"
kill "$server"
wait "$server" || true

mv "$debian$work/data" "$work/old-data"
rm -rf "$debian$work"
[ -n "$FINDINGS_DEBIAN" ] || mv "$debian" "$work/old-debian"
FINDINGS_DEBIAN=$new
install trixie mariadb-server
version /usr/sbin/mariadbd 11.8.9
mv "$work/old-data" "$debian$work/data"
start mariadbd
for table in forced upgraded; do
    same "rows of $table in 11.8" NULL "$(rows $table)"
    same "rows that UPDATE changes" 0 "$(sql "UPDATE d.$table SET v = 9; SELECT ROW_COUNT()")"
    same "rows AS OF now" 1=5,3=3 "$(rows "$table FOR SYSTEM_TIME AS OF NOW(6)")"
    same "end of a row that has not ended" "2038-01-19 03:14:07.999999" "$(sql "SET time_zone = '+00:00'; SELECT row_end FROM d.$table FOR SYSTEM_TIME ALL WHERE id = 3")"
    same "CHECK TABLE" "Table rebuild required. Please do \"ALTER TABLE \`$table\` FORCE\" or dump/reload to fix it!" \
        "$(sql "CHECK TABLE d.$table" | cut -f 4)"
done
dump=$(chroot "$debian" mariadb-dump --no-defaults --socket="$work/socket" -uroot d 2>&1)
same "INSERTs in a dump, and errors" 0 "$(grep -c -i 'INSERT\|error\|warning' <<<"$dump" || true)"
same "the server's log names them" 0 "$(grep -c 'forced\|upgraded' "$work/server.log" || true)"
sql 'INSERT INTO d.doubled VALUES (1, 7)'
same "rows after INSERT of a key that is there" 1=7 "$(rows doubled)"
same "rows AS OF now" 1=5,1=7,3=3 "$(rows 'doubled FOR SYSTEM_TIME AS OF NOW(6)')"
sql 'DROP TABLE d.doubled'

sql 'ALTER TABLE d.forced FORCE'
same "rows after ALTER TABLE ... FORCE" 1=5,3=3 "$(rows forced)"
chroot "$debian" mariadb-upgrade --no-defaults --socket="$work/socket" -uroot >"$work/upgrade.log" 2>&1
same "rows after mariadb-upgrade" 1=5,3=3 "$(rows upgraded)"
same "end of a row that has not ended" "2106-02-07 06:28:15.999999" "$(sql "SET time_zone = '+00:00'; SELECT row_end FROM d.upgraded FOR SYSTEM_TIME ALL WHERE id = 3")"
