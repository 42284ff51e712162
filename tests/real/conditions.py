#!/usr/bin/env python3
"""Conditions on rows, generated, held against the server's own answer to the same WHERE on the same rows: equal, or refused. Then questions with COUNT, MIN, MAX,
SUM, GROUP BY and HAVING likewise, with the types of their columns.

    conditions.py [--server mysql | mariadb-11.8] [--count 10000] [--aggregates 3000] [--seed 1] [--least 60]

A table with a column of each kind is made on a server of the test's own, and `up` follows it. Ends with 1 where an answer differs, and shows the
statement; or where less than `--least` percent are answered. Prints how many are refused, and why.
"""
import argparse
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

import pymysql
import pymysql.converters

import servers
from harness import binary, dies_with_us, free_port

COLUMNS = [
    ("a", "INT", "number"), ("b", "BIGINT UNSIGNED", "number"), ("c", "DECIMAL(12,3)", "number"),
    ("d", "DOUBLE", "number"), ("f", "FLOAT", "number"), ("t", "TINYINT", "number"),
    ("y", "YEAR", "year"), ("da", "DATE", "date"), ("dt", "DATETIME(3)", "time"),
    ("ts", "TIMESTAMP NULL", "time0"), ("ti", "TIME(1)", "clock"),
    ("vb", "VARBINARY(8)", "binary"), ("bi", "BINARY(3)", "binary3"), ("bl", "BLOB", "binary"),
    ("vc", "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci", "text"),
    ("vn", "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "text"),
    ("la", "VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci", "text"),
    ("tx", "TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", "text"),
    ("en", "ENUM('new','paid','Sent') CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci", "label"),
    ("bt", "BIT(10)", "bits"),
]
WORDS = ["", "a", "A", "ab", "Ab ", "ab ", " ab", "b", "paid", "Paid", "x%y", "x_y", "naive", "na\u00efve", "STRASSE", "stra\u00dfe", "z"]


def value(r, kind):
    """A literal of a kind, as SQL."""
    if kind == "number":
        return r.choice([str(r.randint(-300, 300)), str(r.randint(-5, 5)), "%d.%d" % (r.randint(-20, 20), r.randint(0, 99)),
                         "0.1", "0.100", "1e1", "2.5e0", "18446744073709551615", "9007199254740993", "-1", "127", "128",
                         "'%d'" % r.randint(-20, 20), "'1.5'", "0"])
    if kind == "year":
        return r.choice(["2026", "1999", "'2026'", "26", "0", "1901", "2155"])
    if kind == "date":
        return r.choice(["'2026-01-0%d'" % r.randint(1, 9), "DATE '2026-01-03'", "'2026-01-03 00:00:00'", "'2026-01-03 10:00:00'", "'20260103'"])
    if kind in ("time", "time0"):
        return r.choice(["'2026-01-0%d 10:00:00'" % r.randint(1, 4), "'2026-01-02'", "TIMESTAMP '2026-01-02 10:00:00'",
                         "'2026-01-02 10:00:00.500'", "'2026-01-02 10:00:00.1234'"])
    if kind == "clock":
        return r.choice(["'10:00:00'", "'-01:00:00'", "'10:00:00.5'", "'100:00:00'", "'9:00'"])
    if kind in ("binary", "binary3"):
        return r.choice(["x'00ff61'", "x'616200'", "'abc'", "x'61'", "''", "_binary'abd'", "x'ffffff'"])
    if kind == "text":
        return "'%s'" % r.choice(WORDS)
    if kind == "label":
        return "'%s'" % r.choice(["new", "paid", "Sent", "sent", "other"])
    return r.choice(["0", "1", "513", "1023", "b'1'"])


def stored(r, kind):
    """A value to be stored."""
    if r.random() < 0.12:
        return "NULL"
    if kind == "number":
        return str(r.choice([r.randint(-100, 100), r.randint(-5, 5), 0, 1, 10, 0.1, 0.5, 2.5, 127]))
    if kind == "label":
        return "'%s'" % r.choice(["new", "paid", "Sent"])
    if kind == "year":
        return r.choice(["2026", "1999", "0", "1901"])
    if kind == "date":
        return "'2026-01-0%d'" % r.randint(1, 9)
    if kind == "bits":
        return r.choice(["0", "1", "513", "1023"])
    if kind == "clock":
        return r.choice(["'10:00:00'", "'-01:00:00'", "'10:00:00.5'", "'100:00:00'"])
    if kind == "time0":
        return "'2026-01-0%d 10:00:00'" % r.randint(1, 4)
    if kind == "time":
        return "'2026-01-0%d 10:00:00.%d'" % (r.randint(1, 4), r.choice([0, 5, 123]))
    return value(r, kind)


def condition(r, depth=2):
    if depth and r.random() < 0.5:
        parts = [condition(r, depth - 1) for _ in range(r.randint(2, 3))]
        joined = (" AND " if r.random() < 0.5 else " OR ").join("(%s)" % p for p in parts)
        return "NOT (%s)" % joined if r.random() < 0.25 else joined
    name, _, kind = r.choice(COLUMNS)
    form = r.random()
    no = r.choice(["", "", "NOT "])
    if form < 0.5:
        left, right = name, value(r, kind) if r.random() > 0.05 else "NULL"
        if r.random() < 0.15:
            left, right = right, left
        return "%s %s %s" % (left, r.choice(["=", "<>", "!=", "<", "<=", ">", ">=", "<=>"]), right)
    if form < 0.65:
        values = [value(r, kind) for _ in range(r.randint(1, 4))] + (["NULL"] if r.random() < 0.1 else [])
        return "%s %sIN (%s)" % (name, no, ", ".join(values))
    if form < 0.8:
        return "%s %sBETWEEN %s AND %s" % (name, no, value(r, kind), value(r, kind))
    if form < 0.9:
        return "%s IS %sNULL" % (name, no)
    pattern = r.choice(["a%", "%b%", "_b", "ab_", "%", "", "A%", "x|%y", "na_ve", "P%", "2026-01-0%", "%1", "1_", "%:00%"])
    return "%s %sLIKE '%s'%s" % (name, no, pattern, " ESCAPE '|'" if "|" in pattern else "")


def aggregate(r):
    name, _, kind = r.choice(COLUMNS)
    form = r.choice(["COUNT(*)", "COUNT(%s)", "COUNT(DISTINCT %s)", "COUNT(DISTINCT %s, a)", "MIN(%s)", "MAX(%s)", "MIN(%s)", "MAX(%s)", "SUM(%s)"])
    return form % name if "%" in form else form, kind


def grouped(r):
    """A question: select list, what follows FROM, whether the order of its rows is known, how many columns are compared."""
    groups = r.sample([name for name, _, _ in COLUMNS], r.choice([0, 1, 1, 2]))
    items = groups + [aggregate(r)[0] for _ in range(r.randint(1, 3))]
    tail = ""
    if r.random() < 0.5:
        tail += " WHERE " + condition(r, 1)
    if groups:
        tail += " GROUP BY " + ", ".join(groups)
    if r.random() < 0.4:
        what, kind = aggregate(r)
        if what.startswith(("COUNT", "SUM")):
            kind = "number"
        tail += " HAVING %s %s %s" % (what, r.choice(["=", "<>", "<", ">=", "<=>"]), value(r, kind)) if r.random() < 0.8 else " HAVING %s IS NOT NULL" % what
    if r.random() < 0.3:
        tail += " ORDER BY %s %s" % (aggregate(r)[0] if r.random() < 0.5 else items[-1], r.choice(["", "DESC"]))
    return ", ".join(items), tail


def declared(cursor, mysql):
    """The types of the columns. MariaDB declares other lengths for floating-point numbers, and TIMESTAMP as unsigned; decimals of strings and the flag BINARY depend on how the server went about it."""
    fields = [(f.type_code, f.length, f.scale if f.type_code in (4, 5, 7, 11, 12, 246) else 0, f.flags & 0x21) for f in cursor._result.fields]
    return fields if mysql else [(field[0], field[3] & 1) for field in fields]


def aggregates(args, r, c, s):
    """As many questions, each to the server and to the shim."""
    equal, reasons, mysql = 0, {}, args.server == "mysql"
    for _ in range(args.aggregates):
        items, tail = grouped(r)
        try:
            c.execute("SELECT %s FROM conditions.t%s" % (items, tail))
            want = sorted(map(repr, c.fetchall())), declared(c, mysql)
        except pymysql.err.Error as e:
            want = e
        try:
            s.execute("SELECT %s FROM _flashback.conditions.t AS OF LATEST ALLOW SCAN%s" % (items, tail))
            got = sorted(map(repr, s.fetchall())), declared(s, mysql)
        except pymysql.err.Error as e:
            why = re.sub(r"line \d+, column \d+|request \S+|'[^']*'|-?\d+(\.\d+)?", "#", e.args[1])[:140]
            reasons[why] = reasons.get(why, 0) + 1
            if e.args[0] not in (1235, 1064):
                raise SystemExit("%s%s: %s" % (items, tail, e))
            continue
        if got != want:
            print("DIFFERENT: SELECT %s ...%s\n  server %s\n  shim   %s" % (items, tail, want, got))
            return 1
        equal += 1
    print("%d questions with aggregates on %s: %d equal" % (args.aggregates, args.server, equal))
    for why, count in sorted(reasons.items(), key=lambda pair: -pair[1])[:25]:
        print("%6d %s" % (count, why))
    return 0 if equal * 100 >= args.aggregates * 20 else 1


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--server", default="mysql", choices=list(servers.KINDS))
    p.add_argument("--count", type=int, default=10000)
    p.add_argument("--aggregates", type=int, default=3000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--least", type=float, default=60)
    args = p.parse_args()
    with servers.start(args.server) as server:
        return compared(args, server.port)


def compared(args, port):
    r = random.Random(args.seed)
    listen = free_port()
    server = pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True, charset="utf8mb4", conv=pymysql.converters.encoders, init_command="SET time_zone = '+00:00'")
    c = server.cursor()
    c.execute("CREATE DATABASE conditions")
    folder = tempfile.mkdtemp(prefix="dbtrail-conditions-")
    command = [binary(), "up", "--source", "mysql://root@127.0.0.1:%d" % port, "--data", folder + "/data",
               "--include", "conditions.*", "--listen", "127.0.0.1:%d" % listen]
    with open(folder + "/log", "w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=dies_with_us)
    try:
        time.sleep(5)
        c.execute("CREATE TABLE conditions.t (id INT PRIMARY KEY, %s)" % ", ".join("%s %s" % (n, t) for n, t, _ in COLUMNS))
        for i in range(60):
            c.execute("SET SESSION sql_mode = ''")
            c.execute("INSERT INTO conditions.t VALUES (%d, %s)" % (i, ", ".join(
                stored(r, "number") if k == "number" else stored(r, k) for _, _, k in COLUMNS)))
        time.sleep(4)
        shim = connect(listen, folder + "/log")
        s = shim.cursor()
        equal = refused = 0
        reasons = {}
        for n in range(args.count):
            where = condition(r)
            try:
                c.execute("SELECT id FROM conditions.t WHERE %s ORDER BY id" % where)
                want = [row[0] for row in c.fetchall()]
            except pymysql.err.Error:
                want = None
            try:
                s.execute("SELECT id FROM _flashback.conditions.t AS OF LATEST ALLOW SCAN WHERE %s" % where)
                got = [row[0] for row in s.fetchall()]
            except pymysql.err.Error as e:
                refused += 1
                why = re.sub(r"line \d+, column \d+|request \S+|'[^']*'|-?\d+(\.\d+)?", "#", e.args[1])[:140]
                reasons[why] = reasons.get(why, 0) + 1
                if e.args[0] not in (1235, 1064):
                    raise SystemExit("%s: %s" % (where, e))
                continue
            if got != want:
                print("DIFFERENT: WHERE %s\n  server %s\n  shim   %s" % (where, want, got))
                return 1
            equal += 1
        print("%d conditions on %s: %d equal, %d refused" % (args.count, args.server, equal, refused))
        for why, count in sorted(reasons.items(), key=lambda pair: -pair[1])[:20]:
            print("%6d %s" % (count, why))
        return 1 if equal * 100 < args.count * args.least else aggregates(args, r, c, s)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def connect(port, log):
    """The shim's line for clients names user and password."""
    text = open(log).read()
    user, password = (re.search(r"^%s +(\S+)" % word, text, re.M).group(1) for word in ("user", "password"))
    return pymysql.connect(host="127.0.0.1", port=port, user=user, password=password, charset="utf8mb4", conv=pymysql.converters.encoders, ssl={"check_hostname": False})


if __name__ == "__main__":
    sys.exit(main())
