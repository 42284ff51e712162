#!/usr/bin/env python3
"""One transaction that is larger than the memory of the agent may become: it is seen as a whole or not at all, also where the agent is killed in its middle.

    tests/real/large.py [--mib 64] [--limit 256] [--server mariadb-11.8]

The transaction inserts so many MiB of rows, and the agent is killed once while it takes them in; a second one changes all of them. At each look
three rows, of which one is the first and one the last, are all as they were, all as they are then, or refused. `--limit`: what the agent may take of memory
at most, in MiB.
"""
import os
import sys
import time

import pymysql

import servers
from attack import resident
from harness import Chain, Counter, ask, finish

ROW = 960  # bytes of its text


def argument(name, default):
    return type(default)(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


def stored(folder):
    """Bytes of the files of a folder: the agent looks at its own only between two transactions."""
    bytes_, waiting = 0, [folder]
    while waiting:
        for entry in os.scandir(waiting.pop()):
            try:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    bytes_ += entry.stat(follow_symlinks=False).st_size
            except FileNotFoundError:
                pass
    return bytes_


class Large:
    def __init__(self, server, chain, mib, counter):
        self.rows, self.counter, self.chain = mib * 1024, counter, chain
        self.keys = (1, self.rows // 2, self.rows)
        self.conn = server.connect()
        self.cursor = self.conn.cursor()
        self.sql("USE l")
        self.most = 0

    def sql(self, text):
        self.cursor.execute(text)
        return self.cursor.fetchall()

    def measured(self):
        if self.chain.agent.child.poll() is None:
            self.most = max(self.most, resident(self.chain.agent))

    def seen(self, allowed, what):
        """The values of the three rows now; None: refused."""
        try:
            with self.chain.connect() as client:
                rows = ask(client.cursor(), "SELECT id, v FROM _snapshot.l.big AS OF LATEST WHERE id IN (%d, %d, %d)" % self.keys)[1]
        except pymysql.MySQLError:
            return None
        values = tuple(int(row[1]) for row in rows)
        self.counter.check(values in allowed, what + ": all or nothing", values, allowed)
        return values

    def until_seen(self, wanted, others, what, each=lambda: None, seconds=3000):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.measured()
            if self.seen([wanted, *others], what) == wanted:
                return
            each()
            time.sleep(0.25)
        raise RuntimeError("%s: not within %d s" % (what, seconds))


def run(server, mib, counter):
    conn = server.connect()
    cursor = conn.cursor()
    for statement in ("CREATE DATABASE l", "CREATE TABLE l.big (id INT NOT NULL PRIMARY KEY, v INT NOT NULL, w VARCHAR(2000) NOT NULL) CHARACTER SET latin1"):
        cursor.execute(statement)
    with Chain((), schema="l", source="mysql://root@127.0.0.1:%d" % server.port) as chain:
        large = Large(server, chain, mib, counter)
        chain.api.wait(lambda s: s["connected"], "it captures")
        large.until_seen((), [], "an empty table")
        before, killed = stored(chain.data), []

        def kill():
            if not killed and stored(chain.data) > before + (mib << 18):
                chain.agent.kill()
                killed.append(True)
                chain.start_agent()

        large.sql("INSERT INTO l.big SELECT seq, 1, REPEAT(MD5(seq), %d) FROM seq_1_to_%d" % (ROW // 32, large.rows))
        written = time.monotonic()
        large.until_seen((1, 1, 1), [()], "inserted", kill)
        print("%d MiB inserted, seen %.0f s later, %s; the agent took %d MiB at most" % (
            mib, time.monotonic() - written, "killed once" if killed else "not killed", large.most >> 20), flush=True)
        large.counter.check(killed, "it was killed in the middle")
        large.sql("UPDATE l.big SET v = 2")
        written = time.monotonic()
        large.until_seen((2, 2, 2), [(1, 1, 1)], "changed")
        print("all changed, seen %.0f s later; the agent took %d MiB at most" % (time.monotonic() - written, large.most >> 20), flush=True)
        large.counter.equal(chain.api.status()["gaps"], [], "no gap")
        return large.most


def main():
    mib, limit = argument("--mib", 64), argument("--limit", 256)
    kind = argument("--server", "mariadb-11.8")
    counter = Counter("a large transaction")
    with servers.start(kind, "--innodb-buffer-pool-size=256M") as server:
        most = run(server, mib, counter)
    counter.check(most <= limit << 20, "the agent took at most %d MiB" % limit, most >> 20)
    finish([counter], 6)


if __name__ == "__main__":
    main()
