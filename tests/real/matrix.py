#!/usr/bin/env python3
"""The client matrix: every client library, over plain TCP and TLS, with mysql_native_password and caching_sha2_password.

    matrix.py [--only NAME] [--transport plain|tls] [--plugin native|sha2] [--rust FOLDER] [--jar FILE]

Each client: connect, text query, prepared query, parameters of each kind, an empty result, NULLs, all column types against what a
real server said (tests/data), typed; error number and SQLSTATE; change of user, reset, ping; an agent that goes and comes back.
A client that is not installed is a failure. What a client cannot do is in its adapter, with the reason, and is printed.
"""
import argparse
import datetime
import decimal
import json
import multiprocessing
import os
import re
import socket
import struct
import tempfile
import threading
import time
import traceback

import adapters
import adapters_more
from adapters import Cannot, Refused
from harness import ROOT, TOKEN, Chain, Counter, Process, dies_with_us, finish
from truth import KEYS, Recording, raw, tuples

RECORDING = "mysql-9.7"
PLUGINS = {"native": "mysql_native_password", "sha2": "caching_sha2_password"}
CLIENTS = [adapters.MariaDbCli, adapters.Mycli, adapters.PyMySql, adapters.ConnectorPure, adapters.ConnectorC, adapters.MySqlClient,
           adapters.AsyncMy, adapters.SqlAlchemy, adapters.Mysql2, adapters.MariaDbNode, adapters.ConnectorJ, adapters.MysqlAsync, adapters.Sqlx,
           adapters_more.PhpPdo, adapters_more.PhpMysqli, adapters_more.PerlMysql, adapters_more.PerlMariaDb, adapters_more.RubyMysql2, adapters_more.RMySql, adapters_more.Go,
           adapters_more.Odbc]
# In ASCII: PyMySQL, and what builds on it, take a password for latin1 (the one that chatter.py uses has an umlaut).
FIRST = {"user": "first", "password": "the first & only"}
SECOND = {"user": "second", "password": "the second & another"}


class Relay:
    """Passes bytes on, and names another plugin in the greeting: clients take the one that the server names.

    Both names are equally long, and a server of this kind takes either from the client. A process of its own: a client in C may hold
    Python's lock while it waits for an answer.
    """

    def __init__(self, port, plugin):
        self.target, self.plugin = port, plugin.encode()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.process = multiprocessing.get_context("fork").Process(target=self.run, daemon=True)
        self.process.start()
        self.listener.close()

    def run(self):
        dies_with_us()
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            for s in (client, server):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.greet, args=(server, client), daemon=True).start()
            threading.Thread(target=self.pump, args=(client, server), daemon=True).start()

    def greet(self, server, client):
        greeting = b""
        while len(greeting) < 4 or len(greeting) < 4 + int.from_bytes(greeting[:3], "little"):
            data = server.recv(65536)
            if not data:
                break
            greeting += data
        try:
            client.sendall(re.sub(rb"mysql_native_password|caching_sha2_password", self.plugin, greeting, count=1))
        except OSError:
            pass
        self.pump(server, client)

    @staticmethod
    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for s in (source, sink):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.process.kill()
        self.process.join()


def is_zero(text):
    """A date that no calendar has."""
    year, month, day = text[:10].split("-")
    return "00" in (month, day) or year == "0000"


def micros(text):
    """`-12:34:56.7` in microseconds."""
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = text.lstrip("-").split(":")
    whole, _, fraction = seconds.partition(".")
    return sign * (((int(hours) * 60 + int(minutes)) * 60 + int(whole)) * 1000000 + int(fraction.ljust(6, "0") or 0))


def padded(text):
    """A DATETIME with six decimals."""
    whole, _, fraction = text.partition(".")
    return "%s.%s" % (whole, fraction.ljust(6, "0"))


INTS = ("tinyint", "smallint", "mediumint", "int", "bigint", "year", "zerofill")
BYTES = ("bit", "binary", "varbinary", "blob", "longblob", "geometry")


def python_value(kind, data):
    """What a typed client makes of a cell: [kind, text]."""
    if data is None:
        return None
    if kind in BYTES:
        return ["bytes", data.hex()]
    text = data.decode()
    if kind in INTS:
        return ["int", str(int(text))]
    if kind == "decimal":
        return ["decimal", text]
    if kind in ("float", "double"):
        return ["float", repr(float(text))]
    if kind == "time":
        return ["time", adapters.time_text(micros(text))]
    if kind == "date":
        return ["zero", text] if is_zero(text) else ["date", text]
    if kind in ("datetime", "timestamp"):
        return ["zero", text] if is_zero(text) else ["datetime", padded(text)]
    if kind == "set":
        return ["set", ",".join(sorted(text.split(","))) if text else ""]
    if kind == "json":
        return ["json", text]
    return ["str", text]


class View:
    """How a client shows what python_value names: by kind of column, else by kind of value. Each is a fact of that client, not of the shim."""

    def __init__(self, **by):
        self.by = by

    def of(self, kind, data, place=""):
        value = python_value(kind, data)
        if value is None:
            return self.by["null"](kind) if "null" in self.by else None
        for key in (place, kind, value[0], "all"):
            if key in self.by:
                return self.by[key](value, data)
        return value


def as_text(value, data):
    return ["str", data.decode()]


def as_raw(value, data):
    return ["raw", data.hex()]


def nothing(value, data):
    return None


def number(value, data):
    return ["num", data.decode()]


def big_number(value, data):
    """Beyond 2^53 JavaScript has no number for it: text."""
    return ["num", data.decode().lstrip("0") or "0"] if abs(int(data)) < 1 << 53 else ["str", data.decode()]


def bits(value, data):
    return ["int", str(int.from_bytes(data, "big"))]


def as_span(value, data):
    return ["span", data.decode()]


def parsed_json(value, data):
    """What JSON.parse made of it."""
    return ["parsed", json.loads(data)]


def point(show):
    """A POINT as an object: 4 bytes SRID, 1 of byte order, 4 of kind (1), two numbers."""
    def work(value, data):
        order, kind, x, y = struct.unpack("<xxxxBIdd", data)
        assert (order, kind) == (1, 1), "the recording has points alone"
        return ["parsed", show(x, y)]
    return work


def labels(value, data):
    return ["parsed", data.decode().split(",") if data else []]


def python_text(value, data):
    """str() of a Python value."""
    kind, text = value
    if kind == "int":
        return ["str", str(int(text))]
    if kind == "float":
        return ["str", str(float(text))]
    if kind == "datetime":
        return ["str", text[:-7] if text.endswith(".000000") else text]
    if kind == "decimal":
        return ["str", str(decimal.Decimal(text))]
    return as_text(value, data)


def text_where_it_can(value, data):
    """Bytes that happen to be UTF-8 become text."""
    try:
        return ["str", data.decode()]
    except UnicodeDecodeError:
        return value


def days_alone_negative(value, data):
    """It puts the sign of a TIME before the days, and forgets it for the rest."""
    total = micros(data.decode())
    if total >= 0:
        return value
    days, rest = divmod(-total, 86400 * 1000000)
    return ["time", adapters.time_text(rest - days * 86400 * 1000000)]


def no_sign_below_an_hour(value, data):
    """It reads the hours of a text as a number, and -00 is no number."""
    return ["time", value[1].lstrip("-")] if value[1].startswith("-00:") else value


def moment(value, data):
    text = data.decode()
    return ["moment", padded(text if " " in text else text + " 00:00:00")]


def signed(value, data):
    """In a binary row it takes every BIGINT for a signed one (also from MySQL 9.7)."""
    number = int(data)
    return ["int", str(number - (1 << 64) if number >= 1 << 63 else number)]


def within_64_bits(value, data):
    """Beyond a signed number of 64 bits it is text."""
    return value if int(data) < 1 << 63 else ["str", value[1]]


def raw_whole(value, data):
    """An integer without the zeros in front."""
    return ["raw", value[1].encode().hex()]


def as_it_is(value, data):
    return value


def number_or_na(value, data):
    """The lowest INT is what R has for a value that is not there."""
    return None if int(data) == -1 << 31 else number(value, data)


def to_the_zero(value, data):
    """It takes bytes for a text of C, which ends at its first zero."""
    return ["raw", data.split(b"\0")[0].hex()]


def shortest(value, data):
    """A DECIMAL without zeros at its end."""
    whole, _, fraction = value[1].partition(".")
    return ["decimal", "%s.%s" % (whole, fraction.rstrip("0") or "0")]


def signed_32(value, data):
    """It takes every INT for a signed one (also from MySQL 9.7)."""
    number = int(value[1])
    return ["int", str(number - (1 << 32) if number >= 1 << 31 else number)] if value[0] == "int" else value


PYTHON = dict(set=as_text, json=as_text, zero=as_text)
CONNECTOR = dict(json=as_text, zero=nothing, bit=bits, geometry=text_where_it_can)
CONNECTOR_C = dict(json=as_text, zero=nothing, bit=bits)
# Its rows of the binary protocol are less typed than those of the text protocol.
CONNECTOR_BINARY = dict(time=days_alone_negative, json=lambda value, data: ["bytes", data.hex()], set=as_text, zero=nothing)
NODE = dict(int=number, bigint=big_number, decimal=as_text, float=number, double=number, date=as_text, datetime=as_text, zero=as_text, time=as_span,
            set=as_text, json=parsed_json)
MYSQL2 = {**NODE, "geometry": point(lambda x, y: {"x": x, "y": y})}
MARIADB_NODE = {**NODE, "geometry": point(lambda x, y: {"type": "Point", "coordinates": [x, y]}), "set": labels,
                "bigint": lambda value, data: value}
JAVA = dict(set=as_text, json=as_text, zero=nothing, time=as_span)
# It reads the flag BINARY, which the server sets for text under a _bin collation too, as the character set binary.
SQLX = {"set": as_text, "bit": bits, "zero": lambda value, data: ["unreadable", None], "products.sku": lambda value, data: ["bytes", data.hex()]}
PHP = dict(all=as_text, int=within_64_bits, float=as_it_is, bytes=text_where_it_can, zerofill=as_text, year=as_text, bit=bits)
PERL = dict(all=as_raw, float=as_it_is)
RUBY = dict(all=as_raw, int=as_it_is, float=as_it_is, decimal=shortest, datetime=as_it_is, zero=nothing)
# It prepares everything.
ODBC = View(**{**PYTHON, "zero": nothing, "int": signed_32, "bigint": as_it_is})
GO = dict(all=as_raw, int=as_it_is, float=as_it_is, bigint=lambda value, data: value if int(data) < 1 << 63 else as_raw(value, data))
VIEWS = {
    "PyMySQL": (View(**PYTHON), None),
    "SQLAlchemy": (View(**PYTHON), None),
    "asyncmy": (View(**PYTHON), None),
    "mysqlclient": (View(**{**PYTHON, "zero": nothing}), None),
    "mysql-connector-python, pure": (View(**CONNECTOR), View(**CONNECTOR_BINARY)),
    "mysql-connector-python, C": (View(**CONNECTOR_C), View(**{**CONNECTOR_C, "json": CONNECTOR_BINARY["json"], "bigint": signed})),
    "mysql2 (node)": (View(**MYSQL2), View(**MYSQL2)),
    "mariadb (node)": (View(**MARIADB_NODE), View(**MARIADB_NODE)),
    "MariaDB Connector/J": (View(**JAVA), View(**JAVA)),
    # Text cells are bytes to it.
    "mysql_async": (View(all=as_raw), View(decimal=as_raw, set=as_raw, json=as_raw, str=as_raw, bytes=as_raw, date=moment, datetime=moment, zero=moment)),
    "sqlx": (View(**SQLX, time=no_sign_below_an_hour), View(**SQLX)),
    "PHP PDO": (View(**PHP), View(**PHP)),
    "PHP mysqli": (View(all=as_text, bytes=text_where_it_can, bit=lambda value, data: ["str", bits(value, data)[1]]), View(**PHP)),
    "Perl DBD::mysql": (View(**PERL), View(**PERL, zerofill=raw_whole)),
    "Perl DBD::MariaDB": (View(**PERL), View(**PERL)),
    "Ruby mysql2": (View(all=as_raw), View(**RUBY)),
    "R RMySQL": (View(all=as_raw, int=number_or_na, year=as_raw, decimal=number, float=number, bytes=to_the_zero), None),
    "go-sql-driver": (View(all=as_raw), View(**GO)),
    "MariaDB Connector/ODBC": (ODBC, ODBC),
    "mariadb": (View(all=as_raw, null=lambda kind: ["raw", b"NULL".hex()]), None),
    "mycli": (View(all=python_text, null=lambda kind: ["str", ""]), None),
}


def plain(got):
    """A value of JavaScript as Python has it."""
    if got is None:
        return None
    kind, text = got
    return {"num": float, "str": str, "bool": lambda t: t == "true", "json": lambda t: json.loads(t), "int": float}[kind](text)


def approximate(value):
    """JSON as JavaScript reads it: all numbers are binary64."""
    if isinstance(value, list):
        return [approximate(v) for v in value]
    if isinstance(value, dict):
        return {k: approximate(v) for k, v in value.items()}
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def same(kind, got, want, binary=False):
    """Numbers as numbers, spans as spans, JSON as JSON; all else as it is."""
    if want is not None and want[0] == "parsed":
        return approximate(plain(got)) == approximate(want[1])
    if want is not None and want[0] == "unreadable":
        return got is None or got[0] == "error"
    if got == want or got is None or want is None:
        return got == want
    numbers = ("float", "num", "int")
    if kind == "float" and got[0] in numbers and want[0] in numbers:
        if binary:
            # All bits came, and the truth has the six digits that the text protocol shows of them.
            return float("%.6g" % float(got[1])) == float(want[1])
        # Both are that text.
        return struct.pack("<f", float(got[1])) == struct.pack("<f", float(want[1]))
    if "num" in (got[0], want[0]) and got[0] in numbers and want[0] in numbers:
        return float(got[1]) == float(want[1])
    if want[0] == "span":
        return got[0] in ("str", "timetext") and micros(got[1]) == micros(want[1])
    if got[0] != want[0]:
        return False
    if got[0] == "float":
        return float(got[1]) == float(want[1])
    if got[0] == "json":
        return json.loads(got[1]) == json.loads(want[1])
    return False


class Truth:
    """The tables at the last tick of the recording."""

    def __init__(self):
        self.recording = Recording(RECORDING)
        self.tick = self.recording.ticks[-1]
        self.at = self.tick["as_of"]

    def table(self, name):
        d = self.tick["tables"][name]
        return d["columns"], [[raw(v) for v in row] for row in d["rows"]], [self.recording.key(name, d["columns"], row) for row in d["rows"]]

    def kind(self, table, column):
        return self.recording.kinds[table][column]


class Matrix:
    """One client under one transport and one plugin."""

    def __init__(self, client, chain, relay, options, truth, count):
        self.client, self.chain, self.truth, self.count = client, chain, truth, count
        self.options = {**options, "port": relay.port}
        self.text_view, self.binary_view = VIEWS[client.name]
        self.refusals = {}

    def connect(self, **other):
        return self.client({**self.options, **other})

    def attempt(self, what, work):
        """A part: what breaks off is a failure, and the others still run."""
        if what in self.client.cannot:
            return
        try:
            work()
        except Refused as e:
            self.count.check(False, "%s: refused" % what, e.args, "no error")
        except Exception as e:
            self.count.check(False, "%s: broke off" % what, "%s: %s %s" % (type(e).__name__, e, traceback.format_exc()[-900:]), "an end")

    def run(self):
        try:
            self.connection = self.connect()
        except Exception as e:
            self.count.check(False, "connect", "%s: %s %s" % (type(e).__name__, e, traceback.format_exc()[-900:]), "a connection")
            return
        self.count.check(True, "connect")
        for what, work in (("session", self.session), ("text", self.text), ("types", self.types), ("empty", self.empty), ("errors", self.errors),
                           ("prepared", self.prepared), ("parameters", self.parameters), ("ping", self.ping), ("reset", self.reset),
                           ("change user", self.change_user), ("wrong password", self.wrong_password), ("agent", self.agent),
                           ("reconnect", self.reconnect), ("catalog", self.catalog)):
            self.attempt(what, work)
        try:
            self.connection.close()
        except Exception as e:
            self.count.check(False, "close", e, "no error")

    def first(self, sql, connection=None):
        """The cells of the first row as text, whatever the client takes them for."""
        return [None if v is None else bytes.fromhex(v[1]).decode() if v[0] in ("raw", "bytes") else v[1] for v in (connection or self.connection).query(sql)[1][0]]

    def session(self):
        self.count.equal(self.first("SELECT DATABASE(), CURRENT_USER(), VERSION()"), ["tt", "first@127.0.0.1", "8.0.36-dbtrail"], "session")
        reported = self.connection.encrypted()
        self.count.check(reported in (None, self.options["tls"]), "session: TLS as asked", reported, self.options["tls"])

    def compare(self, table, got, view, columns=None):
        all_columns, rows, _ = self.truth.table(table)
        wanted = columns or all_columns
        names, cells = got
        if not self.count.equal(names, wanted, "columns of %s" % table) or not self.count.equal(len(cells), len(rows), "rows of %s" % table):
            return
        for row, cell_row in zip(rows, cells):
            for name, cell in zip(wanted, cell_row):
                kind, data = self.truth.kind(table, name), row[all_columns.index(name)]
                want = view.of(kind, data, "%s.%s" % (table, name))
                self.count.check(same(kind, cell, want, view is self.binary_view), "type %s of %s.%s" % (kind, table, name), cell, want)

    def text(self):
        self.compare("orders", self.connection.query(self.select("orders")), self.text_view)
        key = self.truth.table("order_items")[2][0]
        names, rows = self.connection.query("SELECT sku AS what, `line` FROM _flashback.order_items AS OF '%s' AS b WHERE order_id = %s AND line = %s" % (self.truth.at, *key))
        self.count.equal(names, ["what", "line"], "aliases")

    def select(self, table, columns="*", point=None, keys=None):
        keys = keys if keys is not None else self.truth.table(table)[2]
        return "SELECT %s FROM _flashback.%s AS OF %s WHERE %s" % (columns, table, point or "'%s'" % self.truth.at, tuples(table, keys))

    def shown_columns(self, table):
        """All, or those that the client can show."""
        left_out = BYTES if self.client is adapters.Mycli else [kind for kind in ("json", "time") if kind in self.client.cannot]
        return [c for c in self.truth.table(table)[0] if self.truth.kind(table, c) not in left_out]

    def binary_columns(self, table):
        return [c for c in self.shown_columns(table) if "prepared " + self.truth.kind(table, c) not in self.client.cannot]

    def types(self):
        for table in KEYS:
            columns = self.shown_columns(table)
            self.compare(table, self.connection.query(self.select(table, ", ".join(columns))), self.text_view, columns)

    def empty(self):
        names, rows = self.connection.query("SELECT * FROM _flashback.orders AS OF '%s' WHERE id = 4000000000" % self.truth.at)
        self.count.equal(rows, [], "empty: rows")
        # A command line prints no head without a row.
        if not issubclass(self.client, adapters.CommandLine):
            self.count.equal(names, self.truth.table("orders")[0], "empty: columns")

    def refusal(self, what, code, state, begins, work):
        try:
            got = work()
        except Refused as e:
            self.count.check(e.code == code and e.message.startswith(begins), "errors: %s" % what, (e.code, e.message), (code, begins))
            if "state" not in self.client.cannot:
                self.count.equal(e.state, state, "errors: SQLSTATE, %s" % what)
            return
        self.count.check(False, "errors: %s" % what, got, code)

    def errors(self):
        refused = lambda sql: lambda: self.connection.query(sql)
        self.refusal("no key", 1064, "HY000", "dbtrail-shim: time-travel queries require a PK predicate",
                     refused("SELECT * FROM _flashback.orders AS OF '%s'" % self.truth.at))
        self.refusal("no column", 1054, "42S22", "Unknown column 'nothing'", refused("SELECT nothing FROM _flashback.orders AS OF '%s' WHERE id = 1" % self.truth.at))
        self.refusal("no table", 1064, "HY000", "dbtrail backend rejected request (HTTP 404)", refused("SELECT * FROM _flashback.nothing AS OF '%s' WHERE id = 1" % self.truth.at))
        self.refusal("a write", 1235, "42000", "", refused("DELETE FROM orders"))
        self.count.equal(self.first("SELECT 7"), ["7"], "errors: the session goes on")

    def ask(self, table, parameters, sql):
        return self.connection.prepared(sql, parameters)

    def prepared(self):
        for table in KEYS:
            columns = self.binary_columns(table)
            self.compare(table, self.connection.prepared(self.select(table, ", ".join(columns)), []), self.binary_view, columns)
        if "prepared error" not in self.client.cannot:
            self.refusal("no key, prepared", 1064, "HY000", "dbtrail-shim: time-travel queries require a PK predicate",
                         lambda: self.connection.prepared("SELECT * FROM _flashback.orders AS OF '%s'" % self.truth.at, []))
        names, rows = self.connection.prepared("SELECT * FROM _flashback.orders AS OF ? WHERE id = ?", [self.truth.at, 4000000000])
        self.count.equal((names, rows), (self.truth.table("orders")[0], []), "prepared: empty")

    def one(self, table, row, sql, parameters):
        """One row by a prepared statement."""
        names, cells = self.connection.prepared(sql.replace("*", ", ".join(self.binary_columns(table))), parameters)
        columns, rows, _ = self.truth.table(table)
        if self.count.check(len(cells) == 1 and names == self.binary_columns(table), "parameters: one row of %s" % table, (names, cells), 1):
            for name, cell in zip(names, cells[0]):
                data = rows[row][columns.index(name)]
                kind = self.truth.kind(table, name)
                want = self.binary_view.of(kind, data, "%s.%s" % (table, name))
                self.count.check(same(kind, cell, want, True), "parameters: type %s of %s.%s" % (kind, table, name), cell, want)

    def parameters(self):
        if "prepared" in self.client.cannot:
            return
        moment = datetime.datetime.fromisoformat(self.truth.at)
        key = lambda table, row: self.truth.table(table)[2][row]
        at = self.truth.at
        # The last one is beyond 2^63 - 1.
        for row in (0, 1) if "unsigned" in self.client.cannot else (0, 1, -1):
            self.one("orders", row, "SELECT * FROM _flashback.orders AS OF ? WHERE id = ?", [at, int(key("orders", row)[0])])
            # The same statement with other types.
            self.one("orders", row, "SELECT * FROM _flashback.orders AS OF ? WHERE id = ?", [moment, key("orders", row)[0]])
        self.one("zoo", 0, "SELECT * FROM _flashback.zoo AS OF ? WHERE id IN (?)", [at, int(key("zoo", 0)[0])])
        self.one("products", 0, "SELECT * FROM _flashback.products AS OF ? WHERE sku = ?", [at, key("products", 0)[0]])
        self.one("devices", 0, "SELECT * FROM _flashback.devices AS OF ? WHERE uid = ?", [at, raw(key("devices", 0)[0])])
        pair = [int(v) for v in key("order_items", 0)]
        self.one("order_items", 0, "SELECT * FROM _flashback.order_items AS OF ? WHERE (order_id, line) = (?, ?)", [at, *pair])
        first = [int(key("orders", i)[0]) for i in range(3)]
        self.one("orders", 1, "SELECT * FROM _flashback.orders AS OF ? WHERE id IN (?, ?, ?) LIMIT ? OFFSET ?", [at, *first, 1, 1])

    def ping(self):
        self.connection.ping()
        self.count.check(True, "ping")

    def littered(self):
        self.connection.query("SET @mine = 42")
        self.count.equal(self.first("SELECT @mine"), ["42"], "a variable of the session")

    def reset(self):
        self.littered()
        self.connection.reset()
        self.count.equal(self.first("SELECT @mine, CURRENT_USER()"), [None, "first@127.0.0.1"], "reset")

    def change_user(self):
        other = self.connect()
        try:
            other.query("SET @mine = 42")
            other.change_user(SECOND["user"], SECOND["password"], "tt")
            self.count.equal(self.first("SELECT @mine, CURRENT_USER(), DATABASE()", other), [None, "second@127.0.0.1", "tt"], "change user")
        finally:
            other.close()

    def wrong_password(self):
        try:
            self.connect(password="wrong").close()
        except Refused as e:
            if e.code == 2061 and "wrong password" in self.client.doubtful and not self.options["tls"] and self.options["plugin"] == PLUGINS["sha2"]:
                self.count.check(True, "wrong password")
                return
            self.count.check(e.code == 1045 and "Access denied for user 'first'@'127.0.0.1' (using password: YES)" in e.message, "wrong password", e.args, 1045)
            return
        self.count.check(False, "wrong password", "a connection", 1045)

    def agent(self):
        sql = "SELECT * FROM _flashback.order_items AS OF '%s' WHERE %s" % (self.truth.at, tuples("order_items", self.truth.table("order_items")[2][:1]))
        down = self.chain.agent_down()
        try:
            self.refusal("no agent", self.client.unreachable, "HY000", "Can't connect to dbtrail backend", lambda: self.connection.query(sql))
        finally:
            self.chain.agent_up(down)
        self.count.equal(len(self.connection.query(sql)[1]), 1, "agent: the same connection, when it is back")
        fresh = self.connect()
        self.count.equal(len(fresh.query(sql)[1]), 1, "agent: a new connection, when it is back")
        fresh.close()


    def catalog(self):
        """What tools ask of the catalog, and what they are told of a table with a key of two columns."""
        try:
            # Twice: a connector assigns variables, which the second call finds.
            found = [self.connection.catalog("tt", "order_items") for _ in range(2)][1]
        except Cannot:
            return
        key = ["line", "order_id"]
        want = {"columns": self.truth.table("order_items")[0], "key": [] if "primary key" in self.client.cannot else key, "index": key, "best": key}
        self.count.equal({k: v if k == "columns" else sorted(v) for k, v in found.items()}, want, "catalog")

    def reconnect(self):
        """A client that connects again by itself when its connection has ended."""
        if not self.client.reconnects or self.options["tls"] and "reconnect inside TLS" in self.client.cannot:
            return
        before = self.first("SELECT CONNECTION_ID()")[0]
        other = self.connect()
        try:
            other.query("KILL %s" % before)
            # It is ended a moment later: a statement that comes in between is lost with it.
            time.sleep(0.3)
        finally:
            other.close()
        after = self.first("SELECT CONNECTION_ID()")[0]
        self.count.check(after != before, "reconnect", after, "another connection than %s" % before)


class Outage(Chain):
    """A chain whose agent goes and comes back."""

    def agent_down(self):
        address = re.search(r"listens on https://(\S+:\d+)", self.agent.output()).group(1)
        arguments = list(self.agent.arguments)
        arguments[arguments.index("--listen") + 1] = address
        self.agent.stop()
        return arguments

    def agent_up(self, arguments):
        self.processes.remove(self.agent)
        self.agent = Process(arguments, os.path.join(self.folder, "agent.log"))
        self.processes.insert(0, self.agent)
        self.agent.wait_for(r"listens on (https://\S+:\d+)")


def tenants():
    return "".join("""  - mysql_user: %s
    mysql_password: "%s"
    server_id: real
    agent_token: %s
    default_schema: tt
""" % (t["user"], t["password"], TOKEN) for t in (FIRST, SECOND))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only")
    parser.add_argument("--transport", choices=["plain", "tls"])
    parser.add_argument("--plugin", choices=list(PLUGINS))
    parser.add_argument("--rust", default=os.path.join(ROOT, "target", "clients", "debug"))
    parser.add_argument("--jar", default="/usr/share/java/mariadb-java-client.jar")
    arguments = parser.parse_args()
    truth, counters, classes = Truth(), [], tempfile.TemporaryDirectory(prefix="dbtrail-matrix-")
    clients = [c for c in CLIENTS if arguments.only in (None, c.name)] or parser.error("the clients are " + ", ".join(c.name for c in CLIENTS))
    adapters.Rust.folder = arguments.rust
    for transport in [arguments.transport] if arguments.transport else ["plain", "tls"]:
        tls = transport == "tls"
        with Outage([truth.recording.binlog], tls="required" if tls else "off", tenants=tenants()) as chain:
            if adapters.ConnectorJ in clients and not adapters.ConnectorJ.folder:
                adapters.ConnectorJ.build(classes.name, arguments.jar)
            if adapters_more.Go in clients and not adapters_more.Go.program:
                adapters_more.Go.build(classes.name)
            for plugin in [arguments.plugin] if arguments.plugin else PLUGINS:
                relay = Relay(chain.port, PLUGINS[plugin])
                options = {**FIRST, "database": "tt", "tls": tls, "ca": chain.ca, "plugin": PLUGINS[plugin]}
                for client in clients:
                    counters.append(Counter("%s, %s, %s" % (client.name, transport, plugin)))
                    Matrix(client, chain, relay, options, truth, counters[-1]).run()
                    counters[-1].line()
                relay.close()
    print("\nWhat a client cannot do, and was not asked to:")
    for client in clients:
        for what, why in sorted({**client.cannot, **client.doubtful}.items()):
            print("%-32s %-14s %s" % (client.name, what, why))
    print()
    finish(counters, 20 if arguments.only else 5000)


if __name__ == "__main__":
    main()
