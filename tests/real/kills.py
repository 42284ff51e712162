#!/usr/bin/env python3
"""kill -9 of the agent and of the database while a workload runs: afterwards the captured history equals the binary log.

The agent is killed 50 times at random moments, the database five times; in between both come back at once. Then a second agent reads
the server's own log files, from its first day on, and every table of both is compared: all changes of all keys (type, time,
GTID, key, images), and all rows at a number of instants. First of all the agent is killed while it reads the tables for the baseline.
`--seed N` repeats a run, as far as moments can be repeated.
"""
import random
import re
import sys
import threading
import time

import pymysql

from harness import Chain, Counter, MariaDb, ask, finish
from live import Filled, caught_up
from recorded import SCHEMA

KILLS = 50
CRASHES = 5
BASELINE_KILLS = 8
BIG = 6000  # rows of the table whose reading is interrupted
# Run from time to time between transactions, and undone by the next.
DDL = [
    ("ALTER TABLE kinds ADD COLUMN more INT NULL DEFAULT 4 AFTER ti", "ALTER TABLE kinds DROP COLUMN more"),
    ("ALTER TABLE days MODIFY COLUMN n DECIMAL(12,2) NULL", "ALTER TABLE days MODIFY COLUMN n DECIMAL(13,2) NULL"),
    ("TRUNCATE TABLE days",),
    ("TRUNCATE TABLE brief", "INSERT INTO brief SELECT seq, seq FROM seq_1_to_20"),
    ("DROP TABLE brief", "CREATE TABLE brief (id INT NOT NULL PRIMARY KEY, v INT)"),
    ("ALTER TABLE pairs ADD COLUMN late VARCHAR(9) NOT NULL DEFAULT 'né', ALGORITHM=COPY", "ALTER TABLE pairs DROP COLUMN late"),
]
# All keys of the tables, as ranges of the last key column.
WHOLE = {
    "kinds": [([], "0", "18446744073709551615")], "days": [([], "1000-01-01", "9999-12-31")], "heavy": [([], "-9", "99")],
    "bytes": [([], {"hex": ""}, {"hex": "ff" * 8})], "pairs": None, "long_one": [([], "-9", "99999")], "still": [([], "-9", "99999")],
    "brief": [([], "-9", "99999")], "big": [([], "-9", "99999")],
}


class Stubborn(Filled):
    """A workload that goes on when the server comes back."""

    def create(self):
        self.stop = threading.Event()
        self.ddl = DDL[:2]  # as long as the baseline is read: what rows TRUNCATE takes away before they are read is not known
        super().create()
        self.tables.append("big")
        self.keys.update(big=["id"], brief=["id"])
        self.sql("CREATE TABLE big (id INT NOT NULL PRIMARY KEY, v INT, w VARCHAR(300))")
        self.sql("INSERT INTO big SELECT seq * 3, seq, REPEAT('x', seq MOD 40) FROM seq_1_to_%d" % BIG)
        self.sql("CREATE TABLE brief (id INT NOT NULL PRIMARY KEY, v INT)")
        self.sql("INSERT INTO brief SELECT seq, seq FROM seq_1_to_20")
        self.transactions = self.lost = self.statements = 0

    def key(self, table):
        return [self.r.randint(0, BIG * 3 + 9)] if table == "big" else super().key(table)

    def value(self, table, column):
        return self.r.randint(1, 9) if column in ("more", "late") else super().value(table, column)

    def change(self):
        if self.r.random() < 0.9 or "big" not in self.tables:
            return super().change()
        self.sql("UPDATE big SET v = v + 1 WHERE id BETWEEN %d AND %d" % ((lambda a: (a, a + 900))(self.r.randint(0, BIG * 3))))

    def on_and_on_safely(self):
        try:
            self.on_and_on()
        except Exception as e:
            self.failed = e

    def on_and_on(self):
        undo = None
        while not self.stop.is_set():
            try:
                if self.r.random() < 0.04:
                    first, *rest = undo if undo else self.r.choice(self.ddl)
                    undo = None
                    self.statements += 1
                    undo = rest
                    self.sql(first)
                self.transaction()
                self.transactions += 1
            except (pymysql.MySQLError, OSError) as e:
                if isinstance(e, pymysql.MySQLError) and e.args and e.args[0] in (1054, 1060, 1091, 1050, 1051, 1146):
                    continue  # a statement of DDL that a crash had cut off
                self.lost += 1
                self.again()

    def again(self):
        while not self.stop.is_set():
            try:
                self.conn = pymysql.connect(host="127.0.0.1", port=self.port, user="root", charset="utf8mb4", use_unicode=False, autocommit=True,
                                            conv=pymysql.converters.encoders, database=SCHEMA, init_command="SET time_zone = '+00:00', sql_mode = ''")
                self.cursor = self.conn.cursor()
                return
            except (pymysql.MySQLError, OSError):
                time.sleep(0.05)


def request(table, keys, body):
    columns = ["a", "b"] if table == "pairs" else {"bytes": ["k"], "days": ["d"]}.get(table, ["id"])
    if isinstance(keys, tuple):
        prefix, low, high = keys
        keys = {"columns": columns, "range": {"prefix": prefix, "from": low, "to": high}}
    else:
        keys = {"columns": columns, "values": keys}
    return {"server_id": "real", "schema": SCHEMA, "table": table, "keys": keys, **body}


def keys_of(table):
    if WHOLE[table] is not None:
        return WHOLE[table]
    return [[[str(a), b + str(i)] for a in range(-4, 8) for b in ("x", "X", "é", "a'b", "q ") for i in range(4)]]


def rfc(micros):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(micros // 1000000)) + ".%06dZ" % (micros % 1000000)


def micros(text):
    whole, _, rest = text.rstrip("Z").partition(".")
    return int(time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) - time.timezone) * 1000000 + int((rest + "000000")[:6])


def changes(api, table, keys, since, until):
    """The changes as (definition, who made it, event without its id), or the refusal."""
    end = time.monotonic() + 120
    while True:
        lines, refusal = api.lines("/v1/diff", request(table, keys, {"since": rfc(since), "until": rfc(until)}))
        # "Ask again": it has more of the log to take in.
        if not refusal or refusal[0] != "overloaded" or time.monotonic() > end:
            break
        time.sleep(0.2)
    if refusal:
        return None, refusal
    columns, origin, events = [c["name"] for c in lines[0]["columns"]], None, []
    for line in lines[1:-1]:
        if "definition" in line:
            columns = [c["name"] for c in line["definition"]["columns"]]
        elif "origin" in line:
            origin = line["origin"]
        else:
            # The numbers of events are those of one history.
            event = {name: value for name, value in line["event"].items() if name not in ("event_id", "cause")}
            events.append((columns, origin, event))
    return events, None


def compare_changes(count, both, table, keys, since, until):
    """All changes in the window; what both refuse for the same reason is halved, down to a second."""
    captured, read = both
    want, why = changes(read, table, keys, since, until)
    got, why_not = changes(captured, table, keys, since, until)
    if want is not None and got is not None:
        if len(got) == len(want):
            for g, w in zip(got, want):
                count.equal(g, w, "change of %s" % table)
            return len(want)
        missing = [w[1] for w in want if w not in got]
        more = [g[1] for g in got if g not in want]
        count.check(False, "number of changes of %s" % table, (len(got), "too many", more[:2]), (len(want), "missing", missing[:2]))
        return 0
    if want is not None and why_not and why_not[0] == "ambiguous_time" and until - since <= 1000000:
        return compare_rest(count, captured, table, keys, want, (since, until), why_not[1])
    if want is None and why[0] == "ambiguous_time" and until - since <= 1000000:
        return compare_wider(count, both, table, keys, (since, until), why[1])
    if (want is None) != (got is None) and until - since <= 1000000:
        count.check(False, "one refuses %s from %s to %s" % (table, rfc(since), rfc(until)), why_not or len(got), why or len(want))
        return 0
    if until - since <= 1000000:
        count.equal(why_not[0], why[0], "refusal of %s" % table)
        return 0
    middle = since + (until - since) // 2000000 * 1000000
    middle = middle if middle > since else since + 1000000
    return compare_changes(count, both, table, keys, since, middle - 1) + compare_changes(count, both, table, keys, middle, until)


def compare_wider(count, both, table, keys, window, why):
    """A window at whose end the log files alone do not say whether a change was before it or after it: a statement that ended in another second than it
    began. Who saw it happen may know, and answers, or refuses for a reason of its own. So the window is made wider, until all that is in doubt lies in it,
    and both are asked for that."""
    captured, read = both
    (since, until), want = window, None
    for _ in range(9):
        begin, end = (re.search(form, why) for form in (r"begin at (\S+), which takes it in", r"end at (\S+), which takes it in"))
        since, until = (min(since, micros(begin[1])) if begin else since), (max(until, micros(end[1])) if end else until)
        want, refusal = changes(read, table, keys, since, until)
        if want is not None or refusal[0] != "ambiguous_time":
            break
        why = refusal[1]
    got, why_not = changes(captured, table, keys, since, until)
    if want is not None and got is not None:
        count.equal(got, want, "changes of %s from %s to %s" % (table, rfc(since), rfc(until)))
        return len(want)
    if want is not None and why_not[0] == "ambiguous_time":
        return compare_rest(count, captured, table, keys, want, (since, until), why_not[1])
    count.equal(why_not and why_not[0], refusal and refusal[0], "refusal of %s from %s to %s: %s, %s" % (table, rfc(since), rfc(until), why_not, refusal))
    return 0


def compare_rest(count, captured, table, keys, want, window, why):
    """A window with an end where a change became visible is refused by who saw it: the rest of it is compared, up to or from where
    the refusal says that the change is left out."""
    (since, until), got = window, None
    for _ in range(2):
        begin, end = (re.search(form, why) for form in (r"or at (\S+), which leaves it out", r"or before (\S+), which leaves it out"))
        since, until = (micros(begin[1]) if begin else since), (micros(end[1]) - 1 if end else until)
        got, refusal = changes(captured, table, keys, since, until) if since <= until else ([], None)
        if got is not None or refusal[0] != "ambiguous_time":
            break
        why = refusal[1]
    at = next((n for n in range(len(want)) if want[n:n + len(got)] == got), None) if got is not None else None
    count.check(at is not None and len(got) < len(want), "the rest of a window of %s" % table, (since, until, got and len(got), why), len(want))
    return len(got or [])


def compare_rows(count, both, table, keys, at):
    captured, read = both
    want, why = read.lines("/v1/flashback", request(table, keys, {"at": at}))
    got, why_not = captured.lines("/v1/snapshot", request(table, keys, {"at": at}))
    if want is None or got is None:
        count.equal(why_not and why_not[0], why and why[0], "refusal of %s at %s: %s, %s" % (table, at, why, why_not))
        return
    names = lambda lines: [c["name"] for c in lines[0]["columns"]]
    count.equal(names(got), names(want), "columns of %s" % table)
    if got[1:-1] != want[1:-1]:
        differ = [(g, w) for g, w in zip(got[1:-1], want[1:-1]) if g != w][:2]
        count.check(False, "rows of %s at %s" % (table, at), (len(got), differ), len(want))
        return
    count.passed += max(1, len(want) - 2)


def compare(counters, server, chain, gtids):
    """The captured history and the one that the log files give."""
    by_change, by_row = counters
    with server.connect() as conn:
        time.sleep(1.1)
        conn.cursor().execute("FLUSH BINARY LOGS")
    status = caught_up(server, chain.api)
    by_change.equal(status["gaps"], [], "no gap")
    with Chain(server.binlogs()[:-1], schema=SCHEMA) as files:
        both = (chain.api, files.api)
        read = files.api.status()
        since, until = micros(status["oldest"]), min(micros(read["newest"]), micros(status["newest"]))
        total = 0
        for table in WHOLE:
            for keys in keys_of(table):
                found = compare_changes(by_change, both, table, keys, since, until)
                total += found
                for n in range(9):
                    at = since + (until - since) * n // 8 // 1000000 * 1000000
                    compare_rows(by_row, both, table, keys, {"time": rfc(at)})
                for gtid in gtids:
                    compare_rows(by_row, both, table, keys, {"gtid": gtid})
        print("%d changes from %s to %s, %d log files" % (total, rfc(since), rfc(until), len(files.origin) - 1), flush=True)
        return total


def main():
    seed = int(sys.argv[sys.argv.index("--seed") + 1]) if "--seed" in sys.argv else random.randrange(10 ** 6)
    print("seed %d" % seed, flush=True)
    r = random.Random(seed)
    counters = [Counter("changes against the log"), Counter("rows against the log")]
    with MariaDb("--max-binlog-size=1M", "--max-allowed-packet=64M", "--character-set-server=utf8mb4", "--sync-binlog=1",
                 "--innodb-flush-log-at-trx-commit=1") as server:
        recorder = Stubborn(server, seed)
        recorder.port = server.port
        recorder.create()
        # The table is read for six seconds and more.
        options = ["--baseline-rate", "1200"]
        with Chain(None, schema=SCHEMA, source="mysql://root@127.0.0.1:%d" % server.port, options=options) as chain:
            chain.api.wait(lambda s: s["oldest"], "the record begins")
            work = threading.Thread(target=recorder.on_and_on_safely, daemon=True)
            work.start()
            gtids, killed, reading = [], 0, 0
            crash_at = {BASELINE_KILLS + (n + 1) * KILLS // (CRASHES + 1) for n in range(CRASHES)}
            while killed < BASELINE_KILLS + KILLS:
                if killed == BASELINE_KILLS:
                    chain.api.wait(lambda s: s["connected"] and s["baseline"]["done"] == s["baseline"]["total"], "the baseline is read", 120)
                    recorder.ddl = DDL
                if killed < BASELINE_KILLS:
                    status = chain.api.wait(lambda s: s["connected"], "it is back")
                    reading += status["baseline"]["done"] < status["baseline"]["total"]
                time.sleep(r.choice([0, 0.1, 0.3, 0.6, 1.0]) * r.random())
                chain.agent.kill()
                killed += 1
                if killed in crash_at:
                    server.server.kill()
                    chain.start_agent()
                    server.start()
                else:
                    chain.start_agent()
                if killed % 10 == 0:
                    try:
                        with server.connect() as conn:
                            gtids.append(ask(conn.cursor(), "SELECT @@GLOBAL.gtid_binlog_pos")[1][0][0].decode())
                    except pymysql.MySQLError:
                        pass
            chain.api.wait(lambda s: s["connected"], "it is back", 120)
            recorder.stop.set()
            work.join()
            print("%d kills of the agent (%d while it read tables), %d of the server; %d transactions, %d cut off, %d DDL statements" % (
                killed, reading, CRASHES, recorder.transactions, recorder.lost, recorder.statements), flush=True)
            counters[0].check(reading >= BASELINE_KILLS // 2, "kills while the baseline was read", reading)
            counters[0].check(recorder.transactions > 300 and recorder.lost, "the workload went on", recorder.transactions)
            counters[0].equal(recorder.failed, None, "the workload")
            compare(counters, server, chain, gtids)
            panics = [p.log for p in chain.processes if re.search("panicked|damaged", p.output())]
            counters[0].equal(panics, [], "no panic")
    finish(counters, 5000)


if __name__ == "__main__":
    main()
