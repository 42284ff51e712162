#!/usr/bin/env python3
"""What befalls a source: each fault ends in the right history, or in a gap that says why, and the agent goes on.

One MariaDB, one agent that reaches it over a proxy of this test (which can cut, stall and damage), one shim. After each fault the states
noted before it and after it are compared, for rows that never changed too; a gap must be in /v1/status and in the refusal of what lies in it.
"""
import re
import socket
import sys
import threading
import time
import traceback

import pymysql

from harness import Chain, Counter, MariaDb, ask, finish
from live import caught_up

ROWS = 40
DUMPS = (0x12, 0x1e)  # COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID


class Link:
    """One connection through the proxy."""

    def __init__(self, proxy, client):
        self.proxy, self.client, self.stalled, self.dump = proxy, client, False, False
        self.server = socket.create_connection(("127.0.0.1", proxy.target))
        for source, sink, inwards in ((client, self.server, False), (self.server, client, True)):
            threading.Thread(target=self.carry, args=(source, sink, inwards), daemon=True).start()

    def carry(self, source, sink, inwards):
        try:
            while data := source.recv(1 << 16):
                if not inwards and len(data) > 4 and data[3] == 0 and data[4] in DUMPS:
                    self.dump = True
                if inwards and self.dump and self.proxy.spoil:
                    data, close = self.proxy.spoil(data)
                    sink.sendall(data)
                    if close:
                        break
                    continue
                while self.stalled:
                    time.sleep(0.05)
                sink.sendall(data)
        except OSError:
            pass
        self.close()

    def close(self):
        self.stalled = False
        for end in (self.client, self.server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Proxy:
    """Between agent and server."""

    def __init__(self, target):
        self.target, self.spoil, self.links, self.refuses = target, None, [], False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            try:
                if self.refuses:
                    client.close()
                else:
                    self.links.append(Link(self, client))
            except OSError:
                client.close()

    def cut(self):
        links, self.links = self.links, []
        for link in links:
            link.close()

    def stall(self):
        for link in self.links:
            link.stalled = True


class Spoiler:
    """Does something to the bytes of the log where a marker is."""

    def __init__(self, marker, times, cut=False):
        self.marker, self.times, self.cut, self.done = marker, times, cut, 0

    def __call__(self, data):
        at = data.find(self.marker)
        if at < 0 or self.done >= self.times:
            return data, False
        self.done += 1
        if self.cut:
            return data[:at + 3], True
        return data[:at] + b"?" + data[at + 1:], False


class HeaderSpoiler(Spoiler):
    """Damages what the event that holds the marker says of its length."""

    def __call__(self, data):
        at = 0
        while at + 4 < len(data):
            length = int.from_bytes(data[at:at + 3], "little")
            if self.marker in data[at:at + 4 + length]:
                self.done += 1
                place = at + 4 + 1 + 9
                return data[:place] + bytes([data[place] ^ 1]) + data[place + 1:], False
            at += 4 + length
        return data, False


class Bench:
    """The source, the agent, and what was true when."""

    def __init__(self, server, proxy, chain, count):
        self.server, self.proxy, self.chain, self.count = server, proxy, chain, count
        self.marks = []  # (instant, {table: (columns, rows)}, GTID)
        self.gaps = 0
        self.n = 0
        self.use(server)

    def use(self, server):
        self.source = server
        self.conn = server.connect()
        self.cursor = self.conn.cursor()

    def sql(self, *statements):
        for statement in statements:
            self.cursor.execute(statement)

    def change(self, word="plain"):
        """Some changes of both tables; most rows are never touched."""
        self.n += 1
        for table in ("t", "other"):
            self.sql("UPDATE f.%s SET w = '%s %d' WHERE id IN (3, 7, %d)" % (table, word, self.n, 8 + self.n % 4),
                     "REPLACE INTO f.%s (id, v, w) VALUES (%d, %d, '%s')" % (table, 100 + self.n % 7, self.n, word),
                     "DELETE FROM f.%s WHERE id = %d" % (table, 100 + (self.n + 3) % 7))

    def mark(self):
        """Notes what is true now, at an instant of its own."""
        state = {}
        for table in ("t", "other"):
            names, rows = ask(self.cursor, "SELECT * FROM f.%s ORDER BY id" % table)
            state[table] = (names, rows)
        now = int(ask(self.cursor, "SELECT UNIX_TIMESTAMP()")[1][0][0])
        gtid = ask(self.cursor, "SELECT @@GLOBAL.gtid_binlog_pos")[1][0][0].decode()
        self.marks.append((time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now + 1)), state, gtid))
        time.sleep(2.02 - time.time() % 1)

    def connected(self, seconds=60):
        return self.chain.api.wait(lambda s: s["connected"], "connected", seconds)

    def settled(self, seconds=60):
        """Everything is in, the tables are read."""
        self.connected(seconds)
        caught_up(self.source, self.chain.api)
        return self.chain.api.wait(lambda s: s["baseline"]["done"] == s["baseline"]["total"] and all(t["readable"] for t in s["tables"] if t["table"] in ("t", "other")), "settled", seconds)

    def verify(self, name, marks=None, tables=("t", "other")):
        """All rows of the marks, by _snapshot."""
        connection = self.chain.connect(database="f")
        cursor = connection.cursor()
        for instant, state, _ in self.marks if marks is None else marks:
            for table in tables:
                sql = "SELECT * FROM _snapshot.%s AS OF '%s' WHERE id BETWEEN 1 AND 200" % (table, instant)
                try:
                    self.count.equal(ask(cursor, sql), state[table], "%s: %s" % (name, sql))
                except pymysql.MySQLError as e:
                    self.count.check(False, "%s: refused: %s" % (name, sql), e.args)
        connection.close()

    def refused(self, name, table, point, why):
        connection = self.chain.connect(database="f")
        for virtual in ("_snapshot", "_flashback"):
            sql = "SELECT * FROM %s.%s %s WHERE id = 3" % (virtual, table, point)
            try:
                self.count.check(False, "%s: an answer: %s" % (name, sql), ask(connection.cursor(), sql), why)
            except pymysql.MySQLError as e:
                self.count.check(re.search(why, e.args[1]), "%s: the refusal: %s" % (name, sql), e.args, why)
        connection.close()

    def by_gtid(self, name, gtid, state):
        """A transaction before the gap, or the last one in it, has a state; others in it are refused."""
        connection = self.chain.connect(database="f")
        for table in ("t", "other"):
            sql = "SELECT * FROM _snapshot.%s AT GTID '%s' WHERE id BETWEEN 1 AND 200" % (table, gtid)
            try:
                self.count.equal(ask(connection.cursor(), sql), state[table], "%s: %s" % (name, sql))
            except pymysql.MySQLError as e:
                self.count.check(e.args[0] == 1064, "%s: the refusal: %s" % (name, sql), e.args)
        connection.close()

    def whole(self, name, status):
        """No gap has come."""
        self.count.equal(status["gaps"][self.gaps:], [], "%s: no gap" % name)
        self.gaps = len(status["gaps"])

    def gap(self, name, why, seconds=60, states=True):
        """One gap has come, which says why; the marks in it are refused, and given up."""
        status = self.chain.api.wait(lambda s: s["connected"] and len(s["gaps"]) > self.gaps, name + ": a gap", seconds)
        new = status["gaps"][self.gaps:]
        self.gaps = len(status["gaps"])
        self.count.check(len(new) == 1 and re.search(why, new[0]["reason"]), "%s: the gap" % name, new, why)
        print("   gap: %s" % new[0]["reason"], flush=True)
        start, end = (new[0][k].replace("T", " ").rstrip("Z") for k in ("from", "to"))
        inside = [m for m in self.marks if start < m[0] + ".000000" < end]
        for instant, state, gtid in inside:
            self.refused(name, "t", "AS OF '%s'" % instant, "has a gap")
            self.by_gtid(name, gtid, state)
        self.count.check(inside or not states, "%s: a state in the gap" % name, (start, end), [m[0] for m in self.marks[-3:]])
        self.marks = [m for m in self.marks if m not in inside]
        # What is known around it.
        connection = self.chain.connect(database="f")
        try:
            window = "SELECT * FROM _diff.t BETWEEN '%s' AND '%s' WHERE id = 3" % (start[:19], self.later(end))
            self.count.check(False, name + ": an answer: " + window, ask(connection.cursor(), window))
        except pymysql.MySQLError as e:
            self.count.check("has a gap" in e.args[1], name + ": the window across it", e.args)
        connection.close()

    def later(self, instant):
        """An instant that can be asked for, after this one."""
        newest = max(instant, caught_up(self.source, self.chain.api)["newest"].replace("T", " ").rstrip("Z"))
        while time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()) <= newest:
            time.sleep(0.1)
        return newest


def rotation(b):
    for n in range(15):
        b.change("rotated")
        b.sql("FLUSH BINARY LOGS")
        b.change("big " + "x" * 250)
    b.mark()
    b.whole("rotation", b.settled())


def cuts(b):
    for n in range(4):
        b.change("cut")
        b.proxy.cut()
        b.change("between")
        b.connected()
    b.mark()
    b.whole("cuts", b.settled())


def cut_inside_of_an_event(b):
    b.proxy.spoil = spoiler = Spoiler(b"half way", 2, cut=True)
    b.change("half way")
    b.mark()
    status = b.settled()
    b.count.equal(spoiler.done, 2, "cut inside of an event: it was cut")
    b.proxy.spoil = None
    b.whole("cut inside of an event", status)


def nobody_answers(b):
    b.proxy.refuses = True
    b.proxy.cut()
    b.change("alone")
    b.mark()
    status = b.chain.api.wait(lambda s: not s["connected"], "disconnected")
    b.count.check(status["reason"], "nobody answers: why", status["reason"])
    b.verify("nobody answers: what was", b.marks[:-1])
    b.proxy.refuses = False
    b.whole("nobody answers", b.settled())


def stall(b):
    b.proxy.stall()
    b.change("silence")
    b.mark()
    # Three heartbeats of five seconds, then it connects again.
    b.chain.api.wait(lambda s: not s["connected"], "the silence is noticed", 40)
    b.whole("stall", b.settled(60))


def damaged_once(b):
    b.proxy.spoil = spoiler = Spoiler(b"damaged once", 1)
    b.change("damaged once")
    b.mark()
    status = b.settled()
    b.count.equal(spoiler.done, 1, "damaged once: it was")
    b.proxy.spoil = None
    b.whole("damaged once", status)


def damaged_for_ever(b, name, note, spoiler, reason):
    b.mark()
    b.proxy.spoil = spoiler
    b.change(note)
    b.mark()
    b.gap(name, reason, states=False)
    b.count.check(spoiler.done >= 2, f"{name}: read again", spoiler.done)
    b.proxy.spoil = None
    b.change("behind")
    b.settled()
    b.mark()
    b.settled()


def damaged_always(b):
    spoiler = Spoiler(b"always damaged", 10 ** 9)
    damaged_for_ever(b, "damaged always", "always damaged", spoiler, r"cannot be read.*(checksum|CRC)")


def lengths_damaged_always(b):
    spoiler = HeaderSpoiler(b"damaged length", 10 ** 9)
    reason = "cannot be read after .* bytes long and has"
    damaged_for_ever(b, "lengths damaged always", "damaged length", spoiler, reason)


def wrong_password(b):
    b.sql("ALTER USER capture@'%' IDENTIFIED BY 'another'")
    b.proxy.cut()
    b.change("locked out")
    b.mark()
    status = b.chain.api.wait(lambda s: not s["connected"] and "denied" in s["reason"], "the reason", 20)
    b.count.check("denied" in status["reason"], "wrong password: why", status["reason"])
    b.sql("ALTER USER capture@'%' IDENTIFIED BY 'secret'")
    b.whole("wrong password", b.settled())


def statement_format(b):
    b.mark()
    before = len(b.marks)
    b.sql("SET SESSION binlog_format = STATEMENT", "UPDATE f.other SET v = v + 1 WHERE id < 9", "SET SESSION binlog_format = ROW")
    b.mark()
    lost = b.marks.pop()
    status = b.settled()
    b.whole("statement format", status)
    # Which rows a statement changed is not in the log: the table that it names is not known until it has been read again. No trigger
    # leads to another.
    b.refused("statement format", "other", "AT GTID '%s'" % lost[2], "this statement cannot be followed .*binlog_format=ROW.*UPDATE f.other")
    b.verify("statement format: the other table", [lost], ("t",))
    b.change("as rows again")
    b.mark()
    b.settled()
    b.verify("statement format: before and after", b.marks[before - 1:])


def purge_unread(b, *statements):
    """Changes that the server purges before the agent, which is stopped, has read them; among them these statements."""
    b.mark()
    b.settled()
    b.chain.agent.stop()
    b.change("unread")
    b.sql("FLUSH BINARY LOGS", *statements)
    b.change("unread too")
    b.mark()
    b.sql("FLUSH BINARY LOGS")
    last = ask(b.cursor, "SHOW BINARY LOGS")[1][-1][0].decode()
    b.sql("PURGE BINARY LOGS TO '%s'" % last)
    b.chain.start_agent()


def purged(b):
    purge_unread(b)
    b.gap("purged", "purged")
    b.change("read")
    b.mark()
    b.settled()


def one_table_cannot_be_read(b):
    # The first of all by its name: the others must not wait for it.
    b.sql("CREATE TABLE f.a_lost (id INT NOT NULL PRIMARY KEY)", "INSERT INTO f.a_lost VALUES (3)")
    purge_unread(b, "ALTER TABLE f.a_lost DISCARD TABLESPACE")
    b.gap("one table cannot be read", "purged")
    b.chain.api.wait(lambda s: s["baseline"]["total"] == 3 and s["baseline"]["done"] == 2, "the others are read", 30)
    b.change("beside it")
    b.mark()
    b.mark()
    caught_up(b.source, b.chain.api)
    b.verify("one table cannot be read: the others")
    b.refused("one table cannot be read", "a_lost", "AS OF '%s'" % b.marks[-2][0], "the record says nothing")
    b.sql("DROP TABLE f.a_lost")
    b.settled()


def reset(b):
    b.mark()
    b.settled()
    b.chain.agent.stop()
    b.sql("RESET MASTER")
    for _ in range(60):
        b.change("after the reset")
    b.mark()
    b.chain.start_agent()
    b.gap("reset", "begun again|restored|purged")
    b.change("on")
    b.mark()
    b.settled()


def reset_while_connected(b):
    b.mark()
    b.settled()
    b.sql("RESET MASTER")
    b.change("after the reset")
    b.mark()
    b.change("more")
    b.gap("reset while connected", "begun again|restored|purged|not send", 90, states=False)
    b.change("on")
    b.mark()
    b.settled()


def another_server(b):
    b.mark()
    b.settled()
    with MariaDb("--character-set-server=utf8mb4", "--server-id=8") as other:
        first = b.source
        b.use(other)
        prepare(b)
        b.sql("UPDATE f.t SET w = 'elsewhere'", "DELETE FROM f.other WHERE id > 20")
        b.mark()
        b.proxy.target = other.port
        b.proxy.cut()
        b.gap("another server", "another server|took over without it|not send", 120)
        b.change("elsewhere")
        b.mark()
        b.settled()
        b.verify("another server")
        b.use(first)
        b.mark()
        b.proxy.target = first.port
        b.proxy.cut()
        b.gap("and back", "another server|took over without it|not send", 120)
        b.change("back")
        b.mark()
        b.settled()


FAULTS = [rotation, cuts, cut_inside_of_an_event, nobody_answers, stall, damaged_once, damaged_always, lengths_damaged_always, wrong_password, statement_format, purged,
          one_table_cannot_be_read, reset, reset_while_connected, another_server]


def prepare(b):
    b.sql("CREATE DATABASE f CHARACTER SET utf8mb4", "USE f", "CREATE USER capture@'%' IDENTIFIED BY 'secret'",
          "GRANT SELECT, REPLICATION SLAVE, BINLOG MONITOR, PROCESS, REPLICA MONITOR ON *.* TO capture@'%'")
    for table in ("t", "other"):
        b.sql("CREATE TABLE f.%s (id INT NOT NULL PRIMARY KEY, v INT, w VARCHAR(300))" % table,
              "INSERT INTO f.%s SELECT seq, seq * 10, REPEAT('o', seq) FROM seq_1_to_%d" % (table, ROWS))


def main():
    wanted = [f for f in FAULTS if f.__name__ in sys.argv[1:]] or FAULTS
    counters = []
    with MariaDb("--character-set-server=utf8mb4", "--max-binlog-size=16384") as server:
        proxy = Proxy(server.port)
        b = Bench(server, proxy, None, None)
        prepare(b)
        with Chain(None, schema="f", source="mysql://capture:secret@127.0.0.1:%d" % proxy.port) as chain:
            b.chain = chain
            chain.api.wait(lambda s: s["oldest"], "the record begins")
            b.change()
            b.mark()
            b.settled()
            for fault in wanted:
                began = time.monotonic()
                b.count = Counter(fault.__name__.replace("_", " "))
                counters.append(b.count)
                try:
                    fault(b)
                    b.verify(fault.__name__)
                except Exception:
                    b.count.check(False, "the test broke off", traceback.format_exc()[-1500:])
                    proxy.spoil, proxy.refuses = None, False
                b.count.check(chain.agent.child.poll() is None, "the process goes on", chain.agent.output()[-800:])
                print("== %s: %d passed, %d failed, %.1f s" % (b.count.name, b.count.passed, b.count.failed, time.monotonic() - began), flush=True)
            output = "".join(p.output() for p in chain.processes)
            b.count.check("without a primary key" not in output, "preflight: the tables have keys", output[:600])
            panics = [p.log for p in chain.processes if "panicked" in p.output()]
            b.count.equal(panics, [], "no panic")
    finish(counters, 300)


if __name__ == "__main__":
    main()
