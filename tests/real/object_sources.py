#!/usr/bin/env python3
"""Two histories of one agent in a bucket, each with a prefix, a writer and a standby of its own.

Another agent takes one of them while the first stands still (SIGSTOP): the first must let go of that one, say who has it, go on with the other one, and take
it again when the other agent is gone. Then two agents stand by for each other with both histories (`standby: "on"`), and the one that captures is killed:
the other one must have both. At last all changes of a row are in both histories, in their order. The program must be built with `--features object-store`.
"""
import os
import re
import shutil
import tempfile
import threading
import time

from harness import TOKEN, Agent, Counter, MariaDb, Process, binary, certificates, finish, free_port
from kills import micros
from stores import Moto

ELSEWHERE = ["unshare", "--uts", "--", "sh", "-c", "hostname %s && exec \"$0\" \"$@\""]


class Both:
    """An agent with both histories, as on a machine of its own."""

    def __init__(self, folder, ca, certificate, key, port, data, name, standby="off"):
        self.listen, self.name, self.ca = free_port(), name, ca
        self.log = os.path.join(folder, name + ".log")
        self.config = os.path.join(folder, name + ".yaml")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write("listen: 127.0.0.1:%d\ndata: %s\nstandby: \"%s\"\ntls: {cert_file: %s, key_file: %s}\ntoken_file: %s\ncapture: {backfill: none}\nsources:\n%s" % (
                self.listen, data, standby, certificate, key, os.path.join(folder, "tokens"),
                "".join("- {server_id: %s, url: 'mysql://root@127.0.0.1:%d'}\n" % (server, port) for server in ("a", "b"))))
        self.start()

    def start(self):
        self.process = Process([part.replace("%s", self.name) for part in ELSEWHERE] + [binary(), "agent", "--config", self.config], self.log)
        self.process.wait_for("listens on")
        self.api = Agent("https://127.0.0.1:%d" % self.listen, self.ca)

    def wait(self, until, what, seconds=60):
        end, status = time.monotonic() + seconds, None
        while time.monotonic() < end:
            try:
                status = {one["server_id"]: one for one in self.api.call("GET", "/v1/servers")[1][0]["servers"]}
                if until(status):
                    return status
            except OSError:
                pass
            time.sleep(0.1)
        raise RuntimeError("not within %d s: %s of %s: %s\n%s" % (
            seconds, what, self.name, status and {name: (s["connected"], s["reason"], s["newest"]) for name, s in status.items()}, self.process.output()[-3000:]))

    def captures(self, *servers, seconds=60):
        at = time.time() * 1000000
        self.wait(lambda s: all(s[n]["connected"] and s[n]["newest"] and micros(s[n]["newest"]) >= at for n in servers), "it captures %s" % ", ".join(servers), seconds)


def main():
    count = Counter("two histories in a bucket")
    folder = tempfile.mkdtemp(prefix="dbtrail-object-sources-")
    with Moto() as moto, MariaDb() as server, server.connect() as conn:
        os.environ.update(moto.environment)
        cursor = conn.cursor()
        for statement in ("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)", "INSERT INTO shop.t VALUES (1, 0)"):
            cursor.execute(statement)
        with open(os.path.join(folder, "tokens"), "w", encoding="utf-8") as f:
            f.write(TOKEN + "\n")
        ca, certificate, key = certificates(folder)
        written, stop = [], threading.Event()

        def write():
            while not stop.is_set():
                cursor.execute("UPDATE shop.t SET v = v + 1 WHERE id = 1")
                written.append(len(written) + 1)
                time.sleep(0.05)

        processes = []
        try:
            of = lambda name, standby="off": Both(folder, ca, certificate, key, server.port, moto.data + "both", name, standby)
            first = of("east")
            processes.append(first)
            first.captures("a", "b")
            # MariaDB's log has whole seconds, and so has the beginning of a record.
            time.sleep(3)
            work = threading.Thread(target=write, daemon=True)
            work.start()
            # Another agent, which believes that the first is gone, takes one of the two.
            os.kill(first.process.child.pid, 19)
            thief = Process([part.replace("%s", "south") for part in ELSEWHERE] + [
                binary(), "agent", "--source", "mysql://root@127.0.0.1:%d" % server.port, "--data", moto.data + "both/a", "--server-id", "a", "--listen", "127.0.0.1:0"],
                os.path.join(folder, "south.log"))
            processes.append(thief)
            thief.wait_for("listens on", 120)
            os.kill(first.process.child.pid, 18)
            said = first.wait(lambda s: re.search("another agent", s["a"]["reason"] or ""), "it says who has it", 60)
            count.check(re.search("process \\d+ of host south", said["a"]["reason"]), "who has it", said["a"]["reason"])
            first.captures("b")
            count.check(first.process.child.poll() is None, "it goes on with the other one")
            status, lines = first.api.call("GET", "/v1/servers/a/schemas")
            count.equal((status, lines[0].get("code")), (503, "not_ready"), "of what it has lost it answers nothing")
            count.check(first.api.call("GET", "/v1/servers/b/schemas")[0] == 200, "of the other it does")
            count.check(re.search("source\\{server_id=a\\}.*another agent has taken the store over", first.process.output()), "the log says so", first.process.output()[-1500:])
            count.equal(thief.stop(), 0, "the other agent ends")
            first.captures("a", "b", seconds=90)
            count.equal(first.process.stop(), 0, "it ends in good order")
            one, other = of("north", "on"), of("west", "on")
            processes += [one, other]
            for turn in range(3):
                for agent in (one, other):
                    agent.wait(lambda s: s["a"]["newest"] and s["b"]["newest"], "it answers")
                capturing = lambda agent: set(re.findall(r"source\{server_id=(\w)\}: .*this agent does from here on", agent.process.output()))
                end = time.monotonic() + 60
                while capturing(one) | capturing(other) != {"a", "b"} and time.monotonic() < end:
                    time.sleep(0.1)
                count.equal(capturing(one) & capturing(other), set(), "turn %d: one writer each" % turn)
                for agent in (one, other):
                    agent.captures("a", "b")
                begun = time.monotonic()
                one.process.kill()
                other.captures("a", "b", seconds=60)
                took = time.monotonic() - begun
                print("turn %d: both are captured by the other one after %.1f s" % (turn, took), flush=True)
                count.check(took <= 15, "turn %d: taken over in %.1f s" % (turn, took), took)
                one.start()
                one, other = other, one
            stop.set()
            work.join()
            one.captures("a", "b")
            for name in ("a", "b"):
                status = one.wait(lambda s: True, "status")[name]
                body = {"server_id": name, "schema": "shop", "table": "t", "keys": {"columns": ["id"], "values": [["1"]]}, "since": status["oldest"], "until": status["newest"]}
                lines, refusal = one.api.lines("/v1/diff", body)
                found = [int(line["event"]["after"][1]) for line in lines[1:-1] if "event" in line] if lines else refusal
                count.check(lines and found == list(range(found[0], len(written) + 1)) and found[0] <= 1, "the changes in %s" % name, found[:3] + found[-3:] if lines else refusal, len(written))
                count.equal(status["gaps"], [], "no gap in %s" % name)
            print("%d changes, in both" % len(written), flush=True)
            outputs = [(p.process if isinstance(p, Both) else p).output() for p in processes]
            count.equal([o[-600:] for o in outputs if re.search("panicked|damaged", o)], [], "no panic")
        finally:
            stop.set()
            for process in processes:
                (process.process if isinstance(process, Both) else process).stop()
            shutil.rmtree(folder, ignore_errors=True)
    finish([count], 15)


if __name__ == "__main__":
    main()
