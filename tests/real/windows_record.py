#!/usr/bin/env python3
"""Records logs of changes that took long, each with the times at which another connection saw the old value for the last time and the new one for the first.

    windows_record.py                # of every server that servers.py knows

Writes crates/history/tests/data/windows/SERVER.binlog and .json, which crates/history/tests/windows.rs reads.
"""
import json
import os
import shutil
import threading
import time

import servers

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../crates/history/tests/data/windows")
SLOW = 2.5
# Statement, table, what shows it; "{held}": another connection holds a lock on the table for so long.
CHANGES = [
    ("update", "UPDATE t SET v = 1 WHERE id = 1 AND SLEEP(%s) = 0" % SLOW, "t", "SELECT v FROM t WHERE id = 1"),
    ("quick", "UPDATE t SET v = 2 WHERE id = 1", "t", "SELECT v FROM t WHERE id = 1"),
    ("transaction", "BEGIN; UPDATE t SET v = 3 WHERE id = 1; DO SLEEP(%s); COMMIT" % SLOW, "t", "SELECT v FROM t WHERE id = 1"),
    ("held", "ALTER TABLE u ADD w INT DEFAULT 7", "u", "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = 's' AND table_name = 'u'"),
    ("copied", "ALTER TABLE t ADD w INT DEFAULT 7, ALGORITHM=COPY", "t", "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = 's' AND table_name = 't'"),
    ("drop", "DROP TABLE d", "d", "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 's' AND table_name = 'd'"),
]


def run(connection, text):
    with connection.cursor() as cursor:
        for statement in text.split("; "):
            cursor.execute(statement)
        return cursor.fetchall()


def number(connection, sql):
    return int(run(connection, sql)[0][0])


def change(server, name, statement, table, look):
    changing, looking, holding = server.connect(), server.connect(), server.connect()
    for one in (changing, looking, holding):
        run(one, "USE s")
    if server.flavor == "mysql":
        run(looking, "SET SESSION information_schema_stats_expiry = 0")
    seen = {"before": number(looking, look)}

    def watch():
        while True:
            asked = time.time()
            now = number(looking, look)
            if now != seen["before"]:
                seen["new"] = time.time()
                return
            seen["old"] = asked
            time.sleep(0.002)

    thread = threading.Thread(target=watch)
    thread.start()
    # In the middle of a second, so that what is cut to seconds differs.
    time.sleep((1.5 - time.time() % 1) % 1)
    seen["began"] = time.time()
    if name in ("held", "drop"):
        run(holding, "BEGIN; SELECT * FROM " + table)
        timer = threading.Timer(SLOW, lambda: run(holding, "COMMIT"))
        timer.start()
    run(changing, statement)
    seen["ended"] = time.time()
    thread.join(20)
    seen["after"] = number(looking, look)
    for one in (changing, looking, holding):
        one.close()
    time.sleep(4.2)
    return {"name": name, "table": table, **seen}


def main():
    os.makedirs(OUT, exist_ok=True)
    for kind, called in (("mariadb", "mariadb-10.11"), ("mariadb-11.8", "mariadb-11.8"), ("mysql", "mysql-9.7")):
        with servers.start(kind) as server:
            setup = server.connect()
            run(setup, "CREATE DATABASE s; USE s; CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 0), (2, 0); CREATE TABLE u (id INT PRIMARY KEY, v INT); INSERT INTO u VALUES (1, 5), (2, 6); "
                "CREATE TABLE d (id INT PRIMARY KEY, v INT); INSERT INTO d VALUES (1, 5), (2, 6)")
            time.sleep(4.2)
            found = [change(server, *one) for one in CHANGES]
            # Something in the log after the last of them, that the record reaches beyond it.
            run(setup, "CREATE TABLE e (id INT PRIMARY KEY); INSERT INTO e VALUES (1)")
            server.server.stop(60)
            name = os.path.join(OUT, called)
            with open(name + ".binlog", "wb") as out, open(server.binlogs()[-1], "rb") as log:
                shutil.copyfileobj(log, out)
            with open(name + ".json", "w", encoding="utf-8") as out:
                json.dump(found, out, indent=1)
            print(called, os.path.getsize(name + ".binlog"), [(f["name"], round(f["new"] - f["began"], 3)) for f in found])


if __name__ == "__main__":
    main()
