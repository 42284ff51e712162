#!/usr/bin/env python3
"""The agent comes after the incident: a server that was never captured, and that still has some of its log.

Tables from before the oldest file, one altered and one dropped inside of the log, one created there; a workload whose states are noted (the server's own SELECT);
a wrong UPDATE and a wrong DELETE in the middle of it; a restart of the server. Only then an agent starts, with nothing said of how far back. After it
  * each table is at each noted instant what the server showed, or refused with the reason: what it was before a statement changed its definition is not known;
  * the incident is found, with its rows, and taken back by the SQL that `undo` writes;
  * what happens from then on is captured as ever.
After a crash of the server a record begins after it, and with `--backfill none` now.

    backfill.py --server mysql --mib 200        # that much log, and how long it takes
"""
import os
import random
import subprocess
import sys
import time

import pymysql

import servers
from harness import Chain, Counter, ask, binary, finish
from live import caught_up

OLD = {
    "orders": "id INT NOT NULL PRIMARY KEY, customer INT, status ENUM('new','paid','cancelled') NOT NULL, note VARCHAR(60), amount DECIMAL(9,2),"
              " changed TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)",
    "lines": "order_id INT NOT NULL, line INT NOT NULL, qty INT, PRIMARY KEY (order_id, line)",
    "altered": "id INT NOT NULL PRIMARY KEY, v INT",
    "gone": "id INT NOT NULL PRIMARY KEY, v INT",
}
MADE = "id INT NOT NULL PRIMARY KEY, v VARCHAR(20)"
ROWS = 300
REFUSED = {
    "altered": "what its definition was before a statement of",
    "gone": "has no column names in the log",
}


class Work:
    def __init__(self, server, seed):
        self.server, self.r = server, random.Random(seed)
        self.marks = []  # (instant, {table: rows})
        self.tables = list(OLD)
        self.again()
        self.sql("CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
        self.sql("USE shop")
        for name, body in OLD.items():
            self.sql("CREATE TABLE `%s` (%s) ENGINE=InnoDB" % (name, body))
        self.sql("INSERT INTO orders VALUES " + ", ".join("(%d, %d, 'new', 'n%d é', %d.50, '2026-01-01 00:00:00')" % (i, i % 20, i, i) for i in range(ROWS)))
        self.sql("INSERT INTO `lines` VALUES " + ", ".join("(%d, %d, %d)" % (i, n, n) for i in range(ROWS) for n in (1, 2)))
        for name in ("altered", "gone"):
            self.sql("INSERT INTO %s VALUES %s" % (name, ", ".join("(%d, 0)" % i for i in range(20))))

    def again(self):
        """A connection."""
        self.cursor = self.server.connect().cursor()
        if self.marks:
            self.sql("USE shop")

    def sql(self, text):
        self.cursor.execute(text)

    def forget(self):
        """The log begins here: what was before is gone from it."""
        self.sql("FLUSH BINARY LOGS")
        # From MariaDB 11.4 on files that no replica has read stay (its default is 1).
        if ask(self.cursor, "SHOW GLOBAL VARIABLES LIKE 'slave_connections_needed_for_purge'")[1]:
            self.sql("SET GLOBAL slave_connections_needed_for_purge = 0")
        last = ask(self.cursor, "SHOW BINARY LOGS")[1][-1][0].decode()
        # A file stays as long as InnoDB has not said that all of its commits are on disk.
        end = time.monotonic() + 20
        while len(ask(self.cursor, "SHOW BINARY LOGS")[1]) > 1 and time.monotonic() < end:
            self.sql("PURGE BINARY LOGS TO '%s'" % last)
            time.sleep(0.1)
        time.sleep(2.2)

    def change(self):
        r, key = self.r, self.r.randrange(ROWS)
        return self.sql(r.choice([
            "UPDATE orders SET amount = amount + 1, note = 'changed %d' WHERE id BETWEEN %d AND %d" % (key, key, key + 3),
            "UPDATE orders SET status = 'paid' WHERE id = %d" % key,
            "DELETE FROM orders WHERE id = %d" % key,
            "REPLACE INTO orders VALUES (%d, %d, 'new', 'again', %d, '2026-02-02 02:02:02.002')" % (key, key % 20, r.randrange(999)),
            "UPDATE `lines` SET qty = qty + 1 WHERE order_id = %d" % key,
            "DELETE FROM `lines` WHERE order_id = %d AND line = 2" % key,
            "UPDATE altered SET v = v + 1 WHERE id = %d" % (key % 20),
            *(["UPDATE gone SET v = v + 1 WHERE id = %d" % (key % 20)] if "gone" in self.tables else []),
            *(["REPLACE INTO made VALUES (%d, 'v%d')" % (key, key)] if "made" in self.tables else []),
        ]))

    def state(self):
        return {name: sorted(tuple(row) for row in ask(self.cursor, "SELECT * FROM `%s`" % name)[1]) for name in self.tables}

    def mark(self):
        """Notes the state: at the beginning of a second in which nothing happens."""
        state = self.state()
        time.sleep(1.02 - time.time() % 1)
        instant = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        time.sleep(1.02 - time.time() % 1)
        self.marks.append((instant, state))
        return instant

    def round(self, changes=60):
        for _ in range(changes):
            self.change()
        return self.mark()


def incident(work):
    """What an application and a batch do wrong, in one transaction each. The state before; the last one's GTID is not asked for."""
    before = work.state()
    work.sql("UPDATE orders SET status = 'cancelled' WHERE customer BETWEEN 3 AND 7")
    work.sql("BEGIN")
    work.sql("DELETE FROM `lines` WHERE order_id BETWEEN 40 AND 120")
    work.sql("COMMIT")
    return before, work.state()


def shown(chain, sql):
    """Sorted rows, or the error."""
    connection = chain.connect()
    try:
        return sorted(tuple(row) for row in ask(connection.cursor(), sql)[1])
    except pymysql.MySQLError as e:
        return e.args[1]
    finally:
        connection.close()


def compare(chain, marks, counter, refused):
    """Each table at each mark; `refused`: up to which mark a table is (its name: number of marks)."""
    for n, (instant, state) in enumerate(marks):
        for name, rows in state.items():
            sql = "SELECT * FROM _snapshot.`%s` AS OF '%s' ALLOW SCAN" % (name, instant)
            got = shown(chain, sql)
            if n < refused.get(name, 0):
                counter.check(isinstance(got, str) and REFUSED[name] in got, "refused: " + sql, got, REFUSED[name])
            elif counter.check(not isinstance(got, str), "answered: " + sql, got, len(rows)):
                counter.equal(got, rows, "rows: " + sql)


def undone(chain, work, window, before, after, counter):
    """The incident is taken back by a file, and nothing else."""
    path = os.path.join(chain.folder, "undo.sql")
    made = subprocess.run([binary(), "undo", "--agent", "https://" + chain.api.place, "--token-file", os.path.join(chain.folder, "tokens"), "--ca", chain.ca,
                           "--table", "shop.orders", "--table", "shop.lines", "--between", window[0] + "Z", window[1] + "Z", "--commit", "--output", path],
                          capture_output=True, text=True, timeout=120)
    if not counter.equal(made.returncode, 0, "undo is written " + made.stderr[-600:]):
        return
    now = work.state()
    with open(path, "rb") as f:
        done = subprocess.run(["mariadb", "--no-defaults", "--protocol=tcp", "-h127.0.0.1", "-P%d" % work.server.port, "-uroot", "--skip-ssl", "--comments"],
                              stdin=f, capture_output=True, timeout=120)
    counter.equal(done.returncode, 0, "the file runs " + done.stderr.decode()[-400:])
    final = work.state()
    width = {"orders": 1, "lines": 2}
    for name in work.tables:
        by = {what: {row[:width.get(name, 1)]: row for row in state[name]} for what, state in
              (("before", before), ("after", after), ("now", now), ("final", final)) if name in state}
        for key in {key for rows in by.values() for key in rows}:
            was, end, then, got = (by.get(what, {}).get(key) for what in ("before", "after", "now", "final"))
            hurt = name in width and was != end
            want = was if hurt and end == then else then
            counter.equal(got, want, "%s %s behind the undo" % (name, key))


def filled(work, mib):
    """About that much log of rows that nobody asks for."""
    work.sql("CREATE TABLE IF NOT EXISTS bulk (id INT NOT NULL PRIMARY KEY, v VARCHAR(200)) ENGINE=InnoDB")
    for n in range(mib * 4):
        work.sql("REPLACE INTO bulk VALUES " + ", ".join("(%d, '%s')" % (i, str(n * 7919 + i) * 12) for i in range(2000)))


def run(kind, options, seed, mib):
    counter = Counter("%s: installed after the fact" % kind)
    with servers.start(kind, *options) as server:
        work = Work(server, seed)
        work.forget()
        work.round()
        if mib:
            filled(work, mib // 2)
        work.sql("ALTER TABLE altered ADD w VARCHAR(9) DEFAULT 'x', MODIFY v BIGINT")
        altered = len(work.marks)
        work.round()
        work.sql("DROP TABLE gone")
        work.tables.remove("gone")
        gone = len(work.marks)
        work.sql("CREATE TABLE made (%s)" % MADE)
        work.tables.append("made")
        work.round()
        since = work.mark()
        before, after = incident(work)
        until = work.mark()
        server.server.stop()
        server.start()
        work.again()
        work.round()
        if mib:
            filled(work, mib - mib // 2)
        began = time.monotonic()
        with Chain(None, schema="shop", source="mysql://root@127.0.0.1:%d" % server.port, options=["--backfill", "oldest"]) as chain:
            if mib:
                chain.api.wait(lambda s: s["oldest"], "the record begins", 600)
                print("the record begins after %.1f s" % (time.monotonic() - began), flush=True)
                while True:
                    status = chain.api.status()
                    print("   %.1f s: %s, newest %s" % (time.monotonic() - began, status.get("backlog"), status["newest"]), flush=True)
                    if "backlog" not in status:
                        break
                    time.sleep(2)
            caught_up(server, chain.api)
            answered = shown(chain, "SELECT COUNT(*) FROM _diff.orders BETWEEN '%s' AND '%s' ALLOW SCAN WHERE event_type = 'UPDATE'" % (since, until))
            print("the incident is answered %.1f s after the start: %s" % (time.monotonic() - began, answered), flush=True)
            hurt = sum(1 for a, b in zip(before["orders"], after["orders"]) if a != b)
            counter.equal(answered, [(str(hurt).encode(),)], "the rows of the incident are counted")
            chain.api.wait(lambda s: s["baseline"] and s["baseline"]["done"] == s["baseline"]["total"], "the tables are read", 600)
            compare(chain, work.marks, counter, {"altered": altered, "gone": gone})
            found = shown(chain, "SELECT rows_updated, rows_deleted FROM _history.transactions BETWEEN '%s' AND '%s'" % (since, until))
            counter.equal(found, sorted([(str(hurt).encode(), b"0"), (b"0", str(len(before["lines"]) - len(after["lines"])).encode())]), "the transactions are found")
            undone(chain, work, (since, until), before, after, counter)
            work.round()
            caught_up(server, chain.api)
            compare(chain, work.marks[-1:], counter, {})
            counter.check("panicked" not in chain.agent.output(), "no panic in the agent's log", chain.agent.output()[-600:])
        # A crash: what the log lost then, nobody knows.
        server.server.kill()
        server.start()
        work.again()
        crashed = len(work.marks)
        time.sleep(2.2)
        work.round()
        with Chain(None, schema="shop", source="mysql://root@127.0.0.1:%d" % server.port, options=["--backfill", "oldest"]) as chain:
            caught_up(server, chain.api)
            chain.api.wait(lambda s: s["baseline"] and s["baseline"]["done"] == s["baseline"]["total"], "the tables are read", 120)
            compare(chain, work.marks[crashed:], counter, {})
            got = shown(chain, "SELECT * FROM _snapshot.orders AS OF '%s' WHERE id = 1" % work.marks[crashed - 1][0])
            counter.check(isinstance(got, str) and "before the start of the record" in got, "refused: before the crash", got)
            counter.check("the server crashed" in chain.agent.output(), "the agent says why", chain.agent.output()[-900:])
        with Chain(None, schema="shop", source="mysql://root@127.0.0.1:%d" % server.port, options=["--backfill", "none"]) as chain:
            caught_up(server, chain.api)
            got = shown(chain, "SELECT * FROM _snapshot.orders AS OF '%s' WHERE id = 1" % work.marks[-1][0])
            counter.check(isinstance(got, str) and "before the start of the record" in got, "refused: before now", got)
    return counter


def main():
    option = lambda name, default: type(default)(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
    seed = option("--seed", random.randrange(10 ** 6))
    kind, options = servers.chosen([])
    print("seed %d" % seed, flush=True)
    finish([run(kind, options, seed, option("--mib", 0))], 800)


if __name__ == "__main__":
    main()
