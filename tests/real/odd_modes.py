"""What a session's settings change in statements that are logged as text, and names that are no table's: in the form of odd_scenarios.py."""

MODES = {
    # Literals and values under modes of the session.
    "empty_is_null": ("maria", ["CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(5), d DATETIME(6))", "INSERT INTO t VALUES (1, '', '2020-01-01 00:00:00.6'), (2, 'x', NULL)", "SET sql_mode = 'EMPTY_STRING_IS_NULL'", "ALTER TABLE t ADD c VARCHAR(5) DEFAULT ''",
                                "ALTER TABLE t MODIFY d DATETIME", "CREATE TABLE u (id INT PRIMARY KEY, e ENUM('', 'a'), v VARCHAR(5) DEFAULT '')", "INSERT INTO u (id, e) VALUES (1, 'a')", "SET sql_mode = ''", "ALTER TABLE t ADD e VARCHAR(5) DEFAULT ''", "INSERT INTO t (id) VALUES (3)"]),
    "round_fractional": ("maria", ["CREATE TABLE t (id INT PRIMARY KEY, d DATETIME(6), t TIME(6))", "INSERT INTO t VALUES (1, '2020-05-05 10:11:12.345678', '10:11:12.5'), (2, '2020-01-01 00:00:00.499999', '-00:00:00.4')", "SET sql_mode = 'SIMULTANEOUS_ASSIGNMENT'", "ALTER TABLE t MODIFY d DATETIME(4)",
                                   "SET sql_mode = 'TIME_ROUND_FRACTIONAL'", "ALTER TABLE t MODIFY d DATETIME(2)", "ALTER TABLE t MODIFY t TIME", "UPDATE t SET t = '00:00:01' WHERE id = 1"]),
    "truncate_fractional": ("mysql", ["CREATE TABLE t (id INT PRIMARY KEY, d DATETIME(6), t TIME(6))", "INSERT INTO t VALUES (1, '2020-05-05 10:11:12.345678', '10:11:12.5'), (2, '2020-01-01 00:00:00.499999', '-00:00:00.4')", "ALTER TABLE t MODIFY d DATETIME(4)", "SET sql_mode = 'TIME_TRUNCATE_FRACTIONAL'",
                                      "ALTER TABLE t MODIFY d DATETIME(2)", "ALTER TABLE t MODIFY t TIME", "UPDATE t SET t = '00:00:01' WHERE id = 1"]),
    "padded_char": ("m", ["CREATE TABLE t (id INT PRIMARY KEY, c CHAR(5), d CHAR(4), e CHAR(3))", "INSERT INTO t VALUES (1, 'a', 'é', 'x'), (2, '', 'abcd', NULL)", "SET sql_mode = 'PAD_CHAR_TO_FULL_LENGTH'", "ALTER TABLE t MODIFY c VARCHAR(10)", "ALTER TABLE t MODIFY d TEXT, MODIFY e CHAR(9)",
                          "ALTER TABLE t ADD g VARCHAR(20) AS (CONCAT(c, '|')) STORED", "SET sql_mode = ''", "ALTER TABLE t MODIFY d CHAR(6)", "UPDATE t SET c = 'b' WHERE id = 1"]),
    # Numbers as defaults of text, and of labels.
    "number_defaults": ("m", ["CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)", "ALTER TABLE t ADD a VARCHAR(9) DEFAULT 007, ADD b CHAR(9) DEFAULT -0, ADD c VARCHAR(9) DEFAULT 5., ADD d VARCHAR(9) DEFAULT .5, ADD e VARBINARY(9) DEFAULT 012, ADD f VARCHAR(9) DEFAULT 1.50",
                              "ALTER TABLE t ADD g VARCHAR(9) DEFAULT 1e3", "INSERT INTO t (id) VALUES (2)", "ALTER TABLE t DROP g", "ALTER TABLE t ADD h DOUBLE DEFAULT -0", "ALTER TABLE t DROP h", "ALTER TABLE t ADD i ENUM('2','1') DEFAULT '1'", "UPDATE t SET a = 'x' WHERE id = 1"]),
    # Literals are bytes of character_set_connection.
    "wide_connection": ("m", ["SET character_set_connection = utf16", "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9) DEFAULT 'ü')", "INSERT INTO t (id) VALUES (1)", "ALTER TABLE t ADD w VARCHAR(9) NOT NULL DEFAULT 'ж', ADD n INT NOT NULL DEFAULT '5'", "ALTER TABLE t ADD y VARBINARY(9) NOT NULL DEFAULT 'a'", "INSERT INTO t (id) VALUES (2)",
                              "ALTER TABLE t DROP y", "SET NAMES utf8mb4", "ALTER TABLE t ADD y VARCHAR(9) NOT NULL DEFAULT _ucs2'ab'", "ALTER TABLE t DROP y, ADD z VARBINARY(9) NOT NULL DEFAULT 'a'", "UPDATE t SET n = 6 WHERE id = 1"]),
    # A sum that is zero, as text: MariaDB keeps no decimals of it.
    "zero_sums": ("m", ["CREATE TABLE t (id INT PRIMARY KEY, d DECIMAL(8,2), n INT, g VARCHAR(20) AS (d - n) STORED, h VARCHAR(20) AS (d + n) VIRTUAL)", "INSERT INTO t (id, d, n) VALUES (1, 1.5, 2), (2, 3, 4)", "UPDATE t SET d = 0.25, n = 0 WHERE id = 1", "UPDATE t SET d = 5, n = 5 WHERE id = 2",
                        "ALTER TABLE t ADD i VARCHAR(20) AS (n * d) STORED", "UPDATE t SET d = 0 WHERE id = 2", "ALTER TABLE t DROP g, DROP h, DROP i", "UPDATE t SET n = 1"]),
    # Rows get numbers.
    "numbered": ("m", ["SET sql_mode = ''", "CREATE TABLE u (k INT PRIMARY KEY, n INT NOT NULL)", "INSERT INTO u VALUES (1, 0), (2, 7), (3, -1)", "ALTER TABLE u MODIFY n INT NOT NULL AUTO_INCREMENT, ADD KEY (n)", "UPDATE u SET n = 50 WHERE k = 1", "CREATE TABLE y (id INT PRIMARY KEY, v INT)", "INSERT INTO y VALUES (0, 0), (3, 3)",
                       "ALTER TABLE y MODIFY id INT AUTO_INCREMENT", "UPDATE y SET v = 9", "CREATE TABLE z (a INT, b INT, v INT, PRIMARY KEY (a, b))", "INSERT INTO z VALUES (1, 0, 1), (1, 5, 2), (2, 0, 3)", "ALTER TABLE z MODIFY b INT AUTO_INCREMENT, ADD KEY (b)", "DELETE FROM z WHERE v = 1",
                       "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'", "CREATE TABLE w (id INT PRIMARY KEY, n INT NOT NULL)", "INSERT INTO w VALUES (0, 0), (2, 7)", "ALTER TABLE w MODIFY n INT NOT NULL AUTO_INCREMENT, ADD UNIQUE (n)", "SET sql_mode = ''", "ALTER TABLE w MODIFY n BIGINT NOT NULL AUTO_INCREMENT", "UPDATE w SET n = 9 WHERE id = 2"]),
    # The first number is not 1.
    "numbered_from_five": ("m", ["SET sql_mode = '', auto_increment_increment = 10, auto_increment_offset = 5", "CREATE TABLE y (id INT PRIMARY KEY, v INT)", "INSERT INTO y VALUES (0, 0), (3, 3)", "ALTER TABLE y MODIFY id INT AUTO_INCREMENT", "UPDATE y SET v = 9 WHERE id = 3"]),
    # Names that are a view's, and what is the key.
    "view_names": ("m", ["CREATE TABLE t (id INT PRIMARY KEY, a INT)", "INSERT INTO t VALUES (1, 10)", "CREATE VIEW v AS SELECT * FROM t", "DROP TABLE IF EXISTS v", "CREATE TABLE IF NOT EXISTS v (id INT PRIMARY KEY)", "INSERT INTO v VALUES (5, 5)", "RENAME TABLE v TO w, t TO v", "INSERT INTO v VALUES (6, 6)",
                         "DROP VIEW w", "CREATE TABLE IF NOT EXISTS w LIKE v", "INSERT INTO w VALUES (7, 7)"]),
    "unique_order": ("m", ["CREATE TABLE t (a INT NOT NULL, b INT, c INT NOT NULL, UNIQUE KEY (b), UNIQUE KEY z (c), UNIQUE KEY y (a))", "INSERT INTO t VALUES (1, NULL, 10), (2, 5, 20)", "ALTER TABLE t DROP KEY z, DROP KEY y, ADD UNIQUE KEY (a, c)", "UPDATE t SET b = 7 WHERE a = 1", "ALTER TABLE t MODIFY b INT NOT NULL",
                           "DELETE FROM t WHERE a = 2", "UPDATE t SET b = 8", "ALTER TABLE t ADD UNIQUE KEY pre (c), ADD KEY (a)", "INSERT INTO t VALUES (3, 3, 3)"]),
    # A sequence takes the place of a table.
    "sequence_over_table": ("maria", ["CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1)", "CREATE OR REPLACE SEQUENCE t START WITH 5 MAXVALUE 1", "INSERT INTO t VALUES (2, 2)", "CREATE OR REPLACE TEMPORARY SEQUENCE t", "DROP TEMPORARY SEQUENCE t", "CREATE OR REPLACE SEQUENCE t",
                                      "SELECT NEXTVAL(t)", "CREATE OR REPLACE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (5)", "CREATE OR REPLACE SEQUENCE t", "DROP SEQUENCE t", "CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (6)"]),
    # Rows of the past of a system-versioned table, as a dump with the history has them: to 11.8 the end of 10.11's times is past.
    "history_put_in": ("maria", ["CREATE TABLE t (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING", "INSERT INTO t VALUES (1, 1), (2, 2)", "SET time_zone = '+00:00', system_versioning_insert_history = 1", "INSERT INTO t (id, v, row_start, row_end) VALUES (7, 7, '2020-01-01', '2021-01-01')",
                                 "INSERT INTO t (id, v, row_start, row_end) VALUES (8, 8, '2020-01-01', '2038-01-19 03:14:07.999999')", "UPDATE t SET v = 9", "ALTER TABLE t FORCE", "DELETE FROM t WHERE id = 8", "DELETE HISTORY FROM t", "INSERT INTO t VALUES (8, 8)"]),
    # Foreign keys that reach one row are carried out by index of the parent and then by name, and not in the order in which they are written.
    "foreign_order": ("m", ["CREATE TABLE p (id INT PRIMARY KEY, u INT UNIQUE)", "INSERT INTO p VALUES (1, 1), (2, 2), (3, 3)",
                            "CREATE TABLE c (id INT PRIMARY KEY, f INT, CONSTRAINT b FOREIGN KEY (f) REFERENCES p (id) ON DELETE SET NULL ON UPDATE CASCADE, CONSTRAINT B1 FOREIGN KEY (f) REFERENCES p (id) ON DELETE CASCADE ON UPDATE SET NULL)",
                            "CREATE TABLE d (id INT PRIMARY KEY, f INT, CONSTRAINT a FOREIGN KEY (f) REFERENCES p (u) ON DELETE SET NULL ON UPDATE CASCADE, CONSTRAINT e FOREIGN KEY (f) REFERENCES p (id) ON DELETE CASCADE ON UPDATE SET NULL)",
                            "INSERT INTO c VALUES (1, 1), (2, 2), (3, 3)", "INSERT INTO d SELECT * FROM c", "UPDATE p SET id = 10, u = 10 WHERE id = 1", "DELETE FROM p WHERE id = 2", "DELETE FROM p"]),
    "foreign_diamond": ("m", ["CREATE TABLE p (t INT PRIMARY KEY)", "CREATE TABLE m (t INT, a INT, PRIMARY KEY (t, a), CONSTRAINT a_m FOREIGN KEY (t) REFERENCES p (t) ON DELETE CASCADE)",
                              "CREATE TABLE g (id INT PRIMARY KEY, t INT, a INT, CONSTRAINT b_g FOREIGN KEY (t) REFERENCES p (t) ON DELETE CASCADE, CONSTRAINT c_g FOREIGN KEY (t, a) REFERENCES m (t, a) ON DELETE SET NULL)", "INSERT INTO p VALUES (1), (2)",
                              "INSERT INTO m VALUES (1, 1), (2, 1)", "INSERT INTO g VALUES (1, 1, 1), (2, 2, 1), (3, 1, NULL)", "DELETE FROM p WHERE t = 1", "DELETE FROM p"]),
}
