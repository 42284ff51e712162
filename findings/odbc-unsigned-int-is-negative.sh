#!/usr/bin/env bash
# pyodbc 5.2.0 over MariaDB Connector/ODBC 3.1.15 with MariaDB 11.8.9, all of Debian trixie: an INT UNSIGNED above 2147483647 comes as a
# negative number, though BIGINT UNSIGNED is right to its end, and a negative TIME comes as the positive time of the day. No error in
# either case. isql, which reads both as texts over the same driver, shows 4000000000, and -00:30:00.50000: one digit less than the
# column has, since there is no room for the sign.
source "$(dirname "$0")/server.sh"
install trixie mariadb-server mariadb-client odbc-mariadb python3-pyodbc unixodbc
version mariadbd 11.8.9
same "Connector/ODBC, pyodbc" "3.1.15 5.2.0" \
    "$(chroot "$debian" dpkg-query -W -f '${Version}\n' odbc-mariadb python3-pyodbc | sed 's/-.*//' | xargs)"
start mariadbd
sql "CREATE DATABASE d; CREATE TABLE d.t (u INT UNSIGNED, b BIGINT UNSIGNED, t TIME, s TIME(6));
    INSERT INTO d.t VALUES (4000000000, 18446744073709551615, '-00:30:00', '-00:30:00.5');
    CREATE USER u@'%' IDENTIFIED BY 'p'; GRANT ALL ON *.* TO u@'%'"
source="Driver={MariaDB Unicode};Server=127.0.0.1;Port=$port;User=u;Password=p;Database=d"
ask() { chroot "$debian" python3 -c "import pyodbc; print(*pyodbc.connect('$source').execute('SELECT $1 FROM t').fetchone())"; }
isql() { echo "SELECT $1 FROM t" | chroot "$debian" isql -b -k "$source" | grep '^| [-0-9]' | tr -d '| '; }
same "INT UNSIGNED 4000000000, pyodbc" -294967296 "$(ask u)"
same "INT UNSIGNED 4000000000, isql" 4000000000 "$(isql u)"
same "BIGINT UNSIGNED 18446744073709551615, pyodbc" 18446744073709551615 "$(ask b)"
same "TIME -00:30:00, pyodbc" 00:30:00 "$(ask t)"
same "TIME(6) -00:30:00.5, isql" -00:30:00.50000 "$(isql s)"
