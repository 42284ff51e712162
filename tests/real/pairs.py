#!/usr/bin/env python3
"""Two servers, one of which replicates the other: a failover that loses a transaction, semi-synchronous replication that holds commits back after they are logged,
and a log with several GTID domains.

    pairs.py                        # all
    pairs.py failover mysql         # those trials, those servers
"""
import sys
import threading
import time

import servers
from faults import Proxy
from harness import Chain, Counter, finish
from sources import capture, row, run, settled

# Seconds within which a gap must be seen once the other server answers: reconnecting alone takes one or two.
NOTICED = 12


def replicate(kind, source, s, r):
    """Makes the second server a replica of the first, by GTID."""
    run(s, "CREATE USER repl IDENTIFIED BY 'repl'", "GRANT REPLICATION SLAVE ON *.* TO repl")
    if kind == "mysql":
        run(r, "RESET BINARY LOGS AND GTIDS", "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = %d, SOURCE_USER = 'repl', SOURCE_PASSWORD = 'repl', "
            "SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1" % source.port, "START REPLICA")
    else:
        run(r, "RESET MASTER", "SET GLOBAL gtid_slave_pos = ''", "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = %d, MASTER_USER = 'repl', "
            "MASTER_PASSWORD = 'repl', MASTER_USE_GTID = slave_pos%s" % (source.port, ", MASTER_SSL_VERIFY_SERVER_CERT = 0" if kind == "mariadb-11.8" else ""), "START SLAVE")


def arrives(connection, sql, want, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            got = run(connection, sql)
        except Exception:  # the table is not there yet
            got = None
        if got and got[0][0] == want:
            return
        time.sleep(0.05)
    raise RuntimeError("%s is not %r" % (sql, want))


def failover(kind, counter):
    """The address leads to the replica, which does not have the last transaction of its source."""
    more = [] if kind == "mysql" else ["--log-slave-updates=ON"]
    with servers.start(kind) as first, servers.start(kind, "--server-id=8", *more) as second:
        with first.connect() as s, second.connect() as r:
            replicate(kind, first, s, r)
            run(s, "CREATE DATABASE w", "CREATE TABLE w.t (id INT PRIMARY KEY, v INT)", "INSERT INTO w.t VALUES (1, 1), (2, 1)")
            arrives(r, "SELECT COUNT(*) FROM w.t", b"2")
            proxy = Proxy(first.port)
            with Chain([], source="mysql://root@127.0.0.1:%d" % proxy.port) as chain:
                chain.api.wait(lambda x: x["connected"] and x["baseline"] and x["baseline"]["done"] == 1, "it captures")
                run(s, "UPDATE w.t SET v = 2 WHERE id = 1")
                arrives(r, "SELECT v FROM w.t WHERE id = 1", b"2")
                run(r, "STOP REPLICA" if kind == "mysql" else "STOP SLAVE")
                run(s, "UPDATE w.t SET v = 3 WHERE id = 1")
                lost = settled(chain)
                counter.equal(row(chain, "t", 1, lost), ["1", "3"], "what is lost later was there")
                # An idle time that is known is no part of the gap.
                time.sleep(2)
                known = chain.api.status()["newest"]
                run(r, "RESET REPLICA ALL" if kind == "mysql" else "RESET SLAVE ALL")
                proxy.target = second.port
                proxy.cut()
                began = time.monotonic()
                run(r, "UPDATE w.t SET v = 20 WHERE id = 2")
                status = chain.api.wait(lambda x: x["gaps"] and x["connected"], "a gap", 60)
                took = time.monotonic() - began
                print("%s: the gap is seen after %.1f s: %s" % (counter.name, took, status["gaps"]), flush=True)
                counter.check(took < NOTICED, "how soon the gap is seen", took, NOTICED)
                gap = status["gaps"][0]
                counter.check(("took over without it" in gap["reason"] or "does not have all transactions" in gap["reason"]) and "purged" not in gap["reason"], "its reason", gap["reason"])
                counter.check(gap["from"] >= known, "it begins at the last instant that was known", gap["from"], known)
                after = settled(chain)
                counter.equal([row(chain, "t", i, after) for i in (1, 2)], [["1", "2"], ["2", "20"]], "rows after the gap")
                counter.equal(row(chain, "t", 1, lost), ["1", "3"], "and before it")
                counter.equal(len(chain.api.status()["gaps"]), 1, "one gap")


def semi_sync(kind, counter):
    """AFTER_SYNC: a commit is in the log, and nobody sees it until a replica has answered or the time is over."""
    if kind == "mysql":
        side, plugins = "source", [["INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'"], ["INSTALL PLUGIN rpl_semi_sync_replica SONAME 'semisync_replica.so'"]]
        replica, stop, start = "replica", "STOP REPLICA", "START REPLICA"
    else:
        side, plugins, replica, stop, start = "master", [["DO 0"], ["DO 0"]], "slave", "STOP SLAVE", "START SLAVE"
    more = [] if kind == "mysql" else ["--log-slave-updates=ON"]
    with servers.start(kind) as first, servers.start(kind, "--server-id=8", *more) as second:
        with first.connect() as s, second.connect() as r, first.connect() as looking:
            run(s, *plugins[0])
            run(r, *plugins[1])
            run(r, "SET GLOBAL rpl_semi_sync_%s_enabled = ON" % replica)
            run(s, "SET GLOBAL rpl_semi_sync_%s_enabled = ON" % side, "SET GLOBAL rpl_semi_sync_%s_timeout = 5000" % side, "SET GLOBAL rpl_semi_sync_%s_wait_point = 'AFTER_SYNC'" % side)
            replicate(kind, first, s, r)
            run(s, "CREATE DATABASE w", "CREATE TABLE w.t (id INT PRIMARY KEY, v INT)", "INSERT INTO w.t VALUES (1, 1), (2, 1)",
                "CREATE TABLE w.u (id INT PRIMARY KEY, v INT)", "INSERT INTO w.u VALUES (1, 1)")
            arrives(r, "SELECT COUNT(*) FROM w.u", b"1")
            run(looking, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            with capture(first) as chain:
                time.sleep(1)
                run(s, "UPDATE w.t SET v = 2 WHERE id = 2")
                time.sleep(7)
                for table, statements in (("t", ["UPDATE w.t SET v = 7 WHERE id = 1"]),
                                          # Rows of it are unknown from there, and are read again: not before the change is to be seen.
                                          ("u", ["SET SESSION binlog_format = STATEMENT", "UPDATE w.u SET v = 7 WHERE id = 1", "SET SESSION binlog_format = ROW"])):
                    run(r, stop)
                    waits = threading.Thread(target=run, args=(s, *statements))
                    began = time.time()
                    waits.start()
                    while run(looking, "SELECT v FROM w.%s WHERE id = 1" % table)[0][0] != b"7":
                        time.sleep(0.02)
                    seen = time.time()
                    waits.join()
                    print("%s: %s was seen %.2f s after it began" % (counter.name, statements, seen - began), flush=True)
                    counter.check(seen - began > 3, "the server waited", seen - began)
                    after = settled(chain)
                    for at in (began + 0.3, (began + seen) / 2, seen - 0.3):
                        got = row(chain, table, 1, at)
                        refused = ("ambiguous_time",) if table == "t" else ("ambiguous_time", "not_recorded", "unknown_history")
                        counter.check(got == ["1", "1"] or isinstance(got, tuple) and (got[0] in refused or table == "u"), "%s, %.1f s before it was seen" % (table, seen - at), got)
                        counter.equal(row(chain, "t", 2, at), ["2", "2"], "another row then")
                    counter.equal(row(chain, table, 1, began - 1.5), ["1", "1"], "before it: " + table)
                    counter.equal(row(chain, table, 1, after), ["1", "7"], "after it: " + table)
                    counter.equal(row(chain, table, 1, max(after, seen + 6)) if after >= seen + 6 else ["1", "7"], ["1", "7"], "later: " + table)
                    # Semi-synchronous again: the replica has caught up.
                    run(r, start)
                    status = "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_%s_status'" % side
                    for again in range(20):
                        run(s, "REPLACE INTO w.t VALUES (9, %d)" % again)
                        time.sleep(0.3)
                        if run(looking, status)[0][1] == b"ON":
                            break
                    counter.check(again < 19, "semi-synchronous again", run(looking, status))
                    time.sleep(1.5)


def domains(kind, counter):
    """Numbers of several GTID domains, each in its own order: no clock went back."""
    with servers.start(kind) as server:
        with server.connect() as c, server.connect() as d:
            run(c, "CREATE DATABASE w", "CREATE TABLE w.t (id INT PRIMARY KEY, v INT)", "INSERT INTO w.t VALUES (1, 0), (2, 0)", "SET gtid_domain_id = 7")
            run(d, "SET gtid_domain_id = 2", "SET gtid_seq_no = 1000", "UPDATE w.t SET v = 1 WHERE id = 2")
            with capture(server) as chain:
                time.sleep(1.2)
                marks = []
                for v in range(1, 4):
                    run(c, "UPDATE w.t SET v = %d WHERE id = 1" % v)
                    run(d, "UPDATE w.t SET v = %d WHERE id = 2" % (v * 10))
                    marks.append((settled(chain), v, run(c, "SELECT @@gtid_binlog_pos")[0][0].decode()))
                for at, v, _ in marks:
                    counter.equal([row(chain, "t", i, at) for i in (1, 2)], [["1", str(v)], ["2", str(v * 10)]], "by time, %d" % v)
                counter.equal(chain.api.status()["gaps"], [], "no gap")
                counter.check("back" not in chain.agent.output(), "no word of a clock that went back", [line for line in chain.agent.output().splitlines() if "back" in line])


TRIALS = [(failover, "mariadb-11.8"), (failover, "mysql"), (semi_sync, "mysql"), (semi_sync, "mariadb-11.8"), (domains, "mariadb-11.8")]


def main():
    wanted, counters = sys.argv[1:], []
    for trial, kind in TRIALS:
        name = "%s %s" % (trial.__name__, kind)
        if wanted and not all(word in name for word in wanted):
            continue
        counters.append(Counter(name))
        trial(kind, counters[-1])
    finish(counters, 4)


if __name__ == "__main__":
    main()
