"""Records crates/history/tests/data/schema/KIND: log files whose tables were made before them, and what mysqldump --no-data says of
the tables after them, with the rows that the server held at the end.

    schema_dump_record.py KIND PORT BINLOGS FOLDER DUMP-COMMAND...

The server must be fresh, log rows, and let root in without a password on 127.0.0.1:PORT. The dump command is called with its arguments
added (chroot FOLDER mysqldump, where the server's client is not on the PATH). Tables: `same` has no statement in the files, `altered` one
that swaps the names of two columns, `made` is made in them, `gone` is dropped, `parent` and `child` have a foreign key with ON DELETE CASCADE."""
import json, os, shutil, subprocess, sys, time
import pymysql

kind, port, binlogs = sys.argv[1], int(sys.argv[2]), sys.argv[3]
folder, dump = sys.argv[4], sys.argv[5:]
c = pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True, charset="utf8mb4")
q = c.cursor()


def run(*statements):
    for s in statements:
        q.execute(s)


run("DROP DATABASE IF EXISTS s", "CREATE DATABASE s CHARACTER SET utf8mb4", "USE s",
    "CREATE TABLE same(id INT UNSIGNED PRIMARY KEY AUTO_INCREMENT, v VARCHAR(20) COLLATE utf8mb4_bin COMMENT 'it''s; a `v`', d DECIMAL(9,2), e ENUM('a','b'), t TIMESTAMP(3) NULL)",
    "CREATE TABLE altered(id INT PRIMARY KEY, a INT, b INT)", "CREATE TABLE gone(id INT PRIMARY KEY, v INT)",
    "CREATE TABLE parent(id INT PRIMARY KEY, v INT)",
    "CREATE TABLE child(id INT PRIMARY KEY, p INT, FOREIGN KEY(p) REFERENCES parent(id) ON DELETE CASCADE)",
    "CREATE TRIGGER tr BEFORE INSERT ON same FOR EACH ROW SET NEW.d = 1.5",
    "INSERT INTO same VALUES(1,'one',1,'a',NULL),(2,'two',2,'b','2026-01-02 03:04:05.678'),(3,'three',3,'a',NULL)",
    "INSERT INTO altered VALUES(1,10,20),(2,11,21)", "INSERT INTO gone VALUES(1,1)",
    "INSERT INTO parent VALUES(1,1),(2,2),(3,3)", "INSERT INTO child VALUES(10,1),(20,2),(30,3)", "FLUSH BINARY LOGS")
q.execute("SHOW BINARY LOGS")
first = q.fetchall()[-1][0]
run("UPDATE same SET v='eins' WHERE id=1", "UPDATE altered SET a=12 WHERE id=1", "CREATE TABLE made(id INT PRIMARY KEY, v INT)",
    "INSERT INTO made VALUES(1,5),(2,6)", "UPDATE child SET p=1 WHERE id=30", "DELETE FROM parent WHERE id=1", "FLUSH BINARY LOGS",
    "ALTER TABLE altered RENAME COLUMN a TO b, RENAME COLUMN b TO a", "UPDATE altered SET a=99 WHERE id=1", "DELETE FROM same WHERE id=2", "DROP TABLE gone",
    "UPDATE made SET v=7 WHERE id=2", "INSERT INTO same(v,e) VALUES('vier','b')")
time.sleep(1.1)
run("FLUSH BINARY LOGS")
q.execute("SHOW BINARY LOGS")
names = [row[0] for row in q.fetchall()]
names = names[names.index(first):-1]
os.makedirs(folder, exist_ok=True)
for name in names:
    shutil.copy(os.path.join(binlogs, name), folder)
text = subprocess.run([*dump, "--no-data", "-h127.0.0.1", "-P%d" % port, "-uroot", "--databases", "s"], check=True, capture_output=True).stdout
with open(os.path.join(folder, "dump.sql"), "wb") as f:
    f.write(text)
rows = {}
run("SET time_zone='+00:00'")
for table in ("same", "altered", "made", "parent", "child"):
    q.execute("SELECT * FROM " + table)
    rows[table] = [[None if cell is None else str(cell) for cell in row] for row in q.fetchall()]
q.execute("SELECT id, v, d, e, CAST(t AS CHAR) FROM same")
rows["same"] = [[None if cell is None else str(cell) for cell in row] for row in q.fetchall()]
with open(os.path.join(folder, "rows.json"), "w") as f:
    json.dump(rows, f, indent=1)
print(kind, names, rows)
