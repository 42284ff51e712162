#!/usr/bin/env bash
# YEAR has the value 0000, which is stored as 0 where other years are stored less 1900. Four readers of binary logs show it as 1900:
# mariadb-binlog 11.8.9 (Debian trixie; mysqlbinlog 9.7.4 of Debian sid does the same), mysql-replication 1.0.17 (PyPI) and
# @vlasky/zongji 0.9.0 (npm). The server itself answers 0000, and 1900 is no YEAR at all.
source "$(dirname "$0")/server.sh"
install trixie mariadb-server
version /usr/sbin/mariadbd 11.8.9
start mariadbd
sql 'CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, y YEAR); INSERT INTO d.t VALUES (1, 0)'
same "the server" "0000" "$(sql 'SELECT y FROM d.t')"
same "mariadb-binlog -vv" "1900" "$(chroot "$debian" mariadb-binlog -vv "$work/data/binlog.000001" | grep -a -o '@2=[0-9]*' | cut -c4-)"

python3 -m venv "$work/python"
"$work/python/bin/pip" -q install mysql-replication==1.0.17 pymysql==1.2.4
cat >"$work/read.py" <<'PY'
import sys
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.row_event import WriteRowsEvent
stream = BinLogStreamReader(connection_settings={"host": "127.0.0.1", "port": int(sys.argv[1]), "user": "root"}, server_id=7, only_events=[WriteRowsEvent])
for event in stream:
    print(event.rows[0]["values"].get("y", event.rows[0]["values"].get("UNKNOWN_COL1")))
PY
same "mysql-replication" "1900" "$("$work/python/bin/python" "$work/read.py" "$port")"

npm install --silent --no-audit --no-fund --prefix "$work" @vlasky/zongji@0.9.0 >/dev/null
cat >"$work/read.js" <<'JS'
const ZongJi = require("@vlasky/zongji").default;
const reader = new ZongJi({ host: "127.0.0.1", port: +process.argv[2], user: "root" });
reader.on("binlog", (event) => {
  if (event.getEventName() === "writerows") { console.log(event.rows[0].y); process.exit(); }
});
reader.start({ filename: "binlog.000001", position: 4, serverId: 8, includeEvents: ["tablemap", "writerows"] });
setTimeout(() => process.exit(1), 20000);
JS
same "zongji" "1900" "$(node "$work/read.js" "$port")"
