#!/usr/bin/env python3
"""Records the weights in crates/types/src/collation/ and how servers compare texts, for tests/it/collations.rs.

Usage: collations_record.py weights MYSQL_PORT MARIADB_PORT, or compare PORT KIND OUT [SEED] [COUNT] (KIND: mysql or mariadb; servers on 127.0.0.1 with root
and no password). A weight file has for each character three bytes of its code point, the number of its weights, and two bytes for each.
"""
import json
import random
import struct
import sys

import pymysql

# What is written with characters that are compared one by one: no combining marks, no U+00B7 (a contraction with l), no scripts with contractions.
RANGES = [(0x20, 0x7e), (0xa1, 0xac), (0xae, 0xb6), (0xb8, 0x24f), (0x370, 0x386), (0x388, 0x3ff), (0x400, 0x482), (0x48a, 0x52f), (0x531, 0x556), (0x561, 0x587),
          (0x5d0, 0x5ea), (0x1e00, 0x1eff), (0x2010, 0x2027), (0x2030, 0x205e), (0x20a0, 0x20bf), (0x2100, 0x218b), (0x2190, 0x23ff), (0x2460, 0x27bf), (0x3001, 0x3029),
          (0x3041, 0x3096), (0x309d, 0x309e), (0x30a1, 0x30fe), (0xff01, 0xff9f)]
PICTURES = [(0x1f300, 0x1f64f), (0x1f680, 0x1f6ff), (0x1f900, 0x1f9ff)]
FOLDER = "crates/types/src/collation/"


def connect(port):
    return pymysql.connect(host="127.0.0.1", port=port, user="root", charset="utf8mb4", autocommit=True).cursor()


def weights(cur, collation, ranges):
    points = [c for a, b in ranges for c in range(a, b + 1)]
    found = {}
    for at in range(0, len(points), 2000):
        one = "SELECT %d, HEX(WEIGHT_STRING(CONVERT(x'%s' USING utf8mb4) COLLATE %s))"
        cur.execute(" UNION ALL ".join(one % (c, chr(c).encode().hex(), collation) for c in points[at:at + 2000]))
        found.update(cur.fetchall())
    return {c: [int(w[i:i + 4], 16) for i in range(0, len(w), 4)] for c, w in found.items() if w}


def write(name, found, plain):
    """`plain`: characters whose weight is their code point are left out."""
    space = found[32][0]
    with open(FOLDER + name, "wb") as out:
        for c, words in sorted(found.items()):
            if (c == 32 or min(words) > space) and len(words) <= 4 and not (plain and words == [c]):
                out.write(struct.pack(">I", c)[1:] + bytes([len(words)]) + b"".join(struct.pack(">H", w) for w in words))


def compare(port, kind, path, seed, count):
    pick = random.Random(seed)
    cur = connect(port)
    own = ["utf8mb4_0900_ai_ci", "utf8mb4_0900_bin"] if kind == "mysql" else ["utf8mb4_uca1400_ai_ci", "utf8mb4_general_nopad_ci", "utf8mb4_uca1400_nopad_ai_ci"]
    collations = own + ["utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_unicode_520_ci", "utf8mb4_bin", "latin1_swedish_ci", "latin1_bin", "latin1_general_ci"]
    wide = [chr(c) for a, b in RANGES + PICTURES for c in range(a, b + 1)] + ["日", "本", "漢", "가", "각", "힣", "나"]
    near = list("aAbBeEéÉèßsSlLłŁäÄöÖüÜøØæÆœñÑиИйЙеёαάσςΩ  -_.'0127") + ["\u00b7", "\u0301", "\u00a0", "\t", "l\u00b7", "ﬁ", "ij", "ch", "dž", "ll"]
    latin = [bytes([b]).decode("cp1252") for b in range(32, 256) if b not in (0x81, 0x8d, 0x8f, 0x90, 0x9d)]
    with open(path, "w", encoding="utf-8") as out:
        for _ in range(count):
            collation = pick.choice(collations)
            charset = collation.split("_")[0]
            letters = latin if charset == "latin1" else pick.choice([wide, near, near])
            a = "".join(pick.choice(letters) for _ in range(pick.randrange(0, 4)))
            b = pick.choice([a, a.upper(), a.lower(), a + " ", a + pick.choice(letters), "".join(pick.choice(letters) for _ in range(pick.randrange(0, 4)))])
            try:
                left, right = a.encode("cp1252" if charset == "latin1" else "utf8"), b.encode("cp1252" if charset == "latin1" else "utf8")
            except UnicodeEncodeError:
                continue
            cur.execute("SELECT STRCMP(_%s x'%s' COLLATE %s, _%s x'%s')" % (charset, left.hex(), collation, charset, right.hex()))
            print(json.dumps([collation, a, b, cur.fetchone()[0]], ensure_ascii=False), file=out)


def main():
    if sys.argv[1] == "weights":
        mysql, mariadb = connect(int(sys.argv[2])), connect(int(sys.argv[3]))
        write("general.bin", weights(mysql, "utf8mb4_general_ci", [(0x20, 0xd7ff), (0xe000, 0xffff)]), True)
        write("uca400.bin", weights(mysql, "utf8mb4_unicode_ci", RANGES), False)
        write("uca520.bin", weights(mysql, "utf8mb4_unicode_520_ci", RANGES + PICTURES), False)
        write("uca900.bin", weights(mysql, "utf8mb4_0900_ai_ci", RANGES + PICTURES), False)
        write("uca1400.bin", weights(mariadb, "utf8mb4_uca1400_ai_ci", RANGES + PICTURES), False)
    else:
        seed = int(sys.argv[5]) if len(sys.argv) > 5 else 3
        compare(int(sys.argv[2]), sys.argv[3], sys.argv[4], seed, int(sys.argv[6]) if len(sys.argv) > 6 else 3000)


if __name__ == "__main__":
    main()
