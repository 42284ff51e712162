"""Statements that are made up from a seed, of the tables that a schema has just then, for hunt.py."""
from hunt_values import KEYS, MARIADB_TYPES, PLAIN_KEYS, TYPES, Values, named

ACTIONS = ["CASCADE", "CASCADE", "CASCADE", "SET NULL", "SET NULL", "RESTRICT", "NO ACTION"]
INTEGERS = ("int", "bigint", "smallint", "tinyint", "mediumint")
# What conditions are not made of.
UNORDERED = ("json", "geom", "point", "vector", "linestring", "polygon", "multi")


class Statements(Values):
    def __init__(self, r, maria, profile):
        super().__init__(r, maria, profile)
        self.number = 0
        # Of each table its columns, as World.look gives them; names of partitions; foreign keys with their tables.
        self.tables, self.partitions, self.foreign = {}, {}, []
        self.xid = ""

    def has(self, what):
        return what in self.profile

    def fresh(self, prefix):
        self.number += 1
        return "%s%d" % (prefix, self.number)

    def table(self):
        return self.r.choice(list(self.tables))

    # Definitions.

    def definition(self, name, others):
        """A column; `others`: columns that a generated one may be made of, with whether they are numbers."""
        r = self.r
        if self.has("generated") and others and r.random() < 0.15:
            other, is_number = r.choice(others)
            forms = [("DECIMAL(65,4)", "%s + 1"), ("DECIMAL(65,4)", "%s * 2"), ("DECIMAL(65,4)", "IFNULL(%s, 0)")] if is_number else \
                [("VARCHAR(330)", "CONCAT(%s, '!')"), ("INT", "CHAR_LENGTH(%s)"), ("VARCHAR(330)", "UPPER(%s)"), ("VARCHAR(330)", "COALESCE(%s, 'none')")]
            kind, form = r.choice(forms)
            return "%s %s AS (%s) %s" % (named(name), kind, form % named(other), r.choice(["VIRTUAL", "STORED"]))
        kind = self.type(TYPES + (MARIADB_TYPES if self.maria else []))
        more, pick = "", r.random()
        if pick < 0.15:
            more = " NOT NULL"
        elif pick < 0.3 and kind.startswith(("TIMESTAMP", "DATETIME")):
            digits = kind[kind.index("("):kind.index(")") + 1] if "(" in kind else ""
            more = r.choice([" DEFAULT CURRENT_TIMESTAMP%s" % digits, " DEFAULT CURRENT_TIMESTAMP%s ON UPDATE CURRENT_TIMESTAMP%s" % (digits, digits), " DEFAULT '2020-01-01 00:00:00'"])
        elif pick < 0.3 and not any(word in kind for word in ("JSON", "GEOMETRY", "POINT", "VECTOR", "TEXT", "BLOB")):
            value = self.value(kind)
            more = "" if "(" in value else r.choice([" DEFAULT ", " NOT NULL DEFAULT "]) + value
        if self.has("invisible") and r.random() < 0.1:
            more += " INVISIBLE"
        return "%s %s%s%s" % (named(name), kind, more, " COMMENT 'c, ü'" if r.random() < 0.04 else "")

    def create(self, name=None):
        r, name = self.r, name or self.fresh("t")
        keys = {}
        for key in ["id", "k1", "k2"][:r.choice([1, 1, 1, 2, 2, 3] if self.has("keys") else [1, 1, 1, 2])]:
            keys[key] = self.type(KEYS + (MARIADB_TYPES[:3] if self.maria else [])) if self.has("keys") and r.random() < 0.5 else r.choice(PLAIN_KEYS)
        auto = len(keys) == 1 and keys["id"] in ("INT", "BIGINT") and r.random() < 0.2
        lines = ["%s %s NOT NULL%s" % (named(key), kind.replace(" NULL", ""), " AUTO_INCREMENT" if auto else "") for key, kind in keys.items()]
        others, plain = [], []
        for _ in range(r.randint(1, 7)):
            column = self.fresh("c") if r.random() < 0.95 else r.choice(["odd `name", "größe", "select", "a,b"])
            if column in others:
                continue
            others.append(column)
            line = self.definition(column, plain)
            kind = line[len(named(column)) + 1:]
            if kind.startswith(("INT", "BIGINT", "SMALLINT", "TINYINT")):
                plain.append((column, True))
            elif kind.startswith(("VARCHAR(12)", "VARCHAR(40)", "CHAR(6)")) and " C" not in kind:
                plain.append((column, False))
            lines.append(line)
        if r.random() < 0.3 and not auto:
            r.shuffle(lines)
        parts = [named(key) + (" DESC" if r.random() < 0.05 else "") for key in (reversed(keys) if r.random() < 0.2 else keys)]
        lines.append("%s (%s)" % ("PRIMARY KEY" if auto or r.random() < 0.8 else "UNIQUE KEY uk", ", ".join(parts)))
        numbers = [column for column, is_number in plain if is_number]
        if numbers and r.random() < 0.4:
            lines.append("%s (%s)" % (r.choice(["KEY", "KEY", "UNIQUE"]), named(r.choice(numbers))))
        foreign = self.foreign_key(name, keys) if self.has("foreign") and r.random() < 0.6 else []
        options = " DEFAULT CHARSET=" + r.choice(["latin1", "utf8mb4", "utf8mb3"]) if r.random() < 0.2 else ""
        if self.has("versioned") and self.maria and r.random() < 0.15:
            options += " WITH SYSTEM VERSIONING"
        if self.has("partitions") and not foreign and r.random() < 0.5:
            options += self.partitioned(keys)
        return "CREATE TABLE %s (%s)%s" % (named(name), ", ".join(lines + foreign), options)

    def foreign_key(self, name, keys):
        """Lines of a foreign key to another table, or to the table itself."""
        r, column = self.r, self.fresh("f")
        actions = "ON DELETE %s ON UPDATE %s" % (r.choice(ACTIONS), r.choice(ACTIONS))
        if r.random() < 0.15 and len(keys) == 1:
            return ["%s %s" % (named(column), keys["id"].replace(" NULL", "")), "FOREIGN KEY (%s) REFERENCES %s (id) %s" % (named(column), named(name), actions)]
        parents = [(table, column) for table, columns in self.tables.items() for column in columns if column["key"] == 1]
        if not parents:
            return []
        table, parent = r.choice(parents)
        kind = parent["type"] + (" CHARACTER SET %s COLLATE %s" % (parent["charset"], parent["collation"]) if parent["collation"] else "")
        return ["%s %s" % (named(column), kind), "FOREIGN KEY (%s) REFERENCES %s (%s) %s" % (named(column), named(table), named(parent["name"]), actions)]

    def partitioned(self, keys):
        r = self.r
        name, kind = r.choice(list(keys.items()))
        if kind.startswith(("INT", "BIGINT", "SMALLINT")):
            pick = r.random()
            bounds = "(PARTITION p0 VALUES LESS THAN (5), PARTITION p1 VALUES LESS THAN (12), PARTITION p2 VALUES LESS THAN MAXVALUE)"
            if pick < 0.35:
                return " PARTITION BY RANGE (%s) %s" % (r.choice([named(name), "%s * 2" % named(name), "ABS(%s)" % named(name)]), bounds)
            if pick < 0.55:
                return " PARTITION BY %sHASH (%s) PARTITIONS %d" % (r.choice(["", "LINEAR "]), named(name), r.randint(2, 5))
            if pick < 0.7:
                return " PARTITION BY LIST (%s MOD 3) (PARTITION p0 VALUES IN (0), PARTITION p1 VALUES IN (1, -1), PARTITION p2 VALUES IN (2, -2))" % named(name)
        if kind == "DATE":
            return " PARTITION BY RANGE (YEAR(%s)) (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS THAN MAXVALUE)" % named(name)
        return " PARTITION BY %sKEY (%s) PARTITIONS %d" % (r.choice(["", "", "LINEAR "]), ", ".join(map(named, r.sample(list(keys), r.randint(1, len(keys))))), r.randint(2, 5))

    # Rows.

    def written(self, table):
        return [column for column in self.tables[table] if not column["generated"]]

    def where(self, table):
        r, columns = self.r, self.tables[table]
        if r.random() < 0.12:
            return ""
        column = r.choice([c for c in columns if c["key"]] or columns) if r.random() < 0.7 else r.choice(columns)
        sign = r.choice(["=", "=", "<>", ">", "<=", "IS NULL", "IS NOT NULL"])
        if sign.startswith("IS") or column["type"].startswith(UNORDERED):
            return " WHERE %s %s" % (named(column["name"]), sign if sign.startswith("IS") else "IS NOT NULL")
        return " WHERE %s %s %s" % (named(column["name"]), sign, self.value(column["type"]))

    def insert(self, table, verb=None):
        r, columns = self.r, self.written(table)
        some = [c for c in columns if r.random() < 0.85 or c["key"]] or columns
        rows = ", ".join("(%s)" % ", ".join(self.cell(c) if r.random() > 0.04 else "DEFAULT" for c in some) for _ in range(r.choice([1, 1, 2, 3, 5])))
        verb, tail = verb or r.choice(["INSERT", "INSERT", "INSERT", "INSERT IGNORE", "REPLACE"]), ""
        if verb == "INSERT" and r.random() < 0.25:
            other = r.choice(columns)
            tail = " ON DUPLICATE KEY UPDATE %s = %s" % (named(other["name"]), r.choice([self.cell(other), "VALUES(%s)" % named(other["name"])]))
        return "%s INTO %s (%s) VALUES %s%s" % (verb, named(table), ", ".join(named(c["name"]) for c in some), rows, tail)

    def assignments(self, table, prefix=""):
        r, columns = self.r, self.written(table)
        columns = [c for c in columns if not c["key"] or r.random() < 0.25] or columns
        made = []
        for column in r.sample(columns, min(len(columns), r.randint(1, 3))):
            name, kind, value = prefix + named(column["name"]), column["type"], self.cell(column)
            if kind.startswith("json") and r.random() < 0.6:
                value = r.choice(["JSON_SET({0}, '$.a', 7)", "JSON_REMOVE({0}, '$.b')", "JSON_REPLACE({0}, '$.b[0]', 'zz', '$.a', 'qqqqqqqqqq')", "JSON_SET({0}, '$[1]', JSON_OBJECT('n', 1), '$.new', 1)"]).format(name)
            elif kind.startswith(INTEGERS + ("decimal", "float", "double")) and r.random() < 0.5:
                value = r.choice(["%s + 1", "%s - 1", "%s * 2", "-%s"]) % name
            elif "char" in kind and r.random() < 0.3:
                value = r.choice(["CONCAT(%s, 'x')", "UPPER(%s)", "REVERSE(%s)"]) % name
            made.append("%s = %s" % (name, value))
        return ", ".join(made)

    def order(self, table):
        key = [named(c["name"]) for c in self.tables[table] if c["key"]]
        return " ORDER BY %s%s" % (", ".join(key), self.r.choice(["", " LIMIT 2"])) if key and self.r.random() < 0.25 else ""

    def rows(self):
        """A statement that changes rows."""
        r, table, other, pick = self.r, self.table(), self.table(), self.r.random()
        if pick < 0.35:
            return self.insert(table)
        if pick < 0.62:
            return "UPDATE %s%s SET %s%s%s" % (r.choice(["", "", "IGNORE "]), named(table), self.assignments(table), self.where(table), self.order(table))
        if pick < 0.74:
            return "DELETE FROM %s%s%s" % (named(table), self.where(table) or " WHERE 1 = %d" % (r.random() < 0.3), self.order(table))
        if pick < 0.86 and other != table:
            on = "a.%s = b.%s" % (named(r.choice(self.tables[table])["name"]), named(r.choice(self.tables[other])["name"]))
            joined = "%s a JOIN %s b ON %s" % (named(table), named(other), on)
            if pick < 0.8:
                return "UPDATE %s SET %s, %s" % (joined, self.assignments(table, "a."), self.assignments(other, "b."))
            return "DELETE %s FROM %s" % (r.choice(["a", "b", "a, b", "b, a"]), joined)
        if pick < 0.93:
            columns = self.written(table)
            moved = next((c["name"] for c in columns if c["key"] and c["type"].startswith(INTEGERS)), None)
            taken = ", ".join("%s + 17" % named(c["name"]) if c["name"] == moved else named(c["name"]) for c in columns)
            return "%s INTO %s (%s) SELECT %s FROM %s%s" % (r.choice(["INSERT IGNORE", "INSERT", "REPLACE"]), named(table), ", ".join(named(c["name"]) for c in columns), taken, named(table), self.where(table))
        return self.insert(table, "REPLACE")

    def transaction(self, state):
        """`state`: None outside of one, else "tx", or how far an XA transaction is."""
        r = self.r
        if state is None:
            if self.has("xa") and r.random() < 0.3:
                self.xid = self.fresh("x")
                return "XA START '%s'" % self.xid
            return r.choice(["BEGIN", "START TRANSACTION"])
        forms = {"started": ["XA END '%s'"], "ended": ["XA PREPARE '%s'", "XA COMMIT '%s' ONE PHASE", "XA ROLLBACK '%s'"], "prepared": ["XA COMMIT '%s'", "XA ROLLBACK '%s'"]}
        if state in forms:
            return r.choice(forms[state]) % self.xid
        return r.choice(["COMMIT", "COMMIT", "ROLLBACK", "SAVEPOINT s1", "SAVEPOINT s2", "ROLLBACK TO s1", "ROLLBACK TO s2", "RELEASE SAVEPOINT s1"])

    # Tables.

    def clause(self, table):
        r, columns = self.r, self.tables[table]
        column, plain = r.choice(columns), [c for c in columns if not c["generated"] and not c["key"]]
        place = r.choice(["", "", " FIRST", " AFTER %s" % named(r.choice(columns)["name"])])
        usable = [(c["name"], c["type"].startswith(INTEGERS)) for c in plain if c["type"].startswith(("int", "bigint", "smallint", "varchar(12)", "varchar(40)", "char(6)"))]
        pick, one = r.random(), r.choice(plain) if plain else None
        add = "ADD COLUMN %s%s" % (self.definition(self.fresh("n"), usable), place)
        if pick < 0.25 or one is None:
            return add
        if pick < 0.33:
            return "DROP COLUMN %s" % named(one["name"])
        if pick < 0.5:
            return "MODIFY %s%s" % (self.definition(one["name"], []) if r.random() < 0.4 else named(one["name"]) + " " + self.near(one), place)
        if pick < 0.58:
            return "CHANGE %s %s %s%s" % (named(one["name"]), named(self.fresh("n")), self.near(one), place)
        if pick < 0.64:
            return "RENAME COLUMN %s TO %s" % (named(column["name"]), named(r.choice([self.fresh("n"), r.choice(columns)["name"]])))
        if pick < 0.68:
            return "ALTER %s SET DEFAULT %s" % (named(one["name"]), self.value(one["type"]))
        if pick < 0.72:
            return "ADD %sKEY %s (%s)" % (r.choice(["", "UNIQUE "]), named(self.fresh("i")), named(column["name"]))
        if pick < 0.76:
            return "DROP PRIMARY KEY, ADD PRIMARY KEY (%s)" % ", ".join(named(c["name"]) for c in r.sample(columns, min(2, len(columns))))
        if pick < 0.8:
            return "MODIFY id %s NOT NULL" % r.choice(["BIGINT", "INT", "VARCHAR(30)", "DECIMAL(20,0)"])
        if pick < 0.85:
            return "CONVERT TO CHARACTER SET %s" % r.choice(["utf8mb4", "latin1", "utf8mb3", "ucs2", "utf8mb4 COLLATE utf8mb4_bin"])
        if pick < 0.88:
            return r.choice(["ENGINE=InnoDB", "FORCE", "COMMENT='x'", "AUTO_INCREMENT=100", "DEFAULT CHARSET latin1", "ORDER BY %s" % named(column["name"])])
        mine = [key for of, key in self.foreign if of == table]
        if pick < 0.91 and mine:
            return "DROP FOREIGN KEY %s" % named(r.choice(mine))
        if pick < 0.93 and self.has("versioned") and self.maria:
            return r.choice(["ADD SYSTEM VERSIONING", "DROP SYSTEM VERSIONING"])
        return add

    def definitions(self):
        """Statements on tables, one or some that belong together."""
        r, table, other, pick = self.r, self.table(), self.table(), self.r.random()
        if pick < 0.5:
            if self.partitions.get(table) and r.random() < 0.5:
                return self.on_partitions(table)
            how = r.choice(["", "", "", "", ", ALGORITHM=INSTANT", ", ALGORITHM=COPY", ", ALGORITHM=INPLACE"])
            return ["ALTER TABLE %s %s%s" % (named(table), ", ".join(self.clause(table) for _ in range(r.choice([1, 1, 1, 2, 3]))), how)]
        if pick < 0.6:
            return [self.create(r.choice([None, None, None, table]))]
        if pick < 0.66:
            return ["CREATE TABLE %s LIKE %s" % (named(self.fresh("l")), named(table))]
        if pick < 0.72:
            key = [named(c["name"]) for c in self.tables[table] if c["key"]]
            return ["CREATE TABLE %s %sSELECT * FROM %s%s" % (named(self.fresh("s")), "(PRIMARY KEY (%s)) " % ", ".join(key) if key else "", named(table), self.where(table))]
        if pick < 0.76:
            return ["TRUNCATE TABLE " + named(table)]
        if pick < 0.8:
            return ["DROP TABLE " + named(table)]
        if pick < 0.88:
            new = self.fresh("z")
            if other != table and r.random() < 0.6:
                return ["RENAME TABLE %s TO %s, %s TO %s, %s TO %s" % tuple(map(named, (table, new, other, table, new, other)))]
            return [r.choice(["RENAME TABLE %s TO %s", "ALTER TABLE %s RENAME TO %s"]) % (named(table), named(new))]
        if pick < 0.94 and self.has("triggers") and other != table:
            when = r.choice(["AFTER INSERT", "AFTER UPDATE", "AFTER DELETE", "BEFORE INSERT", "BEFORE DELETE"])
            body = r.choice([self.insert(other, "INSERT IGNORE"), "UPDATE IGNORE %s SET %s%s LIMIT 2" % (named(other), self.assignments(other), self.where(other))])
            return ["CREATE TRIGGER %s %s ON %s FOR EACH ROW %s" % (self.fresh("tr"), when, named(table), body)]
        if pick < 0.97 and self.has("temporary"):
            return [r.choice(["CREATE TEMPORARY TABLE %s (id INT PRIMARY KEY, q INT)", "DROP TEMPORARY TABLE IF EXISTS %s"]) % named(table)]
        return [r.choice(["FLUSH BINARY LOGS", "ANALYZE TABLE " + named(table), "OPTIMIZE TABLE " + named(table)])]

    def on_partitions(self, table):
        r, parts, alter = self.r, self.partitions[table], "ALTER TABLE %s " % named(table)
        one, pick = r.choice(parts), r.random()
        if pick < 0.35:
            return [alter + "TRUNCATE PARTITION %s" % ", ".join(r.sample(parts, r.choice([1, 1, min(2, len(parts))])))]
        if pick < 0.75:
            return [alter + r.choice(["DROP PARTITION " + one, "COALESCE PARTITION 1", "ADD PARTITION PARTITIONS 1", "REBUILD PARTITION " + one, "REMOVE PARTITIONING", "TRUNCATE PARTITION ALL"])]
        new = self.fresh("x")
        filled = self.insert(table).replace("INTO " + named(table), "INTO " + named(new), 1)
        return ["CREATE TABLE %s LIKE %s" % (named(new), named(table)), "ALTER TABLE %s REMOVE PARTITIONING" % named(new), filled,
                alter + "EXCHANGE PARTITION %s WITH TABLE %s%s" % (one, named(new), r.choice(["", " WITHOUT VALIDATION"]))]

    def setting(self):
        """What decides for a session how its statements are read and logged."""
        r = self.r
        forms = ["SET time_zone = '%s'" % r.choice(["+00:00", "+05:30", "-03:00"]), "SET sql_mode = '%s'" % r.choice(["", "STRICT_TRANS_TABLES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "PAD_CHAR_TO_FULL_LENGTH"]),
                 "SET NAMES %s" % r.choice(["utf8mb4", "latin1"]), "SET foreign_key_checks = %d" % (r.random() < 0.7), "SET unique_checks = %d" % r.randint(0, 1)]
        if self.has("settings"):
            forms += ["SET SESSION binlog_row_image = '%s'" % r.choice(["FULL", "MINIMAL", "NOBLOB"]), "SET SESSION binlog_format = '%s'" % r.choice(["ROW", "STATEMENT", "MIXED"]),
                      "SET collation_connection = '%s'" % r.choice(["latin1_swedish_ci", "utf8mb4_bin"]), "SET GLOBAL binlog_row_metadata = '%s'" % r.choice(["FULL", "MINIMAL"])]
            forms.append("SET SESSION binlog_alter_two_phase = %d" % r.randint(0, 1) if self.maria else "SET SESSION binlog_transaction_compression = %d" % r.randint(0, 1))
        return r.choice(forms)
