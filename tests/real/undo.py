#!/usr/bin/env python3
"""Incidents on a running server, taken back by the SQL that the program writes.

Each incident is some transactions of one client on two schemas: updates, deletes, inserts, changes of keys, swapped unique values, cascades over foreign keys,
TRUNCATE, every type of column; meanwhile another client works on a table of its own. Then somebody changes some of the rows again. `undo` writes a file for the
window (or for one transaction), which the server's client runs. After it
  * every row that nobody touched since is, byte for byte, what the server showed before the incident,
  * every other row is what it was just before the file ran, and the file lists it if the incident had changed it.
A row that nobody touched, and that rows of today are in the way of (one refers to it, has its unique value, or its parent is gone), is listed and stays as it is: that
they are in the way is looked up on the server. No file may fail as a whole. `_undo` of a shim in front says the same statements.

    undo.py --server mysql --incidents 50 --seed 3
"""
import json
import os
import random
import re
import subprocess
import sys
import threading
import time

import pymysql

import servers
from harness import Chain, Counter, ask, binary, finish
from live import caught_up

TABLES = {
    "crm.customers": "id INT NOT NULL PRIMARY KEY AUTO_INCREMENT, name VARCHAR(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL, up INT NULL,"
                     " UNIQUE (name), FOREIGN KEY (up) REFERENCES crm.customers (id)",
    "shop.orders": "id INT NOT NULL PRIMARY KEY, customer_id INT NULL, code VARCHAR(12) CHARACTER SET latin1 NULL UNIQUE, status ENUM('new','paid','dünn') NOT NULL,"
                   " changed TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),"
                   " FOREIGN KEY (customer_id) REFERENCES crm.customers (id) ON DELETE SET NULL",
    "shop.lines": "order_id INT NOT NULL, line INT NOT NULL, price FLOAT, qty INT, PRIMARY KEY (order_id, line),"
                  " FOREIGN KEY (order_id) REFERENCES shop.orders (id) ON DELETE CASCADE ON UPDATE CASCADE",
    "shop.log": "id BIGINT UNSIGNED NOT NULL PRIMARY KEY, what VARCHAR(20)",
}
EVERY = ("k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY, i TINYINT, u BIGINT UNSIGNED, z INT(8) UNSIGNED ZEROFILL, de DECIMAL(30,10),"
         " f FLOAT, d DOUBLE, f2 FLOAT(10,3), b1 BIT(1), b64 BIT(64), y YEAR, da DATE, ti TIME(6), dt DATETIME(3), ts TIMESTAMP(6) NULL, c CHAR(5) CHARACTER SET latin1,"
         " vc VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, uc VARCHAR(9) CHARACTER SET ucs2, bi BINARY(4), vb VARBINARY(9), tx TEXT CHARACTER SET utf8mb4,"
         " bl BLOB, e ENUM('a','b','ß') CHARACTER SET utf8mb4, s SET('p','q','r') CHARACTER SET utf8mb4, js JSON, ge GEOMETRY, inv INT INVISIBLE,"
         " g INT GENERATED ALWAYS AS (i + 1) VIRTUAL, gs VARCHAR(40) GENERATED ALWAYS AS (CONCAT(vc, '!')) STORED")
# On MariaDB system-versioned; the TIMESTAMP is one that each UPDATE sets, which its declaration does not say.
KEPT = "id INT NOT NULL PRIMARY KEY, v VARCHAR(20), seen TIMESTAMP"
GENERATED = ("g", "gs")
MODE = "SET SESSION sql_mode = 'ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00'"


def quote(text):
    return "_utf8mb4 x'%s'" % text.encode().hex() if text else "''"


class Incidents:
    def __init__(self, server, kind, seed):
        self.r, self.server, self.mysql = random.Random(seed), server, kind == "mysql"
        self.conn = server.connect()
        self.cursor = self.conn.cursor()
        self.sql(MODE)
        for schema in ("crm", "shop"):
            self.sql("CREATE DATABASE %s DEFAULT CHARACTER SET utf8mb4" % schema)
        every = EVERY + (", ve VECTOR(2)" if self.mysql else ", uu UUID, i6 INET6")
        for name, body in {**TABLES, "shop.every": every, "shop.noise": "id INT NOT NULL PRIMARY KEY, v INT"}.items():
            self.sql("CREATE TABLE %s (%s) ENGINE=InnoDB" % (name, body))
        self.make_kept()
        self.tables = [*TABLES, "shop.every", "shop.kept"]
        self.columns, self.keys = {}, {}
        for name in self.tables:
            schema, table = name.split(".")
            rows = self.rows("SELECT column_name, column_key FROM information_schema.columns WHERE table_schema = '%s' AND table_name = '%s' ORDER BY ordinal_position"
                             % (schema, table))
            self.columns[name] = [row[0].decode() for row in rows]
            self.keys[name] = [row[0].decode() for row in rows if row[1] == b"PRI"]
        for _ in range(150):
            self.change()

    def make_kept(self):
        """Also again when the record has begun, so that the log alone says how it is."""
        self.sql("DROP TABLE IF EXISTS shop.kept")
        self.sql("SET SESSION explicit_defaults_for_timestamp = OFF")
        self.sql("CREATE TABLE shop.kept (%s) ENGINE=InnoDB%s" % (KEPT, "" if self.mysql else " WITH SYSTEM VERSIONING"))
        self.sql("SET SESSION explicit_defaults_for_timestamp = ON")

    def sql(self, text):
        return self.cursor.execute(text)

    def rows(self, text):
        return ask(self.cursor, text)[1]

    def state(self):
        found = {}
        for name in self.tables:
            columns = self.columns[name]
            places = [columns.index(k) for k in self.keys[name]]
            rows = self.rows("SELECT %s FROM %s" % (", ".join("`%s`" % c for c in columns), name))
            found[name] = {tuple(row[p] for p in places): tuple(row) for row in rows}
        return found

    def word(self):
        return self.r.choice(["Anna", "anna ", "Zoë", "O'Neil", "a\\b", "tab\there", "日本", "🙂", "x", ""]) + str(self.r.randint(0, 99))

    def name(self):
        """A key: of characters whose order is known (others are refused)."""
        return self.r.choice(["Anna", "anna", "Zoë", "O'Neil", "x", "X"]) + str(self.r.randint(0, 99))

    def some(self, name):
        keys = self.keys[name]
        rows = self.rows("SELECT %s FROM %s ORDER BY RAND(%d) LIMIT 1" % (", ".join(keys), name, self.r.randint(0, 9999)))
        return rows[0] if rows else None

    def value(self, column):
        r = self.r
        if r.random() < 0.12:
            return "NULL"
        made = {
            "i": lambda: str(r.randint(-120, 120)), "u": lambda: str(r.choice([0, 2 ** 64 - 1, r.randint(0, 999)])), "z": lambda: str(r.randint(0, 99999)),
            "de": lambda: "%d.%010d" % (r.randint(-10 ** 15, 10 ** 15), r.randint(0, 10 ** 10 - 1)),
            "f": lambda: repr(r.choice([0.1, 1e-38, 3.4e38, r.uniform(-1e6, 1e6), r.uniform(-1, 1)])), "d": lambda: repr(r.choice([0.1, 5e-324, 1.7e308, r.uniform(-1e9, 1e9)])),
            "f2": lambda: "%.3f" % r.uniform(-9999, 9999), "b1": lambda: str(r.randint(0, 1)), "b64": lambda: str(r.getrandbits(64)),
            "y": lambda: r.choice(["0", "1901", "2155", "2026"]), "da": lambda: r.choice(["'0000-00-00'", "'2024-02-30'", "'2024-00-00'", "'9999-12-31'"]),
            "ti": lambda: r.choice(["'-838:59:59'", "'00:00:00.000001'", "'12:34:56.7'"]), "dt": lambda: r.choice(["'0000-00-00 00:00:00'", "'2026-03-04 05:06:07.891'"]),
            "ts": lambda: r.choice(["'0000-00-00 00:00:00'", "'2026-10-25 00:30:00.123456'", "'2026-10-25 01:30:00'"]),
            "c": lambda: r.choice(["'é'", "'a '", "''", "_latin1 x'80ff'"]), "vc": lambda: quote(self.word()[:20]), "uc": lambda: r.choice(["'ab'", "_utf8mb4'日é'", "'x '"]),
            "bi": lambda: "x'%s'" % r.choice(["00", "61000000", "ffffffff", "0a5c2722"]), "vb": lambda: r.choice(["''", "x'00'", "x'ff005c27'"]),
            "tx": lambda: quote(self.word() * r.choice([1, 1, 40])), "bl": lambda: "x'%s'" % bytes(r.randrange(256) for _ in range(r.choice([1, 5, 300]))).hex(),
            "e": lambda: r.choice(["'a'", "'ß'", "0"]), "s": lambda: r.choice(["''", "'p'", "'p,r'"]),
            "js": lambda: quote(r.choice(['{"a": 1.5, "é": [null, true, "x\\"y"]}', "[]", '"text"', "-7", '{"n": 18446744073709551615}', "1e100"])),
            "ge": lambda: "ST_GeomFromText('POINT(%d %d)')" % (r.randint(-9, 9), r.randint(-9, 9)), "inv": lambda: str(r.randint(0, 9)),
            "ve": lambda: "STRING_TO_VECTOR('[%d,2.5]')" % r.randint(0, 9),
            "uu": lambda: "'123e4567-e89b-12d3-a456-4266554400%02d'" % r.randint(10, 99), "i6": lambda: r.choice(["'::'", "'2001:db8::1'", "'::ffff:1.2.3.4'"]),
        }
        return made[column]()

    def change(self):
        """One statement; what it needs may not be there."""
        try:
            self.r.choice([self.customer, self.customer, self.order, self.order, self.order, self.line, self.line, self.line, self.every, self.every, self.every, self.log, self.kept])()
        except pymysql.IntegrityError:
            pass

    def customer(self):
        at, r = self.some("crm.customers"), self.r
        pick = r.random()
        if at is None or pick < 0.4:
            self.sql("INSERT INTO crm.customers (name, up) VALUES (%s, %s)" % (quote(self.word()), at[0].decode() if at and r.random() < 0.5 else "NULL"))
        elif pick < 0.6:
            self.sql("UPDATE crm.customers SET name = %s WHERE id = %s" % (quote(self.word()), at[0].decode()))
        elif pick < 0.75:
            self.sql("UPDATE crm.customers SET up = NULL WHERE id = %s" % at[0].decode())
        elif pick < 0.9:
            self.sql("DELETE FROM crm.customers WHERE id = %s" % at[0].decode())
        else:
            self.swap("crm.customers", "name")

    def swap(self, name, column):
        """Two rows give each other their unique values."""
        rows = self.rows("SELECT id, HEX(CONVERT(%s USING utf8mb4)) FROM %s WHERE %s IS NOT NULL ORDER BY RAND(%d) LIMIT 2" % (column, name, column, self.r.randint(0, 9999)))
        if len(rows) < 2:
            return
        (a, x), (b, y) = [(row[0].decode(), "_utf8mb4 x'%s'" % row[1].decode()) for row in rows]
        for value, key in (("'~'", a), (x, b), (y, a)):
            self.sql("UPDATE %s SET %s = %s WHERE id = %s" % (name, column, value, key))

    def order(self):
        at, r = self.some("shop.orders"), self.r
        customer = self.some("crm.customers")
        pick = r.random()
        if at is None or pick < 0.4:
            self.sql("INSERT INTO shop.orders (id, customer_id, code, status) VALUES (%d, %s, %s, %d)"
                     % (r.randint(0, 400), customer[0].decode() if customer else "NULL", r.choice(["NULL", "'c%d'" % r.randint(0, 999), "_latin1 x'e9%02x'" % r.randint(97, 122)]),
                        r.randint(1, 3)))
        elif pick < 0.6:
            self.sql("UPDATE shop.orders SET status = %d WHERE id BETWEEN %s AND %s + 20" % (r.randint(1, 3), at[0].decode(), at[0].decode()))
        elif pick < 0.75:
            self.sql("DELETE FROM shop.orders WHERE id BETWEEN %s AND %s + 4" % (at[0].decode(), at[0].decode()))
        elif pick < 0.9:
            self.sql("UPDATE shop.orders SET id = %d WHERE id = %s" % (r.randint(0, 400), at[0].decode()))
        else:
            self.swap("shop.orders", "code")

    def line(self):
        order, r = self.some("shop.orders"), self.r
        if order is None:
            return
        pick, at = r.random(), order[0].decode()
        if pick < 0.6:
            self.sql("INSERT INTO shop.lines (order_id, line, price, qty) VALUES (%s, %d, %s, %d)" % (at, r.randint(1, 5), repr(r.uniform(0, 100)), r.randint(1, 9)))
        elif pick < 0.8:
            self.sql("UPDATE shop.lines SET qty = qty + 1, price = price * 1.1 WHERE order_id <= %s ORDER BY order_id DESC LIMIT 4" % at)
        else:
            self.sql("DELETE FROM shop.lines WHERE order_id = %s LIMIT 2" % at)

    def every(self):
        at, r = self.some("shop.every"), self.r
        pick = r.random()
        free = [c for c in self.columns["shop.every"] if c not in ("k", *GENERATED)]
        key = "k = _utf8mb4 x'%s'" % at[0].hex() if at else ""
        if at is None or pick < 0.4:
            self.sql("INSERT INTO shop.every (k, %s) VALUES (%s, %s)" % (", ".join(free), quote(self.name()), ", ".join(self.value(c) for c in free)))
        elif pick < 0.7:
            some = r.sample(free, r.randint(1, 6))
            self.sql("UPDATE shop.every SET %s WHERE %s" % (", ".join("%s = %s" % (c, self.value(c)) for c in some), key))
        elif pick < 0.85:
            self.sql("DELETE FROM shop.every WHERE " + key)
        else:
            self.sql("UPDATE shop.every SET k = %s WHERE %s" % (quote(self.name()), key))

    def log(self):
        r = self.r
        if r.random() < 0.8:
            self.sql("INSERT INTO shop.log VALUES (%d, %s)" % (r.choice([r.randint(0, 300), 2 ** 63 + r.randint(0, 99)]), quote(self.word()[:20])))
        else:
            self.sql("DELETE FROM shop.log ORDER BY id LIMIT 3")

    def kept(self):
        r, at = self.r, self.r.randint(0, 40)
        self.sql(r.choice(["REPLACE INTO shop.kept VALUES (%d, %s, '2020-02-02')", "UPDATE shop.kept SET id = %d, v = %s, seen = seen LIMIT 1", "DELETE FROM shop.kept WHERE id = %d OR v = %s",
                           "UPDATE shop.kept SET seen = seen, v = CONCAT('w', %d, %s) LIMIT 3"]) % (at, quote(self.word()[:9])))

    def last_gtid(self):
        """That of the last transaction; nobody else commits meanwhile."""
        if not self.mysql:
            return self.rows("SELECT @@last_gtid")[0][0].decode()
        uuid, _, numbers = self.rows("SELECT @@GLOBAL.gtid_executed")[0][0].decode().rpartition(":")
        return "%s:%s" % (uuid, numbers.rpartition("-")[2])

    def transaction(self, most, first="SELECT 1"):
        self.sql("BEGIN")
        self.sql(first)
        for _ in range(self.r.randint(1, most)):
            self.change()
        self.sql("COMMIT")

    def since(self):
        """Somebody goes on working, also on rows that are in the way of others then."""
        for _ in range(self.r.choice([0, 1, 3])):
            self.change()
        for _ in range(self.r.randint(0, 4)):
            try:
                at = self.some("shop.every")
                if at:
                    self.sql("UPDATE shop.every SET i = %d WHERE k = _utf8mb4 x'%s'" % (self.r.randint(-9, 9), at[0].hex()))
                at = self.some("shop.lines")
                if at:
                    self.sql("UPDATE shop.lines SET qty = qty + 100 WHERE order_id = %s AND line = %s" % (at[0].decode(), at[1].decode()))
                self.sql("DELETE FROM shop.log ORDER BY RAND(%d) LIMIT 1" % self.r.randint(0, 999))
            except pymysql.IntegrityError:
                pass


    def in_the_way(self, reason, name, was, final, on_the_way):
        """Whether what a file says of a row that it leaves is so. `on_the_way`: the rows that it was in between, by column."""
        found = re.search(r"^(\S+) \((.*)\) refers to it", reason)
        if found:
            return numbers(found[2]) in final[found[1]]
        found = re.search(r"value of \((\w+)\) that it had( on the way)? is that of another row by now, (\S+) \((.*)\)$", reason)
        if found:
            at = self.columns[name].index(found[1])
            other = final[name][numbers(found[4])][at]
            if found[2]:
                return found[3] == name and any(row[found[1]] is not None and row[found[1]].lower() == other.decode("latin1" if found[1] == "code" else "utf-8").lower() for row in on_the_way())
            return found[3] == name and other.lower() == was[at].lower()
        found = re.search(r"the row of (\S+) to which its \((\w+)\) refers is gone", reason)
        return bool(found) and (was[self.columns[name].index(found[2])],) not in final[found[1]]


def numbers(text):
    """A key as a file names it."""
    return tuple(part.split(" = ")[1].encode() for part in text.split(" AND "))


def left(text):
    """The rows that a file leaves though nobody touched them, and why."""
    found = re.findall(r"^--   (\S+\.\S+) ((?:\w+ = \d+)(?: AND \w+ = \d+)*): (.* refers to it .*|the value of .*|the row of .*)$", text, re.M)
    return {(name, numbers(key)): reason for name, key, reason in found}


def between(chain, name, clause, key):
    """The rows that one was in a window, as JSON says them."""
    where = " AND ".join("%s = %s" % (column, value.decode()) for column, value in key)
    with chain.connect() as conn:
        rows = ask(conn.cursor(), "SELECT row_before, row_after FROM _diff.%s %s WHERE %s" % (name, clause, where))[1]
    return [json.loads(cell) for row in rows for cell in row if cell is not None]


def second():
    """The beginning of the next second, waited for: commits of MariaDB count for the whole second they are stamped with."""
    time.sleep(1.05 - time.time() % 1)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())


def noise(server, stop, quiet):
    with server.connect() as conn:
        cursor = conn.cursor()
        n = 0
        while not stop.wait(0.01):
            n += 1
            with quiet:
                cursor.execute("REPLACE INTO shop.noise VALUES (%d, %d)" % (n % 50, n))
                conn.commit()


def reloaded(work, chain, server, name, at, state, counter, what):
    """A table of then, written by `dump` and read by the server: its own rows of then."""
    path = os.path.join(chain.folder, "dump.sql")
    kept = [c for c in work.columns[name] if c not in GENERATED]
    without = [part for c in work.columns[name] if c in GENERATED for part in ("--without", c)]
    made = subprocess.run([binary(), "dump", "--agent", "https://" + chain.api.place, "--token-file", os.path.join(chain.folder, "tokens"), "--ca", chain.ca,
                           "--table", name, "--as-of", at + "Z", *without, "--output", path], capture_output=True, text=True, timeout=60)
    if not counter.equal(made.returncode, 0, what + ": dump of %s %s" % (name, made.stderr[-600:])):
        return
    work.sql("DROP DATABASE IF EXISTS again")
    work.sql("CREATE DATABASE again")
    done = client(server, path, "again")
    counter.equal(done.returncode, 0, what + ": the dump of %s is read %s" % (name, done.stderr.decode()[-600:]))
    places = [work.columns[name].index(c) for c in kept]
    want = sorted([tuple(row[p] for p in places) for row in state[name].values()], key=repr)
    got = work.rows("SELECT %s FROM again.%s" % (", ".join("`%s`" % c for c in kept), name.split(".")[1]))
    counter.equal(sorted([tuple(row) for row in got], key=repr), want, what + ": the dump of %s holds its rows" % name)


def client(server, path, schema=""):
    """Runs a file as a DBA would."""
    with open(path, "rb") as f:
        return subprocess.run(["mariadb", "--no-defaults", "--protocol=tcp", "-h127.0.0.1", "-P%d" % server.port, "-uroot", "--skip-ssl", "--comments", *([schema] if schema else [])], stdin=f,
                              capture_output=True, timeout=60)


def run(kind, options, seed, count):
    counter = Counter("%s: undo" % kind)
    failed = blocked = 0
    with servers.start(kind, *options) as server:
        work = Incidents(server, kind, seed)
        with Chain(None, schema="shop", source="mysql://root@127.0.0.1:%d" % server.port) as chain:
            chain.api.wait(lambda s: s["oldest"] and s["baseline"]["done"] == s["baseline"]["total"], "the tables are read")
            work.make_kept()
            for _ in range(20):
                work.kept()
            stop, quiet = threading.Event(), threading.Lock()
            worker = threading.Thread(target=noise, args=(server, stop, quiet), daemon=True)
            worker.start()
            tokens = os.path.join(chain.folder, "tokens")
            for n in range(count):
                what = "incident %d of seed %d" % (n, seed)
                before = work.state()
                single, steps = n % 3 == 2, n % 4 >= 2
                since = second()
                if single:
                    with quiet:
                        work.transaction(8, "INSERT INTO shop.log VALUES (%d, 'one')" % (10 ** 6 + n))
                        gtid = work.last_gtid()
                else:
                    for _ in range(work.r.randint(1, 6)):
                        work.transaction(4)
                    if n % 4 == 1:
                        work.sql("TRUNCATE TABLE shop.log")
                    work.transaction(3)
                until = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
                after = work.state()
                quiet_at = second()
                second()
                work.since()
                now = work.state()
                second()
                caught_up(server, chain.api)
                reloaded(work, chain, server, work.tables[n % len(work.tables)], quiet_at, after, counter, what)
                path = os.path.join(chain.folder, "undo-%d.sql" % n)
                span = ["--gtid", gtid] if single else ["--between", since + "Z", until + ".999999Z"]
                tables = [part for name in work.tables for part in ("--table", name)]
                made = subprocess.run([binary(), "undo", "--agent", "https://" + chain.api.place, "--token-file", tokens, "--ca", chain.ca,
                                       *tables, *span, *(["--steps"] if steps else []), "--commit", "--output", path], capture_output=True, text=True, timeout=60)
                if not counter.equal(made.returncode, 0, what + ": undo is written " + made.stderr[-600:]):
                    continue
                with open(path, encoding="utf-8") as f:
                    text = f.read()
                if not single and not steps:
                    asked = ask(chain.connect().cursor(), "SELECT statement FROM _undo.shop.every BETWEEN '%sZ' AND '%s.999999Z'" % (since, until))[1]
                    said = [row[0].decode() for row in asked if row[0] is not None]
                    wrote = [line[:-1] for line in text.splitlines() if re.match(r"(/\*.*\*/ )?(DELETE|UPDATE|INSERT) .*`shop`\.`every`", line)]
                    counter.equal(sorted(said), sorted(wrote), what + ": _undo says the same")
                done = client(server, path)
                final = work.state()
                if done.returncode:
                    failed += 1
                    print("   %s failed as a whole: %s" % (what, done.stderr.decode()[-300:]), flush=True)
                    counter.equal(final, now, what + ": a file that fails changes nothing")
                    continue
                stays = left(text)
                for name in work.tables:
                    for key in {*before[name], *after[name], *now[name]}:
                        was, end, then, got = (s[name].get(key) for s in (before, after, now, final))
                        shown = "%s: %s %s" % (what, name, key)
                        if end != then:
                            counter.equal(got, then, shown + " which somebody touched")
                            if was != end:
                                listed = "--   %s " % name
                                counter.check(listed in text, shown + " is listed", None, listed)
                        elif (name, key) in stays:
                            blocked += 1
                            counter.equal(got, then, shown + " which has to stay")
                            reason = stays[name, key]
                            clause = "AT GTID '%s'" % gtid if single else "BETWEEN '%sZ' AND '%s.999999Z'" % (since, until)
                            on_the_way = lambda: between(chain, name, clause, zip(work.keys[name], key))
                            counter.check(work.in_the_way(reason, name, was, final, on_the_way), shown + " is in the way of nobody", reason)
                        else:
                            counter.equal(got, was, shown + " which nobody touched")
                conflicts = sum(1 for name in work.tables for key in {*before[name], *after[name]}
                                if before[name].get(key) != after[name].get(key) and after[name].get(key) != now[name].get(key))
                reported = len(re.findall(r"^--   \S+\.\S+ \S+ = ", text, re.M))
                # A row that went there and back has changes, and is listed where it is taken back change by change.
                counter.check(reported - len(stays) == conflicts or steps and reported - len(stays) > conflicts, what + ": rows that are listed", reported - len(stays), conflicts)
            stop.set()
            worker.join(10)
            counter.check("panicked" not in chain.agent.output(), "no panic in the agent's log", chain.agent.output()[-600:])
    counter.equal(failed, 0, "files that failed as a whole")
    print("%d rows had to stay" % blocked, flush=True)
    return counter


def circles(kind, counter):
    """Rows of two tables that refer to each other, and one that refers to itself: taken back change by change; row by row the file says that it is not all."""
    with servers.start(kind) as server, server.connect() as conn:
        cursor = conn.cursor()
        cursor.execute("CREATE DATABASE firm")
        cursor.execute("CREATE TABLE firm.units (id INT PRIMARY KEY, head INT NULL)")
        cursor.execute("CREATE TABLE firm.people (id INT PRIMARY KEY, unit INT NULL, boss INT NULL, FOREIGN KEY (unit) REFERENCES firm.units (id), FOREIGN KEY (boss) REFERENCES firm.people (id))")
        cursor.execute("ALTER TABLE firm.units ADD FOREIGN KEY (head) REFERENCES firm.people (id)")
        make = ["INSERT INTO firm.units VALUES (1, NULL)", "INSERT INTO firm.people VALUES (1, 1, 1), (2, 1, 1)", "UPDATE firm.units SET head = 2"]
        undone = ["UPDATE firm.units SET head = NULL", "UPDATE firm.people SET boss = NULL", "DELETE FROM firm.people", "DELETE FROM firm.units"]

        def run_all(statements):
            for text in statements:
                cursor.execute(text)
            conn.commit()

        def state():
            rows = []
            for name in ("units", "people"):
                cursor.execute("SELECT * FROM firm.%s ORDER BY id" % name)
                rows.append(cursor.fetchall())
            conn.commit()
            return rows
        with Chain(None, schema="firm", source="mysql://root@127.0.0.1:%d" % server.port) as chain:
            chain.api.wait(lambda s: s["oldest"] and s["baseline"]["done"] == s["baseline"]["total"], "the tables are read")
            for what, statements in (("rows that came", make), ("rows that went", undone)):
                before = state()
                since = second()
                run_all(statements)
                until = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
                now = state()
                second()
                caught_up(server, chain.api)
                for steps in ([], ["--steps"]):
                    path = os.path.join(chain.folder, "circle.sql")
                    made = subprocess.run([binary(), "undo", "--agent", "https://" + chain.api.place, "--token-file", os.path.join(chain.folder, "tokens"), "--ca", chain.ca, "--table", "firm.units",
                                           "--table", "firm.people", "--between", since + "Z", until + ".999999Z", *steps, "--commit", "--output", path], capture_output=True, text=True, timeout=60)
                    counter.equal(made.returncode, 0, what + ": undo is written " + made.stderr[-600:])
                    done = client(server, path)
                    if steps:
                        counter.equal((done.returncode, state()), (0, before), what + ": all are taken back " + done.stderr.decode()[-300:])
                    else:
                        counter.equal((done.returncode != 0, state()), (True, now), what + ": row by row nothing is")
                        counter.check(b"in a circle" in done.stdout, what + ": and the file says why", done.stdout[-300:])
                run_all(statements)
                counter.equal(state(), now, what + ": the incident again")


def main():
    option = lambda name, default: type(default)(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
    seed, count = option("--seed", random.randrange(10 ** 6)), option("--incidents", 6)
    kind, options = servers.chosen([])
    print("seed %d" % seed, flush=True)
    counter = run(kind, options, seed, count)
    circles(kind, counter)
    finish([counter], count * 30)


if __name__ == "__main__":
    main()
