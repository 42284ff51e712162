#!/usr/bin/env python3
"""Partitions that are emptied while their table is being read for the first time: only keys that may have gone with them, unread, are unknown before.

    half_read.py                     # on all servers
    half_read.py mariadb-11.8        # on those with this in their name

Whatever is answered at the GTID of a statement, by key, is what the server had then; a key is refused only where it lay in a partition that was emptied later.
"""
import sys
import time

import servers
from harness import Counter, finish
from sources import SCHEMA, capture_at_once, read, run, settled

# The reading takes some seconds; every statement comes while it goes on.
ROWS, RATE = 4000, 400

TABLES = {
    # By which a row lies in its partition, of id and day.
    "r": "(id INT, day DATE, v INT, PRIMARY KEY (id, day)) PARTITION BY RANGE (TO_DAYS(day)) (PARTITION p0 VALUES LESS THAN (TO_DAYS('2026-01-02')), "
         "PARTITION p1 VALUES LESS THAN (TO_DAYS('2026-01-03')), PARTITION p2 VALUES LESS THAN (TO_DAYS('2026-01-04')), PARTITION p3 VALUES LESS THAN MAXVALUE)",
    "h": "(id INT, day DATE, v INT, PRIMARY KEY (id, day)) PARTITION BY HASH (id) PARTITIONS 4",
    "k": "(id INT, day DATE, v INT, PRIMARY KEY (day, id)) PARTITION BY KEY (id, day) PARTITIONS 4",
}
STATEMENTS = [
    "UPDATE {t} SET v = 1 WHERE id % 7 = 0",
    "ALTER TABLE {t} TRUNCATE PARTITION p0",
    "INSERT INTO {t} SELECT id, day, 5 FROM spare WHERE id % 11 = 0 AND NOT EXISTS (SELECT 1 FROM {t} WHERE {t}.id = spare.id AND {t}.day = spare.day)",
    "DELETE FROM {t} WHERE id % 13 = 0",
    "ALTER TABLE {t} {drop}",
    "INSERT INTO {t} SELECT id, day, 6 FROM spare WHERE id % 17 = 0 AND NOT EXISTS (SELECT 1 FROM {t} WHERE {t}.id = spare.id AND {t}.day = spare.day)",
    "UPDATE {t} SET v = 7 WHERE id % 5 = 0",
    "ALTER TABLE {t} TRUNCATE PARTITION p2",
    "UPDATE {t} SET v = 8 WHERE id % 3 = 0",
]


def filled(c):
    run(c, "CREATE DATABASE " + SCHEMA, "USE " + SCHEMA, "CREATE TABLE spare (id INT, day DATE, PRIMARY KEY (id, day))")
    values = ", ".join("(%d, '2026-01-0%d')" % (i, 1 + i % 4) for i in range(ROWS))
    run(c, "INSERT INTO spare VALUES " + values)
    for table, declared in TABLES.items():
        run(c, "CREATE TABLE %s %s" % (table, declared), "INSERT INTO %s SELECT id, day, 0 FROM spare WHERE id %% 10 < 8" % table)


def had(c, table):
    return {(int(i), day.decode()): [i.decode(), day.decode(), v.decode()] for i, day, v in run(c, "SELECT * FROM " + table)}


def answered(chain, table, gtid, keys):
    """Rows of keys, each by itself or with others where none is refused; None: refused."""
    columns = ["id", "day"] if table != "k" else ["day", "id"]
    values = [[str(i), day] if table != "k" else [day, str(i)] for i, day in keys]
    body = {"server_id": "real", "schema": SCHEMA, "table": table, "keys": {"columns": columns, "values": values}, "at": {"gtid": gtid}}
    lines, refused = chain.api.lines("/v1/snapshot", body)
    if refused:
        if len(keys) == 1:
            return {keys[0]: refused}
        half = len(keys) // 2
        return {**answered(chain, table, gtid, keys[:half]), **answered(chain, table, gtid, keys[half:])}
    rows = {(int(row[0]), row[1]): row for row in lines[1:-1]}
    return {key: rows.get(key) for key in keys}


def trial(server, maria, counter):
    with server.connect() as c:
        filled(c)
    with server.connect() as c, capture_at_once(server, "--baseline-rate", str(RATE), "--backfill", "none") as chain:
        run(c, "USE " + SCHEMA)
        chain.api.wait(lambda s: s["connected"] and s["newest"] and s["baseline"]["rows"] > ROWS // 20, "the reading has begun")
        steps, unread = [], True
        for statement in STATEMENTS:
            for table in TABLES:
                drop = "DROP PARTITION p1" if table == "r" else "COALESCE PARTITION 1"
                run(c, statement.format(t=table, drop=drop))
                gtid = run(c, "SELECT @@GLOBAL." + ("gtid_binlog_pos" if maria else "gtid_executed"))[0][0].decode().replace("\n", "")
                steps.append((table, statement, gtid, had(c, table)))
                unread &= chain.api.status()["baseline"]["done"] < len(TABLES) + 1
            time.sleep(0.3)
        counter.check(unread, "the reading went on all the while")
        read(chain)
        settled(chain)
        for table in TABLES:
            of = [step for step in steps if step[0] == table]
            # As many of each kind: with and without a row at the end, with one ever and never.
            keys = [(i, "2026-01-0%d" % (1 + i % 4)) for i in range(ROWS) if i % 31 == 0 or i % 311 < 4]
            refused = 0
            for at, (_, statement, gtid, rows) in enumerate(of):
                emptied = [later[3] for later in of[at + 1:] if "PARTITION p" in later[1] or table == "r" and "{drop}" in later[1]]
                got = answered(chain, table, gtid, keys)
                for key, row in got.items():
                    if isinstance(row, tuple):
                        refused += 1
                        counter.check(any(key not in later for later in emptied), "%s %s after %s: refused only if it may have gone" % (table, key, statement), row)
                    else:
                        counter.equal(row, rows.get(key), "%s %s after %s" % (table, key, statement))
            right = len(of) * len(keys) - refused
            print("%s: %s: %d answered, %d refused" % (counter.name, table, right, refused), flush=True)
            counter.check(right * 2 > refused, "much is answered", right, refused)
            counter.check(refused > 0, "what may have gone unread is refused")


def main():
    wanted, counters = sys.argv[1:], []
    for kind in ("mariadb-11.8", "mysql", "mariadb"):
        if wanted and kind not in wanted:
            continue
        counters.append(Counter(kind))
        with servers.start(kind) as server:
            trial(server, kind.startswith("mariadb"), counters[-1])
    finish(counters, 1000)


if __name__ == "__main__":
    main()
