#!/usr/bin/env python3
"""Tables that foreign keys change all the time while they are read for the first time. They must become readable within a bounded time, and what is reported
them must be what the server had.

    readings.py                     # on all servers that do not log what foreign keys do
    readings.py mariadb-11.8        # on those with this in their name
"""
import random
import sys
import threading
import time

import servers
from harness import Counter, finish
from sources import capture_at_once, row, run, settled, text

# How long the tables may take to be read, and rows a second that are read: many more rows change meanwhile than one reading would stand.
LIMIT = 60
RATE = 3000
PARENTS, EACH = 300, 10
TABLES = ("child", "loose", "moved", "grand", "tree", "ring", "knot")

SCHEMA = [
    "CREATE DATABASE w", "USE w",
    "CREATE TABLE parent (id INT PRIMARY KEY, v INT)",
    "CREATE TABLE child (id INT PRIMARY KEY, p INT, v INT, FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE)",
    "CREATE TABLE loose (id INT PRIMARY KEY, p INT, v INT, FOREIGN KEY (p) REFERENCES parent (id) ON DELETE SET NULL)",
    # Its rows go to and fro with a key that changes.
    "CREATE TABLE moving (id INT PRIMARY KEY, v INT)",
    "CREATE TABLE moved (id INT PRIMARY KEY, p INT, v INT, FOREIGN KEY (p) REFERENCES moving (id) ON UPDATE CASCADE)",
    "CREATE TABLE grand (id INT PRIMARY KEY, c INT, FOREIGN KEY (c) REFERENCES child (id) ON DELETE CASCADE)",
    "CREATE TABLE tree (id INT PRIMARY KEY, above INT, FOREIGN KEY (above) REFERENCES tree (id) ON DELETE CASCADE)",
    # Each takes rows of the other with it, round and round.
    "CREATE TABLE ring (id INT PRIMARY KEY, knot INT)",
    "CREATE TABLE knot (id INT PRIMARY KEY, ring INT, FOREIGN KEY (ring) REFERENCES ring (id) ON DELETE CASCADE)",
    "ALTER TABLE ring ADD FOREIGN KEY (knot) REFERENCES knot (id) ON DELETE CASCADE",
]


def values(rows):
    return ", ".join("(%s)" % ", ".join("NULL" if v is None else str(v) for v in one) for one in rows)


def fill(c):
    run(c, *SCHEMA)
    run(c, "INSERT INTO parent VALUES " + values((p, p) for p in range(PARENTS)), "INSERT INTO moving VALUES " + values((p, p) for p in range(PARENTS)))
    rows = [(p * EACH + i, p, i) for p in range(PARENTS) for i in range(EACH)]
    for table in ("child", "loose", "moved"):
        run(c, "INSERT INTO %s VALUES %s" % (table, values(rows)))
    run(c, "INSERT INTO grand VALUES " + values((i, i) for i, _, _ in rows))
    # Trees of ten nodes: one above, the others below the one before.
    run(c, "INSERT INTO tree VALUES " + values((i, None if i % EACH == 0 else i - 1) for i, _, _ in rows))
    run(c, "INSERT INTO ring VALUES " + values((i, None) for i, _, _ in rows), "INSERT INTO knot VALUES " + values((i, i) for i, _, _ in rows))
    # Three rings and three knots in a row: servers follow fifteen levels.
    run(c, "UPDATE ring SET knot = id - 1 WHERE id % 3 > 0")


class Work(threading.Thread):
    """Statements that reach rows through foreign keys, one after the other, until it is told to end."""

    def __init__(self, server, seed):
        super().__init__(daemon=True)
        self.server, self.random, self.ends, self.done, self.error = server, random.Random(seed), threading.Event(), 0, None
        self.halt, self.still = threading.Event(), threading.Event()

    def run(self):
        try:
            with self.server.connect() as c:
                run(c, "USE w")
                while not self.ends.is_set():
                    while self.halt.is_set() and not self.ends.is_set():
                        self.still.set()
                        time.sleep(0.01)
                    self.still.clear()
                    self.one(c)
                    self.done += 1
                    time.sleep(0.01)
        except Exception as e:  # known by the test
            self.error = e
            self.still.set()

    def one(self, c):
        p = self.random.randrange(PARENTS)
        kind = self.random.randrange(6)
        if kind < 2:
            run(c, "DELETE FROM parent WHERE id = %d" % p, "INSERT INTO parent VALUES (%d, %d)" % (p, self.done))
            if kind:
                rows = [(p * EACH + i, p, self.done) for i in range(EACH // 2)]
                run(c, "INSERT INTO child VALUES " + values(rows), "UPDATE loose SET p = %d WHERE id = %d" % (p, p * EACH))
                run(c, "INSERT INTO grand VALUES " + values((i, i) for i, _, _ in rows))
        elif kind < 4:
            run(c, "UPDATE moving SET id = id + %d WHERE id = %d" % (PARENTS, p), "UPDATE moving SET id = id - %d WHERE id = %d" % (PARENTS, p + PARENTS))
        elif kind == 4:
            first = self.random.randrange(PARENTS * EACH // 3) * 3
            run(c, "DELETE FROM ring WHERE id = %d" % (first + self.random.randrange(3)), "REPLACE INTO ring VALUES " + values((first + i, None) for i in range(3)),
                "REPLACE INTO knot VALUES " + values((first + i, first + i) for i in range(3)), "UPDATE ring SET knot = id - 1 WHERE id IN (%d, %d)" % (first + 1, first + 2))
        else:
            run(c, "DELETE FROM tree WHERE id = %d" % (p * EACH + self.random.randrange(EACH)))


def trial(server, counter):
    with server.connect() as c:
        fill(c)
    work = Work(server, 4)
    work.start()
    with server.connect() as c, capture_at_once(server, "--baseline-rate", str(RATE)) as chain:
        run(c, "USE w")
        began = time.monotonic()

        def read(table):
            got = row(chain, table, 1, time.time() - 1.5)
            return isinstance(got, list)

        unread = set(TABLES)
        while unread and time.monotonic() - began < LIMIT and not work.error:
            unread -= {table for table in unread if read(table)}
            time.sleep(0.3)
        took, done = time.monotonic() - began, work.done
        counter.equal(sorted(unread), [], "read within %d s beside %d statements: %s" % (LIMIT, done, chain.agent.output()[-3000:] if unread else ""))
        print("%s: read in %.1f s beside %d steps" % (counter.name, took, done), flush=True)
        # What is known of the time since then, beside what the server had.
        for _ in range(3):
            time.sleep(0.5)
            work.halt.set()
            work.still.wait(20)
            had = {table: dict((int(r[0]), [None if v is None else v.decode() for v in r]) for r in run(c, "SELECT * FROM %s" % table)) for table in TABLES}
            instant = settled(chain)
            for table in TABLES:
                refused = 0
                for key in random.Random(took).sample(range(PARENTS * EACH), 60):
                    got = row(chain, table, key, instant)
                    if isinstance(got, tuple):
                        refused += 1
                    else:
                        counter.equal(got, had[table].get(key, []), "%s: row %d" % (table, key))
                counter.equal(refused, 0, "%s: none refused" % table)
            work.halt.clear()
        work.ends.set()
        work.join(20)
        counter.check(work.error is None and done > 50, "the statements were carried out", (work.error, done))
        print(text(instant), work.done, "steps", flush=True)


TRIALS = [("mariadb-11.8", []), ("mariadb", []), ("mysql", ["--innodb-native-foreign-keys=ON", "--gtid-mode=ON", "--enforce-gtid-consistency=ON"]),
          ("mysql", ["--innodb-native-foreign-keys=ON", "--gtid-mode=OFF"])]


def main():
    wanted = sys.argv[1:]
    counters = []
    for kind, options in TRIALS:
        name = " ".join([kind, *options[1:2]])
        if wanted and not any(word in name for word in wanted):
            continue
        counters.append(Counter(name))
        with servers.start(kind, *options) as server:
            trial(server, counters[-1])
    finish(counters, 300)


if __name__ == "__main__":
    main()
