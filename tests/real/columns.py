#!/usr/bin/env python3
"""Columns and keys that are not like the others, captured from a running server and compared with what the server itself answers: generated and
invisible columns, a UNIQUE key instead of a primary key, a generated invisible primary key (MySQL), COMPRESSED columns, UUID, INET4 and INET6
as keys, VECTOR (MariaDB), and character sets of one and two bytes.

    columns.py [--server mysql | mariadb-11.8] [-- OPTIONS]
"""
import sys
import time

import pymysql

import servers
from harness import Chain, Counter, ask, finish
from live import caught_up

SCHEMA = "odd"
# Table: its declaration, the key, changes, statements whose answer must be the server's ({} is the table at the instant).
TABLES = {
    "made": ("id INT PRIMARY KEY, a INT, v INT AS (a DIV 2) VIRTUAL, s VARCHAR(20) AS (CONCAT('no ', a)) STORED, h INT INVISIBLE DEFAULT 4, w INT",
             ["INSERT INTO made (id, a, w) VALUES (1, 10, 0), (2, 20, 0), (3, 30, 0)"],
             ["UPDATE made SET w = 1 WHERE id = 1", "UPDATE made SET a = 11, h = 5 WHERE id = 2"],
             ["SELECT * FROM {} WHERE id = 3", "SELECT id, a, h, w FROM {} WHERE id IN (1, 2, 3)", "SELECT id, v, s FROM {} WHERE id = 1", "SELECT id, s FROM {} WHERE id = 2"]),
    "nokey": ("b INT NOT NULL, a INT NOT NULL, p VARCHAR(20) NOT NULL, z INT, UNIQUE KEY pp (p(3)), UNIQUE KEY zz (z), UNIQUE KEY ab (a, b), UNIQUE KEY bb (b)",
              ["INSERT INTO nokey VALUES (1, 2, 'abc', NULL), (3, 4, 'bcd', 5)"], ["UPDATE nokey SET z = 9 WHERE a = 2"],
              ["SELECT * FROM {} WHERE a = 2 AND b = 1", "SELECT * FROM {} WHERE b = 3 AND a = 4"]),
    "sets": ("id INT PRIMARY KEY, k VARCHAR(20) CHARACTER SET koi8r, c VARCHAR(20) CHARACTER SET cp1251, l VARCHAR(20) CHARACTER SET latin2, "
             "g VARCHAR(20) CHARACTER SET gbk, j VARCHAR(20) CHARACTER SET cp932, s VARCHAR(20) CHARACTER SET sjis, e VARCHAR(20) CHARACTER SET euckr, "
             "t VARCHAR(20) CHARACTER SET tis620",
             ["INSERT INTO sets VALUES (1, 'Привет', 'Привет', 'łódź', '中国', '日本①', '日本', '한국', 'กข'), (2, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')"],
             ["UPDATE sets SET k = CONCAT(k, 'ж'), e = '글'"], ["SELECT * FROM {} WHERE id = 1", "SELECT * FROM {} WHERE id = 2"]),
}
OF_MARIADB = {
    "small": ("id INT PRIMARY KEY, a VARCHAR(2000) COMPRESSED, b TEXT COMPRESSED, c BLOB COMPRESSED, d VARCHAR(20) COMPRESSED, "
              "e VARBINARY(300) COMPRESSED, f MEDIUMTEXT COMPRESSED CHARACTER SET latin1",
              ["INSERT INTO small VALUES (1, REPEAT('aé', 100), REPEAT('xyz', 200), REPEAT('q', 150), 'short', '', REPEAT('é', 120)), (2, 'a', '', '', NULL, NULL, NULL)"],
              ["UPDATE small SET b = CONCAT(b, '!')"], ["SELECT * FROM {} WHERE id = 1", "SELECT * FROM {} WHERE id = 2"]),
    "uuids": ("k UUID PRIMARY KEY, i4 INET4, i6 INET6",
              ["INSERT INTO uuids VALUES ('00112233-4455-6677-8899-aabbccddee00', '1.2.3.0', '::'), ('ffffffff-0000-1111-8000-000000000000', '10.0.0.0', 'fe80::')"],
              ["UPDATE uuids SET i4 = '9.9.9.9'"],
              ["SELECT * FROM {} WHERE k = '00112233-4455-6677-8899-aabbccddee00'", "SELECT * FROM {} WHERE k = 'ffffffff-0000-1111-8000-000000000000'"]),
    "fours": ("k INET4 PRIMARY KEY, n INT", ["INSERT INTO fours VALUES ('1.2.3.0', 1), ('200.0.0.0', 2)"], ["UPDATE fours SET n = n + 1"],
              ["SELECT * FROM {} WHERE k = '1.2.3.0'", "SELECT * FROM {} WHERE k = '200.0.0.0'"]),
    "sixes": ("k INET6 PRIMARY KEY, n INT", ["INSERT INTO sixes VALUES ('::', 1), ('fe80::', 2)"], ["UPDATE sixes SET n = n + 1"],
              ["SELECT * FROM {} WHERE k = '::'", "SELECT * FROM {} WHERE k = 'fe80::'"]),
}
OF_MARIADB_11_8 = {
    "places": ("id INT PRIMARY KEY, v VECTOR(3), w INT", ["INSERT INTO places VALUES (1, VEC_FromText('[1,2,3]'), 0)"], ["UPDATE places SET w = 1"],
               ["SELECT * FROM {} WHERE id = 1"]),
}
OF_MYSQL = {
    "hidden": ("a INT, b VARCHAR(10)", ["INSERT INTO hidden VALUES (5, 'x'), (6, 'y')"], ["UPDATE hidden SET b = 'z' WHERE a = 5"],
               ["SELECT * FROM {} WHERE my_row_id = 1", "SELECT my_row_id, b FROM {} WHERE my_row_id IN (1, 2)"]),
    "places": ("id INT PRIMARY KEY, v VECTOR(3), w INT", ["INSERT INTO places VALUES (1, STRING_TO_VECTOR('[1,2,3]'), 0)"], ["UPDATE places SET w = 1"],
               ["SELECT * FROM {} WHERE id = 1"]),
}


def compare(cursor, instant, truth, virtual, right):
    """Every answer at an instant; the table is where {} does."""
    for (table, sql), want in truth.items():
        asked = sql.format("%s.%s AS OF '%s'" % (virtual, table, instant))
        try:
            right.equal(ask(cursor, asked), want, asked)
        except pymysql.MySQLError as e:
            right.check(False, asked, e.args, want)


def unknown(cursor, instant, right, lacking):
    """MariaDB 11.8 does not log a generated column of a changed row (10.11 does): where it is not computed here, it alone is refused, by name."""
    sql = "SELECT * FROM _flashback.made AS OF '%s' WHERE id = 2" % instant
    try:
        got = ask(cursor, sql)[1]
        right.check(not lacking, sql, got, "a refusal")
    except pymysql.MySQLError as e:
        right.check(lacking and "what column v held is not known" in e.args[1] and "SELECT id, a, s, w FROM" in e.args[1], sql, e.args)


def main():
    kind, options = servers.chosen([])
    mariadb = kind != "mysql"
    tables = {**TABLES, **(OF_MARIADB if mariadb else OF_MYSQL), **(OF_MARIADB_11_8 if kind == "mariadb-11.8" else {})}
    right = Counter(kind)
    with servers.start(kind, *options) as server:
        server_cursor = server.connect().cursor()
        run = server_cursor.execute
        run("CREATE DATABASE " + SCHEMA)
        run("USE " + SCHEMA)
        if not mariadb:
            run("SET sql_generate_invisible_primary_key = ON")
        for table, (body, rows, _, _) in tables.items():
            run("CREATE TABLE %s (%s)" % (table, body))
            for sql in rows:
                run(sql)
        with Chain(None, schema=SCHEMA, source="mysql://root@127.0.0.1:%d" % server.port) as chain:
            chain.api.wait(lambda s: s["oldest"] and s["baseline"]["done"] == s["baseline"]["total"], "the tables are read")
            time.sleep(2.05 - time.time() % 1)
            for _, _, changes, _ in tables.values():
                for sql in changes:
                    run(sql)
            time.sleep(2.05 - time.time() % 1)
            instant = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
            truth = {(table, sql): ask(server_cursor, sql.format(table)) for table, (_, _, _, asked) in tables.items() for sql in asked}
            time.sleep(1.5)
            caught_up(server, chain.api)
            cursor = chain.connect().cursor()
            compare(cursor, instant, truth, "_snapshot", right)
            unknown(cursor, instant, right, kind == "mariadb-11.8")
        server.server.stop(60)
        with Chain(server.binlogs(), schema=SCHEMA) as chain:
            cursor = chain.connect().cursor()
            compare(cursor, instant, truth, "_flashback", right)
            unknown(cursor, instant, right, kind == "mariadb-11.8")
    finish([right], 20)


if __name__ == "__main__":
    main()
