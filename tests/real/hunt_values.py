"""Types of columns and literals of them, made up from a seed, for hunt.py."""

TEXTS = ["", "a", "A", "b", "ab", "abc ", " x", "é", "É", "ß", "ss", "O'Neil", "back\\slash", "%", "_", "1", "01", "-1.5", "1e2", "x" * 30, "Zebra", "zz", "null", "2024-02-29"]
WIDE = ["ж", "日本", "😀", "tab\tx", "nul\0x", "new\nline", "ä", "ı"]
CHARSETS = ["latin1", "utf8mb3", "ascii", "ucs2", "utf16", "utf32", "cp1251", "koi8r", "gbk", "sjis", "latin2", "greek", "cp850", "cp1250", "binary"]
COLLATIONS = ["utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_bin", "utf8mb4_unicode_520_ci", "latin1_swedish_ci", "latin1_bin", "latin1_general_ci"]
OWN_COLLATIONS = {False: ["utf8mb4_0900_ai_ci", "utf8mb4_0900_bin"], True: ["utf8mb4_uca1400_ai_ci", "utf8mb4_general_nopad_ci"]}
KEYS = ["INT", "INT", "INT", "BIGINT UNSIGNED", "SMALLINT", "VARCHAR(20)", "CHAR(6)", "DATE", "DATETIME(6)", "VARBINARY(12)", "DECIMAL(8,2)", "ENUM", "YEAR", "TIMESTAMP", "TIME(3)", "BINARY(4)", "BIT(9)"]
PLAIN_KEYS = ["INT", "INT", "BIGINT", "VARCHAR(20) COLLATE utf8mb4_general_ci"]
TYPES = ["TINYINT", "SMALLINT UNSIGNED", "MEDIUMINT", "INT", "INT", "INT UNSIGNED", "BIGINT", "BIGINT UNSIGNED", "INT(7) ZEROFILL", "BOOL", "DECIMAL(10,2)", "DECIMAL(30,10)", "DECIMAL(65,30)", "FLOAT", "DOUBLE",
         "FLOAT(7,3)", "BIT(1)", "BIT(9)", "BIT(64)", "YEAR", "DATE", "TIME", "TIME(3)", "TIME(6)", "DATETIME", "DATETIME(6)", "TIMESTAMP", "TIMESTAMP(6)", "CHAR(6)", "CHAR(6)", "VARCHAR(12)", "VARCHAR(40)",
         "VARCHAR(300)", "TINYTEXT", "TEXT", "LONGTEXT", "BINARY(4)", "VARBINARY(12)", "BLOB", "MEDIUMBLOB", "ENUM", "SET", "JSON", "JSON", "GEOMETRY", "POINT", "VECTOR(2)"]
MARIADB_TYPES = ["UUID", "INET4", "INET6", "VARCHAR(200) COMPRESSED", "TEXT COMPRESSED"]
LABELS = {"ENUM": [["a", "b", "c"], ["x", "y", "é"], ["1", "2", "3"], ["new", "paid", "it's", ""], ["ab%d" % n for n in range(300)]],
          "SET": [["p", "q", "r"], ["a", "ü", "z"], ["s%d" % n for n in range(20)]]}
# Types that columns of a type are often changed to.
NEAR = {
    "TINYINT": ["SMALLINT", "INT", "TINYINT UNSIGNED"], "SMALLINT": ["INT", "BIGINT"], "MEDIUMINT": ["INT"], "INT": ["BIGINT", "INT UNSIGNED", "DECIMAL(12,2)", "VARCHAR(20)", "DOUBLE", "SMALLINT"],
    "BIGINT": ["DECIMAL(20,0)", "VARCHAR(30)", "INT"], "DECIMAL": ["DECIMAL(12,4)", "DECIMAL(40,10)", "DOUBLE", "VARCHAR(80)", "INT"], "FLOAT": ["DOUBLE", "VARCHAR(40)"],
    "DOUBLE": ["FLOAT", "DECIMAL(30,6)", "VARCHAR(40)"], "BIT": ["BIT(20)", "INT", "BIT(64)"], "YEAR": ["INT", "CHAR(4)"], "DATE": ["DATETIME", "VARCHAR(12)", "DATETIME(6)"],
    "TIME": ["TIME(6)", "TIME", "VARCHAR(20)"], "DATETIME": ["DATE", "DATETIME(3)", "TIMESTAMP(6) NULL", "VARCHAR(30)"], "TIMESTAMP": ["DATETIME(6)", "TIMESTAMP(3) NULL", "DATETIME"],
    "CHAR": ["VARCHAR(20)", "CHAR(20)", "TEXT", "BINARY(24)"], "VARCHAR": ["VARCHAR(400)", "CHAR(60)", "TEXT", "VARCHAR(10)", "VARCHAR(60) CHARACTER SET latin1", "VARBINARY(500)"],
    "TEXT": ["LONGTEXT", "VARCHAR(200)"], "BINARY": ["BINARY(8)", "VARBINARY(10)"], "VARBINARY": ["BLOB", "BINARY(20)"], "BLOB": ["LONGBLOB", "VARBINARY(400)"],
    "ENUM": ["ENUM('c','b','a','z')", "VARCHAR(10)", "ENUM('a','b','c','d','e')"], "SET": ["SET('r','q','p')", "VARCHAR(60)"], "JSON": ["LONGTEXT", "TEXT"]}
# The largest value of each integer type, by how its name begins.
LARGEST = {"tinyint": 127, "smallint": 32767, "mediumint": 8388607, "int": 2147483647, "bigint": 9223372036854775807}
DOCUMENTS = ["'{\"a\": 1, \"b\": [1, 2, {\"c\": null}]}'", "'{}'", "'[]'", "'[1, 2.5, \"x\", true, null]'", "'\"text\"'", "'12'", "'null'", "'{\"é\": \"ü\\\\u0001\", \"k\": 18446744073709551615}'",
             "'{\"a\": {\"b\": {\"c\": [1e100, -0.0, \"yyy\"]}}}'"]
DATED_DOCUMENTS = ["JSON_OBJECT('d', CAST('2020-01-02' AS DATE), 't', CAST('10:11:12.5' AS TIME(1)), 'x', CAST(1.50 AS DECIMAL(5,2)))", "JSON_ARRAY(NOW(6), 1, x'ff')"]
SHAPES = ["ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('LINESTRING(0 0,1 1,2 5)')", "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')", "ST_GeomFromText('MULTIPOINT((0 0),(1 1))')"]
# Literals by how the name of a type begins, the first that fits.
LITERALS = [
    (("decimal", "float", "double"), ["0", "1", "-1", "1.5", "2.50", "-0.05", "123.456", "99999", "0.0000001", "-12.345", "1e2"]),
    (("bit(1)",), ["b'0'", "b'1'"]), (("bit",), ["b'0'", "b'1'", "b'10101'", "257"]), (("year",), ["0", "1901", "2155", "2024", "2000"]),
    (("datetime", "timestamp"), ["'2024-02-29 10:11:12'", "'2024-02-29 10:11:12.654321'", "'1999-12-31 23:59:59.999999'", "'2026-10-25 01:30:00'", "'1971-01-01 00:00:01'", "'2037-01-01'", "NOW(6)", "'2020-01-05'"]),
    (("date",), ["'2024-02-29'", "'1000-01-01'", "'9999-12-31'", "'2020-01-05'", "CURDATE()"]), (("time",), ["'10:11:12.345'", "'-00:00:01.500'", "'838:59:59'", "'-838:59:59'", "'00:00:00'", "'07:00:00'"]),
    (("uuid",), ["'00112233-4455-6677-8899-aabbccddeeff'", "UUID()"]), (("inet4",), ["'10.0.0.7'", "'0.0.0.0'", "'255.255.255.255'"]), (("inet6",), ["'::7'", "'fe80::1'", "'::ffff:1.2.3.4'"]),
    (("point",), SHAPES[:1]), (("geom", "linestring", "polygon", "multi"), SHAPES),
    (("binary", "varbinary", "blob", "tinyblob", "mediumblob", "longblob"), ["''", "x'00'", "x'00ff'", "'ab'", "x'6100'", "x'5c27'", "x'ffffffff'", "'ab '"]),
]


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "''").replace("\0", "\\0") + "'"


def named(name):
    return "`" + name.replace("`", "``") + "`"


class Values:
    """`profile`: what of servers is used."""

    def __init__(self, r, maria, profile):
        self.r, self.maria, self.profile = r, maria, profile

    def charset(self):
        """What follows a type of text."""
        pick = self.r.random()
        if pick < 0.4 or "charsets" not in self.profile:
            return "" if pick < 0.3 else " COLLATE " + self.r.choice(["utf8mb4_bin", "utf8mb4_general_ci"])
        if pick < 0.75:
            collation = self.r.choice(COLLATIONS + OWN_COLLATIONS[self.maria])
            return " CHARACTER SET %s COLLATE %s" % (collation.split("_")[0], collation)
        return " CHARACTER SET " + self.r.choice(CHARSETS)

    def type(self, types):
        kind = self.r.choice(types)
        if kind in LABELS:
            return "%s(%s)%s" % (kind, ",".join(map(quoted, self.r.choice(LABELS[kind]))), self.charset() if self.r.random() < 0.3 else "")
        if kind.startswith(("CHAR", "VARCHAR")) and "C" not in kind.partition(")")[2] or kind.endswith("TEXT"):
            return kind + self.charset()
        return kind + " NULL" if kind.startswith("TIMESTAMP") else kind

    def value(self, kind):
        """A literal for a type, as written here or as information_schema shows it."""
        r, kind = self.r, kind.lower()
        if kind.startswith("json"):
            return r.choice(DOCUMENTS + ([] if self.maria else DATED_DOCUMENTS))
        largest = next((most for name, most in LARGEST.items() if kind.startswith(name)), None)
        if largest:
            free = "unsigned" in kind or "zerofill" in kind
            return str(r.choice([0, 1, 2, 3, r.randint(0, 20), r.randint(0, 20), largest, largest * 2 + 1] if free else [0, 1, -1, 2, 3, r.randint(-10, 20), r.randint(0, 20), largest, -largest - 1]))
        if kind.startswith(("enum", "set")):
            return r.choice(kind[kind.index("(") + 1:kind.rindex(")")].split(",") + ["1", "2"])
        if kind.startswith("vector"):
            read = "VEC_FromText" if self.maria else "STRING_TO_VECTOR"
            return "%s('[%s]')" % (read, ",".join(r.choice(["1", "-2.5", "0", "1e10"]) for _ in range(2)))
        for names, literals in LITERALS:
            if kind.startswith(names):
                return r.choice(literals)
        return quoted(r.choice(TEXTS + (WIDE if "charsets" in self.profile else [])))

    def cell(self, column):
        return "NULL" if column["null"] and self.r.random() < 0.12 else self.value(column["type"])

    def near(self, column):
        """A type to which a column may be changed."""
        kind = column["type"].upper()
        types = NEAR.get(kind.split("(")[0].split(" ")[0])
        return self.r.choice(types) + self.r.choice(["", "", "", " NOT NULL", " NULL", " DEFAULT NULL"]) if types else kind
