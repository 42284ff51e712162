#!/usr/bin/env python3
"""Every character set that the program converts, against a real server: each sequence of one and of two bytes (of Unicode's sets some of four), and each
character of Unicode's first plane.

    charsets.py [--server mysql | mariadb-11.8]

What the servers said goes, a line an answer, to the test `charsets` of crates/types, which is reported where it runs: what the program reads or writes otherwise
than one of them fails there. What it refuses is counted.
"""
import os
import random
import subprocess
import sys
import tempfile

import servers
from harness import ROOT, dies_with_us

UNICODE = ("ucs2", "utf16", "utf16le", "utf32", "utf8mb3", "utf8mb4")


def some(seed=12):
    """Four bytes: pairs of units, halves of pairs among them, and characters beyond the first plane in each of the sets."""
    pick = random.Random(seed)
    units = lambda: pick.choice([pick.randrange(0xd800, 0xe000), pick.randrange(0, 0x10000), 0xd83d, 0xde00])
    for _ in range(2000):
        yield (units() << 16 | units()).to_bytes(4, "big")
        character = chr(pick.randrange(0x10000, 0x110000))
        for charset in ("utf-8", "utf-16-be", "utf-16-le", "utf-32-be"):
            yield character.encode(charset)


def ask(server, out):
    cursor = server.connect().cursor()
    run = cursor.execute
    for sql in ("SET NAMES utf8mb4, sql_mode = '', SESSION sql_log_bin = 0", "CREATE DATABASE sets", "USE sets", "CREATE TABLE b (b VARBINARY(4) PRIMARY KEY)", "CREATE TABLE c (c VARCHAR(1) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL)"):
        run(sql)
    one, two = [bytes([n]) for n in range(256)], [n.to_bytes(2, "big") for n in range(0x10000)]
    four = sorted(set(some()))
    for table, values in (("b", one + two + four), ("c", [chr(n).encode() for n in list(range(0xd800)) + list(range(0xe000, 0x10000)) + list(range(0x1f300, 0x1f700))])):
        for at in range(0, len(values), 8192):
            run("INSERT INTO %s VALUES " % table + ",".join("(x'%s')" % v.hex() for v in values[at:at + 8192]))
    run("SELECT character_set_name, maxlen FROM information_schema.character_sets WHERE character_set_name <> 'binary'")
    for name, width in sorted((name.decode(), int(width)) for name, width in cursor.fetchall()):
        # Half of a character, and what is none, comes as NULL: no column has it. Pairs of ASCII are two characters.
        chosen = "LENGTH(b) = 1" if width == 1 else "LENGTH(b) <= 4" if name in UNICODE else "LENGTH(b) <= 2 AND (LENGTH(b) = 1 OR b >= x'80')"
        run("SELECT LOWER(HEX(b)), LOWER(HEX(CONVERT(CONVERT(b USING %s) USING utf8mb4))), LOWER(HEX(CONVERT(CONVERT(CONVERT(b USING %s) USING utf8mb4) USING %s))) FROM b WHERE %s"
            % (name, name, name, chosen))
        for stored, shown, again in cursor.fetchall():
            if shown is not None and stored:
                out.add("read %s %s %s %s" % (name, stored.decode(), shown.decode(), again.decode()))
        # What is not there is stored as a question mark.
        run("SELECT LOWER(HEX(c)), LOWER(HEX(CONVERT(c USING %s))) FROM c WHERE c = '?' OR CONVERT(c USING %s) <> CONVERT('?' USING %s) OR HEX(CONVERT(c USING %s)) <> HEX(CONVERT('?' USING %s))" % ((name,) * 5))
        for shown, stored in cursor.fetchall():
            out.add("write %s %s %s" % (name, shown.decode(), stored.decode()))


def main():
    kinds = [servers.chosen([])[0]] if "--server" in sys.argv else ["mysql", "mariadb-11.8"]
    said = set()
    for kind in kinds:
        with servers.start(kind) as server:
            ask(server, said)
    with tempfile.NamedTemporaryFile("w", prefix="dbtrail-charsets-", encoding="ascii") as file:
        file.write("\n".join(sorted(said)) + "\n")
        file.flush()
        env = dict(os.environ, DBTRAIL_CHARSETS=file.name)
        command = ["cargo", "test", "--locked", "-p", "dbtrail-types", "--test", "charsets", "--", "--nocapture"]
        sys.exit(subprocess.run(command, cwd=ROOT, env=env, preexec_fn=dies_with_us, timeout=280).returncode)


if __name__ == "__main__":
    main()
