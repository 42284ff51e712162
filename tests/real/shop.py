#!/usr/bin/env python3
"""A shop with what real schemas have: foreign keys with CASCADE and SET NULL over two levels, generated columns, an invisible one, JSON, ENUM,
partitions that are rotated, text in the server's own collation, comments outside ASCII, placed columns in ALTER.

The workload runs while the agent captures, from tables that had rows before. What the server answers at each tick is the truth:
every key that ever was is then asked for by time and by GTID, in _snapshot and _flashback; and once more from the log files.
A wrong answer fails. So does more than `--refused PERCENT` of refusals; where `*` is refused for a generated cell that the log
does not have, the other columns are asked for by name.

    shop.py --server mysql --seed 3 --refused 0.5 [--verbose]
"""
import collections
import json
import random
import re
import sys
import time

import pymysql

import servers
from harness import Chain, Counter, ask, finish
from live import caught_up

SCHEMA = "shop"
TABLES = {
    "suppliers": """id INT NOT NULL PRIMARY KEY, name VARCHAR(50) NOT NULL, country ENUM('at','ch','dé','other') NOT NULL DEFAULT 'other',
        notes TEXT COMMENT 'für später', rating INT INVISIBLE DEFAULT 5, KEY (name)""",
    "articles": """id INT NOT NULL PRIMARY KEY, supplier_id INT NULL, title VARCHAR(80), price DECIMAL(10,2) NOT NULL,
        gross DECIMAL(12,4) GENERATED ALWAYS AS (price * 1.2) STORED, shown VARCHAR(90) GENERATED ALWAYS AS (CONCAT('* ', title)) VIRTUAL,
        facts JSON, changed TIMESTAMP(3) NULL COMMENT 'zuletzt geändert',
        CONSTRAINT a_s FOREIGN KEY (supplier_id) REFERENCES suppliers (id) ON DELETE SET NULL ON UPDATE CASCADE""",
    "stock": """article_id INT NOT NULL, house INT NOT NULL, amount INT NOT NULL, PRIMARY KEY (article_id, house),
        CONSTRAINT s_a FOREIGN KEY (article_id) REFERENCES articles (id) ON DELETE CASCADE ON UPDATE CASCADE""",
    "moves": """id INT NOT NULL PRIMARY KEY, article_id INT NOT NULL, house INT NOT NULL, qty INT, why VARCHAR(30), at DATETIME(6),
        CONSTRAINT m_s FOREIGN KEY (article_id, house) REFERENCES stock (article_id, house) ON DELETE CASCADE ON UPDATE CASCADE""",
    "clicks": "id INT NOT NULL PRIMARY KEY, page VARCHAR(40), took DOUBLE",
}
AFTER = {"suppliers": " COMMENT='Lieferanten, größte zuerst'",
         "clicks": " PARTITION BY RANGE (id) (PARTITION a VALUES LESS THAN (60), PARTITION b VALUES LESS THAN (120), PARTITION z VALUES LESS THAN MAXVALUE)"}
KEYS = {"suppliers": ["id"], "articles": ["id"], "stock": ["article_id", "house"], "moves": ["id"], "clicks": ["id"]}
GENERATED = ("gross", "shown")
# One a tick; None: only the workload.
DDL = [
    None,
    "ALTER TABLE suppliers ADD COLUMN phone VARCHAR(20) NULL COMMENT 'mit Ländervorwahl' AFTER name",
    "ALTER TABLE clicks TRUNCATE PARTITION a",
    "ALTER TABLE moves MODIFY why VARCHAR(30) FIRST, MODIFY qty INT FIRST",
    "ANALYZE TABLE articles /* größer */",
    "ALTER TABLE articles ADD COLUMN channel VARCHAR(10) NOT NULL DEFAULT 'wéb' AFTER title",
    "ALTER TABLE clicks DROP PARTITION b",
    "ALTER TABLE stock ADD COLUMN shelf TINYINT NOT NULL DEFAULT 0, ADD COLUMN label VARCHAR(10) NULL AFTER house",
    "ALTER TABLE suppliers MODIFY country ENUM('at','ch','dé','other','neu') NOT NULL DEFAULT 'other'",
    "OPTIMIZE TABLE clicks",
]
WORDS = ["Anna", "Zoë", "O'Neil", "łódź", "日本", "x", "trail ", "🙂"]


class Shop:
    def __init__(self, server, seed):
        self.r = random.Random(seed)
        self.conn = server.connect()
        self.cursor = self.conn.cursor()
        self.gtid = server.gtid
        self.every = {table: {} for table in TABLES}  # every key that ever had a row
        self.ticks = []  # (instant, GTIDs, {table: (columns, {key: row})})
        self.sql("CREATE DATABASE " + SCHEMA)
        self.sql("USE " + SCHEMA)
        for table, body in TABLES.items():
            self.sql("CREATE TABLE %s (%s)%s" % (table, body, AFTER.get(table, "")))
        for _ in range(120):
            self.change()

    def sql(self, text):
        return ask(self.cursor, text)[1] if text.startswith("SELECT") else self.cursor.execute(text)

    def word(self):
        return "'%s%d'" % (self.r.choice(WORDS).replace("'", "''"), self.r.randint(0, 99))

    def some(self, table):
        """The key of a row that is there, or None."""
        rows = self.sql("SELECT %s FROM %s ORDER BY RAND(%d) LIMIT 1" % (", ".join(KEYS[table]), table, self.r.randint(0, 999)))
        return [int(v) for v in rows[0]] if rows else None

    def free(self, table, most):
        there = {int(row[0]) for row in self.sql("SELECT id FROM " + table)}
        return self.r.choice([n for n in range(1, most) if n not in there] or [max(there) + 1])

    def change(self):
        """One statement; what it needs may not be there."""
        r = self.r
        kinds = [self.buy, self.list, self.store, self.store, self.move, self.move, self.click, self.click, self.raise_price, self.rate, self.withdraw,
                 self.renumber_article, self.drop_supplier, self.renumber_supplier, self.count]
        try:
            r.choice(kinds)()
        except pymysql.IntegrityError as e:
            # MySQL 9.7 refuses (1452) an ON UPDATE CASCADE over two levels where the table between has several rows of the key.
            if e.args[0] != 1452:
                raise

    def buy(self):
        self.sql("INSERT INTO suppliers (id, name, country, notes, rating) VALUES (%d, %s, %d, %s, %d)"
                 % (self.free("suppliers", 30), self.word(), self.r.randint(1, 4), self.r.choice(["NULL", self.word()]), self.r.randint(0, 9)))

    def list(self):
        supplier = self.some("suppliers")
        facts = json.dumps({"k": self.r.randint(0, 9), "é": [1, None, True]}, ensure_ascii=False).replace("'", "''")
        self.sql("INSERT INTO articles (id, supplier_id, title, price, facts, changed) VALUES (%d, %s, %s, %.2f, '%s', '2026-0%d-11 01:02:03.%03d')"
                 % (self.free("articles", 90), supplier[0] if supplier else "NULL", self.word(), self.r.uniform(0, 999), facts, self.r.randint(1, 9), self.r.randint(0, 999)))

    def store(self):
        if article := self.some("articles"):
            self.sql("INSERT INTO stock (article_id, house, amount) VALUES (%d, %d, %d) ON DUPLICATE KEY UPDATE amount = amount + 1"
                     % (article[0], self.r.randint(1, 3), self.r.randint(0, 50)))

    def move(self):
        if stock := self.some("stock"):
            self.sql("INSERT INTO moves (id, article_id, house, qty, why, at) VALUES (%d, %d, %d, %d, %s, NOW(6))"
                     % (self.free("moves", 300), *stock, self.r.randint(-9, 9), self.word()))

    def click(self):
        self.sql("INSERT INTO clicks (id, page, took) VALUES (%d, %s, %f)" % (self.free("clicks", 180), self.word(), self.r.random()))

    def raise_price(self):
        if article := self.some("articles"):
            self.sql("UPDATE articles SET price = price + 1, title = %s WHERE id = %d" % (self.word(), article[0]))

    def rate(self):
        self.sql("UPDATE suppliers SET rating = rating + 1 WHERE country = %d" % self.r.randint(1, 4))

    def count(self):
        self.sql("UPDATE stock SET amount = amount - 1 WHERE house = %d" % self.r.randint(1, 3))

    def withdraw(self):
        if article := self.some("articles"):
            self.sql("DELETE FROM articles WHERE id = %d" % article[0])

    def renumber_article(self):
        if article := self.some("articles"):
            self.sql("UPDATE articles SET id = %d WHERE id = %d" % (self.free("articles", 90), article[0]))

    def drop_supplier(self):
        if supplier := self.some("suppliers"):
            self.sql("DELETE FROM suppliers WHERE id = %d" % supplier[0])

    def renumber_supplier(self):
        if supplier := self.some("suppliers"):
            self.sql("UPDATE suppliers SET id = %d WHERE id = %d" % (self.free("suppliers", 30), supplier[0]))

    def work(self):
        for ddl in DDL:
            # Commits count for the whole second they are stamped with: a second without any lies between two ticks.
            time.sleep(2.05 - time.time() % 1)
            if ddl:
                self.cursor.execute(ddl)
            while time.time() % 1 < 0.7:
                self.cursor.execute("BEGIN")
                for _ in range(self.r.choice([1, 1, 2, 4])):
                    self.change()
                self.cursor.execute(self.r.choice(["COMMIT"] * 6 + ["ROLLBACK"]))
            second = int(self.sql("SELECT UNIX_TIMESTAMP()")[0][0])
            time.sleep(1.1 - time.time() % 1)
            state = {}
            for table, key in KEYS.items():
                columns, rows = ask(self.cursor, "SELECT * FROM " + table)
                found = {tuple(int(row[columns.index(c)]) for c in key): row for row in rows}
                self.every[table].update(found)
                state[table] = (columns, found)
            gtids = self.sql("SELECT @@GLOBAL." + self.gtid)[0][0].decode().replace("\n", "")
            self.ticks.append((time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second + 1)), gtids, state))


class Verdicts:
    def __init__(self, name):
        self.count, self.refused = Counter(name), collections.Counter()

    def asked(self, cursor, table, tail, columns, row):
        """All columns; where that is refused for the generated ones, the others."""
        try:
            self.count.equal(ask(cursor, "SELECT * " + tail), (columns, [row] if row else []), table + ": SELECT * " + tail)
            return
        except pymysql.MySQLError as e:
            why = e.args[1]
        kept = [i for i, c in enumerate(columns) if c not in GENERATED]
        if len(kept) < len(columns):
            want = ([columns[i] for i in kept], [[row[i] for i in kept]] if row else [])
            try:
                self.count.equal(ask(cursor, "SELECT %s %s" % (", ".join(want[0]), tail)), want, table + ": its other columns " + tail)
                return
            except pymysql.MySQLError as e:
                why = e.args[1]
        self.refused[table + ": " + re.sub(r"\d+", "#", why)[:150]] += 1

    def line(self, percent):
        refused = sum(self.refused.values())
        for why, times in self.refused.most_common(8):
            print("   refused %5d  %s" % (times, why))
        share = refused * 100 / max(1, refused + self.count.passed + self.count.failed)
        print("%s: %d refused, %.2f %%" % (self.count.name, refused, share), flush=True)
        self.count.check(share <= percent, "too much is refused", share, percent)


def compare(cursor, shop, virtual, by, verdicts, seed):
    r = random.Random(seed)
    for instant, gtids, state in shop.ticks:
        point = "AS OF '%s'" % instant if by == "time" else "AT GTID '%s'" % gtids
        for table, (columns, found) in state.items():
            for key in shop.every[table]:
                if r.random() < (0.4 if key in found else 0.7):
                    continue
                where = " AND ".join("%s = %d" % x for x in zip(KEYS[table], key))
                verdicts.asked(cursor, table, "FROM %s.%s %s WHERE %s" % (virtual, table, point, where), columns, found.get(key))


def main():
    option = lambda name, default: type(default)(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
    seed, percent = option("--seed", random.randrange(10 ** 6)), option("--refused", 0.0)
    print("seed %d" % seed, flush=True)
    kind, options = servers.chosen([])
    all_verdicts = []
    with servers.start(kind, *options) as server:
        shop = Shop(server, seed)
        with Chain(None, schema=SCHEMA, source="mysql://root@127.0.0.1:%d" % server.port) as chain:
            chain.api.wait(lambda s: s["oldest"] and s["baseline"]["done"] == s["baseline"]["total"], "the tables are read")
            shop.work()
            caught_up(server, chain.api)
            cursor = chain.connect().cursor()
            for virtual, by in (("_snapshot", "time"), ("_snapshot", "gtid")):
                all_verdicts.append(Verdicts("%s live, %s by %s" % (kind, virtual, by)))
                compare(cursor, shop, virtual, by, all_verdicts[-1], seed)
            log = chain.agent.output()
            all_verdicts[0].count.check("panicked" not in log, "no panic in the agent's log", log[-800:])
        server.server.stop(60)
        with Chain(server.binlogs(), schema=SCHEMA) as chain:
            cursor = chain.connect().cursor()
            for by in ("time", "gtid"):
                all_verdicts.append(Verdicts("%s from files, _flashback by %s" % (kind, by)))
                compare(cursor, shop, "_flashback", by, all_verdicts[-1], seed)
    for verdicts in all_verdicts:
        verdicts.line(percent)
    finish([v.count for v in all_verdicts], 2000)


if __name__ == "__main__":
    main()
