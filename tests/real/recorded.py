#!/usr/bin/env python3
"""A fresh recording: a server of our own runs a random workload, we note what it answers after every transaction, and agent and
shim must then say the same from its binary logs.

In it: every column type, several character sets, DDL of every followed kind, rollbacks and savepoints, transactions of many
statements and tables, rows of more than 16 MiB, and many log files. `--seed N` repeats a run. Without more it is the MariaDB of
this machine with compressed events and FULL metadata. `--server mysql` or another kind of servers.py takes that server as it is
shipped; options of the server follow after `--`.
"""
import os
import random
import re
import sys
import time

import pymysql

import servers
from harness import Chain, Counter, ask, finish

SCHEMA = "rec"
TABLES = {
    "kinds": (["id"], """id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        ti TINYINT, tu TINYINT UNSIGNED, si SMALLINT, su SMALLINT UNSIGNED ZEROFILL, mi MEDIUMINT, mu MEDIUMINT UNSIGNED,
        ii INT, iz INT(6) UNSIGNED ZEROFILL, bi BIGINT, bu BIGINT UNSIGNED, d0 DECIMAL(30,0), d9 DECIMAL(18,9), du DECIMAL(6,3) UNSIGNED,
        f FLOAT, d DOUBLE, b1 BIT(1), b64 BIT(64), bo BOOLEAN, yr YEAR, da DATE, t0 TIME, t3 TIME(3), t6 TIME(6),
        dt DATETIME, dt1 DATETIME(1), dt6 DATETIME(6), ts TIMESTAMP NULL, ts5 TIMESTAMP(5) NULL,
        ch CHAR(9), cl CHAR(9) CHARACTER SET latin1, vc VARCHAR(60), v3 VARCHAR(60) CHARACTER SET utf8mb3, vl VARCHAR(60) CHARACTER SET latin1,
        vb VARBINARY(60), bn BINARY(7), tt TINYTEXT, tx TEXT, mt MEDIUMTEXT CHARACTER SET latin1, lt LONGTEXT,
        tb TINYBLOB, bl BLOB, lb LONGBLOB, en ENUM('one','zwei','trois ''3''','ü') DEFAULT 'zwei', se SET('a','b','c','d e') DEFAULT 'a,c',
        js JSON, pt POINT"""),
    "pairs": (["a", "b"], "b VARCHAR(20) COLLATE utf8mb4_bin NOT NULL, v INT, a INT NOT NULL, w VARCHAR(300), PRIMARY KEY (a, b)"),
    "bytes": (["k"], "v TEXT, k VARBINARY(8) NOT NULL PRIMARY KEY"),
    "days": (["d"], "d DATE NOT NULL PRIMARY KEY, n DECIMAL(9,2) NOT NULL DEFAULT 1.5"),
    "heavy": (["id"], "id INT NOT NULL PRIMARY KEY, body LONGBLOB, name VARCHAR(20)"),
}
# One statement a tick, before its transactions; the table it changes.
DDL = [
    None,
    "ALTER TABLE kinds ADD COLUMN extra VARCHAR(8) NOT NULL DEFAULT 'né' AFTER ti, ADD COLUMN first_one INT NULL FIRST",
    "ALTER TABLE kinds MODIFY COLUMN en ENUM('ü','one','zwei','trois ''3''','new') NULL",
    "ALTER TABLE pairs CHANGE COLUMN w wide VARCHAR(400) NULL FIRST",
    "ALTER TABLE kinds DROP COLUMN d9, MODIFY COLUMN ti SMALLINT",
    "ALTER TABLE bytes RENAME COLUMN v TO value",
    "TRUNCATE TABLE days",
    "RENAME TABLE pairs TO couples",
    "ALTER TABLE days ADD COLUMN stamp DATETIME(3) NULL, ALTER COLUMN n SET DEFAULT 2.25",
    "DROP TABLE bytes",
    "CREATE TABLE bytes (k VARBINARY(8) NOT NULL PRIMARY KEY, other INT, v TEXT)",
    "CREATE TABLE copied (PRIMARY KEY (id)) AS SELECT id, bi, vc FROM kinds",
    "CREATE TABLE alike LIKE copied",
]
RENAMED = {"couples": "pairs", "alike": "copied"}
WORDS = ["", "plain", "naïve", "it's", 'a "quote"', "back\\slash", "tab\there", "line\nbreak", "trail  ", " lead", "NULL", "0", "e\u0301"]
BEYOND_BMP = WORDS + ["🙂 smile", "𝄞"]


def quote(value):
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return "x'%s'" % value.hex() if value else "''"
    if isinstance(value, str):
        return "'%s'" % value.replace("\\", "\\\\").replace("'", "''")
    return repr(value)


class Raw(str):
    """An SQL expression."""


class Recorder:
    def __init__(self, server, seed):
        self.r = random.Random(seed)
        self.conn = server.connect()
        self.cursor = self.conn.cursor()
        self.flavor, self.gtid = server.flavor, server.gtid
        self.keys = {t: k for t, (k, _) in TABLES.items()}
        self.keys.update(copied=["id"], couples=["a", "b"], alike=["id"])
        self.tables = list(TABLES)
        self.seen = {t: {} for t in self.keys}  # every key that ever had a row: bytes of the key to its values
        self.states = []  # (gtid, {table: (columns, {key: row})}, whether a transaction led to it and no DDL)
        self.ticks = []  # (instant, state)
        self.noted = []  # states noted before the last one of each tick

    def sql(self, text):
        self.cursor.execute(text)
        return self.cursor.fetchall()

    def text(self, words=WORDS):
        return self.r.choice(words) + (str(self.r.randint(0, 99)) if self.r.random() < 0.5 else "")

    def moment(self, decimals):
        text = "%04d-%02d-%02d %02d:%02d:%02d" % (self.r.choice([1971, 2000, 2026, 2037]), self.r.randint(1, 12), self.r.randint(1, 28),
                                                  self.r.randint(0, 23), self.r.randint(0, 59), self.r.randint(0, 59))
        return text + ("." + "".join(self.r.choice("0123456789") for _ in range(decimals)) if decimals else "")

    def value(self, table, column):
        """Something for a column, by its name: edges first."""
        r = self.r
        if r.random() < 0.15 and column not in ("n", "extra"):
            return None
        json = ['{"k": [1, 2.50, null, true, "é"]}', "[]", '"text"', "17", "null", '{ "b":1,  "a":{"x":"\\u00e9"}}', "1e5"]
        pick = {
            "ti": [-128, 127, 0], "tu": [0, 255], "si": [-32768, 32767], "su": [0, 65535, 7], "mi": [-8388608, 8388607], "mu": [16777215, 0],
            "ii": [-2147483648, 2147483647, 0], "iz": [0, 42, 999999], "bi": [-9223372036854775808, 9223372036854775807, -1],
            "bu": [18446744073709551615, 9007199254740993], "d0": [Raw("123456789012345678901234567890"), 0, -1],
            "d9": [Raw("-999999999.999999999"), Raw("0.000000001"), 5], "du": [Raw("999.999"), Raw("0.001")],
            "f": [0.1, -1.5, 3.4e38, 1e-10, 16777217, 123456.789], "d": [0.1, 1 / 3, 1e15, 1e16, 1.7976931348623157e308, -0.0, 5e-324],
            "b1": [0, 1], "b64": [Raw("b'%s'" % ("1" * 64)), 5, 0], "bo": [0, 1], "yr": [1901, 2155, 2026, Raw("0")],
            "da": ["0000-00-00", "1000-01-01", "9999-12-31", "2026-02-28"], "t0": ["-838:59:59", "838:59:59", "00:00:00", "12:34:56"],
            "t3": ["-00:00:00.500", "01:02:03.045"], "t6": ["-12:34:56.000001", "23:59:59.999999", "-838:59:59.000000"],
            "dt": ["0000-00-00 00:00:00", self.moment(0)], "dt1": [self.moment(1)], "dt6": [self.moment(6)], "ts": [self.moment(0), Raw("'0000-00-00'")],
            "ts5": [self.moment(5)], "ch": [self.text(BEYOND_BMP)[:9]], "cl": [self.text(WORDS[:6])[:9]], "vc": [self.text(BEYOND_BMP)],
            "v3": [self.text()], "vl": [self.text(WORDS[:11])], "vb": [r.randbytes(r.randint(0, 60))], "bn": [r.randbytes(r.randint(0, 7)), b"\x00" * 7, b"ab\x00\x00"],
            "tt": [self.text(BEYOND_BMP)], "tx": [self.text() * r.choice([1, 500])], "mt": [self.text(WORDS[:11]) * r.choice([1, 90])],
            "lt": [self.text(BEYOND_BMP)], "tb": [r.randbytes(r.randint(0, 255))], "bl": [r.randbytes(r.randint(0, 3000))], "lb": [r.randbytes(9)],
            "en": ["one", "zwei", "trois '3'", "ü"], "se": ["", "a", "b,c", "a,b,c,d e"], "js": json,
            "pt": [Raw("ST_PointFromText('POINT(%d %d)')" % (r.randint(-9, 9), r.randint(-9, 9)))],
            "extra": [self.text(["né", "", "x"])[:8]], "first_one": [r.randint(-5, 5)], "v": [r.randint(-99, 99)], "w": [self.text(BEYOND_BMP) * r.choice([1, 9])],
            "n": [Raw("%.2f" % r.uniform(-1e6, 1e6))], "stamp": [self.moment(3)], "other": [r.randint(0, 9)], "name": [self.text()], "body": [r.randbytes(200)],
        }
        pick["wide"], pick["value"] = pick["w"], [self.text()]
        if table == "bytes":
            pick["v"] = [self.text(BEYOND_BMP)]
        return r.choice(pick[column])

    def key(self, table):
        r = self.r
        return {
            "kinds": lambda: [r.choice([r.randint(1, 30), 18446744073709551614 - r.randint(0, 2)])], "copied": lambda: [r.randint(1, 40)],
            "pairs": lambda: [r.randint(-3, 6), r.choice(["x", "X", "é", "a'b", "q "]) + str(r.randint(0, 3))],
            "bytes": lambda: [r.choice([b"\x00", b"\x00\x00", b"\xff" * 8, r.randbytes(3)])], "days": lambda: ["2026-0%d-1%d" % (r.randint(1, 9), r.randint(0, 9))],
            "heavy": lambda: [r.randint(1, 5)],
        }[RENAMED.get(table, table)]()

    def columns(self, table):
        return [x[0].decode() for x in self.sql("SHOW COLUMNS FROM `%s`" % table)]

    def where(self, table, key):
        return " AND ".join("`%s` = %s" % (c, quote(v)) for c, v in zip(self.keys[table], key))

    def change(self):
        """One statement on one table."""
        r, table = self.r, self.r.choice(self.tables)
        others = [c for c in self.columns(table) if c not in self.keys[table]]
        literal = lambda v: str(v) if isinstance(v, Raw) else quote(v)
        key, kind = self.key(table), r.random()
        if kind < 0.5:
            names = self.keys[table] + [c for c in others if r.random() < 0.8]
            values = [quote(v) for v in key] + [literal(self.value(table, c)) for c in names[len(key):]]
            verb = r.choice(["INSERT IGNORE", "REPLACE", "INSERT"])
            tail = " ON DUPLICATE KEY UPDATE `%s` = VALUES(`%s`)" % (names[-1], names[-1]) if verb == "INSERT" else ""
            self.sql("%s INTO `%s` (%s) VALUES (%s)%s" % (verb, table, ", ".join("`%s`" % n for n in names), ", ".join(values), tail))
        elif kind < 0.75:
            sets = ["`%s` = %s" % (c, literal(self.value(table, c))) for c in r.sample(others, min(len(others), r.randint(1, 4)))]
            self.sql("UPDATE `%s` SET %s WHERE %s" % (table, ", ".join(sets), r.choice([self.where(table, key), "1"])))
        elif kind < 0.85:
            self.sql("UPDATE IGNORE `%s` SET %s WHERE %s" % (table, self.where(table, self.key(table)).replace(" AND ", ", "), self.where(table, key)))
        else:
            self.sql("DELETE FROM `%s` WHERE %s" % (table, self.where(table, key)))

    def transaction(self):
        self.sql("BEGIN")
        for _ in range(self.r.choice([1, 1, 2, 5, 9])):
            self.change()
        if self.r.random() < 0.3:
            self.sql("SAVEPOINT s")
            self.change()
            self.sql(self.r.choice(["ROLLBACK TO s", "RELEASE SAVEPOINT s"]))
        self.sql(self.r.choice(["COMMIT"] * 6 + ["ROLLBACK"]))

    def note(self, heavy=False, events=True):
        """What the server says now."""
        state = {}
        for table in self.tables:
            if table == "heavy" and not heavy:
                continue
            columns, rows = ask(self.cursor, "SELECT * FROM `%s`" % table)
            at = [columns.index(c) for c in self.keys[table]]
            found = {}
            for row in rows:
                key = tuple(row[i] for i in at)
                found[key] = row
                self.seen[table][key] = key
            state[table] = (columns, found)
        gtid = self.sql("SELECT @@GLOBAL." + self.gtid)[0][0].decode().replace("\n", "")
        self.states.append((gtid, state, events))
        return state

    def run(self, transactions):
        self.create()
        self.work(transactions)

    def create(self):
        """Schema and tables, and the rows of those that are not changed any more."""
        self.sql("CREATE DATABASE %s CHARACTER SET utf8mb4" % SCHEMA)
        self.sql("USE " + SCHEMA)
        for table, (_, body) in TABLES.items():
            self.sql("CREATE TABLE %s (%s)" % (table, body))
        # MySQL has no types for them, and people write them as text.
        maria = self.flavor == "mariadb"
        types = ("UUID", "INET6", "INET4") if maria else ("CHAR(36)", "VARCHAR(45)", "VARCHAR(15)")
        self.sql("CREATE TABLE addresses (id INT PRIMARY KEY, u %s, i %s, four %s)" % types)
        self.sql("INSERT INTO addresses VALUES (1, '123e4567-e89b-12d3-a456-426655440000', '::1', '10.0.0.255')")
        self.addresses = ask(self.cursor, "SELECT * FROM addresses WHERE id = 1")
        # What may be refused, but never shown wrong.
        self.sql("CREATE TABLE made (id INT PRIMARY KEY, a INT, v INT AS (a + 1) VIRTUAL, p INT AS (a * 2) STORED, hidden INT INVISIBLE DEFAULT 3)")
        self.sql("INSERT INTO made (id, a) VALUES (1, 10), (2, NULL)")
        self.sql("UPDATE made SET a = 11 WHERE id = 1")
        self.made = ask(self.cursor, "SELECT * FROM made WHERE id = 1")

    def work(self, transactions):
        """The workload, a tick a statement of DDL."""
        for tick, ddl in enumerate(DDL):
            # Commits count for the whole second they are stamped with: a second without any lies between two ticks.
            time.sleep(2.02 - time.time() % 1)
            if ddl:
                self.sql(ddl)
                if "RENAME TABLE" in ddl:
                    self.tables[self.tables.index("pairs")] = "couples"
                    self.seen["couples"] = dict(self.seen["pairs"])
                elif ddl.startswith("DROP TABLE"):
                    self.tables.remove(ddl.split()[2])
                elif ddl.startswith("CREATE TABLE"):
                    self.tables.append(ddl.split()[2])
                self.note(events=False)
            if tick % 3 == 1:
                body = quote(self.r.randbytes((17 << 20) if tick == 4 else (1 << 20)))
                self.sql("REPLACE INTO heavy VALUES (%d, %s, 'tick %d')" % (tick % 5, body, tick))
                self.sql("FLUSH BINARY LOGS")
            if tick == 4:
                # A row of 17 MiB takes most of a second until it has arrived; what comes after it, and is asked for as of the next second, waits.
                time.sleep(2.02 - time.time() % 1)
            for _ in range(transactions):
                # On a busy machine what is committed late in a second arrives in the next one, as of which it is asked for.
                if time.time() % 1 > 0.6:
                    time.sleep(1.02 - time.time() % 1)
                self.transaction()
                self.note()
            self.noted.append(len(self.states))
            state = self.note(heavy=True)
            now = int(self.sql("SELECT UNIX_TIMESTAMP()")[0][0])
            self.ticks.append((time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now + 1)), state))
        time.sleep(2.02 - time.time() % 1)
        self.sql("FLUSH BINARY LOGS")
        self.conn.close()


def literals(table, key):
    """A key as bytes to SQL."""
    if table == "bytes":
        return ["x'%s'" % key[0].hex()]
    if table == "days":
        return ["'%s'" % key[0].decode()]
    if table in ("pairs", "couples"):
        return [key[0].decode(), quote(key[1].decode())]
    return [key[0].decode()]


def in_order(table):
    if table in ("bytes", "days"):
        return lambda key: key[0]
    return lambda key: (int(key[0]), *key[1:])


def last_of(gtids):
    """The last GTID of a state: MySQL has a set of all of one server, MariaDB the last one."""
    return re.sub(r":(?:.*[-:])?(\d+)$", r":\1", gtids)


class Comparison:
    def __init__(self, chain, recorder):
        self.conn = chain.connect()
        self.cursor = self.conn.cursor()
        self.recorder = recorder

    def rows(self, count, table, point, columns, found, virtual="_flashback", keys=None):
        """All these keys, or else all ever seen, in one statement."""
        keys = sorted(self.recorder.seen[table] if keys is None else keys, key=in_order(table))
        if not keys:
            return
        names = self.recorder.keys[table]
        left = names[0] if len(names) == 1 else "(%s)" % ", ".join(names)
        right = ", ".join(v if len(names) == 1 else "(%s)" % v for v in (", ".join(literals(table, k)) for k in keys))
        sql = "SELECT * FROM %s.%s %s WHERE %s IN (%s)" % (virtual, table, point, left, right)
        try:
            got_columns, got = ask(self.cursor, sql)
        except pymysql.MySQLError as e:
            count.check(False, "refused %s: %s" % (table, sql[:150]), e.args)
            return
        if not count.equal(got_columns, columns, "columns of %s: %s" % (table, sql[:150])):
            return
        want = [found[k] for k in keys if k in found]
        if got != want:
            for g, w in zip(got, want):
                differ = [(c, a, b) for c, a, b in zip(columns, g, w) if a != b]
                if differ:
                    count.check(False, "cell %s.%s: %s" % (table, differ[0][0], sql[:150]), differ[0][1], differ[0][2])
                    return
            count.check(False, "rows of %s: %s" % (table, sql[:150]), len(got), len(want))
            return
        count.passed += max(1, len(want))

    def diff(self, count, table, since, until, first=0, last=None, keys=None):
        """Each row that a transaction changed shows up in _diff with that transaction's GTID, and its last image is the row."""
        states = [(g, s[table], e) for g, s, e in self.recorder.states[first:last] if table in s]
        for key in list(self.recorder.seen[table]) if keys is None else keys:
            sql = "SELECT event_type, gtid, row_before, row_after FROM _diff.%s BETWEEN '%s' AND '%s' WHERE %s" % (
                table, since, until, " AND ".join("%s = %s" % x for x in zip(self.recorder.keys[table], literals(table, key))))
            try:
                events = ask(self.cursor, sql)[1]
            except pymysql.MySQLError as e:
                count.check(False, "diff refused %s: %s" % (table, sql), e.args)
                continue
            of = {}
            for kind, gtid, before, after in events:
                of.setdefault(gtid.decode(), []).append((kind, before, after))
                count.equal((before is None, after is None), (kind == b"INSERT", kind == b"DELETE"), "images: " + sql)
            for (_, (_, was), _), (gtid, (columns, now), real) in zip(states, states[1:]):
                if real and was.get(key) != now.get(key):
                    # The state is noted after each transaction, so the one that changed the row is its GTID.
                    gtid = last_of(gtid)
                    if count.check(gtid in of, "a change that _diff does not show: " + sql, sorted(of), gtid):
                        kind, _, after = of[gtid][-1]
                        if key in now:
                            count.check(after is not None, "the last event: " + sql, kind, now[key])
                        elif kind == b"UPDATE":
                            count.check(True, "the key moved away")
                        else:
                            count.equal(kind, b"DELETE", "the last event: " + sql)


def main():
    seed = int(sys.argv[sys.argv.index("--seed") + 1]) if "--seed" in sys.argv else random.randrange(10 ** 6)
    print("seed %d" % seed, flush=True)
    kind, options = servers.chosen(("--log-bin-compress=ON", "--log-bin-compress-min-len=10", "--character-set-server=utf8mb4",
                                    "--binlog-row-metadata=FULL"))
    counters = [Counter("after each transaction, by GTID"), Counter("after each tick, by time"), Counter("changes"), Counter("what cannot be read")]
    by_gtid, by_time, changes, refused = counters
    with servers.start(kind, "--max-binlog-size=262144", "--max-allowed-packet=64M", *options) as server:
        recorder = Recorder(server, seed)
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 1))
        time.sleep(1.02 - time.time() % 1)
        recorder.run(transactions=8)
        logs = server.binlogs()
        server.server.stop(60)  # the last file is closed
        by_gtid.check(len(logs) > 5, "several log files", len(logs))
        with Chain(logs, schema=SCHEMA) as chain:
            comparison = Comparison(chain, recorder)
            for gtid, state, _ in recorder.states:
                for table, (columns, found) in state.items():
                    if table != "heavy":
                        comparison.rows(by_gtid, table, "AT GTID '%s'" % gtid, columns, found)
            for instant, state in recorder.ticks:
                for table, (columns, found) in state.items():
                    comparison.rows(by_time, table, "AS OF '%s'" % instant, columns, found)
            end = recorder.ticks[-1][0]
            for table in ("kinds", "days", "copied"):
                comparison.diff(changes, table, since, end)
            renamed = DDL.index("RENAME TABLE pairs TO couples")
            # A window across the renaming is refused; the one after it is not.
            comparison.diff(changes, "couples", recorder.ticks[renamed][0], end, recorder.noted[renamed])
            got = ask(comparison.cursor, "SELECT * FROM _flashback.addresses AS OF '%s' WHERE id = 1" % end)
            by_time.equal(got, recorder.addresses, "UUID, INET6 and INET4")
            try:
                got = ask(comparison.cursor, "SELECT * FROM _flashback.never_there AS OF '%s' WHERE id = 1" % end)
                refused.check(False, "an answer", got, "a refusal")
            except pymysql.MySQLError as e:
                refused.check(e.args[0] == 1064 and "rejected request" in e.args[1], "the refusal", e.args)
            try:
                got = ask(comparison.cursor, "SELECT * FROM _flashback.made AS OF '%s' WHERE id = 1" % end)
                refused.equal(got, recorder.made, "generated and invisible columns: shown")
            except pymysql.MySQLError as e:
                refused.check(e.args[0] == 1064, "generated and invisible columns: refused", e.args)
            text = chain.agent.output()
            refused.check("reading stopped" not in text, "all files are read", text[-600:])
    finish(counters, 2000)


if __name__ == "__main__":
    main()
