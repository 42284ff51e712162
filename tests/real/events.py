#!/usr/bin/env python3
"""Odd events beside `up`: what harms one table must not harm another, and what is answered must be what the server held.

    events.py                           # MariaDB of this machine
    events.py --server mysql            # another one (servers.py)

The tables are there before the record begins, with rows, a trigger and a foreign key among them. Then come statements that are logged as text, comments that
are text in no character set, and on MariaDB an ALTER in two phases that fails.
"""
import tempfile
import time

import pymysql

import servers
from harness import Counter, finish
from up import Up

TABLES = (
    "CREATE DATABASE u CHARACTER SET utf8mb4", "USE u",
    "CREATE TABLE t(id INT PRIMARY KEY, v INT)", "CREATE TABLE o(id INT PRIMARY KEY, v VARCHAR(20))",
    "CREATE TABLE p(id INT PRIMARY KEY, v INT)", "CREATE TABLE audit(id INT PRIMARY KEY, v INT)",
    "CREATE TRIGGER tr AFTER UPDATE ON p FOR EACH ROW UPDATE audit SET v = NEW.v",
    "INSERT INTO t VALUES (1, 10), (2, 20)", "INSERT INTO o VALUES (1, 'a'), (2, 'b')", "INSERT INTO p VALUES (1, 1)", "INSERT INTO audit VALUES (1, 0)",
)


class Case:
    def __init__(self, kind, server, folder):
        self.counter = Counter("odd events beside up, " + kind)
        self.mariadb = kind.startswith("mariadb")
        self.connection = server.connect()
        self.cursor = self.connection.cursor()
        for sql in TABLES:
            self.cursor.execute(sql)
        self.up = Up(server, folder)
        self.shim = self.up.connect().cursor()
        self.up.wait(lambda s: s["connected"] and s["newest"], "the record begins")
        time.sleep(3)

    def raw(self, statement):
        self.connection._execute_command(3, statement)  # pylint: disable=protected-access
        self.connection._read_query_result()  # pylint: disable=protected-access

    def reported(self, table, instant, rows):
        """What is known of a table: its rows, or None when it is refused; reads until the record reaches the instant."""
        end = time.monotonic() + 30
        while True:
            try:
                self.shim.execute("SELECT * FROM _snapshot.%s AS OF '%s' WHERE id IN (%s)" % (table, instant, ", ".join(r[0] for r in rows)))
                return [[c if c is None else c.decode() for c in row] for row in self.shim.fetchall()]
            except pymysql.err.Error as error:
                if "is after the end of the record" not in str(error) or time.monotonic() > end:
                    self.why = str(error)
                    return None
            time.sleep(0.3)

    def look(self, what, doubt=()):
        """Compares every table at an instant after everything so far; those of `doubt` may be refused."""
        time.sleep(1.1)
        self.cursor.execute("SELECT UTC_TIMESTAMP(6)")
        instant = self.cursor.fetchone()[0].decode()
        time.sleep(1.2)
        truth = {}
        for table in ("t", "o", "p", "audit"):
            self.cursor.execute("SELECT * FROM %s ORDER BY id" % table)
            truth[table] = [[c if c is None else c.decode() for c in row] for row in self.cursor.fetchall()]
        for table, rows in truth.items():
            got = self.reported(table, instant, rows)
            if got is None and table in doubt:
                continue
            self.counter.check(got == rows, "%s: %s (%s)" % (what, table, getattr(self, "why", "")), got, rows)

    def statement(self, sql):
        self.cursor.execute("SET SESSION binlog_format=STATEMENT")
        self.cursor.execute(sql)
        self.cursor.execute("SET SESSION binlog_format=ROW")

    def run(self):
        self.look("at first")
        self.cursor.execute("SET NAMES utf8mb4")
        self.raw(b"ALTER TABLE t COMMENT 'caf\xc3\xa9'")
        self.raw(b"ALTER TABLE t ADD w INT DEFAULT 7 /* \xff */")
        self.cursor.execute("SET NAMES gbk")
        self.raw(b"ALTER TABLE o COMMENT 'x\x81\x5c'")
        self.raw(b"CREATE TABLE n(id INT PRIMARY KEY) COMMENT '\x81\x5c'")
        self.cursor.execute("SET NAMES utf8mb4")
        self.cursor.execute("UPDATE t SET v = 11 WHERE id = 1")
        self.look("comments")
        self.statement("UPDATE t SET v = 12 WHERE id = 1")
        self.cursor.execute("UPDATE o SET v = 'c' WHERE id = 2")
        self.look("a statement that changes t", ("t",))
        if self.mariadb:
            self.cursor.execute("SET SESSION binlog_alter_two_phase=ON")
            for sql in ("ALTER TABLE o ADD x INT", "ALTER TABLE o CHANGE v w VARCHAR(20), ADD v INT DEFAULT 3 AFTER id"):
                self.cursor.execute(sql)
            self.cursor.execute("INSERT INTO o VALUES (3, 4, 'd', 5)")
            try:
                self.cursor.execute("ALTER TABLE o ADD z INT, ADD UNIQUE q(v)")
                self.counter.check(False, "it should have failed")
            except pymysql.err.Error:
                pass
            self.look("an ALTER in two phases", ("t",))
        self.statement("UPDATE p SET v = 5 WHERE id = 1")
        self.look("a statement with a trigger", ("t", "o", "p", "audit"))


def main():
    kind, options = servers.chosen(())
    with servers.start(kind, *options) as server, tempfile.TemporaryDirectory(prefix="dbtrail-events-") as folder:
        case = Case(kind, server, folder)
        try:
            case.run()
        finally:
            case.up.process.stop()
    finish([case.counter], 12)


if __name__ == "__main__":
    main()
