#!/usr/bin/env python3
"""Worlds that are made up: each is a schema in which random statements run (hunt_statements.py), on one connection or two. After each of them the rows of
every table are noted with the GTID; then `up`, which captured meanwhile, is asked for the same at each GTID, and so is an agent that reads the log files.

    hunt.py --server mysql [--seed 1] [--worlds 6] [--steps 60] [--only live | files] [--save FOLDER] [-- OPTION...]
    hunt.py --server mysql --replay FOLDER/world_7.json        # those statements again

A world is the same for the same seed, server and steps. Fails at an answer that is not the server's; refusals are counted by their reason. Of a
world it prints the statements before a wrong answer; --save keeps them all.
"""
import argparse
import base64
import collections
import json
import os
import random
import re
import sys
import tempfile
import time

import pymysql
import pymysql.converters

import servers
from harness import Chain, Process, binary, free_port
from hunt_statements import Statements
from hunt_values import named

# What a world may use, each with the same probability; and what makes many refusals.
PROFILE = ["charsets", "generated", "invisible", "keys", "foreign", "partitions", "triggers", "temporary", "xa", "versioned", "two"]
ROUGH = ["settings"]
LOOK = ("SELECT c.table_name, column_name, column_type, is_nullable, extra, generation_expression, character_set_name, collation_name FROM information_schema.columns c "
        "JOIN information_schema.tables t USING (table_schema, table_name) WHERE table_schema = %s AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY c.table_name, ordinal_position")
KEYS = "SELECT table_name, column_name, seq_in_index FROM information_schema.statistics WHERE table_schema = %s AND index_name = 'PRIMARY'"
PARTITIONS = "SELECT DISTINCT table_name, partition_name FROM information_schema.partitions WHERE table_schema = %s AND partition_name IS NOT NULL ORDER BY 1, 2"
FOREIGN = "SELECT table_name, constraint_name FROM information_schema.table_constraints WHERE table_schema = %s AND constraint_type = 'FOREIGN KEY'"


def connect(port, **more):
    return pymysql.connect(host="127.0.0.1", port=port, charset="utf8mb4", use_unicode=False, conv=pymysql.converters.encoders, autocommit=True, read_timeout=60, **more)


def ask(cursor, sql):
    cursor.execute(sql)
    return sorted([tuple(row) for row in cursor.fetchall()], key=repr)


class Step:
    """A statement, and what the server had after it: of each table columns and rows, and the answers to some conditions."""

    def __init__(self, number, statement, gtid, columns):
        self.number, self.statement, self.gtid, self.columns, self.rows, self.conditions = number, statement, gtid, columns, {}, []


class World:
    def __init__(self, port, maria, seed, rough, given=None):
        self.port, self.maria, self.seed, self.schema, self.given = port, maria, seed, "hunt_%d" % seed, given
        self.r = random.Random(seed)
        profile = [one for one in PROFILE if self.r.random() < 0.6] + (ROUGH if rough else [])
        self.statements, self.steps, self.ran = Statements(self.r, maria, profile), [], []
        self.looker = connect(port, user="root").cursor()
        for sql in ("DROP DATABASE IF EXISTS " + self.schema, "CREATE DATABASE %s CHARACTER SET %s" % (self.schema, self.r.choice(["utf8mb4", "utf8mb4", "latin1"])), "USE " + self.schema, "SET time_zone = '+00:00'"):
            self.looker.execute(sql)
        self.sessions, self.state = {}, {1: None, 2: None}

    def session(self, number):
        if number not in self.sessions:
            self.sessions[number] = connect(self.port, user="root", database=self.schema).cursor()
            self.sessions[number].execute("SET lock_wait_timeout = 1, innodb_lock_wait_timeout = 1, sql_mode = '%s'" % ("" if self.seed % 4 else "STRICT_TRANS_TABLES"))
        return self.sessions[number]

    def of_schema(self, sql):
        """Rows of information_schema, as text."""
        self.looker.execute(sql, [self.schema])
        return [[cell.decode() if isinstance(cell, bytes) else cell for cell in row] for row in self.looker.fetchall()]

    def look(self):
        """What tables there are, for the next statement; gives the columns of each."""
        tables, made = {}, self.statements
        for table, name, kind, nullable, extra, expression, charset, collation in self.of_schema(LOOK):
            generated = bool(expression) or "GENERATED" in (extra or "").replace("DEFAULT_GENERATED", "")
            tables.setdefault(table, []).append({"name": name, "type": kind, "null": nullable == "YES", "generated": generated, "key": 0, "charset": charset, "collation": collation})
        for table, name, number in self.of_schema(KEYS):
            for column in tables.get(table, []):
                if column["name"] == name:
                    column["key"] = int(number)
        made.tables, made.partitions, made.foreign = tables, {}, [tuple(row) for row in self.of_schema(FOREIGN)]
        for table, name in self.of_schema(PARTITIONS):
            made.partitions.setdefault(table, []).append(name)
        return tables

    def next(self):
        made, r = self.statements, self.r
        number = 2 if made.has("two") and r.random() < 0.15 else 1
        state, pick = self.state[number], r.random()
        if len(made.tables) < 3:
            return 1, [made.create()]
        if state in ("ended", "prepared") or pick < 0.1 or (state is not None and pick < 0.3):
            return number, [made.transaction(state)]
        if pick < 0.62 or state is not None:
            return number, [made.rows()]
        if pick < 0.7:
            return number, [made.setting()]
        return number, ["DROP TABLE " + named(made.table())] if len(made.tables) > 7 else made.definitions()

    def execute(self, number, statement):
        self.ran.append([number, statement])
        cursor = self.session(number)
        try:
            cursor.execute(statement)
            cursor.fetchall()
        except (pymysql.MySQLError, RuntimeError):
            return False
        if statement.startswith("XA"):
            self.state[number] = {"START": "started", "END": "ended", "PREPARE": "prepared"}.get(statement.split()[1])
        elif statement in ("COMMIT", "ROLLBACK"):
            self.state[number] = None
        elif statement.startswith(("BEGIN", "START")):
            self.state[number] = "tx"
        elif statement.startswith(("CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME", "ANALYZE", "OPTIMIZE", "FLUSH")) and self.state[number] == "tx" and " TEMPORARY " not in statement:
            self.state[number] = None
        return True

    def run(self, steps):
        self.look()
        plan = iter(self.given or ())
        while len(self.ran) < steps:
            if self.given is None:
                number, statements = self.next()
            else:
                one = next(plan, None)
                if one is None:
                    break
                number, statements = one[0], [one[1]]
            for statement in statements:
                self.note(statement, self.execute(number, statement))
        for cursor in self.sessions.values():
            cursor.connection.close()
        time.sleep(0.1)
        self.looker.execute("XA RECOVER")
        for row in self.looker.fetchall():
            self.looker.execute("XA ROLLBACK '%s'" % row[3].decode())
        self.note("the end", True)

    def note(self, statement, well):
        self.looker.execute("SELECT @@GLOBAL." + ("gtid_binlog_pos" if self.maria else "gtid_executed"))
        gtid = self.looker.fetchone()[0].decode().replace("\n", "")
        if self.steps and self.steps[-1].gtid == gtid and not well and statement != "COMMIT":
            return
        step = Step(len(self.steps), statement, gtid, self.look())
        for table, columns in step.columns.items():
            step.rows[table] = ask(self.looker, "SELECT %s FROM %s" % (", ".join(named(c["name"]) for c in columns), named(table)))
        self.steps.append(step)
        if self.r.random() < 0.1:
            for table, columns in step.columns.items():
                name, where = named(self.r.choice(columns)["name"]), self.statements.where(table)
                for what, tail in ((named(columns[0]["name"]), where), (self.r.choice(["COUNT(*)", "COUNT(%s)", "MIN(%s)", "MAX(%s)"]).replace("%s", name), ""), ("%s, COUNT(*)" % name, " GROUP BY " + name)):
                    if "NOW(" not in tail and "CURDATE" not in tail and "UUID()" not in tail:
                        try:
                            step.conditions.append((table, what, tail, ask(self.looker, "SELECT %s FROM %s%s" % (what, named(table), tail))))
                        except pymysql.MySQLError:
                            pass


class Verdicts:
    """Asks a shim, and counts."""

    def __init__(self):
        self.counts, self.reasons, self.examples = collections.Counter(), collections.Counter(), {}

    def refused(self, kind, step, error):
        said = error.args[1].decode() if isinstance(error.args[1], bytes) else str(error.args[1])
        if "primary_key_needed" in said:
            self.counts["without a key"] += 1
            return
        self.counts["refused"] += 1
        reason = re.sub(r"hunt_\w+\.?\S*|`[^`]*`|'[^']*'|\d[\d:.TZ-]*|column \S+|\(request .*", "_", re.sub(r"\(by: .*", "(by)", said, flags=re.S))[:170]
        self.reasons[kind + ": " + reason] += 1
        self.examples.setdefault(kind + ": " + reason, "after %s: %s" % (step.statement[:200], said[:300]))

    def compare(self, kind, world, step, cursor, sql, wanted):
        try:
            got = ask(cursor, sql)
        except pymysql.MySQLError as error:
            self.refused(kind, step, error)
            return
        self.counts["right" if got == wanted else "WRONG"] += 1
        if got != wanted and self.counts["WRONG"] <= 10:
            before = " ;; ".join(s.statement[:200] for s in world.steps[max(0, step.number - 4):step.number])
            odd = lambda rows, others: ([row for row in rows if row not in others][:5], len(rows))
            print("WRONG %s, seed %d, after %s\n  %s\n  got  %s\n  want %s\n  before it: %s" % (kind, world.seed, step.statement[:400], sql, odd(got, wanted), odd(wanted, got), before), flush=True)

    def check(self, kind, world, cursor):
        r, before = random.Random(world.seed), None
        cursor.execute("USE " + world.schema)
        for step in world.steps:
            for table, rows in step.rows.items():
                if before and before.rows.get(table) == rows and before.columns.get(table) == step.columns[table] and r.random() > 0.12:
                    continue
                shown = ", ".join(named(c["name"]) for c in step.columns[table])
                for virtual in ("_snapshot", "_flashback"):
                    self.compare(kind, world, step, cursor, "SELECT %s FROM %s.%s AT GTID '%s' ALLOW SCAN" % (shown, virtual, named(table), step.gtid), rows)
            for table, what, tail, rows in step.conditions:
                self.compare(kind + ", conditions", world, step, cursor, "SELECT %s FROM _snapshot.%s AT GTID '%s' ALLOW SCAN%s" % (what, named(table), step.gtid, tail), rows)
            if before:
                self.changes(kind, world, before, step, cursor)
            before = step

    def changes(self, kind, world, before, step, cursor):
        """What `_diff` has of a step leads from the rows before it to those after it, by their keys."""
        gtids = between(before.gtid, step.gtid)
        if before.columns != step.columns or not 0 < len(gtids) < 6 or step.statement.startswith(("ALTER", "CREATE", "RENAME", "TRUNCATE", "DROP", "OPTIMIZE")):
            return
        for table, rows in step.rows.items():
            key = [i for i, column in enumerate(step.columns[table]) if column["key"]]
            if before.rows[table] == rows or not key:
                continue
            columns = [step.columns[table][i] for i in key]
            keys_of = lambda rows: {tuple(shown(row[i], column["type"]) for i, column in zip(key, columns)) for row in rows}
            keys = keys_of(before.rows[table])
            try:
                for gtid in gtids:
                    cursor.execute("SELECT event_id, row_before, row_after FROM _diff.%s AT GTID '%s'" % (named(table), gtid))
                    # A change of the key is shown under both.
                    for was, now in {event: (was, now) for event, was, now in cursor.fetchall()}.values():
                        for image, change in ((was, keys.discard), (now, keys.add)):
                            if image:
                                image = json.loads(image, parse_int=str, parse_float=str)
                                change(tuple(plain(image[column["name"]]) for column in columns))
            except pymysql.MySQLError as error:
                self.refused(kind + ", _diff", step, error)
                continue
            self.counts["changes right" if keys == keys_of(rows) else "WRONG"] += 1
            if keys != keys_of(rows):
                print("WRONG %s, seed %d: _diff.%s %s after %s: %s" % (kind, world.seed, table, gtids, step.statement[:300], keys ^ keys_of(rows)))


def shown(cell, kind):
    """A cell of the server as `plain` gives one of `_diff`."""
    if kind.startswith(("binary", "varbinary", "bit")):
        return cell
    return str(int(cell)) if kind.startswith("year") else cell.decode()


def plain(cell):
    return base64.b64decode(cell.split(":", 2)[2]) if cell.startswith("base64:type") else cell


def between(first, last):
    """The GTIDs of `last` that are not in `first`, where both are of one server and one domain."""
    mysql, maria = r"([0-9a-f-]{36}):1-(\d+)", r"(\d+-\d+)-(\d+)"
    for form, written in ((mysql, "%s:%d"), (maria, "%s-%d")):
        a, b = re.fullmatch(form, first), re.fullmatch(form, last)
        if a and b and a.group(1) == b.group(1):
            return [written % (b.group(1), n) for n in range(int(a.group(2)) + 1, int(b.group(2)) + 1)]
    return []


def hunt(a, server, folder, verdicts):
    maria, given = a.server.startswith("maria"), json.load(open(a.replay, encoding="utf-8")) if a.replay else None
    start = connect(server.port, user="root").cursor()
    start.execute("CREATE DATABASE hunt_start")
    start.execute("CREATE TABLE hunt_start.t (id INT PRIMARY KEY)")
    live = a.only != "files"
    if live:
        port = free_port()
        up = Process([binary(), "up", "--source", "mysql://root@127.0.0.1:%d" % server.port, "--data", os.path.join(folder, "history"), "--server-id", "here", "--no-ui", "--listen", "127.0.0.1:%d" % port], os.path.join(folder, "up.log"))
        up.wait_for("Connect with any MySQL client|Ctrl-C ends it", 120)
        user, password = (re.search(r"^%s +(\S+)$" % word, up.output(), re.M).group(1) for word in ("user", "password"))
    worlds = []
    for seed in range(a.seed, a.seed + (1 if given else a.worlds)):
        # Every third one is rough.
        worlds.append(World(server.port, maria, seed, seed % 3 == 2, given))
        worlds[-1].run(len(given) if given else a.steps)
        if a.save:
            os.makedirs(a.save, exist_ok=True)
            with open(os.path.join(a.save, "world_%d.json" % seed), "w", encoding="utf-8") as out:
                json.dump(worlds[-1].ran, out, ensure_ascii=False)
    if live:
        # Until the last statement is in the history, and tables that began again are read.
        time.sleep(8)
        cursor = connect(port, user=user, password=password, init_command="SET time_zone = '+00:00'").cursor()
        for world in worlds:
            verdicts.check("live", world, cursor)
        if "panicked" in up.output():
            sys.exit("it panicked:\n" + up.output()[-3000:])
        up.stop()
    if a.only != "live":
        start.execute("FLUSH BINARY LOGS")
        with Chain(server.binlogs()[:-1], schema="hunt_start") as chain:
            for world in worlds:
                verdicts.check("files", world, chain.connect().cursor())
    return sum(len(world.ran) for world in worlds)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--server", default="mysql", choices=servers.KINDS)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--worlds", type=int, default=6)
    p.add_argument("--steps", type=int, default=60)
    p.add_argument("--only", choices=["live", "files"])
    p.add_argument("--save")
    p.add_argument("--replay")
    p.add_argument("options", nargs="*", help="of the server that is started")
    a = p.parse_args()
    verdicts = Verdicts()
    with servers.start(a.server, *a.options) as server, tempfile.TemporaryDirectory(prefix="dbtrail-hunt-") as folder:
        ran = hunt(a, server, folder, verdicts)
    for reason, count in verdicts.reasons.most_common(30):
        print("%6d %s\n         %s" % (count, reason, verdicts.examples[reason].replace("\n", " ")))
    print("seed %d: %d statements on %s: %s" % (a.seed, ran, a.server, dict(verdicts.counts)))
    sys.exit(1 if verdicts.counts["WRONG"] or not a.replay and verdicts.counts["right"] < 2 * ran else 0)


if __name__ == "__main__":
    main()
