#!/usr/bin/env python3
"""ALTER TABLE statements of two to five clauses of every kind (ddl_clauses.py), made up from a seed, against a real server.

    ddl_generator.py [--server KIND [-- OPTION...]] [--count 300] [--seed 1] [--refused 5] [-v]
    ddl_generator.py --port N --binlogs FOLDER ...      # a server that runs: root without a password on 127.0.0.1

Each statement that the server takes runs on a table of its own with rows; what SHOW COLUMNS and the rows say then, and after a few changes of
rows after it, is noted with the GTID. Then the agent reads the binary log, and the shim is asked for the rows at each of these GTIDs, and for
the columns. Fails when one answer has other columns or other cells than the server, or when more than --refused percent of the questions
are refused; refusals are counted by their reason.
"""
import argparse
import collections
import contextlib
import os
import random
import re
import sys

import pymysql

import servers
from ddl import Recorder, connect
from ddl_clauses import Table
from harness import Chain

KEYS = [1, 2, 3, 4, 5]


class Case:
    """A statement that ran, and what the server had at each step."""

    def __init__(self, table, statement):
        self.table, self.statement, self.steps, self.columns = table, statement, [], None

    def note(self, recorder, what):
        self.columns = [tuple(None if v is None else v.decode() for v in row[:4]) for row in recorder.ask("SHOW COLUMNS FROM gen." + self.table)]
        key = [row[4].decode() for row in recorder.ask("SHOW KEYS FROM gen.%s WHERE Key_name = 'PRIMARY'" % self.table)]
        recorder.cursor.execute("SELECT * FROM gen.%s ORDER BY id" % self.table)
        shown = [d[0] for d in recorder.cursor.description]
        rows = recorder.cursor.fetchall()
        self.steps.append((what, recorder.gtid(), key, shown, rows))


def touch(recorder, r, case, names):
    """Changes rows, so that the log shows them under the new definition."""
    other = [n for n in names if n.lower() != "id"]
    if other:
        recorder.try_to("UPDATE %s SET `%s` = NULL WHERE id = 2" % (case.table, r.choice(other).replace("`", "``")))
        recorder.try_to("UPDATE %s SET `%s` = 1 WHERE id = 3" % (case.table, r.choice(other).replace("`", "``")))
    recorder.try_to("INSERT IGNORE INTO %s (id) VALUES (5)" % case.table)
    recorder.try_to("DELETE FROM %s WHERE id = 4" % case.table)


def made(recorder, r, number):
    """A table with rows that the server takes."""
    for attempt in range(40):
        table = Table(r, "t%d_%d" % (number, attempt), recorder.mariadb)
        if recorder.try_to(table.create()):
            continue
        if not any([recorder.try_to(table.insert(key)) for key in KEYS[:4]]):
            return table
        recorder.try_to("DROP TABLE " + table.name)
    raise RuntimeError("the server takes no table")


def record(recorder, r, number, statements):
    """One case; None: the server took none of the statements that were tried."""
    table = made(recorder, r, number)
    for _ in range(60):
        strict = r.random() < 0.8
        recorder.cursor.execute("SET SESSION sql_mode = '%s'" % ("STRICT_TRANS_TABLES" if strict else r.choice(["", "", "NO_BACKSLASH_ESCAPES"])))
        statements["tried"] += 1
        statement = table.alter()
        error = recorder.try_to(statement)
        recorder.cursor.execute("SET SESSION sql_mode = ''")
        if error:
            continue
        there = {row[0].decode() for row in recorder.ask("SHOW TABLES FROM gen LIKE '%s%%'" % table.name.replace("_", "\\_"))}
        case = Case((there & {table.name, table.name + "_r", table.name + "_s"}).pop(), statement)
        case.note(recorder, "ALTER")
        touch(recorder, r, case, [column[0] for column in case.columns])
        case.note(recorder, "rows")
        return case
    return None


def reason(error):
    """The kind of a refusal: its words without names and values."""
    text = str(error.args[1] if len(error.args) > 1 else error)
    text = re.sub(r"\(by: .*|: (ALTER|CREATE) .*|\(request .*", "", text, flags=re.S)
    text = re.sub(r"gen\.\w+|column \w+|'[^']*'|\d{4}-\d\d-\d\dT?[ \d:.Z]*|has key [\d, ]+", "..", text)
    return re.sub(r"from \w+.*? to \w+.*?,", lambda m: re.sub(r"\d+", "n", m.group(0)), text)[:200]


class Verdicts:
    """Counts of answers, with the reasons of refusals and an example of each."""

    def __init__(self, verbose):
        self.verbose, self.counts, self.reasons, self.examples = verbose, collections.Counter(), collections.Counter(), {}

    def refused(self, case, error):
        self.counts["refused"] += 1
        self.reasons[reason(error)] += 1
        self.examples.setdefault(reason(error), (case.statement, error.args))

    def compare(self, case, what, sql, got, wanted):
        self.counts["right" if got == wanted else "WRONG"] += 1
        if got != wanted and self.counts["WRONG"] <= (1000 if self.verbose else 10):
            print("WRONG at %s after %s\n  %s\n  got  %s\n  want %s" % (what, case.statement, sql, got, wanted))

    def check(self, cursor, case):
        for what, gtid, key, shown, rows in case.steps:
            if key in ([], ["id"]):
                where = "id IN (%s)" % ", ".join(map(str, KEYS))
            else:
                self.counts["other keys"] += 1
                continue
            sql = "SELECT * FROM _snapshot.gen.%s AT GTID '%s' WHERE %s" % (case.table, gtid, where)
            try:
                cursor.execute(sql)
            except pymysql.err.MySQLError as e:
                self.refused(case, e)
                continue
            names, got = [d[0] for d in cursor.description], cursor.fetchall()
            at = names.index("id") if "id" in names else 0
            order = lambda row: int(row[at])
            self.compare(case, what, sql, (names, sorted(got, key=order)), (shown, sorted(rows, key=order)))
        sql = "SHOW COLUMNS FROM _snapshot.gen.%s" % case.table
        try:
            cursor.execute(sql)
        except pymysql.err.MySQLError as e:
            return self.refused(case, e)
        got = [tuple(None if v is None else v.decode() for v in row[:4]) for row in cursor.fetchall()]
        self.compare(case, "the end", sql, got, case.columns)

    def report(self):
        for kind, count in self.reasons.most_common():
            print("refused %5d  %s\n               %s" % (count, kind, self.examples[kind][0]))
            if self.verbose:
                print("               %s" % (self.examples[kind][1],))


@contextlib.contextmanager
def server(arguments, options):
    """Port of a server, and how to list its log files."""
    if arguments.port:
        files = lambda names: [os.path.join(arguments.binlogs, name) for name in names]
        yield arguments.port, files
    else:
        with servers.start(arguments.server, *options) as one:
            yield one.port, lambda names: [os.path.join(one.data, name) for name in names]


def run(port, files, a):
    r = random.Random(a.seed)
    recorder = Recorder(connect(port, user="root"))
    recorder.try_to("DROP DATABASE IF EXISTS gen")
    recorder.cursor.execute("FLUSH BINARY LOGS")
    first = recorder.ask("SHOW BINARY LOGS")[-1][0].decode()
    recorder.cursor.execute("CREATE DATABASE gen CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
    recorder.cursor.execute("USE gen")
    recorder.cursor.execute("SET SESSION sql_mode = ''")
    statements = collections.Counter()
    cases = [case for case in (record(recorder, r, i, statements) for i in range(a.count)) if case]
    recorder.cursor.execute("FLUSH BINARY LOGS")
    names = [f[0].decode() for f in recorder.ask("SHOW BINARY LOGS")]
    verdicts = Verdicts(a.v)
    with Chain(files(names[names.index(first):-1]), schema="gen") as chain:
        cursor = chain.connect().cursor()
        for case in cases:
            verdicts.check(cursor, case)
    # A server of our own ends, and its thousands of tables with it.
    if a.port:
        recorder.try_to("DROP DATABASE IF EXISTS gen")
    verdicts.report()
    counts = verdicts.counts
    percent = 100.0 * counts["refused"] / max(counts["refused"] + counts["right"] + counts["WRONG"], 1)
    print("seed %d: %d statements carried out of %d tried; answers: %s; %.2f %% refused" % (a.seed, len(cases), statements["tried"], dict(counts), percent))
    return not counts["WRONG"] and percent <= a.refused and counts["right"] > 2 * a.count


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--server", default="mariadb", choices=servers.KINDS)
    p.add_argument("--port", type=int)
    p.add_argument("--binlogs")
    p.add_argument("--count", type=int, default=300)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--refused", type=float, default=5.0)
    p.add_argument("-v", action="store_true")
    p.add_argument("options", nargs="*", help="of the server that is started")
    a = p.parse_args()
    with server(a, a.options) as (port, files):
        sys.exit(0 if run(port, files, a) else 1)


if __name__ == "__main__":
    main()
