#!/usr/bin/env python3
"""Conversations with real clients: PyMySQL, libmariadb, the `mariadb` command line in batch and on a terminal, mysql2 on node.

mysql2 is found through NODE_PATH; `--without-node` leaves it out and says so.
"""
import ctypes
import ctypes.util
import json
import os
import pty
import re
import select
import socket
import ssl
import subprocess
import sys
import threading
import time

import pymysql
from pymysql.constants import FIELD_TYPE

from harness import PASSWORD, ROOT, Chain, Counter, ask, dies_with_us, finish

BINLOG = os.path.join(ROOT, "tests", "data", "mariadb-10.11", "binlog.000003")
POINT = "AS OF '2026-11-23 07:13:01'"
ROW_8 = [b"8", "Ω mega".encode(), b"web", b"paid", b"-6198748140.18", b"beta", b"1999-08-02 03:49:05", b"1999-03-22 14:06:24.304335"]
COLUMNS = ["id", "customer", "channel", "status", "amount", "note", "created_at", "updated_at"]
SQL_8 = "SELECT * FROM _flashback.orders %s WHERE id = 8" % POINT
HASHED_PASSWORD = "of-a-hash"
# '*' and SHA1(SHA1('of-a-hash')): with it alone, caching_sha2_password has to take its full path.
HASHED = "*%s"


class Hanging:
    """An agent that takes connections and never answers."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.asked, self.left = threading.Event(), threading.Event()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            peer = self.listener.accept()[0]
            threading.Thread(target=self.hold, args=(peer,), daemon=True).start()

    def hold(self, peer):
        try:
            if peer.recv(65536):
                self.asked.set()
                while peer.recv(65536):
                    pass
                self.left.set()
        except OSError:
            self.left.set()


def tenants(hanging):
    from hashlib import sha1
    twice = sha1(sha1(HASHED_PASSWORD.encode()).digest()).hexdigest().upper()
    return """  - mysql_user: hashed
    mysql_pass_sha1: "%s"
    server_id: real
    agent_token: token-of-the-real-tests
  - mysql_user: slow
    mysql_password: slow-password
    server_id: real
    agent_url: http://127.0.0.1:%d
    default_schema: tt
""" % (HASHED % twice, hanging.port)


class Sha2(pymysql.Connection):
    """PyMySQL that begins with caching_sha2_password."""

    def _get_server_information(self):
        super()._get_server_information()
        self._auth_plugin_name = "caching_sha2_password"


def error_of(work):
    """Number and text of the error that `work` meets."""
    try:
        work()
    except pymysql.MySQLError as e:
        return e.args
    return ("no error",)


def sha2(chain, **options):
    made = dict(host="127.0.0.1", port=chain.port, user="app", password=PASSWORD.encode(), database="tt", charset="utf8mb4", read_timeout=60)
    return Sha2(**{**made, **options})


def python(chain, count, tls):
    """PyMySQL: logins by both plugins, types, settings, warnings, KILL."""
    trust = {"ssl": ssl.create_default_context(cafile=chain.ca)} if tls else {}
    conn = chain.connect(**trust)
    cursor = conn.cursor()
    count.equal(isinstance(conn._sock, ssl.SSLSocket), tls, "TLS as asked")
    names, rows = ask(cursor, SQL_8)
    count.equal((names, rows), (COLUMNS, [ROW_8]), "the row")
    types = [d[1] for d in cursor.description]
    count.equal(types, [FIELD_TYPE.LONGLONG, FIELD_TYPE.VAR_STRING, FIELD_TYPE.VAR_STRING, FIELD_TYPE.STRING, FIELD_TYPE.NEWDECIMAL,
                        FIELD_TYPE.BLOB, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP], "the types that mysqld declares")
    converted = chain.connect(use_unicode=True, conv=None, **trust).cursor(pymysql.cursors.DictCursor)
    converted.execute(SQL_8)
    row = converted.fetchone()
    count.equal((row["id"], str(row["amount"]), row["created_at"].isoformat(), row["customer"]),
                (8, "-6198748140.18", "1999-08-02T03:49:05", "Ω mega"), "the row as Python values")
    for sql, want in [
        ("SELECT 1", b"1"), ("SELECT @@version_comment LIMIT 1", b"dbtrail-shim"), ("SELECT VERSION()", b"8.0.36-dbtrail"),
        ("SELECT DATABASE()", b"tt"), ("SELECT @@autocommit", b"1"), ("SELECT @@session.time_zone", b"+00:00"),
        ("select user()", b"app@127.0.0.1"), ("/* ApplicationName=x */ SELECT 1", b"1"),
    ]:
        count.equal(ask(cursor, sql)[1], [[want]], sql)
    count.equal(ask(cursor, "SHOW VARIABLES LIKE 'time\\_zone'"), (["Variable_name", "Value"], [[b"time_zone", b"+00:00"]]), "SHOW VARIABLES")
    for sql in ("SET NAMES utf8mb4", "SET sql_mode = 'STRICT_TRANS_TABLES', autocommit = 0", "BEGIN", "COMMIT", "ROLLBACK", "SET autocommit = 1", "USE tt"):
        count.equal(error_of(lambda: cursor.execute(sql)), ("no error",), sql)
    cursor.execute("SET time_zone = '+02:00'")
    count.equal(ask(cursor, "SELECT created_at, updated_at FROM _flashback.orders AS OF '2026-11-23 09:13:01' WHERE id = 8")[1],
                [[b"1999-08-02 03:49:05", b"1999-03-22 16:06:24.304335"]], "the session's zone reads the instant and shows TIMESTAMP")
    cursor.execute("SET time_zone = '+00:00'")
    count.equal(ask(cursor, SQL_8.replace("= 8", "= 11"))[1], [], "no row")
    count.equal(ask(cursor, "SHOW WARNINGS")[1], [[b"Note", b"1105", b"key (11): no row ever had it"]], "the note")
    for sql, code in [("SELECT * FROM _flashback.orders %s" % POINT, 1064), ("SELECT * FROM orders", 1235), ("SELECT @@nothing", 1193),
                      ("DELETE FROM orders", 1235), ("SELECT * FROM _flashback.orders AS OF '2999-01-01' WHERE id = 8", 1292), ("USE nowhere", 1049)]:
        count.equal(error_of(lambda: cursor.execute(sql))[0], code, sql)
        count.equal(ask(cursor, "SELECT 1")[1], [[b"1"]], "the session goes on after " + sql)
    conn.ping(reconnect=False)
    other = chain.connect(**trust)
    other.cursor().execute("KILL %d" % conn.thread_id())
    count.check(error_of(lambda: ask(cursor, "SELECT 1"))[0] in (2006, 2013, 1317, 1053), "KILL ends the other connection")
    for what, connect in [
        ("caching_sha2_password, fast", lambda: sha2(chain, **trust)),
        ("caching_sha2_password, full", lambda: sha2(chain, user="hashed", password=HASHED_PASSWORD, **trust)),
        ("mysql_native_password against a hash", lambda: chain.connect(user="hashed", password=HASHED_PASSWORD, **trust)),
    ]:
        with connect() as c, c.cursor() as cur:
            cur.execute("SELECT 1")
            count.check(cur.fetchone()[0] in (1, b"1"), what)
    for what, connect in [
        ("wrong password", lambda: chain.connect(password="wrong", **trust)),
        ("wrong password, sha2", lambda: sha2(chain, password="wrong", **trust)),
        ("wrong password, sha2, full", lambda: sha2(chain, user="hashed", password="wrong", **trust)),
        ("no password", lambda: chain.connect(password="", **trust)),
    ]:
        code, text = error_of(connect)
        count.check(code == 1045 and text.startswith("Access denied for user"), what, (code, text))
    count.equal(error_of(lambda: chain.connect(user="nobody", **trust)), (1045, 'unknown tenant for MySQL user "nobody"'), "unknown user")
    count.equal(error_of(lambda: chain.connect(user="other", password="the-other-password", database="tt", **trust))[0], 1044, "schema not allowed")


def libmariadb(chain, count):
    """COM_CHANGE_USER and COM_RESET_CONNECTION as libmariadb sends them; in a process of its own, as a C library may crash."""
    done = subprocess.run([sys.executable, os.path.abspath(__file__), "--libmariadb", str(chain.port)], capture_output=True, timeout=60, preexec_fn=dies_with_us)
    for line in done.stdout.decode().splitlines():
        what, got, want = json.loads(line)
        count.equal(got, want, what)
    count.equal((done.returncode, done.stderr.decode()), (0, ""), "it ends")


def libmariadb_alone(port):
    lib = ctypes.CDLL(ctypes.util.find_library("mariadb") or "libmariadb.so.3")
    for name, result in (("mysql_init", ctypes.c_void_p), ("mysql_real_connect", ctypes.c_void_p), ("mysql_store_result", ctypes.c_void_p),
                         ("mysql_fetch_row", ctypes.POINTER(ctypes.c_char_p)), ("mysql_error", ctypes.c_char_p), ("mysql_change_user", ctypes.c_byte),
                         ("mysql_stat", ctypes.c_char_p)):
        getattr(lib, name).restype = result
    mysql = ctypes.c_void_p(lib.mysql_init(None))
    utf8 = lambda text: ctypes.c_char_p(text.encode())
    lib.mysql_options(mysql, 7, utf8("utf8mb4"))

    def say(what, got, want):
        print(json.dumps([what, got, want]), flush=True)

    def value(sql):
        if lib.mysql_query(mysql, utf8(sql)):
            return lib.mysql_errno(mysql)
        result = ctypes.c_void_p(lib.mysql_store_result(mysql))
        if not result:
            return "OK"
        row = lib.mysql_fetch_row(result)
        found = row[0].decode() if row and row[0] is not None else None
        lib.mysql_free_result(result)
        return found

    def change(user, password, database):
        return 0 if not lib.mysql_change_user(mysql, utf8(user), utf8(password), database and utf8(database)) else lib.mysql_errno(mysql)

    wide = "SELECT @dbtrail_allow_wide_diff"
    connected = lib.mysql_real_connect(mysql, utf8("127.0.0.1"), utf8("app"), utf8(PASSWORD), utf8("tt"), ctypes.c_uint(port), None, ctypes.c_ulong(0))
    say("login", bool(connected), True)
    say("the login's database", value("SELECT DATABASE()"), "tt")
    say("a variable", value("SET @dbtrail_allow_wide_diff = ON"), "OK")
    say("it is there", value(wide) is not None, True)
    say("COM_STATISTICS", b"Threads" in lib.mysql_stat(mysql), True)
    say("COM_RESET_CONNECTION", lib.mysql_reset_connection(mysql), 0)
    say("reset clears variables", value(wide), None)
    say("a variable again", value("SET @dbtrail_allow_wide_diff = ON"), "OK")
    say("COM_CHANGE_USER", change("hashed", HASHED_PASSWORD, None), 0)
    say("the new user", value("SELECT CURRENT_USER()"), "hashed@127.0.0.1")
    say("nothing left of the database", value("SELECT DATABASE()"), None)
    say("nothing left of the variables", value(wide), None)
    say("a statement needs a database again", value(SQL_8), 1046)
    say("and back", change("app", PASSWORD, "tt"), 0)
    say("the row", value(SQL_8), "8")
    say("a wrong password is refused", change("hashed", "wrong", None), 1045)
    say("and the connection is closed", value("SELECT 1") in (2006, 2013), True)
    os._exit(0)  # what the library does with its broken connection is not our matter


def command(chain, user="app", password=PASSWORD):
    return ["mariadb", "--no-defaults", "-h127.0.0.1", "-P%d" % chain.port, "-u" + user, "-p" + password, "--default-character-set=utf8mb4"]


def batch(chain, count, tls):
    """The `mariadb` command line without a terminal."""
    def run(*arguments, **who):
        done = subprocess.run(command(chain, **who) + list(arguments), capture_output=True, timeout=60, preexec_fn=dies_with_us)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    secure = ["--ssl-ca=" + chain.ca, "--ssl-verify-server-cert"] if tls else []
    want = "\t".join(COLUMNS) + "\n" + "\t".join(v.decode() for v in ROW_8) + "\n"
    for plugin in ("mysql_native_password", "caching_sha2_password"):
        count.equal(run(*secure, "--default-auth=" + plugin, "tt", "-e", SQL_8), (0, want, ""), plugin)
    code, out, err = run(*secure, "tt", "-e", "status")
    count.check(code == 0 and "Current user:\t\tapp@127.0.0.1" in out and "Server version:\t\t8.0.36-dbtrail" in out, "status", out + err)
    count.check(("Cipher in use is" in out) == tls, "TLS as asked", out)
    count.equal(run(*secure, "tt", "-e", "SELECT 1; SELECT 2"), (0, "1\n1\n2\n2\n", ""), "two statements")
    code, _, err = run(*secure, "tt", "-e", "SELECT * FROM _flashback.orders %s" % POINT)
    count.check(code == 1 and "ERROR 1064 (HY000) at line 1: dbtrail-shim: time-travel queries require a PK predicate" in err, "refused", err)
    code, _, err = run(*secure, "-e", "SELECT 1", password="wrong")
    count.check(code == 1 and "ERROR 1045 (28000): Access denied for user 'app'@'127.0.0.1' (using password: YES)" in err, "wrong password", err)


class Terminal:
    """The interactive command line on a pseudo-terminal."""

    def __init__(self, arguments):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            dies_with_us()
            os.environ.update(TERM="dumb", LC_ALL="C.UTF-8", MYSQL_HISTFILE="/dev/null")
            os.execvp(arguments[0], arguments)
        self.seen = ""

    def until(self, pattern, seconds=30):
        """Reads until `pattern`; gives what came up to it, or what there was."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.seen)):
            ready = select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]
            try:
                data = os.read(self.fd, 65536) if ready else b""
            except OSError:
                data = b""
            if not data:
                text, self.seen = self.seen, ""
                return "(did not come: %r) %s" % (pattern, text)
            self.seen += data.decode("utf-8", "replace")
        text, self.seen = self.seen[: found.end()], self.seen[found.end():]
        return text

    def type(self, text):
        os.write(self.fd, text.encode())

    def say(self, text, prompt=r"MySQL \[[^\]]*\]> $"):
        self.type(text + "\n")
        return self.until(prompt)

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def interactive(chain, count, hanging):
    terminal = Terminal(command(chain) + ["tt"])
    count.check("Welcome to the MariaDB monitor" in terminal.until(r"MySQL \[tt\]> "), "greeting")
    out = terminal.say(SQL_8 + ";")
    count.check("| -6198748140.18 | beta |" in out and "1 row in set" in out, "a row", out)
    out = terminal.say("\\s")
    count.check("Current database:\ttt" in out and re.search(r"Threads: \d+  Questions: \d+", out), "\\s", out)
    count.check("Database changed" in terminal.say("USE tt;"), "USE")
    count.check("Database changed" in terminal.say("\\u tt"), "\\u")
    count.check("ERROR 1049 (42000)" in terminal.say("USE nowhere;"), "USE of what is not there")
    count.check("(did not come" not in terminal.say("rehash"), "rehash")
    terminal.type("SELECT * FROM _flashback.x, produ\t")
    out = terminal.until("produ(cts)?", 10)
    out += terminal.until("cts", 5)
    count.check("products" in out.replace("\x07", ""), "completion of a table's name", out)
    terminal.type("\x03")
    count.check("^C" in terminal.until(r"MySQL \[tt\]> $"), "Ctrl-C drops the line")
    out = terminal.say("SELECT DATABASE();")
    count.check(re.search(r"\| tt +\|", out), "the session goes on", out)
    terminal.type("\\q\n")
    count.check("Bye" in terminal.until("Bye"), "\\q")
    terminal.close()

    terminal = Terminal(command(chain, "slow", "slow-password") + ["-A"])
    terminal.until(r"MySQL \[\S+\]> $")
    terminal.type(SQL_8 + ";\n")
    count.check(hanging.asked.wait(20), "the agent is asked")
    terminal.type("\x03")
    out = terminal.until(r"MySQL \[[^\]]*\]> $")
    count.check("ERROR 1317 (70100)" in out and "Query execution was interrupted" in out, "Ctrl-C interrupts a statement", out)
    count.check(hanging.left.wait(20), "and the request to the agent")
    out = terminal.say("SELECT 7;")
    count.check(re.search(r"\| +7 \|", out), "the session goes on after it", out)
    terminal.type("\\q\n")
    terminal.until("Bye")
    terminal.close()


def one_segment(chain, count):
    """SSLRequest and ClientHello may arrive together: nothing but timing keeps them apart."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context(cafile=chain.ca).wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with socket.create_connection(("127.0.0.1", chain.port), timeout=20) as sock:
        sock.recv(65536)  # the greeting
        # CLIENT_PROTOCOL_41, CLIENT_SSL, CLIENT_SECURE_CONNECTION; 16 MiB; utf8mb4
        request = (0x0200 | 0x0800 | 0x8000).to_bytes(4, "little") + (1 << 24).to_bytes(4, "little") + bytes([45]) + bytes(23)
        pending = len(request).to_bytes(3, "little") + b"\x01" + request
        done = False
        while not done:
            try:
                tls.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                pass
            sock.sendall(pending + outgoing.read())
            pending = b""
            if not done:
                try:
                    data = sock.recv(65536)
                except OSError as e:
                    data, done = b"", count.check(False, "SSLRequest and ClientHello in one segment", e, "a TLS handshake")
                if not data:
                    break
                incoming.write(data)
        count.check(done and tls.version(), "SSLRequest and ClientHello in one segment", "the connection was closed", "a TLS handshake")


def node(chain, count, tls):
    script = os.path.join(ROOT, "tests", "real", "chatter.js")
    done = subprocess.run(["node", script, str(chain.port), PASSWORD, "tls" if tls else "plain", chain.ca], capture_output=True, timeout=120, preexec_fn=dies_with_us)
    if not count.equal(done.returncode, 0, "mysql2 ends: " + done.stderr.decode()[-1500:]):
        return
    seen = json.loads(done.stdout)
    row = [8] + [v.decode() for v in ROW_8[1:]]
    count.equal(seen["version"], [["8.0.36-dbtrail", "tt", 1]], "version")
    count.equal(seen["rows"], [row], "the row")
    count.equal(seen["objects"], [dict(zip(COLUMNS, row))], "the row as an object")
    count.equal(seen["fields"][:2], [["id", 8], ["customer", 253]], "fields")
    count.equal(seen["refused"][:2], [1064, "HY000"], "refused")
    count.equal(seen["goesOn"], [[2]], "the session goes on")
    count.equal(seen["changedToStranger"], "no error", "COM_CHANGE_USER")
    count.equal(seen["afterChange"], [["hashed@127.0.0.1", "tt", None]], "nothing is left of the former user")
    count.equal(seen["wrongChange"][:2], [1045, "28000"], "COM_CHANGE_USER, wrong password")
    count.equal(seen["doomed"], True, "and the connection is closed")
    count.equal(seen["wrongPassword"], [1045, "28000", "Access denied for user 'app'@'127.0.0.1' (using password: YES)"], "wrong password")
    count.equal(seen["nobody"], [1045, "28000", 'unknown tenant for MySQL user "nobody"'], "unknown user")


def main():
    if "--libmariadb" in sys.argv[1:]:
        libmariadb_alone(int(sys.argv[-1]))
    with_node = "--without-node" not in sys.argv[1:]
    counters, hanging = [], Hanging()

    def part(name, work, *arguments):
        """A part that breaks off is a failure, and the others still run."""
        counters.append(Counter(name))
        try:
            work(counters[-1], *arguments)
        except Exception as e:
            counters[-1].check(False, "broke off", "%s: %s" % (type(e).__name__, e), "an end")

    for mode in ("off", "required"):
        tls = mode != "off"
        with Chain([BINLOG], tls=mode, tenants=tenants(hanging)) as chain:
            part("PyMySQL, TLS %s" % mode, lambda c: python(chain, c, tls))
            part("mariadb batch, TLS %s" % mode, lambda c: batch(chain, c, tls))
            if with_node:
                part("mysql2, TLS %s" % mode, lambda c: node(chain, c, tls))
            if tls:
                part("TLS in one segment", lambda c: one_segment(chain, c))
                part("plain text where TLS is required", lambda c: c.equal(error_of(lambda: chain.connect(ssl_disabled=True))[0], 3159, "refused"))
            else:
                part("libmariadb", lambda c: libmariadb(chain, c))
                part("mariadb on a terminal", lambda c: interactive(chain, c, hanging))
    if not with_node:
        print("mysql2: left out (--without-node)")
    finish(counters, 120)


if __name__ == "__main__":
    main()
