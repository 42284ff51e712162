//! Texts by chance.

/// Statements that work, to begin with: each form of the grammar is in one of them.
const GOOD: &[&str] = &[
    "SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id = 42",
    "SELECT id AS i, `v` w FROM _flashback.tt.t AS OF TIMESTAMP '2020-01-01 10:00:00.123456' AS x WHERE x.id IN (1, 2, -3) ORDER BY id DESC LIMIT 5 OFFSET 1;",
    "select * from _snapshot.t for system_time as of timestamp now(6) - interval '1' day where (id between 1 and 5) limit 2, 3",
    "SELECT * FROM _flashback.t AT GTID '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-23' WHERE 5 = id",
    "SELECT * FROM _flashback.c AS OF '5 minutes ago' WHERE (a, b) IN ((1, 'x'), (2, 'it''s')) ORDER BY a, b",
    "SELECT * FROM _flashback.c AS OF FROM_UNIXTIME(1577836800.5) WHERE a = 1 AND b BETWEEN 'a' AND 'b'",
    "SELECT * FROM _flashback.c AS OF '2020-01-01T00:00:00Z' WHERE a = 0x10 AND b = _utf8mb4'q\\nr'",
    "SELECT /*+ SET_VAR(dbtrail_allow_wide_diff=ON) */ event_id, row_after FROM _diff.t BETWEEN '2020-01-01' AND '2020-01-05' WHERE id = 1",
    "/* ApplicationName=x */ SELECT * FROM _diff.t FOR SYSTEM_TIME BETWEEN '-10s' AND 'now' WHERE id = 18446744073709551615 -- end",
    "SELECT * FROM _flashback.t AS OF UTC_TIMESTAMP() WHERE id = x'2a' OR id = b'101' AND NOT v LIKE '%_'",
    "SET NAMES utf8mb4 COLLATE utf8mb4_bin, @x = 'y', time_zone = 'Europe/Berlin', sql_mode = ''",
    "SET @dbtrail_allow_wide_diff = ON, @@session.autocommit = 0, sql_select_limit = DEFAULT",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SELECT @@version_comment LIMIT 1",
    "SELECT @@session.auto_increment_increment AS a, @@time_zone b, CONCAT('a', 1, @x), DATABASE(), NOW(), -5, IFNULL(NULL, 'z')",
    "SHOW VARIABLES LIKE 'char%\\_x%'",
    "SHOW WARNINGS LIMIT 1, 2",
    "SHOW COUNT(*) ERRORS",
    "SHOW FULL TABLES FROM `_flashback` LIKE 'a%'",
    "SHOW COLUMNS FROM `t` FROM `_diff` WHERE Field IN ('id', 'gtid')",
    "DESCRIBE _flashback.tt.t 'i%'",
    "SELECT DISTINCT t.*, CASE WHEN a.engine = 'x' THEN 1 WHEN NOT t.default_collate_name LIKE '%_' THEN -7 ELSE 'y' END AS z, COUNT(*) n FROM information_schema.engines a, information_schema.character_sets t LEFT JOIN information_schema.ENGINES b USING (engine) WHERE (a.engine, 1) IN (('DBTRAIL', 1)) AND b.support <=> 'DEFAULT' GROUP BY 1, 2, 3, 4, 5, a.engine HAVING n > 0 ORDER BY 2 DESC, MAX(t.maxlen) LIMIT 3",
    "KILL QUERY 17",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT",
    "USE `tt`",
    "UPDATE t SET a = 1 WHERE b = 2",
    "",
];

/// Pieces that readers of SQL stumble over.
const PIECES: &[&[u8]] = &[
    b"'",
    b"\"",
    b"`",
    b"\\",
    b"/*",
    b"*/",
    b"/*!50000 ",
    b"--",
    b"-- ",
    b"#",
    b"(",
    b")",
    b",",
    b";",
    b".",
    b"@",
    b"@@",
    b"?",
    b":=",
    b"0x",
    b"x'",
    b"b'2'",
    b"N'",
    b"_latin1'\xe4'",
    b"\0",
    b"\x1a",
    b"\n",
    b"\xff",
    b"\xc3",
    b"\xf0\x9f\x98\x80",
    b"\xe2\x80\xa8",
    b"1e999",
    b"-0",
    b"99999999999999999999999999",
    b"1.5",
    b"''",
    b" AS OF ",
    b" BETWEEN ",
    b" AND ",
    b" NULL ",
    b" INTERVAL ",
    b" MONTH",
    b"9223372036854775808",
    b"'0000-00-00'",
    b"'9999-12-31 23:59:59.999999'",
    b"'-9999999999 days ago'",
    b" _flashback.",
    b" _diff.t ",
    b" FROM ",
    b" SELECT ",
    b" LIMIT ",
    b" NOT ",
    b" IS TRUE",
    b" CASE WHEN",
    b"::int",
    b"{ts '2020-01-01'}",
];

/// A generator of its own, so that a failure comes again.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 0 to `bound`, which is left out.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 16).unwrap_or(0) % bound.max(1)
    }

    pub(super) fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

/// Random bytes, or a good statement with some bytes changed, put in, taken out, or taken from
/// another.
pub(super) fn text(numbers: &mut Numbers) -> Vec<u8> {
    if numbers.below(4) == 0 {
        let length = numbers.below(200);
        return (0..length).map(|_| numbers.next().to_le_bytes()[3]).collect();
    }
    let mut text = numbers.pick(GOOD).as_bytes().to_vec();
    for _ in 0..numbers.below(3) {
        let at = numbers.below(text.len() + 1);
        let to = (at + numbers.below(12)).min(text.len());
        match numbers.below(6) {
            0 if at < text.len() => text[at] = numbers.next().to_le_bytes()[3],
            1 => drop(text.drain(at..to)),
            2 => drop(text.splice(at..at, numbers.pick(PIECES).iter().copied())),
            3 => drop(text.splice(at..to, numbers.pick(PIECES).iter().copied())),
            4 => {
                let other = numbers.pick(GOOD).as_bytes();
                text.truncate(at);
                text.extend_from_slice(&other[numbers.below(other.len() + 1)..]);
            }
            _ => {
                let again = text[at..to].to_vec();
                drop(text.splice(at..at, again));
            }
        }
    }
    text
}
