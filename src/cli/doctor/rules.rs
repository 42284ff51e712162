//! Query rules as ProxySQL carries them out: in the order of their ids, each condition that a rule
//! has must hold, the last hostgroup named wins, `apply` ends it, `flagOUT` changes which rules
//! (`flagIN`) count from there on.

use super::admin_rows::Row;
use regex::bytes::{Regex, RegexBuilder};

/// A rule in force.
#[derive(Debug)]
pub(super) struct QueryRule {
    pub(super) id: i64,
    pub(super) username: Option<String>,
    /// Conditions that cannot be judged without the client: its schema, its address, the port it
    /// came in by, one digest.
    pub(super) depends: Vec<String>,
    flag_in: i64,
    digest: Condition,
    text: Condition,
    negate: bool,
    flag_out: Option<i64>,
    pub(super) hostgroup: Option<i64>,
    pub(super) apply: bool,
    /// It answers by itself.
    answers: bool,
}

/// A pattern.
#[derive(Debug)]
enum Condition {
    None,
    Pattern(Regex),
    /// PCRE knows more than this program.
    Unknown,
}

/// A statement, and the digest that ProxySQL makes of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) statement: &'static str,
    pub(super) digest: &'static str,
}

const fn sample(statement: &'static str, digest: &'static str) -> Sample {
    Sample { statement, digest }
}

/// One or more for each rule that `proxysql-config` writes.
pub(super) const TO_SHIM: [Sample; 9] = [
    sample(
        "SELECT * FROM _flashback.orders AS OF '2026-04-27 09:00:00' WHERE id = 42",
        "SELECT * FROM _flashback.orders AS OF ? WHERE id = ?",
    ),
    sample(
        "select * from `_diff`.`shop`.`orders` between '2026-04-27' and '2026-04-28' where id = 42",
        "select * from `_diff`.`shop`.`orders` between ? and ? where id = ?",
    ),
    sample(
        "SELECT * FROM customers c, _snapshot.orders AS OF 'now' o WHERE o.id = 42",
        "SELECT * FROM customers c,_snapshot.orders AS OF ? o WHERE o.id = ?",
    ),
    sample(
        "SELECT statement FROM _undo.orders BETWEEN '2026-04-27' AND '2026-04-28'",
        "SELECT statement FROM _undo.orders BETWEEN ? AND ?",
    ),
    sample(
        "SELECT * FROM _history.transactions BETWEEN '2026-04-27' AND '2026-04-28'",
        "SELECT * FROM _history.transactions BETWEEN ? AND ?",
    ),
    sample("DESCRIBE _flashback.orders", "DESCRIBE _flashback.orders"),
    sample("SHOW FULL COLUMNS FROM `_flashback`.`orders`", "SHOW FULL COLUMNS FROM `_flashback`.`orders`"),
    sample("SHOW FULL TABLES FROM `_flashback`", "SHOW FULL TABLES FROM `_flashback`"),
    sample(
        "SELECT * FROM \"_flashback\".\"orders\" AS OF 'now' WHERE \"id\" = 42",
        "SELECT * FROM ?.? AS OF ? WHERE ? = ?",
    ),
];

/// With `--orm-forms` these too.
pub(super) const ORM_TO_SHIM: [Sample; 2] = [
    sample(
        "SELECT /*+ DBTRAIL_AT='2026-04-27' */ * FROM orders WHERE id = 42",
        "SELECT * FROM orders WHERE id = ?",
    ),
    sample(
        "SELECT * FROM orders WHERE id = 42 AS OF '2026-04-27'",
        "SELECT * FROM orders WHERE id = ? AS OF ?",
    ),
];

/// What must stay with MySQL.
pub(super) const TO_MYSQL: [Sample; 3] = [
    sample("SELECT * FROM orders WHERE id = 42", "SELECT * FROM orders WHERE id = ?"),
    sample(
        "SELECT * FROM orders WHERE note = 'SELECT * FROM _flashback.orders'",
        "SELECT * FROM orders WHERE note = ?",
    ),
    sample("UPDATE orders SET status = 'paid' WHERE id = 42", "UPDATE orders SET status = ? WHERE id = ?"),
];

/// Where a statement goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// `None`: a rule answers by itself.
    pub(super) hostgroup: Option<i64>,
    /// The rule that decided; `None`: the default of the user.
    pub(super) by: Option<i64>,
    /// Rules that may decide otherwise for some clients.
    pub(super) doubts: Vec<i64>,
}

impl QueryRule {
    pub(super) fn read(row: &Row) -> Self {
        let number = |name: &str| row.get(name).and_then(|text| text.parse::<i64>().ok());
        let some = |name: &str| row.get(name).filter(|text| !text.is_empty());
        let caseless = some("re_modifiers").is_some_and(|m| m.to_uppercase().contains("CASELESS"));
        let condition = |name: &str| match row.get(name) {
            None => Condition::None,
            Some(pattern) => RegexBuilder::new(pattern)
                .case_insensitive(caseless)
                .unicode(false)
                .build()
                .map_or(Condition::Unknown, Condition::Pattern),
        };
        let elsewhere = ["schemaname", "client_addr", "proxy_addr", "proxy_port", "digest"];
        let depends = elsewhere.iter().filter_map(|name| some(name).map(|value| format!("{name} {value}")));
        Self {
            id: number("rule_id").unwrap_or(0),
            username: some("username").cloned(),
            depends: depends.collect(),
            flag_in: number("flagIN").unwrap_or(0),
            digest: condition("match_digest"),
            text: condition("match_pattern"),
            negate: number("negate_match_pattern") == Some(1),
            flag_out: number("flagOUT"),
            hostgroup: number("destination_hostgroup"),
            apply: number("apply") == Some(1),
            answers: some("error_msg").is_some() || some("OK_msg").is_some(),
        }
    }

    /// Whether a pattern of it cannot be judged here.
    pub(super) fn unknown(&self) -> bool {
        matches!(self.digest, Condition::Unknown) || matches!(self.text, Condition::Unknown)
    }

    fn matches(&self, sample: &Sample, digests: bool) -> bool {
        let holds = |condition: &Condition, text: &str| match condition {
            Condition::None => true,
            Condition::Pattern(pattern) => pattern.is_match(text.as_bytes()) != self.negate,
            Condition::Unknown => false,
        };
        (!digests || holds(&self.digest, sample.digest)) && holds(&self.text, sample.statement)
    }
}

/// Where the statement of a user goes. `rules` are sorted by id.
pub(super) fn route(rules: &[QueryRule], user: &str, default: i64, sample: &Sample, digests: bool) -> Route {
    let mut route = Route { hostgroup: Some(default), by: None, doubts: Vec::new() };
    let mut flag = 0;
    for rule in rules {
        let other = rule.username.as_deref().is_some_and(|name| name != user);
        if other || rule.flag_in != flag || !rule.matches(sample, digests) {
            continue;
        }
        if !rule.depends.is_empty() {
            route.doubts.push(rule.id);
            continue;
        }
        if let Some(to) = rule.hostgroup {
            (route.hostgroup, route.by) = (Some(to), Some(rule.id));
        }
        if rule.answers {
            (route.hostgroup, route.by) = (None, Some(rule.id));
        }
        if rule.apply {
            break;
        }
        flag = rule.flag_out.unwrap_or(flag);
    }
    route
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(fields: &[(&str, &str)]) -> QueryRule {
        let row: Row = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        QueryRule::read(&row)
    }

    fn goes(rules: &[QueryRule], sample: &Sample) -> (Option<i64>, Option<i64>, Vec<i64>) {
        let Route { hostgroup, by, doubts } = route(rules, "app", 990, sample, true);
        (hostgroup, by, doubts)
    }

    #[test]
    fn ok_rules_are_carried_out_in_order() {
        let ours = || {
            rule(&[
                ("rule_id", "990001"),
                ("match_digest", r"\bFROM _flashback\."),
                ("re_modifiers", "CASELESS"),
                ("destination_hostgroup", "991"),
                ("apply", "1"),
            ])
        };
        let select = |more: &[(&str, &str)]| {
            let base = [("rule_id", "5"), ("match_digest", "^SELECT"), ("destination_hostgroup", "20")];
            rule(&[&base, more].concat())
        };
        let past = &TO_SHIM[0];
        assert_eq!(goes(&[], past), (Some(990), None, vec![]));
        assert_eq!(goes(&[ours()], past), (Some(991), Some(990_001), vec![]));
        assert_eq!(goes(&[ours()], &TO_MYSQL[1]), (Some(990), None, vec![]));
        assert_eq!(goes(&[select(&[("apply", "1")]), ours()], past), (Some(20), Some(5), vec![]));
        assert_eq!(goes(&[select(&[("apply", "0")]), ours()], past), (Some(991), Some(990_001), vec![]));
        // The flag leads past our rule.
        assert_eq!(goes(&[select(&[("flagOUT", "7")]), ours()], past), (Some(20), Some(5), vec![]));
        let of_another = select(&[("apply", "1"), ("username", "other")]);
        assert_eq!(goes(&[of_another, ours()], past), (Some(991), Some(990_001), vec![]));
        let of_a_schema = select(&[("apply", "1"), ("schemaname", "shop")]);
        assert_eq!(goes(&[of_a_schema, ours()], past), (Some(991), Some(990_001), vec![5]));
        let lower = rule(&[
            ("rule_id", "5"),
            ("match_pattern", "^select"),
            ("apply", "1"),
            ("destination_hostgroup", "1"),
        ]);
        assert_eq!(goes(&[lower, ours()], past), (Some(991), Some(990_001), vec![]));
        let negated = select(&[("negate_match_pattern", "1"), ("apply", "1")]);
        assert_eq!(goes(&[negated, ours()], past), (Some(991), Some(990_001), vec![]));
        let refusing = select(&[("error_msg", "no"), ("apply", "1")]);
        assert_eq!(goes(&[refusing, ours()], past), (None, Some(5), vec![]));
        let look_ahead =
            rule(&[("rule_id", "5"), ("match_digest", "^SELECT(?! FOR UPDATE)"), ("apply", "1")]);
        assert!(look_ahead.unknown());
    }

    #[test]
    fn bad_without_digests_a_rule_on_the_digest_alone_takes_everything() {
        let bare = rule(&[
            ("rule_id", "1"),
            ("match_digest", "x"),
            ("destination_hostgroup", "991"),
            ("apply", "1"),
        ]);
        let off = route(&[bare], "app", 990, &TO_MYSQL[0], false);
        assert_eq!(off, Route { hostgroup: Some(991), by: Some(1), doubts: vec![] });
    }

    #[test]
    fn ok_the_generated_rules_route_the_samples() {
        let rules: Vec<QueryRule> = crate::cli::proxysql_config::patterns::rules(true)
            .iter()
            .zip(1..)
            .map(|(r, id)| {
                let id = format!("{id}");
                rule(&[
                    ("rule_id", &id),
                    ("match_digest", r.digest),
                    ("match_pattern", r.text),
                    ("re_modifiers", "CASELESS"),
                    ("destination_hostgroup", "991"),
                    ("apply", "1"),
                ])
            })
            .collect();
        let by: Vec<_> = TO_SHIM.iter().chain(&ORM_TO_SHIM).map(|s| goes(&rules, s).1).collect();
        let rule_of_each = [1, 1, 2, 1, 1, 3, 1, 4, 5, 6, 7].map(Some);
        assert_eq!(by, rule_of_each);
        for sample in TO_MYSQL {
            assert_eq!(goes(&rules, &sample).1, None, "{sample:?}");
        }
    }
}
