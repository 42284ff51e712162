#!/usr/bin/env python3
"""When a change could be seen, tables that are read again, prepared transactions, restored servers and replicas, on a real server.

    seen.py [--quick] [--server mariadb|mariadb-11.8|mysql]     # --quick: without the parts that wait for long

A second connection notes when it sees a change for the first time. An instant before that may be answered with the old row or refused, one after it with the
new row or refused; and what is far enough from it on either side must be answered.
"""
import datetime
import json
import os
import shutil
import sys
import threading
import time

import servers
from harness import Chain, Counter, finish

# A crash is no gap.
SYNCED = ["--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1"]
# How much longer everything takes on a machine that has other things to do: what is measured in seconds counts by it.
SLACK = max(1.0, min(6.0, os.getloadavg()[0] / (os.cpu_count() or 1)))
FAR = 3.5 * SLACK  # seconds from the change after which nothing may be refused


def text(instant):
    return datetime.datetime.fromtimestamp(instant, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def run(connection, *statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall()


def number(connection, sql):
    return int(run(connection, sql)[0][0])


def asked(chain, key, instant, table="t", kind="snapshot"):
    """The lines of the answer, or the refusal."""
    body = {"server_id": "real", "schema": "tt", "table": table, "keys": {"columns": ["id"], "values": [[str(key)]]}, "at": {"time": text(instant)}}
    return chain.api.lines("/v1/" + kind, body)


def reported(chain, key, instant, table="t"):
    """The second cell of the row; None: refused, and why."""
    lines, refused = asked(chain, key, instant, table)
    if refused:
        return None, refused
    return (lines[1][1] if len(lines) > 2 else "no row"), None


def reach(chain, instant):
    chain.api.wait(lambda s: s["connected"] and s["newest"] and s["newest"] >= text(instant), "the newest instant is " + text(instant))


def tables(server):
    with server.connect() as c:
        run(c, "DROP DATABASE IF EXISTS tt", "CREATE DATABASE tt", "CREATE TABLE tt.t (id INT PRIMARY KEY, v INT)",
            "INSERT INTO tt.t VALUES (1,0),(2,0),(3,0),(4,0),(5,0),(6,0)", "CREATE TABLE tt.m (id INT PRIMARY KEY, v INT) ENGINE=MyISAM",
            "INSERT INTO tt.m VALUES (1,0)")
    time.sleep(1.2)


def capture(server):
    return Chain([], source="mysql://root@127.0.0.1:%d" % server.port, options=["--include", "tt.*"])


def first_seen(server, statement, table):
    """Carries a change of row 1 out, with the old value, and the time at which another connection saw the new one."""
    changing, looking = server.connect(), server.connect()
    sql = "SELECT v FROM tt.%s WHERE id = 1" % table
    old, seen = number(looking, sql), []

    def look():
        while number(looking, sql) == old:
            time.sleep(0.003)
        seen.append(time.time())

    thread = threading.Thread(target=look)
    thread.start()
    run(changing, "USE tt", statement)
    thread.join(20)
    return str(old), str(number(looking, sql)), seen[0]


def visibility(server, counter):
    tables(server)
    slow = [("t", "UPDATE t SET v = v + 1 WHERE id = 1 AND SLEEP(4) = 0"), ("t", "UPDATE t SET v = v + 1 WHERE id = 1"),
            ("m", "UPDATE m SET v = v + 1 WHERE id = 1 AND SLEEP(2) = 0")]
    if server.flavor == "mysql":
        slow.append(("t", "SET GLOBAL binlog_group_commit_sync_delay = 1000000; UPDATE t SET v = v + 1 WHERE id = 1"))
        slow.append(("t", "UPDATE t SET v = v + 1 WHERE id = 1"))
    with capture(server) as chain:
        chain.api.wait(lambda s: s["connected"] and s["baseline"] and s["baseline"]["done"] == 2, "both tables are read")
        time.sleep(1.5)
        changes = []
        for table, statement in slow:
            time.sleep(FAR + 0.5)
            *before, statement = statement.split("; ")
            with server.connect() as c:
                run(c, *before or ["DO 0"])
            changes.append((table, *first_seen(server, statement, table)))
        with server.connect() as c:
            if server.flavor == "mysql":
                run(c, "SET GLOBAL binlog_group_commit_sync_delay = 0")
        reach(chain, changes[-1][3] + FAR + 0.5)
        for table, old, new, seen in changes:
            for off in (-FAR, -2, -1.2, -0.9, -0.5, -0.2, -0.1, 0.1, 0.2, 0.5, 0.9, 1.2, 2, FAR):
                row, refused = reported(chain, 1, seen + off, table)
                what = "%s, %+.2f s from when %s became %s" % (table, off, old, new)
                if refused:
                    counter.check(abs(off) < FAR and refused[0] == "ambiguous_time", what + ": refused", refused)
                else:
                    counter.equal(row, old if off < 0 else new, what)
                other, refused = reported(chain, 2, seen + off)
                counter.check(other == "0", what + ": a row that did not change", other or refused)


def doubt(server, counter):
    """A table that a statement put in doubt is read again within 5 s, on an idle server and when another such statement comes at once."""
    tables(server)
    with capture(server) as chain, server.connect() as c:
        readable = lambda s: next((t["readable"] for t in s["tables"] if t["table"] == "t"), False)
        chain.api.wait(lambda s: s["connected"] and readable(s), "the table can be read")
        run(c, "USE tt", "SET SESSION binlog_format = STATEMENT")
        for times in (1, 1, 5):
            for _ in range(times):
                run(c, "UPDATE t SET v = v + 1 WHERE id = 1")
            now, began = time.time(), time.monotonic()
            position = run(c, "SHOW BINARY LOG STATUS" if server.flavor == "mysql" else "SHOW MASTER STATUS")[0]
            place = "%s:%s" % (position[0].decode(), position[1].decode())
            chain.api.wait(lambda s: s["position"] == place and readable(s) and s["baseline"]["done"] == s["baseline"]["total"], "it is back", 60)
            counter.check(time.monotonic() - began < 5 * SLACK, "a table in doubt is read again", time.monotonic() - began, "5 s")
        now += 5 * SLACK
        reach(chain, now)
        counter.equal(reported(chain, 1, now), ("7", None), "the row of a table that came back")


def definitions(server, counter):
    """A definition that is not the server's: the table is in doubt back to the statement after which nobody had looked, and comes back. A temporary table that
    was renamed (MariaDB logs that like any other RENAME) takes nothing away from the table of its name."""
    tables(server)
    with capture(server) as chain, server.connect() as c:
        chain.api.wait(lambda s: s["connected"] and s["baseline"] and s["baseline"]["done"] == 2, "both tables are read")
        run(c, "USE tt", "UPDATE t SET v = 1 WHERE id = 1")
        time.sleep(2.5)
        before = time.time() - 1
        run(c, "SET SESSION sql_log_bin = 0", "ALTER TABLE t MODIFY v BIGINT", "SET SESSION sql_log_bin = 1", "ALTER TABLE t ADD COLUMN w INT",
            "UPDATE t SET v = 2 WHERE id = 2")
        changed = time.time()
        time.sleep(1.5)
        run(c, "CREATE TEMPORARY TABLE m (id INT PRIMARY KEY)", "RENAME TABLE m TO n")
        renamed = time.time()
        if server.flavor == "mysql":
            run(c, "DROP TEMPORARY TABLE IF EXISTS m")
        good = lambda s: all(t["readable"] for t in s["tables"] if t["table"] == "t" or t["table"] == "m" and server.flavor == "mariadb")
        reach(chain, renamed + 2)
        chain.api.wait(good, "the tables are back", 60)
        counter.equal(reported(chain, 1, before), ("1", None), "a row before the statement")
        lines, refused = asked(chain, 1, changed + 0.02)
        as_it_is = lines and "bigint" in json.dumps(lines[0]).lower()
        counter.check(as_it_is or refused and refused[0] in ("unreadable_table", "ambiguous_time"), "between the statement and the notice", lines or refused)
        now = time.time() + 2
        reach(chain, now)
        counter.equal([reported(chain, i, now)[0] for i in (1, 2)], ["1", "2"], "rows of the table that came back")
        if server.flavor == "mariadb":
            counter.equal(reported(chain, 1, now, "m"), ("0", None), "the table whose name a temporary one had")
            counter.check(reported(chain, 1, now, "n")[1] is not None, "the name that it was renamed to", reported(chain, 1, now, "n"))


def prepared(server, counter):
    """A prepared transaction that lives through restarts of the agent and a crash of the server is no gap."""
    tables(server)
    with capture(server) as chain:
        chain.api.wait(lambda s: s["connected"] and s["newest"], "it captures")
        with server.connect() as c:
            run(c, "USE tt", "XA START 'a'", "UPDATE t SET v = 5 WHERE id = 1", "XA END 'a'", "XA PREPARE 'a'")
        with server.connect() as c:
            for _ in range(3):
                run(c, "UPDATE tt.t SET v = v + 1 WHERE id = 2")
        time.sleep(2)
        chain.agent.stop()
        chain.start_agent()
        chain.api.wait(lambda s: s["connected"], "it captures again")
        server.server.kill()
        server.start()
        with server.connect() as c:
            run(c, "XA COMMIT 'a'", "UPDATE tt.t SET v = 50 WHERE id = 2")
        now = time.time() + 2
        reach(chain, now)
        counter.equal([reported(chain, key, now)[0] for key in (1, 2)], ["5", "50"], "rows after a prepared transaction")
        counter.equal(chain.api.status()["gaps"], [], "gaps after a prepared transaction")


def slow_ddl(server, counter):
    """ALTER and DROP that wait for a lock, and an ALTER that is slow by itself: within the wait the table is as before, or refused."""
    tables(server)
    with server.connect() as c:
        run(c, "CREATE TABLE tt.gone (id INT PRIMARY KEY, v INT)", "INSERT INTO tt.gone VALUES (1, 9)")
    with capture(server) as chain:
        chain.api.wait(lambda s: s["connected"] and s["baseline"] and s["baseline"]["done"] == 3, "the tables are read")
        for table, statement in (("t", "ALTER TABLE tt.t ADD COLUMN w INT NOT NULL DEFAULT 5"), ("gone", "DROP TABLE tt.gone")):
            holding, waiting = server.connect(), server.connect()
            run(holding, "BEGIN", "SELECT * FROM tt.%s" % table)
            time.sleep(2)
            before = len(asked(chain, 1, time.time() - 1.5, table)[0][1]) if table == "t" else 2
            thread = threading.Thread(target=run, args=(waiting, statement))
            began = time.time()
            thread.start()
            time.sleep(4)
            released = time.time()
            run(holding, "COMMIT")
            thread.join(20)
            ended = time.time()
            time.sleep(1)
            reach(chain, ended + FAR)
            for off in (-1.5, 0.1, 0.9, 1.5, 2.5, 3.0, released - began - 0.05):
                lines, refused = asked(chain, 1, began + off, table)
                counter.check(refused and refused[0] == "ambiguous_time" or lines and len(lines) > 2 and len(lines[1]) == before,
                              "%s, %+.2f s from when it began to wait" % (statement, off), refused or lines[1:], "as before, or ambiguous")
            for off in (-1.5, 1.5):
                counter.check(asked(chain, 1, began + off, table)[1] is None, "far from the end it is answered: " + statement, asked(chain, 1, began + off, table)[1])
            lines, refused = asked(chain, 1, ended + FAR, table)
            following = len(lines[1]) == before + 1 if table == "t" and lines else refused and refused[0] == "unknown_table"
            counter.check(following, "after it: " + statement, refused or lines)


def restored(server, counter):
    """The data folder of before, put back: file names, lengths and GTIDs go on as they did, with other rows."""
    tables(server)
    server.server.stop(60)
    copy = server.data + ".copy"
    shutil.copytree(server.data, copy)
    for path, _, names in os.walk(server.data):
        for name in [path, *(os.path.join(path, n) for n in names)]:
            there = os.stat(name)
            os.chown(name.replace(server.data, copy, 1), there.st_uid, there.st_gid)
    server.start()
    with capture(server) as chain:
        chain.api.wait(lambda s: s["connected"] and s["newest"], "it captures")
        with server.connect() as c:
            run(c, *("UPDATE tt.t SET v = %d WHERE id = %d" % (i, i) for i in (1, 2, 3)))
        chain.api.wait(lambda s: s["row_changes"] == 3, "three changes")
        chain.agent.stop()
        server.server.stop(60)
        shutil.rmtree(server.data)
        os.rename(copy, server.data)
        server.start()
        with server.connect() as c:
            run(c, *("UPDATE tt.t SET v = %d WHERE id = %d" % (i, i) for i in (4, 5, 6)))
        chain.start_agent()
        status = chain.api.wait(lambda s: s["gaps"] and s["connected"], "a gap", 60)
        counter.check("restored" in status["gaps"][0]["reason"], "the reason of the gap", status["gaps"])
        chain.api.wait(lambda s: s["baseline"]["done"] == s["baseline"]["total"], "the tables are read")
        now = time.time() + 2
        reach(chain, now)
        counter.equal([reported(chain, i, now)[0] for i in range(1, 7)], ["0", "0", "0", "4", "5", "6"], "rows after a restore")


def replica(source, kind, counter):
    """A MariaDB replica: its log has the times of its source, so nothing after the last applied commit is known, with the applier running or not."""
    tables(source)
    with servers.start(kind, "--log-slave-updates=ON", "--server-id=8") as server, source.connect() as s, server.connect() as r:
        tables(server)
        file, position = run(s, "SHOW MASTER STATUS")[0][:2]
        run(r, "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=%d, MASTER_USER='root', MASTER_LOG_FILE='%s', MASTER_LOG_POS=%s, MASTER_USE_GTID=no"
            % (source.port, file.decode(), position.decode()) + (", MASTER_SSL_VERIFY_SERVER_CERT=0" if kind == "mariadb-11.8" else ""), "START SLAVE")
        with capture(server) as chain:
            chain.api.wait(lambda status: status["connected"] and status["newest"], "it captures")
            time.sleep(2)
            for v in (1, 2, 3):
                run(s, "UPDATE tt.t SET v = %d WHERE id = 1" % v)
                time.sleep(1.5)
            counter.check(chain.api.status()["newest"] >= text(time.time() - 5), "the newest instant follows what is applied", chain.api.status()["newest"])
            run(r, "STOP SLAVE")
            now = time.time()
            run(s, "UPDATE tt.t SET v = 100 WHERE id = 1")
            time.sleep(4)
            counter.equal((reported(chain, 1, now + 2)[1] or ["answered"])[0], "out_of_range", "an instant after the last applied commit")
            run(r, "START SLAVE")
            time.sleep(1.5)
            run(s, "UPDATE tt.t SET v = 7 WHERE id = 2")
            reach(chain, now + 3)
            counter.equal(reported(chain, 1, now + 2)[0], "100", "the same instant when it was applied")


def main():
    kind, options = servers.chosen([])
    if len(sys.argv) > 1 and sys.argv[1] == "--only":
        counter = Counter(sys.argv[2])
        with servers.start(kind, *SYNCED, *options) as server:
            globals()[sys.argv[2]](server, counter)
        finish([counter], 1)
    quick = "--quick" in sys.argv
    parts = (doubt, definitions, prepared, restored) if quick else (visibility, slow_ddl, doubt, definitions, prepared, restored)
    counters = [Counter("%s on %s" % (part.__name__, kind)) for part in parts]
    with servers.start(kind, *SYNCED, *options) as server:
        for part, counter in zip(parts, counters):
            part(server, counter)
        if server.flavor == "mariadb" and not quick:
            counters.append(Counter("replica on %s" % kind))
            replica(server, kind, counters[-1])
    finish(counters, 12 if quick else 80)


if __name__ == "__main__":
    main()
