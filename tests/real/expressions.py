#!/usr/bin/env python3
"""Generates expressions, asks a real MySQL for their values and declared types, and keeps the answers.

    expressions.py --port 3306 [--seed 12] [--count 20000] OUTPUT.gz

The output is what `crates/expression/tests/recorded.rs` holds the evaluator to: gzip of lines of tab-separated fields,
`SET` lines with the settings of the session, and for each expression: the expression, then `type length charset flags decimals value`
(value: `N` for NULL, else `=` and the text, with backslash escapes for backslash, tab and newline), or `!` and the error number.
The same seed and count give the same expressions.
"""

import argparse
import gzip
import random

import pymysql
import pymysql.converters

SETTINGS = [
    "SET NAMES utf8mb4, sql_mode = DEFAULT",
    "SET NAMES utf8mb4 COLLATE utf8mb4_bin, sql_mode = DEFAULT",
    "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci, sql_mode = DEFAULT",
    "SET NAMES utf8mb4 COLLATE utf8mb4_tr_0900_ai_ci, sql_mode = DEFAULT",
    "SET NAMES utf8mb4, sql_mode = 'PIPES_AS_CONCAT'",
    "SET NAMES utf8mb4, sql_mode = 'NO_BACKSLASH_ESCAPES,NO_UNSIGNED_SUBTRACTION'",
    "SET NAMES utf8mb4, collation_connection = 'latin1_swedish_ci', sql_mode = DEFAULT",
]
VARIABLES = [
    "SET @i = 42, @n = NULL, @d = -9223372036854775808, @u = 18446744073709551615, @s = 'Shop', @e = '', @f = 1.5e0, @c = 12.50,"
    " @b = _utf8mb4'AbC' COLLATE utf8mb4_bin, @t = '12'",
]
WORDS = ["", "a", "A", "b", "abc", "ABC", "Shop", "shop ", " x", "a_b", "a%b", "%a%", "a\\_b", "%_", "aaaaa", "aa", "1", "0", "12", "-3", "1.5",
         "orders", "ORDERS", "utf8mb4_0900_ai_ci", "on,off", "i", "I", "x=on", "00", "2026-04-27"]
WIDE = ["é", "É", "日本", "ß", "ı", "a\u0301", "😀"]
INTS = [0, 1, 2, 3, 7, 10, 42, 100, 255, 65535, 4294967296, 9223372036854775807, 9223372036854775808, 18446744073709551615]
DECIMALS = ["0.0", "1.5", "2.50", ".5", "10.00", "123456.789", "0.001", "99999999999999999999", "1.0"]
DOUBLES = ["1e0", "1.5e0", "0e0", "1e20", "2.5e-3", "1e-7", "123456789e0"]
COLLATIONS = ["utf8mb4_bin", "utf8mb4_0900_ai_ci", "utf8mb4_general_ci", "utf8mb4_0900_as_cs", "utf8mb4_unicode_ci", "utf8mb4_tr_0900_ai_ci"]


class Maker:
    def __init__(self, rng):
        self.rng = rng

    def quoted(self, text):
        return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"

    def text(self):
        r = self.rng.random()
        if r < 0.05:
            return self.quoted(self.rng.choice(WIDE))
        if r < 0.13:
            return self.rng.choice(["@s", "@e", "@b", "@t"])
        if r < 0.15:
            return "_utf8mb4" + self.quoted(self.rng.choice(WORDS))
        return self.quoted(self.rng.choice(WORDS))

    def integer(self):
        r = self.rng.random()
        if r < 0.1:
            return self.rng.choice(["@i", "@d", "@u", "TRUE", "FALSE"])
        if r < 0.2:
            return "-" + str(self.rng.choice(INTS))
        if r < 0.7:
            return str(self.rng.choice(INTS[:8]))
        return str(self.rng.choice(INTS))

    def number(self):
        r = self.rng.random()
        if r < 0.6:
            return self.integer()
        if r < 0.82:
            return self.rng.choice(["", "-"]) + self.rng.choice(DECIMALS + ["@c"])
        return self.rng.choice(DOUBLES + ["@f"])

    def leaf(self):
        r = self.rng.random()
        if r < 0.05:
            return self.rng.choice(["NULL", "@n"])
        return self.text() if r < 0.55 else self.number()

    def any(self, depth):
        if depth <= 0 or self.rng.random() < 0.2:
            return self.leaf()
        return self.rng.choice([self.string, self.numeric, self.condition, self.choice])(depth - 1)

    def string_or_leaf(self, depth):
        return self.string(depth - 1) if depth > 0 and self.rng.random() < 0.5 else (self.text() if self.rng.random() < 0.9 else self.any(depth - 1))

    def number_or_leaf(self, depth):
        return self.numeric(depth - 1) if depth > 0 and self.rng.random() < 0.4 else (self.number() if self.rng.random() < 0.9 else self.any(depth - 1))

    def string(self, depth):
        s, n = lambda: self.string_or_leaf(depth), lambda: str(self.rng.choice([-3, -2, -1, 0, 1, 2, 3, 5]))
        return self.rng.choice([
            lambda: f"CONCAT({', '.join(self.any(depth - 1) for _ in range(self.rng.randint(1, 3)))})",
            lambda: f"CONCAT_WS({s()}, {self.any(depth - 1)}, {self.any(depth - 1)})",
            lambda: f"UPPER({s()})",
            lambda: f"LOWER({s()})",
            lambda: f"LEFT({s()}, {n()})",
            lambda: f"RIGHT({s()}, {n()})",
            lambda: f"SUBSTRING({s()}, {n()})",
            lambda: f"SUBSTRING({s()}, {n()}, {n()})",
            lambda: f"SUBSTRING_INDEX({s()}, {s()}, {n()})",
            lambda: f"REPLACE({s()}, {s()}, {s()})",
            lambda: f"TRIM({s()})",
            lambda: f"LTRIM({s()})",
            lambda: f"RTRIM({s()})",
            lambda: f"REVERSE({s()})",
            lambda: f"REPEAT({s()}, {n()})",
            lambda: f"CAST({self.any(depth - 1)} AS CHAR)",
            lambda: f"CAST({s()} AS CHAR({self.rng.choice([3, 10, 64])}))",
            lambda: f"CONVERT({s()} USING utf8mb4)",
            lambda: f"({s()} COLLATE {self.rng.choice(COLLATIONS)})",
            lambda: f"({s()} || {s()})",
        ])()

    def numeric(self, depth):
        n, s = lambda: self.number_or_leaf(depth), lambda: self.string_or_leaf(depth)
        return self.rng.choice([
            lambda: f"({n()} {self.rng.choice(['+', '-', '*'])} {n()})",
            lambda: f"({n()} {self.rng.choice(['+', '-', '*'])} {n()})",
            lambda: f"({n()} {self.rng.choice(['DIV', '%', 'MOD', '/'])} {n()})",
            lambda: f"({n()} {self.rng.choice(['&', '|', '^', '<<', '>>'])} {n()})",
            lambda: f"(-{n()})".replace("--", "- -"),
            lambda: f"(~{n()})",
            lambda: f"LENGTH({s()})",
            lambda: f"CHAR_LENGTH({s()})",
            lambda: f"LOCATE({s()}, {s()})",
            lambda: f"INSTR({s()}, {s()})",
            lambda: f"STRCMP({s()}, {s()})",
            lambda: f"ABS({n()})",
            lambda: f"SIGN({n()})",
            lambda: f"CAST({self.any(depth - 1)} AS SIGNED)",
            lambda: f"CAST({n()} AS UNSIGNED)",
            lambda: f"{n()} {self.rng.choice(['+', '-', '*'])} {n()} {self.rng.choice(['+', '-', '*'])} {n()}",
        ])()

    def condition(self, depth):
        a, s = lambda: self.any(depth - 1), lambda: self.string_or_leaf(depth)
        same = self.rng.choice([s, lambda: self.number_or_leaf(depth), a])
        no = self.rng.choice(["", "NOT "])
        return self.rng.choice([
            lambda: f"({same()} {self.rng.choice(['=', '<>', '<', '<=', '>', '>=', '<=>'])} {same()})",
            lambda: f"({same()} {self.rng.choice(['=', '<>', '<', '<=', '>', '>=', '<=>'])} {same()})",
            lambda: f"({s()} {no}LIKE {s()})",
            lambda: f"({s()} {no}LIKE {s()})",
            lambda: f"({s()} LIKE {s()} ESCAPE '|')",
            lambda: f"({same()} {no}IN ({', '.join(same() for _ in range(self.rng.randint(1, 4)))}))",
            lambda: f"({same()} {no}BETWEEN {same()} AND {same()})",
            lambda: f"({a()} IS {no}NULL)",
            lambda: f"({a()} IS {no}{self.rng.choice(['TRUE', 'FALSE', 'UNKNOWN'])})",
            lambda: f"(NOT {a()})",
            lambda: f"({a()} {self.rng.choice(['AND', 'OR', 'XOR'])} {a()})",
            lambda: f"{a()} {self.rng.choice(['=', '<', '+', '|', '&'])} {a()} {self.rng.choice(['AND', 'OR', '||', '='])} {a()}",
            lambda: f"ISNULL({a()})",
        ])()

    def choice(self, depth):
        a = lambda: self.any(depth - 1)
        same = self.rng.choice([lambda: self.string_or_leaf(depth), lambda: self.number_or_leaf(depth), a])
        return self.rng.choice([
            lambda: f"IF({a()}, {same()}, {same()})",
            lambda: f"IFNULL({same()}, {same()})",
            lambda: f"COALESCE({', '.join(same() for _ in range(self.rng.randint(1, 4)))})",
            lambda: f"NULLIF({same()}, {same()})",
            lambda: f"(CASE WHEN {a()} THEN {same()} ELSE {same()} END)",
            lambda: f"(CASE WHEN {a()} THEN {same()} END)",
            lambda: f"(CASE {same()} WHEN {same()} THEN {same()} WHEN {same()} THEN {same()} ELSE {same()} END)",
        ])()


def escaped(text):
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--seed", type=int, default=12)
    arguments.add_argument("--count", type=int, default=20000)
    arguments.add_argument("output")
    options = arguments.parse_args()
    rng = random.Random(options.seed)
    maker = Maker(rng)
    connection = pymysql.connect(host="127.0.0.1", port=options.port, user="root", charset="utf8mb4", conv=dict(pymysql.converters.encoders))
    cursor = connection.cursor()
    lines, seen = [], set()
    for number, setting in enumerate(SETTINGS):
        cursor.execute(setting)
        lines.append(f"SET\t{setting}")
        for statement in VARIABLES:
            cursor.execute(statement)
            lines.append(f"SET\t{statement}")
        share = options.count * (64 if number == 0 else 6) // 100
        while share > 0:
            expression = maker.any(rng.choice([1, 1, 2, 2, 3]))
            if (setting, expression) in seen or len(expression) > 300:
                continue
            seen.add((setting, expression))
            share -= 1
            try:
                cursor.execute(f"SELECT {expression}")
            except pymysql.MySQLError as error:
                lines.append(f"{escaped(expression)}\t!{error.args[0]}")
                continue
            field = cursor._result.fields[0]
            value = cursor.fetchone()[0]
            if isinstance(value, bytes):
                value = value.decode("utf8", "replace")
            shown = "N" if value is None else "=" + escaped(value)
            declared = f"{field.type_code} {field.length} {field.charsetnr} {field.flags} {field.scale}"
            lines.append(f"{escaped(expression)}\t{declared}\t{shown}")
    with open(options.output, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as output:
        output.write(("\n".join(lines) + "\n").encode())
    failed = sum(1 for line in lines if "\t!" in line)
    print(f"{len(seen)} expressions, {failed} of them errors")


if __name__ == "__main__":
    main()
