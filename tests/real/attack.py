#!/usr/bin/env python3
"""What one tenant can do to the others: statements that want much time or memory, from many connections, with commands that never end,
packed ones that grow a thousandfold, and sockets that say nothing. Meanwhile another tenant logs in and is answered within a second, and
the shim stays below 512 MiB; afterwards SIGTERM ends it within its grace period.

    tests/real/attack.py [--seconds 40] [--seed N]
"""
import argparse
import json
import os
import random
import shutil
import socket
import struct
import sys
import tempfile
import threading
import time
import zlib

import pymysql
from pymysql.constants import CLIENT

from harness import PASSWORD, ROOT, Chain, Counter, finish

LIMIT = 512 << 20
PATIENCE = 1.0
RECORDING = os.path.join(ROOT, "tests", "data", "mysql-9.7", "binlog.000003")
MORE = 1 << 20


def nested(before, middle, after, levels):
    return before * levels + middle + after * levels


def statements():
    """Each wants much of something; names tell what."""
    tables = "information_schema.TABLES"
    for levels in (26, 40, 400, 4000):
        yield "coalesce %d" % levels, "SELECT * FROM %s WHERE TABLE_NAME = %s" % (tables, nested("COALESCE(TABLE_SCHEMA, ", "1", ")", levels))
        yield "case %d" % levels, "SELECT * FROM %s WHERE %s" % (tables, nested("CASE TABLE_NAME WHEN 'a' THEN 1 ELSE ", "0", " END", levels))
        yield "in %d" % levels, "SELECT * FROM %s WHERE %s" % (tables, nested("(TABLE_NAME IN (", "1", "))", levels))
        yield "between %d" % levels, "SELECT * FROM %s WHERE %s" % (tables, nested("(TABLE_NAME BETWEEN 'a' AND ", "'b'", ")", levels))
        yield "parentheses %d" % levels, "SELECT %s" % nested("(", "1", ")", levels)
        yield "not %d" % levels, "SELECT " + "NOT " * levels + "1"
        yield "minus %d" % levels, "SELECT " + "- " * levels + "1"
        yield "comment %d" % levels, "SELECT " + "/*!40101 " * levels + "1" + " */" * levels
        yield "subquery %d" % levels, nested("SELECT * FROM (", "SELECT 1", ") AS t", levels)
        yield "if %d" % levels, "SELECT %s" % nested("IF(1, ", "1", ", 0)", levels)
        yield "hex %d" % levels, "SELECT LENGTH(%s)" % nested("HEX(", "'abc'", ")", levels)
        yield "concat %d" % levels, "SELECT LENGTH(%s)" % nested("CONCAT(@x, ", "'a'", ")", levels)
    yield "replace", "SELECT LENGTH(%s)" % nested("REPLACE(", "'aaaaaaaaaa'", ", 'a', 'aaaaaaaaaa')", 30)
    long = "a" * (2 * MORE)
    yield "locate", "SELECT LOCATE('%sb', '%s')" % (long[:MORE], long)
    yield "instr", "SELECT INSTR('%s', '%sb')" % (long, long[:MORE])
    yield "like", "SELECT '%s' LIKE '%s'" % (long, "%a" * 5000 + "b")
    yield "substring_index", "SELECT SUBSTRING_INDEX('%s', '%s', -3)" % (long, "a" * 1000)
    yield "find_in_set", "SELECT FIND_IN_SET('b', '%s')" % ",".join(["a"] * MORE)
    yield "repeat", "SELECT REPEAT('x', 1000000000)"
    yield "repeats", "SELECT " + ", ".join(["REPEAT('x', 10000000)"] * 300)
    yield "lpad", "SELECT LPAD('x', 1000000000, 'yz')"
    yield "space", "SELECT LENGTH(CONCAT(%s))" % ", ".join(["SPACE(1000000)"] * 500)
    yield "in list", "SELECT 1 IN (%s)" % ", ".join(["2"] * (2 * MORE))
    yield "columns", "SELECT " + ",".join(["1"] * MORE)
    yield "and", "SELECT " + " AND ".join(["1"] * MORE)
    yield "or of columns", "SELECT COUNT(*) FROM %s WHERE %s" % (tables, " OR ".join("TABLE_NAME = 'x%d'" % n for n in range(50000)))
    yield "join", "SELECT COUNT(*) FROM information_schema.COLUMNS a JOIN information_schema.COLUMNS b JOIN information_schema.COLUMNS c WHERE %s" % (
        " AND ".join("CONCAT(a.COLUMN_NAME, b.COLUMN_NAME, c.COLUMN_NAME) <> 'x%d'" % n for n in range(400)))
    yield "aggregates", "SELECT COUNT(*) FROM _flashback.t AS OF LATEST ALLOW SCAN ORDER BY " + ", ".join("SUM(x%d)" % n for n in range(39000))
    yield "union", " UNION ALL ".join(["SELECT 1"] * 20000)
    yield "order", "SELECT * FROM information_schema.COLUMNS ORDER BY " + ", ".join(["CONCAT(COLUMN_NAME, 'x')"] * 2000)
    yield "show", "SHOW VARIABLES WHERE " + " OR ".join("Value LIKE '%%a%%b%%c%%d%%e%%f%%g%d'" % n for n in range(3000))
    yield "semicolons", ";" * (4 * MORE)
    yield "statements", "SELECT 1;" * 100000
    yield "text", "SELECT LENGTH('%s')" % ("\\'" * (8 * MORE))
    yield "spaces", "SELECT" + " " * (16 * MORE) + "1"
    yield "name", "SELECT `%s`" % ("x" * (8 * MORE))
    yield "variable", "SET @x = '%s'" % ("x" * (16 * MORE))
    yield "variable in select", "SELECT " + ", ".join(["@x"] * 200)
    yield "variable in set", "SET " + ", ".join("@x%d = @x" % n for n in range(500))
    yield "doubling", ";".join(["SET @y = 'xxxxxxxxxxxxxxxx'"] + ["SET @y = CONCAT(@y, @y)"] * 40)
    yield "prepare", "PREPARE p%d FROM 'SELECT \"%s\"'" % (random.randrange(99), "x" * (4 * MORE))
    yield "key list", "SELECT * FROM _flashback.t AS OF LATEST WHERE id IN (%s)" % ",".join(map(str, range(300000)))
    yield "filter", "SELECT * FROM _flashback.t AS OF LATEST ALLOW SCAN WHERE %s" % nested("(id = 1 OR ", "id = 2", ")", 3000)
    yield "hints", "SELECT /*+ %s */ 1" % ("SET_VAR(max_execution_time=1) " * 20000)
    yield "with", "WITH %s SELECT 1" % ", ".join("t%d AS (SELECT 1)" % n for n in range(5000))


def connect(chain, user, password, **options):
    return pymysql.connect(host="127.0.0.1", port=chain.port, user=user, password=password, charset="utf8mb4", autocommit=True, **options)


def other(chain):
    """The other tenant, from another address."""
    return connect(chain, "other", b"the-other-password", bind_address="127.0.0.2")


def attacker(chain, seed, end, tally):
    """Sends everything in an order of its own, again and again."""
    every = list(statements())
    shuffler = random.Random(seed)
    conn = None
    while time.monotonic() < end:
        shuffler.shuffle(every)
        for name, sql in every:
            if time.monotonic() > end:
                break
            begin = time.monotonic()
            try:
                if conn is None:
                    conn = connect(chain, "app", PASSWORD.encode(), max_allowed_packet=1 << 30, read_timeout=60, client_flag=CLIENT.MULTI_STATEMENTS)
                with conn.cursor() as cursor:
                    cursor.execute(sql)
                    while cursor.nextset():
                        pass
                outcome = 0
            except pymysql.Error as error:
                outcome = error.args[0]
                if outcome in (0, 2006, 2013, 1041, 1153, 1226) or not conn or not conn.open:
                    conn = None
            took = time.monotonic() - begin
            tally.append((took, name, outcome))


def bare(chain, flags=0):
    """A connection that is logged in, for bytes of our own."""
    conn = pymysql.connect(host="127.0.0.1", port=chain.port, user="app", password=PASSWORD.encode(), charset="utf8mb4", defer_connect=True)
    conn.client_flag |= flags
    conn._sock = socket.create_connection(("127.0.0.1", chain.port), timeout=10)
    conn._rfile = conn._sock.makefile("rb")
    conn._next_seq_id = 0
    conn._current_timeout = conn._read_timeout
    conn._get_server_information()
    conn._request_authentication()
    return conn


def bombs(chain, end):
    """Compressed commands: 16 MiB of spaces in 16 KiB, unfinished."""
    plain = struct.pack("<I", 0xFFFFFF)[:3] + b"\0\3" + b" " * (0xFFFFFF - 5)
    packed = zlib.compress(plain)
    packet = struct.pack("<I", len(packed))[:3] + b"%c" + struct.pack("<I", len(plain))[:3] + packed
    while time.monotonic() < end:
        held = []
        try:
            for _ in range(20):
                held.append(bare(chain, CLIENT.COMPRESS))
                for number in range(3):
                    held[-1]._sock.sendall(packet.replace(b"%c", bytes([number]), 1))
        except (OSError, pymysql.Error):
            pass
        time.sleep(0.5)
        for conn in held:
            conn._force_close()


def unfinished(chain, end):
    """Commands of which most never comes, and long parameters that are never used."""
    while time.monotonic() < end:
        held = []
        try:
            for _ in range(20):
                held.append(bare(chain))
                held[-1]._sock.sendall(struct.pack("<I", 0xFFFFFF)[:3] + b"\0\3" + b" " * (6 * MORE))
        except (OSError, pymysql.Error):
            pass
        time.sleep(0.5)
        for conn in held:
            conn._force_close()


def silent(chain, end):
    """Sockets that say nothing, more than may wait."""
    held = []
    while time.monotonic() < end:
        try:
            held.append(socket.create_connection(("127.0.0.1", chain.port), timeout=5))
        except OSError:
            time.sleep(0.1)
        if len(held) > 700:
            held.pop(0).close()
        time.sleep(0.005)
    for s in held:
        s.close()


def resident(process):
    """The most memory that it has had, in bytes."""
    with open("/proc/%d/status" % process.child.pid) as f:
        return next(int(line.split()[1]) << 10 for line in f if line.startswith("VmHWM"))


def audited(chain, folder, counter):
    """Ten thousand time-travel statements of four connections, some of which fail and some of whose clients go away: each has one line."""
    of_each = 2500

    def client(number):
        conn = connect(chain, "app", PASSWORD.encode(), database="tt")
        for n in range(of_each):
            with conn.cursor() as cursor:
                try:
                    cursor.execute("SELECT * FROM _flashback.orders AS OF LATEST WHERE id = %d" % (n % 40) if n % 10 else
                                   "SELECT * FROM _flashback.nothing AS OF LATEST WHERE id = %d" % number)
                except pymysql.Error:
                    pass
        conn.close()
    clients = [threading.Thread(target=client, args=(number,)) for number in range(4)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    requests, outcomes = set(), {}
    time.sleep(0.5)
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            for line in map(json.loads, f):
                if line["kind"] == "_flashback" and line["table"] in ("tt.orders", "tt.nothing"):
                    requests.add(line["request"])
                    outcomes[line["outcome"]] = outcomes.get(line["outcome"], 0) + 1
    counter.equal((len(requests), outcomes), (4 * of_each, {"answered": 3600 * of_each // 1000, "failed": 400 * of_each // 1000}), "the audit log has each statement once")
    print("%d statements, each with a line in %d files of the audit log" % (len(requests), len(os.listdir(folder))), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    counter = Counter("attack")
    folder = tempfile.mkdtemp(prefix="dbtrail-audit-")
    audit = "audit: {file: %s, max_size: 1MiB, keep: 1000}\n" % os.path.join(folder, "audit.jsonl")
    with Chain([RECORDING], tenants=audit) as chain:
        end = time.monotonic() + args.seconds
        tally, waits, logins = [], [], []
        works = [threading.Thread(target=attacker, args=(chain, args.seed + n, end, tally)) for n in range(6)]
        works += [threading.Thread(target=work, args=(chain, end)) for work in (bombs, unfinished, silent)]
        for work in works:
            work.start()
        steady = other(chain)
        while time.monotonic() < end:
            begin = time.monotonic()
            try:
                with steady.cursor() as cursor:
                    cursor.execute("SELECT 1")
                    counter.equal(cursor.fetchall(), ((1,),), "the other tenant is answered")
                waits.append(time.monotonic() - begin)
                begin = time.monotonic()
                other(chain).close()
                logins.append(time.monotonic() - begin)
            except pymysql.Error as error:
                counter.check(False, "the other tenant has an error", error)
                steady = other(chain)
            time.sleep(0.05)
        for work in works:
            work.join(90)
        counter.check(not any(work.is_alive() for work in works), "every statement came to its end")
        most = resident(chain.shim)
        for took, name, outcome in sorted(tally, reverse=True)[:8]:
            print("%6.2f s %-20s %s" % (took, name, outcome))
        print("%d statements; the other tenant waited %.3f s at most, its logins %.3f s; the shim took %d MiB at most" % (
            len(tally), max(waits), max(logins), most >> 20), flush=True)
        for what, took in (("the other tenant waits", waits), ("the other tenant logs in", logins)):
            # The machine has other work: one in twenty may be late, and none by much.
            late = [seconds for seconds in took if seconds > PATIENCE]
            counter.check(len(late) <= len(took) // 20 and max(took) < 5 * PATIENCE, what, late, PATIENCE)
        counter.check(most < LIMIT, "memory of the shim", most, LIMIT)
        audited(chain, folder, counter)
        begin = time.monotonic()
        counter.equal(chain.shim.stop(), 0, "it ends in good order")
        took = time.monotonic() - begin
        counter.check(took < 5, "it ends within its grace period (2 s)", took, 5)
        counter.check("panicked" not in chain.shim.output(), "nothing panicked", chain.shim.output()[-2000:])
    shutil.rmtree(folder, ignore_errors=True)
    finish([counter], 50)


if __name__ == "__main__":
    sys.exit(main())
