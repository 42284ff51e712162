#!/usr/bin/env python3
"""Records the column definitions that real servers send, for tests/it/metadata.rs: tests/data/metadata/<server>.jsonl.

    metadata_record.py --port N --schema FILE --output FILE

Speaks the protocol itself, since no client library hands out the packets as they are: root without a password on 127.0.0.1. For every
table of the schema file and of the lists below, under every character set of a client, it notes what COM_QUERY, COM_STMT_PREPARE and
COM_STMT_EXECUTE declare. One line a table and character set: the DDL, and [name, org_name, character set, length, type, flags, decimals]
of each column; `prepare` and `execute` are there only where they differ from `text`.
"""
import argparse
import json
import re
import socket
import struct

# CLIENT_LONG_PASSWORD, LONG_FLAG, CONNECT_WITH_DB, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH: both EOF packets are sent.
CAPABILITIES = 0x1 | 0x4 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000

# What is said after the login, and the collation id of the handshake before it.
SESSIONS = [
    ("handshake 45", 45, []),
    ("handshake 255", 255, []),
    ("handshake 33", 33, []),
    ("handshake 8", 8, []),
    ("handshake 47", 47, []),
    ("handshake 63", 63, []),
    ("utf8mb4", 45, ["SET NAMES utf8mb4"]),
    ("utf8mb4 bin", 45, ["SET NAMES utf8mb4 COLLATE utf8mb4_bin"]),
    ("utf8mb3", 45, ["SET NAMES utf8mb3"]),
    ("latin1", 45, ["SET NAMES latin1"]),
    ("latin1 bin", 45, ["SET NAMES latin1 COLLATE latin1_bin"]),
    ("binary", 45, ["SET NAMES binary"]),
    ("NULL", 45, ["SET NAMES utf8mb4", "SET character_set_results = NULL"]),
    ("results latin1", 45, ["SET NAMES utf8mb4", "SET character_set_results = latin1"]),
]

COMMON = [
    """CREATE TABLE numbers (
  id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  t1 tinyint NOT NULL, t2 tinyint unsigned NOT NULL DEFAULT 3, t3 tinyint(3) unsigned zerofill, t4 tinyint(1) NOT NULL DEFAULT 0, t5 tinyint zerofill, b1 bool,
  s1 smallint NOT NULL, s2 smallint unsigned, s3 smallint(4) unsigned zerofill, s4 smallint zerofill,
  m1 mediumint, m2 mediumint unsigned, m3 mediumint zerofill,
  i1 int NOT NULL DEFAULT 5, w1 int(5), w2 bigint(7) unsigned, w3 tinyint(2), w4 smallint(1) unsigned, w5 tinyint(1) unsigned, w6 int(12), w7 tinyint(1) zerofill, i2 int unsigned, i3 int zerofill, i4 int(3) zerofill,
  g1 bigint, g2 bigint unsigned NOT NULL, g3 bigint zerofill,
  d1 decimal, d2 decimal(1,0), d3 decimal(65,0), d4 decimal(65,30), d5 decimal(10,2) unsigned, d6 decimal(10,2) zerofill, d7 decimal(5,5), d8 decimal(8,3) NOT NULL DEFAULT 1.5,
  f1 float, f2 float unsigned, f3 float(7,3), f4 float(10,0), f5 float zerofill, f6 float(20), f7 float(30), f8 float NOT NULL,
  e1 double, e2 double unsigned, e3 double(15,4), e4 double(20,0) zerofill, e5 double NOT NULL DEFAULT 0, e6 real,
  x1 bit, x2 bit(8), x3 bit(9), x4 bit(63), x5 bit(64), x6 bit(3) NOT NULL DEFAULT b'1')""",
    """CREATE TABLE times (
  id date NOT NULL, y1 year, y2 year NOT NULL DEFAULT 2000, d1 date, d2 date NOT NULL DEFAULT '2000-01-01',
  t0 time, t1 time(1), t2 time(2), t3 time(3), t4 time(4), t5 time(5), t6 time(6) NOT NULL,
  a0 datetime, a1 datetime(1), a2 datetime(2), a3 datetime(3), a4 datetime(4), a5 datetime(5), a6 datetime(6) NOT NULL,
  s0 timestamp NULL, s1 timestamp(1) NULL, s2 timestamp(2) NULL, s3 timestamp(3) NULL, s4 timestamp(4) NULL, s5 timestamp(5) NULL, s6 timestamp(6) NULL,
  n1 timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, n2 timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  n3 timestamp(6) NULL ON UPDATE CURRENT_TIMESTAMP(6), n4 datetime(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  n5 datetime NULL ON UPDATE CURRENT_TIMESTAMP, n6 timestamp NOT NULL DEFAULT '2001-01-01 00:00:00', PRIMARY KEY (id))""",
    """CREATE TABLE texts (
  id varchar(20) CHARACTER SET utf8mb4 NOT NULL PRIMARY KEY,
  c1 char, c2 char(10) NOT NULL, c3 char(255), c4 char(7) CHARACTER SET latin1, c5 char(7) CHARACTER SET ascii COLLATE ascii_bin, c6 char(0), c7 char(5) CHARACTER SET ucs2,
  v0 varchar(0), v1 varchar(1), v2 varchar(300) NOT NULL DEFAULT '', v3 varchar(70) CHARACTER SET latin1 COLLATE latin1_bin, v4 varchar(60) COLLATE utf8mb4_bin, v5 varchar(50) CHARACTER SET utf8mb3, v6 varchar(2000) CHARACTER SET utf16,
  tt tinytext, tx text, tm mediumtext, tl longtext, xn text NOT NULL,
  lt tinytext CHARACTER SET latin1, lx text CHARACTER SET latin1, lm mediumtext CHARACTER SET latin1, ll longtext CHARACTER SET latin1,
  ut tinytext CHARACTER SET utf8mb3, ux text CHARACTER SET utf8mb3, um mediumtext CHARACTER SET utf8mb3, ul longtext CHARACTER SET utf8mb3,
  ct tinytext CHARACTER SET ucs2, cx text CHARACTER SET ucs2, ax text CHARACTER SET ascii, bx text COLLATE utf8mb4_bin,
  nx text(100), ny text(70000)) CHARACTER SET utf8mb4""",
    """CREATE TABLE octets (
  id varbinary(16) NOT NULL PRIMARY KEY, b0 binary(0), b1 binary, b2 binary(16) NOT NULL, b3 binary(255), v0 varbinary(0), v1 varbinary(1), v2 varbinary(3000), v3 varbinary(5) NOT NULL DEFAULT 'x',
  bt tinyblob, bl blob, bm mediumblob, bg longblob, bn blob NOT NULL, bs blob(100), cb char(5) CHARACTER SET binary, tb text CHARACTER SET binary)""",
    """CREATE TABLE labels (
  id enum('a','bb') NOT NULL PRIMARY KEY,
  e1 enum('x'), e2 enum('new','paid','shipped','cancelled') NOT NULL DEFAULT 'new', e3 enum('x','it''s','é'), e4 enum('') NOT NULL, e5 enum('größer','größte') CHARACTER SET latin1, e6 enum('Ωmega','z') COLLATE utf8mb4_bin, e7 enum('😀😀','abc'), e8 enum('é','ü') CHARACTER SET utf8mb3,
  s1 set('a'), s2 set('a','b','c','d') NOT NULL, s3 set('one','two','three') DEFAULT 'one', s4 set('é','ö') CHARACTER SET latin1, s5 set('') , s6 set('Ω','zz') COLLATE utf8mb4_bin, s7 set('😀','b','')) CHARACTER SET utf8mb4""",
    """CREATE TABLE latin (
  id int NOT NULL PRIMARY KEY, c char(10), v varchar(100), t text, e enum('é','abc'), s set('é','abc'), m mediumtext, j tinytext) CHARACTER SET latin1""",
    """CREATE TABLE indexed (
  a int NOT NULL, b varchar(20) NOT NULL, c int, d int NOT NULL, e int, f varchar(30), g int, h int, i int, j text, k varchar(9), l int, m int AUTO_INCREMENT, n blob, o int, p int, q int,
  PRIMARY KEY (b, a), UNIQUE KEY (c), UNIQUE KEY (d), UNIQUE KEY two (e, f), KEY (g), KEY two2 (h, i), KEY (j(10)), UNIQUE KEY (k(3)), KEY (m), UNIQUE KEY (n(5)), UNIQUE KEY oc (o, c), KEY po (p, o), KEY (c, q), FULLTEXT KEY (f))""",
    # The first unique key over NOT NULL columns stands in for the primary key.
    "CREATE TABLE promoted (a int, b int NOT NULL, c int NOT NULL, UNIQUE KEY (a), UNIQUE KEY (b), UNIQUE KEY (c))",
    "CREATE TABLE promoted_two (a int, b int NOT NULL, c int NOT NULL, UNIQUE KEY bc (b, c), KEY (c))",
    "CREATE TABLE keyless (a int, b varchar(3))",
    "CREATE TABLE parent (id int NOT NULL PRIMARY KEY)",
    "CREATE TABLE child (id int NOT NULL PRIMARY KEY, parent_id int, other int NOT NULL, FOREIGN KEY (parent_id) REFERENCES parent (id), CONSTRAINT o FOREIGN KEY (other) REFERENCES parent (id))",
    "CREATE TABLE serials (s serial, x int, PRIMARY KEY (x))",
    """CREATE TABLE computed (
  id int NOT NULL PRIMARY KEY, a int, b varchar(10), v1 int GENERATED ALWAYS AS (a + 1) VIRTUAL, v2 varchar(30) AS (concat(b, 'x')) STORED, v3 int AS (a * 2) STORED, KEY (v3))""",
    "CREATE TABLE geometries (id int NOT NULL PRIMARY KEY, g geometry, p point NOT NULL, l linestring, o polygon, mp multipoint, ml multilinestring, mo multipolygon, gc geometrycollection)",
    "CREATE TABLE jsons (id int NOT NULL PRIMARY KEY, j json, n json NOT NULL)",
]
MYSQL = [
    "CREATE TABLE vectors (id int NOT NULL PRIMARY KEY, v vector, v3 vector(3), n vector(16383) NOT NULL)",
    "CREATE TABLE defaults (id int NOT NULL PRIMARY KEY, u varchar(36) NOT NULL DEFAULT (uuid()), j json DEFAULT (json_array()), t text DEFAULT (_utf8mb4'x'), i int DEFAULT (1 + 1), h int NOT NULL INVISIBLE DEFAULT 1)",
    "CREATE TABLE functional (id int NOT NULL PRIMARY KEY, a int, b int, UNIQUE KEY ((a + 1)), KEY ((b + 1), a))",
    "CREATE TABLE spatial_keys (id int NOT NULL PRIMARY KEY, p point NOT NULL SRID 4326, SPATIAL KEY (p))",
]
MARIADB = [
    "CREATE TABLE addresses (u uuid NOT NULL PRIMARY KEY, i4 inet4, i6 inet6, n4 inet4 NOT NULL, n6 inet6 NOT NULL DEFAULT '::1', w uuid, KEY (i6))",
    "CREATE TABLE defaults (id int NOT NULL PRIMARY KEY, u varchar(36) NOT NULL DEFAULT uuid(), t text DEFAULT 'x', n text NOT NULL DEFAULT 'y', i int DEFAULT (1 + 1), h int INVISIBLE)",
    "CREATE TABLE spatial_keys (id int NOT NULL PRIMARY KEY, p point NOT NULL, SPATIAL KEY (p))",
    "CREATE TABLE timestamps (id int NOT NULL PRIMARY KEY, a timestamp, b timestamp, c timestamp NULL)",
]


class Server:
    """One connection."""

    def __init__(self, port, collation):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        greeting = self.read()
        self.version = greeting[1:].split(b"\0", 1)[0].decode()
        # The collation id has one byte here: ids above 255 come by SET.
        login = struct.pack("<IIB23x", CAPABILITIES, 1 << 24, collation) + b"root\0" + b"\0" + b"\0" + b"mysql_native_password\0"
        self.write(login, 1)
        answer = self.read()
        while answer[0] in (0xFE, 1):
            if answer[0] == 0xFE:  # another plugin: the empty password is an empty answer to all of them
                self.write(b"", self.sequence + 1)
            answer = self.read()
        self.expect(answer)

    def write(self, payload, sequence=0):
        self.socket.sendall(struct.pack("<I", len(payload))[:3] + bytes([sequence]) + payload)

    def exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                raise SystemExit("the server closed the connection")
            data += more
        return data

    def read(self):
        header = self.exactly(4)
        self.sequence = header[3]
        return self.exactly(int.from_bytes(header[:3], "little"))

    @staticmethod
    def expect(packet):
        if packet[0] == 0xFF:
            raise SystemExit("the server refused: " + packet[3:].decode(errors="replace"))
        return packet

    def command(self, byte, argument):
        self.write(bytes([byte]) + argument)
        return self.expect(self.read())

    def do(self, sql):
        """A statement without a result."""
        self.command(3, sql.encode())

    def definitions(self, count):
        found = [definition(self.read()) for _ in range(count)]
        if count:
            self.read()  # EOF
        return found

    def rows(self):
        rows = []
        while (packet := self.expect(self.read()))[0] != 0xFE or len(packet) > 8:
            rows.append(packet)
        return rows

    def text(self, sql):
        count = self.command(3, sql.encode())[0]
        columns = self.definitions(count)
        return columns, self.rows()

    def prepared(self, sql):
        """Definitions at PREPARE and at EXECUTE."""
        answer = self.command(0x16, sql.encode())
        statement, columns, parameters = struct.unpack_from("<IHH", answer, 1)
        self.definitions(parameters)
        at_prepare = self.definitions(columns)
        count = self.command(0x17, struct.pack("<IBI", statement, 0, 1))[0]
        at_execute = self.definitions(count)
        self.rows()
        self.write(b"\x19" + struct.pack("<I", statement))
        return at_prepare, at_execute

    def one(self, sql):
        """The first cells of the first row."""
        cells, rest = [], self.text(sql)[1][0]
        while rest:
            cell, rest = text_of(rest)
            cells.append(cell)
        return cells


def text_of(data):
    """A length-encoded text, and what follows."""
    first = data[0]
    if first == 0xFB:
        return None, data[1:]
    if first < 0xFB:
        begin, length = 1, first
    else:
        width = {0xFC: 2, 0xFD: 3, 0xFE: 8}[first]
        begin, length = 1 + width, int.from_bytes(data[1:1 + width], "little")
    return data[begin:begin + length].decode("utf-8", "replace"), data[begin + length:]


def definition(packet):
    """[[catalog, schema, table, org_table], [name, org_name, character set, length, type, flags, decimals]]"""
    texts, rest = [], packet
    for _ in range(6):
        text, rest = text_of(rest)
        texts.append(text)
    if rest[0] != 12 or len(rest) != 13 or rest[11:] != b"\0\0":
        raise SystemExit("a column definition with another tail: " + rest.hex())
    charset, length, kind, flags, decimals = struct.unpack_from("<HIBHB", rest, 1)
    return texts[:4], texts[4:] + [charset, length, kind, flags, decimals]


def record(server, schema, table, sql):
    """What the three commands declare; the last two only where they differ."""
    seen = {"text": server.text(sql)[0]}
    seen["prepare"], seen["execute"] = server.prepared(sql)
    around = seen["text"][0][0]
    line = {"catalog": around[0], "schema": around[1], "table": around[2], "org_table": around[3]}
    for way, columns in seen.items():
        if any(names != around for names, _ in columns):
            raise SystemExit("the names around the columns of %s differ" % table)
        columns = [c for _, c in columns]
        if way == "text" or columns != line["text"]:
            line[way] = columns
    return line


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--schema", required=True)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    maker = Server(arguments.port, 45)
    mariadb = "MariaDB" in maker.version
    with open(arguments.schema, encoding="utf-8") as f:
        ddl = [s.strip() for s in f.read().split(";\n") if s.strip()]
    ddl += COMMON + (MARIADB if mariadb else MYSQL)
    maker.do("DROP DATABASE IF EXISTS tt")
    maker.do("CREATE DATABASE tt CHARACTER SET utf8mb4")
    maker.do("USE tt")
    maker.do("SET NAMES utf8mb4")
    maker.do("SET sql_mode = ''")
    for statement in ddl:
        maker.do(statement)
    lines = 0
    with open(arguments.output, "w", encoding="utf-8") as out:
        for name, collation, says in SESSIONS:
            if mariadb and collation == 255:
                continue  # it does not know the number and takes its own default
            server = Server(arguments.port, collation)
            server.do("USE tt")
            for sql in says:
                server.do(sql)
            variables = server.one("SELECT @@character_set_results, @@collation_connection, @@collation_database")
            for statement in ddl:
                table = re.match(r"CREATE TABLE `?(\w+)`?", statement).group(1)
                line = {"session": name, "handshake": collation, "says": says, "results": variables[0], "collation": variables[1],
                        "database": variables[2], "ddl": statement, **record(server, "tt", table, "SELECT * FROM %s" % table)}
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
                lines += 1
            line = {"session": name, "handshake": collation, "says": says, "query": "SELECT b.sku AS what, order_id, `line` AS `` FROM order_items AS b WHERE order_id = 1",
                    **record(server, "tt", "order_items", "SELECT b.sku AS what, order_id, `line` AS `` FROM order_items AS b WHERE order_id = 1")}
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    print("%s: %d tables and sessions of %s" % (arguments.output, lines, maker.version))


if __name__ == "__main__":
    main()
