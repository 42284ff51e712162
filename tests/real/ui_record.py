#!/usr/bin/env python3
"""Records the shop that the page (/ui) is tried on: an hour of work in which an application cancels orders that it should not have, and a job deletes lines.

    ui_record.py --port 3306 --folder DATADIR

The server must be a fresh MariaDB 11.8 that logs rows and lets root in without a password. Writes tests/data/ui/shop.binlog. Every statement has its time
by SET TIMESTAMP; the events at the head of the file, which have that of the recording, are given the first one.
"""
import argparse
import calendar
import glob
import os
import random
import struct
import time
import zlib

import pymysql

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data/ui/shop.binlog")
BEGIN = calendar.timegm((2026, 4, 27, 13, 30, 0))
# When the application cancels orders, and when the job deletes lines.
BUG, JOB = BEGIN + 33 * 60 + 12, BEGIN + 35 * 60 + 41
# Text that must stay text.
HOSTILE = ["<img src=x onerror=\"document.title='owned'\">", "</script><script>document.title='owned'</script>", "a\u202egnp.exe", "tab\there\nand a line", "';--", "<b>bold</b>"]

DEFINITIONS = [
    "CREATE DATABASE shop CHARACTER SET utf8mb4",
    "CREATE TABLE shop.customers (id INT UNSIGNED NOT NULL PRIMARY KEY, name VARCHAR(80) NOT NULL, email VARCHAR(120), city VARCHAR(60))",
    "CREATE TABLE shop.orders (id INT UNSIGNED NOT NULL PRIMARY KEY, customer_id INT UNSIGNED NOT NULL, status VARCHAR(20) NOT NULL, amount DECIMAL(10,2) NOT NULL, "
    "note VARCHAR(200), token BINARY(4), changed DATETIME NOT NULL)",
    "CREATE TABLE shop.order_lines (order_id INT UNSIGNED NOT NULL, line INT NOT NULL, sku VARCHAR(20) NOT NULL, quantity INT NOT NULL, PRIMARY KEY (order_id, line))",
    "CREATE DATABASE crm CHARACTER SET utf8mb4",
    "CREATE TABLE crm.notes (id INT NOT NULL PRIMARY KEY, text VARCHAR(200))",
    "CREATE TABLE crm.log (at DATETIME, text VARCHAR(200))",
]
NAMES = ["Ada Lovelace", "Grace Hopper", "Edsger Dijkstra", "Barbara Liskov", "Alan Turing", "Katherine Johnson", "Donald Knuth", "Radia Perlman", "Frances Allen", "Jim Gray"]
CITIES = ["Berlin", "Kyoto", "Porto", "Oslo", "Quito"]


class Shop:
    def __init__(self, port):
        self.port, self.random = port, random.Random(7)
        self.connections = [self.connect() for _ in range(4)]
        self.orders, self.next = {}, 1
        self.batch = []

    def connect(self):
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", charset="utf8mb4", autocommit=True, init_command="SET time_zone = '+00:00', sql_mode = ''")

    def run(self, at, *statements, by=0):
        """One transaction."""
        cursor = self.connections[by].cursor()
        cursor.execute("SET TIMESTAMP = %d" % at)
        if len(statements) > 1:
            cursor.execute("BEGIN")
        for statement, *values in statements:
            cursor.execute(statement, values)
        if len(statements) > 1:
            cursor.execute("COMMIT")
        return cursor.rowcount

    def order(self, at, by):
        number, self.next = self.next, self.next + 1
        customer, lines = self.random.randint(1, 300), self.random.randint(1, 3)
        self.orders[number] = "new"
        self.run(at, ("INSERT INTO shop.orders VALUES (%s, %s, 'new', %s, NULL, %s, NOW())", number, customer, "%.2f" % (self.random.randint(500, 30000) / 100), struct.pack(">I", number * 40503)),
                 *[("INSERT INTO shop.order_lines VALUES (%s, %s, %s, %s)", number, line + 1, "SKU-%04d" % self.random.randint(1, 900), self.random.randint(1, 5)) for line in range(lines)], by=by)

    def step(self, at, by):
        number = self.random.choice(list(self.orders))
        after = {"new": "paid", "paid": "shipped", "shipped": "delivered"}.get(self.orders[number])
        if not after:
            return
        self.orders[number] = after
        self.run(at, ("UPDATE shop.orders SET status = %s, changed = NOW() WHERE id = %s", after, number), by=by)


def record(port):
    shop = Shop(port)
    cursor = shop.connections[0].cursor()
    cursor.execute("RESET MASTER")
    for definition in DEFINITIONS:
        shop.run(BEGIN, (definition,))
    cursor.execute("USE shop")
    rows = ", ".join("(%d, '%s', '%s@example.org', '%s')" % (i, NAMES[i % 10], NAMES[i % 10].split()[0].lower(), CITIES[i % 5]) for i in range(1, 301))
    shop.run(BEGIN + 1, ("INSERT INTO shop.customers VALUES " + rows,))
    shop.run(BEGIN + 1, ("INSERT INTO shop.orders SELECT seq, 1 + seq %% 300, 'paid', seq * 3.5, NULL, UNHEX(LPAD(HEX(seq * 40503), 8, '0')), NOW() FROM seq_1_to_400",))
    shop.run(BEGIN + 1, ("INSERT INTO shop.order_lines SELECT seq, 1, CONCAT('SKU-', LPAD(seq, 4, '0')), 1 + seq %% 4 FROM seq_1_to_400",))
    shop.orders, shop.next = {n: "paid" for n in range(1, 401)}, 401
    for number, text in enumerate(HOSTILE):
        shop.run(BEGIN + 60 + number, ("INSERT INTO crm.notes VALUES (%s, %s)", number, "before"))
    for number, text in enumerate(HOSTILE):
        shop.run(BEGIN + 90 + number, ("UPDATE crm.notes SET text = %s WHERE id = %s", text, number))
    shop.run(BEGIN + 100, ("INSERT INTO crm.log VALUES (NOW(), 'a table without a key')",))
    for at in range(BEGIN + 120, BEGIN + 3600, 4):
        if at <= BUG < at + 4:
            shop.run(BUG, ("UPDATE shop.orders SET status = 'cancelled', changed = NOW() WHERE customer_id BETWEEN 100 AND 200",), by=3)
        if at <= JOB < at + 4:
            shop.run(JOB, ("DELETE FROM shop.order_lines WHERE quantity > 3 AND order_id < 260",), by=2)
        share = 0.28 + 0.22 * (at - BEGIN) / 3600 + (0.2 if (at - BEGIN) % 900 < 240 else 0)
        if shop.random.random() < share:
            (shop.order if shop.random.random() < 0.45 else shop.step)(at + shop.random.randint(0, 3), shop.random.randint(0, 1))
    # Order 100 has a life: it was cancelled, and a clerk mended it by hand, so that the undo leaves it alone.
    shop.run(BEGIN + 3500, ("UPDATE shop.orders SET status = 'shipped', note = %s, changed = NOW() WHERE id = 100", "sent by express <b>today</b>"), by=1)
    shop.run(BEGIN + 3600, ("DROP TABLE crm.log",))
    cursor.execute("SHOW MASTER STATUS")
    return cursor.fetchone()[0]


def timed(data):
    """The log with events of the recording's time given that of the work."""
    out, at, clock = bytearray(data), 4, BEGIN
    while at < len(out):
        stamp, kind, _, size = struct.unpack_from("<IBII", out, at)
        # That the file is being written is no part of the checksum.
        if kind == 15:
            out[at + 17] &= 0xfe
        if stamp > BEGIN + 86400:
            struct.pack_into("<I", out, at, clock)
            struct.pack_into("<I", out, at + size - 4, zlib.crc32(out[at:at + size - 4]))
        elif stamp:
            clock = stamp
        # How long it ran: from the time that it was given until that of the recording.
        if kind == 2:
            struct.pack_into("<I", out, at + 23, 0)
            struct.pack_into("<I", out, at + size - 4, zlib.crc32(out[at:at + size - 4]))
        at += size
    return bytes(out)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--folder", required=True)
    arguments = arguments.parse_args()
    name = record(arguments.port)
    time.sleep(0.5)
    [path] = glob.glob(os.path.join(arguments.folder, name))
    with open(path, "rb") as file:
        data = timed(file.read())
    os.makedirs(os.path.dirname(OUT), exist_ok=True)
    with open(OUT, "wb") as file:
        file.write(data)
    print("%d bytes" % len(data))


if __name__ == "__main__":
    main()
