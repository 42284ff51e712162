#!/usr/bin/env python3
"""A full disk under `up`: readings go on, capturing waits and says so, and goes on by itself when there is room, without a gap.

The data folder is a small tmpfs (root). First the disk is filled up to the reserve, which capturing never touches; then, with a reserve of 1 MiB, to its
last byte while a workload goes on, so that the store itself fails. What `agent status` says that the store takes is what `du` says.
"""
import os
import re
import shutil
import subprocess
import tempfile

import pymysql

from harness import Counter, MariaDb, ask, finish
from up import Up, Work

SIZE = 700  # MiB: what the test writes, twice (in the journal and in tables), and the reserve


class Full(Up):
    """`up` with a reserve, on a disk of its own."""

    def __init__(self, server, folder, reserve):
        self.reserve = reserve
        super().__init__(server, folder)

    def arguments(self):
        return super().arguments() + ["--disk-reserve", str(self.reserve)]

    def fill(self, left):
        """Leaves so many MiB."""
        room = os.statvfs(self.data)
        rest = room.f_bavail * room.f_frsize - (left << 20)
        with open(os.path.join(self.data, "filler"), "wb") as filler:
            try:
                while rest > 0:
                    rest -= filler.write(b"x" * min(rest, 1 << 20))
                    filler.flush()
            except OSError:
                pass

    def free(self):
        os.remove(os.path.join(self.data, "filler"))

    def answers(self, count, mark, what):
        instant, rows = mark
        key = min(rows)
        cursor = self.connect().cursor()
        sql = "SELECT * FROM _snapshot.t AS OF '%s' WHERE id = %d" % (instant, key)
        try:
            count.equal(ask(cursor, sql)[1], [rows[key]], what)
        except pymysql.MySQLError as e:
            # Of what came in late nobody can say when it was first seen: refused, and never wrong.
            count.check(what != "readings go on" and "[ambiguous_time]" in str(e.args[1]), what, e.args)


def all_rows(up, count, mark):
    instant, rows = mark
    for key in sorted(rows)[:40]:
        up.answers(count, (instant, {key: rows[key]}), "after it: %d at %s" % (key, instant))


def run(server, folder, reserve, left, count):
    data = os.path.join(folder, "history")
    os.makedirs(data, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dM" % SIZE, "tmpfs", data], check=True)
    try:
        work = Work(server)
        up = Full(server, folder, reserve)
        work.change()
        up.reached(work.mark() + ".000000")
        status = up.status()
        du = int(subprocess.run(["du", "-s", "-B1", os.path.join(data, "history")], stdout=subprocess.PIPE, check=True).stdout.split()[0])
        count.check(abs(status["bytes_on_disk"] - du) < 4 << 20, "bytes_on_disk is what du says", (status["bytes_on_disk"], du))
        up.fill(left)
        # More than what the journal has in advance.
        for n in range(30):
            work.change()
            work.cursor.execute("REPLACE INTO t SELECT seq, seq, REPEAT(UUID(), 3) FROM seq_1_to_300")
            work.cursor.execute("CREATE TABLE IF NOT EXISTS big (id INT PRIMARY KEY AUTO_INCREMENT, v LONGTEXT)")
            work.cursor.execute("INSERT INTO big (v) SELECT REPEAT(MD5(RAND()), 20000) FROM seq_1_to_8")
        up.wait(lambda s: not s["connected"] and re.search("waits for room|not written", s["reason"] or ""), "it says that the disk is full", 120)
        up.answers(count, work.marks[0], "readings go on")
        newest = work.mark()
        up.free()
        up.wait(lambda s: s["connected"], "it goes on by itself", 120)
        up.reached(newest + ".000000")
        count.equal(up.status()["gaps"], [], "no gap")
        work.change()
        last = work.mark()
        up.reached(last + ".000000")
        up.answers(count, work.marks[-1], "readings go on")
        for mark in work.marks:
            all_rows(up, count, mark)
        count.equal(up.process.stop(), 0, "SIGTERM")
    finally:
        subprocess.run(["umount", "-l", data], check=False)


def main():
    counters = [Counter("up to the reserve"), Counter("to the last byte")]
    for counter, (reserve, left) in zip(counters, ((150, 60), (1, 0))):
        folder = tempfile.mkdtemp(prefix="dbtrail-full-")
        try:
            with MariaDb("--character-set-server=utf8mb4", "--max-allowed-packet=64M") as server:
                run(server, folder, reserve, left, counter)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finish(counters, 120)


if __name__ == "__main__":
    main()
