#!/usr/bin/env python3
"""The start-up statements of clients that cannot run here, against the shim and against a MariaDB: what both answer has the same columns
and the same shape. Then the same over compressed connections.

The shim answers as MySQL 8.0 does; where a MariaDB does not know a variable or a function of MySQL 8, its error is listed here, and nothing
else may fail.
"""
import os
import subprocess
import sys

import pymysql
from pymysql.constants import CLIENT

from harness import PASSWORD, ROOT, Chain, Counter, MariaDb, dies_with_us, finish

BINLOG = os.path.join(ROOT, "tests", "data", "mariadb-10.11", "binlog.000003")
FOLDER = os.path.join(ROOT, "tests", "data", "transcripts")
# What MariaDB 10.11 does not know: 1193 is an unknown variable, the others are values and statements of MySQL 8 alone.
ONLY_MYSQL = {
    "transaction_isolation": 1193, "transaction_read_only": 1193, "information_schema_stats_expiry": 1193, "max_execution_time": 1193,
    "sql_generate_invisible_primary_key": 1193, "sql_require_primary_key": 1193, "SESSION_TRACK_GTIDS": 1193, "GTID_EXECUTED": 1193,
    "optimizer_switch": 1231, "default_tmp_storage_engine": 1193, "default_storage_engine": 1193, "lc_messages": 1193,
}
# Lists whose length is each server's own: only their columns are compared.
LISTS = ("SHOW VARIABLES", "SHOW GLOBAL VARIABLES", "SHOW GLOBAL STATUS", "SHOW STATUS", "SHOW PLUGINS", "SHOW GRANTS", "SHOW PROCESSLIST",
         "SHOW FULL PROCESSLIST", "SHOW DATABASES", "SHOW FULL TABLES", "SHOW WARNINGS", "SHOW COLLATION", "SHOW CHARSET", "SHOW ENGINES", "SELECT * FROM INFORMATION_SCHEMA.ENGINES")
# Columns that MariaDB alone has, or MySQL 8 alone.
ONLY_ONE = ("PROGRESS", "MAX_INDEX_LENGTH", "TEMPORARY", "PAD_ATTRIBUTE")


def statements(path):
    """The statements of a file."""
    with open(path, encoding="utf-8") as f:
        return [line for line in f.read().splitlines() if not line.startswith("-- ")]


def answers(connection, sql):
    """Of each result: column names, or None for an OK, and the number of rows. An error: its number."""
    cursor = connection.cursor()
    found = []
    try:
        cursor.execute(sql)
        while True:
            names = [d[0] for d in cursor.description] if cursor.description else None
            found.append((names, len(cursor.fetchall())))
            if not cursor.nextset():
                return found
    except pymysql.MySQLError as e:
        return e.args[0]


def plain(sql):
    """Without the comments in front, in one case and with single blanks; code of executable comments stays."""
    text = sql
    for word in ("/*!50002 GLOBAL */", "/*!40100 GLOBAL */"):
        text = text.replace(word, "GLOBAL")
    while text.startswith("/*") and not text.startswith("/*!"):
        text = text.split("*/", 1)[1].lstrip()
    return " ".join(text.split()).upper()


def shape(sql, found):
    """What has to be equal: names always, the number of rows up to "many", and not at all for lists."""
    if isinstance(found, int):
        return found
    is_list = plain(sql).startswith(LISTS)
    shown = []
    for names, rows in found:
        names = names and ["Grants" if n.startswith("Grants for ") else n for n in names if n.upper() not in ONLY_ONE]
        shown.append((names, None if is_list else min(rows, 2)))
    return shown


def transcripts(count, chain, mariadb):
    for name in sorted(os.listdir(FOLDER)):
        ours = chain.connect(client_flag=CLIENT.MULTI_STATEMENTS, use_unicode=True, init_command=None)
        theirs = pymysql.connect(host="127.0.0.1", port=mariadb.port, user="root", charset="utf8mb4", database="tt", autocommit=True,
                                 client_flag=CLIENT.MULTI_STATEMENTS)
        for sql in statements(os.path.join(FOLDER, name)):
            got = answers(ours, sql)
            count.check(not isinstance(got, int), "%s: %s" % (name, sql), got, "no error")
            want = answers(theirs, sql)
            if isinstance(want, int):
                known = any(word.lower() in sql.lower() and code == want for word, code in ONLY_MYSQL.items())
                count.check(known, "%s on MariaDB: %s" % (name, sql), want, "an answer, or an error that is listed")
                continue
            count.equal(shape(sql, got), shape(sql, want), "%s, shape: %s" % (name, sql))


def compressed(count, chain):
    """The `mariadb` command line with --compress: short answers, long ones, and one that is refused."""
    def run(text, *options):
        arguments = ["mariadb", "--no-defaults", "-h127.0.0.1", "-P%d" % chain.port, "-uapp", "-p" + PASSWORD, "--default-character-set=utf8mb4",
                     "-N", *options, "tt", "-e", text]
        done = subprocess.run(arguments, capture_output=True, timeout=60, preexec_fn=dies_with_us)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    travel = "SELECT * FROM _flashback.orders AS OF '2026-11-23 07:13:01' WHERE id BETWEEN 1 AND 100"
    for text in ("SELECT 1", "USE tt; SELECT DATABASE()", "SHOW VARIABLES LIKE 's%'", travel, "SELECT '%s'" % ("x" * 100000)):
        packed, bare = run(text, "--compress"), run(text)
        count.equal(packed[0], 0, "compressed: " + text[:60])
        count.equal(packed, bare, "compressed and not: " + text[:60])
    count.equal(run("SHOW STATUS LIKE 'Compression%'", "--compress")[1], "Compression\tON\nCompression_algorithm\tzlib\n", "it is compressed")
    count.equal(run("SHOW STATUS LIKE 'Compression%'")[1], "Compression\tOFF\nCompression_algorithm\t\n", "it is not compressed")
    code, _, err = run("SELECT nosuch", "--compress")
    count.check(code == 1 and "ERROR 1054 (42S22)" in err, "refused over a compressed connection", err)


def main():
    counters = [Counter("transcripts"), Counter("mariadb --compress")]
    with MariaDb() as mariadb, Chain([BINLOG]) as chain:
        with mariadb.connect().cursor() as cursor:
            cursor.execute("CREATE DATABASE tt")
            for table in ("orders", "order_items"):
                cursor.execute("CREATE TABLE tt.%s (id INT PRIMARY KEY)" % table)
        transcripts(counters[0], chain, mariadb)
        compressed(counters[1], chain)
    finish(counters, 200)


if __name__ == "__main__":
    main()
