#!/usr/bin/env python3
"""Records which rows a server finds by key conditions, for tests/it/keys.rs.

Tables of many key types, each with some rows, and conditions of every form that a literal can have: plain and quoted numbers, character set
introducers, two-digit years, mixed lists, ranges, typed literals. Usage: keys_record.py PORT KIND OUT [SEED] [COUNT]
(KIND: mysql or mariadb; a server on 127.0.0.1 with root and no password). The output: a line a table (its columns and rows as mysqld prints them, in UTF-8 or
as hexadecimal digits), then a line a condition: table, SETs before it, the condition (bytes as latin1), numbers of the rows found, or the error's number.
"""
import json
import random
import sys

import pymysql

PORT, KIND, OUT = int(sys.argv[1]), sys.argv[2], sys.argv[3]
RANDOM = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 12)
COUNT = int(sys.argv[5]) if len(sys.argv) > 5 else 9000

NEW = "utf8mb4_0900_ai_ci" if KIND == "mysql" else "utf8mb4_uca1400_ai_ci"
WORDS = ["a", "A", "ab", "b", "z", "42", "042", "1e1", "?", "it's", "ä", "Ã¤", "ü", "日", "é", "x y", "-", "_", "ß", "ss"]

# (column type, collation or None, rows)
TYPES = [
    ("int", None, ["0", "1", "42", "-1", "-5", "20", "65", "2020", "16777216", "16777217", "2147483647", "-2147483648"]),
    ("int unsigned", None, ["0", "1", "42", "4294967295", "4294967294"]),
    ("int(6) unsigned zerofill", None, ["000000", "000001", "000042", "123456"]),
    ("tinyint", None, ["0", "1", "42", "-1", "127", "-128"]),
    ("bigint", None, ["0", "1", "42", "-1", "9007199254740992", "9007199254740993", "9007199254740994", "9223372036854775807", "-9223372036854775808"]),
    ("bigint unsigned", None, ["0", "1", "42", "9007199254740992", "9007199254740993", "18446744073709551614", "18446744073709551615"]),
    ("decimal(10,2)", None, ["0.00", "1.10", "42.00", "-1.10", "20.00", "10000000.01", "99999999.99"]),
    ("decimal(15,0)", None, ["0", "1", "42", "-1", "999999999999999", "999999999999998"]),
    ("decimal(30,10)", None, ["0.0000000000", "1.1000000000", "42.0000000000", "12345678901234567890.0000000001", "12345678901234567890.0000000002", "9007199254740993.0000000000", "9007199254740992.0000000000"]),
    ("year", None, ["0000", "1901", "1970", "1999", "2000", "2001", "2020", "2069", "2155"]),
    ("date", None, ["2026-04-27", "2020-01-01", "1999-12-31", "2002-04-27", "2026-01-02"]),
    ("datetime", None, ["2026-04-27 00:00:00", "2026-04-27 09:08:00", "2026-04-27 09:08:07", "2026-04-27 07:08:07", "1999-12-31 23:59:59"]),
    ("datetime(3)", None, ["2026-04-27 00:00:00.000", "2026-04-27 09:08:07.250", "2026-04-27 09:08:07.000", "2026-04-27 09:08:07.251"]),
    ("timestamp(2)", None, ["2026-04-27 00:00:00.00", "2026-04-27 09:08:07.25", "2026-04-27 09:08:07.00", "2026-04-27 07:08:07.00", "2026-04-27 11:08:07.00"]),
    ("time", None, ["00:00:00", "09:08:07", "-09:08:07", "100:00:00", "838:59:59", "00:00:42"]),
    ("varchar(20)", "utf8mb4_bin", WORDS),
    ("varchar(20)", "utf8mb4_general_ci", None),
    ("varchar(20)", NEW, None),
    ("varchar(20)", "utf8mb4_unicode_ci", None),
    ("char(20)", "latin1_bin", [w for w in WORDS if w != "日"]),
    ("varchar(20)", "latin1_swedish_ci", None),
    ("varchar(20)", "utf8mb3_bin", WORDS),
    ("varchar(20)", "ascii_bin", [w for w in WORDS if w.isascii()]),
    ("varchar(20)", "cp1251_bin", ["a", "A", "42", "я", "Я", "?"]),
    ("varbinary(20)", None, WORDS),
    ("binary(2)", None, ["ab", "42", "ä", "\0a", "?a"]),
    ("bit(16)", None, ["\0\0", "\0*", "ab", "42"]),
    ("enum('z','a','m','42','1','','A b')", "utf8mb4_bin", ["z", "a", "m", "42", "1", "", "A b"]),
    ("enum('z','a','M','é','0')", "utf8mb4_general_ci", ["z", "a", "M", "é", "0"]),
    ("enum('z','a','m','0')", NEW, ["z", "a", "m", "0"]),
    ("set('z','a','m')", "utf8mb4_bin", ["", "z", "a", "z,a", "z,a,m"]),
]
if KIND == "mariadb":
    TYPES += [
        ("uuid", None, ["00000000-0000-0000-0000-000000000000", "6ccd780c-baba-1026-9564-5b8c656024db", "fffffff0-baba-4026-9564-5b8c656024db"]),
        ("inet4", None, ["0.0.0.0", "1.2.3.4", "255.0.0.1"]),
        ("inet6", None, ["::", "::1", "fe80::1", "::ffff:1.2.3.4"]),
    ]

CI = ["a", "b", "z", "42", "042", "1e1", "?", "it's", "日", "x y", "-", "_", "ß"]
SETS = [
    [], [], [], [], [], [],
    ["SET NAMES latin1"], ["SET NAMES binary"], ["SET NAMES utf8mb3"], ["SET NAMES latin1", "SET character_set_connection = utf8mb4"],
    ["SET character_set_connection = latin1"], ["SET character_set_connection = ascii"], ["SET character_set_connection = binary"],
    ["SET character_set_connection = cp1251"], ["SET time_zone = '+02:00'"], ["SET sql_mode = 'NO_BACKSLASH_ESCAPES'"], ["SET sql_mode = 'ANSI_QUOTES'"],
]


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def hexed(text, charset="utf8"):
    return text.encode(charset).hex()


def number_forms(n):
    plain = n.lstrip("-")
    sign = "-" if n.startswith("-") else ""
    forms = [n, n, quoted(n), quoted(n), sign + "0" + plain, quoted(sign + "0" + plain), "+" + n if not sign else n, quoted("+" + n) if not sign else n,
             "-" + quoted(plain), "(" + n + ")", quoted(" " + n), quoted(n + " "), quoted(n + "x"), n + "e0", quoted(n + "e0"), "_utf8mb4" + quoted(n),
             "N" + quoted(n), "_latin1" + quoted(n), "_binary" + quoted(n), "x'" + hexed(n) + "'", "-(" + n + ")", "--" + plain if False else "- -" + plain]
    if "." not in n:
        forms += [n + ".0", quoted(n + ".0"), n + ".5", quoted(n + "."), n + ".00000"]
        if not sign:
            forms += ["0x%02x" % int(plain) if len("%x" % int(plain)) % 2 == 0 else "0x0%x" % int(plain), "b'" + bin(int(plain))[2:] + "'"]
    else:
        forms += [n + "0", quoted(n + "0"), n + "1", quoted(n + "000001"), n.rstrip("0"), quoted(n.rstrip("0"))]
    return forms


def time_forms(t):
    date = t[:10]
    rest = t[11:]
    forms = [quoted(t)] * 3 + ["TIMESTAMP" + quoted(t), "DATE" + quoted(date), quoted(date), quoted(t.replace(" ", "T")), quoted(date.replace("-", "/") + t[10:]), quoted(date[2:] + t[10:]),
             quoted(t + "+02:00"), quoted(t + "Z"), quoted(t + " "), quoted(" " + t), quoted(date.replace("-0", "-") + t[10:]), date.replace("-", ""),
             quoted(date.replace("-", "")), quoted(t + ".000" if "." not in t else t + "0"), quoted(t + ".5" if "." not in t else t + "9"), quoted(date + " 00:00:00"),
             "{ts" + quoted(t) + "}", "{d" + quoted(date) + "}", "_latin1" + quoted(t), "N" + quoted(t), quoted(date + " " + rest[:5]), "TIMESTAMP" + quoted(t + ".000" if "." not in t else t),
             "TIMESTAMP" + quoted(date), "DATE" + quoted(date.replace("-", "/")), quoted("0000-00-00"), "_binary" + quoted(t), "x'" + hexed(t) + "'", quoted(t + "x"), "TIMESTAMP" + quoted(t + "+02:00")]
    return forms


def text_forms(w):
    forms = [quoted(w)] * 6 + [quoted(w + " "), quoted(w.upper()), "_utf8mb4" + quoted(w), "N" + quoted(w), "n" + quoted(w), "_utf8" + quoted(w), "_utf8mb3" + quoted(w), "_latin1" + quoted(w),
             "_binary" + quoted(w), "x'" + hexed(w) + "'", "0x" + hexed(w) if w else "''", "_utf8mb4 x'" + hexed(w) + "'", "_utf8mb4 0x" + (hexed(w) or "00"), "_ascii" + quoted(w),
             quoted(w[:1]) + " " + quoted(w[1:]), "_latin1" + quoted(w[:1]) + " " + quoted(w[1:]), '"' + w + '"', quoted(w) + " COLLATE utf8mb4_bin", "_utf16 x'" + hexed(w, "utf-16-be") + "'",
             "_ucs2 x'" + hexed(w, "utf-16-be") + "'", "CONCAT(" + quoted(w) + ")", quoted(w + "\t"), quoted(w.replace("a", "\\a")), "_cp1251" + quoted(w), "_koi8r" + quoted(w), quoted("\xad" + w)]
    try:
        forms.append("_latin1 x'" + hexed(w, "cp1252") + "'")
    except UnicodeEncodeError:
        pass
    if w.isdigit():
        forms += [w, w + ".0"]
    return forms


def literal(kind, rows):
    value = RANDOM.choice(rows)
    if kind.startswith(("int", "tinyint", "bigint", "decimal", "year")):
        if kind == "year" and RANDOM.random() < 0.5:
            value = RANDOM.choice(["0", "00", "000", "0000", "1", "01", "0001", "20", "0020", "69", "70", "0070", "99", "100", "1900", "2156", "020", "00020", "2e1", "20.0", "19.5"])
            return RANDOM.choice([value, quoted(value), quoted(value), "_latin1" + quoted(value), "TRUE"])
        if RANDOM.random() < 0.05:
            return RANDOM.choice(["TRUE", "FALSE", "NULL", "''", "'x'", "0x", "99999999999999999999", "-99999999999999999999", "DATE'2020-01-01'", "1e400", "-0", "-0.0", "-0e0", "'-0'"])
        return RANDOM.choice(number_forms(value))
    if kind.startswith(("date", "timestamp")):
        return RANDOM.choice(time_forms(value if len(value) > 10 else value + " 00:00:00"))
    if kind == "time":
        return RANDOM.choice([quoted(value)] * 4 + ["TIME" + quoted(value), quoted(value + ".0"), quoted(value + ".5"), value.replace(":", "").lstrip("-"), quoted(value[:5]), quoted("0 " + value), quoted("1 " + value),
                              "N" + quoted(value), quoted(value + " "), "42", quoted("42"), "TIMESTAMP'2026-04-27 09:08:07'", "'2026-04-27 09:08:07'", "_binary" + quoted(value)])
    if RANDOM.random() < 0.06:
        return RANDOM.choice(["0", "1", "2", "42", "1.0", "TRUE", "NULL", "''", "'nothing'", "DATE'2020-01-01'", "3e0", "b'01100001'"])
    return RANDOM.choice(text_forms(value))


def condition(kind, rows):
    one = lambda: literal(kind, rows)  # noqa: E731
    form = RANDOM.randrange(12)
    if form < 4:
        return "k = " + one()
    if form == 4:
        return one() + " = k"
    if form == 5:
        return "k IN (" + one() + ")"
    if form in (6, 7):
        return "k IN (" + ", ".join(one() for _ in range(RANDOM.randrange(2, 4))) + ")"
    if form == 8:
        return "(k) = (" + one() + ")"
    if form == 9:
        return "k BETWEEN " + one() + " AND " + one()
    if form == 10:
        same = one()
        return "k BETWEEN " + same + " AND " + same
    return "(p, k) IN ((1, " + one() + "), (1, " + one() + "))" if RANDOM.random() < 0.7 else "(p, k) = (1, " + one() + ")"


def main():
    conn = pymysql.connect(host="127.0.0.1", port=PORT, user="root", charset="utf8mb4", autocommit=True)
    cur = conn.cursor()
    cur.execute("SELECT VERSION()")
    out = open(OUT, "w", encoding="utf-8")
    print(json.dumps({"server": cur.fetchone()[0]}), file=out)
    cur.execute("DROP DATABASE IF EXISTS dbtrail_keys")
    cur.execute("CREATE DATABASE dbtrail_keys")
    cur.execute("USE dbtrail_keys")
    tables = []
    for number, (kind, collation, rows) in enumerate(TYPES):
        if rows is None:
            rows = [r for r in CI if collation != "latin1_swedish_ci" or r != "日"]
        clause = " COLLATE " + collation if collation else ""
        # A key of one column, and one of two, for tuples.
        for wide in (0, 1):
            name = "t%d%s" % (number, "w" if wide else "")
            first = "p INT NOT NULL, " if wide else ""
            cur.execute("CREATE TABLE %s (%sn INT NOT NULL, k %s%s NOT NULL, PRIMARY KEY (%sk))" % (name, first, kind, clause, "p, " if wide else ""))
            for at, row in enumerate(rows):
                value = ("x'" + hexed(row) + "'") if kind.startswith(("bit", "varbinary", "binary")) else quoted(row)
                cur.execute("INSERT INTO %s VALUES (%s%d, %s)" % (name, "1, " if wide else "", at, value))
            column = {"type": kind, "collation": collation}
            print(json.dumps({"table": name, "key": (["p"] if wide else []) + ["k"], "k": column, "rows": rows}, ensure_ascii=False), file=out)
            tables.append((name, kind, rows, wide))
    asked = set()
    while len(asked) < COUNT:
        name, kind, rows, wide = RANDOM.choice(tables)
        sets = RANDOM.choice(SETS)
        what = condition(kind, rows)
        if what.startswith("(p") != bool(wide):
            if not wide:
                continue
            what = "p = 1 AND " + what
        client = "latin1" if sets and "NAMES latin1" in sets[0] else "utf8"
        # What a client of that character set sends; and, for all, the bytes of UTF-8.
        try:
            sent = what.encode("cp1252" if client == "latin1" and RANDOM.random() < 0.5 else "utf8")
        except UnicodeEncodeError:
            sent = what.encode("utf8")
        if (name, tuple(sets), sent) in asked:
            continue
        asked.add((name, tuple(sets), sent))
        cur.execute("SET NAMES utf8mb4, time_zone = '+00:00', sql_mode = DEFAULT")
        for statement in sets:
            cur.execute(statement)
        line = {"t": name, "s": sets, "w": sent.decode("latin1")}
        try:
            cur.execute(b"SELECT n FROM " + name.encode() + b" WHERE " + sent)
            line["r"] = sorted(n for (n,) in cur.fetchall())
        except (pymysql.err.Error, UnicodeDecodeError) as error:
            line["e"] = error.args[0] if isinstance(error.args[0], int) else 0
        print(json.dumps(line, ensure_ascii=False), file=out)
    cur.execute("DROP DATABASE dbtrail_keys")
    out.close()


if __name__ == "__main__":
    main()
