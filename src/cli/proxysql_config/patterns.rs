//! Which statements ProxySQL sends to the shim.
//!
//! # Why each rule has a pattern for the digest and one for the text
//! ProxySQL holds `match_digest` against its *digest* of a statement: comments are gone, string and
//! number literals are `?`, runs of white space are one blank, there is none around commas and
//! inside of parentheses; backticks stay. So a pattern on the digest cannot see a virtual name
//! inside a literal or a comment, and needs no forms for line breaks and comments between two
//! words. But with `mysql-query_digests=false` there is no digest, and ProxySQL then *skips* the
//! condition: a rule that has nothing else matches every statement, and all traffic would come to
//! the shim. Therefore `match_pattern`, which is held against the statement as it was sent, asks
//! for the bare name as well; a rule matches when both do. (`dbtrail-shim doctor` fails when
//! digests are off.)
//!
//! # What is written and what is not
//! Both of ProxySQL's engines take the patterns (`mysql-query_processor_regex`, 1: PCRE, 2: RE2):
//! no look-around, no back reference. PCRE recurses for each repetition of a group, on the stack of
//! a thread of ProxySQL: `(...)*` over a long statement was seen to end the process. So groups
//! repeat a few times at most, and nothing scans the rest of the statement from every position in
//! it. No `;` (written `\x3b`), no quote, no backslash at the end: the admin port and the clients
//! that feed it read those otherwise. `re_modifiers` is CASELESS.
//!
//! # What escapes them
//! `FROM#comment` with the name on the next line loses its blank in the digest; `SHOW TABLES FROM
//! "_flashback"` has a literal there; a comma join may have sixteen tables before the virtual one;
//! `PREPARE s FROM '...'` hides its statement in a literal; `USE _flashback` is carried out by
//! ProxySQL itself. All go to MySQL and fail there, aloud. `EXTRACT(DAY FROM _diff.c)` of a table
//! with the alias `_diff` comes to the shim, and is refused.

/// Two conditions that must both hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RulePattern {
    /// Which statements, in a few words.
    pub what: &'static str,
    /// `match_digest`
    pub digest: &'static str,
    /// `match_pattern`
    pub text: &'static str,
}

/// A virtual name, as the statement has it.
const NAMED: &str = r"_(?:flashback|snapshot|diff|undo|history)\b";

/// The rules, in the order of their ids.
pub const RULES: [RulePattern; 5] = [
    RulePattern {
        what: "FROM and JOIN of a virtual table, in whatever statement",
        digest: r"\b(?:FROM|JOIN|STRAIGHT_JOIN)(?:[\s(]+`?|`)_(?:flashback|snapshot|diff|undo|history)`?\s*\.",
        text: NAMED,
    },
    RulePattern {
        what: "a virtual table after a comma in FROM",
        digest: r"\bFROM[\s(]+[^\s,()]+(?: [^\s,()]+){0,2}(?:, ?[^\s,()]+(?: [^\s,()]+){0,2}){0,15}, ?\(*`?_(?:flashback|snapshot|diff|undo|history)`?\s*\.",
        text: NAMED,
    },
    RulePattern {
        what: "DESCRIBE, EXPLAIN, TABLE, SHOW CREATE TABLE and SHOW COLUMNS IN of a virtual table",
        digest: r"^\s*(?:DESC|DESCRIBE|(?:EXPLAIN )?TABLE|EXPLAIN|SHOW CREATE (?:TABLE|VIEW)|SHOW (?:EXTENDED |FULL ){0,2}(?:COLUMNS|FIELDS|INDEX|INDEXES|KEYS) IN)(?:\s+`?|`)_(?:flashback|snapshot|diff|undo|history)`?\s*\.",
        text: NAMED,
    },
    RulePattern {
        what: "SHOW of what a virtual schema holds",
        digest: r"^\s*SHOW (?:(?:EXTENDED |FULL |OPEN ){0,2}(?:TABLES|TABLE STATUS|TRIGGERS|EVENTS) (?:FROM|IN)|(?:EXTENDED |FULL ){0,2}(?:COLUMNS|FIELDS|INDEX|INDEXES|KEYS) (?:FROM|IN)[\s`]+[^\s,()]+ (?:FROM|IN)|CREATE (?:DATABASE|SCHEMA)(?: IF NOT EXISTS)?)(?:\s+`?|`)_(?:flashback|snapshot|diff|undo|history)`?(?:\s|\x3b|$)",
        text: NAMED,
    },
    RulePattern {
        what: "virtual tables in the quotes of ANSI_QUOTES, which a digest takes for literals",
        digest: r"(?:\b(?:FROM|JOIN|STRAIGHT_JOIN)|^\s*(?:DESC|DESCRIBE|EXPLAIN|TABLE|SHOW CREATE TABLE))[\s(]*\?\s*\.",
        text: r"\x22_(?:flashback|snapshot|diff|undo|history)\x22\s*\.",
    },
];

/// Those of the ORM-friendly forms, which name no virtual schema. A hint is a comment and in no
/// digest. MySQL would ignore it and read the present, without a word: so every SELECT that has the
/// hint's name anywhere is caught, and the shim refuses what it does not understand. A time clause
/// that is sent to MySQL is a syntax error there; one after `FOR SYSTEM_TIME` may be MariaDB's own.
pub const ORM_RULES: [RulePattern; 2] = [
    RulePattern {
        what: "the hints of the ORM-friendly forms",
        digest: r"\bSELECT\b",
        text: r"\bDBTRAIL_(?:AT|GTID)\b",
    },
    RulePattern {
        what: "a time clause after a value of the ORM-friendly forms",
        digest: r"(?:\?|\)|\bNULL|\bASC|\bDESC)\s*(?:AS OF|AT GTID)\b",
        text: r"\b(?:AS\s+OF|AT\s+GTID)\b",
    },
];

/// The rules of a set-up.
#[must_use]
pub fn rules(orm_forms: bool) -> Vec<RulePattern> {
    let more: &[RulePattern] = if orm_forms { &ORM_RULES } else { &[] };
    RULES.iter().chain(more).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::bytes::{Regex, RegexBuilder};

    /// Statements, where each belongs, and the digest that ProxySQL 2.7's own tokenizer made of it.
    const STATEMENTS: &str = include_str!("../../../tests/data/proxysql/statements.jsonl");

    /// RE2's syntax and meaning, as ProxySQL sets it: CASELESS, ASCII classes.
    fn engine(pattern: &str) -> Regex {
        RegexBuilder::new(pattern).case_insensitive(true).unicode(false).build().expect(pattern)
    }

    /// The rules with both patterns compiled.
    struct Engine(Vec<(&'static str, Regex, Regex)>);

    impl Engine {
        fn new(rules: &[RulePattern]) -> Self {
            Self(rules.iter().map(|r| (r.what, engine(r.digest), engine(r.text))).collect())
        }

        fn catches(&self, statement: &str, digest: Option<&str>) -> Vec<&'static str> {
            let holds = |(_, on_digest, on_text): &&(_, Regex, Regex)| {
                digest.is_none_or(|d| on_digest.is_match(d.as_bytes()))
                    && on_text.is_match(statement.as_bytes())
            };
            self.0.iter().filter(holds).map(|(what, ..)| *what).collect()
        }
    }

    fn statements() -> Vec<(String, String, String)> {
        let read = |line: &str| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let field = |name: &str| value[name].as_str().unwrap().to_owned();
            (field("to"), field("statement"), field("digest"))
        };
        STATEMENTS.lines().map(read).collect()
    }

    #[test]
    fn ok_each_statement_goes_where_it_belongs() {
        let mut counts = [0; 4];
        let engines = [Engine::new(&rules(false)), Engine::new(&rules(true))];
        for (to, statement, digest) in statements() {
            let (at, orm_forms, shim) = match to.as_str() {
                "shim" => (0, false, true),
                "mysql" => (1, false, false),
                "shim with --orm-forms" => (2, true, true),
                "mysql with --orm-forms" => (3, true, false),
                other => unreachable!("{other}"),
            };
            counts[at] += 1;
            let by = engines[usize::from(orm_forms)].catches(&statement, Some(&digest));
            assert_eq!(!by.is_empty(), shim, "{statement}\n{digest}\n{by:?}");
        }
        assert!(counts[0] >= 80 && counts[1] >= 60 && counts[2] >= 17 && counts[3] >= 9, "{counts:?}");
    }

    #[test]
    fn ok_each_rule_catches_what_no_other_does() {
        for orm_forms in [false, true] {
            let engine = Engine::new(&rules(orm_forms));
            for rule in rules(orm_forms) {
                let alone = statements().iter().any(|(to, statement, digest)| {
                    to.starts_with("shim") && engine.catches(statement, Some(digest)) == [rule.what]
                });
                assert!(alone, "no statement needs the rule for {}", rule.what);
            }
        }
    }

    #[test]
    fn ok_without_digests_statements_that_name_no_virtual_schema_stay_with_mysql() {
        let engine = Engine::new(&RULES);
        for statement in
            ["SELECT 1", "SELECT * FROM orders WHERE id = 42", "UPDATE my_diff_x SET a = 1", "BEGIN"]
        {
            assert!(engine.catches(statement, None).is_empty(), "{statement}");
        }
        // Known, and the reason why digests must be on.
        assert!(!engine.catches("SELECT * FROM t WHERE note = '_flashback.orders'", None).is_empty());
    }

    #[test]
    fn ok_the_admin_port_and_both_engines_can_take_the_patterns() {
        for rule in rules(true) {
            for pattern in [rule.digest, rule.text] {
                for bad in [";", "'", "\"", "(?=", "(?!", "(?<", "\\1", ")*", ")+", ".*"] {
                    assert!(!pattern.contains(bad), "{bad} in {pattern}");
                }
                assert!(!pattern.ends_with('\\') && pattern.is_ascii(), "{pattern}");
            }
            assert!(!rule.what.contains(['*', '/', ';', '\'', '"']), "{}", rule.what);
        }
    }

    /// What must be fast for ProxySQL, which asks it of every statement, must not depend on luck.
    #[test]
    fn ok_long_statements_are_judged() {
        let engine = Engine::new(&RULES);
        let long = format!("INSERT INTO t VALUES {}", "(?,?,?),".repeat(8000));
        assert!(engine.catches(&long, Some(&long)).is_empty());
        let spaced = format!("SELECT {} FROM t", "FROM a,".repeat(8000));
        assert!(engine.catches(&spaced, Some(&spaced)).is_empty());
    }
}
