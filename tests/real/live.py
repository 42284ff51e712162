#!/usr/bin/env python3
"""Capturing from a running server: tables that were filled before the agent first started, then the random workload of recorded.py
with its DDL while the agent captures. While it runs, every tick that is past is compared, and all of them again at the end
and once more after a restart of the agent:
  * _snapshot of all keys, also of rows that never changed, and none that TRUNCATE or DROP took away;
  * _flashback of all keys that changed; of the others the right answer, or a refusal that says that nothing is recorded of them;
  * both AT GTID, after transactions; and _diff between ticks.

Without more these are two rounds on the MariaDB of this machine, binlog_row_metadata FULL and MINIMAL, with compressed events.
`--server mysql` or another kind of servers.py is one round on that server as it is shipped; options of the server follow after
`--`. `--seed N` repeats a run.
"""
import random
import sys
import threading
import time

import pymysql

import servers
from harness import Chain, Counter, ask, finish
from recorded import DDL, SCHEMA, Comparison, Recorder, in_order, literals, quote

LONG = 500  # rows of the table that is read in several pieces
UNSAID = "the record says nothing"


class Filled(Recorder):
    """A workload upon tables that have rows already."""

    def create(self):
        super().create()
        body = "(id INT NOT NULL PRIMARY KEY, v INT, w VARCHAR(300))"
        for table in ("long_one", "still"):
            self.sql("CREATE TABLE %s %s" % (table, body))
            rows = ("(%d, %d, %s)" % (i, self.r.randint(-99, 99), quote(self.text() * 3)) for i in range(1, LONG + 1))
            self.sql("INSERT INTO %s VALUES %s" % (table, ", ".join(rows)))
        self.keys.update(long_one=["id"], still=["id"])
        self.seen.update(long_one={}, still={})
        self.tables.append("long_one")
        for _ in range(40):
            self.transaction()
        self.tables.append("still")
        self.note(heavy=True)
        self.tables.remove("still")
        self.failed = None

    def key(self, table):
        return [self.r.randint(1, LONG + 90)] if table == "long_one" else super().key(table)

    def work_safely(self, transactions):
        try:
            self.work(transactions)
        except Exception as e:
            self.failed = e


class Live(Comparison):
    def __init__(self, chain, recorder, counters):
        super().__init__(chain, recorder)
        self.snapshots, self.flashbacks, self.unsaid, self.changes, self.gone = counters
        self.changed = [{}]  # after each state: the keys of each table that changed in the record

    def follow(self, states):
        """Notes which keys have changed up to each state."""
        while len(self.changed) < states:
            (_, was, _), (_, now, real) = self.recorder.states[len(self.changed) - 1:len(self.changed) + 1]
            after = dict(self.changed[-1])
            if "couples" in now and "couples" not in was:
                after["couples"] = after.get("pairs", frozenset())
            for table, (columns, rows) in now.items():
                if real and table in was:
                    before = was[table][1]
                    differ = {key for key in {*before, *rows} if before.get(key) != rows.get(key)} if before != rows else ()
                    after[table] = after.get(table, frozenset()).union(differ)
            self.changed.append(after)

    def state(self, point, state, changed, sample):
        """All tables at a point."""
        for table, (columns, found) in state.items():
            keys = list(self.recorder.seen[table])
            self.rows(self.snapshots, table, point, columns, found, "_snapshot", keys)
            self.rows(self.flashbacks, table, point, columns, found, "_flashback", changed.get(table, ()))
            others = [key for key in keys if key not in changed.get(table, ())]
            for key in self.recorder.r2.sample(others, min(len(others), sample)):
                self.one(table, point, key, found)
        if "bytes" not in state:
            for virtual in ("_snapshot", "_flashback"):
                self.refused("SELECT * FROM %s.bytes %s WHERE k = x'00'" % (virtual, point), "does not exist")

    def one(self, table, point, key, found):
        where = " AND ".join("%s = %s" % x for x in zip(self.recorder.keys[table], literals(table, key)))
        sql = "SELECT * FROM _flashback.%s %s WHERE %s" % (table, point, where)
        try:
            got = ask(self.cursor, sql)[1]
            self.unsaid.equal(got, [found[key]] if key in found else [], "an answer: " + sql)
        except pymysql.MySQLError as e:
            # From a first change after an ALTER there may be no way back to what the row was before it.
            self.unsaid.check(UNSAID in e.args[1] or "is not recorded (by: ALTER" in e.args[1], "a refusal: " + sql, e.args)

    def refused(self, sql, why):
        try:
            self.gone.check(False, "an answer: " + sql, ask(self.cursor, sql)[1], why)
        except pymysql.MySQLError as e:
            self.gone.check(why in e.args[1], "the refusal: " + sql, e.args, why)

    def tick(self, i, gtids, keys):
        """Everything of one tick; `gtids`: of the states before it every so many; `keys`: of how many the changes."""
        recorder = self.recorder
        first, last = recorder.noted[i - 1] if i else 0, recorder.noted[i]
        self.follow(last + 1)
        instant, state = recorder.ticks[i]
        self.state("AS OF '%s'" % instant, state, self.changed[last], 3)
        for n in range(first + 1, last, gtids):
            gtid, state, _ = recorder.states[n]
            self.state("AT GTID '%s'" % gtid, state, self.changed[n], 1)
        if keys and i:
            for table in recorder.states[last][1]:
                whole = table in recorder.states[first][1]
                if whole and table != "heavy":
                    some = sorted(self.changed[last].get(table, frozenset()), key=in_order(table))[:keys]
                    self.diff(self.changes, table, recorder.ticks[i - 1][0], instant, first, last + 1, some)

    def end(self, keys, ticks=range(len(DDL))):
        for i in ticks:
            self.tick(i, 4, keys)
        instant = self.recorder.ticks[-1][0]
        columns, found = self.recorder.states[0][1]["still"]
        self.rows(self.snapshots, "still", "AS OF '%s'" % instant, columns, found, "_snapshot")
        self.refused("SELECT * FROM _flashback.still AS OF '%s' WHERE id = 1" % instant, UNSAID)
        got = ask(self.cursor, "SELECT * FROM _snapshot.addresses AS OF '%s' WHERE id = 1" % instant)
        self.snapshots.equal(got, self.recorder.addresses, "UUID, INET6 and INET4")


def caught_up(server, api, seconds=60):
    """Waits until the agent has all that is committed now."""
    with server.connect() as conn:
        now = ask(conn.cursor(), "SELECT DATE_FORMAT(UTC_TIMESTAMP() + INTERVAL 1 SECOND, '%Y-%m-%dT%T.000000Z')")[1][0][0].decode()
    return api.wait(lambda s: s["newest"] and s["newest"] >= now, "the instant " + now, seconds)


def rfc(instant):
    return instant.replace(" ", "T") + ".000000Z"


def run(kind, options, seed):
    names = ["_snapshot", "_flashback", "nothing recorded", "_diff", "what is gone"]
    counters = [Counter("%s: %s" % (kind, name)) for name in names]
    with servers.start(kind, "--max-binlog-size=262144", "--max-allowed-packet=64M", *options) as server:
        recorder = Filled(server, seed)
        recorder.r2 = random.Random(seed)
        recorder.create()
        with Chain(None, schema=SCHEMA, source="mysql://root@127.0.0.1:%d" % server.port, options=["--baseline-rate", "500"]) as chain:
            chain.api.wait(lambda s: s["oldest"], "the record begins")
            live = Live(chain, recorder, counters)
            work = threading.Thread(target=recorder.work_safely, args=(6,), daemon=True)
            work.start()
            done, during = 0, 0
            while work.is_alive() or done < len(recorder.ticks):
                status = chain.api.status()
                if done < len(recorder.ticks) and status["newest"] and status["newest"] >= rfc(recorder.ticks[done][0]) and status["baseline"]["done"] == status["baseline"]["total"]:
                    live.tick(done, 1000, 3)
                    done += 1
                    during += work.is_alive()
                else:
                    time.sleep(0.1)
            if recorder.failed:
                raise recorder.failed
            counters[0].check(during >= len(DDL) // 2, "ticks compared while the workload ran", during)
            server_end = caught_up(server, chain.api)
            counters[0].equal(server_end["gaps"], [], "no gap")
            wrong = [t for t in server_end["tables"] if not t["readable"] and t["table"] not in ("bytes", "pairs")]
            counters[0].equal(wrong, [], "every table can be read")
            live.end(20)
            chain.agent.stop()
            chain.start_agent()
            chain.api.wait(lambda s: s["connected"], "the agent is back")
            live.end(0, (0, 6, 12))
            counters[0].check("ERROR" not in "".join(p.output() for p in chain.processes), "no error in the logs",
                              [line for p in chain.processes for line in p.output().splitlines() if "ERROR" in line][:3])
    return counters


def main():
    seed = int(sys.argv[sys.argv.index("--seed") + 1]) if "--seed" in sys.argv else random.randrange(10 ** 6)
    print("seed %d" % seed, flush=True)
    compressed = ["--log-bin-compress=ON", "--log-bin-compress-min-len=10", "--character-set-server=utf8mb4"]
    kind, options = servers.chosen(None)
    rounds = [options] if options is not None else [[*compressed, "--binlog-row-metadata=" + m] for m in ("FULL", "MINIMAL")]
    counters = [c for options in rounds for c in run(kind, options, seed)]
    finish(counters, 20000 * len(rounds))


if __name__ == "__main__":
    main()
