#!/usr/bin/env bash
# Of CREATE TABLE ... SELECT, servers log a text of their own, and that is in UTF-8, whatever character set the session has; the event says all
# the same that it is in the session's. A client with latin1 makes a column, and what its log is played back into gets a column of another name:
# a restore to a point in time, without a word of it. MariaDB 11.8.9 (Debian trixie); MySQL 9.7.4 of Debian sid logs the same bytes under latin1.
# The same statement without SELECT is logged as the client sent it, and is played back right.
source "$(dirname "$0")/server.sh"
install trixie mariadb-server
version /usr/sbin/mariadbd 11.8.9
start mariadbd

old=$(printf 'gr\xf6\xdfe')
latin1() { chroot "$debian" mariadb --no-defaults --socket="$work/socket" -uroot --default-character-set=latin1 -e "$1"; }
columns() { sql "SELECT GROUP_CONCAT(column_name) FROM information_schema.columns WHERE table_schema = 'd' AND table_name = '$1'"; }

sql 'CREATE DATABASE d CHARACTER SET utf8mb4; FLUSH BINARY LOGS'
latin1 "CREATE TABLE d.made (\`$old\` INT); CREATE TABLE d.chosen SELECT 1 AS \`$old\`"
sql 'FLUSH BINARY LOGS'
same "made by the client" "größe" "$(columns made)"
same "made with SELECT" "größe" "$(columns chosen)"

chroot "$debian" mariadb-binlog "$work/data/binlog.000002" >"$work/played" 2>/dev/null
sql 'DROP TABLE d.made, d.chosen'
chroot "$debian" mariadb --no-defaults --socket="$work/socket" -uroot <"$work/played"
same "made by the client, played back" "größe" "$(columns made)"
same "made with SELECT, played back" "grÃ¶ÃŸe" "$(columns chosen)"
