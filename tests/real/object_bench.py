#!/usr/bin/env python3
"""What a history in an object store costs beside one in a folder, in one run: ingest, look-ups, lag, memory, and requests to the store.

The program must be built with `--features object-store`. A MariaDB, S3 by moto on loopback, and two agents that capture the same server: one into a folder
(fjall), one into a bucket; beside it readers. Figures are printed, never asserted: machines differ. Where other programs use the machine, the processor
time of an agent says more than the clock; both are given. `--rows N` (300,000), `--rounds N` (3), `--lookups N` (3,000), `--seconds N` (20, of lag and requests).
"""
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from harness import TOKEN, Chain, MariaDb, Process, dies_with_us, free_port
from kills import micros, rfc
from live import caught_up
from object_store import Reader
from stores import BUCKET, Moto, listening

COUNTED = """
import collections, json, sys
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
s3, made = DomainDispatcherApplication(create_backend_app), collections.Counter()
def counted(environ, start):
    if environ["PATH_INFO"] == "/-/made":
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(made).encode()]
    is_list = environ["REQUEST_METHOD"] == "GET" and "list-type" in environ.get("QUERY_STRING", "")
    made["LIST" if is_list else environ["REQUEST_METHOD"]] += 1
    return s3(environ, start)
run_simple("127.0.0.1", int(sys.argv[1]), counted, threaded=True)
"""


class Counted(Moto):
    """S3 that counts what it is asked."""

    def __init__(self):
        self.port = free_port()
        self.url, self.log = "http://127.0.0.1:%d" % self.port, tempfile.TemporaryFile()
        self.process = subprocess.Popen([sys.executable, "-c", COUNTED, str(self.port)], stdout=self.log, stderr=subprocess.STDOUT, preexec_fn=dies_with_us)
        listening(self.process, self.port, self.log)
        self.call("PUT", "/" + BUCKET)
        self.environment = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": self.secret, "AWS_REGION": "us-east-1", "AWS_ENDPOINT": self.url}

    def call(self, method, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path)
        return connection.getresponse().read()

    def made(self):
        return json.loads(self.call("GET", "/-/made"))

    def a_second(self, seconds):
        """Requests a second of each kind, while that time passes."""
        before, begun = self.made(), time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - begun
        each = {kind: (n - before.get(kind, 0)) / took for kind, n in self.made().items()}
        return "%.1f a second (%s)" % (sum(each.values()), ", ".join("%s %.1f" % (kind, n) for kind, n in sorted(each.items()) if n > 0.02))


def processor(pid):
    """Seconds."""
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid):
    """MiB now, and at most until now: without what is only mapped from files."""
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        found = {line.split()[0]: int(line.split()[1]) / 1024 for line in f if line.startswith(("RssAnon:", "VmHWM:"))}
    return "%.0f MiB of its own now, %.0f at most with its program" % (found["RssAnon:"], found["VmHWM:"])


def load(server, rows, known):
    """So many changes in transactions of 25."""
    r = random.Random(known)
    with server.connect() as conn:
        cursor = conn.cursor()
        cursor.execute("SET NAMES utf8mb4")
        for first in range(known, known + rows, 250):
            cursor.execute("BEGIN")
            for at in range(first, first + 250, 25):
                values = ", ".join("(%d, %d, '%060d')" % (n, r.randrange(10 ** 9), n) for n in range(at, at + 25))
                cursor.execute("INSERT INTO bench.t VALUES " + values)
                cursor.execute("COMMIT")
                cursor.execute("BEGIN")
            cursor.execute("COMMIT")


def taken_in(chain, server, rows):
    """Seconds by the clock and by the processor until an agent that is started has what came meanwhile."""
    begun = time.monotonic()
    chain.start_agent()
    caught_up(server, chain.api, 900)
    took, used = time.monotonic() - begun, processor(chain.agent.child.pid)
    return rows / took, rows / used


def lookups(api, pids, count, rows, at):
    """Seconds by the clock, and by the processors of the agents, of one look-up at a time."""
    r = random.Random(7)
    apis = api if isinstance(api, list) else [api]
    connections = [http.client.HTTPSConnection(one.place, timeout=60, context=one.context) for one in apis]

    def ask(n):
        body = {"server_id": "real", "schema": "bench", "table": "t", "keys": {"columns": ["id"], "values": [[str(r.randrange(rows))]]}, "at": {"time": at}}
        connection = connections[n % len(connections)]
        connection.request("POST", "/v1/flashback", json.dumps(body), {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"})
        answer = connection.getresponse().read()
        assert b'"rows":1' in answer, answer[:500]

    for n in range(count):
        ask(n)
    begun, used = time.monotonic(), [processor(pid) for pid in pids]
    for n in range(count):
        ask(n)
    took = time.monotonic() - begun
    return took / count, sum(processor(pid) - before for pid, before in zip(pids, used)) / count


def lags(api, seconds):
    """How far behind now the newest instant is, each few milliseconds."""
    found, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        status = api.status()
        found.append(time.time() - micros(status["newest"]) / 1e6)
        time.sleep(0.02)
    found.sort()
    return "p50 %.2f s, p99 %.2f s, most %.2f s (%d looks)" % (found[len(found) // 2], found[len(found) * 99 // 100], found[-1], len(found))


def main():
    number = lambda name, default: int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
    rows, rounds, count, seconds = number("--rows", 300000), number("--rounds", 3), number("--lookups", 3000), number("--seconds", 20)
    print("load of the machine at the start: %.1f on %d cores" % (os.getloadavg()[0], os.cpu_count()), flush=True)
    with Counted() as store, MariaDb("--max-binlog-size=1G", "--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0") as server:
        os.environ.update(store.environment)
        with server.connect() as conn:
            conn.cursor().execute("CREATE DATABASE bench")
            conn.cursor().execute("CREATE TABLE bench.t (id INT NOT NULL PRIMARY KEY, a INT NOT NULL, b VARCHAR(60) NOT NULL)")
        source = "mysql://root@127.0.0.1:%d" % server.port
        with Chain(None, schema="bench", source=source) as folder, Chain(None, schema="bench", source=source, data=store.data + "real") as bucket:
            for chain in (folder, bucket):
                chain.api.wait(lambda s: s["connected"] and s["newest"], "it captures")
            known, clock, used = 0, [], []
            for n in range(rounds):
                for chain in (folder, bucket):
                    chain.agent.stop()
                load(server, rows, known)
                known += rows
                one, other = (taken_in(chain, server, rows) for chain in (folder, bucket))
                clock.append(other[0] / one[0])
                used.append(other[1] / one[1])
                print("ingest %d: folder %.0f row events a second (%.0f a second of processor), bucket %.0f (%.0f): %.2f by the clock, %.2f by the processor; load %.1f" % (
                    n, *one, *other, clock[-1], used[-1], os.getloadavg()[0]), flush=True)
            print("ingest: medians of the ratios: %.2f by the clock, %.2f by the processor" % (statistics.median(clock), statistics.median(used)), flush=True)
            print("memory after it: folder %s; bucket %s" % (memory(folder.agent.child.pid), memory(bucket.agent.child.pid)), flush=True)
            time.sleep(5)
            print("requests of a writer with nothing to do: %s" % store.a_second(seconds), flush=True)
            readers = [Reader(bucket, bucket.data, 1), Reader(bucket, bucket.data, 2)]
            newest = bucket.api.status()["newest"]
            for reader in readers:
                reader.api.wait(lambda s: s["newest"] and s["newest"] >= newest, "the reader has all")
            at = rfc(micros(newest) // 1000000 * 1000000)
            pid = lambda of: (of.agent if isinstance(of, Chain) else of.process).child.pid
            for n in range(rounds):
                local, writer, reader = (lookups(of.api, [pid(of)], count, rows // 10, at) for of in (folder, bucket, readers[0]))
                print("look-ups %d, microseconds by the clock and by the processor: folder %.0f, %.0f; bucket's writer %.0f, %.0f; reader %.0f, %.0f: %.2f, %.2f of the folder's; load %.1f" % (
                    n, *(1e6 * x for pair in (local, writer, reader) for x in pair), local[0] / reader[0], local[1] / reader[1], os.getloadavg()[0]), flush=True)
            one, both = lookups(readers[0].api, [pid(readers[0])], count, rows // 10, at), lookups([r.api for r in readers], [pid(r) for r in readers], count, rows // 10, at)
            print("look-ups of one reader and of two in turns, microseconds of the processor: %.0f, %.0f: two on two cores answer %.2f times as many as one on one" % (
                1e6 * one[1], 1e6 * both[1], 2 * one[1] / both[1]), flush=True)
            print("memory of a reader: %s" % memory(pid(readers[0])), flush=True)
            readers[1].process.stop()
            print("requests of a writer with nothing to do, and a reader at 200 ms: %s" % store.a_second(seconds), flush=True)
            stop = threading.Event()

            def on_and_on():
                with server.connect() as conn:
                    cursor = conn.cursor()
                    while not stop.is_set():
                        cursor.execute("UPDATE bench.t SET a = a + 1 WHERE id = %d" % random.randrange(known))
                        time.sleep(0.02)

            work = threading.Thread(target=on_and_on, daemon=True)
            work.start()
            time.sleep(3)
            print("requests with some 50 transactions a second: %s" % store.a_second(seconds), flush=True)
            print("lag: folder %s; bucket's writer %s" % (lags(folder.api, seconds), lags(bucket.api, seconds)), flush=True)
            print("lag of the reader at 200 ms: %s; load %.1f" % (lags(readers[0].api, seconds), os.getloadavg()[0]), flush=True)
            for poll in ("500ms", "1s"):
                readers[0].process.stop()
                readers[0].process = Process([poll if a == "200ms" else a for a in readers[0].process.arguments], os.path.join(bucket.folder, "reader-%s.log" % poll))
                bucket.processes.append(readers[0].process)
                readers[0].api.place = readers[0].process.wait_for(r"listens on https://(\S+:\d+)").group(1)
                readers[0].api.wait(lambda s: s["newest"], "the reader has something")
                time.sleep(2)
                print("lag of the reader at %s: %s; all requests: %s" % (poll, lags(readers[0].api, seconds), store.a_second(seconds)), flush=True)
            stop.set()
            work.join()
            print("memory at the end: folder %s; bucket's writer %s" % (memory(pid(folder)), memory(pid(bucket))), flush=True)


if __name__ == "__main__":
    main()
