#!/usr/bin/env python3
"""Agent and shim as two processes over HTTPS, against the recordings in tests/data: what a real server said at each tick.

For each recording, through PyMySQL and byte for byte:
  * every key of every table at every tick, also those that have no row then: by time, by the tick's GTID set, as _snapshot;
  * all keys of a table in one statement, in key order;
  * every change of every key by _diff: kinds, order, GTIDs, changed columns, and both images as exact JSON text;
  * the row just after each single transaction, AT GTID of what _diff named, against the image recorded then.
"""
import base64
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor

import pymysql

from harness import ROOT, Chain, Counter, ask, finish, raw

KEYS = {"orders": ["id"], "order_items": ["order_id", "line"], "products": ["sku"], "devices": ["uid"], "zoo": ["id"]}


def literal(table, value):
    data = raw(value)
    if table == "devices":
        return "x'%s'" % data.hex()
    if table == "products":
        return "'%s'" % data.decode().replace("\\", "\\\\").replace("'", "''")
    return data.decode()


def predicate(table, key):
    return " AND ".join("%s = %s" % (c, literal(table, v)) for c, v in zip(KEYS[table], key))


def tuples(table, keys):
    """One IN over all keys."""
    names = KEYS[table]
    if len(names) == 1:
        return "%s IN (%s)" % (names[0], ", ".join(literal(table, k[0]) for k in keys))
    return "(%s) IN (%s)" % (", ".join(names), ", ".join("(%s)" % ", ".join(literal(table, v) for v in k) for k in keys))


def frozen(key):
    return json.dumps(key)


def in_key_order(table, key):
    """As mysqld orders the keys of these tables."""
    if table == "devices":
        return (raw(key[0]),)
    if table == "products":
        return (key[0],)
    return tuple(int(v) for v in key)


class Recording:
    def __init__(self, name):
        folder = os.path.join(ROOT, "tests", "data", name)
        lines = lambda file: [json.loads(line) for line in open(os.path.join(folder, file), encoding="utf-8")]
        self.name, self.binlog = name, os.path.join(folder, "binlog.000003")
        self.mysql = name.startswith("mysql")
        self.ticks, self.changes = lines("truth.jsonl"), lines("changes.jsonl")
        self.kinds = self.column_kinds(open(os.path.join(folder, "schema.sql"), encoding="utf-8").read())
        self.columns = {(t["tick"], table): d["columns"] for t in self.ticks for table, d in t["tables"].items()}
        self.keys = {table: {} for table in KEYS}  # every key that ever had a row
        for tick in self.ticks:
            for table, d in tick["tables"].items():
                for row in d["rows"]:
                    self.see(table, self.key(table, d["columns"], row))
        for change in self.changes:
            for key in [change["pk"]] + ([change["new_pk"]] if "new_pk" in change else []):
                self.see(change["table"], key)

    @staticmethod
    def column_kinds(schema):
        kinds = {"orders": {"channel": "varchar"}, "order_items": {"quantity": "int"}}
        for table, body in re.findall(r"CREATE TABLE `(\w+)` \((.*?)\n\)", schema, re.S):
            for column, kind, rest in re.findall(r"^  `(\w+)` (\w+)(.*)$", body, re.M):
                kinds.setdefault(table, {})[column] = "zerofill" if "zerofill" in rest else kind
        return kinds

    def see(self, table, key):
        self.keys[table][frozen(key)] = key

    @staticmethod
    def key(table, columns, row):
        return [row[columns.index(c)] for c in KEYS[table]]

    def image(self, tick, table, row):
        """The JSON text that _diff must show for a recorded row."""
        columns = self.columns[(tick, table)]
        cells = ("%s: %s" % (quoted(c), self.json_cell(self.kinds[table][c], v)) for c, v in zip(columns, row))
        return "{%s}" % ", ".join(cells)

    def json_cell(self, kind, value):
        if value is None:
            return "null"
        binary = {"bit": 16, "binary": 254, "varbinary": 15, "blob": 252, "longblob": 252, "geometry": 252}.get(kind)
        if binary:
            return '"base64:type%d:%s"' % (binary, base64.b64encode(raw(value)).decode())
        if kind.endswith("int") or kind in ("decimal", "float", "double", "year"):
            return value
        if kind == "json" and value[0] in "[{":
            return value
        return quoted(value)


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


def states(recording, chain, count, virtual, point):
    """Every key at every tick, one statement a key, then all keys in one statement."""
    conn = chain.connect()
    cursor = conn.cursor()
    for tick in recording.ticks:
        at = "AS OF '%s'" % tick["as_of"] if point == "time" else "AT GTID '%s'" % tick["gtid"].replace("\n", "")
        for table, d in tick["tables"].items():
            alive = {frozen(recording.key(table, d["columns"], row)): [raw(v) for v in row] for row in d["rows"]}
            select = "SELECT * FROM %s.%s %s WHERE " % (virtual, table, at)
            for name, key in recording.keys[table].items():
                sql = select + predicate(table, key)
                try:
                    names, rows = ask(cursor, sql)
                except pymysql.MySQLError as e:
                    count.check(False, "refused: " + sql, e.args)
                    continue
                if count.equal(names, d["columns"], "columns: " + sql):
                    count.equal(rows, [alive[name]] if name in alive else [], "row: " + sql)
            keys = sorted(recording.keys[table].values(), key=lambda k: in_key_order(table, k))
            if keys:
                sql = select + tuples(table, list(reversed(keys)))
                try:
                    rows = ask(cursor, sql)[1]
                    count.equal(rows, [alive[frozen(k)] for k in keys if frozen(k) in alive], "all keys: " + sql[:200])
                except pymysql.MySQLError as e:
                    count.check(False, "refused: " + sql[:200], e.args)
    conn.close()


def changes(recording, chain, count):
    """The changes of each key, and the row after each of them."""
    conn = chain.connect()
    cursor = conn.cursor()
    cursor.execute("SET @dbtrail_allow_wide_diff = ON")
    of_key = {}
    for change in recording.changes:
        table = change["table"]
        for key in [change["pk"]] + ([change["new_pk"]] if "new_pk" in change else []):
            of_key.setdefault((table, frozen(key)), (key, []))[1].append(change)
    window = "BETWEEN '%s' - INTERVAL 1 SECOND AND '%s'" % (recording.ticks[0]["as_of"], recording.ticks[-1]["as_of"])
    last = {}  # event ids over all tables are in commit order
    for (table, name), (key, events) in of_key.items():
        sql = "SELECT * FROM _diff.%s %s WHERE %s" % (table, window, predicate(table, key))
        try:
            names, rows = ask(cursor, sql)
        except pymysql.MySQLError as e:
            count.check(False, "diff refused: " + sql, e.args)
            continue
        count.equal(names, ["event_id", "event_timestamp", "event_type", "gtid", *KEYS[table], "changed_columns", "row_before", "row_after", "connection_id", "server_id", "binlog_file", "binlog_position", "statement", "cause", "connection_user", "connection_host", "connection_program"], "diff columns: " + sql)
        if not count.equal([r[2].decode() for r in rows], [e["type"] for e in events], "diff events: " + sql):
            continue
        ids = [int(r[0]) for r in rows]
        count.check(ids == sorted(set(ids)), "diff order: " + sql, ids)
        for row, event in zip(rows, events):
            what = "%s of %s" % (event["type"], sql)
            last.setdefault(int(row[0]), event)
            count.check(last[int(row[0])] is event, "event id: " + what, row[0])
            shown = dict(zip(names, row))
            before, after, changed = (None if shown[c] is None else shown[c].decode() for c in ("row_before", "row_after", "changed_columns"))
            columns = recording.columns[(event["tick"], table)]
            for side, got in (("before", before), ("after", after)):
                if event[side] is not None:
                    count.equal(got, recording.image(event["tick"], table, event[side]), "%s image: %s" % (side, what))
            if not event.get("images_not_recorded"):
                count.equal((before is None, after is None), (event["type"] == "INSERT", event["type"] == "DELETE"), "images: " + what)
                if event["type"] == "UPDATE":
                    differ = [c for c, b, a in zip(columns, event["before"], event["after"]) if b != a]
                    count.equal(changed, "[%s]" % ", ".join(quoted(c) for c in differ), "changed columns: " + what)
                else:
                    count.equal(changed, None, "changed columns: " + what)
        # The row just after each transaction that touched the key: only the last change in it can be seen.
        seen_last = {row[3]: (row, event) for row, event in zip(rows, events)}
        for gtid, (row, event) in seen_last.items():
            if not count.check(gtid is not None, "gtid: " + sql):
                continue
            if event.get("images_not_recorded") and event["after"] is None:
                continue
            holds = event["after"] if frozen(event.get("new_pk", event["pk"])) == name else None
            sql_then = "SELECT * FROM _flashback.%s AT GTID '%s' WHERE %s" % (table, gtid.decode(), predicate(table, key))
            try:
                then = ask(cursor, sql_then)[1]
            except pymysql.MySQLError as e:
                count.check(False, "after a transaction refused: " + sql_then, e.args)
                continue
            count.equal(then, [[raw(v) for v in holds]] if holds is not None else [], "after a transaction: " + sql_then)
    count.equal([e for _, e in sorted(last.items())], [e for e in recording.changes if e in last.values()], "commit order: all event ids")
    conn.close()


def main():
    counters = []
    for name in ("mysql-9.7", "mariadb-10.11"):
        recording = Recording(name)
        with Chain([recording.binlog]) as chain, ThreadPoolExecutor(4) as pool:
            running = []
            for virtual, point in (("_flashback", "time"), ("_flashback", "gtid"), ("_snapshot", "time")):
                counters.append(Counter("%s %s by %s" % (name, virtual, point)))
                running.append(pool.submit(states, recording, chain, counters[-1], virtual, point))
            counters.append(Counter("%s _diff" % name))
            running.append(pool.submit(changes, recording, chain, counters[-1]))
            for job in running:
                job.result()
    finish(counters, 20000)


if __name__ == "__main__":
    main()
