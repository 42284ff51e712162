#!/usr/bin/env python3
"""Real clients against shim and agent: logging in with both plugins, with and without TLS; what they send on their own; the command line, also interactive.

    clients.py --shim BINARY --data tests/data/mysql-9.7 [--node-modules FOLDER]

Needs PyMySQL, mysql-connector-python, the `mariadb` command line, and node with mysql2 (in FOLDER).
"""
import argparse
import json
import os
import pty
import re
import select
import subprocess
import sys
import time

import mysql.connector
import pymysql

from chain import Chain

TENANT_B = """\
  - {mysql_user: reporting, mysql_password: another, server_id: x, agent_token_file: %s, default_schema: tt, allowed_schemas: [tt]}
monitor: {user: monitor, password: watching}
"""
done = []


def check(what, got, wanted):
    if got != wanted:
        raise SystemExit("%s\n  got    %r\n  wanted %r" % (what, got, wanted))
    done.append(what)


def error_of(call, kinds):
    try:
        call()
    except kinds as e:
        return e
    raise SystemExit("no error where one is wanted")


class Truth:
    """One row of the recording, as the server itself answered it: id 1 of `orders` at the last tick at which it is there."""

    def __init__(self, folder):
        with open(os.path.join(folder, "truth.jsonl")) as f:
            for line in f:
                tick = json.loads(line)
                table = tick["tables"].get("orders")
                if table and table["rows"]:
                    self.time, self.columns, self.row = tick["as_of"], table["columns"], table["rows"][0]
        self.id = self.row[self.columns.index("id")]
        self.sql = "SELECT * FROM _flashback.orders AS OF '%s' WHERE id = %s" % (self.time, self.id)


def with_pymysql(chain, truth):
    def connect(**more):
        return pymysql.connect(**{**dict(host="127.0.0.1", port=chain.port, user="app", password="secret", database="tt", charset="utf8mb4"), **more})
    tls = {"ca": chain.path("cert.pem"), "check_hostname": False}
    for name, more in ("PyMySQL", {}), ("PyMySQL over TLS", {"ssl": tls}):
        c = connect(**more)
        cursor = c.cursor()
        cursor.execute(truth.sql)
        check(name + ": column names", [d[0] for d in cursor.description], truth.columns)
        check(name + ": one row", len(cursor.fetchall()), 1)
        e = error_of(lambda: cursor.execute(truth.sql.split(" WHERE ")[0]), pymysql.err.MySQLError)
        check(name + ": no key", (e.args[0], "PK predicate" in e.args[1]), (1064, True))
        cursor.execute("SELECT @@autocommit, DATABASE()")
        check(name + ": variables", cursor.fetchall(), ((0, "tt"),))
        c.begin(); c.commit(); c.rollback(); c.ping(reconnect=False)
        c.select_db("tt")
        c.close()
    e = error_of(lambda: connect(password="wrong"), pymysql.err.MySQLError)
    check("PyMySQL: wrong password", (e.args[0], e.args[1].startswith("Access denied for user 'app'")), (1045, True))
    e = error_of(lambda: connect(user="nobody"), pymysql.err.MySQLError)
    check("PyMySQL: no tenant", (e.args[0], e.args[1].startswith("unknown tenant for MySQL user")), (1045, True))
    monitor = connect(user="monitor", password="watching", database=None)
    monitor.ping()
    with monitor.cursor() as cursor:
        cursor.execute("SELECT @@global.read_only")
        check("monitor: read_only", len(cursor.fetchall()), 1)
    monitor.close()


def with_connector(chain, truth):
    for plugin in "mysql_native_password", "caching_sha2_password":
        for tls in False, True:
            name = "mysql-connector-python, %s%s" % (plugin, ", TLS" if tls else "")
            arguments = dict(host="127.0.0.1", port=chain.port, user="app", password="secret", database="tt", auth_plugin=plugin,
                             ssl_disabled=not tls, use_pure=True)
            if tls:
                arguments["ssl_ca"] = chain.path("cert.pem")
            c = mysql.connector.connect(**arguments)
            cursor = c.cursor()
            cursor.execute(truth.sql)
            check(name + ": column names", list(cursor.column_names), truth.columns)
            check(name + ": one row", len(cursor.fetchall()), 1)
            e = error_of(lambda: cursor.execute("SELECT id FROM orders"), mysql.connector.Error)
            check(name + ": a real table", (e.errno, e.sqlstate), (1235, "42000"))
            c.reset_session()
            if plugin == "mysql_native_password":
                c.cmd_change_user("reporting", "another", "tt")
                cursor = c.cursor()
                cursor.execute("SELECT USER(), DATABASE()")
                check(name + ": changed user", cursor.fetchall()[0][0].split("@")[0], "reporting")
                e = error_of(lambda: c.cmd_change_user("app", "wrong", "tt"), mysql.connector.Error)
                check(name + ": changed user with a wrong password", e.errno, 1045)
            else:
                c.close()


NODE = """
const mysql = require('mysql2/promise');
(async () => {
  const c = await mysql.createConnection({host: '127.0.0.1', port: +process.argv[2], user: 'app', password: 'secret', database: 'tt', dateStrings: true});
  const [rows, fields] = await c.query(process.argv[3]);
  const out = {names: fields.map(f => f.name), rows: rows.length, error: null};
  try { await c.query('SELECT * FROM _diff.orders'); } catch (e) { out.error = [e.errno, e.sqlState]; }
  await c.ping();
  const pool = mysql.createPool({host: '127.0.0.1', port: +process.argv[2], user: 'app', password: 'secret', database: 'tt'});
  const all = await Promise.all([...Array(20)].map((_, i) => pool.query('SELECT ? AS n', [i])));
  out.pool = all.map(([r]) => Number(r[0].n)).reduce((a, b) => a + b);
  await pool.end();
  await c.changeUser({user: 'reporting', password: 'another', database: 'tt'});
  const [who] = await c.query('SELECT USER() AS u');
  out.user = who[0].u.split('@')[0];
  await c.end();
  console.log(JSON.stringify(out));
})().catch(e => { console.error(e); process.exit(1); });
"""


def with_node(chain, truth, modules):
    script = chain.write("client.js", NODE)
    got = subprocess.run(["node", script, str(chain.port), truth.sql], env={**os.environ, "NODE_PATH": modules}, capture_output=True, text=True, timeout=60)
    if got.returncode:
        raise SystemExit("node: " + got.stderr)
    out = json.loads(got.stdout)
    check("mysql2", out, {"names": truth.columns, "rows": 1, "error": [1064, "HY000"], "pool": 190, "user": "reporting"})


def mariadb(chain, *arguments, user="app", password="secret", database="tt"):
    return ["mariadb", "--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--port=%d" % chain.port, "--user=" + user, "--password=" + password,
            "--default-character-set=utf8mb4", *arguments, database]


def with_command_line(chain, truth):
    got = subprocess.run(mariadb(chain, "--batch", "-e", truth.sql), capture_output=True, text=True, timeout=60)
    check("mariadb: batch", (got.returncode, got.stdout.split("\n")[0].split("\t")), (0, truth.columns))
    got = subprocess.run(mariadb(chain, "--ssl", "--batch", "-e", "\\s"), capture_output=True, text=True, timeout=60)
    check("mariadb: \\s over TLS", (got.returncode, "Cipher in use is" in got.stdout), (0, True))
    got = subprocess.run(mariadb(chain, "--batch", "-e", "SELECT * FROM _flashback.orders"), capture_output=True, text=True, timeout=60)
    check("mariadb: an error", (got.returncode, got.stderr.split("\n")[-2].split(" at line")[0]), (1, "ERROR 1064 (42000)"))


class Terminal:
    """The command line on a terminal of its own."""

    def __init__(self, command):
        self.child, self.screen = pty.fork()
        if self.child == 0:
            os.environ["TERM"] = "dumb"
            os.execvp(command[0], command)

    def until(self, pattern, what):
        text, end = "", time.monotonic() + 30
        while time.monotonic() < end:
            ready, _, _ = select.select([self.screen], [], [], 1)
            if ready:
                try:
                    text += os.read(self.screen, 65536).decode("utf-8", "replace")
                except OSError:
                    break
                if re.search(pattern, text):
                    done.append(what)
                    return text
        raise SystemExit("%s: %r did not come; the terminal shows:\n%s" % (what, pattern, text))

    def type(self, text):
        os.write(self.screen, text.encode())


def with_terminal(chain, truth):
    # Completion asks for the columns of every table of the database (COM_FIELD_LIST) as the client starts.
    t = Terminal(mariadb(chain, "--auto-rehash"))
    start = t.until(r"> $", "mariadb, interactive: starts with completion")
    if "Didn't find any fields" in start and "orders" in start:
        raise SystemExit("completion finds no columns:\n" + start)
    t.type("USE tt;\n")
    t.until(r"Database changed[\s\S]*> $", "mariadb, interactive: USE")
    t.type("\\s\n")
    t.until(r"Current user:\s+app@[\s\S]*> $", "mariadb, interactive: \\s")
    t.type("SELECT * FROM _flashback.orders AS OF '%s' WHERE id = -77;\n" % truth.time)
    t.until(r"Empty set[\s\S]*> $", "mariadb, interactive: empty set")
    t.type("SHOW WARNINGS;\n")
    t.until(r"Note[\s\S]*> $", "mariadb, interactive: SHOW WARNINGS")
    t.type("SELECT * FROM _snapshot.orders;\n")
    t.until(r"ERROR 1064 \(HY000\)[\s\S]*> $", "mariadb, interactive: an error")
    t.type("SELECT 1;\n")
    t.until(r"1 row in set[\s\S]*> $", "mariadb, interactive: goes on after it")
    t.type("\\q\n")
    t.until(r"Bye", "mariadb, interactive: quits")
    os.waitpid(t.child, 0)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--shim", required=True)
    p.add_argument("--data", required=True)
    p.add_argument("--node-modules")
    a = p.parse_args()
    truth = Truth(a.data)
    chain = Chain(a.shim, [os.path.join(a.data, "binlog.000003")], tls="offered")
    chain.extra = TENANT_B % chain.path("token")
    with chain:
        with_pymysql(chain, truth)
        with_connector(chain, truth)
        with_command_line(chain, truth)
        with_terminal(chain, truth)
        if a.node_modules:
            with_node(chain, truth, a.node_modules)
    for what in done:
        print("ok  " + what)
    print("%d checks of clients passed" % len(done))


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(__file__))
    main()
