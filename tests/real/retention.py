#!/usr/bin/env python3
"""Retention while everything goes on: an agent with `--keep 12s` on a running workload, asked all the time.

The oldest instant moves; what lies before it is out_of_range and names it; states from the horizon on are right, also of rows that have not
changed since long before it; versions and bytes do not grow for ever, and a restart changes nothing.
"""
import re
import sys
import threading
import time

import pymysql

from harness import Chain, Counter, MariaDb, ask, finish
from live import caught_up

ROWS = 300
KEEP = 12
SECONDS = 60


class Work:
    """Changes rows, and notes a state every two seconds."""

    def __init__(self, server):
        self.conn = server.connect()
        self.cursor = self.conn.cursor()
        self.stop, self.failed, self.marks, self.statements = threading.Event(), None, [], 0

    def sql(self, text):
        self.cursor.execute(text)

    def create(self):
        self.sql("CREATE DATABASE r CHARACTER SET utf8mb4")
        self.sql("USE r")
        for table in ("t", "late"):
            self.sql("CREATE TABLE %s (id INT NOT NULL PRIMARY KEY, v INT, w VARCHAR(2000))" % table)
        self.sql("INSERT INTO t SELECT seq, 0, REPEAT('x', seq) FROM seq_1_to_%d" % ROWS)

    def run(self):
        try:
            n = 0
            while not self.stop.is_set():
                n += 1
                for i in range(40):
                    # A few rows all the time, some seldom, one half never.
                    row = (n * 7 + i) % 20 if i % 4 else 20 + (n + i) % 130
                    self.sql("UPDATE t SET v = v + 1, w = REPEAT(CHAR(97 + %d %% 26), 1500) WHERE id = %d" % (n + i, row))
                    self.statements += 1
                self.sql("REPLACE INTO late VALUES (%d, %d, 'n')" % (n % 50, n))
                self.sql("DELETE FROM late WHERE id = %d" % ((n + 20) % 50))
                if n % 9 == 0:
                    self.sql("TRUNCATE TABLE late")
                self.note()
        except Exception as e:
            self.failed = e

    def note(self):
        state = {table: ask(self.cursor, "SELECT * FROM r.%s ORDER BY id" % table) for table in ("t", "late")}
        now = int(ask(self.cursor, "SELECT UNIX_TIMESTAMP()")[1][0][0])
        self.marks.append((time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now + 1)), state))
        time.sleep(2.02 - time.time() % 1)


def text(instant):
    return instant.replace("T", " ").rstrip("Z")


def compare(count, out, chain, cursor, marks):
    """Each mark is answered right while the record reaches it, and is refused when it is too old."""
    for instant, state in marks:
        for table in ("t", "late"):
            for virtual in ("_snapshot", "_flashback"):
                reach = "id BETWEEN 1 AND %d" % (400 if virtual == "_snapshot" or table == "late" else 19)
                sql = "SELECT * FROM %s.%s AS OF '%s' WHERE %s" % (virtual, table, instant, reach)
                before = text(chain.api.status()["oldest"])
                try:
                    got = ask(cursor, sql)
                    names, rows = state[table]
                    want = (names, [r for r in rows if virtual == "_snapshot" or table == "late" or int(r[0]) < 20])
                    count.equal(got, want, sql)
                    count.check(before <= instant + ".000000", "answered before the horizon: " + sql, before)
                except pymysql.MySQLError as e:
                    oldest = text(chain.api.status()["oldest"])
                    if count.check(oldest > instant, "refused: " + sql, e.args, oldest):
                        out.check(re.search("before the start of the record: the record goes from", e.args[1]), "out of range: " + sql, e.args)


def main():
    counters = [Counter("states while retention runs"), Counter("out of range"), Counter("room")]
    states, out, room = counters
    with MariaDb("--character-set-server=utf8mb4", "--max-binlog-size=1M") as server:
        work = Work(server)
        work.create()
        with Chain(None, schema="r", source="mysql://root@127.0.0.1:%d" % server.port, options=["--keep", "%ds" % KEEP]) as chain:
            first = chain.api.wait(lambda s: s["oldest"] and s["baseline"]["done"] == s["baseline"]["total"], "the record begins")["oldest"]
            thread = threading.Thread(target=work.run, daemon=True)
            thread.start()
            cursor = chain.connect(database="r").cursor()
            end, seen = time.monotonic() + SECONDS, []
            while time.monotonic() < end:
                newest = text(chain.api.status()["newest"])
                compare(states, out, chain, cursor, [m for m in list(work.marks)[-KEEP:] if m[0] + ".000000" <= newest])
                status = chain.api.status()
                seen.append((status["versions"], status["purged"], status["bytes_on_disk"]))
            work.stop.set()
            thread.join()
            if work.failed:
                raise work.failed
            status = caught_up(server, chain.api)
            room.check(status["oldest"] > first, "the oldest instant moves", status["oldest"], first)
            room.check(status["purged"] > work.statements // 3, "versions go", status["purged"], work.statements)
            half = len(seen) // 2
            room.check(max(s[0] for s in seen[half:]) < work.statements, "versions do not pile up", max(seen[half:]), work.statements)
            print("%d statements; versions at most %d, %d dropped; on disk %d KiB at last" % (
                work.statements, max(s[0] for s in seen), status["purged"], status["bytes_on_disk"] // 1024), flush=True)
            chain.agent.kill()
            chain.start_agent()
            chain.api.wait(lambda s: s["connected"], "it is back")
            compare(states, out, chain, cursor, work.marks)
            room.equal([p.log for p in chain.processes if re.search("panicked|damaged", p.output())], [], "no panic")
    finish(counters, 200)


if __name__ == "__main__":
    main()
