#!/usr/bin/env python3
"""Sources that are set up in ways that change what can be known: foreign keys that go through tables which are left out of the capture, names in lower case,
default collations that are not in the log, an encrypted log. Each on real servers, captured live.
"""
import datetime
import os
import subprocess
import sys
import tempfile
import time

import pymysql

import servers
from harness import Chain, Counter, binary, finish

SCHEMA = "w"


def run(connection, *statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall()


def text(instant):
    return datetime.datetime.fromtimestamp(instant, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def capture_at_once(server, *options):
    return Chain([], source="mysql://root@127.0.0.1:%d" % server.port, options=options)


def capture(server, *options):
    chain = capture_at_once(server, *options)
    read(chain)
    return chain


def read(chain):
    """Waits until all tables are read."""
    def done(status):
        progress = status["baseline"] or {"done": 0, "total": 0}
        return status["connected"] and status["newest"] and progress["done"] == progress["total"]

    return chain.api.wait(done, "the tables are read")


def settled(chain):
    """An instant of which everything is known that was done before."""
    instant = time.time() + 1.2
    chain.api.wait(lambda s: s["newest"] and s["newest"] >= text(instant), "the newest instant is " + text(instant))
    read(chain)
    chain.api.wait(lambda s: s["newest"] >= text(time.time() - 1.5), "the newest instant follows")
    return instant


def row(chain, table, key, instant, kind="snapshot", columns=("id",)):
    """The row as a list, [] for none; or the code and sentence of the refusal."""
    body = {"server_id": "real", "schema": SCHEMA, "table": table, "keys": {"columns": list(columns), "values": [[str(key)]]}, "at": {"time": text(instant)}}
    lines, refused = chain.api.lines("/v1/" + kind, body)
    if refused:
        return refused
    return lines[1] if len(lines) > 2 else []


def now(chain, table, key):
    """The row as it is now, once that is known: what had to start over has been read again."""
    end = time.monotonic() + 20
    while True:
        got = row(chain, table, key, settled(chain))
        if isinstance(got, list) or time.monotonic() > end:
            return got


# What MariaDB logs as `RENAME TABLE t TO o, n TO t` is done to tables of these names, to temporary ones that hide them, or to one of each.
SWAP = "RENAME TABLE t TO o, n TO t"
HIDES = "CREATE TEMPORARY TABLE %s (id INT PRIMARY KEY, v INT)"


def temporary(server, counter):
    """A swap of tables, and one of temporary tables that hide them, in every mixture that the server takes."""
    for hidden, following in (([], {"t": "20", "o": "10"}), (["t", "n"], {"t": "10", "n": "20"}), (["n"], {"o": "10", "n": "20"}), (["t"], None)):
        with server.connect() as c:
            run(c, "DROP DATABASE IF EXISTS w", "CREATE DATABASE w", "USE w", "CREATE TABLE t (id INT PRIMARY KEY, v INT)", "CREATE TABLE n (id INT PRIMARY KEY, v INT)",
                "INSERT INTO t VALUES (1, 10)", "INSERT INTO n VALUES (1, 20)")
        with server.connect() as c, capture(server) as chain:
            run(c, "USE w", *(HIDES % name for name in hidden))
            before = settled(chain)
            try:
                run(c, SWAP)
                counter.check(following is not None, "the server takes it: %s" % hidden)
            except pymysql.MySQLError as e:
                counter.check(following is None and e.args[0] == 1050, "the server refuses it: %s" % hidden, e.args)
                following = {"t": "10", "n": "20"}
            first = settled(chain)
            wanted = {name: ["1", following[name]] if name in following else "none" for name in ("t", "o", "n")}

            def found(instant):
                reported = {name: row(chain, name, 1, instant) for name in wanted}
                return {name: "none" if isinstance(got, tuple) and got[0] == "unknown_table" or got == [] else got for name, got in reported.items()}

            wrong = {name: got for name, got in found(first).items() if got != wanted[name] and not isinstance(got, tuple)}
            counter.equal(wrong, {}, "right or refused at once: %s" % hidden)
            time.sleep(1.2)
            last = found(settled(chain))
            right = {name: got for name, got in last.items() if name in following}
            counter.equal(right, {name: wanted[name] for name in following}, "read again: %s" % hidden)
            counter.check(all(last[name] == "none" or isinstance(last[name], tuple) for name in wanted if name not in following), "and no others", last)
            counter.equal([row(chain, name, 1, before) for name in ("t", "n")], [["1", "10"], ["1", "20"]], "before it: %s" % hidden)


# Nothing of `between` and `links` is captured, nor of the schema `other`.
FAMILY = [
    "CREATE DATABASE w", "CREATE DATABASE other", "USE w",
    "CREATE TABLE grand (id INT PRIMARY KEY, v INT)",
    "CREATE TABLE between_them (id INT PRIMARY KEY, g INT, FOREIGN KEY (g) REFERENCES grand (id) ON DELETE CASCADE ON UPDATE CASCADE)",
    "CREATE TABLE other.links (id INT PRIMARY KEY, b INT, FOREIGN KEY (b) REFERENCES w.between_them (id) ON DELETE CASCADE)",
    "CREATE TABLE child (id INT PRIMARY KEY, b INT, v INT, FOREIGN KEY (b) REFERENCES between_them (id) ON DELETE CASCADE)",
    "CREATE TABLE far (id INT PRIMARY KEY, l INT, FOREIGN KEY (l) REFERENCES other.links (id) ON DELETE SET NULL)",
    "CREATE TABLE plain (id INT PRIMARY KEY, v INT)",
    "CREATE TABLE later (id INT PRIMARY KEY, g INT)",
    "CREATE TABLE below_later (id INT PRIMARY KEY, l INT, FOREIGN KEY (l) REFERENCES later (id) ON DELETE CASCADE)",
    *("INSERT INTO %s VALUES %s" % (table, ", ".join("(%d, %d)" % (i, i) for i in range(1, 6))) for table in ("grand", "between_them", "other.links", "far", "plain", "later", "below_later")),
    "INSERT INTO child VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4), (5, 5, 5)",
]


def excluded(server, counter):
    """Rows of captured tables go with rows of a captured table, through tables that are left out."""
    with server.connect() as c:
        run(c, *FAMILY)
    with server.connect() as c, capture(server, "--exclude", "w.between_them", "--exclude", "w.later", "--exclude", "other.*") as chain:
        run(c, "USE w")
        first = settled(chain)
        counter.equal([row(chain, t, 1, first) for t in ("child", "far")], [["1", "1", "1"], ["1", "1"]], "before")
        # A change that no foreign key follows leaves all as it is.
        run(c, "UPDATE grand SET v = 7 WHERE id = 2")
        after = settled(chain)
        counter.equal(row(chain, "child", 2, after), ["2", "2", "2"], "a change of another column")
        counter.equal(row(chain, "child", 2, first), ["2", "2", "2"], "and before it")
        run(c, "DELETE FROM grand WHERE id = 1")
        deleted = time.time()
        counter.equal(now(chain, "child", 1), [], "the grandchild is gone")
        counter.equal(now(chain, "far", 1), ["1", None], "what is further away follows")
        counter.equal(now(chain, "child", 2), ["2", "2", "2"], "the others are there")
        counter.equal(row(chain, "child", 1, first), ["1", "1", "1"], "before the change it is as it was")
        stale = [got for got in (row(chain, "child", 1, deleted + off) for off in (0.3, 1.0)) if got == ["1", "1", "1"]]
        counter.equal(stale, [], "the row that is gone is not answered after the change")
        counter.equal(row(chain, "plain", 1, settled(chain)), ["1", "1"], "a table without foreign keys is as it was")
        # Statements on the tables that are left out are followed.
        run(c, "DELETE FROM later WHERE id = 1", "ALTER TABLE later ADD FOREIGN KEY (g) REFERENCES grand (id) ON DELETE CASCADE", "DELETE FROM grand WHERE id = 3")
        counter.equal(now(chain, "below_later", 3), [], "through a foreign key that was added to a table that is left out")
        run(c, "ALTER TABLE between_them DROP FOREIGN KEY between_them_ibfk_1")
        before = settled(chain)
        run(c, "DELETE FROM other.links WHERE id = 4")
        counter.equal(now(chain, "far", 4), ["4", None], "rows of a table that is left out go")
        counter.equal(row(chain, "child", 4, before), ["4", "4", "4"], "a foreign key that is dropped takes nothing along")
        # A table that is made while the agent captures.
        run(c, "CREATE TABLE other.made (id INT PRIMARY KEY, g INT, FOREIGN KEY (g) REFERENCES w.grand (id) ON DELETE CASCADE)", "INSERT INTO other.made VALUES (5, 5)",
            "CREATE TABLE below_made (id INT PRIMARY KEY, m INT, FOREIGN KEY (m) REFERENCES other.made (id) ON DELETE CASCADE)", "INSERT INTO below_made VALUES (5, 5)")
        counter.equal(now(chain, "below_made", 5), ["5", "5"], "below a table that was made")
        run(c, "DELETE FROM grand WHERE id = 5")
        counter.equal(now(chain, "below_made", 5), [], "it goes with the row of the grandparent")
        said = [line for line in chain.agent.output().splitlines() if "can be read no longer" in line and ("between_them" in line or "other." in line)]
        counter.equal(said, [], "a table that is left out is not lost")


def letters(server, counter):
    """lower_case_table_names=1: the log has what was typed in statements, and rows under names in lower case."""
    with server.connect() as c:
        run(c, "CREATE DATABASE W", "USE W", "CREATE TABLE Before_It (id INT PRIMARY KEY, v INT)", "INSERT INTO Before_It VALUES (1, 1)", "CREATE TABLE Secret (id INT PRIMARY KEY)")
    with server.connect() as c, capture(server, "--include", "W.*", "--exclude", "w.SECRET") as chain:
        run(c, "USE W", "UPDATE BEFORE_IT SET v = 2 WHERE id = 1", "CREATE TABLE Foo (id INT PRIMARY KEY, v INT)", "INSERT INTO FOO VALUES (1, 10)",
            "INSERT INTO Secret VALUES (1)")
        at = settled(chain)
        for name in ("before_it", "Before_It"):
            counter.equal(row(chain, name, 1, at), ["1", "2"], name)
        for name in ("foo", "Foo", "FOO"):
            counter.equal(row(chain, name, 1, at), ["1", "10"], name)
        run(c, "ALTER TABLE fOO ADD w INT DEFAULT 5", "RENAME TABLE FoO TO Bar", "UPDATE bAR SET v = 11 WHERE id = 1")
        later = settled(chain)
        counter.equal(row(chain, "bar", 1, later), ["1", "11", "5"], "after ALTER and RENAME")
        counter.equal(row(chain, "Foo", 1, at), ["1", "10"], "before them")
        got = row(chain, "secret", 1, later)
        counter.check(isinstance(got, tuple) and "include and exclude" in got[1], "a pattern in upper case leaves out", got)
        run(c, "CREATE TABLE Kid (id INT PRIMARY KEY, b INT, FOREIGN KEY (b) REFERENCES BAR (id) ON DELETE CASCADE)", "INSERT INTO kid VALUES (1, 1)", "DELETE FROM Bar WHERE id = 1")
        counter.equal(now(chain, "KID", 1), [], "a foreign key to a name in upper case")
        status = chain.api.status()
        counter.equal([t["table"] for t in status["tables"] if t["schema"] == "w" and t["readable"]], ["bar", "before_it", "kid"], "names are in lower case")


def collations(server, counter):
    """A table that is made in a schema from before the record has the schema's collation, which the log does not say."""
    with server.connect() as c:
        run(c, "CREATE DATABASE w CHARACTER SET latin1 COLLATE latin1_swedish_ci", "CREATE DATABASE d", "SET NAMES utf8mb4")
    with server.connect() as c, capture(server) as chain:
        run(c, "SET NAMES utf8mb4", "USE w", "CREATE TABLE t (k VARCHAR(10) PRIMARY KEY, v VARCHAR(10))", "INSERT INTO t VALUES ('a', 'ä')")
        at = settled(chain)
        counter.equal(row(chain, "t", "a", at, "flashback", ("k",)), ["a", "ä"], "in the schema's latin1")
        run(c, "CREATE DATABASE IF NOT EXISTS w", "CREATE DATABASE IF NOT EXISTS fresh COLLATE utf8mb4_bin", "ALTER DATABASE w COLLATE utf8mb4_bin",
            "CREATE TABLE u (k VARCHAR(10) PRIMARY KEY, v VARCHAR(10))", "INSERT INTO u VALUES ('a', '日')", "INSERT INTO u VALUES ('A', 'x')")
        later = settled(chain)
        counter.equal([row(chain, "u", k, later, "flashback", ("k",)) for k in ("a", "A")], [["a", "日"], ["A", "x"]], "after ALTER DATABASE")
        log = chain.agent.output()
        phrase = "the table can be read no longer"
        counter.check(phrase not in log, "no table had to be read again",
                      [line for line in log.splitlines() if phrase in line])


def encrypted(server, counter):
    """The log is encrypted on the server's disk; what it sends is in clear."""
    with server.connect() as c:
        run(c, "CREATE DATABASE w", "USE w", "CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1), (2, 2)")
    with server.connect() as c, capture(server) as chain:
        counter.check(run(c, "SELECT @@encrypt_binlog")[0][0] == b"1", "the log is encrypted")
        run(c, "USE w", "UPDATE t SET v = 5 WHERE id = 1", "FLUSH BINARY LOGS", "UPDATE t SET v = 6 WHERE id = 1")
        at = settled(chain)
        counter.equal([row(chain, "t", k, at) for k in (1, 2)], [["1", "6"], ["2", "2"]], "rows of an encrypted log")
        chain.agent.stop()
        run(c, "UPDATE t SET v = 7 WHERE id = 1")
        chain.start_agent()
        at = settled(chain)
        counter.equal(row(chain, "t", 1, at), ["1", "7"], "after a restart of the agent")
        counter.equal(chain.api.status()["gaps"], [], "no gap")


def times(server, counter):
    """What a MySQL replica applies late: by its own commit, and by that of its source."""
    with servers.start("mysql", "--server-id=71") as source:
        with source.connect() as s, server.connect() as r:
            run(s, "CREATE USER repl IDENTIFIED BY 'repl'", "GRANT REPLICATION SLAVE ON *.* TO repl", "CREATE DATABASE w", "CREATE TABLE w.t (id INT PRIMARY KEY, v INT)",
                "INSERT INTO w.t VALUES (1, 1)")
            run(r, "RESET BINARY LOGS AND GTIDS", "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = %d, SOURCE_USER = 'repl', SOURCE_PASSWORD = 'repl', "
                "SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1" % source.port, "START REPLICA")
            end = time.monotonic() + 30
            while not run(r, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'w'")[0][0] != b"0" and time.monotonic() < end:
                time.sleep(0.1)
            time.sleep(1)
            with capture(server) as local, capture_at_once(server, "--source-time", "original") as original:
                time.sleep(2)
                # By the times of the source nothing is known before something of it was applied.
                counter.equal(original.api.status()["newest"], None, "nothing is applied yet")
                run(s, "INSERT INTO w.t VALUES (2, 2)")
                read(original)
                time.sleep(1)
                run(r, "STOP REPLICA SQL_THREAD")
                run(s, "UPDATE w.t SET v = 2 WHERE id = 1")
                made = time.time()
                time.sleep(3)
                got = row(original, "t", 1, made + 1)
                counter.check(isinstance(got, tuple) and got[0] == "out_of_range", "what is not applied yet is not answered", got)
                counter.equal(row(local, "t", 1, made + 1), ["1", "1"], "on the replica it was not there")
                run(r, "START REPLICA")
                time.sleep(1)
                applied = time.time()
                run(s, "UPDATE w.t SET v = 3 WHERE id = 1")
                for chain in (local, original):
                    chain.api.wait(lambda status: status["newest"] and status["newest"] >= text(applied), "what was made later was applied")
                time.sleep(1.5)
                for after, by_local, by_original in ((-1, "1", "1"), (0.1, "1", "2"), (2, "1", "2"), (applied - made, "2", "2")):
                    counter.equal(row(local, "t", 1, made + after), ["1", by_local], "by the replica's time, %+.1f s" % after)
                    counter.equal(row(original, "t", 1, made + after), ["1", by_original], "by the source's time, %+.1f s" % after)
                original.agent.stop()
                original.origin = [o for o in original.origin if o not in ("--source-time", "original")]
                original.start_agent()
                original.agent.wait_for("was recorded with source_time: original")
                counter.check(True, "a folder keeps to its time")
    said = subprocess.run([binary(), "agent", "--source", "mysql://root@127.0.0.1:%d" % server.port, "--data", tempfile.gettempdir() + "/none", "--server-id", "s", "--preflight-only"],
                          stdout=subprocess.PIPE, timeout=60).stdout.decode()
    counter.check("the server is a replica" in said and "source_time" in said, "the preflight names it", said)


def with_keys(kind):
    """Options of a server that encrypts its log, with a file of keys that it can read."""
    root = servers.install(kind)
    handle, path = tempfile.mkstemp(prefix="dbtrail-keys-", dir=root + "/tmp")
    with open(handle, "w") as f:
        f.write("1;" + "5a" * 16 + "\n")
    os.chmod(path, 0o644)
    return path, ["--plugin-load-add=file_key_management", "--file-key-management-filename=" + path[len(root):], "--encrypt-binlog=ON"]


TRIALS = [
    (excluded, "mysql", ["--innodb-native-foreign-keys=ON"]), (excluded, "mariadb-11.8", []),
    (letters, "mariadb-11.8", ["--lower-case-table-names=1"]), (letters, "mysql", ["--lower-case-table-names=1"]),
    (collations, "mariadb-11.8", []), (collations, "mariadb", ["--binlog-row-metadata=NO_LOG"]),
    (temporary, "mariadb-11.8", []), (times, "mysql", []), (encrypted, "mariadb", []), (encrypted, "mariadb-11.8", []),
]


def main():
    wanted = [a for a in sys.argv[1:] if not a.startswith("-")]
    counters = []
    for trial, kind, options in TRIALS:
        if wanted and trial.__name__ not in wanted and kind not in wanted:
            continue
        counters.append(Counter(" ".join([trial.__name__, kind, *options])))
        path = None
        if trial is encrypted:
            path, options = with_keys(kind)
        try:
            with servers.start(kind, *options) as server:
                trial(server, counters[-1])
        finally:
            if path:
                os.remove(path)
    finish(counters, 1)


if __name__ == "__main__":
    main()
