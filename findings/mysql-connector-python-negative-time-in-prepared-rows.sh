#!/usr/bin/env bash
# mysql-connector-python 26.10.0 (pure Python) with MySQL 9.7.4: in the rows of a prepared statement the sign of a TIME counts for its days
# alone: -00:30:00 comes as +30 minutes, and -26:30:00 as -21:30:00. The same rows of a statement that is not prepared are right.
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core
version /usr/sbin/mysqld 9.7.4
python3 -m pip install --quiet --root-user-action=ignore --target "$work/python" mysql-connector-python==26.10.0
start mysqld
sql "CREATE USER u@'%' IDENTIFIED BY 'p'; GRANT ALL ON *.* TO u@'%'; CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, t TIME);
    INSERT INTO d.t VALUES (1, '-00:30:00'), (2, '-26:30:00')"
cat >"$work/ask.py" <<'END'
import sys
import mysql.connector
connection = mysql.connector.connect(host="127.0.0.1", port=int(sys.argv[1]), user="u", password="p", use_pure=True)
cursor = connection.cursor(prepared=sys.argv[2] == "prepared")
cursor.execute("SELECT t FROM d.t WHERE id > %s ORDER BY id", (0,))
print(*(int(row[0].total_seconds() / 60) for row in cursor.fetchall()))
END
ask() { PYTHONPATH="$work/python" python3 "$work/ask.py" "$port" "$@"; }
same "-00:30:00 and -26:30:00 in minutes, not prepared" "-30 -1590" "$(ask plain)"
same "-00:30:00 and -26:30:00 in minutes, prepared" "30 -1290" "$(ask prepared)"
