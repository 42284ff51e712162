#!/usr/bin/env bash
# MySQL 9.7.4 (Debian sid): an explicit COLLATE is the strongest there is, whichever operand bears it. LIKE heeds it on its pattern;
# INSTR and LOCATE heed it on the text that is searched, and not on the text that is looked for. MariaDB 11.8.9 heeds it on both.
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core
version /usr/sbin/mysqld 9.7.4
start mysqld
same "'ABC' LIKE '%b%' COLLATE utf8mb4_bin" 0 "$(sql "SELECT 'ABC' LIKE '%b%' COLLATE utf8mb4_bin")"
same "INSTR('ABC' COLLATE utf8mb4_bin, 'b')" 0 "$(sql "SELECT INSTR('ABC' COLLATE utf8mb4_bin, 'b')")"
same "INSTR('ABC', 'b' COLLATE utf8mb4_bin)" 2 "$(sql "SELECT INSTR('ABC', 'b' COLLATE utf8mb4_bin)")"
same "LOCATE('b' COLLATE utf8mb4_bin, 'ABC')" 2 "$(sql "SELECT LOCATE('b' COLLATE utf8mb4_bin, 'ABC')")"
