#!/usr/bin/env python3
"""What a real server sends for a value in the text and in the binary protocol: writes tests/data/binary_rows/*.jsonl.

    binary_rows.py --port N > FILE

The server (root without a password on 127.0.0.1) gets a schema of its own. A line a value: type, text and binary form, both in hexadecimal
digits; the binary form is that of a row with this one column, its header and NULL bitmap taken off. A unit test of src/wire/binary.rs
holds the shim against it. FLOAT without digits is here with values that six digits say exactly: the text of others is not the value.
"""
import argparse
import json
import struct

import pymysql

VALUES = [
    ("tinyint", ["-128", "0", "127"]),
    ("tinyint unsigned", ["0", "255"]),
    ("smallint", ["-32768", "32767"]),
    ("smallint unsigned", ["65535"]),
    ("mediumint", ["-8388608", "8388607", "-1"]),
    ("mediumint unsigned", ["16777215"]),
    ("int", ["-2147483648", "2147483647"]),
    ("int unsigned", ["4294967295"]),
    ("int(8) unsigned zerofill", ["42"]),
    ("bigint", ["-9223372036854775808", "9223372036854775807"]),
    ("bigint unsigned", ["18446744073709551615"]),
    ("decimal(65,30)", ["-12345678901234567890123456789012345.123456789012345678901234567891", "0"]),
    ("decimal(5,0)", ["-99999"]),
    ("decimal(8,2) unsigned zerofill", ["3.5"]),
    ("float", ["0", "1.5", "-0.25", "0.1", "1e10", "-3.5e-20", "123456"]),
    ("float(7,3)", ["1.001", "-1234.567", "1234.568"]),
    ("double", ["0", "-0e0", "0.1", "1e15", "1e-16", "123456.789", "1.7976931348623157e308", "-4.9e-324", "3.141592653589793"]),
    ("double(10,2)", ["0.1", "12345678.91"]),
    ("bit(13)", ["b'1111100000001'", "b'0'"]),
    ("bit(1)", ["b'1'"]),
    ("year", ["2026", "1901", "0"]),
    ("date", ["'2026-04-27'", "'0000-00-00'", "'2026-00-00'", "'9999-12-31'"]),
    ("time", ["'00:00:00'", "'-00:00:01'", "'838:59:59'", "'-838:59:59'", "'24:00:00'"]),
    ("time(6)", ["'00:00:00'", "'-00:00:00.000001'", "'100:01:02.345678'"]),
    ("time(2)", ["'12:00:00.5'"]),
    ("datetime", ["'2026-04-27 00:00:00'", "'2026-04-27 09:08:07'", "'0000-00-00 00:00:00'", "'9999-12-31 23:59:59'"]),
    ("datetime(3)", ["'2026-04-27 00:00:00.25'", "'2026-04-27 09:08:07'", "'0000-00-00 00:00:00'"]),
    ("datetime(6)", ["'2026-04-27 00:00:00.000001'"]),
    ("timestamp null", ["'2026-04-27 09:08:07'", "'0000-00-00 00:00:00'"]),
    ("timestamp(6) null", ["'2026-04-27 00:00:00'", "'2026-04-27 09:08:07.123456'"]),
    ("char(10)", ["''", "'abc  '", "'\u00fc\U0001f600'"]),
    ("varchar(300)", ["''", "'abc  '", "REPEAT('x', 251)"]),
    ("binary(6)", ["x'00ff'"]),
    ("varbinary(300)", ["x'00ff'", "REPEAT(x'ff', 300)"]),
    ("text", ["'\u00fc'"]),
    ("mediumtext", ["REPEAT('y', 300)"]),
    ("blob", ["x'00ff'"]),
    ("enum('x','y','it''s')", ["'it''s'", "'x'"]),
    ("set('one','two','three')", ["''", "'one,three'"]),
    ("json", ["'{\"a\": [1, 2.50, null]}'"]),
    ("geometry", ["ST_GeomFromText('POINT(1 2)')"]),
    ("vector(2)", ["STRING_TO_VECTOR('[1,2.5]')"]),
    ("uuid", ["'123e4567-e89b-12d3-a456-426655440000'"]),
    ("inet4", ["'192.0.2.1'"]),
    ("inet6", ["'2001:db8::ff00:42:8329'"]),
]


class Packets(pymysql.connections.Connection):
    """A connection that sends any command and shows the payloads that come."""

    def say(self, command, data):
        self._next_seq_id = 0
        self.write_packet(bytes([command]) + data)

    def payload(self):
        return self._read_packet().get_all_data()

    def result(self):
        """The payloads of the rows of a result set without CLIENT_DEPRECATE_EOF."""
        for _ in range(self.payload()[0] + 1):
            self.payload()
        rows = []
        while True:
            row = self.payload()
            if row[0] == 0xFE and len(row) == 5:
                return rows
            rows.append(row)

    def text(self, sql):
        self.say(3, sql.encode())
        return self.result()

    def binary(self, sql):
        self.say(0x16, sql.encode())
        number = self.payload()[1:5]
        self.payload()
        self.payload()
        self.say(0x17, number + struct.pack("<BI", 0, 1))
        return self.result()


def cell(row):
    """The one cell of a row of the text protocol."""
    size = {0xFC: 2, 0xFD: 3}.get(row[0])
    return row[1:] if size is None else row[1 + size:]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    connection = Packets(host="127.0.0.1", port=parser.parse_args().port, user="root", charset="utf8mb4", autocommit=True)
    cursor = connection.cursor()
    cursor.execute("SET time_zone = '+00:00', sql_mode = ''")
    cursor.execute("CREATE DATABASE IF NOT EXISTS binary_rows")
    cursor.execute("USE binary_rows")
    for kind, values in VALUES:
        cursor.execute("DROP TABLE IF EXISTS t")
        try:
            cursor.execute("CREATE TABLE t (v %s) CHARACTER SET utf8mb4" % kind)
        except pymysql.err.MySQLError:
            continue  # Not a type of this server.
        for value in values:
            cursor.execute("DELETE FROM t")
            cursor.execute("INSERT INTO t VALUES (%s)" % value)
            (text,), (binary,) = connection.text("SELECT v FROM t"), connection.binary("SELECT v FROM t")
            assert binary[:2] == b"\0\0", binary
            print(json.dumps({"type": kind.replace(" null", ""), "text": cell(text).hex(), "binary": binary[2:].hex()}))
    cursor.execute("DROP DATABASE binary_rows")


main()
