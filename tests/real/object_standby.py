#!/usr/bin/env python3
"""Two agents that were started with `--standby` for one bucket: one captures, the other answers from what it reads and takes over.

A workload runs on MariaDB. The one that captures is killed (-9) again and again, as on another machine: nothing tells the other one but the bucket. It must
capture within 10 s. Some of them are stopped instead (SIGSTOP) and come back when the other one has the bucket: they must say so, and stand by. At last both
are started at the same moment, again and again: one captures and one stands by. Then everything is compared with the server's own log files.
`--seed N` repeats a run, as far as moments can be repeated; `--kills N`, `--meetings N`.
"""
import os
import random
import re
import signal
import sys
import threading
import time

import kills
from harness import Agent, Chain, Counter, MariaDb, Process, binary, finish, free_port
from kills import DDL, SCHEMA, compare, micros
from live import caught_up
from object_store import Paced, compared, same_answers
from stores import Moto

# Seconds from the end of one to the capture of the other.
MOST = 10.0


class One:
    """An agent on a machine of its own: its name is all that tells."""

    def __init__(self, chain, name):
        self.chain, self.name, self.starts = chain, name, 0
        self.listen = "127.0.0.1:%d" % free_port()
        self.api = Agent("https://" + self.listen, chain.ca)

    def start(self):
        self.starts += 1
        arguments = ["unshare", "--uts", "--", "sh", "-c", "hostname %s && exec \"$0\" \"$@\"" % self.name, binary(), "agent", *self.chain.origin, "--standby",
                     "--server-id", "real", "--listen", self.listen, "--tls-cert", self.chain.certificate, "--tls-key", self.chain.key,
                     "--token-file", os.path.join(self.chain.folder, "tokens")]
        self.process = Process(arguments, os.path.join(self.chain.folder, "%s-%d.log" % (self.name, self.starts)))
        self.chain.processes.append(self.process)

    def captures(self):
        """Whether it does, by the last that it said of it."""
        said = re.findall(r"this agent does from here on|this one stands by", self.process.output())
        return bool(said) and said[-1].startswith("this agent")

    def wait(self, until, what, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if until():
                return
            time.sleep(0.05)
        raise RuntimeError("not within %d s: %s of %s:\n%s" % (seconds, what, self.name, self.process.output()[-3000:]))


def takes_over(count, other, begun, what):
    other.wait(other.captures, "it captures", 60)
    took = time.monotonic() - begun
    count.check(took <= MOST, "%s: taken over in %.1f s, load %.1f" % (what, took, os.getloadavg()[0]), took, MOST)
    at = time.time() * 1000000
    other.api.wait(lambda s: s["connected"] and s["newest"] and micros(s["newest"]) >= at, "it captures what happens now", 300)
    return took


def main():
    number = lambda name, default: int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
    seed, planned, meetings = number("--seed", random.randrange(10 ** 6)), number("--kills", 12), number("--meetings", 10)
    print("seed %d" % seed, flush=True)
    r = random.Random(seed)
    kills.BIG = 60
    by_change, by_row, count = Counter("changes against the log"), Counter("rows against the log"), Counter("two agents")
    with Moto() as moto, MariaDb("--max-binlog-size=1M", "--max-allowed-packet=64M", "--character-set-server=utf8mb4") as server:
        os.environ.update(moto.environment)
        recorder = Paced(server, seed)
        recorder.port = server.port
        recorder.create()
        # The chain's own agent begins the record.
        with Chain(None, schema=SCHEMA, source="mysql://root@127.0.0.1:%d" % server.port, data=moto.data + "real") as chain:
            chain.api.wait(lambda s: s["connected"] and s["baseline"] and s["baseline"]["done"] == s["baseline"]["total"], "the baseline is read", 120)
            recorder.ddl = DDL
            work = threading.Thread(target=recorder.on_and_on_safely, daemon=True)
            work.start()
            first, other = One(chain, "east"), One(chain, "west")
            other.start()
            other.api.wait(lambda s: s["newest"], "it answers while it stands by")
            count.check(not other.captures(), "it stands by")
            same_answers(count, chain, other, "while it stands by")
            begun = time.monotonic()
            chain.agent.kill()
            took = [takes_over(count, other, begun, "the first")]
            for n in range(planned):
                first.start()
                first.api.wait(lambda s: s["newest"], "it answers while it stands by")
                time.sleep(3 * r.random())
                count.check(not first.captures(), "it stands by", first.process.output()[-1500:])
                first, other = other, first
                begun = time.monotonic()
                if n % 3 == 2:
                    # It believes that all is well when it comes back: a machine that slept.
                    os.kill(first.process.child.pid, signal.SIGSTOP)
                    took.append(takes_over(count, other, begun, "one that stood still"))
                    os.kill(first.process.child.pid, signal.SIGCONT)
                    first.wait(lambda: not first.captures(), "it stands by", 60)
                    said = first.process.output()
                    count.check(re.search("another agent has taken the store over: process \\d+ of host %s" % other.name, said),
                                "it says who has it", said[-1500:])
                    first.api.wait(lambda s: s["connected"] and s["newest"], "it answers again")
                first.process.kill()
                if n % 3 != 2:
                    took.append(takes_over(count, other, begun, "kill %d" % n))
            print("%d times taken over: %s s" % (len(took), " ".join("%.1f" % t for t in took)), flush=True)
            for n in range(meetings):
                other.process.kill()
                if first.process.child.poll() is None:
                    first.process.kill()
                # Sometimes when the one before still looks alive, sometimes long after.
                time.sleep(8 * r.random())
                both = [first, other]
                r.shuffle(both)
                for one in both:
                    one.start()
                end = time.monotonic() + 60
                while not any(one.captures() for one in both):
                    if time.monotonic() > end:
                        raise RuntimeError("nobody captures: %s" % [one.process.output()[-1500:] for one in both])
                    time.sleep(0.05)
                # Who lost a race says so within a moment.
                end = time.monotonic() + 30
                while sum(one.captures() for one in both) != 1 and time.monotonic() < end:
                    time.sleep(0.1)
                capturing = [one for one in both if one.captures()]
                count.equal(len(capturing), 1, "meeting %d: one captures" % n)
                other = capturing[0]
                first = next(one for one in both if one is not other)
                at = time.time() * 1000000
                other.api.wait(lambda s: s["connected"] and s["newest"] and micros(s["newest"]) >= at, "it captures", 300)
                first.api.wait(lambda s: s["newest"] and micros(s["newest"]) >= at, "the other one follows", 300)
                count.equal([one.process.child.poll() for one in both], [None, None], "both run")
            recorder.stop.set()
            work.join()
            print("%d meetings; %d transactions, %d DDL statements" % (meetings, recorder.transactions, recorder.statements), flush=True)
            count.check(recorder.transactions > 50, "the workload went on", recorder.transactions)
            count.equal(recorder.failed, None, "the workload")
            chain.api = other.api
            caught_up(server, chain.api, 300)
            compared(chain.api)
            compare([by_change, by_row], server, chain, [])
            if not meetings:
                first.start()
            newest = other.api.status()["newest"]
            first.api.wait(lambda s: s["newest"] and s["newest"] >= newest, "the one that stands by has all")
            same_answers(count, chain, first, "at the end")
            outputs = [p.output() for p in chain.processes]
            count.equal([o[-600:] for o in outputs if re.search("panicked|damaged", o)], [], "no panic")
            count.check(not any(moto.secret in o for o in outputs), "no secret in the log")
    finish([by_change, by_row, count], 500)


if __name__ == "__main__":
    main()
