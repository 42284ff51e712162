#!/usr/bin/env python3
"""A long run: agent and shim beside a server that works, asked all the time, and neither grows.

    tests/real/soak.py [--minutes 6] [--server mariadb-11.8] [--clients 6]

Every two seconds the rows of a table are noted, and clients ask for them as of then; they also ask for windows and whole tables, log in and
out, make mistakes, go away in the middle of an answer and end each other. Old versions are dropped all along, definitions change, and both
processes read their files again. Memory, open files and threads are noted: what the last third of the time needs at most is what the
third before it needed. The agent alone takes more memory for hours: what is new stays there until the journal of its store has 64 MiB.
"""
import collections
import os
import random
import re
import signal
import statistics
import sys
import threading
import time

import pymysql

import servers
from harness import Chain, Counter, ask, finish
from live import caught_up

ROWS = 400
KEEP = 90  # seconds
# What an instant is told that is too old, or that is the bound of a window in the second of a change.
TIMES = re.compile(r"\[(out_of_range|ambiguous_time)\]")


def argument(name, default):
    return type(default)(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


class Work:
    """Changes rows and definitions, and notes what was true in between."""

    def __init__(self, server):
        self.cursor = server.connect().cursor()
        self.random = random.Random(11)
        self.marks, self.stop, self.failed, self.rounds = [], threading.Event(), None, 0
        for sql in ("CREATE DATABASE s CHARACTER SET utf8mb4", "USE s",
                    "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v INT, w VARCHAR(300))",
                    "CREATE TABLE d (id INT NOT NULL PRIMARY KEY, v INT)"):
            self.cursor.execute(sql)
        for n in range(ROWS):
            self.cursor.execute("INSERT INTO t VALUES (%d, 0, REPEAT('o', %d))" % (n, n % 300))

    def once(self):
        self.rounds += 1
        for _ in range(80):
            key = self.random.randrange(ROWS)
            self.cursor.execute(self.random.choice((
                "UPDATE t SET v = v + 1, w = REPEAT('u', %d) WHERE id BETWEEN %d AND %d" % (key % 290, key, key + 4),
                "DELETE FROM t WHERE id = %d" % key,
                "REPLACE INTO t VALUES (%d, %d, 'again')" % (key, self.rounds),
                "REPLACE INTO d (id, v) VALUES (%d, %d)" % (key, self.rounds))))
        if self.rounds % 10 == 0:
            column = "c%d" % self.rounds
            self.cursor.execute("ALTER TABLE d ADD COLUMN %s INT" % column)
            self.cursor.execute("UPDATE d SET %s = id" % column)
            self.cursor.execute("ALTER TABLE d DROP COLUMN %s" % column)
        if self.rounds % 25 == 0:
            self.cursor.execute("TRUNCATE TABLE d")
        if self.rounds % 40 == 0:
            self.cursor.execute("FLUSH BINARY LOGS")

    def note(self):
        rows = {int(row[0]): row for row in ask(self.cursor, "SELECT * FROM t")[1]}
        now = int(ask(self.cursor, "SELECT UNIX_TIMESTAMP()")[1][0][0])
        instant = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now + 1))
        time.sleep(2.02 - time.time() % 1)
        self.marks = self.marks[-20:] + [(instant, rows)]

    def run(self):
        try:
            while not self.stop.is_set():
                self.once()
                self.note()
        except Exception as error:
            self.failed = error


class Client:
    """One of those who ask, until it is told to stop."""

    def __init__(self, number, chain, work, count):
        self.random, self.chain, self.work, self.count = random.Random(number), chain, work, count
        self.took, self.refused, self.connection, self.left = [], collections.Counter(), None, 0

    def ask(self, sql):
        """The rows; `None`: they cannot be had any more, or not yet."""
        if not self.left:
            if self.connection:
                self.connection.close()
            self.connection, self.left = self.chain.connect(database="s"), self.random.randint(5, 80)
        self.left -= 1
        begun = time.monotonic()
        try:
            return ask(self.connection.cursor(), sql)[1]
        except pymysql.MySQLError as error:
            of_its_time = TIMES.search(str(error.args[1]))
            if self.count.check(of_its_time, "refused: " + sql, error.args):
                self.refused[of_its_time.group(1)] += 1
            return None
        finally:
            self.took.append(time.monotonic() - begun)

    def look(self):
        instant, rows = self.random.choice(self.work.marks)
        key = self.random.randrange(ROWS)
        got = self.ask("SELECT * FROM _snapshot.t AS OF '%s' WHERE id = %d" % (instant, key))
        if got is not None:
            self.count.equal(got, [rows[key]] if key in rows else [], "key %d at %s" % (key, instant))

    def all_of_it(self):
        instant, rows = self.random.choice(self.work.marks)
        got = self.ask("SELECT * FROM _snapshot.t AS OF '%s' ALLOW SCAN" % instant)
        if got is not None:
            self.count.equal(got, [rows[key] for key in sorted(rows)], "the table at " + instant)

    def counted(self):
        instant, rows = self.random.choice(self.work.marks)
        limit = self.random.randint(0, 30)
        got = self.ask("SELECT COUNT(*) FROM _snapshot.t AS OF '%s' ALLOW SCAN WHERE v >= %d" % (instant, limit))
        if got is not None:
            self.count.equal(int(got[0][0]), sum(int(row[1]) >= limit for row in rows.values()), "rows of v >= %d at %s" % (limit, instant))

    def window(self):
        marks = self.work.marks
        first = self.random.randrange(len(marks))
        instants = (marks[first][0], marks[min(first + 2, len(marks) - 1)][0])
        key = self.random.randrange(ROWS)
        if instants[0] < instants[1]:
            self.ask("SELECT * FROM _diff.t BETWEEN '%s' AND '%s' WHERE id = %d" % (*instants, key))
            self.ask("SELECT * FROM _history.transactions BETWEEN '%s' AND '%s'" % instants)

    def mistake(self):
        for sql in ("SELECT * FROM _flashback.t", "SELEC 1", "SELECT nothing FROM _flashback.t AS OF LATEST WHERE id = 1"):
            with self.chain.connect(database="s") as connection:
                try:
                    ask(connection.cursor(), sql)
                    self.count.check(False, "an error: " + sql)
                except pymysql.MySQLError as error:
                    self.count.check(error.args[0] in (1064, 1235, 1054), "an error: " + sql, error.args)

    def vanish(self):
        connection = self.chain.connect(database="s")
        connection._execute_command(3, "SELECT * FROM _snapshot.t AS OF LATEST ALLOW SCAN")
        connection._force_close()

    def end_another(self):
        with self.chain.connect(database="s") as other, self.chain.connect(database="s") as connection:
            connection.cursor().execute("KILL %d" % other.thread_id())

    def run(self):
        kinds = [self.look] * 20 + [self.window] * 4 + [self.counted] * 2 + [self.all_of_it, self.mistake, self.vanish, self.end_another]
        while not self.work.stop.is_set():
            try:
                self.random.choice(kinds)()
            except Exception as error:
                self.count.check(False, "a client ended: %s" % type(error).__name__, error)
                self.left = 0
            time.sleep(0.05)


def needs(process):
    """Resident KiB, open files and threads of a process."""
    with open("/proc/%d/status" % process.child.pid) as file:
        text = file.read()
    number = lambda name: int(re.search(r"^%s:\s+(\d+)" % name, text, re.M).group(1))
    return number("VmRSS"), len(os.listdir("/proc/%d/fd" % process.child.pid)), number("Threads")


def watch(chain, clients, minutes):
    """What both needed every five seconds. Both read their files again once a minute."""
    samples, begun = {"agent": [], "shim": []}, time.monotonic()
    while (passed := time.monotonic() - begun) < 60 * minutes:
        time.sleep(5)
        for name, process in (("agent", chain.agent), ("shim", chain.shim)):
            samples[name].append(needs(process))
            if len(samples[name]) % 12 == 0:
                process.child.send_signal(signal.SIGHUP)
        if len(samples["shim"]) % 12 == 0:
            took = sorted(second for client in clients for second in client.took)
            for client in clients:
                client.took = []
            print("%4d min: %6d statements, p50 %.1f ms, p99 %.0f ms; KiB, files, threads: agent %s, shim %s" % (
                passed // 60 + 1, len(took), 1000 * statistics.median(took), 1000 * took[len(took) * 99 // 100],
                samples["agent"][-1], samples["shim"][-1]), flush=True)
    return samples


def flat(count, name, samples):
    """Nothing of what is needed grows from the second third to the last one, but for the agent's memory, and that up to a limit."""
    third = len(samples) // 3
    memory, most = (64 << 10, 300 << 10) if name == "agent" else (8 << 10, 64 << 10)
    for what, number, slack in (("memory in KiB", 0, memory), ("open files", 1, 24), ("threads", 2, 6)):
        before = max(sample[number] for sample in samples[third:2 * third])
        after = max(sample[number] for sample in samples[2 * third:])
        print("%s, %s: %d at most, then %d" % (name, what, before, after), flush=True)
        count.check(after <= before + slack, "%s of the %s grow" % (what, name), after, before)
        if number == 0:
            count.check(after <= most, "%s of the %s" % (what, name), after, most)


def main():
    minutes, kind, many = argument("--minutes", 6), argument("--server", "mariadb-11.8"), argument("--clients", 6)
    answers, steady = Counter("answers"), Counter("what it needs")
    with servers.start(kind, "--max-binlog-size=8M") as server:
        work = Work(server)
        with Chain(None, schema="s", source="mysql://root@127.0.0.1:%d" % server.port, options=["--keep", "%ds" % KEEP]) as chain:
            chain.api.wait(lambda s: s["oldest"] and s["baseline"]["done"] == s["baseline"]["total"], "the record begins")
            for _ in range(3):
                work.once()
                work.note()
            clients = [Client(number, chain, work, answers) for number in range(many)]
            threads = [threading.Thread(target=one.run, daemon=True) for one in (work, *clients)]
            for thread in threads:
                thread.start()
            samples = watch(chain, clients, minutes)
            work.stop.set()
            for thread in threads:
                thread.join(60)
            if work.failed:
                raise work.failed
            for name, of in samples.items():
                flat(steady, name, of)
            status = caught_up(server, chain.api)
            steady.equal(status["gaps"], [], "no gap")
            steady.equal([p.log for p in chain.processes if "panicked" in p.output()], [], "no panic")
            print("refused: %s" % dict(sum((client.refused for client in clients), collections.Counter())), flush=True)
    finish([answers, steady], 100 * minutes)


if __name__ == "__main__":
    main()
