#!/usr/bin/env python3
"""ALTER TABLE statements of two to five clauses of every kind, made up from a seed, against a real server.

    ddl_generator.py --shim BINARY --port N --binlogs FOLDER [--count 300] [--seed 1] [--refused 5] [--metadata NO_LOG] [-v]

Each statement that the server (root without a password on 127.0.0.1) takes runs on a table of its own with rows; what SHOW COLUMNS and the rows say then, and
after a few changes of rows behind it, is noted with the GTID. Then the agent reads the binary log, and the shim is asked for the rows at each of these
GTIDs. Fails when one answer has other columns or other cells than the server, or when more than --refused percent of the
questions are refused; refusals are counted by their reason.
"""
import argparse
import collections
import os
import random
import re
import sys

import pymysql

from chain import Chain
from ddl import Recorder, connect

KEYS = [1, 2, 3, 4, 5]
# Types with values that tell one conversion from another.
TYPES = {
    "TINYINT": ["0", "1", "-5", "100"],
    "SMALLINT UNSIGNED": ["0", "7", "40000"],
    "INT": ["0", "-1", "12", "123456", "NULL"],
    "INT UNSIGNED": ["0", "4000000000", "NULL"],
    "BIGINT": ["0", "9007199254740993", "-77", "NULL"],
    "INT(7) ZEROFILL": ["5", "1234567"],
    "DECIMAL(10,2)": ["0", "1.50", "-2.55", "12345.67", "NULL"],
    "DECIMAL(12,4)": ["0.0001", "-1.2345", "99.9950"],
    "FLOAT": ["0.5", "1.25", "-3"],
    "DOUBLE": ["0.1", "1e10", "-2.5", "NULL"],
    "BIT(9)": ["b'1'", "b'101010101'"],
    "YEAR": ["1999", "2024", "NULL"],
    "DATE": ["'2024-02-29'", "'1000-01-01'", "NULL"],
    "TIME(3)": ["'10:11:12.345'", "'-00:00:01.500'", "'838:59:59'"],
    "DATETIME": ["'2024-02-29 10:11:12'", "NULL"],
    "DATETIME(6)": ["'2024-02-29 10:11:12.654321'", "'2024-12-31 12:00:00.500000'", "NULL"],
    "TIMESTAMP NULL": ["'2024-02-29 10:11:12'", "NULL"],
    "CHAR(8)": ["'a'", "''", "'é'", "NULL"],
    "VARCHAR(12)": ["'abc '", "'  '", "'grün'", "'12'", "NULL"],
    "VARCHAR(40)": ["'abc  '", "'日本'", "'2024-02-29'", "''", "NULL"],
    "VARCHAR(20) CHARACTER SET latin1": ["'é '", "'plain'", "NULL"],
    "VARCHAR(20) COLLATE utf8mb4_bin": ["'Ab '", "''"],
    "TEXT": ["'text '", "''", "'ü'", "NULL"],
    "MEDIUMTEXT": ["'m'", "NULL"],
    "BINARY(6)": ["'ab'", "'a\\0b'"],
    "VARBINARY(12)": ["'ab\\0'", "''", "NULL"],
    "BLOB": ["'blob '", "NULL"],
    "ENUM('x','y','z')": ["'x'", "'z'", "NULL"],
    "ENUM('y','x','é')": ["'x'", "'é'"],
    "SET('p','q','r')": ["'p'", "'p,r'", "''", "NULL"],
}
# Definitions that columns of a type are often changed to.
NEAR = {
    "TINYINT": ["SMALLINT", "INT", "BIGINT", "TINYINT UNSIGNED"],
    "SMALLINT UNSIGNED": ["INT", "INT UNSIGNED", "BIGINT"],
    "INT": ["BIGINT", "INT UNSIGNED", "DECIMAL(12,2)", "VARCHAR(20)", "DOUBLE"],
    "INT UNSIGNED": ["BIGINT UNSIGNED", "BIGINT"],
    "BIGINT": ["DECIMAL(20,0)", "VARCHAR(30)"],
    "INT(7) ZEROFILL": ["INT UNSIGNED", "BIGINT"],
    "DECIMAL(10,2)": ["DECIMAL(12,2)", "DECIMAL(14,4)", "DECIMAL(10,1)", "INT", "VARCHAR(20)", "DOUBLE"],
    "DECIMAL(12,4)": ["DECIMAL(14,4)", "DECIMAL(10,2)", "DECIMAL(12,3)"],
    "FLOAT": ["DOUBLE", "VARCHAR(20)"],
    "DOUBLE": ["VARCHAR(40)", "DECIMAL(20,4)"],
    "BIT(9)": ["BIT(12)", "INT"],
    "YEAR": ["INT", "SMALLINT", "CHAR(4)"],
    "DATE": ["DATETIME", "DATETIME(3)", "VARCHAR(12)"],
    "TIME(3)": ["TIME", "TIME(6)", "VARCHAR(20)"],
    "DATETIME": ["DATETIME(6)", "DATE", "VARCHAR(30)"],
    "DATETIME(6)": ["DATETIME", "DATETIME(3)", "VARCHAR(30)"],
    "TIMESTAMP NULL": ["TIMESTAMP(3) NULL"],
    "CHAR(8)": ["CHAR(20)", "VARCHAR(8)", "VARCHAR(30)", "TEXT"],
    "VARCHAR(12)": ["VARCHAR(30)", "CHAR(12)", "TEXT", "VARCHAR(12) CHARACTER SET latin1", "VARCHAR(12) CHARACTER SET utf8mb3", "VARBINARY(60)"],
    "VARCHAR(40)": ["VARCHAR(80)", "CHAR(40)", "TEXT", "MEDIUMTEXT", "VARCHAR(40) COLLATE utf8mb4_bin"],
    "VARCHAR(20) CHARACTER SET latin1": ["VARCHAR(20)", "CHAR(20) CHARACTER SET latin1", "TEXT", "VARCHAR(30) CHARACTER SET latin1"],
    "VARCHAR(20) COLLATE utf8mb4_bin": ["VARCHAR(20)", "CHAR(20) COLLATE utf8mb4_bin"],
    "TEXT": ["MEDIUMTEXT", "VARCHAR(100)", "CHAR(20)"],
    "MEDIUMTEXT": ["LONGTEXT", "TEXT"],
    "BINARY(6)": ["BINARY(8)", "VARBINARY(12)"],
    "VARBINARY(12)": ["VARBINARY(40)", "BLOB"],
    "BLOB": ["LONGBLOB", "VARBINARY(60)"],
    "ENUM('x','y','z')": ["ENUM('x','y','z','more')", "ENUM('z','y','x')", "VARCHAR(10)"],
    "ENUM('y','x','é')": ["ENUM('y','x','é') CHARACTER SET latin1", "CHAR(3)"],
    "SET('p','q','r')": ["SET('r','q','p','s')", "VARCHAR(20)"],
}
DEFAULTS = ["", "", "", " NOT NULL", " NULL", " DEFAULT NULL", " DEFAULT 7", " NOT NULL DEFAULT 3", " DEFAULT '5'", " NOT NULL DEFAULT ''", " COMMENT 'it''s, (odd) \\\\ ü'"]


def place(r, names):
    kind = r.random()
    if kind < 0.2:
        return " FIRST"
    return " AFTER %s" % r.choice(names) if kind < 0.55 and names else ""


class Table:
    """A table of random columns, and statements on it."""

    def __init__(self, r, name, mariadb):
        self.r, self.name, self.mariadb = r, name, mariadb
        kinds = r.sample(list(TYPES), r.randint(3, 6))
        self.columns = [("c%d" % i, kind) for i, kind in enumerate(kinds)]
        self.key = r.choice(["INT", "INT", "INT", "BIGINT UNSIGNED", "SMALLINT"])

    def create(self):
        columns = ["id %s NOT NULL PRIMARY KEY" % self.key] + ["%s %s" % c for c in self.columns]
        if self.r.random() < 0.3:
            columns.append("KEY k0 (%s%s)" % (self.columns[0][0], "(3)" if "TEXT" in self.columns[0][1] or "BLOB" in self.columns[0][1] else ""))
        return "CREATE TABLE %s (%s)" % (self.name, ", ".join(columns))

    def insert(self, key):
        values = [self.r.choice(TYPES[kind]) for _, kind in self.columns]
        return "INSERT INTO %s VALUES (%d, %s)" % (self.name, key, ", ".join(values))

    def definition(self, kind=None):
        r = self.r
        if kind and r.random() < 0.85:
            kind = r.choice(NEAR[kind] + [kind]) if r.random() < 0.9 else kind
        else:
            kind = r.choice(list(TYPES))
        return kind + r.choice(DEFAULTS)

    def clause(self, names, fresh):
        """One clause; `names`: columns that can be spoken of."""
        r, choice = self.r, self.r.random()
        name, kind = r.choice(self.columns)
        known = names + list(fresh)
        exists = "IF EXISTS " if self.mariadb and r.random() < 0.1 else ""
        if choice < 0.22:
            new = "n%d" % len(fresh)
            fresh.append(new)
            maybe = "IF NOT EXISTS " if self.mariadb and r.random() < 0.15 else ""
            if not maybe and r.random() < 0.12:
                fresh.append("n%d" % len(fresh))
                return "ADD (%s %s, %s %s)" % (new, self.definition(), fresh[-1], self.definition())
            if r.random() < 0.05:
                return "ADD %s%s INT DEFAULT 4 INVISIBLE%s" % (maybe, new, place(r, known))
            return "ADD %s%s%s %s%s" % (r.choice(["", "COLUMN "]), maybe, new, self.definition(), place(r, known))
        if choice < 0.44:
            return "MODIFY %s%s%s %s%s" % (r.choice(["", "COLUMN "]), exists, name, self.definition(kind), place(r, known))
        if choice < 0.60:
            new = r.choice([name, "r%d" % r.randint(0, 3), r.choice(names)])
            return "CHANGE %s%s %s %s%s" % (exists, name, new, self.definition(kind), place(r, known + [new]))
        if choice < 0.66:
            return "DROP %s%s%s" % (r.choice(["", "COLUMN "]), exists, name)
        if choice < 0.73:
            return "RENAME COLUMN %s TO %s" % (name, r.choice(["m%d" % r.randint(0, 3), r.choice(names)]))
        if choice < 0.77:
            return "ALTER %s SET DEFAULT %s" % (name, r.choice(["5", "'7'", "NULL"]))
        if choice < 0.79:
            return "ALTER COLUMN %s DROP DEFAULT" % name
        if choice < 0.80 and not self.mariadb:
            return "ALTER %s SET %s" % (name, r.choice(["INVISIBLE", "VISIBLE"]))
        if choice < 0.84:
            return "ADD %s i%d (%s%s)" % (r.choice(["INDEX", "KEY", "UNIQUE"]), r.randint(0, 9), r.choice(known), r.choice(["", "", "(2)"]))
        if choice < 0.86:
            return r.choice(["DROP INDEX k0", "RENAME INDEX k0 TO k1"])
        if choice < 0.88:
            return "MODIFY id %s NOT NULL%s" % (r.choice(["BIGINT", "INT", "BIGINT UNSIGNED"]), place(r, names))
        return r.choice([
            "ENGINE=InnoDB", "COMMENT='x, y'", "FORCE", "ALGORITHM=COPY", "ALGORITHM=INPLACE", "ALGORITHM=INSTANT", "LOCK=SHARED", "AUTO_INCREMENT=50",
            "ROW_FORMAT=DYNAMIC", "DEFAULT CHARACTER SET utf8mb4", "ORDER BY " + name, "ADD CONSTRAINT ck%d CHECK (id > 0)" % r.randint(0, 9),
            "CONVERT TO CHARACTER SET utf8mb4", "CONVERT TO CHARACTER SET utf8mb3", "COLLATE utf8mb4_bin"])

    def alter(self):
        names, fresh = ["id"] + [c for c, _ in self.columns], []
        clauses = [self.clause(names, fresh) for _ in range(self.r.randint(2, 5))]
        text = "ALTER TABLE %s %s" % (self.name, ", ".join(clauses))
        if self.r.random() < 0.1:
            text = text.replace("ALTER TABLE", "ALTER /* a, b */ TABLE", 1) + self.r.choice(["", " -- end", " /*!50500 , COMMENT='v' */", " /*M!100100 , COMMENT='m' */"])
        return text


class Case:
    """A statement that ran, and what the server had at each step."""

    def __init__(self, table, statement):
        self.table, self.statement, self.steps = table, statement, []

    def note(self, recorder, what):
        names = [row[0].decode() for row in recorder.ask("SHOW COLUMNS FROM gen." + self.table)]
        recorder.cursor.execute("SELECT * FROM gen.%s ORDER BY id" % self.table)
        shown = [d[0] for d in recorder.cursor.description]
        rows = recorder.cursor.fetchall()
        self.steps.append((what, recorder.gtid(), names, shown, rows))


def record(recorder, r, number, statements):
    """One case; None: the server took none of the statements that were tried."""
    for attempt in range(40):
        table = Table(r, "t%d_%d" % (number, attempt), recorder.mariadb)
        if recorder.try_to(table.create()):
            continue
        if any([recorder.try_to(table.insert(key)) for key in KEYS[:4]]):
            recorder.try_to("DROP TABLE " + table.name)
            continue
        strict = r.random() < 0.8
        recorder.cursor.execute("SET SESSION sql_mode = '%s'" % ("STRICT_TRANS_TABLES" if strict else r.choice(["", "", "NO_BACKSLASH_ESCAPES"])))
        statements["tried"] += 1
        statement = table.alter()
        error = recorder.try_to(statement)
        if error:
            recorder.cursor.execute("SET SESSION sql_mode = ''")
            recorder.try_to("DROP TABLE " + table.name)
            continue
        recorder.cursor.execute("SET SESSION sql_mode = ''")
        case = Case(table.name, statement)
        case.note(recorder, "ALTER")
        names = case.steps[0][2]
        other = [n for n in names if n.lower() != "id"]
        if other:
            recorder.try_to("UPDATE %s SET %s = NULL WHERE id = 2" % (table.name, r.choice(other)))
            recorder.try_to("UPDATE %s SET %s = 1 WHERE id = 3" % (table.name, r.choice(other)))
        recorder.try_to("INSERT IGNORE INTO %s (id) VALUES (5)" % table.name)
        recorder.try_to("DELETE FROM %s WHERE id = 4" % table.name)
        case.note(recorder, "rows")
        return case
    return None


def reason(error):
    """The kind of a refusal: its words without names and values."""
    text = str(error.args[1] if len(error.args) > 1 else error)
    text = re.sub(r"\(by: .*|: (ALTER|CREATE) .*", "", text)
    text = re.sub(r"gen\.\w+|column \w+|'[^']*'|\d{4}-\d\d-\d\dT?[ \d:.Z]*", "..", text)
    return re.sub(r"from \w+.*? to \w+.*?,", lambda m: re.sub(r"\d+", "n", m.group(0)), text)[:200]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--shim", required=True)
    p.add_argument("--port", type=int, required=True)
    p.add_argument("--binlogs", required=True)
    p.add_argument("--count", type=int, default=300)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--refused", type=float, default=5.0)
    p.add_argument("--metadata", help="binlog_row_metadata for this run")
    p.add_argument("-v", action="store_true")
    a = p.parse_args()
    r = random.Random(a.seed)
    recorder = Recorder(connect(a.port, user="root"))
    metadata = recorder.ask("SELECT @@global.binlog_row_metadata")[0][0].decode()
    recorder.cursor.execute("SET GLOBAL binlog_row_metadata = %s" % (a.metadata or metadata))
    recorder.try_to("DROP DATABASE IF EXISTS gen")
    recorder.cursor.execute("FLUSH BINARY LOGS")
    first = recorder.ask("SHOW BINARY LOGS")[-1][0].decode()
    recorder.cursor.execute("CREATE DATABASE gen CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
    recorder.cursor.execute("USE gen")
    recorder.cursor.execute("SET SESSION sql_mode = ''")
    statements = collections.Counter()
    cases = [case for case in (record(recorder, r, i, statements) for i in range(a.count)) if case]
    recorder.cursor.execute("SET GLOBAL binlog_row_metadata = %s" % metadata)
    recorder.cursor.execute("FLUSH BINARY LOGS")
    files = [f[0].decode() for f in recorder.ask("SHOW BINARY LOGS")]
    files = [os.path.join(a.binlogs, f) for f in files[files.index(first):-1]]
    verdicts, reasons, examples = collections.Counter(), collections.Counter(), {}
    with Chain(a.shim, files) as chain:
        cursor = connect(chain.port, user="app", password="secret").cursor()
        for case in cases:
            for what, gtid, _, shown, rows in case.steps:
                sql = "SELECT * FROM _snapshot.gen.%s AT GTID '%s' WHERE id IN (%s)" % (case.table, gtid, ", ".join(map(str, KEYS)))
                try:
                    cursor.execute(sql)
                except pymysql.err.MySQLError as e:
                    verdicts["refused"] += 1
                    reasons[reason(e)] += 1
                    examples.setdefault(reason(e), (case.statement, e.args))
                    continue
                names, got = [d[0] for d in cursor.description], cursor.fetchall()
                at = names.index("id") if "id" in names else 0
                right = names == shown and sorted(got, key=lambda row: int(row[at])) == sorted(rows, key=lambda row: int(row[at]))
                verdicts["right" if right else "WRONG"] += 1
                if not right and verdicts["WRONG"] <= (1000 if a.v else 10):
                    print("WRONG at %s after %s\n  %s\n  got  %s %s\n  want %s %s" % (what, case.statement, sql, names, got, shown, rows))
    recorder.try_to("DROP DATABASE IF EXISTS gen")
    for kind, count in reasons.most_common():
        print("refused %5d  %s\n               %s" % (count, kind, examples[kind][0]))
        if a.v:
            print("               %s" % (examples[kind][1],))
    asked = sum(verdicts.values())
    percent = 100.0 * verdicts["refused"] / max(asked, 1)
    print("seed %d: %d statements carried out of %d tried; answers: %s; %.2f %% refused" % (a.seed, len(cases), statements["tried"], dict(verdicts), percent))
    if verdicts["WRONG"] or percent > a.refused or not verdicts["right"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
