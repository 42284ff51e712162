#!/usr/bin/env python3
"""The recordings of tests/data in buckets: what a real server said at each tick, against the agent that captures into the bucket and against a reader of it.

Each recording is written into a bucket as capturing writes it, with restarts in the middle of transactions (`recorded_into_what_is_named` in tests/it/recorder/into_buckets.rs),
once into S3 (moto) and once into `file://`. Then the agent that captures is started on it, whose server is not there, so that it answers from what it has, and a
reader; each of them behind a shim of its own. All questions of truth.py are asked of both. The program must be built with `--features object-store`.
"""
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from harness import ROOT, Chain, Counter, finish, free_port
from stores import Moto
from truth import Recording, changes, states

RECORDINGS = ("mysql-9.7", "mariadb-10.11")
# The name under which the test records.
SERVER_ID = "truth"
QUESTIONS = (("_flashback", "time"), ("_flashback", "gtid"), ("_snapshot", "time"))


class Recorded(Chain):
    """An agent on what was recorded, and a shim in front of it."""

    def __init__(self, place, reads):
        self.reads = ["--read", "--data", place] if reads else ["--source", "mysql://nobody@127.0.0.1:%d" % free_port(), "--data", place]
        super().__init__(None, source="-", data=place, server_id=SERVER_ID)
        self.api.wait(lambda s: s["newest"], "it answers from what was recorded", 120)

    def start_agent(self):
        self.origin = self.reads
        super().start_agent()


def record(places):
    """Into all of these."""
    into = " ".join("%s=%s" % one for one in places)
    done = subprocess.run(["cargo", "test", "--quiet", "--locked", "--features", "object-store", "--test", "it", "--", "--ignored", "--exact",
                           "recorder::into_buckets::recorded_into_what_is_named"], cwd=ROOT, env=dict(os.environ, DBTRAIL_TEST_RECORD_INTO=into), capture_output=True,
                          text=True, timeout=1500)
    if done.returncode or "1 passed" not in done.stdout:
        sys.exit("nothing is recorded: %s%s" % (done.stdout[-1500:], done.stderr[-1500:]))


def asked(recording, chain, who, pool, counters):
    """All questions of truth.py."""
    running = []
    for virtual, point in QUESTIONS:
        counters.append(Counter("%s %s by %s" % (who, virtual, point)))
        running.append(pool.submit(states, recording, chain, counters[-1], virtual, point))
    counters.append(Counter(who + " _diff"))
    running.append(pool.submit(changes, recording, chain, counters[-1]))
    return running


def main():
    counters = []
    with Moto() as moto, tempfile.TemporaryDirectory(prefix="dbtrail-object-recorded-") as folder, ThreadPoolExecutor(4) as pool:
        os.environ.update(moto.environment)
        os.environ["STATE_DIRECTORY"] = folder
        places = [(name, base + name) for base in (moto.data, "file://%s/" % folder) for name in RECORDINGS]
        record(places)
        recordings = {name: Recording(name) for name in RECORDINGS}
        for name, place in places:
            with Recorded(place, False) as writer, Recorded(place, True) as reader:
                running = []
                for chain, what in ((writer, "writer"), (reader, "reader")):
                    who = "%s %s %s" % (name, place.partition(":")[0], what)
                    running += asked(recordings[name], chain, who, pool, counters)
                for job in running:
                    job.result()
                outputs = [p.output() for chain in (writer, reader) for p in chain.processes]
                counters[-1].check(not any("panicked" in o or moto.secret in o for o in outputs), "no panic, and no secret in the log", outputs)
    finish(counters, 150000)


if __name__ == "__main__":
    main()
