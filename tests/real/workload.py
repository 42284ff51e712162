#!/usr/bin/env python3
"""A random workload on a real server: what it answered after each transaction is what the shim answers for that GTID.

    workload.py --shim BINARY --port N --binlogs FOLDER [--transactions 300] [--seed 1] [--set NAME=VALUE ...]

Many column types with values at their edges, transactions of several statements, savepoints, rollbacks, keys that change, rows of a
megabyte, several log files. --set: global variables for the run (log_bin_compress=ON, binlog_row_metadata=NO_LOG, ...).
"""
import argparse
import collections
import os
import random
import sys

from ddl import Recorder, compare, connect

TABLES = """
CREATE TABLE numbers (id INT NOT NULL PRIMARY KEY, t TINYINT, tu TINYINT UNSIGNED, s SMALLINT, m MEDIUMINT UNSIGNED, b BIGINT, bu BIGINT UNSIGNED,
  d DECIMAL(30,10), du DECIMAL(5,0) UNSIGNED, f FLOAT, g DOUBLE, z INT(7) ZEROFILL, bt BIT(13), bo BOOLEAN)
CREATE TABLE times (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, d DATE, t TIME, t6 TIME(6), dt DATETIME, d3 DATETIME(3), ts TIMESTAMP NULL, ts6 TIMESTAMP(6) NULL, y YEAR)
CREATE TABLE texts (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, n SMALLINT NOT NULL, c CHAR(10), v VARCHAR(500), l VARCHAR(50) CHARACTER SET latin1,
  b BINARY(6), vb VARBINARY(300), tx MEDIUMTEXT, bl LONGBLOB, e ENUM('', 'one', 'zw\u00f6lf'), s SET('a','b','c','d'), PRIMARY KEY (k, n))
CREATE TABLE only_key (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY)
"""
MIN, MAX = "min", "max"


def values(rng):
    pick = rng.choice
    return {
        "t": pick([-128, 127, 0, None]), "tu": pick([0, 255, None]), "s": pick([-32768, 32767, 5]), "m": pick([0, 16777215]),
        "b": pick([-2**63, 2**63 - 1, 0, None]), "bu": pick([0, 2**64 - 1, None]),
        "d": pick(["0", "-0.0000000001", "99999999999999999999.9999999999", "1.5", None]), "du": pick([0, 99999, None]),
        "f": pick([0, 1.5, -3.4e38, 1e-30, 0.1, 16777216, None]), "g": pick([0, 1e300, -1e-300, 0.1, 1 / 3, 1e15, 123456789012345680, None]),
        "z": pick([0, 42, 12345678]), "bt": pick([0, 8191, 257, None]), "bo": pick([0, 1, None]),
        "d_": pick(["'2024-02-29'", "'0001-01-01'", "'9999-12-31'", "NULL"]), "t_": pick(["'-838:59:59'", "'838:59:59'", "'00:00:00'", "NULL"]),
        "t6": pick(["'-00:00:00.000001'", "'12:34:56.789000'", "NULL"]), "dt": pick(["'1000-01-01 00:00:00'", "'2026-06-01 12:00:00'", "NULL"]),
        "d3": pick(["'2026-06-01 12:00:00.120'", "'9999-12-31 23:59:59.999'", "NULL"]),
        "ts": pick(["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "NULL"]), "ts6": pick(["'2001-09-09 01:46:40.000001'", "NULL"]),
        "y": pick(["1901", "2155", "0", "NULL"]),
        "c": pick(["", "a", "tenchars10", "\u00e4\u00f6\u00fc", None]), "v": pick(["", "x" * 500, "trailing  ", "\U0001f600", "quote ' and \\", None]),
        "l": pick(["latin \u00e9\u20ac", "", None]), "tx": pick(["", "text\n\t\u00df" * 50, None]),
        "e": pick(["", "one", "zw\u00f6lf", None]), "set": pick(["", "a", "a,b,c,d", "b,d", None]),
        "bin": pick([b"", b"ab\0", b"abcdef", None]), "vb": pick([b"", bytes(range(256)), None]),
        "bl": pick([b"", b"\xff" * 70000, None, rng.randbytes(1 << 20) if rng.random() < 0.05 else b"small"]),
    }


def statement(rng, alive):
    """One statement, its table chosen at random."""
    v = values(rng)
    table = rng.choice(["numbers", "times", "texts", "only_key"])
    if table == "only_key":
        return rng.choice(["INSERT INTO only_key VALUES (NULL)", "DELETE FROM only_key ORDER BY id LIMIT 1", "UPDATE only_key SET id = id + 1000 ORDER BY id DESC LIMIT 1"]), ()
    i = rng.randrange(1, 13)
    if rng.random() < 0.2:
        where = "k = %s AND n = %s" if table == "texts" else "id = %s"
        return "DELETE FROM %s WHERE %s" % (table, where), (("key%d" % i, i) if table == "texts" else (i,))
    if table == "numbers":
        names = ["t", "tu", "s", "m", "b", "bu", "d", "du", "f", "g", "z", "bt", "bo"]
        if rng.random() < 0.3:
            return "UPDATE numbers SET id = id + 20, t = %s WHERE id = %s", (v["t"], i)
        return "REPLACE INTO numbers (id, %s) VALUES (%%s%s)" % (", ".join(names), ", %s" * len(names)), (i, *(v[n] for n in names))
    if table == "times":
        return "INSERT INTO times VALUES (%d, %s) ON DUPLICATE KEY UPDATE d = VALUES(d), t6 = VALUES(t6), ts6 = VALUES(ts6)" % (
            i, ", ".join(v[n] for n in ["d_", "t_", "t6", "dt", "d3", "ts", "ts6", "y"])), ()
    if rng.random() < 0.3:
        return "UPDATE texts SET n = n + 1, v = %s WHERE n > %s ORDER BY n DESC", (v["v"], i)
    return "REPLACE INTO texts VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)", (
        rng.choice(["key%d" % i, "\u00e9%d" % i, "sp ace"]), i, v["c"], v["v"], v["l"], v["bin"], v["vb"], v["tx"], v["bl"], v["e"], v["set"])


def run(r, onlooker, schema, count, rng):
    steps = []
    r.cursor.execute("CREATE DATABASE %s CHARACTER SET utf8mb4" % schema)
    r.cursor.execute("USE %s" % schema)
    for create in TABLES.replace("\n  ", " ").strip().split("\n"):
        r.cursor.execute(create)
    for n in range(count):
        kind = rng.choice(["commit", "commit", "commit", "rollback", "savepoint", "auto"])
        if kind != "auto":
            r.cursor.execute("BEGIN")
        for part in range(1 if kind == "auto" else rng.randrange(1, 5)):
            if kind == "savepoint" and part == 1:
                r.cursor.execute("SAVEPOINT a")
            sql, arguments = statement(rng, None)
            try:
                r.cursor.execute(sql, arguments)
            except Exception as e:
                # A duplicate key is part of the workload; anything else is a fault of this script.
                if e.args[0] not in (1062, 1264):
                    raise
        if kind == "savepoint":
            r.try_to("ROLLBACK TO a")
        if kind != "auto":
            r.cursor.execute("ROLLBACK" if kind == "rollback" else "COMMIT")
        if n % 100 == 50:
            r.cursor.execute("FLUSH BINARY LOGS")
        if n % 5 == 0:
            steps.append(("transaction %d" % n, r.gtid(), onlooker.tables(schema)))
    return steps


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--shim", required=True)
    p.add_argument("--port", type=int, required=True)
    p.add_argument("--binlogs", required=True)
    p.add_argument("--transactions", type=int, default=300)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--set", action="append", default=[])
    a = p.parse_args()
    administrator = Recorder(connect(a.port, user="root"))
    before = []
    for setting in a.set:
        name, _, value = setting.partition("=")
        before.append((name, administrator.ask("SELECT @@global.%s" % name)[0][0].decode()))
        administrator.cursor.execute("SET GLOBAL %s = %s" % (name, value))
    schema = "workload_%d" % a.seed
    administrator.cursor.execute("DROP DATABASE IF EXISTS %s" % schema)
    administrator.cursor.execute("FLUSH BINARY LOGS")
    first = administrator.ask("SHOW BINARY LOGS")[-1][0].decode()
    # Settings of a session are taken over from the global ones when it begins.
    session = Recorder(connect(a.port, user="root"))
    steps = run(session, administrator, schema, a.transactions, random.Random(a.seed))
    for name, value in before:
        administrator.cursor.execute("SET GLOBAL %s = %s" % (name, "'%s'" % value if not value.isdigit() else value))
    administrator.cursor.execute("FLUSH BINARY LOGS")
    files = [f[0].decode() for f in administrator.ask("SHOW BINARY LOGS")]
    files = [os.path.join(a.binlogs, f) for f in files[files.index(first):-1]]
    verdicts = collections.defaultdict(list)
    from chain import Chain
    with Chain(a.shim, files) as chain:
        compare(connect(chain.port, user="app", password="secret"), schema, steps, verdicts, False)
    administrator.cursor.execute("DROP DATABASE %s" % schema)
    for verdict in ("WRONG", "refused"):
        for what, sql, got in verdicts[verdict][:5]:
            print("%s after %s\n  %s\n  %s" % (verdict, what, sql, str(got)[:2000]))
    print("%s: %d log files, %d steps; answers: %s" % (" ".join(a.set) or "as it is", len(files), len(steps), {k: len(v) for k, v in verdicts.items()}))
    sys.exit(1 if verdicts["WRONG"] or verdicts["refused"] or not verdicts["right"] else 0)


if __name__ == "__main__":
    main()
