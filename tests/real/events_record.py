#!/usr/bin/env python3
"""Records logs with odd events, each in a file of its own, and what the server held when it ended.

    events_record.py --port 3306 --folder DATADIR --server mysql-9.7 [CASE...]

The server must be fresh, log rows, and let root in without a password. Writes crates/history/tests/data/events/CASE-SERVER.binlog and .json, which
crates/history/tests/events.rs reads: for each table its rows (texts by column, in the order of their keys), and whether the log does not say them.
"""
import argparse
import glob
import json
import os
import shutil
import time

import pymysql

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../crates/history/tests/data/events")
MARIADB = ("mariadb-10.11", "mariadb-11.8")
ALL = MARIADB + ("mysql-9.7",)

T = "CREATE TABLE t(id INT PRIMARY KEY, v INT)"
U = "CREATE TABLE u(id INT PRIMARY KEY, v VARCHAR(20)) CHARACTER SET utf8mb4"
ROWS = ["INSERT INTO t VALUES(1,10),(2,20)", "INSERT INTO u VALUES(1,'a'),(2,'b')"]

# Case: servers, statements (bytes are sent as they are), tables whose rows are not known from the log.
CASES = {
    # A letter outside ASCII in a comment, from clients with many character sets; bytes that are text in none of them.
    "comments": (ALL, [
        "SET NAMES utf8mb4", b"CREATE TABLE t(id INT PRIMARY KEY, v INT COMMENT 'na\xc3\xafve') COMMENT='caf\xc3\xa9'", U, *ROWS,
        "SET NAMES latin1", b"ALTER TABLE t COMMENT 'caf\xe9'", "SET NAMES koi8r", b"ALTER TABLE t ADD w INT DEFAULT 7 COMMENT '\xd6'",
        "SET NAMES cp1251", b"ALTER TABLE t COMMENT '\xe6'", "SET NAMES gbk", b"ALTER TABLE t COMMENT 'x\x81\x5c'",
        "SET NAMES sjis", b"ALTER TABLE t COMMENT '\x83\x5c'", "SET NAMES cp932", b"ALTER TABLE t COMMENT '\x83\x5c'",
        "SET NAMES big5", b"ALTER TABLE t COMMENT '\xa4\x7c'", "SET NAMES utf8mb4", b"ALTER TABLE t ADD x INT DEFAULT 8 /* \xff */",
        b"CREATE TABLE w(id INT PRIMARY KEY) COMMENT '\xff'", "INSERT INTO w VALUES(1)", b"CREATE VIEW vv AS SELECT 1 AS a /* \xff */",
        "UPDATE t SET v = 11 WHERE id = 1", "UPDATE u SET v = 'c' WHERE id = 2"], []),
    # Labels that cannot be decoded harm their own table; a savepoint and a user harm nobody.
    "labels": (ALL, [
        "SET NAMES utf8mb4", T, U, *ROWS, "SET NAMES tis620", b"CREATE TABLE e(id INT PRIMARY KEY, v ENUM('\xa1') CHARACTER SET tis620)",
        "INSERT INTO e VALUES(1,1)", b"BEGIN", b"INSERT INTO t VALUES(3,30)", b"SAVEPOINT `\xa1`", b"INSERT INTO t VALUES(4,40)", b"COMMIT",
        b"CREATE USER `\xa1`@localhost", b"DROP USER `\xa1`@localhost", "SET NAMES utf8mb4", "UPDATE t SET v = 31 WHERE id = 3"], ["e"]),
    # One UPDATE, INSERT, DELETE and LOAD DATA as a statement: their own tables.
    "statements": (ALL, [
        "SET NAMES utf8mb4", T, U, "CREATE TABLE g(id INT PRIMARY KEY, v INT)", "CREATE TABLE h(id INT PRIMARY KEY, v INT)", *ROWS,
        "INSERT INTO h VALUES(1,10)", "SET SESSION binlog_format=STATEMENT", "UPDATE t SET v = ABS(-5) WHERE id IN (1, 3)",
        "LOAD DATA LOCAL INFILE '%(file)s' INTO TABLE g(id,v)", "INSERT INTO h SELECT id + 10, v FROM t", "SET SESSION binlog_format=ROW",
        "UPDATE u SET v = 'c' WHERE id = 2", "UPDATE t SET v = 6 WHERE id = 1"], ["t", "g", "h"]),
    # A table comes back when it is emptied.
    "emptied": (ALL, [
        "SET NAMES utf8mb4", T, U, *ROWS, "SET SESSION binlog_format=STATEMENT", "DELETE FROM t WHERE id = 2", "SET SESSION binlog_format=ROW",
        "TRUNCATE TABLE t", "INSERT INTO t VALUES(5,50)"], []),
    # What a trigger and a cascade change has no event of its own.
    "ties": (ALL, [
        "SET NAMES utf8mb4", T, U, "CREATE TABLE audit(id INT PRIMARY KEY)", "CREATE TABLE p(id INT PRIMARY KEY)",
        "CREATE TABLE c(id INT PRIMARY KEY, p INT, FOREIGN KEY(p) REFERENCES p(id) ON DELETE CASCADE)", *ROWS,
        "CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW INSERT INTO audit VALUES(NEW.id)", "INSERT INTO p VALUES(1)", "INSERT INTO c VALUES(1,1)",
        "INSERT INTO audit VALUES(9)", "SET SESSION binlog_format=STATEMENT", "DELETE FROM p", "INSERT INTO t VALUES(7,70)",
        "SET SESSION binlog_format=ROW"], ["t", "audit", "p", "c", "u"]),
    "cascade": (MARIADB, [
        "SET NAMES utf8mb4", T, U, "CREATE TABLE p(id INT PRIMARY KEY)",
        "CREATE TABLE c(id INT PRIMARY KEY, p INT, FOREIGN KEY(p) REFERENCES p(id) ON DELETE CASCADE)", *ROWS,
        "INSERT INTO p VALUES(1)", "INSERT INTO c VALUES(1,1)", "SET SESSION binlog_format=STATEMENT", "DELETE FROM p",
        "SET SESSION binlog_format=ROW", "UPDATE t SET v = 11 WHERE id = 1"], ["p", "c"]),
    # A row goes with another table's by a foreign key, and by the statement itself; columns of a type with two names.
    "deleted_twice": (ALL, [
        "SET NAMES utf8mb4", T, U, "CREATE TABLE p(id INT PRIMARY KEY)", "CREATE TABLE c(id INT PRIMARY KEY, p INT, FOREIGN KEY(p) REFERENCES p(id) ON DELETE CASCADE)", *ROWS,
        "INSERT INTO p VALUES(1),(2),(3)", "INSERT INTO c VALUES(1,1),(2,2),(3,2),(4,3)", "DELETE p, c FROM p JOIN c ON c.p = p.id WHERE p.id IN (2, 3)",
        "INSERT INTO c VALUES(3,1),(5,NULL)", "DELETE c, p FROM c JOIN p ON c.p = p.id WHERE c.id = 3"], []),
    "two_phase": (MARIADB, [
        "SET NAMES utf8mb4", "SET SESSION binlog_alter_two_phase=ON", "CREATE TABLE t(id INT PRIMARY KEY,p INT,q INT)", U,
        "INSERT INTO t VALUES(1,10,20)", "ALTER TABLE t CHANGE p q INT, CHANGE q p INT", "INSERT INTO t VALUES(4,1,2),(5,1,3)",
        "ALTER TABLE t ADD UNIQUE(q)", "INSERT INTO u VALUES(1,'a')", "ALTER TABLE t ADD w INT DEFAULT 3", "INSERT INTO t VALUES(6,7,8,9)"], []),
    "versioned": (MARIADB, [
        "SET NAMES utf8mb4", T, U, "CREATE TABLE x(id INT PRIMARY KEY, v INT, s BIGINT UNSIGNED GENERATED ALWAYS AS ROW START INVISIBLE, "
        "e BIGINT UNSIGNED GENERATED ALWAYS AS ROW END INVISIBLE, PERIOD FOR SYSTEM_TIME(s, e)) WITH SYSTEM VERSIONING", *ROWS,
        "INSERT INTO x(id, v) VALUES(1,1)", "UPDATE x SET v = 2", "UPDATE t SET v = 11 WHERE id = 1"], ["x"]),
    "nodup": (("mariadb-11.8",), [
        "SET NAMES utf8mb4", "CREATE TABLE t(id INT PRIMARY KEY, v INT, w VARCHAR(9))", U, "SET SESSION binlog_row_image=FULL_NODUP",
        "INSERT INTO t VALUES(1,10,'a'),(2,20,NULL)", ROWS[1], "UPDATE t SET v = 11", "UPDATE t SET w = NULL WHERE id = 1", "UPDATE t SET id = 3 WHERE id = 2"], []),
    "set_collations": (("mariadb-11.8",), [
        "SET NAMES utf8mb4", "SET SESSION character_set_collations='utf8mb4=utf8mb4_bin,latin1=latin1_german1_ci'",
        "CREATE TABLE t(id INT PRIMARY KEY, v VARCHAR(9) CHARACTER SET utf8mb4, w TEXT CHARACTER SET latin1) COMMENT 'é'", U,
        "INSERT INTO t VALUES(1,'é','ä')", "SET SESSION character_set_collations=''", "CREATE TABLE w(id INT PRIMARY KEY, v TEXT CHARACTER SET utf8mb4)",
        "INSERT INTO w VALUES(1,'é')", ROWS[1]], []),
    "vector": (("mysql-9.7",), [
        "SET NAMES utf8mb4", "CREATE TABLE t(id INT PRIMARY KEY, a VECTOR(3), v VARCHAR(9) CHARACTER SET latin1, w TEXT CHARACTER SET utf8mb4, j JSON)",
        U, "INSERT INTO t VALUES(1,NULL,'ä','é','{}')", ROWS[1],
        "INSERT INTO t(id,j) SELECT 2,CAST(99999999999999999999999999999999999999999999999999999999999999999.9 * 99999999 AS JSON)"], []),
}


def files(folder):
    return sorted(f for f in glob.glob(folder + "/binlog.*") if f.rsplit(".", 1)[1].isdigit())


def run(cursor, statement, values):
    try:
        cursor.execute(statement % values if isinstance(statement, str) and "%(" in statement else statement)
    except pymysql.err.Error as error:
        print("   ", statement, error)


def raw(connection, statement):
    connection._execute_command(3, statement)  # pylint: disable=protected-access
    try:
        connection._read_query_result()  # pylint: disable=protected-access
    except pymysql.err.Error as error:
        print("   ", statement, error)


def record(args, case):
    _, statements, doubt = CASES[case]
    connection = pymysql.connect(host="127.0.0.1", port=args.port, user="root", autocommit=True, local_infile=True)
    cursor = connection.cursor()
    if args.server.startswith("mysql"):
        cursor.execute("SET GLOBAL local_infile=1")
    cursor.execute("DROP DATABASE IF EXISTS s")
    cursor.execute("FLUSH BINARY LOGS")
    log = files(args.folder)[-1]
    file = "/tmp/events_record.txt"
    with open(file, "w", encoding="ascii") as f:
        f.write("5\t6\n8\t9\n")
    cursor.execute("CREATE DATABASE s CHARACTER SET utf8mb4")
    connection.select_db("s")
    for statement in statements:
        if isinstance(statement, bytes):
            raw(connection, statement)
        else:
            run(cursor, statement, {"file": file})
    time.sleep(1.1)
    cursor.execute("FLUSH BINARY LOGS")
    cursor.execute("SET NAMES utf8mb4")
    cursor.execute("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA='s' AND TABLE_TYPE <> 'VIEW' ORDER BY 1")
    truth = {}
    for (table,) in cursor.fetchall():
        cursor.execute("SELECT * FROM `%s` ORDER BY 1" % table)
        rows = [[None if c is None else c if isinstance(c, str) else str(c) for c in row] for row in cursor.fetchall()]
        truth[table] = {"rows": rows, "doubt": table in doubt}
    name = os.path.join(OUT, "%s-%s" % (case, args.server))
    shutil.copy(log, name + ".binlog")
    with open(name + ".json", "w", encoding="utf-8") as f:
        json.dump(truth, f, ensure_ascii=False, indent=1, sort_keys=True)
    print(case, os.path.getsize(log), truth)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--server", required=True, choices=ALL)
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()
    os.makedirs(OUT, exist_ok=True)
    for case in args.cases or CASES:
        if args.server in CASES[case][0]:
            record(args, case)


if __name__ == "__main__":
    main()
