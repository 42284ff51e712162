#!/usr/bin/env python3
"""Readings of whole tables and windows end at the agent when their statement ends: KILL, the time limit, a client that goes away, LIMIT.

A real server, an agent and a shim, and a client that reads no more than the first rows: the agent's own figure of requests that are being
answered is 1 then, and must be 0 soon after the statement's end, since whoever asks for a million rows by mistake must not cost more than that.
"""
import argparse
import re
import time
import urllib.request

import pymysql
from pymysql.constants import CLIENT

import servers
from harness import TOKEN, Chain, Counter, finish

ROWS, WIDTH = 100_000, 400


def in_flight(chain):
    """Requests that the agent answers just now."""
    asked = urllib.request.Request("https://%s/metrics" % chain.listen, headers={"Authorization": "Bearer " + TOKEN})
    with urllib.request.urlopen(asked, context=chain.api.context, timeout=30) as answer:
        return int(re.search(r"^dbtrail_agent_requests_in_flight (\d+)$", answer.read().decode(), re.M).group(1))


def becomes(chain, want, seconds=30):
    """The figure, when it is what is wanted; else what it stays."""
    end = time.monotonic() + seconds
    while (now := in_flight(chain)) != want and time.monotonic() < end:
        time.sleep(0.05)
    return now


def begun(chain, sql):
    """A client that has asked, and read the first row of so many that the rest waits at the agent."""
    client = chain.connect(cursorclass=pymysql.cursors.SSCursor, client_flag=CLIENT.MULTI_STATEMENTS)
    cursor = client.cursor()
    cursor.execute(sql)
    assert cursor.fetchone(), sql
    return client, cursor


def leave(client, cursor):
    """Closes the socket without a word, as a client that is gone; pymysql would read to the end first."""
    client._force_close()
    if cursor._result:
        cursor._result.unbuffered_active = False
    cursor._result = cursor.connection = client._result = None


def read_on(cursor):
    """The number of the error with which the rest ends; None: it does not."""
    try:
        while cursor.fetchone():
            pass
    except pymysql.err.MySQLError as error:
        return error.args[0]
    return None


def check(chain, counter, sql):
    other = chain.connect().cursor()
    for way in ("KILL QUERY", "KILL"):
        client, cursor = begun(chain, sql)
        counter.equal(becomes(chain, 1), 1, "%s: the agent waits for its reader" % sql)
        other.execute("%s %d" % (way, client.thread_id()))
        counter.equal(becomes(chain, 0), 0, "%s ends %s at the agent" % (way, sql))
        counter.check(read_on(cursor) in (1317, 2013, 2006), "%s: the client is given an error" % way)
        leave(client, cursor)
    client = chain.connect(cursorclass=pymysql.cursors.SSCursor)
    cursor = client.cursor()
    cursor.execute("SET max_execution_time = 1500")
    try:
        cursor.execute(sql)
        cursor.fetchone()
        time.sleep(2)
        counter.equal(becomes(chain, 0), 0, "the time limit ends %s at the agent" % sql)
        counter.equal(read_on(cursor), 3024, "with its error")
    except pymysql.err.MySQLError as error:  # a slow machine: no row came in time
        counter.equal(error.args[0], 3024, "with its error, before the first row")
    leave(client, cursor)
    client, cursor = begun(chain, sql)
    counter.equal(becomes(chain, 1), 1, "%s: the agent waits for its reader" % sql)
    leave(client, cursor)
    counter.equal(becomes(chain, 0), 0, "a client that goes away ends %s at the agent" % sql)
    few = chain.connect().cursor()
    few.execute(sql + " LIMIT 3")
    counter.equal(len(few.fetchall()), 3, "LIMIT")
    counter.equal(becomes(chain, 0), 0, "LIMIT ends %s at the agent" % sql)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--server", default="mariadb-11.8")
    arguments = arguments.parse_args()
    counter = Counter("ends of readings")
    with servers.start(arguments.server) as server:
        connection = server.connect()
        cursor = connection.cursor()
        cursor.execute("CREATE DATABASE tt")
        with Chain([], source="mysql://root@127.0.0.1:%d" % server.port) as chain:
            chain.api.wait(lambda s: s["connected"] and s["newest"], "it captures")
            cursor.execute("CREATE TABLE tt.wide (id INT PRIMARY KEY, v VARCHAR(%d) CHARACTER SET ascii)" % WIDTH)
            for begin in range(0, ROWS, 10_000):
                rows = ", ".join("(%d, '%s')" % (n, ("%d." % n) * (WIDTH // 8)) for n in range(begin, begin + 10_000))
                cursor.execute("INSERT INTO tt.wide VALUES " + rows)
            cursor.execute("SELECT CAST(UTC_TIMESTAMP(6) AS CHAR)")
            text = cursor.fetchone()[0].decode().replace(" ", "T") + "Z"
            chain.api.wait(lambda s: s["newest"] > text, "the rows are taken in")
            for sql in ("SELECT * FROM _flashback.wide AS OF LATEST ALLOW SCAN", "SELECT * FROM _snapshot.wide AS OF LATEST ALLOW SCAN",
                        "SELECT * FROM _diff.wide BETWEEN EARLIEST AND LATEST ALLOW SCAN ALLOW WIDE", "SELECT * FROM _history.changes BETWEEN EARLIEST AND LATEST"):
                check(chain, counter, sql)
            counter.check("panicked" not in chain.agent.output() + chain.shim.output(), "no panic")
    finish([counter], 40)


if __name__ == "__main__":
    main()
