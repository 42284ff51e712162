#!/usr/bin/env bash
# mysql-replication 1.0.17 (PyPI), reading the log of MySQL 9.7.4 (Debian sid): the fraction of a negative TIME is shown as what is
# missing to a second, so that -12:34:56.25 comes out as -12:34:56.75 (and -00:00:00.000001 as -00:00:00.999999); a negative TIME inside of JSON loses its sign. Times without a
# fraction are right.
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core
version /usr/sbin/mysqld 9.7.4
start mysqld --binlog-row-metadata=FULL
sql "CREATE USER reader@'127.0.0.1' IDENTIFIED BY ''; GRANT ALL ON *.* TO reader@'127.0.0.1'; CREATE DATABASE d;
     CREATE TABLE d.t (id INT PRIMARY KEY, t TIME(6), j JSON);
     INSERT INTO d.t VALUES (1, '-12:34:56.25', JSON_OBJECT('t', CAST('-01:02:03.5' AS TIME(6)))), (2, '-12:34:56', NULL), (3, '12:34:56.25', NULL)"
python3 -m venv "$work/python"
"$work/python/bin/pip" -q install mysql-replication==1.0.17 pymysql==1.2.4 cryptography
cat >"$work/read.py" <<'PY'
import sys
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.row_event import WriteRowsEvent
stream = BinLogStreamReader(connection_settings={"host": "127.0.0.1", "port": int(sys.argv[1]), "user": "reader"}, server_id=7,
                            only_events=[WriteRowsEvent], only_schemas=["d"])
for event in stream:
    for row in event.rows:
        values = row["values"]
        print(values["t"].total_seconds(), values["j"] and list(values["j"].values())[0])
PY
same "the server, in seconds" "-45296.250000 -45296.000000 45296.250000" "$(sql 'SELECT TIME_TO_SEC(t) + IF(t < 0, -1, 1) * MICROSECOND(t) / 1e6 FROM d.t ORDER BY id' | awk '{printf "%s%.6f", sep, $1; sep=" "}')"
same "the server, in JSON" "-01:02:03.500000" "$(sql "SELECT j->>'\$.t' FROM d.t WHERE id = 1")"
same "mysql-replication" "-45296.75 01:02:03.500000 -45296.0 None 45296.25 None" "$("$work/python/bin/python" "$work/read.py" "$port" | xargs)"
