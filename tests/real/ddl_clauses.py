"""Made-up ALTER TABLE statements of two to five clauses of every kind, for ddl_generator.py."""

# Types with values that tell one conversion from another.
TYPES = {
    "TINYINT": ["0", "1", "-5", "100"],
    "SMALLINT UNSIGNED": ["0", "7", "40000"],
    "INT": ["0", "-1", "12", "123456", "NULL"],
    "INT UNSIGNED": ["0", "4000000000", "NULL"],
    "BIGINT": ["0", "9007199254740993", "-77", "NULL"],
    "INT(7) ZEROFILL": ["5", "1234567"],
    "DECIMAL(10,2)": ["0", "1.50", "-2.55", "12345.67", "NULL"],
    "DECIMAL(12,4)": ["0.0001", "-1.2345", "99.9950"],
    "FLOAT": ["0.5", "1.25", "-3"],
    "DOUBLE": ["0.1", "1e10", "-2.5", "NULL"],
    "BIT(9)": ["b'1'", "b'101010101'"],
    "YEAR": ["1999", "2024", "NULL"],
    "DATE": ["'2024-02-29'", "'1000-01-01'", "NULL"],
    "TIME(3)": ["'10:11:12.345'", "'-00:00:01.500'", "'838:59:59'"],
    "DATETIME": ["'2024-02-29 10:11:12'", "NULL"],
    "DATETIME(6)": ["'2024-02-29 10:11:12.654321'", "'2024-12-31 12:00:00.500000'", "NULL"],
    "TIMESTAMP NULL": ["'2024-02-29 10:11:12'", "NULL"],
    "CHAR(8)": ["'a'", "''", "'é'", "NULL"],
    "VARCHAR(12)": ["'abc '", "'  '", "'grün'", "'12'", "NULL"],
    "VARCHAR(40)": ["'abc  '", "'日本'", "'2024-02-29'", "''", "NULL"],
    "VARCHAR(20) CHARACTER SET latin1": ["'é '", "'plain'", "NULL"],
    "VARCHAR(20) COLLATE utf8mb4_bin": ["'Ab '", "''"],
    "TEXT": ["'text '", "''", "'ü'", "NULL"],
    "MEDIUMTEXT": ["'m'", "NULL"],
    "BINARY(6)": ["'ab'", "'a\\0b'"],
    "VARBINARY(12)": ["'ab\\0'", "''", "NULL"],
    "BLOB": ["'blob '", "NULL"],
    "ENUM('x','y','z')": ["'x'", "'z'", "NULL"],
    "ENUM('y','x','é')": ["'x'", "'é'"],
    "SET('p','q','r')": ["'p'", "'p,r'", "''", "NULL"],
}
# Definitions that columns of a type are often changed to.
NEAR = {
    "TINYINT": ["SMALLINT", "INT", "BIGINT", "TINYINT UNSIGNED", "BOOL"],
    "SMALLINT UNSIGNED": ["INT", "INT UNSIGNED", "BIGINT", "MEDIUMINT UNSIGNED"],
    "INT": ["BIGINT", "INT UNSIGNED", "DECIMAL(12,2)", "VARCHAR(20)", "DOUBLE", "INT8"],
    "INT UNSIGNED": ["BIGINT UNSIGNED", "BIGINT"],
    "BIGINT": ["DECIMAL(20,0)", "VARCHAR(30)", "NUMERIC(20)"],
    "INT(7) ZEROFILL": ["INT UNSIGNED", "BIGINT"],
    "DECIMAL(10,2)": ["DECIMAL(12,2)", "DECIMAL(14,4)", "DECIMAL(10,1)", "INT", "VARCHAR(20)", "DOUBLE PRECISION", "DEC(11,2)"],
    "DECIMAL(12,4)": ["DECIMAL(14,4)", "DECIMAL(10,2)", "DECIMAL(12,3)"],
    "FLOAT": ["DOUBLE", "VARCHAR(20)", "FLOAT(30)"],
    "DOUBLE": ["VARCHAR(40)", "DECIMAL(20,4)", "REAL"],
    "BIT(9)": ["BIT(12)", "INT"],
    "YEAR": ["INT", "SMALLINT", "CHAR(4)"],
    "DATE": ["DATETIME", "DATETIME(3)", "VARCHAR(12)"],
    "TIME(3)": ["TIME", "TIME(6)", "VARCHAR(20)"],
    "DATETIME": ["DATETIME(6)", "DATE", "VARCHAR(30)"],
    "DATETIME(6)": ["DATETIME", "DATETIME(3)", "VARCHAR(30)"],
    "TIMESTAMP NULL": ["TIMESTAMP(3) NULL"],
    "CHAR(8)": ["CHAR(20)", "VARCHAR(8)", "VARCHAR(30)", "TEXT", "NATIONAL VARCHAR(12)"],
    "VARCHAR(12)": ["VARCHAR(30)", "CHAR(12)", "TEXT", "VARCHAR(12) CHARACTER SET latin1", "VARCHAR(12) CHARACTER SET utf8mb3", "VARBINARY(60)", "TEXT(300)"],
    "VARCHAR(40)": ["VARCHAR(80)", "CHAR(40)", "TEXT", "MEDIUMTEXT", "VARCHAR(40) COLLATE utf8mb4_bin", "LONG VARCHAR"],
    "VARCHAR(20) CHARACTER SET latin1": ["VARCHAR(20)", "CHAR(20) CHARACTER SET latin1", "TEXT", "VARCHAR(30) CHARACTER SET latin1", "VARCHAR(20) ASCII"],
    "VARCHAR(20) COLLATE utf8mb4_bin": ["VARCHAR(20)", "CHAR(20) COLLATE utf8mb4_bin", "VARCHAR(20) BINARY"],
    "TEXT": ["MEDIUMTEXT", "VARCHAR(100)", "CHAR(20)"],
    "MEDIUMTEXT": ["LONGTEXT", "TEXT"],
    "BINARY(6)": ["BINARY(8)", "VARBINARY(12)"],
    "VARBINARY(12)": ["VARBINARY(40)", "BLOB"],
    "BLOB": ["LONGBLOB", "VARBINARY(60)"],
    "ENUM('x','y','z')": ["ENUM('x','y','z','more')", "ENUM('z','y','x')", "VARCHAR(10)", "ENUM('x', 'y', 'z', 'it''s', '')"],
    "ENUM('y','x','é')": ["ENUM('y','x','é') CHARACTER SET latin1", "CHAR(3)", "ENUM('y','x','é','ß')"],
    "SET('p','q','r')": ["SET('r','q','p','s')", "VARCHAR(20)", "SET('p','q','r','s','t','u','v','w','x','y')"],
}
DEFAULTS = ["", "", "", " NOT NULL", " NULL", " DEFAULT NULL", " DEFAULT 7", " NOT NULL DEFAULT 3", " DEFAULT '5'", " NOT NULL DEFAULT ''", " COMMENT 'it''s, (odd) \\\\ ü'",
            " INVISIBLE", " CHECK (id <> 77)", " DEFAULT (1 + 2)", " UNIQUE"]
# The last clause of a statement, without a comma before it on both servers.
PARTITIONED = [" PARTITION BY HASH (id) PARTITIONS 3", " PARTITION BY KEY (id) PARTITIONS 2", " PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (3), PARTITION p1 VALUES LESS THAN MAXVALUE)"]


def quoted(name):
    return "`%s`" % name.replace("`", "``")


def place(r, names):
    kind = r.random()
    if kind < 0.2:
        return " FIRST"
    return " AFTER %s" % r.choice(names) if kind < 0.55 and names else ""


class Table:
    """A table of random columns, and statements on it."""

    def __init__(self, r, name, mariadb):
        self.r, self.name, self.mariadb = r, name, mariadb
        kinds = r.sample(list(TYPES), r.randint(3, 6))
        self.columns = [("c%d" % i, kind) for i, kind in enumerate(kinds)]
        if r.random() < 0.1:
            self.columns[0] = (quoted(r.choice(["odd `name", "a,b", "größe", "select", "x) y"])), self.columns[0][1])
        self.key = r.choice(["INT", "INT", "INT", "BIGINT UNSIGNED", "SMALLINT"])
        self.generated = r.random() < 0.1
        self.partitioned = r.random() < 0.1

    def create(self):
        r = self.r
        columns = ["id %s NOT NULL PRIMARY KEY" % self.key] + ["%s %s" % c for c in self.columns]
        if self.generated:
            columns.append("g INT AS (id + %d) %s" % (r.randint(0, 9), r.choice(["VIRTUAL", "STORED"])))
        if r.random() < 0.3:
            columns.append("KEY k0 (%s%s)" % (self.columns[0][0], "(3)" if "TEXT" in self.columns[0][1] or "BLOB" in self.columns[0][1] else ""))
        return "CREATE TABLE %s (%s)%s" % (self.name, ", ".join(columns), r.choice(PARTITIONED) if self.partitioned else "")

    def insert(self, key):
        values = [self.r.choice(TYPES[kind]) for _, kind in self.columns]
        return "INSERT INTO %s (id, %s) VALUES (%d, %s)" % (self.name, ", ".join(name for name, _ in self.columns), key, ", ".join(values))

    def definition(self, kind=None):
        r = self.r
        if kind and r.random() < 0.85:
            kind = r.choice(NEAR[kind] + [kind]) if r.random() < 0.9 else kind
        else:
            kind = r.choice(list(TYPES))
        return kind + r.choice(DEFAULTS)

    def new_column(self, fresh):
        fresh.append("n%d" % len(fresh))
        return fresh[-1]

    def add(self, names, fresh):
        r, known = self.r, names + list(fresh)
        new = self.new_column(fresh)
        maybe = "IF NOT EXISTS " if self.mariadb and r.random() < 0.15 else ""
        if not maybe and r.random() < 0.12:
            return "ADD %s(%s %s, %s %s)" % (r.choice(["", "COLUMN "]), new, self.definition(), self.new_column(fresh), self.definition())
        if r.random() < 0.05:
            return "ADD %s%s INT DEFAULT 4 INVISIBLE%s" % (maybe, new, place(r, known))
        if r.random() < 0.06:
            return "ADD %s %s %s%s" % (new, r.choice(["INT AS (id * 2) VIRTUAL", "BIGINT GENERATED ALWAYS AS (id + 1) STORED"]), r.choice(["", "COMMENT 'g'"]), place(r, known))
        return "ADD %s%s%s %s%s" % (r.choice(["", "COLUMN "]), maybe, new, self.definition(), place(r, known))

    def index(self, known):
        r = self.r
        part = r.choice(["", "", "(2)", " DESC"])
        kind = r.random()
        if kind < 0.1 and not self.mariadb:
            return "ADD INDEX i%d ((id + 1))" % r.randint(0, 9)
        if kind < 0.15:
            return "ADD FULLTEXT INDEX (%s)" % r.choice(known)
        if kind < 0.3:
            return "ADD %s (%s, id)" % (r.choice(["INDEX", "UNIQUE KEY"]), r.choice(known))
        return "ADD %s i%d %s(%s%s)" % (r.choice(["INDEX", "KEY", "UNIQUE", "UNIQUE INDEX", "CONSTRAINT uq UNIQUE"]), r.randint(0, 9), r.choice(["", "USING BTREE "]), r.choice(known), part)

    def clauses(self, names, fresh):
        """One clause, or two that belong together; `names`: columns that can be spoken of."""
        r, choice = self.r, self.r.random()
        name, kind = r.choice(self.columns)
        known = names + list(fresh)
        exists = "IF EXISTS " if self.mariadb and r.random() < 0.1 else ""
        if exists and r.random() < 0.3:
            name = "nowhere"
        if choice < 0.22:
            return self.add(names, fresh)
        if choice < 0.42:
            return "MODIFY %s%s%s %s%s" % (r.choice(["", "COLUMN "]), exists, name, self.definition(kind), place(r, known))
        if choice < 0.57:
            new = r.choice([name, "r%d" % r.randint(0, 3), r.choice(names)])
            return "CHANGE %s%s %s %s%s" % (exists, name, new, self.definition(kind), place(r, known + [new]))
        if choice < 0.63:
            return "DROP %s%s%s" % (r.choice(["", "COLUMN "]), exists, name)
        if choice < 0.69:
            return "RENAME COLUMN %s TO %s" % (name, r.choice(["m%d" % r.randint(0, 3), r.choice(names)]))
        if choice < 0.73:
            value = r.choice(["5", "'7'", "NULL", "(1 + 4)", "''"])
            return "ALTER %s%s SET DEFAULT %s" % (r.choice(["", "COLUMN "]), name, value)
        if choice < 0.75:
            return "ALTER COLUMN %s DROP DEFAULT" % name
        if choice < 0.765 and not self.mariadb:
            return "ALTER %s SET %s" % (name, r.choice(["INVISIBLE", "VISIBLE"]))
        if choice < 0.81:
            return self.index(known)
        if choice < 0.83:
            return r.choice(["DROP INDEX k0", "RENAME INDEX k0 TO k1", "ALTER INDEX k0 %s" % ("IGNORED" if self.mariadb else "INVISIBLE"), "DROP KEY k0, ADD KEY k0 (id)"])
        if choice < 0.85:
            return "MODIFY id %s NOT NULL%s%s" % (r.choice(["BIGINT", "INT", "BIGINT UNSIGNED", "INT UNSIGNED"]), r.choice(["", " AUTO_INCREMENT"]), place(r, names))
        if choice < 0.865:
            return "DROP PRIMARY KEY, ADD %s" % r.choice(["PRIMARY KEY (id)", "UNIQUE KEY uid (id)", "CONSTRAINT PRIMARY KEY USING BTREE (id DESC)"])
        if choice < 0.875 and self.generated:
            return r.choice(["DROP g", "CHANGE g h INT AS (id + 1) VIRTUAL", "MODIFY g INT AS (id - 1) STORED FIRST"])
        common = [
            "ENGINE=InnoDB", "COMMENT='x, y'", "FORCE", "ALGORITHM=COPY", "ALGORITHM=INPLACE", "ALGORITHM = INSTANT", "LOCK=SHARED", "LOCK NONE", "AUTO_INCREMENT=50",
            "ROW_FORMAT=DYNAMIC", "DEFAULT CHARACTER SET utf8mb4", "CHARSET latin1", "ORDER BY " + name, "ORDER BY %s DESC, id" % name,
            "ADD CONSTRAINT ck%d CHECK (id > 0)" % r.randint(0, 9), "ADD CHECK (id < 1000)", "STATS_PERSISTENT=0", "KEY_BLOCK_SIZE=8", "DISABLE KEYS",
            "CONVERT TO CHARACTER SET utf8mb4", "CONVERT TO CHARACTER SET utf8mb3", "CONVERT TO CHARSET utf8mb4 COLLATE utf8mb4_unicode_ci", "COLLATE utf8mb4_bin",
            "RENAME TO %s_r" % self.name, "RENAME AS gen.`%s_s`" % self.name]
        return r.choice(common + (["DROP CONSTRAINT IF EXISTS none", "ADD INDEX IF NOT EXISTS k0 (id)"] if self.mariadb else []))

    def alter(self):
        r = self.r
        names, fresh = ["id"] + [c for c, _ in self.columns], []
        clauses = [self.clauses(names, fresh) for _ in range(r.randint(2, 5))]
        name = r.choice([self.name] * 5 + ["gen.%s" % self.name, "`gen` . `%s`" % self.name])
        if self.mariadb and r.random() < 0.1:
            name = r.choice(["IF EXISTS %s" % name, "%s WAIT 5" % name, "%s NOWAIT" % name])
        text = "ALTER TABLE %s %s" % (name, ", ".join(clauses))
        if r.random() < 0.04:
            text += r.choice(PARTITIONED)
        elif self.partitioned and r.random() < 0.2:
            text += " REMOVE PARTITIONING"
        if r.random() < 0.1:
            text = text.replace("ALTER TABLE", "ALTER /* a, b */ TABLE", 1) + r.choice(["", " -- end", " /*!50500 , COMMENT='v' */", " /*M!100100 , COMMENT='m' */", " # it's"])
        if r.random() < 0.05:
            text = text.replace(", ", "\n  , -- it's a comment, \"odd\"\n  ", 1)
        return text
