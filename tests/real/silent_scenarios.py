"""Statements that change rows without row events. Each scenario: the servers it is for (how their names begin), and its statements."""

FAMILY = [
    "CREATE TABLE p (id INT PRIMARY KEY, u VARCHAR(10) COLLATE latin1_swedish_ci UNIQUE, v INT)",
    "CREATE TABLE c (id INT PRIMARY KEY, pid INT, note VARCHAR(10), FOREIGN KEY (pid) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE)",
    "CREATE TABLE s (id INT PRIMARY KEY, pu VARCHAR(12) COLLATE latin1_swedish_ci, FOREIGN KEY (pu) REFERENCES p (u) ON DELETE SET NULL ON UPDATE CASCADE)",
    "CREATE TABLE g (pid INT, line INT, cid INT, PRIMARY KEY (pid, line), FOREIGN KEY (cid) REFERENCES c (id) ON DELETE CASCADE, "
    "FOREIGN KEY (pid) REFERENCES p (id) ON UPDATE CASCADE ON DELETE CASCADE)",
    "CREATE TABLE tree (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES tree (id) ON DELETE CASCADE)",
    "CREATE TABLE other (id INT PRIMARY KEY, v INT)",
    "INSERT INTO p VALUES (1, 'a', 0), (2, 'B', 0), (3, 'c', 0), (4, NULL, 0)",
    "INSERT INTO c VALUES (10, 1, 'x'), (11, 1, 'y'), (20, 2, 'z'), (30, NULL, 'n')",
    "INSERT INTO s VALUES (1, 'A'), (2, 'a'), (3, 'b'), (4, NULL)",
    "INSERT INTO g VALUES (1, 1, 10), (1, 2, NULL), (2, 1, 20), (3, 1, 10)",
    "INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 2), (4, NULL)",
    "INSERT INTO other VALUES (1, 1), (2, 2)",
]
CHANGES = [
    "UPDATE p SET v = 1 WHERE id = 1",
    "UPDATE p SET id = 7, u = 'ax' WHERE id = 1",
    "UPDATE c SET note = 'w' WHERE id = 10",
    "DELETE FROM p WHERE id = 7",
    "UPDATE p SET u = 'b' WHERE id = 2",
    "UPDATE p SET id = id + 100 ORDER BY id DESC",
    "DELETE FROM tree WHERE id = 1",
    "DELETE FROM tree",
    "UPDATE other SET v = 3 WHERE id = 1",
    "DELETE FROM other WHERE id = 2",
    "SET foreign_key_checks = 0",
    "DELETE FROM p WHERE id = 103",
    "SET foreign_key_checks = 1",
    "REPLACE INTO p VALUES (102, 'new', 9)",
]

SCENARIOS = {
    "foreign_keys": ("m", FAMILY + CHANGES + [
        "ALTER TABLE p RENAME COLUMN id TO ident, ADD COLUMN w INT NOT NULL DEFAULT 5 FIRST",
        "ALTER TABLE c DROP FOREIGN KEY c_ibfk_1",
        "INSERT INTO p VALUES (1, 50, 'q', 0), (2, 51, 'r', 0)",
        "INSERT INTO c VALUES (50, 50, 'a'), (51, 51, 'b'), (52, 51, 'c')",
        "DELETE FROM c WHERE pid IS NOT NULL AND pid NOT IN (50, 51)",
        "ALTER TABLE c ADD CONSTRAINT again FOREIGN KEY (pid) REFERENCES p (ident) ON DELETE SET NULL",
        "DELETE FROM p WHERE ident = 51",
        "RENAME TABLE p TO q, c TO d",
        "DELETE FROM q WHERE ident = 50",
        "DROP TABLE g",
        "TRUNCATE TABLE d",
        "INSERT INTO d VALUES (1, NULL, 'z')",
    ]),
    # The log begins when the tables are there: their foreign keys are not in it.
    "foreign_keys_from_the_middle": ("m", FAMILY + ["-- log from here"] + CHANGES),
}
