#!/usr/bin/env python3
"""One agent for several servers: MySQL and MariaDB beside each other, two histories that cannot be captured, and a shim with a tenant on each server.

Clients write to both servers and ask both histories all the time. One server is killed (-9) and started again while the other one must go on, then the other
one, then the agent. What the log says of each change must be in the history of its server, in order, and of no other. Of the third source the disk is said
to be full, of the fourth the folder cannot be made: both are named in `/readyz`, status, log and metrics, and hurt nobody. Last, a source comes that
asks for a server of which it does not know the password.
"""
import http.client
import os
import re
import shutil
import tempfile
import threading
import time

import pymysql

import servers
from harness import TOKEN, Agent, Counter, Process, binary, certificates, finish, free_port

SCHEMA = "shop"
SAFE = ["--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1"]


class Writer(threading.Thread):
    """Counts up in a row of its server, from a number of its own, and goes on when the server comes back."""

    def __init__(self, server, first):
        super().__init__(daemon=True)
        self.server, self.value, self.stop, self.kept = server, first, threading.Event(), []
        with server.connect() as conn:
            cursor = conn.cursor()
            cursor.execute("CREATE DATABASE shop")
            cursor.execute("CREATE TABLE shop.t (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)")
            cursor.execute("INSERT INTO shop.t VALUES (1, %d)" % first)
        self.kept.append(first)

    def run(self):
        with self.server.connect() as conn:
            conn.cursor().execute("INSERT INTO shop.t VALUES (2, %d)" % self.value)
        conn = None
        while not self.stop.is_set():
            try:
                conn = conn or self.server.connect()
                cursor = conn.cursor()
                if cursor.execute("SELECT v FROM shop.t WHERE id = 1") and int(cursor.fetchall()[0][0]) > self.value:
                    # Committed, and the server was killed before it said so.
                    self.value += 1
                    self.kept.append(self.value)
                cursor.execute("UPDATE shop.t SET v = %d WHERE id = 1" % (self.value + 1))
                self.value += 1
                self.kept.append(self.value)
                time.sleep(0.02)
            except (pymysql.MySQLError, OSError):
                conn = None
                time.sleep(0.1)


class Asker(threading.Thread):
    """A tenant who asks again and again for the row that is counted up, and for one that stays as it is."""

    def __init__(self, port, user, low, high):
        super().__init__(daemon=True)
        self.port, self.user, self.range = port, user, (low, high)
        self.rows = 0
        self.stop, self.asked, self.failed, self.wrong, self.slowest = threading.Event(), 0, [], [], 0.0

    def run(self):
        conn, newest = None, {1: 0, 2: self.range[0]}
        while not self.stop.is_set():
            begun = time.monotonic()
            try:
                conn = conn or client(self.port, self.user)
                cursor = conn.cursor()
                row_id = 1 + self.asked % 2
                self.asked += 1
                cursor.execute("SELECT v FROM _flashback.shop.t AS OF '2 seconds ago' WHERE id = %d" % row_id)
                for row in cursor.fetchall():
                    value = int(row[0])
                    if not self.range[0] <= value < self.range[1] or value < newest[row_id] or row_id == 2 and value != newest[2]:
                        self.wrong.append((row_id, newest, value))
                    newest[row_id] = value
                    self.rows += 1
            except pymysql.MySQLError as e:
                # Not taken in yet; or MariaDB's log does not say on which side of the instant one of many changes was. Both are said, and true.
                if not re.search(r"\[(out_of_range|ambiguous_time)\]", str(e)):
                    self.failed.append(str(e))
                    conn = None
            self.slowest = max(self.slowest, time.monotonic() - begun)
            time.sleep(0.02)


def client(port, user, password="pw"):
    return pymysql.connect(host="127.0.0.1", port=port, user=user, password=password, autocommit=True, read_timeout=60)


class Several:
    """The agent, and a shim in front of it."""

    def __init__(self, my, maria):
        self.folder = tempfile.mkdtemp(prefix="dbtrail-sources-")
        self.processes, self.starts = [], 0
        self.ca, self.certificate, self.key = certificates(self.folder)
        for name, text in [("tokens", TOKEN), ("my.tokens", "token-of-my"), ("maria.tokens", "token-of-maria"), ("in-the-way", "a file")]:
            self.write(name, text + "\n")
        self.port, self.listen = free_port(), free_port()
        inside = lambda name: os.path.join(self.folder, name)
        self.config = self.write("agent.yaml", """
listen: 127.0.0.1:%d
data: %s
tls: {cert_file: %s, key_file: %s}
token_file: %s
capture: {backfill: none}
sources:
  - {server_id: my, url: 'mysql://root@127.0.0.1:%d', token_file: %s}
  - {server_id: maria, url: 'mysql://root@127.0.0.1:%d', token_file: %s, baseline: "off"}
  - {server_id: full, url: 'mysql://root@127.0.0.1:%d', disk_reserve: 900000000}
  - {server_id: nowhere, url: 'mysql://root@127.0.0.1:%d', data: %s}
  - {server_id: stranger, url: 'mysql://nobody:wrong@127.0.0.1:%d'}
""" % (self.listen, inside("data"), self.certificate, self.key, inside("tokens"), my.port, inside("my.tokens"), maria.port, inside("maria.tokens"),
       maria.port, maria.port, inside("in-the-way/data"), my.port))
        self.start()
        tenants = "".join("  - {mysql_user: %s, mysql_password: pw, server_id: %s, agent_token: %s}\n" % tenant for tenant in [
            ("my", "my", "token-of-my"), ("maria", "maria", "token-of-maria"), ("crossed", "maria", "token-of-my"), ("none", "none", TOKEN), ("full", "full", TOKEN)])
        shim = self.write("shim.yaml", "listen: 127.0.0.1:%d\nagent_url: https://127.0.0.1:%d\nagent_tls: {ca_file: %s}\ntenants:\n%sshutdown_grace: 2s\n" % (
            self.port, self.listen, self.ca, tenants))
        self.shim = Process([binary(), "--config", shim], inside("shim.log"))
        self.processes.append(self.shim)
        self.shim.wait_for("the shim listens")

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def start(self):
        self.starts += 1
        self.agent = Process([binary(), "agent", "--config", self.config], os.path.join(self.folder, "agent-%d.log" % self.starts))
        self.processes.append(self.agent)
        self.agent.wait_for(r"agent for 5 servers listens on")
        self.api = Agent("https://127.0.0.1:%d" % self.listen, self.ca)

    def status(self):
        """Of each server by its name."""
        return {one["server_id"]: one for one in self.api.call("GET", "/v1/servers")[1][0]["servers"]}

    def text(self, path):
        """Status code and text of a page that is not JSON."""
        connection = http.client.HTTPSConnection(self.api.place, timeout=60, context=self.api.context)
        connection.request("GET", path, None, {"Authorization": "Bearer " + TOKEN})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def wait(self, until, what, seconds=60):
        end, status = time.monotonic() + seconds, None
        while time.monotonic() < end:
            status = self.status()
            if until(status):
                return status
            time.sleep(0.05)
        raise RuntimeError("not within %d s: %s; %s\n%s" % (seconds, what, {name: (s["connected"], s["reason"], s["newest"]) for name, s in status.items()},
                                                        self.agent.output()[-3000:]))

    def close(self):
        for process in reversed(self.processes):
            process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def of(several, name):
    return several.status()[name]


def fails_alone(count, several, server, down, up, writers, askers):
    """One server is killed; the other one's history goes on meanwhile; and then both."""
    before, rows = of(several, up)["newest"], askers[up].rows
    server.server.kill()
    several.wait(lambda s: not s[down]["connected"], "%s is seen to be gone" % down)
    newest, end = before, time.monotonic() + 4
    while time.monotonic() < end:
        status = several.status()
        count.check(status[up]["connected"] and status[up]["newest"] >= newest, "%s goes on while %s is down" % (up, down), status[up]["reason"])
        newest = status[up]["newest"]
        time.sleep(0.5)
    count.check(newest > before, "%s has taken more in" % up, newest, before)
    count.check(askers[up].rows > rows + 20, "%s answers all the while" % up, askers[up].rows - rows)
    code, told = several.text("/readyz")
    count.check(code == 200 and re.search("^%s: disconnected from the server since" % down, told, re.M) and re.search("^%s: ok$" % up, told, re.M),
                "/readyz names %s" % down, (code, told))
    _, numbers = several.text("/metrics")
    for name, connected in ((down, 0), (up, 1), ("full", 0), ("nowhere", 0)):
        count.check('dbtrail_agent_connected{server_id="%s"} %d\n' % (name, connected) in numbers, "metrics of %s" % name, numbers[:1500])
    server.start()
    several.wait(lambda s: s[down]["connected"] and s[up]["connected"], "%s is captured again" % down)


def complete(count, several, name, user, writer):
    """Each change of the row is in the history of its server, in order, and nothing else."""
    written = list(writer.kept)
    with client(several.port, user) as conn:
        cursor = conn.cursor()
        end = time.monotonic() + 30
        while True:
            cursor.execute("SELECT row_after FROM _diff.shop.t BETWEEN '%s' AND '%s' WHERE id = 1" % window(several, name))
            found = [int(re.search(r'"v": ?"?(\d+)', row[0]).group(1)) for row in cursor.fetchall()]
            if found and found[-1] == written[-1] or time.monotonic() > end:
                break
            time.sleep(0.2)
    # The record begins somewhere in what was written: the agent was started after the tables were made.
    count.check(found and found == written[-len(found):], "the changes of %s" % name, (len(found), found[:3], found[-3:]), (len(written), written[-3:]))
    return len(found)


def window(several, name):
    status = of(several, name)
    return tuple(status[end].rstrip("Z").replace("T", " ") for end in ("oldest", "newest"))


def refused(count, several, user, pattern, what):
    try:
        with client(several.port, user) as conn:
            cursor = conn.cursor()
            cursor.execute("SELECT v FROM _flashback.shop.t AS OF '2 seconds ago' WHERE id = 1")
            count.check(False, what, cursor.fetchall())
    except pymysql.MySQLError as e:
        count.check(re.search(pattern, str(e)), what, str(e), pattern)


def main():
    count = Counter("one agent, several servers")
    with servers.start("mysql", *SAFE) as my, servers.start("mariadb-11.8", *SAFE) as maria:
        writers = {"my": Writer(my, 1_000), "maria": Writer(maria, 1_000_000)}
        several = Several(my, maria)
        try:
            several.wait(lambda s: all(s[name]["newest"] and s[name]["connected"] for name in writers), "both are captured")
            for writer in writers.values():
                writer.start()
            askers = {"my": Asker(several.port, "my", 1_000, 1_000_000), "maria": Asker(several.port, "maria", 1_000_000, 2_000_000)}
            time.sleep(2.5)
            for asker in askers.values():
                asker.start()
            status = several.status()
            count.equal(list(status), ["my", "maria", "full", "nowhere", "stranger"], "the servers, in the order of the file")
            for name, why in (("full", "room|free"), ("nowhere", "the data folder .* cannot be made"), ("stranger", "Access denied|cannot be asked")):
                said = several.wait(lambda s: re.search(why, s[name]["reason"] or ""), "what is wrong with %s" % name)[name]["reason"]
                count.check(not status[name]["connected"], "%s is not captured" % name, said)
                count.check(re.search("^%s: .*%s" % (name, why), several.text("/readyz")[1], re.M), "/readyz says it of %s" % name, several.text("/readyz"))
                # Of a full disk the status alone tells, as for one server.
                count.check(name == "full" or re.search("source\\{server_id=%s\\}.*(%s)" % (name, why), several.agent.output()),
                            "the log says it of %s" % name, several.agent.output()[-2500:])
            refused(count, several, "crossed", r"unknown_server|no history of server 'maria'", "a token of one opens no other")
            refused(count, several, "none", r"unknown_server|no history of server 'none'", "a server of which there is none")
            refused(count, several, "full", r"not_ready|has not begun|out_of_range|unknown_table|not_recorded|no such|doesn't exist", "a history that has nothing")
            fails_alone(count, several, my, "my", "maria", writers, askers)
            fails_alone(count, several, maria, "maria", "my", writers, askers)
            for asker in askers.values():
                asker.stop.set()
                asker.join(60)
                count.equal(asker.failed, [], "questions of %s" % asker.user)
                count.equal(asker.wrong, [], "answers to %s" % asker.user)
                count.check(asker.rows > 100, "%s was answered" % asker.user, asker.rows)
                print("%s: asked %d times, %d rows, the slowest answer took %.2f s" % (asker.user, asker.asked, asker.rows, asker.slowest), flush=True)
            several.agent.kill()
            several.start()
            several.wait(lambda s: all(s[name]["connected"] for name in writers), "both are captured again")
            time.sleep(1)
            for writer in writers.values():
                writer.stop.set()
                writer.join(60)
            found = [complete(count, several, name, name, writer) for name, writer in writers.items()]
            print("changes compared: %s" % found, flush=True)
            count.check(min(found) > 200, "enough was written", found)
            shown = several.agent.output()
            count.check(not re.search("panicked|damaged", "".join(p.output() for p in several.processes)), "no panic", shown[-1500:])
            count.check("nobody:wrong" not in shown, "no password in the log")
            count.equal(several.agent.stop(), 0, "the agent ends in good order")
        finally:
            several.close()
    finish([count], 50)


if __name__ == "__main__":
    main()
