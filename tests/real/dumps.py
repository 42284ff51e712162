#!/usr/bin/env python3
"""`dump` of odd tables: as SQL read by the server's client, as CSV and as JSON lines put back cell by cell: the server's own rows of then.

BIT, JSON, FLOAT and DOUBLE at their ends, binary and empty bytes, dates that no calendar has, generated and invisible columns, ENUM and SET with odd labels, names
with quotes, text in four character sets; a table that was altered since, and one that is gone.

    dumps.py --server mysql
"""
import csv
import io
import json
import os
import subprocess

import servers
from harness import Chain, Counter, ask, binary, finish
from live import caught_up
from undo import second

MODE = "SET SESSION sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00'"
NAME = "od`d 'é"
COLUMNS = {
    "id": "INT NOT NULL PRIMARY KEY AUTO_INCREMENT", "b1": "BIT(1)", "b9": "BIT(9)", "b64": "BIT(64)", "js": "JSON", "f": "FLOAT", "d": "DOUBLE", "f2": "FLOAT(7,3)",
    "de": "DECIMAL(65,30)", "z": "INT(6) UNSIGNED ZEROFILL", "u": "BIGINT UNSIGNED", "bi": "BINARY(4)", "vb": "VARBINARY(20)", "bl": "BLOB", "ge": "GEOMETRY",
    "da": "DATE", "dt": "DATETIME(6)", "ts": "TIMESTAMP(6) NULL", "ti": "TIME(3)", "y": "YEAR", "e": "ENUM('it''s','a,b','é','x\\\\y','p q','\"','(') CHARACTER SET utf8mb4",
    "s": "SET('it''s','b c','é') CHARACTER SET utf8mb4", "l1": "VARCHAR(20) CHARACTER SET latin1", "u2": "VARCHAR(20) CHARACTER SET ucs2",
    "mb": "TEXT CHARACTER SET utf8mb4", "c": "CHAR(5) CHARACTER SET ascii", "we`ird, \"col": "INT", "inv": "INT INVISIBLE",
}
GENERATED = {"g": "INT GENERATED ALWAYS AS (u MOD 7) VIRTUAL", "gs": "VARCHAR(40) GENERATED ALWAYS AS (CONCAT(l1, '!')) STORED"}
VALUES = {
    "b1": ["1", "0"], "b9": ["b'101010101'", "0"], "b64": ["18446744073709551615", "1"],
    "js": ["'{\"a\": [1.5, null, \"x\\\\\"y\"], \"é\": 18446744073709551615}'", "'[]'", "'\"line\\\\nend\"'"], "f": ["3.4e38", "1.17549e-38", "0.1"], "d": ["1.7976931348623157e308", "5e-324", "-0.1"],
    "f2": ["1234.567", "-0.001"], "de": ["-12345678901234567890123456789012345.123456789012345678901234567890", "0"], "z": ["42", "0"], "u": ["18446744073709551615", "0"],
    "bi": ["x'00'", "x'275c0a1a'"], "vb": ["x''", "x'ff00275c220d0a'"], "bl": ["x'%s'" % bytes(range(256)).hex(), "''"], "ge": ["ST_GeomFromText('POINT(1 -2.5)')", "ST_GeomFromText('LINESTRING(0 0,1 1)')"],
    "da": ["'0000-00-00'", "'2024-02-31'", "'2024-00-00'"], "dt": ["'0000-00-00 00:00:00'", "'9999-12-31 23:59:59.999999'"], "ts": ["'0000-00-00 00:00:00'", "'2026-03-29 01:30:00.000001'"],
    "ti": ["'-838:59:59'", "'838:59:58.999'"], "y": ["1901", "2155", "0"], "e": ["'it''s'", "'a,b'", "'é'", "'x\\\\y'", "'p q'", "'\"'", "'('", "0"], "s": ["'it''s,é'", "''", "'b c'"],
    "l1": ["'é\\'\"\\\\'", "' x '", "_latin1 x'80ff'"], "u2": ["'日é'", "''"], "mb": ["'🙂\\n\\t\\0\\r,\"'", "'\\\\N'", "''"], "c": ["'a'", "''"], "we`ird, \"col": ["-1", "7"], "inv": ["5", "6"],
}


def tick(name):
    return "`%s`" % name.replace("`", "``")


def rows(cursor, table, columns):
    shown = ["`f` * 1e0" if c == "f" else tick(c) for c in columns]
    return sorted((tuple(row) for row in ask(cursor, "SELECT %s FROM %s" % (", ".join(shown), table))[1]), key=repr)


class Dumps:
    def __init__(self, server, chain, counter):
        self.server, self.chain, self.counter = server, chain, counter
        self.cursor = server.connect().cursor()
        self.cursor.execute(MODE)
        self.cursor.execute("DROP DATABASE IF EXISTS again")
        self.cursor.execute("CREATE DATABASE again CHARACTER SET utf8mb4")

    def made(self, name, at, form, without):
        """The text of a dump."""
        path = os.path.join(self.chain.folder, "dump")
        left = [part for column in without for part in ("--without", column)]
        done = subprocess.run([binary(), "dump", "--agent", "https://" + self.chain.api.place, "--token-file", os.path.join(self.chain.folder, "tokens"), "--ca", self.chain.ca,
                               "--table", "odd.%s" % tick(name) if "`" not in name else "odd." + name, "--as-of", at + "Z", "--format", form, *left, "--output", path],
                              capture_output=True, text=True, timeout=60)
        if not self.counter.equal(done.returncode, 0, "dump: %s of %s %s" % (form, name, done.stderr[-500:])):
            return None
        with open(path, "rb") as f:
            return f.read()

    def put_back(self, columns, cells):
        """A row, cell by cell: None, bytes, or text."""
        values = ["NULL" if cell is None else "x'%s'" % cell.hex() if isinstance(cell, bytes) else "_utf8mb4 x'%s'" % cell.encode().hex() if cell else "''" for cell in cells]
        self.cursor.execute("INSERT INTO again.t (%s) VALUES (%s)" % (", ".join(map(tick, columns)), ", ".join(values)))

    def compare(self, name, like, at, want, columns, without):
        """All three forms."""
        sql = self.made(name, at, "sql", without)
        if sql is not None:
            done = subprocess.run(["mariadb", "--no-defaults", "--protocol=tcp", "-h127.0.0.1", "-P%d" % self.server.port, "-uroot", "--skip-ssl", "--comments", "again"],
                                  input=sql, capture_output=True, timeout=60)
            self.counter.equal(done.returncode, 0, "sql: %s is read %s" % (name, done.stderr.decode()[-500:]))
            self.same("sql: rows of " + name, rows(self.cursor, "again." + tick(name), columns), want, columns)
            self.cursor.execute("DROP TABLE IF EXISTS again." + tick(name))
        for form in ("csv", "ndjson"):
            text = self.made(name, at, form, without)
            if text is None:
                continue
            self.cursor.execute("DROP TABLE IF EXISTS again.t")
            self.cursor.execute("CREATE TABLE again.t %s" % like)
            if form == "csv":
                self.of_csv(text.decode())
            else:
                for line in text.decode().splitlines():
                    found = json.loads(line, parse_float=str, parse_int=str, object_pairs_hook=list)
                    self.put_back([column for column, _ in found], [self.of_json(line, column, cell) for column, cell in found])
            self.same("%s: rows of %s" % (form, name), rows(self.cursor, "again.t", columns), want, columns)

    def same(self, what, got, want, columns):
        """Rows; of those that differ the cells."""
        differ = [(c, a, b) for x, y in zip(got, want) for c, a, b in zip(columns, x, y) if a != b]
        self.counter.check(got == want, what, differ or (len(got), len(want)), "the same rows")

    def of_csv(self, text):
        # What is quoted is text, what is not may be NULL or bytes: csv.reader does not tell.
        quoted = csv.reader(io.StringIO(text, newline=""))
        columns = next(quoted)
        plain = csv.reader(io.StringIO(text.replace('"\\N"', '"\\\\N"'), newline=""))
        next(plain)
        types = {**COLUMNS, **GENERATED}
        for cells in plain:
            values = []
            for column, cell in zip(columns, cells):
                kind = types.get(column, "INT").split("(")[0].split(" ")[0]
                if cell == "\\N":
                    values.append(None)
                elif kind in ("BIT", "BINARY", "VARBINARY", "BLOB", "GEOMETRY"):
                    values.append(bytes.fromhex(cell[2:]))
                else:
                    values.append("\\N" if cell == "\\\\N" else cell)
            self.put_back(columns, values)

    @staticmethod
    def of_json(line, column, cell):
        if cell is None or isinstance(cell, str) and column != "js":
            return cell
        if isinstance(cell, list) and len(cell) == 1 and cell[0][0] == "hex" and column != "js":
            return bytes.fromhex(cell[0][1])
        # A JSON document is put back as it is written; a string is the text of one that is no object and no array (of MariaDB, of any).
        raw = json.loads(line)[column]
        return raw if isinstance(raw, str) else json.dumps(raw)


def run(kind, options):
    counter = Counter("%s: dumps" % kind)
    with servers.start(kind, *options) as server:
        cursor = server.connect().cursor()
        cursor.execute(MODE)
        cursor.execute("CREATE DATABASE odd CHARACTER SET utf8mb4")
        body = ", ".join("%s %s" % (tick(c), d) for c, d in {**COLUMNS, **GENERATED}.items())
        cursor.execute("CREATE TABLE odd.%s (%s)" % (tick(NAME), body))
        cursor.execute("CREATE TABLE odd.plain (id INT NOT NULL PRIMARY KEY, v VARCHAR(9))")
        with Chain(None, schema="odd", source="mysql://root@127.0.0.1:%d" % server.port) as chain:
            chain.api.wait(lambda s: s["oldest"] and s["baseline"]["done"] == s["baseline"]["total"], "the tables are read")
            for n in range(8):
                some = {c: values[n % len(values)] for c, values in VALUES.items()}
                if n == 7:
                    some = dict.fromkeys(some, "NULL")
                cursor.execute("INSERT INTO odd.%s (id, %s) VALUES (%d, %s)" % (tick(NAME), ", ".join(map(tick, some)), n, ", ".join(some.values())))
            cursor.execute("INSERT INTO odd.plain VALUES (1, 'a'), (2, NULL)")
            kept = list(COLUMNS)
            want, plain = rows(cursor, "odd." + tick(NAME), kept), rows(cursor, "odd.plain", ["id", "v"])
            second()
            at = second()
            second()
            like = ask(cursor, "SHOW CREATE TABLE odd." + tick(NAME))[1][0][1].decode()
            like = like[like.index("("):]
            cursor.execute("UPDATE odd.%s SET js = NULL, u = 1" % tick(NAME))
            cursor.execute("ALTER TABLE odd.%s DROP COLUMN b9, ADD COLUMN more INT" % tick(NAME))
            cursor.execute("DROP TABLE odd.plain")
            second()
            caught_up(server, chain.api)
            dumps = Dumps(server, chain, counter)
            dumps.compare("plain", "(id INT NOT NULL PRIMARY KEY, v VARCHAR(9))", at, plain, ["id", "v"], [])
            dumps.compare(NAME, like, at, want, kept, list(GENERATED))
            counter.check("panicked" not in chain.agent.output(), "no panic in the agent's log", chain.agent.output()[-600:])
    return counter


def main():
    kind, options = servers.chosen([])
    finish([run(kind, options)], 12)


if __name__ == "__main__":
    main()
