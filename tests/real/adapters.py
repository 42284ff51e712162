"""Clients of the matrix behind one face: connect, text query, prepared query, change of user, reset, ping; and how each shows a value.

A value travels as [kind, text] (None for NULL), so that programs in other languages can tell what their client made of it.
"""
import asyncio
import csv
import datetime
import decimal
import io
import json
import os
import re
import subprocess
import sys
import tempfile

from harness import dies_with_us

HERE = os.path.dirname(os.path.abspath(__file__))


class Refused(Exception):
    """An error of the server as the client shows it."""

    def __init__(self, code, state, message):
        super().__init__(code, state, message)
        self.code, self.state, self.message = code, state, message


class Cannot(Exception):
    """The client has no such ability."""


def time_text(micros):
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    seconds, micros = divmod(micros, 1000000)
    return "%s%02d:%02d:%02d.%06d" % (sign, seconds // 3600, seconds // 60 % 60, seconds % 60, micros)


def shown(value):
    """A Python value as [kind, text]."""
    if value is None:
        return None
    if isinstance(value, bool):
        return ["bool", str(value)]
    if isinstance(value, int):
        return ["int", str(value)]
    if isinstance(value, float):
        return ["float", repr(value)]
    if isinstance(value, decimal.Decimal):
        return ["decimal", format(value, "f")]
    if isinstance(value, (bytes, bytearray)):
        return ["bytes", bytes(value).hex()]
    if isinstance(value, datetime.datetime):
        return ["datetime", value.strftime("%Y-%m-%d %H:%M:%S.%f").rjust(26, "0")]
    if isinstance(value, datetime.date):
        return ["date", value.isoformat()]
    if isinstance(value, datetime.timedelta):
        return ["time", time_text(value // datetime.timedelta(microseconds=1))]
    if isinstance(value, (set, frozenset)):
        return ["set", ",".join(sorted(value))]
    if isinstance(value, str):
        return ["str", value]
    return [type(value).__name__, repr(value)]


class Adapter:
    """One connection of one client. `cannot` says what the client has no way to do, and why."""

    cannot = {}
    # What the client may show in another way, and why.
    doubtful = {}
    # It connects again by itself when its connection has ended.
    reconnects = False
    # What it is told when the agent does not answer: see docs/errors.md.
    unreachable = 2002
    name = ""

    def __init__(self, options):
        """`options`: port, user, password, database, tls, ca, plugin."""
        self.options = options

    def query(self, sql):
        """Column names and rows."""
        raise NotImplementedError

    def prepared(self, sql, parameters):
        raise Cannot()

    def change_user(self, user, password, database):
        raise Cannot()

    def reset(self):
        raise Cannot()

    def ping(self):
        raise Cannot()

    def catalog(self, schema, table):
        """Asks every question of the catalog that the client has; names: `columns`, primary `key`, unique `index`, `best` row identifier."""
        raise Cannot()

    def encrypted(self):
        """Whether the session is inside TLS, as the client knows it; None: it does not tell."""
        return None

    def close(self):
        pass


def rows_of(cursor):
    names = [d[0] if isinstance(d[0], str) else d[0].decode() for d in cursor.description]
    return names, [[shown(v) for v in row] for row in cursor.fetchall()]


class PyMySql(Adapter):
    name = "PyMySQL"
    cannot = {"prepared": "PyMySQL has no COM_STMT_PREPARE", "change user": "PyMySQL has no COM_CHANGE_USER",
              "reset": "PyMySQL has no COM_RESET_CONNECTION", "state": "PyMySQL reads the SQLSTATE and drops it"}

    def __init__(self, options):
        super().__init__(options)
        import pymysql
        self.module = pymysql
        ssl = {"ca": options["ca"], "check_hostname": True} if options["tls"] else None
        self.connection = self.guarded(lambda: pymysql.connect(
            host="127.0.0.1", port=options["port"], user=options["user"], password=options["password"].encode(),
            database=options["database"], charset="utf8mb4", autocommit=True, ssl=ssl, read_timeout=60, server_public_key=None))

    def guarded(self, work):
        try:
            return work()
        except self.module.MySQLError as e:
            raise Refused(e.args[0], None, str(e.args[1])) from e

    def query(self, sql):
        def run():
            with self.connection.cursor() as cursor:
                cursor.execute(sql)
                return rows_of(cursor) if cursor.description else ([], [])
        return self.guarded(run)

    def ping(self):
        self.guarded(lambda: self.connection.ping(reconnect=False))

    def encrypted(self):
        return hasattr(self.connection._sock, "cipher")

    def close(self):
        self.connection.close()


class Connector(Adapter):
    """mysql-connector-python."""
    pure = True

    def __init__(self, options):
        super().__init__(options)
        import mysql.connector
        self.module = mysql.connector
        more = {"ssl_ca": options["ca"], "ssl_verify_cert": True} if options["tls"] else {"ssl_disabled": True}
        self.connection = self.guarded(lambda: mysql.connector.connect(
            host="127.0.0.1", port=options["port"], user=options["user"], password=options["password"], database=options["database"],
            use_pure=self.pure, autocommit=True, charset="utf8mb4", connection_timeout=60, **more))

    def guarded(self, work):
        try:
            return work()
        except self.module.Error as e:
            # The C extension lets some of its own through.
            raise Refused(e.errno, e.sqlstate, getattr(e, "msg", str(e))) from e

    def query(self, sql):
        def run():
            cursor = self.connection.cursor()
            try:
                cursor.execute(sql)
                return rows_of(cursor) if cursor.description else ([], [])
            finally:
                cursor.close()
        return self.guarded(run)

    def prepared(self, sql, parameters):
        def run():
            cursor = self.connection.cursor(prepared=True)
            try:
                cursor.execute(sql, tuple(parameters))
                return rows_of(cursor)
            finally:
                cursor.close()
        return self.guarded(run)

    def change_user(self, user, password, database):
        self.guarded(lambda: self.connection.cmd_change_user(user, password, database))

    def reset(self):
        self.guarded(lambda: self.connection.cmd_reset_connection())

    def ping(self):
        self.guarded(lambda: self.connection.ping(reconnect=False))

    def close(self):
        self.connection.close()


class ConnectorPure(Connector):
    name = "mysql-connector-python, pure"
    cannot = {"prepared year": "it reads a YEAR of a binary row as text, and loses its place in the row (also from MySQL 9.7)"}


class ConnectorC(Connector):
    name = "mysql-connector-python, C"
    cannot = {"prepared error": "its number of an error at PREPARE is -1",
              "unsigned": "it sends a whole number beyond 2^63 - 1 as a negative one"}
    doubtful = {"wrong password": "without TLS, caching_sha2_password: 2061 of its own, since it does not ask for the RSA key"}
    pure = False


class MySqlClient(Adapter):
    name, unreachable = "mysqlclient", 1429
    cannot = {"prepared": "MySQLdb has no prepared statements", "reset": "MySQLdb has no COM_RESET_CONNECTION",
              "state": "MySQLdb does not show the SQLSTATE of an error"}

    def __init__(self, options):
        super().__init__(options)
        import MySQLdb
        self.module = MySQLdb
        more = {"ssl": {"ca": options["ca"]}} if options["tls"] else {}
        self.connection = self.guarded(lambda: MySQLdb.connect(
            host="127.0.0.1", port=options["port"], user=options["user"], password=options["password"], database=options["database"],
            charset="utf8mb4", autocommit=True, **more))

    def guarded(self, work):
        try:
            return work()
        except self.module.MySQLError as e:
            raise Refused(e.args[0], None, str(e.args[1])) from e

    def query(self, sql):
        def run():
            cursor = self.connection.cursor()
            try:
                cursor.execute(sql)
                return rows_of(cursor) if cursor.description else ([], [])
            finally:
                cursor.close()
        return self.guarded(run)

    def change_user(self, user, password, database):
        self.guarded(lambda: self.connection.change_user(user, password, database))

    def ping(self):
        self.guarded(self.connection.ping)

    def close(self):
        self.connection.close()


class AsyncMy(Adapter):
    name = "asyncmy"
    cannot = {"prepared": "asyncmy has no COM_STMT_PREPARE", "change user": "asyncmy has no COM_CHANGE_USER",
              "reset": "asyncmy has no COM_RESET_CONNECTION", "state": "asyncmy reads the SQLSTATE and drops it"}

    def __init__(self, options):
        super().__init__(options)
        import ssl

        import asyncmy
        import asyncmy.errors
        self.errors = asyncmy.errors
        self.loop = asyncio.new_event_loop()
        context = ssl.create_default_context(cafile=options["ca"]) if options["tls"] else None
        self.connection = self.run(asyncmy.connect(
            host="127.0.0.1", port=options["port"], user=options["user"], password=options["password"], db=options["database"],
            charset="utf8mb4", autocommit=True, ssl=context))

    def run(self, work):
        async def wait():
            return await work
        try:
            return self.loop.run_until_complete(asyncio.wait_for(wait(), 60))
        except self.errors.MySQLError as e:
            raise Refused(e.args[0], None, str(e.args[1])) from e

    def query(self, sql):
        async def run():
            async with self.connection.cursor() as cursor:
                await cursor.execute(sql)
                if not cursor.description:
                    return [], []
                return [d[0] for d in cursor.description], [[shown(v) for v in row] for row in await cursor.fetchall()]
        return self.run(run())

    def ping(self):
        self.run(self.connection.ping(reconnect=False))

    def close(self):
        self.connection.close()
        self.loop.close()


class SqlAlchemy(Adapter):
    name = "SQLAlchemy"
    cannot = {"prepared": "its dialect for PyMySQL puts parameters into the text", "change user": "SQLAlchemy has no such call",
              "reset": "SQLAlchemy's reset on return is a ROLLBACK", "state": "PyMySQL below it drops the SQLSTATE"}

    def __init__(self, options):
        super().__init__(options)
        import sqlalchemy
        self.module = sqlalchemy
        url = sqlalchemy.URL.create("mysql+pymysql", options["user"], options["password"], "127.0.0.1", options["port"], options["database"], {"charset": "utf8mb4"})
        more = {"ssl": {"ca": options["ca"]}} if options["tls"] else {}
        self.engine = sqlalchemy.create_engine(url, connect_args=more, pool_pre_ping=True)
        try:
            self.connection = self.guarded(self.engine.connect)
        except Refused:
            self.engine.dispose()
            raise

    def guarded(self, work):
        try:
            return work()
        except self.module.exc.DBAPIError as e:
            raise Refused(e.orig.args[0], None, str(e.orig.args[1])) from e

    def query(self, sql):
        def run():
            result = self.connection.exec_driver_sql(sql.replace("%", "%%"))
            if not result.returns_rows:
                return [], []
            return list(result.keys()), [[shown(v) for v in row] for row in result.fetchall()]
        return self.guarded(run)

    def bound(self, sql, parameters):
        """SQLAlchemy's own placeholders."""
        def run():
            result = self.connection.execute(self.module.text(sql), parameters)
            return list(result.keys()), [[shown(v) for v in row] for row in result.fetchall()]
        return self.guarded(run)

    def ping(self):
        dbapi = self.connection.connection.dbapi_connection
        self.guarded(lambda: self.engine.dialect.do_ping(dbapi))

    def close(self):
        self.connection.close()
        self.engine.dispose()


class Program(Adapter):
    """A client in another language: a program that takes a JSON command a line and answers with a line."""

    def __init__(self, options):
        super().__init__(options)
        self.log = tempfile.TemporaryFile()
        self.child = subprocess.Popen(self.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, preexec_fn=dies_with_us)
        try:
            self.ask({"do": "connect", **options})
        except Refused:
            self.close()
            raise

    def command(self):
        raise NotImplementedError

    def ask(self, command):
        self.child.stdin.write(json.dumps(command).encode() + b"\n")
        self.child.stdin.flush()
        line = self.child.stdout.readline()
        if not line:
            self.log.seek(0)
            raise RuntimeError("%s ended: %s" % (self.name, self.log.read().decode(errors="replace")[-1500:]))
        answer = json.loads(line)
        if "error" in answer:
            code, state, message = answer["error"]
            raise Refused(code, state, message)
        return answer

    def query(self, sql):
        answer = self.ask({"do": "query", "sql": sql})
        return answer.get("columns", []), answer.get("rows", [])

    def prepared(self, sql, parameters):
        answer = self.ask({"do": "prepared", "sql": sql, "parameters": [shown(p) for p in parameters]})
        return answer["columns"], answer["rows"]

    def change_user(self, user, password, database):
        self.ask({"do": "change_user", "user": user, "password": password, "database": database})

    def reset(self):
        self.ask({"do": "reset"})

    def ping(self):
        self.ask({"do": "ping"})

    def close(self):
        self.child.stdin.close()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child.stdout.close()
        self.log.close()


class Mysql2(Program):
    name = "mysql2 (node)"

    def command(self):
        return ["node", os.path.join(HERE, "clients", "mysql2.mjs")]


class MariaDbNode(Program):
    name = "mariadb (node)"
    cannot = {"change user": "it refuses changeUser() for servers that are not MariaDB (its error 45003)"}

    def command(self):
        return ["node", os.path.join(HERE, "clients", "mariadb.mjs")]


class ConnectorJ(Program):
    name = "MariaDB Connector/J"
    cannot = {"change user": "JDBC has no such call", "reset": "version 2.7 offers COM_RESET_CONNECTION to its pools alone"}
    folder = None

    def catalog(self, schema, table):
        return self.ask({"do": "catalog", "schema": schema, "table": table})

    @classmethod
    def build(cls, folder, jar):
        """Compiled once: starting from source costs a second each time."""
        subprocess.run(["javac", "-cp", jar, "-d", folder, os.path.join(HERE, "clients", "Matrix.java")], check=True)
        cls.folder, cls.jar = folder, jar

    def command(self):
        return ["java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", self.folder + ":" + self.jar, "Matrix"]


class Rust(Program):
    folder = None

    def command(self):
        return [os.path.join(self.folder, self.program)]


class MysqlAsync(Rust):
    name, program = "mysql_async", "mysql_async"


class Sqlx(Rust):
    name, program = "sqlx", "sqlx"
    cannot = {"change user": "sqlx has no COM_CHANGE_USER", "reset": "sqlx has no COM_RESET_CONNECTION"}


class CommandLine(Adapter):
    """A program that takes a statement and prints a table. Each statement is a login."""

    cannot = {"prepared": "a command line sends text", "change user": "a command line has no such command",
              "reset": "a command line has no such command", "ping": "a command line has no such command"}

    def run(self, arguments, environment=None):
        done = subprocess.run(arguments, capture_output=True, timeout=60, stdin=subprocess.DEVNULL, preexec_fn=dies_with_us,
                              env={**os.environ, **(environment or {})})
        return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def unescaped(cell):
    """What `--batch` writes for line breaks, tabs, zero bytes and backslashes."""
    escapes = {b"\\n": b"\n", b"\\t": b"\t", b"\\0": b"\0", b"\\\\": b"\\"}
    return re.sub(rb"\\.", lambda m: escapes[m.group()], cell)


class MariaDbCli(CommandLine):
    name, unreachable = "mariadb", 1429

    def __init__(self, options):
        super().__init__(options)
        self.query("SELECT 1")

    def base(self, program):
        o = self.options
        secure = ["--ssl-ca=" + o["ca"], "--ssl-verify-server-cert"] if o["tls"] else []
        return [program, "--no-defaults", "--protocol=TCP", "-h127.0.0.1", "-P%d" % o["port"], "-u" + o["user"],
                "--default-auth=" + o["plugin"], "--default-character-set=utf8mb4", *secure]

    def query(self, sql):
        code, out, err = self.run([*self.base("mariadb"), "--batch", self.options["database"], "-e", sql], {"MYSQL_PWD": self.options["password"]})
        if code:
            reported = re.search(r"ERROR (\d+) \((\w{5})\)(?: at line \d+)?: (.*)", err)
            raise Refused(int(reported.group(1)), reported.group(2), reported.group(3)) if reported else RuntimeError(err)
        lines = [[unescaped(c) for c in line.split(b"\t")] for line in out.split(b"\n")[:-1]]
        if not lines:
            return [], []
        return [c.decode() for c in lines[0]], [[["raw", c.hex()] for c in line] for line in lines[1:]]

    def ping(self):
        code, out, err = self.run([*self.base("mariadb-admin"), "ping"], {"MYSQL_PWD": self.options["password"]})
        if code or b"mysqld is alive" not in out:
            raise Refused(0, None, out.decode() + err)


MariaDbCli.cannot = {k: v for k, v in CommandLine.cannot.items() if k != "ping"}


class Mycli(CommandLine):
    name = "mycli"

    def __init__(self, options):
        super().__init__(options)
        self.query("SELECT 1")

    def query(self, sql):
        o = self.options
        secure = ["--ssl-mode=on", "--ssl-ca=" + o["ca"], "--ssl-verify-server-cert"] if o["tls"] else ["--ssl-mode=off"]
        empty = os.path.join(tempfile.gettempdir(), "dbtrail-matrix-myclirc")
        with open(empty, "w", encoding="utf-8") as f:
            f.write("[main]\nnull_string = \\N\nlog_level = NONE\nlog_file = /dev/null\n")
        code, out, err = self.run(
            [sys.executable, "-m", "mycli.main", "--myclirc", empty, "-h", "127.0.0.1", "-P", str(o["port"]), "-u", o["user"], "--password", o["password"],
             "-D", o["database"], *secure, "--csv", "-e", sql], {"TERM": "dumb", "COLUMNS": "1000"})
        if code:
            reported = re.search(r"\((\d+), ['\"](.*)['\"]\)", err + out.decode(errors="replace"), re.S)
            raise Refused(int(reported.group(1)), None, reported.group(2)) if reported else RuntimeError(err + out.decode(errors="replace"))
        table = list(csv.reader(io.StringIO(out.decode(), newline="")))
        if not table:
            return [], []
        return table[0], [[["str", v] for v in row] for row in table[1:]]


Mycli.cannot = {**CommandLine.cannot, "state": "PyMySQL below it drops the SQLSTATE", "NULL": "its CSV prints NULL as an empty field"}
