"""User, host and program of connections (`_history.transactions`), against what each connection wrote of itself: some stay, some are gone at once, some become
another user (COM_CHANGE_USER) between two transactions, as the connections of pools and proxies do, and one that may writes the numbers of others into the log
(SET pseudo_thread_id). None may be given another's name.

Called by incident.py.
"""
import json
import struct
import threading
import time

import pymysql

from harness import MySql, ask
from live import caught_up

USERS = ("whose_a", "whose_b")
FORGER = "whose_f"


class Client:
    """A connection that writes who it is."""

    def __init__(self, server, user, program):
        self.conn = pymysql.connect(host="127.0.0.1", port=server.port, user=user, program_name=program, autocommit=True)
        self.user, self.program, self.mysql = user, program, isinstance(server, MySql)

    def write(self, what):
        with self.conn.cursor() as cursor:
            cursor.execute("INSERT INTO shop.whose (what, user, program, conn) VALUES (%s, %s, %s, CONNECTION_ID())", (what, self.user, self.program))

    def become(self, user):
        """COM_CHANGE_USER: the id stays, and the attributes of the connection go."""
        plugin = b"caching_sha2_password" if self.mysql else b"mysql_native_password"
        self.conn._execute_command(0x11, user.encode() + b"\0\0\0" + struct.pack("<H", 45) + plugin + b"\0\0")
        while not self.conn._read_packet().is_ok_packet():
            self.conn.write_packet(b"")
        self.user, self.program = user, None


def stays(server, seconds):
    client = Client(server, USERS[0], "nightly")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client.write("stays")
        time.sleep(0.05)
    time.sleep(1)
    client.conn.close()


def short(server, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client = Client(server, USERS[1], "short")
        client.write("short")
        client.conn.close()
        time.sleep(0.03)


def pooled(server, seconds, pause):
    client = Client(server, USERS[0], "pool")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client.write("pooled")
        client.become(USERS[client.user == USERS[0]])
        time.sleep(pause)
    time.sleep(1)
    client.conn.close()


def forges(server, seconds, pause, ways):
    """Writes as the connection that wrote last, and as itself again at once, in sessions of their own or in one."""
    reader, client = Client(server, USERS[1], "reader").conn.cursor(), None
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        reader.execute("SELECT conn FROM shop.whose WHERE what = 'stays' ORDER BY id DESC LIMIT 1")
        number = int(reader.fetchone()[0])
        client = client or Client(server, FORGER, "forger")
        insert = "INSERT INTO shop.whose (what, user, program, conn) VALUES ('forged', '%s', 'forger', %d)" % (FORGER, number)
        with client.conn.cursor() as cursor:
            way = ways[0]
            ways = ways[1:] + ways[:1]
            if way == "for":
                cursor.execute("SET STATEMENT pseudo_thread_id = %d FOR %s" % (number, insert))
            elif way == "prepared":
                cursor.execute("PREPARE p FROM 'SET pseudo_thread_id = %d'" % number)
                cursor.execute("EXECUTE p")
                cursor.execute(insert)
            else:
                cursor.execute("SET pseudo_thread_id = %d" % number)
                cursor.execute(insert)
        if way == "once":
            client.conn.close()
            client = None
        time.sleep(pause)
    if client:
        client.conn.close()


def together(*works):
    failed = []

    def guarded(work, *arguments):
        try:
            work(*arguments)
        except Exception as e:
            failed.append(e)
    threads = [threading.Thread(target=guarded, args=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def check(server, chain, counter):
    admin = server.connect()
    cursor = admin.cursor()
    mysql = isinstance(server, MySql)
    for user in USERS + (FORGER,):
        for host in ("%", "localhost"):
            cursor.execute("CREATE USER %s@'%s'" % (user, host))
            cursor.execute("GRANT ALL ON shop.* TO %s@'%s'" % (user, host))
    # The right comes through a role.
    cursor.execute("CREATE ROLE forging")
    cursor.execute("GRANT %s ON *.* TO forging" % ("SESSION_VARIABLES_ADMIN" if mysql else "BINLOG REPLAY"))
    for host in ("%", "localhost"):
        cursor.execute("GRANT forging TO %s@'%s'" % (FORGER, host))
        cursor.execute(("SET DEFAULT ROLE forging TO %s@'%s'" if mysql else "SET DEFAULT ROLE forging FOR %s@'%s'") % (FORGER, host))
    cursor.execute("CREATE TABLE shop.whose (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, what VARCHAR(9), user VARCHAR(32), program VARCHAR(32), conn BIGINT)")
    admin.close()
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    together((stays, server, 5))
    together((stays, server, 3), (short, server, 3))
    together((stays, server, 2), (pooled, server, 3, 0), (pooled, server, 3, 0.2), (pooled, server, 4, 0.7))
    ways = ("set", "prepared", "once") if mysql else ("set", "for", "prepared", "once", "for")
    together((stays, server, 4), (forges, server, 3, 0.01, ways))
    together((stays, server, 6), (forges, server, 6, 1.3, ways), (forges, server, 5, 0.4, ("once",)))
    together((stays, server, 4))
    time.sleep(1.1)
    until = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    time.sleep(1.1)
    caught_up(server, chain.api)
    with chain.connect() as conn:
        asked = conn.cursor()
        window = "BETWEEN '%s' AND '%s'" % (since, until)
        made = ask(asked, "SELECT gtid, row_after FROM _history.changes %s WHERE `schema` = 'shop' AND `table` = 'whose'" % window)[1]
        named = ask(asked, "SELECT gtid, user, host, program FROM _history.transactions %s" % window)[1]
    named = {row[0]: row[1:] for row in named}
    known, all_of = {}, {}
    for gtid, row in made:
        row = json.loads(row)
        all_of[row["what"]] = all_of.get(row["what"], 0) + 1
        user, host, program = (cell.decode() if cell is not None else None for cell in named[gtid])
        if user is None:
            counter.check(host is None and program is None, "of nobody nothing is said", named[gtid])
            continue
        known[row["what"]] = known.get(row["what"], 0) + 1
        counter.equal((user, host), (row["user"], "localhost"), "whose %s is" % gtid.decode())
        # MariaDB tells no programs without performance_schema.
        counter.equal(program, row["program"] if isinstance(server, MySql) else None, "the program of %s" % gtid.decode())
    print("whose: %s of %s" % (known, all_of), flush=True)
    # A part of it: a look that comes late on a busy machine leaves what was committed before it without a name. And while MariaDB's
    # connections become others, or come and go, nobody is known.
    fewest = 0.3 if isinstance(server, MySql) else 0.1
    counter.check(known.get("stays", 0) >= fewest * all_of["stays"], "who stays is known", known, all_of)
    counter.check(known.get("short", 0) < all_of["short"], "who is gone at once is not", known, all_of)
    counter.check(all_of["pooled"] > 50, "connections became others", all_of)
    counter.check(all_of["forged"] > 30, "numbers of others were written", all_of)
