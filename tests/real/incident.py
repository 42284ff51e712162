#!/usr/bin/env python3
"""The incident of docs/incident.md on a running server: two schemas, a workload that goes on meanwhile, and one connection that does what it should not:
an UPDATE that cancels orders, then, in one transaction, customers and orders that are deleted, with what hangs on them by foreign keys.

It is found (`_history.transactions`), counted (COUNT, GROUP BY), attributed to connection, user, host, program and statement, and taken back by the SQL that `undo` writes, the newest
transaction first. A user of one of the two schemas sees nothing of the other on the way. After it every row that nobody touched since is, byte for byte, what the server showed before; every other row is as it was, and listed.

    incident.py --server mysql --seed 3
"""
import json
import os
import random
import subprocess
import sys
import threading
import time

import pymysql

import servers
import whose
from harness import TOKEN, Chain, Counter, ask, binary, finish
from live import caught_up

TABLES = {
    "crm.customers": "id INT NOT NULL PRIMARY KEY, name VARCHAR(40) NOT NULL, seen DATETIME(3)",
    "shop.orders": "id INT NOT NULL PRIMARY KEY, customer_id INT NULL, status ENUM('new','paid','cancelled') NOT NULL, amount DECIMAL(9,2), rate FLOAT, note BLOB,"
                   " changed TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), FOREIGN KEY (customer_id) REFERENCES crm.customers (id) ON DELETE SET NULL",
    "shop.lines": "order_id INT NOT NULL, line INT NOT NULL, qty INT, PRIMARY KEY (order_id, line), FOREIGN KEY (order_id) REFERENCES shop.orders (id) ON DELETE CASCADE",
}
CUSTOMERS, ORDERS = 400, 3000  # those from half of it on are the workload's
WRONG = ["UPDATE shop.orders SET status = 'cancelled' WHERE customer_id BETWEEN 100 AND 150",
         "DELETE FROM crm.customers WHERE id BETWEEN 140 AND 160", "DELETE FROM shop.orders WHERE id BETWEEN 300 AND 420"]


def keys(name):
    return 2 if name == "shop.lines" else 1


def state(cursor):
    return {name: {tuple(row[:keys(name)]): tuple(row) for row in ask(cursor, "SELECT * FROM " + name)[1]} for name in TABLES}


def filled(cursor, r):
    for schema in ("crm", "shop"):
        cursor.execute("CREATE DATABASE %s CHARACTER SET utf8mb4" % schema)
    for name, body in TABLES.items():
        cursor.execute("CREATE TABLE %s (%s) ENGINE=InnoDB" % (name, body))
    rows = {
        "crm.customers": ("(%d, 'c%d é', '2026-01-01 00:00:00.%03d')" % (i, i, i) for i in range(CUSTOMERS)),
        "shop.orders": ("(%d, %d, '%s', %d.25, %r, x'%02x00ff', '2026-01-02 03:04:05.678')" % (
            i, i * CUSTOMERS // ORDERS, r.choice(["new", "paid"]), i, r.uniform(0, 9), i % 256) for i in range(ORDERS)),
        "shop.lines": ("(%d, %d, %d)" % (i, n, i + n) for i in range(ORDERS) for n in (1, 2)),
    }
    for name, values in rows.items():
        cursor.execute("INSERT INTO %s VALUES %s" % (name, ", ".join(values)))


def workload(server, stop, ids, r, failed):
    """Somebody else's work, on rows of its own of the same tables."""
    try:
        # Whoever may write the numbers of other connections into the log makes everybody unknown on MariaDB.
        with pymysql.connect(host="127.0.0.1", port=server.port, user="worker", autocommit=True) as conn:
            cursor = conn.cursor()
            ids.append(int(ask(cursor, "SELECT CONNECTION_ID()")[1][0][0]))
            while not stop.wait(0.005):
                key = r.randrange(ORDERS // 2, ORDERS)
                cursor.execute(r.choice([
                    "UPDATE shop.orders SET amount = amount + 1 WHERE id = %d" % key,
                    "REPLACE INTO shop.lines SELECT id, 3, %d FROM shop.orders WHERE id = %d" % (r.randrange(99), key),
                    "DELETE FROM shop.lines WHERE order_id = %d AND line = 3" % key,
                    "UPDATE crm.customers SET seen = NOW(3) WHERE id = %d" % r.randrange(CUSTOMERS // 2, CUSTOMERS),
                ]))
    except Exception as e:
        failed.append(e)


TENANT = """  - mysql_user: shopper
    mysql_password: shopping
    server_id: real
    agent_token: %s
    default_schema: shop
    allowed_schemas: [shop]
""" % TOKEN


def of_one_schema(chain, gtids, window, counter):
    """What a user sees who may not see crm."""
    hidden = "a foreign key joins it to rows of a schema that may not be read here"
    with chain.connect(user="shopper", password=b"shopping") as conn:
        cursor = conn.cursor()
        seen = []
        for gtid in gtids:
            for table in ("orders", "lines"):
                seen += ask(cursor, "SELECT statement, conflict FROM _undo.shop.`%s` AT GTID '%s'" % (table, gtid))[1]
        cursor.execute("SET @dbtrail_undo_tables = 'shop.orders,shop.lines'")
        together = ask(cursor, "SELECT statement, conflict FROM _undo.shop.orders AT GTID '%s'" % gtids[1])[1]
        cursor.execute("SET @dbtrail_undo_tables = NULL")
        found = ask(cursor, "SELECT gtid, tables, statements FROM _history.transactions BETWEEN '%s' AND '%s' WHERE rows_updated > 20 OR rows_deleted > 20" % window)[1]
        for name, row in [("_undo", row) for row in seen + together] + [("_history", row) for row in found]:
            counter.check(not any(b"crm" in cell or b"customers" in cell for cell in row if cell), "%s says nothing of another schema" % name, row)
        counter.check(any(row[0] is None and hidden.encode() in row[1] for row in together), "rows that hang on it are left", together[-1:])
        counter.equal([row[2] is None for row in found], [False, True], "no text of what touched it")
        for sql in ("SELECT statement FROM _undo.crm.customers AT GTID '%s'" % gtids[1], "SELECT * FROM _diff.crm.customers AT GTID '%s'" % gtids[1]):
            try:
                counter.check(False, "refused: " + sql, ask(cursor, sql)[1][:1])
            except pymysql.MySQLError as e:
                counter.check("customers" not in str(e.args[1]).replace(sql, "") or "denied" in str(e.args[1]), "refused: " + sql, e.args)


def together(chain, gtid, counter):
    """Rows of which the parents come back with them are not in their way."""
    with chain.connect() as conn:
        cursor = conn.cursor()
        asked = "SELECT conflict FROM _undo.shop.orders AT GTID '%s'" % gtid
        alone = sum(row[0] is not None for row in ask(cursor, asked)[1])
        cursor.execute("SET @dbtrail_undo_tables = 'crm.customers,shop.orders,shop.lines'")
        both = sum(row[0] is not None for row in ask(cursor, asked)[1])
        counter.check(alone > 20 and both == 2, "@dbtrail_undo_tables: rows that are left", (alone, both), "many, and those that somebody touched")


def undo(chain, server, gtid, counter):
    """The file for one transaction, run as a DBA would; its text."""
    path = os.path.join(chain.folder, "undo.sql")
    tables = [part for name in TABLES for part in ("--table", name)]
    made = subprocess.run([binary(), "undo", "--agent", "https://" + chain.api.place, "--token-file", os.path.join(chain.folder, "tokens"), "--ca", chain.ca, *tables,
                           "--gtid", gtid, "--commit", "--output", path], capture_output=True, text=True, timeout=120)
    counter.equal(made.returncode, 0, "undo of %s is written %s" % (gtid, made.stderr[-600:]))
    with open(path, "rb") as f:
        done = subprocess.run(["mariadb", "--no-defaults", "--protocol=tcp", "-h127.0.0.1", "-P%d" % server.port, "-uroot", "--skip-ssl", "--comments"], stdin=f,
                              capture_output=True, timeout=120)
    counter.equal(done.returncode, 0, "undo of %s runs %s" % (gtid, done.stderr.decode()[-600:]))
    with open(path, encoding="utf-8") as f:
        return f.read()


def run(kind, options, seed):
    counter, r = Counter("%s: the incident" % kind), random.Random(seed)
    logs = ["--binlog-rows-query-log-events=ON"] if kind == "mysql" else []
    with servers.start(kind, *logs, *options) as server:
        cursor = server.connect().cursor()
        filled(cursor, r)
        with Chain(None, schema="shop", tenants=TENANT, source="mysql://root@127.0.0.1:%d" % server.port) as chain:
            chain.api.wait(lambda s: s["oldest"] and s["baseline"]["done"] == s["baseline"]["total"], "the tables are read")
            for user in ("worker", "batch"):
                cursor.execute("CREATE USER '%s'@'localhost'" % user)
                for schema in ("crm", "shop"):
                    cursor.execute("GRANT ALL ON %s.* TO '%s'@'localhost'" % (schema, user))
            stop, ids, failed = threading.Event(), [], []
            worker = threading.Thread(target=workload, args=(server, stop, ids, r, failed), daemon=True)
            worker.start()
            time.sleep(1.5)
            since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
            before = state(cursor)
            time.sleep(2.5)
            with pymysql.connect(host="127.0.0.1", port=server.port, user="batch", program_name="nightly.py", autocommit=True) as culprit:
                wrong = culprit.cursor()
                culprit_id = int(ask(wrong, "SELECT CONNECTION_ID()")[1][0][0])
                wrong.execute(WRONG[0])
                wrong.execute("BEGIN")
                for sql in WRONG[1:]:
                    wrong.execute(sql)
                wrong.execute("COMMIT")
                # It is seen while it is there.
                time.sleep(1.5)
            after = state(cursor)
            time.sleep(1.1)
            until = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
            # Somebody works on with what the incident left.
            touched = "UPDATE shop.orders SET amount = amount + 1000 WHERE id IN (1100, 1110)"
            cursor.execute(touched)
            time.sleep(1.1)
            caught_up(server, chain.api)
            with chain.connect() as conn:
                asked = conn.cursor()
                found = ask(asked, "SELECT commit_time, gtid, connection_id, rows_inserted, rows_updated, rows_deleted, tables, statements, user, host, program FROM _history.transactions"
                                   " BETWEEN '%s' AND '%s' WHERE rows_updated > 20 OR rows_deleted > 20" % (since, until))[1]
                counter.equal([int(row[2]) for row in found], [culprit_id] * 2, "the transactions are found, and whose they are")
                # MariaDB tells no programs without performance_schema.
                program = b"nightly.py" if kind == "mysql" else None
                counter.equal([row[8:] for row in found], [[b"batch", b"localhost", program]] * 2, "user, host and program")
                own = lambda state: {name: {k: row for k, row in state[name].items() if int(k[0]) < (CUSTOMERS if name == "crm.customers" else ORDERS) // 2} for name in TABLES}
                was, end = own(before), own(after)
                differ = {name: [k for k in was[name] if was[name][k] != end[name].get(k)] for name in TABLES}
                gone = {name: [k for k in was[name] if k not in end[name]] for name in TABLES}
                cancelled = [k for k in was["shop.orders"] if 100 <= int(was["shop.orders"][k][1]) <= 150]
                nulled = [k for k in end["shop.orders"] if end["shop.orders"][k][1] is None]
                first, second = (json.loads(row[6]) for row in found)
                counter.equal(first, {"shop.orders": {"inserted": 0, "updated": len(cancelled), "deleted": 0}}, "what the first one did")
                counter.equal({name: second[name]["deleted"] for name in TABLES}, {name: len(gone[name]) for name in TABLES}, "what the second one deleted")
                texts = [json.loads(row[7]) for row in found]
                counter.equal(texts, [WRONG[:1], WRONG[1:]], "by which statements")
                window = "BETWEEN '%s' AND '%s' ALLOW SCAN WHERE connection_id = %d" % (since, until, culprit_id)
                for name in TABLES:
                    rows = ask(asked, "SELECT event_type, COUNT(*) FROM _diff.%s %s GROUP BY event_type" % (name, window))[1]
                    counts = {row[0].decode(): int(row[1]) for row in rows}
                    updated = len(cancelled) + len(nulled) if name == "shop.orders" else 0
                    # What was set to NULL and deleted by the same transaction was changed twice.
                    if name == "shop.orders":
                        counter.check(counts.get("UPDATE", 0) >= updated, "changes of %s" % name, counts, updated)
                        counts.pop("UPDATE", None)
                        updated = 0
                    want = {what: n for what, n in (("UPDATE", updated), ("DELETE", len(gone[name]))) if n}
                    counter.equal(counts, want, "changes of %s" % name)
                by = ask(asked, "SELECT connection_id, COUNT(*) AS n FROM _diff.shop.orders BETWEEN '%s' AND '%s' ALLOW SCAN GROUP BY connection_id ORDER BY n DESC LIMIT 1" % (since, until))[1]
                counter.equal(int(by[0][0]), culprit_id, "who changed most")
            gtids = [row[1].decode() for row in found]
            of_one_schema(chain, gtids, (since, until), counter)
            together(chain, gtids[1], counter)
            now = own(state(cursor))
            listed = ""
            for gtid in reversed(gtids):
                listed += undo(chain, server, gtid, counter)
                # The next one is written upon what this one has done.
                time.sleep(1.1)
                caught_up(server, chain.api)
            final = own(state(cursor))
            stop.set()
            worker.join(10)
            counter.equal(failed, [], "the workload went on")
            for name in TABLES:
                for key in {*was[name], *now[name]}:
                    shown = "%s %s" % (name, key)
                    if now[name].get(key) != end[name].get(key):
                        counter.equal(final[name].get(key), now[name].get(key), shown + " which somebody touched")
                        counter.check("--   %s id = %s: " % (name, key[0].decode()) in listed, shown + " is listed")
                    else:
                        counter.equal(final[name].get(key), was[name].get(key), shown + " which nobody touched")
            counter.check(all(differ.values()) and len(gone["shop.lines"]) > 100, "something happened to each table", differ.keys())
            left = ask(cursor, "SELECT COUNT(*) FROM shop.orders WHERE status = 'cancelled'")[1][0][0]
            counter.equal(left, b"2", "what stays cancelled was touched since")
            whose.check(server, chain, counter)
            counter.check("panicked" not in chain.agent.output(), "no panic in the agent's log", chain.agent.output()[-600:])
    return counter


def main():
    option = lambda name, default: type(default)(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
    seed = option("--seed", random.randrange(10 ** 6))
    kind, options = servers.chosen([])
    print("seed %d" % seed, flush=True)
    finish([run(kind, options, seed)], 4500)


if __name__ == "__main__":
    main()
