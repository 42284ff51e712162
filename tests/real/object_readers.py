#!/usr/bin/env python3
"""Two readers and a writer of one bucket behind a shim that names all three; one reader is killed (-9) every few seconds under clients that ask without end.
Then a reader stands still (SIGSTOP) for half a minute: it takes requests, and answers none.

No client may see an error other than that an instant is not taken in yet. What each of them was told of an instant is kept, and asked again of the agent that
captures when all is over (of a session 300 at most): every answer must be the same, whichever of the three had given it. Within a session the newest value
never goes back. No statement takes longer than another agent is waited for (20 s, docs/configuration.md), and a few seconds.
The program must be built with `--features object-store`. `--seconds N` (60), `--clients N` (8), `--seed N`; `--name`: `agent_url` is one name that has an address
for each of the three, in a file of names that the shim alone sees (root, for a mount).
"""
import os
import random
import re
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time

import pymysql

import servers
from harness import TOKEN, Agent, Counter, Process, binary, certificates, finish, free_port
from kills import micros, rfc
from stores import Moto


# Seconds that a statement may take: a look-up is asked of another agent after 20.
LONGEST = 26
STILL = 30
MOST = 300


class Asker(threading.Thread):
    """A session that asks for the row as it was some seconds ago, again and again."""

    def __init__(self, port, ago):
        super().__init__(daemon=True)
        self.port, self.ago, self.stop = port, ago, threading.Event()
        self.answers, self.early, self.errors, self.back = {}, 0, [], []
        # Seconds of each statement, and when it was sent.
        self.times = []

    def run(self):
        conn, newest = None, 0
        while not self.stop.is_set():
            at, sent = rfc(int((time.time() - self.ago) * 1000000)), time.time()
            try:
                conn = conn or pymysql.connect(host="127.0.0.1", port=self.port, user="app", password="pw", autocommit=True, read_timeout=60)
                cursor = conn.cursor()
                cursor.execute("SELECT v FROM _flashback.shop.t AS OF '%s' WHERE id = 1" % at.rstrip("Z").replace("T", " "))
                value = int(cursor.fetchall()[0][0])
                self.answers[at] = value
                if value < newest:
                    self.back.append((newest, value))
                newest = value
            except pymysql.MySQLError as e:
                if re.search(r"\[out_of_range\]", str(e)):
                    self.early += 1
                else:
                    self.errors.append(str(e))
                    conn = None
            self.times.append((time.time() - sent, sent))
            time.sleep(0.01)


def port_of_all():
    """A port that is free at the addresses of all three."""
    for _ in range(100):
        port = free_port()
        try:
            for n in (1, 2, 3):
                socket.create_server(("127.0.0.%d" % n, port)).close()
            return port
        except OSError:
            continue
    raise RuntimeError("no port is free at three addresses")


def main():
    number = lambda name, default: int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
    seconds, clients, r = number("--seconds", 60), number("--clients", 8), random.Random(number("--seed", 1))
    count = Counter("readers under clients")
    folder = tempfile.mkdtemp(prefix="dbtrail-object-readers-")
    processes = []

    def write(name, text):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)
        return os.path.join(folder, name)

    with Moto() as moto, servers.start("mysql") as server, server.connect() as conn:
        try:
            os.environ.update(moto.environment)
            cursor = conn.cursor()
            for statement in ("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)", "INSERT INTO shop.t VALUES (1, 0)"):
                cursor.execute(statement)
            ca, certificate, key = certificates(folder)
            tokens = write("tokens", TOKEN + "\n")
            named = "--name" in sys.argv
            # One name has one port: then each has an address of its own.
            ports = [port_of_all()] * 3 if named else [free_port() for _ in range(3)]
            at = ["127.0.0.%d:%d" % (1 + (n if named else 0), port) for n, port in enumerate(ports)]
            served = lambda at: ["--data", moto.data + "real", "--server-id", "real", "--listen", at, "--tls-cert", certificate, "--tls-key", key, "--token-file", tokens]
            starts = [0]

            def start(arguments):
                starts[0] += 1
                process = Process([binary(), "agent", *arguments], os.path.join(folder, "agent-%d.log" % starts[0]))
                processes.append(process)
                return process

            start(["--source", "mysql://root@127.0.0.1:%d" % server.port, "--backfill", "none", *served(at[0])]).wait_for("listens on")
            api = Agent("https://" + at[0], ca)
            api.wait(lambda s: s["connected"] and s["newest"], "it is captured")
            reader = lambda at: start(["--read", "--poll", "200ms", *served(at)])
            readers = {one: reader(one) for one in at[1:]}
            for process in readers.values():
                process.wait_for("listens on")
            shim_port = free_port()
            urls = ["https://localhost:%d" % ports[0]] if named else ["https://" + one for one in at]
            command = [binary(), "--config", write("shim.yaml", "listen: 127.0.0.1:%d\nagent_url: [%s]\nagent_tls: {ca_file: %s}\ntenants:\n"
                       "  - {mysql_user: app, mysql_password: pw, server_id: real, agent_token: %s}\nshutdown_grace: 2s\n" % (shim_port, ", ".join(urls), ca, TOKEN))]
            if named:
                hosts = write("hosts", "".join("%s localhost\n" % one.rpartition(":")[0] for one in at))
                command = ["unshare", "--mount", "--", "sh", "-c", "mount --bind %s /etc/hosts && exec \"$0\" \"$@\"" % hosts, *command]
            shim = Process(command, os.path.join(folder, "shim.log"))
            processes.append(shim)
            shim.wait_for("the shim listens")
            stop = threading.Event()

            def on_and_on():
                while not stop.is_set():
                    cursor.execute("UPDATE shop.t SET v = v + 1 WHERE id = 1")
                    time.sleep(0.02)

            work = threading.Thread(target=on_and_on, daemon=True)
            work.start()
            ago = 4.0
            time.sleep(ago + 2)
            askers = [Asker(shim_port, ago) for _ in range(clients)]
            for asker in askers:
                asker.start()
            end, killed = time.monotonic() + seconds, 0
            while time.monotonic() < end:
                time.sleep(1 + 3 * r.random())
                one = r.choice(at[1:])
                readers[one].kill()
                killed += 1
                time.sleep(r.random())
                readers[one] = reader(one)
            # Until the last one is asked again.
            time.sleep(6)
            still = r.choice(at[1:])
            readers[still].child.send_signal(signal.SIGSTOP)
            stood, begun = time.time(), time.monotonic()
            while time.monotonic() < begun + STILL:
                time.sleep(0.2)
            readers[still].child.send_signal(signal.SIGCONT)
            for asker in askers:
                asker.stop.set()
                asker.join(90)
            stop.set()
            work.join(60)
            times = sorted(took for asker in askers for took, _ in asker.times)
            # What was on its way when the reader stopped is of neither.
            killing = [took for asker in askers for took, sent in asker.times if sent + took < stood or sent < stood - 5]
            print("statements: half took %.3f s or less, 99 of 100 %.3f s; the longest under kills %.2f s, and with a reader that stands still %.2f s" % (
                times[len(times) // 2], times[len(times) * 99 // 100], max(killing), times[-1]), flush=True)
            count.check(times[-1] <= LONGEST, "the longest statement", times[-1], LONGEST)
            over = time.time() * 1000000
            api.wait(lambda s: s["newest"] and micros(s["newest"]) >= over, "all is taken in")
            for n, asker in enumerate(askers):
                count.equal(asker.errors[:3], [], "session %d: errors" % n)
                count.equal(asker.back[:3], [], "session %d: an answer that goes back" % n)
                answers = sorted(asker.answers.items())
                for when, value in r.sample(answers, min(len(answers), MOST)):
                    body = {"server_id": "real", "schema": "shop", "table": "t", "keys": {"columns": ["id"], "values": [["1"]]}, "at": {"time": when}}
                    lines, refusal = api.lines("/v1/flashback", body)
                    found = [line["row"][1] if isinstance(line, dict) else line[1] for line in lines[1:-1]] if lines else refusal
                    count.equal(found, [str(value)], "the row at %s" % when)
            told = sum(len(asker.answers) for asker in askers)
            print("%d kills of a reader in %d s, %d sessions: %d answers, %d instants not taken in yet, %d errors" % (
                killed, seconds, clients, told, sum(a.early for a in askers), sum(len(a.errors) for a in askers)), flush=True)
            count.check(killed >= seconds // 6, "kills", killed)
            if named:
                count.check("agents are now" in shim.output(), "each address is an agent", shim.output()[-1500:])
            count.check(not any(re.search("panicked|damaged", p.output()) for p in processes), "no panic")
        finally:
            for process in processes:
                process.stop()
            shutil.rmtree(folder, ignore_errors=True)
    finish([count], 500)


if __name__ == "__main__":
    main()
