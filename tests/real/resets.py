#!/usr/bin/env python3
"""The log of a server that is followed is begun again (RESET), the server crashes, or its checksums are switched: what happens then is answered as it is, or refused.

    resets.py [mysql | mariadb-11.8 | mariadb ...]

After each statement the rows are the truth of instants until the next one.
"""
import datetime
import sys
import time

import pymysql

import servers
from harness import Chain, Counter, ask, finish

SAFE = ["--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1"]


def text(instant):
    return datetime.datetime.fromtimestamp(instant, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Work:
    """Statements, and what the table held after each."""

    def __init__(self, server):
        self.server, self.marks, self.number = server, [], 0
        self.run("CREATE DATABASE w", "CREATE TABLE w.t (id INT PRIMARY KEY, v INT)", "INSERT INTO w.t VALUES (1, 0), (2, 0)")

    def run(self, *statements):
        with self.server.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall()

    def change(self, times=1):
        for _ in range(times):
            self.number += 1
            self.run("UPDATE w.t SET v = %d WHERE id = %d" % (self.number, 1 + self.number % 2))
            self.mark()

    def mark(self):
        with self.server.connect() as connection, connection.cursor() as cursor:
            rows = sorted(ask(cursor, "SELECT id, v FROM w.t")[1])
        # An instant at which nothing happened.
        time.sleep(0.05)
        self.marks.append((time.time(), rows))
        time.sleep(0.05)


def capture(server, counter):
    chain = Chain([], schema="w", source="mysql://root@127.0.0.1:%d" % server.port)
    chain.api.wait(lambda s: s["connected"] and s["newest"] and s["baseline"] and s["baseline"]["done"] == s["baseline"]["total"], "the table is read")
    return chain


def check(chain, work, counter, what):
    """No instant is answered with other rows; the last one is answered."""
    last = work.marks[-1][0]
    chain.api.wait(lambda s: s["connected"] and s["newest"] and s["newest"] > text(last + 1) and s["baseline"]["done"] == s["baseline"]["total"], "all is captured: " + what)
    said = []
    with chain.connect() as connection, connection.cursor() as cursor:
        for at, rows in work.marks:
            try:
                got = sorted(ask(cursor, "SELECT id, v FROM _snapshot.t AS OF '%s' ALLOW SCAN" % text(at))[1])
            except pymysql.MySQLError as error:
                said.append(error.args[1])
                continue
            counter.equal(got, rows, "rows at %s: %s" % (text(at), what))
        time.sleep(2.2)
        work.mark()
        chain.api.wait(lambda s: s["newest"] > text(work.marks[-1][0]), "the newest instant: " + what)
        at, rows = work.marks[-1]
        counter.equal(sorted(ask(cursor, "SELECT id, v FROM _snapshot.t AS OF '%s' ALLOW SCAN" % text(at))[1]), rows, "the rows of now: " + what)
    return said


def reset(kind, counter):
    """RESET while the log is followed: MySQL sends nothing more then, and says nothing of it."""
    with servers.start(kind, *SAFE) as server:
        work = Work(server)
        statement = "RESET BINARY LOGS AND GTIDS" if kind == "mysql" else "RESET MASTER"
        with capture(server, counter) as chain:
            work.change(4)
            time.sleep(1)
            work.run(statement)
            work.mark()
            # What comes has numbers that were given to others before.
            time.sleep(4)
            work.change(3)
            check(chain, work, counter, "reset")
            gaps = chain.api.status()["gaps"]
            counter.check(len(gaps) == 1, "one gap after a reset", gaps)
            # And another one, with changes at once.
            work.run(statement)
            work.change(3)
            check(chain, work, counter, "reset again")
            counter.check(len(chain.api.status()["gaps"]) == 2, "two gaps", chain.api.status()["gaps"])


def crash(kind, counter):
    """kill -9: with every commit synced nothing is lost, and else nobody knows."""
    for options, gap in ((SAFE, False), (["--sync-binlog=1", "--innodb-flush-log-at-trx-commit=0"], True), (["--sync-binlog=0", "--innodb-flush-log-at-trx-commit=1"], True)):
        with servers.start(kind, *options) as server:
            work = Work(server)
            with capture(server, counter) as chain:
                work.change(5)
                # A server that is stopped and started is none that crashed.
                server.server.stop()
                server.start()
                work.change(3)
                chain.api.wait(lambda s: s["connected"], "connected again")
                time.sleep(2)
                counter.equal(chain.api.status()["gaps"], [], "no gap after a stop, %s" % options)
                work.change(5)
                server.server.kill()
                server.start()
                work.mark()
                work.change(5)
                check(chain, work, counter, "crash, %s" % options)
                gaps = chain.api.status()["gaps"]
                counter.check(len(gaps) == (1 if gap else 0), "gaps after a crash, %s" % options, gaps)
                counter.check(not gap or "crashed" in gaps[0]["reason"], "its reason", gaps)


def checksums(kind, counter):
    """binlog_checksum is switched while the log is followed: each file says by itself whether its events have checksums."""
    with servers.start(kind, *SAFE) as server:
        work = Work(server)
        with capture(server, counter) as chain:
            for value, restart in (("NONE", False), ("CRC32", False), ("NONE", True), ("CRC32", False)):
                work.run("SET GLOBAL binlog_checksum = " + value)
                if restart:
                    chain.agent.stop()
                    chain.start_agent()
                work.change(2)
            check(chain, work, counter, "checksums")
            counter.equal(chain.api.status()["gaps"], [], "no gap")


def main():
    counters = []
    for kind in sys.argv[1:] or ["mysql", "mariadb-11.8"]:
        for one in (reset, crash, checksums):
            counters.append(Counter("%s %s" % (one.__name__, kind)))
            one(kind, counters[-1])
    finish(counters, 30)


if __name__ == "__main__":
    main()
