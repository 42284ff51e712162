"""Clients of the matrix in PHP, Perl, Ruby, R and Go, which are programs of their own, and ODBC."""
import os
import re
import subprocess

from adapters import HERE, Adapter, Program, Refused, rows_of

NO_CHANGE_USER = "it has no call for COM_CHANGE_USER"
NO_RESET = "it has no call for COM_RESET_CONNECTION"


class PhpPdo(Program):
    name = "PHP PDO"
    cannot = {"change user": NO_CHANGE_USER, "reset": NO_RESET, "ping": "PDO has no ping"}

    def command(self):
        return ["php", os.path.join(HERE, "clients", "pdo.php")]


class PhpMysqli(Program):
    name = "PHP mysqli"
    cannot = {"reset": NO_RESET}

    def command(self):
        return ["php", os.path.join(HERE, "clients", "mysqli.php")]


class PerlMysql(Program):
    name, driver = "Perl DBD::mysql", "mysql"
    cannot = {"change user": NO_CHANGE_USER, "reset": NO_RESET,
              "reconnect inside TLS": "it takes the end of TLS for an error of its own (2026, also from MySQL 9.7), and not for a lost connection"}
    reconnects, unreachable = True, 1429

    def command(self):
        return ["perl", os.path.join(HERE, "clients", "dbd.pl"), self.driver]


class PerlMariaDb(PerlMysql):
    name, driver = "Perl DBD::MariaDB", "MariaDB"


class RubyMysql2(Program):
    name = "Ruby mysql2"
    cannot = {"change user": NO_CHANGE_USER, "reset": NO_RESET,
              "prepared time": "it makes a time of the day of a TIME in a binary row, and raises an ArgumentError beyond 23:59:59",
              "prepared date": "it raises a Date::Error for a day that no calendar has in a binary row",
              "prepared datetime": "it raises a Date::Error for a day that no calendar has in a binary row"}
    reconnects, unreachable = True, 1429

    def command(self):
        return ["ruby", os.path.join(HERE, "clients", "mysql2.rb")]


class RMySql(Program):
    """R's RMySQL, which knows the text protocol alone."""

    name = "R RMySQL"
    cannot = {"change user": NO_CHANGE_USER, "reset": NO_RESET, "ping": "it has no ping", "prepared": "it has no prepared statements",
              "state": "it does not know the SQLSTATE of an error"}
    unreachable = 1429

    def command(self):
        return ["Rscript", "--vanilla", os.path.join(HERE, "clients", "rmysql.R")]


class Go(Program):
    name = "go-sql-driver"
    cannot = {"change user": NO_CHANGE_USER, "reset": NO_RESET, "state": "this version drops the SQLSTATE of an error"}
    reconnects = True
    program = None

    @classmethod
    def build(cls, folder):
        """With the driver that Debian packages: nothing is fetched."""
        cls.program = os.path.join(folder, "go-matrix")
        environment = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": os.path.join(folder, "go-cache"), "GOFLAGS": ""}
        subprocess.run(["go", "build", "-o", cls.program, os.path.join(HERE, "clients", "go", "main.go")], check=True, env=environment)

    def command(self):
        return [self.program]


class Odbc(Adapter):
    """MariaDB Connector/ODBC below pyodbc."""

    name = "MariaDB Connector/ODBC"
    cannot = {"change user": "ODBC has no such call", "reset": "ODBC has no such call", "ping": "ODBC has no such call",
              "time": "ODBC has times of the day alone, and pyodbc raises a ValueError beyond 23:59:59",
              "primary key": "version 3.1 looks for COLUMN_KEY = 'pri', which MySQL 8 and later does not find: it has PRI",
              "json": "version 3.1 does not know the type JSON of MySQL", "unsigned": "ODBC has no unsigned whole number beyond 2^63 - 1"}
    unreachable = 1429

    def __init__(self, options):
        super().__init__(options)
        import pyodbc
        self.module = pyodbc
        pyodbc.pooling = False
        secure = "SSLCA=%s;SSLVERIFY=1;FORCETLS=1;" % options["ca"] if options["tls"] else ""
        place = "Driver={MariaDB Unicode};Server=127.0.0.1;Port=%d;User=%s;Password={%s};Database=%s;Charset=utf8mb4;%s" % (
            options["port"], options["user"], options["password"], options["database"], secure)
        self.connection = self.guarded(lambda: pyodbc.connect(place, autocommit=True, timeout=60))

    def guarded(self, work):
        try:
            return work()
        except self.module.Error as e:
            told = re.search(r"\[ma-[\d.]+\](?:\[[^]]*\])?(.*) \((\d+)\) \(SQL\w+\)", str(e.args[1]), re.S)
            if not told:
                raise
            raise Refused(int(told.group(2)), e.args[0], told.group(1)) from e

    def run(self, sql, *parameters):
        def work():
            cursor = self.connection.cursor()
            try:
                cursor.execute(sql, *parameters)
                return rows_of(cursor) if cursor.description else ([], [])
            finally:
                cursor.close()
        return self.guarded(work)

    def query(self, sql):
        return self.run(sql)

    def prepared(self, sql, parameters):
        return self.run(sql, *parameters)

    def catalog(self, schema, table):
        def asked(what, **where):
            cursor = self.connection.cursor()
            rows = self.guarded(lambda: getattr(cursor, what)(**where).fetchall())
            found = [getattr(row, "column_name", None) for row in rows]
            cursor.close()
            return found
        asked("tables", catalog=schema)
        for what in ("procedures", "procedureColumns"):
            asked(what, catalog=schema)
        asked("getTypeInfo")
        for what in ("foreignKeys", "rowVerColumns"):
            asked(what, table=table, catalog=schema)
        asked("foreignKeys", foreignTable=table, foreignCatalog=schema)
        return {"columns": asked("columns", table=table, catalog=schema), "key": asked("primaryKeys", table=table, catalog=schema),
                "index": asked("statistics", table=table, catalog=schema, unique=True), "best": asked("rowIdColumns", table=table, catalog=schema)}

    def close(self):
        self.connection.close()
