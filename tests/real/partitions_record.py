#!/usr/bin/env python3
"""Records into which partitions a server puts rows.

    partitions_record.py PORT OUT.jsonl

A line a table: its columns (name, type, collation), what follows PARTITION BY, whether the server is MariaDB, and rows with the number of their
partition. The unit tests of crates/history/src/schema/partition hold the program's own rules against it. Values that the program does not follow are there too:
for them it must say nothing.
"""
import json
import random
import sys

import pymysql

R = random.Random(12)
TIMES = ["00:00:00", "12:34:56", "23:59:59", "02:03:04", "08:32:32", "20:20:20"]
DATES = ["2020-01-01", "2024-02-29", "1999-12-31", "2026-11-29", "1000-01-01", "9999-12-31", "2021-06-15", "1970-08-09", "4100-01-01", "4128-08-08"] + [
    "%04d-%02d-%02d" % (R.randint(1000, 9999), R.randint(1, 12), R.randint(1, 28)) for _ in range(20)]
STAMPS = ["%04d-%02d-%02d %s" % (R.randint(1971, 2037), R.randint(1, 12), R.randint(1, 28), R.choice(TIMES)) for _ in range(20)]
LATIN = bytes(b for b in range(256) if b not in (0x81, 0x8d, 0x8f, 0x90, 0x9d)).decode("cp1252")
WORDS = ["", "a", "A", "a ", "  b", "zz", "Zürich", "é", "É", "ß", "日本", "🙂", "hello world", "12", "x y", "tab\t"]
SPANS = ["00:00:00", "12:34:56", "-12:34:56", "838:59:59", "-838:59:59", "-00:00:01", "08:32:32", "100:00:00"]


def fractions(values, fsp):
    return ["%s.%s" % (v, "".join(R.choice("0123456789") for _ in range(fsp))) for v in values]


def bits(length, count):
    return [R.getrandbits(count).to_bytes(length, "big") for _ in range(20)] + [b"\0" * length]


NUMBERS = ["0", "-0.0", "1.5", "-1", "3.25", "20", "0.1", "97.5", "-1e10", "1e-5", "12582912"] + ["%.5g" % R.uniform(-1e6, 1e6) for _ in range(40)]
LABELS = ["l%d" % n for n in range(300)]
# Of versions 1 and 4 to 7, and none: MariaDB keeps the parts of some of them in another order.
IDS = ["".join("%02x" % R.getrandbits(8) for _ in range(4)) + "-%04x-%s%03x-%s%03x-%012x" % (R.getrandbits(16), version, R.getrandbits(12), variant, R.getrandbits(12), R.getrandbits(48))
       for version in "1467f0" for variant in "89c0" for _ in range(3)] + ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "20202020-2020-2020-2020-202020202020"]
MORE = ["Straße", "STRASSE", "ﬁn", "æther", "Łódź", "ñandú", "Привет", "привет", "ΑΒΓ", "αβγ", "日本語", "漢字かな", "カナ", "한국어", "a😀b", "😎", "x" * 20, "a_b", "A-b", "€", "‰", "ÿ", "Ÿ", "café  ", "ÀÉÎ", "it's", "½", "א", "ա", "©®"]
KEYS = [
    ("date", None, DATES), ("datetime", None, [d + " " + R.choice(TIMES) for d in DATES]), ("timestamp", None, STAMPS), ("time", None, SPANS),
    ("datetime(1)", None, fractions(STAMPS, 1)), ("datetime(3)", None, fractions(STAMPS, 3)), ("datetime(6)", None, fractions(STAMPS, 6)),
    ("time(2)", None, fractions(SPANS[:-2] + SPANS[6:], 2)), ("time(4)", None, fractions(SPANS[:2], 4)), ("time(6)", None, fractions([s for s in SPANS if "838" not in s], 6)),
    ("decimal(12,3)", None, ["%.3f" % R.uniform(-999999999, 999999999) for _ in range(20)] + ["0.000", "-0.001", "97.097"]),
    ("decimal(30,0)", None, ["%d" % R.randint(-10 ** 29, 10 ** 29) for _ in range(10)] + ["0", "7"]), ("decimal(10,10)", None, ["0.%010d" % R.randint(0, 10 ** 10 - 1) for _ in range(9)]),
    ("double", None, NUMBERS + ["1e300", "-2.2250738585072014e-308"]), ("float", None, ["%.6g" % float(n) for n in NUMBERS]), ("year", None, ["2000", "1901", "2155"]), ("bigint", None, [str(R.randint(-2 ** 63, 2 ** 63 - 1)) for _ in range(20)]),
    ("binary(6)", None, ["abcdef", "ABCDEF", "a     "]), ("varbinary(20)", None, [w for w in WORDS if w.isascii()]), ("bit(1)", None, [b"\0", b"\1"]), ("bit(12)", None, bits(2, 12)), ("bit(64)", None, bits(8, 64)), ("enum('a','b')", None, ["a", "b"]), ("enum('%s')" % "','".join(LABELS), None, LABELS[::7]),
    ("set('x','Y','z')", None, ["", "x", "Y", "x,Y", "z", "x,z", "Y,z", "x,Y,z"]), ("set('%s')" % "','".join(LABELS[:40]), None, [",".join(LABELS[at:at + 3]) for at in range(0, 37, 2)]),
    ("int(6) zerofill", None, ["000007", "123456"]), ("uuid", None, IDS), ("inet6", None, ["::", "::1", "fe80::", "2001:db8::8a2e:370:7334", "::ffff:192.168.0.1"]), ("inet4", None, ["0.0.0.0", "10.0.0.1", "192.168.97.32", "255.255.255.255"]),
]
for collation in ("latin1_swedish_ci", "latin1_bin", "latin1_general_ci", "ascii_general_ci", "ascii_bin", "utf8mb4_bin", "utf8mb4_general_ci", "utf8mb4_0900_bin", "utf8mb4_0900_ai_ci", "utf8mb3_bin",
                  "utf8mb3_general_ci", "utf8mb4_unicode_ci", "utf8mb4_uca1400_ai_ci", "cp1251_general_ci", "utf16_bin", "utf8mb3_unicode_ci", "utf8mb4_unicode_520_ci", "utf8mb3_uca1400_ai_ci",
                  "utf8mb4_uca1400_nopad_ai_ci", "utf8mb4_general_nopad_ci", "utf8mb4_nopad_bin", "utf8mb4_unicode_nopad_ci", "latin1_nopad_bin", "latin1_swedish_nopad_ci"):
    fits = {"latin1": lambda w: all(c in LATIN for c in w), "ascii": str.isascii, "utf8mb3": lambda w: max(w, default="") < "\uffff", "cp1251": str.isascii}.get(collation.split("_")[0], lambda w: True)
    KEYS += [(ty, collation, [w for w in WORDS + MORE if fits(w) and (ty[0] != "c" or w == w.rstrip())]) for ty in ("varchar(20)", "char(20)")]

D, N = "d date NOT NULL", "n int NOT NULL"
RULES = [
    (["d datetime"], "RANGE (YEAR(d) * 100 + MONTH(d)) (PARTITION a VALUES LESS THAN (202001), PARTITION b VALUES LESS THAN (202412), PARTITION c VALUES LESS THAN MAXVALUE)",
     [["2019-12-31 23:59:59"], ["2020-01-01 00:00:00"], ["2024-11-30 23:59:59"], ["2024-12-01 00:00:00"], ["9999-12-31 00:00:00"]]),
    (["d datetime"], "RANGE (TO_SECONDS(d)) (PARTITION a VALUES LESS THAN (TO_SECONDS('2020-01-01 12:00:00')), PARTITION b VALUES LESS THAN (TO_SECONDS('2024-01-01')), PARTITION c VALUES LESS THAN MAXVALUE)",
     [["2020-01-01 11:59:59"], ["2020-01-01 12:00:00"], ["2023-12-31 23:59:59"], ["2024-01-01 00:00:00"]]),
    (["n int"], "LIST (n MOD 3) (PARTITION a VALUES IN (0, -1), PARTITION b VALUES IN (1, 2, -2))", [[str(n)] for n in range(-7, 8)]),
    (["n int"], "LIST (MOD(n, 3)) (PARTITION a VALUES IN (0), PARTITION b VALUES IN (1, 2))", [[str(n)] for n in range(0, 8)]),
    (["n int"], "RANGE (n DIV 10) (PARTITION a VALUES LESS THAN (-1), PARTITION b VALUES LESS THAN (1), PARTITION c VALUES LESS THAN MAXVALUE)", [[str(n)] for n in (-25, -20, -19, -10, -9, 0, 9, 10, 11)]),
    (["n int", "m int"], "HASH (n + m * 2) PARTITIONS 7", [[str(n), str(m)] for n in (-9, 0, 5) for m in (-3, 0, 8)]),
    (["n int", "m int"], "LINEAR HASH (n - m) PARTITIONS 6", [[str(n), str(m)] for n in (-9, 0, 5) for m in (-3, 0, 8)]),
    (["d date"], "HASH (MONTH(d)) PARTITIONS 12", [[d] for d in DATES]), (["d date"], "HASH (DAYOFWEEK(d)) PARTITIONS 7", [[d] for d in DATES]), (["d date"], "HASH (WEEKDAY(d)) PARTITIONS 7", [[d] for d in DATES]),
    (["d date"], "HASH (DAYOFYEAR(d)) PARTITIONS 61", [[d] for d in DATES]), (["d date"], "HASH (QUARTER(d)) PARTITIONS 4", [[d] for d in DATES]), (["d date"], "HASH (DAYOFMONTH(d)) PARTITIONS 31", [[d] for d in DATES]),
    (["d datetime"], "HASH (HOUR(d) * 3600 + MINUTE(d) * 60 + SECOND(d)) PARTITIONS 97", [[s] for s in STAMPS]), (["d date"], "HASH (-(TO_DAYS(d) %% 9) + 3) PARTITIONS 5", [[d] for d in DATES]),
    (["n int", "m int"], "RANGE COLUMNS (n, m) (PARTITION a VALUES LESS THAN (5, 10), PARTITION b VALUES LESS THAN (5, MAXVALUE), PARTITION c VALUES LESS THAN (7, -3), PARTITION d VALUES LESS THAN (MAXVALUE, MAXVALUE))",
     [[str(n), str(m)] for n in (-1, 4, 5, 6, 7, 8) for m in (-4, -3, 9, 10, 11)]),
    (["n int", "d date", "v varchar(9)"], "RANGE COLUMNS (v, d) (PARTITION a VALUES LESS THAN ('b', '2020-01-01'), PARTITION b VALUES LESS THAN ('b', MAXVALUE), PARTITION c VALUES LESS THAN (MAXVALUE, MAXVALUE))",
     [["1", "2019-12-31", "b"], ["1", "2020-01-01", "b"], ["1", "2020-01-01", "a"], ["1", "2020-01-01", "c"], ["1", "2020-01-01", "ba"]]),
    (["n int", "m int"], "LIST COLUMNS (n, m) (PARTITION a VALUES IN ((1, 1), (2, 5)), PARTITION b VALUES IN ((1, 2), (-2, 5)))", [["1", "1"], ["2", "5"], ["1", "2"], ["-2", "5"]]),
    (["d date", "n int"], "KEY (d, n) PARTITIONS 13", [[d, str(R.randint(-99, 99))] for d in DATES]),
]


def main():
    port, out = int(sys.argv[1]), open(sys.argv[2], "w", encoding="utf-8")
    cursor = pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True, charset="utf8mb4", conv=pymysql.converters.encoders).cursor()
    for sql in ("DROP DATABASE IF EXISTS parts", "CREATE DATABASE parts", "USE parts", "SET sql_mode = ''", "SET time_zone = '+00:00'"):
        cursor.execute(sql)
    cursor.execute("SELECT VERSION()")
    maria = "MariaDB" in cursor.fetchone()[0]
    # How MySQL 5.1 hashed; MySQL alone lets one choose it.
    old = [] if maria else [(["k " + ty + (" COLLATE " + collation if collation else "")], "KEY ALGORITHM=1 (k) PARTITIONS 61", [[v] for v in values]) for ty, collation, values in KEYS
                            if collation in (None, "latin1_bin", "utf8mb4_0900_ai_ci")]
    tables = [(["k " + ty + (" COLLATE " + collation if collation else "")], "KEY (k) PARTITIONS 61", [[v] for v in values]) for ty, collation, values in KEYS] + old + RULES
    for columns, rule, rows in tables:
        rule = rule.replace("%%", "%")
        names = [c.split(" ")[0] for c in columns]
        found = {}
        try:
            cursor.execute("DROP TABLE IF EXISTS t")
            cursor.execute("CREATE TABLE t (i INT AUTO_INCREMENT, %s, KEY (i)) ENGINE=%s PARTITION BY %s" % (", ".join(columns), "InnoDB", rule))
        except pymysql.MySQLError as e:
            print("left out, %s: %s: %s" % (columns, rule, e.args))
            continue
        for row in rows:
            cursor.execute("INSERT INTO t (%s) VALUES (%s)" % (", ".join(names), ", ".join(["%s"] * len(row))), row)
        cursor.execute("INSERT IGNORE INTO t () VALUES ()")
        cursor.execute("SELECT partition_name FROM information_schema.partitions WHERE table_schema = 'parts' AND table_name = 't' ORDER BY partition_ordinal_position")
        for at, (name,) in enumerate(cursor.fetchall()):
            cursor.execute("SELECT %s FROM t PARTITION (%s) ORDER BY i" % (", ".join(["i"] + names), name))
            for i, *row in cursor.fetchall():
                found[i] = ([None if v is None else text(v) for v in row], at)
        cursor.execute("SELECT column_name, column_type, collation_name FROM information_schema.columns WHERE table_schema = 'parts' AND table_name = 't' AND column_name <> 'i' ORDER BY ordinal_position")
        described = [{"name": n, "type": t if isinstance(t, str) else t.decode(), "nullable": True, "collation": c} for n, t, c in cursor.fetchall()]
        json.dump({"columns": described, "rule": rule, "mariadb": maria, "rows": [found[i] for i in sorted(found)]}, out, ensure_ascii=False)
        out.write("\n")


def text(value):
    """As the program has a cell: UTF-8, or {"hex"}."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"hex": value.hex()}
    return str(value)


main()
