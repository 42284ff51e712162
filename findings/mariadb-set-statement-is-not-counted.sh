#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian 13): `SET STATEMENT variable = value FOR statement` sets a variable of the session for one statement, and counts
# as that statement alone: Com_set_option does not move. Whoever watches that counter to know that nobody has set anything is wrong.
source "$(dirname "$0")/server.sh"
install trixie mariadb-server
version /usr/sbin/mariadbd 11.8.9
start mariadbd
counted() { sql "SELECT CONCAT_WS(' ', SUM(IF(VARIABLE_NAME = 'COM_SET_OPTION', VARIABLE_VALUE, 0)), SUM(IF(VARIABLE_NAME = 'COM_DO', VARIABLE_VALUE, 0)))
    FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN ('COM_SET_OPTION', 'COM_DO')"; }
read -r sets dos <<<"$(counted)"
sql 'SET STATEMENT sort_buffer_size = 65536 FOR DO SLEEP(0)'
read -r sets_after dos_after <<<"$(counted)"
same "counted as SET" 0 "$((sets_after - sets))"
same "counted as DO" 1 "$((dos_after - dos))"
same "what it sets holds" 65536 "$(sql 'SET STATEMENT sort_buffer_size = 65536 FOR SELECT @@sort_buffer_size')"
