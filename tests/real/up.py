#!/usr/bin/env python3
"""`up`, as somebody uses it who has a MariaDB and nothing else: agent and shim in one process, reached with what it prints.

While a workload goes on, many connections ask at once for rows at instants whose state was noted. One more than the most connections there can be is
refused, KILL ends one of them, SIGTERM and SIGKILL end all; after both it goes on with the same password, and tells the same.
"""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

import pymysql

from harness import Counter, MariaDb, Process, ask, binary, finish, free_port

ROWS = 300
CLIENTS = 24  # more than it has threads for connections on two cores
MOST = 100
MARKS = 5


class Up:
    def __init__(self, server, folder):
        self.server, self.folder, self.port, self.http, self.starts = server, folder, free_port(), free_port(), 0
        self.data = os.path.join(folder, "history")
        self.start()

    def arguments(self):
        return [binary(), "up", "--source", "mysql://root@127.0.0.1:%d" % self.server.port, "--include", "u.*", "--backfill", "none", "--data", self.data,
                "--server-id", "here", "--listen", "127.0.0.1:%d" % self.port, "--http", "127.0.0.1:%d" % self.http, "--ui", "127.0.0.1:0"]

    def get(self, path):
        with urllib.request.urlopen("http://127.0.0.1:%d%s" % (self.http, path), timeout=20) as answer:
            return answer.status, answer.read().decode()

    def page_of(self, path, password):
        """Status and text of a part of the page, or of what it asks."""
        request = urllib.request.Request(self.page + path, headers={"Authorization": "Bearer " + password})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def start(self):
        self.starts += 1
        self.process = Process(
            self.arguments(), os.path.join(self.folder, "up-%d.log" % self.starts))
        self.process.wait_for("Ctrl-C ends it")
        said = self.process.output()
        self.page = re.search(r"^ *(http://127\.0\.0\.1:\d+)/ui$", said, re.M).group(1)
        self.printed = {word: re.search(r"^%s +(\S+)$" % word, said, re.M).group(1) for word in ("host", "port", "user", "password")}
        self.paste = re.search(r"^ *(SELECT .*;)$", said, re.M).group(1)

    def connect(self):
        return pymysql.connect(host=self.printed["host"], port=int(self.printed["port"]), user=self.printed["user"], password=self.printed["password"],
                               database="u", init_command="SET time_zone = '+00:00'", use_unicode=False, conv=pymysql.converters.encoders, read_timeout=60)

    def status(self):
        reported = subprocess.run([binary(), "agent", "status", "--data", self.data, "--json"], stdout=subprocess.PIPE, timeout=20)
        return json.loads(reported.stdout) if reported.returncode in (0, 1) else None

    def wait(self, until, what, seconds=60):
        end, status = time.monotonic() + seconds, None
        while time.monotonic() < end:
            status = self.status()
            if status and until(status):
                return status
            time.sleep(0.1)
        raise RuntimeError("not within %d s: %s: %s" % (seconds, what, json.dumps(status)[:1500]))

    def reached(self, instant):
        return self.wait(lambda s: s["connected"] and s["newest"] and s["newest"].replace("T", " ") >= instant, "the record reaches " + instant)


class Work:
    """Changes of all kinds, and what was true in between."""

    def __init__(self, server):
        self.cursor = server.connect().cursor()
        self.random = random.Random(5)
        self.marks = []  # (instant, {id: row})
        for sql in ("CREATE DATABASE u CHARACTER SET utf8mb4", "USE u", "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v INT, w VARCHAR(100))",
                    "INSERT INTO t SELECT seq, seq * 10, REPEAT('o', seq %% 50) FROM seq_1_to_%d" % ROWS):
            self.cursor.execute(sql)

    def change(self):
        for _ in range(60):
            some = self.random.randint(1, ROWS)
            self.cursor.execute(self.random.choice((
                "UPDATE t SET v = v + 1, w = 'changed' WHERE id BETWEEN %d AND %d" % (some, some + 3),
                "DELETE FROM t WHERE id = %d" % some,
                "REPLACE INTO t VALUES (%d, %d, 'again')" % (some, self.random.randint(0, 999)))))

    def mark(self):
        rows = {int(row[0]): row for row in ask(self.cursor, "SELECT * FROM t")[1]}
        now = int(ask(self.cursor, "SELECT UNIX_TIMESTAMP()")[1][0][0])
        instant = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now + 1))
        time.sleep(2.02 - time.time() % 1)
        self.marks.append((instant, rows))
        return instant


def compare(up, count, marks, seed, times):
    """Rows of random keys at random marks."""
    r = random.Random(seed)
    connection = up.connect()
    cursor = connection.cursor()
    for _ in range(times):
        (instant, rows), key = r.choice(marks), r.randint(1, ROWS)
        sql = "SELECT * FROM _snapshot.t AS OF '%s' WHERE id = %d" % (instant, key)
        try:
            count.equal(ask(cursor, sql)[1], [rows[key]] if key in rows else [], sql)
        except pymysql.MySQLError as e:
            count.check(False, "refused: " + sql, e.args)
    connection.close()


def together(up, count, marks, times, work=None):
    """CLIENTS connections at once, and the workload beside them."""
    clients = [threading.Thread(target=compare, args=(up, count, marks, n, times), daemon=True) for n in range(CLIENTS)]
    for client in clients:
        client.start()
    while any(client.is_alive() for client in clients):
        if work:
            work.change()
        time.sleep(0.02)


def crowd(up, count):
    """As many as there may be, and one more; one of them is ended by another."""
    all_in = [up.connect() for _ in range(MOST)]
    try:
        up.connect()
        count.check(False, "one more than there may be is let in")
    except pymysql.MySQLError as e:
        count.equal(e.args[0], 1226, "one more than there may be")
    for n in range(0, MOST, 7):
        count.equal(ask(all_in[n].cursor(), "SELECT 1")[1], [[b"1"]], "one of many is answered")
    first, last = all_in[0], all_in[-1]
    last.cursor().execute("KILL %d" % first.thread_id())
    # As with MySQL, the OK says that it will end, and not that it has.
    time.sleep(0.3)
    try:
        count.check(False, "a connection goes on that was ended", ask(first.cursor(), "SELECT 1"))
    except pymysql.MySQLError as e:
        count.check(e.args[0] in (2006, 2013), "KILL", e.args)
    end = time.monotonic() + 5
    while (there := len(ask(last.cursor(), "SHOW PROCESSLIST")[1])) != MOST - 1 and time.monotonic() < end:
        time.sleep(0.05)
    count.equal(there, MOST - 1, "the others are there")
    for connection in all_in[1:]:
        connection.close()


def cost(server, count):
    """What an idle agent asks its source for: no temporary table on its disk, and few statements."""
    cursor = server.connect().cursor()

    def figures():
        names = ("Created_tmp_disk_tables", "Questions")
        rows = dict((name.decode(), int(value)) for name, value in ask(cursor, "SHOW GLOBAL STATUS WHERE Variable_name IN ('%s', '%s')" % names)[1])
        return [rows[name] for name in names]

    before, began = figures(), time.monotonic()
    time.sleep(5)
    after, took = figures(), time.monotonic() - began
    count.equal(after[0] - before[0], 0, "temporary tables on the source's disk")
    count.check((after[1] - before[1]) / took < 22, "statements a second", (after[1] - before[1]) / took)


def seen(up, count):
    """Health and metrics of both halves."""
    count.equal(up.get("/healthz"), (200, "ok\n"), "/healthz")
    count.equal(up.get("/readyz")[0], 200, "/readyz")
    text = up.get("/metrics")[1]
    for name in ("dbtrail_shim_statements_total", "dbtrail_agent_lag_seconds", "dbtrail_agent_connected 1", "dbtrail_agent_store_bytes"):
        count.check(name in text, name, text[:200])


def page(up, count):
    """The page for browsers (ui.py tries it in one): open to all, and what it asks to who has the password."""
    status, text = up.page_of("/ui", "none")
    count.check(status == 200 and "What happened to these rows?" in text, "the page", text[:200])
    count.equal([up.page_of("/v1/status", password)[0] for password in ("", "wrong", up.printed["password"])], [401, 401, 200], "what it asks")
    count.equal(json.loads(up.page_of("/v1/status", up.printed["password"])[1])["server_id"], "here", "whose history")
    usual = subprocess.run([binary(), "up", "--source", "mysql://root@127.0.0.1:1", "--data", os.path.join(up.folder, "none"), "--ui", "0.0.0.0:0"],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    count.check(usual.returncode == 78 and b"in clear text" in usual.stderr, "not for other machines", usual.stderr)


class FromBackup(Up):
    """`up` on a copy."""

    def arguments(self):
        words = super().arguments()
        words[words.index("--data") + 1] = os.path.join(self.folder, "copy")
        return words

    def start(self):
        self.data = os.path.join(self.folder, "copy")
        super().start()


def backup(up, server, count, work):
    """A copy of the running agent, made under writes, goes on where it was made and answers the same; one that was damaged is refused."""
    stop, writing = threading.Event(), server.connect().cursor()

    def writes():
        while not stop.is_set():
            writing.execute("UPDATE u.t SET v = v + 1 WHERE id BETWEEN 5 AND 60")

    thread = threading.Thread(target=writes, daemon=True)
    thread.start()
    other = os.path.join(up.folder, "other")
    os.mkdir(other)
    to = os.path.join(other, "copy")
    made = subprocess.run([binary(), "agent", "backup", "--data", up.data, "--to", to], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    count.check(made.returncode == 0 and b"XXH3" in made.stdout, "a backup", made)
    again = subprocess.run([binary(), "agent", "backup", "--data", up.data, "--to", to], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    count.check(again.returncode != 0 and b"is there already" in again.stderr, "not over another", again)
    stop.set()
    thread.join()
    # What came in late, after the copy, can be seen from no single instant on: its second is not asked for.
    time.sleep(3)
    newest = work.mark()
    up.reached(newest + ".000000")
    # Any byte of what it holds.
    bad = os.path.join(up.folder, "bad")
    shutil.copytree(to, bad)
    largest = max((os.path.join(at, name) for at, _, names in os.walk(os.path.join(bad, "history")) for name in names), key=lambda f: len(open(f, "rb").read().rstrip(b"\0")))
    with open(largest, "r+b") as file:
        held = bytearray(file.read())
        middle = len(held.rstrip(b"\0")) // 2
        held[middle] ^= 0x55
        file.seek(0)
        file.write(held)
    refused = subprocess.run([binary(), "agent", "--source", "mysql://root@127.0.0.1:%d" % server.port, "--include", "u.*", "--data", bad, "--server-id", "here",
                              "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    count.check(refused.returncode == 73 and b"is a backup that was damaged" in refused.stdout, "a damaged copy is refused", refused)
    copy = FromBackup(server, other)
    copy.reached(newest + ".000000")
    together(copy, count, work.marks, 5)
    together(up, count, work.marks, 5)
    count.equal(copy.status()["gaps"], [], "no gap in the copy")
    count.check(not os.path.exists(os.path.join(to, "backup.json")), "the copy was compared")
    count.equal(copy.process.stop(), 0, "SIGTERM of the copy")


def hangup(up, count):
    """SIGHUP takes up another password; who is in stays."""
    inside, before = up.connect(), up.printed["password"]
    with open(os.path.join(up.data, "app.password"), "w", encoding="utf-8") as file:
        file.write("another-password\n")
    up.process.child.send_signal(signal.SIGHUP)
    up.process.wait_for("is read again")
    up.printed["password"] = "another-password"
    count.equal(ask(up.connect().cursor(), "SELECT 1")[1], [[b"1"]], "the new password opens")
    count.equal(ask(inside.cursor(), "SELECT 1")[1], [[b"1"]], "who is in stays")
    count.equal([up.page_of("/v1/status", password)[0] for password in (before, "another-password")], [401, 200], "the page's token is the password")
    up.printed["password"] = before
    try:
        up.connect()
        count.check(False, "the old password opens still")
    except pymysql.MySQLError as e:
        count.equal(e.args[0], 1045, "the old password")
    up.printed["password"] = "another-password"


def main():
    counters = [Counter("while a workload goes on"), Counter("crowd"), Counter("ends and starts"), Counter("cost, health, reload")]
    beside, many, ends, other = counters
    folder = tempfile.mkdtemp(prefix="dbtrail-up-")
    try:
        with MariaDb("--character-set-server=utf8mb4") as server:
            work = Work(server)
            up = Up(server, folder)
            up.wait(lambda s: s["connected"] and s["baseline"]["done"] == 1 == s["baseline"]["total"], "the table is read")
            # What it gave to paste works as it is.
            key = int(re.search(r"= '?(\d+)'?;$", up.paste).group(1))
            beside.equal(ask(up.connect().cursor(), up.paste)[1], ask(work.cursor, "SELECT * FROM u.t WHERE id = %d" % key)[1], up.paste)
            for _ in range(MARKS):
                work.change()
                newest = work.mark()
            up.reached(newest + ".000000")
            together(up, beside, work.marks, 60, work)
            crowd(up, many)
            cost(server, other)
            seen(up, other)
            page(up, other)
            hangup(up, other)
            backup(up, server, other, work)
            for end in ("SIGKILL", "SIGTERM"):
                printed = up.printed
                if end == "SIGKILL":
                    up.process.kill()
                else:
                    idle = up.connect()
                    ends.equal(up.process.stop(), 0, "SIGTERM")
                    ends.check("still ran" not in up.process.output(), "no statement ran", up.process.output()[-500:])
                    idle.close()
                work.change()
                newest = work.mark()
                up.start()
                ends.equal(up.printed, printed, end + ": what it prints")
                up.reached(newest + ".000000")
                together(up, ends, work.marks, 20)
            ends.equal(up.status()["gaps"], [], "no gap")
            up.process.stop()
            logs = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".log")]
            ends.equal([log for log in logs if re.search("panicked|damaged|ERROR|throw each other", open(log, encoding="utf-8").read())], [], "no panic, no error, no replica of the same number")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    finish(counters, CLIENTS * 95)


if __name__ == "__main__":
    main()
