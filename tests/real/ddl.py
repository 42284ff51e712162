#!/usr/bin/env python3
"""DDL against a real server: after every statement, what the server answered is what the shim answers for that GTID, or a refusal.

    ddl.py --shim BINARY --port N --binlogs FOLDER [--definitions FILE] [--metadata NO_LOG] [--only TEXT] [-v]

Runs every statement of ddl_statements.py on a fresh table with rows, notes what the server (root without a password on
127.0.0.1) says of every table at every step, then lets the agent read the binary log and asks the shim for every
row of every step by its key. --definitions keeps what information_schema says after each statement (tests/data/ddl). Fails on any answer that differs, and when more than --refusals statements are refused somewhere.
"""
import argparse
import collections
import json
import os
import sys

import pymysql
import pymysql.converters

from chain import Chain
from ddl_statements import ALTERS, BASE, GENERATED, GENERATED_ALTERS

ROWS = (
    "INSERT INTO t (id, a, b, c, d, w, e, s, x, y) VALUES (1, 10, 'one', 'c1', 1.2345, '2026-01-01 00:00:05.600000', 'x', 'p', 'text', 'blob'), "
    "(2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (3, 300, 'dreizehn', 'cc', -9.99, '1999-12-31 23:59:59', 'y', 'p,q', '', '')"
)
TOUCH = ["UPDATE {t} SET a = 77 WHERE id = 3", "INSERT INTO {t} (id) VALUES ({n})", "UPDATE {t} SET id = id + 100 WHERE id = {n}"]


def connect(port, **more):
    return pymysql.connect(host="127.0.0.1", port=port, charset="utf8mb4", use_unicode=False, conv=pymysql.converters.encoders,
                           autocommit=True, init_command="SET time_zone = '+00:00'", **more)


class Recorder:
    def __init__(self, connection):
        self.cursor = connection.cursor()
        self.mariadb = b"MariaDB" in self.ask("SELECT VERSION()")[0][0]

    def ask(self, sql):
        self.cursor.execute(sql)
        return self.cursor.fetchall()

    def try_to(self, sql):
        try:
            self.cursor.execute(sql)
            return None
        except pymysql.err.MySQLError as e:
            return e

    def gtid(self):
        if self.mariadb:
            return self.ask("SELECT @@global.gtid_binlog_pos")[0][0].decode().split(",")[-1]
        last = self.ask("SELECT @@global.gtid_executed")[0][0].decode().replace("\n", "").split(",")[-1]
        source, _, ranges = last.partition(":")
        return source + ":" + ranges.split(":")[-1].split("-")[-1]

    def tables(self, schema):
        state = {}
        names = self.ask("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '%s' AND TABLE_TYPE = 'BASE TABLE'" % schema)
        for (name,) in names:
            name = name.decode()
            key = [r[0].decode() for r in self.ask(
                "SELECT COLUMN_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = '%s' AND TABLE_NAME = '%s' "
                "AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX" % (schema, name))]
            self.cursor.execute("SELECT * FROM `%s`.`%s`" % (schema, name))
            columns = [d[0] for d in self.cursor.description]
            rows = self.cursor.fetchall()
            state[name] = (key, columns, {tuple(r[columns.index(k)] for k in key): r for r in rows} if key else {})
        return state

    def definition(self, schema, table):
        """Name, type, collation, nullable, key, extra, default of each column."""
        rows = self.ask(
            "SELECT COLUMN_NAME, COLUMN_TYPE, COLLATION_NAME, IS_NULLABLE, COLUMN_KEY, EXTRA, COLUMN_DEFAULT FROM information_schema.COLUMNS "
            "WHERE TABLE_SCHEMA = '%s' AND TABLE_NAME = '%s' ORDER BY ORDINAL_POSITION" % (schema, table))
        return [[None if v is None else v.decode("utf-8", "replace") for v in row] for row in rows]


def record(connection, onlooker, base, statement, schema, definitions):
    """Runs one statement (or several, parted by |) and gives the steps: (what ran, GTID, state).

    The onlooker is another session: it does not see the temporary tables of the first.
    """
    r, onlooker = Recorder(connection), Recorder(onlooker)
    steps, n = [], 10
    def note(what):
        steps.append((what, r.gtid(), onlooker.tables(schema)))
    r.cursor.execute("CREATE DATABASE %s CHARACTER SET utf8mb4" % schema)
    r.cursor.execute("USE %s" % schema)
    r.cursor.execute(base)
    note(base)
    r.cursor.execute(ROWS)
    note("rows")
    for part in statement.replace("{s}", schema).split(" | "):
        error = r.try_to(part)
        note(part if error is None else "%s  -- %s" % (part, error))
        if definitions is not None and error is None and " | " not in statement:
            line = {"base": "generated" if base == GENERATED else "plain", "schema": schema, "statement": part, "columns": r.definition(schema, "t")}
            definitions.write(json.dumps(line, ensure_ascii=False) + "\n")
        for table in list(steps[-1][2]):
            for touch in TOUCH:
                r.try_to(touch.replace("{t}", table).replace("{n}", str(n)))
                n += 1
        note("rows changed after: " + part)
    return steps


def literal(value):
    if value is None:
        return "NULL"
    if value.lstrip(b"-").isdigit() and not value.startswith(b"0"):
        return value.decode()
    return "x'%s'" % value.hex() if value in (b"k1",) else "'%s'" % value.decode().replace("'", "''")


def compare(shim, schema, steps, verdicts, verbose):
    keys = collections.defaultdict(set)
    for _, _, state in steps:
        for table, (key, _, rows) in state.items():
            keys[table, tuple(key)] |= set(rows)
    cursor = shim.cursor()
    for what, gtid, state in steps:
        for (table, key), values in sorted(keys.items()):
            there = table in state and tuple(state[table][0]) == key
            for value in sorted(values):
                where = " AND ".join("`%s` = %s" % (k, literal(v)) for k, v in zip(key, value))
                sql = "SELECT * FROM _snapshot.%s.`%s` AT GTID '%s' WHERE %s" % (schema, table, gtid, where)
                try:
                    cursor.execute(sql)
                    names, rows = [d[0] for d in cursor.description], cursor.fetchall()
                except pymysql.err.MySQLError as e:
                    verdicts["refused" if there else "rightly refused"].append((what, sql, e.args))
                    continue
                wanted = state[table][2].get(value) if there else None
                right = there and names == state[table][1] and list(rows) == ([wanted] if wanted is not None else [])
                if not there and table not in state and not rows:
                    right = True
                verdicts["right" if right else "WRONG"].append((what, sql, (names, rows, wanted)))
                if verbose and not right:
                    print("WRONG", what, sql, names, rows, wanted)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--shim", required=True)
    p.add_argument("--port", type=int, required=True)
    p.add_argument("--binlogs", required=True)
    p.add_argument("--definitions")
    p.add_argument("--metadata", help="binlog_row_metadata for this run")
    p.add_argument("--only", default="")
    p.add_argument("--refusals", type=int, default=60)
    p.add_argument("-v", action="store_true")
    a = p.parse_args()
    connection, onlooker = connect(a.port, user="root"), connect(a.port, user="root")
    r = Recorder(connection)
    metadata = r.ask("SELECT @@global.binlog_row_metadata")[0][0].decode()
    r.cursor.execute("SET GLOBAL binlog_row_metadata = %s" % (a.metadata or metadata))
    r.cursor.execute("FLUSH BINARY LOGS")
    first = r.ask("SHOW BINARY LOGS")[-1][0].decode()
    definitions = open(a.definitions, "w") if a.definitions else None
    cases = [(BASE, s) for s in ALTERS] + [(GENERATED, s) for s in GENERATED_ALTERS]
    cases = [c for c in cases if a.only in c[1]]
    recorded = []
    for i, (base, statement) in enumerate(cases):
        schema = "ddl_%d" % i
        r.try_to("DROP DATABASE IF EXISTS %s" % schema)
        recorded.append((schema, statement, record(connection, onlooker, base, statement, schema, definitions)))
        if not r.mariadb:
            r.try_to("SET SESSION sql_mode = DEFAULT")
    r.cursor.execute("SET GLOBAL binlog_row_metadata = %s" % metadata)
    r.cursor.execute("FLUSH BINARY LOGS")
    files = [f[0].decode() for f in r.ask("SHOW BINARY LOGS")]
    files = [os.path.join(a.binlogs, f) for f in files[files.index(first):-1]]
    refused, totals, wrong = [], collections.Counter(), 0
    with Chain(a.shim, files) as chain:
        shim = connect(chain.port, user="app", password="secret")
        for schema, statement, steps in recorded:
            verdicts = collections.defaultdict(list)
            compare(shim, schema, steps, verdicts, a.v)
            for verdict, list_ in verdicts.items():
                totals[verdict] += len(list_)
            for what, sql, got in verdicts["WRONG"][:3]:
                wrong += 1
                print("WRONG after %s\n  %s\n  got %s\n  rows %s\n  want %s" % (what, sql, *got))
            if verdicts["refused"]:
                refused.append((statement, len(verdicts["refused"]), verdicts["refused"][0]))
    for schema, _, _ in recorded:
        r.try_to("DROP DATABASE IF EXISTS %s" % schema)
    for statement, count, (what, _, error) in refused:
        print("refused %3d  %s\n             first after: %s\n             %s" % (count, statement, what, error))
    print("%d statements, %d of them refused somewhere; answers: %s" % (len(cases), len(refused), dict(totals)))
    if wrong or len(refused) > a.refusals or not totals["right"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
