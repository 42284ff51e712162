#!/usr/bin/env python3
"""Holds "Not captured" of docs/agent.md: each of its lines is tried on every kind of server, and what the line says is what is seen.

A line is known here by how it begins: one that is new or gone fails, until somebody says here what it means.
"""
import os
import re
import subprocess
import time

import pymysql

import servers
from harness import ROOT, Chain, Counter, ask, binary, finish
from live import caught_up

SCHEMA = "n"


def lines_of_the_paper():
    with open(os.path.join(ROOT, "docs", "agent.md"), encoding="utf-8") as f:
        section = f.read().split("\n## Not captured\n")[1].split("\n## ")[0]
    return re.findall(r"^\* \*\*(.+?)\*\*", section, re.M)


class Tried:
    """One kind of server, captured."""

    def __init__(self, server, count):
        self.server, self.count = server, count
        self.conn = server.connect()
        self.source = self.conn.cursor()

    def sql(self, *statements):
        for statement in statements:
            self.source.execute(statement)

    def now(self):
        """An instant by which all that was done counts."""
        caught_up(self.server, self.chain.api)
        now = int(ask(self.source, "SELECT UNIX_TIMESTAMP()")[1][0][0])
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now - 1))

    def settled(self):
        """A whole second after what was done before."""
        time.sleep(2.1)
        return self.now()

    def refused(self, sql, why):
        """It is refused with a reason, and not as a table that does not exist."""
        try:
            self.count.check(False, "an answer: " + sql, ask(self.shim, sql)[1], why)
        except pymysql.MySQLError as e:
            self.count.check(e.args[0] != 1146 and re.search(why, e.args[1]), "the refusal: " + sql, e.args, why)

    def answers(self, sql, rows):
        try:
            self.count.equal(ask(self.shim, sql)[1], rows, sql)
        except pymysql.MySQLError as e:
            self.count.check(False, "refused: " + sql, e.args, rows)

    def notes(self, sql):
        ask(self.shim, sql)
        return "\n".join(row[2].decode() for row in ask(self.shim, "SHOW WARNINGS")[1])


# What there is before the capture begins.
BEFORE = [
    "CREATE DATABASE n", "USE n",
    "CREATE TABLE keyless (v INT)", "INSERT INTO keyless VALUES (1)",
    "CREATE TABLE floating (k DOUBLE PRIMARY KEY, v INT)", "INSERT INTO floating VALUES (0.5, 1)", "CREATE TABLE script (k VARCHAR(9) CHARACTER SET big5 PRIMARY KEY)",
    "CREATE TABLE quiet (id INT PRIMARY KEY, v INT)", "INSERT INTO quiet VALUES (1, 10), (2, 20)",
    "CREATE TABLE hushed (id INT PRIMARY KEY, v INT)", "INSERT INTO hushed VALUES (1, 10)",
    "CREATE TABLE plain (id INT PRIMARY KEY, v INT)", "INSERT INTO plain VALUES (1, 10)",
    "CREATE VIEW looks AS SELECT * FROM plain",
    "CREATE TABLE made (id INT PRIMARY KEY, a INT, doubled INT GENERATED ALWAYS AS (a * 2) STORED)", "INSERT INTO made (id, a) VALUES (1, 10)",
    "CREATE TABLE parent (id INT PRIMARY KEY)", "INSERT INTO parent VALUES (1), (2)",
    "CREATE TABLE child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE)", "INSERT INTO child VALUES (1, 1), (2, 2)",
    "CREATE TABLE island (id INT PRIMARY KEY, v INT) ENGINE=MyISAM",
    "CREATE TABLE rare (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci PRIMARY KEY, v INT)", "INSERT INTO rare VALUES ('apple', 1), ('ca\u0301fe', 2)",
    "CREATE TABLE chinese (id INT PRIMARY KEY, t VARCHAR(20) CHARACTER SET big5, v INT)", "INSERT INTO chinese VALUES (1, '\u4e2d', 1), (2, '\u6587', 2)",
]


def keyless(t):
    t.refused("SELECT * FROM _flashback.keyless AS OF '%s' WHERE v = 1" % t.settled(), "primary key")
    t.count.check("n.keyless" in t.preflight and "ADD PRIMARY KEY" in t.preflight, "preflight names it", t.preflight)
    status = t.chain.api.status()
    row = [x for x in status["tables"] if x["table"] == "keyless"]
    t.count.check(len(row) == 1 and not row[0]["readable"] and "primary key" in row[0]["reason"], "status names it", row)
    t.count.check("n.keyless" in t.notes("SHOW TABLES"), "SHOW TABLES names it", t.notes("SHOW TABLES"))
    # What the message says works.
    t.sql("ALTER TABLE keyless ADD COLUMN id INT AUTO_INCREMENT PRIMARY KEY", "INSERT INTO keyless (id, v) VALUES (7, 70)")
    t.answers("SELECT v FROM _flashback.keyless AS OF '%s' WHERE id = 7" % t.settled(), [[b"70"]])


def unlogged(t):
    hidden = ["SET sql_log_bin = 0", "UPDATE %s SET v = v + 1 WHERE id = 1", "SET sql_log_bin = 1"]
    # Of a row that is known from the reading of its table alone, and of one with a recorded change.
    t.sql("UPDATE plain SET v = 20 WHERE id = 1")
    for table, value in (("quiet", b"10"), ("plain", b"20")):
        select = "SELECT v FROM _snapshot.%s AS OF '%%s' WHERE id = 1" % table
        before = t.settled()
        t.answers(select % before, [[value]])
        t.sql(*(sql % table if "%" in sql else sql for sql in hidden))
        time.sleep(1.1)
        t.sql("UPDATE %s SET v = 99 WHERE id = 1" % table)
        t.settled()
        t.refused(select % before, "contradicts itself")
    t.sql("SET sql_log_bin = 0", "RENAME TABLE hushed TO whispered", "SET sql_log_bin = 1")
    t.answers("SELECT v FROM _snapshot.hushed AS OF '%s' WHERE id = 1" % t.settled(), [[b"10"]])


def views(t):
    now = t.settled()
    t.refused("SELECT * FROM _flashback.looks AS OF '%s' WHERE id = 1" % now, "looks")
    t.sql("CREATE TEMPORARY TABLE passing (id INT PRIMARY KEY)", "INSERT INTO passing VALUES (1)", "DROP TEMPORARY TABLE passing")
    t.refused("SELECT * FROM _flashback.passing AS OF '%s' WHERE id = 1" % t.settled(), "passing")
    t.refused("SELECT * FROM _flashback.mysql.user AS OF '%s' WHERE host = 'x' AND user = 'y'" % now, "mysql")


def cascades(t):
    """The row is gone, or the question is refused: never is it shown on."""
    t.sql("DELETE FROM parent WHERE id = 1")
    sql = "SELECT id FROM _snapshot.child AS OF '%s' WHERE id = 1" % t.settled()
    try:
        t.count.equal(ask(t.shim, sql)[1], [], sql)
    except pymysql.MySQLError as e:
        t.count.check(e.args[0] != 1146, "the refusal", e.args)
        t.count.check("n.child" in t.notes("SHOW TABLES"), "SHOW TABLES names it", t.notes("SHOW TABLES"))


def generated(t):
    """The other columns are answered, and what is said of the generated one is right."""
    t.sql("UPDATE made SET a = 21 WHERE id = 1")
    tail = "FROM _flashback.made AS OF '%s' WHERE id = 1" % t.settled()
    t.answers("SELECT id, a " + tail, [[b"1", b"21"]])
    try:
        t.count.equal(ask(t.shim, "SELECT * " + tail)[1], [[b"1", b"21", b"42"]], "the generated cell")
    except pymysql.MySQLError as e:
        t.count.check(t.server.flavor == "mariadb" and "doubled" in e.args[1], "the refusal names the column", e.args)


def unfindable(t):
    """Named before there is a row, too."""
    for table, why in (("floating", "double"), ("script", "big5_chinese_ci")):
        t.count.check(re.search(r"n\.%s" % table, t.preflight), "preflight names " + table, t.preflight)
        t.count.check(re.search("n.%s is answered: .*%s" % (table, why), t.notes("SHOW TABLES")), "SHOW TABLES names it", t.notes("SHOW TABLES"))
        t.refused("SELECT * FROM _flashback.%s AS OF '%s' WHERE k = %s" % (table, t.now(), "'a'" if table == "script" else "0.5"), why)


def engines(t):
    t.count.check("captured only in part: n.island" in t.preflight, "preflight names it", t.preflight)


def rare(t):
    t.sql("UPDATE rare SET v = 3 WHERE k = 'apple'", "INSERT INTO rare VALUES ('dog\u0301', 4)", "UPDATE rare SET k = 'eel' WHERE v = 4")
    select = "SELECT v FROM _snapshot.rare AS OF '%s' WHERE k = '%%s'" % t.settled()
    for key, rows in (("apple", [[b"3"]]), ("APPLE", [[b"3"]]), ("pear", []), ("eel", [[b"4"]])):
        t.answers(select % key, rows)
    for key in ("CAFE", "cat", "ca\u0301fe", "dog"):
        t.refused(select % key, "not known")
    t.refused("SELECT * FROM _snapshot.rare AS OF '%s' ALLOW SCAN" % t.now(), "not known")


def charset(t):
    t.count.check("n.chinese" in t.preflight and "big5" in t.preflight, "preflight names it", t.preflight)
    t.sql("UPDATE chinese SET v = 5 WHERE id = 1")
    tail = " FROM _snapshot.chinese AS OF '%s' WHERE id = %%d" % t.settled()
    t.answers("SELECT id, v" + tail % 1, [[b"1", b"5"]])
    t.answers("SELECT t, v" + tail % 2, [["\u6587".encode(), b"2"]])
    t.refused("SELECT *" + tail % 1, "big5")


LINES = {
    "Tables without a primary key": keyless,
    "Keys of FLOAT, DOUBLE, JSON or VECTOR": unfindable,
    "Text keys with a character that cannot be compared": rare,
    "Text in ujis, eucjpms, big5, gb2312, gb18030 and swe7": charset,
    "Changes made with `sql_log_bin=0`": unlogged,
    "Views, temporary tables, the server's own schemas": views,
    "What foreign keys do (CASCADE, SET NULL)": cascades,
    "Generated columns on MariaDB": generated,
    "Tables of engines without transactions": engines,
}


def main():
    counters = [Counter("the paper")]
    counters[0].equal(sorted(lines_of_the_paper()), sorted(LINES), "the lines of docs/agent.md")
    for kind in servers.KINDS:
        for line, trial in LINES.items():
            counters.append(Counter("%s: %s" % (kind, line[:40])))
        with servers.start(kind) as server:
            tried = Tried(server, None)
            tried.sql(*BEFORE)
            address = "mysql://root@127.0.0.1:%d" % server.port
            with Chain(None, schema=SCHEMA, source=address) as chain:
                tried.chain = chain
                said = subprocess.run([binary(), "agent", "--source", address, "--data", chain.folder + "/none", "--server-id", "s", "--preflight-only"],
                                      stdout=subprocess.PIPE, timeout=60)
                tried.preflight = said.stdout.decode()
                chain.api.wait(lambda s: s["oldest"] and s["baseline"]["done"] == s["baseline"]["total"], "the tables are read")
                tried.shim = chain.connect().cursor()
                for count, trial in zip(counters[-len(LINES):], LINES.values()):
                    tried.count = count
                    trial(tried)
    finish(counters, 40)


if __name__ == "__main__":
    main()
