#!/usr/bin/env python3
"""The history in an object store (S3 by moto on loopback; `--store azure`: Azure Blob Storage by Azurite, `--store google`: see stores.py): kills, two writers against each other, readers beside the writer.

The program must be built with `--features object-store`. A workload runs on MariaDB, an agent captures into `s3://history/...`, and a second agent reads
what the first one writes (`--read`). The writer is killed at random moments; afterwards all changes of all keys and all rows at a number of instants, of
the writer and of a reader that is started then, are compared with what the server's own log files give (kills.py). While the writer runs, a third agent is
started against the same bucket: as on another machine it is refused, and says who writes. The first one ends when it is taken over from, and says by whom.
`--seed N` repeats a run, as far as moments can be repeated; `--kills N`.
"""
import os
import random
import re
import subprocess
import sys
import threading
import time

import kills
from harness import Agent, Chain, Counter, MariaDb, Process, binary, finish
from kills import DDL, SCHEMA, Stubborn, compare, rfc, micros
from live import caught_up
from stores import STORES

# Rows of the largest table: each of them is read many times.
kills.BIG = 60


class Reader:
    """An agent that reads what another one writes, with the tokens and the certificate of that one's chain."""

    def __init__(self, chain, data, number, server_id="real"):
        self.process = Process(
            [binary(), "agent", "--read", "--data", data, "--poll", "200ms", "--server-id", server_id, "--listen", "127.0.0.1:0", "--tls-cert",
             chain.certificate, "--tls-key", chain.key, "--token-file", os.path.join(chain.folder, "tokens")],
            os.path.join(chain.folder, "reader-%d.log" % number))
        chain.processes.append(self.process)
        self.api = Agent(self.process.wait_for(r"listens on (https://\S+:\d+)").group(1), chain.ca)


class Paced(Stubborn):
    """A workload that an agent keeps up with that waits for an object store: what it is behind would only be the time that the test takes."""

    def transaction(self):
        time.sleep(0.02)
        super().transaction()


def has_all(api):
    """Waits until an agent has all that the one that captures has written so far: what is written when an instant becomes the newest one is written after it."""
    at = time.time() * 1000000
    api.wait(lambda s: s["newest"] and micros(s["newest"]) >= at, "it has what there is now", 120)


def same_answers(count, chain, reader, what, still=False):
    """Rows of the writer and of the reader at one instant that both know. What comes later tells more of it: of a row that was not known, what it was before. So
    the reader is asked when it has all that the writer had at its answer, and the writer once more when it has all that the reader had: where it says the same
    both times, the reader must. Where it does not, all are asked again. `still`: nothing changes in what the reader reads."""
    until = min(micros(chain.api.status()["newest"]), micros(reader.api.status()["newest"])) // 1000000 * 1000000
    at = {"time": rfc(until)}

    def said(api, table, keys):
        lines, why = api.lines("/v1/flashback", kills.request(table, keys, {"at": at}))
        return why[0] if lines is None else lines[1:-1]

    left = [(table, keys) for table in kills.WHOLE for keys in kills.keys_of(table)]
    for _ in range(20):
        before = [said(chain.api, *one) for one in left]
        if not still:
            has_all(reader.api)
        got = [said(reader.api, *one) for one in left]
        if not still:
            has_all(chain.api)
        after = [said(chain.api, *one) for one in left]
        for one, b, g, a in zip(left, before, got, after):
            if b == a:
                count.equal(g, b, "%s: rows of %s at %s" % (what, one[0], at["time"]))
        left = [one for one, b, a in zip(left, before, after) if b != a]
        if not left:
            return
    count.check(False, "%s: the writer says the same twice" % what, left)


def compared(api):
    """Until the writer has compared what it put off while it had much to take in: windows are refused before."""
    end = time.monotonic() + 900
    while time.monotonic() < end:
        status = api.status()
        since, until = (micros(status[name]) // 1000000 * 1000000 for name in ("oldest", "newest"))
        _, why = kills.changes(api, "days", kills.keys_of("days")[0], since, until)
        if not why or why[0] != "overloaded":
            return
        time.sleep(0.2)
    raise RuntimeError("not within 900 s: every change is compared with what was before it")


def others(count, chain, data):
    """Writers against each other."""
    source = chain.origin
    elsewhere = ["unshare", "--uts", "--", "sh", "-c", "hostname elsewhere && exec \"$0\" \"$@\""]
    arguments = ["agent", *source, "--server-id", "real", "--listen", "127.0.0.1:0"]
    second = subprocess.run([*elsewhere, binary(), *arguments], capture_output=True, text=True, timeout=120)
    count.check(second.returncode == 73 and re.search(r"another agent writes to it: process %d of host" % chain.agent.child.pid, second.stderr),
                "a second writer is refused", (second.returncode, second.stderr[-800:]))
    count.check(chain.agent.child.poll() is None and chain.api.status()["connected"], "the first writer goes on")
    # One that believes that the first is gone: the network, a machine that slept.
    os.kill(chain.agent.child.pid, 19)
    third = Process([*elsewhere, binary(), *arguments], os.path.join(chain.folder, "third.log"))
    chain.processes.append(third)
    third.wait_for(r"listens on", 120)
    os.kill(chain.agent.child.pid, 18)
    end = time.monotonic() + 60
    while chain.agent.child.poll() is None and time.monotonic() < end:
        time.sleep(0.1)
    said = chain.agent.output()
    count.check(chain.agent.child.poll() == 75 and re.search(r"another agent has taken the store over: process \d+ of host elsewhere", said),
                "the one that lost ends and says who has it", (chain.agent.child.poll(), said[-1500:]))
    third.stop()


def copies(count, chain, objects):
    """Out of the bucket while the agent captures, into it again elsewhere, and what is answered from there."""
    copy = lambda *ends: subprocess.run([binary(), "agent", "copy", "--from", ends[0], "--to", ends[1]], capture_output=True, text=True, timeout=300)
    folder, again = os.path.join(chain.folder, "copy"), objects.data + "again"
    out = copy(chain.data, folder)
    count.check(out.returncode == 0 and "XXH3" in out.stdout, "a bucket is copied into a folder", (out.returncode, out.stderr[-800:]))
    there = copy(chain.data, folder)
    count.check(there.returncode != 0 and "is there already" in there.stderr, "a folder that is there is left alone", there.stderr[-500:])
    back = copy(folder, again)
    count.equal(back.stdout.rpartition("XXH3")[2], out.stdout.rpartition("XXH3")[2], "what is copied back is the same")
    full = copy(folder, again)
    count.check(full.returncode != 0 and "is not empty" in full.stderr, "a bucket that is not empty is left alone", full.stderr[-500:])
    reader = Reader(chain, again, 4)
    reader.api.wait(lambda s: s["newest"], "the copy is read")
    same_answers(count, chain, reader, "of a copy of a copy", still=True)
    held = Chain(None, schema=SCHEMA, source=chain.origin[1], data=folder)
    with held:
        held.api.wait(lambda s: s["connected"] and s["newest"], "an agent goes on from a copy")
        count.equal(held.api.status()["gaps"], [], "no gap behind a copy")
        same_answers(count, chain, held, "of an agent on a copy")
        busy = copy(folder, objects.data + "third")
        count.check(busy.returncode != 0 and "stop it and copy then" in busy.stderr, "a folder of an agent is not copied", busy.stderr[-500:])


def main():
    number = lambda name, default: int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
    seed, planned = number("--seed", random.randrange(10 ** 6)), number("--kills", 12)
    print("seed %d" % seed, flush=True)
    r = random.Random(seed)
    by_change, by_row, count = Counter("changes against the log"), Counter("rows against the log"), Counter("writers and readers")
    store = STORES[sys.argv[sys.argv.index("--store") + 1] if "--store" in sys.argv else "s3"]
    with store() as objects, MariaDb("--max-binlog-size=1M", "--max-allowed-packet=64M", "--character-set-server=utf8mb4") as server:
        os.environ.update(objects.environment)
        data = objects.data + "real"
        recorder = Paced(server, seed)
        recorder.port = server.port
        recorder.create()
        with Chain(None, schema=SCHEMA, source="mysql://root@127.0.0.1:%d" % server.port, data=data) as chain:
            chain.api.wait(lambda s: s["oldest"], "the record begins")
            reader = Reader(chain, data, 1)
            work = threading.Thread(target=recorder.on_and_on_safely, daemon=True)
            work.start()
            chain.api.wait(lambda s: s["connected"] and s["baseline"] and s["baseline"]["done"] == s["baseline"]["total"], "the baseline is read", 120)
            recorder.ddl = DDL
            for killed in range(planned):
                time.sleep(r.choice([0.1, 0.5, 1.0, 2.0]) * r.random())
                chain.agent.kill()
                chain.start_agent()
                if killed % 3 == 2:
                    chain.api.wait(lambda s: s["connected"], "it is back", 120)
                    reader.api.wait(lambda s: s["newest"], "the reader has something")
                    same_answers(count, chain, reader, "while it runs")
            chain.api.wait(lambda s: s["connected"], "it is back", 120)
            others(count, chain, data)
            chain.start_agent()
            chain.api.wait(lambda s: s["connected"], "it is back", 120)
            recorder.stop.set()
            work.join()
            print("%d kills of the writer; %d transactions, %d DDL statements" % (planned, recorder.transactions, recorder.statements), flush=True)
            count.check(recorder.transactions > 50, "the workload went on", recorder.transactions)
            count.equal(recorder.failed, None, "the workload")
            caught_up(server, chain.api, 300)
            compared(chain.api)
            compare([by_change, by_row], server, chain, [])
            newest = chain.api.status()["newest"]
            late = Reader(chain, data, 2)
            for one in (reader, late):
                one.api.wait(lambda s: s["newest"] and s["newest"] >= newest, "the reader has all", 60)
                same_answers(count, chain, one, "at the end")
            status = late.api.status()
            count.check(status["connected"] and status["lag_seconds"] < 60, "the reader's status", status["reason"])
            wrong = Reader(chain, data, 3, server_id="another")
            wrong.api.wait(lambda s: "not of 'another'" in (s["reason"] or ""), "a reader of another server says so")
            shown = subprocess.run([binary(), "agent", "status", "--data", data], capture_output=True, text=True, timeout=60)
            count.check(shown.returncode in (0, 1) and "record" in shown.stdout, "agent status of a bucket", (shown.returncode, shown.stderr[-500:]))
            copies(count, chain, objects)
            outputs = [p.output() for p in chain.processes]
            count.equal([o[-600:] for o in outputs if re.search("panicked|damaged", o)], [], "no panic")
            count.check(not any(objects.secret in o for o in outputs), "no secret in the log")
    finish([by_change, by_row, count], 500)


if __name__ == "__main__":
    main()
