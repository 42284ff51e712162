#!/usr/bin/env python3
"""What a server makes of stored values when ALTER TABLE changes the type of their column, for every pair of types.

    conversions_record.py --port N --output FILE [--only TYPE]

Runs against a server on 127.0.0.1 with root without a password, and writes one line of JSON a pair: the two types, and for each
value its text before and after (null: NULL; "x'..'": not UTF-8). The session has no sql_mode, so that what a strict one would
refuse is seen, too: what a strict one lets pass is the same. tests/data/conversions holds what was recorded, without the types of LEFT_OUT (--all records
them too).
"""
import argparse
import json

import pymysql

INTS = [0, 1, -1, 7, 10, 12, 69, 70, 99, 100, 127, 128, 255, 256, 300, 1901, 2000, 2155, 2156, 32768, 65536, 101112, 235959, 1000000, 20240229,
        20241301, 2147483647, 2147483648, 4294967295, 9007199254740993, 9223372036854775807, 18446744073709551615, -7, -128, -129, -32769, -2147483648]
DECIMALS = ["0", "0.5", "1.5", "2.5", "-0.5", "-1.5", "0.004", "0.005", "-0.001", "12.34", "99.99", "1.25", "1.35", "-2.675", "123456.789", "99999.5",
            "20240229", "-99999999.99", "7", "-7", "101112.6", "0.000001", "1999", "255.5", "126.5", "127.5", "65535.5", "-128.5"]
FLOATS = ["0", "0.1", "1.5", "2.5", "-2.5", "0.5", "-0.5", "1e10", "1e20", "1e-5", "123456789", "3.14159", "16777217", "1e30", "0.3", "1e15", "1e14",
          "100000", "1234567", "-0.0", "33.333333333333336", "1e16", "1e17", "1999", "7", "1e300"]
TEXTS = ["", " ", "  ", "abc", "abc ", "abc  ", " abc", "x", "X", "x ", "y", "12", " 12", "12 ", "12abc", "-7", "+5", "1.5", "1.50", "2.5", "1e2", "0x10", "007",
         "-0", "1.", ".5", "300", "-129", "99999999999999999999", "é", "ü€", "日本", "😀", "é ", "2024-02-29", "2024-02-30", "2024-02-29 10:11:12",
         "2024-02-29 10:11:12.654321", "10:11:12", "10:11:12.6", "20240229", "1999", "0", "00", "99", "70", "p,q", "q,p", "p", "{\"a\": 1}", "[1, 2]",
         "null", "\"s\"", "abcde", "abcdef", "abcdefghijklmnopqrstuvwxyz0123", "a\tb", "a\0", "1,2", "2155", "10", "1 2", "10:11", "-10:11:12", "2024-2-9", "24-02-29",
         "123e4567-e89b-12d3-a456-426655440000", "10.0.0.1", "::1"]
BYTES = ["abc", "abc\0", "\0", "", "abc  ", "12", "x", "é", "a", "abcde", "abcdef", "2024-02-29"]
RAW = ["ff", "e9", "c3a9", "4130ff", "61626300"]
TIMES = ["00:00:00", "10:11:12", "10:11:12.5", "10:11:12.499999", "10:11:12.999999", "-00:00:01.9", "-10:11:12", "24:00:00", "838:59:59", "-838:59:59", "00:00:00.000001", "01:02:03.456"]
DATES = ["2024-02-29 10:11:12.654321", "2024-12-31 23:59:59.999999", "2024-12-31 23:59:59", "1970-01-01 00:00:01", "0000-00-00 00:00:00", "2024-00-00 00:00:00", "1000-01-01 00:00:00",
         "9999-12-31 23:59:59.499999", "2024-01-01 00:00:00", "2024-02-29 10:11:12.4", "2024-02-29 10:11:12.5", "2037-01-01 00:00:00", "2000-01-02 03:04:05"]
JSONS = ["{\"a\": 1}", "[1, 2]", "null", "\"s\"", "12", "1.5", "true", "\"é\"", "\"\"", "{\"b\": 1, \"a\": [true, null]}"]

TYPES = {}
for _t in ("tinyint", "smallint unsigned", "mediumint", "int", "int unsigned", "bigint", "bigint unsigned", "int(6) zerofill"):
    TYPES[_t] = ("number", INTS)
for _t in ("decimal(10,2)", "decimal(20,6)", "decimal(5,0)", "decimal(10,3) unsigned"):
    TYPES[_t] = ("number", DECIMALS)
for _t in ("float", "double", "double(10,2)"):
    TYPES[_t] = ("number", FLOATS)
for _t in ("bit(8)", "bit(33)"):
    TYPES[_t] = ("number", [0, 1, 7, 65, 97, 255, 256, 8589934591])
TYPES["year"] = ("text", ["1901", "1999", "2000", "2155", "0000", "2024"])
TYPES["date"] = ("text", DATES)
for _t in ("time", "time(3)", "time(6)"):
    TYPES[_t] = ("text", TIMES)
for _t in ("datetime", "datetime(3)", "datetime(6)", "timestamp null", "timestamp(6) null"):
    TYPES[_t] = ("text", DATES)
for _t in ("char(5)", "char(30)", "varchar(5)", "varchar(30)", "varchar(30) character set latin1", "varchar(30) character set utf8mb3",
           "char(10) character set latin1", "varchar(30) character set ascii", "varchar(30) character set utf8mb4 collate utf8mb4_bin",
           "varchar(30) character set ucs2", "tinytext", "text", "text character set latin1", "mediumtext"):
    TYPES[_t] = ("text", TEXTS)
for _t in ("binary(5)", "binary(20)", "varbinary(5)", "varbinary(40)", "tinyblob", "blob"):
    TYPES[_t] = ("bytes", BYTES)
TYPES["enum('x','y','é','10','')"] = ("text", ["x", "y", "é", "10", ""])
TYPES["enum('y','X','2')"] = ("text", ["x", "y", "2"])
TYPES["enum('x','é') character set latin1"] = ("text", ["x", "é"])
TYPES["set('p','q','é')"] = ("text", ["", "p", "p,q", "q,é", "é"])
TYPES["set('q','p')"] = ("text", ["", "p", "p,q", "q"])
TYPES["json"] = ("text", JSONS)
# Their values are changed as those of a type beside them: not kept.
LEFT_OUT = {
    "smallint unsigned", "mediumint", "int unsigned", "decimal(20,6)", "double(10,2)", "time", "datetime(3)", "timestamp null", "varchar(30) character set utf8mb3",
    "varchar(30) character set ascii", "text character set latin1", "mediumtext", "char(30)", "varbinary(5)", "binary(20)", "varbinary(40)"}
MARIADB = {
    "uuid": ("text", ["123e4567-e89b-12d3-a456-426655440000", "00000000-0000-0000-0000-000000000000"]),
    "inet4": ("text", ["10.0.0.1", "0.0.0.0"]),
    "inet6": ("text", ["::1", "::", "fe80::1", "::ffff:10.0.0.1"]),
}


def literal(kind, value):
    if kind == "number":
        return str(value)
    return "_utf8mb4'%s'" % value.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0")


def shown(cell):
    if cell is None:
        return None
    try:
        text = cell.decode("utf-8")
        return "x'%s'" % cell.hex() if text.startswith("x'") else text
    except UnicodeDecodeError:
        return "x'%s'" % cell.hex()


class Server:
    def __init__(self, port):
        self.cursor = pymysql.connect(host="127.0.0.1", port=port, user="root", charset="utf8mb4", use_unicode=False, conv={}, autocommit=True,
                                      init_command="SET time_zone='+00:00', sql_mode=''").cursor()
        self.mariadb = b"MariaDB" in self.ask("SELECT VERSION()")[0][0]

    def ask(self, sql):
        self.cursor.execute(sql)
        return self.cursor.fetchall()

    def convert(self, old, new, inserted):
        """(value before, value after) of each row, or the error."""
        self.ask("DROP TABLE IF EXISTS conv")
        self.ask("CREATE TABLE conv (id INT AUTO_INCREMENT PRIMARY KEY, v %s) CHARACTER SET utf8mb4" % old)
        self.ask("INSERT IGNORE INTO conv (v) VALUES " + ", ".join("(%s)" % v for v in inserted))
        before = dict(self.ask("SELECT id, v FROM conv"))
        try:
            self.ask("ALTER TABLE conv MODIFY v " + new)
        except pymysql.err.MySQLError as e:
            return e
        after = dict(self.ask("SELECT id, v FROM conv"))
        return [(shown(before[i]), shown(after[i])) for i in before]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--port", type=int, required=True)
    p.add_argument("--output", required=True)
    p.add_argument("--only", default="")
    p.add_argument("--all", action="store_true")
    a = p.parse_args()
    server = Server(a.port)
    server.ask("CREATE DATABASE IF NOT EXISTS conversions")
    server.ask("USE conversions")
    types = dict(TYPES, **(MARIADB if server.mariadb else {}))
    types = {name: values for name, values in types.items() if a.all or name not in LEFT_OUT}
    with open(a.output, "w") as out:
        for old, (kind, values) in types.items():
            if a.only not in old:
                continue
            inserted = [literal(kind, v) for v in values] + (["x'%s'" % r for r in RAW] if kind == "bytes" else []) + ["NULL"]
            for new in types:
                if new == old:
                    continue
                got = server.convert(old, new, inserted)
                if not isinstance(got, list):
                    got = []
                    for one in inserted:
                        alone = server.convert(old, new, [one])
                        got += alone if isinstance(alone, list) else []
                seen, pairs = set(), []
                for pair in got:
                    if pair not in seen:
                        seen.add(pair)
                        pairs.append(pair)
                out.write(json.dumps({"from": old, "to": new, "values": pairs}, ensure_ascii=False, separators=(",", ":")) + "\n")
    server.ask("DROP DATABASE conversions")


if __name__ == "__main__":
    main()
