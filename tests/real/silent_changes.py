#!/usr/bin/env python3
"""Records what servers log where rows change without row events, and what the tables hold after each statement.

    silent_changes.py KIND PORT BINLOG_FOLDER [SCENARIO...]

KIND is a folder below tests/data/silent: mysql-9.7 (as shipped), mysql-9.7-native (innodb_native_foreign_keys=ON), mariadb-11.8, mariadb-10.11; each server runs with
binlog_row_metadata=FULL. Of each scenario of silent_scenarios.py it writes SCENARIO.binlog, the log from the scenario's place `log from here` on, and SCENARIO.json,
the rows of every table after each statement, by GTID. tests/it/silent_changes.rs holds the answers against both.
"""
import json
import os
import shutil
import sys
import time

import pymysql

from silent_scenarios import SCENARIOS

ROOT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "silent")
KEYS = ("SELECT column_name FROM information_schema.key_column_usage WHERE table_schema = DATABASE() AND table_name = %s "
        "AND constraint_name = 'PRIMARY' AND column_name <> 'row_end' ORDER BY ordinal_position")


def rows_of(cursor):
    """Every base table of the schema, with its rows as text."""
    cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")
    tables = {}
    for (name,) in sorted(cursor.fetchall()):
        cursor.execute(KEYS, (name,))
        key = [column for (column,) in cursor.fetchall()]
        try:
            cursor.execute("SELECT * FROM `%s`" % name)
        except pymysql.MySQLError:
            continue
        columns = [d[0] for d in cursor.description]
        rows = [[None if v is None else str(v) for v in row] for row in cursor.fetchall()]
        tables[name] = {"columns": columns, "primary_key": key, "rows": sorted(rows, key=json.dumps)}
    return tables


def record(kind, port, folder, name, scenario):
    only, statements = scenario
    if not kind.startswith(only):
        return
    maria = kind.startswith("mariadb")
    connection = pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True, charset="utf8mb4")
    cursor = connection.cursor()
    cursor.execute("DROP DATABASE IF EXISTS silent")
    cursor.execute("FLUSH BINARY LOGS")
    steps, began = [], "-- log from here" not in statements
    for statement in ["CREATE DATABASE silent CHARACTER SET latin1", "USE silent"] + statements:
        if statement == "-- log from here":
            cursor.execute("FLUSH BINARY LOGS")
            began = True
            continue
        error = None
        try:
            cursor.execute(statement)
        except pymysql.MySQLError as e:
            error = e.args[0]
            print("%s, %s: %s: %s" % (kind, name, statement, e.args))
        if not began or statement.startswith(("SET", "USE")):
            continue
        cursor.execute("SELECT @@GLOBAL." + ("gtid_binlog_pos" if maria else "gtid_executed"))
        gtid = cursor.fetchone()[0].replace("\n", "")
        steps.append({"statement": statement, "error": error, "gtid": gtid, "tables": rows_of(cursor)})
    # So that the second of the last statement lies after the log.
    time.sleep(2.1)
    cursor.execute("SHOW BINARY LOGS")
    last = cursor.fetchall()[-1][0]
    cursor.execute("FLUSH BINARY LOGS")
    os.makedirs(os.path.join(ROOT, kind), exist_ok=True)
    shutil.copyfile(os.path.join(folder, last), os.path.join(ROOT, kind, name + ".binlog"))
    with open(os.path.join(ROOT, kind, name + ".json"), "w", encoding="utf-8") as out:
        # A line a statement.
        out.write("[\n" + ",\n".join(json.dumps(step, ensure_ascii=False) for step in steps) + "\n]\n")


def main():
    kind, port, folder, *names = sys.argv[1:]
    for name in names or SCENARIOS:
        record(kind, int(port), folder, name, SCENARIOS[name])


if __name__ == "__main__":
    main()
