#!/usr/bin/env python3
"""An object store that fails in every way it can: refused connections, errors, slow answers, uploads that are cut off, answers that get lost.

A workload runs on MariaDB, an agent captures into a bucket through a proxy that makes faults (faulty_proxy.py), a reader reads through the same proxy, and
another one past it. The agent that captures must go on by itself each time. What it answers must be what the bucket has: whenever it was asked how far it is,
the reader past the proxy must have all of that too, also while nothing can be written. At last all is compared with the server's own log files.
`--seed N` repeats a run, as far as moments can be repeated; `--faults N`.
"""
import os
import random
import re
import sys
import threading
import time

import kills
from faulty_proxy import FaultyProxy
from harness import Chain, Counter, MariaDb, finish
from kills import DDL, SCHEMA, compare, micros
from live import caught_up
from object_store import Paced, Reader, compared, same_answers
from stores import KEYS, Moto


# Microseconds by which the newest instant in the bucket is older than the one that is answered, at most: where nothing is logged, it is the server's clock that
# moves it, and that is written every five seconds. All that was logged up to it is in the bucket.
CLOCK = 5000000


def is_in(known, status):
    """Whether a reader that says `known` has all that is behind `status`."""
    return (known and known["newest"] and micros(known["newest"]) >= micros(status["newest"]) - CLOCK
            and all(known[name] >= status[name] for name in ("transactions", "row_changes")))


class Watch:
    """Asks the agent how far it is, and the reader past the proxy whether the bucket has it."""

    def __init__(self, count, chain, reader):
        self.count, self.chain, self.reader, self.looks, self.done = count, chain, reader, 0, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        told = lambda s: s and {name: s[name] for name in ("newest", "transactions", "row_changes")}
        while not self.done.is_set():
            status = self.chain.api.status()
            if status and status["newest"]:
                end = time.monotonic() + 20
                known = None
                while time.monotonic() < end and not self.done.is_set():
                    known = self.reader.api.status()
                    if is_in(known, status):
                        self.looks += 1
                        break
                    time.sleep(0.1)
                else:
                    if not self.done.is_set():
                        self.count.check(False, "what is answered is in the bucket", told(known), told(status))
            time.sleep(0.2)

    def stop(self):
        self.done.set()
        self.thread.join(60)
        self.count.check(self.looks > 20, "looks at what is in the bucket", self.looks)


def main():
    number = lambda name, default: int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
    seed, planned = number("--seed", random.randrange(10 ** 6)), number("--faults", 20)
    print("seed %d" % seed, flush=True)
    r = random.Random(seed)
    kills.BIG = 60
    by_change, by_row, count = Counter("changes against the log"), Counter("rows against the log"), Counter("faults of the object store")
    with Moto() as moto, MariaDb("--max-binlog-size=1M", "--max-allowed-packet=64M", "--character-set-server=utf8mb4") as server:
        proxy = FaultyProxy(("127.0.0.1", moto.port), seed)
        os.environ.update(KEYS, AWS_ENDPOINT=proxy.url)
        data = moto.data + "real"
        recorder = Paced(server, seed)
        recorder.port = server.port
        recorder.create()
        with Chain(None, schema=SCHEMA, source="mysql://root@127.0.0.1:%d" % server.port, data=data) as chain:
            chain.api.wait(lambda s: s["connected"] and s["baseline"] and s["baseline"]["done"] == s["baseline"]["total"], "the baseline is read", 120)
            recorder.ddl = DDL
            reader = Reader(chain, data, 1)
            os.environ.update(AWS_ENDPOINT=moto.url)
            past = Reader(chain, data, 2)
            for one in (reader, past):
                one.api.wait(lambda s: s["newest"], "the reader has something")
            watch = Watch(count, chain, past)
            work = threading.Thread(target=recorder.on_and_on_safely, daemon=True)
            work.start()
            pid = chain.agent.child.pid
            # Once longer than requests are tried again, so that the store is opened again too.
            lasts = [(mode, 40.0) for mode in ("stopped", "errors")] + [(mode, 2 + 4 * r.random()) for mode in FaultyProxy.MODES]
            lasts += [(r.choice(FaultyProxy.MODES), 0.2 + 6 * r.random()) for _ in range(planned - len(lasts))]
            r.shuffle(lasts)
            for n, (mode, seconds) in enumerate(lasts):
                proxy.mode = mode
                time.sleep(seconds)
                proxy.mode = None
                at = time.time() * 1000000
                begun = time.monotonic()
                chain.api.wait(lambda s: s["connected"] and s["newest"] and micros(s["newest"]) >= at, "it goes on after %s of %.1f s" % (mode, seconds), 120)
                reader.api.wait(lambda s: s["connected"] and s["newest"] and micros(s["newest"]) >= at, "the reader goes on", 120)
                print("%2d: %-8s %5.1f s, goes on after %.1f s" % (n, mode, seconds, time.monotonic() - begun), flush=True)
                count.check(chain.agent.child.poll() is None and chain.agent.child.pid == pid, "it is the same process", chain.agent.output()[-1500:])
                if n % 5 == 4:
                    same_answers(count, chain, reader, "after %s" % mode)
            watch.stop()
            recorder.stop.set()
            work.join()
            print("faults: %s, of %d requests; %d looks; %d transactions, %d DDL statements" % (
                proxy.faults, proxy.requests, watch.looks, recorder.transactions, recorder.statements), flush=True)
            for mode, made in proxy.faults.items():
                count.check(made or mode == "some", "faults: %s" % mode, made)
            count.check(recorder.transactions > 50, "the workload went on", recorder.transactions)
            count.equal(recorder.failed, None, "the workload")
            caught_up(server, chain.api, 300)
            compared(chain.api)
            compare([by_change, by_row], server, chain, [])
            newest = chain.api.status()["newest"]
            for one in (reader, past):
                one.api.wait(lambda s: s["newest"] and s["newest"] >= newest, "the reader has all", 60)
                same_answers(count, chain, one, "at the end")
            outputs = [p.output() for p in chain.processes]
            count.equal([o[-600:] for o in outputs if re.search("panicked|damaged", o)], [], "no panic")
            count.check(not any("taken the store over" in o for o in outputs), "nobody took its store from it")
            count.check(not any(moto.secret in o for o in outputs), "no secret in the log")
        proxy.close()
    finish([by_change, by_row, count], 500)


if __name__ == "__main__":
    main()
