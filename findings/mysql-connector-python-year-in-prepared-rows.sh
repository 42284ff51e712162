#!/usr/bin/env bash
# mysql-connector-python 26.10.0 (pure Python) with MySQL 9.7.4: in the rows of a prepared statement a YEAR is read as a text with its
# length in front, where the protocol has a number of two bytes. The year is lost, and what is behind it in the row is read from a wrong
# byte: `SELECT y, i` of (0000, 5) gives an empty text and 1280, of (2026, 5) it raises a struct.error. The same rows of a statement
# that is not prepared are right.
# The protocol: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core
version /usr/sbin/mysqld 9.7.4
python3 -m pip install --quiet --root-user-action=ignore --target "$work/python" mysql-connector-python==26.10.0
start mysqld
sql "CREATE USER u@'%' IDENTIFIED BY 'p'; GRANT ALL ON *.* TO u@'%'; CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, y YEAR, i INT);
    INSERT INTO d.t VALUES (1, 0, 5), (2, 2026, 5)"
cat >"$work/ask.py" <<'END'
import sys
import mysql.connector
prepared, key = sys.argv[2] == "prepared", int(sys.argv[3])
connection = mysql.connector.connect(host="127.0.0.1", port=int(sys.argv[1]), user="u", password="p", use_pure=True)
cursor = connection.cursor(prepared=prepared)
try:
    cursor.execute("SELECT y, i FROM d.t WHERE id = %s", (key,))
    print(cursor.fetchall())
except Exception as error:
    print(type(error).__module__, type(error).__name__)
END
ask() { PYTHONPATH="$work/python" python3 "$work/ask.py" "$port" "$@"; }
same "0000 and 5, not prepared" "[(0, 5)]" "$(ask plain 1)"
same "0000 and 5, prepared" "[(b'', 1280)]" "$(ask prepared 1)"
same "2026 and 5, not prepared" "[(2026, 5)]" "$(ask plain 2)"
same "2026 and 5, prepared" "struct error" "$(ask prepared 2)"
