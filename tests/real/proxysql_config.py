"""The SQL of `proxysql-config` in SQLite, which is what ProxySQL's admin port keeps its tables in: fed twice, by somebody who has rows of
his own there. Then the patterns, as they arrived in the tables, over the list of statements, with Python's `re` (close to PCRE)."""
import hashlib
import json
import os
import re
import sqlite3
import subprocess
import tempfile

BINARY = os.environ.get("DBTRAIL_SHIM", "target/debug/dbtrail-shim")
HERE = os.path.dirname(os.path.abspath(__file__))

# The columns that count, with the keys and checks that ProxySQL 2.7 has on them.
TABLES = """
CREATE TABLE mysql_servers (
    hostgroup_id INT NOT NULL DEFAULT 0 CHECK (hostgroup_id >= 0), hostname VARCHAR NOT NULL,
    port INT NOT NULL DEFAULT 3306 CHECK (port BETWEEN 0 AND 65535),
    status VARCHAR NOT NULL DEFAULT 'ONLINE', weight INT NOT NULL DEFAULT 1,
    max_connections INT NOT NULL DEFAULT 1000 CHECK (max_connections >= 0),
    use_ssl INT NOT NULL DEFAULT 0 CHECK (use_ssl IN (0, 1)), comment VARCHAR NOT NULL DEFAULT '',
    PRIMARY KEY (hostgroup_id, hostname, port));
CREATE TABLE mysql_users (
    username VARCHAR NOT NULL, password VARCHAR, active INT NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    default_hostgroup INT NOT NULL DEFAULT 0, default_schema VARCHAR,
    transaction_persistent INT NOT NULL DEFAULT 1 CHECK (transaction_persistent IN (0, 1)),
    fast_forward INT NOT NULL DEFAULT 0, backend INT NOT NULL DEFAULT 1, frontend INT NOT NULL DEFAULT 1,
    comment VARCHAR NOT NULL DEFAULT '', PRIMARY KEY (username, backend), UNIQUE (username, frontend));
CREATE TABLE mysql_query_rules (
    rule_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, active INT NOT NULL DEFAULT 0 CHECK (active IN (0, 1)),
    username VARCHAR, schemaname VARCHAR, flagIN INT NOT NULL DEFAULT 0, match_digest VARCHAR, match_pattern VARCHAR,
    negate_match_pattern INT NOT NULL DEFAULT 0, re_modifiers VARCHAR DEFAULT 'CASELESS', flagOUT INT,
    destination_hostgroup INT DEFAULT NULL, apply INT NOT NULL DEFAULT 0 CHECK (apply IN (0, 1)), comment VARCHAR);
CREATE TABLE global_variables (variable_name VARCHAR NOT NULL PRIMARY KEY, variable_value VARCHAR NOT NULL);
INSERT INTO global_variables VALUES ('mysql-server_version', '8.0.11'), ('mysql-threads', '4');
"""

# Somebody else's rows: other ones, and ones that are in the way.
FOREIGN = """
INSERT INTO mysql_servers (hostgroup_id, hostname, port, weight) VALUES (990, '10.0.0.5', 3306, 77), (1, 'other', 3306, 1);
INSERT INTO mysql_users (username, password, default_hostgroup) VALUES ('app', 'kept', 10), ('someone', 'x', 10);
INSERT INTO mysql_users (username, password, default_hostgroup, comment) VALUES ('near', 'x', 10, 'dbtrail-shim of old');
INSERT INTO mysql_query_rules (rule_id, active, match_digest, destination_hostgroup, apply) VALUES (1, 1, '^SELECT.*FOR UPDATE', 10, 1);
INSERT INTO mysql_query_rules (rule_id, active, match_digest, comment) VALUES (2, 1, 'x', 'Dbtrail-shim');
"""

YAML = """
listen: 10.0.0.7:3308
agent_url: https://agent.example:8600
monitor: {user: monitor, password: probing}
tenants:
  - {mysql_user: app, mysql_password: "pass-word", server_id: shop}
  - {mysql_user: "o'brien", mysql_password: "a;b'c\\\\", server_id: shop, default_schema: "sh;op"}
"""


def generate(folder, yaml=YAML, *more):
    path = os.path.join(folder, "shim.yaml")
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as f:
        f.write(yaml)
    done = subprocess.run([BINARY, "proxysql-config", "--config", path, "--mysql", "10.0.0.5:3306", *more],
                          check=True, capture_output=True, text=True)
    return done.stdout


def statements(sql):
    """As a client cuts them: at semicolons outside of quotes and comments; one at a time, as the admin port wants them."""
    found, text, quote, i = [], "", None, 0
    while i < len(sql):
        if quote is None and sql.startswith("/*", i):
            i = sql.index("*/", i) + 2
            continue
        c = sql[i]
        if quote is None and c == ";":
            found.append(text.strip())
            text = ""
        else:
            quote = None if c == quote else c if quote is None and c in "'\"`" else quote
            text += c
        i += 1
    assert not text.strip(), text
    return found


class Admin:
    """ProxySQL's admin port: its own commands, and all else to SQLite."""

    def __init__(self):
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        self.db.executescript(TABLES + FOREIGN)
        self.done = []

    def feed(self, sql):
        for statement in statements(sql):
            if re.fullmatch(r"(LOAD|SAVE) MYSQL (SERVERS|USERS|QUERY RULES|VARIABLES) TO (RUNTIME|DISK)", statement):
                self.done.append(statement)
            else:
                self.db.execute(statement)

    def rows(self, table, where="1"):
        return sorted(self.db.execute("SELECT * FROM %s WHERE %s" % (table, where)).fetchall(), key=repr)


def check(condition, what):
    if not condition:
        raise SystemExit("FAILED: %s" % what)
    print("ok: %s" % what)


def ownership(folder):
    tables = ["mysql_servers", "mysql_users", "mysql_query_rules", "global_variables"]
    admin = Admin()
    before = {t: admin.rows(t) for t in tables}
    sql = generate(folder)
    admin.feed(sql)
    once = {t: admin.rows(t) for t in tables}
    check(all(set(before[t]) <= set(once[t]) for t in tables), "every row of somebody else is as it was")
    added = {t: len(once[t]) - len(before[t]) for t in tables}
    check(added == {"mysql_servers": 1, "mysql_users": 1, "mysql_query_rules": 5, "global_variables": 0},
          "what was not there was added: %s" % added)
    check(admin.rows("mysql_users", "username = 'o''brien'") == [(
        "o'brien", "*" + hashlib.sha1(hashlib.sha1(b"a;b'c\\").digest()).hexdigest().upper(),
        1, 990, "sh;op", 1, 0, 1, 1, "dbtrail-shim")], "a user with a quote in his name and a semicolon in his schema")
    check(admin.done == ["%s MYSQL %s TO %s" % (verb, part, where) for verb, where in (("LOAD", "RUNTIME"), ("SAVE", "DISK"))
                         for part in ("SERVERS", "USERS", "QUERY RULES")], "loaded and saved, in this order")
    admin.feed(sql)
    check({t: admin.rows(t) for t in tables} == once, "a second run changes nothing")
    clear = generate(folder, YAML, "--password-form", "cleartext", "--set-server-version")
    admin.feed(clear)
    check(admin.rows("mysql_users", "username = 'o''brien'")[0][1] == "a;b'c\\", "the password in clear text, whatever is in it")
    check(admin.rows("global_variables") == [("mysql-server_version", "8.0.36-dbtrail"), ("mysql-threads", "4")], "one variable was set")
    fewer = generate(folder, YAML.replace("o'brien", "another"), "--rule-id", "500", "--shim-hostgroup", "7")
    admin.feed(fewer)
    check(not admin.rows("mysql_users", "username = 'o''brien'"), "a tenant that is no more is gone")
    check([r[0] for r in admin.rows("mysql_query_rules")] == [1, 2, 500, 501, 502, 503, 504], "other rule ids replace the former ones")
    check([r[0] for r in admin.rows("mysql_servers", "comment <> ''")] == [7], "another hostgroup replaces the former one")
    admin.db.execute("INSERT INTO mysql_query_rules (rule_id, comment) VALUES (990003, 'mine')")
    loaded = len(admin.done)
    try:
        admin.feed(sql)
        raise SystemExit("FAILED: a rule of somebody else was overwritten")
    except sqlite3.IntegrityError:
        check(len(admin.done) == loaded and admin.rows("mysql_query_rules", "comment = 'mine'") != [],
              "a rule id that is taken ends the run before anything is loaded")


def patterns(folder):
    with open(os.path.join(HERE, "..", "data", "proxysql", "statements.jsonl")) as f:
        cases = [json.loads(line) for line in f]
    for more, name in (([], ""), (["--orm-forms"], " with --orm-forms")):
        admin = Admin()
        admin.db.execute("DELETE FROM mysql_query_rules")
        admin.feed(generate(folder, YAML, *more))
        rules = admin.db.execute("SELECT match_digest, match_pattern, re_modifiers FROM mysql_query_rules ORDER BY rule_id").fetchall()
        assert all(modifiers == "CASELESS" for _, _, modifiers in rules)
        rules = [(re.compile(d, re.I | re.A), re.compile(p, re.I | re.A)) for d, p, _ in rules]
        count = 0
        for case in cases:
            if case["to"] not in ("shim" + name, "mysql" + name):
                continue
            count += 1
            to = any(d.search(case["digest"]) and p.search(case["statement"]) for d, p in rules)
            if to != case["to"].startswith("shim"):
                raise SystemExit("FAILED: %r goes to %s" % (case["statement"], "the shim" if to else "MySQL"))
        check(count >= (140 if not name else 15), "%d statements%s go where they belong" % (count, name))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="dbtrail-proxysql-") as folder:
        ownership(folder)
        patterns(folder)
