#!/usr/bin/env python3
"""Statements of odd forms, carried out on a server while `up` captures; the rows of every table after each of them are the truth.

    odd.py --server mysql --refused 100 [--verbose] [--only SCENARIO,SCENARIO]

Each table is then asked for whole, AT GTID of each statement, in _snapshot and _flashback. A wrong answer fails; refusals are counted by their reason, and
more than `--refused` of them fail. The scenarios are in odd_scenarios.py, odd_schemas.py and odd_modes.py.
"""
import collections
import os
import re
import sys
import tempfile
import time

import pymysql
import pymysql.converters

import servers
from harness import Process, binary, free_port
from odd_modes import MODES
from odd_scenarios import SCENARIOS
from odd_schemas import SCHEMAS


def connect(**more):
    return pymysql.connect(host="127.0.0.1", charset="utf8mb4", use_unicode=False, conv=pymysql.converters.encoders, autocommit=True, read_timeout=60, **more)


def ask(cursor, sql):
    cursor.execute(sql)
    return [d[0] if isinstance(d[0], str) else d[0].decode() for d in cursor.description], sorted([list(row) for row in cursor.fetchall()], key=repr)


class Runner:
    def __init__(self, port, maria, verbose):
        self.port, self.maria, self.verbose = port, maria, verbose
        self.steps = []  # (scenario, statement, gtid, {table: (columns, rows)}, whether it must be answered)

    def run(self, name, statements):
        schema = "odd_" + name
        first = connect(port=self.port, user="root")
        cursor = first.cursor()
        cursor.execute("DROP DATABASE IF EXISTS " + schema)
        cursor.execute("CREATE DATABASE %s CHARACTER SET utf8mb4" % schema)
        looker = connect(port=self.port, user="root", database=schema).cursor()
        looker.execute("SET time_zone = '+00:00'")
        others, must = {}, False
        cursor.execute("USE " + schema)
        for statement in statements:
            if statement in ("BACK", "SURE"):
                time.sleep(7 if statement == "BACK" else 0)
                must = True
                continue
            text, at = statement.replace("%(port)s", str(self.port)), cursor
            if text.startswith("@2 "):
                text = text[3:]
                if 2 not in others:
                    others[2] = connect(port=self.port, user="root", database=schema)
                if text == "CLOSE":
                    others.pop(2).close()
                    time.sleep(0.2)
                    continue
                at = others[2].cursor()
            silent = text.startswith("~")
            text = text.lstrip("~")
            try:
                at.execute(text.encode("latin1") if name == "session_charsets" and "\xe9" in text else text)
                at.fetchall()
            except pymysql.MySQLError as e:
                if self.verbose:
                    print("  server, %s: %s: %s" % (name, text[:90], e.args))
            if silent or text.startswith(("SET", "USE")):
                continue
            variable = "gtid_binlog_pos" if self.maria else "gtid_executed"
            looker.execute("SELECT @@GLOBAL." + variable)
            gtid = looker.fetchone()[0].decode().replace("\n", "")
            looker.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type LIKE '%%BASE TABLE' OR table_schema = %s AND table_type = 'SYSTEM VERSIONED'", (schema, schema))
            tables = {}
            for (table,) in looker.fetchall():
                table = table.decode()
                tables[table] = ask(looker, "SELECT * FROM `%s`" % table)
            self.steps.append((name, text, gtid, tables, must))
        for other in others.values():
            other.close()
        first.close()

    def check(self, up):
        count, wrong, reasons = collections.Counter(), 0, collections.Counter()
        for name in dict.fromkeys(step[0] for step in self.steps):
            steps = [step for step in self.steps if step[0] == name]
            every = sorted({table for step in steps for table in step[3]})
            try:
                cursor = connect(port=up["port"], user=up["user"], password=up["password"], database="odd_" + name, init_command="SET time_zone = '+00:00'").cursor()
            except pymysql.MySQLError as e:
                print("REFUSED %s: %s" % (name, e.args))
                reasons[str(e.args)] += 1
                continue
            for _, statement, gtid, tables, must in steps:
                for table in every:
                    for virtual in ("_snapshot", "_flashback"):
                        sql = "SELECT * FROM %s.`%s` AT GTID '%s' ALLOW SCAN" % (virtual, table, gtid)
                        try:
                            got = ask(cursor, sql)
                        except pymysql.MySQLError as e:
                            said = e.args[1].decode() if isinstance(e.args[1], bytes) else str(e.args[1])
                            if table not in tables:
                                count["absent"] += 1
                                continue
                            if must and virtual == "_snapshot":
                                wrong += 1
                                print("NOT BACK %s.%s after %s: %s" % (name, table, statement, said))
                            count["refused"] += 1
                            reason = "%s %s" % (e.args[0], re.sub(r"odd_\w+\.?\S*|'[^']*'|\d[\d:.TZ-]*", "_", said))
                            reasons[reason] += 1
                            if self.verbose:
                                print("REFUSED %s.%s after %s\n    %s: %s" % (name, table, statement[:110], virtual, said[:300]))
                            continue
                        if got == tables.get(table):
                            count["right"] += 1
                        else:
                            wrong += 1
                            print("WRONG %s.%s after %s\n    %s\n    got  %s\n    want %s" % (name, table, statement[:200], sql[:200], str(got)[:500], str(tables.get(table))[:500]))
        for reason, times in reasons.most_common():
            print("%5d %s" % (times, reason[:260]))
        print("%d right, %d of tables that are not there, %d refused, %d wrong" % (count["right"], count["absent"], count["refused"], wrong))
        return count["right"], count["refused"], wrong


def main():
    option = lambda name, default: type(default)(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
    kind, options = servers.chosen([])
    only, most = [name for name in option("--only", "").split(",") if name], option("--refused", 10 ** 9)
    with servers.start(kind, *options) as server, tempfile.TemporaryDirectory(prefix="dbtrail-odd-") as folder:
        port, runner = free_port(), Runner(server.port, kind.startswith("maria"), "--verbose" in sys.argv)
        # A table that is there already, so that `up` begins.
        cursor = connect(port=server.port, user="root").cursor()
        cursor.execute("CREATE DATABASE odd_start"), cursor.execute("CREATE TABLE odd_start.t (id INT PRIMARY KEY)")
        process = Process([binary(), "up", "--source", "mysql://root@127.0.0.1:%d" % server.port, "--data", os.path.join(folder, "history"), "--server-id", "here",
                           "--listen", "127.0.0.1:%d" % port], os.path.join(folder, "up.log"))
        process.wait_for("Connect with any MySQL client|Ctrl-C ends it")
        up = {word: re.search(r"^%s +(\S+)$" % word, process.output(), re.M).group(1) for word in ("port", "user", "password")}
        up["port"] = int(up["port"])
        for name, (family, statements) in {**SCENARIOS, **SCHEMAS, **MODES}.items():
            if kind.startswith(family) and (not only or name in only):
                runner.run(name, statements)
        # Until the last statement is in the history, and tables that began again are read.
        time.sleep(8)
        right, refused, wrong = runner.check(up)
        panicked = "panicked" in process.output()
    sys.exit(1 if wrong or panicked or refused > most or right < (0 if only else 1000) else 0)


if __name__ == "__main__":
    main()
