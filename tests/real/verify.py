#!/usr/bin/env python3
"""`verify` beside a running server: nothing is found in a true history while a workload goes on, and each of many kinds of planted difference is found and
named: rows, columns and tables changed with sql_log_bin=0, so that the log says nothing of them.

    verify.py [--server mariadb-11.8|mysql]
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import tempfile
import threading
import time

import pymysql

import servers
from harness import Counter, Process, binary, finish, free_port

ROWS = 400

# A table of each kind, how it differs, and what verify must name.
TABLES = {
    "numbers": "id INT PRIMARY KEY, i INT, u BIGINT UNSIGNED, d DECIMAL(12,3), f FLOAT, g DOUBLE, b BIT(9)",
    "texts": "id INT PRIMARY KEY, v VARCHAR(60), t TEXT, e ENUM('a','b','c'), s SET('x','y','z'), c CHAR(9)",
    "times": "id INT PRIMARY KEY, d DATE, t DATETIME(6), s TIMESTAMP(3) NULL, y YEAR, h TIME(2)",
    "bytes": "id INT PRIMARY KEY, b BINARY(4), v VARBINARY(40), l MEDIUMBLOB, j JSON",
    "words": "word VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, n INT",
    "pairs": "a INT, b VARCHAR(20) CHARACTER SET ascii, n INT, PRIMARY KEY (a, b)",
    "emptied": "id INT PRIMARY KEY, n INT",
    "dropped": "id INT PRIMARY KEY, n INT",
    "widened": "id INT PRIMARY KEY, n INT",
    "narrowed": "id INT PRIMARY KEY, n INT, gone INT",
    "renamed": "id INT PRIMARY KEY, n INT",
    "busy": "id INT PRIMARY KEY, n INT, w VARCHAR(40)",
    "true_one": "id INT PRIMARY KEY, n INT",
    "many": "id INT PRIMARY KEY, n INT",
}
# More rows than are looked at again at a time, and as many again.
MANY = 5200

# Table, statement without a log, the key that must be named, words that must be given. Each of another row.
PLANTED = [
    ("numbers", "UPDATE v.numbers SET i = i + 1 WHERE id = 1", "id = '1'", "i is "),
    ("numbers", "UPDATE v.numbers SET u = 18446744073709551615 WHERE id = 2", "id = '2'", "u is '18446744073709551615'"),
    ("numbers", "UPDATE v.numbers SET d = d + 0.001 WHERE id = 3", "id = '3'", "d is "),
    ("numbers", "UPDATE v.numbers SET f = f * 1.0000002 WHERE id = 4", "id = '4'", "f is "),
    ("numbers", "UPDATE v.numbers SET g = 0.30000000000000004 WHERE id = 5", "id = '5'", "g is "),
    ("numbers", "UPDATE v.numbers SET b = b ^ 256 WHERE id = 6", "id = '6'", "b is "),
    ("numbers", "UPDATE v.numbers SET i = NULL WHERE id = 7", "id = '7'", "i is NULL on the server"),
    ("numbers", "DELETE FROM v.numbers WHERE id = 8", "id = '8'", "the history has this row, and the server has none"),
    ("numbers", "INSERT INTO v.numbers VALUES (-5, 1, 1, 1, 1, 1, 1)", "id = '-5'", "the server has this row, and the history has none"),
    ("numbers", "UPDATE v.numbers SET id = 100009 WHERE id = 9", "id = '9'", "the history has this row"),
    ("texts", "UPDATE v.texts SET v = UPPER(v) WHERE id = 1", "id = '1'", "v is "),
    ("texts", "UPDATE v.texts SET v = CONCAT(v, ' ') WHERE id = 2", "id = '2'", "v is "),
    ("texts", "UPDATE v.texts SET t = '' WHERE id = 3", "id = '3'", "t is ''"),
    ("texts", "UPDATE v.texts SET e = 'c' WHERE id = 4", "id = '4'", "e is 'c'"),
    ("texts", "UPDATE v.texts SET s = 'x,z' WHERE id = 5", "id = '5'", "s is 'x,z'"),
    ("texts", "UPDATE v.texts SET c = 'stra\u00dfe' WHERE id = 6", "id = '6'", "c is 'stra\u00dfe'"),
    ("times", "UPDATE v.times SET t = t + INTERVAL 1 MICROSECOND WHERE id = 1", "id = '1'", "t is "),
    ("times", "UPDATE v.times SET s = s + INTERVAL 1 HOUR WHERE id = 2", "id = '2'", "s is "),
    ("times", "UPDATE v.times SET d = d + INTERVAL 1 DAY WHERE id = 3", "id = '3'", "d is "),
    ("times", "UPDATE v.times SET h = '-00:00:00.01' WHERE id = 4", "id = '4'", "h is '-00:00:00.01'"),
    ("bytes", "UPDATE v.bytes SET b = X'00ff00fe' WHERE id = 1", "id = '1'", "b is 0x00ff00fe"),
    ("bytes", "UPDATE v.bytes SET l = CONCAT(LEFT(l, LENGTH(l) - 1), 'x') WHERE id = 2", "id = '2'", "l is "),
    ("bytes", "UPDATE v.bytes SET j = '{\"a\": 1, \"b\": [2]}' WHERE id = 3", "id = '3'", "j is "),
    ("words", "UPDATE v.words SET n = -1 WHERE word = 'word \u00fc 7'", "word = 'word \u00fc 7'", "n is '-1'"),
    ("words", "DELETE FROM v.words WHERE word = 'word \u00fc 399'", "word = 'word \u00fc 399'", "the server has none"),
    ("pairs", "UPDATE v.pairs SET n = n + 1 WHERE a = 7 AND b = 'b7'", "a = '7', b = 'b7'", "n is "),
    ("pairs", "INSERT INTO v.pairs VALUES (3, 'zz', 1)", "a = '3', b = 'zz'", "the history has none"),
    ("emptied", "TRUNCATE TABLE v.emptied", "id = '1'", "the history has this row, and the server has none"),
    ("dropped", "DROP TABLE v.dropped", "the table", "the server has none"),
    ("widened", "ALTER TABLE v.widened ADD more INT", "the table", "the columns on the server are id, n, more"),
    ("narrowed", "ALTER TABLE v.narrowed DROP gone", "the table", "the columns on the server are id, n, and"),
    ("renamed", "ALTER TABLE v.renamed CHANGE n m INT", "the table", "the columns on the server are id, m"),
]


def fill(cursor):
    numbers = ["(%d)" % n for n in range(1, ROWS + 1)]
    cursor.execute("CREATE DATABASE v CHARACTER SET utf8mb4")
    cursor.execute("USE v")
    cursor.execute("CREATE TABLE v.n (n INT PRIMARY KEY)")
    cursor.execute("INSERT INTO v.n VALUES " + ", ".join(numbers))
    for name, columns in TABLES.items():
        cursor.execute("CREATE TABLE v.%s (%s)" % (name, columns))
    cursor.execute("INSERT INTO v.numbers SELECT n, n * 7, n * 1000000007, n / 3, n / 7, n / 11, n FROM v.n")
    cursor.execute("INSERT INTO v.texts SELECT n, CONCAT('text \u00e4 ', n), REPEAT('long ', n), 1 + n %% 2, 1 + n %% 6, CONCAT('c', n) FROM v.n".replace("%%", "%"))
    cursor.execute("INSERT INTO v.times SELECT n, '2026-01-01' + INTERVAL n DAY, '2026-01-01 10:00:00.123456' + INTERVAL n SECOND, '2026-02-01 10:00:00.5' + INTERVAL n SECOND, 2000 + n % 100, SEC_TO_TIME(n) FROM v.n")
    cursor.execute("INSERT INTO v.bytes SELECT n, UNHEX(LPAD(HEX(n * 65537), 8, '0')), UNHEX(LPAD(HEX(n * 99991), 10, '0')), REPEAT(UNHEX(LPAD(HEX(n * 77), 6, '0')), 1 + n % 300), JSON_OBJECT('a', n, 'b', JSON_ARRAY(1.5, 'x')) FROM v.n")
    cursor.execute("INSERT INTO v.words SELECT CONCAT('word \u00fc ', n), n FROM v.n")
    cursor.execute("INSERT INTO v.pairs SELECT n % 10, CONCAT('b', n), n FROM v.n")
    for name in ("emptied", "dropped", "widened", "renamed", "true_one"):
        cursor.execute("INSERT INTO v.%s SELECT n, n * 3 FROM v.n" % name)
    cursor.execute("INSERT INTO v.narrowed SELECT n, n * 3, n FROM v.n")
    cursor.execute("INSERT INTO v.many SELECT a.n * 400 + b.n, 0 FROM v.n AS a, v.n AS b WHERE a.n <= %d" % (MANY // 400))
    cursor.execute("INSERT INTO v.busy SELECT n, 0, 'w' FROM v.n")


class Work(threading.Thread):
    """Changes of a few rows, again and again, while they are compared."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.connection, self.over, self.done = server.connect(), False, 0
        self.random = random.Random(3)

    def run(self):
        cursor = self.connection.cursor()
        while not self.over:
            key = self.random.randint(1, 12 if self.random.random() < 0.8 else ROWS)
            statement = self.random.choice((
                "UPDATE v.busy SET n = n + 1 WHERE id = %d" % key, "UPDATE v.busy SET n = n + 1 WHERE id = %d" % key, "DELETE FROM v.busy WHERE id = %d" % key,
                "REPLACE INTO v.busy VALUES (%d, %d, 'again')" % (key, self.random.randint(0, 99)),
                "UPDATE v.words SET n = n + 1 WHERE word = 'word \u00fc %d'" % (key + 20), "UPDATE v.texts SET t = CONCAT(t, 'x') WHERE id = %d" % (key + 20),
                "UPDATE v.busy SET id = 1000 + id WHERE id = %d" % key, "DELETE FROM v.busy WHERE id = %d" % (1000 + key)))
            try:
                cursor.execute(statement)
            except pymysql.err.IntegrityError:
                pass  # the key that the row would go to is taken
            self.done += 1
            time.sleep(0.002)


class Agent:
    def __init__(self, server, folder, schema="v", *more):
        self.server, self.folder, self.port = server, folder, free_port()
        self.tokens = os.path.join(folder, "tokens")
        with open(self.tokens, "w", encoding="utf-8") as file:
            file.write("the-token\n")
        self.process = Process([binary(), "agent", "--source", "mysql://root@127.0.0.1:%d" % server.port, "--include", schema + ".*", "--backfill", "none", *more, "--data", os.path.join(folder, "data"), "--server-id", "s",
                                "--listen", "127.0.0.1:%d" % self.port, "--token-file", self.tokens, "--doubt-token-file", self.tokens], os.path.join(folder, "agent.log"))
        self.process.wait_for("listens on http")

    def status(self):
        reported = subprocess.run([binary(), "agent", "status", "--data", os.path.join(self.folder, "data"), "--json"], stdout=subprocess.PIPE, timeout=30)
        return json.loads(reported.stdout) if reported.returncode in (0, 1) else None

    def wait(self, until, what, seconds=60):
        end, status = time.monotonic() + seconds, None
        while time.monotonic() < end:
            status = self.status()
            if status and until(status):
                return status
            time.sleep(0.1)
        raise RuntimeError("not within %d s: %s: %s" % (seconds, what, json.dumps(status)[:1500]))

    def verify(self, *more):
        """Exit code, what it tells, and the report."""
        made = subprocess.run([binary(), "verify", "--agent", "http://127.0.0.1:%d" % self.port, "--token-file", self.tokens, "--source", "mysql://root@127.0.0.1:%d" % self.server.port,
                               "--json", *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        return made.returncode, json.loads(made.stdout) if made.stdout else made.stderr.decode()


def in_background(server, folder, counter):
    """`--verify`: rounds that prove the history, one that finds a row which was changed without the log, and one after that which is true again."""
    cursor = server.connect().cursor()
    cursor.execute("CREATE DATABASE slow")
    for name in ("one", "two"):
        cursor.execute("CREATE TABLE slow.%s (id INT PRIMARY KEY, n INT)" % name)
        cursor.execute("INSERT INTO slow.%s SELECT n, n FROM v.n LIMIT 15" % name)
    # More than is held at a time: it is read in smaller pieces.
    cursor.execute("CREATE TABLE slow.wide (id INT PRIMARY KEY, b LONGBLOB)")
    for begin in (0, 20):
        cursor.execute("INSERT INTO slow.wide SELECT n + %d, REPEAT('x', 2 << 20) FROM v.n LIMIT 20" % begin)
    agent = Agent(server, folder, "slow", "--verify", "50%/h")
    try:
        proven = lambda s: (s.get("verification") or {}).get("proven") or ""
        first = agent.wait(lambda s: proven(s) > "" and s["verification"]["rows"] >= 70, "a round comes to its end, over the wide rows too")
        counter.equal(first["verification"]["differing"], [], "and finds the history true")
        cursor.execute("SET SESSION sql_log_bin = 0")
        cursor.execute("UPDATE slow.two SET n = -1 WHERE id = 7")
        cursor.execute("SET SESSION sql_log_bin = 1")
        cursor.execute("UPDATE slow.one SET n = n + 1")
        found = agent.wait(lambda s: s["verification"]["differing"], "a round finds what was changed without the log")
        counter.equal(found["verification"]["differing"], ["slow.two"], "the table that differs, and no other")
        counter.check("slow.two: 1 of 15 rows are not those of the history, id = '7' among them" in agent.process.output(), "the log names the row", agent.process.output()[-1500:])
        status = subprocess.run([binary(), "agent", "status", "--url", "http://127.0.0.1:%d" % agent.port, "--token-file", agent.tokens], stdout=subprocess.PIPE, timeout=60)
        counter.check(b"rows were not those of the server at" in status.stdout and b"slow.two" in status.stdout, "agent status says it", status.stdout)
        again = agent.wait(lambda s: proven(s) > proven(found) and not s["verification"]["differing"], "a later round is true again")
        counter.check(all(t["readable"] for t in again["tables"]), "its record has begun again", again["tables"])
    finally:
        agent.process.stop()
    # How far a round was is kept, and what it proved.
    with open(os.path.join(folder, "data", "verified.json"), encoding="utf-8") as f:
        counter.check(json.load(f)["tables"]["slow.one"]["verified"] > "", "kept over a restart")
    counter.check("panicked" not in agent.process.output(), "no panic", agent.process.output()[-500:])


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--server", default="mariadb-11.8")
    arguments = arguments.parse_args()
    true, planted = Counter("a true history"), Counter("planted differences")
    folder = tempfile.mkdtemp(prefix="dbtrail-verify-")
    try:
        with servers.start(arguments.server) as server:
            connection = server.connect()
            cursor = connection.cursor()
            fill(cursor)
            agent = Agent(server, folder)
            agent.wait(lambda s: s["connected"] and s["newest"] and s["baseline"] and s["baseline"]["done"] == s["baseline"]["total"] >= len(TABLES), "the tables are read")
            begun = agent.status()["newest"]
            # MariaDB stamps whole seconds: the second of `begun` must be over when the first change comes, or it is not certain which of the two was first.
            agent.wait(lambda s: s["newest"][:len("2026-01-01T00:00:00")] > begun[:len("2026-01-01T00:00:00")], "the second of `begun` is over")
            work = Work(server)
            work.start()
            state = os.path.join(folder, "state.json")
            for more in (("--piece", "97", "--state", state), ("--since", begun), ("--table", "v.busy", "--piece", "37")):
                code, report = agent.verify(*more)
                true.equal(code, 0, "nothing is found: %s" % (more,)) or print(json.dumps(report)[:3000])
                for name, reported in (report["tables"] if isinstance(report, dict) else {}).items():
                    true.equal(reported["verdict"], "same", "%s %s" % (name, more))
            true.equal(set(report["tables"]), {"v.busy"}, "the table that is named")
            code, report = agent.verify("--rate", "4000")
            true.check(code == 0 and report["tables"]["v.numbers"]["rows"] == ROWS, "rows are counted", report["tables"].get("v.numbers"))
            true.check(work.done > 200, "there was a workload", work.done)
            # Planted while it goes on.
            quiet = server.connect().cursor()
            quiet.execute("SET sql_log_bin = 0")
            for _, statement, _, _ in PLANTED:
                quiet.execute(statement)
            quiet.execute("CREATE TABLE v.made (id INT PRIMARY KEY)")
            code, report = agent.verify("--dry-run")
            planted.equal(code, 1, "the exit code of a difference")
            for table, statement, key, words in PLANTED:
                reported = report["tables"].get("v." + table, {})
                found = [d["what"] for d in reported.get("differences", []) if d["key"] == key]
                planted.check(len(found) == 1 and words in found[0], statement, reported, (key, words))
            named = {}
            for table, _, key, _ in PLANTED:
                named.setdefault("v." + table, set()).add(key)
            named["v.numbers"].add("id = '100009'")
            for name, keys in named.items():
                got = {d["key"] for d in report["tables"][name]["differences"]}
                if name != "v.emptied":
                    planted.equal(got, keys, "nothing else is named of " + name)
                else:
                    planted.equal(report["tables"][name]["differing"], ROWS, "all rows of an emptied table")
            planted.equal(report["tables"].get("v.made", {}).get("verdict"), "unknown", "a table of which the log says nothing")
            for name in ("v.busy", "v.true_one"):
                planted.equal(report["tables"][name]["verdict"], "same", name + " is as before")
            planted.equal(report["in_doubt_since"], {}, "--dry-run puts nothing in doubt")
            # Put in doubt: refused for the time that is not proven, told before and after.
            before = agent.status()["newest"]
            code, report = agent.verify("--table", "v.pairs", "--state", state)
            planted.equal((code, list(report["in_doubt_since"])), (1, ["v.pairs"]), "put in doubt") or print(report)
            since = report["in_doubt_since"].get("v.pairs", "")
            planted.check(begun <= since <= before, "since the last time that it was true", (begun, since, before))
            agent.wait(lambda s: s["newest"] > before and any(t["table"] == "pairs" and t["readable"] for t in s["tables"]) and s["baseline"]["done"] == s["baseline"]["total"], "its record begins again")
            planted.check("v.pairs" in agent.process.output() and "is in doubt" in agent.process.output(), "the agent's log says so")

            def dump(at):
                made = subprocess.run([binary(), "dump", "--agent", "http://127.0.0.1:%d" % agent.port, "--token-file", agent.tokens, "--table", "v.pairs", "--as-of", at, "--format", "ndjson"],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
                return made.returncode, made.stdout.decode().count("\n"), made.stderr.decode()

            refused = dump(before)
            planted.check(refused[0] != 0 and "`verify` found that the server's rows are not those of the history: " in refused[2] and "a = '7', b = 'b7': n is '8'" in refused[2], "refused with what was found", refused[2])
            then = dump(begun)
            planted.equal(then[:2], (0, ROWS), "told up to where it was true: %s" % then[2])
            code, report = agent.verify("--table", "v.pairs")
            planted.equal((code, report["tables"]["v.pairs"]), (0, {"verdict": "same", "rows": ROWS + 1}), "true again")
            # So many rows differ that the rest is not looked at: since when that does is not known either.
            quiet.execute("UPDATE v.many SET n = -1 WHERE id > 400 + %d" % (MANY // 2))
            between = agent.status()["newest"]
            second = lambda s: s["newest"][:len("2026-01-01T00:00:00")]
            agent.wait(lambda s: second(s) > between[:len("2026-01-01T00:00:00")], "the second of the first of them is over")
            cursor.execute("UPDATE v.many SET n = 1 WHERE id <= 400 + %d" % (MANY // 2))
            quiet.execute("UPDATE v.many SET n = 2 WHERE id <= 400 + %d" % (MANY // 2))
            code, report = agent.verify("--table", "v.many", "--piece", "100000", "--dry-run")
            planted.equal((code, report["tables"]["v.many"].get("differing")), (1, 4000), "of one large piece no more are looked at again")
            code, report = agent.verify("--table", "v.many", "--piece", "500")
            planted.equal(code, 1, "many rows differ")
            since = report["in_doubt_since"].get("v.many", "")
            planted.check("" < since <= between, "in doubt from where the record begins", (since, between))
            planted.check(report["tables"]["v.many"].get("differing", 0) >= 2000, "and how many were looked at", str(report["tables"]["v.many"])[:300])
            work.over = True
            agent.process.stop()
            log = agent.process.output()
            true.check("panicked" not in log, "no panic", log[-500:])
            slow = os.path.join(folder, "slow")
            os.mkdir(slow)
            in_background(server, slow, true)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    finish([true, planted], 70)


if __name__ == "__main__":
    main()
